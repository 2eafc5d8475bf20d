use std::time::{Duration, Instant};

use super::*;
use crate::mime::{Limits, assess_octets, outline_of};

fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

fn assessed(text: &str) -> Assessment {
    assess_octets(&crlf(text), &Limits::default()).unwrap().1
}

#[test]
fn a_text_over_the_limit_is_a_document() {
    let limits = Limits { text: 20, ..Limits::default() };
    let whole = |text: &str| assess_octets(&crlf(text), &limits).unwrap().1;
    let long = whole("Content-Type: text/html\n\n0123456789012345678901234567890123456789\n");
    assert_eq!((long.text, long.html), (None, None));
    assert_eq!((long.attachments[0].name.as_str(), long.attachments[0].octets), ("message.html", 42));
    let short = whole("Content-Type: text/html\n\n0123456789\n");
    assert!(short.html.is_some() && short.attachments.is_empty());
}

/// A file in base64 that stood in HTML, or in a text in UTF-16, left with it: only plain text was searched.
#[test]
fn base64_is_a_document_whatever_text_it_stands_in() {
    let line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0";
    let block = format!("{line}\n{line}\n{line}\n");
    let html = assessed(&format!("Content-Type: text/html\n\n<p>Hello<pre>\n{block}</pre><p>Bye\n"));
    assert_eq!(html.text.as_deref(), Some("Hello\r\n\r\n[document]\r\n\r\nBye\r\n"));
    assert_eq!((html.html, html.attachments.len(), html.attachments[0].octets), (None, 1, 171));

    let both = assessed(&format!(
        "Content-Type: multipart/alternative; boundary=b\n\n--b\n\nHello\n{block}--b\nContent-Type: text/html\n\n\
         <p>Hello<pre>{block}</pre>\n--b--\n"
    ));
    assert_eq!((both.text.as_deref(), both.html), (Some("Hello\r\n[document]\r\n"), None));
    assert_eq!(both.attachments.len(), 1, "what is in both forms is one document");

    let wide: Vec<u8> = crlf(&format!("Hello\n{block}")).into_iter().flat_map(|octet| [octet, 0]).collect();
    let message = [
        &b"Content-Type: text/plain; charset=utf-16le\r\nContent-Transfer-Encoding: base64\r\n\r\n"[..],
        data_encoding::BASE64.encode(&wide).as_bytes(),
    ]
    .concat();
    let (_, facts) = assess_octets(&message, &Limits::default()).unwrap();
    assert_eq!((facts.text.as_deref(), facts.attachments.len()), (Some("Hello\r\n[document]\r\n"), 1));

    let many = format!("<p>a\n<pre>{block}</pre>\n").repeat(51);
    let refused = assess_octets(&crlf(&format!("Content-Type: text/html\n\n{many}")), &Limits::default());
    assert_eq!(refused.err().map(|defect| defect.word), Some("base64"));
}

#[test]
fn what_is_read_of_many_texts_is_bounded() {
    let part = format!("--b\n\n{}\n", "0123456789".repeat(1000));
    let message = format!("Content-Type: multipart/mixed; boundary=b\n\n{}--b--\n", part.repeat(100));
    let octets = crlf(&message);
    let outline = outline_of(&octets, Limits::default()).unwrap();
    let plans = leaves(&outline, 50_000);
    assert_eq!(plans.iter().filter(|plan| plan.wanted == 50_000).count(), 10);
    let limits = Limits { text: 50_000, ..Limits::default() };
    let (_, assessment) = assess_octets(&octets, &limits).unwrap();
    assert_eq!(assessment.attachments.len(), 90);
}

/// Of a page with more pictures than are taken out the others were in neither the mail nor the portal.
#[test]
fn a_page_with_too_many_files_is_a_document_and_what_is_not_marked_stays_inside() {
    let picture =
        |octet| format!("<img src='data:image/png;base64,{}'>\n", data_encoding::BASE64.encode(&[octet; 200]));
    let pictures = |count| (0..count).map(picture).collect::<String>();
    let page = |before: &str, count| format!("Content-Type: text/html\n\n<p>{before}</p>\n{}", pictures(count));
    let few = assessed(&page("Hello", 50));
    assert_eq!((few.text.as_deref(), few.attachments.len()), (Some("Hello\r\n"), 50));
    let many = assessed(&page("Hello", 51));
    let [document] = &many.attachments[..] else { panic!("one document") };
    assert_eq!((many.text.as_deref(), document.name.as_str()), (None, "message.html"));
    let both = format!(
        "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n[part]\nTake 2.\n[/part]\nsecret\n--b\n{}--b--\n",
        page("Take 2.", 51)
    );
    let both = assessed(&both);
    assert_eq!((both.text.as_deref(), both.documents().count()), (Some("Take 2.\r\n"), 0));
    let marks = crlf(&page("[part]</p><p>Take 2.</p><p>[/part]", 51));
    assert_eq!(assess_octets(&marks, &Limits::default()).unwrap_err().word, "part-marks");
}

#[test]
fn a_reading_that_is_missing_makes_a_document() {
    let octets = crlf("Subject: x\n\nHello\n");
    let outline = outline_of(&octets, Limits::default()).unwrap();
    let assessment = assess(&outline, &[], 1000).unwrap();
    assert_eq!((assessment.text, assessment.attachments.len()), (None, 1));
}

#[test]
fn sizes_are_exact_or_a_little_too_large() {
    for length in 20_000..20_004 {
        let coded = data_encoding::BASE64_MIME.encode(&vec![b'x'; length]);
        let message =
            format!("Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n{}", coded.replace('\r', ""));
        let size = assessed(&message).attachments[0].octets;
        assert!((length as u64..=length as u64 + 2).contains(&size), "{length} {size}");
    }
}

#[test]
fn a_reader_that_sees_more_makes_the_message_ambiguous() {
    // mail-parser takes a boundary in the middle of a line for one.
    let message =
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee --b\nContent-Type: application/pdf\n\n%PDF\n--b--\n";
    let defect = assess_octets(&crlf(message), &Limits::default()).unwrap_err();
    assert_eq!(defect.word, "second-opinion");
}

#[test]
fn nothing_of_a_message_is_in_its_debug_output() {
    let message = "From: MARK <mark@MARK.example>\nSender: mark@mark.example\nX-MARK: MARK\nSubject: [patient MARK1] MARK [patient MARK1]\n\
                   Content-Type: multipart/mixed; boundary=MARK\n\n--MARK\n\nMARK\n--MARK\nContent-Type: mark/mark; name=MARK\n\
                   Content-ID: <MARK>\n\nMARK\n--MARK--\n";
    let octets = crlf(message);
    let made = assess_octets(&octets, &Limits::default()).unwrap();
    let reading = crate::mime::read(&octets, &leaves(&made.0, 100)[0]).unwrap();
    let mailbox = header::mailboxes("MARK <mark@mark.example>");
    let shown = format!("{made:?} {:#?} {reading:?} {mailbox:?}", made.0.root.media_type);
    assert!(!shown.to_lowercase().contains("mark"), "{shown}");
}

#[test]
#[allow(clippy::disallowed_methods, reason = "times the test; nothing of it reaches an assessment")]
fn no_header_or_text_is_slow() {
    let start = Instant::now();
    let pieces = [
        "(",
        "<",
        "\"",
        "\\",
        ",",
        ":",
        ";",
        "@",
        "=?",
        "=?a?q? ",
        "=?utf-8?q?a?=",
        "a@b.c,",
        "%",
        "'",
        "=",
        "[",
        "[a",
        "[1d]",
        "<a",
        "&",
    ];
    for piece in pieces {
        let long = piece.repeat(15_000 / piece.len());
        let folded = format!("{long}\n ").repeat(3);
        for field in ["From", "Subject", "Content-Type", "Content-Disposition"] {
            let prefix = if field == "Content-Disposition" { "attachment; filename=" } else { "" };
            let _ = assess_octets(&crlf(&format!("{field}: {prefix}{folded}x\n\nx\n")), &Limits::default());
        }
        let _ = assess_octets(&crlf(&format!("Content-Type: text/html\n\n{folded}")), &Limits::default());
    }
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}
