//! What Postern says: replies, and the one table from meaning to code, enhanced code and words.
//!
//! A [`Reply`] is made of one [`Severity`], so that `450 5.1.1` cannot be written. The words are for
//! the person whose mail program shows them; scripts read the codes (RFC 5321, section 4.2; RFC 3463;
//! RFC 2034).

use crate::gateway::{Receipt, Refusal, SignInError};
use crate::mail::AddressError;

/// The longest text of one reply line: 512 octets less code, enhanced code and CRLF (RFC 5321, section 4.5.3.1.5).
const TEXT: usize = 480;

/// The first digit of both codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// 2yz, 2.y.z
    Success = 2,
    /// 4yz, 4.y.z: the same may succeed later.
    Transient = 4,
    /// 5yz, 5.y.z: the same fails again.
    Permanent = 5,
}

/// One reply, of one line or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    enhanced: Option<(u8, u8, u8)>,
    word: &'static str,
    lines: Vec<String>,
}

impl Reply {
    /// A reply with both codes: `reply(Permanent, 50, (7, 1), …)` is `550 5.7.1 …`. `word` names it in the log.
    fn new(severity: Severity, tail: u8, status: (u8, u8), word: &'static str, text: impl AsRef<str>) -> Self {
        let code = severity as u16 * 100 + u16::from(tail);
        Self { code, enhanced: Some((severity as u8, status.0, status.1)), word, lines: wrap(text.as_ref()) }
    }

    /// A reply that RFC 2034 leaves without an enhanced code: greeting, EHLO, 334, 354.
    pub fn bare(code: u16, lines: Vec<String>) -> Self {
        Self { code, enhanced: None, word: "-", lines }
    }

    /// The same reply, ending in the id under which the log knows the cause.
    #[must_use]
    pub fn with_id(mut self, id: &str) -> Self {
        if let Some(last) = self.lines.last_mut() {
            last.push_str(&format!(" (id {id})"));
        }
        self
    }

    /// The three digits.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The enhanced code as written, empty if it has none.
    pub fn enhanced(&self) -> String {
        self.enhanced.map_or_else(String::new, |(class, subject, detail)| format!("{class}.{subject}.{detail}"))
    }

    /// Its name in the log, from a closed list.
    pub fn word(&self) -> &'static str {
        self.word
    }

    /// Whether something was refused or failed.
    pub fn is_refusal(&self) -> bool {
        self.code >= 400
    }

    /// The octets to send.
    pub fn octets(&self) -> Vec<u8> {
        let status = if self.enhanced.is_some() { self.enhanced() + " " } else { String::new() };
        let last = self.lines.len().saturating_sub(1);
        let line = |(at, text): (usize, &String)| {
            let mark = if at == last { ' ' } else { '-' };
            format!("{}{mark}{status}{text}\r\n", self.code)
        };
        self.lines.iter().enumerate().map(line).collect::<String>().into_bytes()
    }
}

/// Breaks a text into lines of at most [`TEXT`] octets of printable ASCII. What policy files or
/// defects say passes here, so no CR or LF can come through.
fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let word: String = word.chars().take(TEXT).map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect();
        match lines.last_mut() {
            Some(line) if line.is_empty() => *line = word,
            Some(line) if line.len() + 1 + word.len() <= TEXT => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

use Severity::{Permanent, Success, Transient};

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

/// A message was taken: how many get it, how many do not.
pub fn accepted(receipt: &Receipt, recipients: usize) -> Reply {
    let taken = recipients.saturating_sub(receipt.refused);
    let noun = if taken == 1 { "recipient" } else { "recipients" };
    let mut text = format!("Accepted for {taken} {noun}");
    if receipt.refused > 0 {
        text.push_str(&format!(", refused for {} (a report is in your mailbox)", receipt.refused));
    }
    Reply::new(Success, 50, (0, 0), "accepted", format!("{text}, id {}", receipt.transaction))
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
    /// Sign-ins that failed.
    SignIns,
    /// A message or line that goes on far beyond its limit.
    Overrun,
    /// Connections in all, or of one address.
    Connections,
    /// A peer that the listener does not trust.
    Untrusted,
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
            Limit::Overrun => leave((3, 4), "overrun", "Far over the limit"),
            Limit::Connections => leave((7, 0), "connections", "Too many connections; try again in a minute"),
            Limit::Untrusted => {
                Self::new(Permanent, 54, (7, 1), "untrusted", "This address is not in the networks that may send here")
            }
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

impl From<SignInError> for Reply {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Rejected => Self::new(
                Permanent,
                35,
                (7, 8),
                "sign-in-rejected",
                "Name or password is not right; the name is your whole e-mail address",
            ),
            SignInError::Busy => {
                Self::new(Transient, 54, (7, 0), "sign-in-busy", "Too many sign-ins at once; try again in a minute")
            }
            SignInError::Unavailable => Self::new(
                Transient,
                54,
                (7, 0),
                "sign-in-unavailable",
                "Cannot sign anyone in just now; try again later",
            ),
        }
    }
}

impl From<&Refusal> for Reply {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NotYourAddress { field } => Self::new(
                Permanent,
                50,
                (7, 1),
                "not-your-address",
                format!(
                    "This account may not send as that address ({field}). Check the From field in your mail program."
                ),
            ),
            Refusal::NoSuchAddress => Self::new(
                Permanent,
                50,
                (1, 1),
                "no-such-address",
                "There is no such address here; check how it is spelt",
            ),
            Refusal::NotUnderstood(defect) if defect.limit => {
                Self::new(Permanent, 52, (3, 4), defect.word, &defect.words)
            }
            Refusal::NotUnderstood(defect) => Self::new(Permanent, 50, (6, 0), defect.word, &defect.words),
            Refusal::Policy(words) => Self::new(Permanent, 50, (7, 1), "policy", words),
            Refusal::Loop => {
                Self::new(Permanent, 54, (4, 6), "loop", "The message goes in circles: too many Received fields")
            }
            Refusal::Full => Self::new(Transient, 52, (3, 1), "full", "No space to store the message; try again later"),
            Refusal::Unavailable => {
                Self::new(Transient, 51, (3, 0), "unavailable", "Cannot take the message just now; try again later")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime::Defect;

    fn text(reply: &Reply) -> String {
        String::from_utf8(reply.octets()).unwrap()
    }

    #[test]
    fn every_line_of_a_long_reply_has_both_codes_and_stays_under_512_octets() {
        let reply = Reply::from(&Refusal::Policy("secure word ".repeat(120)));
        let text = text(&reply);
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        assert!(lines.len() > 2 && lines.iter().all(|line| line.len() <= 510));
        let (last, rest) = lines.split_last().unwrap();
        assert!(rest.iter().all(|line| line.starts_with("550-5.7.1 ")) && last.starts_with("550 5.7.1 "));
    }

    #[test]
    fn words_from_policy_files_cannot_end_a_reply_line() {
        let reply = Reply::from(&Refusal::Policy("no\r\n250 2.0.0 yes\u{2028}\0é".into()));
        assert_eq!(text(&reply), "550 5.7.1 no 250 2.0.0 yes ??\r\n");
    }

    #[test]
    fn a_limit_of_mime_is_a_matter_of_size() {
        let defect = |limit| Refusal::NotUnderstood(Defect { word: "x", words: "y".into(), limit });
        assert_eq!(text(&Reply::from(&defect(true))), "552 5.3.4 y\r\n");
        assert_eq!(text(&Reply::from(&defect(false))), "550 5.6.0 y\r\n");
    }

    #[test]
    fn the_id_stands_at_the_end() {
        assert!(text(&Reply::from(&Refusal::Unavailable).with_id("abc")).ends_with("later (id abc)\r\n"));
    }
}
