//! The durable queue: one entry per recipient.

use serde::{Deserialize, Serialize};

use crate::blob::{ObjectRef, Objects, OctetStream};
use crate::delivery::Outcome;
use crate::id::{QueueId, TransactionId};
use crate::keyring::{Capsule, Keyring};
use crate::mail::Delivery;
use crate::store::{Batch, Store, StoreError, Stored};
use crate::time::Timestamp;

/// What TLS a delivery needs, beyond what the relay's configuration asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TlsDemand {
    /// As configured.
    AsConfigured,
    /// TLS with a verified certificate, or no delivery (`[plain]`).
    Required,
}

/// Why a letter is in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// What a sender sent.
    Message,
    /// A report to a sender; if it fails nobody is told.
    Report,
}

/// What is sent: octets of our own, then (perhaps) a range of an object that others share.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Payload {
    /// Octets that come first (a relayed message's header section).
    pub prefix: Vec<u8>,
    /// What follows them: an object, from this octet to its end.
    pub rest: Option<(ObjectRef, u64)>,
}

/// A letter to be queued.
#[derive(Debug, Clone)]
pub struct NewLetter {
    /// Its id.
    pub id: QueueId,
    /// Whose message, for the log and the sender's report.
    pub transaction: TransactionId,
    /// Why.
    pub purpose: Purpose,
    /// The envelope.
    pub delivery: Delivery,
    /// The octets.
    pub payload: Payload,
    /// TLS.
    pub tls: TlsDemand,
}

/// What of an entry is about people: sealed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Letter {
    /// The envelope.
    pub delivery: Delivery,
    /// The octets.
    pub payload: Payload,
}

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
    /// When it is tried next.
    pub due: Timestamp,
    /// Attempts made.
    pub attempts: u32,
    /// Code of the last reply and a word for the cause; never the far side's text.
    pub last: Option<(Option<u16>, String)>,
    /// [`Letter`], until the day the queue gives up.
    pub letter: Capsule,
}

impl Stored for QueueEntry {
    const VERSION: u8 = 1;
}

/// An entry that one worker has taken. Nobody else gets it until it is settled or dropped.
pub struct Claim {
    /// Its id.
    pub id: QueueId,
    /// As stored.
    pub entry: QueueEntry,
    /// Opened.
    pub letter: Letter,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It is there; the entry is gone.
    Delivered,
    /// Tried again at this moment.
    Later(Timestamp),
    /// Given up: the entry is gone, and the sender's report is queued in the same commit (if one is owed).
    Failed {
        /// The report's entry.
        report: Option<QueueId>,
    },
}

/// One row of `queue list`: ids, times and causes, no address.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct QueueRow {
    /// Its id.
    pub id: String,
    /// Whose message.
    pub transaction: String,
    /// Why.
    pub purpose: String,
    /// When it was queued.
    pub created: Timestamp,
    /// When it is tried next.
    pub due: Timestamp,
    /// Attempts made.
    pub attempts: u32,
    /// The last cause.
    pub last: Option<String>,
}

/// The queue. Cheap to clone.
#[derive(Clone)]
pub struct Queue {}

impl Queue {
    /// The queue in this store.
    pub fn new(_store: Store, _keyring: Keyring, _objects: Objects) -> Self {
        todo!()
    }

    /// Puts a letter into the batch, due at once. Its object must be put by the caller, held once per letter.
    pub fn put(&self, _batch: &mut Batch, _letter: NewLetter, _now: Timestamp) -> Result<(), StoreError> {
        todo!()
    }

    /// Tells waiting workers that something may be due; called after a commit.
    pub fn wake(&self) {
        todo!()
    }

    /// Takes up to `limit` entries that are due, in order of time, found by index.
    pub async fn claim_due(&self, _now: Timestamp, _limit: usize) -> Result<Vec<Claim>, StoreError> {
        todo!()
    }

    /// Waits until something may be due: a wake, or the moment the next entry is due.
    pub async fn wait(&self, _now: Timestamp) {
        todo!()
    }

    /// The octets of a claim's letter.
    pub async fn octets(&self, _letter: &Letter) -> Result<OctetStream, StoreError> {
        todo!()
    }

    /// Writes down what became of an attempt; a failed one together with the report its sender gets.
    pub async fn settle(
        &self,
        _claim: Claim,
        _outcome: crate::delivery::Outcome,
        _report: Option<(NewLetter, crate::blob::Object)>,
        _now: Timestamp,
    ) -> Result<Settled, StoreError> {
        todo!()
    }

    /// Rows in order of queueing, after `after`, up to `limit`.
    pub async fn list(&self, _after: Option<QueueId>, _limit: usize) -> Result<Vec<QueueRow>, StoreError> {
        todo!()
    }

    /// One entry, opened, for `queue show` on the admin's terminal.
    pub async fn show(&self, _id: QueueId) -> Result<Option<(QueueEntry, Letter)>, StoreError> {
        todo!()
    }
}
