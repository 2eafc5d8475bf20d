//! How slowly a command or a message may come: who sends an octet at a time, each just before the deadline, would hold a session
//! for years.

use std::time::Duration;

/// Octets a second that each of a command or message must have been, beyond the patience for its first; the slowest telephone
/// line that carries TLS is faster.
const SLOWEST: u64 = 1024;

/// How long what has begun was waited for, and what came of it. What the gateway itself takes for an answer is not counted.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Pace {
    waited: Duration,
    octets: u64,
}

impl Pace {
    /// How much longer is waited: never longer than `patience` for the next octets.
    pub fn left(&self, patience: Duration) -> Duration {
        let earned = Duration::from_secs(self.octets / SLOWEST);
        patience.saturating_add(earned).saturating_sub(self.waited).min(patience)
    }

    /// Octets that came after that time.
    pub fn came(&mut self, after: Duration, octets: usize) {
        self.waited += after;
        self.octets = self.octets.saturating_add(octets as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(180);

    /// Waits for `octets` each `seconds`; after how many times there is no time left, of a thousand.
    fn comes_to_an_end(octets: usize, seconds: u64) -> Option<usize> {
        let mut pace = Pace::default();
        (0..1000).find(|_| {
            let over = pace.left(PATIENCE) < Duration::from_secs(seconds);
            pace.came(Duration::from_secs(seconds), octets);
            over
        })
    }

    /// An APPEND by an octet a second was waited for to its end: 25 MB take 289 days.
    #[test]
    fn who_sends_an_octet_a_second_is_not_waited_for_longer_than_who_sends_nothing() {
        for (octets, seconds, ends) in [
            (1, 1, Some(180)),
            (1, 179, Some(1)),
            (1023, 1, None),
            (512, 1, Some(359)),
            (4096, 4, None),
            (4096, 181, Some(0)),
            (0, 10, Some(18)),
        ] {
            assert_eq!(comes_to_an_end(octets, seconds), ends, "{octets} octets each {seconds} s");
        }
    }
}
