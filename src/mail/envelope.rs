//! RFC 5321 envelopes with the parameters of RFC 3461 (DSN), and where a message came from.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::id::StaffId;
use crate::mail::Address;
use crate::secret::silent_debug;
use crate::time::Timestamp;

/// The reverse-path of MAIL FROM. Reports of failure go to it, so none can go to [`ReversePath::Null`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReversePath {
    /// `<>`: never answered.
    Null,
    /// A sender who can be told.
    Address(Address),
}

impl ReversePath {
    /// The address, if there is one.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Null => None,
            Self::Address(address) => Some(address),
        }
    }
}

/// `BODY=` of RFC 6152.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum BodyType {
    /// `7BIT`, or nothing said.
    #[default]
    SevenBit,
    /// `8BITMIME`.
    EightBitMime,
}

/// `RET=` of RFC 3461, section 4.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DsnReturn {
    /// `FULL`
    Full,
    /// `HDRS`
    Headers,
}

/// `NOTIFY=` of RFC 3461, section 4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DsnNotify {
    /// Tell the sender when it is delivered.
    pub success: bool,
    /// Tell the sender when it failed for good.
    pub failure: bool,
    /// Tell the sender when it is late.
    pub delay: bool,
}

impl DsnNotify {
    /// `NOTIFY=NEVER`.
    pub const NEVER: Self = Self { success: false, failure: false, delay: false };
}

/// What nobody said: failures, and delays, but no success.
impl Default for DsnNotify {
    fn default() -> Self {
        Self { success: false, failure: true, delay: true }
    }
}

/// One forward-path with its DSN parameters.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Where to.
    pub address: Address,
    /// What the sender wants to be told; `None` if RCPT did not say.
    pub notify: Option<DsnNotify>,
    /// `ORCPT=` as received (`rfc822;…`, xtext kept), at most 500 octets.
    pub original: Option<String>,
}

impl Recipient {
    /// A recipient with no DSN parameters.
    pub fn plain(address: Address) -> Self {
        Self { address, notify: None, original: None }
    }
}

/// The envelope of one transaction.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// MAIL FROM.
    pub reverse_path: ReversePath,
    /// RCPT TO, in the order given, no address twice.
    pub recipients: Vec<Recipient>,
    /// `BODY=`.
    pub body: BodyType,
    /// `RET=`.
    pub ret: Option<DsnReturn>,
    /// `ENVID=` as received (xtext kept), at most 100 octets.
    pub envid: Option<String>,
}

/// The envelope of one delivery: one recipient, as every queue entry has it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// MAIL FROM.
    pub reverse_path: ReversePath,
    /// RCPT TO.
    pub recipient: Recipient,
    /// `RET=`.
    pub ret: Option<DsnReturn>,
    /// `ENVID=`.
    pub envid: Option<String>,
}

/// Who vouches for a message that comes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// A staff member who signed in on a submission port.
    Staff {
        /// The account.
        id: StaffId,
        /// Its own address.
        address: Address,
    },
    /// A server that a `[[smtp.relay]]` listener trusts.
    Relay {
        /// Whether any sender is taken (`identity = "any"`), or only senders of our practices.
        any_sender: bool,
    },
}

/// What the `Received:` field says of how a message came (RFC 5321, section 4.4; RFC 3848).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedTrace {
    /// The argument of EHLO or HELO, already checked to be a domain or address literal.
    pub helo: String,
    /// The peer.
    pub peer: IpAddr,
    /// `SMTP`, `ESMTP`, `ESMTPS`, `ESMTPSA`.
    pub protocol: String,
    /// When DATA was begun.
    pub at: Timestamp,
}

// `ORCPT` is an address, and EHLO may name a person's computer.
silent_debug!(Recipient, Envelope, Delivery, ReceivedTrace);
