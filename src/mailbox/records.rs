//! What an account's mailboxes leave in the store, and under which keys.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::anatomy::Anatomy;
use crate::blob::ObjectRef;
use crate::id::{Id, MailId, MailboxId, StaffId, ThreadId};
use crate::mailbox::flags::Keyword;
use crate::mailbox::{MailboxName, ModSeq, SpecialUse, Uid, Uids};
use crate::secret::silent_debug;
use crate::store::{Key, Stored, Table};

/// The names of an account's mailboxes.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Catalogue {
    /// By name.
    pub entries: Vec<Entry>,
    /// Subscribed names, whether there is such a mailbox or not.
    pub subscribed: BTreeSet<MailboxName>,
    /// The last UIDVALIDITY given to a mailbox: the next one's is greater.
    pub last_validity: u32,
}

/// A mailbox in the catalogue.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    pub id: MailboxId,
    pub name: MailboxName,
    pub special: Option<SpecialUse>,
}

silent_debug!(Catalogue, Entry);

impl Stored for Catalogue {
    const VERSION: u8 = 1;
}

impl Catalogue {
    pub fn key(owner: StaffId) -> Key {
        Key::new(Table::MailCatalogue, &[owner.octets()])
    }

    pub fn find(&self, name: &MailboxName) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == *name)
    }

    pub fn has(&self, id: MailboxId) -> bool {
        self.entries.iter().any(|entry| entry.id == id)
    }

    /// Adds one, in its place by name.
    pub fn insert(&mut self, entry: Entry) {
        let at = self.entries.partition_point(|known| known.name < entry.name);
        self.entries.insert(at, entry);
    }
}

/// The numbers of a mailbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Head {
    /// Whose it is.
    pub owner: StaffId,
    /// UIDVALIDITY.
    pub validity: u32,
    /// The UID that comes next.
    pub uid_next: Uid,
    /// The last change. Each commit is one more.
    pub modseq: ModSeq,
    /// Changes from this one on have a mark each.
    pub marked_from: ModSeq,
    /// Messages.
    pub messages: u32,
    /// Messages without `\Seen`.
    pub unseen: u32,
    /// Messages with `\Deleted`.
    pub deleted: u32,
    /// Octets of all messages.
    pub octets: u64,
    /// Messages from this UID on are `\Recent` to the next session that asks; the shelf may know better.
    pub recent_from: Uid,
    /// Keywords, in the order of their bits.
    pub keywords: Vec<Keyword>,
}

impl Stored for Head {
    const VERSION: u8 = 1;
}

impl Head {
    pub fn new(owner: StaffId, validity: u32) -> Self {
        Self {
            owner,
            validity,
            uid_next: 1,
            modseq: 1,
            marked_from: 2,
            messages: 0,
            unseen: 0,
            deleted: 0,
            octets: 0,
            recent_from: 1,
            keywords: Vec::new(),
        }
    }

    pub fn key(id: MailboxId) -> Key {
        Key::new(Table::MailHead, &[id.octets()])
    }
}

/// What one change did: enough to bring a view up to date, and to tell a client what vanished while it was away.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Mark {
    /// Numbers of the pages it touched; UIDs serve for numbers.
    pub pages: Uids,
    /// UIDs that vanished.
    pub vanished: Uids,
}

impl Stored for Mark {
    const VERSION: u8 = 1;
}

impl Mark {
    pub fn key(id: MailboxId, modseq: ModSeq) -> Key {
        Key::new(Table::MailMark, &[id.octets(), &modseq.to_be_bytes()])
    }
}

/// A key behind every key of a table that begins with this mailbox and goes on with up to eight octets.
pub(super) fn behind(id: MailboxId) -> Vec<u8> {
    [id.octets().as_slice(), &[0xFF; 9]].concat()
}

/// A message: where its octets are, and what is asked of most messages.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Content {
    /// Its octets.
    pub source: Source,
    /// THREADID.
    pub thread: ThreadId,
    /// What it is made of.
    pub anatomy: Anatomy,
    /// Its header section as it stands, with the empty line; nothing where that is very long.
    pub header: Bytes,
    /// The beginning of its text.
    pub preview: String,
}

/// Where the octets of a message are.
#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Source {
    /// One object holds them all.
    Object(ObjectRef),
}

silent_debug!(Content, Source);

impl Stored for Content {
    const VERSION: u8 = 1;
}

impl Content {
    pub fn key(mail: MailId) -> Key {
        Key::new(Table::MailContent, &[mail.octets()])
    }
}

/// How many rows name a message, where that is more than one.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Holders(pub u32);

impl Stored for Holders {
    const VERSION: u8 = 1;
}

impl Holders {
    pub fn key(mail: MailId) -> Key {
        Key::new(Table::MailHolders, &[mail.octets()])
    }
}
