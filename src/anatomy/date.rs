//! When a message says it was sent: RFC 5322, section 3.3, with what section 4.3 still allows, and loosely beyond.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

use crate::anatomy::field::split;
use crate::time::Timestamp;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Zones by name: hours from UTC. A name that is not known says nothing (section 4.3: `-0000`).
const ZONES: [(&str, i8); 12] = [
    ("edt", -4),
    ("est", -5),
    ("cdt", -5),
    ("cst", -6),
    ("mdt", -6),
    ("mst", -7),
    ("pdt", -7),
    ("pst", -8),
    ("cet", 1),
    ("mez", 1),
    ("cest", 2),
    ("mesz", 2),
];

/// When a message says it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// The moment.
    pub moment: Timestamp,
    /// The day, as written: SENTBEFORE, SENTON and SENTSINCE disregard time and zone.
    pub day: Date,
}

/// The date in the value of a Date field; `None` where it is none. Comments say nothing, a day of the week neither.
pub(super) fn parse(text: &str) -> Option<Sent> {
    let plain = split(text, ',').join(" ");
    let mut words = plain.split_whitespace().flat_map(|word| {
        // 15-Feb-2007, as some write it.
        let dashed = word.split('-').count() == 3 && word.starts_with(|c: char| c.is_ascii_digit());
        if dashed { word.split('-').collect::<Vec<_>>() } else { vec![word] }
    });
    let first = words.next()?;
    let day = if first.starts_with(|c: char| c.is_ascii_digit()) { first } else { words.next()? };
    let (month, year) = (words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| month.get(..3).is_some_and(|begin| begin.eq_ignore_ascii_case(name)))?;
    let date = Date::new(year_of(year)?, i8::try_from(month + 1).ok()?, number(day, 2)?).ok()?;
    let time = words.next().map_or(Some(Time::midnight()), clock)?;
    let offset = words.next().map_or(Some(0), zone)?;
    let zone = TimeZone::fixed(Offset::from_seconds(offset).ok()?);
    let moment = DateTime::from_parts(date, time).to_zoned(zone).ok()?.timestamp();
    Some(Sent { moment: Timestamp::from_millis(moment.as_millisecond()), day: date })
}

fn number(digits: &str, most: usize) -> Option<i8> {
    let sound = digits.len() <= most && digits.bytes().all(|octet| octet.is_ascii_digit());
    sound.then(|| digits.parse().ok())?
}

/// Two digits are 1950 to 2049, three count from 1900.
fn year_of(digits: &str) -> Option<i16> {
    let year: i16 = digits.bytes().all(|octet| octet.is_ascii_digit()).then(|| digits.parse().ok())??;
    match (digits.len(), year) {
        (2, 0..=49) => Some(year + 2000),
        (2 | 3, _) => Some(year + 1900),
        (4, _) => Some(year),
        _ => None,
    }
}

/// `10:00`, `10:00:59`; a leap second is the second before it.
fn clock(text: &str) -> Option<Time> {
    let mut parts = text.split([':', '.']);
    let (hour, minute) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let second = parts.next().map_or(Some(0), |second| number(second, 2))?;
    Time::new(hour, minute, second.min(59), 0).ok()
}

/// Seconds from UTC.
fn zone(text: &str) -> Option<i32> {
    let Some((sign, digits)) = text.split_at_checked(1).filter(|(sign, _)| ["+", "-"].contains(sign)) else {
        let named = ZONES.iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
        return Some(named.map_or(0, |(_, hours)| i32::from(*hours) * 3600));
    };
    let (hours, minutes) = digits.split_at_checked(digits.len().checked_sub(2)?)?;
    let seconds = i32::from(number(hours, 2)?) * 3600 + i32::from(number(minutes, 2)?) * 60;
    Some(if sign == "-" { -seconds } else { seconds })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_are_read_as_they_are_written() {
        for (text, moment, day) in [
            ("Sun, 22 Nov 2026 00:30:00 +0100", "2026-11-21T23:30:00Z", "2026-11-22"),
            ("Thu, 15 Feb 2007 23:30:00 -0530 (IST)", "2007-02-16T05:00:00Z", "2007-02-15"),
            ("15 Feb 2007 10:00 EST", "2007-02-15T15:00:00Z", "2007-02-15"),
            ("Thu , 15 (the ides) feb 07 1:02:03 ut", "2007-02-15T01:02:03Z", "2007-02-15"),
            ("Thu 15 February 107 01:02:60 CEST", "2007-02-14T23:02:59Z", "2007-02-15"),
            ("1 Jan 99 00:00", "1999-01-01T00:00:00Z", "1999-01-01"),
            ("15-Feb-2007 10:00 +0000", "2007-02-15T10:00:00Z", "2007-02-15"),
            ("15 Feb 2007", "2007-02-15T00:00:00Z", "2007-02-15"),
        ] {
            let sent = parse(text).map(|sent| (sent.moment.to_string(), sent.day.to_string()));
            assert_eq!(sent, Some((moment.to_owned(), day.to_owned())), "{text}");
        }
        for text in ["", "yesterday", "31 Feb 2007 10:00", "15 Foo 2007", "15 Feb 20077", "15 Feb 2007 25:00", "15 Feb"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[0-9a-zF:+ .,()é-]{0,40}") {
            let _ = parse(&text);
        }
    }
}
