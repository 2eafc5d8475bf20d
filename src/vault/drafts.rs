//! What a guest typed while the visit ran out: kept for an hour, sealed, for the same contact and right.

use serde::{Deserialize, Serialize};

use crate::conversation;
use crate::guests::ends;
use crate::id::{ContactId, GrantId, Id};
use crate::keyring::{Capsule, KeyClass, KeyringError};
use crate::store::{Batch, CommitError, Key, Stored, Table};
use crate::time::Timestamp;
use crate::vault::{Vault, VaultError};

/// A draft as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Draft {
    /// When it is forgotten; the same moment stands in the index of ends.
    until: Timestamp,
    /// Its text.
    text: Capsule,
}

impl Stored for Draft {
    const VERSION: u8 = 1;
}

fn draft_key(contact: ContactId, grant: GrantId) -> Key {
    Key::new(Table::Draft, &[contact.octets(), grant.octets()])
}

/// Binds a sealed draft to its place.
fn context(key: &Key) -> Vec<u8> {
    [&[key.table as u8], key.octets.as_slice()].concat()
}

impl Vault {
    /// Keeps a draft, instead of the one before. The last of two at once stays.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn keep_draft(
        &self,
        contact: ContactId,
        grant: GrantId,
        text: &str,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let key = draft_key(contact, grant);
        let until = now.plus(conversation::DRAFT_KEPT);
        let text = Capsule::seal(&self.keyring, until.day(), KeyClass::Contact, &context(&key), &text)?;
        let draft = Draft { until, text };
        loop {
            let mut batch = Batch::default();
            self.drop_draft(&mut batch, contact, grant).await?;
            ends::put(&mut batch, until, &key);
            batch.put(key.clone(), &draft);
            match self.store.commit(batch).await {
                Err(CommitError::Conflict) => {}
                kept => return kept.map(|_| ()).map_err(VaultError::from),
            }
        }
    }

    /// The draft of this contact for this right, while it is kept.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn draft(
        &self,
        contact: ContactId,
        grant: GrantId,
        now: Timestamp,
    ) -> Result<Option<String>, VaultError> {
        let key = draft_key(contact, grant);
        let found = self.store.get::<Draft>(&key).await?.map(|record| record.value);
        let Some(draft) = found.filter(|draft| now < draft.until) else { return Ok(None) };
        match draft.text.open(&self.keyring, &context(&key)) {
            Err(KeyringError::NoKeyFor(_)) => Ok(None),
            text => Ok(Some(text?)),
        }
    }

    /// Forgets a draft, in the batch; none is no error.
    ///
    /// # Errors
    /// [`VaultError::Store`].
    pub async fn drop_draft(&self, batch: &mut Batch, contact: ContactId, grant: GrantId) -> Result<(), VaultError> {
        let key = draft_key(contact, grant);
        if let Some(draft) = self.store.get::<Draft>(&key).await? {
            ends::remove(batch, draft.value.until, &key);
            batch.require_version(key.clone(), draft.version).delete(key);
        }
        Ok(())
    }
}
