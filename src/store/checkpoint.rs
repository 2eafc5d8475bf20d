//! Checkpoints: a sealed export of every live record, after which older journal files go.
//!
//! The export is made while commits go on. It stands for the sequence at its beginning: whatever
//! changed during it is told again by the journal, whose replay ends in the same state, since every
//! change says the whole new value. It names the last sequence it may have seen, and is good only with a journal that
//! reaches as far.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::keyring::seal::Sealer;
use crate::store::disk::LAST_RESERVE;
use crate::store::frame::{HEADER, Header};
use crate::store::index::{Found, Index};
use crate::store::{StoreError, disk};

const MAGIC: &[u8; 16] = b"postern chkpnt\x01\0";
/// A checkpoint being written.
const FRESH: &str = "checkpoint.new";
const ENDING: &str = ".checkpoint";
/// A frame of records is closed when it is longer.
const FRAME: usize = 64 * 1024;
/// Records that are looked up at once.
const AT_ONCE: usize = 256;
const RECORDS: u8 = 0;
const END: u8 = 1;

/// What was written.
#[derive(Debug, Clone, Copy)]
pub struct Written {
    /// The file's length.
    pub octets: u64,
}

struct Export<'a> {
    folder: &'a Path,
    file: BufWriter<File>,
    header: Header,
    sealer: &'a Sealer,
    frame: u64,
    records: u64,
    octets: u64,
    plain: Vec<u8>,
}

impl Export<'_> {
    fn put(&mut self, table: u8, key: &[u8], (version, octets): &Found) -> io::Result<()> {
        self.plain.extend_from_slice(&[table, key.len() as u8]);
        self.plain.extend_from_slice(key);
        self.plain.extend_from_slice(&version.to_be_bytes());
        self.plain.extend_from_slice(&(octets.len() as u32).to_be_bytes());
        self.plain.extend_from_slice(octets);
        self.records += 1;
        if self.plain.len() > FRAME { self.close_frame() } else { Ok(()) }
    }

    fn close_frame(&mut self) -> io::Result<()> {
        let mut frame = Vec::new();
        disk::require_space(self.folder, LAST_RESERVE)?;
        self.header.seal_onto(&mut frame, self.sealer, self.frame, &self.plain);
        self.file.write_all(&frame)?;
        self.frame += 1;
        self.octets += frame.len() as u64;
        self.plain.clear();
        self.plain.push(RECORDS);
        Ok(())
    }

    fn finish(mut self, through: u64) -> io::Result<u64> {
        self.close_frame()?;
        self.plain = [&[END], self.records.to_be_bytes().as_slice(), &through.to_be_bytes()].concat();
        self.close_frame()?;
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        Ok(self.octets)
    }
}

/// Exports everything as of `sequence` or later; `through` tells, when all is read, the last sequence that may be in it.
/// Ends early when `stop` says so. What was begun and not finished takes no space afterwards.
pub fn write(
    folder: &Path,
    sealer: &Sealer,
    index: &Index,
    sequence: u64,
    through: impl FnOnce() -> u64,
    stop: impl Fn() -> bool,
) -> Result<Written, StoreError> {
    let written = write_fresh(folder, sealer, index, sequence, through, stop);
    if written.is_err() {
        // Where this fails too, the next start removes it.
        let _ = std::fs::remove_file(folder.join(FRESH));
    }
    written
}

fn write_fresh(
    folder: &Path,
    sealer: &Sealer,
    index: &Index,
    sequence: u64,
    through: impl FnOnce() -> u64,
    stop: impl Fn() -> bool,
) -> Result<Written, StoreError> {
    let fault = |error: io::Error| StoreError::Disk(error.to_string());
    let fresh = folder.join(FRESH);
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh).map_err(fault)?;
    let header = Header::fresh(sequence);
    let mut file = BufWriter::new(file);
    file.write_all(&header.to_octets(MAGIC, sealer)).map_err(fault)?;
    let plain = vec![RECORDS];
    let mut export = Export { folder, file, header, sealer, frame: 0, records: 0, octets: HEADER as u64, plain };
    for table in 0..128 {
        for record in index.records(table, &[], &[], AT_ONCE) {
            let (key, found) = record?;
            export.put(table, &key, &found).map_err(fault)?;
            if stop() {
                return Err(StoreError::Disk("the store was closed".into()));
            }
        }
    }
    let octets = export.finish(through()).map_err(fault)?;
    disk::publish(&fresh, &folder.join(format!("{sequence:020}{ENDING}"))).map_err(fault)?;
    Ok(Written { octets })
}

/// The newest checkpoint there is: what it stands for, and its file.
pub fn newest(folder: &Path) -> io::Result<Option<(u64, PathBuf)>> {
    disk::remove_unfinished(folder, ".new")?;
    Ok(disk::numbered(folder, ENDING)?.pop())
}

/// Removes all checkpoints but the newest.
pub fn remove_older(folder: &Path) -> io::Result<()> {
    let mut files = disk::numbered(folder, ENDING)?;
    files.pop();
    for (_, path) in files {
        std::fs::remove_file(path)?;
    }
    disk::sync_folder(folder)
}

/// A record as a checkpoint tells it.
pub struct Exported<'a> {
    /// The commit that wrote it.
    pub version: u64,
    /// The table's number.
    pub table: u8,
    /// The key's octets.
    pub key: &'a [u8],
    /// The record.
    pub octets: &'a [u8],
}

/// Reads a checkpoint to its end, a frame's records at a time; the last sequence that may be in it.
///
/// # Errors
/// [`StoreError::CannotOpen`] naming the file where anything in it does not open or is missing.
pub fn read(
    path: &Path,
    sealer: &Sealer,
    visit: &mut dyn FnMut(Vec<Exported<'_>>) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let damaged = || {
        StoreError::CannotOpen(format!(
            "the checkpoint {} is damaged or of another keyring; restore data_dir from a backup",
            path.display()
        ))
    };
    let file = File::open(path).map_err(|error| StoreError::Disk(error.to_string()))?;
    let mut file = BufReader::with_capacity(256 * 1024, file);
    let mut octets = [0; HEADER];
    file.read_exact(&mut octets).map_err(|_| damaged())?;
    let header = Header::read(&octets, MAGIC, sealer).ok_or_else(damaged)?;
    let mut records = 0;
    for frame in 0.. {
        let plain = header.next(&mut file, sealer, frame).ok().flatten().ok_or_else(damaged)?;
        match plain.split_first() {
            Some((&RECORDS, rest)) => {
                let exported = split_records(rest).ok_or_else(damaged)?;
                records += exported.len() as u64;
                visit(exported)?;
            }
            Some((&END, rest)) => return end_of(rest, records).ok_or_else(damaged),
            _ => return Err(damaged()),
        }
    }
    Err(damaged())
}

fn end_of(rest: &[u8], records: u64) -> Option<u64> {
    let (count, through) = rest.split_first_chunk::<8>()?;
    let through = through.try_into().map(u64::from_be_bytes).ok()?;
    (u64::from_be_bytes(*count) == records).then_some(through)
}

fn split_records(mut rest: &[u8]) -> Option<Vec<Exported<'_>>> {
    let mut records = Vec::new();
    while !rest.is_empty() {
        let (&[table, length], after) = rest.split_first_chunk::<2>()?;
        let (key, after) = after.split_at_checked(usize::from(length))?;
        let (version, after) = after.split_first_chunk::<8>()?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let (octets, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        records.push(Exported { version: u64::from_be_bytes(*version), table, key, octets });
        rest = after;
    }
    Some(records)
}
