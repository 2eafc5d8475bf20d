//! The vault: deposits (attachments, named and stored), parcels and the grants that open them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::access::AccessCheck;
use crate::blob::{Object, ObjectRef, Objects};
use crate::id::{ContactId, DepositId, GrantId, ParcelId, TransactionId};
use crate::keyring::{Keyring, WrappedKey};
use crate::mail::Address;
use crate::secret::Secret;
use crate::store::{Batch, Record, Store, StoreError, Stored};
use crate::time::Timestamp;

/// What a deposit is to the one who opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DepositKind {
    /// A document.
    Document,
    /// The message's text, as plain text in UTF-8.
    Text,
    /// The message's text, as sanitised HTML in UTF-8.
    Html,
}

/// A deposit as its parcel lists it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Deposit {
    /// Its name in links.
    pub id: DepositId,
    /// What it is.
    pub kind: DepositKind,
    /// The file name shown, at most 255 octets, no path, no control or bidi characters.
    pub name: String,
    /// `type/subtype`, lower case.
    pub media_type: String,
    /// Where its octets are.
    pub object: ObjectRef,
}

/// What a parcel says, sealed under the parcel's key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ParcelContent {
    /// Subject as the recipient sees it.
    pub subject: String,
    /// Who sent it.
    pub sender: Address,
    /// The name shown for the sender.
    pub sender_name: String,
    /// The practice that speaks (file stem in `policies/practices`).
    pub practice: String,
    /// When it was accepted.
    pub sent: Timestamp,
    /// Documents and texts.
    pub deposits: Vec<Deposit>,
}

/// A parcel as stored: everything of a person is inside `sealed`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parcel {
    /// Whose message.
    pub transaction: TransactionId,
    /// When its last grant ends; then the agenda removes it.
    pub until: Timestamp,
    /// [`ParcelContent`], sealed under the parcel key.
    pub sealed: Vec<u8>,
}

/// One recipient's right to a parcel, as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Grant {
    /// The parcel.
    pub parcel: ParcelId,
    /// Whose message.
    pub transaction: TransactionId,
    /// Whose right.
    pub contact: ContactId,
    /// What must be shown first; empty means the link alone.
    pub access: Vec<AccessCheck>,
    /// When it was given.
    pub created: Timestamp,
    /// When the link stops working (a fresh one can be asked for).
    pub link_until: Timestamp,
    /// When the documents stop being kept.
    pub keep_until: Timestamp,
    /// How long they are kept after the first download, where that is what ends them.
    pub keep_after_download: Option<Duration>,
    /// The keyed hash of the link token.
    pub token_hash: [u8; 16],
    /// The parcel's key, wrapped until the day of `keep_until`; gone when revoked.
    pub key: Option<WrappedKey>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

impl Stored for Parcel {
    const VERSION: u8 = 1;
}

impl Stored for Grant {
    const VERSION: u8 = 1;
}

/// A grant to be made: what `pack` decided, with the token that only the letter carries.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// Its id.
    pub id: GrantId,
    /// Whose right.
    pub contact: ContactId,
    /// What must be shown first.
    pub access: Vec<AccessCheck>,
    /// How long the link works.
    pub link: Duration,
    /// How long the documents are kept.
    pub keep: Duration,
    /// How long after the first download.
    pub keep_after_download: Option<Duration>,
    /// The token in the link.
    pub token: Secret<String>,
}

/// A parcel to be made.
pub struct NewParcel {
    /// Its id.
    pub id: ParcelId,
    /// Whose message.
    pub transaction: TransactionId,
    /// What it says.
    pub content: ParcelContent,
    /// The objects of its deposits, in any order.
    pub objects: Vec<Object>,
    /// Who may open it.
    pub grants: Vec<NewGrant>,
}

/// What `vault verify` found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct VerifyReport {
    /// Parcels opened.
    pub parcels: u64,
    /// Deposits read to their end and found whole.
    pub deposits: u64,
    /// Octets of them.
    pub octets: u64,
    /// Ids of parcels or blobs that are damaged or missing, with what is wrong.
    pub damaged: Vec<(String, String)>,
    /// Blob files that nothing names (the next sweep removes them).
    pub orphans: u64,
}

/// The vault. Cheap to clone.
#[derive(Clone)]
pub struct Vault {}

/// Why a parcel could not be opened or changed.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such grant or parcel.
    #[error("no such grant")]
    Missing,
    /// Revoked, or its day has passed.
    #[error("this right has ended")]
    Ended,
    /// Damaged.
    #[error("damaged: {0}")]
    Unsound(String),
    /// A change that could not be written.
    #[error(transparent)]
    Commit(#[from] crate::store::CommitError),
}

impl Vault {
    /// The vault in this store.
    pub fn new(_store: Store, _keyring: Keyring, _objects: Objects) -> Self {
        todo!()
    }

    /// Puts a parcel, its deposits, its grants, their indexes and the agenda's entry into the batch.
    pub fn put(&self, _batch: &mut Batch, _parcel: NewParcel, _now: Timestamp) -> Result<(), VaultError> {
        todo!()
    }

    /// One grant.
    pub async fn grant(&self, _id: GrantId) -> Result<Option<Record<Grant>>, VaultError> {
        todo!()
    }

    /// The grant whose link has this token, living or not.
    pub async fn grant_by_token(&self, _token: &str) -> Result<Option<(GrantId, Record<Grant>)>, VaultError> {
        todo!()
    }

    /// Grants in order of making, after `after`, up to `limit`.
    pub async fn grants(&self, _after: Option<GrantId>, _limit: usize) -> Result<Vec<(GrantId, Grant)>, VaultError> {
        todo!()
    }

    /// The grants of one message.
    pub async fn grants_of(&self, _transaction: TransactionId) -> Result<Vec<(GrantId, Grant)>, VaultError> {
        todo!()
    }

    /// Takes a right back: its wrapped key is deleted and the day's key is punched (at once, or by the next run of
    /// the agenda). Revoking twice is no error.
    pub async fn revoke(&self, _id: GrantId, _now: Timestamp) -> Result<(), VaultError> {
        todo!()
    }

    /// What the parcel of a living grant says.
    pub async fn open(&self, _grant: &Grant, _now: Timestamp) -> Result<(Parcel, ParcelContent), VaultError> {
        todo!()
    }

    /// Reads everything that living grants can open, to its end.
    pub async fn verify(&self, _progress: &(dyn Fn(u64) + Sync)) -> Result<VerifyReport, VaultError> {
        todo!()
    }

    /// Removes parcels and grants whose time has passed, found by the agenda's index, not by scanning. How many.
    pub async fn expire_due(&self, _now: Timestamp) -> Result<usize, VaultError> {
        todo!()
    }
}
