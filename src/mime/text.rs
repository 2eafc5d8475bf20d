//! Text as it is sent: its lines, and that no file is written into it.
//!
//! A text is brought into this form once, before it is judged, and again when it is written; the form is its own form, so
//! what was judged is what leaves.

use memchr::memchr2;

use crate::mime::{Defect, Flaw};

/// Octets looked at together: a test that is the same for each of them is made for many in one instruction.
const TOGETHER: usize = 256;

/// The text with CRLF line ends, no control character but tab, no space at a line's or the text's end (a relaxed DKIM
/// body hash over such ends is where implementations differ), and no empty line at its start. Whatever a reader may take
/// for the end of a line is one (Unicode Standard, section 5.8).
pub(crate) fn as_sent(text: &str) -> String {
    let mut sent = Lines { out: String::with_capacity(text.len() + text.len() / 32), empty: 0 };
    // Of most texts nothing is dropped, and few lines are where something is.
    let clean = is_clean(text.as_bytes());
    for line in lines(text) {
        if clean || is_clean(line.as_bytes()) { sent.push(line.trim_end()) } else { sent.push_cleaned(line) }
    }
    sent.out
}

/// The lines of a text, by CRLF, CR and LF.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let from = rest?;
        let Some(at) = memchr2(b'\n', b'\r', from.as_bytes()) else { return rest.take() };
        let (line, end) = from.split_at(at);
        rest = Some(&end[if end.starts_with("\r\n") { 2 } else { 1 }..]);
        Some(line)
    })
}

/// Whether there is certainly no control character but tab, CR and LF, and no other end of a line: all that are not one
/// octet begin with 0xC2 (U+0080 to U+009F) or 0xE2 (U+2028 and U+2029).
fn is_clean(octets: &[u8]) -> bool {
    let unclean = |b: u8| (b < b' ' && !matches!(b, b'\t' | b'\r' | b'\n')) || matches!(b, 0x7f | 0xc2 | 0xe2);
    !octets.chunks(TOGETHER).any(|some| some.iter().fold(false, |found, b| found | unclean(*b)))
}

/// Lines as they are sent; empty ones only between others.
struct Lines {
    out: String,
    empty: usize,
}

impl Lines {
    fn push(&mut self, line: &str) {
        if line.is_empty() {
            self.empty += 1;
            return;
        }
        if !self.out.is_empty() {
            (0..self.empty).for_each(|_| self.out.push_str("\r\n"));
        }
        self.empty = 0;
        self.out.push_str(line);
        self.out.push_str("\r\n");
    }

    /// Pushes a line in which there may be other line ends, and what is dropped.
    fn push_cleaned(&mut self, line: &str) {
        const ENDS: [char; 5] = ['\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
        for line in line.split(ENDS) {
            let line: String = line.chars().filter(|c| !is_dropped(*c)).collect();
            self.push(line.trim_end());
        }
    }
}

fn is_dropped(c: char) -> bool {
    c.is_control() && c != '\t'
}

/// Refuses files written into a text, which many readers show as attachments: uuencode (POSIX), yEnc, BinHex (RFC 1741).
/// A `begin` line is one only with data behind it: `begin 500 mg twice daily` is a dose. Looks at each line once. Whether
/// there is such a line, for [`without_beginnings`].
///
/// # Errors
/// `uuencode`, `yenc`, `binhex`.
pub(crate) fn no_files_within(octets: &[u8]) -> Result<bool, Defect> {
    let (mut rest, mut begun) = (octets, false);
    loop {
        let (line, end) = rest.split_at(memchr2(b'\n', b'\r', rest).unwrap_or(rest.len()));
        match begins_a_file(line) {
            Some(Beginning::OfData) => begun = true,
            Some(Beginning::OfFile(flaw)) => return Err(flaw.into()),
            None if begun && is_data(line) => return Err(Flaw::Uuencode.into()),
            None => {}
        }
        rest = match end {
            [] => return Ok(begun),
            [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
        };
    }
}

/// The text as it is sent ([`as_sent`]), in which no file is written, nor could seem to be ([`without_beginnings`]).
///
/// # Errors
/// As [`no_files_within`].
pub(crate) fn ready_to_send(text: &str) -> Result<String, Defect> {
    let text = as_sent(text);
    let begun = no_files_within(text.as_bytes())?;
    Ok(if begun { without_beginnings(&text) } else { text })
}

/// The text, with a no-break space behind each `begin` that could begin a file if data followed: `begin 500 mg` reads as it
/// did, and no reader takes it, and what stands below it, for an attachment.
fn without_beginnings(text: &str) -> String {
    let begins = |line: &str| matches!(begins_a_file(line.as_bytes()), Some(Beginning::OfData));
    let mut out = String::with_capacity(text.len() + 16);
    for line in text.split_inclusive(['\n', '\r']) {
        match line.to_ascii_lowercase().find("begin").filter(|_| begins(line)) {
            Some(at) => {
                let (begin, rest) = line.split_at(at + "begin".len());
                out.push_str(begin);
                out.push('\u{a0}');
                out.push_str(rest.trim_start_matches([' ', '\t']));
            }
            None => out.push_str(line),
        }
    }
    out
}

/// A line of uuencode (no letter is small; what a reader may lack at its end are spaces) or of xxencode (a length, then as
/// much as it says).
fn is_data(line: &[u8]) -> bool {
    const XX: &[u8; 64] = b"+-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some((first, rest)) = line.trim_ascii_end().split_first() else { return false };
    let groups = |octets: usize| octets.div_ceil(3) * 4;
    let uu = (b'!'..=b'`').contains(first)
        && !rest.is_empty()
        && rest.len() <= groups(usize::from((first - b' ') & 0x3f)) + 1
        && rest.iter().all(|b| (b' '..=b'`').contains(b));
    let xx = || {
        let length = XX.iter().position(|b| b == first).filter(|length| *length > 0);
        length.is_some_and(|length| rest.len() == groups(length)) && rest.iter().all(|b| XX.contains(b))
    };
    uu || xx()
}

/// What a line may begin.
enum Beginning {
    /// A file: nothing else looks so.
    OfFile(Flaw),
    /// A file, if data follows.
    OfData,
}

fn begins_a_file(line: &[u8]) -> Option<Beginning> {
    let line = line.trim_ascii_start();
    match line.first()? {
        b'b' | b'B' => uuencoded(line),
        b'=' if line.starts_with(b"=ybegin ") => Some(Beginning::OfFile(Flaw::YEnc)),
        b'(' if line.starts_with(b"(This file must be converted with BinHex") => Some(Beginning::OfFile(Flaw::BinHex)),
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
fn uuencoded(line: &[u8]) -> Option<Beginning> {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let begin = words.next()?;
    let beginning = if begin.eq_ignore_ascii_case(b"begin") {
        Beginning::OfData
    } else if begin.to_ascii_lowercase().starts_with(b"begin-base64") {
        Beginning::OfFile(Flaw::Uuencode)
    } else {
        return None;
    };
    let is_mode = |mode: &[u8]| (3..=5).contains(&mode.len()) && mode.iter().all(u8::is_ascii_digit);
    (words.next().is_some_and(is_mode) && words.next().is_some()).then_some(beginning)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn files_written_into_text_are_found() {
        for (text, word) in [
            ("Hi\r\nbegin 644 a.exe\r\n#86)C\r\n`\r\nend", Some("uuencode")),
            ("  begin 0755 a b\r\n\r\nwords\r\n#86)C", Some("uuencode")),
            ("\u{feff}begin 644 a\r\n#86)C", Some("uuencode")),
            ("\u{a0} begin 644 a\r\n&8", Some("uuencode")),
            ("begin 644 a\r\n1MZ3E\r\n", Some("uuencode")),
            ("begin 644 a\r\n1ML5aPr+0\r\n", None),
            ("begin 644 a\r\n3MLAZ\r\n", Some("uuencode")),
            ("begin-base64 644 a\r\nTVqQAAMA\r\n", Some("uuencode")),
            ("begin 500 mg twice daily\r\nThen 250 mg until Thursday.\r\nRest\r\n\r\nKind regards\r\nDr Roe", None),
            ("=ybegin line=128 size=1 name=a\r\n", Some("yenc")),
            ("(This file must be converted with BinHex 4.0)", Some("binhex")),
            ("We begin 644 days ago", None),
            ("begin with 2 tablets daily", None),
            ("begin 888 x\r\n#86)C", Some("uuencode")),
            ("Für", None),
        ] {
            assert_eq!(no_files_within(text.as_bytes()).err().map(|defect| defect.word), word, "{text}");
        }
    }

    #[test]
    fn a_dose_is_no_beginning_of_a_file_for_any_reader() {
        let text = "Hi\r\n  begin 500 mg twice\r\nbegin now\r\nBEGIN  250 MG X\r\n";
        let sent = without_beginnings(text);
        assert_eq!(sent, "Hi\r\n  begin\u{a0}500 mg twice\r\nbegin now\r\nBEGIN\u{a0}250 MG X\r\n");
        assert_eq!(without_beginnings(&sent), sent);
        assert_eq!(no_files_within(sent.as_bytes()), Ok(false));
        assert_eq!(ready_to_send(text), Ok(sent));
    }

    #[test]
    fn lines_and_widths_stay_and_the_rest_goes() {
        assert_eq!(as_sent("\n\na \r\nb\rc\u{2028}d\0\n\n\ne\n\n"), "a\r\nb\r\nc\r\nd\r\n\r\n\r\ne\r\n");
        assert_eq!(as_sent("\ta \u{8}\n\u{1b}\nb\u{85}c\u{b}d\u{c}e\u{80}f"), "\ta\r\n\r\nb\r\nc\r\nd\r\nef\r\n");
    }

    /// [`as_sent`] said in the plainest words.
    fn plainly_as_sent(text: &str) -> String {
        let ends = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
        let mut sent = Lines { out: String::new(), empty: 0 };
        for line in text.replace("\r\n", "\n").split(ends) {
            let line: String = line.chars().filter(|c| !is_dropped(*c)).collect();
            sent.push(line.trim_end());
        }
        sent.out
    }

    /// [`no_files_within`], with CR and LF each the end of a line.
    fn plainly_no_files_within(text: &str) -> Result<bool, Defect> {
        let mut begun = false;
        for line in text.split(['\n', '\r']).map(str::as_bytes) {
            match begins_a_file(line) {
                Some(Beginning::OfData) => begun = true,
                Some(Beginning::OfFile(flaw)) => return Err(flaw.into()),
                None if begun && is_data(line) => return Err(Flaw::Uuencode.into()),
                None => {}
            }
        }
        Ok(begun)
    }

    proptest! {
        #[test]
        fn the_form_is_its_own_form(text in "[a \t\r\n\u{0}\u{8}\u{b}\u{c}\u{1b}\u{7f}\u{80}\u{85}\u{a0}\u{2028}é]{0,40}") {
            let once = as_sent(&text);
            prop_assert_eq!(&as_sent(&once), &once);
            prop_assert!(once.replace("\r\n", "").chars().all(|c| !c.is_control() || c == '\t'));
        }

        #[test]
        fn looking_at_many_octets_together_finds_what_looking_at_each_does(pieces in prop::collection::vec(prop_oneof![
            Just("\r\n"), Just("\r"), Just("\n"), Just(" "), Just("\t"), Just("\u{85}"), Just("\u{2028}"), Just("\u{2029}"),
            Just("\u{b}"), Just("\u{c}"), Just("\u{0}"), Just("\u{1b}"), Just("\u{7f}"), Just("\u{9f}"), Just("\u{a0}"),
            Just("§"), Just("é"), Just("€"), Just("begin 644 a"), Just("BEGIN 500 mg"), Just("=ybegin line"), Just("#86)C"),
            Just("A line of ordinary words, as long as lines are that people's programs break for them.\r\n"),
        ], 0..40)) {
            let text = pieces.concat();
            prop_assert_eq!(as_sent(&text), plainly_as_sent(&text));
            prop_assert_eq!(no_files_within(text.as_bytes()), plainly_no_files_within(&text));
            if no_files_within(text.as_bytes()) == Ok(false) {
                prop_assert_eq!(&without_beginnings(&text), &text);
            }
        }
    }
}
