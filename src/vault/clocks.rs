//! When rights end, moved: held ones begin, a first download shortens, an invitation sent again holds.
//!
//! An end that moves to an earlier day leaves a wrap of the key under the day before it, in older copies of the data.
//! So that day is owed a punch, as after a revocation.

use std::collections::BTreeMap;

use crate::id::{GrantId, Id, ParcelId};
use crate::keyring::KeyClass;
use crate::store::{Batch, Record};
use crate::time::Timestamp;
use crate::vault::grants::{Mark, day_key, grant_key, wrap_context};
use crate::vault::parcel::parcel_key;
use crate::vault::punch::owed_key;
use crate::vault::put::{Ending, ending_key};
use crate::vault::{Grant, Parcel, Vault, VaultError};

impl Vault {
    /// Notes in the batch that the recipient has opened it. Whether it was the first time; later ones change nothing.
    ///
    /// # Errors
    /// [`VaultError::Missing`].
    pub async fn note_opened(&self, batch: &mut Batch, id: GrantId, now: Timestamp) -> Result<bool, VaultError> {
        let Record { version, value: mut grant } = self.grant(id).await?.ok_or(VaultError::Missing)?;
        if grant.opened.is_some() {
            return Ok(false);
        }
        grant.opened = Some(now);
        batch.require_version(grant_key(id), version).put(grant_key(id), &grant);
        Ok(true)
    }

    /// Notes in the batch that the recipient has downloaded a document of it. Whether it was the first time: then
    /// `keep_after_download`, where it was decided, shortens what is left.
    ///
    /// # Errors
    /// [`VaultError::Missing`], [`VaultError::Ended`].
    pub async fn note_downloaded(&self, batch: &mut Batch, id: GrantId, now: Timestamp) -> Result<bool, VaultError> {
        let record = self.grant(id).await?.ok_or(VaultError::Missing)?;
        if record.value.downloaded.is_some() {
            return Ok(false);
        }
        let mut grant = record.value.clone();
        grant.downloaded = Some(now);
        let until = grant.keep_after_download.map_or(grant.keep_until, |keep| grant.keep_until.min(now.plus(keep)));
        grant.link_until = grant.link_until.min(until);
        let moved = self.move_end(batch, id, &record, grant, until)?;
        self.move_parcels(batch, &BTreeMap::from([(id, moved)])).await?;
        Ok(true)
    }

    /// Puts a living right into the batch as `grant`, ending at `until`; what it became.
    pub(super) fn move_end(
        &self,
        batch: &mut Batch,
        id: GrantId,
        before: &Record<Grant>,
        mut grant: Grant,
        until: Timestamp,
    ) -> Result<Grant, VaultError> {
        // Before any key is wrapped: a punch waits for this batch.
        batch.hold(self.punching.guard());
        let Record { version, value: before } = before;
        let wrapped = before.key.as_ref().ok_or(VaultError::Ended)?;
        if until.day() != wrapped.day {
            let context = wrap_context(before.contact, before.parcel);
            let key = self.keyring.unwrap(wrapped, &context)?;
            grant.key = Some(self.keyring.wrap(until.day(), KeyClass::Grant, &key, &context)?);
            batch.delete(day_key(wrapped.day, id)).put(day_key(until.day(), id), &Mark);
            if until.day() < wrapped.day {
                batch.put(owed_key(wrapped.day), &Mark);
            }
        }
        batch.delete(ending_key(before.keep_until, Ending::Grant, id.octets()));
        batch.put(ending_key(until, Ending::Grant, id.octets()), &Mark);
        grant.keep_until = until;
        batch.require_version(grant_key(id), *version).put(grant_key(id), &grant);
        Ok(grant)
    }

    /// Lets the parcels of rights that the batch has moved end with the last of their living rights.
    pub(super) async fn move_parcels(
        &self,
        batch: &mut Batch,
        moved: &BTreeMap<GrantId, Grant>,
    ) -> Result<(), VaultError> {
        let parcels: BTreeMap<ParcelId, _> = moved.values().map(|grant| (grant.parcel, grant.transaction)).collect();
        for (parcel, transaction) in parcels {
            let rights = self.grants_of(transaction).await?;
            let living = rights.into_iter().filter(|(_, grant)| grant.parcel == parcel && grant.key.is_some());
            let ends = living.map(|(id, grant)| moved.get(&id).unwrap_or(&grant).keep_until);
            if let Some(until) = ends.max() {
                self.move_parcel(batch, parcel, until).await?;
            }
        }
        Ok(())
    }

    async fn move_parcel(&self, batch: &mut Batch, id: ParcelId, until: Timestamp) -> Result<(), VaultError> {
        let Some(Record { version, value: mut parcel }) = self.store.get::<Parcel>(&parcel_key(id)).await? else {
            return Ok(());
        };
        if parcel.until != until {
            batch.delete(ending_key(parcel.until, Ending::Parcel, id.octets()));
            batch.put(ending_key(until, Ending::Parcel, id.octets()), &Mark);
            parcel.until = until;
            batch.require_version(parcel_key(id), version).put(parcel_key(id), &parcel);
        }
        Ok(())
    }
}
