//! One test for each fault that was found, headed by what happened. Newest last.
//!
//! A fault of one function has its test beside that function.

use std::fs;
use std::process::Command;

use postern::mime::{Defect, Limits, assess_octets};

use crate::live::clinic::{Clinic, HOST, JANE, PASSWORD, repository, words};
use crate::live::tools::{find, run};

/// The README's first example was refused: curl sends what printf writes as it is, with bare LF, without `--crlf`.
#[test]
fn the_example_of_the_readme_goes_through() {
    let Some(shell) = find("sh", "the_example_of_the_readme_goes_through") else { return };
    if find("curl", "the_example_of_the_readme_goes_through").is_none() {
        return;
    }
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let begin = readme.find("printf 'From: ").expect("the example begins with printf");
    let (example, _) = readme[begin..].split_once("\nls outbox").expect("the example ends with ls outbox");

    let mut clinic = Clinic::with_jane();
    // What is different here: the address, and a password that nobody types.
    let script = example
        .replace(&format!("{HOST}:2587:127.0.0.1"), &format!("{HOST}:2587:{}", clinic.submission().ip()))
        .replace(&format!("--user {JANE}"), &format!("--user '{JANE}:{PASSWORD}'"));
    assert_ne!(script, example);
    let output = run(Command::new(shell).args(["-c", &script]).current_dir(clinic.path(".")), b"");
    assert!(output.status.success(), "{}\n{}", words(&output), clinic.last_words());
    assert!(clinic.wait_for_delivery_to("patient@mail.example").bodies().contains("All is well."));
}

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
