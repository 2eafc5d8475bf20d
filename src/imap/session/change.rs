//! STORE, EXPUNGE, COPY, MOVE (RFC 9051, sections 6.4.3 to 6.4.8; RFC 4315, RFC 7162).

use std::collections::BTreeSet;

use super::selected::Selected;
use super::{Done, Halt, Outlet, Session};
use crate::id::MailboxId;
use crate::imap::command::{By, RawName, StoreHow, StoreRequest};
use crate::imap::response::{Condition, Refusal};
use crate::imap::set::{SequenceSet, written};
use crate::mailbox::{Copied, FlagChange, FlagSet, MailboxError, Row, SystemFlags, Uid, Uids, View};

impl Session {
    pub(super) async fn store(
        &mut self,
        by: By,
        set: &SequenceSet,
        request: &StoreRequest,
        outlet: &mut impl Outlet,
    ) -> Result<Done, Halt> {
        let change = change(request)?;
        if request.unchanged_since.is_some() {
            self.enable_condstore();
        }
        let selected = self.writable()?;
        let (id, uids) = (selected.mailbox.id(), selected.uids_at(&selected.positions(by, set)?));
        let stored = self.mail()?.set_flags(id, &uids, &change, request.unchanged_since).await?;
        let concerned: Vec<Uid> = uids.iter().filter(|uid| !stored.modified.contains(*uid)).collect();
        let gone = self.tell_stored(by, &concerned, (request, &change), outlet).await?;
        if !stored.modified.is_empty() {
            let modified = self.numbers(by, &stored.modified)?;
            return Done::with(format!("MODIFIED {}", written(&modified)), "Some had changed meanwhile");
        }
        match gone {
            true => Done::with("EXPUNGEISSUED".into(), "Some were deleted meanwhile"),
            false => Done::plain("STORE done"),
        }
    }

    /// What flags these have now. With `.SILENT` only the change's number, for who wants those. Whether some are gone.
    async fn tell_stored(
        &mut self,
        by: By,
        uids: &[Uid],
        (request, change): (&StoreRequest, &FlagChange),
        outlet: &mut impl Outlet,
    ) -> Result<bool, Halt> {
        let now = self.look().await?;
        self.tell_flag_names(&now);
        let (with_uid, condstore) =
            (by == By::Uid || self.enabled.qresync || self.enabled.rev2, self.enabled.condstore);
        let with_recent = !self.enabled.rev2;
        let mut gone = false;
        for uid in uids {
            let Some(selected) = &mut self.selected else { return Ok(gone) };
            let Some((row, position)) = now.find(*uid).zip(selected.view.position(*uid)) else {
                gone = true;
                continue;
            };
            // Who is told nothing of it knows what it asked for; what another has changed meanwhile it is told, too.
            if !request.silent || selected.expects(change, *uid, (&now, row)) {
                selected.told.insert(*uid, row.modseq);
            }
            let mut items = Vec::new();
            if with_uid {
                items.push(format!("UID {uid}"));
            }
            if condstore {
                items.push(format!("MODSEQ ({})", row.modseq));
            }
            if !request.silent {
                items.push(format!("FLAGS ({})", selected.flags_of(row, &now, with_recent)));
            }
            if condstore || !request.silent {
                self.out.line(&format!("* {} FETCH ({})", position + 1, items.join(" ")));
            }
            self.flush_if_full(outlet).await?;
        }
        Ok(gone)
    }

    /// UIDs as the client counts.
    fn numbers(&self, by: By, uids: &Uids) -> Result<Uids, Refusal> {
        let selected = self.selected()?;
        Ok(match by {
            By::Uid => uids.clone(),
            By::Number => {
                let positions = selected.positions_of(uids);
                positions.into_iter().filter_map(|at| u32::try_from(at + 1).ok()).collect()
            }
        })
    }

    /// From now on changes are told with their numbers (RFC 7162, section 3.1).
    pub(super) fn enable_condstore(&mut self) {
        if std::mem::replace(&mut self.enabled.condstore, true) {
            return;
        }
        if let Some(selected) = &self.selected {
            let code = format!("HIGHESTMODSEQ {}", selected.view.modseq());
            self.out.status(None, Condition::Ok, Some(&code), "The last change");
        }
    }

    pub(super) async fn expunge(&mut self, set: Option<&SequenceSet>) -> Result<Done, Halt> {
        let selected = self.writable()?;
        let among = match set {
            Some(set) => Some(selected.uids_at(&selected.positions(By::Uid, set)?)),
            None => None,
        };
        let id = selected.mailbox.id();
        self.mail()?.expunge(id, among.as_ref()).await?;
        self.tell_news(true).await;
        match (&self.selected, self.enabled.qresync) {
            (Some(selected), true) => Done::with(format!("HIGHESTMODSEQ {}", selected.view.modseq()), "EXPUNGE done"),
            _ => Done::plain("EXPUNGE done"),
        }
    }

    pub(super) async fn copy(&mut self, by: By, set: &SequenceSet, to: &RawName) -> Result<Done, Halt> {
        let selected = self.selected()?;
        let (from, uids) = (selected.mailbox.id(), selected.uids_at(&selected.positions(by, set)?));
        let now = selected.mailbox.view().await?;
        // All or none (RFC 2180, section 4.4.1); a UID that is not there is no mistake.
        if by == By::Number && uids.iter().any(|uid| now.find(uid).is_none()) {
            return Err(MailboxError::Expunged.into());
        }
        let to = self.destination(to).await?;
        let copied = self.mail()?.copy(from, &uids, to).await?;
        match copy_uid(&copied) {
            Some(code) => Done::with(code, "COPY done"),
            None => Done::plain("There was nothing to copy"),
        }
    }

    pub(super) async fn r#move(&mut self, by: By, set: &SequenceSet, to: &RawName) -> Result<Done, Halt> {
        let selected = self.writable()?;
        let (from, uids) = (selected.mailbox.id(), selected.uids_at(&selected.positions(by, set)?));
        let to = self.destination(to).await?;
        let moved = self.mail()?.mv(from, &uids, to).await?;
        let Some(code) = copy_uid(&moved) else { return Done::plain("There was nothing to move") };
        self.out.status(None, Condition::Ok, Some(&code), "Moved");
        self.tell_news(true).await;
        match (&self.selected, self.enabled.qresync) {
            (Some(selected), true) => Done::with(format!("HIGHESTMODSEQ {}", selected.view.modseq()), "MOVE done"),
            _ => Done::plain("MOVE done"),
        }
    }

    /// The mailbox that something is to go into.
    pub(super) async fn destination(&mut self, name: &RawName) -> Result<MailboxId, Halt> {
        let name = self.mailbox_name(name)?;
        match self.mail()?.find_writable(&name).await {
            Err(MailboxError::Missing) => Err(Refusal::TryCreate.into()),
            found => Ok(found?),
        }
    }
}

impl Selected {
    /// Whether the flags of a row are what this change makes of those that the client knows.
    fn expects(&self, change: &FlagChange, uid: Uid, (now, row): (&View, &Row)) -> bool {
        let Some(known) = self.view.find(uid) else { return false };
        let (flags, named) = (self.view.flag_set(known), change.flags());
        let keywords = |set: &FlagSet| -> BTreeSet<String> {
            set.keywords.iter().map(|keyword| keyword.as_str().to_ascii_lowercase()).collect()
        };
        let (had, named_keywords) = (keywords(&flags), keywords(named));
        let expected: (SystemFlags, BTreeSet<String>) = match change {
            FlagChange::Replace(_) => (named.system, named_keywords),
            FlagChange::Add(_) => (flags.system.with(named.system), &had | &named_keywords),
            FlagChange::Remove(_) => (flags.system.without(named.system), &had - &named_keywords),
        };
        let has = now.flag_set(row);
        expected == (has.system, keywords(&has))
    }
}

/// `COPYUID validity from to` (RFC 4315): both sets rise alike.
fn copy_uid(copied: &Copied) -> Option<String> {
    let set = |uids: &[Uid]| written(&uids.iter().copied().collect());
    let something = !copied.from.is_empty();
    something.then(|| format!("COPYUID {} {} {}", copied.validity, set(&copied.from), set(&copied.to)))
}

fn change(request: &StoreRequest) -> Result<FlagChange, Refusal> {
    let mut flags = FlagSet::default();
    for flag in &request.flags {
        flags.add(flag)?;
    }
    Ok(match request.how {
        StoreHow::Replace => FlagChange::Replace(flags),
        StoreHow::Add => FlagChange::Add(flags),
        StoreHow::Remove => FlagChange::Remove(flags),
    })
}
