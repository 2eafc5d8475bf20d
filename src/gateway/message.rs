//! The record of a message: who sent it, whom it is for, by which rights and letters. Status mails, `history` and the
//! words of an answer go by it. Only messages that gave rights or raised a question have one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::gateway::Gateway;
use crate::guests::ends;
use crate::id::{ContactId, GrantId, Id, QueueId, TransactionId};
use crate::keyring::{Capsule, KeyClass, KeyringError};
use crate::mail::Address;
use crate::secret::silent_debug;
use crate::store::{Batch, Key, Record, StoreError, Stored, Table};
use crate::time::Timestamp;

/// How long it is known what became of a message, after its last right has ended.
pub(super) const KNOWN_AFTER: Duration = Duration::from_secs(90 * 86_400);

/// As stored: nothing of a person outside `content`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Stub {
    content: Capsule,
}

impl Stored for Stub {
    const VERSION: u8 = 1;
}

/// A message, as its record tells it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Message {
    /// Who sent it, and is told.
    pub sender: Address,
    /// The practice that spoke.
    pub practice: String,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Its Message-ID.
    pub message_id: Option<String>,
    /// When a status mail is to be written, and whether it was.
    pub telling: Telling,
    /// In the order of the envelope.
    pub recipients: Vec<Addressee>,
    /// Until when the record is kept.
    pub ends: Timestamp,
}

/// Whether the sender is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Telling {
    /// Not at all.
    Never,
    /// Once, if it did not reach everybody; at this moment at the latest.
    OfProblems {
        /// That moment.
        by: Timestamp,
    },
    /// Once; at this moment at the latest.
    Always {
        /// That moment.
        by: Timestamp,
    },
    /// That is done, or there is nothing to tell of yet.
    Done,
}

impl Telling {
    /// The moment at which it is told at the latest; `None`: nothing is to be told unless something fails.
    pub(super) fn by(self) -> Option<Timestamp> {
        match self {
            Self::OfProblems { by } | Self::Always { by } => Some(by),
            Self::Never | Self::Done => None,
        }
    }

    /// What is to be told of everybody, where this was to be told and `later` is, too: as the more talkative one says, once,
    /// at the later moment.
    pub(super) fn and(self, later: Self) -> Self {
        let talks = |telling: Self| match telling {
            Self::Never | Self::Done => 0,
            Self::OfProblems { .. } => 1,
            Self::Always { .. } => 2,
        };
        let more = if talks(later) > talks(self) { later } else { self };
        match (more, self.by().max(later.by())) {
            (Self::OfProblems { .. }, Some(by)) => Self::OfProblems { by },
            (Self::Always { .. }, Some(by)) => Self::Always { by },
            _ => more,
        }
    }
}

/// One recipient of it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Addressee {
    /// Who.
    pub address: Address,
    /// The contact, where there is a right.
    pub contact: Option<ContactId>,
    /// The right.
    pub grant: Option<GrantId>,
    /// The letter.
    pub letter: Option<QueueId>,
    /// What was done for them.
    pub fate: Fate,
    /// The sender is to be told if it cannot be delivered, whatever the policy says of status mails, and was not told yet
    /// (RFC 5321, section 6.1; RFC 3461, section 4.1).
    pub failure_owed: bool,
}

silent_debug!(Message, Addressee);

/// What was done for a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Fate {
    /// Sent on as it was.
    Relayed,
    /// Sent a notice.
    Secured,
    /// Refused by policy.
    Refused,
    /// Waits until the sender has said who it is.
    Asked,
    /// Left out: by the sender's word, or because nobody answered.
    LeftOut,
}

pub(super) fn message_key(transaction: TransactionId) -> Key {
    Key::new(Table::Message, &[transaction.octets()])
}

impl Gateway {
    /// A message's record; `None` where there is none, or its time is over.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub(super) async fn message(&self, transaction: TransactionId) -> Result<Option<Record<Message>>, StoreError> {
        let key = message_key(transaction);
        let Some(record) = self.stations.store.get::<Stub>(&key).await? else { return Ok(None) };
        match record.value.content.open(&self.stations.keyring, &context(&key)) {
            Ok(value) => Ok(Some(Record { version: record.version, value })),
            Err(KeyringError::NoKeyFor(_)) => Ok(None),
            Err(other) => Err(StoreError::Unsound(other.to_string())),
        }
    }

    /// Puts a message's record into the batch, on condition that nobody changed it since it was read.
    ///
    /// # Errors
    /// Where it cannot be sealed.
    pub(super) fn put_message(
        &self,
        batch: &mut Batch,
        transaction: TransactionId,
        read: Option<&Record<Message>>,
        message: &Message,
    ) -> Result<(), StoreError> {
        let key = message_key(transaction);
        match read {
            Some(read) => {
                batch.require_version(key.clone(), read.version);
                ends::remove(batch, read.value.ends, &key);
            }
            None => {
                batch.require_absent(key.clone());
            }
        }
        let (day, class) = (message.ends.day().plus(1), KeyClass::Contact);
        let content = Capsule::seal(&self.stations.keyring, day, class, &context(&key), message)
            .map_err(|error| StoreError::Unsound(error.to_string()))?;
        ends::put(batch, message.ends, &key);
        batch.put(key, &Stub { content });
        Ok(())
    }
}

fn context(key: &Key) -> Vec<u8> {
    [&[key.table as u8], key.octets.as_slice()].concat()
}
