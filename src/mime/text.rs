//! Text as it is sent: its lines, and that no file is written into it.
//!
//! A text is brought into this form once, before it is judged, and again when it is written; the form is its own form, so
//! what was judged is what leaves.

use memchr::memchr2_iter;

use crate::mime::{Defect, Flaw};

/// The text with CRLF line ends, no control character but tab, no space at a line's or the text's end (a relaxed DKIM
/// body hash over such ends is where implementations differ), and no empty line at its start. Whatever a reader may take
/// for the end of a line is one (Unicode Standard, section 5.8).
pub(crate) fn as_sent(text: &str) -> String {
    const ENDS: [char; 7] = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    let mut out = String::with_capacity(text.len() + text.len() / 32);
    let mut empty = 0;
    for line in text.replace("\r\n", "\n").split(ENDS) {
        let start = out.len();
        if start > 0 {
            (0..empty).for_each(|_| out.push_str("\r\n"));
        }
        let line_start = out.len();
        match line.chars().any(is_dropped) {
            true => out.extend(line.chars().filter(|c| !is_dropped(*c))),
            false => out.push_str(line),
        }
        let end = line_start + out[line_start..].trim_end().len();
        if end == line_start {
            out.truncate(start);
            empty += 1;
            continue;
        }
        empty = 0;
        out.truncate(end);
        out.push_str("\r\n");
    }
    out
}

fn is_dropped(c: char) -> bool {
    c.is_control() && c != '\t'
}

/// Refuses files written into a text, which many readers show as attachments: uuencode (POSIX), yEnc, BinHex (RFC 1741).
/// A `begin` line alone is enough, since old Outlook needs no more. Looks at line starts only, once each.
///
/// # Errors
/// `uuencode`, `yenc`, `binhex`.
pub(crate) fn no_files_within(octets: &[u8]) -> Result<(), Defect> {
    let mut start = 0;
    for end in memchr2_iter(b'\n', b'\r', octets).chain([octets.len()]) {
        if let Some(flaw) = begins_a_file(&octets[start..end]) {
            return Err(flaw.into());
        }
        start = end + 1;
    }
    Ok(())
}

fn begins_a_file(line: &[u8]) -> Option<Flaw> {
    let line = line.trim_ascii_start();
    match line.first()? {
        b'b' | b'B' if is_uuencode(line) => Some(Flaw::Uuencode),
        b'=' if line.starts_with(b"=ybegin ") => Some(Flaw::YEnc),
        b'(' if line.starts_with(b"(This file must be converted with BinHex") => Some(Flaw::BinHex),
        // A space or mark of Unicode, which a reader may drop with its spaces.
        0x80.. => {
            let text = String::from_utf8_lossy(line);
            let rest = text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'));
            (rest.len() < text.len()).then(|| begins_a_file(rest.as_bytes())).flatten()
        }
        _ => None,
    }
}

/// `begin 644 name`, `begin-base64 644 name`. The mode is octal, but not all who decode insist.
fn is_uuencode(line: &[u8]) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let begin = words.next().is_some_and(|word| {
        [&b"begin"[..], b"begin-base64", b"begin-base64-encoded"].iter().any(|known| word.eq_ignore_ascii_case(known))
    });
    let is_mode = |mode: &[u8]| (3..=5).contains(&mode.len()) && mode.iter().all(|b| b.is_ascii_digit());
    begin && words.next().is_some_and(is_mode) && words.next().is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn files_written_into_text_are_found() {
        for (text, word) in [
            ("Hi\r\nbegin 644 a.exe\r\n#", Some("uuencode")),
            ("  begin 0755 a b\r\n", Some("uuencode")),
            ("\u{feff}begin 644 a", Some("uuencode")),
            ("\u{a0} begin 644 a", Some("uuencode")),
            ("begin-base64 644 a\r\n", Some("uuencode")),
            ("=ybegin line=128 size=1 name=a\r\n", Some("yenc")),
            ("(This file must be converted with BinHex 4.0)", Some("binhex")),
            ("We begin 644 days ago", None),
            ("begin with 2 tablets daily", None),
            ("begin 888 x", Some("uuencode")),
            ("Für", None),
        ] {
            assert_eq!(no_files_within(text.as_bytes()).err().map(|defect| defect.word), word, "{text}");
        }
    }

    #[test]
    fn lines_and_widths_stay_and_the_rest_goes() {
        assert_eq!(as_sent("\n\na \r\nb\rc\u{2028}d\0\n\n\ne\n\n"), "a\r\nb\r\nc\r\nd\r\n\r\n\r\ne\r\n");
        assert_eq!(as_sent("\ta \u{8}\n\u{1b}\nb\u{85}c\u{b}d\u{c}e\u{80}f"), "\ta\r\n\r\nb\r\nc\r\nd\r\nef\r\n");
    }

    proptest! {
        #[test]
        fn the_form_is_its_own_form(text in "[a \t\r\n\u{0}\u{8}\u{b}\u{c}\u{1b}\u{7f}\u{80}\u{85}\u{a0}\u{2028}é]{0,40}") {
            let once = as_sent(&text);
            prop_assert_eq!(&as_sent(&once), &once);
            prop_assert!(once.replace("\r\n", "").chars().all(|c| !c.is_control() || c == '\t'));
        }
    }
}
