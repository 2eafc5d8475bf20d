//! A mail server that misbehaves on request: the far side of the relay.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What it answers, by recipient, and what it got.
#[derive(Default)]
struct State {
    /// Replies to RCPT by recipient; 250 where none is set.
    refusals: BTreeMap<String, String>,
    /// Every recipient of each message taken, with the message.
    taken: Vec<(Vec<String>, Vec<u8>)>,
}

/// A listener on its own thread; the thread ends with the test's process.
#[derive(Clone)]
pub struct FarSide {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl FarSide {
    /// Listens on a port of the system's choice.
    pub fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let far = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let served = far.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let served = served.clone();
                // A connection that breaks is the client's business.
                std::thread::spawn(move || served.converse(&socket));
            }
        });
        far
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on this recipient gets this reply.
    pub fn refuse(&self, recipient: &str, reply: &str) {
        self.state.lock().unwrap().refusals.insert(recipient.to_owned(), reply.to_owned());
    }

    /// Recipient and text of each delivery taken so far.
    pub fn taken(&self) -> Vec<(String, String)> {
        let state = self.state.lock().unwrap();
        let each = state.taken.iter().flat_map(|(recipients, message)| {
            recipients.iter().map(|to| (to.clone(), String::from_utf8_lossy(message).into_owned()))
        });
        each.collect()
    }

    fn converse(&self, socket: &TcpStream) -> Option<()> {
        let mut output = socket;
        let mut lines = BufReader::new(socket);
        output.write_all(b"220 far.example ESMTP\r\n").ok()?;
        let mut recipients = Vec::new();
        loop {
            let line = read_line(&mut lines)?;
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            let verb = text.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            let reply = match verb.as_str() {
                "EHLO" => {
                    "250-far.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE 100000000\r\n250 ENHANCEDSTATUSCODES"
                        .into()
                }
                "RCPT" => self.answer(&text, &mut recipients),
                "DATA" if recipients.is_empty() => "554 5.5.1 no valid recipients".into(),
                "DATA" => {
                    output.write_all(b"354 go on\r\n").ok()?;
                    let message = read_message(&mut lines)?;
                    self.state.lock().unwrap().taken.push((std::mem::take(&mut recipients), message));
                    "250 2.0.0 taken".into()
                }
                "RSET" | "MAIL" => {
                    recipients.clear();
                    "250 2.0.0 ok".into()
                }
                "QUIT" => "221 2.0.0 bye".into(),
                _ => "250 2.0.0 ok".to_owned(),
            };
            output.write_all(format!("{reply}\r\n").as_bytes()).ok()?;
            if verb == "QUIT" {
                return Some(());
            }
        }
    }

    fn answer(&self, line: &str, recipients: &mut Vec<String>) -> String {
        let recipient = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        if let Some(refusal) = self.state.lock().unwrap().refusals.get(&recipient) {
            return refusal.clone();
        }
        recipients.push(recipient);
        "250 2.1.5 ok".into()
    }
}

fn read_line(lines: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    (lines.read_until(b'\n', &mut line).ok()? > 0).then_some(line)
}

fn read_message(lines: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let line = read_line(lines)?;
        if line == b".\r\n" {
            return Some(message);
        }
        message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
