//! Ranges of a document (RFC 9110, section 14): one range, or all of it.

use std::ops::Range;

use axum::http::{HeaderMap, header};

/// What part of a document is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All of it.
    Whole,
    /// These octets, at least one.
    Part(Range<u64>),
    /// A range that lies outside.
    Outside,
}

/// The range that is asked for, of a document of so many octets with this entity tag. Several ranges, other units and
/// what cannot be read ask for all of it, and so does a condition (`If-Range`) that another tag, or a date, stands in.
pub fn wanted(headers: &HeaderMap, octets: u64, tag: &str) -> Wanted {
    let field = |name: header::HeaderName| headers.get(name).and_then(|field| field.to_str().ok());
    if field(header::IF_RANGE).is_some_and(|condition| condition != tag) {
        return Wanted::Whole;
    }
    let spec = field(header::RANGE).and_then(|range| range.trim().strip_prefix("bytes="));
    let Some((first, last)) = spec.filter(|spec| !spec.contains(',')).and_then(|spec| spec.trim().split_once('-')) else {
        return Wanted::Whole;
    };
    let (Some(first), Some(last)) = (number(first), number(last)) else { return Wanted::Whole };
    let range = match (first, last) {
        (Some(first), Some(last)) if last < first => return Wanted::Whole,
        (Some(first), last) => first..last.map_or(octets, |last| last.saturating_add(1).min(octets)),
        (None, Some(length)) => octets.saturating_sub(length)..octets,
        (None, None) => return Wanted::Whole,
    };
    if range.is_empty() { Wanted::Outside } else { Wanted::Part(range) }
}

/// A number; `Some(None)` for none at all, `None` for what is none. One that is too large is the largest.
fn number(text: &str) -> Option<Option<u64>> {
    match text {
        "" => Some(None),
        _ if text.bytes().all(|b| b.is_ascii_digit()) => Some(Some(text.parse().unwrap_or(u64::MAX - 1))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_what_rfc_9110_says() {
        for (range, octets, part) in [
            ("bytes=0-499", 1000, Wanted::Part(0..500)),
            ("bytes=500-", 1000, Wanted::Part(500..1000)),
            ("bytes=-300", 1000, Wanted::Part(700..1000)),
            ("bytes=-3000", 1000, Wanted::Part(0..1000)),
            ("bytes=999-99999999999999999999999", 1000, Wanted::Part(999..1000)),
            ("bytes=1000-", 1000, Wanted::Outside),
            ("bytes=99999999999999999999999-", 1000, Wanted::Outside),
            ("bytes=-0", 1000, Wanted::Outside),
            ("bytes=0-", 0, Wanted::Outside),
            ("bytes=9-1", 1000, Wanted::Whole),
            ("bytes=-", 1000, Wanted::Whole),
            ("bytes=0-1,5-6", 1000, Wanted::Whole),
            ("bytes=0x1-2", 1000, Wanted::Whole),
            ("pages=1-2", 1000, Wanted::Whole),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, range.parse().unwrap());
            assert_eq!(wanted(&headers, octets, "\"a\""), part, "{range}");
        }
    }

    #[test]
    fn a_range_of_another_version_is_the_whole() {
        let asked = |condition: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, "bytes=0-1".parse().unwrap());
            headers.insert(header::IF_RANGE, condition.parse().unwrap());
            wanted(&headers, 10, "\"a\"")
        };
        assert_eq!(asked("\"a\""), Wanted::Part(0..2));
        for other in ["\"b\"", "W/\"a\"", "Sun, 22 Nov 2026 03:00:00 GMT"] {
            assert_eq!(asked(other), Wanted::Whole, "{other}");
        }
    }
}
