//! Something small, sealed with a data key of its own that dies with a day.

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroize;

use crate::keyring::seal::{NONCE_LEN, OVERHEAD, Sealer};
use crate::keyring::{DataKey, KeyClass, Keyring, KeyringError, WrappedKey};
use crate::time::Day;

/// A value nobody can open once its day has passed. Fits in a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capsule {
    key: WrappedKey,
    sealed: Bytes,
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
        let size = postcard::experimental::serialized_size(value).map_err(|_| KeyringError::Unsound)?;
        let mut sealed = Vec::with_capacity(size + OVERHEAD);
        sealed.resize(NONCE_LEN, 0);
        let mut sealed = postcard::to_extend(value, sealed).map_err(|_| KeyringError::Unsound)?;
        let key = DataKey::fresh();
        Sealer::new(&key).seal_in_place(context, &mut sealed);
        Ok(Self { key: ring.wrap(day, class, &key, context)?, sealed: sealed.into() })
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`KeyringError::NoKeyFor`] once its day has passed; [`KeyringError::Unsound`] where it is damaged or not of this
    /// place.
    pub fn open<T: DeserializeOwned>(&self, ring: &Keyring, context: &[u8]) -> Result<T, KeyringError> {
        let key = ring.unwrap(&self.key, context)?;
        let mut sealed = self.sealed.to_vec();
        let plain = Sealer::new(&key).open(context, &mut sealed).map_err(|_| KeyringError::Unsound)?;
        let value = postcard::from_bytes(plain).map_err(|_| KeyringError::Unsound);
        wipe(sealed);
        value
    }

    /// The last day on which it opens.
    pub fn day(&self) -> Day {
        self.key.day
    }
}

/// Keys, names and addresses do not stay behind in freed memory. What is longer is a mail, which lies in other buffers
/// too; to wipe it octet by octet would cost more than to seal it.
fn wipe(mut octets: Vec<u8>) {
    const WIPED: usize = 4096;
    if octets.len() <= WIPED {
        octets.zeroize();
    }
}
