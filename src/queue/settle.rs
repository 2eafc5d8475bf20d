//! What became of an attempt, in one commit.

use super::Queue;
use super::claim::Claim;
use super::entry::{QueueEntry, due_key, entry_key};
use super::fate::{Failed, LetterEnd, put_end};
use super::letter::{NewLetter, Purpose};
use crate::blob::object::Released;
use crate::delivery::Cause;
use crate::event::Event;
use crate::id::{BlobId, QueueId};
use crate::store::{Batch, CommitError, Record, StoreError};
use crate::time::Timestamp;

/// How often a settlement that others' changes overtook is written anew. Each time somebody else's was written,
/// so that this many in a row mean a fault, not a crowd.
const TRIES: usize = 200;

/// What is to be written of an attempt.
#[derive(Debug, Clone)]
pub enum Settlement {
    /// The entry goes, and what it held.
    Delivered,
    /// The entry stays, due at this moment.
    Later(Timestamp, Cause),
    /// The entry goes, and what it held; the report its sender is owed (if one is) comes into the queue in the same commit.
    Failed(Failed, Option<Box<NewLetter>>),
}

/// Why it could not be written. The entry is as it was, and must not be worked on again before it can be:
/// whoever holds the claim keeps it and tries to settle again.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// Reading.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Writing.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl Queue {
    /// Writes down what became of an attempt. An entry that is gone (removed by an admin) is settled.
    ///
    /// # Errors
    /// [`SettleError`].
    pub async fn settle(&self, claim: &Claim, settlement: &Settlement, now: Timestamp) -> Result<(), SettleError> {
        // As it was claimed, so it mostly still is; to read it again is for when it is not.
        let mut entry = Record { version: claim.version, value: claim.entry.clone() };
        for _ in 0..TRIES {
            let mut batch = Batch::default();
            let released = self.write(&mut batch, claim, entry, settlement, now).await?;
            match self.store.commit(batch).await {
                Ok(_) => {
                    if !matches!(settlement, Settlement::Later(..)) {
                        claim.note_gone();
                        if claim.entry.purpose == Purpose::Tracked {
                            self.desk.ring_for_end();
                        }
                    }
                    self.objects.drop_files(released.into_iter().collect()).await;
                    if matches!(settlement, Settlement::Failed(_, Some(_))) {
                        self.wake();
                    }
                    return Ok(());
                }
                Err(CommitError::Conflict) => tokio::task::yield_now().await,
                Err(fault) => return Err(fault.into()),
            }
            let Some(record) = self.store.get::<QueueEntry>(&entry_key(claim.id)).await? else { return Ok(()) };
            entry = record;
        }
        Err(CommitError::Conflict.into())
    }

    async fn write(
        &self,
        batch: &mut Batch,
        claim: &Claim,
        record: Record<QueueEntry>,
        settlement: &Settlement,
        now: Timestamp,
    ) -> Result<Option<Released>, StoreError> {
        let (key, entry) = (entry_key(claim.id), record.value);
        batch.require_version(key.clone(), record.version).frees_space();
        batch.delete(due_key(entry.due, claim.id));
        match settlement {
            Settlement::Later(due, cause) => {
                let last = Some((cause.code, cause.word().to_owned()));
                batch.put_octets(due_key(*due, claim.id), Vec::new());
                batch.put(key, &QueueEntry { due: *due, attempts: entry.attempts.saturating_add(1), last, ..entry });
                Ok(None)
            }
            Settlement::Delivered => {
                batch.delete(key);
                self.track(batch, claim.id, &entry, None, now);
                self.release(batch, entry.object).await
            }
            Settlement::Failed(failed, report) => {
                batch.delete(key);
                self.track(batch, claim.id, &entry, Some(*failed), now);
                if let Some(letter) = report {
                    self.put(batch, (**letter).clone(), now)?;
                }
                self.release(batch, entry.object).await
            }
        }
    }

    /// Writes down how an entry ended, where its sender is told of it.
    pub(super) fn track(
        &self,
        batch: &mut Batch,
        id: QueueId,
        entry: &QueueEntry,
        failed: Option<Failed>,
        now: Timestamp,
    ) {
        if entry.purpose == Purpose::Tracked {
            put_end(batch, entry.transaction, id, LetterEnd { at: now, failed });
        }
    }

    /// Lets go of an entry's object. One whose record is damaged is left to `vault verify`: the letter ends all the same.
    pub(super) async fn release(
        &self,
        batch: &mut Batch,
        object: Option<BlobId>,
    ) -> Result<Option<Released>, StoreError> {
        let Some(id) = object else { return Ok(None) };
        match self.objects.release(batch, id).await {
            Ok(released) => Ok(Some(released)),
            Err(StoreError::Unsound(_)) => {
                Event::BlobUnsound { blob: id }.log();
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }
}
