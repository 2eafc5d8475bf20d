//! Several records of a table at once: found under one lock, opened behind it, one after the other in the same memory.

use bytes::Bytes;

use crate::store::StoreError;
use crate::store::index::{Found, Head, Index, guarded, head_key, unsound};

/// Records that are found under one lock: commits wait meanwhile.
const TOGETHER: usize = 64;
/// Octets of them, at most, beyond the last one.
const HELD: usize = 256 * 1024;

/// A record as it was found.
enum Lying {
    /// In memory, or opened already because it continues in segments.
    Open(Bytes),
    /// Sealed, as sled has it.
    Sealed(sled::IVec),
}

impl Lying {
    fn len(&self) -> usize {
        match self {
            Self::Open(octets) => octets.len(),
            Self::Sealed(value) => value.len(),
        }
    }
}

impl Index {
    /// Gives `read` the octets of the records under these keys, in their order; `None` is no record. What is opened for it is
    /// wiped out by the next.
    pub fn each<K: AsRef<[u8]>>(
        &self,
        table: u8,
        keys: &[K],
        mut read: impl FnMut(Option<&[u8]>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let (mut rest, mut opened) = (keys, Vec::new());
        while !rest.is_empty() {
            let found = self.find_some(table, rest)?;
            let (these, behind) = rest.split_at(found.len());
            for (key, lying) in these.iter().zip(found) {
                match lying {
                    None => read(None)?,
                    Some(Lying::Open(octets)) => read(Some(&octets))?,
                    Some(Lying::Sealed(value)) => {
                        opened.clear();
                        let head = Head::of(&value).ok_or_else(|| unsound("a record is too short"))?;
                        let opens = self.open_segment((table, key.as_ref()), head, 0, &value, &mut opened);
                        opens.ok_or_else(|| unsound("a record does not open"))?;
                        read(Some(&opened))?;
                    }
                }
            }
            rest = behind;
        }
        Ok(())
    }

    /// The first of these records, at least one.
    fn find_some<K: AsRef<[u8]>>(&self, table: u8, keys: &[K]) -> Result<Vec<Option<Lying>>, StoreError> {
        let recent = self.recent();
        let (mut found, mut held) = (Vec::with_capacity(keys.len().min(TOGETHER)), 0);
        for key in keys.iter().take(TOGETHER) {
            let (key, at) = (key.as_ref(), head_key(table, key.as_ref()));
            let lying = match recent.find(&at) {
                Some(latest) => latest.octets.clone().map(Lying::Open),
                None => guarded(|| self.db().get(&at))?.map(|value| self.lying(table, key, value)).transpose()?,
            };
            held += lying.as_ref().map_or(0, Lying::len);
            found.push(lying);
            if held >= HELD {
                break;
            }
        }
        Ok(found)
    }

    /// One of several segments is opened at once: no commit may come between them.
    fn lying(&self, table: u8, key: &[u8], value: sled::IVec) -> Result<Lying, StoreError> {
        match Head::of(&value) {
            Some(head) if head.is_one() => Ok(Lying::Sealed(value)),
            _ => self.read(table, key, &value).map(|(_, octets): Found| Lying::Open(octets)),
        }
    }
}
