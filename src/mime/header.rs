//! Header values: what the Content-* fields of an entity say, and display texts and addresses of the others.

use crate::mime::boundary::Boundary;
use crate::mime::{Flaw, HeaderField, HeaderSection, MediaType, TransferEncoding};

mod fields;
pub(in crate::mime) mod parameters;
pub(in crate::mime) mod words;

pub(in crate::mime) use fields::mailboxes_strict;
pub use fields::{Mailbox, mailboxes, unstructured};
use parameters::Structured;
pub(in crate::mime) use words::text_of;

/// Fields that may stand once (RFC 5322, section 3.6; RFC 2045; RFC 2183). MIME-Version may be repeated: it says nothing.
const ONCE: [&str; 15] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Subject",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Content-ID",
];

/// What a header section says of its entity.
pub(in crate::mime) struct EntityFacts {
    pub media_type: MediaType,
    pub encoding: TransferEncoding,
    pub disposition: Option<String>,
    pub names: Vec<String>,
    pub content_id: Option<String>,
    /// Given exactly where the type is `multipart`.
    pub boundary: Option<Boundary>,
    /// What was mended in the reading.
    pub mended: Option<Flaw>,
}

impl EntityFacts {
    /// Reads the Content-* fields; `digest` is whether an entity without a type is a message (RFC 2046, section 5.1.5).
    pub fn of(section: &HeaderSection, digest: bool) -> Result<Self, Flaw> {
        let mut mended = once(section)?;
        let mut names = Vec::new();
        let mut disposition = None;
        // Given twice, each may be the one that a reader takes: all names count, and a document it is by either.
        for field in section.all("Content-Disposition") {
            let value = Structured::parse("Content-Disposition", &field.value)?;
            names.extend(value.readings("filename"));
            names.extend(value.readings("name"));
            let word = disposition_word(&value);
            disposition = disposition.filter(|first| first != "inline").or(Some(word));
        }
        let Typed { media_type, boundary, sound } = match section.first("Content-Type") {
            Some(field) => {
                let value = Structured::parse("Content-Type", &field.value)?;
                names.extend(value.readings("name"));
                names.extend(value.readings("filename"));
                typed(&value, &mut names)?
            }
            None if digest => {
                Typed::sound(MediaType { kind: "message".into(), subtype: "rfc822".into(), parameters: vec![] })
            }
            None => Typed::sound(MediaType::text_plain()),
        };
        if !sound {
            mended.get_or_insert(Flaw::ContentType);
            disposition = Some("attachment".to_owned());
        }
        let encoding = section.first("Content-Transfer-Encoding").map_or(Ok(TransferEncoding::Identity), encoding)?;
        if matches!(media_type.kind.as_str(), "multipart" | "message") && encoding != TransferEncoding::Identity {
            return Err(Flaw::EncodedComposite);
        }
        let content_id = section.first("Content-ID").and_then(content_id);
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        Ok(Self { media_type, encoding, disposition, names, content_id, boundary, mended })
    }
}

/// The first field that stands twice and may not. Of who speaks, and of what decides how a body is read, there is no second
/// reading; of the others the first counts, or all.
fn once(section: &HeaderSection) -> Result<Option<Flaw>, Flaw> {
    const DECIDING: [&str; 4] = ["From", "Sender", "Content-Type", "Content-Transfer-Encoding"];
    let mut seen = [false; ONCE.len()];
    let mut mended = None;
    for field in &section.fields {
        if let Some(at) = ONCE.iter().position(|name| field.is(name))
            && std::mem::replace(&mut seen[at], true)
        {
            if DECIDING.contains(&ONCE[at]) {
                return Err(Flaw::Duplicate(ONCE[at]));
            }
            mended.get_or_insert(Flaw::Duplicate(ONCE[at]));
        }
    }
    Ok(mended)
}

/// `inline`, `attachment` or another word. What cannot be read is an attachment, as RFC 2183, section 2.8 has it for
/// what is not known.
fn disposition_word(value: &Structured) -> String {
    let word = value.main.to_ascii_lowercase();
    match String::from_utf8(word) {
        Ok(word) if !word.is_empty() && word.bytes().all(parameters::is_token) => word,
        _ => "attachment".to_owned(),
    }
}

/// What a Content-Type says.
struct Typed {
    media_type: MediaType,
    boundary: Option<Boundary>,
    /// Whether it says it so that all readers agree; where not, the entity is a document, which nobody is sent.
    sound: bool,
}

impl Typed {
    fn sound(media_type: MediaType) -> Self {
        Self { media_type, boundary: None, sound: true }
    }

    /// A document of this type, as far as it is one; of a multipart that cannot be taken apart, the octets.
    fn doubtful(media_type: MediaType) -> Self {
        let composite = matches!(media_type.kind.as_str(), "multipart" | "message");
        let media_type = if composite { MediaType::octet_stream() } else { media_type };
        Self { media_type, boundary: None, sound: false }
    }
}

fn typed(value: &Structured, names: &mut Vec<String>) -> Result<Typed, Flaw> {
    const FIELD: &str = "Content-Type";
    if value.main.contains(&b'(') {
        return Err(Flaw::Comment(FIELD));
    }
    if memchr::memmem::find(&value.main, b"=?").is_some() {
        return Err(Flaw::EncodedWord(FIELD));
    }
    let Some(mut media_type) = media_type(&value.main) else { return broken_type(value, names) };
    refuse_elsewhere(&media_type)?;
    media_type.parameters = value.strict_values();
    if media_type.kind == "multipart" {
        value.check(FIELD, true)?;
        return match boundary(value) {
            Ok(boundary) => Ok(Typed { media_type, boundary: Some(boundary), sound: true }),
            Err(Flaw::NoBoundary) => Ok(Typed::doubtful(media_type)),
            Err(flaw) => Err(flaw),
        };
    }
    let sound = match value.check(FIELD, false) {
        Ok(()) => true,
        // Only of a text does a parameter say how it is read.
        Err(Flaw::Parameter | Flaw::CharsetConflict) => media_type.kind != "text",
        Err(flaw) => return Err(flaw),
    };
    Ok(Typed { media_type, boundary: None, sound })
}

/// `type/subtype`, white space around the slash allowed.
fn media_type(main: &[u8]) -> Option<MediaType> {
    let main = std::str::from_utf8(main).ok()?.to_ascii_lowercase();
    let (kind, subtype) = main.split_once('/')?;
    let (kind, subtype) = (kind.trim_end(), subtype.trim_start());
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(parameters::is_token);
    (is_word(kind) && is_word(subtype)).then(|| MediaType {
        kind: kind.to_owned(),
        subtype: subtype.to_owned(),
        parameters: Vec::new(),
    })
}

/// What is in pieces, or elsewhere, is no document yet.
fn refuse_elsewhere(media_type: &MediaType) -> Result<(), Flaw> {
    match (media_type.kind.as_str(), media_type.subtype.as_str()) {
        ("message", "partial") => Err(Flaw::MessagePartial),
        ("message", "external-body") => Err(Flaw::ExternalBody),
        _ => Ok(()),
    }
}

/// A type that is none: `text` alone, which mail before MIME's days of use had, and a text whose semicolon before the charset
/// is missing, are texts; anything else is a document.
fn broken_type(value: &Structured, names: &mut Vec<String>) -> Result<Typed, Flaw> {
    if value.main.eq_ignore_ascii_case(b"text") {
        let parameters = value.strict_values();
        let sound = value.check("Content-Type", false).is_ok();
        return Ok(Typed { media_type: MediaType { parameters, ..MediaType::text_plain() }, boundary: None, sound });
    }
    let end = value.main.iter().position(u8::is_ascii_whitespace).unwrap_or(value.main.len());
    let (word, rest) = value.main.split_at(end);
    let rest = Structured::parse("Content-Type", &[b"x;", rest].concat())?;
    names.extend(rest.readings("name"));
    names.extend(rest.readings("filename"));
    let Some(mut media_type) = media_type(word) else { return Ok(Typed::doubtful(MediaType::octet_stream())) };
    refuse_elsewhere(&media_type)?;
    let only_charset = !rest.parameters.is_empty() && rest.parameters.iter().all(|it| it.name == "charset");
    if media_type.kind == "text" && only_charset && rest.check("Content-Type", true).is_ok() {
        media_type.parameters = rest.strict_values();
        return Ok(Typed::sound(media_type));
    }
    Ok(Typed::doubtful(media_type))
}

/// The boundary: once, plain (no RFC 2231, no encoded word, no escape, no fold inside).
fn boundary(value: &Structured) -> Result<Boundary, Flaw> {
    let mut given = value.parameters.iter().filter(|parameter| parameter.base() == "boundary");
    let parameter = given.next().ok_or(Flaw::NoBoundary)?;
    if given.next().is_some() {
        return Err(Flaw::DuplicateBoundary);
    }
    if memchr::memmem::find(&parameter.raw, b"=?").is_some_and(|_| parameter.raw.ends_with(b"?=")) {
        return Err(Flaw::EncodedWord("Content-Type"));
    }
    if parameter.name != "boundary" || parameter.text != parameter.raw || !parameter.sound() {
        return Err(Flaw::Boundary);
    }
    Boundary::new(&parameter.raw)
}

fn encoding(field: &HeaderField) -> Result<TransferEncoding, Flaw> {
    const FIELD: &str = "Content-Transfer-Encoding";
    parameters::no_control(FIELD, &field.value)?;
    let word = field.value.trim_ascii().to_ascii_lowercase();
    let word = word.strip_suffix(b";").unwrap_or(&word).trim_ascii();
    match word {
        // Nothing, and words of some programs for what no reader takes for an encoding.
        b"" | b"7-bit" | b"8-bit" | b"7bits" | b"8bits" => Ok(TransferEncoding::Identity),
        b"7bit" | b"8bit" | b"binary" => Ok(TransferEncoding::Identity),
        b"base64" => Ok(TransferEncoding::Base64),
        b"quoted-printable" => Ok(TransferEncoding::QuotedPrintable),
        other if other.contains(&b'(') => Err(Flaw::Comment(FIELD)),
        other if other.starts_with(b"=?") => Err(Flaw::EncodedWord(FIELD)),
        _ => Err(Flaw::UnknownEncoding),
    }
}

fn content_id(field: &HeaderField) -> Option<String> {
    let text = words::text_of(&field.value);
    let id = text.trim().trim_start_matches('<').trim_end_matches('>').trim();
    (!id.is_empty()).then(|| id.to_owned())
}
