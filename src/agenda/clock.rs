//! The clock guard's rule: when is the wall clock not to be believed?
//!
//! Expiry and the destruction of keys cannot be taken back, so a clock that jumped must not cause them. While running,
//! the wall clock is held against one that cannot be set, since the last time it was believed; at a start, against the last
//! reading that was written down.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::time::Timestamp;

/// A step further than this is not believed.
pub const LARGEST_STEP: Duration = Duration::from_secs(3600);
/// A start longer than this after the last reading is not believed: shorter than the seven days for which documents are
/// kept unless a rule says otherwise, longer than a practice is closed over Easter.
pub const LONGEST_REST: Duration = Duration::from_secs(5 * 86_400);

/// Both clocks, read together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// What the wall says.
    pub wall: Timestamp,
    /// The time since the machine was started, asleep or not: it cannot be set, and a suspend does not make the wall jump.
    pub steady: Duration,
}

impl Reading {
    /// Reads both clocks.
    #[allow(clippy::disallowed_methods, reason = "the clock guard is what holds one clock against the other")]
    pub fn take() -> Self {
        let boot = clock_gettime(ClockId::Boottime);
        let steady = Duration::new(boot.tv_sec.unsigned_abs(), boot.tv_nsec.unsigned_abs().try_into().unwrap_or(0));
        Self { wall: crate::store::now(), steady }
    }
}

/// How far the wall clock has run ahead of the steady one (behind, if negative) since `anchor`, in milliseconds.
pub fn step_since(anchor: Reading, now: Reading) -> i64 {
    let steady = now.steady.saturating_sub(anchor.steady).as_millis();
    let wall = now.wall.millis().saturating_sub(anchor.wall.millis());
    wall.saturating_sub(i64::try_from(steady).unwrap_or(i64::MAX))
}

/// Whether a running process may believe a clock that has stepped so far.
pub fn believes_step(millis: i64) -> bool {
    u128::from(millis.unsigned_abs()) <= LARGEST_STEP.as_millis()
}

/// Whether a start may believe the clock, by the last reading that was written down.
pub fn believes_start(last: Timestamp, now: Timestamp) -> bool {
    last.since(now) <= LARGEST_STEP && now.since(last) <= LONGEST_REST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_clock_is_believed_within_an_hour() {
        let anchor = Reading { wall: Timestamp::from_secs(1_000_000), steady: Duration::from_secs(77) };
        let table = [
            // steady seconds since, wall seconds since, believed
            (0, 0, true),
            (86_400, 86_400, true),
            (86_400 * 300, 86_400 * 300 + 200, true),
            (2, 2 + 3600, true),
            (2, 2 + 3601, false),
            (2, 2 - 3600, true),
            (2, 2 - 3601, false),
            (86_400, 0, false),
            (0, 86_400 * 365, false),
        ];
        for (steady, wall, believed) in table {
            let now = Reading {
                wall: Timestamp::from_secs(1_000_000 + wall),
                steady: anchor.steady + Duration::from_secs(steady),
            };
            assert_eq!(believes_step(step_since(anchor, now)), believed, "steady {steady} wall {wall}");
        }
    }

    /// A suspend of more than an hour looked like a jump: the steady clock stood still meanwhile.
    #[test]
    fn the_steady_clock_is_the_one_that_goes_on_in_a_suspend() {
        let boot = || Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap();
        let (before, reading, after) = (boot(), Reading::take(), boot());
        assert!(before <= reading.steady && reading.steady <= after);
    }

    /// Thirty days were believed: a start with the clock eight days ahead destroyed the keys of all that had been shipped.
    #[test]
    fn a_start_is_believed_from_an_hour_before_to_five_days_after() {
        let last = Timestamp::from_secs(10_000_000);
        let day = 86_400;
        let table = [
            (0, true),
            (60, true),
            (5 * day, true),
            (5 * day + 1, false),
            (8 * day, false),
            (-3600, true),
            (-3601, false),
            (-day, false),
            (3650 * day, false),
        ];
        for (after, believed) in table {
            assert_eq!(believes_start(last, Timestamp::from_secs(last.secs() + after)), believed, "{after}");
        }
    }
}
