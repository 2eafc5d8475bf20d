//! Opening: the index where it is sound and current, else checkpoint and journal.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64};

use crate::event::Event;
use crate::keyring::Keyring;
use crate::keyring::seal::Sealer;
use crate::store::batch::{Change, changes};
use crate::store::index::Index;
use crate::store::journal::{self, Journal, ReadError};
use crate::store::shared::{Shared, lock};
use crate::store::state::{self, State};
use crate::store::{StoreError, StoreSettings, checkpoint};

/// Replayed changes are applied when this many octets are waiting.
const BATCH: usize = 1024 * 1024;

/// Opens everything; with the journal file to go on in.
pub(super) fn open(settings: StoreSettings, keyring: &Keyring) -> Result<(Shared, Journal), StoreError> {
    let lock = lock(&settings.folder)?;
    let opening = Opening { settings: &settings, keyring, sealer: Sealer::new(&keyring.derive("journal")) };
    let known = opening.trusted_index();
    let (index, next, owed) = match known {
        Some(index) => opening.catch_up(index)?,
        None => opening.rebuild()?,
    };
    index.pour()?;
    state::write(&settings.folder, &State::in_use()).map_err(fault)?;
    let (folder, sealer) = (opening.journal(), opening.sealer);
    let export = Sealer::new(&keyring.derive("checkpoint"));
    let shared = Shared {
        index,
        applied: AtomicU64::new(next - 1),
        unsound: AtomicBool::new(false),
        closing: AtomicBool::new(false),
        watches: Default::default(),
        export,
        exporting: Default::default(),
        _lock: lock,
        settings,
    };
    if owed {
        shared.export(next - 1)?;
    }
    let journal = begin_or_await(&folder, &sealer, next).map_err(fault)?;
    if owed {
        journal::remove_through(&folder, next - 1).map_err(fault)?;
    }
    Ok((shared, journal))
}

/// A new journal file; on a full disk the last one, so that what is there can be read.
fn begin_or_await(folder: &Path, sealer: &Sealer, next: u64) -> std::io::Result<Journal> {
    match Journal::begin(folder, sealer, next) {
        Err(error) if error.kind() == std::io::ErrorKind::StorageFull => {
            Event::Trouble { place: "journal", cause: format!("nothing is committed before there is space: {error}") }
                .log();
            Journal::awaiting_space(folder, next)
        }
        begun => begun,
    }
}

fn fault(error: std::io::Error) -> StoreError {
    StoreError::Disk(error.to_string())
}

struct Opening<'a> {
    settings: &'a StoreSettings,
    keyring: &'a Keyring,
    sealer: Sealer,
}

impl Opening<'_> {
    fn journal(&self) -> std::path::PathBuf {
        self.settings.folder.join("journal")
    }

    fn db(&self) -> std::path::PathBuf {
        self.settings.folder.join("db")
    }

    fn open_index(&self) -> Result<Index, StoreError> {
        Index::open(&self.db(), self.settings.cache, Sealer::new(&self.keyring.derive("record")))
    }

    /// The index, if it can be trusted and every octet of it opens.
    fn trusted_index(&self) -> Option<Index> {
        if !self.db().exists() || !state::read(&self.settings.folder).is_trusted() {
            return None;
        }
        let checked = self.open_index().and_then(|index| index.check().map(|_| index));
        checked.map_err(|error| Event::Trouble { place: "index", cause: error.to_string() }.log()).ok()
    }

    /// Applies to a sound index what the journal has beyond it. An index that the journal does not reach is rebuilt; one
    /// that is ahead of the journal (its tail was lost) is exported at once.
    fn catch_up(&self, index: Index) -> Result<(Index, u64, bool), StoreError> {
        let applied = index.applied()?;
        let first = journal::first_sequences(&self.journal()).map_err(fault)?.first().copied();
        if first.is_none_or(|first| first > applied + 1) && applied_needs_journal(first, applied) {
            drop(index);
            return self.rebuild();
        }
        let (next, replayed) = self.replay(&index, applied)?;
        Event::Reopened { from: "index", replayed }.log();
        if next <= applied {
            let cause = format!("the journal ends at {next}, before the index at {applied}; exporting the index");
            Event::Trouble { place: "journal", cause }.log();
            return Ok((index, applied + 1, true));
        }
        Ok((index, next, false))
    }

    /// Makes the index anew from the newest checkpoint and the journal after it.
    fn rebuild(&self) -> Result<(Index, u64, bool), StoreError> {
        let newest = checkpoint::newest(&self.settings.folder.join("checkpoint")).map_err(fault)?;
        let first = journal::first_sequences(&self.journal()).map_err(fault)?.first().copied();
        let from = newest.as_ref().map_or(0, |(sequence, _)| *sequence);
        if first.is_none_or(|first| first > from + 1) && (first.is_some() || from > 0 || self.db().exists()) {
            return Err(self.lost(from, first));
        }
        if first.is_none() {
            // The first start: the journal comes before the index, so that one without the other is always a loss.
            Journal::begin(&self.journal(), &self.sealer, 1).map_err(fault)?;
        }
        // Half an index must not look like a whole one to the next start.
        state::write(&self.settings.folder, &State::Unsound).map_err(fault)?;
        if self.db().exists() {
            fs::remove_dir_all(self.db()).map_err(fault)?;
        }
        let index = self.open_index()?;
        let through = match &newest {
            None => 0,
            Some((sequence, path)) => self.load(&index, *sequence, path)?,
        };
        let (next, replayed) = self.replay(&index, from)?;
        if next <= through {
            return Err(self.lost(through, Some(next)));
        }
        Event::Reopened { from: if from == 0 { "journal" } else { "checkpoint" }, replayed }.log();
        Ok((index, next, false))
    }

    fn lost(&self, have: u64, first: Option<u64>) -> StoreError {
        let found =
            first.map_or("there is none".to_owned(), |first| format!("what there is begins or ends at {first}"));
        StoreError::CannotOpen(format!(
            "the journal in {} does not go on from sequence {have} ({found}); restore data_dir from a backup",
            self.journal().display()
        ))
    }

    fn load(&self, index: &Index, sequence: u64, path: &Path) -> Result<u64, StoreError> {
        let sealer = Sealer::new(&self.keyring.derive("checkpoint"));
        checkpoint::read(path, &sealer, &mut |records| {
            let writes = records.into_iter().map(|record| {
                (record.version, Change { table: record.table, key: record.key, octets: Some(record.octets) })
            });
            index.apply(writes, sequence)
        })
    }

    /// Applies the journal's commits after `after`; the next sequence, and how many there were.
    fn replay(&self, index: &Index, after: u64) -> Result<(u64, u64), StoreError> {
        let mut waiting: Vec<(u64, Vec<u8>)> = Vec::new();
        let (mut size, mut replayed) = (0, 0);
        let next = journal::replay(&self.journal(), &self.sealer, after, &mut |sequence, octets| {
            size += octets.len();
            replayed += 1;
            waiting.push((sequence, octets.to_vec()));
            if size < BATCH {
                return Ok(());
            }
            size = 0;
            apply(index, &std::mem::take(&mut waiting)).map_err(|error| error.to_string())
        });
        let next = next.map_err(words)?;
        apply(index, &waiting)?;
        Ok((next, replayed))
    }
}

/// A new store has neither; an index without any journal is one whose journal was lost.
fn applied_needs_journal(first: Option<u64>, applied: u64) -> bool {
    first.is_some() || applied > 0
}

fn apply(index: &Index, commits: &[(u64, Vec<u8>)]) -> Result<(), StoreError> {
    let Some((last, _)) = commits.last() else { return Ok(()) };
    let whole = commits.iter().all(|(_, octets)| changes(octets).all(|change| change.is_some()));
    if !whole {
        return Err(StoreError::CannotOpen("the journal has a record that this version cannot read".into()));
    }
    let writes =
        commits.iter().flat_map(|(sequence, octets)| changes(octets).flatten().map(move |change| (*sequence, change)));
    index.apply(writes, *last)
}

fn words(error: ReadError) -> StoreError {
    match error {
        ReadError::Disk(error) => fault(error),
        ReadError::Visitor(words) => StoreError::CannotOpen(words),
        ReadError::Foreign(path) => StoreError::CannotOpen(format!(
            "the journal file {} does not open with this keyring, or its first octets are damaged; put back the keyring that belongs to data_dir, or restore data_dir from a backup",
            path.display()
        )),
        ReadError::Damaged(path, at) => StoreError::CannotOpen(format!(
            "the journal file {} is damaged at octet {at}, before commits that came later; restore data_dir from a backup",
            path.display()
        )),
    }
}
