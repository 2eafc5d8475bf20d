//! The central directory (APPNOTE.TXT, sections 4.3.12 to 4.3.16).

use super::entry::Entry;
use crate::mime::inside::octets::{Octets, Unavailable, u16_at, u32_at, u64_at};

/// Octets of the end of central directory record without its comment.
const END: usize = 22;

/// The longest comment behind it.
const COMMENT: usize = 65_535;

/// Octets of the locator of the zip64 end record.
const LOCATOR: u64 = 20;

/// What the directory says.
pub(super) struct Directory {
    pub entries: Vec<Entry>,
    /// Where it starts.
    pub start: u64,
    /// Whether readers might take another directory for it.
    pub ambiguous: bool,
}

/// What came of reading it.
pub(super) enum Listed {
    Directory(Directory),
    /// More entries, or more octets, than the limits.
    TooLarge,
    /// There is none, or it breaks off.
    Damaged,
}

/// Where the end record is, and what it holds.
pub(in crate::mime::inside) struct End {
    at: u64,
    record: Vec<u8>,
    /// Whether readers might take another one: two reach to the end, or none does.
    ambiguous: bool,
}

/// The end record: the last one whose comment ends with the octets, else the last whose comment ends within them.
pub(in crate::mime::inside) fn find_end(octets: &mut dyn Octets) -> Result<Option<End>, Unavailable> {
    let length = octets.len();
    let from = length.saturating_sub((END + COMMENT) as u64);
    if length < END as u64 {
        return Ok(None);
    }
    let tail = octets.take(from, END + COMMENT)?;
    let fits = |at: usize| {
        let behind = at + END + usize::from(u16_at(&tail, at + 20));
        (at + END <= tail.len() && behind <= tail.len()).then_some(behind)
    };
    let places: Vec<(usize, usize)> =
        memchr::memmem::find_iter(&tail, b"PK\x05\x06").filter_map(|at| Some((at, fits(at)?))).collect();
    let Some(last) = places.last() else { return Ok(None) };
    // One that is stored in the archive stands there too, but does not reach to the end.
    let mut exact = places.iter().rev().filter(|(_, behind)| *behind == tail.len());
    let chosen = exact.next();
    let ambiguous = chosen != Some(last) || exact.next().is_some();
    let at = chosen.unwrap_or(last).0;
    Ok(Some(End { at: from + at as u64, record: tail[at..at + END].to_vec(), ambiguous }))
}

/// Reads the directory.
pub(super) fn read(octets: &mut dyn Octets, most_octets: usize, most_entries: usize) -> Result<Listed, Unavailable> {
    let Some(end) = find_end(octets)? else { return Ok(Listed::Damaged) };
    let place = match Place::in_zip64(octets, &end)? {
        Some(place) => place,
        None => Place::in_end(&end),
    };
    if place.size > most_octets as u64 || place.entries > most_entries as u64 {
        return Ok(Listed::TooLarge);
    }
    // Octets before the archive (a self-extractor) shift all that it says of places.
    let Some(start) = place.end.checked_sub(place.size) else { return Ok(Listed::Damaged) };
    let Some(shift) = start.checked_sub(place.start) else { return Ok(Listed::Damaged) };
    let listed = octets.take(start, usize::try_from(place.size).unwrap_or(most_octets))?;
    let (mut entries, mut rest) = (Vec::new(), listed.as_slice());
    while let Some((mut entry, behind)) = Entry::parse(rest) {
        entry.offset = entry.offset.saturating_add(shift);
        entries.push(entry);
        rest = behind;
    }
    if entries.is_empty() && !listed.is_empty() {
        return Ok(Listed::Damaged);
    }
    let ambiguous = end.ambiguous || !rest.is_empty() || entries.len() as u64 != place.entries;
    Ok(Listed::Directory(Directory { entries, start, ambiguous }))
}

/// Where the directory lies by what an end record says.
struct Place {
    entries: u64,
    size: u64,
    /// As written, without what may stand before the archive.
    start: u64,
    /// Where the directory ends: before the end records.
    end: u64,
}

impl Place {
    fn in_end(end: &End) -> Self {
        Self {
            entries: u64::from(u16_at(&end.record, 10)),
            size: u64::from(u32_at(&end.record, 12)),
            start: u64::from(u32_at(&end.record, 16)),
            end: end.at,
        }
    }

    /// APPNOTE.TXT, sections 4.3.14 and 4.3.15: a locator before the end record points at another one.
    fn in_zip64(octets: &mut dyn Octets, end: &End) -> Result<Option<Self>, Unavailable> {
        let Some(locator_at) = end.at.checked_sub(LOCATOR) else { return Ok(None) };
        let locator = octets.take(locator_at, 20)?;
        if !locator.starts_with(b"PK\x06\x07") {
            return Ok(None);
        }
        // The record stands where the locator says, or, where octets stand before the archive, right before the locator.
        for at in [u64_at(&locator, 8), locator_at.saturating_sub(56)] {
            let record = octets.take(at, 56)?;
            if record.starts_with(b"PK\x06\x06") {
                let (entries, size, start) = (u64_at(&record, 32), u64_at(&record, 40), u64_at(&record, 48));
                return Ok(Some(Self { entries, size, start, end: at }));
            }
        }
        Ok(None)
    }
}
