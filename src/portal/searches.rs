//! What visitors searched for. The words may name a patient, and addresses end up in histories and logs of proxies: so an
//! address carries a random name for the words, which means nothing without the visit that searched.
//!
//! They are held in memory only: after a restart the list is whole again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use data_encoding::HEXLOWER;
use tokio::time::Instant;

use crate::id::VisitId;
use crate::random;
use crate::secret::Secret;

/// Searches held of one visit: the newest.
const OF_ONE: usize = 16;
/// Visits whose searches are held, at most: then the one that has not searched for longest is forgotten.
const MOST: usize = 2_000;
/// No visit lives longer.
const LONGEST: Duration = Duration::from_secs(8 * 3_600);

/// The searches of all visits.
#[derive(Default)]
pub struct Searches(Mutex<HashMap<VisitId, Held>>);

struct Held {
    newest: Instant,
    searches: VecDeque<(String, Secret<String>)>,
}

impl Searches {
    /// Holds these words; the name by which the visit finds them again.
    pub fn hold(&self, visit: VisitId, words: String) -> String {
        let name = HEXLOWER.encode(&random::octets::<8>());
        let now = Instant::now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, held| now.duration_since(held.newest) < LONGEST);
        if all.len() >= MOST && !all.contains_key(&visit) {
            let oldest = all.iter().min_by_key(|(_, held)| held.newest).map(|(visit, _)| *visit);
            oldest.map(|visit| all.remove(&visit));
        }
        let held = all.entry(visit).or_insert_with(|| Held { newest: now, searches: VecDeque::new() });
        held.newest = now;
        held.searches.push_back((name.clone(), Secret::new(words)));
        if held.searches.len() > OF_ONE {
            held.searches.pop_front();
        }
        name
    }

    /// The words of this name, if this visit searched for them and they are still held.
    pub fn words(&self, visit: VisitId, name: &str) -> Option<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut searches = all.get(&visit)?.searches.iter();
        searches.find(|(known, _)| known == name).map(|(_, words)| words.expose().clone())
    }

    /// Forgets what a visit searched for: it has ended.
    pub fn forget(&self, visit: VisitId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&visit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_their_own_visit_until_it_ends() {
        let (searches, visit, other) = (Searches::default(), random::id(), random::id());
        let name = searches.hold(visit, "citizen".into());
        assert!(name.len() == 16 && !name.contains("citizen"));
        assert_eq!(searches.words(visit, &name).as_deref(), Some("citizen"));
        assert_eq!((searches.words(other, &name), searches.words(visit, "")), (None, None));
        searches.forget(visit);
        assert_eq!(searches.words(visit, &name), None);
    }

    #[test]
    fn no_visit_and_no_crowd_of_visits_fills_the_memory() {
        let (searches, first) = (Searches::default(), random::id());
        let names: Vec<_> = (0..=OF_ONE).map(|number| searches.hold(first, number.to_string())).collect();
        assert_eq!(searches.words(first, &names[0]), None, "the oldest is forgotten");
        assert_eq!(searches.words(first, &names[1]).as_deref(), Some("1"));
        for _ in 0..MOST {
            searches.hold(random::id(), "x".repeat(200));
        }
        assert_eq!(searches.0.lock().unwrap().len(), MOST);
        assert_eq!(searches.words(first, &names[1]), None);
    }
}
