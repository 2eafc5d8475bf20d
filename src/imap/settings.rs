//! What the shell hands to the IMAP edge.

use std::time::Duration;

use crate::mail::Domain;

/// What holds for every IMAP listener.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name in the greeting.
    pub hostname: Domain,
    /// Bounds of one session.
    pub limits: Limits,
    /// How long is waited.
    pub deadlines: Deadlines,
}

impl Settings {
    /// The shipped limits under this name.
    pub fn new(hostname: Domain) -> Self {
        Self { hostname, limits: Limits::default(), deadlines: Deadlines::default() }
    }
}

/// Bounds of one session. Each has its words in `imap/response/refusal.rs`.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Octets of a line before sign-in; a SASL response of 8 KiB is longer than any password.
    pub line_before_sign_in: usize,
    /// Octets of a line: RFC 7162, section 4 asks for 8192, sets of sequence numbers need more.
    pub line: usize,
    /// Octets of a literal before sign-in.
    pub literal_before_sign_in: u64,
    /// Octets of a literal that is no message.
    pub literal: u64,
    /// Octets of a command with its literals, without a message.
    pub command: usize,
    /// Wrong commands and refused ones in a row before the session ends.
    pub errors: u32,
    /// The same before sign-in, in all.
    pub errors_before_sign_in: u32,
    /// Failed sign-ins before the session ends.
    pub sign_ins: u32,
    /// Sessions of one account at once.
    pub per_account: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_before_sign_in: 8 * 1024,
            line: 64 * 1024,
            literal_before_sign_in: 4 * 1024,
            literal: 64 * 1024,
            command: 256 * 1024,
            errors: 50,
            errors_before_sign_in: 10,
            sign_ins: 3,
            per_account: 100,
        }
    }
}

/// How long is waited for what.
#[derive(Debug, Clone)]
pub struct Deadlines {
    /// For the next command of who has signed in (RFC 9051, section 5.4: 30 minutes at least), IDLE included.
    pub command: Duration,
    /// For the rest of a command that has begun, and for the next octets of a message.
    pub data: Duration,
    /// For a client to read what is sent.
    pub writing: Duration,
    /// For a TLS handshake.
    pub handshake: Duration,
    /// From connecting until signed in.
    pub before_sign_in: Duration,
    /// How often an idling client is told that the connection stands, so that no router on the way forgets it.
    pub still_here: Duration,
    /// How often a client is told that a search goes on (RFC 9585, section 4.1: 10 to 15 seconds).
    pub progress: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            command: Duration::from_secs(31 * 60),
            data: Duration::from_secs(180),
            writing: Duration::from_secs(180),
            handshake: Duration::from_secs(20),
            before_sign_in: Duration::from_secs(120),
            still_here: Duration::from_secs(120),
            progress: Duration::from_secs(10),
        }
    }
}

/// What a listener is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// STARTTLS, then sign-in.
    Imap,
    /// TLS from the first octet (RFC 8314).
    Imaps,
}

impl Purpose {
    /// Its name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::Imaps => "imaps",
        }
    }
}
