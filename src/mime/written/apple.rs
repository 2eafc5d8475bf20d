//! AppleSingle and AppleDouble (RFC 1740, appendices A and B): a Macintosh file, its forks and name in one.

use std::ops::Range;

/// A file that was taken apart.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct AppleFile {
    /// Its name on the Macintosh that it comes from, not sanitised.
    pub name: Option<String>,
    /// The type that its Finder knew, in four octets.
    pub kind: Option<[u8; 4]>,
    /// Where the data fork stands; AppleDouble has none.
    pub data: Option<Range<usize>>,
    /// Where the resource fork stands.
    pub resources: Option<Range<usize>>,
}

/// Entries that are read; the format knows 15.
const ENTRIES: usize = 64;

/// The file in these octets; `None` where they are neither.
pub fn read(octets: &[u8]) -> Option<AppleFile> {
    let magic = u32::from_be_bytes(*octets.first_chunk()?);
    matches!(magic, 0x0005_1600 | 0x0005_1607).then_some(())?;
    let count = octets.get(24..26).map(|found| usize::from(u16::from_be_bytes([found[0], found[1]])))?;
    let mut file = AppleFile::default();
    for entry in octets[26..].chunks_exact(12).take(count.min(ENTRIES)) {
        let number = |at: usize| u32::from_be_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]]);
        let start = usize::try_from(number(4)).unwrap_or(usize::MAX).min(octets.len());
        let end = start.saturating_add(usize::try_from(number(8)).unwrap_or(usize::MAX)).min(octets.len());
        let place = start..end;
        match number(0) {
            1 => file.data = Some(place),
            2 => file.resources = Some(place).filter(|place| !place.is_empty()),
            3 => file.name = Some(super::name_of(&octets[place])),
            9 => file.kind = octets[place].first_chunk().copied(),
            _ => {}
        }
    }
    Some(file)
}
