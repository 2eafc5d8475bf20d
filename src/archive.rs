//! A zip archive that is written while it is sent: names and sizes are known before, checksums when each file has passed.
//!
//! Everything is *stored*: documents hardly shrink, and so the archive's length is known before its first octet. What
//! stands behind each file is a data descriptor (APPNOTE.TXT 6.3.10, section 4.3.9); sizes and offsets beyond 32 bits
//! are written as section 4.5.3 (Zip64) says. Names are UTF-8 (section 4.4.4, bit 11).

use crate::time::Timestamp;

const LOCAL: u32 = 0x0403_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;

/// A data descriptor follows; the name is UTF-8.
const FLAGS: u16 = 1 << 3 | 1 << 11;
/// Needed to extract: 2.0, or 4.5 where Zip64 is used.
const VERSION: u16 = 20;
const VERSION_64: u16 = 45;
/// Made on Unix, so that the permissions below count.
const MADE_BY: u16 = 3 << 8 | VERSION_64;
/// A regular file, to be read by everybody and written by its owner.
const PERMISSIONS: u32 = 0o100_644 << 16;
const ZIP64_FIELD: u16 = 1;

/// A file to be put into an archive.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name: no path, unique in the archive; at most 65,535 octets.
    pub name: String,
    /// Its length in octets.
    pub octets: u64,
    /// The time it bears.
    pub at: Timestamp,
}

crate::secret::silent_debug!(Entry);

/// An archive, laid out.
pub struct Archive {
    entries: Vec<Entry>,
    /// Where each entry begins, and behind them where the directory does.
    offsets: Vec<u64>,
}

impl Archive {
    /// An archive of these files, in this order.
    pub fn new(entries: Vec<Entry>) -> Self {
        let mut offsets = vec![0];
        let mut at = 0;
        for entry in &entries {
            at += (local_header(entry).len() + descriptor(entry, 0).len()) as u64 + entry.octets;
            offsets.push(at);
        }
        Self { entries, offsets }
    }

    /// Its length in octets.
    pub fn octets(&self) -> u64 {
        let checksums = vec![0; self.entries.len()];
        self.directory_at() + self.end(&checksums).len() as u64
    }

    fn directory_at(&self) -> u64 {
        self.offsets.last().copied().unwrap_or_default()
    }

    /// What stands before the octets of a file; nothing for one that is not there.
    pub fn before(&self, index: usize) -> Vec<u8> {
        self.entries.get(index).map(local_header).unwrap_or_default()
    }

    /// What stands behind them; `checksum` is their CRC-32.
    pub fn after(&self, index: usize, checksum: u32) -> Vec<u8> {
        self.entries.get(index).map(|entry| descriptor(entry, checksum)).unwrap_or_default()
    }

    /// What stands behind all files; `checksums` are theirs, in order.
    pub fn end(&self, checksums: &[u32]) -> Vec<u8> {
        let mut out = Writer::default();
        for ((entry, checksum), offset) in self.entries.iter().zip(checksums).zip(&self.offsets) {
            central_header(&mut out, entry, *checksum, *offset);
        }
        self.end_records(&mut out);
        out.0
    }

    fn end_records(&self, out: &mut Writer) {
        let (at, size) = (self.directory_at(), out.0.len() as u64);
        let count = self.entries.len() as u64;
        if count >= u64::from(u16::MAX) || is_long(at) || is_long(size) {
            out.u32(END_64).u64(44).u16(MADE_BY).u16(VERSION_64).u32(0).u32(0);
            out.u64(count).u64(count).u64(size).u64(at);
            out.u32(LOCATOR_64).u32(0).u64(at + size).u32(1);
        }
        let count = u16::try_from(count).unwrap_or(u16::MAX);
        out.u32(END).u16(0).u16(0).u16(count).u16(count).u32(short(size)).u32(short(at)).u16(0);
    }
}

fn is_long(number: u64) -> bool {
    number >= u64::from(u32::MAX)
}

/// The number, or all ones where it stands in the Zip64 field.
fn short(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What a header says in both places: version, flags, method, time.
fn common(out: &mut Writer, entry: &Entry, is_zip64: bool) {
    let (time, date) = dos_time(entry.at);
    out.u16(if is_zip64 { VERSION_64 } else { VERSION }).u16(FLAGS).u16(0).u16(time).u16(date);
}

/// Checksum and sizes stand in the descriptor, so they are zero here.
fn local_header(entry: &Entry) -> Vec<u8> {
    let long = is_long(entry.octets);
    let mut out = Writer::default();
    common(out.u32(LOCAL), entry, long);
    let size = if long { u32::MAX } else { 0 };
    out.u32(0).u32(size).u32(size).u16(entry.name.len() as u16).u16(if long { 20 } else { 0 });
    out.0.extend_from_slice(entry.name.as_bytes());
    if long {
        out.u16(ZIP64_FIELD).u16(16).u64(0).u64(0);
    }
    out.0
}

fn descriptor(entry: &Entry, checksum: u32) -> Vec<u8> {
    let mut out = Writer::default();
    out.u32(DESCRIPTOR).u32(checksum);
    match u32::try_from(entry.octets).ok().filter(|_| !is_long(entry.octets)) {
        Some(octets) => out.u32(octets).u32(octets),
        None => out.u64(entry.octets).u64(entry.octets),
    };
    out.0
}

fn central_header(out: &mut Writer, entry: &Entry, checksum: u32, offset: u64) {
    let mut field = Writer::default();
    if is_long(entry.octets) {
        field.u64(entry.octets).u64(entry.octets);
    }
    if is_long(offset) {
        field.u64(offset);
    }
    let field = field.0;
    let size = if is_long(entry.octets) { u32::MAX } else { short(entry.octets) };
    common(out.u32(CENTRAL).u16(MADE_BY), entry, !field.is_empty());
    out.u32(checksum).u32(size).u32(size).u16(entry.name.len() as u16);
    out.u16(if field.is_empty() { 0 } else { field.len() as u16 + 4 });
    out.u16(0).u16(0).u16(0).u32(PERMISSIONS).u32(short(offset));
    out.0.extend_from_slice(entry.name.as_bytes());
    if !field.is_empty() {
        out.u16(ZIP64_FIELD).u16(field.len() as u16);
        out.0.extend_from_slice(&field);
    }
}

/// Time and date as MS-DOS has them, in UTC: two seconds, from 1980 to 2107.
fn dos_time(at: Timestamp) -> (u16, u16) {
    const FIRST: (u16, u16) = (0, 1 << 5 | 1);
    let at = at.to_jiff().to_zoned(jiff::tz::TimeZone::UTC);
    let Ok(year) = u16::try_from(i32::from(at.year()) - 1980) else { return FIRST };
    if year > 127 {
        return FIRST;
    }
    let time = (at.hour() as u16) << 11 | (at.minute() as u16) << 5 | at.second() as u16 / 2;
    (time, year << 9 | (at.month() as u16) << 5 | at.day() as u16)
}

/// Numbers as zip writes them: the lowest octet first.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn u16(&mut self, number: u16) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn u32(&mut self, number: u32) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn u64(&mut self, number: u64) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }
}
