//! What imap-codec can read, we read alike: a command as written, and as imap-codec writes what it has understood, mean
//! the same to us.

use imap_codec::CommandCodec;
use imap_codec::decode::Decoder;
use imap_codec::encode::Encoder;
use postern::imap::command::{Command, FetchRequest, SearchRequest, StoreRequest, Tagged, parse};
use proptest::prelude::*;

/// The command, and its tag.
fn ours(text: &[u8]) -> Result<(String, Command), String> {
    let text = text.strip_suffix(b"\r\n").unwrap_or(text);
    match parse(text) {
        Ok(Tagged { tag, command: Ok(command) }) => Ok((tag, command)),
        Ok(Tagged { command: Err(mistake), .. }) | Err(mistake) => Err(mistake.0.to_owned()),
    }
}

/// The same command, written anew by imap-codec; `None` where it cannot read it.
fn theirs(text: &[u8]) -> Option<Vec<u8>> {
    let (rest, command) = CommandCodec::default().decode(text).ok()?;
    rest.is_empty().then(|| CommandCodec::default().encode(&command).dump())
}

fn same(one: &Command, other: &Command) -> bool {
    use Command as C;
    let fetch = |a: &FetchRequest, b: &FetchRequest| {
        (&a.items, a.changed_since, a.vanished) == (&b.items, b.changed_since, b.vanished)
    };
    let store = |a: &StoreRequest, b: &StoreRequest| {
        (a.unchanged_since, a.how, a.silent, &a.flags) == (b.unchanged_since, b.how, b.silent, &b.flags)
    };
    let search =
        |a: &SearchRequest, b: &SearchRequest| (&a.returns, &a.charset, &a.key) == (&b.returns, &b.charset, &b.key);
    match (one, other) {
        (C::Login { name: a, password: p }, C::Login { name: b, password: q }) => (a, p.expose()) == (b, q.expose()),
        (C::Authenticate { mechanism: a, .. }, C::Authenticate { mechanism: b, .. }) => a == b,
        (C::Select(a, p), C::Select(b, q)) => (a, p) == (b, q),
        (C::Create(a, p), C::Create(b, q)) => (a, p) == (b, q),
        (C::Delete(a), C::Delete(b)) | (C::Subscribe(a), C::Subscribe(b)) | (C::Unsubscribe(a), C::Unsubscribe(b)) => {
            a == b
        }
        (C::Rename(a, p), C::Rename(b, q)) | (C::Lsub(a, p), C::Lsub(b, q)) => (a, p) == (b, q),
        (C::List(a), C::List(b)) => a == b,
        (C::Status(a, p), C::Status(b, q)) => (a, p) == (b, q),
        (C::Expunge(a), C::Expunge(b)) => a == b,
        (C::Search(x, a), C::Search(y, b)) => x == y && search(a, b),
        (C::Fetch(x, p, a), C::Fetch(y, q, b)) => (x, p) == (y, q) && fetch(a, b),
        (C::Store(x, p, a), C::Store(y, q, b)) => (x, p) == (y, q) && store(a, b),
        (C::Copy(x, p, a), C::Copy(y, q, b)) | (C::Move(x, p, a), C::Move(y, q, b)) => (x, p, a) == (y, q, b),
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

fn set() -> impl Strategy<Value = String> {
    let end = prop_oneof![(1u32..).prop_map(|number| number.to_string()), Just("*".to_owned())];
    let range = (end.clone(), prop::option::of(end)).prop_map(|(one, other)| match other {
        Some(other) => format!("{one}:{other}"),
        None => one,
    });
    prop::collection::vec(range, 1..4).prop_map(|ranges| ranges.join(","))
}

/// A string in one of the forms that there are.
fn string() -> impl Strategy<Value = String> {
    let quoted = "[ -!#-\\[\\]-~]{0,8}".prop_map(|text: String| format!("\"{text}\""));
    let escaped = Just("\"a \\\"b\\\" \\\\c\"".to_owned());
    let literal = "[ -~]{0,8}".prop_map(|text: String| format!("{{{}}}\r\n{text}", text.len()));
    prop_oneof!["[a-zA-Z0-9.+-]{1,8}", quoted, escaped, literal]
}

fn section() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        Just(String::new()),
        Just("HEADER".into()),
        Just("TEXT".into()),
        Just("1".into()),
        Just("1.2.MIME".into()),
        Just("2.header".into()),
        Just("HEADER.FIELDS (From \"To\")".into()),
        Just("3.HEADER.FIELDS.NOT (Date)".to_owned()),
    ];
    (text, prop::option::of((0u32..100, 1u32..100))).prop_map(|(text, partial)| match partial {
        Some((first, count)) => format!("[{text}]<{first}.{count}>"),
        None => format!("[{text}]"),
    })
}

fn item() -> impl Strategy<Value = String> {
    let plain = prop::sample::select(vec![
        "UID",
        "flags",
        "INTERNALDATE",
        "RFC822.SIZE",
        "ENVELOPE",
        "BODY",
        "BODYSTRUCTURE",
        "RFC822",
        "RFC822.HEADER",
        "RFC822.TEXT",
        "MODSEQ",
        "BINARY[1.2]",
        "BINARY.PEEK[1]<0.5>",
        "BINARY.SIZE[2]",
    ]);
    prop_oneof![
        plain.prop_map(str::to_owned),
        section().prop_map(|section| format!("BODY{section}")),
        section().prop_map(|section| format!("body.peek{section}")),
    ]
}

fn key() -> impl Strategy<Value = String> {
    let plain = prop::sample::select(vec![
        "ALL",
        "answered",
        "NEW",
        "OLD",
        "RECENT",
        "SEEN",
        "UNSEEN",
        "UNDRAFT",
        "BEFORE 1-Feb-1994",
        "SINCE \"12-Mar-2020\"",
        "SENTON 3-Apr-2021",
        "LARGER 5",
        "SMALLER 70000",
        "KEYWORD $Label",
        "UNKEYWORD x",
    ]);
    let with = prop::sample::select(vec!["FROM", "to", "CC", "BCC", "SUBJECT", "BODY", "TEXT", "HEADER X-A"]);
    let leaf = prop_oneof![
        plain.prop_map(str::to_owned),
        (with, string()).prop_map(|(name, text)| format!("{name} {text}")),
        set(),
        set().prop_map(|set| format!("UID {set}")),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|key| format!("NOT {key}")),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("OR {one} {other}")),
            prop::collection::vec(inner, 1..3).prop_map(|keys| format!("({})", keys.join(" "))),
        ]
    })
}

fn command() -> impl Strategy<Value = String> {
    let flags = prop::sample::select(vec!["\\Seen", "\\Deleted \\Answered", "$Forwarded \\Draft", ""]);
    let how = prop::sample::select(vec!["FLAGS", "+FLAGS", "-flags.silent", "FLAGS.SILENT"]);
    let uid = prop::sample::select(vec!["", "UID "]);
    let plain = prop::sample::select(vec![
        "CAPABILITY",
        "noop",
        "LOGOUT",
        "STARTTLS",
        "CHECK",
        "CLOSE",
        "EXPUNGE",
        "UNSELECT",
        "IDLE",
        "NAMESPACE",
        "ENABLE CONDSTORE UTF8=ACCEPT",
        "ID NIL",
        "ID (\"name\" \"x\")",
        "GETQUOTA \"\"",
        "GETQUOTAROOT INBOX",
        "AUTHENTICATE PLAIN",
        "STATUS x (MESSAGES UIDNEXT unseen)",
        "SORT (REVERSE DATE SUBJECT) UTF-8 ALL",
        "THREAD REFERENCES UTF-8 ALL",
        "UID EXPUNGE 1:3",
    ]);
    let named = prop::sample::select(vec!["SELECT", "EXAMINE", "CREATE", "delete", "SUBSCRIBE", "UNSUBSCRIBE"]);
    let twice = prop::sample::select(vec!["RENAME", "LOGIN", "LIST", "LSUB"]);
    prop_oneof![
        plain.prop_map(str::to_owned),
        (named, string()).prop_map(|(verb, name)| format!("{verb} {name}")),
        (twice, string(), string()).prop_map(|(verb, one, other)| format!("{verb} {one} {other}")),
        (uid.clone(), set(), prop::collection::vec(item(), 1..4))
            .prop_map(|(uid, set, items)| format!("{uid}FETCH {set} ({})", items.join(" "))),
        (uid.clone(), set(), how, flags).prop_map(|(uid, set, how, flags)| format!("{uid}STORE {set} {how} ({flags})")),
        (uid.clone(), prop::collection::vec(key(), 1..4))
            .prop_map(|(uid, keys)| format!("{uid}SEARCH {}", keys.join(" "))),
        (uid.clone(), set(), string()).prop_map(|(uid, set, name)| format!("{uid}COPY {set} {name}")),
        (uid, set(), string()).prop_map(|(uid, set, name)| format!("{uid}MOVE {set} {name}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_imap_codec_can_read_we_read_alike(tag in "[a-zA-Z0-9.]{1,6}", command in command()) {
        let text = format!("{tag} {command}\r\n");
        let Some(again) = theirs(text.as_bytes()) else { return Ok(()) };
        let (our_tag, once) = ours(text.as_bytes()).map_err(TestCaseError::fail)?;
        let (_, twice) = ours(&again).map_err(TestCaseError::fail)?;
        prop_assert_eq!(our_tag, tag);
        prop_assert!(same(&once, &twice), "{} is not {}", text.escape_debug(), again.escape_ascii());
    }
}

/// It does read most of what is made here; else the property would hold of nothing.
#[test]
fn the_oracle_reads_what_it_is_asked() {
    for text in [
        "a FETCH 1:*,3 (UID BODY.PEEK[1.2.MIME]<0.5> BODY[HEADER.FIELDS (From \"To\")])\r\n",
        "a UID SEARCH OR NOT SEEN (FROM {3}\r\nabc BEFORE 1-Feb-1994) UID 3:*\r\n",
        "a STORE 1 +FLAGS.SILENT (\\Seen $Label)\r\n",
        "a LOGIN \"a \\\"b\" {0}\r\n\r\n",
        "a LIST \"\" %\r\n",
        "a MOVE 1 INBOX\r\n",
    ] {
        assert!(theirs(text.as_bytes()).is_some(), "{text:?}");
    }
}
