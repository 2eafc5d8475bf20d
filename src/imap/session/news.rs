//! What a client is told unasked: expunges, arrivals, changed flags (RFC 9051, section 7; RFC 7162), at once in IDLE.

use std::ops::Range;

use super::selected::{Selected, flag_names};
use super::{Session, Stage};
use crate::imap::response::{Condition, Refusal};
use crate::imap::set::written;
use crate::mailbox::{MailboxError, Row, Uid, Uids, View};

/// The longest line in IDLE.
const DONE: usize = 64;

impl Session {
    /// Returns when something may have happened that [`Session::tell_in_idle`] has to tell. Never, with no mailbox open.
    /// It may be dropped before.
    pub async fn news(&mut self) {
        let (Some(selected), Some(signed_in)) = (&mut self.selected, &mut self.signed_in) else {
            return std::future::pending().await;
        };
        let changed = tokio::select! {
            changed = selected.changes.changed() => changed,
            changed = signed_in.policy.changed() => changed,
        };
        if changed.is_err() {
            std::future::pending().await
        }
    }

    /// Tells an idling client what has happened.
    pub async fn tell_in_idle(&mut self) {
        if matches!(self.stage, Stage::Idle { .. }) && self.still_welcome().await {
            self.tell_news(true).await;
        }
    }

    /// Tells an idling client that the connection stands.
    pub fn still_here(&mut self) {
        if matches!(self.stage, Stage::Idle { .. }) {
            self.out.line("* OK Still here");
        }
    }

    /// DONE; false if it has not come yet.
    pub(super) fn next_in_idle(&mut self) -> bool {
        let Some(line) = self.fragments.line(DONE) else { return false };
        let Stage::Idle { tag } = std::mem::replace(&mut self.stage, Stage::Command) else { return true };
        match line {
            Ok(line) if line.eq_ignore_ascii_case(b"DONE") => {
                self.out.status(Some(&tag), Condition::Ok, None, "IDLE done");
            }
            Ok(_) => self.blame(Some(&tag), &Refusal::NotDone),
            Err(_) => self.leave("flood", "IDLE is ended by DONE"),
        }
        true
    }

    /// Tells what has happened since the client was told last. Where somebody has expunged and that may not be told now,
    /// nothing is: positions must stay as they are.
    pub(super) async fn tell_news(&mut self, expunges: bool) {
        let Some(selected) = &mut self.selected else { return };
        selected.changes.mark_unchanged();
        let now = match selected.mailbox.view().await {
            Ok(now) => now,
            Err(MailboxError::Missing) => return self.leave("mailbox-deleted", "The mailbox was deleted"),
            // The command itself has told, or the next one will; who idles is not kept awake by it.
            Err(_) => return,
        };
        let difference = now.difference(&selected.view);
        if !expunges && !difference.vanished.is_empty() {
            return selected.changes.mark_changed();
        }
        let before = selected.turn_to(&now);
        let recent = selected.recent.len();
        let told = std::mem::take(&mut selected.told);
        if !difference.vanished.is_empty() {
            selected.recent = selected.recent.iter().filter(|uid| now.find(*uid).is_some()).collect();
            if self.enabled.qresync {
                let uids: Uids = difference.vanished.iter().map(|(_, uid)| *uid).collect();
                self.out.line(&format!("* VANISHED {}", written(&uids)));
            } else {
                for (position, _) in &difference.vanished {
                    self.out.line(&format!("* {} EXPUNGE", position + 1));
                }
            }
        }
        let fewer = selected.recent.len() < recent;
        if difference.arrived > 0 {
            self.tell_arrived(before.uid_next());
        } else if fewer {
            self.tell_recent();
        }
        self.tell_flag_names(&now);
        for uid in difference.changed {
            let known = self.selected.as_ref().and_then(|selected| selected.view.find(uid)).map(|row| row.modseq);
            if told.get(&uid).copied() != known {
                self.tell_flags(uid, self.enabled.qresync || self.enabled.rev2);
            }
        }
    }

    fn tell_arrived(&mut self, from: Uid) {
        let Some(selected) = &mut self.selected else { return };
        let fresh = selected.fresh();
        selected.recent = selected.recent.union(&selected.rows_in(fresh.start.max(from)..fresh.end));
        let count = selected.view.len();
        self.out.line(&format!("* {count} EXISTS"));
        self.tell_recent();
    }

    /// How many are `\Recent`, for who counts them (RFC 3501, section 7.3.2).
    fn tell_recent(&mut self) {
        let recent = self.selected.as_ref().map_or(0, |selected| selected.recent.len());
        if !self.enabled.rev2 {
            self.out.line(&format!("* {recent} RECENT"));
        }
    }

    /// The flags in use, where the client does not know all of them yet.
    pub(super) fn tell_flag_names(&mut self, now: &View) {
        let Some(selected) = &mut self.selected else { return };
        let known = std::mem::replace(&mut selected.keywords, now.keywords().len());
        if known == now.keywords().len() {
            return;
        }
        let (names, read_only) = (flag_names(now), selected.read_only);
        self.out.line(&format!("* FLAGS ({names})"));
        if !read_only {
            let code = format!("PERMANENTFLAGS ({names} \\*)");
            self.out.status(None, Condition::Ok, Some(&code), "Flags that are kept");
        }
    }

    /// `* n FETCH (FLAGS (…))` of a message as it is in the view.
    pub(super) fn tell_flags(&mut self, uid: Uid, with_uid: bool) {
        let Some(selected) = &self.selected else { return };
        let Some((position, row)) = selected.view.position(uid).zip(selected.view.find(uid)) else { return };
        let flags = selected.flags_of(row, &selected.view, !self.enabled.rev2);
        let mut line = format!("* {} FETCH (", position + 1);
        if with_uid {
            line.push_str(&format!("UID {uid} "));
        }
        if self.enabled.condstore {
            line.push_str(&format!("MODSEQ ({}) ", row.modseq));
        }
        line.push_str(&format!("FLAGS ({flags}))"));
        self.out.line(&line);
    }
}

impl Selected {
    /// The UIDs that are new to this session: who may change the mailbox claims them, so that no other session has them.
    pub(super) fn fresh(&self) -> Range<Uid> {
        match self.read_only {
            true => self.mailbox.unclaimed_recent(&self.view),
            false => self.mailbox.claim_recent(&self.view),
        }
    }

    /// Those of these UIDs that are there.
    pub(super) fn rows_in(&self, uids: Range<Uid>) -> Uids {
        let from = self.view.position_or_next(uids.start);
        let rows = (from..self.view.len()).map_while(|at| self.view.row(at));
        rows.map(|row| row.uid).take_while(|uid| *uid < uids.end).collect()
    }

    /// The flags of a row, as written; the view is the one the row is of.
    pub(super) fn flags_of(&self, row: &Row, view: &View, with_recent: bool) -> String {
        let recent = (with_recent && self.recent.contains(row.uid)).then_some("\\Recent");
        view.flags(row).chain(recent).collect::<Vec<_>>().join(" ")
    }
}
