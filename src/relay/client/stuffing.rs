//! A message on its way into DATA: dots stuffed (RFC 5321, section 4.5.2), and nothing in it that any
//! server could take for the end of the message.

/// The message has a CR without LF, an LF without CR or a NUL: what smuggling is made of. It must not be
/// sent, and the final dot must not follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unclean;

/// Where in a line the last octet was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    LineStart,
    InLine,
    AfterCr,
}

/// Stuffs the dots of one message, in any pieces.
#[derive(Debug)]
pub struct Stuffing {
    at: At,
}

impl Stuffing {
    /// For a new message.
    pub fn new() -> Self {
        Self { at: At::LineStart }
    }

    /// Appends `octets` to `out` as they go on the wire.
    ///
    /// # Errors
    /// [`Unclean`]; `out` then holds part of the piece and is not to be sent.
    pub fn push(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Result<(), Unclean> {
        out.reserve(octets.len() + 8);
        let mut rest = octets;
        while let Some(&first) = rest.first() {
            match (self.at, first) {
                (At::AfterCr, b'\n') => {
                    out.push(first);
                    self.at = At::LineStart;
                    rest = &rest[1..];
                }
                (At::AfterCr, _) => return Err(Unclean),
                (at, _) => {
                    if at == At::LineStart && first == b'.' {
                        out.push(b'.');
                    }
                    rest = self.line(rest, out)?;
                }
            }
        }
        Ok(())
    }

    /// Copies up to and including the next CR; what is left.
    fn line<'a>(&mut self, octets: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], Unclean> {
        let end = memchr::memchr3(b'\r', b'\n', 0, octets).unwrap_or(octets.len());
        out.extend_from_slice(&octets[..end]);
        if end > 0 {
            self.at = At::InLine;
        }
        match octets.get(end) {
            None => Ok(&[]),
            Some(b'\r') => {
                out.push(b'\r');
                self.at = At::AfterCr;
                Ok(&octets[end + 1..])
            }
            Some(_) => Err(Unclean),
        }
    }

    /// Appends the end of the message: a line end where the last line has none, and the dot.
    ///
    /// # Errors
    /// [`Unclean`] where the last octet was a CR.
    pub fn finish(self, out: &mut Vec<u8>) -> Result<(), Unclean> {
        match self.at {
            At::LineStart => out.extend_from_slice(b".\r\n"),
            At::InLine => out.extend_from_slice(b"\r\n.\r\n"),
            At::AfterCr => return Err(Unclean),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stuffed(pieces: &[&[u8]]) -> Result<Vec<u8>, Unclean> {
        let (mut stuffing, mut out) = (Stuffing::new(), Vec::new());
        for piece in pieces {
            stuffing.push(piece, &mut out)?;
        }
        stuffing.finish(&mut out)?;
        Ok(out)
    }

    #[test]
    fn dots_are_doubled_and_every_fake_end_is_refused() {
        for (message, expected) in [
            ("", Ok(".\r\n")),
            (".", Ok("..\r\n.\r\n")),
            ("a\r\n.\r\nb\r\n", Ok("a\r\n..\r\nb\r\n.\r\n")),
            ("a\r\n..\r\n", Ok("a\r\n...\r\n.\r\n")),
            ("a.b\r\n\r\n", Ok("a.b\r\n\r\n.\r\n")),
            ("a\n.\r\n", Err(Unclean)),
            ("a\r\n.\n", Err(Unclean)),
            ("a\r.\r\n", Err(Unclean)),
            ("a\r\n.\r", Err(Unclean)),
            ("a\r\r\n", Err(Unclean)),
            ("a\0b", Err(Unclean)),
            ("\n", Err(Unclean)),
        ] {
            let expected = expected.map(|text| text.as_bytes().to_vec());
            assert_eq!(stuffed(&[message.as_bytes()]), expected, "{message:?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference_and_the_end_stands_at_the_end_only(
            lines in proptest::collection::vec("[.a]{0,4}", 0..12),
            cut in 0usize..60,
        ) {
            let message = lines.join("\r\n");
            let cut = cut.min(message.len());
            let whole = stuffed(&[message.as_bytes()]).unwrap();
            let halves = stuffed(&[&message.as_bytes()[..cut], &message.as_bytes()[cut..]]).unwrap();
            prop_assert_eq!(&whole, &halves);
            let text = format!("\r\n{}", String::from_utf8(whole).unwrap());
            prop_assert_eq!(text.find("\r\n.\r\n"), Some(text.len() - 5));
            let unstuffed = text[2..text.len() - 3].replace("\r\n.", "\r\n");
            let unstuffed = unstuffed.strip_prefix('.').unwrap_or(&unstuffed);
            let ended = if message.is_empty() || message.ends_with("\r\n") { message } else { message + "\r\n" };
            prop_assert_eq!(unstuffed, ended);
        }
    }
}
