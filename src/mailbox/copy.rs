//! Copies and moves: rows only, the octets are shared.

use crate::id::{MailboxId, OwnerId};
use crate::mailbox::edit::Incoming;
use crate::mailbox::{FlagSet, MailboxError, Mailboxes, Row, Uid, Uids, View};
use crate::store::Batch;

/// What COPY or MOVE did (COPYUID): the nth UID of `from` is now the nth of `to`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Copied {
    /// UIDVALIDITY of the mailbox they went to.
    pub validity: u32,
    /// The messages, ascending.
    pub from: Vec<Uid>,
    /// Their new numbers, ascending.
    pub to: Vec<Uid>,
}

impl Mailboxes {
    /// Copies messages with their flags and dates, all in one commit or none. Those that are no more are left out.
    ///
    /// # Errors
    /// [`MailboxError::Missing`], [`MailboxError::OverQuota`], [`MailboxError::TooMany`] (more than some 50,000).
    pub async fn copy(
        &self,
        owner: OwnerId,
        from: MailboxId,
        uids: &Uids,
        to: MailboxId,
    ) -> Result<Copied, MailboxError> {
        let mut batch = Batch::default();
        self.take_turn(&mut batch, owner).await;
        let view = self.open(owner, from).await?.view().await?;
        let rows: Vec<&Row> = view.pages_of(uids).flat_map(|(_, rows)| rows).collect();
        self.require_room(owner, rows.iter().map(|row| row.octets).sum(), rows.len() as u64).await?;
        let mut edit = self.edit(&batch, owner, to).await?;
        let mut copied = Copied { validity: edit.head().validity, ..Copied::default() };
        for row in rows {
            copied.to.push(edit.add(&batch, &incoming(&view, row)).await?);
            copied.from.push(row.uid);
            self.share(&mut batch, row.mail).await?;
        }
        edit.finish(&mut batch);
        if !batch.is_empty() {
            self.store.commit(batch).await?;
        }
        Ok(copied)
    }

    /// Moves messages with their flags and dates: in one commit they are there and gone from here (RFC 6851).
    ///
    /// # Errors
    /// As [`Mailboxes::copy`], but for the quota: nothing grows.
    pub async fn mv(
        &self,
        owner: OwnerId,
        from: MailboxId,
        uids: &Uids,
        to: MailboxId,
    ) -> Result<Copied, MailboxError> {
        let mut batch = Batch::default();
        self.take_turn(&mut batch, owner).await;
        let view = self.open(owner, from).await?.view().await?;
        // In one mailbox the arrivals are a change of their own, behind the one that takes them out.
        let mut leaving = self.edit(&batch, owner, from).await?;
        let mut rows = Vec::new();
        for (page, chosen) in view.pages_of(uids) {
            for row in chosen {
                leaving.page(page);
                leaving.remove(row.uid);
                rows.push(row);
            }
        }
        leaving.finish(&mut batch);
        let mut edit = self.edit(&batch, owner, to).await?;
        let mut copied = Copied { validity: edit.head().validity, ..Copied::default() };
        for row in rows {
            copied.to.push(edit.add(&batch, &incoming(&view, row)).await?);
            copied.from.push(row.uid);
        }
        edit.finish(&mut batch);
        if !batch.is_empty() {
            self.store.commit(batch).await?;
        }
        Ok(copied)
    }
}

/// A row as it goes to another mailbox, where its keywords have other bits.
pub(super) fn incoming(view: &View, row: &Row) -> Incoming {
    let FlagSet { system, keywords } = view.flag_set(row);
    Incoming { flags: system, keywords, date: row.date, octets: row.octets, mail: row.mail }
}
