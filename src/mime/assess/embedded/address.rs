//! Where addresses `data:` stand in a page: as the value of an attribute, among those of a `srcset`, in a style.

use std::ops::Range;

use crate::mime::assess::html::{self, Piece};

/// Octets of the longest reference to a character that is looked at (`&quot;`, `&#x00000022;`).
const LONGEST_REFERENCE: usize = 12;

/// A page, looked through for addresses.
pub(super) struct Addresses<'p> {
    page: &'p str,
    /// Where its words stand, once somebody asked.
    words: Option<Vec<Range<usize>>>,
}

impl<'p> Addresses<'p> {
    pub(super) fn of(page: &'p str) -> Self {
        Self { page, words: None }
    }

    /// The place of the address of which this is the colon, where one begins at `from` or behind it. For all colons of a page
    /// together this takes time linear in its length: an address within quotes has no such quote in it, and any other no colon.
    pub(super) fn at(&mut self, from: usize, colon: usize) -> Option<Range<usize>> {
        let start = colon.checked_sub(4).filter(|start| *start >= from)?;
        self.page.get(start..colon).filter(|scheme| scheme.eq_ignore_ascii_case("data"))?;
        let behind = self.page.get(colon + 1..)?;
        let length = match self.page.as_bytes().get(start.checked_sub(1)?)? {
            quote @ (b'"' | b'\'') if !self.is_among_others(start - 1) => {
                memchr::memchr(*quote, behind.as_bytes()).unwrap_or(behind.len())
            }
            // As a value, in a style, behind `&quot;`, or one of several.
            b'"' | b'\'' | b'=' | b'(' | b',' | b';' => alone(behind),
            before if before.is_ascii_whitespace() => alone(behind),
            _ => return None,
        };
        // In words it is shown, and what stands there is for their reader.
        self.is_markup(start).then_some(start..colon + 1 + length)
    }

    /// Whether this quote begins a `srcset` or `imagesrcset` (HTML, section 4.8.4.2.1).
    fn is_among_others(&self, quote: usize) -> bool {
        let before = self.page.as_bytes()[..quote].trim_ascii_end();
        let name = before.strip_suffix(b"=").map(<[u8]>::trim_ascii_end).unwrap_or_default();
        name.len() >= 6 && name[name.len() - 6..].eq_ignore_ascii_case(b"srcset")
    }

    fn is_markup(&mut self, at: usize) -> bool {
        let words = self.words.get_or_insert_with(|| words(self.page).collect());
        let next = words.partition_point(|words| words.end <= at);
        words.get(next).is_none_or(|words| at < words.start)
    }
}

/// Where the words of a page stand.
pub(super) fn words(page: &str) -> impl Iterator<Item = Range<usize>> {
    let place = move |piece: Piece<'_>| match piece {
        Piece::Text(text) => text.as_ptr().addr().checked_sub(page.as_ptr().addr()).map(|at| at..at + text.len()),
        Piece::Tag(..) => None,
    };
    html::pieces(page).filter_map(place)
}

/// The length of an address that nothing encloses, behind its colon: up to what no address in base64 has, and the comma behind
/// one of several.
fn alone(behind: &str) -> usize {
    let (octets, mut commas) = (behind.as_bytes(), 0);
    let ends = |(at, octet): (usize, &u8)| match octet {
        b'"' | b'\'' | b'(' | b')' | b'<' | b'>' | b'\\' | b':' => true,
        b',' => {
            commas += 1;
            commas > 1
        }
        b'&' => ends_here(&octets[at..]),
        octet => octet.is_ascii_whitespace(),
    };
    octets.iter().enumerate().position(ends).unwrap_or(octets.len())
}

/// Whether a reference begins here to a character that ends an address.
fn ends_here(octets: &[u8]) -> bool {
    let start = &octets[..octets.len().min(LONGEST_REFERENCE)];
    let reference = memchr::memchr(b';', start).map_or(start, |end| &start[..=end]);
    let meant = std::str::from_utf8(reference).map(html::decoded);
    meant.is_ok_and(|meant| meant.starts_with(|c: char| c.is_ascii_whitespace() || "\"'()<>\\:".contains(c)))
}
