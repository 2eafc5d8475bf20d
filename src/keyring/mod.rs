//! Keys: the master key, the keyring it opens, and one key for every day something may expire.
//!
//! The keyring lies outside the data folder and outside its backups. When a day has passed its keys are
//! destroyed, and nothing that was wrapped under them opens any more, in any copy of the data.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::{hkdf, hmac};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::random;
use crate::secret::Secret;
use crate::time::Day;

pub mod capsule;
mod days;
mod file;
mod master;
pub mod seal;

pub use capsule::Capsule;
pub use days::DAYS_AHEAD;
pub use master::{MasterKey, MasterSource};

use file::{Content, KeyringFile};
use seal::Sealer;

/// Thirty-two octets that seal one thing.
#[derive(Debug, Clone)]
pub struct DataKey(Secret<[u8; 32]>);

impl DataKey {
    /// A key from the operating system's randomness.
    pub fn fresh() -> Self {
        Self::from_octets(random::octets())
    }

    /// The key with these octets.
    pub(crate) fn from_octets(octets: [u8; 32]) -> Self {
        Self(Secret::new(octets))
    }

    /// Its octets; the name marks the door.
    pub(crate) fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

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
    /// Grants, and nothing else: the vault re-wraps all of them when it punches a day.
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
    /// AES-256-GCM-SIV of the data key: nonce, ciphertext, tag.
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

/// A keyed hash under which something is found without its text being stored.
pub type LookupHash = [u8; 16];

/// The keys in use. Cheap to clone; all clones see the same keys.
#[derive(Clone)]
pub struct Keyring {
    inner: Arc<Inner>,
}

struct Inner {
    file: KeyringFile,
    lookup: hmac::Key,
    content: Mutex<Content>,
}

impl Keyring {
    /// Whether there is a keyring in `folder`.
    pub fn exists(folder: &Path) -> bool {
        KeyringFile::exists(folder)
    }

    /// Makes a keyring in `folder`, with day keys up to [`DAYS_AHEAD`] after `today`. Only for a first start: what an
    /// older keyring sealed, this one does not open.
    ///
    /// # Errors
    /// [`KeyringError::Source`] where there is one already, or it cannot be written.
    pub fn create(folder: &Path, master: &MasterKey, today: Day) -> Result<Self, KeyringError> {
        if Self::exists(folder) {
            let shown = folder.display();
            return Err(KeyringError::Source(format!("there is a keyring in {shown} already; it is not replaced")));
        }
        let mut content = Content { records: DataKey::fresh(), lookup: DataKey::fresh(), days: Default::default() };
        content.days.extend(today);
        let file = KeyringFile::create(folder, master, &content)?;
        Ok(Self::of(file, content))
    }

    /// Opens the keyring in `folder` and makes day keys up to [`DAYS_AHEAD`] after `today`. Never makes a keyring: one
    /// that is missing beside data is a loss to be told, not to be papered over.
    ///
    /// # Errors
    /// [`KeyringError::Source`], with the remedy, where it is missing, readable by others, damaged, or sealed by another
    /// master key.
    pub fn open(folder: &Path, master: &MasterKey, today: Day) -> Result<Self, KeyringError> {
        let (file, content) = KeyringFile::open(folder, master)?;
        let keyring = Self::of(file, content);
        keyring.extend(today)?;
        Ok(keyring)
    }

    fn of(file: KeyringFile, content: Content) -> Self {
        let lookup = hmac::Key::new(hmac::HMAC_SHA256, content.lookup.expose());
        Self { inner: Arc::new(Inner { file, lookup, content: Mutex::new(content) }) }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.inner.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the keys on disk first, then in memory.
    fn change<T>(&self, change: impl FnOnce(&mut Content) -> Result<T, KeyringError>) -> Result<T, KeyringError> {
        let mut content = self.content();
        let mut changed = content.clone();
        let result = change(&mut changed)?;
        self.inner.file.write(&changed)?;
        *content = changed;
        Ok(result)
    }

    /// The keyed hash of `text` for one purpose (`"address"`, `"token"`): the first half of HMAC-SHA-256 over the
    /// purpose, a NUL and the text. Never changes for a keyring.
    pub fn lookup(&self, purpose: &'static str, text: &[u8]) -> LookupHash {
        let mut context = hmac::Context::with_key(&self.inner.lookup);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(text);
        let mut hash = LookupHash::default();
        hash.copy_from_slice(&context.sign().as_ref()[..16]);
        hash
    }

    /// The key derived (HKDF-SHA-256) from the records key for one purpose of the store.
    #[allow(clippy::expect_used, reason = "32 octets are a length HKDF gives")]
    pub(crate) fn derive(&self, purpose: &'static str) -> DataKey {
        let content = self.content();
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, b"postern").extract(content.records.expose());
        let info = [purpose.as_bytes()];
        let mut octets = [0; 32];
        secret
            .expand(&info, hkdf::HKDF_SHA256)
            .and_then(|derived| derived.fill(&mut octets))
            .expect("a derived key of 32 octets");
        DataKey::from_octets(octets)
    }

    /// Wraps a data key so that it opens until the end of `day`. `context` must be given again to unwrap.
    ///
    /// # Errors
    /// [`KeyringError::NoKeyFor`] where the day has passed or lies too far ahead.
    pub fn wrap(&self, day: Day, class: KeyClass, key: &DataKey, context: &[u8]) -> Result<WrappedKey, KeyringError> {
        let content = self.content();
        let (generation, day_key) = content.days.newest(day, class).ok_or(KeyringError::NoKeyFor(day))?;
        let sealer = Sealer::new(day_key);
        drop(content);
        let sealed = sealer.seal(&wrap_context(day, class, generation, context), key.expose());
        Ok(WrappedKey { day, class, generation, sealed })
    }

    /// The inverse of [`Keyring::wrap`].
    ///
    /// # Errors
    /// [`KeyringError::NoKeyFor`] once the day has passed or its key was punched; [`KeyringError::Unsound`].
    pub fn unwrap(&self, wrapped: &WrappedKey, context: &[u8]) -> Result<DataKey, KeyringError> {
        let WrappedKey { day, class, generation, .. } = *wrapped;
        let content = self.content();
        let sealer = content.days.get(day, class, generation).map(Sealer::new).ok_or(KeyringError::NoKeyFor(day))?;
        drop(content);
        let mut sealed = zeroize::Zeroizing::new(wrapped.sealed.clone());
        let opened = sealer.open(&wrap_context(day, class, generation, context), &mut sealed);
        let octets = opened.ok().and_then(|octets| <[u8; 32]>::try_from(&*octets).ok());
        octets.map(DataKey::from_octets).ok_or(KeyringError::Unsound)
    }

    /// The newest generation of the day's key: what is wrapped under an older one has yet to be re-wrapped.
    pub(crate) fn generation(&self, day: Day, class: KeyClass) -> Option<u16> {
        self.content().days.newest(day, class).map(|(generation, _)| generation)
    }

    /// Makes keys up to [`DAYS_AHEAD`] after `today`; called daily.
    ///
    /// # Errors
    /// [`KeyringError::Source`] where the file cannot be written.
    pub fn extend(&self, today: Day) -> Result<(), KeyringError> {
        if !self.content().clone().days.extend(today) {
            return Ok(());
        }
        self.change(|content| {
            content.days.extend(today);
            Ok(())
        })
    }

    /// Makes a fresh key for the day and class beside the present one; [`Keyring::wrap`] uses it from now on.
    ///
    /// # Errors
    /// [`KeyringError::NoKeyFor`] where the day has passed; [`KeyringError::Source`].
    pub fn begin_punch(&self, day: Day, class: KeyClass) -> Result<(), KeyringError> {
        self.change(|content| content.days.begin_punch(day, class).ok_or(KeyringError::NoKeyFor(day)))
    }

    /// Destroys all but the newest key of the day and class, on disk first.
    ///
    /// # Errors
    /// As [`Keyring::begin_punch`].
    pub fn finish_punch(&self, day: Day, class: KeyClass) -> Result<(), KeyringError> {
        self.change(|content| content.days.finish_punch(day, class).ok_or(KeyringError::NoKeyFor(day)))
    }

    /// Destroys the keys of all days before `today`, on disk first, then in memory. Says which. Keys of
    /// [`KeyClass::Transit`] are spared from `transit_from` on: a letter that an outage kept in the queue must still open.
    ///
    /// # Errors
    /// [`KeyringError::Source`] where the file cannot be written; then nothing was destroyed.
    pub fn destroy_before(&self, today: Day, transit_from: Day) -> Result<Vec<Day>, KeyringError> {
        if self.content().days.clone().destroy_before(today, transit_from).is_empty() {
            return Ok(Vec::new());
        }
        self.change(|content| Ok(content.days.destroy_before(today, transit_from)))
    }
}

fn wrap_context(day: Day, class: KeyClass, generation: u16, context: &[u8]) -> Vec<u8> {
    let class = match class {
        KeyClass::Grant => 0,
        KeyClass::Transit => 1,
        KeyClass::Contact => 2,
    };
    let mut bound = b"postern wrap 1".to_vec();
    bound.extend_from_slice(&day.number().to_be_bytes());
    bound.push(class);
    bound.extend_from_slice(&generation.to_be_bytes());
    bound.extend_from_slice(context);
    bound
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod vectors;
