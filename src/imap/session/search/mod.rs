//! SEARCH (RFC 9051, section 6.4.4; RFC 4731, RFC 5182, RFC 7162): which messages, and what is said of them.

mod criteria;

use super::{Done, Halt, Outlet, Session};
use crate::gateway::staff_mail::StaffMail;
use crate::imap::command::{By, Key, ReturnOption, SearchRequest};
use crate::imap::response::Refusal;
use crate::imap::set::written;
use crate::mailbox::{MailContent, MailboxError, ModSeq, Row, Uid, Uids};
use crate::store;

use criteria::{Criteria, Known, Need};

/// A message that was found.
pub(super) struct Found {
    /// Where it stands, from 0.
    pub(super) position: usize,
    pub(super) row: Row,
}

impl Found {
    /// Its number as the client counts.
    pub(super) fn number(&self, by: By) -> u32 {
        match by {
            By::Uid => self.row.uid,
            By::Number => u32::try_from(self.position + 1).unwrap_or(u32::MAX),
        }
    }
}

impl Session {
    pub(super) async fn search(
        &mut self,
        tag: &str,
        by: By,
        request: &SearchRequest,
        outlet: &mut impl Outlet,
    ) -> Result<Done, Halt> {
        let saves = request.returns.as_ref().is_some_and(|returns| returns.contains(&ReturnOption::Save));
        let found = match self.find(request, outlet).await {
            Ok(found) => found,
            Err(halt) => {
                // RFC 5182, section 2.1: a search that fails and was to be saved leaves nothing saved.
                if let (true, Some(selected)) = (saves, &mut self.selected) {
                    selected.saved = Uids::default();
                }
                return Err(halt);
            }
        };
        if saves {
            self.save(&found, request.returns.as_deref().unwrap_or_default());
        }
        let modseq = if names_modseq(&request.key) { found.iter().map(|found| found.row.modseq).max() } else { None };
        let numbers: Vec<u32> = found.iter().map(|found| found.number(by)).collect();
        match &request.returns {
            None if !self.enabled.rev2 => self.tell_found(&numbers, modseq),
            None => self.tell_extended(tag, by, &numbers, &[ReturnOption::All], modseq),
            Some(returns) if returns.iter().all(|option| *option == ReturnOption::Save) => {}
            Some(returns) => self.tell_extended(tag, by, &numbers, returns, modseq),
        }
        Done::plain("SEARCH done")
    }

    /// The messages that meet the criteria, by position.
    pub(super) async fn find(&mut self, request: &SearchRequest, outlet: &mut impl Outlet) -> Result<Vec<Found>, Halt> {
        if names_modseq(&request.key) {
            self.enable_condstore();
        }
        let mail = self.mail()?;
        let selected = self.selected()?;
        let criteria = Criteria::of(&request.key, request.charset.as_deref(), selected, store::now())?;
        let now = selected.mailbox.view().await?;
        let before = selected.view.clone();
        let mut found = Vec::new();
        for (position, row) in before.rows().enumerate() {
            let Some(row) = now.find(row.uid) else { continue };
            if meets(&mail, &criteria, (position, row), &now).await? {
                found.push(Found { position, row: row.clone() });
            }
            self.flush_if_full(outlet).await?;
        }
        Ok(found)
    }

    fn save(&mut self, found: &[Found], returns: &[ReturnOption]) {
        let uid = |found: Option<&Found>| found.map(|found| found.row.uid);
        let wants = |option| returns.contains(&option);
        let whole = wants(ReturnOption::All) || wants(ReturnOption::Count);
        let least = uid(found.first()).filter(|_| wants(ReturnOption::Min));
        let most = uid(found.last()).filter(|_| wants(ReturnOption::Max));
        let ends: Vec<Uid> = least.into_iter().chain(most).collect();
        let ends_only = !whole && (wants(ReturnOption::Min) || wants(ReturnOption::Max));
        if let Some(selected) = &mut self.selected {
            selected.saved = match ends_only {
                true => ends.into_iter().collect(),
                false => found.iter().map(|found| found.row.uid).collect(),
            };
        }
    }

    fn tell_found(&mut self, numbers: &[u32], modseq: Option<ModSeq>) {
        self.out.put("* SEARCH");
        for number in numbers {
            self.out.put(&format!(" {number}"));
        }
        if let Some(modseq) = modseq {
            self.out.put(&format!(" (MODSEQ {modseq})"));
        }
        self.out.line("");
    }

    fn tell_extended(&mut self, tag: &str, by: By, numbers: &[u32], returns: &[ReturnOption], modseq: Option<ModSeq>) {
        let uid = if by == By::Uid { " UID" } else { "" };
        self.out.put(&format!("* ESEARCH (TAG \"{tag}\"){uid}"));
        let wants = |option| returns.contains(&option);
        if let (Some(least), Some(most)) = (numbers.first(), numbers.last()) {
            if wants(ReturnOption::Min) {
                self.out.put(&format!(" MIN {least}"));
            }
            if wants(ReturnOption::Max) {
                self.out.put(&format!(" MAX {most}"));
            }
            if wants(ReturnOption::All) {
                let all: Uids = numbers.iter().copied().collect();
                self.out.put(" ALL ").put(&written(&all));
            }
        }
        if wants(ReturnOption::Count) {
            self.out.put(&format!(" COUNT {}", numbers.len()));
        }
        if let Some(modseq) = modseq {
            self.out.put(&format!(" MODSEQ {modseq}"));
        }
        self.out.line("");
    }
}

/// Whether a message meets the criteria. What the mailbox's row does not tell is asked one thing after the other, the
/// cheapest first, and only as far as it matters.
async fn meets(
    mail: &StaffMail,
    criteria: &Criteria,
    (position, row): (usize, &Row),
    view: &crate::mailbox::View,
) -> Result<bool, Halt> {
    let mut known = Known::default();
    let mut content: Option<MailContent> = None;
    loop {
        let need = match criteria.judge(position, row, view, &known) {
            Ok(meets) => return Ok(meets),
            Err(need) => need,
        };
        let content = match &content {
            Some(content) => content,
            None => match mail.content(row).await {
                Ok(read) => &*content.insert(read),
                // Expunged meanwhile: it meets nothing.
                Err(MailboxError::Expunged) => return Ok(false),
                Err(error) => return Err(error.into()),
            },
        };
        match need {
            Need::Thread => known.thread = Some(content.thread()),
            Need::Sent => known.sent = Some(crate::anatomy::sent(&mail.header(content).await?).map(|sent| sent.day)),
            Need::Wanted(at) => {
                let wanted = criteria.wanted.get(at).ok_or(Refusal::NotSaved)?;
                known.wanted.insert(at, mail.matches(content, wanted).await?);
            }
        }
    }
}

fn names_modseq(key: &Key) -> bool {
    match key {
        Key::ModSeq(_) => true,
        Key::And(keys) => keys.iter().any(names_modseq),
        Key::Or(one, other) => names_modseq(one) || names_modseq(other),
        Key::Not(key) => names_modseq(key),
        _ => false,
    }
}
