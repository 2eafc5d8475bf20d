//! Packing: what each recipient is sent, as data. Nothing is written here; ids and tokens are handed in.

use crate::access::AccessCheck;
use crate::mail::Address;
use crate::mime::assess::Assessment;
use crate::mime::{Defect, Outline};
use crate::policy::{Practice, Role, SpeaksAs};
use crate::time::Timestamp;

pub mod base64;
mod colour;
mod documents;
mod field;
mod inner;
mod letter;
mod list;
mod mjml;
mod moment;
pub mod notice;
pub mod own;
mod pictures;
pub mod relay;
pub mod report;
mod sample;
pub mod shipment;
pub mod shown;
pub mod stored;
pub mod template;

pub(crate) use colour::Paint;
pub use notice::notice;
pub use relay::relayed_header;
pub use report::failure_report;
pub use template::Templates;

/// What a rebuilt message needs beside the assessment.
pub struct NoticeParts<'a> {
    /// The practice that speaks.
    pub practice: &'a Practice,
    /// Who speaks; From where the message has none.
    pub sender: &'a Address,
    /// In whose name it leaves, where that is not the sender's own.
    pub speaks_as: Option<&'a SpeaksAs>,
    /// The message's own facts.
    pub message: &'a Assessment,
    /// Its outline (header fields on the allow-list are kept: threading, date, importance …).
    pub outline: &'a Outline,
    /// The subject without used tags.
    pub subject: &'a str,
    /// Whether text and subject are read in the portal alone: what leaves is a notice, and holds neither.
    pub private: bool,
    /// The link, `public_url/p/token`; `None` where there is nothing to open (then there is no file block).
    pub link: Option<&'a str>,
    /// What will be asked for before documents open.
    pub access: &'a [AccessCheck],
    /// Whether the recipient is to register first: the notice is then their invitation.
    pub registers: bool,
    /// As what they register; the words differ.
    pub role: Option<Role>,
    /// When the link stops working; for somebody who is to register, when the invitation ends.
    pub link_until: Timestamp,
    /// How long documents are kept.
    pub keep_until: Timestamp,
    /// Host name for a Message-ID where the message has none.
    pub hostname: &'a str,
    /// For Message-ID (where none) and boundaries: unique text of letters and digits.
    pub unique: &'a str,
    /// Now, for Date where the message has none.
    pub now: Timestamp,
}

/// What the report of a failure says; never a subject, text or file name.
pub struct ReportParts<'a> {
    /// The practice that speaks.
    pub practice: &'a Practice,
    /// Who is told.
    pub to: &'a Address,
    /// Who could not be reached.
    pub recipient: &'a Address,
    /// The gateway's host name.
    pub hostname: &'a str,
    /// The id that joins report and log.
    pub transaction: &'a str,
    /// When the message was accepted.
    pub accepted: Timestamp,
    /// Enhanced code, and a sentence of our own for it.
    pub enhanced: &'a str,
    /// A sentence for a person: `The mail server of the recipient refused the address.`
    pub sentence: &'a str,
    /// How often it was tried; 0 where policy refused the recipient and nothing was sent, which has its own sentences.
    pub attempts: u32,
    /// Unique text for boundaries and Message-ID.
    pub unique: &'a str,
    /// Now.
    pub now: Timestamp,
}

/// Why a mail is not composed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A template that fails at render time, by its place.
    #[error("cannot compose the mail: {0}")]
    Template(String),
    /// A file is written into what would be sent: only so can a reader take it for an attachment.
    #[error("cannot compose the mail: {0}")]
    FileWithin(Defect),
}
