//! Replies: what a guest writes becomes mail to the sender's own mailbox, and is kept with the conversation.

use crate::blob::ObjectWriter;
use crate::gateway::Gateway;
use crate::gateway::visits::{Visit, VisitError};
use crate::id::GrantId;

/// Whether and how a guest may reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyRules {
    /// Whether the conversation is open.
    pub open: bool,
    /// Attachments at most; none, if 0.
    pub most_attachments: usize,
    /// Octets of one attachment at most.
    pub most_octets: u64,
    /// Octets of the text at most.
    pub most_text: usize,
}

/// What is wrong with a reply; the field it stands beside is `text` or `files`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyFault {
    /// No text and no attachment.
    Empty,
    /// The text is too long.
    TextTooLong,
    /// Too many attachments.
    TooMany,
    /// This one is too large.
    TooLarge(String),
    /// This one is of a kind that is not accepted; the group that says so.
    Restricted(String, String),
    /// The conversation is closed.
    Closed,
}

/// A reply that is coming in. Dropped without [`Gateway::send_reply`], it leaves nothing behind.
pub struct NewReply {
    /// The text, at most [`ReplyRules::most_text`] octets.
    pub text: String,
    pub(super) attachments: Vec<ComingAttachment>,
    pub(super) rules: ReplyRules,
    pub(super) grant: GrantId,
}

/// An attachment that is coming in.
pub(super) struct ComingAttachment {
    #[allow(dead_code)]
    name: String,
    #[allow(dead_code)]
    media_type: String,
    #[allow(dead_code)]
    writer: ObjectWriter,
}

impl Gateway {
    /// A place for a reply to this message.
    ///
    /// # Errors
    /// [`VisitError::NotFound`], [`VisitError::Show`].
    pub async fn begin_reply(&self, _visit: &Visit, _grant: GrantId) -> Result<NewReply, VisitError> {
        todo!()
    }

    /// A further attachment. Refused before it is stored where its name or number says so.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`].
    pub async fn begin_attachment(
        &self,
        _reply: &mut NewReply,
        _name: &str,
        _media_type: &str,
    ) -> Result<Result<(), ReplyFault>, VisitError> {
        todo!()
    }

    /// More octets of the attachment that was begun last. Its first octets say what it is.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`], [`VisitError::Full`].
    pub async fn write_attachment(
        &self,
        _reply: &mut NewReply,
        _octets: &[u8],
    ) -> Result<Result<(), ReplyFault>, VisitError> {
        todo!()
    }

    /// Sends it, in one commit: the mail to the sender, and what is kept of the conversation.
    ///
    /// # Errors
    /// [`VisitError`]; nothing was sent then.
    pub async fn send_reply(&self, _visit: &Visit, _reply: NewReply) -> Result<Result<(), ReplyFault>, VisitError> {
        todo!()
    }

    /// Keeps what was typed by a visitor whose visit has ended meanwhile, for an hour, sealed, for the same contact.
    ///
    /// # Errors
    /// [`VisitError::NotFound`] where the cookie never was a visit of that contact.
    pub async fn keep_draft(&self, _cookie: &str, _grant: GrantId, _text: &str) -> Result<(), VisitError> {
        todo!()
    }
}
