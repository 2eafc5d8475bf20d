//! Failed sign-ins of one address over many sessions: guessing passwords must not be cured by reconnecting.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::net::gate::customer;

/// Addresses remembered at once; when there are more, all whose time is over are forgotten.
const REMEMBERED: usize = 10_000;

/// Counts failed sign-ins by address; one for all listeners, or each would give the guesser its tries anew. An office
/// behind one address shares its count, so the limit is far above what a mail program with an old password does.
/// Beyond it nobody there signs in until the window is over, with the right password neither: whoever may still try
/// may still guess.
#[derive(Debug)]
pub struct Guesses {
    limit: u32,
    window: Duration,
    failures: Mutex<HashMap<IpAddr, (u32, Instant)>>,
}

impl Guesses {
    /// At most `limit` failures of one address in `window`, which begins with the first.
    pub fn new(limit: u32, window: Duration) -> Self {
        Self { limit, window, failures: Mutex::default() }
    }

    /// Whether this address has guessed too often.
    pub fn exhausted(&self, peer: IpAddr, now: Instant) -> bool {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = failures.get(&customer(peer));
        counted.is_some_and(|(count, since)| *count >= self.limit && now.duration_since(*since) < self.window)
    }

    /// One more failure.
    pub fn count(&self, peer: IpAddr, now: Instant) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= REMEMBERED {
            failures.retain(|_, (_, since)| now.duration_since(*since) < self.window);
        }
        let (count, since) = failures.entry(customer(peer)).or_insert((0, now));
        if now.duration_since(*since) >= self.window {
            (*count, *since) = (0, now);
        }
        *count = count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_locked_after_its_failures_and_free_when_the_window_is_over() {
        let guesses = Guesses::new(2, Duration::from_secs(60));
        let (guesser, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let begin = Instant::now();
        guesses.count(guesser, begin);
        assert!(!guesses.exhausted(guesser, begin));
        guesses.count(guesser, begin + Duration::from_secs(59));
        assert!(guesses.exhausted(guesser, begin + Duration::from_secs(59)));
        assert!(!guesses.exhausted(other, begin));
        assert!(!guesses.exhausted(guesser, begin + Duration::from_secs(60)));
        guesses.count(guesser, begin + Duration::from_secs(61));
        assert!(!guesses.exhausted(guesser, begin + Duration::from_secs(62)), "the count begins anew");
    }

    #[test]
    fn memory_is_bounded_by_what_is_still_under_way() {
        let guesses = Guesses::new(2, Duration::from_secs(60));
        let begin = Instant::now();
        for number in 0..REMEMBERED as u32 {
            guesses.count(IpAddr::V4(number.into()), begin);
        }
        guesses.count("192.0.2.1".parse().unwrap(), begin + Duration::from_secs(61));
        assert_eq!(guesses.failures.lock().unwrap().len(), 1);
    }
}
