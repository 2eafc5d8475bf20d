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
}

impl EntityFacts {
    /// Reads the Content-* fields; `digest` is whether an entity without a type is a message (RFC 2046, section 5.1.5).
    pub fn of(section: &HeaderSection, digest: bool) -> Result<Self, Flaw> {
        once(section)?;
        let mut names = Vec::new();
        let mut disposition = None;
        if let Some(field) = section.first("Content-Disposition") {
            let value = Structured::parse("Content-Disposition", &field.value)?;
            names.extend(value.readings("filename"));
            names.extend(value.readings("name"));
            disposition = Some(disposition_word(&value));
        }
        let (media_type, boundary) = match section.first("Content-Type") {
            Some(field) => {
                let value = Structured::parse("Content-Type", &field.value)?;
                names.extend(value.readings("name"));
                names.extend(value.readings("filename"));
                media_type(&value)?
            }
            None if digest => {
                (MediaType { kind: "message".into(), subtype: "rfc822".into(), parameters: vec![] }, None)
            }
            None => (MediaType::text_plain(), None),
        };
        let encoding = section.first("Content-Transfer-Encoding").map_or(Ok(TransferEncoding::Identity), encoding)?;
        if matches!(media_type.kind.as_str(), "multipart" | "message") && encoding != TransferEncoding::Identity {
            return Err(Flaw::EncodedComposite);
        }
        let content_id = section.first("Content-ID").and_then(content_id);
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        Ok(Self { media_type, encoding, disposition, names, content_id, boundary })
    }
}

fn once(section: &HeaderSection) -> Result<(), Flaw> {
    let mut seen = [false; ONCE.len()];
    for field in &section.fields {
        if let Some(at) = ONCE.iter().position(|name| field.is(name))
            && std::mem::replace(&mut seen[at], true)
        {
            return Err(Flaw::Duplicate(ONCE[at]));
        }
    }
    Ok(())
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

fn media_type(value: &Structured) -> Result<(MediaType, Option<Boundary>), Flaw> {
    const FIELD: &str = "Content-Type";
    if value.main.contains(&b'(') {
        return Err(Flaw::Comment(FIELD));
    }
    if memchr::memmem::find(&value.main, b"=?").is_some() {
        return Err(Flaw::EncodedWord(FIELD));
    }
    let main = std::str::from_utf8(&value.main).map_err(|_| Flaw::ContentType)?.to_ascii_lowercase();
    let (kind, subtype) = main.split_once('/').ok_or(Flaw::ContentType)?;
    let (kind, subtype) = (kind.trim_end(), subtype.trim_start());
    if [kind, subtype].iter().any(|word| word.is_empty() || !word.bytes().all(parameters::is_token)) {
        return Err(Flaw::ContentType);
    }
    match (kind, subtype) {
        ("message", "partial") => return Err(Flaw::MessagePartial),
        ("message", "external-body") => return Err(Flaw::ExternalBody),
        _ => {}
    }
    let multipart = kind == "multipart";
    value.check(FIELD, multipart)?;
    let boundary = if multipart { Some(boundary(value)?) } else { None };
    let parameters = value.strict_values();
    Ok((MediaType { kind: kind.to_owned(), subtype: subtype.to_owned(), parameters }, boundary))
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
    match word.as_slice() {
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
