//! Staff accounts: who may send, as which addresses, and with what password.

use crate::id::{Id, StaffId};
use crate::keyring::{Keyring, LookupHash};
use crate::mail::Address;
use crate::random;
use crate::secret::Secret;
use crate::store::{Batch, CommitError, Key, Record, Store, StoreError, Table};
use crate::time::Timestamp;

pub mod app_password;
mod known;
pub mod password;
pub mod staff;

pub use app_password::AppPassword;
pub use password::{PasswordError, Passwords};
pub use staff::{INITIAL_PASSWORD_LIVES, StaffAccount};

/// Why an account could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// There is one for this address already.
    #[error("there is a staff account for this address already; `postern staff passwd` gives it a new password")]
    Exists,
    /// There is none.
    #[error("there is no staff account for this address; `postern staff list` shows all")]
    Missing,
    /// The name of an app password is none.
    #[error("an app password needs a name of 1 to 60 characters that says what it is for, such as \"Jane's phone\"")]
    AppPasswordName,
    /// The account has an app password of this name.
    #[error("there is an app password of this name already; `postern staff app-password list` shows all")]
    AppPasswordExists,
    /// It has none.
    #[error("there is no app password of this name; `postern staff app-password list` shows all")]
    NoAppPassword,
    /// It has as many as an account may have.
    #[error("an account has at most 20 app passwords; remove one that is not used any more")]
    AppPasswords,
    /// The password is not one that can be taken.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store did not take the change.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// What a name and password came to.
#[derive(Debug)]
pub enum SignIn {
    /// This account.
    Welcome(Box<StaffAccount>, Pass),
    /// Wrong name, wrong password, disabled or lapsed; nobody outside learns which.
    Rejected,
    /// More sign-ins are waiting than make sense; the work was not done.
    Busy,
}

/// What a sign-in stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// The account.
    pub id: StaffId,
    /// The account as it was when the password was checked.
    version: u64,
    /// The app password, where it was one.
    app_password: Option<LookupHash>,
}

/// A new account.
#[derive(Debug, Clone)]
pub struct NewStaff {
    /// Its address, which is also the name to sign in with.
    pub address: Address,
    /// The person's name, for letters.
    pub name: Option<String>,
    /// The practice, where the address's domain does not say it.
    pub practice: Option<String>,
    /// Staff groups, as policy rules name them.
    pub groups: Vec<String>,
    /// Other addresses it may send as.
    pub delegated: Vec<Address>,
    /// Whether it is an admin's.
    pub admin: bool,
    /// Whether the password was made by Postern and lapses after [`INITIAL_PASSWORD_LIVES`].
    pub initial: bool,
}

/// All staff accounts. Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    store: Store,
    keyring: Keyring,
    passwords: Passwords,
}

impl Accounts {
    /// The accounts in this store.
    pub fn new(store: Store, keyring: Keyring, passwords: Passwords) -> Self {
        Self { store, keyring, passwords }
    }

    /// Checks a name and password, the account's own or an app password. A name that is unknown, or no address at all, costs
    /// the same work.
    ///
    /// # Errors
    /// Where the store cannot be read: then nobody is let in and nobody is told no.
    pub async fn sign_in(&self, name: &str, password: &Secret<String>, now: Timestamp) -> Result<SignIn, StoreError> {
        let found = match Address::parse(name.trim()) {
            Ok(address) => self.find(&address).await?,
            Err(_) => None,
        };
        let app_password = self.app_password_of(found.as_ref().map(|(id, _)| *id), password).await?;
        let open = found.filter(|(_, record)| record.value.may_sign_in(now));
        let matches = match (&app_password, &open) {
            (Some(_), Some(_)) => Some(true),
            // One of an account that is not open tells nothing either, by how soon it is refused.
            _ => {
                let hash = open.as_ref().map(|(_, record)| record.value.password.clone());
                self.passwords.verify(password, hash).await
            }
        };
        Ok(match (matches, open) {
            (None, _) => SignIn::Busy,
            (Some(true), Some((id, record))) => {
                SignIn::Welcome(Box::new(record.value), Pass { id, version: record.version, app_password })
            }
            _ => SignIn::Rejected,
        })
    }

    /// Whether what a sign-in stands on is still so: the account is as it was, its password has not lapsed, and the app
    /// password is there.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn stands(&self, pass: &Pass, now: Timestamp) -> Result<bool, StoreError> {
        let account = self.get(pass.id).await?;
        let same = account.is_some_and(|account| account.version == pass.version && account.value.may_sign_in(now));
        match &pass.app_password {
            Some(hash) if same => self.has_app_password(pass.id, hash).await,
            _ => Ok(same),
        }
    }

    /// The account of an address (its own, not a delegated one).
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn find(&self, address: &Address) -> Result<Option<(StaffId, Record<StaffAccount>)>, StoreError> {
        let Some(pointer) = self.store.get::<StaffId>(&self.address_key(address)).await? else {
            return Ok(None);
        };
        Ok(self.get(pointer.value).await?.map(|record| (pointer.value, record)))
    }

    /// One account.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn get(&self, id: StaffId) -> Result<Option<Record<StaffAccount>>, StoreError> {
        self.store.get(&staff_key(id)).await
    }

    /// Makes an account.
    ///
    /// # Errors
    /// [`AccountError::Exists`], a password that is not taken, or the store.
    pub async fn add(&self, new: NewStaff, password: &Secret<String>, now: Timestamp) -> Result<StaffId, AccountError> {
        let hash = self.passwords.hash(password).await?;
        let id: StaffId = random::id();
        let pointer = self.address_key(&new.address);
        let mut batch = Batch::default();
        batch.require_absent(pointer.clone());
        batch.put(pointer, &id);
        batch.put(staff_key(id), &StaffAccount::new(new, hash, now));
        match self.store.commit(batch).await {
            Ok(_) => Ok(id),
            Err(CommitError::Conflict) => Err(AccountError::Exists),
            Err(other) => Err(other.into()),
        }
    }

    /// Gives an account a new password; a disabled one is enabled by it.
    ///
    /// # Errors
    /// [`AccountError::Missing`], a password that is not taken, or the store.
    pub async fn set_password(&self, address: &Address, password: &Secret<String>) -> Result<(), AccountError> {
        let hash = self.passwords.hash(password).await?;
        self.change(address, |account| {
            account.password = hash.clone();
            account.initial_since = None;
            account.disabled = false;
        })
        .await
    }

    /// Lets nobody sign in with it any more, and ends its app passwords: who enables it again gives a new password, and means
    /// nobody who had an old one. What it sent stays.
    ///
    /// # Errors
    /// [`AccountError::Missing`] or the store.
    pub async fn disable(&self, address: &Address) -> Result<(), AccountError> {
        self.change(address, |account| account.disabled = true).await
    }

    async fn change(&self, address: &Address, alter: impl Fn(&mut StaffAccount)) -> Result<(), AccountError> {
        loop {
            let (id, mut record) = self.find(address).await?.ok_or(AccountError::Missing)?;
            alter(&mut record.value);
            let mut batch = Batch::default();
            if record.value.disabled {
                batch.delete(app_password::key_of(id));
            }
            batch.require_version(staff_key(id), record.version);
            batch.put(staff_key(id), &record.value);
            match self.store.commit(batch).await {
                Ok(_) => return Ok(()),
                Err(CommitError::Conflict) => {}
                Err(other) => return Err(other.into()),
            }
        }
    }

    /// Accounts in the order they were made, after `after`, up to `limit`.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn list(&self, after: Option<StaffId>, limit: usize) -> Result<Vec<(StaffId, StaffAccount)>, StoreError> {
        let from = after.map_or_else(Vec::new, |id| [id.octets().as_slice(), &[0]].concat());
        let rows = self.store.scan::<StaffAccount>(Table::Staff, &from, &[0xFF; 17], limit).await?;
        Ok(rows.into_iter().filter_map(|(key, record)| Some((staff_id(&key)?, record.value))).collect())
    }

    fn address_key(&self, address: &Address) -> Key {
        let hash: LookupHash = self.keyring.lookup("address", address.lookup_form().as_bytes());
        Key::new(Table::StaffByAddress, &[&hash])
    }
}

fn staff_key(id: StaffId) -> Key {
    Key::new(Table::Staff, &[id.octets()])
}

fn staff_id(key: &[u8]) -> Option<StaffId> {
    key.try_into().ok().map(StaffId::from_octets)
}
