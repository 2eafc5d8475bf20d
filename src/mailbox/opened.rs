//! Mailboxes in memory: one view for all sessions, brought up to date when it is asked for.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{Mutex as Gate, watch};

use crate::id::{Id, MailboxId, OwnerId};
use crate::mailbox::page::{Page, StoredPage};
use crate::mailbox::records::{Head, Mark, behind};
use crate::mailbox::{MailboxError, Mailboxes, ModSeq, Uid, Uids, View};
use crate::store::{Record, Table};

/// Mailboxes that stay in memory after their last session has gone.
const KEPT: usize = 16;
/// Messages of all mailboxes that stay, together: about 14 MB.
const KEPT_ROWS: usize = 200_000;
/// Pages read before others get their turn on the thread.
const AT_ONCE: usize = 64;

/// The mailboxes in memory.
#[derive(Default)]
pub(super) struct Shelf(Mutex<Books>);

#[derive(Default)]
struct Books {
    known: HashMap<MailboxId, Weak<Opened>>,
    /// Those asked for last, newest first.
    kept: VecDeque<Arc<Opened>>,
    /// From which UID on messages are `\Recent` to whoever asks next; since the start of the process.
    recent: HashMap<MailboxId, Uid>,
}

struct Opened {
    /// Counts what was told of it.
    changes: watch::Sender<u64>,
    /// What was read last.
    read: Gate<Option<View>>,
    /// How many rows it had when it was read last.
    rows: AtomicUsize,
}

impl Shelf {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, id: MailboxId) -> Arc<Opened> {
        let mut books = self.books();
        let found = books.known.get(&id).and_then(Weak::upgrade);
        let opened = found.unwrap_or_else(|| {
            let changes = watch::Sender::new(0);
            let opened = Arc::new(Opened { changes, read: Gate::default(), rows: Default::default() });
            books.known.retain(|_, opened| opened.strong_count() > 0);
            books.known.insert(id, Arc::downgrade(&opened));
            opened
        });
        books.kept.retain(|kept| !Arc::ptr_eq(kept, &opened));
        books.kept.push_front(Arc::clone(&opened));
        let mut rows = 0;
        let fit = books.kept.iter().take(KEPT).take_while(|kept| {
            rows += kept.rows.load(Ordering::Relaxed);
            rows <= KEPT_ROWS
        });
        let fit = fit.count();
        books.kept.truncate(fit);
        opened
    }

    /// Tells those who wait that this mailbox has changed.
    pub fn tell(&self, id: MailboxId) {
        let opened = self.books().known.get(&id).and_then(Weak::upgrade);
        if let Some(opened) = opened {
            opened.changes.send_modify(|changes| *changes += 1);
        }
    }

    /// Forgets a mailbox that is no more.
    pub fn forget(&self, id: MailboxId) {
        self.books().recent.remove(&id);
    }

    /// From which UID on messages are `\Recent`, as far as sessions have asked.
    pub fn recent_from(&self, id: MailboxId) -> Option<Uid> {
        self.books().recent.get(&id).copied()
    }
}

/// What has become of a mailbox since a change that a client knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// UIDs that are gone: exactly those that vanished since, while that is remembered (about a thousand changes), else
    /// every UID below UIDNEXT that is not there.
    pub vanished: Uids,
    /// UIDs of messages that came or changed since, ascending.
    pub changed: Vec<Uid>,
}

/// A mailbox that a session has open. Cheap to clone.
#[derive(Clone)]
pub struct OpenMailbox {
    mailboxes: Mailboxes,
    owner: OwnerId,
    id: MailboxId,
    opened: Arc<Opened>,
}

impl Mailboxes {
    /// Opens a mailbox. It is read when its view is first asked for.
    ///
    /// # Errors
    /// [`MailboxError::Missing`] where it is not this account's.
    pub async fn open(&self, owner: OwnerId, id: MailboxId) -> Result<OpenMailbox, MailboxError> {
        self.head(owner, id).await?;
        Ok(OpenMailbox { mailboxes: self.clone(), owner, id, opened: self.shelf.take(id) })
    }

    /// The head of a mailbox of this account.
    pub(super) async fn head(&self, owner: OwnerId, id: MailboxId) -> Result<Record<Head>, MailboxError> {
        let found = self.store.get::<Head>(&Head::key(id)).await?;
        found.filter(|head| head.value.owner == owner).ok_or(MailboxError::Missing)
    }

    async fn read_pages(&self, id: MailboxId) -> Result<BTreeMap<u32, Arc<Page>>, MailboxError> {
        let (mut from, to) = (id.octets().to_vec(), behind(id));
        let mut pages = BTreeMap::new();
        loop {
            let found = self.store.scan::<StoredPage>(Table::MailPage, &from, &to, AT_ONCE).await?;
            let Some((last, _)) = found.last() else { return Ok(pages) };
            from = [last.as_slice(), &[0]].concat();
            for (key, record) in found {
                if let Some(number) = Page::number_in(&key) {
                    pages.insert(number, Arc::new(Page::of_stored(number, record.value)));
                }
            }
            tokio::task::yield_now().await;
        }
    }

    /// The numbers of the pages that changed after `since`; `None` where that is not remembered.
    async fn touched(&self, id: MailboxId, head: &Head, since: ModSeq) -> Result<Option<Vec<u32>>, MailboxError> {
        let marks = self.marks(id, head, since).await?;
        Ok(marks.map(|marks| together(&marks, |mark| &mark.pages).iter().collect()))
    }

    async fn marks(&self, id: MailboxId, head: &Head, since: ModSeq) -> Result<Option<Vec<Mark>>, MailboxError> {
        if since.saturating_add(1) < head.marked_from {
            return Ok(None);
        }
        let (from, to) = (Mark::key(id, since.saturating_add(1)), behind(id));
        let found = self.store.scan::<Mark>(Table::MailMark, &from.octets, &to, usize::MAX).await?;
        Ok(Some(found.into_iter().map(|(_, record)| record.value).collect()))
    }

    /// The mailbox as committed now; `known` is what was read of it before.
    async fn read_view(&self, owner: OwnerId, id: MailboxId, known: Option<View>) -> Result<View, MailboxError> {
        let mut head = self.head(owner, id).await?;
        if let Some(known) = known.as_ref().filter(|known| known.version() == head.version) {
            return Ok(known.clone());
        }
        let mut pages: Option<BTreeMap<u32, Arc<Page>>> =
            known.as_ref().map(|known| known.pages().iter().map(|page| (page.number, Arc::clone(page))).collect());
        let mut since = known.map_or(0, |known| known.modseq());
        loop {
            let touched = self.touched(id, &head.value, since).await?;
            match (&mut pages, touched) {
                (Some(pages), Some(touched)) => {
                    for number in touched {
                        let record = self.store.get::<StoredPage>(&Page::key(id, number)).await?;
                        match record {
                            Some(record) => {
                                pages.insert(number, Arc::new(Page::of_stored(number, record.value)));
                            }
                            None => drop(pages.remove(&number)),
                        }
                    }
                }
                (pages, _) => *pages = Some(self.read_pages(id).await?),
            }
            // What was committed while it was read is read again: a view is of one moment.
            since = head.value.modseq;
            let again = self.head(owner, id).await?;
            let settled = again.version == head.version;
            head = again;
            if settled {
                break;
            }
        }
        let pages = pages.unwrap_or_default().into_values().collect();
        Ok(View::new(id, head.value, head.version, pages))
    }
}

fn together(marks: &[Mark], of: impl Fn(&Mark) -> &Uids) -> Uids {
    Uids::of_ranges(marks.iter().flat_map(|mark| of(mark).ranges().iter().copied()))
}

impl OpenMailbox {
    /// Which mailbox.
    pub fn id(&self) -> MailboxId {
        self.id
    }

    /// Whose it is.
    pub fn owner(&self) -> OwnerId {
        self.owner
    }

    /// The mailbox as committed now. Where nothing has changed one record is read, after a change what changed.
    ///
    /// # Errors
    /// [`MailboxError::Missing`] where it was deleted; [`MailboxError::Store`].
    pub async fn view(&self) -> Result<View, MailboxError> {
        let mut read = self.opened.read.lock().await;
        let view = self.mailboxes.read_view(self.owner, self.id, read.take()).await?;
        self.opened.rows.store(view.len(), Ordering::Relaxed);
        *read = Some(view.clone());
        Ok(view)
    }

    /// A number that changes when the mailbox may have changed: what IDLE waits for. When it was deleted the number
    /// changes, too, and [`OpenMailbox::view`] says so.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.opened.changes.subscribe()
    }

    /// The messages of this view that are `\Recent` to the session that asks, and from now on to no other.
    pub fn claim_recent(&self, view: &View) -> Range<Uid> {
        let mut books = self.mailboxes.shelf.books();
        let from = books.recent.entry(self.id).or_insert(view.head().recent_from);
        let recent = *from..view.uid_next().max(*from);
        *from = recent.end;
        recent
    }

    /// Those that [`OpenMailbox::claim_recent`] would claim: what EXAMINE shows, and leaves to the next.
    pub fn unclaimed_recent(&self, view: &View) -> Range<Uid> {
        let from = self.mailboxes.shelf.recent_from(self.id).unwrap_or(view.head().recent_from);
        from..view.uid_next().max(from)
    }

    /// What has become of the mailbox since change `since`, as of this view (RFC 7162: CHANGEDSINCE, VANISHED).
    ///
    /// # Errors
    /// [`MailboxError::Store`].
    pub async fn past(&self, view: &View, since: ModSeq) -> Result<Past, MailboxError> {
        let changed = view.rows().filter(|row| row.modseq > since).map(|row| row.uid).collect();
        let vanished = match self.mailboxes.marks(self.id, view.head(), since).await? {
            Some(marks) => {
                let gone = together(&marks, |mark| &mark.vanished);
                // A mark may be younger than the view.
                gone.iter().filter(|uid| view.find(*uid).is_none()).collect()
            }
            None => view.rows().map(|row| row.uid).collect::<Uids>().complement(view.uid_next().saturating_sub(1)),
        };
        Ok(Past { vanished, changed })
    }
}
