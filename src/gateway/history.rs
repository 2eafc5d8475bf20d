//! What happened to a message: written down with the change itself, read for status mails and `history`.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::gateway::Gateway;
use crate::id::{GrantId, TransactionId};
use crate::store::{Batch, StoreError};
use crate::time::Timestamp;

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Happened {
    /// The invitation was mailed.
    Invited,
    /// A reminder was mailed.
    Reminded,
    /// The person registered.
    Registered,
    /// A birthdate was wrong.
    BirthdateWrong,
    /// The invitation was cancelled.
    InvitationCancelled,
    /// The invitation has expired.
    InvitationExpired,
    /// The message was opened, the first time.
    Opened,
    /// A document was downloaded.
    Downloaded,
    /// A fresh link was mailed.
    LinkMailed,
    /// The guest replied.
    Replied,
    /// The right was taken back.
    Revoked,
}

/// A line of history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HistoryLine {
    /// Whose right it is about.
    pub grant: GrantId,
    /// What.
    pub what: Happened,
    /// When.
    pub at: Timestamp,
    /// From where, for what a guest did.
    pub from: Option<IpAddr>,
}

impl Gateway {
    /// Puts a line into the batch. It is kept as long as the message's record (docs/storage.md).
    ///
    /// # Errors
    /// Where it cannot be sealed.
    pub(super) fn put_history(
        &self,
        _batch: &mut Batch,
        _transaction: TransactionId,
        _line: &HistoryLine,
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// The history of a message, oldest first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn history(&self, _transaction: TransactionId) -> Result<Vec<HistoryLine>, StoreError> {
        todo!()
    }
}
