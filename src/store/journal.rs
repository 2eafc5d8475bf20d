//! The journal: every commit, sealed, in the order it happened; synced before anybody is told.
//!
//! A record is a frame whose number is the commit's sequence; its plaintext is the sequence of the first
//! record of its group (eight octets), then the changes. Groups are synced one after the other, so
//! a record that does not open is a torn tail if nothing of a later group follows it, and damage
//! otherwise.
//!
//! Files are zero-filled ahead of what is written: an fdatasync into blocks that are already there costs
//! less than half of one that must also write the file's length and extents.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::event::Event;
use crate::keyring::seal::Sealer;
use crate::store::crash::{Fault, fault_at};
use crate::store::disk;
use crate::store::frame::{HEADER, Header, LEAD, lead};

const MAGIC: &[u8; 16] = b"postern journal\x01";
const ENDING: &str = ".journal";
/// How far ahead a file is zero-filled.
const AHEAD: u64 = 1024 * 1024;
/// A file that has grown over this is followed by a new one; each is read whole at start.
const ROLL: u64 = 16 * 1024 * 1024;
/// Octets at the start of a record's plaintext: the sequence of its group's first record.
pub const GROUP: usize = 8;

/// What became of a group that could not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nothing of it is in the file.
    TakenBack,
    /// It may lie in the file: a start before the next commit may find it.
    Lies,
}

/// The file being written.
pub struct Journal {
    folder: PathBuf,
    file: File,
    header: Header,
    /// Where the next record goes.
    end: u64,
    /// How far the file is zero-filled.
    filled: u64,
    /// Sequence of the next record.
    next: u64,
    /// Sequence after the last record that was synced.
    synced: u64,
    /// Octets of records since [`Journal::reset_grown`].
    grown: u64,
    /// What kept a write from being made or taken back: nothing may follow before [`Journal::recover`].
    failed: Option<Failure>,
    buffer: Vec<u8>,
}

fn path_of(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}{ENDING}"))
}

impl Journal {
    /// Begins a file whose first record will have this sequence. It has its name only once it is whole and synced.
    pub fn begin(folder: &Path, sealer: &Sealer, first: u64) -> io::Result<Self> {
        fault_at(folder, Fault::Begin)?;
        let fresh = folder.join("journal.new");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        let header = Header::fresh(first);
        let mut octets = header.to_octets(MAGIC, sealer);
        let end = octets.len() as u64;
        octets.resize(AHEAD as usize, 0);
        file.write_all_at(&octets, 0)?;
        file.sync_all()?;
        disk::publish(&fresh, &path_of(folder, first))?;
        fault_at(folder, Fault::Name)?;
        let (folder, buffer) = (folder.to_owned(), Vec::new());
        Ok(Self {
            folder,
            file,
            header,
            end,
            filled: AHEAD,
            next: first,
            synced: first,
            grown: 0,
            failed: None,
            buffer,
        })
    }

    /// Takes up the last file of a journal that was replayed to `next`, where the disk has no space for a new one: nothing
    /// can be appended before [`Journal::recover`] has begun one.
    pub fn awaiting_space(folder: &Path, next: u64) -> io::Result<Self> {
        let (_, last) = disk::numbered(folder, ENDING)?.pop().ok_or(io::ErrorKind::NotFound)?;
        let file = OpenOptions::new().read(true).write(true).open(last)?;
        let end = file.metadata()?.len();
        Ok(Self {
            folder: folder.to_owned(),
            file,
            header: Header::fresh(next),
            end,
            filled: end,
            next,
            synced: next,
            grown: 0,
            failed: Some(Failure::TakenBack),
            buffer: Vec::new(),
        })
    }

    /// Sequence of the next record.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Octets written since the last [`Journal::reset_grown`].
    pub fn grown(&self) -> u64 {
        self.grown
    }

    /// Counts growth from here.
    pub fn reset_grown(&mut self) {
        self.grown = 0;
    }

    /// Whether it is time for a new file.
    pub fn is_full(&self) -> bool {
        self.end > ROLL
    }

    /// Appends the records of a group, unsynced. Each plaintext begins with [`GROUP`] octets that are filled in here.
    pub fn append<'a>(&mut self, sealer: &Sealer, group: impl Iterator<Item = &'a mut Vec<u8>>) -> io::Result<()> {
        let first = self.next;
        self.buffer.clear();
        for plain in group {
            plain[..GROUP].copy_from_slice(&first.to_be_bytes());
            self.header.seal_onto(&mut self.buffer, sealer, self.next, plain);
            self.next += 1;
        }
        let written = self.write();
        if written.is_err() {
            self.fail();
        }
        written
    }

    fn write(&mut self) -> io::Result<()> {
        let end = self.end + self.buffer.len() as u64;
        let records = self.buffer.len();
        if end > self.filled {
            self.buffer.resize(records + AHEAD as usize, 0);
        }
        self.file.write_all_at(&self.buffer, self.end)?;
        if end > self.filled {
            self.filled = end + AHEAD;
            self.buffer.truncate(records);
        }
        Ok(())
    }

    /// Makes what was appended durable. After an error nothing of the group counts.
    pub fn sync(&mut self) -> io::Result<()> {
        let synced = fault_at(&self.folder, Fault::Sync).and_then(|()| Ok(rustix::fs::fdatasync(&self.file)?));
        if let Err(error) = synced {
            self.fail();
            return Err(error);
        }
        self.synced = self.next;
        self.end += self.buffer.len() as u64;
        self.grown += self.buffer.len() as u64;
        Ok(())
    }

    /// Takes the group back at once: were it left lying until the next commit, a crash before that would replay it.
    fn fail(&mut self) {
        self.next = self.synced;
        let cut = self.finish();
        if let Err(error) = &cut {
            Event::Trouble { place: "journal", cause: format!("a refused commit is not cut off yet: {error}") }.log();
        }
        self.failed = Some(if cut.is_ok() { Failure::TakenBack } else { Failure::Lies });
    }

    /// What failed, where [`Journal::recover`] has to come first.
    pub fn failure(&self) -> Option<Failure> {
        self.failed
    }

    /// After a failed write: cuts the file back to its last good record and goes on in a new one. What a failed
    /// fdatasync left in the page cache is not trusted again.
    pub fn recover(&mut self, sealer: &Sealer) -> io::Result<()> {
        self.finish()?;
        let grown = self.grown;
        *self = Self { grown, ..Self::begin(&self.folder, sealer, self.next)? };
        Ok(())
    }

    /// Goes on in a new file. Where that fails the new file may have its name already, so nothing may follow in the old
    /// one: [`Journal::recover`] comes first.
    pub fn roll(&mut self, sealer: &Sealer) -> io::Result<()> {
        if self.end == HEADER as u64 {
            return Ok(());
        }
        self.failed.get_or_insert(Failure::TakenBack);
        self.recover(sealer)
    }

    /// Cuts off what was filled ahead.
    pub fn finish(&self) -> io::Result<()> {
        fault_at(&self.folder, Fault::Cut)?;
        self.file.set_len(self.end)?;
        self.file.sync_all()
    }
}

/// Removes the files all of whose records are at or below `sequence`: those that another file follows at or below it.
pub fn remove_through(folder: &Path, sequence: u64) -> io::Result<()> {
    let files = disk::numbered(folder, ENDING)?;
    for pair in files.windows(2) {
        if pair[1].0 <= sequence + 1 {
            fs::remove_file(&pair[0].1)?;
        }
    }
    disk::sync_folder(folder)
}

/// Why the journal cannot be read.
#[derive(Debug)]
pub enum ReadError {
    /// I/O.
    Disk(io::Error),
    /// Damage before records that were synced: the file and the octet.
    Damaged(PathBuf, u64),
    /// The file is of another keyring, or its header is damaged.
    Foreign(PathBuf),
    /// Whoever is told of the records gave up.
    Visitor(String),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// Who is told of each record: its sequence, and the changes.
pub type Visit<'a> = dyn FnMut(u64, &[u8]) -> Result<(), String> + 'a;

/// The sequences the files begin with, lowest first.
pub fn first_sequences(folder: &Path) -> io::Result<Vec<u64>> {
    Ok(disk::numbered(folder, ENDING)?.into_iter().map(|(first, _)| first).collect())
}

/// Tells `visit` of every record with a sequence above `after`, in order; files that end before it are not read. Cuts a
/// torn tail off the last file. The sequence after the last record.
pub fn replay(folder: &Path, sealer: &Sealer, after: u64, visit: &mut Visit<'_>) -> Result<u64, ReadError> {
    disk::remove_unfinished(folder, ".new")?;
    let mut files = disk::numbered(folder, ENDING)?;
    let begin = files.iter().rposition(|(first, _)| *first <= after + 1).unwrap_or(0);
    files.drain(..begin);
    let mut next = files.first().map_or(after + 1, |(first, _)| *first);
    for (position, (first, path)) in files.iter().enumerate() {
        if *first != next {
            return Err(ReadError::Damaged(path.clone(), 0));
        }
        let last = position + 1 == files.len();
        next = replay_file(path, sealer, last, after, visit)?;
    }
    Ok(next)
}

fn replay_file(path: &Path, sealer: &Sealer, last: bool, after: u64, visit: &mut Visit<'_>) -> Result<u64, ReadError> {
    let octets = fs::read(path)?;
    let header = Header::read(&octets, MAGIC, sealer).ok_or_else(|| ReadError::Foreign(path.to_owned()))?;
    let (mut at, mut next) = (HEADER, header.number);
    while let Some((plain, size)) = header.open(&octets[at..], sealer, next) {
        if next > after {
            let changes = plain.get(GROUP..).ok_or_else(|| ReadError::Damaged(path.to_owned(), at as u64))?;
            visit(next, changes).map_err(ReadError::Visitor)?;
        }
        at += size;
        next += 1;
    }
    let rest = &octets[at..];
    if rest.iter().all(|octet| *octet == 0) {
        return Ok(next);
    }
    if !last || later_group_follows(&header, rest, sealer, next) {
        return Err(ReadError::Damaged(path.to_owned(), at as u64));
    }
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(at as u64)?;
    file.sync_all()?;
    Ok(next)
}

/// Whether behind a record that does not open (its sequence is `missing`) there is one of a later group: then the
/// missing one was synced once.
fn later_group_follows(header: &Header, rest: &[u8], sealer: &Sealer, missing: u64) -> bool {
    let plausible =
        |at: usize| lead(&rest[at..]).map(|(_, number)| number).filter(|number| number.wrapping_sub(missing) < 1 << 24);
    (1..rest.len().saturating_sub(LEAD)).any(|at| {
        let Some((plain, _)) = plausible(at).and_then(|number| header.open(&rest[at..], sealer, number)) else {
            return false;
        };
        plain.first_chunk::<GROUP>().is_some_and(|group| u64::from_be_bytes(*group) > missing)
    })
}
