//! SEARCH (RFC 9051, section 6.4.4; RFC 4731, RFC 5182, RFC 7162): which messages, and what is said of them.

mod criteria;
mod judge;

use std::sync::Arc;

use super::reading::Reading;
use super::{Done, Halt, Outlet, Session};
use crate::event::Event;
use crate::gateway::staff_mail::Interrupted;
use crate::imap::command::{By, Key, ReturnOption, SearchRequest};
use crate::imap::response::Refusal;
use crate::imap::set::written_in_order;
use crate::mailbox::{MailContent, MailboxError, ModSeq, Row, Uid, Uids};
use crate::store;

use criteria::{Criteria, Known, Need};
use judge::{Judge, Verdict};

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

/// Rows judged before others get their turn on the thread, and messages read.
const TOGETHER: usize = 64;
const READ_TOGETHER: usize = 2;
/// Messages whose records are read together beside the runtime, where one text is looked for.
const PART: usize = 256;

impl Session {
    pub(super) async fn search(
        &mut self,
        by: By,
        request: &SearchRequest,
        outlet: &mut impl Outlet,
    ) -> Result<Done, Halt> {
        let found = match self.find(request, outlet).await {
            Ok(found) => found,
            Err(halt) => return Err(self.unsaved(request, halt)),
        };
        match &request.returns {
            None if !self.enabled.rev2 => self.tell_found("SEARCH", by, &found, request),
            returns => self.tell_extended(by, (&found, returns.as_deref()), request),
        }
        Done::plain("SEARCH done")
    }

    /// RFC 5182, section 2.1: a search that fails and was to be saved leaves nothing saved.
    pub(super) fn unsaved(&mut self, request: &SearchRequest, halt: Halt) -> Halt {
        let saves = request.returns.as_ref().is_some_and(|returns| returns.contains(&ReturnOption::Save));
        if let (true, Some(selected)) = (saves, &mut self.selected) {
            selected.saved = Uids::default();
        }
        halt
    }

    /// The messages that meet the criteria, by position. One that is expunged meanwhile meets none.
    pub(super) async fn find(&mut self, request: &SearchRequest, outlet: &mut impl Outlet) -> Result<Vec<Found>, Halt> {
        if names_modseq(&request.key) {
            self.enable_condstore();
        }
        let mail = self.mail()?;
        let selected = self.selected()?;
        let criteria = Criteria::of(&request.key, request.charset.as_deref(), selected, store::now())?;
        let now = selected.mailbox.view().await?;
        let before = selected.view.clone();
        let mut reading = if criteria.reads { self.begin_reading(outlet).await? } else { Reading::without_turn() };
        let judge = Arc::new(Judge { mail, criteria, before, now });
        let found = match judge.criteria.reads {
            true => self.read(&judge, &mut reading, outlet).await?,
            false => self.look_through(&judge, &mut reading, outlet).await?,
        };
        self.may_still_read().await?;
        Ok(found)
    }

    /// What the rows alone tell.
    async fn look_through(
        &mut self,
        judge: &Judge,
        reading: &mut Reading,
        outlet: &mut impl Outlet,
    ) -> Result<Vec<Found>, Halt> {
        let (mut found, all) = (Vec::new(), judge.before.len());
        for from in (0..all).step_by(TOGETHER) {
            tokio::task::yield_now().await;
            self.go_on_reading(reading, (from, all), outlet).await?;
            found.extend(judge.judge(from..from + TOGETHER)?.into_iter().map(|(found, _)| found));
        }
        Ok(found)
    }

    /// What the records of messages tell, beside the runtime; and what is in their texts, by turns.
    async fn read(
        &mut self,
        judge: &Arc<Judge>,
        reading: &mut Reading,
        outlet: &mut impl Outlet,
    ) -> Result<Vec<Found>, Halt> {
        let all = judge.before.len();
        let part = (PART / judge.criteria.wanted.len().max(1)).max(1);
        let positions = (0..all).step_by(part).map(move |from| from..from + part);
        let worker = Arc::clone(judge);
        let mut parts = judge.mail.in_parts(positions, move |positions| worker.judge(positions));
        let (mut found, mut read, mut at) = (Vec::new(), 0, 0);
        while let Some(judged) = parts.next().await {
            self.go_on_reading(reading, (at, all), outlet).await?;
            for (one, verdict) in judged.map_err(|Interrupted| Refusal::Interrupted)?? {
                at = one.position;
                let Verdict::Open(known) = verdict else {
                    found.push(one);
                    continue;
                };
                if read % READ_TOGETHER == 0 {
                    tokio::task::yield_now().await;
                    self.go_on_reading(reading, (at, all), outlet).await?;
                }
                read += 1;
                if meets_as_far_as_read(judge, &one, known).await? {
                    found.push(one);
                }
            }
        }
        Ok(found)
    }

    fn save(&mut self, found: &[Found], returns: &[ReturnOption]) {
        let uid = |found: Option<&Found>| found.map(|found| found.row.uid);
        let wants = |option| returns.contains(&option);
        let ends: Vec<Uid> = [(found.first(), ReturnOption::Min), (found.last(), ReturnOption::Max)]
            .into_iter()
            .filter_map(|(found, option)| uid(found).filter(|_| wants(option)))
            .collect();
        if let Some(selected) = &mut self.selected {
            selected.saved = match ends_only(returns) {
                true => ends.into_iter().collect(),
                false => found.iter().map(|found| found.row.uid).collect(),
            };
        }
    }

    /// `* SEARCH …` or `* SORT …`, in the order in which they are given.
    pub(super) fn tell_found(&mut self, word: &str, by: By, found: &[Found], request: &SearchRequest) {
        self.out.put("* ").put(word);
        for found in found {
            self.out.put(&format!(" {}", found.number(by)));
        }
        if let Some(modseq) = modseq_of(found, &[ReturnOption::All], request) {
            self.out.put(&format!(" (MODSEQ {modseq})"));
        }
        self.out.line("");
    }

    /// `* ESEARCH …` (RFC 4731; of SORT RFC 5267), and keeps what is to be saved. The first is the least.
    pub(super) fn tell_extended(
        &mut self,
        by: By,
        (found, returns): (&[Found], Option<&[ReturnOption]>),
        request: &SearchRequest,
    ) {
        let returns = returns.unwrap_or(&[ReturnOption::All]);
        let wants = |option| returns.contains(&option);
        if wants(ReturnOption::Save) {
            self.save(found, returns);
        }
        if returns.iter().all(|option| *option == ReturnOption::Save) {
            return;
        }
        let uid = if by == By::Uid { " UID" } else { "" };
        self.out.put(&format!("* ESEARCH (TAG \"{}\"){uid}", self.under_way));
        if let (Some(least), Some(most)) = (found.first(), found.last()) {
            if wants(ReturnOption::Min) {
                self.out.put(&format!(" MIN {}", least.number(by)));
            }
            if wants(ReturnOption::Max) {
                self.out.put(&format!(" MAX {}", most.number(by)));
            }
            if wants(ReturnOption::All) {
                self.out.put(" ALL ").put(&written_in_order(found.iter().map(|found| found.number(by))));
            }
        }
        if wants(ReturnOption::Count) {
            self.out.put(&format!(" COUNT {}", found.len()));
        }
        if let Some(modseq) = modseq_of(found, returns, request) {
            self.out.put(&format!(" MODSEQ {modseq}"));
        }
        self.out.line("");
    }
}

/// Whether no more than the first and the last are asked for.
fn ends_only(returns: &[ReturnOption]) -> bool {
    let wants = |option| returns.contains(&option);
    !wants(ReturnOption::All) && !wants(ReturnOption::Count) && (wants(ReturnOption::Min) || wants(ReturnOption::Max))
}

/// The last change of those that are told of, where the search names MODSEQ (RFC 7162, sections 3.1.5 and 3.1.10).
fn modseq_of(found: &[Found], returns: &[ReturnOption], request: &SearchRequest) -> Option<ModSeq> {
    if !names_modseq(&request.key) {
        return None;
    }
    let modseq = |found: &Found| found.row.modseq;
    if !ends_only(returns) {
        return found.iter().map(modseq).max();
    }
    let least = found.first().filter(|_| returns.contains(&ReturnOption::Min));
    let most = found.last().filter(|_| returns.contains(&ReturnOption::Max));
    least.into_iter().chain(most).map(modseq).max()
}

/// Whether a message meets the criteria: one that is expunged meanwhile, or cannot be read, meets none, and keeps no other from
/// being found.
async fn meets_as_far_as_read(judge: &Judge, one: &Found, known: Known) -> Result<bool, MailboxError> {
    match meets(judge, one, known).await {
        Err(MailboxError::Expunged) => Ok(false),
        Err(error @ MailboxError::Blob(_)) => {
            Event::Trouble { place: "imap-search", cause: format!("mail {}: {error}", one.row.mail) }.log();
            Ok(false)
        }
        judged => judged,
    }
}

/// Whether a message meets the criteria. What is not known yet is asked one thing after the other, the cheapest first, and
/// only as far as it matters; its texts are read once for all that is looked for in them.
async fn meets(judge: &Judge, Found { position, row }: &Found, mut known: Known) -> Result<bool, MailboxError> {
    let Judge { mail, criteria, now, .. } = judge;
    let mut content: Option<MailContent> = None;
    loop {
        let need = match criteria.judge(*position, row, now, &known) {
            Ok(meets) => return Ok(meets),
            Err(need) => need,
        };
        let content = match &content {
            Some(content) => content,
            None => &*content.insert(mail.content(row).await?),
        };
        match need {
            Need::Thread => known.thread = Some(content.thread()),
            Need::Sent => known.sent = Some(crate::anatomy::sent(&mail.header(content).await?).map(|sent| sent.day)),
            Need::Wanted(at) => {
                let among = criteria.known_with(at);
                let has = mail.matches(content, &criteria.wanted[among.clone()]).await?;
                known.wanted.extend(among.zip(has));
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
