//! base64 that stands in a text as such: what is left of a part whose header section was not one, or was broken on purpose.
//! No reader shows it as an attachment in a text, and anybody can paste it into a decoder.

use std::ops::Range;

use super::{Form, Written, line_of, name_of};
use crate::mime::assess::{START, content};

/// Characters of the first line, at least, where no field above says that base64 follows, and of all lines together.
const LINE: usize = 40;
const TOGETHER: usize = 120;
/// Octets of base64 below a field that says so.
const SHORTEST: usize = 16;
/// Lines, empty ones apart, that such a field stands above at most.
const NEAR: usize = 12;

/// Every such file in a text, in order. What is between `-----BEGIN …-----` and `-----END …-----` is none: a key, a
/// signature, an encrypted letter.
pub(in crate::mime) fn find(text: &[u8]) -> Vec<Written> {
    let (mut found, mut above, mut armoured) = (Vec::new(), Above::default(), false);
    let (mut at, mut passed) = (0, 0);
    // What never ends is no armour.
    let last_end = memchr::memmem::rfind(text, b"-----END ").unwrap_or_default();
    while at < text.len() {
        let (line, length) = line_of(&text[at..]);
        let trimmed = line.trim_ascii();
        match trimmed.strip_prefix(b"-----") {
            Some(rest) if rest.starts_with(b"BEGIN ") => armoured = at < last_end,
            Some(rest) if rest.starts_with(b"END ") => armoured = false,
            _ => {}
        }
        let written = if armoured || at < passed {
            None
        } else if !is_base64(trimmed) {
            run(line, at)
        } else {
            read(text, at, above.says_base64()).map_err(|last| passed = last).ok()
        };
        match written {
            Some(mut written) => {
                written.name = std::mem::take(&mut above.name);
                at = written.place.end;
                // An empty line may stand in the midst of it.
                above.base64 = above.base64.min(1);
                found.push(written);
            }
            None => {
                above.take(trimmed);
                at += length;
            }
        }
    }
    found
}

/// What the lines above said.
#[derive(Default)]
struct Above {
    /// Lines that are not empty since a field said base64, from one on.
    base64: usize,
    name: String,
}

impl Above {
    fn take(&mut self, line: &[u8]) {
        // How many empty lines stand between changes from one form of a text to the other.
        if !line.is_empty() {
            self.base64 = if self.base64 > 0 && self.base64 < NEAR { self.base64 + 1 } else { 0 };
        }
        let lower = line.to_ascii_lowercase();
        if lower.starts_with(b"content-transfer-encoding") && memchr::memmem::find(&lower, b"base64").is_some() {
            self.base64 = 1;
        }
        if let Some(at) = memchr::memmem::find(&lower, b"name=") {
            let value = &line[at + b"name=".len()..];
            let value = value.strip_prefix(b"\"").unwrap_or(value);
            let end = value.iter().position(|b| matches!(b, b'"' | b';')).unwrap_or(value.len());
            self.name = name_of(&value[..end]);
        }
    }

    fn says_base64(&self) -> bool {
        self.base64 > 0
    }
}

/// A file within a line: a long run of base64 that begins as files do, behind a word or as an address (`data:`, RFC 2397).
fn run(line: &[u8], at: usize) -> Option<Written> {
    let mut start = 0;
    for coded in line.split(|octet| !is_digit(octet)) {
        let end = start + coded.len();
        if coded.len() >= TOGETHER
            && let Some(octets) = decoded(coded.to_vec())
            && content::shown(&octets[..octets.len().min(START)]).is_some()
        {
            let padding = line[end..].iter().take_while(|octet| **octet == b'=').count();
            let place = at + start..at + end + padding;
            return Some(Written { name: String::new(), form: Form::Base64, place, octets, sound: true });
        }
        start = end + 1;
    }
    None
}

/// The file whose first line begins at `at`; else where the last of the lines begins that were taken together. No file
/// begins between the two: all these lines but the last have one length and too few characters, or the wrong length.
fn read(text: &[u8], at: usize, said: bool) -> Result<Written, usize> {
    let (mut coded, mut lines, mut width, mut end, mut last) = (Vec::new(), 0, 0, at, at);
    while end < text.len() {
        let (line, length) = line_of(&text[end..]);
        let line = line.trim_ascii();
        // Below a field that says so it is whatever looks like it; else lines of one length, the last one shorter.
        let ended = coded.last() == Some(&b'=') || lines > 1 && coded.len() % width != 0;
        let fits = is_base64(line) && (said || lines == 0 || !ended && line.len() <= width);
        if !fits {
            break;
        }
        width = width.max(line.len());
        last = end;
        coded.extend_from_slice(line);
        lines += 1;
        end += length;
    }
    let enough =
        if said { coded.len() >= SHORTEST } else { width >= LINE && coded.len() >= TOGETHER && varied(&coded) };
    let octets = Some(coded).filter(|_| enough).and_then(decoded).ok_or(last)?;
    let place: Range<usize> = at..end;
    Ok(Written { name: String::new(), form: Form::Base64, place, octets, sound: true })
}

fn is_base64(line: &[u8]) -> bool {
    let unpadded = line.strip_suffix(b"==").or_else(|| line.strip_suffix(b"=")).unwrap_or(line);
    !unpadded.is_empty() && unpadded.iter().all(is_digit)
}

/// Of the alphabet of RFC 4648, section 4.
fn is_digit(octet: &u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/')
}

/// A ruler of one letter is no file.
fn varied(coded: &[u8]) -> bool {
    let has = |is: fn(&u8) -> bool| coded.iter().any(is);
    has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
}

/// Its octets; of characters that are left over at the end, as many as there are.
fn decoded(mut coded: Vec<u8>) -> Option<Vec<u8>> {
    coded.retain(|b| *b != b'=');
    if coded.len() % 4 == 1 {
        coded.pop();
    }
    let mut encoding = data_encoding::BASE64_NOPAD.specification();
    encoding.check_trailing_bits = false;
    encoding.encoding().ok()?.decode(&coded).ok().filter(|octets| !octets.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, usize, String)> {
        let files = find(text.as_bytes()).into_iter();
        files
            .map(|it| (it.name, it.octets.len(), text[it.place].lines().next().unwrap_or_default().to_owned()))
            .collect()
    }

    /// Each line of a long ruler was taken for the beginning of a file, and all that followed was read for it: a hundred
    /// kilobytes took a tenth of a second, and five times as much two and a half.
    #[test]
    fn a_ruler_of_many_lines_is_read_once() {
        assert_eq!(found(&format!("{}\r\n", "X".repeat(76)).repeat(200_000)), []);
        let line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0";
        for before in ["X".repeat(76), "X".repeat(80), "X".repeat(59), "Hello".into()] {
            let text = format!("{0}\r\n{0}\r\n{0}\r\n{line}\r\n{line}\r\n{line}\r\n", before);
            let taken: usize =
                find(text.as_bytes()).iter().map(|file| text[file.place.clone()].matches(line).count()).sum();
            assert_eq!(taken, 3, "{before}");
        }
    }

    /// A part whose header was no header stayed in the text as base64, and left with it.
    #[test]
    fn base64_in_a_text_is_a_file() {
        let line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0";
        let block = format!("{line}\r\n{line}\r\n{line}\r\nQUI=\r\n");
        assert_eq!(found(&format!("Hi\r\n\r\n{block}bye")), [(String::new(), 173, line.to_owned())]);
        let said = "Content-Type: application/pdf; name=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJDREVGR0hJSktMTU5P\r\n";
        assert_eq!(found(said), [("a.pdf".to_owned(), 15, "QUJDREVGR0hJSktMTU5P".to_owned())]);
        let apart = said.replace("\r\n\r\n", &"\r\n".repeat(20));
        assert_eq!(found(&apart).len(), 1, "how many empty lines there are changes from one form to the other");
        let long = format!("Hi\r\n{line}{line}\r\nbye\r\n");
        assert_eq!(found(&long).len(), 1, "a line that no program breaks");
        let letter = "Hello\r\nThis is a letter of words\r\nYours\r\n";
        assert_eq!(found(letter), []);
        assert_eq!(found(&format!("-----BEGIN CERTIFICATE-----\r\n{block}-----END CERTIFICATE-----\r\n")), []);
        assert_eq!(found(&format!("{}\r\n", "x".repeat(76)).repeat(5)), []);
    }

    /// A file behind a word, or as an address, left with its line; and whatever stood below an armour that never ended.
    #[test]
    fn a_file_within_a_line_is_found() {
        let pdf = data_encoding::BASE64.encode(&[b"%PDF-1.7\n".as_slice(), &[7; 200]].concat());
        for (before, behind) in
            [("Result: ", ""), ("<data:application/pdf;base64,", ">"), ("> ", " bye"), ("OBX|1|ED|^Base64^", "|")]
        {
            let text = format!("Hello\r\n{before}{pdf}{behind}\r\nYours\r\n");
            let files = find(text.as_bytes());
            assert_eq!(
                files.iter().map(|file| &text[file.place.clone()]).collect::<Vec<_>>(),
                [pdf.as_str()],
                "{before}"
            );
        }
        let link = format!("https://clinic.example/{}\r\n", "AbC0".repeat(60));
        assert_eq!(found(&link), [], "an address of the web");
        let line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0";
        assert_eq!(found(&format!("-----BEGIN NOTE\r\n{line}\r\n{line}\r\n")).len(), 1);
    }

    /// Only lines of 60 to 76 characters were looked at: a file in one long line, or in short ones, left with the text.
    #[test]
    fn lines_may_be_short_or_one_long_line() {
        let coded = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0".repeat(3);
        for width in [40, 57, 80, 100, 228] {
            let lines: Vec<&str> =
                (0..coded.len()).step_by(width).map(|at| &coded[at..coded.len().min(at + width)]).collect();
            let found = found(&format!("Hello\r\n\r\n{}\r\n", lines.join("\r\n")));
            assert_eq!(found.iter().map(|(_, octets, _)| *octets).collect::<Vec<_>>(), [171], "{width}");
        }
        let digest = "4f2d6c1b9a8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a392817065f4e";
        assert_eq!(found(&format!("{digest}\r\n").repeat(5)), [], "lower case alone");
    }
}
