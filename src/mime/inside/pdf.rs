//! What a PDF does beyond being read (ISO 32000-1): scripts, programs started, files embedded, a password; and its title.
//!
//! Names stand in the open, in object streams (section 7.5.7), or written with `#` codes (section 7.3.5); all are looked
//! through. The document is not parsed: a name that stands in a text is told as well.

use super::Fact;
use super::inflate::{Wrapping, inflate};
use super::octets::{Octets, Unavailable};
use super::walk::{Shown, Walk};

use title::Titles;

mod title;

/// Octets read at a time.
const PIECE: usize = 64 * 1024;

/// The longest name looked for, and what may stand between a dictionary and its stream.
const OVERLAP: usize = 512;

/// Octets that are unpacked of one object stream, and of all in one document.
const OBJECTS: usize = 512 * 1024;
const ALL_OBJECTS: usize = 8 * 1024 * 1024;

/// Names and what they mean (sections 12.6.4, 7.11.4 and 7.6).
const NAMES: [(&[u8], Fact); 8] = [
    (b"JavaScript", Fact::Active),
    (b"JS", Fact::Active),
    (b"Launch", Fact::Active),
    (b"ImportData", Fact::Active),
    (b"RichMedia", Fact::Active),
    (b"EmbeddedFile", Fact::Embedded),
    (b"EmbeddedFiles", Fact::Embedded),
    (b"Encrypt", Fact::Locked),
];

/// Looks at a document.
pub(super) fn look(walk: &mut Walk<'_>, octets: &mut dyn Octets, shown: &mut Shown) -> Result<(), Unavailable> {
    let (mut at, mut room, mut titles) = (0, ALL_OBJECTS, Titles::default());
    while at < octets.len() {
        let piece = octets.take(at, PIECE + OVERLAP)?;
        tell_names(&piece, shown);
        titles.look(&piece);
        for found in memchr::memmem::find_iter(&piece[..piece.len().min(PIECE)], b"ObjStm") {
            let Some(start) = stream_behind(&piece[found..]) else { continue };
            let limit = OBJECTS.min(room).min(walk.room());
            if limit == 0 {
                continue;
            }
            let objects = inflate(octets, at + (found + start) as u64, Wrapping::Zlib, limit)?;
            room -= objects.octets.len();
            walk.spend(objects.octets.len());
            tell_names(&objects.octets, shown);
            titles.look(&objects.octets);
        }
        at += PIECE as u64;
    }
    // Behind a password strings are encrypted.
    shown.title = titles.into_title().filter(|_| !shown.facts.contains(&Fact::Locked));
    Ok(())
}

/// Where the stream begins whose dictionary this is (section 7.3.8.1).
fn stream_behind(dictionary: &[u8]) -> Option<usize> {
    let window = &dictionary[..dictionary.len().min(OVERLAP)];
    let at = memchr::memmem::find(window, b"stream")? + "stream".len();
    let ending = match window.get(at..)? {
        [b'\r', b'\n', ..] => 2,
        [b'\n' | b'\r', ..] => 1,
        _ => return None,
    };
    Some(at + ending)
}

fn tell_names(octets: &[u8], shown: &mut Shown) {
    for slash in memchr::memchr_iter(b'/', octets) {
        let rest = &octets[slash + 1..];
        let end = rest.iter().take(64).position(|octet| b"()<>[]{}/%".contains(octet) || octet.is_ascii_whitespace());
        let written = &rest[..end.unwrap_or(rest.len().min(64))];
        if written.len() < 2 {
            continue;
        }
        let plain;
        let name = if written.contains(&b'#') {
            plain = without_codes(written);
            &plain
        } else {
            written
        };
        if let Some((_, fact)) = NAMES.iter().find(|(known, _)| *known == name) {
            shown.facts.insert(*fact);
        }
    }
}

fn without_codes(name: &[u8]) -> Vec<u8> {
    let digit = |at: usize| name.get(at).and_then(|octet| char::from(*octet).to_digit(16));
    let (mut plain, mut at) = (Vec::new(), 0);
    while at < name.len() {
        match (name[at], digit(at + 1), digit(at + 2)) {
            (b'#', Some(high), Some(low)) => {
                plain.push((high * 16 + low) as u8);
                at += 3;
            }
            (octet, ..) => {
                plain.push(octet);
                at += 1;
            }
        }
    }
    plain
}
