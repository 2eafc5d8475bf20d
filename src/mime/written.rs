//! Files written into text by the encodings that mail had before MIME: uuencode and xxencode (POSIX.1-2017, uuencode),
//! yEnc (draft 1.3), BinHex 4.0 (RFC 1741). Many readers still show them as attachments.
//!
//! Of the message's own text each becomes a document, where it is whole ([`crate::mime::assess`] refuses it where not); a
//! text that is attached may hold some, and is looked into as an archive is.

use std::ops::Range;

pub mod apple;
mod binhex;
pub(in crate::mime) mod block;
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

/// Every file in a text, in order, decoded as it is asked for. What is decoded is never longer than the text.
pub fn find(text: &[u8]) -> impl Iterator<Item = Written> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            let (start, rest) = (at, &text[at..]);
            let Some(written) = begun(rest) else {
                at += line_of(rest).1;
                continue;
            };
            at += written.place.end.max(1);
            return Some(Written { place: start..at, ..written });
        }
        None
    })
}

/// The file that begins with the first line, if one does.
fn begun(text: &[u8]) -> Option<Written> {
    match line_of(text).0.trim_ascii_start().first()? {
        b'b' | b'B' => uuencode::read(text),
        b'=' => yenc::read(text),
        b'(' => binhex::read(text),
        _ => None,
    }
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
