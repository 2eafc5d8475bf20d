use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::mime::{assess_octets, outline_of};

fn refused(octets: &[u8]) -> Defect {
    outline_of(octets, Limits::default()).unwrap_err()
}

/// A message in CRLF from one in LF.
fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

#[test]
#[allow(clippy::disallowed_methods, reason = "times the test; nothing of it reaches an outline")]
fn forty_thousand_nested_multiparts_are_a_limit() {
    let mut octets = Vec::new();
    for level in 0..40_000 {
        octets.extend_from_slice(
            format!("Content-Type: multipart/mixed; boundary=b{level:05}\r\n\r\n--b{level:05}\r\n").as_bytes(),
        );
    }
    let start = Instant::now();
    assert_eq!(refused(&octets).word, "depth-limit");
    assert!(refused(&octets).limit);
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[test]
#[allow(clippy::disallowed_methods, reason = "times the test; nothing of it reaches an outline")]
fn forty_thousand_nested_messages_are_one_document() {
    let octets = b"Content-Type: message/rfc822\r\n\r\n".repeat(40_000);
    let start = Instant::now();
    let (_, assessment) = assess_octets(&octets, &Limits::default()).unwrap();
    assert_eq!(assessment.attachments[0].name, "message.eml");
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_million_empty_parts_are_a_limit() {
    let mut octets = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
    octets.extend_from_slice(&b"--b\r\n\r\n".repeat(1_000_000));
    assert_eq!(refused(&octets).word, "entities-limit");
}

#[test]
fn headers_without_end_are_a_limit_before_they_are_kept() {
    let line = [b"X: ".as_slice(), &[b'x'; 70_000]].concat();
    assert_eq!(refused(&line).word, "header-line-limit");
    let lines = [b"X: ".as_slice(), &[b'x'; 995], b"\r\n"].concat().repeat(300);
    assert_eq!(refused(&lines).word, "header-section-limit");
    assert_eq!(refused(&b"a:\r\n".repeat(10_000)).word, "header-fields-limit");
    let mut parts = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
    for _ in 0..20 {
        parts.extend_from_slice(b"--b\r\n");
        parts.extend_from_slice(&lines[..1000 * 200]);
        parts.extend_from_slice(b"\r\n\r\n");
    }
    assert_eq!(refused(&parts).word, "header-section-limit");
}

#[test]
fn a_depth_that_is_asked_for_does_not_overflow_the_stack() {
    let limits =
        Limits { depth: usize::MAX, entities: usize::MAX, header_section: usize::MAX / 4, ..Limits::default() };
    let mut octets = Vec::new();
    for level in 0..5_000 {
        octets.extend_from_slice(
            format!("Content-Type: multipart/mixed; boundary=b{level:05}\r\n\r\n--b{level:05}\r\n").as_bytes(),
        );
    }
    assert_eq!(outline_of(&octets, limits).unwrap_err().word, "depth-limit");
}

#[test]
fn a_body_ends_before_the_line_end_of_its_boundary() {
    let octets = crlf(
        "Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\none\ntwo\n--b\n\n--b\n--b \n\n\n--b--\nepilogue\n",
    );
    let outline = outline_of(&octets, Limits::default()).unwrap();
    let bodies: Vec<(&[u8], u64)> = outline
        .root
        .leaves()
        .iter()
        .map(|leaf| (&octets[leaf.body.start as usize..leaf.body.end as usize], leaf.lines))
        .collect();
    assert_eq!(bodies, [(&b"one\r\ntwo"[..], 1), (b"", 0), (b"", 0), (b"", 0)]);
}

#[test]
fn a_long_line_that_begins_as_a_boundary_is_unclear() {
    let blank = " ".repeat(5_000);
    let octets = crlf(&format!("Content-Type: multipart/mixed; boundary=b\n\n--b{blank}\n\nx\n--b--\n"));
    assert_eq!(refused(&octets).word, "boundary-line");
}

/// Pieces of messages, so that what is made of them comes near to what is meant.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just("\r\n".to_owned()),
        2 => Just("\r\n\r\n".to_owned()),
        3 => Just("--a\r\n".to_owned()),
        2 => Just("--b\r\n".to_owned()),
        1 => Just("--a--\r\n".to_owned()),
        1 => Just("--b--".to_owned()),
        2 => Just("Content-Type: multipart/mixed; boundary=a\r\n".to_owned()),
        2 => Just("Content-Type: multipart/alternative;\r\n boundary=\"b\"\r\n".to_owned()),
        1 => Just("Content-Type: text/html; charset=x\r\n".to_owned()),
        1 => Just("Content-Type: message/rfc822\r\n".to_owned()),
        1 => Just("Content-Disposition: attachment; filename*0*=utf-8''%41; filename*1=\"b\"\r\n".to_owned()),
        1 => Just("Content-Transfer-Encoding: base64\r\n".to_owned()),
        1 => Just("Content-Transfer-Encoding: quoted-printable\r\n".to_owned()),
        1 => Just("From: \"a\" <a@b.example>\r\n".to_owned()),
        1 => Just("Subject: [14d] =?utf-8?q?=\r\n".to_owned()),
        1 => Just("QUJD\r\n".to_owned()),
        2 => "[ -~\r\n\t=\u{e4}]{0,12}",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat().into_bytes())
}

fn inside(entity: &Entity, around: &std::ops::Range<u64>) {
    assert!(entity.body.start <= entity.body.end);
    assert!(around.start <= entity.body.start && entity.body.end <= around.end);
    if let Content::Multipart(children) = &entity.content {
        assert!(!children.is_empty());
        assert!(children.windows(2).all(|pair| pair[0].body.end <= pair[1].body.start));
        children.iter().for_each(|child| inside(child, &entity.body));
    }
}

proptest! {
    #[test]
    fn any_pieces_make_the_same_outline(octets in prop_oneof![pieces(), prop::collection::vec(any::<u8>(), 0..300)],
                                        cuts in prop::collection::vec(1usize..9, 1..20)) {
        let whole = outline_of(&octets, Limits::default());
        let mut outliner = Outliner::new(Limits::default());
        let mut rest = octets.as_slice();
        let mut cuts = cuts.iter().cycle();
        let mut result = Ok(());
        while !rest.is_empty() && result.is_ok() {
            let (piece, behind) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            result = outliner.feed(piece);
            rest = behind;
        }
        let pieced = result.and_then(|()| outliner.finish());
        prop_assert_eq!(&whole, &pieced);
        if let Ok(outline) = whole {
            prop_assert_eq!(outline.octets, octets.len() as u64);
            inside(&outline.root, &(0..outline.octets));
            // Total: whatever the rest of the way makes of it, it does not panic.
            let _ = assess_octets(&octets, &Limits::default());
        }
    }
}
