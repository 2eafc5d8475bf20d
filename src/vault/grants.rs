//! Grants: one recipient's right to a parcel; found by id, by message, by the token in a link.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::access::AccessCheck;
use crate::event::Event;
use crate::id::{ContactId, GrantId, Id, ParcelId, PatientMark, TransactionId};
use crate::keyring::WrappedKey;
use crate::mailbox;
use crate::secret::Secret;
use crate::store::{Batch, CommitError, Key, Record, Stored, Table};
use crate::time::{Day, Timestamp};
use crate::vault::punch::owed_key;
use crate::vault::{Vault, VaultError};

/// One recipient's right to a parcel, as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Grant {
    /// The parcel.
    pub parcel: ParcelId,
    /// Whose message.
    pub transaction: TransactionId,
    /// Whose right.
    pub contact: ContactId,
    /// What must be shown first; empty means the link alone.
    pub access: Vec<AccessCheck>,
    /// When it was given.
    pub created: Timestamp,
    /// When the link stops working (a fresh one can be asked for).
    pub link_until: Timestamp,
    /// When the documents stop being kept.
    pub keep_until: Timestamp,
    /// How long they are kept after the first download, where that is what ends them.
    pub keep_after_download: Option<Duration>,
    /// The keyed hash of the link token.
    pub token_hash: [u8; 16],
    /// The parcel's key, wrapped until the day of `keep_until`; gone when revoked.
    pub key: Option<WrappedKey>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// Whose documents these are, where that was said.
    pub patient: Option<PatientMark>,
    /// While an invitation is open its clocks stand still; how long they run once they start.
    pub held: Option<Held>,
    /// When this recipient first opened it.
    pub opened: Option<Timestamp>,
    /// When this recipient first downloaded a document of it.
    pub downloaded: Option<Timestamp>,
    /// What `held` was before its clocks started: an invitation that is sent again holds it again.
    pub begun: Option<Held>,
    /// The id of the practice that speaks in the parcel: what is shown for one practice opens nothing of another.
    pub practice: String,
}

/// How long the clocks of a held right run, once they start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// How long the link works then.
    pub link: Duration,
    /// How long the documents are kept then.
    pub keep: Duration,
}

impl Stored for Grant {
    const VERSION: u8 = 2;

    fn upgrade(version: u8, octets: &[u8]) -> Option<Self> {
        if version != 1 { None } else { postcard::from_bytes(octets).ok().map(GrantV1::upgraded) }
    }
}

/// A grant as version 1 wrote it.
#[derive(Serialize, Deserialize)]
pub(super) struct GrantV1 {
    pub parcel: ParcelId,
    pub transaction: TransactionId,
    pub contact: ContactId,
    pub access: Vec<AccessCheck>,
    pub created: Timestamp,
    pub link_until: Timestamp,
    pub keep_until: Timestamp,
    pub keep_after_download: Option<Duration>,
    pub token_hash: [u8; 16],
    pub key: Option<WrappedKey>,
    pub revoked: Option<Timestamp>,
}

impl GrantV1 {
    fn upgraded(self) -> Grant {
        Grant {
            parcel: self.parcel,
            transaction: self.transaction,
            contact: self.contact,
            access: self.access,
            created: self.created,
            link_until: self.link_until,
            keep_until: self.keep_until,
            keep_after_download: self.keep_after_download,
            token_hash: self.token_hash,
            key: self.key,
            revoked: self.revoked,
            patient: None,
            held: None,
            opened: None,
            downloaded: None,
            begun: None,
            practice: String::new(),
        }
    }
}

/// A grant to be made: what `pack` decided, with the token that only the letter carries.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// Its id.
    pub id: GrantId,
    /// Whose right.
    pub contact: ContactId,
    /// What must be shown first.
    pub access: Vec<AccessCheck>,
    /// How long the link works.
    pub link: Duration,
    /// How long the documents are kept.
    pub keep: Duration,
    /// How long after the first download.
    pub keep_after_download: Option<Duration>,
    /// The token in the link.
    pub token: Secret<String>,
    /// While an invitation is open: how long the right is held at most, until [`Vault::start_clocks`] starts its clocks. It
    /// ends after `held` and `keep`, and its link works while it is held.
    pub held: Option<Duration>,
    /// Whose documents these are, where that was said: [`Vault::patient_mark`].
    pub patient: Option<PatientMark>,
}

impl NewGrant {
    /// When it ends, if its clocks are never started.
    pub(super) fn keep_until(&self, now: Timestamp) -> Timestamp {
        now.plus(self.held.unwrap_or_default()).plus(self.keep)
    }

    /// When its link stops working, if its clocks are never started.
    pub(super) fn link_until(&self, now: Timestamp) -> Timestamp {
        now.plus(self.held.unwrap_or_default().max(self.link))
    }
}

/// The content of an index record: the key says it all.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Mark;

impl Stored for Mark {
    const VERSION: u8 = 1;
}

/// What a token leads to.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Target(pub GrantId);

impl Stored for Target {
    const VERSION: u8 = 1;
}

pub(super) fn grant_key(id: GrantId) -> Key {
    Key::new(Table::Grant, &[id.octets()])
}

pub(super) fn token_key(hash: &[u8; 16]) -> Key {
    Key::new(Table::GrantByToken, &[hash])
}

pub(super) fn day_octets(day: Day) -> [u8; 4] {
    ((day.number() as u32) ^ (1 << 31)).to_be_bytes()
}

pub(super) fn day_key(day: Day, id: GrantId) -> Key {
    Key::new(Table::GrantByDay, &[&day_octets(day), id.octets()])
}

pub(super) fn transaction_key(transaction: TransactionId, id: GrantId) -> Key {
    Key::new(Table::GrantByTransaction, &[transaction.octets(), id.octets()])
}

/// Newest first: ids are ordered by time, and their complement the other way round.
pub(super) fn contact_key(contact: ContactId, id: GrantId) -> Key {
    Key::new(Table::GrantByContact, &[contact.octets(), &id.octets().map(|octet| !octet)])
}

/// What binds a parcel's wrapped key to the one whose right it is.
pub(super) fn wrap_context(contact: ContactId, parcel: ParcelId) -> [u8; 32] {
    let mut context = [0; 32];
    context[..16].copy_from_slice(contact.octets());
    context[16..].copy_from_slice(parcel.octets());
    context
}

pub(super) fn last_id<T: Id>(octets: &[u8]) -> Option<T> {
    octets.last_chunk::<16>().map(|octets| T::from_octets(*octets))
}

/// A key after all that are these octets and one id.
pub(super) fn after_prefix(prefix: &[u8]) -> Vec<u8> {
    [prefix, &[0xFF; 17]].concat()
}

impl Vault {
    /// One grant.
    ///
    /// # Errors
    /// [`VaultError::Store`].
    pub async fn grant(&self, id: GrantId) -> Result<Option<Record<Grant>>, VaultError> {
        Ok(self.store.get(&grant_key(id)).await?)
    }

    /// The grant whose link has this token, living or not.
    ///
    /// # Errors
    /// [`VaultError::Store`].
    pub async fn grant_by_token(&self, token: &str) -> Result<Option<(GrantId, Record<Grant>)>, VaultError> {
        let hash = self.keyring.lookup("token", token.as_bytes());
        let Some(target) = self.store.get::<Target>(&token_key(&hash)).await? else { return Ok(None) };
        let id = target.value.0;
        Ok(self.grant(id).await?.map(|grant| (id, grant)))
    }

    /// Grants in order of making, after `after`, up to `limit`.
    ///
    /// # Errors
    /// [`VaultError::Store`].
    pub async fn grants(&self, after: Option<GrantId>, limit: usize) -> Result<Vec<(GrantId, Grant)>, VaultError> {
        let from = after.map_or(Vec::new(), |after| [after.octets().as_slice(), &[0]].concat());
        let found = self.store.scan::<Grant>(Table::Grant, &from, &[], limit).await?;
        Ok(found.into_iter().filter_map(|(key, record)| Some((last_id(&key)?, record.value))).collect())
    }

    /// The grants of one message.
    ///
    /// # Errors
    /// [`VaultError::Store`].
    pub async fn grants_of(&self, transaction: TransactionId) -> Result<Vec<(GrantId, Grant)>, VaultError> {
        let prefix = transaction.octets();
        let keys = self.store.scan_keys(Table::GrantByTransaction, prefix, &after_prefix(prefix), usize::MAX).await?;
        let mut grants = Vec::with_capacity(keys.len());
        for id in keys.iter().filter_map(|key| last_id(key)) {
            grants.extend(self.grant(id).await?.map(|record| (id, record.value)));
        }
        Ok(grants)
    }

    /// Takes a right back: from now on it opens nothing here. Its wrapped key is deleted, and that its day's key is to be
    /// punched is written down with it; [`Vault::punch_owed`] does that. With the last right of a message it ends in Sent, too,
    /// in the same commit. Revoking twice is no error.
    ///
    /// # Errors
    /// [`VaultError::Missing`]; [`VaultError::Commit`].
    pub async fn revoke(&self, id: GrantId, now: Timestamp) -> Result<(), VaultError> {
        loop {
            let Some(Record { version, value: mut grant }) = self.grant(id).await? else {
                return Err(VaultError::Missing);
            };
            if grant.revoked.is_some() {
                return Ok(());
            }
            let mut batch = Batch::default();
            batch.frees_space();
            if let Some(wrapped) = grant.key.take() {
                batch.delete(day_key(wrapped.day, id)).put(owed_key(wrapped.day), &Mark);
            }
            grant.revoked = Some(now);
            batch.require_version(grant_key(id), version).put(grant_key(id), &grant);
            if !self.another_lives(&mut batch, id, grant.transaction, now).await? {
                mailbox::end_early(&self.store, &mut batch, grant.transaction, now).await?;
            }
            match self.store.commit(batch).await {
                Ok(_) => {
                    Event::Revoked { grant: id }.log();
                    return Ok(());
                }
                // It, or the one that lives on, was re-wrapped or revoked meanwhile.
                Err(CommitError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether another right of the message opens something still; the batch depends on that.
    async fn another_lives(
        &self,
        batch: &mut Batch,
        id: GrantId,
        transaction: TransactionId,
        now: Timestamp,
    ) -> Result<bool, VaultError> {
        for (other, _) in self.grants_of(transaction).await?.into_iter().filter(|(other, _)| *other != id) {
            let Some(Record { version, value }) = self.grant(other).await? else { continue };
            if value.key.is_some() && value.keep_until > now {
                batch.require_version(grant_key(other), version);
                return Ok(true);
            }
        }
        Ok(false)
    }
}
