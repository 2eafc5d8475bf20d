//! Parcels: what one recipient, or several alike, are sent.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::blob::{Object, ObjectRef};
use crate::id::{BlobId, DepositId, Id, ParcelId, TransactionId};
use crate::keyring::DataKey;
use crate::keyring::seal::Sealer;
use crate::mail::Address;
use crate::mime::assess::PatientRef;
pub use crate::pack::shipment::DepositKind;
use crate::secret::silent_debug;
use crate::store::{Key, Stored, Table};
use crate::time::Timestamp;
use crate::vault::{NewGrant, VaultError};

/// A deposit as its parcel lists it.
#[derive(Clone, Serialize, Deserialize)]
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
#[derive(Clone, Serialize, Deserialize)]
pub struct ParcelContent {
    /// Subject as the recipient sees it.
    pub subject: String,
    /// Who sent it.
    pub sender: Address,
    /// The name shown for the sender.
    pub sender_name: String,
    /// The practice that speaks (file stem in `policies/practices`).
    pub practice: String,
    /// Whose documents these are, where that was said.
    pub patient: Option<PatientRef>,
    /// When it was accepted.
    pub sent: Timestamp,
    /// Documents and texts.
    pub deposits: Vec<Deposit>,
}

silent_debug!(Deposit, ParcelContent);

/// A parcel as stored: everything of a person is inside `sealed`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parcel {
    /// Whose message.
    pub transaction: TransactionId,
    /// When its last grant ends; then the agenda removes it.
    pub until: Timestamp,
    /// The objects it holds, once each: to be released also when nobody can open `sealed` any more.
    pub objects: Vec<BlobId>,
    /// [`ParcelContent`], sealed under the parcel key.
    #[serde(with = "serde_bytes")]
    pub sealed: Vec<u8>,
}

impl Stored for Parcel {
    const VERSION: u8 = 1;
}

/// A parcel to be made.
pub struct NewParcel {
    /// Its id.
    pub id: ParcelId,
    /// Whose message.
    pub transaction: TransactionId,
    /// What it says.
    pub content: ParcelContent,
    /// The objects of its deposits, in any order. Parcels of one batch may share objects: put into the batch they count
    /// one holder each.
    pub objects: Vec<Object>,
    /// Who may open it.
    pub grants: Vec<NewGrant>,
}

pub(super) fn parcel_key(id: ParcelId) -> Key {
    Key::new(Table::Parcel, &[id.octets()])
}

pub(super) fn seal_content(id: ParcelId, key: &DataKey, content: &ParcelContent) -> Result<Vec<u8>, VaultError> {
    let plain = postcard::to_allocvec(content).map(Zeroizing::new);
    let plain = plain.map_err(|error| VaultError::Unsound(error.to_string()))?;
    Ok(Sealer::new(key).seal(id.octets(), &plain))
}

pub(super) fn open_content(id: ParcelId, key: &DataKey, sealed: &[u8]) -> Result<ParcelContent, VaultError> {
    let mut sealed = Zeroizing::new(sealed.to_vec());
    let plain = Sealer::new(key).open(id.octets(), &mut sealed);
    let plain = plain.map_err(|_| VaultError::Unsound(format!("parcel {id} does not open")))?;
    postcard::from_bytes(plain).map_err(|_| VaultError::Unsound(format!("parcel {id} does not read")))
}
