//! The title that a PDF gives itself: `Title` of its information dictionary (ISO 32000-1, section 14.3.3), else `dc:title` of
//! its metadata (section 14.3.2; XMP). Chapters have a `Title` too, in dictionaries with a `Parent`.

/// Octets of a dictionary that are read, before its title and in all.
const BEFORE: usize = 1024;
const DICTIONARY: usize = 4096;
/// Characters of a title that are kept.
const LONGEST: usize = 250;
/// Keys of which the information dictionary has one, and no other dictionary with a title has.
const INFORMATION: [&[u8]; 5] = [b"Producer", b"Creator", b"CreationDate", b"ModDate", b"Author"];

/// The titles found so far: of a document that was changed the last one counts.
#[derive(Default)]
pub(super) struct Titles {
    information: Option<String>,
    metadata: Option<String>,
}

impl Titles {
    /// Looks through a piece of the document, or through objects that were unpacked.
    pub fn look(&mut self, octets: &[u8]) {
        for at in memchr::memmem::find_iter(octets, b"/Title") {
            self.information = information(octets, at).or(self.information.take());
        }
        for at in memchr::memmem::find_iter(octets, b"<dc:title") {
            self.metadata = metadata(&octets[at..]).or(self.metadata.take());
        }
    }

    /// What it is called, if it says so.
    pub fn into_title(self) -> Option<String> {
        self.information.or(self.metadata)
    }
}

/// The title in the dictionary around this place, if it is the information dictionary.
fn information(octets: &[u8], at: usize) -> Option<String> {
    let before = &octets[at.saturating_sub(BEFORE)..at];
    let open = memchr::memmem::rfind(before, b"<<")? + 2;
    let dictionary = &octets[at - before.len() + open..];
    let mut read = Reader { octets: &dictionary[..dictionary.len().min(DICTIONARY)], at: 0 };
    let (mut title, mut is_information) = (None, false);
    // A value that is a name (`/Trapped /True`) passes for a key, and does no harm.
    while let Some(token) = read.token() {
        match token {
            Token::Key(b"Parent") => return None,
            Token::Key(b"Title") => title = read.string(),
            Token::Key(key) => is_information |= INFORMATION.contains(&key),
            Token::End => break,
            Token::Other => {}
        }
    }
    title.filter(|_| is_information).and_then(|title| shown(&text(&title)))
}

enum Token<'a> {
    Key(&'a [u8]),
    /// Of the dictionary.
    End,
    Other,
}

/// Reads a dictionary piece by piece (section 7.3).
struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn token(&mut self) -> Option<Token<'a>> {
        self.skip_space();
        match self.octets[self.at.min(self.octets.len())..] {
            [] => None,
            [b'/', ..] => {
                let start = self.at + 1;
                let name = &self.octets[start..];
                let end = name.iter().position(|b| b"()<>[]{}/%".contains(b) || b.is_ascii_whitespace());
                self.at = start + end.unwrap_or(name.len());
                Some(Token::Key(&self.octets[start..self.at]))
            }
            [b'>', b'>', ..] => Some(Token::End),
            [b'(', ..] => self.string().map(|_| Token::Other),
            _ => {
                self.at += 1;
                Some(Token::Other)
            }
        }
    }

    fn skip_space(&mut self) {
        self.at += self.octets[self.at..].iter().take_while(|b| b.is_ascii_whitespace()).count();
    }

    /// A string in parentheses or as hexadecimal digits (section 7.3.4); nothing where it is none or has no end.
    fn string(&mut self) -> Option<Vec<u8>> {
        self.skip_space();
        match self.octets.get(self.at)? {
            b'(' => self.literal(),
            b'<' => {
                let rest = &self.octets[self.at + 1..];
                let end = memchr::memchr(b'>', rest)?;
                self.at += end + 2;
                let digits = rest[..end].iter().filter_map(|b| char::from(*b).to_digit(16)).collect::<Vec<_>>();
                Some(digits.chunks(2).map(|pair| (pair[0] * 16 + pair.get(1).unwrap_or(&0)) as u8).collect())
            }
            _ => None,
        }
    }

    fn literal(&mut self) -> Option<Vec<u8>> {
        let (mut string, mut depth) = (Vec::new(), 0_usize);
        loop {
            let octet = *self.octets.get(self.at)?;
            self.at += 1;
            match octet {
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'\\' => {
                    string.extend(self.escaped()?);
                    continue;
                }
                _ => {}
            }
            if depth == 0 {
                return Some(string);
            }
            if depth > 1 || octet != b'(' || !string.is_empty() {
                string.push(octet);
            }
        }
    }

    /// What stands behind a backslash (section 7.3.4.2); nothing for a line end.
    fn escaped(&mut self) -> Option<Option<u8>> {
        let octet = *self.octets.get(self.at)?;
        self.at += 1;
        Some(match octet {
            b'n' => Some(b'\n'),
            b'r' => Some(b'\r'),
            b't' => Some(b'\t'),
            b'b' | b'f' => Some(b' '),
            b'\r' | b'\n' => None,
            b'0'..=b'7' => {
                let mut number = u32::from(octet - b'0');
                while let Some(digit @ b'0'..=b'7') = self.octets.get(self.at).copied().filter(|_| number < 32) {
                    number = number * 8 + u32::from(digit - b'0');
                    self.at += 1;
                }
                Some(number as u8)
            }
            other => Some(other),
        })
    }
}

/// A text string (section 7.9.2.2): UTF-16 or UTF-8 by its mark, else PDFDocEncoding, which is Latin-1 where titles are.
fn text(octets: &[u8]) -> String {
    match octets {
        [0xFE, 0xFF, rest @ ..] => encoding_rs::UTF_16BE.decode_without_bom_handling(rest).0.into_owned(),
        [0xFF, 0xFE, rest @ ..] => encoding_rs::UTF_16LE.decode_without_bom_handling(rest).0.into_owned(),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => octets.iter().map(|b| char::from(*b)).collect(),
    }
}

/// `<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Title</rdf:li>`, or the title alone.
fn metadata(octets: &[u8]) -> Option<String> {
    let element = &octets[..octets.len().min(DICTIONARY)];
    let element = &element[..memchr::memmem::find(element, b"</dc:title")?];
    let item = memchr::memmem::find(element, b"<rdf:li").map_or(element, |at| &element[at..]);
    let inner = &item[memchr::memchr(b'>', item)? + 1..];
    let inner = &inner[..memchr::memchr(b'<', inner).unwrap_or(inner.len())];
    let text = String::from_utf8_lossy(inner);
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    shown(&entities.iter().fold(text.into_owned(), |text, (entity, c)| text.replace(entity, c)))
}

/// One line of a bounded length; nothing where nothing is left.
fn shown(title: &str) -> Option<String> {
    let spaced: String = title.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    let visible = crate::mime::names::without_invisible(&spaced);
    let title = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    (!title.is_empty()).then_some(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(octets: &[u8]) -> Option<String> {
        let mut titles = Titles::default();
        titles.look(octets);
        titles.into_title()
    }

    #[test]
    fn a_pdf_says_what_it_is_called() {
        let xmp =
            b"<dc:title>\n<rdf:Alt><rdf:li xml:lang=\"x-default\">Letter &amp; plan</rdf:li></rdf:Alt></dc:title>";
        for (octets, expected) in [
            (&b"1 0 obj<</Title (Tax invoice)/Producer(x)>>endobj"[..], Some("Tax invoice")),
            (b"<< /Producer (a > (b) >>) /Title(Invoice \\(copy\\) \\101\\n2) >>", Some("Invoice (copy) A 2")),
            (b"<</Title<FEFF00C4>/ModDate(x)>>", Some("\u{c4}")),
            (b"<</Title(\xfe\xff\0A\0B)/Author()>>", Some("AB")),
            (b"<</Creator(x)/Title(one (two) three)>>", Some("one (two) three")),
            (b"<</Title((two) three)/Creator(x)>>", Some("(two) three")),
            (b"<</Title(One)/Creator(x)>> <</Title(Two)/Creator(x)>>", Some("Two")),
            (b"<</Title(Chapter 1)/Parent 2 0 R/Dest[3 0 R]>>", None),
            (b"<</Title(Chapter 1)/Count 2>>", None),
            (b"<</Title 5 0 R/Creator(x)>>", None),
            (b"<</Title(cut", None),
            (b"/Title(no dictionary)", None),
            (b"<</Title( \\r )/Creator(x)>>", None),
            (xmp, Some("Letter & plan")),
            (b"<dc:title>Plain</dc:title> <</Title(Info)/Creator(x)>>", Some("Info")),
            (b"<dc:title", None),
        ] {
            assert_eq!(title(octets).as_deref(), expected, "{}", String::from_utf8_lossy(octets));
        }
        let long = [b"<</Creator(x)/Title(".as_slice(), &[b'x'; 3000], b")>>"].concat();
        assert_eq!(title(&long).map(|title| title.len()), Some(250));
    }
}
