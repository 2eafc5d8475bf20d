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
#[derive(Clone, Default)]
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
        // Room for all of it once, so that a group is written without a look at the capacity.
        let mut end = out.len();
        out.resize(end + octets.len() / 4 * 3 + 3, 0);
        let result = self.decode(octets, out, &mut end);
        out.truncate(end);
        result
    }

    fn decode(&mut self, octets: &[u8], out: &mut [u8], end: &mut usize) -> Result<(), Flaw> {
        let mut rest = octets;
        while !rest.is_empty() {
            if self.filled == 0 && self.padding == 0 {
                let taken = groups(rest, &mut out[*end..]);
                *end += taken / 4 * 3;
                rest = &rest[taken..];
            }
            let Some((octet, behind)) = rest.split_first() else { break };
            if let Some(group) = self.character(*octet)? {
                out[*end..*end + 3].copy_from_slice(&group);
                *end += 3;
            }
            rest = behind;
        }
        Ok(())
    }

    /// Takes one character; the group that it fills.
    fn character(&mut self, octet: u8) -> Result<Option<[u8; 3]>, Flaw> {
        match octet {
            b' ' | b'\t' | b'\r' | b'\n' => return Ok(None),
            b'=' => {
                self.padding += 1;
                let allowed = self.filled >= 2 && self.filled + self.padding <= 4;
                return if allowed { Ok(None) } else { Err(Flaw::Base64AfterEnd) };
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
        if self.filled < 4 {
            return Ok(None);
        }
        let [_, group @ ..] = std::mem::take(&mut self.bits).to_be_bytes();
        self.filled = 0;
        Ok(Some(group))
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

/// The 24 bits of a group; [`BAD`] or more if one of its characters is not of the alphabet.
fn bits(group: [u8; 4]) -> u32 {
    PLACES[0][group[0] as usize]
        | PLACES[1][group[1] as usize]
        | PLACES[2][group[2] as usize]
        | PLACES[3][group[3] as usize]
}

/// Decodes whole groups off the front, up to one that has something else in it; how many characters that are. Two groups
/// go at a time, and one more: a line has 76 characters.
fn groups(octets: &[u8], out: &mut [u8]) -> usize {
    let (pairs, _) = octets.as_chunks::<8>();
    let (places, _) = out.as_chunks_mut::<6>();
    let mut taken = 0;
    for (&[a, b, c, d, e, f, g, h], place) in pairs.iter().zip(places) {
        let (first, second) = (bits([a, b, c, d]), bits([e, f, g, h]));
        if first | second >= BAD {
            break;
        }
        let both = (u64::from(first) << 24 | u64::from(second)) << 16;
        place.copy_from_slice(&both.to_be_bytes()[..6]);
        taken += 8;
    }
    if let Some(group) = octets[taken..].first_chunk::<4>() {
        let group = bits(*group);
        if group < BAD {
            out[taken / 4 * 3..taken / 4 * 3 + 3].copy_from_slice(&group.to_be_bytes()[1..]);
            taken += 4;
        }
    }
    taken
}
