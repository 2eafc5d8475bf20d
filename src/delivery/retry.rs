//! When the next attempt is, and when there is none.

use std::time::Duration;

use crate::time::Timestamp;

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

/// The pauses after the first attempts.
const FIRST: [Duration; 7] =
    [minutes(1), minutes(5), minutes(15), minutes(30), minutes(60), minutes(120), minutes(240)];

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// The pauses after the first, second, third … failed attempt.
    pub first: &'static [Duration],
    /// The pause after every later one.
    pub then: Duration,
    /// How long after it was queued a letter is given up (RFC 5321, section 4.5.4.1: at least 4–5 days).
    pub give_up: Duration,
}

impl Default for Schedule {
    /// 1, 5, 15, 30 minutes, 1, 2, 4 hours, then every 4 hours; given up after 5 days.
    fn default() -> Self {
        Self { first: &FIRST, then: minutes(240), give_up: Duration::from_secs(5 * 86_400) }
    }
}

impl Schedule {
    /// The longest pause between two attempts.
    pub fn longest_pause(&self) -> Duration {
        self.first.iter().copied().max().unwrap_or_default().max(self.then)
    }
}

/// What the schedule says after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try again at this moment.
    At(Timestamp),
    /// No more attempts.
    GiveUp,
}

/// What follows the attempt that failed `now`, the `attempts`th of a letter queued at `created`.
///
/// The last attempt is made at the very end of the time given, so that a letter is never given up
/// untried since an outage began. A clock that stands before `created` counts as no time gone by.
pub fn next(created: Timestamp, attempts: u32, now: Timestamp, schedule: &Schedule) -> Next {
    if now.since(created) >= schedule.give_up {
        return Next::GiveUp;
    }
    let made = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let pause = schedule.first.get(made).copied().unwrap_or(schedule.then);
    let end = created.plus(schedule.give_up);
    Next::At(now.plus(pause).min(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_schedule_to_its_end() {
        let schedule = Schedule::default();
        let created = Timestamp::from_secs(1_000_000);
        let (mut now, mut minutes) = (created, Vec::new());
        for attempts in 1.. {
            match next(created, attempts, now, &schedule) {
                Next::At(moment) => now = moment,
                Next::GiveUp => break,
            }
            minutes.push(now.since(created).as_secs() / 60);
        }
        assert_eq!(
            minutes,
            [
                1, 6, 21, 51, 111, 231, 471, 711, 951, 1191, 1431, 1671, 1911, 2151, 2391, 2631, 2871, 3111, 3351,
                3591, 3831, 4071, 4311, 4551, 4791, 5031, 5271, 5511, 5751, 5991, 6231, 6471, 6711, 6951, 7191, 7200
            ]
        );
    }

    #[test]
    fn an_outage_longer_than_the_schedule_ends_it_after_one_more_attempt() {
        let created = Timestamp::from_secs(0);
        let late = created.plus(Duration::from_secs(9 * 86_400));
        assert_eq!(next(created, 2, late, &Schedule::default()), Next::GiveUp);
    }

    #[test]
    fn a_clock_set_back_neither_gives_up_nor_waits_longer() {
        let created = Timestamp::from_secs(1_000_000);
        let now = Timestamp::from_secs(0);
        assert_eq!(next(created, 1, now, &Schedule::default()), Next::At(now.plus(minutes(1))));
    }
}
