//! One-time codes: six digits that are derived, never stored.
//!
//! What is kept is a nonce and until when it holds. So a code that is asked for again within its life is the same one, and
//! nobody who copies the data reads a code in it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::guests::{Guests, ends};
use crate::id::{GrantId, Id, VisitId};
use crate::random;
use crate::secret::Secret;
use crate::store::{Batch, Key, Record, StoreError, Stored, Table};
use crate::time::Timestamp;

/// How long a code works after it was last mailed.
const LIVES: Duration = Duration::from_secs(600);

/// What a code is derived from.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct CodeNonce {
    nonce: [u8; 16],
    until: Timestamp,
}

impl Stored for CodeNonce {
    const VERSION: u8 = 1;
}

/// A code, and until when it works.
#[derive(Debug)]
pub struct Code {
    /// Six digits.
    pub digits: Secret<String>,
    /// Until then.
    pub until: Timestamp,
}

impl Guests {
    /// Beside the counts, under a purpose of its own: both are told apart by their keyed hash.
    fn code_key(&self, grant: GrantId, visit: VisitId) -> Key {
        Key::new(Table::Guesses, &[&self.keyring.lookup("code-nonce", &opener(grant, visit))])
    }

    /// The code for a right and an opener, in the batch that mails it: within its life the same one, which lives on.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn put_code(
        &self,
        batch: &mut Batch,
        grant: GrantId,
        visit: VisitId,
        now: Timestamp,
    ) -> Result<Code, StoreError> {
        let key = self.code_key(grant, visit);
        let found = self.store.get::<CodeNonce>(&key).await?;
        let living = found.as_ref().filter(|found| now < found.value.until).map(|found| found.value.nonce);
        let code = CodeNonce { nonce: living.unwrap_or_else(random::octets), until: now.plus(LIVES) };
        replace(batch, &key, found.as_ref());
        ends::put(batch, code.until, &key);
        batch.put(key, &code);
        Ok(Code { digits: self.derive(grant, visit, &code.nonce), until: code.until })
    }

    /// The living code for a right and an opener, to compare with.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn code(&self, grant: GrantId, visit: VisitId, now: Timestamp) -> Result<Option<Code>, StoreError> {
        let found = self.store.get::<CodeNonce>(&self.code_key(grant, visit)).await?;
        let living = found.map(|found| found.value).filter(|code| now < code.until);
        Ok(living.map(|code| Code { digits: self.derive(grant, visit, &code.nonce), until: code.until }))
    }

    /// Uses the code up, in the batch: of two uses at once one happens.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn use_code(&self, batch: &mut Batch, grant: GrantId, visit: VisitId) -> Result<(), StoreError> {
        let key = self.code_key(grant, visit);
        let found = self.store.get::<CodeNonce>(&key).await?;
        replace(batch, &key, found.as_ref());
        batch.delete(key);
        Ok(())
    }

    fn derive(&self, grant: GrantId, visit: VisitId, nonce: &[u8; 16]) -> Secret<String> {
        let text = [opener(grant, visit).as_slice(), nonce].concat();
        let hash = self.keyring.lookup("code", &text);
        // 128 bits over a million: no digit is likelier than another by more than 2⁻¹⁰⁸.
        Secret::new(format!("{:06}", u128::from_be_bytes(hash) % 1_000_000))
    }
}

fn opener(grant: GrantId, visit: VisitId) -> Vec<u8> {
    [grant.octets().as_slice(), visit.octets()].concat()
}

fn replace(batch: &mut Batch, key: &Key, read: Option<&Record<CodeNonce>>) {
    match read {
        Some(read) => {
            ends::remove(batch, read.value.until, key);
            batch.require_version(key.clone(), read.version)
        }
        None => batch.require_absent(key.clone()),
    };
}
