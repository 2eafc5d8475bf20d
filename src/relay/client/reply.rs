//! Replies of an SMTP server (RFC 5321, section 4.2), read within bounds.

use crate::delivery::Enhanced;

/// Longest line taken; RFC 5321, section 4.5.3.1.5 gives 512 octets, real servers are more generous.
const LONGEST_LINE: usize = 2048;
/// Most lines of one reply taken.
const MOST_LINES: usize = 128;
/// Most octets that may wait to be read.
const MOST_WAITING: usize = 64 * 1024;

/// One whole reply. Its text is the far side's: it is read for EHLO keywords and goes nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// 200–599.
    pub code: u16,
    /// The enhanced code of its last line, if there is one that agrees with the code.
    pub enhanced: Option<Enhanced>,
    /// The texts of its lines.
    pub lines: Vec<Vec<u8>>,
}

/// What came is no reply, or one without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// Takes octets in any pieces, gives whole replies.
#[derive(Default)]
pub struct ReplyReader {
    waiting: Vec<u8>,
    begun: Option<(u16, Vec<Vec<u8>>)>,
}

impl ReplyReader {
    /// More octets from the far side.
    pub fn receive(&mut self, octets: &[u8]) {
        self.waiting.extend_from_slice(octets);
    }

    /// Whether nothing has arrived beyond the replies already given.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.begun.is_none()
    }

    /// Forgets what has arrived (after a change of keys nothing of before counts).
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The next whole reply, if it has arrived.
    ///
    /// # Errors
    /// [`Malformed`] for a line that is no reply line, a code that changes between lines, and beyond the bounds.
    pub fn next_reply(&mut self) -> Result<Option<Reply>, Malformed> {
        while let Some(end) = memchr::memchr(b'\n', &self.waiting) {
            let line: Vec<u8> = self.waiting.drain(..=end).collect();
            if let Some(reply) = self.line(&line)? {
                return Ok(Some(reply));
            }
        }
        let bounded = self.waiting.len() <= LONGEST_LINE;
        if bounded { Ok(None) } else { Err(Malformed) }
    }

    fn line(&mut self, line: &[u8]) -> Result<Option<Reply>, Malformed> {
        if line.len() > LONGEST_LINE || self.waiting.len() > MOST_WAITING {
            return Err(Malformed);
        }
        let (code, last, text) = split(line)?;
        let (begun, mut lines) = self.begun.take().unwrap_or((code, Vec::new()));
        if begun != code || lines.len() >= MOST_LINES {
            return Err(Malformed);
        }
        lines.push(text.to_vec());
        if !last {
            self.begun = Some((code, lines));
            return Ok(None);
        }
        Ok(Some(Reply { code, enhanced: Enhanced::parse(code, text), lines }))
    }
}

/// Code, whether this is the reply's last line, and the text of `250-text CRLF`; LF alone ends a line too.
fn split(line: &[u8]) -> Result<(u16, bool, &[u8]), Malformed> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let [first @ b'2'..=b'5', second @ b'0'..=b'9', third @ b'0'..=b'9', rest @ ..] = line else {
        return Err(Malformed);
    };
    let code = [first, second, third].into_iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    match rest {
        [] => Ok((code, true, rest)),
        [b' ', text @ ..] => Ok((code, true, text)),
        [b'-', text @ ..] => Ok((code, false, text)),
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(octets: &[u8]) -> Result<Vec<u16>, Malformed> {
        let mut reader = ReplyReader::default();
        reader.receive(octets);
        let mut codes = Vec::new();
        while let Some(reply) = reader.next_reply()? {
            codes.push(reply.code);
        }
        Ok(codes)
    }

    #[test]
    fn reads_replies_and_refuses_what_is_none() {
        for (octets, expected) in [
            ("220 hello\r\n", Ok(vec![220])),
            ("250-a\r\n250-b\r\n250 c\r\n354\r\n", Ok(vec![250, 354])),
            ("250 a\n", Ok(vec![250])),
            ("250-a\r\n", Ok(vec![])),
            ("250 no end", Ok(vec![])),
            ("250-a\r\n251 b\r\n", Err(Malformed)),
            ("HTTP/1.1 400 Bad Request\r\n", Err(Malformed)),
            ("\r\n", Err(Malformed)),
            ("25 \r\n", Err(Malformed)),
            ("250_a\r\n", Err(Malformed)),
            ("650 a\r\n", Err(Malformed)),
            ("150 a\r\n", Err(Malformed)),
        ] {
            assert_eq!(read(octets.as_bytes()), expected, "{octets:?}");
        }
        assert_eq!(read(&[b'2'; LONGEST_LINE + 1]), Err(Malformed));
        assert_eq!(read("250-x\r\n".repeat(MOST_LINES + 1).as_bytes()), Err(Malformed));
    }

    proptest! {
        #[test]
        fn how_octets_arrive_makes_no_difference(octets in "(2(50|20)[ -][a-z\\x00-\\x1f]{0,9}\r\n){0,6}", cut in 0usize..60) {
            let octets = octets.as_bytes();
            let cut = cut.min(octets.len());
            let mut reader = ReplyReader::default();
            let mut codes = Vec::new();
            let mut sound = true;
            for piece in [&octets[..cut], &octets[cut..]] {
                reader.receive(piece);
                loop {
                    match reader.next_reply() {
                        Ok(Some(reply)) => codes.push(reply.code),
                        Ok(None) => break,
                        Err(Malformed) => { sound = false; break }
                    }
                }
                if !sound { break }
            }
            prop_assert_eq!(if sound { Ok(codes) } else { Err(Malformed) }, read(octets));
        }
    }
}
