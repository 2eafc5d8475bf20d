//! How many sessions an account has: a program gone wild must not use up the machine for everybody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::id::StaffId;

/// Counts sessions by account. Cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub struct Places {
    most: usize,
    taken: Arc<Mutex<HashMap<StaffId, usize>>>,
}

/// One session's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    account: StaffId,
}

impl Places {
    /// `most` sessions of one account.
    pub fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// A place, if there is one.
    pub(super) fn take(&self, account: StaffId) -> Option<Place> {
        let mut taken = self.taken();
        let count = taken.entry(account).or_insert(0);
        if *count >= self.most {
            return None;
        }
        *count += 1;
        drop(taken);
        Some(Place { places: self.clone(), account })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<StaffId, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        if let Some(count) = taken.get_mut(&self.account) {
            *count -= 1;
            if *count == 0 {
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
