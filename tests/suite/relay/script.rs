//! Reads dialog files: see `tests/dialogs/relay/README.md`.

use std::path::Path;

use postern::mail::{Delivery, DsnNotify, DsnReturn, Recipient, ReversePath};
use postern::queue::TlsDemand;

/// One step of the far side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Says these octets.
    Say(Vec<u8>),
    /// Hears exactly this line (without CRLF).
    Hear(String),
    /// A handshake: `trusted`, `untrusted` or `failed`.
    Tls(String),
    /// Closes the connection.
    HangUp,
    /// Is silent until the client leaves.
    Hush,
    /// The client connects again.
    Connect,
}

/// One delivery and what it comes to.
#[derive(Debug, Clone)]
pub struct Task {
    pub delivery: Delivery,
    pub demand: TlsDemand,
    pub message: Vec<u8>,
    pub expected: String,
}

/// A dialog file, read.
#[derive(Debug, Clone)]
pub struct Script {
    pub name: String,
    pub tls: String,
    pub auth: Option<(String, String)>,
    pub live_only: bool,
    pub steps: Vec<Step>,
    pub tasks: Vec<Task>,
}

impl Script {
    pub fn read(path: &Path) -> Self {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        Self::parse(&name, &std::fs::read_to_string(path).unwrap())
    }

    pub fn parse(name: &str, text: &str) -> Self {
        let mut script = Self {
            name: name.to_owned(),
            tls: "none".into(),
            auth: None,
            live_only: false,
            steps: Vec::new(),
            tasks: Vec::new(),
        };
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            script.line(line);
        }
        script
    }

    fn line(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "S:" => self.say(format!("{}\r\n", unescape(rest)).into_bytes()),
            "C:" => self.steps.push(Step::Hear(unescape(rest))),
            "TLS" => self.steps.push(Step::Tls(rest.into())),
            "HANGUP" => self.steps.push(Step::HangUp),
            "HUSH" => self.steps.push(Step::Hush),
            "CONNECT" => self.steps.push(Step::Connect),
            "tls" => self.tls = rest.into(),
            "auth" => self.auth = rest.split_once(' ').map(|(name, password)| (name.into(), password.into())),
            "live-only" => self.live_only = true,
            "deliver" => self.tasks.push(task(rest)),
            "=" => self.tasks.last_mut().expect("a delivery before its outcome").expected = rest.into(),
            _ => panic!("{}: what is {line:?}", self.name),
        }
    }

    /// Lines said one after the other go in one packet.
    fn say(&mut self, octets: Vec<u8>) {
        match self.steps.last_mut() {
            Some(Step::Say(before)) => before.extend(octets),
            _ => self.steps.push(Step::Say(octets)),
        }
    }
}

fn task(rest: &str) -> Task {
    let mut task = Task {
        delivery: Delivery {
            reverse_path: ReversePath::Address("staff@clinic.example".parse().unwrap()),
            recipient: Recipient::plain("jane@there.example".parse().unwrap()),
            ret: None,
            envid: None,
        },
        demand: TlsDemand::AsConfigured,
        message: b"Subject: hello\r\n\r\n.dot\r\nend\r\n".to_vec(),
        expected: String::new(),
    };
    for (key, value) in rest.split(' ').filter_map(|word| word.split_once('=')) {
        match key {
            "from" if value == "<>" => task.delivery.reverse_path = ReversePath::Null,
            "from" => task.delivery.reverse_path = ReversePath::Address(value.parse().unwrap()),
            "to" => task.delivery.recipient.address = value.parse().unwrap(),
            "notify" => task.delivery.recipient.notify = Some(notify(value)),
            "orcpt" => task.delivery.recipient.original = Some(value.into()),
            "ret" => task.delivery.ret = Some(if value == "FULL" { DsnReturn::Full } else { DsnReturn::Headers }),
            "envid" => task.delivery.envid = Some(value.into()),
            "tls" if value == "required" => task.demand = TlsDemand::Required,
            "message" => task.message = unescape(value).into_bytes(),
            _ => panic!("what is {key}={value}"),
        }
    }
    task
}

fn notify(words: &str) -> DsnNotify {
    let said = |word| words.split(',').any(|other| other == word);
    DsnNotify { success: said("SUCCESS"), failure: said("FAILURE"), delay: said("DELAY") }
}

/// `\r`, `\n`, `\0`, `\e`, `\s` (space) and `\\`.
fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => match letters.next() {
                Some('r') => '\r',
                Some('n') => '\n',
                Some('0') => '\0',
                Some('e') => '\u{1b}',
                Some('s') => ' ',
                other => other.unwrap_or('\\'),
            },
            other => other,
        });
    }
    plain
}
