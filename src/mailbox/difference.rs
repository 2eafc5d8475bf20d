//! What differs between two views of one mailbox.

use std::sync::Arc;

use crate::mailbox::page::Page;
use crate::mailbox::{Row, Uid, View};

/// What has changed from an earlier view to a later one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// What is gone: its position in the earlier view (from 0) and UID, the last one first: told in this order, each
    /// position is right as it stands.
    pub vanished: Vec<(usize, Uid)>,
    /// How many came.
    pub arrived: usize,
    /// UIDs of those in both views whose flags or keywords have changed, ascending; also where they are as they were by now,
    /// since who looked in between has seen others.
    pub changed: Vec<Uid>,
}

impl Difference {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.vanished.is_empty() && self.arrived == 0 && self.changed.is_empty()
    }
}

impl View {
    /// What has changed since an earlier view of the same mailbox. Costs what the pages that changed cost, and a look at
    /// each page.
    pub fn difference(&self, earlier: &Self) -> Difference {
        let mut found = Difference::default();
        let (mut before, mut after) = (earlier.pages().iter().peekable(), self.pages().iter().peekable());
        let mut position = 0;
        loop {
            let number = match (before.peek(), after.peek()) {
                (Some(old), Some(new)) => old.number.min(new.number),
                (Some(page), None) | (None, Some(page)) => page.number,
                (None, None) => break,
            };
            let old = before.next_if(|page| page.number == number);
            let new = after.next_if(|page| page.number == number);
            let same = old.zip(new).is_some_and(|(old, new)| Arc::ptr_eq(old, new));
            if !same {
                compare(old, new, position, earlier.uid_next(), &mut found);
            }
            position += old.map_or(0, |page| page.rows.len());
        }
        found.vanished.reverse();
        found
    }
}

fn rows(page: Option<&Arc<Page>>) -> std::slice::Iter<'_, Row> {
    page.map_or(&[][..], |page| &page.rows).iter()
}

/// Compares two states of one page; the rows of the earlier one stand from `position` on.
fn compare(old: Option<&Arc<Page>>, new: Option<&Arc<Page>>, position: usize, next: Uid, found: &mut Difference) {
    let mut later = rows(new).peekable();
    for (at, row) in rows(old).enumerate() {
        while later.next_if(|new| new.uid < row.uid).is_some() {}
        match later.next_if(|new| new.uid == row.uid) {
            None => found.vanished.push((position + at, row.uid)),
            Some(new) if new.modseq != row.modseq => found.changed.push(row.uid),
            Some(_) => {}
        }
    }
    found.arrived += rows(new).filter(|row| row.uid >= next).count();
}
