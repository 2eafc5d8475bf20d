//! SEARCH in headers and texts (RFC 9051, section 6.4.4): decoded, letters folded, all needles in one pass.

use crate::anatomy::field::{Field, fields};
use crate::anatomy::{LooseDecoder, Part};
use crate::mime::decode::{charset_of_pieces, piece_to_utf8};
use crate::mime::header::unstructured;

/// Decoded octets of a text that are looked at together.
const WINDOW: usize = 256 * 1024;

/// What is searched for: text in lower case.
#[derive(Clone, PartialEq, Eq)]
pub struct Needle(String);

/// What a message must have.
#[derive(Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A field of this name that has the needle in it; an empty needle asks for the field alone.
    Header(String, Needle),
    /// The needle in a text of its body.
    Body(Needle),
    /// The needle in its header section or a text of its body.
    Text(Needle),
}

crate::secret::silent_debug!(Needle, Wanted, Said, TextSearch<'_>);

impl Wanted {
    /// What is looked for.
    pub fn needle(&self) -> &Needle {
        let (Self::Header(_, needle) | Self::Body(needle) | Self::Text(needle)) = self;
        needle
    }
}

/// Octets from which on a needle is long.
const LONG: usize = 64;

impl Needle {
    /// The needle of this text.
    pub fn new(text: &str) -> Self {
        Self(text.to_lowercase())
    }

    /// Whether it is nothing, which is in every text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is in a text.
    pub fn is_in(&self, text: &str) -> bool {
        // Letters of ASCII fold to letters of ASCII, so no other text need be made.
        if text.is_ascii() { self.is_in_ascii(text.as_bytes()) } else { text.to_lowercase().contains(&self.0) }
    }

    /// Looks at the places of the needle's first letter, in either case.
    fn is_in_ascii(&self, text: &[u8]) -> bool {
        let Some((first, rest)) = self.0.as_bytes().split_first() else { return true };
        if rest.len() >= LONG {
            // Of a long one much may fit at many places.
            return memchr::memmem::find(&text.to_ascii_lowercase(), self.0.as_bytes()).is_some();
        }
        let last = (text.len() + 1).saturating_sub(self.0.len());
        let mut places = memchr::memchr2_iter(*first, first.to_ascii_uppercase(), &text[..last]);
        places.any(|at| text[at + 1..=at + rest.len()].eq_ignore_ascii_case(rest))
    }

    /// Whether it is in a field of this name of a header section, as decoded (RFC 9051, section 6.4.4).
    pub fn is_in_field(&self, header: &[u8], name: &str) -> bool {
        fields(header).filter(|field| field.is(name)).any(|field| {
            let value = field.value.trim_ascii();
            if is_plain(value) {
                return self.is_in_ascii(value);
            }
            let decoded = unstructured(field.value);
            self.is_in(&decoded) || self.is_in(&typed(&decoded))
        })
    }

    /// Whether it is in one of these texts.
    pub fn is_among(&self, said: &Said) -> bool {
        said.0.iter().any(|text| text.contains(&self.0))
    }
}

/// Texts, their letters folded once for all needles.
#[derive(Default)]
pub struct Said(Vec<String>);

impl Said {
    /// The fields of a header section: their names, and what they say as decoded.
    pub fn in_header(header: &[u8]) -> Self {
        let said = |field: Field<'_>| {
            if is_plain(field.value.trim_ascii()) {
                return [Some(String::from_utf8_lossy(field.octets).into_owned()), None];
            }
            let decoded = unstructured(field.value);
            let named = |text: &str| format!("{}: {text}", String::from_utf8_lossy(field.name));
            [Some(named(&typed(&decoded))), Some(named(&decoded))]
        };
        fields(header).flat_map(said).flatten().collect()
    }
}

impl FromIterator<String> for Said {
    fn from_iter<T: IntoIterator<Item = String>>(texts: T) -> Self {
        Self(texts.into_iter().map(|text| text.to_lowercase()).collect())
    }
}

/// White space of any length is one space to who types it.
fn typed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a value decodes to what it is: one line of printable ASCII, without encoded words or wide gaps.
fn is_plain(value: &[u8]) -> bool {
    value.iter().all(|octet| matches!(octet, b' '..=b'~'))
        && [&b"=?"[..], b"  "].iter().all(|odd| memchr::memmem::find(value, odd).is_none())
}

/// Looks for needles in the text of a part, whose body is fed in pieces.
pub struct TextSearch<'a> {
    needles: Vec<(&'a Needle, bool)>,
    decoder: LooseDecoder,
    /// What the part says, until its beginning was seen and it is settled.
    charset: Option<String>,
    settled: bool,
    window: Vec<u8>,
    /// Octets of one window that are looked at again with the next: a needle may lie across both.
    overlap: usize,
}

impl<'a> TextSearch<'a> {
    /// Looks for needles in this part; `None` where it is no text, or its encoding is not known.
    pub fn of(part: &Part, needles: impl IntoIterator<Item = &'a Needle>) -> Option<Self> {
        if !part.kind.eq_ignore_ascii_case("text") {
            return None;
        }
        let decoder = LooseDecoder::of(&part.encoding).ok()?;
        let charset = part.parameter("charset").map(str::to_owned);
        let needles: Vec<_> = needles.into_iter().map(|needle| (needle, false)).collect();
        // Four octets a letter are the most that charsets take.
        let longest = needles.iter().map(|(needle, _)| needle.0.chars().count()).max().unwrap_or(0);
        Some(Self { needles, decoder, charset, settled: false, window: Vec::new(), overlap: longest * 4 + 16 })
    }
}

impl TextSearch<'_> {
    /// Looks at more of the body. Whether all needles were found, and the rest need not be fed.
    pub fn feed(&mut self, octets: &[u8]) -> bool {
        self.decoder.feed(octets, &mut self.window);
        if self.window.len() >= WINDOW.max(self.overlap * 2) {
            self.look();
            // By an even number, so that the units of UTF-16 stay whole.
            self.window.drain(..(self.window.len() - self.overlap) & !1);
        }
        self.needles.iter().all(|(_, found)| *found)
    }

    /// The end of the body: which needles were found, in their order.
    pub fn finish(mut self) -> Vec<bool> {
        self.decoder.clone().finish(&mut self.window);
        self.look();
        self.needles.into_iter().map(|(_, found)| found).collect()
    }

    fn look(&mut self) {
        if !std::mem::replace(&mut self.settled, true) {
            self.charset = Some(charset_of_pieces(self.charset.as_deref(), &self.window));
        }
        let text = piece_to_utf8(&self.window, self.charset.as_deref().unwrap_or_default()).to_lowercase();
        for (needle, found) in &mut self.needles {
            *found = *found || text.contains(&needle.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(header: &str, body: &[u8], needle: &str) -> bool {
        let part = Part::of_header(header.as_bytes(), 0..0, false);
        let needle = Needle::new(needle);
        let Some(mut search) = TextSearch::of(&part, [&needle]) else { return false };
        body.chunks(1000).any(|piece| search.feed(piece)) || search.finish()[0]
    }

    #[test]
    fn texts_are_decoded_and_letters_folded() {
        let latin =
            "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
        assert!(finds(latin, b"Gr=FC=DFe aus K=F6ln", "GRÜSSE".replace("SS", "ß").as_str()));
        assert!(finds(latin, b"aus K=F6ln", "KÖLN"));
        assert!(!finds(latin, b"aus K=F6ln", "koln"));
        assert!(!finds("Content-Type: image/png\r\n\r\n", b"text", "text"));
        assert!(finds("", b"anything", ""));
    }

    #[test]
    fn texts_of_ascii_are_searched_as_all_others() {
        let texts = ["", "a", "B", "ab", "aB c", "xxaB", "Kelvin \u{212A}", "stra\u{df}e AB"];
        for needle in ["", "a", "b", "ab", "ab ", "b c", "k", "\u{df}", "abcd"] {
            for text in texts {
                let expected = text.to_lowercase().contains(needle);
                assert_eq!(Needle::new(needle).is_in(text), expected, "{needle:?} in {text:?}");
            }
        }
    }

    #[test]
    fn a_needle_across_two_windows_is_found() {
        for before in (WINDOW - 1010..WINDOW + 10).step_by(101) {
            let body = [vec![b'.'; before], b"needle".to_vec(), vec![b'.'; 5000]].concat();
            assert!(finds("", &body, "needle"), "{before}");
            assert!(!finds("", &body, "noodle"), "{before}");
        }
    }

    /// Behind the first window a text in UTF-16 was read by the wrong octet first, and one in UTF-8 whose charset nobody said
    /// as windows-1252 where a letter was cut.
    #[test]
    fn a_needle_behind_the_first_window_is_found_in_any_charset() {
        let letters = |text: &str, unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
        let utf16 = "Content-Type: text/plain; charset=utf-16\r\n\r\n";
        for before in [WINDOW - 7, WINDOW, 3 * WINDOW / 2 + 1] {
            let text = format!("{}Müller\u{1F600}", "ä.".repeat(before / 2));
            for (header, octets) in [
                (utf16, letters(&format!("\u{FEFF}{text}"), u16::to_be_bytes)),
                (utf16, letters(&text, u16::to_le_bytes)),
                ("Content-Type: text/plain; charset=utf-16be\r\n\r\n", letters(&text, u16::to_be_bytes)),
                ("", text.clone().into_bytes()),
                ("Content-Type: text/plain; charset=utf-8\r\n\r\n", text.clone().into_bytes()),
                ("", [b"aaa".as_slice(), text.as_bytes()].concat()),
            ] {
                assert!(finds(header, &octets, "müller\u{1F600}"), "{header} {before}");
            }
        }
    }

    #[test]
    fn several_needles_are_found_in_one_pass() {
        let part = Part::of_header(b"", 0..0, false);
        let needles = ["one", "two", "three"].map(Needle::new);
        let mut search = TextSearch::of(&part, &needles).unwrap();
        assert!(!search.feed(&[b"three".as_slice(), &[b'.'; WINDOW]].concat()) && !search.feed(b"One"));
        assert_eq!(search.finish(), [true, false, true]);
    }

    /// A needle as long as the window made it grow for ever.
    #[test]
    fn a_needle_longer_than_a_window_is_found() {
        let long = "x".repeat(WINDOW);
        assert!(finds("", format!("{}{long}y", "a".repeat(1_000)).as_bytes(), &format!("{long}y")));
    }

    #[test]
    fn headers_are_searched_as_decoded() {
        let header = b"Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nX-Empty:\r\nX-Plain:  Two words \r\nX-Folded: two\r\n words\r\n\r\n";
        let is_in = |name: Option<&str>, needle| match name {
            Some(name) => Needle::new(needle).is_in_field(header, name),
            None => Needle::new(needle).is_among(&Said::in_header(header)),
        };
        assert!(is_in(Some("subject"), "grüße") && is_in(None, "subject: grüße"));
        // What stands in the header section encoded was found as well, also `utf-8` in every such field.
        assert!(!is_in(Some("subject"), "utf-8") && !is_in(None, "utf-8"));
        for name in ["x-plain", "X-Folded"] {
            assert!(is_in(Some(name), "TWO WORDS") && !is_in(Some(name), "plain") && !is_in(Some(name), "words "));
        }
        assert!(is_in(None, "x-plain:  two") && is_in(None, "x-folded: two words") && !is_in(None, "three"));
        assert!(is_in(Some("X-Empty"), "") && !is_in(Some("X-Other"), "") && !is_in(Some("X-Empty"), "grüße"));
    }
}
