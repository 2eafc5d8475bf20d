//! Header sections, loosely: fields by lines, and what structured values say.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::anatomy::LONGEST_HEADER;

/// A field of a header section, as it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// All of it, with its line ends.
    pub octets: &'a [u8],
    /// Its name as written; empty where a line is no field.
    pub name: &'a [u8],
    /// What stands behind the colon, with folds and the last line end.
    pub value: &'a [u8],
}

crate::secret::silent_debug!(Field<'_>);

impl Field<'_> {
    /// Whether it has this name (case does not count).
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Its value as text: unfolded, trimmed, encoded words left as they are.
    pub fn text(&self) -> String {
        text_of(self.value)
    }
}

/// The fields of a header section, up to its empty line. Lines end with CRLF or LF.
pub fn fields(header: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut rest = header;
    std::iter::from_fn(move || {
        let end = field_end(rest)?;
        let (octets, behind) = rest.split_at(end);
        rest = behind;
        Some(field(octets))
    })
}

/// Where the first field ends; `None` at the empty line and at the end.
fn field_end(octets: &[u8]) -> Option<usize> {
    if octets.is_empty() || octets.starts_with(b"\n") || octets.starts_with(b"\r\n") {
        return None;
    }
    let mut end = 0;
    loop {
        end = memchr::memchr(b'\n', &octets[end..]).map_or(octets.len(), |at| end + at + 1);
        if !matches!(octets.get(end), Some(b' ' | b'\t')) {
            return Some(end);
        }
    }
}

fn field(octets: &[u8]) -> Field<'_> {
    let colon = memchr::memchr2(b':', b'\n', octets).filter(|at| octets[*at] == b':');
    match colon {
        Some(at) => Field { octets, name: octets[..at].trim_ascii(), value: &octets[at + 1..] },
        None => Field { octets, name: &[], value: octets },
    }
}

/// The fields of these names (or all but these), as they stand, and an empty line where the message has one (RFC 9051,
/// section 6.4.5.1).
pub fn only_fields(header: &[u8], names: &[String], except: bool) -> Vec<u8> {
    let wanted = |field: &Field<'_>| names.iter().any(|name| field.is(name)) != except;
    let mut out: Vec<u8> = Vec::new();
    for field in fields(header).filter(wanted) {
        out.extend_from_slice(field.octets);
        if !field.octets.ends_with(b"\n") {
            out.extend_from_slice(b"\r\n");
        }
    }
    // What was cut off before its end has one behind that.
    if header.ends_with(b"\n\r\n") || header.ends_with(b"\n\n") || is_blank(header) || header.len() >= LONGEST_HEADER {
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Whether it is the empty line alone.
fn is_blank(header: &[u8]) -> bool {
    matches!(header, b"\r\n" | b"\n")
}

/// The value of the first field of this name, as text.
pub(super) fn first(header: &[u8], name: &str) -> Option<String> {
    fields(header).find(|field| field.is(name)).map(|field| field.text())
}

/// Octets as text: UTF-8 if they are that, else windows-1252. A fold is one space, however long and of what; line ends and
/// NULs go, and white space around it.
pub(super) fn text_of(octets: &[u8]) -> String {
    let text = match std::str::from_utf8(octets) {
        Ok(text) => text.into(),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(octets).0,
    };
    unfolded(text.trim()).chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect()
}

fn unfolded(text: &str) -> Cow<'_, str> {
    if !text.contains('\n') {
        return Cow::Borrowed(text);
    }
    let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let mut out = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        let rest = line.trim_start_matches([' ', '\t']);
        if rest.len() < line.len() && !out.ends_with([' ', '\t']) {
            out.push(' ');
        }
        out.push_str(rest);
    }
    Cow::Owned(out)
}

/// A structured value: what stands before the first semicolon, and the parameters (RFC 2045, section 5.1), loosely.
pub(super) fn structured(text: &str) -> (String, Vec<(String, String)>) {
    let mut words = split(text, ';').into_iter();
    let main = words.next().unwrap_or_default();
    let parameter = |word: String| {
        let (name, value) = word.split_once('=')?;
        let name = name.trim();
        (!name.is_empty()).then(|| (name.to_owned(), unquoted(value.trim())))
    };
    (main.trim().to_owned(), joined(words.filter_map(parameter).collect()))
}

/// Parameters that were written in pieces (RFC 2231, section 3), put together as its section 7 asks of IMAP servers: `name*0`
/// and `name*1` are `name`; with a charset (`name*0*`) they are `name*`, still encoded.
fn joined(parameters: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut pieces: BTreeMap<String, BTreeMap<u32, (bool, String)>> = BTreeMap::new();
    let piece = |name: &str| {
        let (base, number) = name.split_once('*')?;
        let (number, encoded) = number.strip_suffix('*').map_or((number, false), |number| (number, true));
        Some((base.to_ascii_lowercase(), number.parse::<u32>().ok()?, encoded))
    };
    for (name, value) in &parameters {
        if let Some((base, number, encoded)) = piece(name) {
            pieces.entry(base).or_default().entry(number).or_insert_with(|| (encoded, value.clone()));
        }
    }
    let mut whole = |name: &str, value: String| {
        let Some((base, ..)) = piece(name) else { return Some((name.to_owned(), value)) };
        let all = pieces.remove(&base)?;
        let in_order = (0..).zip(all).map_while(|(at, (number, piece))| (at == number).then_some(piece));
        let (encoded, values): (Vec<bool>, Vec<String>) = in_order.unzip();
        let sign = if encoded.contains(&true) { "*" } else { "" };
        let name = name.split('*').next().unwrap_or_default();
        (!values.is_empty()).then(|| (format!("{name}{sign}"), values.concat()))
    };
    parameters.into_iter().filter_map(|(name, value)| whole(&name, value)).collect()
}

/// The pieces between separators outside quotes; comments go.
pub(super) fn split(text: &str, separator: char) -> Vec<String> {
    let (mut pieces, mut piece) = (Vec::new(), String::new());
    let (mut quoted, mut escaped, mut comments) = (false, false, 0_usize);
    for c in text.chars() {
        let special = !std::mem::take(&mut escaped);
        match c {
            '\\' if special && (quoted || comments > 0) => escaped = true,
            '"' if special && comments == 0 => quoted = !quoted,
            '(' if special && !quoted => comments += 1,
            ')' if special && comments > 0 => {
                comments -= 1;
                continue;
            }
            c if c == separator && !quoted && comments == 0 => {
                pieces.push(std::mem::take(&mut piece));
                continue;
            }
            _ => {}
        }
        if comments == 0 {
            piece.push(c);
        }
    }
    pieces.push(piece);
    pieces
}

/// A quoted string without its quotes and escapes; anything else as it is.
pub(super) fn unquoted(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"') else { return text.to_owned() };
    let (mut out, mut escaped) = (String::with_capacity(inner.len()), false);
    for c in inner.chars() {
        match c {
            _ if std::mem::take(&mut escaped) => out.push(c),
            '\\' => escaped = true,
            '"' => break,
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_whatever_the_line_ends() {
        let header = b"A: 1\r\nB: x\r\n\ty\nno field\nC : z\n\r\n";
        let names: Vec<_> = fields(header).map(|field| String::from_utf8_lossy(field.name).into_owned()).collect();
        assert_eq!(names, ["A", "B", "", "C"]);
        assert_eq!(first(header, "b").as_deref(), Some("x y"));
        let only = |names: &[&str], except| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            String::from_utf8(only_fields(header, &names, except)).unwrap()
        };
        assert_eq!(only(&["b", "c"], false), "B: x\r\n\ty\nC : z\n\r\n");
        assert_eq!(only(&["b", "c"], true), "A: 1\r\nno field\n\r\n");
        assert_eq!(only(&["x"], false), "\r\n");
        // No empty line is made up for a message that has none.
        let cut = |header: &[u8]| String::from_utf8(only_fields(header, &["a".to_owned()], false)).unwrap();
        assert_eq!(
            (cut(b"A: 1\r\nB: 2\r\n"), cut(b"B: 2"), cut(b"\r\n")),
            ("A: 1\r\n".into(), "".into(), "\r\n".into())
        );
    }

    #[test]
    fn parameters_are_read_loosely() {
        for (text, main, parameters) in [
            ("text/plain", "text/plain", vec![]),
            ("Text/Plain; charset=UTF-8 (no comment); x", "Text/Plain", vec![("charset", "UTF-8")]),
            ("a/b; name=\"x; \\\"y\\\"\"; =z;", "a/b", vec![("name", "x; \"y\"")]),
            ("a/b; name=\"open", "a/b", vec![("name", "open")]),
            ("a/b; n*1=cd; c=1; N*0=ab", "a/b", vec![("n", "abcd"), ("c", "1")]),
            ("a/b; n*0*=utf-8''a%20; n*1=b; n*3=d", "a/b", vec![("n*", "utf-8''a%20b")]),
            ("a/b; n*=utf-8''a; m*x=1; k*1=z", "a/b", vec![("n*", "utf-8''a"), ("m*x", "1")]),
            ("", "", vec![]),
        ] {
            let (read, given) = structured(text);
            let given: Vec<_> = given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!((read.as_str(), given), (main, parameters), "{text}");
        }
    }
}
