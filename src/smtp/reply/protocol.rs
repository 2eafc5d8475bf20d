//! From meaning to reply, as far as the protocol goes: commands, limits, octets.

use super::Reply;
use super::Severity::{Permanent, Success, Transient};
use crate::mail::AddressError;

/// Something that went as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the table below says what each means")]
pub enum Done {
    Sender,
    Recipient,
    Reset,
    Nothing,
    Help,
    CannotVerify,
    ReadyForTls,
    SignedIn,
    Bye,
}

impl From<Done> for Reply {
    fn from(done: Done) -> Self {
        match done {
            Done::Sender => Self::new(Success, 50, (1, 0), "sender", "Sender accepted"),
            Done::Recipient => Self::new(Success, 50, (1, 5), "recipient", "Recipient accepted"),
            Done::Reset => Self::new(Success, 50, (0, 0), "reset", "Forgotten"),
            Done::Nothing => Self::new(Success, 50, (0, 0), "noop", "OK"),
            Done::Help => Self::new(
                Success,
                14,
                (0, 0),
                "help",
                "EHLO HELO STARTTLS AUTH MAIL RCPT DATA RSET NOOP VRFY HELP QUIT; see RFC 5321",
            ),
            Done::CannotVerify => {
                Self::new(Success, 52, (0, 0), "vrfy", "Addresses are not looked up here; send, and it is tried")
            }
            Done::ReadyForTls => Self::new(Success, 20, (0, 0), "starttls", "Begin TLS now"),
            Done::SignedIn => Self::new(Success, 35, (7, 0), "signed-in", "Signed in"),
            Done::Bye => Self::new(Success, 21, (0, 0), "bye", "Goodbye"),
        }
    }
}

/// A command that is wrong in itself, or at this moment. Each counts towards the limit of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misuse {
    /// No command that SMTP knows.
    Unknown,
    /// A command that SMTP knows and Postern does not offer.
    NotOffered,
    /// Over the limit of a line.
    LineTooLong,
    /// A bare LF or CR, a NUL or another control character, or no UTF-8.
    NotALine,
    /// Something is missing or left over; how it should look.
    Arguments(&'static str),
    /// MAIL FROM with what is no address.
    Sender(AddressError),
    /// RCPT TO with what is no address.
    Recipient(AddressError),
    /// `<@a,@b:c@d>`.
    SourceRoute,
    /// A parameter of MAIL or RCPT that was not offered.
    ParameterUnknown,
    /// A value that the parameter's RFC does not allow.
    ParameterValue(&'static str),
    /// SMTPUTF8, not offered.
    SmtpUtf8,
    /// A command out of order; what comes first.
    Sequence(&'static str),
    /// TLS is required for this.
    TlsFirst,
    /// A password would travel in clear.
    TlsBeforeAuth,
    /// Signing in is required for this.
    SignInFirst,
    /// AUTH with a mechanism that is not offered.
    Mechanism,
    /// A response to AUTH that is not base64 or not of the mechanism's form.
    AuthResponse,
    /// `*`
    AuthCancelled,
    /// DATA when every RCPT was refused.
    NoRecipients,
}

impl From<Misuse> for Reply {
    fn from(misuse: Misuse) -> Self {
        let refuse = |tail, status, word, text: &str| Self::new(Permanent, tail, status, word, text);
        match misuse {
            Misuse::Unknown => refuse(0, (5, 1), "unknown-command", "Command not known"),
            Misuse::NotOffered => refuse(2, (5, 1), "not-offered", "Command not offered here"),
            Misuse::LineTooLong => refuse(0, (5, 2), "line-too-long", "The line is too long"),
            Misuse::NotALine => refuse(
                0,
                (5, 2),
                "not-a-line",
                "A command is a line of text without control characters, ended by CR LF",
            ),
            Misuse::Arguments(form) => refuse(1, (5, 4), "arguments", form),
            Misuse::Sender(error) => address(error, (1, 7), "sender-syntax"),
            Misuse::Recipient(error) => address(error, (1, 3), "recipient-syntax"),
            Misuse::SourceRoute => {
                refuse(1, (1, 3), "source-route", "Source routes are not accepted; give the address alone")
            }
            Misuse::ParameterUnknown => refuse(55, (5, 4), "parameter-unknown", "Parameter not offered here"),
            Misuse::ParameterValue(form) => refuse(1, (5, 4), "parameter-value", form),
            Misuse::SmtpUtf8 => refuse(55, (6, 7), "smtputf8", "SMTPUTF8 is not offered here"),
            Misuse::Sequence(first) => refuse(3, (5, 1), "sequence", first),
            Misuse::TlsFirst => refuse(30, (7, 0), "tls-first", "Must issue a STARTTLS command first"),
            Misuse::TlsBeforeAuth => refuse(
                38,
                (7, 11),
                "tls-before-auth",
                "Encryption required: choose STARTTLS or SSL/TLS for the outgoing server in your mail program",
            ),
            Misuse::SignInFirst => refuse(
                30,
                (7, 0),
                "sign-in-first",
                "Authentication required: turn on \"My outgoing server requires authentication\" in your mail program",
            ),
            Misuse::Mechanism => refuse(4, (5, 4), "mechanism", "Offered are AUTH PLAIN and AUTH LOGIN"),
            Misuse::AuthResponse => refuse(1, (5, 2), "auth-response", "Not a response of this mechanism in base64"),
            Misuse::AuthCancelled => refuse(1, (7, 0), "auth-cancelled", "Sign-in cancelled"),
            Misuse::NoRecipients => refuse(54, (5, 1), "no-recipients", "No recipient was accepted"),
        }
    }
}

/// What is wrong with an address; `status` says in which field.
fn address(error: AddressError, status: (u8, u8), word: &'static str) -> Reply {
    match error {
        AddressError::Syntax => Reply::new(Permanent, 1, status, word, "Not an address of the form <name@domain>"),
        AddressError::TooLong => Reply::new(Permanent, 1, status, word, "The address is too long"),
        AddressError::NotAscii => Reply::new(
            Permanent,
            53,
            (6, 7),
            word,
            "Letters other than a-z before the @ are not supported; check how the address is spelt",
        ),
        AddressError::Literal => {
            Reply::new(Permanent, 1, status, word, "An IP address in brackets is not accepted in place of a domain")
        }
    }
}

/// A bound that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// SIZE=, or the message itself.
    Message,
    /// Recipients of one message.
    Recipients,
    /// RCPT commands of one message.
    RecipientCommands,
    /// Errors of one session.
    Errors,
    /// Commands without a message.
    Fruitless,
    /// Sign-ins of one session that failed.
    SignIns,
    /// Sign-ins of one address that failed.
    Guesses,
    /// A message or line that goes on far beyond its limit.
    Overrun,
    /// Connections in all, or of one address.
    Connections,
    /// A peer that the listener does not trust.
    Untrusted,
    /// What the sign-in stood on is no more.
    AccountChanged,
    /// Nothing came for too long.
    Idle,
    /// The session as a whole took too long.
    SessionTime,
    /// Postern is stopping.
    Stopping,
    /// HTTP, or TLS where plain text begins.
    NotSmtp,
}

impl From<Limit> for Reply {
    fn from(limit: Limit) -> Self {
        let leave = |status, word, text: &str| Self::new(Transient, 21, status, word, text);
        match limit {
            Limit::Message => Self::new(
                Permanent,
                52,
                (3, 4),
                "message-too-large",
                "The message is too large; send its attachments in several messages",
            ),
            Limit::Recipients => Self::new(Transient, 52, (5, 3), "recipients", "Too many recipients for one message"),
            Limit::RecipientCommands => leave((5, 3), "recipient-commands", "Far too many recipients"),
            Limit::Errors => leave((7, 0), "errors", "Too many errors"),
            Limit::Fruitless => leave((7, 0), "fruitless", "Too many commands without a message"),
            Limit::SignIns => {
                leave((7, 0), "sign-ins", "Too many failed sign-ins; check name and password, then try again")
            }
            Limit::Guesses => Self::new(
                Transient,
                54,
                (7, 0),
                "guesses",
                "Too many wrong passwords from your network; try again in 15 minutes, or ask your administrator",
            ),
            Limit::Overrun => leave((3, 4), "overrun", "Far over the limit"),
            Limit::Connections => leave((7, 0), "connections", "Too many connections; try again in a minute"),
            Limit::Untrusted => {
                Self::new(Permanent, 54, (7, 1), "untrusted", "This address is not in the networks that may send here")
            }
            Limit::AccountChanged => leave((7, 0), "account-changed", "Your account was changed; please sign in again"),
            Limit::Idle => leave((4, 2), "idle", "Nothing came for too long"),
            Limit::SessionTime => leave((4, 2), "session-time", "The session took too long"),
            Limit::Stopping => leave((3, 2), "stopping", "Restarting; try again in a minute"),
            Limit::NotSmtp => leave((7, 0), "not-smtp", "This port speaks SMTP"),
        }
    }
}

/// Why the octets of a message are refused, whatever they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A CR without LF.
    BareCr,
    /// An LF without CR.
    BareLf,
    /// A NUL.
    Nul,
    /// A line over the limit.
    LongLine,
    /// Over the limit of a message.
    TooLarge,
}

impl From<Flaw> for Reply {
    fn from(flaw: Flaw) -> Self {
        let refuse = |word, text: &str| Self::new(Permanent, 50, (6, 0), word, text);
        match flaw {
            Flaw::BareCr => {
                refuse("bare-cr", "The message has a bare CR; lines must end in CR LF (see cr.yp.to/docs/smtplf.html)")
            }
            Flaw::BareLf => {
                refuse("bare-lf", "The message has a bare LF; lines must end in CR LF (see cr.yp.to/docs/smtplf.html)")
            }
            Flaw::Nul => refuse("nul", "The message has a NUL octet; binary data must be encoded"),
            Flaw::LongLine => refuse("long-line", "The message has a line that is too long"),
            Flaw::TooLarge => Limit::Message.into(),
        }
    }
}
