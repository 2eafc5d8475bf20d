use proptest::prelude::*;

use super::*;
use crate::anatomy::SectionText;

/// The word for what came of a command: its verb's variant, or what is wrong.
fn read(text: &str) -> Result<Command, String> {
    match parse(text.as_bytes()) {
        Ok(Tagged { command: Ok(command), .. }) => Ok(command),
        Ok(Tagged { command: Err(Mistake(text)), .. }) => Err(text.to_owned()),
        Err(Mistake(text)) => Err(format!("no tag: {text}")),
    }
}

#[test]
fn commands_of_every_kind_are_taken() {
    for text in [
        "a CAPABILITY",
        "a1. noop",
        "] LOGOUT ",
        "a AUTHENTICATE PLAIN",
        "a AUTHENTICATE PLAIN =",
        "a AUTHENTICATE login amFuZQ==",
        "a LOGIN {4}\r\njane \"se\\\"cret\"",
        "a LOGIN ~{0}\r\n p]",
        "a ENABLE CONDSTORE UTF8=ACCEPT IMAP4rev2",
        "a ID NIL",
        "a ID (\"name\" \"x\" \"version\" NIL)",
        "a ID ()",
        "a SELECT INBOX (QRESYNC (67890007 90060115194045000 41:211,214:541 (1,3 4,5)) CONDSTORE)",
        "a SELECT INBOX (QRESYNC (1 2))",
        "a EXAMINE \"A B\" (CONDSTORE)",
        "a CREATE x (USE (\\Drafts \\Sent))",
        "a RENAME a {1}\r\nb",
        "a LIST () \"\" (a* %/b \"c d\") RETURN (CHILDREN STATUS (MESSAGES SIZE) SPECIAL-USE SUBSCRIBED)",
        "a LIST (SUBSCRIBED RECURSIVEMATCH REMOTE) \"\" %",
        "a LSUB \"\" *",
        "a STATUS x (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE HIGHESTMODSEQ MAILBOXID APPENDLIMIT)",
        "a UID EXPUNGE 1:*",
        "a FETCH 1:3,7,* ALL",
        "a FETCH $ (UID BODY.PEEK[1.2.HEADER.FIELDS (From {2}\r\nTo)]<0.100> BODY[]<5.1> BODY[1.MIME])",
        "a FETCH 1 (BINARY[1.2]<0.5> BINARY.PEEK[] BINARY.SIZE[3] PREVIEW (LAZY) EMAILID THREADID MODSEQ)",
        "a UID FETCH 1 FLAGS (CHANGEDSINCE 5 VANISHED)",
        "a FETCH 1 RFC822.TEXT",
        "a STORE 1 (UNCHANGEDSINCE 12) +FLAGS.SILENT (\\Seen $Junk)",
        "a STORE 1 -flags \\Seen \\Deleted",
        "a UID MOVE 1:2 Trash",
        "a SEARCH RETURN (MIN COUNT) CHARSET \"utf-8\" (OR NOT SEEN 1:2 (FROM x TO y)) UID 5 MODSEQ \"/flags/\\\\draft\" all 7",
        "a SEARCH RETURN () BEFORE 1-Feb-1994 SENTON \"01-Feb-1994\" YOUNGER 5 HEADER X-A \"\" EMAILID Mx LARGER 4294967296",
        "a SORT (REVERSE DATE SUBJECT) UTF-8 ALL",
        "a UID THREAD REFERENCES US-ASCII TEXT {3}\r\nabc",
        "a GETQUOTA \"\"",
        "a GETQUOTAROOT INBOX",
        "a SETQUOTA \"\" (STORAGE 512)",
        "a SETQUOTA \"\" ()",
        "a IDLE",
    ] {
        assert_eq!(read(text).err(), None, "{text:?}");
    }
}

#[test]
fn what_is_no_command_is_refused_with_a_reason() {
    for text in [
        "",
        " NOOP",
        "a",
        "a ",
        "a  NOOP",
        "+ NOOP",
        "a NOOP x",
        "a LOGIN x",
        "a LOGIN x \"y",
        "a LOGIN x {5}\r\nabc",
        "a LOGIN \"a\\b\" c",
        "a SELECT",
        "a SELECT a b",
        "a SELECT a (X)",
        "a STATUS a ()",
        "a STATUS a (WRONG)",
        "a FETCH 0 FLAGS",
        "a FETCH 1",
        "a FETCH 1 ()",
        "a FETCH 1 (FLAGS",
        "a FETCH 1 BODY[1.]",
        "a FETCH 1 BODY[0]",
        "a FETCH 1 BODY[MIME]",
        "a FETCH 1 BODY[HEADER.FIELDS ()]",
        "a FETCH 1 BODY[]<0.0>",
        "a FETCH 1 BINARY[1.]",
        "a FETCH 1 ALL FLAGS",
        "a STORE 1 FLAGS",
        "a STORE 1 +-FLAGS (\\Seen)",
        "a STORE 1 FLAGS (a b",
        "a SEARCH",
        "a SEARCH ()",
        "a SEARCH FROM",
        "a SEARCH BEFORE 31-Feb-2026",
        "a SEARCH YOUNGER 0",
        "a SORT () UTF-8 ALL",
        "a THREAD REFERENCES ALL",
        "a UID NOOP",
        "a UID",
        "a LIST (RECURSIVEMATCH) \"\" *",
    ] {
        assert!(read(text).is_err(), "{text:?}");
    }
}

#[test]
fn arguments_mean_what_they_say() {
    let Ok(Command::Fetch(By::Uid, _, request)) = read("a UID FETCH 1 (BODY.PEEK[2.HEADER.FIELDS.NOT (To)]<5.7>)")
    else {
        panic!("no FETCH");
    };
    let FetchItem::Body(section, Some((5, 7)), Peek::Yes) = &request.items[0] else { panic!("no section") };
    assert_eq!(section.part, [2]);
    assert_eq!(section.text, SectionText::Fields { names: vec!["To".into()], except: true });
    let Ok(Command::Search(By::Number, search)) = read("a SEARCH OR SEEN NOT FROM \"x y\" 2") else {
        panic!("no SEARCH");
    };
    let Key::And(keys) = &search.key else { panic!("two keys") };
    assert!(matches!(&keys[0], Key::Or(one, _) if matches!(**one, Key::Flag(_, true))));
    assert!(matches!(&keys[1], Key::Numbers(_)));
    let Ok(Command::Login { name, password }) = read("a LOGIN {3}\r\na b \"c\\\\\"") else { panic!("no LOGIN") };
    assert_eq!((name.as_str(), password.expose().as_str()), ("a b", "c\\"));
}

#[test]
fn nesting_and_number_are_bounded() {
    let nested = |depth: usize| format!("a SEARCH {}ALL{}", "(".repeat(depth), ")".repeat(depth));
    assert!(read(&nested(40)).is_ok() && read(&nested(60)).is_err() && read(&nested(30_000)).is_err());
    assert!(read(&format!("a SEARCH {}ALL", "NOT ".repeat(30_000))).is_err());
    assert!(read(&format!("a SEARCH{}", " ALL".repeat(2000))).is_err());
    assert!(read(&format!("a FETCH 1 BODY[{}]", ["1"; 80].join("."))).is_err());
    assert!(read(&format!("a FETCH {} FLAGS", vec!["1"; 20_000].join(","))).is_err());
}

const PIECES: &[&str] = &[
    "a ",
    "UID ",
    "FETCH ",
    "STORE ",
    "SEARCH ",
    "SELECT ",
    "LIST ",
    "LOGIN ",
    "APPEND ",
    "1:*",
    "$",
    ",",
    "(",
    ")",
    " ",
    "BODY[",
    "]",
    "<0.1>",
    "HEADER.FIELDS ",
    "{3}\r\nabc",
    "{9}\r\n",
    "\"x\"",
    "\"",
    "\\Seen",
    "FLAGS",
    "+",
    "CHARSET ",
    "NOT ",
    "OR ",
    "QRESYNC ",
    "RETURN ",
    "1-Feb-1994",
    "*",
    "%",
    "\r\n",
    "\0",
    "ü",
    "99999999999999999999",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_octets_make_it_panic(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..30),
        octets in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let _ = parse(pieces.concat().as_bytes());
        let _ = parse(&octets);
        let _ = parse_append(pieces.concat().as_bytes());
    }
}
