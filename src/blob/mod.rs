//! Sealed streams of octets in files (later: an object store), and the spool of messages coming in.
//!
//! `blob/` serves the vault (large deposits) and the queue (relayed originals, large messages) alike.

use std::ops::Range;
use std::path::Path;

use bytes::Bytes;

use crate::id::BlobId;
use crate::keyring::DataKey;

pub mod object;
pub mod spool;
pub mod stream;

pub use object::{Object, ObjectRef, ObjectWriter, Objects};
pub use spool::{RawMessage, SpoolError, SpoolWriter};

/// Why a blob could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// No space left, or the limit of the file system.
    #[error("the disk is full")]
    Full,
    /// Any other I/O error.
    #[error("blob: {0}")]
    Disk(String),
    /// Not there.
    #[error("no such blob")]
    Missing,
    /// Truncated, reordered, swapped, flipped, or the wrong key. Nothing of the chunk is given out.
    #[error("a blob is damaged or not what it should be")]
    Unsound,
}

/// All blobs. Cheap to clone.
#[derive(Clone)]
pub struct BlobStore {
    _inner: std::sync::Arc<()>,
}

impl BlobStore {
    /// Opens the blobs below `folder` (`data_dir/blob`).
    pub fn open(_folder: &Path) -> Result<Self, BlobError> {
        todo!()
    }

    /// Begins a blob sealed under `key`. Nothing is visible until [`BlobWriter::finish`]; a writer that
    /// is dropped leaves nothing behind that the next start does not sweep.
    pub async fn create(&self, _id: BlobId, _key: DataKey) -> Result<BlobWriter, BlobError> {
        todo!()
    }

    /// Opens a blob: authenticates its header and footer, hence its length.
    pub async fn open_blob(&self, _id: BlobId, _key: &DataKey) -> Result<BlobReader, BlobError> {
        todo!()
    }

    /// Removes a blob; removing what is not there is no error.
    pub async fn remove(&self, _id: BlobId) -> Result<(), BlobError> {
        todo!()
    }

    /// Every blob there is, for the sweep and `vault verify`, in pages: ids after `after`, up to `limit`.
    pub async fn list(&self, _after: Option<BlobId>, _limit: usize) -> Result<Vec<BlobId>, BlobError> {
        todo!()
    }
}

/// A blob being written, in 64 KiB chunks; holds at most a few of them in memory.
pub struct BlobWriter {}

impl BlobWriter {
    /// Seals and stores more octets.
    pub async fn write(&mut self, _octets: &[u8]) -> Result<(), BlobError> {
        todo!()
    }

    /// Writes the footer; on disk and synced (file and folder) when it returns. The length in octets.
    pub async fn finish(self) -> Result<u64, BlobError> {
        todo!()
    }
}

/// A blob being read.
#[derive(Clone)]
pub struct BlobReader {}

impl BlobReader {
    /// The length of what was sealed.
    pub fn len(&self) -> u64 {
        todo!()
    }

    /// Whether nothing was sealed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The octets of a range, as a stream of chunks; each chunk authenticated before it is given out.
    pub fn range(&self, _range: Range<u64>) -> OctetStream {
        todo!()
    }
}

/// Octets that arrive in pieces of at most 64 KiB, from memory or from a blob.
pub struct OctetStream {}

impl OctetStream {
    /// The next piece; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        todo!()
    }
}
