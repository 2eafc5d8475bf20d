//! A mailbox as of one moment: rows in the order of their UIDs. Never changes; cheap to clone.

use std::ops::Range;
use std::sync::Arc;

use crate::id::{MailId, MailboxId};
use crate::mailbox::flags::{FlagSet, Keyword, SystemFlags};
use crate::mailbox::page::{PAGE_UIDS, Page};
use crate::mailbox::records::Head;
use crate::mailbox::{ModSeq, Uid};
use crate::time::Timestamp;

/// A message in a mailbox, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub uid: Uid,
    /// The last change of it.
    pub modseq: ModSeq,
    /// Its flags.
    pub flags: SystemFlags,
    /// Its keywords: bit n is the mailbox's keyword n.
    pub keywords: u64,
    /// When it came here (INTERNALDATE).
    pub date: Timestamp,
    /// Its length in octets.
    pub octets: u64,
    /// What it is (EMAILID): the same for all copies.
    pub mail: MailId,
}

/// A mailbox as of one moment.
#[derive(Clone)]
pub struct View(Arc<Inner>);

struct Inner {
    id: MailboxId,
    /// The head, and the commit that wrote it.
    head: Head,
    version: u64,
    /// Pages that have rows, ascending.
    pages: Vec<Arc<Page>>,
    /// For each page, how many rows stand before it.
    starts: Vec<usize>,
}

impl View {
    pub(super) fn new(id: MailboxId, head: Head, version: u64, pages: Vec<Arc<Page>>) -> Self {
        let mut before = 0;
        let starts = pages.iter().map(|page| {
            let start = before;
            before += page.rows.len();
            start
        });
        let starts = starts.collect();
        Self(Arc::new(Inner { id, head, version, pages, starts }))
    }

    /// Which mailbox (MAILBOXID).
    pub fn id(&self) -> MailboxId {
        self.0.id
    }

    /// UIDVALIDITY.
    pub fn validity(&self) -> u32 {
        self.0.head.validity
    }

    /// UIDNEXT: greater than every UID that was ever given here.
    pub fn uid_next(&self) -> Uid {
        self.0.head.uid_next
    }

    /// HIGHESTMODSEQ.
    pub fn modseq(&self) -> ModSeq {
        self.0.head.modseq
    }

    /// Octets of all messages.
    pub fn octets(&self) -> u64 {
        self.0.head.octets
    }

    /// How many are not seen.
    pub fn unseen(&self) -> u32 {
        self.0.head.unseen
    }

    /// The keywords in use, or once in use, here; a row's bit n is the nth.
    pub fn keywords(&self) -> &[Keyword] {
        &self.0.head.keywords
    }

    /// How many messages.
    pub fn len(&self) -> usize {
        let Inner { pages, starts, .. } = &*self.0;
        pages.last().zip(starts.last()).map_or(0, |(page, start)| start + page.rows.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.pages.is_empty()
    }

    /// The row at a position, counted from 0 (a sequence number is one more).
    pub fn row(&self, position: usize) -> Option<&Row> {
        let Inner { pages, starts, .. } = &*self.0;
        let at = starts.partition_point(|start| *start <= position).checked_sub(1)?;
        pages[at].rows.get(position - starts[at])
    }

    /// Where a message stands, counted from 0.
    pub fn position(&self, uid: Uid) -> Option<usize> {
        let at = self.page_at(uid)?;
        let row = self.0.pages[at].rows.binary_search_by_key(&uid, |row| row.uid).ok()?;
        Some(self.0.starts[at] + row)
    }

    /// How many messages have a smaller UID: where this one stands, or would stand.
    pub fn position_or_next(&self, uid: Uid) -> usize {
        let Inner { pages, starts, .. } = &*self.0;
        let at = pages.partition_point(|page| page.number < uid / PAGE_UIDS);
        match pages.get(at) {
            Some(page) => starts[at] + page.rows.partition_point(|row| row.uid < uid),
            None => self.len(),
        }
    }

    /// A message by its UID.
    pub fn find(&self, uid: Uid) -> Option<&Row> {
        let page = &self.0.pages[self.page_at(uid)?];
        page.rows.binary_search_by_key(&uid, |row| row.uid).ok().map(|at| &page.rows[at])
    }

    fn page_at(&self, uid: Uid) -> Option<usize> {
        self.0.pages.binary_search_by_key(&(uid / PAGE_UIDS), |page| page.number).ok()
    }

    /// All rows, by ascending UID.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.0.pages.iter().flat_map(|page| page.rows.iter())
    }

    /// The rows of these positions, with them, as far as there are such.
    pub fn rows_in(&self, positions: Range<usize>) -> impl Iterator<Item = (usize, &Row)> {
        let Inner { pages, starts, .. } = &*self.0;
        let first = starts.partition_point(|start| *start <= positions.start).saturating_sub(1);
        let before = starts.get(first).copied().unwrap_or_default();
        let rows = pages[first..].iter().flat_map(|page| page.rows.iter());
        (before..positions.end).zip(rows).skip(positions.start.saturating_sub(before))
    }

    /// The position of the first message that is not seen.
    pub fn first_unseen(&self) -> Option<usize> {
        self.rows().position(|row| !row.flags.has(SystemFlags::SEEN))
    }

    /// The flags of a row as written: system flags, then keywords.
    pub fn flags<'a>(&'a self, row: &Row) -> impl Iterator<Item = &'a str> + use<'a> {
        let (system, bits) = (row.flags, row.keywords);
        let keywords = self.keywords().iter().enumerate().filter(move |(at, _)| bits >> at & 1 == 1);
        let system = system.names().map(|name| -> &'a str { name });
        system.chain(keywords.map(|(_, keyword)| keyword.as_str()))
    }

    /// The flags and keywords of a row.
    pub fn flag_set(&self, row: &Row) -> FlagSet {
        let keywords = self.keywords().iter().enumerate().filter(|(at, _)| row.keywords >> at & 1 == 1);
        FlagSet { system: row.flags, keywords: keywords.map(|(_, keyword)| keyword.clone()).collect() }
    }

    /// Whether a row has this keyword.
    pub fn has_keyword(&self, row: &Row, keyword: &Keyword) -> bool {
        let at = self.keywords().iter().position(|known| known == keyword);
        at.is_some_and(|at| row.keywords >> at & 1 == 1)
    }

    pub(super) fn head(&self) -> &Head {
        &self.0.head
    }

    /// The commit that wrote the head.
    pub(super) fn version(&self) -> u64 {
        self.0.version
    }

    pub(super) fn pages(&self) -> &[Arc<Page>] {
        &self.0.pages
    }
}

/// Shows numbers; keywords are a person's own words.
impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View")
            .field("id", &self.0.id)
            .field("len", &self.len())
            .field("modseq", &self.modseq())
            .finish()
    }
}
