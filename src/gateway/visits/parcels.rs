//! What a visitor may read: the list, and one message.

use crate::gateway::Gateway;
use crate::gateway::visits::{ReplyRules, Visit, VisitError};
use crate::id::{DepositId, GrantId};
use crate::time::Timestamp;

/// Which messages, and in which order.
#[derive(Debug, Clone, Default)]
pub struct ParcelQuery {
    /// Words that subject, sender or a document's name must hold, all of them, whatever their case.
    pub search: String,
    /// Only those with a document of this kind (`pdf`, `word`, `image` …), as [`ShownDocument::kind`] names it.
    pub kind: Option<String>,
    /// The order.
    pub sorted: Sorted,
}

/// An order of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sorted {
    /// Newest first.
    #[default]
    Newest,
    /// By the kind of their first document, then newest first.
    Kind,
    /// By sender, then newest first.
    Sender,
}

/// A message in the list.
#[derive(Debug, Clone)]
pub struct ParcelRow {
    /// Its right.
    pub grant: GrantId,
    /// The practice's id.
    pub practice: String,
    /// The subject.
    pub subject: String,
    /// The name shown for the sender.
    pub sender_name: String,
    /// When it was sent.
    pub sent: Timestamp,
    /// When its documents are removed.
    pub keep_until: Timestamp,
    /// Its documents' kinds, as [`ShownDocument::kind`].
    pub kinds: Vec<&'static str>,
    /// How many documents.
    pub documents: usize,
    /// Whether this contact has opened it before.
    pub opened: bool,
    /// Whether something must be shown first; then `subject` is empty.
    pub locked: bool,
}

/// A document in a message.
#[derive(Debug, Clone)]
pub struct ShownDocument {
    /// Its name in links.
    pub id: DepositId,
    /// Its file name.
    pub name: String,
    /// `type/subtype`.
    pub media_type: String,
    /// `pdf`, `word`, `spreadsheet`, `presentation`, `image`, `dicom`, `text`, `audio`, `video`, `archive`, `message`, `other`.
    pub kind: &'static str,
    /// Octets.
    pub octets: u64,
    /// Whether a browser may show it: PDF, plain text, and images that are no SVG.
    pub opens: bool,
}

/// One message.
#[derive(Debug, Clone)]
pub struct ParcelView {
    /// Its row.
    pub row: ParcelRow,
    /// Whose documents, in words, where that was said by name.
    pub patient: Option<String>,
    /// Its documents.
    pub documents: Vec<ShownDocument>,
    /// The text, as plain text.
    pub text: Option<String>,
    /// The text as HTML, **sanitised now**: no script, no form, no address outside, no style that loads.
    pub html: Option<String>,
    /// What was replied so far.
    pub replies: Vec<ShownReply>,
    /// Whether and how to reply.
    pub reply: ReplyRules,
    /// What was typed and not sent, after a visit that ended meanwhile.
    pub draft: Option<String>,
}

/// A reply that was sent.
#[derive(Debug, Clone)]
pub struct ShownReply {
    /// When.
    pub sent: Timestamp,
    /// Its text.
    pub text: String,
    /// Names of its attachments.
    pub attachments: Vec<String>,
}

impl Gateway {
    /// The living messages of the visit's contact, as far as what was shown reaches; others are locked rows.
    ///
    /// # Errors
    /// [`VisitError::Show`] where nothing was shown yet.
    pub async fn parcels(&self, _visit: &Visit, _query: &ParcelQuery) -> Result<Vec<ParcelRow>, VisitError> {
        todo!()
    }

    /// One message. Notes that it was opened, once.
    ///
    /// # Errors
    /// [`VisitError::NotFound`], [`VisitError::Show`].
    pub async fn parcel(&self, _visit: &Visit, _grant: GrantId) -> Result<ParcelView, VisitError> {
        todo!()
    }
}
