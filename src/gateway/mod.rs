//! The use cases: the only place where rules meet stored state.

use crate::blob::{RawMessage, SpoolWriter};
use crate::id::{SessionId, TransactionId};
use crate::mail::{Address, Envelope, Origin, ReceivedTrace};
use crate::secret::Secret;

pub mod accept;
pub mod commit;
pub mod deliver;
pub mod policies;
pub mod refusal;

pub use refusal::Refusal;

/// A message that came in, whole.
pub struct ReceivedMessage {
    /// Its name from now on.
    pub transaction: TransactionId,
    /// The connection it came by, for the log.
    pub session: SessionId,
    /// Who vouches for it.
    pub origin: Origin,
    /// Its envelope, at least one recipient.
    pub envelope: Envelope,
    /// How it came.
    pub trace: ReceivedTrace,
    /// Its octets.
    pub message: RawMessage,
}

/// What 250 can be said for.
#[derive(Debug)]
pub struct Receipt {
    /// The message's name.
    pub transaction: TransactionId,
    /// Recipients refused at DATA: each gets nothing, and the sender a report; named in the 250 line by number.
    pub refused: usize,
}

/// Why a sign-in did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInError {
    /// Wrong name or password, or disabled: always the same.
    Rejected,
    /// Too many sign-ins at once; try again.
    Busy,
    /// The store cannot be read.
    Unavailable,
}

/// The gateway. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {}

impl Gateway {
    /// Checks a name and password: the same work for known and unknown names.
    pub async fn sign_in(&self, _name: &str, _password: &Secret<String>) -> Result<Origin, SignInError> {
        todo!()
    }

    /// Whether this origin may use this address in MAIL FROM, From and Sender.
    pub async fn may_send_as(&self, _origin: &Origin, _address: &Address) -> Result<bool, Refusal> {
        todo!()
    }

    /// Whether mail for this recipient is taken at all (asked at RCPT).
    pub async fn check_recipient(&self, _origin: &Origin, _recipient: &Address) -> Result<(), Refusal> {
        todo!()
    }

    /// A place for a message to come in.
    pub fn spool(&self) -> SpoolWriter {
        todo!()
    }

    /// The life of a message: received, outlined, assessed, decided, packed, committed.
    pub async fn accept(&self, _received: ReceivedMessage) -> Result<Receipt, Refusal> {
        todo!()
    }
}
