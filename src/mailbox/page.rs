//! Pages: the rows of 64 UIDs, one record each.

use serde::{Deserialize, Serialize};

use crate::id::{Id, MailId, MailboxId};
use crate::mailbox::flags::SystemFlags;
use crate::mailbox::{ModSeq, Row, Uid};
use crate::store::{Key, Stored, Table};
use crate::time::Timestamp;

/// UIDs of one page: a full one fits into one piece of the index.
pub(super) const PAGE_UIDS: Uid = 64;

/// The rows whose UIDs are from `number` × 64 on, as many of the 64 as are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    pub number: u32,
    /// By ascending UID.
    pub rows: Vec<Row>,
}

/// A page as stored; its number stands in its key.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredPage(Vec<StoredRow>);

/// A row as stored: the place in the page for the UID.
#[derive(Serialize, Deserialize)]
struct StoredRow(u8, ModSeq, SystemFlags, u64, Timestamp, u64, MailId);

impl Stored for StoredPage {
    const VERSION: u8 = 1;
}

impl Page {
    /// The number of the page in which a UID stands.
    pub fn number_of(uid: Uid) -> u32 {
        uid / PAGE_UIDS
    }

    pub fn empty(number: u32) -> Self {
        Self { number, rows: Vec::new() }
    }

    pub fn key(mailbox: MailboxId, number: u32) -> Key {
        Key::new(Table::MailPage, &[mailbox.octets(), &number.to_be_bytes()])
    }

    /// The number in a key's octets.
    pub fn number_in(key: &[u8]) -> Option<u32> {
        Some(u32::from_be_bytes(*key.get(16..)?.first_chunk::<4>()?))
    }

    /// As it is stored.
    pub fn to_stored(&self) -> StoredPage {
        let row = |row: &Row| {
            let place = (row.uid % PAGE_UIDS) as u8;
            StoredRow(place, row.modseq, row.flags, row.keywords, row.date, row.octets, row.mail)
        };
        StoredPage(self.rows.iter().map(row).collect())
    }

    /// The inverse of [`Page::to_stored`].
    pub fn of_stored(number: u32, stored: StoredPage) -> Self {
        let row = |StoredRow(place, modseq, flags, keywords, date, octets, mail)| Row {
            uid: number.saturating_mul(PAGE_UIDS).saturating_add(u32::from(place)),
            modseq,
            flags,
            keywords,
            date,
            octets,
            mail,
        };
        Self { number, rows: stored.0.into_iter().map(row).collect() }
    }

    /// The row of a UID.
    pub fn row_mut(&mut self, uid: Uid) -> Option<&mut Row> {
        let at = self.rows.binary_search_by_key(&uid, |row| row.uid).ok()?;
        self.rows.get_mut(at)
    }
}
