//! A mailbox being changed in a batch: one change number, the pages it touches, one mark.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::id::{MailId, MailboxId, OwnerId};
use crate::mailbox::flags::{FlagSet, Keyword, MOST_KEYWORDS, SystemFlags};
use crate::mailbox::page::{Page, StoredPage};
use crate::mailbox::records::{Head, Mark};
use crate::mailbox::turn::held;
use crate::mailbox::{MailboxError, Mailboxes, ModSeq, Row, Uid};
use crate::store::{Batch, Key, Stored, decode};
use crate::time::Timestamp;

/// Changes that are remembered: who was away for longer is told what is gone by what is there.
const REMEMBERED: u64 = 1000;

/// A mailbox being changed.
pub(super) struct Edit<'a> {
    mailboxes: &'a Mailboxes,
    id: MailboxId,
    /// The commit that wrote the head; `None` where the batch itself makes the mailbox.
    version: Option<u64>,
    head: Head,
    /// The pages it touches, as they will be.
    pages: BTreeMap<u32, Page>,
    vanished: Vec<Uid>,
    changed: bool,
}

/// A message as it will stand in a mailbox.
#[derive(Debug, Clone)]
pub(super) struct Incoming {
    pub flags: SystemFlags,
    pub keywords: Vec<Keyword>,
    pub date: Timestamp,
    pub octets: u64,
    pub mail: MailId,
}

impl Mailboxes {
    /// A record as the batch has it so far, and the commit that wrote it, if one did.
    pub(super) async fn in_batch<T: Stored>(
        &self,
        batch: &Batch,
        key: &Key,
    ) -> Result<Option<(T, Option<u64>)>, MailboxError> {
        let found = self.store.get::<T>(key).await?;
        let version = found.as_ref().map(|record| record.version);
        Ok(match batch.written(key) {
            Some(None) => None,
            Some(Some(octets)) => Some((decode(key.table, octets)?, version)),
            None => found.map(|record| (record.value, version)),
        })
    }

    /// Begins to change a mailbox of this account, whose turn the batch holds.
    pub(super) async fn edit(&self, batch: &Batch, owner: OwnerId, id: MailboxId) -> Result<Edit<'_>, MailboxError> {
        let found = self.in_batch::<Head>(batch, &Head::key(id)).await?;
        let (head, version) = found.filter(|(head, _)| head.owner == owner).ok_or(MailboxError::Missing)?;
        if let Some(turn) = held(batch, owner) {
            turn.touch(id);
        }
        let (pages, vanished) = (BTreeMap::new(), Vec::new());
        Ok(Edit { mailboxes: self, id, version, head, pages, vanished, changed: false })
    }
}

impl Edit<'_> {
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The number of this change.
    pub fn modseq(&self) -> ModSeq {
        self.head.modseq + 1
    }

    /// The bits of keywords; those that are new here get one.
    ///
    /// # Errors
    /// [`MailboxError::TooMany`] where there is no bit left.
    pub fn bits(&mut self, keywords: &[Keyword]) -> Result<u64, MailboxError> {
        let mut bits = 0;
        for keyword in keywords {
            let known = self.head.keywords.iter().position(|known| known == keyword);
            let at = known.unwrap_or(self.head.keywords.len());
            if at >= MOST_KEYWORDS {
                return Err(MailboxError::TooMany);
            }
            if known.is_none() {
                self.head.keywords.push(keyword.clone());
                self.changed = true;
            }
            bits |= 1 << at;
        }
        Ok(bits)
    }

    /// The bits of those keywords that are known here.
    pub fn known_bits(&self, flags: &FlagSet) -> u64 {
        let at = |keyword| self.head.keywords.iter().position(|known| known == keyword);
        flags.keywords.iter().filter_map(at).fold(0, |bits, at| bits | 1 << at)
    }

    /// Takes a page from a view that is as new as the turn.
    pub fn page(&mut self, page: &Page) -> &mut Page {
        self.pages.entry(page.number).or_insert_with(|| page.clone())
    }

    /// A page of a view that is as new as the turn, as the batch has it by now.
    ///
    /// # Errors
    /// [`MailboxError::Store`].
    pub fn newest<'p>(&self, batch: &Batch, page: &'p Page) -> Result<Cow<'p, Page>, MailboxError> {
        let key = Page::key(self.id, page.number);
        Ok(match batch.written(&key) {
            None => Cow::Borrowed(page),
            Some(None) => Cow::Owned(Page::empty(page.number)),
            Some(Some(octets)) => Cow::Owned(Page::of_stored(page.number, decode(key.table, octets)?)),
        })
    }

    async fn stored_page(&mut self, batch: &Batch, number: u32) -> Result<&mut Page, MailboxError> {
        if !self.pages.contains_key(&number) {
            let found = self.mailboxes.in_batch::<StoredPage>(batch, &Page::key(self.id, number)).await?;
            let page = found.map_or(Page::empty(number), |(stored, _)| Page::of_stored(number, stored));
            self.pages.insert(number, page);
        }
        Ok(self.pages.entry(number).or_insert_with(|| Page::empty(number)))
    }

    /// Adds a message at the end; its UID.
    ///
    /// # Errors
    /// [`MailboxError::TooMany`] where UIDs or keywords are used up.
    pub async fn add(&mut self, batch: &Batch, incoming: &Incoming) -> Result<Uid, MailboxError> {
        let Incoming { flags, keywords, date, octets, mail } = incoming;
        let uid = self.head.uid_next;
        let next = uid.checked_add(1).ok_or(MailboxError::TooMany)?;
        let keywords = self.bits(keywords)?;
        let modseq = self.modseq();
        let row = Row { uid, modseq, flags: *flags, keywords, date: *date, octets: *octets, mail: *mail };
        count(&mut self.head, &row, 1);
        self.head.uid_next = next;
        self.changed = true;
        self.stored_page(batch, Page::number_of(uid)).await?.rows.push(row);
        Ok(uid)
    }

    /// Changes the flags of a message of a page that was taken.
    pub fn set_flags(&mut self, uid: Uid, (flags, keywords): (SystemFlags, u64)) {
        let modseq = self.modseq();
        let row = self.pages.get_mut(&Page::number_of(uid)).and_then(|page| page.row_mut(uid));
        if let Some(row) = row {
            count(&mut self.head, row, -1);
            (row.flags, row.keywords, row.modseq) = (flags, keywords, modseq);
            count(&mut self.head, row, 1);
            self.changed = true;
        }
    }

    /// Takes a message out of a page that was taken.
    pub fn remove(&mut self, uid: Uid) {
        let Some(page) = self.pages.get_mut(&Page::number_of(uid)) else { return };
        if let Ok(at) = page.rows.binary_search_by_key(&uid, |row| row.uid) {
            let row = page.rows.remove(at);
            count(&mut self.head, &row, -1);
            self.vanished.push(uid);
            self.changed = true;
        }
    }

    /// Takes a message out of its page in the store.
    pub async fn remove_stored(&mut self, batch: &Batch, uid: Uid) -> Result<(), MailboxError> {
        self.stored_page(batch, Page::number_of(uid)).await?;
        self.remove(uid);
        Ok(())
    }

    /// Puts the change into the batch, if there is one; the change's number then.
    pub fn finish(mut self, batch: &mut Batch) -> Option<ModSeq> {
        if !self.changed {
            return None;
        }
        let modseq = self.modseq();
        self.head.modseq = modseq;
        let recent = self.mailboxes.shelf.recent_from(self.id).unwrap_or_default();
        self.head.recent_from = self.head.recent_from.max(recent);
        let key = Head::key(self.id);
        match self.version {
            Some(version) => batch.require_version(key.clone(), version),
            None => batch.require_absent(key.clone()),
        };
        for page in self.pages.values() {
            let key = Page::key(self.id, page.number);
            if page.rows.is_empty() {
                batch.delete(key)
            } else {
                batch.put(key, &page.to_stored())
            };
        }
        let mark = Mark { pages: self.pages.keys().copied().collect(), vanished: self.vanished.into_iter().collect() };
        batch.put(Mark::key(self.id, modseq), &mark);
        while modseq - self.head.marked_from >= REMEMBERED {
            batch.delete(Mark::key(self.id, self.head.marked_from));
            self.head.marked_from += 1;
        }
        batch.put(key, &self.head);
        Some(modseq)
    }
}

/// Counts a row in (1) or out (-1).
fn count(head: &mut Head, row: &Row, by: i32) {
    head.messages = head.messages.saturating_add_signed(by);
    head.octets = head.octets.saturating_add_signed(i64::try_from(row.octets).unwrap_or(i64::MAX) * i64::from(by));
    if !row.flags.has(SystemFlags::SEEN) {
        head.unseen = head.unseen.saturating_add_signed(by);
    }
    if row.flags.has(SystemFlags::DELETED) {
        head.deleted = head.deleted.saturating_add_signed(by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_go_both_ways() {
        let mut head = Head::new(crate::id::Id::from_octets([1; 16]), 1);
        let row = Row {
            uid: 1,
            modseq: 1,
            flags: SystemFlags::DELETED,
            keywords: 0,
            date: Timestamp::default(),
            octets: 10,
            mail: crate::id::Id::from_octets([2; 16]),
        };
        count(&mut head, &row, 1);
        assert_eq!((head.messages, head.unseen, head.deleted, head.octets), (1, 1, 1, 10));
        count(&mut head, &row, -1);
        assert_eq!((head.messages, head.unseen, head.deleted, head.octets), (0, 0, 0, 0));
    }
}
