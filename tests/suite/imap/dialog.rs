//! Dialog files: see tests/dialogs/imap/README.md for the format.

use std::path::Path;

use postern::imap::{Purpose, Settings};
use postern::mail::Domain;

use super::house::Person;
use crate::wire::{Wire, unescape};

pub struct Dialog {
    pub name: String,
    pub settings: Settings,
    pub purpose: Purpose,
    /// Whether it needs a workgroup.
    pub workgroup: bool,
    lines: Vec<(usize, String)>,
}

/// Where further connections come from.
pub trait Exchange {
    type Wire: Wire;
    async fn connect(&self) -> Result<Self::Wire, String>;
}

/// One connection of a dialog.
struct Line<W> {
    wire: W,
    unread: Vec<u8>,
    /// What was told since the last command.
    told: Vec<String>,
}

impl Dialog {
    pub fn read(path: &Path) -> Self {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut settings = Settings::new(Domain::parse("mail.clinic.example").unwrap());
        let (mut purpose, mut workgroup, mut lines) = (Purpose::Imaps, false, Vec::new());
        let mut prelude = Vec::new();
        for (number, line) in std::fs::read_to_string(path).unwrap().lines().enumerate() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [] => {}
                [first, ..] if first.starts_with('#') => {}
                ["@workgroup"] => workgroup = true,
                ["@listener", "imap"] => purpose = Purpose::Imap,
                ["@begin", how] => prelude.extend(prelude_lines(how)),
                ["@append", mailbox, file] => prelude.extend(append(path, mailbox, file)),
                ["@limit", what, value] => set_limit(&mut settings, what, value.parse().unwrap()),
                [first, ..] if first.starts_with('@') => panic!("{name}:{}: {line}", number + 1),
                _ => lines.push((number + 1, line.to_owned())),
            }
        }
        let prelude = prelude.into_iter().map(|line| (0, line));
        Self { name, settings, purpose, workgroup, lines: prelude.chain(lines).collect() }
    }

    /// Plays the dialog.
    ///
    /// # Errors
    /// File, line, what was expected and what came.
    pub async fn play<E: Exchange>(&self, exchange: &E, person: &Person) -> Result<(), String> {
        let mut connections: Vec<Option<Line<E::Wire>>> = Vec::new();
        for (number, line) in &self.lines {
            let fault = |what: &str| format!("{}:{number}: {line}\n  {what}", self.name);
            let (who, mark, rest) = parts(line).ok_or_else(|| fault("is no line of a dialog"))?;
            let rest = person.fill(rest);
            connections.resize_with(connections.len().max(who + 1), || None);
            let slot = &mut connections[who];
            if slot.is_none() {
                let wire = exchange.connect().await.map_err(|error| fault(&error))?;
                *slot = Some(Line { wire, unread: Vec::new(), told: Vec::new() });
            }
            let Some(connection) = slot else { unreachable!() };
            connection.play(&mark, &rest).await.map_err(|what| fault(&what))?;
        }
        Ok(())
    }
}

impl<W: Wire> Line<W> {
    async fn play(&mut self, mark: &str, rest: &str) -> Result<(), String> {
        match mark {
            "C:" => self.wire.send(format!("{rest}\r\n").as_bytes()).await,
            "C~" => self.wire.send(&unescape(rest)).await,
            "T" => self.wire.tls().await?,
            "S:" if rest == "closed" => {
                if let Some(line) = self.response().await? {
                    return Err(format!("came: {line}"));
                }
            }
            "S:" if rest.starts_with(['*', '+']) => match self.response().await? {
                Some(line) if matches(&line, rest) => self.told.push(line),
                Some(line) => return Err(format!("came: {line}")),
                None => return Err("the connection was closed".into()),
            },
            "S:" => self.tagged(rest).await?,
            "S+" if !self.told.iter().any(|line| matches(line, rest)) => {
                return Err(format!("not in\n  {}", self.told.join("\n  ")));
            }
            "S-" if self.told.iter().any(|line| matches(line, rest)) => {
                return Err(format!("in\n  {}", self.told.join("\n  ")));
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads up to a tagged response; what comes before it is kept.
    async fn tagged(&mut self, expected: &str) -> Result<(), String> {
        self.told.clear();
        loop {
            match self.response().await? {
                Some(line) if line.starts_with("* ") => self.told.push(line),
                Some(line) if matches(&line, expected) => return Ok(()),
                Some(line) => return Err(format!("came: {line}\n  after\n  {}", self.told.join("\n  "))),
                None => return Err(format!("the connection was closed after\n  {}", self.told.join("\n  "))),
            }
        }
    }

    /// One response with its literals, line ends in it as `\r\n`; `None` when the connection is closed.
    async fn response(&mut self) -> Result<Option<String>, String> {
        loop {
            if let Some(length) = whole(&self.unread) {
                let octets: Vec<u8> = self.unread.drain(..length + 2).take(length).collect();
                let text = String::from_utf8_lossy(&octets).replace("\r\n", "\\r\\n");
                return Ok(Some(text));
            }
            match self.wire.more().await? {
                Some(octets) => self.unread.extend(octets),
                None if self.unread.is_empty() => return Ok(None),
                None => return Err("closed in the middle of a response".into()),
            }
        }
    }
}

/// The length of the first response without its line end, if it is whole.
fn whole(octets: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let end = from + memchr::memmem::find(&octets[from..], b"\r\n")?;
        let line = std::str::from_utf8(&octets[from..end]).ok();
        let literal = line.and_then(|line| line.strip_suffix('}')).and_then(|line| line.rsplit_once('{'));
        match literal.and_then(|(_, size)| size.parse::<usize>().ok()) {
            Some(size) if octets.len() >= end + 2 + size => from = end + 2 + size,
            Some(_) => return None,
            None => return Some(end),
        }
    }
}

/// Which connection, what is done, and the rest: `C:`, `C2:`, `TLS`.
fn parts(line: &str) -> Option<(usize, String, &str)> {
    if line.trim() == "TLS" {
        return Some((0, "T".into(), ""));
    }
    let at = line.find([':', '~', '+', '-'])?;
    let (mark, rest) = line.split_at(at + 1);
    let who = mark.chars().find(char::is_ascii_digit).map_or(0, |digit| digit as usize - '1' as usize);
    let mark: String = mark.chars().filter(|c| !c.is_ascii_digit()).collect();
    ["C:", "C~", "S:", "S+", "S-"].contains(&mark.as_str()).then_some((who, mark, rest.trim_start()))
}

/// Whether a line is as expected: `…` stands for anything; of a status response only the beginning counts.
fn matches(line: &str, expected: &str) -> bool {
    let word = expected.split(' ').nth(1).unwrap_or_default();
    let status = ["OK", "NO", "BAD", "BYE"].contains(&word) || expected.starts_with('+');
    let mut pieces: Vec<&str> = expected.split('…').collect();
    let first = pieces.remove(0);
    let last = pieces.pop();
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    for piece in pieces {
        match rest.split_once(piece) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    status || last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

fn prelude_lines(how: &str) -> Vec<String> {
    let greeted = "S: * OK [CAPABILITY";
    let login = ["C: x1 AUTHENTICATE PLAIN $plain", "S: x1 OK [CAPABILITY"];
    let select = ["C: x2 SELECT INBOX", "S: x2 OK [READ-WRITE]"];
    let lines: Vec<&str> = match how {
        "greeted" => vec![greeted],
        "tls" => vec![greeted, "C: x0 STARTTLS", "S: x0 OK", "TLS"],
        "signed-in" => [&[greeted][..], &login].concat(),
        "selected" => [&[greeted][..], &login, &select].concat(),
        "two" => [
            &[greeted][..],
            &login,
            &select,
            &[
                "S2: * OK [CAPABILITY",
                "C2: y1 LOGIN $name \"$password\"",
                "S2: y1 OK",
                "C2: y2 SELECT INBOX",
                "S2: y2 OK",
            ],
        ]
        .concat(),
        _ => panic!("@begin {how}"),
    };
    lines.into_iter().map(str::to_owned).collect()
}

/// A message of `tests/dialogs/imap/messages`, appended by the client.
fn append(dialog: &Path, mailbox: &str, file: &str) -> Vec<String> {
    let path = dialog.with_file_name("messages").join(file);
    let text = std::fs::read_to_string(path).unwrap().replace('\n', "\r\n");
    let escaped = text
        .replace('\\', "\\\\")
        .replace('\r', "\\r")
        .replace('\n', "\\n")
        .replace('{', "\\x7b")
        .replace('}', "\\x7d");
    let command = format!("C~ x9 APPEND {mailbox} \\x7b{}+\\x7d\\r\\n{escaped}\\r\\n", text.len());
    vec![command, "S: x9 OK [APPENDUID".to_owned()]
}

fn set_limit(settings: &mut Settings, what: &str, value: usize) {
    let limits = &mut settings.limits;
    let small = u32::try_from(value).unwrap();
    match what {
        "line" => limits.line = value,
        "literal" => limits.literal = value as u64,
        "command" => limits.command = value,
        "line_before_sign_in" => limits.line_before_sign_in = value,
        "errors" => limits.errors = small,
        "errors_before_sign_in" => limits.errors_before_sign_in = small,
        "sign_ins" => limits.sign_ins = small,
        "per_account" => limits.per_account = value,
        _ => panic!("@limit {what}"),
    }
}
