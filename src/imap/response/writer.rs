//! Octets of responses.

use crate::imap::name;
use crate::imap::response::Condition;
use crate::mailbox::MailboxName;

/// The longest quoted string; longer ones are literals.
const QUOTED: usize = 1000;

/// Gathers what is to be sent.
#[derive(Default)]
pub struct Writer {
    octets: Vec<u8>,
    /// How often what was gathered was taken.
    taken: u64,
    /// Whether the client reads UTF-8 in quoted strings: after ENABLE IMAP4rev2 or UTF8=ACCEPT.
    utf8: bool,
}

/// Where a response begins.
#[derive(Clone, Copy)]
pub struct Mark {
    taken: u64,
    at: usize,
}

impl Writer {
    /// From now on the client reads UTF-8.
    pub fn speak_utf8(&mut self) {
        self.utf8 = true;
    }

    /// Whether it does.
    pub fn speaks_utf8(&self) -> bool {
        self.utf8
    }

    /// Takes what was gathered.
    pub fn take(&mut self) -> Vec<u8> {
        self.taken += 1;
        std::mem::take(&mut self.octets)
    }

    /// Where the next response begins.
    pub fn mark(&self) -> Mark {
        Mark { taken: self.taken, at: self.octets.len() }
    }

    /// Forgets what was gathered since the mark; false where some of it was taken, and nothing is forgotten.
    pub fn rewind(&mut self, mark: Mark) -> bool {
        let whole = self.taken == mark.taken;
        if whole {
            self.octets.truncate(mark.at);
        }
        whole
    }

    /// Octets gathered.
    pub fn len(&self) -> usize {
        self.octets.len()
    }

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// Text of the protocol itself.
    pub fn put(&mut self, text: &str) -> &mut Self {
        self.octets.extend_from_slice(text.as_bytes());
        self
    }

    /// Octets of a literal, as they are.
    pub fn octets(&mut self, octets: &[u8]) -> &mut Self {
        self.octets.extend_from_slice(octets);
        self
    }

    /// A line of its own: `text` must have no line end.
    pub fn line(&mut self, text: &str) -> &mut Self {
        self.put(text).put("\r\n")
    }

    /// `tag OK [CODE] text`, or `* …` without a tag.
    pub fn status(&mut self, tag: Option<&str>, condition: Condition, code: Option<&str>, text: &str) -> &mut Self {
        self.put(tag.unwrap_or("*")).put(" ").put(condition.name()).put(" ");
        if let Some(code) = code {
            self.put("[").put(code).put("] ");
        }
        self.line(text)
    }

    /// A string: quoted where that can be, else a literal.
    pub fn string(&mut self, octets: &[u8]) -> &mut Self {
        let text = |octet: &u8| !matches!(octet, 0 | b'\r' | b'\n' | 0x7F) && (self.utf8 || octet.is_ascii());
        let quotable = octets.len() <= QUOTED && octets.iter().all(text) && std::str::from_utf8(octets).is_ok();
        if quotable { self.quoted(octets) } else { self.literal(octets) }
    }

    /// A string, or NIL.
    pub fn nstring(&mut self, octets: Option<&[u8]>) -> &mut Self {
        match octets {
            Some(octets) => self.string(octets),
            None => self.put("NIL"),
        }
    }

    fn quoted(&mut self, octets: &[u8]) -> &mut Self {
        self.put("\"");
        for octet in octets {
            if matches!(octet, b'"' | b'\\') {
                self.put("\\");
            }
            self.octets.push(*octet);
        }
        self.put("\"")
    }

    /// A literal.
    pub fn literal(&mut self, octets: &[u8]) -> &mut Self {
        self.literal_of(octets.len() as u64, false).octets(octets)
    }

    /// The announcement of a literal whose octets follow; a literal8 may hold NUL (RFC 3516).
    pub fn literal_of(&mut self, octets: u64, binary: bool) -> &mut Self {
        let sign = if binary { "~" } else { "" };
        self.put(&format!("{sign}{{{octets}}}\r\n"))
    }

    /// The name of a mailbox, always quoted: clients that compare words are spared the choice.
    pub fn mailbox(&mut self, name: &MailboxName) -> &mut Self {
        self.name(name.as_str())
    }

    /// The same of a name that is no mailbox's (a level of the hierarchy).
    pub fn name(&mut self, name: &str) -> &mut Self {
        let encoded = name::encode(name, self.utf8);
        self.string(encoded.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(octets: &[u8], utf8: bool) -> String {
        let mut writer = Writer::default();
        if utf8 {
            writer.speak_utf8();
        }
        writer.string(octets);
        writer.take().escape_ascii().to_string()
    }

    #[test]
    fn strings_are_quoted_or_literals() {
        for (octets, utf8, expected) in [
            (&b""[..], false, r#"\"\""#),
            (b"plain", false, r#"\"plain\""#),
            (br#"a"b\c"#, false, r#"\"a\\\"b\\\\c\""#),
            (b"a\r\nb", false, r"{4}\r\na\r\nb"),
            (b"a\0b", false, r"{3}\r\na\x00b"),
            ("ä".as_bytes(), false, r"{2}\r\n\xc3\xa4"),
            ("ä".as_bytes(), true, r#"\"\xc3\xa4\""#),
            (b"\xE4", true, r"{1}\r\n\xe4"),
        ] {
            assert_eq!(written(octets, utf8), expected, "{octets:?} {utf8}");
        }
        assert!(written(&[b'x'; QUOTED + 1], false).starts_with("{1001}"));
    }
}
