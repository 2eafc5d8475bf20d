//! Keys: the master key, the keyring it wraps, and one key for every day something may expire.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::secret::Secret;
use crate::time::Day;

pub mod capsule;

pub use capsule::Capsule;

/// Where the master key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MasterSource {
    /// A file of its own, mode 0600; made at first start.
    File(PathBuf),
    /// A command whose standard output is the key (a KMS, a TPM, systemd-creds).
    Command(String),
    /// Asked for on the terminal, stretched by Argon2id with the keyring's salt.
    Passphrase,
    /// An environment variable (discouraged: others on the machine may read it).
    Env(String),
}

/// Thirty-two octets that wrap the keyring.
#[derive(Debug, Clone)]
pub struct MasterKey(Secret<[u8; 32]>);

/// Thirty-two octets that seal one thing.
#[derive(Debug, Clone)]
pub struct DataKey(Secret<[u8; 32]>);

/// For what is itself sealed and carries the key of another thing (a parcel's list of deposits).
impl Serialize for DataKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.expose().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DataKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <[u8; 32]>::deserialize(deserializer).map(|octets| Self(Secret::new(octets)))
    }
}

/// What a day's keys are for; each class has a key of its own, so that punching one leaves the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum KeyClass {
    /// Grants: deposits, subjects, names, texts of parcels.
    Grant,
    /// Mail on its way: queue entries and what they carry.
    Transit,
    /// Contacts: addresses, names, birthdates.
    Contact,
}

/// A data key, wrapped under the key of the day after which nobody may open it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrappedKey {
    /// The last day on which it can be unwrapped.
    pub day: Day,
    /// Which of the day's keys.
    pub class: KeyClass,
    /// Counts how often the day's key was punched (replaced by a fresh one, survivors re-wrapped).
    pub generation: u16,
    /// AES-256-GCM of the data key.
    pub sealed: Vec<u8>,
}

/// Why a key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The day's key is destroyed, or lies beyond the days that have keys.
    #[error("the key of {0} is destroyed or not made yet")]
    NoKeyFor(Day),
    /// What was to be unwrapped is not what was wrapped.
    #[error("a wrapped key does not open: wrong key or damaged data")]
    Unsound,
    /// A file or the key source; words for the admin, with the remedy.
    #[error("{0}")]
    Source(String),
}

/// The keys in use. Cheap to clone; all clones see the same keys.
#[derive(Clone)]
pub struct Keyring {
    _inner: std::sync::Arc<()>,
}

/// A keyed hash under which something is found without its text being stored.
pub type LookupHash = [u8; 16];

impl Keyring {
    /// Opens the keyring in `folder` (or makes it, where neither it nor the folder's files exist) and makes
    /// day keys up to 400 days after `today`.
    pub fn open(_folder: &Path, _master: &MasterKey, _today: Day) -> Result<Self, KeyringError> {
        todo!()
    }

    /// The keyed hash of `text` for one purpose (`"address"`, `"token"`). Never changes for a keyring.
    pub fn lookup(&self, _purpose: &'static str, _text: &[u8]) -> LookupHash {
        todo!()
    }

    /// Wraps a data key so that it opens until the end of `day`. `context` must be given again to unwrap.
    pub fn wrap(
        &self,
        _day: Day,
        _class: KeyClass,
        _key: &DataKey,
        _context: &[u8],
    ) -> Result<WrappedKey, KeyringError> {
        todo!()
    }

    /// The inverse of [`Keyring::wrap`].
    pub fn unwrap(&self, _wrapped: &WrappedKey, _context: &[u8]) -> Result<DataKey, KeyringError> {
        todo!()
    }

    /// Makes keys up to 400 days after `today`; called daily.
    pub fn extend(&self, _today: Day) -> Result<(), KeyringError> {
        todo!()
    }

    /// Makes a fresh key for the day and class beside the present one; [`Keyring::wrap`] uses it from now on.
    pub fn begin_punch(&self, _day: Day, _class: KeyClass) -> Result<(), KeyringError> {
        todo!()
    }

    /// Destroys all but the newest key of the day and class, on disk first.
    pub fn finish_punch(&self, _day: Day, _class: KeyClass) -> Result<(), KeyringError> {
        todo!()
    }

    /// Destroys the keys of all days before `today`, on disk first, then in memory. Says which.
    pub fn destroy_before(&self, _today: Day) -> Result<Vec<Day>, KeyringError> {
        todo!()
    }
}
