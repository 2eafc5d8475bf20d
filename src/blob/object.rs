//! An object: sealed octets that lie in a record while small and in a blob when large, held by those
//! who need it and swept when nobody does.

use std::ops::Range;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::blob::{BlobError, BlobStore, BlobWriter, OctetStream, RawMessage};
use crate::event::Event;
use crate::id::{BlobId, Id};
use crate::keyring::DataKey;
use crate::random;
use crate::store::{Batch, Key, Store, StoreError, Stored, Table, decode};

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

/// Who holds an object: no key, no length.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Holders {
    count: u32,
    in_file: bool,
}

impl Stored for Holders {
    const VERSION: u8 = 1;
}

fn holders_key(id: BlobId) -> Key {
    Key::new(Table::Object, &[id.octets()])
}

fn octets_key(id: BlobId) -> Key {
    Key::new(Table::ObjectOctets, &[id.octets()])
}

/// All objects. Cheap to clone.
#[derive(Clone)]
pub struct Objects {
    store: Store,
    blobs: BlobStore,
}

impl Objects {
    /// Objects in this store and these blobs.
    pub fn new(store: Store, blobs: BlobStore) -> Self {
        Self { store, blobs }
    }

    /// The blobs below, for spooling.
    pub fn blobs(&self) -> &BlobStore {
        &self.blobs
    }

    /// Begins an object under a fresh key and id.
    pub fn create(&self) -> ObjectWriter {
        let state = Writing::Small(Vec::new());
        ObjectWriter { blobs: self.blobs.clone(), id: random::id(), key: DataKey::fresh(), state }
    }

    /// An object of these octets.
    ///
    /// # Errors
    /// As [`ObjectWriter::finish`].
    pub async fn of(&self, octets: &[u8]) -> Result<Object, BlobError> {
        let mut writer = self.create();
        writer.write(octets).await?;
        writer.finish().await
    }

    /// Makes an object of a received message: a spooled one is synced and taken over as it lies, one in memory is written.
    ///
    /// # Errors
    /// [`BlobError::Full`], [`BlobError::Disk`].
    pub async fn adopt(&self, message: &RawMessage) -> Result<Object, BlobError> {
        if let Some((id, key)) = message.blob() {
            self.blobs.sync(id).await?;
            let reference = ObjectRef { id, octets: message.len(), in_file: true, key: key.clone() };
            return Ok(Object { reference, sealed: None });
        }
        let (mut writer, mut octets) = (self.create(), message.range(0..message.len()));
        while let Some(piece) = octets.next().await? {
            writer.write(&piece).await?;
        }
        writer.finish().await
    }

    /// The octets of a range of it; what lies beyond the end is left out.
    ///
    /// # Errors
    /// [`BlobError::Missing`], [`BlobError::Unsound`], [`BlobError::Disk`].
    pub async fn read(&self, object: &ObjectRef, range: Range<u64>) -> Result<OctetStream, BlobError> {
        if object.in_file {
            return Ok(match self.blobs.short(object.id, &object.key, object.octets).await? {
                Some(pieces) => OctetStream::cut(&pieces, range),
                None => self.blobs.open_blob(object.id, &object.key).await?.range(range),
            });
        }
        let found = self.store.get_octets(&octets_key(object.id)).await;
        let record = found.map_err(|error| BlobError::Disk(error.to_string()))?.ok_or(BlobError::Missing)?;
        let octets = Bytes::from(open_small(object, record.value)?);
        let end = range.end.min(octets.len() as u64);
        let range = range.start.min(end) as usize..end as usize;
        Ok(OctetStream::of_octets(octets.slice(range)))
    }

    /// As [`Objects::read`]; what is read stays until it was read, whoever releases it meanwhile.
    ///
    /// # Errors
    /// As [`Objects::read`].
    pub async fn read_held(&self, object: &ObjectRef, range: Range<u64>) -> Result<OctetStream, BlobError> {
        if !object.in_file {
            return self.read(object, range).await;
        }
        // Held before it is opened: in between it cannot go.
        let held = self.blobs.hold(object.id)?;
        Ok(self.read(object, range).await?.holding(held))
    }

    /// The octets of a finished object that no commit holds yet.
    ///
    /// # Errors
    /// As [`Objects::read`].
    pub async fn read_finished(&self, object: &Object) -> Result<OctetStream, BlobError> {
        match &object.sealed {
            Some(sealed) => Ok(OctetStream::of_octets(open_small(&object.reference, sealed.clone())?.into())),
            None => self.read(&object.reference, 0..u64::MAX).await,
        }
    }

    /// Reads an object to its end and compares what can be compared.
    ///
    /// # Errors
    /// As [`Objects::read`].
    pub async fn verify(&self, object: &ObjectRef) -> Result<(), BlobError> {
        if object.in_file {
            let blob = self.blobs.open_blob(object.id, &object.key).await?;
            return if blob.len() == object.octets { blob.verify().await } else { Err(BlobError::Unsound) };
        }
        let octets = self.read(object, 0..u64::MAX).await?.collect().await?;
        if octets.len() as u64 == object.octets { Ok(()) } else { Err(BlobError::Unsound) }
    }

    /// One holder more, in this batch, of an object that commits hold. Conditional on the holders as read.
    ///
    /// # Errors
    /// [`BlobError::Missing`] where nobody holds it any more.
    pub async fn hold(&self, batch: &mut Batch, object: &ObjectRef) -> Result<(), BlobError> {
        let key = holders_key(object.id);
        let found = self.holders(batch, &key).await.map_err(|error| BlobError::Disk(error.to_string()))?;
        let Holders { count, in_file } = found.ok_or(BlobError::Missing)?;
        batch.put(key, &Holders { count: count.saturating_add(1), in_file });
        Ok(())
    }

    /// Who holds an object as the batch has it so far, which then depends on that.
    async fn holders(&self, batch: &mut Batch, key: &Key) -> Result<Option<Holders>, StoreError> {
        if let Some(written) = batch.written(key) {
            return Ok(written.and_then(|octets| decode(Table::Object, octets).ok()));
        }
        let record = self.store.get::<Holders>(key).await?;
        if let Some(record) = &record {
            batch.require_version(key.clone(), record.version);
        }
        Ok(record.map(|record| record.value))
    }

    /// One holder less, in this batch: the last one's batch deletes the record of the object (a file goes
    /// after the commit by [`Objects::drop_files`], or at the next sweep). Conditional on the holders as read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn release(&self, batch: &mut Batch, id: BlobId) -> Result<Released, StoreError> {
        let key = holders_key(id);
        let Some(Holders { count, in_file }) = self.holders(batch, &key).await? else { return Ok(Released(None)) };
        if count > 1 {
            batch.put(key, &Holders { count: count - 1, in_file });
            return Ok(Released(None));
        }
        batch.delete(key);
        if in_file {
            return Ok(Released(Some(id)));
        }
        batch.delete(octets_key(id));
        Ok(Released(None))
    }

    /// Removes the files of objects released by a commit that succeeded.
    pub async fn drop_files(&self, released: Vec<Released>) {
        for id in released.into_iter().filter_map(|released| released.0) {
            if let Err(error) = self.blobs.remove(id).await {
                // The next sweep finds it.
                Event::Trouble { place: "blob", cause: error.to_string() }.log();
            }
        }
    }

    /// Removes what was written for a commit that did not happen. What cannot be removed now the next sweep finds.
    pub async fn discard(&self, objects: Vec<Object>) {
        let files = objects.into_iter().filter(|object| object.reference.in_file);
        self.drop_files(files.map(|object| Released(Some(object.reference.id))).collect()).await;
    }

    /// Removes every blob file that an earlier process left and that no record names. How many. To be called once.
    ///
    /// # Errors
    /// [`StoreError`]; what is left the next start sweeps.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        let mut swept = 0;
        for id in self.blobs.take_earlier() {
            if self.is_orphan(id).await? {
                self.blobs.remove(id).await.map_err(|error| StoreError::Disk(error.to_string()))?;
                swept += 1;
            }
        }
        if swept > 0 {
            Event::Swept { blobs: swept }.log();
        }
        Ok(swept)
    }

    /// How many blob files a sweep would remove.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn orphans(&self) -> Result<u64, StoreError> {
        let mut found = 0;
        for id in self.blobs.earlier() {
            found += u64::from(self.is_orphan(id).await?);
        }
        Ok(found)
    }

    async fn is_orphan(&self, id: BlobId) -> Result<bool, StoreError> {
        Ok(self.store.get::<Holders>(&holders_key(id)).await?.is_none() && self.blobs.has(id))
    }
}

/// What to remove once the batch that released it is committed.
#[derive(Debug)]
#[must_use]
pub struct Released(Option<BlobId>);

/// An object being written: nothing on disk while it fits in a record.
pub struct ObjectWriter {
    blobs: BlobStore,
    id: BlobId,
    key: DataKey,
    state: Writing,
}

enum Writing {
    Small(Vec<u8>),
    Large(Box<BlobWriter>),
}

impl ObjectWriter {
    /// Seals and stores more octets.
    ///
    /// # Errors
    /// [`BlobError::Full`], [`BlobError::Disk`]; the writer is of no use then.
    pub async fn write(&mut self, octets: &[u8]) -> Result<(), BlobError> {
        if let Writing::Small(kept) = &mut self.state {
            if kept.len() + octets.len() <= IN_RECORD {
                kept.extend_from_slice(octets);
                return Ok(());
            }
            let mut writer = self.blobs.writer(self.id, &self.key, true);
            writer.write(kept).await?;
            self.state = Writing::Large(Box::new(writer));
        }
        match &mut self.state {
            Writing::Small(_) => Ok(()),
            Writing::Large(writer) => writer.write(octets).await,
        }
    }

    /// The object; its file, if it has one, is synced.
    ///
    /// # Errors
    /// As [`ObjectWriter::write`].
    pub async fn finish(self) -> Result<Object, BlobError> {
        let Self { id, key, state, .. } = self;
        match state {
            Writing::Small(kept) => {
                let reference = ObjectRef { id, octets: kept.len() as u64, in_file: false, key };
                let sealed = Some(seal_small(&reference, kept));
                Ok(Object { reference, sealed })
            }
            Writing::Large(writer) => {
                let octets = writer.finish().await?;
                Ok(Object { reference: ObjectRef { id, octets, in_file: true, key }, sealed: None })
            }
        }
    }
}

/// A finished object that no commit holds yet.
#[derive(Clone)]
pub struct Object {
    reference: ObjectRef,
    /// What goes into the record of a small one.
    sealed: Option<Vec<u8>>,
}

impl Object {
    /// Its name and key.
    pub fn reference(&self) -> ObjectRef {
        self.reference.clone()
    }

    /// Puts it into the batch, held by `holders` (at least 1), beside those the batch gave it already.
    pub fn put(&self, batch: &mut Batch, holders: u32) {
        let ObjectRef { id, in_file, .. } = self.reference;
        let key = holders_key(id);
        let before = batch.written(&key).flatten().and_then(|octets| decode::<Holders>(Table::Object, octets).ok());
        let count = before.map_or(0, |before| before.count) + holders.max(1);
        batch.put(key, &Holders { count, in_file });
        if let Some(sealed) = &self.sealed {
            batch.put_octets(octets_key(id), sealed.clone());
        }
    }
}

/// A small object's key seals one text, so its nonce is zero; the id is the associated data.
#[allow(clippy::expect_used, reason = "the key has the cipher's length by its type; 16 KiB are always sealed")]
fn seal_small(object: &ObjectRef, mut octets: Vec<u8>) -> Vec<u8> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, object.key.expose()).expect("32 octets are a key"));
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    let aad = Aad::from(object.id.octets());
    key.seal_in_place_append_tag(nonce, aad, &mut octets).expect("a small object is sealed");
    octets
}

fn open_small(object: &ObjectRef, mut sealed: Vec<u8>) -> Result<Vec<u8>, BlobError> {
    let key = UnboundKey::new(&AES_256_GCM, object.key.expose()).map(LessSafeKey::new);
    let key = key.map_err(|_| BlobError::Unsound)?;
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    let opened = key.open_in_place(nonce, Aad::from(object.id.octets()), &mut sealed);
    let length = opened.map_err(|_| BlobError::Unsound)?.len();
    sealed.truncate(length);
    Ok(sealed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::vectors::Vector;

    #[test]
    fn the_vector_of_a_small_object_is_made_again() {
        let mut vector = Vector::read("small-object");
        let key = vector.key("key", [0x22; 32]);
        let id = BlobId::from_octets([0x5A; 16]);
        vector.octets("id", id.octets());
        let plaintext = vector.octets("plaintext", b"a small document");
        let object = ObjectRef { id, octets: plaintext.len() as u64, in_file: false, key };
        let sealed = vector.octets("sealed", &seal_small(&object, plaintext.clone()));
        assert_eq!(open_small(&object, sealed).unwrap(), plaintext);
        vector.finish();
    }
}
