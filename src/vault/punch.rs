//! Punching a day: what is left of it is re-wrapped under a fresh key, and the old key is destroyed, so that a right
//! that was taken back opens in no copy of the data any more.
//!
//! Order, safe against a crash at any point: 1 the revocation is committed together with the mark that
//! a punch is owed; 2 a fresh key stands beside the old one, on disk; 3 batches on their way that used the old one
//! are waited for; 4 survivors are re-wrapped, committed; 5 the old key is destroyed, on disk; 6 the mark
//! is removed, unless another revocation renewed it meanwhile. A crash before 6 begins again at 2.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use crate::event::Event;
use crate::id::GrantId;
use crate::keyring::{KeyClass, Keyring, KeyringError};
use crate::store::{Batch, CommitError, Key, Table};
use crate::time::Day;
use crate::vault::grants::{Mark, after_prefix, day_octets, grant_key, last_id, wrap_context};
use crate::vault::{Vault, VaultError};

/// Survivors re-wrapped in one commit.
const PAGE: usize = 100;

/// Who waits for whom: batches hold a guard of the epoch they were made in, a punch begins a new epoch and waits
/// until the old one's guards are gone.
#[derive(Clone)]
pub(super) struct Punching {
    epoch: Arc<Mutex<Epoch>>,
    alone: Arc<tokio::sync::Mutex<()>>,
}

struct Epoch {
    guard: mpsc::Sender<()>,
    gone: mpsc::Receiver<()>,
}

impl Epoch {
    fn new() -> Self {
        let (guard, gone) = mpsc::channel(1);
        Self { guard, gone }
    }
}

impl Default for Punching {
    fn default() -> Self {
        Self { epoch: Arc::new(Mutex::new(Epoch::new())), alone: Default::default() }
    }
}

impl Punching {
    /// To be held by a batch, taken before its keys are wrapped.
    pub fn guard(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::new(self.epoch.lock().unwrap_or_else(PoisonError::into_inner).guard.clone())
    }

    /// Waits until every batch that may have used the keys before this moment is committed or dropped.
    async fn turn(&self) {
        let fresh = Epoch::new();
        let Epoch { guard, mut gone } =
            std::mem::replace(&mut *self.epoch.lock().unwrap_or_else(PoisonError::into_inner), fresh);
        drop(guard);
        // Nothing is ever sent: it ends when the last guard is dropped.
        let _ = gone.recv().await;
    }
}

pub(super) fn owed_key(day: Day) -> Key {
    Key::new(Table::PunchOwed, &[&day_octets(day)])
}

fn owed_day(key: &[u8]) -> Option<Day> {
    let octets: [u8; 4] = key.try_into().ok()?;
    Some(Day::from_number((u32::from_be_bytes(octets) ^ (1 << 31)) as i32))
}

/// Runs a change of the keyring, which syncs a file, beside the async threads.
async fn change(
    keyring: &Keyring,
    change: impl FnOnce(&Keyring) -> Result<(), KeyringError> + Send + 'static,
) -> Result<(), KeyringError> {
    let keyring = keyring.clone();
    let changed = tokio::task::spawn_blocking(move || change(&keyring)).await;
    changed.map_err(|_| KeyringError::Source("changing the keyring was interrupted".into()))?
}

impl Vault {
    /// Punches every day that a revocation has left in debt. How many days.
    ///
    /// # Errors
    /// [`VaultError`]; what is owed stays written down for the next run.
    pub async fn punch_owed(&self) -> Result<usize, VaultError> {
        let _alone = self.punching.alone.lock().await;
        let owed = self.store.scan_keys(Table::PunchOwed, &[], &[], usize::MAX).await?;
        let days: Vec<Day> = owed.iter().filter_map(|key| owed_day(key)).collect();
        for day in &days {
            self.punch(*day).await?;
        }
        Ok(days.len())
    }

    async fn punch(&self, day: Day) -> Result<(), VaultError> {
        let Some(mark) = self.store.get::<Mark>(&owed_key(day)).await? else { return Ok(()) };
        match change(&self.keyring, move |ring| ring.begin_punch(day, KeyClass::Grant)).await {
            Ok(()) => {
                self.punching.turn().await;
                self.rewrap_all(day).await?;
                change(&self.keyring, move |ring| ring.finish_punch(day, KeyClass::Grant)).await?;
            }
            // The day has passed: its keys are gone, and everything with them.
            Err(KeyringError::NoKeyFor(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let mut batch = Batch::default();
        batch.require_version(owed_key(day), mark.version).delete(owed_key(day)).frees_space();
        match self.store.commit(batch).await {
            Ok(_) | Err(CommitError::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn rewrap_all(&self, day: Day) -> Result<(), VaultError> {
        let prefix = day_octets(day);
        let mut from = prefix.to_vec();
        loop {
            let page = self.store.scan_keys(Table::GrantByDay, &from, &after_prefix(&prefix), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            let next = [last.as_slice(), &[0]].concat();
            let ids: Vec<GrantId> = page.iter().filter_map(|key| last_id(key)).collect();
            match self.rewrap(&ids).await {
                Ok(()) => from = next,
                // One of them was revoked meanwhile: the page is read again.
                Err(VaultError::Commit(CommitError::Conflict)) => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn rewrap(&self, ids: &[GrantId]) -> Result<(), VaultError> {
        let mut batch = Batch::default();
        batch.frees_space();
        for id in ids {
            let Some(record) = self.grant(*id).await? else { continue };
            let mut grant = record.value;
            let Some(wrapped) = grant.key.take() else { continue };
            if self.keyring.generation(wrapped.day, wrapped.class) == Some(wrapped.generation) {
                continue;
            }
            let context = wrap_context(grant.contact, grant.parcel);
            match self.keyring.unwrap(&wrapped, &context) {
                Ok(key) => grant.key = Some(self.keyring.wrap(wrapped.day, wrapped.class, &key, &context)?),
                Err(error) => {
                    // It opens no more than before; the others must not pay for it.
                    Event::Trouble { place: "vault", cause: format!("grant {id}: {error}") }.log();
                    continue;
                }
            }
            batch.require_version(grant_key(*id), record.version).put(grant_key(*id), &grant);
        }
        if !batch.is_empty() {
            self.store.commit(batch).await?;
        }
        Ok(())
    }
}
