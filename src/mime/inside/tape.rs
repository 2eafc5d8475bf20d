//! gzip (RFC 1952) and tar (POSIX.1-2017, pax, "ustar Interchange Format", with GNU's and pax's long names).

use super::Fact;
use super::inflate::{Wrapping, inflate};
use super::kind::{Kind, START, by_start};
use super::octets::{Octets, Unavailable, Window};
use super::walk::{Shown, Walk};

/// Octets of a block of tar.
const BLOCK: usize = 512;

/// Looks at what is packed with gzip: one file.
pub(super) fn look_gzip(
    walk: &mut Walk<'_>,
    octets: &mut dyn Octets,
    path: &[String],
    shown: &mut Shown,
) -> Result<(), Unavailable> {
    let header = octets.take(0, 64 * 1024)?;
    let Some((name, data)) = gzip_header(&header) else {
        shown.facts.insert(Fact::Unseen);
        return Ok(());
    };
    let outer = path.last().map_or("", String::as_str);
    let without =
        outer.rsplit_once('.').filter(|(_, last)| last.eq_ignore_ascii_case("gz")).map(|(stem, _)| stem.to_owned());
    let tarred = outer
        .rsplit_once('.')
        .filter(|(_, last)| last.eq_ignore_ascii_case("tgz"))
        .map(|(stem, _)| format!("{stem}.tar"));
    let mut names: Vec<String> = name.into_iter().chain(without).chain(tarred).collect();
    names.dedup();
    if names.is_empty() {
        names.push("file".to_owned());
    }
    let mut unpacked = inflate(octets, data, Wrapping::Raw, START.min(walk.room()))?;
    let holds = !matches!(by_start(&names[0], &unpacked.octets), Kind::Other | Kind::Text);
    if holds && !unpacked.whole && !unpacked.broken {
        unpacked = inflate(octets, data, Wrapping::Raw, walk.room())?;
    }
    walk.spend(unpacked.octets.len());
    let cut = holds && !unpacked.whole && !unpacked.broken;
    let facts: Vec<Fact> = [(cut, Fact::TooLarge), (unpacked.broken, Fact::Unseen)]
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, fact)| *fact)
        .collect();
    walk.find(path, names, Some(&mut unpacked.octets.as_slice()), &facts)
}

/// The name in a header, and where the packed octets start.
fn gzip_header(header: &[u8]) -> Option<(Option<String>, u64)> {
    let flags = *header.get(3)?;
    let mut at = 10;
    if flags & 4 != 0 {
        at += 2 + usize::from(super::octets::u16_at(header, at));
    }
    let mut name = None;
    for bit in [8, 16] {
        if flags & bit != 0 {
            let rest = header.get(at..)?;
            let end = memchr::memchr(0, rest)?;
            if bit == 8 {
                name = Some(text(&rest[..end]));
            }
            at += end + 1;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    Some((name.filter(|name| !name.is_empty()), at as u64))
}

/// Looks at the files on a tape.
pub(super) fn look_tar(
    walk: &mut Walk<'_>,
    octets: &mut dyn Octets,
    path: &[String],
    shown: &mut Shown,
) -> Result<(), Unavailable> {
    let (mut at, mut long_name) = (0, None);
    loop {
        let header = octets.take(at, BLOCK)?;
        if header.len() < BLOCK || header.iter().all(|octet| *octet == 0) {
            return Ok(());
        }
        if !sum_holds(&header) {
            shown.facts.insert(Fact::Ambiguous);
            return Ok(());
        }
        if !walk.may_find(shown) {
            return Ok(());
        }
        let size = number(&header[124..136]);
        let data = at + BLOCK as u64;
        match header[156] {
            b'L' => long_name = Some(text(&octets.take(data, 4096.min(size as usize))?)),
            b'x' => long_name = pax_path(&octets.take(data, 65_536.min(size as usize))?).or(long_name),
            0 | b'0' | b'7' => {
                let mut names = vec![own_name(&header)];
                if let Some(long) = long_name.take() {
                    names.insert(0, long);
                }
                walk.find(path, names, Some(&mut Window::new(octets, data, size)), &[])?;
            }
            _ => long_name = None,
        }
        let Some(next) = size.checked_next_multiple_of(BLOCK as u64).and_then(|size| data.checked_add(size)) else {
            return Ok(());
        };
        at = next;
    }
}

/// The header's sum, its own field taken for spaces.
fn sum_holds(header: &[u8]) -> bool {
    let sum: u64 =
        header.iter().enumerate().map(|(at, b)| if (148..156).contains(&at) { 32 } else { u64::from(*b) }).sum();
    sum == number(&header[148..156])
}

/// An octal number, or one in octets where the first bit is set (GNU).
fn number(field: &[u8]) -> u64 {
    if field[0] & 0x80 != 0 {
        return field[1..].iter().fold(0_u64, |number, octet| number.wrapping_shl(8) | u64::from(*octet));
    }
    let digits = field.iter().skip_while(|octet| **octet == b' ').take_while(|octet| (b'0'..=b'7').contains(octet));
    digits.fold(0_u64, |number, digit| number.wrapping_mul(8) + u64::from(digit - b'0'))
}

fn own_name(header: &[u8]) -> String {
    let (name, prefix) = (text(&header[..100]), text(&header[345..500]));
    if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
}

/// `LENGTH path=NAME` among pax's records.
fn pax_path(records: &[u8]) -> Option<String> {
    let at = memchr::memmem::find(records, b" path=")?;
    let rest = &records[at + 6..];
    Some(text(&rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())]))
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets.split(|octet| *octet == 0).next().unwrap_or_default()).into_owned()
}
