//! The one thread that writes: it takes all waiting commits, appends them as a group, syncs once, applies them to the
//! index and answers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::event::Event;
use crate::keyring::seal::Sealer;
use crate::store::batch::{Change, Expected, changes};
use crate::store::crash::{Step, reach};
use crate::store::disk::{self, LAST_RESERVE, RESERVE};
use crate::store::journal::{Failure, GROUP, Journal};
use crate::store::shared::Shared;
use crate::store::{Batch, CommitError, Committed, Key, StoreError};

/// A group is closed when its records are longer than this.
const LARGEST_GROUP: usize = 4 * 1024 * 1024;

/// A commit that waits.
pub(super) struct Request {
    /// The record's plaintext: [`GROUP`] octets, then the changes.
    plain: Vec<u8>,
    require: Vec<(Key, Expected)>,
    frees_space: bool,
    _holds: Vec<Arc<dyn std::any::Any + Send + Sync>>,
    reply: oneshot::Sender<Result<Committed, CommitError>>,
}

impl Request {
    /// The request that makes this batch a commit; `None` where it is too large.
    pub fn of(mut batch: Batch, reply: oneshot::Sender<Result<Committed, CommitError>>) -> Option<Self> {
        let plain = batch.to_changes(GROUP)?;
        let _holds = batch.take_holds();
        Some(Self { plain, require: batch.require, frees_space: batch.frees_space, _holds, reply })
    }

    fn changes(&self) -> impl Iterator<Item = Change<'_>> {
        changes(&self.plain[GROUP..]).flatten()
    }
}

/// What the writer is told.
pub(super) enum Order {
    /// Write this.
    Commit(Request),
    /// Go on in a new journal file; answers with the last sequence before it.
    Roll(std::sync::mpsc::Sender<Result<u64, StoreError>>),
    /// Sync everything and end.
    Close(Option<oneshot::Sender<Result<(), StoreError>>>),
}

pub(super) struct Writer {
    pub shared: Arc<Shared>,
    pub journal: Journal,
    pub sealer: Sealer,
    pub orders: Sender<Order>,
    pub checkpointing: Option<JoinHandle<()>>,
}

impl Writer {
    /// Writes until told to close.
    pub fn run(mut self, inbox: Receiver<Order>) {
        let mut group = Vec::new();
        while let Ok(order) = inbox.recv() {
            let mut next = Some(order);
            let mut size = 0;
            while let Some(Order::Commit(request)) = next {
                size += request.plain.len();
                group.push(request);
                next = if size < LARGEST_GROUP { inbox.try_recv().ok() } else { None };
            }
            if !group.is_empty() {
                self.commit(std::mem::take(&mut group));
                self.checkpoint_if_grown();
            }
            match next {
                Some(Order::Roll(reply)) => {
                    // The asker may have given up; then nobody needs the answer.
                    let _ = reply.send(self.roll());
                }
                Some(Order::Close(reply)) => return self.close(reply, &inbox),
                _ => {}
            }
        }
    }

    fn commit(&mut self, group: Vec<Request>) {
        let group = self.admit(group);
        if group.is_empty() {
            return;
        }
        let judged =
            self.ready().and_then(|()| self.judge(&group).map_err(|error| CommitError::Disk(error.to_string())));
        let verdicts = match judged {
            Ok(verdicts) => verdicts,
            Err(error) => return refuse(group, &error),
        };
        let (mut held, mut stale) = (Vec::with_capacity(group.len()), Vec::new());
        for (request, holds) in group.into_iter().zip(verdicts) {
            if holds { held.push(request) } else { stale.push(request) }
        }
        let first = self.journal.next();
        match self.write(&mut held) {
            Ok(()) => {
                self.apply(&held, first);
                answer(held, first);
            }
            Err(error) => {
                Event::Trouble { place: "journal", cause: error.to_string() }.log();
                let cause = error.to_string();
                let lies = self.journal.failure() == Some(Failure::Lies);
                refuse(held, &if lies { CommitError::Unknown(cause) } else { CommitError::Disk(cause) });
            }
        }
        for request in stale {
            let _ = request.reply.send(Err(CommitError::Conflict));
        }
    }

    /// Refuses those for which there is too little space.
    fn admit(&self, group: Vec<Request>) -> Vec<Request> {
        let folder = &self.shared.settings.folder;
        let admits = |reserve| disk::require_space(folder, reserve).map_err(fault);
        let (new_work, freeing) = (admits(RESERVE), admits(LAST_RESERVE));
        let verdict = |request: &Request| if request.frees_space { freeing.as_ref() } else { new_work.as_ref() };
        let (admitted, refused) = group.into_iter().partition(|request| verdict(request).is_ok());
        for request in refused {
            if let Err(error) = verdict(&request) {
                let _ = request.reply.send(Err(error.again()));
            }
        }
        admitted
    }

    /// Whether anything can be written now; makes up for an earlier failure where the disk allows it again.
    fn ready(&mut self) -> Result<(), CommitError> {
        if self.shared.unsound.load(Ordering::Acquire) {
            return Err(CommitError::Disk(
                "the index is damaged; restart postern, it rebuilds it from the journal".into(),
            ));
        }
        if self.journal.failure().is_some() {
            self.journal.recover(&self.sealer).map_err(fault)?;
        }
        if self.journal.is_full() {
            self.journal.roll(&self.sealer).map_err(fault)?;
        }
        Ok(())
    }

    /// Which requests' conditions hold, each seen after those before it in the group.
    fn judge(&self, group: &[Request]) -> Result<Vec<bool>, StoreError> {
        let conditional = group.iter().any(|request| !request.require.is_empty());
        let mut sequence = self.journal.next();
        let mut overlay: HashMap<(u8, &[u8]), Option<u64>> = HashMap::new();
        let mut verdicts = Vec::with_capacity(group.len());
        for request in group {
            let mut holds = true;
            for (key, expected) in &request.require {
                let (table, octets) = (key.table as u8, key.octets.as_slice());
                let version = match overlay.get(&(table, octets)) {
                    Some(version) => *version,
                    None => self.shared.index.version(table, octets)?,
                };
                holds &= match expected {
                    Expected::Absent => version.is_none(),
                    Expected::Version(wanted) => version == Some(*wanted),
                };
            }
            if holds {
                if conditional {
                    let written = request.changes();
                    overlay.extend(written.map(|change| ((change.table, change.key), change.octets.map(|_| sequence))));
                }
                sequence += 1;
            }
            verdicts.push(holds);
        }
        Ok(verdicts)
    }

    fn write(&mut self, group: &mut [Request]) -> std::io::Result<()> {
        if group.is_empty() {
            return Ok(());
        }
        self.journal.append(&self.sealer, group.iter_mut().map(|request| &mut request.plain))?;
        reach(Step::JournalAppended);
        self.journal.sync()?;
        reach(Step::JournalSynced);
        Ok(())
    }

    /// Applies what is synced. If the index fails now, the commits stand all the same: the next start rebuilds it.
    fn apply(&self, group: &[Request], first: u64) {
        if group.is_empty() {
            return;
        }
        let last = first + group.len() as u64 - 1;
        let writes = (first..)
            .zip(group)
            .flat_map(|(sequence, request)| request.changes().map(move |change| (sequence, change)));
        if let Err(error) = self.shared.index.apply(writes, last) {
            self.shared.found_unsound(&error);
        }
        reach(Step::Applied);
        self.shared.applied.store(last, Ordering::Release);
        self.shared.watches.bump(group.iter().flat_map(Request::changes).map(|change| change.table));
    }

    fn checkpoint_if_grown(&mut self) {
        let idle = self.checkpointing.as_ref().is_none_or(JoinHandle::is_finished);
        if self.journal.grown() < self.shared.settings.checkpoint_every || !idle {
            return;
        }
        self.journal.reset_grown();
        let (shared, orders) = (Arc::clone(&self.shared), self.orders.clone());
        let work = move || {
            if let Err(error) = shared.checkpoint(&orders) {
                Event::Trouble { place: "checkpoint", cause: error.to_string() }.log();
            }
        };
        self.checkpointing = std::thread::Builder::new().name("checkpoint".into()).spawn(work).ok();
    }

    fn roll(&mut self) -> Result<u64, StoreError> {
        disk::require_space(&self.shared.settings.folder, LAST_RESERVE)
            .map_err(|error| StoreError::Disk(error.to_string()))?;
        self.ready().map_err(|error| StoreError::Disk(error.to_string()))?;
        self.journal.roll(&self.sealer).map_err(|error| StoreError::Disk(error.to_string()))?;
        self.journal.reset_grown();
        Ok(self.journal.next() - 1)
    }

    fn close(self, reply: Option<oneshot::Sender<Result<(), StoreError>>>, inbox: &Receiver<Order>) {
        self.shared.closing.store(true, Ordering::Release);
        // A checkpoint under way may be waiting for its new journal file; refused, it ends.
        while self.checkpointing.as_ref().is_some_and(|thread| !thread.is_finished()) {
            if let Ok(Order::Roll(reply)) = inbox.recv_timeout(std::time::Duration::from_millis(5)) {
                let _ = reply.send(Err(StoreError::Disk("the store was closed".into())));
            }
        }
        let finished = self.journal.finish().map_err(|error| StoreError::Disk(error.to_string()));
        let closed = finished.and_then(|()| self.shared.settle());
        let Self { shared, journal, sealer, orders, checkpointing } = self;
        drop((shared, journal, sealer, orders, checkpointing));
        if let Some(reply) = reply {
            let _ = reply.send(closed);
        }
    }
}

fn fault(error: std::io::Error) -> CommitError {
    CommitError::Disk(error.to_string())
}

fn answer(group: Vec<Request>, first: u64) {
    for (sequence, request) in (first..).zip(group) {
        // Whoever asked may be gone (its connection ended); the commit has happened all the same.
        let _ = request.reply.send(Ok(Committed { sequence }));
        reach(Step::Answered);
    }
}

fn refuse(group: Vec<Request>, error: &CommitError) {
    for request in group {
        let _ = request.reply.send(Err(error.again()));
    }
}
