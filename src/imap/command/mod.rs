//! Commands as clients write them (RFC 3501, RFC 9051 and the extensions that are offered), read into what they mean.
//!
//! Pure: a command's octets in, a [`Tagged`] or a [`Mistake`] out, and no octets make it panic.
//!
//! | subject | place |
//! |---|---|
//! | the verbs, and commands with simple arguments | `verbs.rs` |
//! | SELECT's parameters, LIST, STATUS | `mailboxes.rs` |
//! | FETCH and STORE | `fetch.rs` |
//! | SEARCH, SORT, THREAD | `search.rs` |
//! | words, strings, literals, lists | `reader.rs` |

mod append;
mod fetch;
mod mailboxes;
mod reader;
mod search;
#[cfg(test)]
mod tests;
mod verbs;

pub use append::{Appending, parse_append};
pub use fetch::{FetchItem, Macro, Partial, Peek, StoreHow};
pub use mailboxes::{ListReturn, Listing, Opening, Resync, StatusItem};
pub use search::{Key, ReturnOption, SearchRequest, SortBy, SortKey, Threading};
pub use verbs::parse;

use crate::imap::set::SequenceSet;
use crate::secret::Secret;

/// What is wrong with a command; a sentence for who reads a protocol trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mistake(pub &'static str);

/// A command and the name its answer bears.
pub struct Tagged {
    /// The tag.
    pub tag: String,
    /// What is to be done.
    pub command: Result<Command, Mistake>,
}

/// Whether numbers are UIDs or positions in the mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Message sequence numbers.
    Number,
    /// UIDs.
    Uid,
}

/// The name of a mailbox as it came: see [`crate::imap::name::decode`].
pub type RawName = Vec<u8>;

/// What a client wants done. It holds names and texts of people and has no `Debug`.
pub enum Command {
    /// CAPABILITY
    Capability,
    /// NOOP, and CHECK, which is nothing else here.
    Noop,
    /// CHECK
    Check,
    /// LOGOUT
    Logout,
    /// STARTTLS
    StartTls,
    /// AUTHENTICATE, perhaps with a first response in base64 (RFC 4959).
    Authenticate {
        /// The mechanism, in capitals.
        mechanism: String,
        /// The response.
        initial: Option<Secret<String>>,
    },
    /// LOGIN
    Login {
        /// The name as typed.
        name: String,
        /// The password as typed.
        password: Secret<String>,
    },
    /// ENABLE (RFC 5161): the words in capitals.
    Enable(Vec<String>),
    /// ID (RFC 2971). What a client says of itself is not kept.
    Id,
    /// NAMESPACE
    Namespace,
    /// SELECT and EXAMINE
    Select(RawName, Opening),
    /// CLOSE
    Close,
    /// UNSELECT (RFC 3691)
    Unselect,
    /// CREATE, with the uses asked for (RFC 6154).
    Create(RawName, Vec<String>),
    /// DELETE
    Delete(RawName),
    /// RENAME
    Rename(RawName, RawName),
    /// SUBSCRIBE
    Subscribe(RawName),
    /// UNSUBSCRIBE
    Unsubscribe(RawName),
    /// LIST
    List(Listing),
    /// LSUB: reference and pattern.
    Lsub(RawName, RawName),
    /// STATUS
    Status(RawName, Vec<StatusItem>),
    /// IDLE (RFC 2177)
    Idle,
    /// EXPUNGE, or UID EXPUNGE (RFC 4315) of these.
    Expunge(Option<SequenceSet>),
    /// SEARCH
    Search(By, SearchRequest),
    /// SORT (RFC 5256)
    Sort(By, Vec<SortKey>, SearchRequest),
    /// THREAD (RFC 5256)
    Thread(By, Threading, SearchRequest),
    /// FETCH
    Fetch(By, SequenceSet, FetchRequest),
    /// STORE
    Store(By, SequenceSet, StoreRequest),
    /// COPY
    Copy(By, SequenceSet, RawName),
    /// MOVE (RFC 6851)
    Move(By, SequenceSet, RawName),
    /// GETQUOTA (RFC 9208)
    GetQuota(Vec<u8>),
    /// GETQUOTAROOT
    GetQuotaRoot(RawName),
    /// SETQUOTA, which nobody may.
    SetQuota,
}

/// FETCH's arguments.
pub struct FetchRequest {
    /// What is asked for.
    pub items: Vec<FetchItem>,
    /// Only what changed after this (RFC 7162).
    pub changed_since: Option<u64>,
    /// Whether expunged UIDs are told too (RFC 7162).
    pub vanished: bool,
}

/// STORE's arguments.
pub struct StoreRequest {
    /// Only what has not changed after this (RFC 7162).
    pub unchanged_since: Option<u64>,
    /// What happens with the flags.
    pub how: StoreHow,
    /// Whether the answer is left out.
    pub silent: bool,
    /// The flags.
    pub flags: Vec<String>,
}
