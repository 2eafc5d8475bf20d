//! What a header section says of its part.

use std::ops::Range;

use crate::anatomy::field::{fields, split, structured};
use crate::anatomy::{LONGEST_HEADER, Part, PartContent};
use crate::mime::header::unstructured;

/// Octets of a word of a part that says little.
const LONGEST_WORD: usize = 24;
/// Octets of a header section with nothing in it.
const EMPTY_LINE: u64 = 2;

impl Part {
    /// The part that this header section describes, with an empty body behind it; `digest` is whether it stands in a
    /// `multipart/digest`, where a part without a type is a message (RFC 2046, section 5.1.5).
    pub(super) fn of_header(octets: &[u8], header: Range<u64>, digest: bool) -> Self {
        let octets = &octets[..octets.len().min(LONGEST_HEADER)];
        let (kind, subtype) = if digest { ("message", "rfc822") } else { ("text", "plain") };
        let mut part = Self {
            body: header.end..header.end,
            header,
            lines: 0,
            kind: kind.to_owned(),
            subtype: subtype.to_owned(),
            parameters: Vec::new(),
            id: None,
            description: None,
            encoding: "7bit".to_owned(),
            md5: None,
            disposition: None,
            languages: Vec::new(),
            location: None,
            content: PartContent::Leaf,
        };
        let mut typed = false;
        for field in
            fields(octets).filter(|field| field.name.get(..8).is_some_and(|b| b.eq_ignore_ascii_case(b"content-")))
        {
            let name = String::from_utf8_lossy(&field.name[8..]).to_ascii_lowercase();
            // Of a type that stands twice the first counts.
            if name != "type" || !std::mem::replace(&mut typed, true) {
                part.take(&name, field.text());
            }
        }
        part.say_charset();
        part
    }

    fn take(&mut self, name: &str, text: String) {
        match name {
            "type" => self.take_type(&text),
            "id" => self.id = Some(text),
            "description" => self.description = Some(text),
            "md5" => self.md5 = Some(text),
            "location" => self.location = Some(text),
            "transfer-encoding" => {
                let word = structured(&text).0;
                if !word.is_empty() {
                    self.encoding = word;
                }
            }
            "disposition" => {
                let (word, parameters) = structured(&text);
                self.disposition = (!word.is_empty()).then_some((word, parameters));
            }
            "language" => {
                let words = split(&text, ',').into_iter().map(|word| word.trim().to_owned());
                self.languages = words.filter(|word| !word.is_empty()).collect();
            }
            _ => {}
        }
    }

    fn take_type(&mut self, text: &str) {
        let (main, parameters) = structured(text);
        // What stands behind the subtype without a semicolon is not part of it.
        let word = |text: &str| text.split_whitespace().next().unwrap_or_default().to_owned();
        if let Some((kind, subtype)) = main.split_once('/').map(|(kind, subtype)| (word(kind), word(subtype)))
            && !kind.is_empty()
            && !subtype.is_empty()
        {
            (self.kind, self.subtype) = (kind, subtype);
            self.parameters = parameters;
        }
    }

    /// A text without a charset is US-ASCII (RFC 2046, section 4.1.2), which some clients must be told.
    fn say_charset(&mut self) {
        if self.kind.eq_ignore_ascii_case("text") && self.parameter("charset").is_none() {
            self.parameters.push(("charset".to_owned(), "us-ascii".to_owned()));
        }
    }

    /// Whether it is of this type.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
    }

    /// A parameter of its type.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut named = self.parameters.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.as_str())
    }

    /// Whether it is to be shown as an attachment.
    pub fn is_attachment(&self) -> bool {
        self.disposition.as_ref().is_some_and(|(word, _)| word.eq_ignore_ascii_case("attachment"))
    }

    /// Whether its body stands there as it is.
    pub(super) fn is_plain(&self) -> bool {
        ["7bit", "8bit", "binary"].iter().any(|word| self.encoding.eq_ignore_ascii_case(word))
    }

    /// Octets of its texts, and of what they are kept in.
    pub(super) fn weight(&self) -> usize {
        let list =
            |list: &[(String, String)]| list.iter().map(|(name, value)| name.len() + value.len() + 6).sum::<usize>();
        let words = [Some(&self.kind), Some(&self.subtype), Some(&self.encoding), self.id.as_ref()];
        let words = words.into_iter().chain([&self.description, &self.md5, &self.location].map(Option::as_ref));
        let languages = self.languages.iter().map(Some);
        let words = words.chain(languages).flatten().map(|word| word.len() + 3).sum::<usize>();
        let disposition = self.disposition.as_ref().map_or(0, |(word, with)| word.len() + 3 + list(with));
        words + list(&self.parameters) + disposition
    }

    /// Leaves of what it says no more than its type and encoding.
    pub(super) fn say_little(&mut self) {
        let long = |word: &String| word.len() > LONGEST_WORD;
        if long(&self.kind) || long(&self.subtype) {
            (self.kind, self.subtype) = ("application".to_owned(), "octet-stream".to_owned());
        }
        if long(&self.encoding) {
            self.encoding = "x-unknown".to_owned();
        }
        self.parameters.clear();
        self.languages.clear();
        (self.id, self.description, self.md5, self.location, self.disposition) = (None, None, None, None, None);
        self.say_charset();
    }

    /// Makes of a composite that cannot be taken apart what it is otherwise.
    pub(super) fn make_leaf(&mut self, kind: &str, subtype: &str) {
        (self.kind, self.subtype) = (kind.to_owned(), subtype.to_owned());
        self.parameters.clear();
        self.content = PartContent::Leaf;
        self.say_charset();
    }

    /// The leaves in it, itself if it is one, in order; of a message within, those of that message.
    pub fn leaves(&self) -> Vec<&Self> {
        let (mut found, mut pending) = (Vec::new(), vec![self]);
        while let Some(part) = pending.pop() {
            match &part.content {
                PartContent::Leaf => found.push(part),
                PartContent::Multipart(children) => pending.extend(children.iter().rev()),
                PartContent::Message(_, inner) => pending.push(inner),
            }
        }
        found
    }

    /// What the header sections of the parts within it say of them, a line each: what TEXT looks through without reading
    /// them again. Those of messages are read themselves, and one that is empty says nothing.
    pub fn says(&self) -> impl Iterator<Item = String> + '_ {
        let mut pending = vec![(self, true)];
        let parts = std::iter::from_fn(move || {
            let (part, is_message) = pending.pop()?;
            match &part.content {
                PartContent::Leaf => {}
                PartContent::Multipart(children) => pending.extend(children.iter().rev().map(|child| (child, false))),
                PartContent::Message(_, inner) => pending.push((inner, true)),
            }
            let is_empty = part.header.end - part.header.start <= EMPTY_LINE;
            Some(Some(part).filter(|_| !is_message && !is_empty))
        });
        let parts = parts.flatten();
        parts.map(|part| {
            let mut said = format!("content-type: {}/{}", part.kind, part.subtype);
            let mut say = |text: &str| said.extend(["; ", text]);
            part.parameters.iter().for_each(|(name, value)| say(&format!("{name}={}", decoded(value))));
            if let Some((word, with)) = &part.disposition {
                say(word);
                with.iter().for_each(|(name, value)| say(&format!("{name}={}", decoded(value))));
            }
            [&part.id, &part.description].into_iter().flatten().for_each(|text| say(&decoded(text)));
            said
        })
    }

    /// The header sections of the messages within it, itself left out.
    pub fn inner_headers(&self) -> Vec<Range<u64>> {
        let (mut found, mut pending) = (Vec::new(), vec![self]);
        while let Some(part) = pending.pop() {
            match &part.content {
                PartContent::Leaf => {}
                PartContent::Multipart(children) => pending.extend(children.iter().rev()),
                PartContent::Message(_, inner) => {
                    found.push(inner.header.clone());
                    pending.push(inner);
                }
            }
        }
        found
    }
}

/// A text whose encoded words are decoded.
fn decoded(text: &str) -> String {
    unstructured(text.as_bytes())
}
