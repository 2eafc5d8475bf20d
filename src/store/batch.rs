//! What one commit changes, what must be true for it, and how the journal writes it down.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::store::key::{Key, Stored, encode};

/// The largest record, in octets.
pub const LARGEST_RECORD: usize = 256 * 1024;
/// The largest batch, in octets of keys and values.
pub const LARGEST_BATCH: usize = 12 * 1024 * 1024;

/// What a commit relies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Absent,
    Version(u64),
}

/// What one commit changes, and what must be true for it. Of several writes to one key the last one counts.
#[derive(Clone, Default)]
pub struct Batch {
    pub(super) require: Vec<(Key, Expected)>,
    writes: BTreeMap<Key, Option<Vec<u8>>>,
    holds: Vec<Arc<dyn Any + Send + Sync>>,
    unwritable: bool,
    pub(super) frees_space: bool,
}

impl Batch {
    /// The commit fails with [`super::CommitError::Conflict`] unless there is no such record.
    pub fn require_absent(&mut self, key: Key) -> &mut Self {
        self.require.push((key, Expected::Absent));
        self
    }

    /// The commit fails with [`super::CommitError::Conflict`] unless the record was last written by this commit.
    pub fn require_version(&mut self, key: Key, version: u64) -> &mut Self {
        self.require.push((key, Expected::Version(version)));
        self
    }

    /// Writes a record of at most 256 KiB (the engine splits it to its own size).
    pub fn put<T: Stored>(&mut self, key: Key, value: &T) -> &mut Self {
        match encode(value) {
            Some(octets) => self.put_octets(key, octets),
            None => {
                self.unwritable = true;
                self
            }
        }
    }

    /// Writes octets as they are (at most 256 KiB).
    pub fn put_octets(&mut self, key: Key, octets: Vec<u8>) -> &mut Self {
        self.unwritable |= octets.len() > LARGEST_RECORD || key.octets.len() > Key::LONGEST;
        self.writes.insert(key, Some(octets));
        self
    }

    /// Removes a record; removing what is not there is no error.
    pub fn delete(&mut self, key: Key) -> &mut Self {
        self.writes.insert(key, None);
        self
    }

    /// Marks what ends something or settles it, and so makes room: it may use the reserve that new work must leave. A disk
    /// that is full would else stay full.
    pub fn frees_space(&mut self) -> &mut Self {
        self.frees_space = true;
        self
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// What this batch will have written under a key: `Some(None)` for removed, `None` for untouched.
    pub(crate) fn written(&self, key: &Key) -> Option<Option<&[u8]>> {
        self.writes.get(key).map(|octets| octets.as_deref())
    }

    /// Where it writes and deletes.
    #[cfg(test)]
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.writes.keys()
    }

    /// Keeps `guard` alive until the batch is committed, refused or dropped.
    pub(crate) fn hold(&mut self, guard: Arc<dyn Any + Send + Sync>) {
        self.holds.push(guard);
    }

    /// What of this type is kept alive by [`Batch::hold`].
    pub(crate) fn held<T: Any>(&self) -> impl Iterator<Item = &T> {
        self.holds.iter().filter_map(|held| held.downcast_ref())
    }

    pub(super) fn take_holds(&mut self) -> Vec<Arc<dyn Any + Send + Sync>> {
        std::mem::take(&mut self.holds)
    }

    /// The journal's record of it, after `lead` octets left free; `None` where something in it is too large.
    pub(super) fn to_changes(&self, lead: usize) -> Option<Vec<u8>> {
        let size: usize =
            self.writes.iter().map(|(key, octets)| 7 + key.octets.len() + octets.as_ref().map_or(0, Vec::len)).sum();
        if self.unwritable || size > LARGEST_BATCH {
            return None;
        }
        let mut out = Vec::with_capacity(lead + size);
        out.resize(lead, 0);
        for (key, octets) in &self.writes {
            out.extend_from_slice(&[key.table as u8, key.octets.len() as u8]);
            out.extend_from_slice(&key.octets);
            match octets {
                None => out.push(0),
                Some(octets) => {
                    out.push(1);
                    out.extend_from_slice(&(octets.len() as u32).to_be_bytes());
                    out.extend_from_slice(octets);
                }
            }
        }
        Some(out)
    }
}

/// One write as the journal tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change<'a> {
    /// The table's number; a newer Postern may know more tables.
    pub table: u8,
    /// The key's octets.
    pub key: &'a [u8],
    /// What was written; `None` for removed.
    pub octets: Option<&'a [u8]>,
}

/// Reads what [`Batch::to_changes`] wrote; ends early with `None` inside where it is cut short.
pub(super) fn changes(mut rest: &[u8]) -> impl Iterator<Item = Option<Change<'_>>> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let change = split_change(rest);
        rest = change.map_or(&[], |(_, after)| after);
        Some(change.map(|(change, _)| change))
    })
}

fn split_change(octets: &[u8]) -> Option<(Change<'_>, &[u8])> {
    let (&[table, length], rest) = octets.split_first_chunk::<2>()?;
    let (key, rest) = rest.split_at_checked(usize::from(length))?;
    let (&kind, rest) = rest.split_first()?;
    match kind {
        0 => Some((Change { table, key, octets: None }, rest)),
        1 => {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            let (octets, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
            Some((Change { table, key, octets: Some(octets) }, rest))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Table;

    #[test]
    fn what_is_written_is_read_and_a_cut_is_seen() {
        let mut batch = Batch::default();
        batch.put_octets(Key::new(Table::Queue, &[b"a"]), b"first".to_vec());
        batch.put_octets(Key::new(Table::Queue, &[b"a"]), b"second".to_vec()).delete(Key::new(Table::Grant, &[b"b"]));
        let octets = batch.to_changes(0).unwrap();
        let read: Option<Vec<_>> = changes(&octets).collect();
        let (grant, queue) = (Table::Grant as u8, Table::Queue as u8);
        let expected = [
            Change { table: grant, key: b"b", octets: None },
            Change { table: queue, key: b"a", octets: Some(b"second") },
        ];
        assert_eq!(read.unwrap(), expected);
        for cut in 1..octets.len() {
            let read: Option<Vec<_>> = changes(&octets[..cut]).collect();
            assert!(read.is_none_or(|read| read.len() < 2), "cut at {cut}");
        }
    }

    #[test]
    fn too_large_is_refused() {
        let key = || Key::new(Table::Object, &[b"k"]);
        let fits = |length| Batch::default().put_octets(key(), vec![0; length]).to_changes(0).is_some();
        assert!(fits(LARGEST_RECORD));
        assert!(!fits(LARGEST_RECORD + 1));
        let long = Key::new(Table::Object, &[&[0; Key::LONGEST + 1]]);
        assert!(Batch::default().put_octets(long, Vec::new()).to_changes(0).is_none());
        let mut batch = Batch::default();
        for number in 0..=LARGEST_BATCH.div_ceil(LARGEST_RECORD) as u8 {
            batch.put_octets(Key::new(Table::Object, &[&[number]]), vec![0; LARGEST_RECORD]);
        }
        assert!(batch.to_changes(0).is_none());
    }
}
