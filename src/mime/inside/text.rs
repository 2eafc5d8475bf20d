//! Texts that hold files: written in by old encodings, as objects of RTF, or in a Macintosh envelope.

use super::Fact;
use super::compound::package;
use super::octets::{Octets, Unavailable, Window, u32_at};
use super::walk::{Shown, Walk};
use crate::mime::written::{self, apple};

/// Octets of a text that is looked through. What old encodings write is no longer in use for more.
const LONGEST: u64 = 4 * 1024 * 1024;

/// Looks for files written into a text.
pub(super) fn look_text(
    walk: &mut Walk<'_>,
    octets: &mut dyn Octets,
    path: &[String],
    shown: &mut Shown,
) -> Result<(), Unavailable> {
    let mut start = Window::new(octets, 0, LONGEST);
    // A text is no container that hides what was not looked at: whoever opens it sees a text.
    if start.len() > walk.room() as u64 {
        return Ok(());
    }
    let Some(text) = walk.whole(&mut start, shown)? else { return Ok(()) };
    find_written(walk, &text, path, shown)
}

/// The files written into a text.
pub(super) fn find_written(
    walk: &mut Walk<'_>,
    text: &[u8],
    path: &[String],
    shown: &mut Shown,
) -> Result<(), Unavailable> {
    for written in written::find(text) {
        if !walk.may_find(shown) {
            break;
        }
        let facts: &[Fact] = if written.sound { &[] } else { &[Fact::Ambiguous] };
        walk.find(path, vec![written.name], Some(&mut written.octets.as_slice()), facts)?;
    }
    Ok(())
}

/// Looks at the forks of a Macintosh file.
pub(super) fn look_apple(
    walk: &mut Walk<'_>,
    octets: &mut dyn Octets,
    path: &[String],
    shown: &mut Shown,
) -> Result<(), Unavailable> {
    let Some(whole) = walk.whole(octets, shown)? else { return Ok(()) };
    let Some(file) = apple::read(&whole) else { return Ok(()) };
    let name = file.name.unwrap_or_else(|| "file".to_owned());
    // AppleDouble names the file whose data stand beside it.
    let mut data = file.data.map(|place| &whole[place]);
    walk.find(path, vec![name], data.as_mut().map(|data| data as &mut dyn Octets), &[])
}

/// Looks for objects embedded in RTF (RTF 1.9.1, "Objects"): `\objdata` and hexadecimal digits.
pub(super) fn look_rtf(
    walk: &mut Walk<'_>,
    octets: &mut dyn Octets,
    path: &[String],
    shown: &mut Shown,
) -> Result<(), Unavailable> {
    let Some(whole) = walk.whole(octets, shown)? else { return Ok(()) };
    let external = [&b"\\*\\template http"[..], b"\\*\\template \\\\", b"\\objautlink", b"\\objlink"];
    if external.iter().any(|word| memchr::memmem::find(&whole, word).is_some()) {
        shown.facts.insert(Fact::External);
    }
    let mut rest = whole.as_slice();
    while let Some(at) = memchr::memmem::find(rest, b"objdata") {
        shown.facts.insert(Fact::Embedded);
        if !walk.may_find(shown) {
            break;
        }
        let (object, behind) = hexadecimal(&rest[at + "objdata".len()..]);
        rest = behind;
        walk.spend(object.len());
        let (names, file) = embedded(&object);
        walk.find(path, names, Some(&mut &*file), &[])?;
    }
    Ok(())
}

/// Digits up to the end of the group, as octets, and what stands behind; control words and white space between them are
/// passed over, as Word does.
fn hexadecimal(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let (mut digits, mut at): (Vec<u8>, usize) = (Vec::new(), 0);
    while at < text.len() {
        match text[at] {
            b'}' => break,
            b'\\' => {
                at += 1;
                while text.get(at).is_some_and(u8::is_ascii_alphanumeric) {
                    at += 1;
                }
                continue;
            }
            octet => digits.extend(char::from(octet).to_digit(16).map(|digit| digit as u8)),
        }
        at += 1;
    }
    let octets = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    (octets, &text[at.min(text.len())..])
}

/// The names and octets in an embedded object ([MS-OLEDS], section 2.2.5): a package has names, others their class.
fn embedded(object: &[u8]) -> (Vec<String>, &[u8]) {
    let unnamed = (vec!["object".to_owned()], object);
    let class_octets = u32_at(object, 8) as usize;
    let Some(class) = object.get(12..12_usize.saturating_add(class_octets)) else { return unnamed };
    let class = String::from_utf8_lossy(class).trim_end_matches('\0').to_owned();
    let Some(mut rest) = object.get(12 + class_octets..) else { return unnamed };
    for _ in 0..2 {
        let text = u32_at(rest, 0) as usize;
        let Some(behind) = rest.get(4_usize.saturating_add(text)..) else { return unnamed };
        rest = behind;
    }
    let native = rest.get(4..).unwrap_or_default();
    match package_of(&class, native) {
        Some(found) => found,
        None => (vec![class], native),
    }
}

fn package_of<'o>(class: &str, native: &'o [u8]) -> Option<(Vec<String>, &'o [u8])> {
    class.eq_ignore_ascii_case("package").then(|| package(native)).flatten()
}
