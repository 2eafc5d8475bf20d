//! Boundaries of multiparts (RFC 2046, section 5.1.1) and the lines that bear them.

use crate::mime::Flaw;

/// A boundary that may be looked for: 1 to 70 printable ASCII characters, not ending in a space.
#[derive(PartialEq, Eq)]
pub(in crate::mime) struct Boundary(Vec<u8>);

/// What a line is to one boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mime) enum BoundaryLine {
    /// `--boundary`, white space behind it allowed.
    Delimiter,
    /// `--boundary--`, likewise.
    Close,
    /// Begins as a delimiter and goes on. RFC 2046 lets a reader take it for one, and most do not.
    Unclear,
}

impl Boundary {
    /// Wider than RFC 2046's alphabet (mail in use has `$` or `#`), but never a quote, a backslash or a control.
    pub fn new(value: &[u8]) -> Result<Self, Flaw> {
        let sound = (1..=70).contains(&value.len())
            && value.iter().all(|b| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\'))
            && !value.ends_with(b" ");
        if sound { Ok(Self(value.to_vec())) } else { Err(Flaw::Boundary) }
    }

    /// Whether one begins with the other, so that a line could be taken for either's.
    pub fn clashes_with(&self, other: &Boundary) -> bool {
        self.0.starts_with(&other.0) || other.0.starts_with(&self.0)
    }

    /// What the line (without its line end) is to this boundary; `None` if it has nothing to do with it.
    pub fn line(&self, line: &[u8]) -> Option<BoundaryLine> {
        let rest = line.strip_prefix(b"--")?.strip_prefix(self.0.as_slice())?;
        let blank = |rest: &[u8]| rest.iter().all(|b| matches!(b, b' ' | b'\t'));
        Some(match rest.strip_prefix(b"--") {
            _ if blank(rest) => BoundaryLine::Delimiter,
            Some(behind) if blank(behind) => BoundaryLine::Close,
            _ => BoundaryLine::Unclear,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_boundary_or_not_or_unclear() {
        let boundary = Boundary::new(b"b 1").ok().unwrap();
        for (line, is) in [
            ("--b 1", Some(BoundaryLine::Delimiter)),
            ("--b 1 \t", Some(BoundaryLine::Delimiter)),
            ("--b 1--", Some(BoundaryLine::Close)),
            ("--b 1--  ", Some(BoundaryLine::Close)),
            ("--b 1-", Some(BoundaryLine::Unclear)),
            ("--b 12", Some(BoundaryLine::Unclear)),
            ("--b 1-- x", Some(BoundaryLine::Unclear)),
            ("--b", None),
            ("-- b 1", None),
            (" --b 1", None),
        ] {
            assert_eq!(boundary.line(line.as_bytes()), is, "{line}");
        }
    }

    #[test]
    fn a_boundary_has_its_bounds() {
        assert!(Boundary::new(&[b'x'; 70]).is_ok());
        for bad in [&b""[..], &[b'x'; 71], b"a ", b"a\"b", b"a\\b", b"a\tb", b"\xe4", b"a\r\n b"] {
            assert_eq!(Boundary::new(bad).err(), Some(Flaw::Boundary), "{bad:?}");
        }
    }
}
