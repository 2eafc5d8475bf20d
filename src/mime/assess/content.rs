//! What octets show of themselves: their media type, whether they are text.

/// The media type that the start of a content shows.
///
/// The signatures of some types are two or three letters that a text may begin with (`BM`, `MZ`, `II*`): for octets that
/// are plain text throughout, only signatures of textual formats count.
pub(in crate::mime) fn shown(start: &[u8]) -> Option<String> {
    let kind = infer::get(start).map(|kind| kind.mime_type())?;
    let textual = kind.starts_with("text/")
        || kind.ends_with("xml")
        || matches!(kind, "application/pdf" | "application/rtf" | "application/postscript");
    (textual || !start.iter().all(|b| is_text(*b) && b.is_ascii())).then(|| kind.to_owned())
}

fn is_text(b: u8) -> bool {
    !b.is_ascii_control() || matches!(b, b'\t' | b'\r' | b'\n' | 0x0c)
}

/// Whether a word may be half of a media type, as programs write them.
pub(super) fn is_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-+._".contains(&b))
}

/// Whether a text is one: no control characters, and not the start of a format that only looks like text.
pub(super) fn reads_as_text(text: &str) -> bool {
    let start = text.trim_ascii_start();
    let format = ["%PDF-", "{\\rtf", "%!PS"].iter().any(|magic| start.starts_with(magic));
    // ESC, BS and VT stand in old mail and are shown as nothing; NUL and the others mean that it is no text.
    let is_shown = |b: u8| is_text(b) || matches!(b, 0x08 | 0x0b | 0x1b | 0x7f);
    !format && text.as_bytes().chunks(256).all(|some| some.iter().fold(true, |all, b| all & is_shown(*b)))
}

/// Octets of the longest Content-ID: those of a line (RFC 5322, section 2.1.1).
const LONGEST_ID: usize = 998;

/// The Content-IDs that an HTML text refers to by `cid:` (RFC 2392).
pub(super) fn content_ids(html: &str) -> std::collections::HashSet<String> {
    let mut found = std::collections::HashSet::new();
    let (octets, mut passed, mut whole) = (html.as_bytes(), 0, 0);
    for colon in memchr::memchr_iter(b':', octets) {
        // Within an id none begins: each of many would have all the others behind it.
        if colon < passed || !octets[colon.saturating_sub(3)..colon].eq_ignore_ascii_case(b"cid") {
            continue;
        }
        let rest = &html[colon + 1..];
        let first = colon >= whole;
        if first {
            let end = rest.find(|c: char| c.is_whitespace() || "\"'<>)&;".contains(c)).unwrap_or(rest.len());
            whole = colon + 1 + end;
        }
        // Behind a comma the next of several pictures (`srcset`) may begin, or the id goes on.
        let end = whole - (colon + 1);
        let one = rest[..end].find(',').unwrap_or(end);
        passed = colon + 1 + one;
        if one <= LONGEST_ID {
            found.insert(percent_decoded(&rest[..one]));
        }
        if first && one < end && end <= LONGEST_ID {
            found.insert(percent_decoded(&rest[..end]));
        }
    }
    found
}

/// A text in which octets may be written as `%40`.
pub(crate) fn percent_decoded(text: &str) -> String {
    String::from_utf8_lossy(&crate::mime::header::parameters::percent_decoded(text.as_bytes())).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_says_what_it_is_unless_it_is_only_a_word() {
        assert_eq!(shown(b"%PDF-1.7\n%\xe2\xe3").as_deref(), Some("application/pdf"));
        assert_eq!(shown(b"MZ\x90\0\x03\0").as_deref(), Some("application/vnd.microsoft.portable-executable"));
        assert_eq!(shown(b"BMI is 23, and well.\r\n"), None);
        assert_eq!(shown(b"MZ was seen today.\r\n"), None);
        assert_eq!(shown(b"<!DOCTYPE html><html>").as_deref(), Some("text/html"));
        assert_eq!(shown(b"Dear colleague"), None);
    }

    #[test]
    fn content_ids_are_found_as_browsers_find_them() {
        let ids = content_ids("<img src=\"CID:a%40b\"> url(cid:c@d) acid: ");
        assert!(ids.contains("a@b") && ids.contains("c@d"), "{ids:?}");
    }

    /// Each `cid:` was the beginning of an id that held all those behind it: gigabytes for one mail.
    #[test]
    fn a_page_of_beginnings_has_one_id_at_most() {
        assert_eq!(content_ids(&"cid:".repeat(131_072)).len(), 0);
        assert_eq!(content_ids(&"cid:".repeat(200)).len(), 1);
        assert_eq!(content_ids(&"cid:a ".repeat(131_072)).len(), 1);
        assert_eq!(content_ids(&"cid:a,".repeat(131_072)).len(), 1);
    }

    /// Of pictures that a comma alone parted the second was not seen, and left though it stood outside of the marks.
    #[test]
    fn each_of_several_pictures_is_found() {
        let ids = content_ids("<img srcset='cid:a,cid:b 2x, cid:c,d@e'>");
        let expected = ["a", "a,cid:b", "b", "c", "c,d@e"].map(String::from);
        assert_eq!(ids, expected.into());
    }
}
