//! What was committed lately, in memory, before it is poured into the index's files.
//!
//! Most records of a mail gateway live for a moment: a queue entry is written, delivered and removed. What comes and goes
//! between two pours never reaches the files at all; it was durable all the while, in the journal.

use std::collections::{BTreeMap, btree_map};
use std::ops::Bound;

use bytes::Bytes;

use crate::store::StoreError;

/// The last write to a record.
pub struct Latest {
    /// The commit that made it.
    pub version: u64,
    /// What was written; `None` for removed.
    pub octets: Option<Bytes>,
    /// Whether the files have the record, in whatever version.
    below: bool,
}

impl Latest {
    fn size(&self) -> usize {
        self.octets.as_ref().map_or(0, Bytes::len)
    }
}

/// The last write to each record that was written since the last pour.
#[derive(Default)]
pub struct Recent {
    writes: BTreeMap<Vec<u8>, Latest>,
    held: usize,
    taken: usize,
    mark: Option<u64>,
}

impl Recent {
    /// Takes a write; `below` tells whether the files have the record, and is asked at its first write only.
    pub fn put(
        &mut self,
        key: Vec<u8>,
        version: u64,
        octets: Option<&[u8]>,
        below: impl FnOnce(&[u8]) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let size = octets.map_or(0, <[u8]>::len);
        self.taken += key.len() + size;
        let before = self.writes.get(&key);
        let below = before.map_or_else(|| below(&key), |before| Ok(before.below))?;
        self.held = self.held + size - before.map_or(0, Latest::size);
        if octets.is_none() && !below {
            self.writes.remove(&key);
        } else {
            self.writes.insert(key, Latest { version, octets: octets.map(Bytes::copy_from_slice), below });
        }
        Ok(())
    }

    /// Everything up to this commit was taken.
    pub fn reached(&mut self, mark: u64) {
        self.mark = Some(mark);
    }

    /// The last commit that was taken; `None` where none was since the last pour.
    pub fn mark(&self) -> Option<u64> {
        self.mark
    }

    /// Octets of the records held.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Octets taken since the last pour, those that came and went too: what a start after a crash reads again.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// The last write to a record; `None` where the files know better.
    pub fn find(&self, key: &[u8]) -> Option<&Latest> {
        self.writes.get(key)
    }

    /// The writes to records with `from <= key < end`, in order.
    pub fn range(&self, from: &[u8], end: &[u8]) -> btree_map::Range<'_, Vec<u8>, Latest> {
        let bounds = (Bound::Included(from), Bound::Excluded(end.max(from)));
        self.writes.range::<[u8], _>(bounds)
    }

    /// All writes.
    pub fn all(&self) -> impl Iterator<Item = (&Vec<u8>, &Latest)> {
        self.writes.iter()
    }
}
