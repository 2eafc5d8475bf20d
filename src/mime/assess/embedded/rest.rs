//! What is left in a page once its files were taken out: an address that is written so that only a browser would know it.
//!
//! Browsers resolve character references in attributes and escapes in styles, and pass over line ends and tabs within an
//! address. All of that is undone here for the whole of the markup at once, and what then reads as a file is one.

use std::borrow::Cow;

use super::address::words;
use super::{SPACER, looks};
use crate::mime::assess::html;

/// Characters from the scheme to the comma: a media type and its parameters.
const LONGEST_TYPE: usize = 512;
/// Hexadecimal digits of an escape (CSS Syntax, section 4.3.7).
const DIGITS: usize = 6;

/// Whether there is an address in the markup of a page that holds a file.
pub(super) fn is_left(page: &str) -> bool {
    let plain = plain(page);
    memchr::memmem::find_iter(&plain, b"data:").any(|at| holds_a_file(&plain[at + 5..]))
}

/// The markup in small letters, as a browser reads an address in it; without spaces.
fn plain(page: &str) -> Vec<u8> {
    let (mut markup, mut at) = (String::with_capacity(page.len()), 0);
    for words in words(page) {
        markup.push_str(&page[at..words.start]);
        // What stands before words and behind them is no one address.
        markup.push('<');
        at = words.end;
    }
    markup.push_str(&page[at..]);
    let decoded = html::decoded(&markup);
    let unescaped = unescaped(&decoded);
    unescaped.bytes().filter(|b| *b > b' ').map(|b| b.to_ascii_lowercase()).collect()
}

/// A style with its escapes resolved.
fn unescaped(style: &str) -> Cow<'_, str> {
    if !style.contains('\\') {
        return Cow::Borrowed(style);
    }
    let mut pieces = style.split('\\');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let length = piece.bytes().take(DIGITS).take_while(u8::is_ascii_hexdigit).count();
        let (number, behind) = piece.split_at(length);
        out.extend(u32::from_str_radix(number, 16).ok().and_then(char::from_u32));
        out.push_str(behind);
    }
    Cow::Owned(out)
}

/// Whether what stands behind `data:` is a document.
fn holds_a_file(address: &[u8]) -> bool {
    let Some(comma) = memchr::memchr(b',', &address[..address.len().min(LONGEST_TYPE)]) else { return false };
    let (about, coded) = (&address[..comma], &address[comma + 1..]);
    let Some(about) = about.strip_suffix(b";base64") else { return false };
    if looks(&String::from_utf8_lossy(about)) {
        return false;
    }
    let least = if about.starts_with(b"image/") { SPACER } else { 1 };
    let enough = (least * 8).div_ceil(6);
    coded.len() >= enough && coded[..enough].iter().all(|b| b.is_ascii_alphanumeric() || b"+/%".contains(b))
}
