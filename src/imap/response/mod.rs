//! What the server writes (RFC 9051, section 7): strings that are quoted where they can be and literals where they must,
//! names of mailboxes as the client reads them, and the status responses.

mod refusal;
mod structure;
mod writer;

pub use refusal::Refusal;
pub use structure::{write_body_structure, write_envelope};
pub use writer::Writer;

/// How a status response begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Done.
    Ok,
    /// Understood and not done.
    No,
    /// Not understood.
    Bad,
}

impl Condition {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::No => "NO",
            Self::Bad => "BAD",
        }
    }
}
