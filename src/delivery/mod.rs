//! Rules of delivery: what an attempt came to, when to try again, what to tell the sender.

pub mod dsn;
pub mod retry;

/// What one attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The far side took responsibility.
    Delivered,
    /// Try again later.
    Transient(Cause),
    /// Trying again would not help.
    Permanent(Cause),
}

/// Why an attempt did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The reply's code, where there was a reply.
    pub code: Option<u16>,
    /// The enhanced code (RFC 3463), received or ours.
    pub enhanced: String,
    /// A word from a closed list, for the log: `connect`, `tls`, `auth`, `rcpt`, `data`, `timeout` ….
    pub word: &'static str,
}
