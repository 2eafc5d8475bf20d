//! base64 (RFC 2045, section 6.8) as a stream: four characters at a time by table, white space one by one.

use crate::mime::Flaw;

const BAD: u32 = 0xff00_0000;

/// For each of the four places, what a character adds to the 24 bits; [`BAD`] for what is not of the alphabet.
static PLACES: [[u32; 256]; 4] = places();

const fn places() -> [[u32; 256]; 4] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut tables = [[BAD; 256]; 4];
    let mut value = 0;
    while value < 64 {
        let character = alphabet[value] as usize;
        let mut place = 0;
        while place < 4 {
            tables[place][character] = (value as u32) << (18 - 6 * place);
            place += 1;
        }
        value += 1;
    }
    tables
}

/// The decoder.
#[derive(Debug, Default)]
pub(super) struct Base64 {
    /// Bits of the group begun.
    bits: u32,
    /// Characters of the group begun.
    filled: usize,
    /// Padding seen.
    padding: usize,
}

impl Base64 {
    /// Decodes more characters.
    pub fn feed(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Result<(), Flaw> {
        out.reserve(octets.len() / 4 * 3 + 3);
        let mut rest = octets;
        while !rest.is_empty() {
            if self.filled == 0 && self.padding == 0 {
                rest = groups(rest, out);
            }
            let Some((octet, behind)) = rest.split_first() else { break };
            self.character(*octet, out)?;
            rest = behind;
        }
        Ok(())
    }

    fn character(&mut self, octet: u8, out: &mut Vec<u8>) -> Result<(), Flaw> {
        match octet {
            b' ' | b'\t' | b'\r' | b'\n' => return Ok(()),
            b'=' => {
                self.padding += 1;
                let allowed = self.filled >= 2 && self.filled + self.padding <= 4;
                return if allowed { Ok(()) } else { Err(Flaw::Base64AfterEnd) };
            }
            _ => {}
        }
        let bits = PLACES[self.filled][octet as usize];
        if bits == BAD {
            return Err(Flaw::Base64Alphabet);
        }
        if self.padding > 0 {
            return Err(Flaw::Base64AfterEnd);
        }
        self.bits |= bits;
        self.filled += 1;
        if self.filled == 4 {
            out.extend_from_slice(&self.bits.to_be_bytes()[1..]);
            (self.bits, self.filled) = (0, 0);
        }
        Ok(())
    }

    /// The octets of a last, shorter group.
    pub fn finish(self, out: &mut Vec<u8>) -> Result<(), Flaw> {
        match self.filled {
            0 => Ok(()),
            1 => Err(Flaw::Base64Short),
            filled => {
                out.extend_from_slice(&self.bits.to_be_bytes()[1..filled]);
                Ok(())
            }
        }
    }
}

/// Decodes whole groups off the front; what is left begins with a group that has something else in it.
fn groups<'a>(octets: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let (whole, _) = octets.as_chunks::<4>();
    let mut taken = 0;
    for group in whole {
        let bits = PLACES[0][group[0] as usize]
            | PLACES[1][group[1] as usize]
            | PLACES[2][group[2] as usize]
            | PLACES[3][group[3] as usize];
        if bits >= BAD {
            break;
        }
        out.extend_from_slice(&bits.to_be_bytes()[1..]);
        taken += 4;
    }
    &octets[taken..]
}
