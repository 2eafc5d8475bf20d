//! Making a parcel: its record, its objects, its grants, their indexes and their ends, all in one batch.

use crate::id::{GrantId, Id, ParcelId, TransactionId};
use crate::keyring::{DataKey, KeyClass, WrappedKey};
use crate::store::{Batch, Key, Table};
use crate::time::Timestamp;
use crate::vault::grants::{
    Held, Mark, Target, contact_key, day_key, grant_key, token_key, transaction_key, wrap_context,
};
use crate::vault::parcel::parcel_key;
use crate::vault::{Grant, NewGrant, NewParcel, Parcel, Vault, VaultError};

/// What ends at a moment that the agenda's index names. Numbers are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Ending {
    Grant = 1,
    Parcel = 2,
}

pub(super) fn ending_key(due: Timestamp, ending: Ending, id: &[u8; 16]) -> Key {
    Key::new(Table::Agenda, &[&due.to_key(), &[ending as u8], id])
}

impl Vault {
    /// Puts a parcel, its deposits, its grants, their indexes and the agenda's entries into the batch.
    ///
    /// # Errors
    /// [`VaultError::Ended`] where a grant is to end on a day that has no key: in the past, or more than
    /// [`crate::keyring::DAYS_AHEAD`] days ahead.
    pub fn put(&self, batch: &mut Batch, parcel: NewParcel, now: Timestamp) -> Result<(), VaultError> {
        // Before any key is wrapped: a punch waits for this batch.
        batch.hold(self.punching.guard());
        let NewParcel { id, transaction, content, objects, grants } = parcel;
        let key = DataKey::fresh();
        let until = grants.iter().map(|grant| grant.keep_until(now)).max().unwrap_or(now);
        for object in &objects {
            object.put(batch, 1);
        }
        let objects = objects.iter().map(|object| object.reference().id).collect();
        batch.put(parcel_key(id), &Parcel::sealed((id, transaction), until, objects, (&key, &content))?);
        batch.put(ending_key(until, Ending::Parcel, id.octets()), &Mark);
        for new in grants {
            let wrapped = self.wrap(&new, id, &key, now)?;
            self.put_grant(batch, new.id, &self.grant_of(&new, (id, transaction, &content.practice), wrapped, now));
        }
        Ok(())
    }

    fn wrap(&self, new: &NewGrant, parcel: ParcelId, key: &DataKey, now: Timestamp) -> Result<WrappedKey, VaultError> {
        let day = new.keep_until(now).day();
        Ok(self.keyring.wrap(day, KeyClass::Grant, key, &wrap_context(new.contact, parcel))?)
    }

    fn grant_of(
        &self,
        new: &NewGrant,
        (parcel, transaction, practice): (ParcelId, TransactionId, &str),
        wrapped: WrappedKey,
        now: Timestamp,
    ) -> Grant {
        Grant {
            parcel,
            transaction,
            contact: new.contact,
            access: new.access.clone(),
            created: now,
            link_until: new.link_until(now),
            keep_until: new.keep_until(now),
            keep_after_download: new.keep_after_download,
            token_hash: self.keyring.lookup("token", new.token.expose().as_bytes()),
            key: Some(wrapped),
            revoked: None,
            patient: new.patient,
            held: new.held.map(|_| Held { link: new.link, keep: new.keep }),
            opened: None,
            downloaded: None,
            begun: None,
            practice: practice.to_owned(),
        }
    }

    fn put_grant(&self, batch: &mut Batch, id: GrantId, grant: &Grant) {
        batch.put(grant_key(id), grant);
        batch.put(token_key(&grant.token_hash), &Target(id));
        batch.put(day_key(grant.keep_until.day(), id), &Mark);
        batch.put(transaction_key(grant.transaction, id), &Mark);
        batch.put(contact_key(grant.contact, id), &Mark);
        batch.put(ending_key(grant.keep_until, Ending::Grant, id.octets()), &Mark);
    }
}
