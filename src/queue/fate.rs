//! What became of a letter whose sender is told of it: written in the commit that settles it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Queue;
use crate::delivery::Cause;
use crate::guests::ends;
use crate::id::{Id, QueueId, TransactionId};
use crate::store::{Batch, Key, StoreError, Stored, Table};
use crate::time::Timestamp;

/// How long it is kept: as long as a message's record can live.
const KEPT: Duration = Duration::from_secs(240 * 86_400);

/// How a letter ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterEnd {
    /// When.
    pub at: Timestamp,
    /// Why it did not arrive; `None`: the far side has it.
    pub failed: Option<Failed>,
}

/// Why a letter did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// The last cause; none where its octets could no longer be read.
    pub cause: Option<Cause>,
    /// Whether it was tried until its time was over.
    pub given_up: bool,
}

impl Stored for LetterEnd {
    const VERSION: u8 = 1;
}

fn end_key(transaction: TransactionId, letter: QueueId) -> Key {
    Key::new(Table::Message, &[transaction.octets(), letter.octets()])
}

/// When the status of a message is looked at.
pub fn status_due_key(due: Timestamp, transaction: TransactionId) -> Key {
    Key::new(Table::StatusDue, &[&due.to_key(), transaction.octets()])
}

/// The inverse of [`status_due_key`].
pub fn read_status_due(octets: &[u8]) -> Option<(Timestamp, TransactionId)> {
    let (due, id) = octets.split_first_chunk::<8>()?;
    Some((Timestamp::from_key(*due), TransactionId::from_octets(id.try_into().ok()?)))
}

/// Writes down how a letter ended, and that its message's status is to be looked at now.
pub(super) fn put_end(batch: &mut Batch, transaction: TransactionId, letter: QueueId, end: LetterEnd) {
    let key = end_key(transaction, letter);
    ends::put(batch, end.at.plus(KEPT), &key);
    batch.put(key, &end);
    batch.put_octets(status_due_key(end.at, transaction), Vec::new());
}

impl Queue {
    /// How a letter of a message ended; `None` while it is on its way.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn end_of(&self, transaction: TransactionId, letter: QueueId) -> Result<Option<LetterEnd>, StoreError> {
        let record = self.store.get::<LetterEnd>(&end_key(transaction, letter)).await?;
        Ok(record.map(|record| record.value))
    }
}
