//! A guest's account: sealed until a day, and sealed anew while it is used.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::access::About;
use crate::guests::{Guests, ends, sealed};
use crate::id::{ContactId, Id};
use crate::keyring::Capsule;
use crate::mail::Address;
use crate::policy::Role;
use crate::secret::silent_debug;
use crate::store::{Batch, Key, Record, StoreError, Stored, Table};
use crate::time::Timestamp;

/// How long an account that nobody uses is remembered. Its key dies with the day.
const REMEMBERED: Duration = Duration::from_secs(365 * 86_400);
/// An account that is used is sealed anew when it would be forgotten within this time.
const RENEWED_WITHIN: Duration = Duration::from_secs(180 * 86_400);

/// A guest's account: free, and reply-only.
#[derive(Clone, Serialize, Deserialize)]
pub struct Guest {
    /// The relation it registered as; none where nobody said.
    pub role: Option<Role>,
    /// The practice that invited.
    pub practice: String,
    /// The person's full name.
    pub name: String,
    /// The address, as invited.
    pub address: Address,
    /// The answers of the role's form, by field name (`mobile`, `specialty`, `procedures`, `practice_name` …); a field
    /// with several has several.
    pub answers: Vec<(String, String)>,
    /// PHC string of Argon2id; none until the password is set.
    pub password: Option<String>,
    /// When it was last set: links that were mailed before set none any more.
    pub password_since: Option<Timestamp>,
    /// Patients this person was found to stand for: when registering, or later, signed in, by their birthdate.
    pub patients: Vec<About>,
    /// When the form was sent.
    pub registered: Timestamp,
    /// When the password was first set: from then on the account is one.
    pub enrolled: Option<Timestamp>,
    /// Staff in my practice with an address outside its domains: an admin must agree first.
    pub waits_for_admin: bool,
    /// Closed by the person or an admin.
    pub closed: bool,
    /// The account is forgotten at this moment, unless it is used; [`Guests::put`] sets it.
    pub remembered_until: Timestamp,
}

silent_debug!(Guest);

impl Guest {
    /// Whether somebody can sign in with it.
    pub fn is_enrolled(&self) -> bool {
        self.enrolled.is_some() && !self.closed
    }

    /// What is left of it once it is closed.
    #[must_use]
    pub fn closed(self) -> Self {
        Self {
            name: String::new(),
            answers: Vec::new(),
            password: None,
            patients: Vec::new(),
            enrolled: None,
            waits_for_admin: false,
            closed: true,
            ..self
        }
    }

    /// Whether it ought to be put again for no other reason than that it was used.
    pub fn is_ageing(&self, now: Timestamp) -> bool {
        self.remembered_until.since(now) < RENEWED_WITHIN
    }
}

#[derive(Serialize, Deserialize)]
struct StoredGuest {
    guest: Capsule,
}

impl Stored for StoredGuest {
    const VERSION: u8 = 1;
}

pub(super) fn guest_key(contact: ContactId) -> Key {
    Key::new(Table::Guest, &[contact.octets()])
}

impl Guests {
    /// The account of a contact. One whose key has died is not known.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn find(&self, contact: ContactId) -> Result<Option<Record<Guest>>, StoreError> {
        let key = guest_key(contact);
        let Some(record) = self.store.get::<StoredGuest>(&key).await? else { return Ok(None) };
        let guest = sealed::open::<Guest>(&self.keyring, &key, &record.value.guest)?;
        Ok(guest.map(|value| Record { version: record.version, value }))
    }

    /// Puts an account into the batch, on condition that nobody changed it since it was read.
    ///
    /// # Errors
    /// Where it cannot be sealed.
    pub fn put(
        &self,
        batch: &mut Batch,
        contact: ContactId,
        read: Option<&Record<Guest>>,
        guest: &Guest,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = guest_key(contact);
        sealed::require_as_read(batch, &key, read.map(|read| read.version));
        if let Some(read) = read {
            ends::remove(batch, sealed::end(read.value.remembered_until), &key);
        }
        let lives_on = read.filter(|read| !read.value.is_ageing(now)).map(|read| read.value.remembered_until);
        let until = lives_on.unwrap_or_else(|| now.plus(REMEMBERED));
        let guest = Guest { remembered_until: until, ..guest.clone() };
        let guest = sealed::seal(&self.keyring, &key, until, &guest)?;
        ends::put(batch, sealed::end(until), &key);
        batch.put(key, &StoredGuest { guest });
        Ok(())
    }

    /// The batch fails if the account is no longer as it was read, or is one where none was.
    pub fn require_guest(&self, batch: &mut Batch, contact: ContactId, read: Option<&Record<Guest>>) {
        sealed::require_as_read(batch, &guest_key(contact), read.map(|read| read.version));
    }
}
