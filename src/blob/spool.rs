//! A message as it comes in: in memory while small, sealed on disk when it grows.

use std::ops::Range;

use crate::blob::{BlobError, BlobStore, OctetStream};
use crate::id::BlobId;
use crate::keyring::DataKey;

/// Messages up to this size stay in memory.
pub const IN_MEMORY: usize = 1024 * 1024 + 128 * 1024;

/// Why a message could not be taken in.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// A CR without LF, an LF without CR, or a NUL: what smuggling is made of.
    #[error("a bare CR, a bare LF or a NUL")]
    BareOctet,
    /// The disk.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

/// A message coming in.
pub struct SpoolWriter {}

impl SpoolWriter {
    /// A writer that goes to disk, under a fresh key and blob id, when the message outgrows [`IN_MEMORY`].
    pub fn new(_blobs: &BlobStore) -> Self {
        todo!()
    }

    /// More octets, dot-unstuffed, in any pieces; CR and LF may be split between calls.
    pub async fn write(&mut self, _octets: &[u8]) -> Result<(), SpoolError> {
        todo!()
    }

    /// Octets so far.
    pub fn len(&self) -> u64 {
        todo!()
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The message. One that was spooled is a finished, synced blob that belongs to nobody yet: unless a
    /// commit takes it over, [`RawMessage::discard`] or the next sweep removes it.
    pub async fn finish(self) -> Result<RawMessage, SpoolError> {
        todo!()
    }
}

/// A whole message: CRLF line ends, no bare CR or LF, no NUL. A handle, not the octets. Only
/// [`SpoolWriter::finish`] makes one.
#[derive(Clone)]
pub struct RawMessage {}

impl RawMessage {
    /// Its length in octets.
    pub fn len(&self) -> u64 {
        todo!()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The octets of a range.
    pub fn range(&self, _range: Range<u64>) -> OctetStream {
        todo!()
    }

    /// The blob it lies in and that blob's key, if it was too large for memory.
    pub fn blob(&self) -> Option<(BlobId, &DataKey)> {
        todo!()
    }

    /// Removes what lies on disk, when no commit took it over.
    pub async fn discard(self) -> Result<(), BlobError> {
        todo!()
    }
}
