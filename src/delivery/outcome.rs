//! From replies to outcomes: which refusals may pass, which will not, and which are our own trouble.
//!
//! The far side here is a relay that the clinic itself configured. A refusal of *us* (greeting, EHLO,
//! STARTTLS, AUTH) is therefore trouble of our own configuration: it is kept, tried again and raised
//! as an alarm, and never turned into reports about patients' mail.

use serde::{Deserialize, Serialize};

use crate::delivery::Enhanced;

/// What one attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The far side took responsibility.
    Delivered,
    /// Try again later.
    Transient(Cause),
    /// Trying again would not help.
    Permanent(Cause),
}

impl Outcome {
    /// Trouble that no reply told of, and that may pass.
    pub const fn transient(step: Step) -> Self {
        Self::Transient(Cause::silent(step))
    }

    /// Trouble that no reply told of, and that will not pass.
    pub const fn permanent(step: Step) -> Self {
        let cause = Cause::silent(step);
        Self::Permanent(Cause { enhanced: cause.enhanced.as_permanent(), ..cause })
    }
}

/// Why an attempt did not succeed. Holds nothing the far side wrote but its codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The reply's code, where there was a reply.
    pub code: Option<u16>,
    /// The enhanced code (RFC 3463), received or ours.
    pub enhanced: Enhanced,
    /// Where it went wrong.
    pub step: Step,
}

impl Cause {
    /// Trouble that no reply told of; may pass.
    pub const fn silent(step: Step) -> Self {
        let (subject, detail) = step.own_code();
        Self { code: None, enhanced: Enhanced::transient(subject, detail), step }
    }

    /// The word for logs and listings.
    pub const fn word(&self) -> &'static str {
        self.step.word()
    }

    /// Whether it is trouble of our own or of the relay as a whole, which an admin should hear of at once.
    pub const fn is_alarm(&self) -> bool {
        match self.step {
            Step::Tls | Step::NoTls | Step::NoAuth | Step::Storage | Step::Folder | Step::Content => true,
            Step::Greeting | Step::Hello | Step::StartTls | Step::Auth | Step::Protocol => {
                matches!(self.code, Some(500..=599))
            }
            _ => false,
        }
    }
}

/// Where an attempt can go wrong: a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Step {
    /// The host has no address, or nobody answers there.
    Connect,
    /// The greeting.
    Greeting,
    /// EHLO or HELO.
    Hello,
    /// The reply to STARTTLS.
    StartTls,
    /// The handshake: no common version, or a certificate that is not the host's.
    Tls,
    /// TLS is demanded and not offered.
    NoTls,
    /// AUTH was refused.
    Auth,
    /// AUTH is configured, and no way of it that we know is offered.
    NoAuth,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA.
    Data,
    /// What came after the message's last dot.
    Message,
    /// Larger than the far side takes.
    Size,
    /// No answer within the time RFC 5321 gives.
    Timeout,
    /// The connection broke.
    Lost,
    /// Something that is no SMTP reply, or one nobody asked for.
    Protocol,
    /// Our own octets could not be read.
    Storage,
    /// Our own octets are not fit to be sent (a bare CR or LF).
    Content,
    /// The folder of the folder relay does not take files.
    Folder,
}

impl Step {
    /// The word for logs and listings.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Greeting => "greeting",
            Self::Hello => "hello",
            Self::StartTls => "starttls",
            Self::Tls => "tls",
            Self::NoTls => "no-tls",
            Self::Auth => "auth",
            Self::NoAuth => "no-auth",
            Self::Sender => "sender",
            Self::Recipient => "recipient",
            Self::Data => "data",
            Self::Message => "message",
            Self::Size => "size",
            Self::Timeout => "timeout",
            Self::Lost => "lost",
            Self::Protocol => "protocol",
            Self::Storage => "storage",
            Self::Content => "content",
            Self::Folder => "folder",
        }
    }

    /// Subject and detail of the enhanced code where the far side gave none (RFC 3463, RFC 5248).
    const fn own_code(self) -> (u16, u16) {
        match self {
            Self::Connect => (4, 1),
            Self::Timeout | Self::Lost => (4, 2),
            Self::Tls => (7, 5),
            Self::NoTls => (7, 10),
            Self::Auth | Self::NoAuth => (7, 0),
            Self::Size => (3, 4),
            Self::Protocol | Self::Greeting | Self::Hello | Self::StartTls => (5, 0),
            Self::Storage | Self::Folder => (3, 0),
            Self::Content => (6, 0),
            Self::Sender | Self::Recipient | Self::Data | Self::Message => (0, 0),
        }
    }

    /// Whether a refusal here is about us, not about the message or its recipient.
    const fn is_about_us(self) -> bool {
        matches!(self, Self::Greeting | Self::Hello | Self::StartTls | Self::Auth)
    }
}

/// What a reply other than the hoped-for one means.
///
/// RFC 5321, section 4.2.1, with these exceptions:
/// - at greeting, EHLO, STARTTLS and AUTH 5xx is our own configuration's trouble and may pass;
/// - 530, 534, 535, 538 and X.7.8–X.7.14 (authentication or encryption wanted, RFC 4954, section 6; RFC 5248) likewise, at every step;
/// - 500, 502, 503 and 504 (command unknown or out of order) say that we and the far side do not understand
///   each other, not that the message is bad;
/// - 552 at RCPT without an enhanced code, or with 5.5.3, is "too many recipients" (RFC 5321, section 4.5.3.1.10);
/// - a code that is neither 4xx nor 5xx where one of these was due is a broken protocol.
pub fn judge(step: Step, code: u16, enhanced: Option<Enhanced>) -> Outcome {
    let (subject, detail) = step.own_code();
    let given = enhanced.unwrap_or(Enhanced::transient(subject, detail));
    let transient = |step| Outcome::Transient(Cause { code: Some(code), enhanced: given.as_transient(), step });
    match code {
        400..=499 => transient(step),
        500..=599 if step.is_about_us() => transient(step),
        530 | 534 | 535 | 538 => transient(Step::Auth),
        500..=599 if matches!(given.meaning(), (7, 8..=14)) => transient(Step::Auth),
        500 | 502..=504 => transient(Step::Protocol),
        552 if step == Step::Recipient && (enhanced.is_none() || given.meaning() == (5, 3)) => transient(step),
        500..=599 => Outcome::Permanent(Cause { code: Some(code), enhanced: given.as_permanent(), step }),
        _ => transient(Step::Protocol),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(step: Step, reply: &str) -> String {
        let code = reply[..3].parse().unwrap();
        match judge(step, code, Enhanced::parse(code, reply.as_bytes()[3..].trim_ascii_start())) {
            Outcome::Delivered => "delivered".into(),
            Outcome::Transient(cause) => {
                format!("later {} {}{}", cause.word(), cause.enhanced, if cause.is_alarm() { " alarm" } else { "" })
            }
            Outcome::Permanent(cause) => format!("never {} {}", cause.word(), cause.enhanced),
        }
    }

    #[test]
    fn replies_are_judged_by_this_table() {
        for (step, reply, expected) in [
            (Step::Greeting, "421 4.3.2 busy", "later greeting 4.3.2"),
            (Step::Greeting, "554 no service", "later greeting 4.5.0 alarm"),
            (Step::Hello, "550 5.7.1 who are you", "later hello 4.7.1 alarm"),
            (Step::StartTls, "502 what", "later starttls 4.5.0 alarm"),
            (Step::Auth, "454 4.7.0 later", "later auth 4.7.0"),
            (Step::Auth, "535 5.7.8 wrong", "later auth 4.7.8 alarm"),
            (Step::Sender, "530 5.7.0 sign in first", "later auth 4.7.0 alarm"),
            (Step::Recipient, "550 5.7.10 encryption needed", "later auth 4.7.10 alarm"),
            (Step::Recipient, "550 5.7.1 not you", "never recipient 5.7.1"),
            (Step::Sender, "503 5.5.1 order", "later protocol 4.5.1 alarm"),
            (Step::Sender, "501 5.1.7 bad address", "never sender 5.1.7"),
            (Step::Sender, "552 5.3.4 too large", "never sender 5.3.4"),
            (Step::Recipient, "450 4.2.1 greylisted", "later recipient 4.2.1"),
            (Step::Recipient, "452 too many", "later recipient 4.0.0"),
            (Step::Recipient, "552 too many", "later recipient 4.0.0"),
            (Step::Recipient, "552 5.5.3 too many", "later recipient 4.5.3"),
            (Step::Recipient, "552 5.2.2 full", "never recipient 5.2.2"),
            (Step::Recipient, "550 no", "never recipient 5.0.0"),
            (Step::Data, "554 5.5.1 no valid recipients", "never data 5.5.1"),
            (Step::Message, "552 5.3.4 too large", "never message 5.3.4"),
            (Step::Message, "451 4.3.0 later", "later message 4.3.0"),
            (Step::Message, "354 what", "later protocol 4.0.0"),
            (Step::Data, "250 what", "later protocol 4.0.0"),
        ] {
            assert_eq!(judged(step, reply), expected, "{step:?} {reply}");
        }
    }
}
