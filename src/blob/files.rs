//! Blobs as files: one each, under its id, in 256 folders by the id's last two characters (the first ones are its time).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt};

use crate::blob::read::SHORT;
use crate::blob::stream::{CHUNK, Cipher, FOOTER, HEADER, Sealing, TAG};
use crate::blob::{BlobError, BlobReader};
use crate::id::BlobId;
use crate::keyring::DataKey;
use crate::random;
use crate::store::crash::{Step, reach};
use crate::store::require_room;

/// Sealed octets given to the disk at once: four chunks.
const PART: usize = 4 * (CHUNK + TAG);
/// What is set aside for a part: the first has the header too, the last the footer.
const PART_CAPACITY: usize = PART + HEADER + FOOTER;

/// All blobs. Cheap to clone.
#[derive(Clone)]
pub struct BlobStore {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    /// Returns when file and folder are synced.
    durable: LocalFileSystem,
    /// Leaves syncing to [`BlobStore::sync`].
    hasty: LocalFileSystem,
    /// The blobs that were there when it was opened, until the sweep takes them.
    earlier: Mutex<Vec<BlobId>>,
    /// The blobs that are read by who must come to their end, and those that are being removed.
    held: Mutex<HashMap<BlobId, Holding>>,
}

/// The names of the 256 folders: what an id's last 8 bits look like in base32.
fn folders() -> impl Iterator<Item = String> {
    let letters = "abcdefghijklmnopqrstuvwxyz234567";
    let last: Vec<char> = letters.chars().step_by(4).collect();
    letters.chars().flat_map(move |first| last.clone().into_iter().map(move |second| format!("{first}{second}")))
}

fn folder_of(id: BlobId) -> String {
    id.to_string().split_off(24)
}

fn path_of(id: BlobId) -> Path {
    Path::from_iter([folder_of(id), id.to_string()])
}

impl BlobStore {
    /// Opens the blobs below `folder` (`data_dir/blob`); makes the folders that are missing, and removes what unfinished
    /// writers of an earlier process left.
    ///
    /// # Errors
    /// [`BlobError::Disk`] or [`BlobError::Full`].
    pub fn open(folder: &FilePath) -> Result<Self, BlobError> {
        let is_new = !folder.is_dir();
        let mut earlier = Vec::new();
        for name in folders() {
            let folder = folder.join(name);
            if !folder.is_dir() {
                std::fs::create_dir_all(&folder)?;
            }
            tidy(&folder, &mut earlier)?;
        }
        std::fs::File::open(folder)?.sync_all()?;
        if let Some(parent) = folder.parent().filter(|_| is_new) {
            std::fs::File::open(parent)?.sync_all()?;
        }
        let files = LocalFileSystem::new_with_prefix(folder)?;
        let inner = Inner {
            folder: folder.to_owned(),
            durable: files.clone().with_fsync(true),
            hasty: files,
            earlier: Mutex::new(earlier),
            held: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Begins a blob sealed under `key`, which serves no other blob. Nothing is visible until [`BlobWriter::finish`]; a
    /// writer that is dropped leaves nothing behind that the next start does not remove.
    ///
    /// # Errors
    /// None yet; an object store on another machine may have some.
    pub async fn create(&self, id: BlobId, key: DataKey) -> Result<BlobWriter, BlobError> {
        Ok(self.writer(id, &key, true))
    }

    /// A writer; one that is not durable returns before its file is synced.
    pub(super) fn writer(&self, id: BlobId, key: &DataKey, durable: bool) -> BlobWriter {
        let sealing = Sealing::new(Cipher::new(id, key, random::octets()), PART_CAPACITY);
        BlobWriter { blobs: self.clone(), path: path_of(id), sealing, durable, upload: None }
    }

    pub(super) fn files(&self) -> &LocalFileSystem {
        &self.inner.durable
    }

    /// Syncs a blob that a hasty writer finished, and its folder.
    pub(super) async fn sync(&self, id: BlobId) -> Result<(), BlobError> {
        let folder = self.inner.folder.join(folder_of(id));
        let synced = tokio::task::spawn_blocking(move || {
            std::fs::File::open(folder.join(id.to_string()))?.sync_all()?;
            std::fs::File::open(folder)?.sync_all()
        });
        synced.await.map_err(|_| BlobError::Disk("syncing was interrupted".into()))??;
        reach(Step::BlobsSynced);
        Ok(())
    }

    /// Opens a blob: authenticates its header and footer, hence its length.
    ///
    /// # Errors
    /// [`BlobError::Missing`]; [`BlobError::Unsound`] where header or footer do not open or do not fit the file.
    pub async fn open_blob(&self, id: BlobId, key: &DataKey) -> Result<BlobReader, BlobError> {
        BlobReader::open(self.clone(), id, path_of(id), key).await
    }

    /// The octets of a blob that is known to have so many, where they are few; `None` where it must be opened to be read, or to
    /// learn what is wrong with it.
    ///
    /// # Errors
    /// [`BlobError::Missing`].
    pub(super) async fn short(&self, id: BlobId, key: &DataKey, octets: u64) -> Result<Option<Vec<Bytes>>, BlobError> {
        if octets > SHORT {
            return Ok(None);
        }
        match BlobReader::short(self, id, &path_of(id), (key, octets)).await {
            Err(BlobError::Missing) => Err(BlobError::Missing),
            read => Ok(read.ok()),
        }
    }

    /// Removes a blob; removing what is not there is no error. One that somebody holds goes when they let go of it, or at
    /// the next start.
    ///
    /// # Errors
    /// [`BlobError::Disk`].
    pub async fn remove(&self, id: BlobId) -> Result<(), BlobError> {
        match self.held().entry(id) {
            Entry::Occupied(mut held) => {
                if let Holding::Read { doomed, .. } = held.get_mut() {
                    *doomed = true;
                }
                return Ok(());
            }
            Entry::Vacant(free) => free.insert(Holding::Going),
        };
        let blobs = self.clone();
        // It runs to its end, also where nobody waits for it any more.
        let removed = tokio::task::spawn_blocking(move || {
            let removed = std::fs::remove_file(blobs.file(id));
            blobs.held().remove(&id);
            removed
        });
        let removed = removed.await.map_err(|_| BlobError::Disk("removing was interrupted".into()))?;
        match removed.map_err(BlobError::from) {
            Ok(()) | Err(BlobError::Missing) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Keeps a blob where it is while somebody reads it who has said how much there is to come.
    ///
    /// # Errors
    /// [`BlobError::Missing`] where it is being removed already.
    pub(super) fn hold(&self, id: BlobId) -> Result<Held, BlobError> {
        let mut held = self.held();
        match held.entry(id).or_insert(Holding::Read { readers: 0, doomed: false }) {
            Holding::Read { readers, .. } => *readers += 1,
            Holding::Going => return Err(BlobError::Missing),
        }
        Ok(Held { blobs: self.clone(), id })
    }

    fn file(&self, id: BlobId) -> PathBuf {
        self.inner.folder.join(folder_of(id)).join(id.to_string())
    }

    fn held(&self) -> MutexGuard<'_, HashMap<BlobId, Holding>> {
        self.inner.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The blobs of earlier processes: those that were there when it was opened. No clock says which they are: one that
    /// was set back would make fresh blobs look old.
    pub(super) fn earlier(&self) -> Vec<BlobId> {
        self.inner.earlier.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As [`BlobStore::earlier`], once.
    pub(super) fn take_earlier(&self) -> Vec<BlobId> {
        std::mem::take(&mut self.inner.earlier.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether there is such a file.
    pub(super) fn has(&self, id: BlobId) -> bool {
        self.file(id).exists()
    }
}

/// What keeps a blob from coming or going.
enum Holding {
    /// So many read it.
    Read {
        readers: usize,
        /// Whether it is to go with the last of them.
        doomed: bool,
    },
    /// It is being removed: who comes now comes too late, and must not begin what they could not end.
    Going,
}

/// A blob that stays until this is dropped.
pub(super) struct Held {
    blobs: BlobStore,
    id: BlobId,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self.blobs.held();
        let Some(Holding::Read { readers, doomed }) = held.get_mut(&self.id) else { return };
        *readers -= 1;
        if *readers > 0 {
            return;
        }
        let doomed = *doomed;
        held.remove(&self.id);
        if doomed {
            // What cannot be removed now the next sweep finds.
            let _ = std::fs::remove_file(self.blobs.file(self.id));
        }
    }
}

/// Removes what an unfinished writer left (`object_store` writes to `NAME#NUMBER` and renames), and lists the blobs.
fn tidy(folder: &FilePath, blobs: &mut Vec<BlobId>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().contains('#') {
            std::fs::remove_file(entry.path())?;
        } else {
            blobs.extend(name.to_str().and_then(|name| name.parse::<BlobId>().ok()));
        }
    }
    Ok(())
}

/// A blob being written, in 64 KiB chunks; holds at most five of them in memory.
pub struct BlobWriter {
    blobs: BlobStore,
    path: Path,
    sealing: Sealing,
    durable: bool,
    upload: Option<Box<dyn MultipartUpload>>,
}

impl BlobWriter {
    fn store(&self) -> &LocalFileSystem {
        if self.durable { &self.blobs.inner.durable } else { &self.blobs.inner.hasty }
    }

    /// Seals and stores more octets.
    ///
    /// # Errors
    /// [`BlobError::Full`], [`BlobError::Disk`]; the writer is of no use then.
    pub async fn write(&mut self, mut octets: &[u8]) -> Result<(), BlobError> {
        while !octets.is_empty() {
            octets = self.sealing.take(octets);
            if self.sealing.waiting() >= PART
                && let Some(part) = self.sealing.give(PART_CAPACITY)
            {
                self.put_part(part).await?;
            }
        }
        Ok(())
    }

    async fn put_part(&mut self, part: Vec<u8>) -> Result<(), BlobError> {
        require_room(&self.blobs.inner.folder)?;
        let mut upload = match self.upload.take() {
            Some(upload) => upload,
            None => self.store().put_multipart(&self.path).await?,
        };
        upload.put_part(part.into()).await?;
        self.upload = Some(upload);
        Ok(())
    }

    /// Octets written so far.
    pub fn len(&self) -> u64 {
        self.sealing.octets()
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the footer; on disk and synced (file and folder) when it returns. The length in octets.
    ///
    /// # Errors
    /// As [`BlobWriter::write`].
    pub async fn finish(self) -> Result<u64, BlobError> {
        let Self { blobs, path, sealing, durable, upload } = self;
        let (last, octets) = sealing.finish();
        match upload {
            None => {
                require_room(&blobs.inner.folder)?;
                let store = if durable { &blobs.inner.durable } else { &blobs.inner.hasty };
                store.put(&path, last.into()).await?;
            }
            Some(mut upload) => {
                upload.put_part(last.into()).await?;
                upload.complete().await?;
            }
        }
        if durable {
            reach(Step::BlobsSynced);
        }
        Ok(octets)
    }
}
