//! The durable queue: one entry per recipient.
//!
//! An entry has two keys: its id, and the moment it is due with its id. Nothing here scans all entries but
//! [`Queue::list`], page by page. What is about people is sealed in the entry until the day after the queue gives up.

use std::sync::Arc;

use crate::blob::Objects;
use crate::delivery::retry::Schedule;
use crate::id::{Id, QueueId};
use crate::keyring::{Keyring, KeyringError};
use crate::store::{Batch, Key, Store, StoreError, Table};
use crate::time::{Day, Timestamp};

mod claim;
mod entry;
mod fate;
mod letter;
mod settle;

pub use claim::Claim;
pub use entry::{QueueEntry, QueueRow};
pub use fate::{Failed, LetterEnd, read_status_due, status_due_key};
pub use letter::{Letter, LetterOctets, NewLetter, Payload, Purpose, TlsDemand};
pub use settle::{SettleError, Settlement};

use entry::{due_key, entry_key, seal, unseal};

/// A mail of our own up to this many octets lies in its entry, which is a record: a file of its own would cost two syncs more.
pub const IN_ENTRY: usize = 240 * 1024;

/// Keys looked at together.
const PAGE: usize = 100;

/// The queue. Cheap to clone; all clones see the same claims.
#[derive(Clone)]
pub struct Queue {
    store: Store,
    keyring: Keyring,
    objects: Objects,
    schedule: Schedule,
    desk: Arc<claim::Desk>,
}

impl Queue {
    /// The queue in this store. The schedule says how long letters must stay openable.
    pub fn new(store: Store, keyring: Keyring, objects: Objects, schedule: Schedule) -> Self {
        Self { store, keyring, objects, schedule, desk: Arc::default() }
    }

    /// When attempts are made.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Puts a letter into the batch, due at once. Its object must be put by the caller, held once per letter.
    ///
    /// # Errors
    /// [`StoreError`] where the letter cannot be sealed.
    pub fn put(&self, batch: &mut Batch, letter: NewLetter, now: Timestamp) -> Result<(), StoreError> {
        let day = now.plus(self.schedule.give_up).day().plus(1);
        let object = letter.payload.rest.as_ref().map(|(object, _)| object.id);
        let sealed = Letter { delivery: letter.delivery, payload: letter.payload };
        let entry = QueueEntry {
            transaction: letter.transaction,
            purpose: letter.purpose,
            tls: letter.tls,
            created: now,
            due: now,
            attempts: 0,
            last: None,
            object,
            letter: seal(&self.keyring, day, letter.id, &sealed).map_err(unsound)?,
        };
        batch.put(entry_key(letter.id), &entry);
        batch.put_octets(due_key(now, letter.id), Vec::new());
        Ok(())
    }

    /// The octets of a claim's letter.
    ///
    /// # Errors
    /// [`StoreError`] where its object is missing or damaged.
    pub async fn octets(&self, letter: &Letter) -> Result<LetterOctets, StoreError> {
        let rest = match &letter.payload.rest {
            Some((object, range)) => {
                let stream = self.objects.read(object, range.clone()).await;
                Some(stream.map_err(|fault| StoreError::Unsound(fault.to_string()))?)
            }
            None => None,
        };
        Ok(LetterOctets::new(letter.payload.prefix.clone(), rest))
    }

    /// The last day of the letter that has waited longest, by the order of ids; `None` where nothing that can be read waits.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn oldest_sealed_until(&self) -> Result<Option<Day>, StoreError> {
        let mut from = Vec::new();
        loop {
            let keys = self.store.scan_keys(Table::Queue, &from, &[0xff; 17], PAGE).await?;
            let Some(last) = keys.last() else { return Ok(None) };
            from = [last.as_slice(), &[0]].concat();
            for key in &keys {
                match self.store.get::<QueueEntry>(&Key::new(Table::Queue, &[key])).await {
                    Ok(Some(record)) => return Ok(Some(record.value.letter.day())),
                    // Every claim of one that cannot be read raises the alarm; it must not stop the agenda.
                    Ok(None) | Err(StoreError::Unsound(_)) => {}
                    Err(fault) => return Err(fault),
                }
            }
        }
    }

    /// Rows in order of queueing, after `after`, up to `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(&self, after: Option<QueueId>, limit: usize) -> Result<Vec<QueueRow>, StoreError> {
        // The key after an id's is that id's with one octet more.
        let from = after.map_or_else(Vec::new, |id| [id.octets().as_slice(), &[0]].concat());
        let entries = self.store.scan::<QueueEntry>(Table::Queue, &from, &[0xff; 17], limit).await?;
        let row = |(key, record): (Vec<u8>, crate::store::Record<QueueEntry>)| {
            let id = QueueId::from_octets(key.try_into().ok()?);
            Some(QueueRow::of(id, &record.value))
        };
        Ok(entries.into_iter().filter_map(row).collect())
    }

    /// One entry, opened, for `queue show` on the admin's terminal.
    ///
    /// # Errors
    /// [`StoreError`] where the entry or its letter does not open.
    pub async fn show(&self, id: QueueId) -> Result<Option<(QueueEntry, Letter)>, StoreError> {
        let Some(record) = self.store.get::<QueueEntry>(&entry_key(id)).await? else { return Ok(None) };
        let letter = unseal(&self.keyring, id, &record.value).map_err(unsound)?;
        Ok(Some((record.value, letter)))
    }
}

fn unsound(fault: KeyringError) -> StoreError {
    StoreError::Unsound(fault.to_string())
}
