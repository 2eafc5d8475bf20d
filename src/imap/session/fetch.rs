//! FETCH (RFC 9051, section 6.4.5): one message after the other, so that a large answer is never in memory as a whole.

use super::section::{Source, check_binary};
use super::{Done, Gone, Halt, Outlet, Session};
use crate::anatomy::{Envelope, SectionText};
use crate::event::Event;
use crate::gateway::staff_mail::StaffMail;
use crate::imap::command::{By, FetchItem, FetchRequest, Peek};
use crate::imap::date;
use crate::imap::response::{Refusal, write_body_structure, write_envelope};
use crate::imap::set::{SequenceSet, written};
use crate::mailbox::{FlagChange, FlagSet, MailboxError, ModSeq, Row, SystemFlags, Uids, View};

/// Messages that are told of by one look at the mailbox.
const TOGETHER: usize = 100;
/// The same where reading marks them as seen, in one commit before they are sent, and their octets unless one alone has more:
/// when a connection breaks no more has been marked unread than is under way in its buffers anyway.
const SEEN_TOGETHER: usize = 10;
const SEEN_OCTETS: u64 = 64 * 1024;

/// What is asked of every message.
struct Plan {
    mail: StaffMail,
    items: Vec<FetchItem>,
    /// Whether anything beyond the mailbox's own row is asked for.
    content: bool,
    /// Whether reading sets `\Seen`.
    sees: bool,
    /// Whether more than header sections is.
    long: bool,
}

impl Plan {
    /// What is told of by one look at the mailbox, one after the other.
    fn portions(&self, positions: Vec<usize>, view: &View) -> Vec<Vec<usize>> {
        let most = if self.sees { SEEN_TOGETHER } else { TOGETHER };
        let mut portions: Vec<Vec<usize>> = Vec::new();
        let mut octets = 0;
        for position in positions {
            let more = view.row(position).filter(|_| self.sees && self.long).map_or(0, |row| row.octets);
            octets += more;
            match portions.last_mut().filter(|portion| portion.len() < most && octets <= SEEN_OCTETS) {
                Some(portion) => portion.push(position),
                None => {
                    octets = more;
                    portions.push(vec![position]);
                }
            }
        }
        portions
    }
}

/// What was asked for and could not be told.
#[derive(Default)]
struct Lack {
    /// A message is no more.
    gone: bool,
    /// One cannot be read, or not in this form, and why.
    unreadable: Option<Refusal>,
}

/// Whether an item may be as long as the message.
fn reads_texts(item: &FetchItem) -> bool {
    match item {
        FetchItem::Body(section, ..) => matches!(section.text, SectionText::Whole | SectionText::Text),
        FetchItem::Rfc822(_, text, _) => matches!(text, SectionText::Whole | SectionText::Text),
        FetchItem::Binary(..) => true,
        _ => false,
    }
}

/// A message that is told of.
struct Told<'a> {
    row: &'a Row,
    view: &'a View,
    position: usize,
    /// Whether its `\Seen` was set by this very command.
    just_seen: bool,
}

impl Session {
    pub(super) async fn fetch(
        &mut self,
        by: By,
        set: &SequenceSet,
        request: &FetchRequest,
        outlet: &mut impl Outlet,
    ) -> Result<Done, Halt> {
        let plan = self.plan(by, request)?;
        let selected = self.selected()?;
        let portions = plan.portions(selected.positions(by, set)?, &selected.view);
        if let (true, Some(since)) = (request.vanished, request.changed_since) {
            self.tell_vanished(by, set, since).await?;
        }
        let mut lack = Lack::default();
        for portion in &portions {
            self.may_still_read().await?;
            self.tell_portion(&plan, portion, request.changed_since, &mut lack, outlet).await?;
        }
        // A UID that is not there is no mistake (RFC 9051, section 6.4.9), and that it is gone is told with this answer.
        match lack {
            Lack { unreadable: Some(refusal), .. } => Err(refusal.into()),
            Lack { gone: true, .. } if by == By::Number => {
                Done::with("EXPUNGEISSUED".to_owned(), "FETCH done; some messages are gone")
            }
            _ => Done::plain("FETCH done"),
        }
    }

    async fn tell_portion(
        &mut self,
        plan: &Plan,
        positions: &[usize],
        changed_since: Option<ModSeq>,
        lack: &mut Lack,
        outlet: &mut impl Outlet,
    ) -> Result<(), Halt> {
        let before = self.selected()?.view.clone();
        let now = self.look().await?;
        let selected = self.selected()?;
        let changed = |position: &&usize| {
            let row = before.row(**position).map(|known| selected.newest(known, &now));
            row.is_some_and(|row| changed_since.is_none_or(|since| row.modseq > since))
        };
        // Before anything is marked as seen: that changes it.
        let positions: Vec<usize> = positions.iter().filter(changed).copied().collect();
        let (unseen, modseq) = self.see(plan, &positions, &now).await?;
        let now = if unseen.is_empty() { now } else { self.look().await? };
        // Another session may just have made up a keyword.
        self.tell_flag_names(&now);
        for position in &positions {
            let Some(known) = before.row(*position) else { continue };
            let row = &self.selected()?.newest(known, &now);
            let told = Told { row, view: &now, position: *position, just_seen: unseen.contains(row.uid) };
            if plan.content {
                self.may_still_read().await?;
            }
            match self.tell_message(plan, &told, outlet).await {
                Ok(there) => lack.gone |= !there,
                Err(Halt::Refused(refusal)) if refusal.is_of_one_message() => {
                    self.skip(plan, &told, &refusal).await?;
                    lack.unreadable = Some(refusal);
                    continue;
                }
                Err(halt) => return Err(halt),
            }
            if let (true, Some(modseq), Some(selected)) = (told.just_seen, modseq, &mut self.selected) {
                selected.told.insert(row.uid, modseq);
            }
            self.flush_if_full(outlet).await?;
        }
        Ok(())
    }

    /// Leaves out a message that cannot be read: the others can be all the same, and nobody has seen it.
    async fn skip(&mut self, plan: &Plan, told: &Told<'_>, refusal: &Refusal) -> Result<(), Halt> {
        if let Some(cause) = refusal.trouble() {
            Event::Trouble { place: "imap-fetch", cause: format!("mail {}: {cause}", told.row.mail) }.log();
        }
        if told.just_seen {
            let (id, unseen) = (self.selected()?.mailbox.id(), [told.row.uid].into_iter().collect());
            let change = FlagChange::Remove(FlagSet::of(SystemFlags::SEEN));
            plan.mail.set_flags(id, &unseen, &change, None).await?;
        }
        Ok(())
    }

    fn plan(&mut self, by: By, request: &FetchRequest) -> Result<Plan, Refusal> {
        let mut items = request.items.clone();
        if by == By::Uid && !items.contains(&FetchItem::Uid) {
            items.insert(0, FetchItem::Uid);
        }
        if request.changed_since.is_some() && !items.contains(&FetchItem::ModSeq) {
            items.push(FetchItem::ModSeq);
        }
        if items.contains(&FetchItem::ModSeq) {
            self.enable_condstore();
        }
        if request.vanished && (by == By::Number || request.changed_since.is_none() || !self.enabled.qresync) {
            return Err(Refusal::NotEnabled);
        }
        let of_row = [
            FetchItem::Uid,
            FetchItem::Flags,
            FetchItem::InternalDate,
            FetchItem::Size,
            FetchItem::ModSeq,
            FetchItem::EmailId,
        ];
        let content = items.iter().any(|item| !of_row.contains(item));
        let sees = |item: &FetchItem| match item {
            FetchItem::Body(_, _, peek) | FetchItem::Rfc822(_, _, peek) | FetchItem::Binary(_, _, peek) => {
                *peek == Peek::No
            }
            _ => false,
        };
        let (selected, mail) = (self.selected()?, self.mail()?);
        // The right to write may be gone since it was selected.
        let may_see = !selected.read_only && mail.may_write(selected.mailbox.owner());
        let sees = may_see && items.iter().any(sees);
        let long = items.iter().any(reads_texts);
        Ok(Plan { mail, items, content, sees, long })
    }

    /// `VANISHED (EARLIER)` of these (RFC 7162, section 3.2.6).
    async fn tell_vanished(&mut self, by: By, set: &SequenceSet, since: ModSeq) -> Result<(), Halt> {
        let selected = self.selected()?;
        let past = selected.mailbox.past(&selected.view, since).await?;
        let asked = match set {
            SequenceSet::Ranges(ranges) if by == By::Uid => {
                SequenceSet::resolve(ranges, selected.view.uid_next().saturating_sub(1))
            }
            _ => selected.saved.clone(),
        };
        let vanished: Uids = past.vanished.iter().filter(|uid| asked.contains(*uid)).collect();
        if !vanished.is_empty() {
            self.out.line(&format!("* VANISHED (EARLIER) {}", written(&vanished)));
        }
        Ok(())
    }

    /// Sets `\Seen` where these messages are read, in one commit. Those that had it not, and the number of the change.
    async fn see(&mut self, plan: &Plan, positions: &[usize], now: &View) -> Result<(Uids, Option<ModSeq>), Halt> {
        if !plan.sees {
            return Ok(Default::default());
        }
        let selected = self.selected()?;
        let rows = positions.iter().filter_map(|at| selected.view.row(*at)).filter_map(|row| now.find(row.uid));
        let unseen: Uids = rows.filter(|row| !row.flags.has(SystemFlags::SEEN)).map(|row| row.uid).collect();
        if unseen.is_empty() {
            return Ok((unseen, None));
        }
        let (id, change) = (selected.mailbox.id(), FlagChange::Add(FlagSet::of(SystemFlags::SEEN)));
        let stored = plan.mail.set_flags(id, &unseen, &change, None).await?;
        Ok((unseen, stored.modseq))
    }

    /// Tells of one message; false if its content is no more.
    async fn tell_message(&mut self, plan: &Plan, told: &Told<'_>, outlet: &mut impl Outlet) -> Result<bool, Halt> {
        let content = match plan.content {
            false => None,
            true => match plan.mail.content(told.row).await {
                Err(MailboxError::Expunged) => return Ok(false),
                content => Some(content?),
            },
        };
        let source = content.as_ref().map(|content| Source { mail: &plan.mail, content });
        if let Some(source) = &source {
            check_binary(&plan.items, source)?;
        }
        let mark = self.out.mark();
        self.out.put(&format!("* {} FETCH (", told.position + 1));
        let mut there = true;
        for (at, item) in plan.items.iter().enumerate() {
            if at > 0 {
                self.out.put(" ");
            }
            if !self.tell_of_row(item, told)
                && let Some(source) = &source
            {
                let told = self.tell_of_content(item, source, outlet).await;
                there &= told.map_err(|halt| match halt {
                    Halt::Refused(refusal) if self.out.rewind(mark) => refusal.into(),
                    // A response of which something was sent cannot be taken back.
                    Halt::Refused(_) => Gone("content-unreadable").into(),
                    gone @ Halt::Gone(_) => gone,
                })?;
                self.flush_if_full(outlet).await?;
            }
        }
        if told.just_seen && !plan.items.contains(&FetchItem::Flags) {
            self.out.put(" ");
            self.tell_of_row(&FetchItem::Flags, told);
        }
        if self.enabled.condstore && told.just_seen && !plan.items.contains(&FetchItem::ModSeq) {
            self.out.put(" ");
            self.tell_of_row(&FetchItem::ModSeq, told);
        }
        self.out.line(")");
        Ok(there)
    }

    /// What stands in the mailbox's row; false if the item is none of that.
    fn tell_of_row(&mut self, item: &FetchItem, told: &Told<'_>) -> bool {
        let row = told.row;
        let text = match item {
            FetchItem::Uid => format!("UID {}", row.uid),
            FetchItem::Flags => format!("FLAGS ({})", self.flags_now(row, told.view)),
            FetchItem::InternalDate => format!("INTERNALDATE \"{}\"", date::format_date_time(row.date)),
            FetchItem::Size => format!("RFC822.SIZE {}", row.octets),
            FetchItem::ModSeq => format!("MODSEQ ({})", row.modseq),
            FetchItem::EmailId => format!("EMAILID ({})", row.mail),
            _ => return false,
        };
        self.out.put(&text);
        true
    }

    fn flags_now(&self, row: &Row, view: &View) -> String {
        let with_recent = !self.enabled.rev2;
        self.selected.as_ref().map_or_else(String::new, |selected| selected.flags_of(row, view, with_recent))
    }

    /// What is known of the message itself; false where it was expunged meanwhile, and said nothing.
    async fn tell_of_content(
        &mut self,
        item: &FetchItem,
        source: &Source<'_>,
        outlet: &mut impl Outlet,
    ) -> Result<bool, Halt> {
        match item {
            FetchItem::Envelope => {
                let envelope = source.envelope().await?;
                self.out.put("ENVELOPE ");
                write_envelope(&mut self.out, envelope.as_ref().unwrap_or(&Envelope::default()));
                return Ok(envelope.is_some());
            }
            FetchItem::Structure(extended) => {
                self.out.put(if *extended { "BODYSTRUCTURE " } else { "BODY " });
                write_body_structure(&mut self.out, &source.content.anatomy().root, *extended);
            }
            FetchItem::ThreadId => {
                self.out.put(&format!("THREADID ({})", source.content.thread()));
            }
            FetchItem::Preview => {
                self.out.put("PREVIEW ").string(source.content.preview().as_bytes());
            }
            item => return self.tell_section(item, source, outlet).await,
        }
        Ok(true)
    }
}
