//! Compressed RTF ([MS-OXRTFCP]): a dictionary of 4,096 octets that begins with words that all RTF begins with.

/// What the dictionary holds at first ([MS-OXRTFCP], section 2.1.2.1).
const BEGINNING: &[u8; 207] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \
\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/// Octets of the dictionary, which is written round and round.
const DICTIONARY: usize = 4096;

/// `LZFu` and `MELA` ([MS-OXRTFCP], section 2.1.3.1.3): compressed, and as it is.
const COMPRESSED: u32 = 0x7546_5A4C;
const AS_IT_IS: u32 = 0x414C_454D;

/// The RTF in `PidTagRtfCompressed`; `None` where there is none, or more than `limit` octets. Its checksum is not looked
/// at, and what breaks off is given as far as it goes: Outlook shows both.
pub fn decompressed(octets: &[u8], limit: usize) -> Option<Vec<u8>> {
    let (header, contents) = octets.split_first_chunk::<16>()?;
    let number = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let raw_size = usize::try_from(number(4)).unwrap_or(usize::MAX);
    match number(8) {
        AS_IT_IS => Some(contents[..raw_size.min(contents.len())].to_vec()).filter(|rtf| rtf.len() <= limit),
        COMPRESSED => Expansion::new(limit).run(contents),
        _ => None,
    }
}

struct Expansion {
    dictionary: [u8; DICTIONARY],
    at: usize,
    out: Vec<u8>,
    limit: usize,
}

impl Expansion {
    fn new(limit: usize) -> Self {
        let mut dictionary = [b' '; DICTIONARY];
        dictionary[..BEGINNING.len()].copy_from_slice(BEGINNING);
        Self { dictionary, at: BEGINNING.len(), out: Vec::new(), limit }
    }

    /// Runs of eight tokens behind a control octet ([MS-OXRTFCP], section 2.2.2.1): a literal, or a place in the dictionary
    /// and a length. A place that is where writing goes on is the end.
    fn run(mut self, contents: &[u8]) -> Option<Vec<u8>> {
        let mut rest = contents.iter().copied();
        while let Some(control) = rest.next() {
            for bit in 0..8 {
                if control >> bit & 1 == 0 {
                    let Some(literal) = rest.next() else { return Some(self.out) };
                    self.push(literal)?;
                    continue;
                }
                let (Some(high), Some(low)) = (rest.next(), rest.next()) else { return Some(self.out) };
                let place = usize::from(high) << 4 | usize::from(low >> 4);
                if place == self.at {
                    return Some(self.out);
                }
                for step in 0..usize::from(low & 0x0f) + 2 {
                    self.push(self.dictionary[(place + step) % DICTIONARY])?;
                }
            }
        }
        Some(self.out)
    }

    fn push(&mut self, octet: u8) -> Option<()> {
        self.dictionary[self.at] = octet;
        self.at = (self.at + 1) % DICTIONARY;
        self.out.push(octet);
        (self.out.len() <= self.limit).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two examples of [MS-OXRTFCP], section 3.
    #[test]
    fn the_examples_of_the_standard_unpack() {
        let simple = b"\x2d\0\0\0\x2b\0\0\0LZFu\xf1\xc5\xc7\xa7\x03\0\x0a\0rcpg125\x42\x32\x0a\xf3 hel\x09\0 bw\x05\xb0ld}\x0a\x80\x0f\xa0";
        assert_eq!(decompressed(simple, 1000).unwrap(), b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
        let crossing = b"\x1a\0\0\0\x1c\0\0\0LZFu\xe2\xd4\x4b\x51\x41\0\x04 WXYZ\x0d\x6e\x7d\x01\x0e\xb0";
        assert_eq!(decompressed(crossing, 1000).unwrap(), b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}");
    }

    #[test]
    fn what_is_not_compressed_is_taken_and_what_is_too_long_is_not() {
        let plain = b"\x20\0\0\0\x05\0\0\0MELA\0\0\0\0{\\rtf1}";
        assert_eq!(decompressed(plain, 5).unwrap(), b"{\\rtf");
        assert!(decompressed(plain, 4).is_none());
        let run = [
            b"\0\0\0\0\0\0\0\0LZFu\0\0\0\0".as_slice(),
            &b"\xff\x00\x0f\x00\x0f\x00\x0f\x00\x0f\x00\x0f\x00\x0f\x00\x0f\x00\x0f".repeat(100),
        ];
        assert!(decompressed(&run.concat(), 1000).is_none());
        assert!(decompressed(b"short", 1000).is_none());
        assert!(decompressed(&[7; 64], 1000).is_none());
    }
}
