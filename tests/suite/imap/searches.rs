//! SEARCH and SORT over more messages than are read together, against what each message alone says.

use std::sync::Arc;
use std::time::Duration;

use postern::anatomy::{Needle, SortKeys, collation};
use postern::id::{Id, SessionId};
use postern::imap::session::{Door, Tls};
use postern::imap::{Places, Session, Settings};
use postern::mail::Domain;
use postern::net::Guesses;

use super::bare::Written;
use super::house::House;

struct Client {
    session: Session,
    out: Written,
}

impl Client {
    async fn signed_in(house: &House) -> Self {
        let guesses = Arc::new(Guesses::new(100, Duration::from_secs(60)));
        let door = Door { peer: "127.0.0.1".parse().unwrap(), guesses, places: Places::new(5) };
        let settings = Arc::new(Settings::new(Domain::parse("mail.clinic.example").unwrap()));
        let id = SessionId::from_octets([1; 16]);
        let session = Session::open(id, house.gateway().clone(), settings, door, Tls::Active);
        let mut client = Self { session, out: Written::default() };
        client.ask(&house.person().await.fill("LOGIN $name \"$password\"")).await;
        client
    }

    /// What is answered to a command that succeeds.
    async fn ask(&mut self, command: &str) -> String {
        self.session.receive(format!("a {command}\r\n").as_bytes());
        self.session.advance(&mut self.out).await.unwrap();
        let answer = String::from_utf8(std::mem::take(&mut self.out.0)).unwrap();
        assert!(answer.contains("\r\na OK") || answer.starts_with("a OK"), "{command}: {answer}");
        answer
    }

    /// The numbers behind `* WORD`.
    async fn numbers(&mut self, command: &str) -> Vec<usize> {
        let word = command.split(' ').next().unwrap();
        let answer = self.ask(command).await;
        let line = answer.lines().find_map(|line| line.strip_prefix(&format!("* {word}"))).unwrap();
        line.split_whitespace().map(|number| number.parse().unwrap()).collect()
    }
}

/// Header sections of every kind that is read in a way of its own: in the record or in the message, plain or encoded.
fn header(number: usize) -> String {
    let subject = match number % 5 {
        0 => format!("Subject: About visit {number} of spring\r\n"),
        1 => format!("Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= {number} of spring\r\n"),
        2 => format!("Subject: folded\r\n\tabout visit {number}\r\n"),
        3 => String::new(),
        _ => format!("SUBJECT:{number}\r\nSubject: second subject {number}\r\n"),
    };
    let date = format!("Date: {} Nov 2026 10:00:00 +0100\r\n", 1 + number % 28);
    // Beyond 16 KiB a header section is not in its record.
    let long = if number % 13 == 4 { format!("X-Long: {}\r\n", "x".repeat(900)).repeat(20) } else { String::new() };
    format!("From: P{} <p@x.example>\r\n{long}{subject}{date}\r\n", number % 7)
}

const DISTINCT: usize = 52;
const COPIES: usize = 12;

#[tokio::test]
async fn what_is_read_together_is_found_as_each_message_alone_says() {
    let house = House::new().await;
    let mut client = Client::signed_in(&house).await;
    for number in 0..DISTINCT {
        let message = format!("{}body {number} of {}\r\n", header(number), number % 3);
        client.ask(&format!("APPEND INBOX {{{}+}}\r\n{message}", message.len())).await;
    }
    client.ask("SELECT INBOX").await;
    for _ in 1..COPIES {
        client.ask(&format!("COPY 1:{DISTINCT} INBOX")).await;
    }
    client.ask("NOOP").await;
    let headers: Vec<String> = (0..DISTINCT).map(header).collect();
    let in_field = |number: usize, name: &str, text: &str| {
        Needle::new(text).is_in_field(headers[number % DISTINCT].as_bytes(), name)
    };
    let all = || 0..DISTINCT * COPIES;
    let found =
        |meets: &dyn Fn(usize) -> bool| all().filter(|number| meets(*number)).map(|number| number + 1).collect();
    let expected: [(&str, Vec<usize>); 8] = [
        ("SEARCH SUBJECT \"visit 1\"", found(&|n| in_field(n, "Subject", "visit 1"))),
        ("SEARCH SUBJECT \"GR\u{dc}\u{df}E\"", found(&|n| in_field(n, "Subject", "grüße"))),
        (
            "SEARCH SUBJECT second NOT FROM P3",
            found(&|n| in_field(n, "Subject", "second") && !in_field(n, "From", "p3")),
        ),
        ("SEARCH HEADER X-Long \"\"", found(&|n| n % DISTINCT % 13 == 4)),
        ("SEARCH OR SENTON 5-Nov-2026 FROM P2", found(&|n| n % DISTINCT % 28 == 4 || n % DISTINCT % 7 == 2)),
        ("SEARCH FROM P1 BODY \"of 2\"", found(&|n| n % DISTINCT % 7 == 1 && n % DISTINCT % 3 == 2)),
        ("SEARCH 100:400 NOT SUBJECT about", found(&|n| (99..400).contains(&n) && !in_field(n, "Subject", "about"))),
        ("SEARCH NOT SUBJECT \"\"", found(&|n| n % DISTINCT % 5 == 3)),
    ];
    for (command, expected) in expected {
        assert!(!expected.is_empty() && expected.len() < DISTINCT * COPIES, "{command} tells messages apart");
        assert_eq!(client.numbers(command).await, expected, "{command}");
    }
    let mut sorted: Vec<usize> = all().collect();
    sorted.sort_by_key(|n| (collation(&SortKeys::of(headers[n % DISTINCT].as_bytes()).subject.text), *n));
    let sorted: Vec<usize> = sorted.into_iter().map(|number| number + 1).collect();
    assert_eq!(client.numbers("SORT (SUBJECT) UTF-8 ALL").await, sorted);
}
