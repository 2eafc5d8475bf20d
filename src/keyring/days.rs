//! The keys of days: made once, replaced when punched, gone for good when the day has passed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::keyring::{DataKey, KeyClass};
use crate::time::Day;

/// How many days ahead there are keys, so that an escrow copy of the keyring serves for as long.
pub const DAYS_AHEAD: i32 = 400;

const CLASSES: [KeyClass; 3] = [KeyClass::Grant, KeyClass::Transit, KeyClass::Contact];

/// All living day keys. A day's keys are made once: a day that was destroyed stays so, whatever the clock says later.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct DayKeys {
    keys: BTreeMap<(Day, KeyClass), BTreeMap<u16, DataKey>>,
    /// Days before this one are destroyed.
    destroyed_before: Option<Day>,
}

impl DayKeys {
    /// Makes the keys of days from `today` to [`DAYS_AHEAD`] after it that have none and were not destroyed. Whether
    /// there were any.
    pub fn extend(&mut self, today: Day) -> bool {
        let before = self.keys.len();
        let first = self.destroyed_before.max(Some(today)).unwrap_or(today);
        for number in first.number()..=today.plus(DAYS_AHEAD).number() {
            for class in CLASSES {
                let place = self.keys.entry((Day::from_number(number), class));
                place.or_insert_with(|| BTreeMap::from([(0, DataKey::fresh())]));
            }
        }
        self.keys.len() > before
    }

    /// The key that seals for this day and class now, and its generation.
    pub fn newest(&self, day: Day, class: KeyClass) -> Option<(u16, &DataKey)> {
        self.keys.get(&(day, class))?.last_key_value().map(|(generation, key)| (*generation, key))
    }

    /// One generation's key.
    pub fn get(&self, day: Day, class: KeyClass, generation: u16) -> Option<&DataKey> {
        self.keys.get(&(day, class))?.get(&generation)
    }

    /// Adds a fresh generation. `None` where the day has no keys, or no further generation.
    pub fn begin_punch(&mut self, day: Day, class: KeyClass) -> Option<()> {
        let generations = self.keys.get_mut(&(day, class))?;
        let next = generations.last_key_value()?.0.checked_add(1)?;
        generations.insert(next, DataKey::fresh());
        Some(())
    }

    /// Drops all generations but the newest.
    pub fn finish_punch(&mut self, day: Day, class: KeyClass) -> Option<()> {
        let generations = self.keys.get_mut(&(day, class))?;
        let (newest, key) = generations.pop_last()?;
        *generations = BTreeMap::from([(newest, key)]);
        Some(())
    }

    /// Drops the keys of all days before `today`, and says which days; those of mail on its way only before
    /// `transit_from`, if that is earlier.
    pub fn destroy_before(&mut self, today: Day, transit_from: Day) -> Vec<Day> {
        let living = self.keys.split_off(&(today, KeyClass::Grant));
        let mut dead = std::mem::replace(&mut self.keys, living);
        let spared = dead.extract_if(.., |(day, class), _| *class == KeyClass::Transit && *day >= transit_from);
        self.keys.extend(spared);
        self.destroyed_before = self.destroyed_before.max(Some(today));
        let mut days: Vec<Day> = dead.into_keys().map(|(day, _)| day).collect();
        days.dedup();
        days
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Day = Day::from_number(20_000);

    #[test]
    fn mail_on_its_way_keeps_its_keys_until_it_is_dealt_with() {
        let mut keys = DayKeys::default();
        keys.extend(TODAY);
        assert_eq!(keys.destroy_before(TODAY.plus(3), TODAY.plus(1)), [TODAY, TODAY.plus(1), TODAY.plus(2)]);
        let has = |keys: &DayKeys, day, class| keys.newest(TODAY.plus(day), class).is_some();
        assert!(!has(&keys, 0, KeyClass::Transit) && has(&keys, 1, KeyClass::Transit));
        assert!(!has(&keys, 1, KeyClass::Grant) && !has(&keys, 2, KeyClass::Contact));
        keys.destroy_before(TODAY.plus(3), TODAY.plus(3));
        assert!(
            !has(&keys, 1, KeyClass::Transit) && !has(&keys, 2, KeyClass::Transit) && has(&keys, 3, KeyClass::Transit)
        );
    }

    #[test]
    fn a_destroyed_day_never_comes_back() {
        let mut keys = DayKeys::default();
        assert!(keys.extend(TODAY));
        assert_eq!(keys.destroy_before(TODAY.plus(2), TODAY.plus(2)), [TODAY, TODAY.plus(1)]);
        assert!(!keys.extend(TODAY), "an earlier clock makes nothing");
        assert!(keys.newest(TODAY, KeyClass::Grant).is_none());
        assert!(keys.extend(TODAY.plus(1)), "one more day ahead");
        assert!(keys.newest(TODAY.plus(1), KeyClass::Grant).is_none());
        for ahead in [2, DAYS_AHEAD, DAYS_AHEAD + 1] {
            assert!(keys.newest(TODAY.plus(ahead), KeyClass::Contact).is_some(), "{ahead}");
        }
        assert!(keys.newest(TODAY.plus(DAYS_AHEAD + 2), KeyClass::Contact).is_none());
    }

    #[test]
    fn a_start_with_a_wrong_clock_leaves_no_gap() {
        let mut keys = DayKeys::default();
        keys.extend(TODAY);
        keys.extend(TODAY.plus(30_000));
        keys.extend(TODAY.plus(10));
        let last = TODAY.plus(10 + DAYS_AHEAD);
        assert!((0..=10 + DAYS_AHEAD).all(|ahead| keys.newest(TODAY.plus(ahead), KeyClass::Grant).is_some()));
        assert!(keys.newest(last.plus(1), KeyClass::Grant).is_none());
    }

    #[test]
    fn a_punch_leaves_one_generation_and_other_classes_alone() {
        let mut keys = DayKeys::default();
        keys.extend(TODAY);
        keys.begin_punch(TODAY, KeyClass::Grant).unwrap();
        keys.begin_punch(TODAY, KeyClass::Grant).unwrap();
        assert!(keys.get(TODAY, KeyClass::Grant, 0).is_some());
        keys.finish_punch(TODAY, KeyClass::Grant).unwrap();
        let left: Vec<bool> = (0..=3).map(|n| keys.get(TODAY, KeyClass::Grant, n).is_some()).collect();
        assert_eq!(left, [false, false, true, false]);
        assert_eq!(keys.newest(TODAY, KeyClass::Transit).unwrap().0, 0);
    }
}
