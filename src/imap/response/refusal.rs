//! What is not done, and what the client reads of it: one table from meaning to condition, code and words.

use crate::blob::BlobError;
use crate::gateway::SignInError;
use crate::imap::command::Mistake;
use crate::imap::fragment::Excess;
use crate::imap::response::Condition;
use crate::mailbox::{FlagError, MailboxError, NameError};
use crate::store::StoreError;

/// Why a command is not done.
#[derive(Debug)]
pub enum Refusal {
    /// The command cannot be read.
    Mistake(Mistake),
    /// It, or a part of it, is too large.
    Excess(Excess),
    /// A command begins with a tag.
    NoTag,
    /// Sign in first.
    NotSignedIn,
    /// Signed in already.
    SignedIn,
    /// Select a mailbox first.
    NothingSelected,
    /// Not without TLS.
    NoTls,
    /// TLS is there already.
    Tls,
    /// A mechanism that is not offered.
    Mechanism,
    /// AUTHENTICATE was taken back by `*`.
    Cancelled,
    /// The response to AUTHENTICATE is not well-formed.
    Response,
    /// The sign-in came to nothing.
    SignIn(SignInError),
    /// Too many wrong passwords from this address.
    Guesses,
    /// As many sessions of this account as there may be.
    Sessions,
    /// The name of a mailbox that is none.
    Name(NameError),
    /// The name's modified UTF-7 or UTF-8 is broken.
    NameEncoding,
    /// Flags that are none.
    Flag(FlagError),
    /// The mailbox was opened by EXAMINE.
    ReadOnly,
    /// Of the mailboxes or messages.
    Mailbox(MailboxError),
    /// There is no mailbox of this name, and APPEND, COPY or MOVE would create it.
    TryCreate,
    /// SEARCH in a charset that is not known.
    Charset,
    /// A part that is not there, or cannot be decoded.
    UnknownCte,
    /// What is behind the message on APPEND's line.
    BehindMessage,
    /// A use that a mailbox cannot have.
    Use,
    /// Only an admin's policy decides over quotas.
    Quota,
    /// A quota root that is not there.
    NoQuotaRoot,
    /// QRESYNC before ENABLE QRESYNC.
    NotEnabled,
    /// The state is told by IDLE's DONE only.
    NotDone,
    /// A position beyond the mailbox's end.
    NoSuchMessage,
    /// A message without octets.
    EmptyMessage,
    /// The server ends.
    Interrupted,
}

impl From<MailboxError> for Refusal {
    fn from(error: MailboxError) -> Self {
        Self::Mailbox(error)
    }
}

impl From<BlobError> for Refusal {
    fn from(error: BlobError) -> Self {
        Self::Mailbox(error.into())
    }
}

impl From<NameError> for Refusal {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

impl From<FlagError> for Refusal {
    fn from(error: FlagError) -> Self {
        Self::Flag(error)
    }
}

impl Refusal {
    /// A word for the log.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Mistake(_) | Self::NoTag | Self::NotDone | Self::BehindMessage => "not-understood",
            Self::Excess(_) => "too-large",
            Self::NotSignedIn | Self::SignedIn | Self::NothingSelected | Self::NotEnabled => "not-now",
            Self::NoTls | Self::Tls => "tls",
            Self::Mechanism | Self::Cancelled | Self::Response => "authenticate",
            Self::SignIn(_) => "sign-in",
            Self::Guesses => "guesses",
            Self::Sessions => "sessions",
            Self::Name(_) | Self::NameEncoding | Self::Use => "mailbox-name",
            Self::Flag(_) => "flag",
            Self::ReadOnly => "read-only",
            Self::Mailbox(_) | Self::TryCreate => "mailbox",
            Self::Charset => "charset",
            Self::UnknownCte => "unknown-cte",
            Self::Quota | Self::NoQuotaRoot => "quota",
            Self::NoSuchMessage | Self::EmptyMessage => "no-message",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether it is a single message that cannot be had, and others can.
    pub fn is_of_one_message(&self) -> bool {
        let damaged =
            |error: &MailboxError| matches!(error, MailboxError::Blob(_) | MailboxError::Store(StoreError::Unsound(_)));
        matches!(self, Self::UnknownCte) || matches!(self, Self::Mailbox(error) if damaged(error))
    }

    /// The cause that an admin must know, where it lies in the house itself.
    pub fn trouble(&self) -> Option<String> {
        match self {
            Self::Mailbox(error @ (MailboxError::Store(_) | MailboxError::Commit(_) | MailboxError::Blob(_))) => {
                Some(error.to_string())
            }
            _ => None,
        }
    }

    /// Condition, response code and words.
    pub fn written(&self) -> (Condition, Option<&'static str>, &'static str) {
        use Condition::{Bad, No};
        match self {
            Self::Mistake(Mistake(text)) => (Bad, None, text),
            Self::NoTag => (Bad, None, "A command begins with a tag, a space and a verb"),
            Self::Excess(excess) => excess_written(*excess),
            Self::NotSignedIn => (Bad, None, "Sign in first"),
            Self::SignedIn => (Bad, None, "You are signed in already"),
            Self::NothingSelected => (Bad, None, "Select a mailbox first"),
            Self::NoTls => (No, Some("PRIVACYREQUIRED"), "Not without TLS: use STARTTLS, or the port of IMAP over TLS"),
            Self::Tls => (Bad, None, "TLS is in use already"),
            Self::Mechanism => (No, None, "PLAIN and LOGIN are the mechanisms here"),
            Self::Cancelled => (Bad, None, "Sign-in taken back"),
            Self::Response => (Bad, None, "The response is not well-formed"),
            Self::SignIn(error) => sign_in_written(*error),
            Self::Guesses => {
                (No, Some("UNAVAILABLE"), "Too many wrong passwords from this address; try again in 15 minutes")
            }
            Self::Sessions => {
                (No, Some("LIMIT"), "Too many connections of this account; close other mail programs, or wait")
            }
            Self::Name(error) => (No, Some("CANNOT"), name_words(*error)),
            Self::NameEncoding => {
                (No, Some("CANNOT"), "The name of the mailbox is not in modified UTF-7, or after ENABLE not in UTF-8")
            }
            Self::Flag(FlagError::Unknown) => (Bad, None, "There is no such flag, or it cannot be set"),
            Self::Flag(FlagError::Keyword) => (Bad, None, "A keyword is a word of letters and digits"),
            Self::ReadOnly => (No, Some("READ-ONLY"), "The mailbox was opened for reading only"),
            Self::Mailbox(error) => mailbox_written(error),
            Self::TryCreate => (No, Some("TRYCREATE"), "There is no such mailbox; create it first"),
            Self::Charset => (No, Some("BADCHARSET (UTF-8 US-ASCII)"), "This charset is not known"),
            Self::UnknownCte => (No, Some("UNKNOWN-CTE"), "This part cannot be decoded"),
            Self::BehindMessage => (Bad, None, "APPEND takes one message, and nothing behind it"),
            Self::Use => (No, Some("USEATTR"), "A mailbox of this name cannot have this use"),
            Self::Quota => (No, Some("NOPERM"), "Quotas are set by the administrator"),
            Self::NoQuotaRoot => (No, Some("NONEXISTENT"), "There is no such quota root"),
            Self::NotEnabled => (Bad, None, "ENABLE QRESYNC first"),
            Self::NotDone => (Bad, None, "IDLE is ended by DONE"),
            Self::NoSuchMessage => (Bad, None, "There is no message of this number"),
            Self::EmptyMessage => (No, None, "A message without a single octet is not taken"),
            Self::Interrupted => (No, Some("UNAVAILABLE"), "The server is restarted; try again in a moment"),
        }
    }
}

fn excess_written(excess: Excess) -> (Condition, Option<&'static str>, &'static str) {
    use Condition::{Bad, No};
    match excess {
        Excess::Line => (Bad, Some("TOOBIG"), "The line is too long"),
        Excess::Literal => (Bad, Some("TOOBIG"), "The literal is too large"),
        Excess::Command => (Bad, Some("TOOBIG"), "The command is too large"),
        Excess::Message => (No, Some("TOOBIG"), "The message is larger than any that is taken"),
        Excess::Number => (Bad, Some("TOOBIG"), "A literal has less than 4294967296 octets"),
        Excess::Other => (Bad, None, "APPEND takes one message, and nothing behind it"),
    }
}

fn sign_in_written(error: SignInError) -> (Condition, Option<&'static str>, &'static str) {
    match error {
        SignInError::Rejected => (Condition::No, Some("AUTHENTICATIONFAILED"), "Name or password is wrong"),
        SignInError::Busy => (Condition::No, Some("UNAVAILABLE"), "Too many sign-ins at once; try again in a moment"),
        SignInError::Unavailable => (Condition::No, Some("UNAVAILABLE"), "Cannot tell now; try again in a moment"),
    }
}

fn name_words(error: NameError) -> &'static str {
    match error {
        NameError::Empty => "A mailbox's name, and each part of it, has one letter at least",
        NameError::TooLong => "The name of the mailbox is too long",
        NameError::Character => "A mailbox's name has no control characters, no * and no %",
    }
}

fn mailbox_written(error: &MailboxError) -> (Condition, Option<&'static str>, &'static str) {
    let (code, text) = match error {
        MailboxError::Missing => ("NONEXISTENT", "There is no such mailbox"),
        MailboxError::Exists => ("ALREADYEXISTS", "There is a mailbox of this name already"),
        MailboxError::Denied => ("NOPERM", "You have no right to do that in this mailbox"),
        MailboxError::Bound => {
            ("CANNOT", "A secured message stays where it is until its documents end; it can be deleted")
        }
        MailboxError::Kept => ("CANNOT", "This mailbox is kept by the gateway: it is neither deleted nor renamed"),
        MailboxError::Within => ("CANNOT", "A mailbox cannot be put below itself"),
        MailboxError::HasChildren => ("HASCHILDREN", "There are mailboxes below it; delete those first"),
        MailboxError::UseTaken => ("USEATTR", "Another mailbox has this use"),
        MailboxError::TooMany => ("LIMIT", "That is more than there may be"),
        MailboxError::OverQuota => ("OVERQUOTA", "The mailbox is full: delete messages, also from the trash"),
        MailboxError::TooLarge => ("TOOBIG", "The message is larger than any that is taken"),
        MailboxError::Expunged => ("EXPUNGEISSUED", "A message was deleted meanwhile"),
        MailboxError::Full => ("UNAVAILABLE", "There is no space on the server's disk; tell the administrator"),
        _ => ("UNAVAILABLE", "Not now; try again in a moment"),
    };
    (Condition::No, Some(code), text)
}
