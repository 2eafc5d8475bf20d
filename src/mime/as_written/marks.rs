//! The marks of parts in a message that is not understood. Where a reader may find a text in it, and in which encoding, is not
//! known, so it is read in each of them.

/// What is looked for, without what is not seen: the ends of both marks.
const MARKS: [&[u8]; 2] = [b"[part]", b"[/part]"];
/// Octets of the longest tag that is passed over.
const LONGEST_TAG: usize = 2000;

/// Looks for marks in a message that streams by, as it stands, as quoted-printable and as base64; within HTML also where tags
/// break one up. Marks written as character references are not seen.
#[derive(Default)]
pub struct WholeSearch {
    plain: Sight,
    quoted: Quoted,
    base64: Base64,
}

impl WholeSearch {
    /// Takes the next octets.
    pub fn feed(&mut self, octets: &[u8]) {
        for octet in octets {
            self.plain.see(*octet);
            self.quoted.take(*octet);
            self.base64.take(*octet);
        }
    }

    /// Whether there was a mark.
    pub fn found(&self) -> bool {
        self.plain.found || self.quoted.sight.found || self.base64.sight.found
    }
}

/// What a reader sees of octets: neither white space nor what is no ASCII, and of HTML no tags.
#[derive(Default)]
struct Sight {
    /// The last octets that are seen, with tags and without.
    last: [[u8; 7]; 2],
    /// Octets of the tag that is open.
    tag: Option<usize>,
    found: bool,
}

impl Sight {
    fn see(&mut self, octet: u8) {
        if !octet.is_ascii_graphic() {
            return;
        }
        self.push(0, octet);
        match (octet, self.tag) {
            (b'<', None) => self.tag = Some(0),
            (b'>', Some(_)) => self.tag = None,
            (_, Some(octets)) => self.tag = Some(octets + 1).filter(|octets| *octets < LONGEST_TAG),
            (_, None) => self.push(1, octet),
        }
    }

    fn push(&mut self, which: usize, octet: u8) {
        let last = &mut self.last[which];
        last.rotate_left(1);
        last[6] = octet.to_ascii_lowercase();
        self.found |= octet == b']' && MARKS.iter().any(|mark| last.ends_with(mark));
    }
}

/// Quoted-printable (RFC 2045, section 6.7), a broken code as it stands.
#[derive(Default)]
struct Quoted {
    sight: Sight,
    /// What stands behind an equals sign.
    code: Option<Option<u8>>,
}

impl Quoted {
    fn take(&mut self, octet: u8) {
        let digit = char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (self.code, digit) {
            (None, _) if octet == b'=' => self.code = Some(None),
            (None, _) => self.sight.see(octet),
            (Some(None), Some(high)) => self.code = Some(Some(high)),
            (Some(Some(high)), Some(low)) => {
                self.code = None;
                self.sight.see(high << 4 | low);
            }
            // A soft break ends with its line.
            (Some(None), None) if matches!(octet, b' ' | b'\t' | b'\r') => {}
            (Some(_), None) => {
                self.code = (octet == b'=').then_some(None);
                if octet != b'=' {
                    self.sight.see(octet);
                }
            }
        }
    }
}

/// Base64 (RFC 2045, section 6.8) from each empty line and boundary on, what is none passed over.
#[derive(Default)]
struct Base64 {
    sight: Sight,
    bits: u32,
    count: u32,
    /// Octets of the line so far, and hyphens that it began with.
    line: usize,
    hyphens: usize,
}

impl Base64 {
    fn take(&mut self, octet: u8) {
        match octet {
            b'\r' => return,
            b'\n' => {
                if self.line == 0 || self.hyphens > 1 {
                    self.flush();
                }
                (self.line, self.hyphens) = (0, 0);
                return;
            }
            b'-' if self.line == self.hyphens => self.hyphens += 1,
            b'=' => self.flush(),
            _ => {}
        }
        self.line += 1;
        let Some(value) = value(octet) else { return };
        (self.bits, self.count) = (self.bits << 6 | value, self.count + 1);
        if self.count == 4 {
            self.flush();
        }
    }

    /// The octets of a group, which may have ended early.
    fn flush(&mut self) {
        let bits = self.bits << (6 * (4 - self.count));
        for octet in &bits.to_be_bytes()[1..1 + self.count.saturating_sub(1) as usize] {
            self.sight.see(*octet);
        }
        (self.bits, self.count) = (0, 0);
    }
}

fn value(octet: u8) -> Option<u32> {
    let value = match octet {
        b'A'..=b'Z' => octet - b'A',
        b'a'..=b'z' => octet - b'a' + 26,
        b'0'..=b'9' => octet - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(message: &str) -> bool {
        let mut search = WholeSearch::default();
        message.replace('\n', "\r\n").as_bytes().chunks(5).for_each(|some| search.feed(some));
        search.found()
    }

    /// Marks were seen only where they stood as they are: encoded, what was for nobody outside left with the whole.
    #[test]
    fn marks_are_found_in_every_encoding() {
        let encoded = |text: &str| data_encoding::BASE64_MIME.encode(text.as_bytes());
        let wide: String = "secret\n[part]\n".chars().flat_map(|c| [c, '\0']).collect();
        for message in [
            "a: b\n\nx\n[part]\n",
            "a: b\n\nx\n[ /PART ]\n",
            "a: b\n\n=5Bpart]\n",
            "a: b\n\n[pa= \nrt]\n",
            "a: b\n\n[p=61rt=5d=\n",
            "a: b\n\n<span>[pa</span><span lang=3DEN=\n>rt]</span>",
            &format!("a: b\n\n{}", encoded(&"Dear Pat ".repeat(20)).replace("\r", "")),
            &format!("a: b\n\n{}", encoded("Hb 9.1\n[part]\nTake 2. ...").replace("\r\n", "\n!..")),
            &format!("--b\n\nabcde\n--b\na: c\n\n{}", encoded("Hb 9.1\n[part]\nTake 2.\n[/part]")),
            &format!("a: b\n\n{}", encoded(&format!("{wide}.."))),
        ] {
            assert_eq!(finds(message), !message.contains("RGVhciBQYXQg"), "{message}");
        }
        assert!(!finds("a: b\n\n[parts] counterpart] [par t2] =5Dpart=5B = =\n"));
    }
}
