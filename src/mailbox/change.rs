//! Flags, and messages that go.

use crate::id::{MailboxId, OwnerId};
use crate::mailbox::arrival::Disposal;
use crate::mailbox::page::{PAGE_UIDS, Page};
use crate::mailbox::together::{Outcome, Work};
use crate::mailbox::{FlagChange, MailboxError, Mailboxes, ModSeq, Row, SystemFlags, TRIES, Uid, Uids, View};
use crate::store::{Batch, CommitError};

/// What STORE did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Those that had changed after UNCHANGEDSINCE and were left alone (MODIFIED).
    pub modified: Uids,
    /// The change's number; `None` where all flags were as asked already.
    pub modseq: Option<ModSeq>,
}

impl View {
    /// The pages in which there may be any of these, and their rows that are.
    pub(super) fn pages_of<'a>(&'a self, uids: &'a Uids) -> impl Iterator<Item = (&'a Page, Vec<&'a Row>)> {
        let touched = self.pages().iter().filter(|page| {
            let first = page.number.saturating_mul(PAGE_UIDS);
            uids.touches(first, first.saturating_add(PAGE_UIDS - 1))
        });
        touched.map(|page| (&**page, page.rows.iter().filter(|row| uids.contains(row.uid)).collect()))
    }
}

impl Mailboxes {
    /// Changes flags and keywords, in one commit; `unchanged_since` leaves those alone that changed after it.
    ///
    /// # Errors
    /// [`MailboxError::Missing`]; [`MailboxError::TooMany`] where the mailbox has no place for a further keyword.
    pub async fn set_flags(
        &self,
        owner: OwnerId,
        id: MailboxId,
        uids: &Uids,
        change: &FlagChange,
        unchanged_since: Option<ModSeq>,
    ) -> Result<Stored, MailboxError> {
        let (uids, change) = (uids.clone(), change.clone());
        match self.together(owner, Work::Flags { mailbox: id, uids, change, unchanged_since }).await? {
            Outcome::Stored(stored) => Ok(stored),
            Outcome::Appended(_) => Err(MailboxError::Missing),
        }
    }

    /// The same in a batch that holds the account's turn, and may have changed the mailbox already.
    ///
    /// # Errors
    /// As [`Mailboxes::set_flags`]; the batch is as it was then.
    pub(super) async fn set_flags_in(
        &self,
        batch: &mut Batch,
        (owner, id): (OwnerId, MailboxId),
        uids: &Uids,
        change: &FlagChange,
        unchanged_since: Option<ModSeq>,
    ) -> Result<Stored, MailboxError> {
        let view = self.open(owner, id).await?.view().await?;
        let mut edit = self.edit(batch, owner, id).await?;
        let bits = match change {
            FlagChange::Remove(flags) => edit.known_bits(flags),
            FlagChange::Add(flags) | FlagChange::Replace(flags) => edit.bits(&flags.keywords)?,
        };
        let mut modified = Vec::new();
        for (page, _) in view.pages_of(uids) {
            let page = edit.newest(batch, page)?;
            for row in page.rows.iter().filter(|row| uids.contains(row.uid)) {
                let after = change.applied(row.flags, row.keywords, bits);
                if unchanged_since.is_some_and(|since| row.modseq > since) {
                    modified.push(row.uid);
                } else if after != (row.flags, row.keywords) {
                    edit.page(&page);
                    edit.set_flags(row.uid, after);
                }
            }
        }
        let modseq = edit.finish(batch);
        Ok(Stored { modified: modified.into_iter().collect(), modseq })
    }

    /// Takes out what has `\Deleted`, of these or of all, in one commit; in several where it is more than
    /// [`super::MailLimits::together`]. What went.
    ///
    /// # Errors
    /// [`MailboxError::Missing`]; what went by earlier commits is gone then.
    pub async fn expunge(&self, owner: OwnerId, id: MailboxId, among: Option<&Uids>) -> Result<Uids, MailboxError> {
        let view = self.open(owner, id).await?.view().await?;
        let deleted = view.rows().filter(|row| row.flags.has(SystemFlags::DELETED)).map(|row| row.uid);
        let chosen: Vec<Uid> = deleted.filter(|uid| among.is_none_or(|among| among.contains(*uid))).collect();
        let mut gone = Uids::default();
        for chosen in chosen.chunks(self.limits.together) {
            let chosen = chosen.iter().copied().collect();
            gone = gone.union(&self.take_out(owner, id, &chosen, |row| row.flags.has(SystemFlags::DELETED)).await?);
        }
        Ok(gone)
    }

    /// Takes out those of these messages that still are as they must be, in one commit. It is tried again where another owner
    /// lets go of the same octets.
    pub(super) async fn take_out(
        &self,
        owner: OwnerId,
        id: MailboxId,
        chosen: &Uids,
        must: impl Fn(&Row) -> bool,
    ) -> Result<Uids, MailboxError> {
        let mut tries = TRIES;
        loop {
            tries -= 1;
            match self.try_take_out(owner, id, chosen, &must).await {
                Err(MailboxError::Commit(CommitError::Conflict)) if tries > 0 => {}
                taken => return taken,
            }
        }
    }

    async fn try_take_out(
        &self,
        owner: OwnerId,
        id: MailboxId,
        chosen: &Uids,
        must: impl Fn(&Row) -> bool,
    ) -> Result<Uids, MailboxError> {
        let mut batch = Batch::default();
        batch.frees_space();
        self.take_turn(&mut batch, owner).await;
        let view = self.open(owner, id).await?.view().await?;
        let mut edit = self.edit(&batch, owner, id).await?;
        let (mut gone, mut disposal): (Vec<Uid>, Disposal) = Default::default();
        for (page, rows) in view.pages_of(chosen) {
            for row in rows.into_iter().filter(|row| must(row)) {
                edit.page(page);
                edit.remove(row.uid);
                self.dispose(&mut batch, row.mail, &mut disposal).await?;
                gone.push(row.uid);
            }
        }
        edit.finish(&mut batch);
        self.store.commit(batch).await?;
        self.objects.drop_files(disposal.files).await;
        Ok(gone.into_iter().collect())
    }
}
