//! Moments as a practice's recipients read them: in the practice's time zone, in parts that a template puts into words.

use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use minijinja::{Value, context};

use crate::time::Timestamp;

/// It caches the zones it has read.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The parts of a moment in this IANA time zone (UTC where there is none of that name): `weekday` 1 (Monday) to 7,
/// `day`, `month`, `year`, `time` as `14:05`.
///
/// The zones are the ones compiled in, not the machine's: what is read and written here depends on arguments alone.
pub(crate) fn parts(at: Timestamp, time_zone: &str) -> Value {
    let zone = ZONES.get(time_zone).unwrap_or(TimeZone::UTC);
    let zoned = at.to_jiff().to_zoned(zone);
    context! {
        weekday => i64::from(zoned.weekday().to_monday_one_offset()),
        day => i64::from(zoned.day()),
        month => i64::from(zoned.month()),
        year => i64::from(zoned.year()),
        time => format!("{:02}:{:02}", zoned.hour(), zoned.minute()),
    }
}

/// As [`parts`], with `today`: whether it is the same day as `now`, there.
pub(crate) fn parts_after(at: Timestamp, now: Timestamp, time_zone: &str) -> Value {
    let zone = ZONES.get(time_zone).unwrap_or(TimeZone::UTC);
    let day = |moment: Timestamp| moment.to_jiff().to_zoned(zone.clone()).date();
    context! { today => day(at) == day(now), ..parts(at, time_zone) }
}

/// The moment as a `Date:` field has it, in UTC (RFC 5322, section 3.3).
pub(crate) fn rfc5322(at: Timestamp) -> String {
    at.to_jiff().strftime("%a, %-d %b %Y %H:%M:%S +0000").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_the_practices_zone() {
        // 2026-11-28T13:05:00Z: winter in Paris, already Sunday in Auckland.
        let at = Timestamp::from_secs(1_795_871_100);
        let told = |zone: &str| {
            let parts = parts(at, zone);
            let part = |name: &str| parts.get_attr(name).map(|value| value.to_string()).unwrap_or_default();
            format!("{} {}.{}.{} {}", part("weekday"), part("day"), part("month"), part("year"), part("time"))
        };
        assert_eq!(told("Europe/Paris"), "6 28.11.2026 14:05");
        assert_eq!(told("Pacific/Auckland"), "7 29.11.2026 02:05");
        assert_eq!(told("Nowhere/At_All"), "6 28.11.2026 13:05");
        assert_eq!(rfc5322(at), "Sat, 28 Nov 2026 13:05:00 +0000");
    }
}
