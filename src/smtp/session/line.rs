//! Command lines out of octets (RFC 5321, section 2.3.8).

use zeroize::{Zeroize, Zeroizing};

/// A line may be read over to its end up to this many octets, so that the reply stands where the client expects it.
const FLOOD: usize = 64 * 1024;

/// A line that arrived.
#[cfg_attr(test, derive(Debug, PartialEq, Eq))]
pub(super) enum Line {
    /// Text without control characters, without CR LF and trailing spaces. Wiped when dropped: it may hold a password.
    Text(Zeroizing<String>),
    /// Over the limit; it was read to its end.
    TooLong,
    /// Ended by a bare LF, or with a bare CR, a control character, or octets that are no UTF-8.
    Unsound,
    /// No end in sight.
    Flood,
}

/// Octets that arrived and were not used yet.
#[derive(Default)]
pub(super) struct Inbox {
    octets: Vec<u8>,
    at: usize,
    skipped: usize,
}

impl Inbox {
    pub(super) fn push(&mut self, octets: &[u8]) {
        self.octets.drain(..self.at);
        self.at = 0;
        self.octets.extend_from_slice(octets);
    }

    /// Forgets everything, also the beginning of a line.
    pub(super) fn clear(&mut self) {
        self.octets.zeroize();
        *self = Self::default();
    }

    pub(super) fn rest(&self) -> &[u8] {
        &self.octets[self.at..]
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.at += count;
    }

    /// The next line of at most `limit` octets with its CR LF; `None` if there is no whole one yet.
    pub(super) fn take_line(&mut self, limit: usize) -> Option<Line> {
        if self.rest().is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.rest());
        let length = end.map_or(self.rest().len(), |at| at + 1);
        let total = self.skipped + length;
        // The rest of a line that was too long is never read as a line of its own, whatever `limit` is now.
        let too_long = self.skipped > 0 || total > limit;
        let line = match end {
            _ if total > FLOOD.max(limit) => Some(Line::Flood),
            Some(_) if too_long => Some(Line::TooLong),
            Some(_) => Some(sound(&self.rest()[..length])),
            None if too_long => None,
            None => return None,
        };
        self.skipped = if end.is_some() { 0 } else { total };
        let (from, to) = (self.at, self.at + length);
        self.octets[from..to].zeroize();
        self.at = to;
        line
    }
}

fn sound(line: &[u8]) -> Line {
    let Some(text) = line.strip_suffix(b"\r\n") else {
        return Line::Unsound;
    };
    if text.iter().any(u8::is_ascii_control) {
        return Line::Unsound;
    }
    match std::str::from_utf8(text) {
        Ok(text) => Line::Text(Zeroizing::new(text.trim_end_matches(' ').to_owned())),
        Err(_) => Line::Unsound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8], size: usize) -> Vec<Line> {
        let mut inbox = Inbox::default();
        let mut lines = Vec::new();
        for piece in input.chunks(size) {
            inbox.push(piece);
            lines.extend(std::iter::from_fn(|| inbox.take_line(10)));
        }
        lines
    }

    #[test]
    fn lines_are_the_same_however_they_arrive() {
        let text = |text: &str| Line::Text(Zeroizing::new(text.into()));
        let input = b"NOOP  \r\n\r\nNOOP\n12345678\r\n123456789\r\nA\rB\r\nA\0B\r\n\xff\r\nlast";
        let unsound = || Line::Unsound;
        let expected =
            [text("NOOP"), text(""), unsound(), text("12345678"), Line::TooLong, unsound(), unsound(), unsound()];
        for size in 1..=input.len() {
            assert_eq!(lines(input, size), expected, "by {size}");
        }
    }

    #[test]
    fn a_line_without_end_is_a_flood() {
        assert!(lines(&[b'x'; FLOOD + 1], 1000).contains(&Line::Flood));
        assert!(!lines(&[b'x'; FLOOD], 1000).contains(&Line::Flood));
    }
}
