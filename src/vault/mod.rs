//! The vault: deposits (attachments, named and stored), parcels and the grants that open them.
//!
//! A parcel's content is sealed under a key of its own; each grant carries that key, wrapped under the key
//! of the last day of the grant. So nothing outlives its day, whoever has a copy of the data; and what ends
//! earlier (a revoked grant) has its wrap deleted and its day punched.

use crate::blob::Objects;
use crate::id::GrantId;
use crate::keyring::{Keyring, KeyringError};
use crate::store::{Batch, Key, Record, Store, StoreError, Stored, decode};

mod clocks;
mod drafts;
mod expire;
mod grants;
mod held;
mod open;
mod parcel;
mod punch;
mod put;
mod replies;
mod verify;

pub use grants::{Grant, Held, NewGrant};
pub use open::ParcelFacts;
pub use parcel::{Deposit, DepositKind, NewParcel, Parcel, ParcelContent};
pub use replies::{KeptAttachment, KeptReply};
pub use verify::VerifyReport;

/// The vault. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    store: Store,
    keyring: Keyring,
    objects: Objects,
    punching: punch::Punching,
}

/// Why a parcel could not be opened or changed.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such grant or parcel.
    #[error("no such grant")]
    Missing,
    /// The conversation has as many replies as it may.
    #[error("the conversation is full")]
    Full,
    /// Revoked, or its day has passed.
    #[error("this right has ended")]
    Ended,
    /// Damaged.
    #[error("damaged: {0}")]
    Unsound(String),
    /// A change that could not be written.
    #[error(transparent)]
    Commit(#[from] crate::store::CommitError),
    /// The keyring could not be written.
    #[error(transparent)]
    Keyring(KeyringError),
}

impl From<KeyringError> for VaultError {
    fn from(error: KeyringError) -> Self {
        match error {
            KeyringError::NoKeyFor(_) => Self::Ended,
            KeyringError::Unsound => Self::Unsound("a wrapped key does not open".into()),
            KeyringError::Source(_) => Self::Keyring(error),
        }
    }
}

impl Vault {
    /// The vault in this store. Make one for a store and clone it: the clones know of each other's batches, which a punch
    /// must wait for.
    pub fn new(store: Store, keyring: Keyring, objects: Objects) -> Self {
        Self { store, keyring, objects, punching: punch::Punching::default() }
    }

    /// A record as the batch has it so far, so that two changes of one record in a batch add up; its version is the store's.
    async fn in_batch<T: Stored>(&self, batch: &Batch, key: &Key) -> Result<Option<Record<T>>, VaultError> {
        let Some(mut record) = self.store.get::<T>(key).await? else { return Ok(None) };
        match batch.written(key) {
            None => {}
            Some(None) => return Ok(None),
            Some(Some(octets)) => record.value = decode(key.table, octets)?,
        }
        Ok(Some(record))
    }

    /// A grant as the batch has it so far; its version is the store's.
    pub(crate) async fn grant_in_batch(&self, batch: &Batch, id: GrantId) -> Result<Option<Record<Grant>>, VaultError> {
        self.in_batch(batch, &grants::grant_key(id)).await
    }
}

#[cfg(test)]
mod held_tests;
#[cfg(test)]
mod reply_tests;
#[cfg(test)]
mod tests;
