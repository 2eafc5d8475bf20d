//! Sealed streams of octets in files (later: an object store), and the spool of messages coming in.
//!
//! `blob/` serves the vault (large deposits) and the queue (relayed originals, large messages) alike.

pub mod files;
pub mod object;
pub mod read;
pub mod spool;
pub mod stream;

pub use files::{BlobStore, BlobWriter};
pub use object::{Object, ObjectRef, ObjectWriter, Objects, Released};
pub use read::{BlobReader, OctetStream};
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

impl From<std::io::Error> for BlobError {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind::{FileTooLarge, NotFound, QuotaExceeded, StorageFull};
        match error.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => Self::Full,
            NotFound => Self::Missing,
            _ => Self::Disk(error.to_string()),
        }
    }
}

/// The cause decides: a full disk lies some layers below what `object_store` says.
impl From<object_store::Error> for BlobError {
    fn from(error: object_store::Error) -> Self {
        if matches!(error, object_store::Error::NotFound { .. }) {
            return Self::Missing;
        }
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(layer) = cause {
            if let Some(io) = layer.downcast_ref::<std::io::Error>() {
                return io.kind().into();
            }
            cause = layer.source();
        }
        // Its words hold paths of ids, nothing of a person.
        Self::Disk(error.to_string())
    }
}

impl From<std::io::ErrorKind> for BlobError {
    fn from(kind: std::io::ErrorKind) -> Self {
        std::io::Error::from(kind).into()
    }
}

#[cfg(test)]
mod tests;
