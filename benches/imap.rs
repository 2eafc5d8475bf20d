//! An IMAP client for benches/imap: the same octets to whichever server, many sessions.
//!
//! `imap OPERATION ADDRESS CA HOST PASSWORD MAILBOX SESSIONS TIMES USER…` does an operation TIMES times in each of SESSIONS
//! sessions, which take turns with the users, and prints how long all of it took as JSON. What stands in SELECTed mailboxes is what
//! [`message`] makes: `append-from` puts it there, `maildir FOLDER COUNT` writes the same as files, `hash PASSWORD` a
//! password as Postern keeps it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark ends where anything goes wrong")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Instant;

use argon2::password_hash::CustomizedPasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Bodies that are read at a time.
const BODIES: usize = 1_000;
/// Messages whose headers a program shows first.
const HEADERS: usize = 100;
const SHOWN: &str = "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (From To Cc Subject Date Message-ID References Content-Type)])";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["hash", password] => println!("{}", hash(password)),
        ["maildir", folder, count] => write_maildir(Path::new(folder), count.parse().unwrap()),
        [operation, address, ca, host, password, mailbox, sessions, times, users @ ..] if !users.is_empty() => {
            let task = Task {
                operation,
                address,
                host,
                password,
                mailbox,
                times: times.parse().unwrap(),
                tls: trusting(ca),
                next: AtomicUsize::new(0),
            };
            println!("{{\"seconds\": {}}}", task.run(sessions.parse().unwrap(), users));
        }
        // `cargo bench` runs every bench without arguments; benches/imap is the way in.
        _ => println!("imap: started by benches/imap"),
    }
}

struct Task<'a> {
    operation: &'a str,
    address: &'a str,
    host: &'a str,
    password: &'a str,
    mailbox: &'a str,
    times: usize,
    tls: Arc<ClientConfig>,
    /// The number of the next message that is made.
    next: AtomicUsize,
}

impl Task<'_> {
    /// Seconds from the moment at which all sessions are ready until the last has done its work.
    fn run(&self, sessions: usize, users: &[&str]) -> f64 {
        let ready = Barrier::new(sessions + 1);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..sessions)
                .map(|session| {
                    let ready = &ready;
                    scope.spawn(move || self.work(session, users[session % users.len()], ready))
                })
                .collect();
            ready.wait();
            let begun = Instant::now();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            begun.elapsed().as_secs_f64()
        })
    }

    fn work(&self, session: usize, user: &str, ready: &Barrier) {
        if self.operation == "open" {
            ready.wait();
            for _ in 0..self.times {
                let (mut connection, messages) = self.open(user);
                let first = (messages + 1).saturating_sub(HEADERS).max(1);
                assert_eq!(connection.say(&format!("FETCH {first}:* {SHOWN}")).untagged, messages.min(HEADERS));
                connection.say("LOGOUT");
            }
            return;
        }
        let (mut connection, messages) = self.open(user);
        ready.wait();
        if self.operation == "append-from" {
            return self.fill(&mut connection);
        }
        for time in 0..self.times {
            self.once(&mut connection, (session, time), messages);
        }
    }

    /// A connection that is signed in and has the mailbox selected; how many messages there are.
    fn open(&self, user: &str) -> (Connection, usize) {
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_nodelay(true).unwrap();
        let name = ServerName::try_from(self.host.to_owned()).unwrap();
        let stream = StreamOwned::new(ClientConnection::new(Arc::clone(&self.tls), name).unwrap(), socket);
        let mut connection = Connection { stream: BufReader::with_capacity(64 * 1024, stream), line: Vec::new() };
        connection.line();
        connection.say(&format!("LOGIN \"{user}\" \"{}\"", self.password));
        let messages = connection.say(&format!("SELECT \"{}\"", self.mailbox)).exists;
        (connection, messages)
    }

    fn once(&self, connection: &mut Connection, (session, time): (usize, usize), messages: usize) {
        let some = session * 7919 + time * 31;
        match self.operation {
            "bodies" => {
                let first = (messages + 1).saturating_sub(BODIES).max(1);
                let answer = connection.say(&format!("FETCH {first}:* (UID BODY.PEEK[])"));
                assert!(answer.untagged >= messages.min(BODIES) && answer.literals > 1000 * messages.min(BODIES));
            }
            "search-header" => self.search(connection, &format!("SUBJECT \"visit {} \"", some % messages)),
            "search-text" => self.search(connection, &format!("BODY \"needle{} \"", some % 100)),
            "flags" => {
                let how = if time % 2 == 0 { '+' } else { '-' };
                let number = (session * 131 + time / 2) % messages + 1;
                connection.say(&format!("STORE {number} {how}FLAGS (\\Flagged)"));
            }
            "flags-all" => {
                let how = if time % 2 == 0 { '+' } else { '-' };
                connection.say(&format!("STORE 1:{BODIES} {how}FLAGS.SILENT (\\Answered)"));
            }
            "append" => {
                connection.send_append(self.mailbox, &message(some));
                connection.answer();
            }
            other => panic!("no operation {other}"),
        }
    }

    fn search(&self, connection: &mut Connection, key: &str) {
        let found = connection.say(&format!("UID SEARCH {key}")).found;
        assert!(found > 0, "{key} is somewhere in the mailbox");
    }

    /// Appends the messages that are still to be made, with the next one under way while an answer is awaited.
    fn fill(&self, connection: &mut Connection) {
        let mut awaited = 0;
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number < self.times {
                connection.send_append(self.mailbox, &message(number));
                awaited += 1;
            }
            if awaited == 0 {
                return;
            }
            if awaited > 1 || number >= self.times {
                connection.answer();
                awaited -= 1;
            }
        }
    }
}

/// What a server answered to a command.
#[derive(Default)]
struct Answer {
    untagged: usize,
    exists: usize,
    /// Octets in literals.
    literals: usize,
    /// Numbers in SEARCH.
    found: usize,
}

struct Connection {
    stream: BufReader<StreamOwned<ClientConnection, TcpStream>>,
    line: Vec<u8>,
}

impl Connection {
    fn say(&mut self, command: &str) -> Answer {
        self.write(format!("a {command}\r\n").as_bytes());
        self.answer()
    }

    fn write(&mut self, octets: &[u8]) {
        let stream = self.stream.get_mut();
        stream.write_all(octets).and_then(|()| stream.flush()).expect("the server takes what is sent");
    }

    fn send_append(&mut self, mailbox: &str, octets: &[u8]) {
        let mut command = format!("a APPEND \"{mailbox}\" {{{}+}}\r\n", octets.len()).into_bytes();
        command.extend_from_slice(octets);
        command.extend_from_slice(b"\r\n");
        self.write(&command);
    }

    fn line(&mut self) {
        self.line.clear();
        assert!(self.stream.read_until(b'\n', &mut self.line).unwrap() > 0, "the server closed");
    }

    /// Reads up to the tagged OK.
    fn answer(&mut self) -> Answer {
        let mut answer = Answer::default();
        loop {
            self.line();
            if self.line.starts_with(b"a ") {
                assert!(self.line.starts_with(b"a OK"), "{}", String::from_utf8_lossy(&self.line));
                return answer;
            }
            if self.line.starts_with(b"* SEARCH") {
                answer.found = self.line.iter().filter(|octet| **octet == b' ').count() - 1;
            }
            if let Some(number) = self.line.strip_prefix(b"* ").and_then(|line| line.strip_suffix(b" EXISTS\r\n")) {
                answer.exists = std::str::from_utf8(number).unwrap().parse().unwrap();
            }
            answer.untagged += 1;
            while let Some(octets) = literal(&self.line) {
                let skipped = std::io::copy(&mut self.stream.by_ref().take(octets as u64), &mut std::io::sink());
                assert_eq!(skipped.unwrap(), octets as u64);
                answer.literals += octets;
                self.line();
            }
        }
    }
}

/// The length of the literal that this line announces.
fn literal(line: &[u8]) -> Option<usize> {
    let line = line.strip_suffix(b"}\r\n")?;
    let begin = line.iter().rposition(|octet| *octet == b'{')?;
    std::str::from_utf8(&line[begin + 1..]).ok()?.parse().ok()
}

/// The message of this number: one or two pages of text; every tenth with a document of 30 KB.
fn message(number: usize) -> Vec<u8> {
    let document = number % 10 == 9;
    let kind = if document { "multipart/mixed; boundary=\"=_b\"" } else { "text/plain; charset=utf-8" };
    let mut text = format!(
        "Return-Path: <sender{0}@elsewhere.example>\r\nReceived: from mx{0}.elsewhere.example by mail.clinic.example;\r\n\tSun, 22 Nov 2026 10:00:00 +0100\r\n\
         From: Sender {0} <sender{0}@elsewhere.example>\r\nTo: Jane <jane@clinic.example>\r\nSubject: About visit {number} of spring\r\n\
         Date: Sun, 22 Nov 2026 10:00:00 +0100\r\nMessage-ID: <{number}.bench@elsewhere.example>\r\nReferences: <{1}.bench@elsewhere.example>\r\n\
         MIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n",
        number % 97,
        number / 4,
    );
    if document {
        text.push_str("--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
    }
    write!(text, "Dear Jane,\r\n\r\nthis is about needle{} in particular.\r\n", number % 100).unwrap();
    for line in 0..20 + number * 7 % 40 {
        write!(text, "Line {line} of letter {number}: the quick brown fox jumps over the lazy dog.\r\n").unwrap();
    }
    if document {
        text.push_str("--=_b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n");
        let line: String = (0..76).map(|at| char::from(b'A' + ((at * 7 + number) % 26) as u8)).collect();
        (0..400).for_each(|_| write!(text, "{line}\r\n").unwrap());
        text.push_str("--=_b--\r\n");
    }
    text.into_bytes()
}

/// The same messages as a maildir has them.
fn write_maildir(folder: &Path, count: usize) {
    ["cur", "new", "tmp"].iter().for_each(|name| std::fs::create_dir_all(folder.join(name)).unwrap());
    for number in 0..count {
        let octets = message(number);
        // Names in this order are read in this order.
        let name = format!("{}.M{number:06}P1.bench,S={1},W={1}:2,", 1_795_000_000 + number, octets.len());
        std::fs::write(folder.join("cur").join(name), octets).unwrap();
    }
}

/// The PHC string of a password, with the parameters that `accounts/password` has.
fn hash(password: &str) -> String {
    let params = Params::new(19 * 1024, 2, 1, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let version = Some(Version::V0x13 as u32);
    argon2
        .hash_password_customized(password.as_bytes(), &[7; 16], Some("argon2id"), version, params)
        .unwrap()
        .to_string()
}

fn trusting(ca: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    CertificateDer::pem_file_iter(ca).unwrap().for_each(|certificate| roots.add(certificate.unwrap()).unwrap());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}
