//! Something small, sealed with a data key of its own that dies with a day.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::keyring::{KeyClass, Keyring, KeyringError, WrappedKey};
use crate::time::Day;

/// A value nobody can open once its day has passed. Fits in a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capsule {
    key: WrappedKey,
    sealed: Vec<u8>,
}

impl Capsule {
    /// Seals `value` (postcard) until the end of `day`; `context` binds it to its place (a record's key).
    pub fn seal<T: Serialize>(
        _ring: &Keyring,
        _day: Day,
        _class: KeyClass,
        _context: &[u8],
        _value: &T,
    ) -> Result<Self, KeyringError> {
        todo!()
    }

    /// Opens it.
    pub fn open<T: DeserializeOwned>(&self, _ring: &Keyring, _context: &[u8]) -> Result<T, KeyringError> {
        todo!()
    }

    /// The last day on which it opens.
    pub fn day(&self) -> Day {
        self.key.day
    }
}
