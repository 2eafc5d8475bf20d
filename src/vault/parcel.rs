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
    /// The patient's birthdate, `YYYY-MM-DD`, where it is known: what a birthdate check compares with.
    pub birthdate: Option<String>,
    /// The Message-ID of what was sent, for the thread of a reply.
    pub message_id: Option<String>,
    /// The References of what was sent.
    pub references: Vec<String>,
    /// What each deposit is for those who read it, in their order: the title of its type, empty where it is of none. Nothing of
    /// what was stored before there was this.
    pub titles: Vec<String>,
}

/// What version 2 sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct ContentV2 {
    pub subject: String,
    pub sender: Address,
    pub sender_name: String,
    pub practice: String,
    pub patient: Option<PatientRef>,
    pub sent: Timestamp,
    pub deposits: Vec<Deposit>,
    pub birthdate: Option<String>,
    pub message_id: Option<String>,
    pub references: Vec<String>,
}

impl ContentV2 {
    fn upgraded(self) -> ParcelContent {
        let Self { subject, sender, sender_name, practice, patient, sent, deposits, birthdate, message_id, references } =
            self;
        ParcelContent {
            subject,
            sender,
            sender_name,
            practice,
            patient,
            sent,
            deposits,
            birthdate,
            message_id,
            references,
            titles: Vec::new(),
        }
    }
}

/// What version 1 sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct ContentV1 {
    pub subject: String,
    pub sender: Address,
    pub sender_name: String,
    pub practice: String,
    pub patient: Option<PatientRef>,
    pub sent: Timestamp,
    pub deposits: Vec<Deposit>,
}

impl ContentV1 {
    fn upgraded(self) -> ParcelContent {
        let Self { subject, sender, sender_name, practice, patient, sent, deposits } = self;
        let (birthdate, message_id, references) = (None, None, Vec::new());
        let content = ContentV2 {
            subject,
            sender,
            sender_name,
            practice,
            patient,
            sent,
            deposits,
            birthdate,
            message_id,
            references,
        };
        content.upgraded()
    }
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
    /// Which version of [`ParcelContent`] is sealed.
    pub content: u8,
}

/// The version of [`ParcelContent`] that is sealed today.
const CONTENT: u8 = 3;

impl Stored for Parcel {
    const VERSION: u8 = 2;

    fn upgrade(version: u8, octets: &[u8]) -> Option<Self> {
        let ParcelV1 { transaction, until, objects, sealed } = match version {
            1 => postcard::from_bytes(octets).ok()?,
            _ => return None,
        };
        Some(Self { transaction, until, objects, sealed, content: 1 })
    }
}

/// A parcel as version 1 wrote it.
#[derive(Serialize, Deserialize)]
pub(super) struct ParcelV1 {
    pub transaction: TransactionId,
    pub until: Timestamp,
    pub objects: Vec<BlobId>,
    #[serde(with = "serde_bytes")]
    pub sealed: Vec<u8>,
}

impl Parcel {
    /// A parcel with this content, sealed under its key.
    pub(super) fn sealed(
        (id, transaction): (ParcelId, TransactionId),
        until: Timestamp,
        objects: Vec<BlobId>,
        (key, content): (&DataKey, &ParcelContent),
    ) -> Result<Self, VaultError> {
        let sealed = seal_content(id, key, content)?;
        Ok(Self { transaction, until, objects, sealed, content: CONTENT })
    }

    /// What it says.
    pub(super) fn open(&self, id: ParcelId, key: &DataKey) -> Result<ParcelContent, VaultError> {
        let mut sealed = Zeroizing::new(self.sealed.clone());
        let plain = Sealer::new(key).open(id.octets(), &mut sealed);
        let plain = plain.map_err(|_| VaultError::Unsound(format!("parcel {id} does not open")))?;
        let content = match self.content {
            1 => postcard::from_bytes(plain).map(ContentV1::upgraded),
            2 => postcard::from_bytes(plain).map(ContentV2::upgraded),
            _ => postcard::from_bytes(plain),
        };
        content.map_err(|_| VaultError::Unsound(format!("parcel {id} does not read")))
    }
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

fn seal_content(id: ParcelId, key: &DataKey, content: &ParcelContent) -> Result<Vec<u8>, VaultError> {
    let plain = postcard::to_allocvec(content).map(Zeroizing::new);
    let plain = plain.map_err(|error| VaultError::Unsound(error.to_string()))?;
    Ok(Sealer::new(key).seal(id.octets(), &plain))
}
