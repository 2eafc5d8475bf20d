//! Taking a message apart: the outline (structure and defects), transfer decoding, header values,
//! and the assessment (facts only). Pure; octets are fed in and nothing is kept of a body.

use std::ops::Range;

mod as_written;
pub mod assess;
mod boundary;
pub mod decode;
mod defect;
mod discreet;
pub mod header;
pub mod inside;
pub mod names;
pub mod outline;
pub mod rtf;
pub mod second;
mod section;
pub(crate) mod text;
pub mod tnef;
mod whole;
pub mod written;

pub use as_written::{WholeSearch, as_written};
pub use defect::Defect;
pub(in crate::mime) use defect::Flaw;
pub use whole::{as_written_octets, assess_octets, outline_of, read};

/// Limits on what is taken apart. Each has its defect, but the last.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Octets of one header section; all of a message's together may have twice as many.
    pub header_section: usize,
    /// Octets of one line of a header section.
    pub header_line: usize,
    /// Entities in all.
    pub entities: usize,
    /// Multiparts within multiparts; never more than 100, whatever stands here.
    pub depth: usize,
    /// Octets of decoded text (plain or HTML) that stay text; a longer one is a document.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { header_section: 256 * 1024, header_line: 64 * 1024, entities: 500, depth: 20, text: 512 * 1024 }
    }
}

/// Content-Transfer-Encoding (RFC 2045, section 6), as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferEncoding {
    /// `7bit`, `8bit`, `binary`: as it stands.
    Identity,
    /// `base64`
    Base64,
    /// `quoted-printable`
    QuotedPrintable,
}

/// A media type with its parameters (RFC 2045, section 5; names lower case).
#[derive(Clone, PartialEq, Eq)]
pub struct MediaType {
    /// `text`
    pub kind: String,
    /// `plain`
    pub subtype: String,
    /// Parameters in the order given, values decoded (RFC 2231).
    pub parameters: Vec<(String, String)>,
}

/// One header field as received.
#[derive(Clone, PartialEq, Eq)]
pub struct HeaderField {
    /// The name as written.
    pub name: String,
    /// The octets behind the colon, up to and without the last CRLF, folds kept.
    pub value: Vec<u8>,
}

impl HeaderField {
    /// Whether it has this name (case does not count).
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// A header section.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct HeaderSection {
    /// Its fields in order.
    pub fields: Vec<HeaderField>,
}

impl HeaderSection {
    /// The first field of this name.
    pub fn first(&self, name: &str) -> Option<&HeaderField> {
        self.fields.iter().find(|field| field.is(name))
    }

    /// Every field of this name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a HeaderField> {
        self.fields.iter().filter(move |field| field.is(name))
    }
}

impl MediaType {
    /// The type that this is where no Content-Type says another (RFC 2045, section 5.2).
    pub fn text_plain() -> Self {
        Self { kind: "text".into(), subtype: "plain".into(), parameters: Vec::new() }
    }

    /// The type of what is octets and no more (RFC 2046, section 4.5.1).
    pub fn octet_stream() -> Self {
        Self { kind: "application".into(), subtype: "octet-stream".into(), parameters: Vec::new() }
    }

    /// Whether it is this type, both given in lower case.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind == kind && self.subtype == subtype
    }

    /// A parameter, by its name in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

impl std::fmt::Display for MediaType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.subtype)
    }
}

/// What an entity holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Octets.
    Leaf,
    /// Entities, in order (`multipart/*`).
    Multipart(Vec<Entity>),
}

/// An entity of the message (RFC 2045, section 2.4).
#[derive(Clone, PartialEq, Eq)]
pub struct Entity {
    /// Its header section.
    pub header: HeaderSection,
    /// Its media type; `text/plain` where none is given.
    pub media_type: MediaType,
    /// Its encoding.
    pub encoding: TransferEncoding,
    /// `Content-Disposition`, if given: `inline`, `attachment` or other, lower case.
    pub disposition: Option<String>,
    /// Every name it bears (filename, name, all RFC 2231 and 2047 readings), decoded, not sanitised; first the one
    /// that a strict reader shows.
    pub names: Vec<String>,
    /// `Content-ID` without angle brackets.
    pub content_id: Option<String>,
    /// Where its body is in the message; the CRLF before a boundary is not part of it.
    pub body: Range<u64>,
    /// Line ends in the body, so that the decoded size of base64 is known without decoding.
    pub lines: u64,
    /// What it holds.
    pub content: Content,
}

impl Entity {
    /// The leaves in this entity, itself if it is one, in the order of the message.
    pub fn leaves(&self) -> Vec<&Entity> {
        let mut found = Vec::new();
        let mut pending = vec![self];
        while let Some(entity) = pending.pop() {
            match &entity.content {
                Content::Leaf => found.push(entity),
                Content::Multipart(children) => pending.extend(children.iter().rev()),
            }
        }
        found
    }
}

/// The structure of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The outermost entity; its header section is the message's.
    pub root: Entity,
    /// Where the message's header section ends (behind the empty line).
    pub header_end: u64,
    /// The message's length in octets.
    pub octets: u64,
    /// The first defect that was mended: in what is built anew it is gone, and in what is relayed as it stands it would not
    /// be.
    pub mended: Option<Defect>,
}
