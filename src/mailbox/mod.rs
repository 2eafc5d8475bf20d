//! Mailboxes of staff and workgroups (RFC 9051): durable, sealed, with numbers that clients can rely on.
//!
//! An account has a *catalogue* (names, subscriptions), each mailbox a *head* (its numbers), its messages stand in *pages*
//! of 64 rows by UID, and each change leaves a *mark* (which UIDs changed or vanished). A commit writes the head, the pages
//! it touched and one mark, so what it costs does not grow with the mailbox. The octets of a message are an object
//! (`blob/`); what is asked of most messages (header section, structure, preview) stands in one record beside it.
//!
//! Who changes an account's mailboxes holds that account's *turn*: changes of one account come one after the other, so
//! that no commit fails because another came first; messages and flags that wait for it share one commit. An open mailbox is kept in memory once for all sessions, as a
//! [`View`] that never changes; after a commit the next one shares all pages that are the same.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::blob::{BlobError, Objects};
use crate::keyring::Keyring;
use crate::store::{CommitError, Store, StoreError};

mod across;
mod arrival;
mod catalogue;
mod change;
mod copy;
mod difference;
mod edit;
mod flags;
mod name;
mod opened;
mod page;
mod read;
mod records;
mod sent;
mod shared;
mod together;
mod turn;
mod uids;
mod view;

/// How often a commit is tried when other owners change who holds the same octets.
const TRIES: usize = 8;

pub use arrival::{Appended, Arrival, NewMail};
pub use catalogue::{Listed, Status};
pub use change::Stored;
pub use copy::Copied;
pub use difference::Difference;
pub use flags::{FlagChange, FlagError, FlagSet, Keyword, SystemFlags};
pub use name::{MailboxName, NameError, SpecialUse};
pub use opened::{OpenMailbox, Past};
pub use read::MailContent;
pub use records::Brief;
pub use sent::{NewSent, Remains, end_early};
pub use uids::Uids;
pub use view::{Row, View};

/// A message's number in its mailbox (RFC 9051, section 2.3.1.1): from 1, ascending, never used again.
pub type Uid = u32;
/// Counts the changes of a mailbox (RFC 7162): strictly greater after each commit that changed it; from 1.
pub type ModSeq = u64;

/// What an account may hold.
#[derive(Debug, Clone)]
pub struct MailLimits {
    /// Octets of one message.
    pub message: u64,
    /// Octets of all messages of an account.
    pub account: u64,
    /// Messages of an account: what is known of each stays in memory while its mailbox is open.
    pub messages: u64,
    /// Messages that one commit takes out: more go by several.
    pub together: usize,
    /// Mailboxes of an account.
    pub mailboxes: usize,
}

impl Default for MailLimits {
    fn default() -> Self {
        const GIB: u64 = 1024 * 1024 * 1024;
        Self { message: 64 * 1024 * 1024, account: 20 * GIB, messages: 1_000_000, together: 20_000, mailboxes: 500 }
    }
}

/// What an account holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Octets of all messages; a message in two mailboxes counts twice, as clients count.
    pub octets: u64,
    /// Messages.
    pub messages: u64,
    /// Octets it may hold.
    pub most_octets: u64,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum MailboxError {
    /// There is no mailbox of this name or id.
    #[error("there is no such mailbox")]
    Missing,
    /// There is one of this name already.
    #[error("there is a mailbox of this name already")]
    Exists,
    /// Inbox, and those the gateway itself writes to, are not deleted or renamed.
    #[error("this mailbox is kept by the gateway")]
    Kept,
    /// It would be put below itself.
    #[error("a mailbox cannot be put below itself")]
    Within,
    /// It has mailboxes below it.
    #[error("there are mailboxes below it")]
    HasChildren,
    /// A mailbox with this special use is there already.
    #[error("another mailbox has this use")]
    UseTaken,
    /// As many mailboxes, or keywords of a mailbox, as there may be; or more messages than one commit takes.
    #[error("more than there may be")]
    TooMany,
    /// The account would hold more than it may.
    #[error("the account is full")]
    OverQuota,
    /// The message is longer than it may be.
    #[error("the message is too large")]
    TooLarge,
    /// Who asks may not do that here.
    #[error("no right to do that")]
    Denied,
    /// A secured message, whose documents end on a day, goes into no other owner's mailboxes before.
    #[error("the message stays where it is until its documents end")]
    Bound,
    /// The message was expunged meanwhile.
    #[error("the message is no more")]
    Expunged,
    /// No space on the disk: nothing was stored.
    #[error("no space on the disk")]
    Full,
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store does not take the change.
    #[error(transparent)]
    Commit(CommitError),
    /// Octets cannot be read or written.
    #[error(transparent)]
    Blob(BlobError),
}

impl From<CommitError> for MailboxError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::TooLarge => Self::TooMany,
            CommitError::Disk(_) => Self::Full,
            other => Self::Commit(other),
        }
    }
}

impl From<BlobError> for MailboxError {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Full => Self::Full,
            other => Self::Blob(other),
        }
    }
}

/// All mailboxes. Cheap to clone; the clones know of each other's changes.
#[derive(Clone)]
pub struct Mailboxes {
    store: Store,
    objects: Objects,
    keyring: Keyring,
    limits: Arc<MailLimits>,
    turns: Arc<turn::Turns>,
    queues: Arc<together::Queues>,
    shelf: Arc<opened::Shelf>,
    /// How much may be read at once beside the runtime.
    processors: Arc<Semaphore>,
}

impl Mailboxes {
    /// The mailboxes in this store. Make one for a store and clone it.
    pub fn new(store: Store, keyring: Keyring, objects: Objects, limits: MailLimits) -> Self {
        let (turns, queues, shelf) = (Arc::default(), Arc::default(), Arc::default());
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let processors = Arc::new(Semaphore::new(processors));
        Self { store, objects, keyring, limits: Arc::new(limits), turns, queues, shelf, processors }
    }

    /// What an account may hold.
    pub fn limits(&self) -> &MailLimits {
        &self.limits
    }
}

#[cfg(test)]
mod tests;
