//! Something small, sealed with a data key of its own that dies with a day.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::keyring::seal::Sealer;
use crate::keyring::{DataKey, KeyClass, Keyring, KeyringError, WrappedKey};
use crate::time::Day;

/// A value nobody can open once its day has passed. Fits in a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capsule {
    key: WrappedKey,
    #[serde(with = "serde_bytes")]
    sealed: Vec<u8>,
}

impl Capsule {
    /// Seals `value` (postcard) until the end of `day`; `context` binds it to its place (a record's key).
    ///
    /// # Errors
    /// [`KeyringError::NoKeyFor`] where the day has no key.
    pub fn seal<T: Serialize>(
        ring: &Keyring,
        day: Day,
        class: KeyClass,
        context: &[u8],
        value: &T,
    ) -> Result<Self, KeyringError> {
        let plain = postcard::to_allocvec(value).map(Zeroizing::new).map_err(|_| KeyringError::Unsound)?;
        let key = DataKey::fresh();
        let sealed = Sealer::new(&key).seal(context, &plain);
        Ok(Self { key: ring.wrap(day, class, &key, context)?, sealed })
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`KeyringError::NoKeyFor`] once its day has passed; [`KeyringError::Unsound`] where it is damaged or not of this
    /// place.
    pub fn open<T: DeserializeOwned>(&self, ring: &Keyring, context: &[u8]) -> Result<T, KeyringError> {
        let key = ring.unwrap(&self.key, context)?;
        let mut sealed = Zeroizing::new(self.sealed.clone());
        let plain = Sealer::new(&key).open(context, &mut sealed).map_err(|_| KeyringError::Unsound)?;
        postcard::from_bytes(plain).map_err(|_| KeyringError::Unsound)
    }

    /// The last day on which it opens.
    pub fn day(&self) -> Day {
        self.key.day
    }
}
