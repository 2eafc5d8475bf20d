//! The octets between 354 and the final dot (RFC 5321, sections 4.1.1.4 and 4.5.2).
//!
//! The message ends at CR LF `.` CR LF and nowhere else; it begins at a line start, so `.` CR LF alone
//! is an empty message. A bare CR, a bare LF or a NUL anywhere spoils the message: other servers end
//! lines there, and a message that two servers cut differently carries a second one inside
//! (SMTP smuggling, CVE-2023-51764 and its kin). A spoilt message is read to its real end and then refused.

use memchr::memchr3;

use crate::smtp::reply::Flaw;

/// What the receiver found in the octets it was given.
pub struct Received {
    /// How many of the octets belong to the message or its end; all of them, unless it ended.
    pub consumed: usize,
    /// Octets of the message, dot-unstuffed. Empty once the message is spoilt.
    pub message: Vec<u8>,
    /// Whether the final dot was reached.
    pub ended: bool,
}

/// Bounds of one message.
#[derive(Debug, Clone, Copy)]
pub struct DataLimits {
    /// Octets of the message, dot-unstuffed.
    pub message: u64,
    /// Octets of one line without its CR LF.
    pub line: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Behind CR LF, or at the very beginning.
    LineStart,
    /// Within a line.
    Line,
    /// Behind a CR within a line.
    Cr,
    /// Behind a dot at a line start.
    Dot,
    /// Behind a dot at a line start and a CR.
    DotCr,
}

/// Takes the octets of one message, in any pieces.
pub struct DataReceiver {
    at: At,
    limits: DataLimits,
    line: usize,
    octets: u64,
    flaw: Option<Flaw>,
}

impl DataReceiver {
    /// A receiver before the first octet.
    pub fn new(limits: DataLimits) -> Self {
        Self { at: At::LineStart, limits, line: 0, octets: 0, flaw: None }
    }

    /// Why the message is refused, if it is.
    pub fn flaw(&self) -> Option<Flaw> {
        self.flaw
    }

    /// Whether the client sends on and on: twice the limit and a MiB more. Nothing but closing helps then.
    pub fn overrun(&self) -> bool {
        self.octets > self.limits.message.saturating_mul(2).saturating_add(1024 * 1024)
    }

    /// Takes more octets, up to the final dot.
    pub fn receive(&mut self, input: &[u8]) -> Received {
        let mut message = Vec::with_capacity(input.len());
        let mut consumed = 0;
        let mut ended = false;
        while consumed < input.len() && !ended {
            if self.at == At::Line {
                consumed += self.take_text(&input[consumed..], &mut message);
            } else {
                ended = self.step(input[consumed], &mut consumed, &mut message);
            }
        }
        if self.flaw.is_some() {
            message.clear();
        }
        Received { consumed, message, ended }
    }

    /// Copies text up to the next octet that matters, and takes that one too.
    fn take_text(&mut self, input: &[u8], message: &mut Vec<u8>) -> usize {
        let length = memchr3(b'\r', b'\n', 0, input).unwrap_or(input.len());
        self.line += length;
        if self.line > self.limits.line {
            self.spoil(Flaw::LongLine);
        }
        self.put(&input[..length], message);
        match input.get(length) {
            None => return length,
            Some(b'\r') => self.at = At::Cr,
            Some(b'\n') => self.spoil(Flaw::BareLf),
            Some(_) => self.spoil(Flaw::Nul),
        }
        length + 1
    }

    /// One octet where it may be special; it stays unconsumed when it turns out to be text. Whether the message ended.
    fn step(&mut self, octet: u8, consumed: &mut usize, message: &mut Vec<u8>) -> bool {
        let next = match (self.at, octet) {
            (At::LineStart, b'.') => At::Dot,
            (At::Cr, b'\n') => {
                self.put(b"\r\n", message);
                self.line = 0;
                At::LineStart
            }
            (At::Dot, b'\r') => At::DotCr,
            (At::DotCr, b'\n') => {
                *consumed += 1;
                return true;
            }
            (at, _) => {
                if matches!(at, At::Cr | At::DotCr) {
                    self.spoil(Flaw::BareCr);
                }
                self.at = At::Line;
                return false;
            }
        };
        *consumed += 1;
        self.at = next;
        false
    }

    fn put(&mut self, octets: &[u8], message: &mut Vec<u8>) {
        self.octets += octets.len() as u64;
        if self.octets > self.limits.message {
            self.spoil(Flaw::TooLarge);
        }
        if self.flaw.is_none() {
            message.extend_from_slice(octets);
        }
    }

    fn spoil(&mut self, flaw: Flaw) {
        self.flaw.get_or_insert(flaw);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Message, what is left over, flaw.
    type Found<T> = (T, T, Option<Flaw>);
    type Row = (&'static [u8], Option<Found<&'static [u8]>>);

    const LIMITS: DataLimits = DataLimits { message: 1000, line: 100 };

    /// What comes of these octets, given in pieces of `size`; `None` if the message did not end.
    fn run(input: &[u8], size: usize) -> Option<Found<Vec<u8>>> {
        let mut receiver = DataReceiver::new(LIMITS);
        let mut message = Vec::new();
        let mut at = 0;
        while at < input.len() {
            let piece = &input[at..input.len().min(at + size)];
            let received = receiver.receive(piece);
            message.extend(received.message);
            at += received.consumed;
            if received.ended {
                let flaw = receiver.flaw();
                return Some((if flaw.is_some() { Vec::new() } else { message }, input[at..].to_vec(), flaw));
            }
        }
        None
    }

    #[test]
    fn the_end_is_found_where_rfc_5321_puts_it() {
        let table: &[Row] = &[
            (b".\r\n", Some((b"", b"", None))),
            (b".\r\nQUIT\r\n", Some((b"", b"QUIT\r\n", None))),
            (b"a\r\n.\r\n", Some((b"a\r\n", b"", None))),
            (b"..\r\n.\r\n", Some((b".\r\n", b"", None))),
            (b".a\r\n.\r\n", Some((b"a\r\n", b"", None))),
            (b"...\r\n.\r\n", Some((b"..\r\n", b"", None))),
            (b"\r\n\r\n.\r\n", Some((b"\r\n\r\n", b"", None))),
            (b"a\r\n.\n", None),
            (b"a\n.\n", None),
            (b"a\n.\r\n", None),
            (b"a\r.\r", None),
            (b"a\r.\r\n", None),
            (b"a\r\n.\r", None),
            (b"a\r\n.\r\r\n", None),
            (b"a\r\n.\0\r\n", None),
            (b"a\r\n\0.\r\n", None),
            (b"a.\r\n", None),
            (b"a\n.\n\r\n.\r\n", Some((b"", b"", Some(Flaw::BareLf)))),
            (b"a\r\n.\r\r\n\r\n.\r\n", Some((b"", b"", Some(Flaw::BareCr)))),
            (b"a\r\r\n.\r\nX", Some((b"", b"X", Some(Flaw::BareCr)))),
            (b"\n.\r\n\r\n.\r\n", Some((b"", b"", Some(Flaw::BareLf)))),
            (b"\0\r\n.\r\n", Some((b"", b"", Some(Flaw::Nul)))),
        ];
        for (input, expected) in table {
            let expected = expected.map(|(message, rest, flaw)| (message.to_vec(), rest.to_vec(), flaw));
            for size in 1..=input.len() {
                assert_eq!(run(input, size), expected, "{:?} by {size}", String::from_utf8_lossy(input));
            }
        }
    }

    #[test]
    fn a_line_may_have_the_limit_and_no_more() {
        let line = |length| [vec![b'x'; length], b"\r\n.\r\n".to_vec()].concat();
        assert_eq!(run(&line(100), 7).map(|found| found.2), Some(None));
        assert_eq!(run(&line(101), 7).map(|found| found.2), Some(Some(Flaw::LongLine)));
    }

    #[test]
    fn a_message_over_the_limit_is_read_to_its_end_but_not_for_ever() {
        let line = [vec![b'x'; 98], b"\r\n".to_vec()].concat();
        let message = [line.repeat(11), b".\r\n".to_vec()].concat();
        assert_eq!(run(&message, 64), Some((vec![], vec![], Some(Flaw::TooLarge))));
        let mut receiver = DataReceiver::new(LIMITS);
        let endless = (0..20_000).find(|_| {
            receiver.receive(&line);
            receiver.overrun()
        });
        assert!(endless.is_some_and(|count| count > 10_000));
    }
}
