//! However octets are cut into pieces, the same comes of them; and no octets end in a panic.

use std::sync::Arc;

use postern::mail::Domain;
use postern::smtp::{Purpose, RelayTrust, Settings};
use proptest::prelude::*;

use super::bare::Bare;

/// Pieces of which conversations are made, well-formed and not. None of them is STARTTLS: what is sent together with
/// that is discarded, and so the cut matters.
const PIECES: &[&str] = &[
    "EHLO pc.clinic.example\r\n",
    "HELO [192.0.2.1]\r\n",
    "AUTH PLAIN AGphbmVAY2xpbmljLmV4YW1wbGUAc2VjcmV0\r\n",
    "AUTH LOGIN\r\n",
    "amFuZUBjbGluaWMuZXhhbXBsZQ==\r\n",
    "c2VjcmV0\r\n",
    "*\r\n",
    "MAIL FROM:<jane@clinic.example> SIZE=100 RET=FULL\r\n",
    "mail from: <>\r\n",
    "MAIL FROM:<joe@elsewhere.example>\r\n",
    "RCPT TO:<a@b.example> NOTIFY=NEVER\r\n",
    "RCPT TO:<nobody@b.example>\r\n",
    "RCPT TO:<\"a>b\"@b.example>\r\n",
    "DATA\r\n",
    "Subject: x\r\n\r\nHello\r\n",
    "..\r\n",
    ".\r\n",
    "\r\n.\r\n",
    "\n.\n",
    "\r\n.\r\r\n",
    "\r",
    "\n",
    "\0",
    ".",
    "RSET\r\n",
    "NOOP\r\n",
    "QUIT\r\n",
    "GET / HTTP/1.1\r\n",
    "NONSENSE\r\n",
    "\u{fc}\r\n",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];

fn open(relay: bool) -> Bare {
    let mut settings = Settings::new(Domain::parse("mail.clinic.example").unwrap(), 300);
    settings.limits.command_line = 120;
    settings.limits.recipients = 3;
    settings.limits.errors = 8;
    settings.limits.fruitless = 15;
    settings.limits.data_line = 80;
    let networks = Some(vec!["127.0.0.0/8".parse().unwrap()]);
    let purpose = if relay {
        Purpose::Relay(RelayTrust { networks, any_sender: true, ..RelayTrust::default() })
    } else {
        Purpose::Submissions
    };
    Bare::new(Arc::new(settings), purpose)
}

/// What is replied, and what is accepted.
fn run(relay: bool, input: &[u8], mut cuts: Vec<usize>) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut bare = open(relay);
    cuts.push(input.len());
    cuts.sort_unstable();
    let mut at = 0;
    for cut in cuts {
        bare.receive(&input[at..cut.min(input.len())]);
        at = cut.min(input.len());
    }
    let taken = bare.fake.taken.lock().unwrap().drain(..).map(|taken| taken.octets).collect();
    (bare.out, taken)
}

fn conversation() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        30 => prop::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cuts_change_nothing(relay: bool, input in conversation(), cuts in prop::collection::vec(0usize..1500, 0..12)) {
        let whole = run(relay, &input, Vec::new());
        prop_assert_eq!(&run(relay, &input, cuts), &whole);
        prop_assert_eq!(&run(relay, &input, (0..input.len()).collect()), &whole);
    }

    #[test]
    fn garbage_never_panics_and_accepts_nothing(relay: bool, input in prop::collection::vec(any::<u8>(), 0..3000)) {
        let (_, taken) = run(relay, &input, Vec::new());
        prop_assert!(taken.is_empty());
    }
}

/// The pieces above do reach a message; else the property would hold of nothing.
#[test]
fn a_conversation_of_pieces_is_accepted() {
    let input = [PIECES[0], PIECES[2], PIECES[7], PIECES[10], PIECES[13], PIECES[14], PIECES[16]].concat();
    let (_, taken) = run(false, input.as_bytes(), (0..input.len()).collect());
    assert_eq!(taken, [PIECES[14].as_bytes()]);
}
