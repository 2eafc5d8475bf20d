//! quoted-printable (RFC 2045, section 6.7) as a stream.

use crate::mime::Flaw;

/// White space that may stand at a line's end before it is taken as content; a line of quoted-printable has at most 76
/// characters.
const BLANKS: usize = 998;

/// The decoder.
#[derive(Clone)]
pub(super) struct Quoted {
    lenient: bool,
    /// What was seen and is not yet decided.
    held: Vec<u8>,
}

impl Quoted {
    pub fn new(lenient: bool) -> Self {
        Self { lenient, held: Vec::new() }
    }

    /// Decodes more octets.
    pub fn feed(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Result<(), Flaw> {
        let mut rest = octets;
        while !rest.is_empty() {
            if self.held.is_empty() {
                let plain = rest.iter().position(|b| matches!(b, b'=' | b' ' | b'\t' | b'\r')).unwrap_or(rest.len());
                out.extend_from_slice(&rest[..plain]);
                rest = &rest[plain..];
            }
            let Some((octet, behind)) = rest.split_first() else { break };
            self.held(*octet, out)?;
            rest = behind;
        }
        Ok(())
    }

    /// Takes an octet while something is held, or that must be held.
    fn held(&mut self, octet: u8, out: &mut Vec<u8>) -> Result<(), Flaw> {
        match (self.held.first(), octet) {
            (Some(b'='), _) => self.code(octet, out),
            // White space, and perhaps the CR that may end the line.
            (_, b' ' | b'\t') if self.held.last() != Some(&b'\r') && self.held.len() < BLANKS => {
                self.held.push(octet);
                Ok(())
            }
            (_, b'\r') if self.held.last() != Some(&b'\r') => {
                self.held.push(octet);
                Ok(())
            }
            (_, b'\n') if self.held.last() == Some(&b'\r') => {
                self.held.clear();
                out.extend_from_slice(b"\r\n");
                Ok(())
            }
            (_, b'=') => {
                out.append(&mut self.held);
                self.held.push(octet);
                Ok(())
            }
            _ => {
                out.append(&mut self.held);
                match octet {
                    b' ' | b'\t' | b'\r' => self.held.push(octet),
                    _ => out.push(octet),
                }
                Ok(())
            }
        }
    }

    /// Takes an octet behind `=`: two hexadecimal digits, or white space and the end of the line.
    fn code(&mut self, octet: u8, out: &mut Vec<u8>) -> Result<(), Flaw> {
        self.held.push(octet);
        let digit = |octet: u8| char::from(octet).to_digit(16);
        match &self.held[1..] {
            [first] if digit(*first).is_some() => Ok(()),
            [first, second] if digit(*first).is_some() => match (digit(*first), digit(*second)) {
                (Some(high), Some(low)) => {
                    out.push((high * 16 + low) as u8);
                    self.held.clear();
                    Ok(())
                }
                _ => self.no_code(out),
            },
            [blanks @ .., b'\r', b'\n'] if blanks.iter().all(|b| matches!(b, b' ' | b'\t')) => {
                self.held.clear();
                Ok(())
            }
            [blanks @ .., b' ' | b'\t' | b'\r']
                if blanks.iter().all(|b| matches!(b, b' ' | b'\t')) && blanks.len() < BLANKS =>
            {
                Ok(())
            }
            _ => self.no_code(out),
        }
    }

    /// The `=` that is held begins no code: it is content, and what is behind it is looked at anew.
    fn no_code(&mut self, out: &mut Vec<u8>) -> Result<(), Flaw> {
        if !self.lenient {
            return Err(Flaw::QuotedPrintable);
        }
        let held = std::mem::take(&mut self.held);
        out.push(b'=');
        for octet in &held[1..] {
            self.held(*octet, out)?;
        }
        Ok(())
    }

    /// The end: white space there goes, a `=` there is a soft break to nothing.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), Flaw> {
        if self.held.first() == Some(&b'=') && !self.held[1..].iter().all(u8::is_ascii_whitespace) {
            return self.no_code(out);
        }
        self.held.clear();
        Ok(())
    }
}
