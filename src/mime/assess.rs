//! The assessment: what a message is, as facts that policy can ask for. It decides nothing.

use std::ops::Range;

use crate::mail::Address;
use crate::mime::{Defect, Outline, TransferEncoding};

/// What of the leaves was read while they streamed by: by entity, in the order of [`leaves`].
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Text leaves that stay text: the decoded octets, whole. Other leaves: the first 8 KiB, decoded.
    pub octets: Vec<u8>,
    /// Whether `octets` is the whole.
    pub whole: bool,
}

/// A leaf to be read before the assessment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafPlan {
    /// Where its body is.
    pub body: Range<u64>,
    /// How it is encoded.
    pub encoding: TransferEncoding,
    /// How many decoded octets the assessment wants: all of a text, the start of anything else.
    pub wanted: usize,
}

/// The leaves of a message in order, and how much of each is to be read.
pub fn leaves(_outline: &Outline, _text_limit: usize) -> Vec<LeafPlan> {
    todo!()
}

/// A tag in the subject: what it says, and where it stands in the decoded subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// What it says.
    pub meaning: TagMeaning,
    /// Its octets in [`Assessment::subject`], brackets included.
    pub span: Range<usize>,
}

/// The tags known so far (product.md); other text in brackets is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagMeaning {
    /// `[secure]`
    Secure,
    /// `[plain]`
    Plain,
    /// `[patient …]`: a record number, or a name and birthdate (ISO 8601).
    Patient(PatientRef),
    /// `[14d]`, `[2w]`, `[36h]`: link and document clocks.
    Clock(std::time::Duration),
}

/// Whose documents these are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatientRef {
    /// A record number.
    Record(String),
    /// A name and a birthdate `YYYY-MM-DD`.
    Named {
        /// The name as written.
        name: String,
        /// The birthdate.
        birthdate: String,
    },
}

/// One attachment: an entity that policy treats as a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Where its body is.
    pub body: Range<u64>,
    /// How it is encoded.
    pub encoding: TransferEncoding,
    /// The name shown, sanitised (no path, control or bidi characters, at most 255 octets); made from the type
    /// where none is given.
    pub name: String,
    /// Every name by which a reader might take it, sanitised alike; policy judges the worst.
    pub names: Vec<String>,
    /// The media type declared, `type/subtype`.
    pub declared_type: String,
    /// The media type its content shows, where it shows one.
    pub content_type: Option<String>,
    /// Decoded size in octets: exact for base64, at most for quoted-printable.
    pub octets: u64,
    /// Whether the HTML body refers to it by Content-ID.
    pub inline: bool,
}

/// The facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The subject, decoded, bidi controls and control characters removed.
    pub subject: String,
    /// Tags in it, in order.
    pub tags: Vec<Tag>,
    /// All addresses of From.
    pub from: Vec<Address>,
    /// The display name of the first From address, if any.
    pub from_name: Option<String>,
    /// Sender, if given.
    pub sender: Option<Address>,
    /// The text as plain text in UTF-8 (made from the HTML where there is none), if there is a text.
    pub text: Option<String>,
    /// The HTML as received, in UTF-8, if there is one.
    pub html: Option<String>,
    /// The documents.
    pub attachments: Vec<Attachment>,
    /// Number of Received fields (loops: RFC 5321, section 6.3).
    pub received: usize,
    /// Whether `Auto-Submitted` says other than `no` (RFC 3834).
    pub auto_submitted: bool,
}

/// What the message is.
pub fn assess(_outline: &Outline, _readings: &[Reading], _text_limit: usize) -> Result<Assessment, Defect> {
    todo!()
}
