//! Identifiers: sixteen octets each, time-ordered (UUID version 7), one type per thing named.
//!
//! Written as 26 characters of lower-case base32 (RFC 4648 alphabet, no padding), which are safe in
//! file names, header fields and SMTP replies. They are names, never rights: what opens something is
//! a token or a session, not an id.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The text was not 26 characters of lower-case base32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: 26 letters and digits expected")]
pub struct IdError;

/// What every identifier type offers.
pub trait Id: Copy {
    /// The id with these sixteen octets.
    fn from_octets(octets: [u8; 16]) -> Self;
    /// Its sixteen octets, as used in keys.
    fn octets(&self) -> &[u8; 16];
}

fn encode(octets: &[u8; 16]) -> String {
    data_encoding::BASE32_NOPAD.encode(octets).to_ascii_lowercase()
}

fn decode(text: &str) -> Result<[u8; 16], IdError> {
    if text.len() != 26 || text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(IdError);
    }
    let octets = data_encoding::BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes()).map_err(|_| IdError)?;
    octets.try_into().map_err(|_| IdError)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl Id for $name {
            fn from_octets(octets: [u8; 16]) -> Self {
                Self(octets)
            }
            fn octets(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), encode(&self.0))
            }
        }

        impl Serialize for $name {
            /// As people know it where people read (JSON), else as its octets.
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
                } else {
                    <[u8; 16]>::deserialize(deserializer).map(Self)
                }
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                decode(text).map(Self)
            }
        }
    )*};
}

ids! {
    /// One accepted message: MAIL … DATA … 250.
    TransactionId;
    /// One connection.
    SessionId;
    /// What one recipient is sent.
    ParcelId;
    /// One attachment, named and stored.
    DepositId;
    /// One recipient's right to a parcel.
    GrantId;
    /// One delivery to one recipient.
    QueueId;
    /// One sealed stream of octets.
    BlobId;
    /// One atomic change of the store.
    CommitId;
    /// One address the clinic has written to, and who stands behind it.
    ContactId;
    /// One person with a staff account.
    StaffId;
    /// Whose mailboxes: a member of staff's, or a workgroup's.
    OwnerId;
    /// One browser's visit to the portal.
    VisitId;
    /// One request to the portal that was answered by an error.
    RequestId;
    /// One question to a sender about one recipient.
    QuestionId;
    /// One reply that a guest wrote.
    GuestReplyId;
    /// One mailbox of a staff member or a workgroup.
    MailboxId;
    /// One message in mailboxes: all copies of it have the same.
    MailId;
    /// What messages have in common that answer one another.
    ThreadId;
}

/// Everybody has mailboxes of their own.
impl From<StaffId> for OwnerId {
    fn from(staff: StaffId) -> Self {
        Self(staff.0)
    }
}

/// A keyed hash that stands for one patient of the clinic, by record number, by name and birthdate, or by address and
/// birthdate: what rights and visits hold instead of the patient's name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PatientMark(pub [u8; 16]);

impl fmt::Debug for PatientMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PatientMark(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_is_strict() {
        let id = TransactionId::from_octets([0xA5; 16]);
        let text = id.to_string();
        assert_eq!(text.len(), 26);
        assert_eq!(text.parse(), Ok(id));
        for bad in ["", "abc", &text.to_uppercase(), &format!("{text}a"), &text.replace(&text[..1], "1")] {
            assert_eq!(bad.parse::<TransactionId>(), Err(IdError), "{bad:?}");
        }
    }

    /// `grant list --json` printed ids as sixteen numbers, which no other command takes.
    #[test]
    fn ids_are_text_in_json_and_octets_in_records() {
        let id = GrantId::from_octets(*b"0123456789abcdef");
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<GrantId>(&format!("\"{id}\"")).unwrap(), id);
        assert_eq!(postcard::to_allocvec(&id).unwrap(), b"0123456789abcdef");
        assert_eq!(postcard::from_bytes::<GrantId>(b"0123456789abcdef").unwrap(), id);
    }
}
