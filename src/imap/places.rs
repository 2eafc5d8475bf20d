//! How many sessions an account has, and how many of them read through its messages at once: a program gone wild must not
//! use up the machine for everybody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use crate::id::StaffId;

/// Counts sessions by account. Cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub struct Places {
    most: usize,
    taken: Arc<Mutex<HashMap<StaffId, Taken>>>,
}

/// Sessions of one account that search, sort and thread at once; others wait for them. How much all of them take of the machine
/// is bounded where records are read.
const READERS: usize = 4;

/// What one account has taken.
#[derive(Debug)]
struct Taken {
    sessions: usize,
    reading: Arc<Semaphore>,
}

/// One session's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    account: StaffId,
    /// The right to read through the account's messages.
    pub(super) reading: Arc<Semaphore>,
}

impl Places {
    /// `most` sessions of one account.
    pub fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// A place, if there is one.
    pub(super) fn take(&self, account: StaffId) -> Option<Place> {
        let mut taken = self.taken();
        let new = || Taken { sessions: 0, reading: Arc::new(Semaphore::new(READERS)) };
        let of_account = taken.entry(account).or_insert_with(new);
        if of_account.sessions >= self.most {
            return None;
        }
        of_account.sessions += 1;
        let reading = Arc::clone(&of_account.reading);
        drop(taken);
        Some(Place { places: self.clone(), account, reading })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<StaffId, Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        if let Some(of_account) = taken.get_mut(&self.account) {
            of_account.sessions -= 1;
            if of_account.sessions == 0 {
                taken.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    #[test]
    fn places_are_counted_by_account_and_given_back() {
        let places = Places::new(2);
        let (jane, joe) = (StaffId::from_octets([1; 16]), StaffId::from_octets([2; 16]));
        let first = places.take(jane).unwrap();
        let _second = places.take(jane).unwrap();
        assert!(places.take(jane).is_none());
        assert!(places.take(joe).is_some());
        drop(first);
        assert!(places.take(jane).is_some());
        assert_eq!(places.taken().len(), 1, "who has left is forgotten");
    }
}
