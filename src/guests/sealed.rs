//! What names a person is sealed until a day, under the class of contacts.

use serde::{Serialize, de::DeserializeOwned};

use crate::keyring::{Capsule, KeyClass, Keyring, KeyringError};
use crate::store::{Batch, Key, StoreError};
use crate::time::Timestamp;

/// Seals a value for its place, until the end of the day of `until`.
pub(super) fn seal<T: Serialize>(
    ring: &Keyring,
    key: &Key,
    until: Timestamp,
    value: &T,
) -> Result<Capsule, StoreError> {
    let sealed = Capsule::seal(ring, until.day(), KeyClass::Contact, &context(key), value);
    sealed.map_err(|error| StoreError::Unsound(error.to_string()))
}

/// Opens it; `None` once its day has passed.
pub(super) fn open<T: DeserializeOwned>(ring: &Keyring, key: &Key, sealed: &Capsule) -> Result<Option<T>, StoreError> {
    match sealed.open(ring, &context(key)) {
        Ok(value) => Ok(Some(value)),
        Err(KeyringError::NoKeyFor(_)) => Ok(None),
        Err(other) => Err(StoreError::Unsound(other.to_string())),
    }
}

/// Accounts and invitations are found by the same id: the table tells them apart.
fn context(key: &Key) -> Vec<u8> {
    [&[key.table as u8], key.octets.as_slice()].concat()
}

/// When what is sealed until then opens no more: the record goes.
pub(super) fn end(until: Timestamp) -> Timestamp {
    until.day().plus(1).start()
}

/// A change must find what was read, or nothing.
pub(super) fn require_as_read(batch: &mut Batch, key: &Key, read: Option<u64>) {
    match read {
        Some(version) => batch.require_version(key.clone(), version),
        None => batch.require_absent(key.clone()),
    };
}
