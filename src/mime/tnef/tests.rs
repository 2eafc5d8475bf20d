//! Streams written by hand, streams of Outlook and Exchange, and streams that are none.

use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::stream::id;
use super::*;

/// An attribute with its checksum; the upper half of its identifier is of no interest to readers.
fn attribute(level: u8, id: u16, data: &[u8]) -> Vec<u8> {
    let sum = data.iter().fold(0_u16, |sum, octet| sum.wrapping_add(u16::from(*octet)));
    let length = u32::try_from(data.len()).unwrap().to_le_bytes();
    [&[level][..], &id.to_le_bytes(), &6_u16.to_le_bytes(), &length, data, &sum.to_le_bytes()].concat()
}

fn stream(attributes: &[Vec<u8>]) -> Vec<u8> {
    [&0x223E_9F78_u32.to_le_bytes()[..], b"\x01\0", &attributes.concat()].concat()
}

/// A property of variable length with one value.
fn property(tag: u16, kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).unwrap().to_le_bytes();
    let padding = vec![0; value.len().wrapping_neg() % 4];
    [&kind.to_le_bytes()[..], &tag.to_le_bytes(), b"\x01\0\0\0", &length, value, &padding].concat()
}

fn unicode(tag: u16, text: &str) -> Vec<u8> {
    let units: Vec<u8> = text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    property(tag, 0x1F, &units)
}

fn properties(list: &[Vec<u8>]) -> Vec<u8> {
    [&u32::try_from(list.len()).unwrap().to_le_bytes()[..], &list.concat()].concat()
}

fn message_of(octets: &[u8]) -> Message<'_> {
    read(octets, &Limits::default()).expect("is TNEF")
}

/// A message within a message, as often as told; innermost a file.
fn nested(levels: usize) -> Vec<u8> {
    let mut inner = stream(&[attribute(2, id::ATTACH_REND_DATA, &[]), attribute(2, id::ATTACH_DATA, b"core")]);
    for _ in 0..levels {
        let object = [&[7, 3, 2, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46], inner.as_slice()].concat();
        let list = properties(&[property(0x3701, 0x0D, &object)]);
        inner = stream(&[attribute(2, id::ATTACH_REND_DATA, &[]), attribute(2, id::ATTACHMENT_PROPERTIES, &list)]);
    }
    inner
}

#[test]
fn the_long_name_is_shown_and_no_name_is_lost() {
    let list = properties(&[
        unicode(0x3001, "Befund Müller"),
        unicode(0x3707, "Befund Müller.pdf"),
        property(0x3704, 0x1E, b"BEFUND~1.PDF\0"),
        property(0x370E, 0x1E, b"application/pdf\0"),
        unicode(0x3712, "a@b"),
    ]);
    let octets = stream(&[
        attribute(1, id::MESSAGE_CLASS, b"IPM.Microsoft Mail.Note\0"),
        attribute(1, id::SUBJECT, b"\xc3\xf6\0"),
        attribute(2, id::ATTACH_REND_DATA, &[]),
        attribute(2, id::ATTACH_DATA, b"%PDF"),
        attribute(2, id::ATTACH_TITLE, b"Befund M\xfcller.pdf\0"),
        attribute(2, id::ATTACHMENT_PROPERTIES, &list),
        attribute(1, id::OEM_CODE_PAGE, b"\xe4\x04\0\0\0\0\0\0"),
    ]);
    let message = message_of(&octets);
    assert_eq!(message.class.as_deref(), Some("IPM.Note"));
    assert_eq!(message.subject.as_deref(), Some("Ãö"));
    let [attachment] = &message.attachments[..] else { panic!("one attachment") };
    assert_eq!(attachment.names, ["Befund Müller.pdf", "BEFUND~1.PDF", "Befund Müller"]);
    assert_eq!(attachment.media_type.as_deref(), Some("application/pdf"));
    assert_eq!(attachment.content_id.as_deref(), Some("a@b"));
    assert!(attachment.contents[0].octets() == b"%PDF" && attachment.contents.len() == 1);
    assert!(message.doubts.is_empty());
}

#[test]
fn a_code_page_holds_for_what_stands_before_it() {
    let octets = stream(&[
        attribute(1, id::SUBJECT, b"\xcf\xf0\xe8\xe2\xe5\xf2\0"),
        attribute(1, id::OEM_CODE_PAGE, b"\xe3\x04\0\0\0\0\0\0"),
    ]);
    assert_eq!(message_of(&octets).subject.as_deref(), Some("Привет"));
}

#[test]
fn what_readers_would_differ_on_is_told_and_nothing_is_lost() {
    let two = properties(&[property(0x3701, 0x0102, b"MZ other")]);
    let begin = || attribute(2, id::ATTACH_REND_DATA, &[]);
    let file = |octets: &[u8]| attribute(2, id::ATTACH_DATA, octets);
    let mut wrong_sum = stream(&[begin(), file(b"abc")]);
    *wrong_sum.last_mut().unwrap() ^= 1;
    let cut = stream(&[begin(), file(b"abcdef")]);
    let garbage = [stream(&[begin(), file(b"abc")]), b"\x07 more".to_vec()].concat();
    for (octets, doubt, contents) in [
        (wrong_sum, Doubt::Checksum, vec![&b"abc"[..]]),
        (cut[..cut.len() - 5].to_vec(), Doubt::Cut, vec![b"abc"]),
        (garbage, Doubt::GarbageAtEnd, vec![b"abc"]),
        (stream(&[file(b"abc")]), Doubt::Stray, vec![b"abc"]),
        (stream(&[begin(), file(b"abc"), file(b"def")]), Doubt::Twofold, vec![b"abc", b"def"]),
        (
            stream(&[begin(), file(b"abc"), attribute(2, id::ATTACHMENT_PROPERTIES, &two)]),
            Doubt::Twofold,
            vec![b"abc", b"MZ other"],
        ),
        (
            stream(&[begin(), file(b"abc"), attribute(2, id::ATTACHMENT_PROPERTIES, b"\x09\0\0\0")]),
            Doubt::Properties,
            vec![b"abc"],
        ),
    ] {
        let message = message_of(&octets);
        assert!(message.doubts.iter().eq([&doubt]), "{:?} for {doubt:?}", message.doubts);
        let found: Vec<&[u8]> = message.attachments[0].contents.iter().map(Content::octets).collect();
        assert_eq!(found, contents, "{doubt:?}");
    }
}

#[test]
fn messages_within_messages_end_at_the_limit() {
    let octets = nested(5);
    let mut message = message_of(&octets);
    for _ in 0..5 {
        let Some(Content::Message(inner, _)) = message.attachments.remove(0).contents.pop() else { panic!("message") };
        message = *inner;
    }
    assert!(message.attachments[0].contents[0].octets() == b"core");
    assert!(message_of(&nested(100)).doubts.contains(&Doubt::TooDeep));
}

#[test]
fn attachments_end_at_the_limit() {
    let begun = stream(&vec![attribute(2, id::ATTACH_REND_DATA, &[]); 501]);
    let message = message_of(&begun);
    assert!(message.attachments.len() == 500 && message.doubts.contains(&Doubt::TooMany));
}

/// One line for the message and one for each attachment, indented by depth.
fn listed(message: &Message<'_>, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    let class = message.class.as_deref().unwrap_or("-");
    let _ = writeln!(out, "{indent}{class} {:?}", message.doubts);
    for attachment in &message.attachments {
        let name = attachment.names.first().map_or("-", String::as_str);
        for content in &attachment.contents {
            let _ = writeln!(out, "{indent}{name} {}", content.octets().len());
            if let Content::Message(inner, _) = content {
                listed(inner, depth + 1, out);
            }
        }
    }
}

#[test]
fn public_streams_hold_what_is_known_of_them() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let folder = std::env::var_os("POSTERN_CORPUS").map_or(beside, Into::into).join("mimekit/TestData/tnef");
    if !folder.exists() {
        println!("skipped: no folder of public messages (POSTERN_CORPUS, else ../shared/corpus)");
        return;
    }
    for (name, expected) in [
        ("one-file", "IPM.Note {}\nAUTHORS 244\n"),
        ("two-files", "IPM.Note {}\nAUTHORS 244\nREADME 893\n"),
        ("long-filename", "IPM.Note {}\nallproductsmar2000.dat 279\n"),
        ("attachments", "IPM.Note {}\nzappa_av1.jpg 2937\nbookmark.htm 85805\n"),
        ("data-before-name", "IPM.Note {}\nAUTOEXEC.BAT 0\nCONFIG.SYS 0\nboot.ini 289\n"),
        ("garbage-at-end", "REPORT.IPM.Note.IPNRN {GarbageAtEnd}\n"),
        ("multi-value-attribute", "IPM.Note.Microsoft.Voicemail.UM.CA {}\n208225__5_seconds__Voice_Mail.mp3 10656\n"),
        ("multi-name-property", "IPM.Appointment {}\n"),
        ("winmail", "IPM.Note {}\nUntitled Attachment 29184\nUntitled Attachment 68608\n"),
        (
            "MAPI_ATTACH_DATA_OBJ",
            "IPM.Note {}\nVIA_Nytt_1402.doc 61952\nVIA_Nytt_1402.pdf 213685\nVIA_Nytt_14021.htm 68919\n",
        ),
        ("MAPI_OBJECT", "IPM.Note {}\nUntitled_Attachment 628224\n"),
        ("panic", "IPM.Note {GarbageAtEnd}\nimage001.jpg 11250\nimage002.jpg 9583\nimage003.png 7147\n"),
        (
            "unicode-mapi-attr-name",
            "IPM.Note {}\nspaconsole2.cfg 8387\nimage001.png 3815\nimage002.png 3573\nimage003.png 3792\n",
        ),
        (
            "christmas",
            "IPM.Note {}\nkitten-playing-with-a-christmas-tree.jpg 375081\nUntitled Attachment 6508\n  IPM.Task {}\n\
             Untitled Attachment 385301\n  IPM.Appointment {}\n  kitten-playing-with-a-christmas-tree.jpg 375081\n",
        ),
    ] {
        let octets = std::fs::read(folder.join(format!("{name}.tnef"))).expect("is in the corpus");
        let mut out = String::new();
        listed(&message_of(&octets), 0, &mut out);
        assert_eq!(out, expected, "{name}");
    }
}

proptest! {
    #[test]
    fn what_is_found_stands_in_the_octets(octets in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>(),
        to in any::<u8>(), levels in 0_usize..4)
    {
        let _ = read(&octets, &Limits::default());
        let mut mutated = [nested(levels), octets].concat();
        let place = at.index(mutated.len());
        mutated[place] = to;
        if let Some(message) = read(&mutated, &Limits::default()) {
            let within = mutated.as_ptr_range();
            for content in message.attachments.iter().flat_map(|attachment| &attachment.contents) {
                let found = content.octets().as_ptr_range();
                prop_assert!(content.octets().is_empty() || within.start <= found.start && found.end <= within.end);
            }
        }
    }
}
