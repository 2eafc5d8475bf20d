//! Where a record is, and what is asked of a type that becomes one.

use serde::{Serialize, de::DeserializeOwned};

/// Every kind of record, and the first octet of its keys. Numbers are never reused, and stay below 128.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// Facts about the store itself (last clock reading, first-start marks).
    Meta = 0,
    /// `StaffId` → staff account.
    Staff = 1,
    /// keyed hash of an address → `StaffId`.
    StaffByAddress = 2,
    /// `ContactId` → contact.
    Contact = 3,
    /// keyed hash of an address → `ContactId`.
    ContactByAddress = 4,
    /// `TransactionId` → what was accepted, from whom, for whom, and what became of it.
    Message = 5,
    /// `ParcelId` → parcel.
    Parcel = 6,
    /// `BlobId` → who holds the object, and whether it lies in a record or a file.
    Object = 7,
    /// `BlobId` → sealed octets of a small object (at most 16 KiB).
    ObjectOctets = 8,
    /// `GrantId` → grant.
    Grant = 9,
    /// hash of a link token → `GrantId`.
    GrantByToken = 10,
    /// due moment, kind, id → nothing; what `agenda` walks.
    Agenda = 11,
    /// `QueueId` → queue entry.
    Queue = 12,
    /// due moment, `QueueId` → nothing.
    QueueDue = 13,
    /// last day, `GrantId` → nothing; whose keys are wrapped under that day.
    GrantByDay = 14,
    /// `TransactionId`, `GrantId` → nothing; the grants of a message.
    GrantByTransaction = 15,
    /// day → nothing; days whose key is to be punched.
    PunchOwed = 16,
    /// `ContactId`, `GrantId` → nothing; the rights of a contact.
    GrantByContact = 17,
    /// `ContactId` → guest account.
    Guest = 18,
    /// `ContactId` → invitation.
    Invitation = 19,
    /// due moment, `ContactId` → nothing.
    InvitationDue = 20,
    /// keyed hash of a cookie's token → visit.
    Visit = 21,
    /// `ContactId`, hash of a cookie's token → nothing; the visits of a contact.
    VisitByContact = 22,
    /// hash of a single-use token (a password to be set, a magic link) → ticket.
    Ticket = 23,
    /// keyed hash of a purpose and a subject → counted guesses and requests.
    Guesses = 24,
    /// `GrantId`, moment, `GuestReplyId` → a reply of the guest.
    Reply = 25,
    /// `ContactId`, `GrantId` → what a guest has typed and not sent.
    Draft = 26,
    /// `QuestionId` → a question to a sender, with the message that waits for its answer.
    Question = 27,
    /// due moment, `QuestionId` → nothing.
    QuestionDue = 28,
    /// due moment, `TransactionId` → nothing; messages whose status mail is to be sent.
    StatusDue = 29,
    /// `TransactionId`, moment, random octets → what happened to a message (opened, downloaded, replied, revoked).
    History = 30,
    /// end of life, kind, id → nothing; what portal records (visits, tickets, replies, drafts, messages) end when.
    PortalEnd = 31,
    /// keyed hash of a message and of a mail about it → nothing; orders that were carried out, so that none is twice.
    Heard = 32,
    /// keyed hash of a sender's address → keyed hashes of small pictures in their texts, and how often each was seen.
    SeenPictures = 33,
    /// keyed hash of a sender and a subject, `TransactionId` → nothing; the messages that a recall may mean.
    Recallable = 34,
    /// `GrantId` → whose sender is told when it is opened, or where it is not.
    Watch = 35,
    /// due moment, `GrantId` → nothing; rights that are to be looked at for being unread.
    WatchDue = 36,
    /// `TransactionId`, `QuestionId` → nothing; the questions that a message raised and nobody has answered.
    QuestionOf = 37,
    /// `StaffId` → the names of an account's mailboxes.
    MailCatalogue = 38,
    /// `MailboxId` → its numbers: UIDs, changes, counts.
    MailHead = 39,
    /// `MailboxId`, number of the page → the rows of 64 UIDs.
    MailPage = 40,
    /// `MailboxId`, number of a change → the pages that it touched and the UIDs that vanished.
    MailMark = 41,
    /// `MailId` → where the octets are, and what is asked of most messages.
    MailContent = 42,
    /// `MailId` → how many rows name it, where that is more than one.
    MailHolders = 43,
    /// `StaffId`, keyed hash of a Message-ID → a secured message in Sent, and what takes its place when its documents end.
    MailSent = 44,
    /// `TransactionId`, key of a message in Sent → nothing; where a message stands in Sent, to end it with its last right.
    MailSentOf = 45,
    /// `StaffId` → the app passwords of a staff account.
    StaffAppPasswords = 46,
}

/// Where a record is: a table and the octets of its id. The octets hold ids, times and keyed hashes only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Which kind of record.
    pub table: Table,
    /// At most 64 octets.
    pub octets: Vec<u8>,
}

impl Key {
    /// The longest key, in octets.
    pub const LONGEST: usize = 64;

    /// The key made of these pieces.
    pub fn new(table: Table, pieces: &[&[u8]]) -> Self {
        Self { table, octets: pieces.concat() }
    }
}

/// A type that is kept in the store: postcard behind one octet of version. Reading an old version is
/// the type's own business and is tested.
pub trait Stored: Serialize + DeserializeOwned {
    /// The version written today.
    const VERSION: u8;

    /// Reads what an older version wrote; `None` where that version never was.
    fn upgrade(_version: u8, _octets: &[u8]) -> Option<Self> {
        None
    }
}

/// A record as read, with the version that a conditional commit can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<T> {
    /// The sequence number of the commit that wrote it.
    pub version: u64,
    /// What was written.
    pub value: T,
}

/// The octets of a stored value: its version, then postcard. `None` for a type postcard cannot write.
pub(super) fn encode<T: Stored>(value: &T) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(1 + postcard::experimental::serialized_size(value).ok()?);
    octets.push(T::VERSION);
    postcard::to_extend(value, octets).ok()
}

/// The inverse of [`encode`], for this version and those the type can still read.
pub(super) fn decode<T: Stored>(octets: &[u8]) -> Option<T> {
    let (version, rest) = octets.split_first()?;
    if *version == T::VERSION { postcard::from_bytes(rest).ok() } else { T::upgrade(*version, rest) }
}
