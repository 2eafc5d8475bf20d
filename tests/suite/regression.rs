//! One test for each fault that was found, headed by what happened. Newest last.

use postern::mime::{Defect, Limits, assess_octets};

fn assessed(content_type: &str, body: &str) -> Result<postern::mime::assess::Assessment, Defect> {
    let body = body.replace("\r\n", "\n").replace('\n', "\r\n");
    let message = format!(
        "From: a@clinic.example\r\nMIME-Version: 1.0\r\nContent-Type: {content_type}; charset=utf-8\r\n\r\n{body}"
    );
    assess_octets(message.as_bytes(), &Limits::default()).map(|(_, facts)| facts)
}

/// A program written into a text, octets of `MZ…` in each form: what a reader saw first was no line start, and became one
/// when control characters were dropped and Unicode's line ends were rewritten, after the check.
#[test]
fn a_file_hidden_behind_characters_that_do_not_leave_is_found() {
    let file = "#86)C\n`\nend\n";
    for before in
        ["Hello\u{2028}begin", "\u{8}begin", "\u{1b}begin", "\u{7f}begin", "be\u{80}gin", "x\u{85}begin", "x\u{b}begin"]
    {
        let text = format!("{before} 644 a.exe\u{2028}{file}");
        let refused = assessed("text/plain", &text).unwrap_err();
        assert_eq!(refused.word, "uuencode", "{before:?}");
    }
    assert_eq!(
        assessed("text/plain", "x\u{2029}=ybegin line=128 size=3 name=a.exe\nxyz\n=yend").unwrap_err().word,
        "yenc"
    );
    assert_eq!(
        assessed("text/plain", "\u{8}(This file must be converted with BinHex 4.0)\n:xyz:").unwrap_err().word,
        "binhex"
    );
}

/// A table of doses in a mail of HTML alone: `<td>5</td><td>10 mg</td>` was written `510 mg` in the plain text, and
/// `take 5` before `0 to 1` in the next block `take 50 to 1`.
#[test]
fn doses_of_two_cells_or_blocks_do_not_run_together() {
    let html = "<table><tr><td>5</td><td>10 mg</td></tr></table><div>take 5</div><div>0 to 1 at night</div>";
    let facts = assessed("text/html", html).unwrap();
    assert_eq!(facts.text.as_deref(), Some("5\t10 mg\r\n\r\ntake 5\r\n0 to 1 at night\r\n"));
}

/// `[365d]` was accepted and cut to 90 days without a word.
#[test]
fn a_time_that_is_too_long_is_refused_in_words() {
    let refused = postern::mime::assess::subject_tags("[365d] Results").unwrap_err();
    assert!(refused.words.contains("90 days"), "{refused}");
}
