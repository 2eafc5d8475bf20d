//! Whole messages taken apart.

use proptest::prelude::*;

use super::*;

const LETTER: &str = "From: a@x.example\r\nSubject: Letter\r\nMessage-ID: <1@x>\r\nReferences: <0@x>\r\n\
MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b 1\"\r\n\r\n\
preamble\r\n--b 1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\nyou\r\n\
--b 1  \r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment; filename=\"f.eml\"\r\n\r\n\
Subject: Inner\r\nFrom: Jane <j@y.example>\r\nContent-Type: multipart/alternative; boundary=b2\r\n\r\n\
--b2\r\n\r\none\r\n--b2\r\nContent-Type: text/html\r\n\r\n<p>two\r\n--b2--\r\n\
--b 1--\r\nepilogue\r\n";

fn seen(octets: &[u8], step: usize) -> Seen {
    let mut anatomist = Anatomist::default();
    octets.chunks(step.max(1)).for_each(|piece| anatomist.feed(piece));
    anatomist.finish()
}

fn text(octets: &[u8], section: (&[u32], SectionText)) -> Option<String> {
    let section = Section { part: section.0.to_vec(), text: section.1 };
    let found = seen(octets, usize::MAX).anatomy.seek(&section)?;
    let cut = |range: std::ops::Range<u64>| &octets[range.start as usize..range.end as usize];
    let octets = match (found, &section.text) {
        (Sought::Fields(header), SectionText::Fields { names, except }) => only_fields(cut(header), names, *except),
        (Sought::Fields(range) | Sought::Octets(range), _) => cut(range).to_vec(),
    };
    Some(String::from_utf8(octets).unwrap())
}

#[test]
fn sections_are_found_by_their_numbers() {
    use SectionText::{Fields, Header, Mime, Text, Whole};
    let inner =
        "Subject: Inner\r\nFrom: Jane <j@y.example>\r\nContent-Type: multipart/alternative; boundary=b2\r\n\r\n";
    let alternatives = "--b2\r\n\r\none\r\n--b2\r\nContent-Type: text/html\r\n\r\n<p>two\r\n--b2--";
    let fields = Fields { names: vec!["subject".into()], except: false };
    for (part, what, found) in [
        (&[][..], Whole, Some(LETTER.to_owned())),
        (&[], Header, Some(LETTER[..LETTER.find("preamble").unwrap()].to_owned())),
        (&[], Text, Some(LETTER[LETTER.find("preamble").unwrap()..].to_owned())),
        (&[], fields.clone(), Some("Subject: Letter\r\n\r\n".into())),
        (&[], Mime, None),
        (&[1], Whole, Some("Hello\r\nyou".into())),
        (&[1], Mime, Some("Content-Type: text/plain; charset=utf-8\r\n\r\n".into())),
        (&[1], Header, None),
        (&[1, 1], Whole, None),
        (&[2], Whole, Some(format!("{inner}{alternatives}"))),
        (&[2], Header, Some(inner.into())),
        (&[2], Text, Some(alternatives.into())),
        (&[2], fields, Some("Subject: Inner\r\n\r\n".into())),
        (&[2, 1], Whole, Some("one".into())),
        (&[2, 1], Mime, Some("\r\n".into())),
        (&[2, 2], Whole, Some("<p>two".into())),
        (&[2, 3], Whole, None),
        (&[3], Whole, None),
        (&[0], Whole, None),
    ] {
        assert_eq!(text(LETTER.as_bytes(), (part, what.clone())), found, "{part:?} {what:?}");
    }
    let plain = b"Subject: a\r\n\r\nbody\r\n";
    assert_eq!(text(plain, (&[1], Whole)).as_deref(), Some("body\r\n"));
    assert_eq!(text(plain, (&[1], Mime)).as_deref(), Some("Subject: a\r\n\r\n"));
    assert_eq!(text(plain, (&[2], Whole)), None);
}

#[test]
fn a_message_is_described() {
    let seen = seen(LETTER.as_bytes(), 7);
    assert_eq!(seen.thread.as_deref(), Some("<0@x>"));
    assert_eq!(seen.preview, "Hello you");
    assert!(LETTER.as_bytes().starts_with(&seen.header) && seen.header.ends_with(b"\r\n\r\n"));
    let root = &seen.anatomy.root;
    assert_eq!(
        (root.kind.as_str(), root.subtype.as_str(), root.parameter("BOUNDARY")),
        ("multipart", "mixed", Some("b 1"))
    );
    let PartContent::Multipart(parts) = &root.content else { panic!("a multipart") };
    assert_eq!((parts.len(), parts[0].lines), (2, 1));
    assert_eq!(parts[1].disposition.as_ref().map(|(word, _)| word.as_str()), Some("attachment"));
    let PartContent::Message(envelope, inner) = &parts[1].content else { panic!("a message") };
    assert_eq!(envelope.subject.as_deref(), Some("Inner"));
    assert_eq!(envelope.sender[0].name.as_deref(), Some("Jane"));
    assert!(inner.is("multipart", "alternative"));
    assert_eq!(parts[1].lines, 11);
}

#[test]
fn what_cannot_be_taken_apart_is_text_or_octets() {
    for (header, kind, subtype) in [
        ("", "text", "plain"),
        ("Content-Type: nonsense\r\n\r\nx", "text", "plain"),
        ("Content-Type: multipart/mixed\r\n\r\nx", "text", "plain"),
        ("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nx", "application", "octet-stream"),
    ] {
        let root = seen(header.as_bytes(), 3).anatomy.root;
        assert_eq!(
            (root.kind.as_str(), root.subtype.as_str(), &root.content),
            (kind, subtype, &PartContent::Leaf),
            "{header}"
        );
    }
    let empty = seen(b"Content-Type: multipart/mixed; boundary=b\r\n\r\nno part\r\n", 9).anatomy.root;
    assert!(matches!(&empty.content, PartContent::Multipart(parts) if parts.len() == 1));
}

/// Every message that nests has a floor; every one that multiplies an end.
#[test]
fn depth_and_number_are_bounded() {
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(5000);
    let mut part = seen(nested.as_bytes(), 4096).anatomy.root;
    let mut depth = 0;
    while let PartContent::Message(_, inner) = part.content {
        (part, depth) = (*inner, depth + 1);
    }
    assert_eq!((depth, part.kind.as_str()), (DEEPEST, "application"));
    let many = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", "--b\r\n\r\nx\r\n".repeat(5000));
    let root = seen(many.as_bytes(), 4096).anatomy.root;
    assert!(matches!(&root.content, PartContent::Multipart(parts) if parts.len() == MOST_PARTS - 1));
    let long = format!("X: {}\r\nSubject: late\r\n\r\nbody", "a".repeat(300_000));
    let seen = seen(long.as_bytes(), 1000);
    assert_eq!(seen.anatomy.root.body, (long.len() as u64 - 4)..long.len() as u64);
    assert!(seen.header.is_empty());
}

fn within(part: &Part, octets: u64) -> bool {
    let sound = part.header.start <= part.header.end
        && part.header.end <= part.body.start
        && part.body.start <= part.body.end
        && part.body.end <= octets;
    sound
        && match &part.content {
            PartContent::Leaf => true,
            PartContent::Multipart(parts) => !parts.is_empty() && parts.iter().all(|part| within(part, octets)),
            PartContent::Message(_, inner) => within(inner, octets),
        }
}

proptest! {
    #[test]
    fn any_octets_are_a_message_however_they_come(pieces in prop::collection::vec(prop_oneof![
        Just("\r\n"), Just("\n"), Just("\r"), Just("--b\r\n"), Just("--b--\r\n"), Just("--c\n"), Just("--"), Just("text "),
        Just("Content-Type: multipart/mixed; boundary=b\r\n"), Just("Content-Type: multipart/digest; boundary=c\r\n"),
        Just("Content-Type: message/rfc822\r\n"), Just("Subject: a\r\n b\r\n"), Just("\0é"),
    ], 0..30), step in 1..9usize) {
        let octets = pieces.concat();
        let octets = octets.as_bytes();
        let (whole, cut) = (seen(octets, usize::MAX), seen(octets, step));
        prop_assert_eq!(&whole.anatomy, &cut.anatomy);
        prop_assert_eq!((&whole.header, &whole.preview), (&cut.header, &cut.preview));
        prop_assert_eq!(whole.anatomy.octets, octets.len() as u64);
        prop_assert!(within(&whole.anatomy.root, octets.len() as u64));
        let stored = postcard::to_allocvec(&whole.anatomy).unwrap();
        prop_assert_eq!(postcard::from_bytes::<Anatomy>(&stored).unwrap(), whole.anatomy);
    }
}

/// A structure beyond the largest record was not stored, and kept its sender's message from being sent.
#[test]
fn whatever_a_message_says_its_anatomy_fits_in_a_record() {
    let words = "y".repeat(60);
    let long =
        format!("Content-Type: {words}/{words}; name=\"{}\"\r\nContent-ID: {}\r\n", "x".repeat(900), "z".repeat(900));
    let part = |at: usize| format!("--b\r\n{long}Content-Transfer-Encoding: {words}\r\n\r\n{at}\r\n");
    let list = format!("--b\r\nContent-Type: message/rfc822\r\n\r\nTo: {}\r\n\r\n", "a@b,".repeat(15_000));
    let mut message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned();
    (0..600).for_each(|at| message.push_str(&part(at)));
    (0..300).for_each(|_| message.push_str(&list));
    let mut anatomist = Anatomist::default();
    anatomist.feed(message.as_bytes());
    let seen = anatomist.finish();
    let octets = postcard::to_allocvec(&seen.anatomy).unwrap().len();
    assert!(octets < 200 * 1024, "{octets}");
    assert_eq!(seen.anatomy.root.leaves().len(), 900);
    // What comes first is told whole.
    assert_eq!(seen.anatomy.part(&[1]).unwrap().parameter("name").unwrap().len(), 900);
}
