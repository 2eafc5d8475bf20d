//! The directory: addresses the clinic has written to, and who stands behind them.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{ContactId, Id};
use crate::keyring::{Capsule, KeyClass, Keyring, KeyringError};
use crate::mail::Address;
use crate::policy::Role;
use crate::random;
use crate::store::{Batch, Key, Store, StoreError, Stored, Table};
use crate::time::Timestamp;

/// How long a contact nobody writes to is remembered. Its key dies with the day.
const REMEMBERED: Duration = Duration::from_secs(365 * 86_400);
/// A contact that is written to is sealed anew when it would be forgotten within this time.
const RENEWED_WITHIN: Duration = Duration::from_secs(180 * 86_400);

/// What is known of a contact: sealed, under a key of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The address.
    pub address: Address,
    /// The relation, once it is known.
    pub role: Option<Role>,
}

/// A contact, as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Contact {
    created: Timestamp,
    remembered_until: Timestamp,
    person: Capsule,
}

impl Stored for Contact {
    const VERSION: u8 = 1;
}

impl Stored for ContactId {
    const VERSION: u8 = 1;
}

/// A contact as found, with what a change must be conditional on.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its id.
    pub id: ContactId,
    /// Who it is.
    pub person: Person,
    version: u64,
    created: Timestamp,
    remembered_until: Timestamp,
}

/// The contacts noted in one batch so far, so that an address that stands twice in it is one contact.
#[derive(Debug, Default)]
pub struct Noted(HashMap<String, ContactId>);

/// The directory. Cheap to clone.
#[derive(Clone)]
pub struct Directory {
    store: Store,
    keyring: Keyring,
}

impl Directory {
    /// The directory in this store.
    pub fn new(store: Store, keyring: Keyring) -> Self {
        Self { store, keyring }
    }

    /// Who stands behind an address. A contact whose key has died is not known.
    ///
    /// # Errors
    /// Where the store cannot be read: cannot tell is not no.
    pub async fn find(&self, address: &Address) -> Result<Option<Found>, StoreError> {
        let Some(pointer) = self.store.get::<ContactId>(&self.address_key(address)).await? else {
            return Ok(None);
        };
        let key = contact_key(pointer.value);
        let Some(record) = self.store.get::<Contact>(&key).await? else { return Ok(None) };
        match record.value.person.open::<Person>(&self.keyring, &key.octets) {
            Ok(person) => Ok(Some(Found {
                id: pointer.value,
                person,
                version: record.version,
                created: record.value.created,
                remembered_until: record.value.remembered_until,
            })),
            Err(KeyringError::NoKeyFor(_)) => Ok(None),
            Err(other) => Err(StoreError::Unsound(other.to_string())),
        }
    }

    /// The contact of an address that is being written to: as found, or a new one put into the batch, so that
    /// two messages to a new address at the same time make one contact (the second commit conflicts). A role
    /// newly known is written down; one known already stays.
    ///
    /// # Errors
    /// Where the store or the keyring fails.
    pub async fn note(
        &self,
        batch: &mut Batch,
        noted: &mut Noted,
        address: &Address,
        role: Option<Role>,
        now: Timestamp,
    ) -> Result<ContactId, StoreError> {
        let form = address.lookup_form();
        if let Some(id) = noted.0.get(&form) {
            return Ok(*id);
        }
        let id = self.note_once(batch, address, role, now).await?;
        noted.0.insert(form, id);
        Ok(id)
    }

    async fn note_once(
        &self,
        batch: &mut Batch,
        address: &Address,
        role: Option<Role>,
        now: Timestamp,
    ) -> Result<ContactId, StoreError> {
        let Some(found) = self.find(address).await? else {
            return self.put_new(batch, address, role, now).await;
        };
        let learns = found.person.role.is_none() && role.is_some();
        let ageing = found.remembered_until.since(now) < RENEWED_WITHIN;
        if learns || ageing {
            let person = Person { role: found.person.role.or(role), ..found.person };
            batch.require_version(contact_key(found.id), found.version);
            self.put(batch, found.id, &person, found.created, now)?;
        }
        Ok(found.id)
    }

    async fn put_new(
        &self,
        batch: &mut Batch,
        address: &Address,
        role: Option<Role>,
        now: Timestamp,
    ) -> Result<ContactId, StoreError> {
        let pointer = self.address_key(address);
        let id: ContactId = random::id();
        match self.store.get::<ContactId>(&pointer).await? {
            Some(forgotten) => {
                batch.require_version(pointer.clone(), forgotten.version).delete(contact_key(forgotten.value))
            }
            None => batch.require_absent(pointer.clone()),
        };
        batch.put(pointer, &id);
        self.put(batch, id, &Person { address: address.clone(), role }, now, now)?;
        Ok(id)
    }

    fn put(
        &self,
        batch: &mut Batch,
        id: ContactId,
        person: &Person,
        created: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = contact_key(id);
        let remembered_until = now.plus(REMEMBERED);
        let person = Capsule::seal(&self.keyring, remembered_until.day(), KeyClass::Contact, &key.octets, person)
            .map_err(|error| StoreError::Unsound(error.to_string()))?;
        batch.put(key, &Contact { created, remembered_until, person });
        Ok(())
    }

    /// One contact, for listings on an admin's terminal; `None` when its key has died.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn person(&self, id: ContactId) -> Result<Option<Person>, StoreError> {
        let key = contact_key(id);
        let record = self.store.get::<Contact>(&key).await?;
        Ok(record.and_then(|record| record.value.person.open(&self.keyring, &key.octets).ok()))
    }

    fn address_key(&self, address: &Address) -> Key {
        let hash = self.keyring.lookup("address", address.lookup_form().as_bytes());
        Key::new(Table::ContactByAddress, &[&hash])
    }
}

fn contact_key(id: ContactId) -> Key {
    Key::new(Table::Contact, &[id.octets()])
}
