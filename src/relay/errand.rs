//! What a transport is given: one message for one recipient.

use async_trait::async_trait;
use bytes::Bytes;

use crate::blob::BlobError;
use crate::mail::Delivery;
use crate::queue::TlsDemand;

/// One delivery.
#[derive(Debug, Clone, Copy)]
pub struct Errand<'a> {
    /// The envelope.
    pub delivery: &'a Delivery,
    /// What TLS it needs.
    pub tls: TlsDemand,
    /// The message's length in octets.
    pub size: u64,
}

/// A message's octets, given once, in pieces.
#[async_trait]
pub trait Content: Send {
    /// The next piece; `None` at the end.
    async fn next_piece(&mut self) -> Result<Option<Bytes>, BlobError>;
}
