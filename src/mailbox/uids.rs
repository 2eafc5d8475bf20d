//! Sets of UIDs, as ranges.

use serde::{Deserialize, Serialize};

use crate::mailbox::Uid;

/// A set of UIDs: ranges (first and last, both within), ascending, apart from each other. Small for what clients do to
/// neighbours, whatever their number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Uids(Vec<(Uid, Uid)>);

impl Uids {
    /// The set of one.
    pub fn one(uid: Uid) -> Self {
        Self(vec![(uid, uid)])
    }

    /// The set of these ranges, in any order, overlapping or not; a range written backwards is turned (RFC 9051, section 9).
    pub fn of_ranges(ranges: impl IntoIterator<Item = (Uid, Uid)>) -> Self {
        let mut sorted: Vec<_> = ranges.into_iter().map(|(a, b)| (a.min(b), a.max(b))).collect();
        sorted.sort_unstable();
        let mut set = Self::default();
        for (first, last) in sorted {
            match set.0.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = (*end).max(last),
                _ => set.0.push((first, last)),
            }
        }
        set
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> &[(Uid, Uid)] {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|(first, last)| u64::from(last - first) + 1).sum()
    }

    /// Whether this one is among them.
    pub fn contains(&self, uid: Uid) -> bool {
        let at = self.0.partition_point(|(_, last)| *last < uid);
        self.0.get(at).is_some_and(|(first, _)| *first <= uid)
    }

    /// Whether any from `first` to `last` is among them.
    pub(super) fn touches(&self, first: Uid, last: Uid) -> bool {
        let at = self.0.partition_point(|(_, end)| *end < first);
        self.0.get(at).is_some_and(|(from, _)| *from <= last)
    }

    /// All of them, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Uid> + '_ {
        self.0.iter().flat_map(|(first, last)| *first..=*last)
    }

    /// These and those.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::of_ranges(self.0.iter().chain(&other.0).copied())
    }

    /// Those from 1 to `last` that are not among these.
    #[must_use]
    pub fn complement(&self, last: Uid) -> Self {
        let (mut from, mut gaps) = (1, Vec::new());
        for (first, end) in &self.0 {
            if from < *first && from <= last {
                gaps.push((from, (*first - 1).min(last)));
            }
            from = end.saturating_add(1);
        }
        if from <= last {
            gaps.push((from, last));
        }
        Self(gaps)
    }
}

/// In any order.
impl FromIterator<Uid> for Uids {
    fn from_iter<T: IntoIterator<Item = Uid>>(uids: T) -> Self {
        Self::of_ranges(uids.into_iter().map(|uid| (uid, uid)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(a in prop::collection::vec((1..60u32, 1..60u32), 0..8), b in prop::collection::vec(1..60u32, 0..12)) {
            let plain: BTreeSet<Uid> = a.iter().flat_map(|(a, b)| *a.min(b)..=*a.max(b)).collect();
            let other: BTreeSet<Uid> = b.iter().copied().collect();
            let (set, more) = (Uids::of_ranges(a), b.into_iter().collect::<Uids>());
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), plain.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(set.len(), plain.len() as u64);
            prop_assert!((1..61).all(|uid| set.contains(uid) == plain.contains(&uid)));
            let union: Vec<_> = plain.union(&other).copied().collect();
            prop_assert_eq!(set.union(&more).iter().collect::<Vec<_>>(), union);
            let gaps: Vec<_> = (1..=50).filter(|uid| !plain.contains(uid)).collect();
            prop_assert_eq!(set.complement(50).iter().collect::<Vec<_>>(), gaps);
        }
    }
}
