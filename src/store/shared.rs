//! What the store's handles, its writer and its checkpoints share.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::event::Event;
use crate::keyring::seal::Sealer;
use crate::store::index::Index;
use crate::store::state::{self, State};
use crate::store::writer::Order;
use crate::store::{StoreError, StoreSettings, checkpoint, disk, journal};

pub(super) struct Shared {
    pub settings: StoreSettings,
    pub index: Index,
    /// The last sequence applied to the index.
    pub applied: AtomicU64,
    /// The index failed: nothing is committed before a restart.
    pub unsound: AtomicBool,
    pub closing: AtomicBool,
    pub watches: Watches,
    pub export: Sealer,
    /// Held while a checkpoint is made.
    pub exporting: Mutex<()>,
    /// Locks the folder against other processes while it is open.
    pub _lock: File,
}

impl Shared {
    /// Notes that the index does not hold what it should: this run commits nothing more, the next start rebuilds it.
    pub fn found_unsound(&self, error: &StoreError) {
        if !self.unsound.swap(true, Ordering::AcqRel) {
            Event::Trouble { place: "index", cause: error.to_string() }.log();
        }
        if let Err(error) = state::write(&self.settings.folder, &State::Unsound) {
            Event::Trouble { place: "index", cause: error.to_string() }.log();
        }
    }

    /// Exports everything, then lets the journal files go that the export stands for.
    pub fn checkpoint(&self, orders: &Sender<Order>) -> Result<(), StoreError> {
        let _alone = self.exporting.lock().unwrap_or_else(PoisonError::into_inner);
        let (reply, answer) = channel();
        let closed = || StoreError::Disk("the store was closed".into());
        orders.send(Order::Roll(reply)).map_err(|_| closed())?;
        let sequence = answer.recv().map_err(|_| closed())??;
        // Without the journal's older files sled has to stand for itself.
        self.index.pour()?;
        self.export(sequence)
    }

    /// Exports as of `sequence`; the journal has a file that begins right after it.
    pub fn export(&self, sequence: u64) -> Result<(), StoreError> {
        let through = || self.applied.load(Ordering::Acquire);
        let stop = || self.closing.load(Ordering::Acquire);
        let folder = self.settings.folder.join("checkpoint");
        let written = checkpoint::write(&folder, &self.export, &self.index, sequence, through, stop)?;
        let fault = |error: std::io::Error| StoreError::Disk(error.to_string());
        journal::remove_through(&self.settings.folder.join("journal"), sequence).map_err(fault)?;
        checkpoint::remove_older(&folder).map_err(fault)?;
        Event::Checkpointed { sequence, octets: written.octets }.log();
        Ok(())
    }

    /// Syncs the index and notes that it may be trusted by the next start.
    pub fn settle(&self) -> Result<(), StoreError> {
        if self.unsound.load(Ordering::Acquire) {
            return Ok(());
        }
        self.index.sync()?;
        state::write(&self.settings.folder, &State::Clean).map_err(|error| StoreError::Disk(error.to_string()))
    }
}

/// Who waits for changes of which table.
#[derive(Default)]
pub(super) struct Watches(Mutex<HashMap<u8, watch::Sender<u64>>>);

impl Watches {
    /// A receiver that sees a new number after each commit that touched the table.
    pub fn watch(&self, table: u8) -> watch::Receiver<u64> {
        let mut watches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        watches.entry(table).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    /// Tells those who watch these tables.
    pub fn bump(&self, tables: impl Iterator<Item = u8>) {
        let watches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut touched: Vec<u8> = tables.filter(|table| watches.contains_key(table)).collect();
        touched.sort_unstable();
        touched.dedup();
        for table in touched {
            if let Some(watch) = watches.get(&table) {
                watch.send_modify(|count| *count += 1);
            }
        }
    }
}

/// Makes the folders of the store and locks it.
pub(super) fn lock(folder: &Path) -> Result<File, StoreError> {
    let fault = |error: std::io::Error| StoreError::Disk(format!("{}: {error}", folder.display()));
    for folder in [folder.to_owned(), folder.join("journal"), folder.join("checkpoint")] {
        disk::make_folder(&folder).map_err(fault)?;
    }
    let lock = File::options().create(true).truncate(false).write(true).open(folder.join("lock")).map_err(fault)?;
    match rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::InUse(folder.to_owned())),
        Err(error) => Err(fault(error.into())),
    }
}
