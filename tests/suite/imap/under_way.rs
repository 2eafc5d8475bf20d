//! What happens while a command is under way: passwords that change, clients that go, messages that come too slowly.

use std::sync::Arc;
use std::time::{Duration, Instant};

use postern::id::{Id, SessionId};
use postern::imap::session::{Door, Gone, Outlet, Pause, Tls};
use postern::imap::{Places, Purpose, Session, Settings};
use postern::mail::{Address, Domain};
use postern::net::Guesses;
use postern::secret::Secret;
use postern::store::Batch;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::bare::Written;
use super::dialog::Exchange;
use super::house::{House, PASSWORD, Person};
use super::live;
use crate::wire::Wire;

fn settings() -> Settings {
    Settings::new(Domain::parse("mail.clinic.example").unwrap())
}

/// Of whom every step of a search is told.
fn told_of_all() -> Settings {
    let mut settings = settings();
    settings.deadlines.progress = Duration::ZERO;
    settings
}

/// Sessions of one office.
struct Office<'a> {
    house: &'a House,
    door: Door,
    settings: Arc<Settings>,
}

impl<'a> Office<'a> {
    fn new(house: &'a House, settings: Settings) -> Self {
        let guesses = Arc::new(Guesses::new(100, Duration::from_secs(60)));
        let door = Door { peer: "127.0.0.1".parse().unwrap(), guesses, places: Places::new(40) };
        Self { house, door, settings: Arc::new(settings) }
    }

    fn open(&self) -> Session {
        let (id, gateway) = (SessionId::from_octets([1; 16]), self.house.gateway().clone());
        Session::open(id, gateway, Arc::clone(&self.settings), self.door.clone(), Tls::Active)
    }

    /// A session that has signed in and selected INBOX.
    async fn selected(&self, person: &Person) -> Session {
        let mut session = self.open();
        let said = ask(&mut session, &person.fill("a LOGIN $name \"$password\"\r\nb SELECT INBOX")).await;
        assert!(said.contains("\r\nb OK"), "{said}");
        session
    }
}

/// What is said to these lines.
async fn ask(session: &mut Session, lines: &str) -> String {
    let mut paper = Written::default();
    session.receive(format!("{lines}\r\n").as_bytes());
    session.advance(&mut paper).await.unwrap();
    String::from_utf8_lossy(&paper.0).into_owned()
}

async fn append(session: &mut Session, message: &str) {
    let said = ask(session, &format!("m APPEND INBOX {{{}+}}\r\n{message}", message.len())).await;
    assert!(said.contains("m OK"), "{said}");
}

/// What a session sends is told, and it waits until each piece is let through, or learns that nobody reads.
struct Held(UnboundedSender<(String, oneshot::Sender<bool>)>);

impl Outlet for Held {
    async fn send(&mut self, octets: &[u8]) -> Result<(), Gone> {
        let (answer, answered) = oneshot::channel();
        self.0.send((String::from_utf8_lossy(octets).into_owned(), answer)).unwrap();
        if answered.await.unwrap() { Ok(()) } else { Err(Gone("connection-lost")) }
    }
}

type Pieces = UnboundedReceiver<(String, oneshot::Sender<bool>)>;

/// A command under way in a task of its own.
fn begin(mut session: Session, line: &str) -> (Pieces, tokio::task::JoinHandle<Result<Pause, Gone>>) {
    let (sender, pieces) = unbounded_channel();
    session.receive(format!("{line}\r\n").as_bytes());
    let running = tokio::spawn(async move { session.advance(&mut Held(sender)).await });
    (pieces, running)
}

/// All that still comes, let through.
async fn rest(pieces: &mut Pieces) -> String {
    let mut said = String::new();
    while let Some((piece, answer)) = pieces.recv().await {
        said += &piece;
        answer.send(true).unwrap();
    }
    said
}

async fn set_password(house: &House, person: &Person, password: &str) {
    let address = Address::parse(&person.name).unwrap();
    house.gateway().stations().accounts.set_password(&address, &Secret::new(password.to_owned())).await.unwrap();
}

/// The version of the account was read after the password had been checked: a session that signed in with the old one while it
/// was changed lived on.
#[tokio::test]
async fn a_sign_in_that_was_under_way_when_the_password_changed_ends() {
    let house = House::new().await;
    let person = house.person().await;
    let office = Office::new(&house, settings());
    let mut session = office.open();
    session.receive(person.fill("a LOGIN $name \"$password\"\r\n").as_bytes());
    let mut paper = Written::default();
    let stations = house.gateway().stations();
    let (id, _) = stations.accounts.find(&Address::parse(&person.name).unwrap()).await.unwrap().unwrap();
    // Behind its password, the first sign-in makes the mailboxes, and waits for that.
    let mut batch = Batch::default();
    stations.mailboxes.take_turns(&mut batch, &[id.into()]).await;
    let change = async {
        // The sign-in has read the account, and its Argon2 run is under way; this one's comes behind it.
        tokio::task::yield_now().await;
        set_password(&house, &person, "quite another long one").await;
        drop(batch);
    };
    let (pause, ()) = tokio::join!(session.advance(&mut paper), change);
    let said = String::from_utf8_lossy(&paper.0).into_owned();
    assert!(said.contains("a OK"), "{said}");
    assert!(matches!(pause, Ok(Pause::NeedInput(_))), "{pause:?}");
    let said = ask(&mut session, "b NOOP").await;
    assert!(said.starts_with("* BYE") && !said.contains("b OK"), "{said}");
}

/// SEARCH, SORT and THREAD ran to their end, and told what they had found, whatever became of the account meanwhile.
#[tokio::test]
async fn a_search_ends_when_its_answer_may_not_be_read_any_more() {
    let house = House::new().await;
    let office = Office::new(&house, told_of_all());
    for (line, found, looks) in [
        ("s SEARCH TEXT needle", "* SEARCH", 1),
        ("s SORT (SUBJECT) UTF-8 ALL", "* SORT", 2),
        ("s THREAD REFERENCES UTF-8 ALL", "* THREAD", 2),
    ] {
        let person = house.person().await;
        let mut session = office.selected(&person).await;
        for number in 0..70 {
            append(&mut session, &format!("Subject: {number}\r\n\r\nneedle")).await;
        }
        let (mut pieces, running) = begin(session, line);
        // SORT and THREAD look at all once more, for what they order by.
        let (mut rounds, mut last) = (0, 0);
        let answer = loop {
            let (piece, answer) = pieces.recv().await.unwrap();
            let at: usize = piece.split("Looked at ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
            assert!(piece.starts_with(&format!("* OK [INPROGRESS (\"s\" {at} 70)] ")), "{line}: {piece}");
            rounds += usize::from(rounds == 0 || at < last);
            last = at;
            if rounds == looks {
                break answer;
            }
            answer.send(true).unwrap();
        };
        set_password(&house, &person, "quite another long one").await;
        answer.send(true).unwrap();
        let said = rest(&mut pieces).await;
        let bye = "* BYE Your account was changed; please sign in again\r\n";
        assert!(said.ends_with(bye) && !said.contains(found) && !said.contains("\r\ns "), "{line}: {said}");
        assert_eq!(running.await.unwrap(), Ok(Pause::Close("account-changed")), "{line}");
    }
}

/// A client that went while its search was under way kept its turn to the end; with as many as may search at once a further
/// session of the account waited, and heard nothing.
#[tokio::test]
async fn a_search_whose_client_has_gone_makes_room_for_those_that_wait_and_are_told_so() {
    let house = House::new().await;
    let person = house.person().await;
    let office = Office::new(&house, told_of_all());
    let mut session = office.selected(&person).await;
    for _ in 0..6 {
        append(&mut session, "Subject: a\r\n\r\nneedle").await;
    }
    let mut others = Vec::new();
    let mut sessions = vec![session];
    for _ in 1..4 {
        sessions.push(office.selected(&person).await);
    }
    for session in sessions {
        let (mut pieces, running) = begin(session, "s SEARCH TEXT needle");
        others.push((pieces.recv().await.unwrap().1, pieces, running));
    }
    let (mut pieces, running) = begin(office.selected(&person).await, "s SEARCH TEXT needle");
    let (waiting, answer) = pieces.recv().await.unwrap();
    assert!(waiting.contains("* OK [INPROGRESS (\"s\" NIL NIL)] Other searches"), "{waiting}");
    for (answer, _, other) in others {
        answer.send(false).unwrap();
        assert_eq!(other.await.unwrap(), Err(Gone("connection-lost")));
    }
    answer.send(true).unwrap();
    let said = rest(&mut pieces).await;
    assert!(said.contains("* SEARCH 1 2 3 4 5 6\r\ns OK"), "{said}");
    assert!(matches!(running.await.unwrap(), Ok(Pause::NeedInput(_))));
}

/// Ten messages were marked as seen before the first of them was sent, however large they were.
#[tokio::test]
async fn a_connection_that_breaks_leaves_unseen_what_was_not_sent() {
    let house = House::new().await;
    let person = house.person().await;
    let office = Office::new(&house, settings());
    let mut session = office.selected(&person).await;
    let large = format!("Subject: large\r\n\r\n{}", "a line of some length\r\n".repeat(2_500));
    for _ in 0..10 {
        append(&mut session, &large).await;
    }
    let (mut pieces, running) = begin(session, "f FETCH 1:* (BODY[])");
    loop {
        let (piece, answer) = pieces.recv().await.unwrap();
        answer.send(!piece.contains("* 2 FETCH")).unwrap();
        if piece.contains("* 2 FETCH") {
            break;
        }
    }
    assert_eq!(running.await.unwrap(), Err(Gone("connection-lost")));
    let said = ask(&mut office.selected(&person).await, "s UID SEARCH SEEN").await;
    assert!(said.contains("* SEARCH 1 2\r\n"), "{said}");
}

/// One message whose octets could not be read ended the command, and with it the answer for all that came behind it.
#[tokio::test]
async fn a_message_that_cannot_be_read_keeps_no_other_back() {
    let house = House::new().await;
    let person = house.person().await;
    let office = Office::new(&house, settings());
    let mut session = office.selected(&person).await;
    let blobs = house.folder().join("data/blob");
    append(&mut session, "Subject: first\r\n\r\none").await;
    let before = files_in(&blobs);
    append(&mut session, &format!("Subject: second\r\n\r\n{}", "much text\r\n".repeat(100_000))).await;
    append(&mut session, "Subject: third\r\n\r\nthree").await;
    let file = files_in(&blobs).into_iter().find(|file| !before.contains(file)).unwrap();
    let mut octets = std::fs::read(&file).unwrap();
    let middle = octets.len() / 2;
    octets[100] ^= 1;
    octets[middle] ^= 1;
    std::fs::write(&file, octets).unwrap();
    let said = ask(&mut session, "f FETCH 1:3 (UID BODY.PEEK[TEXT])").await;
    assert!(said.contains("* 1 FETCH (UID 1 BODY[TEXT] {3}\r\none)"), "{said}");
    assert!(said.contains("* 3 FETCH (UID 3 BODY[TEXT] {5}\r\nthree)"), "{said}");
    assert!(said.contains("\r\nf NO "), "{said}");
    assert!(!said.contains("* 2 FETCH"), "what was not told is not begun: {said}");
    let said = ask(&mut session, "g FETCH 2 (ENVELOPE)").await;
    assert!(said.contains("second") && said.contains("g OK"), "the session goes on: {said}");
}

fn files_in(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_in(&path)) } else { files.push(path) }
    }
    files
}

/// A message by an octet at a time was waited for as long as one octet came before each deadline.
#[tokio::test]
async fn a_message_that_comes_by_an_octet_at_a_time_is_not_waited_for() {
    let house = House::new().await;
    let person = house.person().await;
    let mut settings = settings();
    settings.deadlines.data = Duration::from_secs(2);
    let live = live::start(&house, &settings, Purpose::Imaps).await;
    let mut client = live.connect().await.unwrap();
    client.send(person.fill("a LOGIN $name \"$password\"\r\nb APPEND INBOX {1000}\r\n").as_bytes()).await;
    let begun = Instant::now();
    let slow = async {
        loop {
            client.send(b"x").await;
            tokio::time::sleep(Duration::from_millis(200)).await;
            if let Ok(Ok(said)) = tokio::time::timeout(Duration::from_millis(1), client.more()).await {
                match said {
                    Some(said) if String::from_utf8_lossy(&said).contains("* BYE") => return,
                    Some(_) => {}
                    None => panic!("closed without a word"),
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(15), slow).await.expect("it was waited for");
    assert!(begun.elapsed() > Duration::from_secs(2), "its patience was not used up");
}

/// A message in a form that cannot be undone, or that could not be read, ended the command, and it and all that came behind it
/// had been marked as seen.
#[tokio::test]
async fn what_could_not_be_told_is_not_seen() {
    let house = House::new().await;
    let person = house.person().await;
    let office = Office::new(&house, settings());
    let mut session = office.selected(&person).await;
    append(&mut session, "Subject: 1\r\n\r\none").await;
    append(&mut session, "Subject: 2\r\nContent-Transfer-Encoding: x-strange\r\n\r\ntwo").await;
    append(&mut session, "Subject: 3\r\n\r\nthree").await;
    let said = ask(&mut session, "f FETCH 1:3 (BINARY[1])").await;
    assert!(said.contains("* 1 FETCH (BINARY[1] ~{3}\r\none") && said.contains("* 3 FETCH (BINARY[1] ~{5}"), "{said}");
    assert!(said.contains("\r\nf NO [UNKNOWN-CTE] ") && !said.contains("* 2 FETCH (BINARY"), "{said}");
    let said = ask(&mut office.selected(&person).await, "s SEARCH SEEN").await;
    assert!(said.contains("* SEARCH 1 3\r\n"), "{said}");
}

/// A message that took hours to come was stored though its sender had lost the right to store it long before.
#[tokio::test]
async fn an_append_ends_when_the_password_changed_on_its_way() {
    let house = House::new().await;
    let person = house.person().await;
    let office = Office::new(&house, settings());
    let mut session = office.selected(&person).await;
    assert!(ask(&mut session, "m APPEND INBOX {18+}\r\nSubject: a").await.is_empty());
    set_password(&house, &person, "quite another long one").await;
    let said = ask(&mut session, "\r\nbody").await;
    assert_eq!(said, "* BYE Your account was changed; please sign in again\r\n");
    set_password(&house, &person, PASSWORD).await;
    let said = ask(&mut office.selected(&person).await, "s STATUS INBOX (MESSAGES)").await;
    assert!(said.contains("(MESSAGES 0)"), "{said}");
}
