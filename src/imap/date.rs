//! Dates as IMAP writes them (RFC 9051, section 9: `date`, `date-time`).

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

use crate::time::Timestamp;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `1-Feb-1994`, the day with one or two digits.
pub fn parse_date(text: &str) -> Option<Date> {
    let mut pieces = text.split('-');
    let (day, month, year) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))?;
    let sound = pieces.next().is_none() && (1..=2).contains(&day.len()) && year.len() == 4;
    let number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<i16>().ok())?;
    let (day, year) = (i8::try_from(number(day)?).ok()?, number(year)?);
    let month = i8::try_from(month + 1).ok()?;
    if sound { Date::new(year, month, day).ok() } else { None }
}

/// `" 1-Feb-1994 12:00:00 +0100"`, the day with two digits or a space and one.
pub fn parse_date_time(text: &str) -> Option<Timestamp> {
    let mut pieces = text.trim_start_matches(' ').split(' ');
    let (date, clock, zone) = (pieces.next()?, pieces.next()?, pieces.next()?);
    if pieces.next().is_some() || !zone.is_ascii() || !clock.is_ascii() {
        return None;
    }
    let two = |digits: &str| {
        let sound = digits.len() == 2 && digits.bytes().all(|octet| octet.is_ascii_digit());
        sound.then(|| digits.parse::<i8>().ok())?
    };
    let mut numbers = clock.split(':').map(two);
    let (hour, minute, second) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let (sign, digits) = zone.split_at_checked(1)?;
    let (hours, minutes) = digits.split_at_checked(2)?;
    let seconds = i32::from(two(hours)?) * 3600 + i32::from(two(minutes)?) * 60;
    let seconds = match sign {
        "+" => seconds,
        "-" => -seconds,
        _ => return None,
    };
    // A leap second is the second before it, which the store can keep.
    let time = jiff::civil::Time::new(hour, minute, second.min(59), 0).ok()?;
    if numbers.next().is_some() || second > 60 {
        return None;
    }
    let moment = DateTime::from_parts(parse_date(date)?, time);
    let zoned = moment.to_zoned(TimeZone::fixed(Offset::from_seconds(seconds).ok()?)).ok()?;
    Some(Timestamp::from_millis(zoned.timestamp().as_millisecond()))
}

/// INTERNALDATE, in UTC: the clock of the machine is nobody's business.
pub fn format_date_time(at: Timestamp) -> String {
    let utc = at.to_jiff().to_zoned(TimeZone::UTC);
    let month = MONTHS[usize::try_from(utc.month() - 1).unwrap_or(0)];
    format!(
        "{:02}-{month}-{:04} {:02}:{:02}:{:02} +0000",
        utc.day(),
        utc.year(),
        utc.hour(),
        utc.minute(),
        utc.second()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_they_are_written() {
        for (text, expected) in [
            ("01-Feb-1994 12:00:00 +0100", Some("1994-02-01T11:00:00Z")),
            (" 1-Feb-1994 12:00:00 -0130", Some("1994-02-01T13:30:00Z")),
            ("31-dec-2026 23:59:60 +0000", Some("2026-12-31T23:59:59Z")),
            ("31-Feb-2026 00:00:00 +0000", None),
            ("01-Feb-1994 24:00:00 +0000", None),
            ("01-Feb-1994 12:00:00", None),
            ("01-Feb-1994 12:00:00 0100", None),
            ("01-Feb-1994 12:00:00 +01000", None),
            ("01-Feb-1994 1:00:00 +0100", None),
            ("01-Feb-1994 12:00:00:00 +0100", None),
            ("01-Feb-94 12:00:00 +0100", None),
            ("001-Feb-1994 12:00:00 +0100", None),
            ("+1-Feb-1994 12:00:00 +0100", None),
            ("", None),
        ] {
            assert_eq!(parse_date_time(text).map(|at| at.to_string()).as_deref(), expected, "{text}");
        }
        let moment = parse_date_time("01-Feb-1994 12:00:00 +0100").unwrap();
        assert_eq!(format_date_time(moment), "01-Feb-1994 11:00:00 +0000");
    }
}
