//! The words of mail: addresses, envelopes, where a message came from.

pub mod address;
pub mod envelope;

pub use address::{Address, AddressError, Domain};
pub use envelope::{BodyType, Delivery, DsnNotify, DsnReturn, Envelope, Origin, ReceivedTrace, Recipient, ReversePath};
