//! An object: sealed octets that lie in a record while small and in a blob when large, held by those
//! who need it and swept when nobody does.

use serde::{Deserialize, Serialize};

use crate::blob::{BlobError, BlobStore, OctetStream, RawMessage};
use crate::id::BlobId;
use crate::keyring::DataKey;
use crate::store::{Batch, Store, StoreError};

/// Objects up to this size lie in a record.
pub const IN_RECORD: usize = 16 * 1024;

/// Names an object and carries its key: keep it only inside something sealed (a capsule).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ObjectRef {
    /// Its name.
    pub id: BlobId,
    /// Its length in octets.
    pub octets: u64,
    in_file: bool,
    key: DataKey,
}

/// All objects. Cheap to clone.
#[derive(Clone)]
pub struct Objects {}

impl Objects {
    /// Objects in this store and these blobs.
    pub fn new(_store: Store, _blobs: BlobStore) -> Self {
        todo!()
    }

    /// The blobs below, for spooling.
    pub fn blobs(&self) -> &BlobStore {
        todo!()
    }

    /// Begins an object under a fresh key and id.
    pub fn create(&self) -> ObjectWriter {
        todo!()
    }

    /// An object of these octets.
    pub async fn of(&self, _octets: &[u8]) -> Result<Object, BlobError> {
        todo!()
    }

    /// Makes an object of a received message: a spooled one is taken over as it lies, one in memory is written.
    pub async fn adopt(&self, _message: &RawMessage) -> Result<Object, BlobError> {
        todo!()
    }

    /// The octets of a range of it.
    pub async fn read(&self, _object: &ObjectRef, _range: std::ops::Range<u64>) -> Result<OctetStream, BlobError> {
        todo!()
    }

    /// One holder less, in this batch: the last one's batch deletes the record of the object (a file goes
    /// after the commit by [`Objects::drop_files`], or at the next sweep). Conditional on the holders as read.
    pub async fn release(&self, _batch: &mut Batch, _object: &ObjectRef) -> Result<Released, StoreError> {
        todo!()
    }

    /// Removes the files of objects released by a commit that succeeded.
    pub async fn drop_files(&self, _released: Vec<Released>) {
        todo!()
    }

    /// Removes every blob file that no record names, and that is older than this process. How many.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        todo!()
    }
}

/// What to remove once the batch that released it is committed.
#[derive(Debug)]
#[must_use]
pub struct Released(Option<BlobId>);

/// An object being written: nothing on disk while it fits in a record.
pub struct ObjectWriter {}

impl ObjectWriter {
    /// Seals and stores more octets.
    pub async fn write(&mut self, _octets: &[u8]) -> Result<(), BlobError> {
        todo!()
    }

    /// The object; its file, if it has one, is synced.
    pub async fn finish(self) -> Result<Object, BlobError> {
        todo!()
    }
}

/// A finished object that no commit holds yet.
pub struct Object {}

impl Object {
    /// Its name and key.
    pub fn reference(&self) -> ObjectRef {
        todo!()
    }

    /// Puts it into the batch, held by `holders` (at least 1).
    pub fn put(&self, _batch: &mut Batch, _holders: u32) {
        todo!()
    }
}
