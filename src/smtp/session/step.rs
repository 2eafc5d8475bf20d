//! What a session asks for, and what it is answered. What holds names or octets of a message has no `Debug`.

use crate::gateway::{Receipt, Refusal, SignInError};
use crate::mail::{Address, Envelope, Origin};
use crate::secret::Secret;
use crate::smtp::reply::Reply;

/// What is to be done next, in order.
pub enum Step {
    /// Send this. It may wait in a buffer until [`Step::NeedInput`], [`Step::StartTls`] or [`Step::Close`].
    Send(Reply),
    /// Find this out, and give the [`Answer`].
    Ask(Question),
    /// Send what waits, then do the TLS handshake, then call [`Session::secured`]. Octets already read are discarded.
    StartTls,
    /// A message begins: make a place for it.
    Begin,
    /// Octets of the message.
    Store(Vec<u8>),
    /// The message is refused before its end: drop what was stored.
    Discard,
    /// The message is whole: take it, and give the [`Answer`].
    EndOfMessage(Submitted),
    /// Nothing to do until more octets come.
    NeedInput(Waiting),
    /// Send what waits, and close. The word is for the log.
    Close(&'static str),
}

/// What is waited for; it decides how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// A command, or a response to AUTH.
    Command,
    /// Octets of a message.
    Data,
    /// An [`Answer`], or [`Session::secured`]; more octets do not help.
    Answer,
}

/// What only the gateway knows.
pub enum Question {
    /// Whose name and password are these?
    SignIn {
        /// The name as typed.
        name: String,
        /// The password as typed.
        password: Secret<String>,
    },
    /// May this origin use this address in MAIL FROM?
    MaySendAs {
        /// Who asks.
        origin: Origin,
        /// The reverse-path.
        address: Address,
    },
    /// Is mail for this recipient taken?
    CheckRecipient {
        /// Who asks.
        origin: Origin,
        /// The forward-path.
        address: Address,
    },
}

/// The answer to a [`Question`] or [`Step::EndOfMessage`].
#[derive(Debug)]
pub enum Answer {
    /// To [`Question::SignIn`].
    SignIn(Result<Origin, SignInError>),
    /// To [`Question::SignIn`], from an address of too many wrong passwords: this one was not looked at.
    TooManyGuesses,
    /// To [`Question::MaySendAs`].
    MaySendAs(Result<bool, Refusal>),
    /// To [`Question::CheckRecipient`].
    CheckRecipient(Result<(), Refusal>),
    /// To [`Step::EndOfMessage`]: what became of it.
    Message(Result<Receipt, Refusal>),
}

/// What is known of a message beside its octets.
pub struct Submitted {
    /// Who vouches for it.
    pub origin: Origin,
    /// Its envelope, at least one recipient.
    pub envelope: Envelope,
    /// What EHLO or HELO said: a domain or an address literal.
    pub helo: String,
    /// `SMTP`, `ESMTP`, `ESMTPS`, `ESMTPSA` (RFC 3848).
    pub protocol: &'static str,
}
