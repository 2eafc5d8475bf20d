//! Header sections, loosely: fields by lines, and what structured values say.

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

/// The fields of these names (or all but these), as they stand, and an empty line (RFC 9051, section 6.4.5.1).
pub fn only_fields(header: &[u8], names: &[String], except: bool) -> Vec<u8> {
    let wanted = |field: &Field<'_>| names.iter().any(|name| field.is(name)) != except;
    let mut out: Vec<u8> = Vec::new();
    for field in fields(header).filter(wanted) {
        out.extend_from_slice(field.octets);
        if !field.octets.ends_with(b"\n") {
            out.extend_from_slice(b"\r\n");
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// The value of the first field of this name, as text.
pub(super) fn first(header: &[u8], name: &str) -> Option<String> {
    fields(header).find(|field| field.is(name)).map(|field| field.text())
}

/// Octets as text: UTF-8 if they are that, else windows-1252; line ends and NULs go, and white space around it.
pub(super) fn text_of(octets: &[u8]) -> String {
    let text = match std::str::from_utf8(octets) {
        Ok(text) => text.into(),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(octets).0,
    };
    text.trim().chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect()
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
    (main.trim().to_owned(), words.filter_map(parameter).collect())
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
        let header = b"A: 1\r\nB: x\r\n\ty\nno field\nC : z\n\r\nbody: no";
        let names: Vec<_> = fields(header).map(|field| String::from_utf8_lossy(field.name).into_owned()).collect();
        assert_eq!(names, ["A", "B", "", "C"]);
        assert_eq!(first(header, "b").as_deref(), Some("x\ty"));
        let only = |names: &[&str], except| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            String::from_utf8(only_fields(header, &names, except)).unwrap()
        };
        assert_eq!(only(&["b", "c"], false), "B: x\r\n\ty\nC : z\n\r\n");
        assert_eq!(only(&["b", "c"], true), "A: 1\r\nno field\n\r\n");
        assert_eq!(only(&["x"], false), "\r\n");
    }

    #[test]
    fn parameters_are_read_loosely() {
        for (text, main, parameters) in [
            ("text/plain", "text/plain", vec![]),
            ("Text/Plain; charset=UTF-8 (no comment); x", "Text/Plain", vec![("charset", "UTF-8")]),
            ("a/b; name=\"x; \\\"y\\\"\"; =z;", "a/b", vec![("name", "x; \"y\"")]),
            ("a/b; name=\"open", "a/b", vec![("name", "open")]),
            ("", "", vec![]),
        ] {
            let (read, given) = structured(text);
            let given: Vec<_> = given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!((read.as_str(), given), (main, parameters), "{text}");
        }
    }
}
