//! Taking a message apart: the outline (structure and defects), transfer decoding, header values,
//! and the assessment (facts only). Pure; octets are fed in and nothing is kept of a body.

use std::ops::Range;

pub mod assess;
pub mod decode;
pub mod header;
pub mod names;
pub mod outline;

/// Limits on what is taken apart. Each has its defect.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Octets of one header section.
    pub header_section: usize,
    /// Octets of one line of a header section.
    pub header_line: usize,
    /// Entities in all.
    pub entities: usize,
    /// Multiparts within multiparts.
    pub depth: usize,
    /// Octets of decoded text (plain or HTML) that stay text; a longer one is a document.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { header_section: 256 * 1024, header_line: 64 * 1024, entities: 500, depth: 20, text: 512 * 1024 }
    }
}

/// Why a message is not understood; the words are what the sender reads after `550 5.6.0`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct Defect {
    /// A word for the log, from a closed list (`duplicate-content-type`, `bad-base64` …).
    pub word: &'static str,
    /// What is wrong, for a person; no octet of the message in it.
    pub words: String,
    /// Whether it is a limit (552 5.3.4) and not an ambiguity (550 5.6.0).
    pub limit: bool,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    /// `text`
    pub kind: String,
    /// `plain`
    pub subtype: String,
    /// Parameters in the order given, values decoded (RFC 2231).
    pub parameters: Vec<(String, String)>,
}

/// One header field as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderField {
    /// The name as written.
    pub name: String,
    /// The octets behind the colon, up to and without the last CRLF, folds kept.
    pub value: Vec<u8>,
}

/// A header section.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderSection {
    /// Its fields in order.
    pub fields: Vec<HeaderField>,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Its header section.
    pub header: HeaderSection,
    /// Its media type; `text/plain` where none is given.
    pub media_type: MediaType,
    /// Its encoding.
    pub encoding: TransferEncoding,
    /// `Content-Disposition`, if given: `inline`, `attachment` or other, lower case.
    pub disposition: Option<String>,
    /// Every name it bears (filename, name, all RFC 2231 and 2047 readings), decoded, in the order found.
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

/// The structure of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The outermost entity; its header section is the message's.
    pub root: Entity,
    /// Where the message's header section ends (behind the empty line).
    pub header_end: u64,
    /// The message's length in octets.
    pub octets: u64,
}
