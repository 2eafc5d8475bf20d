//! Files written into text by the encodings that mail had before MIME: uuencode and xxencode (POSIX.1-2017, uuencode),
//! yEnc (draft 1.3), BinHex 4.0 (RFC 1741). Many readers still show them as attachments.
//!
//! The message's own text must hold none ([`crate::mime::assess`] refuses it); a text that is attached may, and is looked
//! into as an archive is.

use std::ops::Range;

pub mod apple;
mod binhex;
mod uuencode;
mod yenc;

/// How a file was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// uuencode, or xxencode, which begins alike.
    Uuencode,
    /// `begin-base64`
    Base64,
    /// yEnc
    YEnc,
    /// BinHex 4.0; the octets are those of the data fork.
    BinHex,
}

/// A file that was written into a text.
#[derive(Clone, PartialEq, Eq)]
pub struct Written {
    /// Its name as written, not sanitised.
    pub name: String,
    /// How it was written.
    pub form: Form,
    /// Where in the text, its first and last line included.
    pub place: Range<usize>,
    /// Its octets.
    pub octets: Vec<u8>,
    /// Whether it is whole: it ends as it should, and lengths and checksums hold where there are any.
    pub sound: bool,
}

/// Every file in a text, in order. What is decoded is never longer than the text.
pub fn find(text: &[u8]) -> Vec<Written> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let rest = &text[at..];
        let written = match rest.trim_ascii_start().first() {
            Some(b'b' | b'B') => uuencode::read(rest),
            Some(b'=') => yenc::read(rest),
            Some(b'(') => binhex::read(rest),
            _ => None,
        };
        at = match written {
            Some(mut written) => {
                let length = written.place.end.max(1);
                written.place = at..at + length;
                found.push(written);
                at + length
            }
            None => at + line_of(rest).1,
        };
    }
    found
}

/// The first line without its end, and its length with it.
fn line_of(text: &[u8]) -> (&[u8], usize) {
    match memchr::memchr2(b'\n', b'\r', text) {
        Some(end) if text[end..].starts_with(b"\r\n") => (&text[..end], end + 2),
        Some(end) => (&text[..end], end + 1),
        None => (text, text.len()),
    }
}

/// A name of those times: UTF-8, or one octet for one character.
fn name_of(octets: &[u8]) -> String {
    crate::mime::header::text_of(octets)
}

#[cfg(test)]
mod tests;
