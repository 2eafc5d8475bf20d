//! Mails of our own: invitations, reminders, codes, passwords, fresh links, what staff are told and asked, and the
//! mail a guest's reply becomes. Texts in `policies/templates`; nothing confidential in any of them but in the last.

use crate::invitation::Why;
use crate::mail::Address;
use crate::pack::notice::alternative;
use crate::pack::{PackError, Templates};
use crate::policy::{Practice, Role};
use crate::time::Timestamp;

mod content;
mod guests;
mod header;
mod reply;
mod staff;
mod status;

pub(crate) use content::texts;
pub(crate) use guests::role_word;
pub use reply::{GuestReplyParts, guest_reply_frame};
pub use status::{MOST as MOST_LINES, StatusLine};

/// What every mail of our own has.
pub struct OwnParts<'a> {
    /// The practice that speaks.
    pub practice: &'a Practice,
    /// Whom it is for.
    pub to: &'a Address,
    /// From; the practice's name stands before it.
    pub from: &'a Address,
    /// Reply-To, where an answer is read: a token address for questions and status mails.
    pub reply_to: Option<&'a Address>,
    /// The gateway's host name.
    pub hostname: &'a str,
    /// Unique text for boundaries and Message-ID.
    pub unique: &'a str,
    /// Now.
    pub now: Timestamp,
    /// What it says.
    pub says: Says<'a>,
}

/// What a mail of our own says.
pub enum Says<'a> {
    /// To a guest: the mail that invites again (a resend) or reminds. The first invitation is the notice itself.
    Invitation {
        /// As what; the words differ.
        role: Option<Role>,
        /// Who invited.
        sender_name: &'a str,
        /// `public_url/p/token`.
        link: &'a str,
        /// When the invitation ends.
        until: Timestamp,
        /// `None`: sent again. `Some(number)`: the reminder of this number; 0 for one by hand.
        reminder: Option<u8>,
        /// Whether this is the last one.
        last: bool,
    },
    /// To a guest: too many wrong birthdates, taken back, or expired; call the practice.
    InvitationCancelled {
        /// Who invited.
        sender_name: &'a str,
        /// Why it was cancelled; none: it has expired.
        why: Option<Why>,
    },
    /// To a guest: set the password.
    Password {
        /// The link, single-use.
        link: &'a str,
        /// When it stops working.
        until: Timestamp,
        /// Whether it is the first password.
        first: bool,
    },
    /// To a guest: welcome, after the first password; differs by role and speaks for the sender.
    Welcome {
        /// As what.
        role: Option<Role>,
        /// The person's name.
        name: &'a str,
        /// Who invited.
        sender_name: &'a str,
        /// The portal.
        link: &'a str,
    },
    /// To a guest: the code. It stands in the text, not in the subject.
    Code {
        /// Six digits, written as `123 456`.
        code: &'a str,
        /// When it stops working.
        until: Timestamp,
    },
    /// To a guest: a fresh link, or a magic one.
    Link {
        /// The link.
        link: &'a str,
        /// When it stops working.
        until: Timestamp,
        /// Whether it works once only.
        once: bool,
    },
    /// To staff: an invitation was cancelled by wrong birthdates, or nobody came.
    InvitationEnded {
        /// Who was invited.
        guest: &'a Address,
        /// `None`: expired.
        why: Option<Why>,
        /// When it was sent.
        issued: Timestamp,
    },
    /// To staff: somebody registered whose address is outside the practice's domains: an admin must agree.
    WaitsForAdmin {
        /// Who.
        guest: &'a Address,
        /// The name they gave.
        name: &'a str,
    },
    /// To staff: a birthdate was entered wrong twice on a link.
    BirthdateWrong {
        /// Who has the right.
        guest: &'a Address,
        /// When the message was sent.
        sent: Timestamp,
    },
    /// To staff: who is this recipient? Answered by one word.
    Question {
        /// The unclear recipient.
        recipient: &'a Address,
        /// Whether only the birthdate is missing.
        birthdate_only: bool,
        /// When the message was accepted.
        accepted: Timestamp,
        /// When it is returned if nobody answers.
        until: Timestamp,
        /// Whether it is asked for the second time.
        again: bool,
        /// The answer before was not understood; its first word.
        not_understood: Option<&'a str>,
    },
    /// To staff: nobody answered; the message did not go to this recipient.
    QuestionReturned {
        /// The recipient.
        recipient: &'a Address,
        /// When the message was accepted.
        accepted: Timestamp,
        /// Dropped by a word of the sender, not by time.
        dropped: bool,
    },
    /// To staff: what became of a secured message, per recipient; also the answer to `history` and `pending`.
    Status {
        /// When the message was accepted.
        accepted: Timestamp,
        /// The title's word: `delivered` (all of them), `partly`, `waiting`, `history`, `pending`, `opened`, `unread`, `done` (a
        /// word was carried out).
        title: &'a str,
        /// For `done`: the word that was carried out.
        done: Option<&'a str>,
        /// One for each recipient.
        lines: &'a [StatusLine],
    },
    /// To staff: what was written back was not understood, or cannot be done; the words that can.
    NotUnderstood {
        /// The first word of it, in ASCII letters and digits, at most 32.
        word: &'a str,
        /// What can be written.
        known: &'a [&'a str],
        /// Why it was not done.
        why: NotDone,
    },
    /// To staff: a guest's reply, **with its text**; it goes to the sender's own mailbox.
    GuestReply(GuestReplyParts<'a>),
}

/// Why what staff wrote back was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotDone {
    /// The word is none, or nobody stands where it could be carried out.
    Word,
    /// What stands behind the word is neither the address of a recipient nor, where it could be, a birthdate.
    Behind,
    /// The invitation came with another message.
    Foreign,
    /// A recall, and nothing of the message it calls back can be taken back.
    Recall,
}

impl NotDone {
    /// As templates see it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::Behind => "behind",
            Self::Foreign => "foreign",
            Self::Recall => "recall",
        }
    }
}

/// The whole mail, in CRLF: text and HTML.
///
/// # Errors
/// [`PackError::Template`], also for a guest's reply with attachments: that is [`guest_reply_frame`]'s to compose.
pub fn own_mail(templates: &Templates, parts: &OwnParts<'_>) -> Result<Vec<u8>, PackError> {
    if matches!(&parts.says, Says::GuestReply(reply) if !reply.attachments.is_empty()) {
        return Err(PackError::Template("a reply with attachments is composed as a frame".into()));
    }
    let texts = texts(templates, parts)?;
    let header = header::of(templates, parts, &texts);
    alternative(header, parts.unique, &texts.text, &texts.html)
}
