//! When records of the portal end: an index in order of time, so that what is over is found without a scan.
//!
//! An entry is the end's moment, the table's number and the record's key; it holds nothing else. Who lets a record live
//! longer removes its old entry in the same batch.

use crate::store::{Batch, Key, Store, StoreError, Table};
use crate::time::Timestamp;

/// The kinds of records that end by this index.
const ENDING: [Table; 15] = [
    Table::Guest,
    Table::Invitation,
    Table::Visit,
    Table::Ticket,
    Table::Guesses,
    Table::Reply,
    Table::Draft,
    Table::Message,
    Table::History,
    Table::Heard,
    Table::SeenPictures,
    Table::Recallable,
    Table::Watch,
    Table::MailSent,
    Table::MailSentOf,
];

/// A record whose time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// When it ended.
    pub at: Timestamp,
    /// Where it is.
    pub key: Key,
}

/// Notes in the batch that the record under `key` ends at `at`.
pub fn put(batch: &mut Batch, at: Timestamp, key: &Key) {
    batch.put_octets(entry(at, key), Vec::new());
}

/// Takes the note back: the record ended before, or lives longer.
pub fn remove(batch: &mut Batch, at: Timestamp, key: &Key) {
    batch.delete(entry(at, key));
}

/// Records that have ended by `now`, in order of time, up to `limit`. `after` is the last one of the page before. An entry
/// that names no kind of record that ends (a later version wrote it) is passed over, and keeps no other from being found.
///
/// # Errors
/// Where the store cannot be read.
pub async fn due(store: &Store, now: Timestamp, after: Option<&Ended>, limit: usize) -> Result<Vec<Ended>, StoreError> {
    let mut from = after.map_or_else(Vec::new, |after| [entry(after.at, &after.key).octets, vec![0]].concat());
    let to = Timestamp::from_millis(now.millis().saturating_add(1)).to_key();
    loop {
        let keys = store.scan_keys(Table::PortalEnd, &from, &to, limit).await?;
        let Some(last) = keys.last() else { return Ok(Vec::new()) };
        from = [last.as_slice(), &[0]].concat();
        let ended: Vec<_> = keys.iter().filter_map(|octets| read(octets)).collect();
        if !ended.is_empty() {
            return Ok(ended);
        }
    }
}

/// Settles an entry in the batch that ends its record: the commit fails if the record was let live longer meanwhile. False
/// where that has happened already.
///
/// # Errors
/// Where the store cannot be read.
pub async fn settle(store: &Store, batch: &mut Batch, ended: &Ended) -> Result<bool, StoreError> {
    let entry = entry(ended.at, &ended.key);
    let Some(found) = store.get_octets(&entry).await? else { return Ok(false) };
    batch.require_version(entry.clone(), found.version).delete(entry);
    Ok(true)
}

fn entry(at: Timestamp, key: &Key) -> Key {
    Key::new(Table::PortalEnd, &[&at.to_key(), &[key.table as u8], &key.octets])
}

fn read(octets: &[u8]) -> Option<Ended> {
    let (at, rest) = octets.split_first_chunk::<8>()?;
    let (number, key) = rest.split_first()?;
    let table = ENDING.into_iter().find(|table| *table as u8 == *number)?;
    Some(Ended { at: Timestamp::from_key(*at), key: Key::new(table, &[key]) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_says_when_and_what() {
        let key = Key::new(Table::Ticket, &[&[7; 16]]);
        let at = Timestamp::from_millis(-3);
        assert_eq!(read(&entry(at, &key).octets), Some(Ended { at, key }));
        let foreign = entry(at, &Key::new(Table::Staff, &[&[7; 16]]));
        assert_eq!(read(&foreign.octets), None, "staff accounts do not end");
        let longest = Key::new(Table::MailSentOf, &[&[7; 16], &[8; 16], &[9; 16]]);
        assert!(entry(at, &longest).octets.len() <= Key::LONGEST);
    }
}
