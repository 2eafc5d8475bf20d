//! App passwords: one for each mail program of a person, made here and shown once, so that a lost phone is shut out and all the
//! rest goes on.
//!
//! They have 100 bits and are known again by a keyed hash, without Argon2: nobody guesses them, and a mail program that signs in
//! at every look for mail costs nothing.

use serde::{Deserialize, Serialize};

use crate::accounts::{AccountError, Accounts};
use crate::id::{Id, StaffId};
use crate::keyring::LookupHash;
use crate::mail::Address;
use crate::random;
use crate::secret::{Secret, silent_debug};
use crate::store::{Batch, CommitError, Key, Record, StoreError, Stored, Table};
use crate::time::Timestamp;

/// App passwords of one account.
const MOST: usize = 20;
/// Characters of the name of one.
const LONGEST_NAME: usize = 60;

/// What is kept of an app password.
#[derive(Clone, Serialize, Deserialize)]
pub struct AppPassword {
    /// What it is for, as the admin called it: `Jane's phone`.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Its keyed hash.
    hash: LookupHash,
}

silent_debug!(AppPassword);

/// The app passwords of one account.
#[derive(Clone, Default, Serialize, Deserialize)]
struct AppPasswords(Vec<AppPassword>);

impl Stored for AppPasswords {
    const VERSION: u8 = 1;
}

impl AppPasswords {
    fn add(&mut self, new: AppPassword) -> Result<(), AccountError> {
        if self.0.iter().any(|known| known.name == new.name) {
            return Err(AccountError::AppPasswordExists);
        }
        if self.0.len() >= MOST {
            return Err(AccountError::AppPasswords);
        }
        self.0.push(new);
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), AccountError> {
        let at = self.0.iter().position(|known| known.name == name).ok_or(AccountError::NoAppPassword)?;
        self.0.remove(at);
        Ok(())
    }
}

impl Accounts {
    /// Makes an app password for an account. It is kept nowhere in clear.
    ///
    /// # Errors
    /// [`AccountError::Missing`]; [`AccountError::AppPasswordName`], [`AccountError::AppPasswordExists`],
    /// [`AccountError::AppPasswords`]; the store.
    pub async fn add_app_password(
        &self,
        address: &Address,
        name: &str,
        now: Timestamp,
    ) -> Result<Secret<String>, AccountError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(AccountError::AppPasswordName);
        }
        let password = random::readable_password();
        let new = AppPassword { name: name.to_owned(), created: now, hash: self.hash_of(&plain_form(&password)) };
        self.change_app_passwords(address, |known| known.add(new.clone())).await?;
        Ok(password)
    }

    /// The app passwords of an account, in the order they were made.
    ///
    /// # Errors
    /// [`AccountError::Missing`]; the store.
    pub async fn app_passwords(&self, address: &Address) -> Result<Vec<AppPassword>, AccountError> {
        let (id, _) = self.find(address).await?.ok_or(AccountError::Missing)?;
        Ok(self.known_app_passwords(id).await?.map(|record| record.value.0).unwrap_or_default())
    }

    /// Ends an app password, and with it the sessions that signed in by it.
    ///
    /// # Errors
    /// [`AccountError::Missing`], [`AccountError::NoAppPassword`]; the store.
    pub async fn remove_app_password(&self, address: &Address, name: &str) -> Result<(), AccountError> {
        self.change_app_passwords(address, |known| known.remove(name.trim())).await
    }

    /// The hash of this password where it is an app password of the account; for an account that is not there the same work
    /// is done.
    pub(super) async fn app_password_of(
        &self,
        account: Option<StaffId>,
        password: &Secret<String>,
    ) -> Result<Option<LookupHash>, StoreError> {
        let plain = plain_form(password);
        if !random::is_readable_password(&plain) {
            return Ok(None);
        }
        let hash = self.hash_of(&plain);
        let id = account.unwrap_or(StaffId::from_octets([0; 16]));
        Ok(self.has_app_password(id, &hash).await?.then_some(hash))
    }

    pub(super) async fn has_app_password(&self, id: StaffId, hash: &LookupHash) -> Result<bool, StoreError> {
        let record = self.known_app_passwords(id).await?;
        Ok(record.is_some_and(|record| record.value.0.iter().any(|known| known.hash == *hash)))
    }

    async fn known_app_passwords(&self, id: StaffId) -> Result<Option<Record<AppPasswords>>, StoreError> {
        self.store.get(&key_of(id)).await
    }

    async fn change_app_passwords(
        &self,
        address: &Address,
        alter: impl Fn(&mut AppPasswords) -> Result<(), AccountError>,
    ) -> Result<(), AccountError> {
        let (id, _) = self.find(address).await?.ok_or(AccountError::Missing)?;
        let key = key_of(id);
        loop {
            let mut batch = Batch::default();
            let mut known = match self.known_app_passwords(id).await? {
                Some(record) => {
                    batch.require_version(key.clone(), record.version);
                    record.value
                }
                None => {
                    batch.require_absent(key.clone());
                    AppPasswords::default()
                }
            };
            alter(&mut known)?;
            batch.put(key.clone(), &known);
            match self.store.commit(batch).await {
                Ok(_) => return Ok(()),
                Err(CommitError::Conflict) => {}
                Err(other) => return Err(other.into()),
            }
        }
    }

    fn hash_of(&self, plain: &Secret<String>) -> LookupHash {
        self.keyring.lookup("app-password", plain.expose().as_bytes())
    }
}

/// Where those of an account are.
pub(super) fn key_of(id: StaffId) -> Key {
    Key::new(Table::StaffAppPasswords, &[id.octets()])
}

/// An app password as it is hashed: people write it with and without its hyphens, and phones begin it with a capital.
fn plain_form(password: &Secret<String>) -> Secret<String> {
    let password = password.expose();
    // Room for all of it: a text that grows leaves pieces of itself behind.
    let mut plain = String::with_capacity(password.len());
    plain.extend(password.chars().filter(|c| *c != '-' && !c.is_whitespace()).map(|c| c.to_ascii_lowercase()));
    Secret::new(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_password_is_the_same_however_it_is_typed() {
        let made = random::readable_password();
        let (plain, typed) = (plain_form(&made), made.expose());
        assert!(random::is_readable_password(&plain));
        for variant in
            [typed.to_uppercase(), typed.replace('-', ""), typed.replace('-', " "), format!(" {typed}\u{a0}\n")]
        {
            assert_eq!(plain_form(&Secret::new(variant.clone())).expose(), plain.expose(), "{variant:?}");
        }
    }
}
