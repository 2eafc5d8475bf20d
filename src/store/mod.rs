//! The store: ordered keys, sealed values, one atomic conditional commit; the only module that names
//! a database engine.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Serialize, de::DeserializeOwned};

use crate::keyring::Keyring;
use crate::time::Timestamp;

/// Every kind of record, and the first octet of its keys. Numbers are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// Facts about the store itself (last clock reading, first-start marks).
    Meta = 0,
    /// `StaffId` → staff account.
    Staff = 1,
    /// keyed hash of an address → `StaffId`.
    StaffByAddress = 2,
    /// `ContactId` → contact.
    Contact = 3,
    /// keyed hash of an address → `ContactId`.
    ContactByAddress = 4,
    /// `TransactionId` → what was accepted, from whom, when.
    Transaction = 5,
    /// `ParcelId` → parcel.
    Parcel = 6,
    /// `BlobId` → who holds the object, and whether it lies in a record or a file.
    Object = 7,
    /// `BlobId` → sealed octets of a small object (at most 16 KiB).
    ObjectOctets = 8,
    /// `GrantId` → grant.
    Grant = 9,
    /// hash of a link token → `GrantId`.
    GrantByToken = 10,
    /// due moment, kind, id → nothing; what `agenda` walks.
    Agenda = 11,
    /// `QueueId` → queue entry.
    Queue = 12,
    /// due moment, `QueueId` → nothing.
    QueueDue = 13,
    /// last day, `GrantId` → nothing; whose keys are wrapped under that day.
    GrantByDay = 14,
    /// `TransactionId`, `GrantId` → nothing; the grants of a message.
    GrantByTransaction = 15,
}

/// Where a record is: a table and the octets of its id. The octets hold ids, times and keyed hashes only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Which kind of record.
    pub table: Table,
    /// At most 64 octets.
    pub octets: Vec<u8>,
}

impl Key {
    /// The key made of these pieces.
    pub fn new(table: Table, pieces: &[&[u8]]) -> Self {
        Self { table, octets: pieces.concat() }
    }
}

/// A type that is kept in the store: postcard behind one octet of version. Reading an old version is
/// the type's own business and is tested.
pub trait Stored: Serialize + DeserializeOwned {
    /// The version written today.
    const VERSION: u8;

    /// Reads what an older version wrote; `None` where that version never was.
    fn upgrade(_version: u8, _octets: &[u8]) -> Option<Self> {
        None
    }
}

/// A record as read, with the version that a conditional commit can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<T> {
    /// The sequence number of the commit that wrote it.
    pub version: u64,
    /// What was written.
    pub value: T,
}

/// What one commit changes, and what must be true for it.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    // require: Vec<(Key, Expected)>, writes: Vec<(Key, Option<Vec<u8>>)>
}

impl Batch {
    /// The commit fails with [`CommitError::Conflict`] unless there is no such record.
    pub fn require_absent(&mut self, _key: Key) -> &mut Self {
        todo!()
    }

    /// The commit fails with [`CommitError::Conflict`] unless the record was last written by this commit.
    pub fn require_version(&mut self, _key: Key, _version: u64) -> &mut Self {
        todo!()
    }

    /// Writes a record of at most 256 KiB (the engine splits it to its own size).
    pub fn put<T: Stored>(&mut self, _key: Key, _value: &T) -> &mut Self {
        todo!()
    }

    /// Writes octets as they are (at most 256 KiB).
    pub fn put_octets(&mut self, _key: Key, _octets: Vec<u8>) -> &mut Self {
        todo!()
    }

    /// Removes a record; removing what is not there is no error.
    pub fn delete(&mut self, _key: Key) -> &mut Self {
        todo!()
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        todo!()
    }
}

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

/// Why a commit did not happen. Nothing of it is visible then, and nothing of it will be.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A condition did not hold.
    #[error("another change came first")]
    Conflict,
    /// No space, or an I/O error; the store takes no commits until it can write again.
    #[error("the disk does not take it: {0}")]
    Disk(String),
    /// A record over 256 KiB, or a batch over 8 MiB.
    #[error("too large for one commit")]
    TooLarge,
}

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data folder is in use by another process.
    #[error("the data folder {0} is in use by another postern")]
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
    /// `data_dir`; the store keeps `db/`, `journal/`, `checkpoint/` and `lock` below it.
    pub folder: PathBuf,
    /// sled's cache, in octets.
    pub cache: u64,
    /// A checkpoint is made when the journal has grown by this many octets.
    pub checkpoint_every: u64,
}

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    _inner: std::sync::Arc<()>,
}

impl Store {
    /// Opens or makes the store: sled where it is sound and current, else checkpoint and journal.
    pub async fn open(_settings: StoreSettings, _keyring: Keyring) -> Result<Self, StoreError> {
        todo!()
    }

    /// One record.
    pub async fn get<T: Stored>(&self, _key: &Key) -> Result<Option<Record<T>>, StoreError> {
        todo!()
    }

    /// Octets written by [`Batch::put_octets`].
    pub async fn get_octets(&self, _key: &Key) -> Result<Option<Record<Vec<u8>>>, StoreError> {
        todo!()
    }

    /// Up to `limit` records of one table with `from <= key < to`, in key order.
    pub async fn scan<T: Stored>(
        &self,
        _table: Table,
        _from: &[u8],
        _to: &[u8],
        _limit: usize,
    ) -> Result<Vec<(Vec<u8>, Record<T>)>, StoreError> {
        todo!()
    }

    /// Up to `limit` keys of one table with `from <= key < to`, in key order.
    pub async fn scan_keys(
        &self,
        _table: Table,
        _from: &[u8],
        _to: &[u8],
        _limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        todo!()
    }

    /// All or nothing, on disk and synced when it returns, and visible to every later read.
    pub async fn commit(&self, _batch: Batch) -> Result<Committed, CommitError> {
        todo!()
    }

    /// Writes a sealed export of everything and lets older journal files go.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        todo!()
    }

    /// Syncs and closes; the next start need not replay.
    pub async fn close(self) -> Result<(), StoreError> {
        todo!()
    }
}

/// The store's own clock, by which leases, expiry and due work are judged.
pub fn now() -> Timestamp {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}
