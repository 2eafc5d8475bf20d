//! Entries as stored, and the two keys of each: by id, and by the moment it is due.

use serde::{Deserialize, Serialize};

use super::letter::{Letter, Purpose, TlsDemand};
use crate::id::{BlobId, Id, QueueId, TransactionId};
use crate::keyring::{Capsule, KeyClass, Keyring, KeyringError};
use crate::store::{Key, Stored, Table};
use crate::time::{Day, Timestamp};

/// An entry as stored; nothing of a person outside `letter`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct QueueEntry {
    /// Whose message.
    pub transaction: TransactionId,
    /// Why.
    pub purpose: Purpose,
    /// TLS.
    pub tls: TlsDemand,
    /// When it was queued.
    pub created: Timestamp,
    /// When it is tried next; the same moment stands in the index.
    pub due: Timestamp,
    /// Attempts made.
    pub attempts: u32,
    /// Code of the last reply and a word for the cause; never the far side's text.
    pub last: Option<(Option<u16>, String)>,
    /// The object it holds: outside the letter, so that it can be let go of when the letter opens no more.
    pub object: Option<BlobId>,
    /// [`Letter`], until the day after the queue gives up.
    pub letter: Capsule,
}

impl Stored for QueueEntry {
    const VERSION: u8 = 1;
}

/// One row of `queue list`: ids, times and causes, no address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRow {
    /// Its id.
    pub id: String,
    /// Whose message.
    pub transaction: String,
    /// Why: `message` or `report`.
    pub purpose: String,
    /// When it was queued.
    pub created: Timestamp,
    /// When it is tried next.
    pub due: Timestamp,
    /// Attempts made.
    pub attempts: u32,
    /// The last cause: `550 recipient`, `connect`.
    pub last: Option<String>,
}

impl QueueRow {
    /// The row of an entry.
    pub fn of(id: QueueId, entry: &QueueEntry) -> Self {
        Self {
            id: id.to_string(),
            transaction: entry.transaction.to_string(),
            purpose: entry.purpose.word().to_owned(),
            created: entry.created,
            due: entry.due,
            attempts: entry.attempts,
            last: entry.last.as_ref().map(|(code, word)| match code {
                Some(code) => format!("{code} {word}"),
                None => word.clone(),
            }),
        }
    }
}

pub(super) fn entry_key(id: QueueId) -> Key {
    Key::new(Table::Queue, &[id.octets()])
}

pub(super) fn due_key(due: Timestamp, id: QueueId) -> Key {
    Key::new(Table::QueueDue, &[&due.to_key(), id.octets()])
}

/// The inverse of [`due_key`].
pub(super) fn read_due_key(octets: &[u8]) -> Option<(Timestamp, QueueId)> {
    let (due, id) = octets.split_first_chunk::<8>()?;
    Some((Timestamp::from_key(*due), QueueId::from_octets(id.try_into().ok()?)))
}

/// Binds a sealed letter to its entry.
fn context(id: QueueId) -> Vec<u8> {
    [&[Table::Queue as u8], id.octets().as_slice()].concat()
}

pub(super) fn seal(keyring: &Keyring, day: Day, id: QueueId, letter: &Letter) -> Result<Capsule, KeyringError> {
    Capsule::seal(keyring, day, KeyClass::Transit, &context(id), letter)
}

pub(super) fn unseal(keyring: &Keyring, id: QueueId, entry: &QueueEntry) -> Result<Letter, KeyringError> {
    entry.letter.open(keyring, &context(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_keys_read_back_and_sort_by_time() {
        let id = QueueId::from_octets([7; 16]);
        let (early, late) = (due_key(Timestamp::from_millis(1), id), due_key(Timestamp::from_millis(300), id));
        assert!(early.octets < late.octets);
        assert_eq!(read_due_key(&late.octets), Some((Timestamp::from_millis(300), id)));
        assert_eq!(read_due_key(&late.octets[..23]), None);
    }
}
