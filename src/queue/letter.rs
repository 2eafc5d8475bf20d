//! What is queued: an envelope for one recipient, and the octets that go with it.

use std::ops::Range;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::blob::{BlobError, ObjectRef, OctetStream};
use crate::id::{QueueId, TransactionId};
use crate::mail::Delivery;
use crate::secret::silent_debug;

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
    /// What a sender sent, where how it ends is written down, for a status mail.
    Tracked,
}

impl Purpose {
    /// The word for listings.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Message | Self::Tracked => "message",
            Self::Report => "report",
        }
    }
}

/// What is sent: octets of our own, then (perhaps) a range of an object that others share.
#[derive(Clone, Serialize, Deserialize)]
pub struct Payload {
    /// Octets that come first (a relayed message's header section, or a whole small mail of our own). They lie in the
    /// entry's record: at most about 240 KiB.
    pub prefix: Bytes,
    /// What follows them: these octets of an object. It is held once per letter.
    pub rest: Option<(ObjectRef, Range<u64>)>,
}

impl Payload {
    /// Octets in all.
    pub fn octets(&self) -> u64 {
        let rest = self.rest.as_ref().map_or(0, |(_, range)| range.end.saturating_sub(range.start));
        self.prefix.len() as u64 + rest
    }
}

/// A letter to be queued.
#[derive(Clone)]
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
#[derive(Clone, Serialize, Deserialize)]
pub struct Letter {
    /// The envelope.
    pub delivery: Delivery,
    /// The octets.
    pub payload: Payload,
}

silent_debug!(Payload, NewLetter, Letter);

/// The octets of a letter, in pieces: the prefix, then the object's.
pub struct LetterOctets {
    prefix: Option<Bytes>,
    rest: Option<OctetStream>,
}

impl LetterOctets {
    pub(super) fn new(prefix: Bytes, rest: Option<OctetStream>) -> Self {
        Self { prefix: Some(prefix).filter(|prefix| !prefix.is_empty()), rest }
    }

    /// The next piece, never empty; `None` at the end.
    ///
    /// # Errors
    /// [`BlobError`]: nothing of a chunk that is not sound is given out.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        if let Some(prefix) = self.prefix.take() {
            return Ok(Some(prefix));
        }
        match &mut self.rest {
            Some(stream) => stream.next().await,
            None => Ok(None),
        }
    }
}
