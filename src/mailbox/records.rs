//! What an account's mailboxes leave in the store, and under which keys.

use std::borrow::Cow;
use std::collections::BTreeSet;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::anatomy::Anatomy;
use crate::blob::ObjectRef;
use crate::id::{BlobId, Id, MailId, MailboxId, OwnerId, ThreadId};
use crate::keyring::Capsule;
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
    /// Names of others' mailboxes that are not subscribed, as those are unless somebody says so.
    pub declined: BTreeSet<MailboxName>,
}

/// The same as version 1 wrote it.
#[derive(Serialize, Deserialize)]
struct CatalogueV1 {
    entries: Vec<Entry>,
    subscribed: BTreeSet<MailboxName>,
    last_validity: u32,
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
    const VERSION: u8 = 2;

    fn upgrade(version: u8, octets: &[u8]) -> Option<Self> {
        let CatalogueV1 { entries, subscribed, last_validity } = match version {
            1 => postcard::from_bytes(octets).ok()?,
            _ => return None,
        };
        Some(Self { entries, subscribed, last_validity, declined: BTreeSet::new() })
    }
}

impl Catalogue {
    pub fn key(owner: OwnerId) -> Key {
        Key::new(Table::MailCatalogue, &[owner.octets()])
    }

    pub fn find(&self, name: &MailboxName) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == *name)
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
    pub owner: OwnerId,
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
    pub fn new(owner: OwnerId, validity: u32) -> Self {
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

/// A message: where its octets are, and what is asked of most messages. First stands what searches ask of each, so that they
/// need not read the rest ([`Brief`]).
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Content {
    /// THREADID.
    pub thread: ThreadId,
    /// Its header section as it stands, with the empty line; nothing where that is very long.
    pub header: Bytes,
    /// The beginning of its text.
    pub preview: String,
    /// Its octets.
    pub source: Source,
    /// What it is made of.
    pub anatomy: Anatomy,
}

/// The same as version 1 wrote it.
#[derive(Serialize, Deserialize)]
struct ContentV1 {
    source: Source,
    thread: ThreadId,
    anatomy: Anatomy,
    header: Bytes,
    preview: String,
}

/// What [`Content`] begins with.
#[derive(Deserialize)]
pub struct Brief<'a> {
    thread: ThreadId,
    #[serde(borrow)]
    header: Cow<'a, [u8]>,
}

impl<'a> Brief<'a> {
    /// Of a record's octets; `None` where they are of no known version.
    pub(super) fn of(octets: &'a [u8]) -> Option<Self> {
        let (version, rest) = octets.split_first()?;
        if *version == Content::VERSION {
            return postcard::take_from_bytes(rest).ok().map(|(brief, _)| brief);
        }
        let Content { thread, header, .. } = Content::upgrade(*version, rest)?;
        Some(Self { thread, header: Cow::Owned(header.into()) })
    }

    /// THREADID.
    pub fn thread(&self) -> ThreadId {
        self.thread
    }

    /// Its header section with the empty line; `None` where that is very long, or there is none at all.
    pub fn header(&self) -> Option<&[u8]> {
        Some(&*self.header).filter(|header| !header.is_empty())
    }
}

/// Where the octets of a message are.
#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Source {
    /// One object holds them all.
    Object(ObjectRef),
    /// The same, until a day.
    Until {
        /// [`ObjectRef`].
        original: Capsule,
        /// The object's name: to be released also when nobody can open `original` any more.
        object: BlobId,
    },
}

silent_debug!(Content, Source, Brief<'_>);

impl Stored for Content {
    const VERSION: u8 = 2;

    fn upgrade(version: u8, octets: &[u8]) -> Option<Self> {
        let ContentV1 { source, thread, anatomy, header, preview } = match version {
            1 => postcard::from_bytes(octets).ok()?,
            _ => return None,
        };
        Some(Self { thread, header, preview, source, anatomy })
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anatomy::Anatomist;
    use crate::blob::ObjectRef;
    use crate::keyring::vectors::Vector;
    use crate::mailbox::page::{Page, StoredPage};
    use crate::mailbox::{FlagSet, Row};
    use crate::store::decode;
    use crate::time::Timestamp;

    fn written<T: Stored>(value: &T) -> Vec<u8> {
        [&[T::VERSION], postcard::to_allocvec(value).unwrap().as_slice()].concat()
    }

    #[test]
    fn records_of_mailboxes_are_read_as_they_were_written() {
        let mut vector = Vector::read("mailbox");
        let (owner, id, mail) =
            (OwnerId::from_octets([1; 16]), MailboxId::from_octets([2; 16]), MailId::from_octets([3; 16]));
        let name = |text| MailboxName::parse(text).unwrap();
        let entry = Entry { id, name: name("Sent"), special: Some(SpecialUse::Sent) };
        let first = CatalogueV1 { entries: vec![entry.clone()], subscribed: [name("Sent")].into(), last_validity: 9 };
        let declined: BTreeSet<_> = [name("Workgroups/Desk/Sent")].into();
        let catalogue =
            Catalogue { entries: vec![entry], subscribed: [name("Sent")].into(), last_validity: 9, declined };
        vector.octets("catalogue_key", &Catalogue::key(owner).octets);
        let octets_1 =
            vector.octets("catalogue_1", &[&[1], postcard::to_allocvec(&first).unwrap().as_slice()].concat());
        let octets_2 = vector.octets("catalogue_2", &written(&catalogue));
        for (octets, declined) in [(octets_1, BTreeSet::new()), (octets_2, catalogue.declined)] {
            let read = decode::<Catalogue>(Table::MailCatalogue, &octets).unwrap();
            assert_eq!(
                read.find(&name("Sent")).map(|entry| (entry.id, entry.special)),
                Some((id, Some(SpecialUse::Sent)))
            );
            assert_eq!((read.declined, read.last_validity), (declined, 9));
        }

        let mut flags = FlagSet::default();
        ["\\Seen", "\\Draft", "$Work"].iter().for_each(|text| flags.add(text).unwrap());
        let head = Head { keywords: flags.keywords, uid_next: 66, modseq: 7, octets: 300, ..Head::new(owner, 9) };
        vector.octets("head_key", &Head::key(id).octets);
        let octets = vector.octets("head_1", &written(&head));
        let read = decode::<Head>(Table::MailHead, &octets).unwrap();
        assert_eq!((read.owner, read.uid_next, read.modseq, read.keywords), (owner, 66, 7, head.keywords));

        let date = Timestamp::from_secs(20_000 * 86_400);
        let row = Row { uid: 65, modseq: 7, flags: flags.system, keywords: 1, date, octets: 300, mail };
        let page = Page { number: 1, rows: vec![row] };
        vector.octets("page_key", &Page::key(id, 1).octets);
        let octets = vector.octets("page_1", &written(&page.to_stored()));
        assert_eq!(Page::of_stored(1, decode::<StoredPage>(Table::MailPage, &octets).unwrap()), page);

        let mark = Mark { pages: Uids::one(1), vanished: Uids::of_ranges([(3, 5), (64, 64)]) };
        vector.octets("mark_key", &Mark::key(id, 7).octets);
        let octets = vector.octets("mark_1", &written(&mark));
        assert_eq!(decode::<Mark>(Table::MailMark, &octets).unwrap().vanished, mark.vanished);

        let mut anatomist = Anatomist::default();
        anatomist.feed(b"Subject: a\r\n\r\nHello\r\n");
        let seen = anatomist.finish();
        let object = [[4; 16].as_slice(), &[21, 0], &[5; 32]].concat();
        let object: ObjectRef = postcard::from_bytes(&object).unwrap();
        let thread = ThreadId::from_octets([6; 16]);
        let (header, anatomy, preview) = (Bytes::from(seen.header), seen.anatomy, seen.preview);
        let first = ContentV1 {
            source: Source::Object(object.clone()),
            thread,
            anatomy: anatomy.clone(),
            header: header.clone(),
            preview: preview.clone(),
        };
        let content = Content {
            thread,
            header: header.clone(),
            preview,
            source: Source::Object(object),
            anatomy: anatomy.clone(),
        };
        vector.octets("content_key", &Content::key(mail).octets);
        let octets_1 = vector.octets("content_1", &[&[1], postcard::to_allocvec(&first).unwrap().as_slice()].concat());
        let octets_2 = vector.octets("content_2", &written(&content));
        for octets in [octets_1, octets_2] {
            let read = decode::<Content>(Table::MailContent, &octets).unwrap();
            assert_eq!((read.thread, read.preview.as_str(), &read.header), (thread, "Hello", &header));
            assert!(read.anatomy == anatomy && matches!(read.source, Source::Object(_)));
            let brief = Brief::of(&octets).unwrap();
            assert_eq!((brief.thread(), brief.header()), (thread, Some(&header[..])));
        }
        assert!(Brief::of(&[3, 0]).is_none() && Brief::of(&[]).is_none());
        vector.octets("holders_1", &written(&Holders(2)));
        vector.finish();
    }
}
