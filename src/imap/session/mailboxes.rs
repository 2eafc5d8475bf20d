//! LIST, LSUB, STATUS, CREATE and what else is done with mailboxes as wholes (RFC 9051, section 6.3; RFC 5258, RFC 5819,
//! RFC 6154).

use std::collections::BTreeMap;

use super::{Done, Halt, Session};
use crate::id::MailboxId;
use crate::imap::command::{ListReturn, Listing, Mistake, RawName, StatusItem};
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
    /// Whether a pattern stands for it.
    matched: bool,
    /// Whether one with `%` does.
    matched_levels: bool,
    /// What is below it.
    below: Below,
    /// The same of names that no pattern stands for.
    hidden_below: Below,
}

/// What is somewhere below a name: subscribed ones, and such with a special use.
#[derive(Default, Clone, Copy)]
struct Below {
    subscribed: bool,
    special: bool,
}

/// Names matched before others get their turn on the thread.
const TOGETHER: usize = 16;
/// Wildcards of all patterns of a LIST.
const WILDCARDS: usize = 50;

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
        let id = mail.find(&name).await?;
        self.tell_status_of(&name, id, items).await?;
        Done::plain("STATUS done")
    }

    async fn tell_status_of(&mut self, name: &MailboxName, id: MailboxId, items: &[StatusItem]) -> Result<(), Halt> {
        let mail = self.mail()?;
        let mut status = mail.status(id).await?;
        // Those that this session has claimed are nobody else's.
        let claimed = self.selected.as_ref().filter(|selected| selected.mailbox.id() == id && !selected.read_only);
        status.recent += claimed.map_or(0, |selected| u32::try_from(selected.recent.len()).unwrap_or(u32::MAX));
        // Nobody counts them until they are asked for.
        let deleted_octets = match items.contains(&StatusItem::DeletedStorage) {
            true => mail.deleted_octets(id).await?,
            false => 0,
        };
        self.tell_status(name, (&status, deleted_octets), items);
        Ok(())
    }

    fn tell_status(&mut self, name: &MailboxName, (status, deleted_octets): (&Status, u64), items: &[StatusItem]) {
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
            StatusItem::DeletedStorage => deleted_octets.to_string(),
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
            let reference = self.decoded(&listing.reference)?;
            let root = reference.split_inclusive('/').next().filter(|root| root.ends_with('/'));
            self.out.put("* LIST (\\Noselect) \"/\" ").name(root.unwrap_or_default()).line("");
            return Done::plain("LIST done");
        }
        let patterns = self.patterns(&listing.reference, &listing.patterns)?;
        let names = shown(self.mail()?.list().await?, &patterns).await;
        let told = listing.returns.contains(&ListReturn::Subscribed) || listing.subscribed;
        let items = listing.returns.iter().find_map(|item| match item {
            ListReturn::Status(items) => Some(items.as_slice()),
            _ => None,
        });
        for (name, shown) in &names {
            if !shown.matched || !chosen(listing, shown) {
                continue;
            }
            let attributes = attributes(shown, told, listing.extended || self.enabled.rev2);
            self.out.put(&format!("* LIST ({attributes}) \"/\" ")).mailbox(name);
            let below = child_info(listing, shown);
            if !below.is_empty() {
                self.out.put(&format!(" (\"CHILDINFO\" ({}))", below.join(" ")));
            }
            self.out.line("");
            if let (Some(items), Some(id)) = (items, shown.id.filter(|_| is_taken(listing, shown))) {
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
        match self.tell_status_of(name, id, items).await {
            Err(Halt::Refused(Refusal::Mailbox(MailboxError::Missing))) => Ok(()),
            told => told,
        }
    }

    pub(super) async fn lsub(&mut self, reference: &RawName, pattern: &RawName) -> Result<Done, Halt> {
        let patterns = self.patterns(reference, std::slice::from_ref(pattern))?;
        let names = shown(self.mail()?.list().await?, &patterns).await;
        for (name, shown) in &names {
            // RFC 3501, section 6.3.9: `%` shows a name that is not subscribed where one below it is.
            let attributes = match (shown.subscribed, shown.hidden_below.subscribed && shown.matched_levels) {
                (true, _) => "",
                (false, true) => "\\Noselect",
                (false, false) => continue,
            };
            if shown.matched {
                self.out.put(&format!("* LSUB ({attributes}) \"/\" ")).mailbox(name).line("");
            }
        }
        Done::plain("LSUB done")
    }

    fn patterns(&self, reference: &RawName, patterns: &[RawName]) -> Result<Vec<Pattern>, Refusal> {
        let reference = self.decoded(reference)?;
        // No name is like a pattern that is not in the encoding of names.
        let patterns = patterns.iter().filter_map(|raw| self.decoded(raw).ok());
        let patterns: Vec<Pattern> = patterns.map(|pattern| Pattern::new(&format!("{reference}{pattern}"))).collect();
        match patterns.iter().map(Pattern::wildcards).sum::<usize>() > WILDCARDS {
            true => Err(Refusal::Mistake(Mistake("A LIST has 50 wildcards at most"))),
            false => Ok(patterns),
        }
    }
}

/// Every name that may be shown: mailboxes, names above them, names that are subscribed to, and names above those.
async fn shown(listed: Vec<Listed>, patterns: &[Pattern]) -> BTreeMap<MailboxName, Shown> {
    let mut names: BTreeMap<MailboxName, Shown> = BTreeMap::new();
    for Listed { name, id, special, subscribed, has_children } in listed {
        for above in name.ancestors() {
            names.entry(above).or_default();
        }
        let shown = names.entry(name).or_default();
        (shown.id, shown.special, shown.subscribed, shown.has_children) = (id, special, subscribed, has_children);
    }
    let mut marked = Vec::new();
    for (at, (name, shown)) in names.iter_mut().enumerate() {
        if at % TOGETHER == TOGETHER - 1 {
            tokio::task::yield_now().await;
        }
        for pattern in patterns.iter().filter(|pattern| pattern.matches(name.as_str())) {
            shown.matched = true;
            shown.matched_levels |= pattern.has_levels();
        }
        if shown.subscribed || shown.special.is_some() {
            let is = Below { subscribed: shown.subscribed, special: shown.special.is_some() };
            marked.push((name.clone(), is, shown.matched));
        }
    }
    for (name, is, matched) in marked {
        for above in name.ancestors() {
            let above = names.entry(above).or_default();
            above.below.add(is);
            if !matched {
                above.hidden_below.add(is);
            }
        }
    }
    names
}

impl Below {
    fn add(&mut self, other: Self) {
        self.subscribed |= other.subscribed;
        self.special |= other.special;
    }
}

/// Whether the selection options take it itself.
fn is_taken(listing: &Listing, shown: &Shown) -> bool {
    (!listing.subscribed || shown.subscribed) && (!listing.special_use || shown.special.is_some())
}

/// Whether it is told of: taken itself, or for what is below it.
fn chosen(listing: &Listing, shown: &Shown) -> bool {
    match is_taken(listing, shown) {
        true => listing.subscribed || shown.id.is_some() || shown.has_children,
        false => !child_info(listing, shown).is_empty(),
    }
}

/// What is below a name (RFC 5258, section 3.5; RFC 6154, section 3). Of one that is not taken itself only what is not told of:
/// it would stand there for nothing else.
fn child_info(listing: &Listing, shown: &Shown) -> Vec<&'static str> {
    let below = if is_taken(listing, shown) { shown.below } else { shown.hidden_below };
    let subscribed = (listing.subscribed && below.subscribed).then_some("\"SUBSCRIBED\"");
    let special = (listing.special_use && below.special).then_some("\"SPECIAL-USE\"");
    subscribed.into_iter().chain(special).filter(|_| listing.recursive).collect()
}

/// A name that only has others below it is there, but cannot be opened; one that is only subscribed is not there.
fn attributes(shown: &Shown, subscribed: bool, extended: bool) -> String {
    let mut attributes = Vec::new();
    if shown.id.is_none() {
        attributes.push(if extended && !shown.has_children { "\\NonExistent" } else { "\\Noselect" });
    }
    attributes.push(if shown.has_children { "\\HasChildren" } else { "\\HasNoChildren" });
    attributes.extend(shown.special.map(SpecialUse::attribute));
    if subscribed && shown.subscribed {
        attributes.push("\\Subscribed");
    }
    attributes.join(" ")
}
