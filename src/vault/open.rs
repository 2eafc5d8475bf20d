//! Opening a parcel: who was admitted reads it; anybody else's question gets facts, or yes and no.

use crate::access::Admitted;
use crate::mail::Address;
use crate::secret::silent_debug;
use crate::time::{Timestamp, parse_date};
use crate::vault::grants::wrap_context;
use crate::vault::parcel::parcel_key;
use crate::vault::{DepositKind, Grant, Parcel, ParcelContent, Vault, VaultError};

/// What may be said of a parcel before anything was shown: no subject, no name of a document, no patient.
#[derive(Clone, PartialEq, Eq)]
pub struct ParcelFacts {
    /// The practice that speaks.
    pub practice: String,
    /// Who sent it.
    pub sender: Address,
    /// The name shown for the sender.
    pub sender_name: String,
    /// When it was accepted.
    pub sent: Timestamp,
    /// How many documents.
    pub documents: usize,
    /// How many pictures of the text, beside them.
    pub pictures: usize,
    /// Whether a birthdate is known to compare with.
    pub knows_birthdate: bool,
}

silent_debug!(ParcelFacts);

impl Vault {
    /// The right that was admitted, and what its parcel says, deposits and all.
    ///
    /// # Errors
    /// [`VaultError::Ended`] where the grant was revoked or its time has passed; [`VaultError::Unsound`].
    pub async fn open(&self, admitted: &Admitted, now: Timestamp) -> Result<(Grant, ParcelContent), VaultError> {
        let grant = self.grant(admitted.grant()).await?.ok_or(VaultError::Missing)?.value;
        let content = self.content(&grant, now).await?;
        Ok((grant, content))
    }

    /// What may be said of a right's parcel to anybody who has its link.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub async fn facts(&self, grant: &Grant, now: Timestamp) -> Result<ParcelFacts, VaultError> {
        let content = self.content(grant, now).await?;
        let count = |kind| content.deposits.iter().filter(|deposit| deposit.kind == kind).count();
        let (documents, pictures) = (count(DepositKind::Document), count(DepositKind::Picture));
        Ok(ParcelFacts {
            practice: content.practice,
            sender: content.sender,
            sender_name: content.sender_name,
            sent: content.sent,
            documents,
            pictures,
            knows_birthdate: content.birthdate.is_some(),
        })
    }

    /// Whether this is the patient's birthdate; none where none is known.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub async fn is_birthdate(
        &self,
        grant: &Grant,
        date: jiff::civil::Date,
        now: Timestamp,
    ) -> Result<Option<bool>, VaultError> {
        let known = self.content(grant, now).await?.birthdate;
        Ok(known.as_deref().and_then(parse_date).map(|known| known == date))
    }

    pub(super) async fn content(&self, grant: &Grant, now: Timestamp) -> Result<ParcelContent, VaultError> {
        let wrapped = grant.key.as_ref().filter(|_| grant.revoked.is_none() && now < grant.keep_until);
        let wrapped = wrapped.ok_or(VaultError::Ended)?;
        let key = self.keyring.unwrap(wrapped, &wrap_context(grant.contact, grant.parcel))?;
        let parcel = self.store.get::<Parcel>(&parcel_key(grant.parcel)).await?.ok_or(VaultError::Missing)?.value;
        parcel.open(grant.parcel, &key)
    }
}
