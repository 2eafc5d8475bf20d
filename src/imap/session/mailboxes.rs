//! LIST, LSUB, STATUS, CREATE and what else is done with mailboxes as wholes (RFC 9051, section 6.3; RFC 5258, RFC 5819,
//! RFC 6154).

use std::collections::BTreeMap;

use super::{Done, Halt, Session};
use crate::id::MailboxId;
use crate::imap::command::{ListReturn, Listing, RawName, StatusItem};
use crate::imap::name;
use crate::imap::pattern::Pattern;
use crate::imap::response::Refusal;
use crate::mailbox::{Listed, MailboxError, MailboxName, SpecialUse, Status};

/// A name that LIST may show.
#[derive(Default)]
struct Shown {
    id: Option<MailboxId>,
    special: Option<SpecialUse>,
    subscribed: bool,
    has_children: bool,
    /// Subscribed names below it that no pattern shows.
    hidden_below: bool,
}

impl Session {
    /// The mailbox that a client names.
    pub(super) fn mailbox_name(&self, raw: &RawName) -> Result<MailboxName, Refusal> {
        Ok(MailboxName::parse(&self.decoded(raw)?)?)
    }

    fn decoded(&self, raw: &RawName) -> Result<String, Refusal> {
        name::decode(raw, self.out.speaks_utf8()).ok_or(Refusal::NameEncoding)
    }

    pub(super) async fn create(&mut self, raw: &RawName, uses: &[String]) -> Result<Done, Halt> {
        let special = match uses {
            [] => None,
            [one] => Some(SpecialUse::of_attribute(one).ok_or(Refusal::Use)?),
            _ => return Err(Refusal::Use.into()),
        };
        let id = self.mail()?.create(&self.mailbox_name(raw)?, special).await?;
        Done::with(format!("MAILBOXID ({id})"), "CREATE done")
    }

    pub(super) async fn delete(&mut self, raw: &RawName) -> Result<Done, Halt> {
        let (name, mail) = (self.mailbox_name(raw)?, self.mail()?);
        let id = mail.find(&name).await.ok();
        mail.delete(&name).await?;
        // Who has deleted the mailbox that is open has closed it.
        self.selected = self.selected.take().filter(|selected| Some(selected.mailbox.id()) != id);
        Done::plain("DELETE done")
    }

    pub(super) async fn rename(&mut self, from: &RawName, to: &RawName) -> Result<Done, Halt> {
        self.mail()?.rename(&self.mailbox_name(from)?, &self.mailbox_name(to)?).await?;
        Done::plain("RENAME done")
    }

    pub(super) async fn subscribe(&mut self, raw: &RawName, subscribed: bool) -> Result<Done, Halt> {
        self.mail()?.subscribe(&self.mailbox_name(raw)?, subscribed).await?;
        Done::plain(if subscribed { "SUBSCRIBE done" } else { "UNSUBSCRIBE done" })
    }

    pub(super) async fn status(&mut self, raw: &RawName, items: &[StatusItem]) -> Result<Done, Halt> {
        let (name, mail) = (self.mailbox_name(raw)?, self.mail()?);
        let status = mail.status(mail.find(&name).await?).await?;
        self.tell_status(&name, &status, items);
        Done::plain("STATUS done")
    }

    fn tell_status(&mut self, name: &MailboxName, status: &Status, items: &[StatusItem]) {
        if items.contains(&StatusItem::HighestModSeq) {
            self.enable_condstore();
        }
        let limit = self.largest_message();
        let value = |item: &StatusItem| match item {
            StatusItem::Messages => status.messages.to_string(),
            StatusItem::Recent => status.recent.to_string(),
            StatusItem::UidNext => status.uid_next.to_string(),
            StatusItem::UidValidity => status.validity.to_string(),
            StatusItem::Unseen => status.unseen.to_string(),
            StatusItem::Deleted => status.deleted.to_string(),
            StatusItem::Size => status.octets.to_string(),
            StatusItem::HighestModSeq => status.modseq.to_string(),
            StatusItem::MailboxId => format!("({})", status.id),
            StatusItem::AppendLimit => limit.to_string(),
        };
        let values: Vec<String> = items.iter().map(|item| format!("{} {}", item.name(), value(item))).collect();
        self.out.put("* STATUS ").mailbox(name).line(&format!(" ({})", values.join(" ")));
    }

    pub(super) async fn list(&mut self, listing: &Listing) -> Result<Done, Halt> {
        let root = listing.patterns.iter().all(Vec::is_empty);
        if root && !listing.extended {
            self.out.line("* LIST (\\Noselect) \"/\" \"\"");
            return Done::plain("LIST done");
        }
        let patterns = self.patterns(&listing.reference, &listing.patterns)?;
        let names = shown(self.mail()?.list().await?, &patterns);
        let told = listing.returns.contains(&ListReturn::Subscribed) || listing.subscribed;
        let items = listing.returns.iter().find_map(|item| match item {
            ListReturn::Status(items) => Some(items.as_slice()),
            _ => None,
        });
        for (name, shown) in &names {
            if !patterns.iter().any(|pattern| pattern.matches(name.as_str())) || !chosen(listing, shown) {
                continue;
            }
            let attributes = attributes(shown, told, listing.extended || self.enabled.rev2);
            self.out.put(&format!("* LIST ({attributes}) \"/\" ")).mailbox(name);
            if listing.recursive && shown.hidden_below {
                self.out.put(" (\"CHILDINFO\" (\"SUBSCRIBED\"))");
            }
            self.out.line("");
            if let (Some(items), Some(id)) = (items, shown.id) {
                self.tell_listed_status(name, id, items).await?;
            }
        }
        Done::plain("LIST done")
    }

    /// One that was deleted meanwhile has none.
    async fn tell_listed_status(
        &mut self,
        name: &MailboxName,
        id: MailboxId,
        items: &[StatusItem],
    ) -> Result<(), Halt> {
        match self.mail()?.status(id).await {
            Ok(status) => self.tell_status(name, &status, items),
            Err(MailboxError::Missing) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    pub(super) async fn lsub(&mut self, reference: &RawName, pattern: &RawName) -> Result<Done, Halt> {
        let patterns = self.patterns(reference, std::slice::from_ref(pattern))?;
        let names = shown(self.mail()?.list().await?, &patterns);
        for (name, shown) in &names {
            let matches = patterns.iter().any(|pattern| pattern.matches(name.as_str()));
            // RFC 3501, section 6.3.9: `%` shows a name that is not subscribed where one below it is.
            let attributes = match (shown.subscribed, shown.hidden_below) {
                (true, _) if shown.id.is_none() => "\\Noselect",
                (true, _) => "",
                (false, true) => "\\Noselect",
                (false, false) => continue,
            };
            if matches {
                self.out.put(&format!("* LSUB ({attributes}) \"/\" ")).mailbox(name).line("");
            }
        }
        Done::plain("LSUB done")
    }

    fn patterns(&self, reference: &RawName, patterns: &[RawName]) -> Result<Vec<Pattern>, Refusal> {
        let reference = self.decoded(reference)?;
        let pattern = |raw: &RawName| Ok(Pattern::new(&format!("{reference}{}", self.decoded(raw)?)));
        patterns.iter().map(pattern).collect()
    }
}

/// Every name that may be shown: mailboxes, names above them, names that are subscribed to, and names above those.
fn shown(listed: Vec<Listed>, patterns: &[Pattern]) -> BTreeMap<MailboxName, Shown> {
    let mut names: BTreeMap<MailboxName, Shown> = BTreeMap::new();
    for Listed { name, id, special, subscribed, has_children } in listed {
        let hidden = subscribed && !patterns.iter().any(|pattern| pattern.matches(name.as_str()));
        for above in name.ancestors() {
            let above = names.entry(above).or_default();
            above.hidden_below |= hidden;
        }
        let shown = names.entry(name).or_default();
        (shown.id, shown.special, shown.subscribed, shown.has_children) = (id, special, subscribed, has_children);
    }
    names
}

/// Whether the selection options take it.
fn chosen(listing: &Listing, shown: &Shown) -> bool {
    if listing.subscribed && !shown.subscribed && !(listing.recursive && shown.hidden_below) {
        return false;
    }
    if listing.special_use && shown.special.is_none() {
        return false;
    }
    listing.subscribed || shown.id.is_some() || shown.has_children
}

fn attributes(shown: &Shown, subscribed: bool, extended: bool) -> String {
    let mut attributes = Vec::new();
    if shown.id.is_none() {
        attributes.push(if extended { "\\NonExistent" } else { "\\Noselect" });
    }
    attributes.push(if shown.has_children { "\\HasChildren" } else { "\\HasNoChildren" });
    attributes.extend(shown.special.map(SpecialUse::attribute));
    if subscribed && shown.subscribed {
        attributes.push("\\Subscribed");
    }
    attributes.join(" ")
}
