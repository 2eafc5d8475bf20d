//! Octets as base64 in lines of 76 characters (RFC 2045, section 6.8), piece by piece.

use data_encoding::BASE64;

/// Octets that one line holds.
const LINE: usize = 57;

/// Encodes what is fed to it; holds less than a line.
#[derive(Default)]
pub struct Base64Lines {
    begun: Vec<u8>,
}

impl Base64Lines {
    /// So many octets, encoded, line ends included.
    pub fn encoded(octets: u64) -> u64 {
        octets.div_ceil(3) * 4 + octets.div_ceil(LINE as u64) * 2
    }

    /// Encodes the lines that are full.
    pub fn feed(&mut self, mut octets: &[u8], out: &mut String) {
        while self.begun.len() + octets.len() >= LINE {
            let (now, rest) = octets.split_at(LINE - self.begun.len());
            self.begun.extend_from_slice(now);
            self.end_line(out);
            octets = rest;
        }
        self.begun.extend_from_slice(octets);
    }

    /// Encodes what is left.
    pub fn finish(mut self, out: &mut String) {
        if !self.begun.is_empty() {
            self.end_line(out);
        }
    }

    fn end_line(&mut self, out: &mut String) {
        BASE64.encode_append(&self.begun, out);
        out.push_str("\r\n");
        self.begun.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_size_make_the_same_lines() {
        let octets: Vec<u8> = (0..1000_u32).map(|at| (at % 251) as u8).collect();
        for length in [0, 1, 2, 56, 57, 58, 113, 114, 115, 1000] {
            let whole = BASE64.encode(&octets[..length]);
            let lines: String =
                whole.as_bytes().chunks(76).map(|line| format!("{}\r\n", String::from_utf8_lossy(line))).collect();
            for piece in [1, 3, 57, 64, 1000] {
                let (mut encoder, mut out) = (Base64Lines::default(), String::new());
                octets[..length].chunks(piece).for_each(|piece| encoder.feed(piece, &mut out));
                encoder.finish(&mut out);
                assert_eq!(out, lines, "{length} in pieces of {piece}");
                assert_eq!(Base64Lines::encoded(length as u64), out.len() as u64);
            }
        }
    }
}
