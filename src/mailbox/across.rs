//! Copies and moves to mailboxes of another owner: from a workgroup's to a member's, and back.
//!
//! What one account's mailboxes hold is counted under that account's turn. So a message that goes to another's becomes a message
//! of its own there, with what is known of it in a record of its own; the octets are the same object, held once more.

use crate::id::{MailId, MailboxId, OwnerId};
use crate::mailbox::arrival::Disposal;
use crate::mailbox::copy::{Copied, incoming};
use crate::mailbox::edit::{Edit, Incoming};
use crate::mailbox::records::{Content, Source};
use crate::mailbox::{MailboxError, Mailboxes, Row, TRIES, Uid, Uids, View};
use crate::random;
use crate::store::{Batch, CommitError};

/// Messages of one commit: what is known of each is read and written anew, up to some hundred KiB.
const MOST: usize = 2_000;
/// Messages after which others have their turn, and of a move those that go together.
const SOME: usize = 64;

impl Mailboxes {
    /// Copies messages into another owner's mailbox, all in one commit or none.
    ///
    /// # Errors
    /// As [`Mailboxes::copy`], by the other's quota; [`MailboxError::TooMany`] beyond 2,000; [`MailboxError::Bound`] for a secured
    /// message, as long as its documents live.
    pub async fn copy_across(
        &self,
        from: (OwnerId, MailboxId),
        uids: &Uids,
        to: (OwnerId, MailboxId),
    ) -> Result<Copied, MailboxError> {
        if uids.len() > MOST as u64 {
            return Err(MailboxError::TooMany);
        }
        self.carry(from, uids, to, false).await
    }

    /// Moves messages into another owner's mailbox, some in a commit: by the same in which they are there they are gone from
    /// here (RFC 6851, section 3.3, asks that of each message).
    ///
    /// # Errors
    /// As [`Mailboxes::copy_across`], for any number; what went by earlier commits has gone then.
    pub async fn mv_across(
        &self,
        from: (OwnerId, MailboxId),
        uids: &Uids,
        to: (OwnerId, MailboxId),
    ) -> Result<Copied, MailboxError> {
        let chosen: Vec<Uid> = uids.iter().collect();
        let mut copied = Copied::default();
        for some in chosen.chunks(SOME) {
            let moved = self.carry(from, &some.iter().copied().collect(), to, true).await?;
            copied.validity = moved.validity;
            copied.from.extend(moved.from);
            copied.to.extend(moved.to);
        }
        Ok(copied)
    }

    async fn carry(
        &self,
        from: (OwnerId, MailboxId),
        uids: &Uids,
        to: (OwnerId, MailboxId),
        leaving: bool,
    ) -> Result<Copied, MailboxError> {
        let mut tries = TRIES;
        loop {
            tries -= 1;
            let mut batch = Batch::default();
            self.take_turns(&mut batch, &[from.0, to.0]).await;
            let (copied, disposal) = self.put_across(&mut batch, from, uids, to, leaving).await?;
            if batch.is_empty() {
                return Ok(copied);
            }
            match self.store.commit(batch).await {
                Ok(_) => {
                    self.objects.drop_files(disposal.files).await;
                    return Ok(copied);
                }
                Err(CommitError::Conflict) if tries > 0 => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn put_across(
        &self,
        batch: &mut Batch,
        from: (OwnerId, MailboxId),
        uids: &Uids,
        to: (OwnerId, MailboxId),
        leaving: bool,
    ) -> Result<(Copied, Disposal), MailboxError> {
        let view = self.open(from.0, from.1).await?.view().await?;
        let rows: Vec<&Row> = view.pages_of(uids).flat_map(|(_, rows)| rows).collect();
        self.require_room(to.0, rows.iter().map(|row| row.octets).sum(), rows.len() as u64).await?;
        let mut edit = self.edit(batch, to.0, to.1).await?;
        let (mut copied, mut disposal) =
            (Copied { validity: edit.head().validity, ..Copied::default() }, Disposal::default());
        for (at, row) in rows.iter().enumerate() {
            if at % SOME == SOME - 1 {
                tokio::task::yield_now().await;
            }
            copied.to.push(self.bring(batch, &mut edit, &view, row).await?);
            copied.from.push(row.uid);
        }
        edit.finish(batch);
        if leaving {
            let mut edit = self.edit(batch, from.0, from.1).await?;
            for (page, chosen) in view.pages_of(uids) {
                edit.page(page);
                chosen.iter().for_each(|row| edit.remove(row.uid));
            }
            edit.finish(batch);
            for row in rows {
                self.dispose(batch, row.mail, &mut disposal).await?;
            }
        }
        Ok((copied, disposal))
    }

    /// A message of its own for this row.
    async fn bring(&self, batch: &mut Batch, edit: &mut Edit<'_>, view: &View, row: &Row) -> Result<u32, MailboxError> {
        let content = self.store.get::<Content>(&Content::key(row.mail)).await?.ok_or(MailboxError::Expunged)?.value;
        let Source::Object(object) = &content.source else { return Err(MailboxError::Bound) };
        self.objects.hold(batch, object).await?;
        let mail: MailId = random::id();
        batch.put(Content::key(mail), &content);
        edit.add(batch, &Incoming { mail, ..incoming(view, row) }).await
    }
}
