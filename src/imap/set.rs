//! Sequence sets (RFC 9051, section 9): `1:3,7,*`, and `$`, the result of the last search (RFC 5182).

use std::fmt::Write as _;

use crate::mailbox::Uids;

/// Ranges that one command may name.
pub const RANGES: usize = 10_000;

/// One end of a range: a number from 1 to 4,294,967,295, or `*`, the largest in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// This number.
    Number(u32),
    /// `*`
    Last,
}

/// What a command is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SequenceSet {
    /// These ranges, in the order they were written, either end first.
    Ranges(Vec<(End, End)>),
    /// `$`
    Saved,
}

impl SequenceSet {
    /// Reads one; `None` where it is none.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text == b"$" {
            return Some(Self::Saved);
        }
        let mut ranges = Vec::new();
        for piece in text.split(|octet| *octet == b',') {
            if ranges.len() == RANGES {
                return None;
            }
            let mut ends = piece.splitn(2, |octet| *octet == b':');
            let first = end(ends.next()?)?;
            ranges.push((first, ends.next().map_or(Some(first), end)?));
        }
        Some(Self::Ranges(ranges))
    }
}

fn end(text: &[u8]) -> Option<End> {
    if text == b"*" {
        return Some(End::Last);
    }
    if text.first() == Some(&b'0') || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok().map(End::Number)
}

impl SequenceSet {
    /// What ranges come to where `*` is `last`. With no last number (`*` of an empty mailbox) it is 0, which nothing has.
    pub fn resolve(ranges: &[(End, End)], last: u32) -> Uids {
        let number = |end: &End| match end {
            End::Number(number) => *number,
            End::Last => last,
        };
        Uids::of_ranges(ranges.iter().map(|(one, other)| (number(one), number(other))))
    }
}

/// Numbers as IMAP writes them: `1:3,7`.
pub fn written(numbers: &Uids) -> String {
    let mut text = String::new();
    numbers.ranges().iter().for_each(|range| write_range(&mut text, *range));
    text
}

/// The same in the order in which they are given, which means something (RFC 5267, section 3): `7,1:2`.
pub fn written_in_order(numbers: impl IntoIterator<Item = u32>) -> String {
    let (mut text, mut run): (_, Option<(u32, u32)>) = (String::new(), None);
    for number in numbers {
        run = match run {
            Some((low, high)) if number.checked_sub(1) == Some(high) => Some((low, number)),
            Some(ended) => {
                write_range(&mut text, ended);
                Some((number, number))
            }
            None => Some((number, number)),
        };
    }
    run.into_iter().for_each(|range| write_range(&mut text, range));
    text
}

fn write_range(text: &mut String, (low, high): (u32, u32)) {
    let comma = if text.is_empty() { "" } else { "," };
    // Into a string, which takes all.
    let _ = match low == high {
        true => write!(text, "{comma}{low}"),
        false => write!(text, "{comma}{low}:{high}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str, last: u32) -> String {
        match SequenceSet::parse(text.as_bytes()) {
            Some(SequenceSet::Ranges(ranges)) => written(&SequenceSet::resolve(&ranges, last)),
            Some(SequenceSet::Saved) => "$".into(),
            None => "none".into(),
        }
    }

    #[test]
    fn sets_are_read_and_resolved() {
        for (text, expected) in [
            ("1", "1"),
            ("*", "9"),
            ("3:1,2", "1:3"),
            ("5,1:2,3", "1:3,5"),
            ("12:*", "9:12"),
            ("*:7", "7:9"),
            ("4294967295", "4294967295"),
            ("1:4294967295", "1:4294967295"),
            ("$", "$"),
            ("0", "none"),
            ("01", "none"),
            ("4294967296", "none"),
            ("", "none"),
            ("1,", "none"),
            ("1:2:3", "none"),
            ("1:", "none"),
            ("-1", "none"),
            ("$,1", "none"),
        ] {
            assert_eq!(resolved(text, 9), expected, "{text}");
        }
    }

    #[test]
    fn an_order_that_means_something_is_kept() {
        for (numbers, text) in [(&[7, 1, 2, 3, 5][..], "7,1:3,5"), (&[3, 2, 1], "3,2,1"), (&[4], "4"), (&[], "")] {
            assert_eq!(written_in_order(numbers.iter().copied()), text);
        }
    }
}
