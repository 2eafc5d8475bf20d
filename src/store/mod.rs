//! The store: ordered keys, sealed values, one atomic conditional commit; the only module that names
//! a database engine.
//!
//! A commit is one record in a sealed journal, appended and group-synced: that is [`Committed`]. Then it is
//! applied to sled, an index that can be rebuilt from checkpoint and journal at any time. Formats:
//! `docs/storage.md`.

use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::{oneshot, watch};

use crate::keyring::Keyring;
use crate::keyring::seal::Sealer;
use crate::time::Timestamp;

mod batch;
mod checkpoint;
pub mod crash;
mod disk;
mod frame;
mod index;
mod journal;
mod key;
mod open;
mod recent;
mod several;
mod shared;
mod state;
mod writer;

pub use batch::Batch;
pub use key::{Key, Record, Stored, Table};

use shared::Shared;
use writer::{Order, Request, Writer};

/// Proof that a commit is on disk, synced. Only the store makes it; only it lets 250 be said.
#[derive(Debug)]
pub struct Committed {
    sequence: u64,
}

impl Committed {
    /// The commit's place in the journal.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }
}

/// Why a commit did not happen. Nothing of it is visible then, and nothing of it will be, except after
/// [`CommitError::Unknown`].
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A condition did not hold.
    #[error("another change came first")]
    Conflict,
    /// No space, or an I/O error; the store takes no commits until it can write again.
    #[error("the disk does not take it: {0}")]
    Disk(String),
    /// Writing failed, and so did taking it back: the next start may find that it happened. What it names must be kept.
    #[error("the disk does not take it, and it cannot be taken back yet: {0}")]
    Unknown(String),
    /// A record over 256 KiB, a key over 64 octets, or a batch over 12 MiB.
    #[error("too large for one commit")]
    TooLarge,
}

impl CommitError {
    /// The same, for another whose change was in the same commit.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Conflict => Self::Conflict,
            Self::Disk(cause) => Self::Disk(cause.clone()),
            Self::Unknown(cause) => Self::Unknown(cause.clone()),
            Self::TooLarge => Self::TooLarge,
        }
    }
}

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data folder is in use by another process.
    #[error("the data folder {0} is in use by another postern; stop that one first, or use another data_dir")]
    InUse(PathBuf),
    /// I/O.
    #[error("cannot read or write the data folder: {0}")]
    Disk(String),
    /// A record does not open, or is of no known version.
    #[error("a record is damaged: {0}")]
    Unsound(String),
    /// Neither sled nor checkpoint and journal can be opened with this keyring.
    #[error("{0}")]
    CannotOpen(String),
}

/// How the store is opened.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// `data_dir`; the store keeps `db/`, `journal/`, `checkpoint/`, `db.state` and `lock` below it.
    pub folder: PathBuf,
    /// sled's cache, in octets.
    pub cache: u64,
    /// A checkpoint is made when the journal has grown by this many octets.
    pub checkpoint_every: u64,
}

/// The store. Cheap to clone. When the last clone is dropped everything committed is on disk.
#[derive(Clone)]
pub struct Store {
    handle: Arc<Handle>,
}

struct Handle {
    orders: Sender<Order>,
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Handle {
    fn join(&self) {
        if let Some(writer) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A writer that panicked has nothing left to wait for; its journal is as good as its last sync.
            let _ = writer.join();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Close(None));
        self.join();
    }
}

fn closed() -> StoreError {
    StoreError::Disk("the store is closed".into())
}

impl Store {
    /// Opens or makes the store: sled where it is sound and current, else checkpoint and journal.
    ///
    /// # Errors
    /// [`StoreError::InUse`]; [`StoreError::CannotOpen`] with the file and the remedy; [`StoreError::Disk`].
    pub async fn open(settings: StoreSettings, keyring: Keyring) -> Result<Self, StoreError> {
        let opened = tokio::task::spawn_blocking(move || Self::open_blocking(settings, &keyring)).await;
        opened.map_err(|_| StoreError::CannotOpen("opening the store failed, and the log says where; move the folder db away, and the next start rebuilds it from the journal".into()))?
    }

    fn open_blocking(settings: StoreSettings, keyring: &Keyring) -> Result<Self, StoreError> {
        let (shared, journal) = open::open(settings, keyring)?;
        let shared = Arc::new(shared);
        let (orders, inbox) = channel();
        let writer = Writer {
            shared: Arc::clone(&shared),
            journal,
            sealer: Sealer::new(&keyring.derive("journal")),
            orders: orders.clone(),
            checkpointing: None,
        };
        let thread = std::thread::Builder::new().name("store-writer".into()).spawn(move || writer.run(inbox));
        let thread = thread.map_err(|error| StoreError::Disk(error.to_string()))?;
        Ok(Self { handle: Arc::new(Handle { orders, shared, writer: Mutex::new(Some(thread)) }) })
    }

    fn told<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error @ StoreError::Unsound(_)) = &result {
            self.handle.shared.found_unsound(error);
        }
        result
    }

    /// One record.
    ///
    /// # Errors
    /// [`StoreError::Unsound`] where it does not open or is of no known version.
    pub async fn get<T: Stored>(&self, key: &Key) -> Result<Option<Record<T>>, StoreError> {
        let Some((version, value)) = self.told(self.handle.shared.index.get(key.table as u8, &key.octets))? else {
            return Ok(None);
        };
        decode(key.table, &value).map(|value| Some(Record { version, value }))
    }

    /// What `read` makes of the octets of the records under these keys of one table, in their order; `None` is no record. Unlike
    /// [`Store::get`] it keeps the thread until all are read, so it is for threads that others do not wait for. `read` says
    /// `None` of a version that it does not know.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub fn each<K: AsRef<[u8]>, T>(
        &self,
        table: Table,
        keys: &[K],
        mut read: impl FnMut(usize, &[u8]) -> Option<T>,
    ) -> Result<Vec<Option<T>>, StoreError> {
        let mut made = Vec::with_capacity(keys.len());
        self.told(self.handle.shared.index.each(table as u8, keys, |octets| {
            let one = octets.map(|octets| read(made.len(), octets).ok_or_else(|| unknown(table)));
            made.push(one.transpose()?);
            Ok(())
        }))?;
        Ok(made)
    }

    /// Octets written by [`Batch::put_octets`].
    ///
    /// # Errors
    /// As [`Store::get`].
    pub async fn get_octets(&self, key: &Key) -> Result<Option<Record<Vec<u8>>>, StoreError> {
        let found = self.told(self.handle.shared.index.get(key.table as u8, &key.octets))?;
        Ok(found.map(|(version, value)| Record { version, value: value.into() }))
    }

    /// Up to `limit` records of one table with `from <= key < to`, in key order; an empty `to` is the table's end.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub async fn scan<T: Stored>(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Record<T>)>, StoreError> {
        let records = self.handle.shared.index.records(table as u8, from, to, limit).take(limit);
        let found: Result<Vec<_>, StoreError> = self.told(records.collect());
        let typed = found?
            .into_iter()
            .map(|(key, (version, octets))| decode(table, &octets).map(|value| (key, Record { version, value })));
        typed.collect()
    }

    /// Up to `limit` keys of one table with `from <= key < to`, in key order; an empty `to` is the table's end.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub async fn scan_keys(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let keys = self.handle.shared.index.keys(table as u8, from, to, limit).take(limit);
        self.told(keys.collect())
    }

    /// A number that changes after each commit that touched the table: for those who wait instead of polling.
    pub fn watch(&self, table: Table) -> watch::Receiver<u64> {
        self.handle.shared.watches.watch(table as u8)
    }

    /// All or nothing, on disk and synced when it returns, and visible to every later read. Once asked for it
    /// happens, also when the asker stops waiting.
    ///
    /// # Errors
    /// [`CommitError`]; then nothing of it happened.
    pub async fn commit(&self, batch: Batch) -> Result<Committed, CommitError> {
        let (reply, answer) = oneshot::channel();
        let request = Request::of(batch, reply).ok_or(CommitError::TooLarge)?;
        let closed = || CommitError::Disk("the store is closed".into());
        self.handle.orders.send(Order::Commit(request)).map_err(|_| closed())?;
        answer.await.map_err(|_| CommitError::Unknown("the store's writer ended".into()))?
    }

    /// Writes a sealed export of everything and lets older journal files go. Commits go on meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Disk`]; then the older checkpoint and all journal files are still there.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        let (shared, orders) = (Arc::clone(&self.handle.shared), self.handle.orders.clone());
        tokio::task::spawn_blocking(move || shared.checkpoint(&orders)).await.map_err(|_| closed())?
    }

    /// Syncs and closes; the next start need not replay. Other clones can read on, and commit nothing more.
    ///
    /// # Errors
    /// [`StoreError::Disk`]; what was committed is safe in the journal all the same.
    pub async fn close(self) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.handle.orders.send(Order::Close(Some(reply))).map_err(|_| closed())?;
        let result = answer.await.map_err(|_| closed())?;
        let handle = Arc::clone(&self.handle);
        tokio::task::spawn_blocking(move || handle.join()).await.map_err(|_| closed())?;
        result
    }
}

/// Fails, as a full disk does, where `folder`'s has no room for new work: so much is kept for what ends and settles work.
pub(crate) fn require_room(folder: &std::path::Path) -> std::io::Result<()> {
    disk::require_space(folder, disk::RESERVE)
}

/// A record's octets as what they say.
pub(crate) fn decode<T: Stored>(table: Table, octets: &[u8]) -> Result<T, StoreError> {
    key::decode(octets).ok_or_else(|| unknown(table))
}

fn unknown(table: Table) -> StoreError {
    StoreError::Unsound(format!("one of {table:?} is of no known version"))
}

/// The store's own clock, by which leases, expiry and due work are judged.
#[allow(clippy::disallowed_methods, reason = "this is the place where the wall clock is read")]
pub fn now() -> Timestamp {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
