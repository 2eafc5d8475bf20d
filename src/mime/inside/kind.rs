//! What octets are, by the signs they begin with.

use super::octets::{Octets, Unavailable};

/// Octets looked at for what a file is.
pub(super) const START: usize = 4096;

/// Kinds that are looked into, or known not to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// APPNOTE.TXT; also with other octets before it, as self-extractors have.
    Zip,
    /// [MS-CFB]: Word, Excel, PowerPoint before 2007, Outlook's `.msg`, encrypted documents of today.
    Compound,
    /// RFC 1952
    Gzip,
    /// POSIX ustar
    Tar,
    /// [MS-OXTNEF]
    Tnef,
    /// ISO 32000
    Pdf,
    /// Rich Text Format
    Rtf,
    /// A mail (RFC 5322).
    Letter,
    /// RFC 1740: AppleSingle or AppleDouble.
    Apple,
    /// An archive whose inside cannot be seen.
    Closed,
    /// Text in which files may be written.
    Text,
    /// Anything else.
    Other,
}

/// Archives that are recognised and not opened. infer knows most of them too.
const CLOSED: [&[u8]; 13] = [
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"RE~^",
    b"MSCF\0\0\0\0",
    b"BZh",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"LZIP",
    b"\x60\xea",
    b"**ACE**",
    b"\x1f\x9d",
    b"\x5d\0\0",
    b"xar!",
];

/// The kind of these octets. A zip is known by its end as well, since that is where its readers look.
pub(super) fn kind_of(name: &str, start: &[u8], octets: &mut dyn Octets) -> Result<Kind, Unavailable> {
    let kind = by_start(name, start);
    let may_end_as_zip = !matches!(kind, Kind::Zip | Kind::Compound);
    if may_end_as_zip && super::zip::ends_as_zip(octets)? {
        return Ok(Kind::Zip);
    }
    if kind == Kind::Other && octets.take(0x8001, 5)? == b"CD001" {
        return Ok(Kind::Closed);
    }
    Ok(kind)
}

/// The kind as far as the first octets tell it.
pub(super) fn by_start(name: &str, start: &[u8]) -> Kind {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    match start {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, b'P', b'K', ..] => Kind::Zip,
        [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, ..] => Kind::Compound,
        [0x1F, 0x8B, 8, ..] => Kind::Gzip,
        [0x78, 0x9F, 0x3E, 0x22, ..] => Kind::Tnef,
        [0, 5, 0x16, 0 | 7, 0, 1 | 2, 0, 0, ..] => Kind::Apple,
        _ if start.get(257..262) == Some(b"ustar") => Kind::Tar,
        _ if CLOSED.iter().any(|sign| start.starts_with(sign)) && !is_text(start) => Kind::Closed,
        _ if is_lha(start) => Kind::Closed,
        // Readers of PDF look for its sign in the first 1,024 octets.
        _ if memchr::memmem::find(&start[..start.len().min(1024)], b"%PDF-").is_some() => Kind::Pdf,
        _ if text.starts_with(b"{\\rt") => Kind::Rtf,
        _ if is_letter(name) => Kind::Letter,
        _ if is_text(start) => Kind::Text,
        _ => Kind::Other,
    }
}

fn is_lha(start: &[u8]) -> bool {
    matches!(start, [_, _, b'-', b'l', b'h' | b'z', _, b'-', ..])
}

fn is_letter(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.trim().to_ascii_lowercase());
    matches!(extension.as_deref(), Some("eml" | "mht" | "mhtml" | "nws"))
}

fn is_text(start: &[u8]) -> bool {
    !start.is_empty() && start.iter().all(|octet| !octet.is_ascii_control() || b"\t\r\n\x0c".contains(octet))
}

/// The media type that the octets show, where infer knows one that is not two letters of a text.
pub(super) fn media_type(start: &[u8]) -> Option<String> {
    crate::mime::assess::shown(start)
}
