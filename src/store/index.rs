//! The index: sled, behind the journal and rebuildable from it.
//!
//! Commits come into memory first ([`Recent`]), and are poured into sled many at a time: a batch makes sled write its
//! buffers twice, however small it is.
//!
//! Each value is sealed before sled sees it, and is at most 4 KiB: a longer record continues in segments under keys of
//! their own. What sled does when it meets damage is to panic; every call goes through [`guarded`].

use std::cmp::Ordering;
use std::collections::{VecDeque, btree_map};
use std::iter::Peekable;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;

use crate::keyring::seal::{OVERHEAD, Sealer};
use crate::store::StoreError;
use crate::store::batch::{Change, LARGEST_RECORD};
use crate::store::recent::{Latest, Recent};

/// sled is given no longer value.
const LARGEST_VALUE: usize = 4096;
/// Version and count of segments, in the clear before a segment's sealed octets.
const PREFIX: usize = 10;
/// Octets of a record in one segment.
const SEGMENT: usize = LARGEST_VALUE - PREFIX - OVERHEAD;
/// Segments of the longest record: the count in the clear is not to be believed before they open.
const MOST_SEGMENTS: u16 = LARGEST_RECORD.div_ceil(SEGMENT) as u16;
/// First octet of the keys of second and later segments; tables are below it.
const CONTINUED: u8 = 0xF0;
/// Tables are below this.
const TABLES: u8 = 128;
/// More threads than this do not make a check faster: the largest tables are few.
const MOST_CHECKERS: usize = 4;
/// The key under which the last applied sequence stands.
const APPLIED: &[u8] = &[0xFF];

/// Commits are poured into sled when they hold more octets than this: letters of the largest kind for a moment in which
/// mail comes faster than it goes. What is poured has to be read and removed there again, so to pour sooner would make it
/// go slower still,
const HELD: usize = 16 * 1024 * 1024;
/// or when so many went by: what a start after a crash replays at most, beside what sled had not written out.
const TAKEN: usize = 64 * 1024 * 1024;

/// A batch given to sled is closed when it writes more values: until its end sled frees none of the pages that it
/// replaces, which for all of a pour at once was 1.7 GB.
const POURED: usize = 1_000;

/// Octets of records that one page holds before it is closed.
const PAGE: usize = 256 * 1024;

/// The opened index.
pub struct Index {
    db: sled::Db,
    /// Whoever reads holds it for one record, so that no commit comes between its segments.
    recent: RwLock<Recent>,
    folder: PathBuf,
    sealer: Sealer,
}

/// A record as the index has it: the commit that wrote it, and its octets.
pub type Found = (u64, Bytes);

/// What is known of a record without opening it.
#[derive(Clone, Copy)]
pub(super) struct Head {
    version: u64,
    segments: u16,
}

impl Head {
    pub(super) fn of(value: &[u8]) -> Option<Self> {
        let (version, rest) = value.split_first_chunk::<8>()?;
        let (segments, _) = rest.split_first_chunk::<2>()?;
        Some(Self { version: u64::from_be_bytes(*version), segments: u16::from_be_bytes(*segments) })
    }

    /// Whether all of it stands in the first segment.
    pub(super) fn is_one(self) -> bool {
        self.segments <= 1
    }
}

/// Runs a call of sled; a panic in it is damage, not the end.
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T, sled::Error>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(sled::Error::Io(error))) => Err(StoreError::Disk(error.to_string())),
        Ok(Err(error)) => Err(StoreError::Unsound(error.to_string())),
        Err(_) => Err(StoreError::Unsound("sled gave up on its files".into())),
    }
}

pub(super) fn unsound(what: &str) -> StoreError {
    StoreError::Unsound(what.to_owned())
}

pub(super) fn head_key(table: u8, key: &[u8]) -> Vec<u8> {
    [&[table], key].concat()
}

fn segment_key(table: u8, key: &[u8], segment: u16) -> Vec<u8> {
    [&[CONTINUED, table, key.len() as u8], key, &segment.to_be_bytes()].concat()
}

fn bind(version: u64, segment: u16, segments: u16, table: u8, key: &[u8]) -> Vec<u8> {
    let numbers = [version.to_be_bytes().as_slice(), &segment.to_be_bytes(), &segments.to_be_bytes()].concat();
    [numbers.as_slice(), &[table], key].concat()
}

impl Index {
    /// Opens or makes the index in `folder`.
    pub fn open(folder: &Path, cache: u64, sealer: Sealer) -> Result<Self, StoreError> {
        tidy(folder)?;
        let config = sled::Config::new().path(folder).cache_capacity(cache).flush_every_ms(Some(1000));
        let db = guarded(|| config.open())?;
        Ok(Self { db, recent: RwLock::default(), folder: folder.to_owned(), sealer })
    }

    pub(super) fn db(&self) -> &sled::Db {
        &self.db
    }

    // What a thread that panicked left behind the lock is whole: its maps are changed by single calls.
    pub(super) fn recent(&self) -> RwLockReadGuard<'_, Recent> {
        self.recent.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn recent_mut(&self) -> RwLockWriteGuard<'_, Recent> {
        self.recent.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sequence of the last commit applied; 0 in a new index.
    pub fn applied(&self) -> Result<u64, StoreError> {
        if let Some(mark) = self.recent().mark() {
            return Ok(mark);
        }
        match guarded(|| self.db.get(APPLIED))? {
            None => Ok(0),
            Some(octets) => {
                let number = octets.as_ref().try_into().map(u64::from_be_bytes);
                number.map_err(|_| unsound("the index's own mark"))
            }
        }
    }

    /// The commit that last wrote a record.
    pub fn version(&self, table: u8, key: &[u8]) -> Result<Option<u64>, StoreError> {
        let (recent, key) = (self.recent(), head_key(table, key));
        match recent.find(&key) {
            Some(latest) => Ok(latest.octets.as_ref().map(|_| latest.version)),
            None => Ok(self.head(&key)?.map(|head| head.version)),
        }
    }

    fn head(&self, key: &[u8]) -> Result<Option<Head>, StoreError> {
        let value = guarded(|| self.db.get(key))?;
        value.map(|value| Head::of(&value).ok_or_else(|| unsound("a record is too short"))).transpose()
    }

    /// One record.
    pub fn get(&self, table: u8, key: &[u8]) -> Result<Option<Found>, StoreError> {
        let (recent, at) = (self.recent(), head_key(table, key));
        match recent.find(&at) {
            Some(latest) => Ok(latest.octets.clone().map(|octets| (latest.version, octets))),
            None => guarded(|| self.db.get(&at))?.map(|value| self.read(table, key, &value)).transpose(),
        }
    }

    /// The record of sled's whose first segment is `value`.
    pub(super) fn read(&self, table: u8, key: &[u8], value: &[u8]) -> Result<Found, StoreError> {
        let head = Head::of(value).ok_or_else(|| unsound("a record is too short"))?;
        let octets = self.assemble(table, key, head, value)?;
        octets.map(|octets| (head.version, octets.into())).ok_or_else(|| unsound("a record does not open"))
    }

    fn assemble(&self, table: u8, key: &[u8], head: Head, first: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut octets = Vec::with_capacity(usize::from(head.segments.min(MOST_SEGMENTS)) * SEGMENT);
        let opens = self.open_segment((table, key), head, 0, first, &mut octets);
        for segment in 1..head.segments {
            let Some(value) = guarded(|| self.db.get(segment_key(table, key, segment)))? else { return Ok(None) };
            if self.open_segment((table, key), head, segment, &value, &mut octets).is_none() {
                return Ok(None);
            }
        }
        Ok(opens.map(|()| octets))
    }

    pub(super) fn open_segment(
        &self,
        (table, key): (u8, &[u8]),
        head: Head,
        segment: u16,
        value: &[u8],
        octets: &mut Vec<u8>,
    ) -> Option<()> {
        let aad = bind(head.version, segment, head.segments, table, key);
        self.sealer.open_onto(&aad, value.get(PREFIX..)?, octets).ok()
    }

    /// The keys of a table with `from <= key < to`, in order; an empty `to` is the table's end. They are looked up `page` at
    /// a time: what a commit takes out meanwhile may still be told.
    pub fn keys<'a>(
        &'a self,
        table: u8,
        from: &[u8],
        to: &[u8],
        page: usize,
    ) -> impl Iterator<Item = Result<Vec<u8>, StoreError>> + 'a {
        self.paged(table, from, to, page, |key, _| Ok((key, 0)))
    }

    /// Records of a table with `from <= key < to`, in order, `page` at a time as [`Self::keys`].
    pub fn records<'a>(
        &'a self,
        table: u8,
        from: &[u8],
        to: &[u8],
        page: usize,
    ) -> impl Iterator<Item = Result<(Vec<u8>, Found), StoreError>> + 'a {
        self.paged(table, from, to, page, move |key, place| {
            let (version, octets) = match place {
                Place::Recent(version, octets) => (version, octets.clone()),
                Place::Sled(value) => self.read(table, &key, &value)?,
            };
            let length = octets.len();
            Ok(((key, (version, octets)), length))
        })
    }

    /// What `take` makes of the keys and places of a range, and how many octets that holds. Nothing is held between two pages.
    fn paged<'a, T: 'a>(
        &'a self,
        table: u8,
        from: &[u8],
        to: &[u8],
        page: usize,
        take: impl Fn(Vec<u8>, Place<'_>) -> Result<(T, usize), StoreError> + 'a,
    ) -> impl Iterator<Item = Result<T, StoreError>> + 'a {
        let mut range = KeyRange::new(table, from, to);
        let mut ready = VecDeque::new();
        std::iter::from_fn(move || {
            if ready.is_empty() {
                match self.next_page(&mut range, page, &take) {
                    Ok(next) => ready = next,
                    Err(error) => {
                        range.from.clone_from(&range.end);
                        return Some(Err(error));
                    }
                }
            }
            ready.pop_front().map(Ok)
        })
    }

    fn next_page<T>(
        &self,
        range: &mut KeyRange,
        page: usize,
        take: impl Fn(Vec<u8>, Place<'_>) -> Result<(T, usize), StoreError>,
    ) -> Result<VecDeque<T>, StoreError> {
        let recent = self.recent();
        let (mut merged, mut ready, mut held) = (Merged::new(&self.db, &recent, range)?, VecDeque::new(), 0);
        while ready.len() < page.max(1)
            && held < PAGE
            && let Some((key, place)) = merged.next()?
        {
            let (taken, octets) = take(key[1..].to_vec(), place)?;
            ready.push_back(taken);
            held += octets;
            range.from = [key.as_slice(), &[0]].concat();
        }
        Ok(ready)
    }

    /// Applies commits, and notes the last one. Of several writes to one record the last one counts.
    pub fn apply<'a>(&self, writes: impl Iterator<Item = (u64, Change<'a>)>, mark: u64) -> Result<(), StoreError> {
        let mut recent = self.recent_mut();
        for (version, Change { table, key, octets }) in writes {
            recent.put(head_key(table, key), version, octets, |key| guarded(|| self.db.contains_key(key)))?;
        }
        recent.reached(mark);
        if recent.held() > HELD || recent.taken() > TAKEN { self.pour_from(&mut recent) } else { Ok(()) }
    }

    /// Gives everything applied to sled.
    pub fn pour(&self) -> Result<(), StoreError> {
        self.pour_from(&mut self.recent_mut())
    }

    /// All writes, and behind them the mark of the last commit: where it is missing, all are told again by the journal.
    fn pour_from(&self, recent: &mut Recent) -> Result<(), StoreError> {
        let Some(mark) = recent.mark() else { return Ok(()) };
        let (mut batch, mut writes) = (sled::Batch::default(), 0);
        for (at, Latest { version, octets, .. }) in recent.all() {
            let (table, key) = (at[0], &at[1..]);
            let before = self.head(at)?.map_or(0, |head| head.segments);
            let after = octets.as_ref().map_or(0, |octets| self.write(&mut batch, *version, table, key, octets));
            writes += usize::from(after.max(before));
            for segment in after.max(1)..before {
                batch.remove(segment_key(table, key, segment));
            }
            if octets.is_none() && before > 0 {
                batch.remove(at.as_slice());
            }
            if writes > POURED {
                let full = std::mem::take(&mut batch);
                guarded(|| self.db.apply_batch(full))?;
                writes = 0;
            }
        }
        batch.insert(APPLIED, &mark.to_be_bytes());
        guarded(|| self.db.apply_batch(batch))?;
        *recent = Recent::default();
        Ok(())
    }

    fn write(&self, batch: &mut sled::Batch, version: u64, table: u8, key: &[u8], octets: &[u8]) -> u16 {
        let segments = octets.len().div_ceil(SEGMENT).max(1) as u16;
        for segment in 0..segments {
            let from = usize::from(segment) * SEGMENT;
            let piece = &octets[from..octets.len().min(from + SEGMENT)];
            let mut value = Vec::with_capacity(PREFIX + piece.len() + OVERHEAD);
            value.extend_from_slice(&version.to_be_bytes());
            value.extend_from_slice(&segments.to_be_bytes());
            self.sealer.seal_onto(&mut value, &bind(version, segment, segments, table, key), piece);
            assert!(value.len() <= LARGEST_VALUE, "sled is never given a value it would put into a blob file");
            let at = if segment == 0 { head_key(table, key) } else { segment_key(table, key, segment) };
            batch.insert(at, value);
        }
        segments
    }

    /// Reads everything that the files have once: the tree, every value's place and seal. Tables are shared among the
    /// processors, because a start waits for it.
    pub fn check(&self) -> Result<u64, StoreError> {
        let (next, threads) = (AtomicU8::new(0), std::thread::available_parallelism().map_or(1, usize::from));
        let work = || {
            let mut records = 0;
            loop {
                match next.fetch_add(1, Relaxed) {
                    table @ ..TABLES => records += self.check_table(table)?,
                    _ => return Ok(records),
                }
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads.min(MOST_CHECKERS)).map(|_| scope.spawn(work)).collect();
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err(unsound("reading it ended")))).sum()
        })
    }

    fn check_table(&self, table: u8) -> Result<u64, StoreError> {
        let mut stored = self.db.range([table]..[table + 1]);
        let mut records = 0;
        while let Some((key, value)) = guarded(|| stored.next().transpose())? {
            self.read(table, &key[1..], &value)?;
            records += 1;
        }
        Ok(records)
    }

    /// Makes all of it durable, with the fdatasync that sled's own flush leaves out.
    pub fn sync(&self) -> Result<(), StoreError> {
        self.pour()?;
        guarded(|| self.db.flush())?;
        sync_files(&self.folder).map_err(|error| StoreError::Disk(error.to_string()))
    }
}

/// Where a record was found.
enum Place<'r> {
    Recent(u64, &'r Bytes),
    Sled(sled::IVec),
}

/// The records of a range in order: what is in memory goes before what sled has.
struct Merged<'r> {
    stored: sled::Iter,
    below: Option<(sled::IVec, sled::IVec)>,
    above: Peekable<btree_map::Range<'r, Vec<u8>, Latest>>,
}

impl<'r> Merged<'r> {
    fn new(db: &sled::Db, recent: &'r Recent, range: &KeyRange) -> Result<Self, StoreError> {
        let mut stored = db.range(range.from.as_slice()..range.end.as_slice());
        let below = guarded(|| stored.next().transpose())?;
        Ok(Self { stored, below, above: recent.range(&range.from, &range.end).peekable() })
    }

    fn next(&mut self) -> Result<Option<(Vec<u8>, Place<'r>)>, StoreError> {
        loop {
            let order = match (&self.below, self.above.peek()) {
                (None, None) => return Ok(None),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((stored, _)), Some((key, _))) => stored.as_ref().cmp(key.as_slice()),
            };
            if order != Ordering::Greater {
                let behind = guarded(|| self.stored.next().transpose())?;
                let found = std::mem::replace(&mut self.below, behind);
                if order == Ordering::Less {
                    return Ok(found.map(|(key, value)| (key.to_vec(), Place::Sled(value))));
                }
            }
            if let Some((key, Latest { version, octets: Some(octets), .. })) = self.above.next() {
                return Ok(Some((key.clone(), Place::Recent(*version, octets))));
            }
        }
    }
}

/// What of a table's keys is still to come.
struct KeyRange {
    from: Vec<u8>,
    end: Vec<u8>,
}

impl KeyRange {
    fn new(table: u8, from: &[u8], to: &[u8]) -> Self {
        let end = if to.is_empty() { vec![table + 1] } else { head_key(table, to) };
        Self { from: head_key(table, from).min(end.clone()), end }
    }
}

fn sync_files(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            std::fs::File::open(path)?.sync_all()?;
        }
    }
    super::disk::sync_folder(folder)
}

/// Removes what a crash may leave that would stop sled; refuses an index with blob files, which sled never syncs.
fn tidy(folder: &Path) -> Result<(), StoreError> {
    let fault = |error: std::io::Error| StoreError::Disk(error.to_string());
    if !folder.exists() {
        return Ok(());
    }
    super::disk::remove_unfinished(folder, ".generating").map_err(fault)?;
    let blobs = folder.join("blobs");
    if blobs.is_dir() && std::fs::read_dir(blobs).map_err(fault)?.next().is_some() {
        return Err(unsound("the index has blob files"));
    }
    Ok(())
}
