//! The pieces of an HTML document: tags, comments, entities.

use std::borrow::Cow;

// Of this only its table of entities is used.
use mail_parser::decoders::html::html_to_text as entity_to_text;

/// Elements whose content is no text: to their end tag, or where it is missing, to the end (HTML, section 13.2.5).
const SKIPPED: [&str; 6] = ["iframe", "noembed", "noframes", "script", "style", "title"];

/// A piece of a document that means something; comments, and what [`SKIPPED`] elements hold, are none.
pub(in crate::mime::assess) enum Piece<'h> {
    /// Text, entities not decoded.
    Text(&'h str),
    /// A tag, and how it is written.
    Tag(Tag<'h>, &'h str),
}

/// The pieces of a document, in order. What they take is linear in its length.
pub(in crate::mime::assess) fn pieces(html: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = html;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let at = memchr::memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
            if at > 0 {
                let (text, tag) = rest.split_at(at);
                rest = tag;
                return Some(Piece::Text(text));
            }
            match Tag::read(rest) {
                Some((tag, after)) if !tag.closing && SKIPPED.contains(&tag.name.as_str()) => {
                    rest = behind(after, &tag.name);
                }
                Some((tag, after)) => {
                    let written = &rest[..rest.len() - after.len()];
                    rest = after;
                    return Some(Piece::Tag(tag, written));
                }
                None if rest[1..].starts_with(['!', '?', '/']) => rest = behind_comment(rest),
                None => {
                    let (text, after) = rest.split_at(1);
                    rest = after;
                    return Some(Piece::Text(text));
                }
            }
        }
        None
    })
}

/// What stands behind `</name`.
fn behind<'h>(html: &'h str, name: &str) -> &'h str {
    let octets = html.as_bytes();
    let closes = |at: &usize| {
        let tag = octets.get(at + 2..at + 2 + name.len());
        octets.get(at + 1) == Some(&b'/') && tag.is_some_and(|tag| tag.eq_ignore_ascii_case(name.as_bytes()))
    };
    memchr::memchr_iter(b'<', octets).find(closes).map_or("", |at| &html[at..])
}

/// Behind `<!-- … -->`, `<!doctype …>`, `<![if …]>`, `<?xml …>`.
fn behind_comment(html: &str) -> &str {
    if let Some(comment) = html.strip_prefix("<!--") {
        let abrupt = ["->", ">"].into_iter().find_map(|end| comment.strip_prefix(end));
        let ends = || {
            memchr::memmem::find_iter(comment.as_bytes(), b"--").find_map(|at| {
                let after = &comment[at + 2..];
                after.strip_prefix('>').or_else(|| after.strip_prefix("!>")).or_else(|| after.strip_prefix("->"))
            })
        };
        return abrupt.or_else(ends).unwrap_or("");
    }
    memchr::memchr(b'>', html.as_bytes()).map_or("", |end| &html[end + 1..])
}

/// A start or end tag.
pub(in crate::mime::assess) struct Tag<'h> {
    /// In lower case.
    pub(in crate::mime::assess) name: String,
    pub(in crate::mime::assess) closing: bool,
    /// As written.
    pub(in crate::mime::assess) attributes: &'h str,
}

impl<'h> Tag<'h> {
    /// The tag that begins here, and what follows; `None` where none begins. One that does not end takes the rest.
    fn read(html: &'h str) -> Option<(Self, &'h str)> {
        let inner = html.strip_prefix('<')?;
        let (closing, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
        if !inner.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let named = inner.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')).unwrap_or(inner.len());
        let (name, behind) = inner.split_at(named);
        let end = end_of_tag(behind.as_bytes());
        let after = behind.get(end + 1..).unwrap_or_default();
        Some((Self { name: name.to_ascii_lowercase(), closing, attributes: &behind[..end] }, after))
    }

    /// An attribute's value, entities decoded. Quoted values are stepped over, so that none is taken for a name.
    pub(in crate::mime::assess) fn attribute(&self, wanted: &str) -> Option<Cow<'h, str>> {
        let mut rest = self.attributes;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if rest.is_empty() {
                return None;
            }
            let ends = |(_, c): &(usize, char)| c.is_ascii_whitespace() || matches!(c, '/' | '=');
            let named = rest.char_indices().skip(1).find(ends).map_or(rest.len(), |(at, _)| at);
            let (name, behind) = rest.split_at(named);
            let Some(value) = behind.trim_ascii_start().strip_prefix('=').map(str::trim_ascii_start) else {
                rest = behind;
                continue;
            };
            let (value, behind) = match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
                Some(quote) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
                None => value.split_at(value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len())),
            };
            if name.eq_ignore_ascii_case(wanted) {
                return Some(decoded(value));
            }
            rest = behind;
        }
    }
}

/// Where `>` stands outside a quoted value. A quote counts only where a value begins, as in browsers.
fn end_of_tag(octets: &[u8]) -> usize {
    let (mut quote, mut before) = (None, b' ');
    for (at, b) in octets.iter().enumerate() {
        match quote {
            Some(open) => quote = (*b != open).then_some(open),
            None if *b == b'>' => return at,
            None if matches!(b, b'"' | b'\'') && before == b'=' => quote = Some(*b),
            None => {}
        }
        before = if b.is_ascii_whitespace() { before } else { *b };
    }
    octets.len()
}

/// Entities as characters: by name as far as they end in `;`, by number always, windows-1252 numbers as browsers do.
pub(in crate::mime::assess) fn decoded(text: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'&', text.as_bytes()) else { return Cow::Borrowed(text) };
    let mut out = text[..first].to_owned();
    for piece in text[first + 1..].split('&') {
        let length = piece.find(|c: char| !c.is_ascii_alphanumeric() && c != '#').unwrap_or(piece.len());
        let (name, after) = piece.split_at(length);
        let ended = after.strip_prefix(';');
        match entity(name, ended.is_some()) {
            Some(meant) => {
                out.push_str(&meant);
                out.push_str(ended.unwrap_or(after));
            }
            None => {
                out.push('&');
                out.push_str(piece);
            }
        }
    }
    Cow::Owned(out)
}

fn entity(name: &str, ended: bool) -> Option<String> {
    const LONGEST: usize = 32;
    if name.len() > LONGEST {
        return None;
    }
    if let Some(number) = name.strip_prefix('#') {
        let hex = number.strip_prefix(['x', 'X']);
        let number = u32::from_str_radix(hex.unwrap_or(number), if hex.is_some() { 16 } else { 10 }).ok()?;
        return Some(match number {
            0x80..=0x9f => encoding_rs::WINDOWS_1252.decode(&[number.to_le_bytes()[0]]).0.into_owned(),
            _ => char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER).to_string(),
        });
    }
    // Without `;` only these, and only alone: `&times` may be the start of a word.
    if !ended && !["amp", "lt", "gt", "quot", "nbsp", "deg", "micro", "plusmn"].contains(&name) {
        return None;
    }
    let written = format!("&{name};");
    let meant = entity_to_text(&written);
    (meant != written).then_some(meant)
}
