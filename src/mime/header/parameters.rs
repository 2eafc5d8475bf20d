//! `main; name=value; name="value"` (RFC 2045, section 5.1), with every reading that a parameter has in the mail in use:
//! RFC 2231 charsets and continuations, encoded words where they should not be, missing quotes and escapes.

use std::borrow::Cow;

use crate::mime::Flaw;
use crate::mime::header::words;

/// Parameters of one field; no mail in use comes near.
const PARAMETERS: usize = 100;

/// A structured value, taken apart.
pub(in crate::mime) struct Structured {
    /// What stands before the first semicolon, white space around it removed.
    pub main: Vec<u8>,
    /// The parameters in order.
    pub parameters: Vec<Parameter>,
    /// Whether something between semicolons is no parameter.
    junk: bool,
}

/// One parameter.
pub(in crate::mime) struct Parameter {
    /// Its name in lower case, RFC 2231 stars and numbers included.
    pub name: String,
    /// Its value without quotes, escapes undone.
    pub text: Vec<u8>,
    /// Its value without quotes, as written.
    pub raw: Vec<u8>,
    /// What stands behind the closing quote, up to the semicolon.
    tail: Vec<u8>,
    /// Whether it is quoted, and the quote is closed.
    quoted: Option<bool>,
}

impl Parameter {
    /// Its name without RFC 2231 stars and numbers.
    pub fn base(&self) -> &str {
        self.name.split('*').next().unwrap_or_default()
    }

    /// Whether every reader takes it for the same.
    pub fn sound(&self) -> bool {
        self.tail.is_empty()
            && self.quoted.unwrap_or_else(|| self.raw.iter().all(|b| is_token(*b) || b"=?/:,".contains(b)))
    }

    /// The number of a continuation: 1 for `filename*1` and `filename*1*`.
    fn index(&self) -> Option<u32> {
        self.name.split('*').nth(1)?.parse().ok()
    }

    /// Whether it has a charset and percent codes: `filename*`, `filename*1*`.
    fn extended(&self) -> bool {
        self.name.ends_with('*')
    }
}

/// A character of a token (RFC 2045, section 5.1).
pub(in crate::mime) fn is_token(b: u8) -> bool {
    b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&b)
}

/// Refuses control characters; a tab, and CRLF before white space, are none.
pub(in crate::mime) fn no_control(field: &'static str, value: &[u8]) -> Result<(), Flaw> {
    let bad = value.iter().enumerate().any(|(at, b)| match b {
        b'\t' | b'\n' => false,
        b'\r' => value.get(at + 1) != Some(&b'\n'),
        _ => b.is_ascii_control(),
    });
    if bad { Err(Flaw::Control(field)) } else { Ok(()) }
}

impl Structured {
    /// Takes a field's value apart; what no reader could make sense of is only marked.
    pub fn parse(field: &'static str, value: &[u8]) -> Result<Self, Flaw> {
        no_control(field, value)?;
        let end = memchr::memchr(b';', value).unwrap_or(value.len());
        let (main, mut rest) = (&value[..end], &value[end..]);
        let mut parsed = Self { main: main.trim_ascii().to_vec(), parameters: Vec::new(), junk: false };
        // `Content-Disposition: filename=x`, the word itself left out.
        if let Some(equals) = memchr::memchr(b'=', main)
            && field == "Content-Disposition"
            && main[..equals].trim_ascii().iter().all(|b| is_token(*b))
        {
            parsed.main.clear();
            rest = value;
        }
        while let Some(start) = rest.iter().position(|b| !b.is_ascii_whitespace() && *b != b';') {
            if parsed.parameters.len() == PARAMETERS {
                return Err(Flaw::ParametersLimit);
            }
            rest = parsed.parameter(&rest[start..]);
        }
        Ok(parsed)
    }

    /// Takes one parameter off the front.
    fn parameter<'a>(&mut self, octets: &'a [u8]) -> &'a [u8] {
        let end = memchr::memchr2(b'=', b';', octets).unwrap_or(octets.len());
        let name = octets[..end].trim_ascii().to_ascii_lowercase();
        if octets.get(end) != Some(&b'=') || !name.iter().all(|b| is_token(*b)) {
            self.junk = true;
            let semicolon = memchr::memchr(b';', octets).unwrap_or(octets.len());
            return &octets[semicolon..];
        }
        let value = octets[end + 1..].trim_ascii_start();
        let name = String::from_utf8_lossy(&name).into_owned();
        let (parameter, rest) = match value.strip_prefix(b"\"") {
            Some(inner) => quoted(name, inner),
            None => unquoted(name, value),
        };
        self.parameters.push(parameter);
        rest
    }

    /// What of a Content-Type would be read differently by different readers. Names are not looked at: each of their
    /// readings counts.
    pub fn check(&self, field: &'static str, multipart: bool) -> Result<(), Flaw> {
        for parameter in self.parameters.iter().filter(|parameter| parameter.base() != "name") {
            if parameter.quoted.is_none() && parameter.raw.contains(&b'(') || parameter.tail.contains(&b'(') {
                return Err(Flaw::Comment(field));
            }
            if parameter.base() == "charset" && memchr::memmem::find(&parameter.raw, b"=?").is_some() {
                return Err(Flaw::EncodedWord(field));
            }
            if !parameter.tail.is_empty() || parameter.quoted == Some(false) {
                return Err(Flaw::Parameter);
            }
        }
        let escaped_quote = || self.parameters.iter().any(|p| memchr::memmem::find(&p.raw, b"\\\"").is_some());
        if multipart && (self.junk || escaped_quote()) {
            return Err(Flaw::Parameter);
        }
        let charsets = self.readings("charset");
        match charsets.first() {
            Some(first) if charsets.iter().any(|other| !other.eq_ignore_ascii_case(first)) => {
                Err(Flaw::CharsetConflict)
            }
            _ => Ok(()),
        }
    }

    /// Every parameter once, by its name without stars, as a strict reader takes it.
    pub fn strict_values(&self) -> Vec<(String, String)> {
        let mut values: Vec<(String, String)> = Vec::new();
        for parameter in &self.parameters {
            let base = parameter.base();
            if !values.iter().any(|(name, _)| name == base)
                && let Some(value) = self.readings(base).into_iter().next()
            {
                values.push((base.to_owned(), value));
            }
        }
        values
    }

    /// Every value that some reader takes a parameter to have; first that of a strict reader (RFC 2231 before plain).
    pub fn readings(&self, base: &str) -> Vec<String> {
        let mut found = Vec::new();
        for parameter in self.parameters.iter().filter(|p| p.base() == base && p.name.len() == base.len() + 1) {
            found.push(extended(&parameter.raw, true));
        }
        self.continued(base, &mut found);
        for parameter in self.parameters.iter().filter(|p| p.name == base) {
            plain_readings(parameter, &mut found);
        }
        let mut seen = std::collections::HashSet::new();
        found.retain(|value| !value.is_empty() && seen.insert(value.clone()));
        found
    }

    /// RFC 2231, section 3: by number without a gap, by number over gaps, as they stand, and all of them decoded.
    fn continued(&self, base: &str, found: &mut Vec<String>) {
        let as_given: Vec<&Parameter> =
            self.parameters.iter().filter(|p| p.base() == base && p.index().is_some()).collect();
        if as_given.is_empty() {
            return;
        }
        let mut sorted = as_given.clone();
        sorted.sort_by_key(|parameter| parameter.index());
        let unbroken = sorted.iter().zip(0..).take_while(|(parameter, at)| parameter.index() == Some(*at)).count();
        for pieces in [&sorted[..unbroken], &sorted, &as_given] {
            let joined = join(pieces, false);
            found.push(words::decode(&joined));
            found.push(joined);
            found.push(join(pieces, true));
        }
    }
}

/// A value behind an opening quote.
fn quoted(name: String, inner: &[u8]) -> (Parameter, &[u8]) {
    let mut text = Vec::new();
    let mut at = 0;
    let closed = loop {
        match inner.get(at) {
            None => break false,
            Some(b'"') => break true,
            Some(b'\\') if at + 1 < inner.len() => {
                text.push(inner[at + 1]);
                at += 2;
            }
            Some(b) => {
                text.push(*b);
                at += 1;
            }
        }
    };
    let raw = inner[..at].to_vec();
    let behind = &inner[(at + 1).min(inner.len())..];
    let semicolon = memchr::memchr(b';', behind).unwrap_or(behind.len());
    let tail = behind[..semicolon].trim_ascii().to_vec();
    (Parameter { name, text, raw, tail, quoted: Some(closed) }, &behind[semicolon..])
}

/// A value without quotes: up to the semicolon, but an encoded word is not broken by one.
fn unquoted(name: String, value: &[u8]) -> (Parameter, &[u8]) {
    let skip = if value.starts_with(b"=?") { words::encoded_word_end(value).unwrap_or(0) } else { 0 };
    let end = memchr::memchr(b';', &value[skip..]).map_or(value.len(), |at| at + skip);
    let raw = value[..end].trim_ascii().to_vec();
    (Parameter { name, text: raw.clone(), raw, tail: Vec::new(), quoted: None }, &value[end..])
}

/// What readers make of a plain parameter.
fn plain_readings(parameter: &Parameter, found: &mut Vec<String>) {
    let text = words::text_of(&parameter.text);
    found.push(words::decode(&text));
    found.push(text);
    found.push(words::text_of(&parameter.raw));
    if let Some(quote) = memchr::memchr(b'"', &parameter.raw) {
        found.push(words::text_of(&parameter.raw[..quote]));
    }
    if !parameter.tail.is_empty() {
        found.push(words::text_of(&[parameter.text.as_slice(), &parameter.tail].concat()));
    }
    if parameter.quoted.is_none() {
        let token = parameter.raw.iter().position(|b| !is_token(*b)).unwrap_or(parameter.raw.len());
        found.push(words::text_of(&parameter.raw[..token]));
    }
    if memchr::memchr(b'\'', &parameter.raw).is_some() || memchr::memchr(b'%', &parameter.raw).is_some() {
        found.push(extended(&parameter.raw, true));
    }
}

/// Continuations as one text; `all` decodes the pieces without a star too.
fn join(pieces: &[&Parameter], all: bool) -> String {
    let mut octets = Vec::new();
    let mut charset = None;
    for (at, piece) in pieces.iter().enumerate() {
        if !all && !piece.extended() {
            octets.extend_from_slice(&piece.text);
            continue;
        }
        let (given, rest) = if at == 0 { split_charset(&piece.raw) } else { (None, piece.raw.as_slice()) };
        charset = charset.or(given);
        octets.extend_from_slice(&percent_decoded(rest));
    }
    in_charset(&octets, charset)
}

/// `charset'language'percent-codes` (RFC 2231, section 4).
fn extended(raw: &[u8], with_charset: bool) -> String {
    let (charset, rest) = if with_charset { split_charset(raw) } else { (None, raw) };
    in_charset(&percent_decoded(rest), charset)
}

fn split_charset(raw: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let mut pieces = raw.splitn(3, |b| *b == b'\'');
    match (pieces.next(), pieces.next(), pieces.next()) {
        (Some(charset), Some(_), Some(rest)) => (Some(charset), rest),
        _ => (None, raw),
    }
}

fn in_charset(octets: &[u8], charset: Option<&[u8]>) -> String {
    match charset.and_then(encoding_rs::Encoding::for_label) {
        Some(encoding) => unfolded(&encoding.decode(octets).0).into_owned(),
        None => words::text_of(octets),
    }
}

fn unfolded(text: &str) -> Cow<'_, str> {
    if text.contains("\r\n") { Cow::Owned(text.replace("\r\n", "")) } else { Cow::Borrowed(text) }
}

pub(in crate::mime) fn percent_decoded(octets: &[u8]) -> Vec<u8> {
    let digit = |at: usize| octets.get(at).and_then(|b| char::from(*b).to_digit(16));
    let mut decoded = Vec::with_capacity(octets.len());
    let mut at = 0;
    while at < octets.len() {
        match (octets[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            (b, ..) => {
                decoded.push(b);
                at += 1;
            }
        }
    }
    decoded
}
