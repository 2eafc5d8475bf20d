//! What a message is made of, as IMAP tells it (RFC 9051, section 7.5.2): parts, envelope, sections, preview. Pure.
//!
//! Total: every octet string is a message. Nothing is refused, other than by `mime/`, which judges what may leave: what is
//! not understood is text or octets. Bounded by [`DEEPEST`], [`MOST_PARTS`] and [`LONGEST_HEADER`].

use std::ops::Range;

use serde::{Deserialize, Serialize};

mod address;
mod anatomist;
mod date;
mod decode;
mod envelope;
mod field;
mod order;
mod part;
mod preview;
mod search;
mod section;
mod subject;
pub mod thread;

pub use address::EnvelopeAddress;
pub use anatomist::{Anatomist, Seen};
pub use date::Sent;
pub use decode::{LooseDecoder, UnknownEncoding};
pub use envelope::Envelope;
pub use field::{Field, fields, only_fields};
pub use order::{SortKeys, collation, sent};
pub use search::{Needle, Said, TextSearch, Wanted};
pub use section::{Section, SectionText, Sought};
pub use subject::{BaseSubject, base_subject};

/// Parts within parts; what lies deeper is one part.
pub const DEEPEST: usize = 50;
/// Parts of a message; what comes after them belongs to the last one.
pub const MOST_PARTS: usize = 1000;
/// Octets of one part's header section that are looked at; what comes behind is not understood, but is there.
pub const LONGEST_HEADER: usize = 64 * 1024;

/// A message, taken apart.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anatomy {
    /// Its length in octets.
    pub octets: u64,
    /// The message itself.
    pub root: Part,
}

/// A part (RFC 2045: an entity). Texts are as written, unfolded; what is not ASCII stands as it came, as far as it is
/// UTF-8.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its header section, with the empty line.
    pub header: Range<u64>,
    /// Its body; the line end before a boundary is not part of it.
    pub body: Range<u64>,
    /// Lines of its body.
    pub lines: u64,
    /// `text`, as written.
    pub kind: String,
    /// `plain`, as written.
    pub subtype: String,
    /// Parameters of the type, in their order.
    pub parameters: Vec<(String, String)>,
    /// Content-ID, with its angle brackets.
    pub id: Option<String>,
    /// Content-Description.
    pub description: Option<String>,
    /// Content-Transfer-Encoding, as written; `7bit` where there is none.
    pub encoding: String,
    /// Content-MD5.
    pub md5: Option<String>,
    /// Content-Disposition and its parameters.
    pub disposition: Option<(String, Vec<(String, String)>)>,
    /// Content-Language.
    pub languages: Vec<String>,
    /// Content-Location.
    pub location: Option<String>,
    /// What it holds.
    pub content: PartContent,
}

/// What a part holds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartContent {
    /// Octets.
    Leaf,
    /// Parts (`multipart/*`); at least one.
    Multipart(Vec<Part>),
    /// A message (`message/rfc822`, `message/global`) that is not encoded.
    Message(Box<Envelope>, Box<Part>),
}

crate::secret::silent_debug!(Anatomy, Part, PartContent);

#[cfg(test)]
mod tests;
