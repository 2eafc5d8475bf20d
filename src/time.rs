//! Moments, days and lengths of time. Nothing here reads a clock: `store::now` does.

use std::fmt;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment in UTC, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment this many milliseconds after 1970 began.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The moment this many seconds after 1970 began.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since 1970 began.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970 began, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment and a while; saturates at the end of time.
    #[must_use]
    pub fn plus(self, length: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(length.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The UTC day it falls on.
    pub const fn day(self) -> Day {
        Day(self.0.div_euclid(86_400_000) as i32)
    }

    /// Eight octets whose byte order is the order of time, for keys.
    pub fn to_key(self) -> [u8; 8] {
        ((self.0 as u64) ^ (1 << 63)).to_be_bytes()
    }

    /// The inverse of [`Timestamp::to_key`].
    pub fn from_key(octets: [u8; 8]) -> Self {
        Self((u64::from_be_bytes(octets) ^ (1 << 63)) as i64)
    }

    /// The same moment for calendar arithmetic; clamped to the years jiff knows.
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }
}

impl Serialize for Timestamp {
    /// RFC 3339 to the millisecond where people read (JSON), else the number.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&self.to_jiff())
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let moment: jiff::Timestamp = String::deserialize(deserializer)?.parse().map_err(D::Error::custom)?;
            Ok(Self(moment.as_millisecond()))
        } else {
            i64::deserialize(deserializer).map(Self)
        }
    }
}

/// RFC 3339 in UTC, to the second.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_jiff().strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A day in UTC, counted from 1970-01-01. Keys of content live and die by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Day(i32);

impl Day {
    /// The day this many days after 1970-01-01.
    pub const fn from_number(number: i32) -> Self {
        Self(number)
    }

    /// Days since 1970-01-01.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// The day this many days later (earlier, if negative).
    #[must_use]
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Its first moment.
    pub const fn start(self) -> Timestamp {
        Timestamp(self.0 as i64 * 86_400_000)
    }
}

/// ISO 8601, `2026-11-21`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.start().to_jiff().strftime("%Y-%m-%d"))
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads a length of time as policy files and tags write it: a whole number and one of `s`, `m`,
/// `h`, `d`, `w` (`90s`, `15m`, `24h`, `7d`, `2w`). `None` for anything else, and above 100 years.
pub fn parse_length(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let seconds_each = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds = digits.parse::<u64>().ok()?.checked_mul(seconds_each)?;
    (seconds <= 100 * 366 * 86_400).then(|| Duration::from_secs(seconds))
}

/// A calendar day written `YYYY-MM-DD` (ISO 8601), as birthdates are; `None` for anything else.
pub fn parse_date(text: &str) -> Option<jiff::civil::Date> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| match at {
            4 | 7 => b == b'-',
            _ => b.is_ascii_digit(),
        });
    shape.then(|| jiff::civil::Date::strptime("%Y-%m-%d", text).ok()).flatten()
}

/// Writes a length as [`parse_length`] reads it, in the largest unit that leaves no rest.
pub fn format_length(length: Duration) -> String {
    let seconds = length.as_secs();
    let (count, unit) = [(86_400, 'd'), (3_600, 'h'), (60, 'm')]
        .into_iter()
        .find(|(size, _)| seconds >= *size && seconds.is_multiple_of(*size))
        .map_or((seconds, 's'), |(size, unit)| (seconds / size, unit));
    format!("{count}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_and_write_alike() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("24h", 86_400), ("7d", 604_800)] {
            assert_eq!(parse_length(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_length("2w").map(format_length).as_deref(), Some("14d"));
        for bad in ["", "d", "7", "7 d", "-7d", "7D", "1.5h", "99999999999999999999d", "40000d", "7dé"] {
            assert_eq!(parse_length(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn days_turn_at_midnight_and_keys_sort_by_time() {
        assert_eq!(Timestamp::from_secs(86_399).day(), Day::from_number(0));
        assert_eq!(Timestamp::from_secs(-1).day(), Day::from_number(-1));
        assert_eq!(Day::from_number(20_778).to_string(), "2026-11-21");
        let (early, late) = (Timestamp::from_millis(-5), Timestamp::from_millis(7));
        assert!(early.to_key() < late.to_key());
        assert_eq!(Timestamp::from_key(late.to_key()), late);
    }

    /// `grant list --json` printed ids as sixteen numbers and moments as milliseconds.
    #[test]
    fn moments_are_text_in_json_and_a_number_in_records() {
        let moment = Timestamp::from_millis(1_795_309_200_123);
        assert_eq!(serde_json::to_string(&moment).unwrap(), "\"2026-11-22T01:00:00.123Z\"");
        assert_eq!(serde_json::from_str::<Timestamp>("\"2026-11-22T01:00:00.123Z\"").unwrap(), moment);
        assert_eq!(postcard::to_allocvec(&moment).unwrap(), postcard::to_allocvec(&1_795_309_200_123_i64).unwrap());
        assert_eq!(postcard::from_bytes::<Timestamp>(&postcard::to_allocvec(&moment).unwrap()).unwrap(), moment);
    }
}
