//! Claims: which entry is in whose hands. They live in memory; after a restart nobody holds anything, and the
//! index of due moments finds every entry again.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::Queue;
use super::entry::{QueueEntry, due_key, entry_key, read_due_key, unseal};
use super::fate::Failed;
use super::letter::Letter;
use crate::event::Event;
use crate::id::QueueId;
use crate::keyring::KeyringError;
use crate::store::{Batch, CommitError, Record, StoreError, Table};
use crate::time::Timestamp;

/// How long an entry that does not open is left alone.
const SET_ASIDE: Duration = Duration::from_secs(4 * 3600);
/// What a clock that is put right may step back without anything counting as due.
const CLOCK_STEP: Duration = Duration::from_secs(3600);
/// The longest wait without a look, so that a clock that was set is noticed.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// Who holds what, and the bell that tells of work.
#[derive(Default)]
pub(super) struct Desk {
    held: Mutex<HashSet<QueueId>>,
    bell: Notify,
    /// Rings when a letter whose end is written down has ended.
    ended: Notify,
}

impl Desk {
    fn held(&self) -> MutexGuard<'_, HashSet<QueueId>> {
        // A panic while the lock is held leaves a set that is whole: it is only inserted into and removed from.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One ring wakes one waiting worker, or the next that comes to wait.
    pub(super) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Tells whoever writes status mails.
    pub(super) fn ring_for_end(&self) {
        self.ended.notify_one();
    }

    fn take(self: &Arc<Self>, id: QueueId) -> Option<Hold> {
        self.held().insert(id).then(|| Hold { id, desk: self.clone(), gone: AtomicBool::new(false) })
    }
}

/// Holds an entry; gives it back when dropped.
struct Hold {
    id: QueueId,
    desk: Arc<Desk>,
    /// The entry is gone: nobody needs to look for it.
    gone: AtomicBool,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.desk.held().remove(&self.id);
        if !self.gone.load(Ordering::Relaxed) {
            self.desk.ring();
        }
    }
}

/// An entry that one worker has taken. Nobody else gets it until this is dropped.
pub struct Claim {
    /// Its id.
    pub id: QueueId,
    /// As stored.
    pub entry: QueueEntry,
    /// Opened.
    pub letter: Letter,
    /// The commit that wrote the entry.
    pub(super) version: u64,
    hold: Hold,
}

impl Claim {
    /// Its entry is removed: when the claim is dropped nobody is woken for it.
    pub(super) fn note_gone(&self) {
        self.hold.gone.store(true, Ordering::Relaxed);
    }
}

impl Queue {
    /// Tells a waiting worker that something may be due; called after a commit.
    pub fn wake(&self) {
        self.desk.ring();
    }

    /// Waits until a letter has ended whose sender may have to be told, if none has since the last wait. One waits at a time.
    pub async fn letter_ended(&self) {
        self.desk.ended.notified().await;
    }

    /// Takes up to `limit` entries that are due, in order of time, found by index. What was queued while the clock was
    /// ahead, and would be due after the longest pause there is, counts as due. An entry that does not open is set aside
    /// for four hours with an alarm, and holds up nobody; one whose key went with its day has ended.
    ///
    /// # Errors
    /// [`StoreError`] where the index cannot be read, or not be mended.
    pub async fn claim_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Claim>, StoreError> {
        let mut claims = Vec::new();
        // What is mended makes room for what stands behind it.
        while self.claim_some(&mut claims, now, limit).await? && claims.len() < limit {}
        if !claims.is_empty() && claims.len() == limit {
            self.wake();
        }
        Ok(claims)
    }

    /// Adds to the claims; whether anything was mended or set aside on the way.
    async fn claim_some(&self, claims: &mut Vec<Claim>, now: Timestamp, limit: usize) -> Result<bool, StoreError> {
        let mut mended = false;
        for (due, id) in self.due_now(now, limit).await? {
            if claims.len() == limit {
                break;
            }
            let Some(hold) = self.desk.take(id) else { continue };
            match self.open_due(id, due).await {
                Ok(Some(Opened { version, entry, letter })) => claims.push(Claim { id, entry, letter, version, hold }),
                Ok(None) => mended |= self.drop_stale(id, due).await?,
                Err(Unopened::Letter(record, KeyringError::NoKeyFor(day))) if day < now.day() => {
                    self.end(id, *record, now).await?;
                    mended = true;
                }
                Err(fault) => {
                    self.set_aside(id, due, now, &fault).await?;
                    mended = true;
                }
            }
        }
        Ok(mended)
    }

    /// Waits until something may be due: a wake, or the moment the next entry is due.
    pub async fn wait(&self, now: Timestamp) {
        let next = self.next_due().await;
        let pause = next.map_or(LONGEST_WAIT, |due| due.since(now)).min(LONGEST_WAIT);
        // Returns at the wake or at the end of the pause; both mean "look".
        let _ = tokio::time::timeout(pause, self.desk.bell.notified()).await;
    }

    async fn next_due(&self) -> Option<Timestamp> {
        let first = self.due_before(Timestamp::from_millis(i64::MAX), 1).await.ok()?;
        let held = self.desk.held();
        first.into_iter().find(|(_, id)| !held.contains(id)).map(|(due, _)| due)
    }

    /// What the index says is due, and what it says is due later than anything can be.
    async fn due_now(&self, now: Timestamp, limit: usize) -> Result<Vec<(Timestamp, QueueId)>, StoreError> {
        let mut due = self.due_before(now.plus(Duration::from_millis(1)), limit).await?;
        let wanted = limit.saturating_add(self.desk.held().len()).saturating_sub(due.len());
        if wanted > 0 {
            let end = now.plus(self.schedule.longest_pause().max(SET_ASIDE)).plus(CLOCK_STEP);
            let ahead = self.store.scan_keys(Table::QueueDue, &end.to_key(), &[], wanted).await?;
            due.extend(ahead.iter().filter_map(|key| read_due_key(key)));
        }
        Ok(due)
    }

    /// The first entries of the index: as many as asked for beside those that are held.
    async fn due_before(&self, end: Timestamp, limit: usize) -> Result<Vec<(Timestamp, QueueId)>, StoreError> {
        let held = self.desk.held().len();
        let keys = self.store.scan_keys(Table::QueueDue, &[], &end.to_key(), limit.saturating_add(held)).await?;
        Ok(keys.iter().filter_map(|key| read_due_key(key)).collect())
    }

    /// The entry that the index says is due; `None` where it was settled since the index was read.
    async fn open_due(&self, id: QueueId, due: Timestamp) -> Result<Option<Opened>, Unopened> {
        let record = self.store.get::<QueueEntry>(&entry_key(id)).await.map_err(Unopened::Record)?;
        let Some(record) = record.filter(|record| record.value.due == due) else { return Ok(None) };
        match unseal(&self.keyring, id, &record.value) {
            Ok(letter) => Ok(Some(Opened { version: record.version, entry: record.value, letter })),
            Err(fault) => Err(Unopened::Letter(Box::new(record), fault)),
        }
    }

    /// Removes a due moment that its entry does not have, and makes sure of the one it has. Whether there was one.
    async fn drop_stale(&self, id: QueueId, due: Timestamp) -> Result<bool, StoreError> {
        let mut batch = Batch::default();
        match self.store.get::<QueueEntry>(&entry_key(id)).await? {
            Some(Record { value, .. }) if value.due == due => return Ok(false),
            Some(Record { version, value }) => {
                batch.require_version(entry_key(id), version).put_octets(due_key(value.due, id), Vec::new());
            }
            None => {
                batch.require_absent(entry_key(id));
            }
        }
        if self.store.get_octets(&due_key(due, id)).await?.is_none() {
            return Ok(false);
        }
        batch.delete(due_key(due, id)).frees_space();
        self.mend(batch).await?;
        Ok(true)
    }

    /// Ends an entry whose key was destroyed with its day: nobody can send it, or read whom to tell.
    async fn end(&self, id: QueueId, record: Record<QueueEntry>, now: Timestamp) -> Result<(), StoreError> {
        let Record { version, value: entry } = record;
        let mut batch = Batch::default();
        batch
            .require_version(entry_key(id), version)
            .delete(entry_key(id))
            .delete(due_key(entry.due, id))
            .frees_space();
        self.track(&mut batch, id, &entry, Some(Failed { cause: None, given_up: true }), now);
        let released = self.release(&mut batch, entry.object).await?;
        if self.mend(batch).await? {
            self.objects.drop_files(released.into_iter().collect()).await;
            Event::LetterLost { queue: id, transaction: entry.transaction }.log();
        }
        Ok(())
    }

    /// Whether the batch was written: somebody else's change may have come first.
    async fn mend(&self, batch: Batch) -> Result<bool, StoreError> {
        match self.store.commit(batch).await {
            Ok(_) => Ok(true),
            Err(CommitError::Conflict) => Ok(false),
            Err(fault) => Err(StoreError::Disk(fault.to_string())),
        }
    }

    async fn set_aside(&self, id: QueueId, due: Timestamp, now: Timestamp, fault: &Unopened) -> Result<(), StoreError> {
        Event::Trouble { place: "queue", cause: format!("entry {id} does not open: {fault}") }.log();
        let later = now.plus(SET_ASIDE);
        let mut batch = Batch::default();
        batch.delete(due_key(due, id)).frees_space();
        batch.put_octets(due_key(later, id), Vec::new());
        if let Unopened::Letter(record, _) = fault {
            batch.require_version(entry_key(id), record.version);
            batch.put(entry_key(id), &QueueEntry { due: later, ..record.value.clone() });
        }
        self.mend(batch).await.map(drop)
    }
}

/// An entry as read.
struct Opened {
    version: u64,
    entry: QueueEntry,
    letter: Letter,
}

/// Why an entry cannot be worked on.
#[derive(Debug, thiserror::Error)]
enum Unopened {
    #[error("{0}")]
    Record(StoreError),
    #[error("{1}")]
    Letter(Box<Record<QueueEntry>>, KeyringError),
}
