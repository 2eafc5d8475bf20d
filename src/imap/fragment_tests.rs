use proptest::prelude::*;

use super::*;

const BOUNDS: Bounds = Bounds { line: 60, literal: 30, command: 120, message: Some(50), signed_in: true };

/// What comes of octets that arrive in these pieces, one word an event; the octets of a message are joined.
fn run(input: &[u8], cuts: &[usize], bounds: &Bounds) -> Vec<String> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (input.len() + 1)).chain([0, input.len()]).collect();
    cuts.sort_unstable();
    let (mut fragments, mut events, mut message) = (Fragments::default(), Vec::new(), Vec::new());
    for piece in cuts.windows(2) {
        fragments.push(&input[piece[0]..piece[1]]);
        loop {
            let event = match fragments.next(bounds) {
                Framed::NeedInput => break,
                Framed::Continue => "continue".into(),
                Framed::Command(octets) => format!("command {}", octets.escape_ascii()),
                Framed::Message(head, announced) if announced.size > 50 => {
                    fragments.refuse_message(Excess::Message);
                    format!("message {} refused", head.escape_ascii())
                }
                Framed::Message(head, announced) => {
                    assert_eq!(fragments.take_message(), announced.waits);
                    format!("message {} {}", head.escape_ascii(), announced.size)
                }
                Framed::Octets(octets) => {
                    message.extend(octets);
                    continue;
                }
                Framed::Rest(rest) => {
                    format!("{} rest {}", std::mem::take(&mut message).escape_ascii(), rest.escape_ascii())
                }
                Framed::Refused(tag, excess) => format!("refused {} {excess:?}", tag.escape_ascii()),
                Framed::Flood => {
                    events.push("flood".into());
                    return events;
                }
            };
            events.push(event);
        }
    }
    events
}

#[test]
fn commands_literals_and_messages_are_told_apart() {
    let long = "x".repeat(70);
    for (input, expected) in [
        ("a NOOP\r\nb NOOP\n".to_owned(), vec!["command a NOOP", "command b NOOP"]),
        ("a X {3}\r\nabc\r\n".into(), vec!["continue", "command a X {3}\\r\\nabc"]),
        ("a X {3+}\r\na\r\n {0+}\r\n y\r\n".into(), vec!["command a X {3}\\r\\na\\r\\n {0}\\r\\n y"]),
        ("a X ~{2+}\r\n\0\0\r\n".into(), vec!["command a X ~{2}\\r\\n\\x00\\x00"]),
        ("a X {y}\r\n".into(), vec!["command a X {y}"]),
        ("a X {31}\r\nb NOOP\r\n".into(), vec!["refused a Literal", "command b NOOP"]),
        (
            format!("a X {{31+}}\r\n{}\r\nb NOOP\r\n", "\r\n".repeat(15) + "z"),
            vec!["refused a Literal", "command b NOOP"],
        ),
        (format!("a {long}\r\nb NOOP\r\n"), vec!["refused a Line", "command b NOOP"]),
        (format!("a {long} {{3+}}\r\nb\r\n {{4}}\r\nc NOOP\r\n"), vec!["refused a Line", "command c NOOP"]),
        ("a X {4294967296}\r\nb NOOP\r\n".into(), vec!["refused a Number", "command b NOOP"]),
        ("a X {4294967296+}\r\nb NOOP\r\n".into(), vec!["flood"]),
        ("a APPEND i {4}\r\na\r\n\r\r\n".into(), vec!["message a APPEND i  4", "a\\r\\n\\r rest "]),
        ("a append {1+}\r\ni {1+}\r\nm )\r\n".into(), vec!["message a append {1}\\r\\ni  1", "m rest  )"]),
        (
            "a APPEND i {99}\r\nb NOOP\r\n".into(),
            vec!["message a APPEND i  refused", "refused a Message", "command b NOOP"],
        ),
        (
            "a APPEND i {1+}\r\nm {6+}\r\nx NO\r\n\r\nb NOOP\r\n".into(),
            vec!["message a APPEND i  1", "refused a Other", "command b NOOP"],
        ),
    ] {
        let octet_by_octet: Vec<usize> = (0..input.len()).collect();
        for cuts in [&[][..], &octet_by_octet] {
            assert_eq!(run(input.as_bytes(), cuts, &BOUNDS), expected, "{input:?}");
        }
    }
}

#[test]
fn what_is_read_over_has_an_end() {
    let stranger = Bounds { message: None, signed_in: false, ..BOUNDS };
    let input = format!("a {}", "x".repeat(FLOOD_BEFORE_SIGN_IN as usize + 100));
    assert_eq!(run(input.as_bytes(), &[], &stranger), ["flood"]);
    assert_eq!(run(b"a X {70000+}\r\n", &[], &stranger), [""; 0]);
    let input = format!("a X {{70000+}}\r\n{}", "x".repeat(70_000));
    assert_eq!(run(input.as_bytes(), &[], &stranger), ["flood"]);
    assert_eq!(run(b"a APPEND i {40}\r\n", &[], &stranger), ["refused a Literal"], "a stranger appends nothing");
}

#[test]
fn lines_of_a_dialogue_within_a_command() {
    let mut fragments = Fragments::default();
    fragments.push(b"AGpv");
    assert_eq!(fragments.line(10), None);
    fragments.push(b"ZQ==\r\nDONE\r\n");
    assert_eq!(fragments.line(10), Some(Ok(b"AGpvZQ==".to_vec())));
    assert_eq!(fragments.line(3), Some(Err(Excess::Line)));
    fragments.push(b"01234567890");
    assert_eq!(fragments.line(10), Some(Err(Excess::Line)));
}

const PIECES: &[&str] = &[
    "a NOOP",
    "b APPEND INBOX ",
    "c APPEND ",
    "{3}",
    "{3+}",
    "{31+}",
    "{0}",
    "~{2+}",
    "{4294967296}",
    "{60+}",
    "abc",
    "\r\n",
    "\n",
    "\r",
    " ",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "\0",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cuts_change_nothing(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40),
        cuts in prop::collection::vec(0usize..2000, 0..12),
    ) {
        let input = pieces.concat();
        let whole = run(input.as_bytes(), &[], &BOUNDS);
        prop_assert_eq!(run(input.as_bytes(), &cuts, &BOUNDS), whole.clone());
        let octet_by_octet: Vec<usize> = (0..input.len()).collect();
        prop_assert_eq!(run(input.as_bytes(), &octet_by_octet, &BOUNDS), whole);
    }
}
