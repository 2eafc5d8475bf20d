//! Dialog files: see tests/dialogs/smtp/README.md for the format.

use std::path::Path;
use std::sync::Arc;

use postern::mail::{BodyType, Domain, DsnReturn, ReversePath};
use postern::smtp::{Purpose, RelayTrust, Settings};

use super::fake::{Fake, Taken};
use crate::wire::{Wire, unescape};

pub struct Dialog {
    pub name: String,
    pub settings: Arc<Settings>,
    pub purpose: Purpose,
    messages: Option<usize>,
    lines: Vec<(usize, String)>,
}

const GREETED: &[&str] = &["S: 220", "C: EHLO pc.clinic.example", "S: 250"];
const SIGN_IN: &[&str] = &["C: AUTH PLAIN AGphbmVAY2xpbmljLmV4YW1wbGUAc2VjcmV0", "S: 235 2.7.0"];

impl Dialog {
    pub fn read(path: &Path) -> Self {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut settings = Settings::new(Domain::parse("mail.clinic.example").unwrap(), 1000);
        let mut trust = RelayTrust { networks: Some(vec!["127.0.0.0/8".parse().unwrap()]), ..RelayTrust::default() };
        let mut listener = String::from("submission");
        let (mut prelude, mut messages, mut lines) = (String::new(), None, Vec::new());
        for (number, line) in std::fs::read_to_string(path).unwrap().lines().enumerate() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [] => {}
                [first, ..] if first.starts_with('#') => {}
                ["@listener", kind] => listener = (*kind).into(),
                ["@begin", how] => prelude = (*how).into(),
                ["@identity", "any"] => trust.any_sender = true,
                ["@tls", "required"] => trust.tls_required = true,
                ["@networks", network] => trust.networks = Some(vec![network.parse().unwrap()]),
                ["@limit", what, value] => set_limit(&mut settings, what, value.parse().unwrap()),
                ["@messages", count] => messages = Some(count.parse().unwrap()),
                [first, ..] if first.starts_with('@') => panic!("{name}:{}: {line}", number + 1),
                _ => lines.push((number + 1, line.to_owned())),
            }
        }
        let purpose = match listener.as_str() {
            "submission" => Purpose::Submission,
            "submissions" => Purpose::Submissions,
            "relay" => Purpose::Relay(trust),
            other => panic!("{name}: @listener {other}"),
        };
        let prelude = prelude_lines(&prelude, &purpose).into_iter().map(|line| (0, line.into()));
        Self { name, settings: Arc::new(settings), purpose, messages, lines: prelude.chain(lines).collect() }
    }

    /// Plays the dialog.
    ///
    /// # Errors
    /// File, line, what was expected and what came.
    pub async fn play(&self, wire: &mut impl Wire, fake: &Fake) -> Result<(), String> {
        let mut unread = Vec::new();
        let mut reply: Vec<String> = Vec::new();
        for (number, line) in &self.lines {
            let fault = |what: &str| format!("{}:{number}: {line}\n  {what}", self.name);
            let (mark, rest) =
                line.split_at_checked(2).map_or((line.as_str(), ""), |(mark, rest)| (mark, rest.trim_start()));
            match mark {
                "C:" => wire.send(format!("{rest}\r\n").as_bytes()).await,
                "C~" => wire.send(&unescape(rest)).await,
                "S:" if rest == "closed" => {
                    if let Some(reply) = read_reply(wire, &mut unread).await.map_err(|e| fault(&e))? {
                        return Err(fault(&format!("came: {reply:?}")));
                    }
                }
                "S:" => {
                    reply = match read_reply(wire, &mut unread).await.map_err(|e| fault(&e))? {
                        Some(reply) if !names_its_id(&reply) => return Err(fault(&format!("no id: {reply:?}"))),
                        Some(reply) if matches(&reply, rest) => reply,
                        Some(reply) => return Err(fault(&format!("came: {reply:?}"))),
                        None => return Err(fault("the connection was closed")),
                    };
                }
                "S+" if !has_line(&reply, rest) => return Err(fault(&format!("not in {reply:?}"))),
                "S-" if has_line(&reply, rest) => return Err(fault(&format!("in {reply:?}"))),
                "S+" | "S-" => {}
                "TL" => wire.tls().await.map_err(|e| fault(&e))?,
                "M~" | "M:" => {
                    let taken = fake.taken.lock().unwrap();
                    let last = taken.last().ok_or_else(|| fault("no message was accepted"))?;
                    if mark == "M~" && last.octets != unescape(rest) {
                        return Err(fault(&format!("accepted: {}", last.octets.escape_ascii())));
                    }
                    if mark == "M:" && !rest.split(' ').all(|fact| facts(last).iter().any(|known| known == fact)) {
                        return Err(fault(&format!("accepted: {}", facts(last).join(" "))));
                    }
                }
                _ => return Err(fault("is no line of a dialog")),
            }
        }
        let count = fake.taken.lock().unwrap().len();
        match self.messages {
            Some(expected) if expected != count => Err(format!("{}: {count} messages accepted", self.name)),
            _ => Ok(()),
        }
    }
}

fn prelude_lines(how: &str, purpose: &Purpose) -> Vec<&'static str> {
    let starttls = ["C: STARTTLS", "S: 220 2.0.0", "TLS", "C: EHLO pc.clinic.example", "S: 250"];
    match (how, purpose) {
        ("", _) => Vec::new(),
        ("greeted", _) => GREETED.to_vec(),
        ("tls", _) => [GREETED, &starttls].concat(),
        ("signed-in", Purpose::Submissions) => [GREETED, SIGN_IN].concat(),
        ("signed-in", _) => [GREETED, &starttls, SIGN_IN].concat(),
        _ => panic!("@begin {how}"),
    }
}

fn set_limit(settings: &mut Settings, what: &str, value: usize) {
    let limits = &mut settings.limits;
    let small = u32::try_from(value).unwrap();
    match what {
        "max_message" => settings.max_message = value as u64,
        "command_line" => limits.command_line = value,
        "auth_line" => limits.auth_line = value,
        "data_line" => limits.data_line = value,
        "recipients" => limits.recipients = value,
        "errors" => limits.errors = small,
        "fruitless" => limits.fruitless = small,
        "sign_ins" => limits.sign_ins = small,
        _ => panic!("@limit {what}"),
    }
}

/// One whole reply, a string for each line; `None` when the connection is closed.
pub async fn read_reply(wire: &mut impl Wire, unread: &mut Vec<u8>) -> Result<Option<Vec<String>>, String> {
    let mut lines: Vec<String> = Vec::new();
    loop {
        while let Some(at) = memchr::memmem::find(unread, b"\r\n") {
            let line = String::from_utf8(unread.drain(..at + 2).take(at).collect()).map_err(|e| e.to_string())?;
            let last = line.as_bytes().get(3) != Some(&b'-');
            lines.push(line);
            if last {
                return Ok(Some(lines));
            }
        }
        match wire.more().await? {
            Some(octets) => unread.extend(octets),
            None if unread.is_empty() && lines.is_empty() => return Ok(None),
            None => return Err("closed in the middle of a reply".into()),
        }
    }
}

fn matches(reply: &[String], expected: &str) -> bool {
    let code = reply.last().map_or("", |line| line.get(..3).unwrap_or(line));
    reply.last().is_some_and(|line| line.starts_with(expected)) && reply.iter().all(|line| line.starts_with(code))
}

/// Most refusals named no id, though the pages said that all do: nobody could find the log's line of a bare LF.
fn names_its_id(reply: &[String]) -> bool {
    let last = reply.last().map_or("", String::as_str);
    let id = last.strip_suffix(')').and_then(|text| text.rsplit_once(" (id "));
    !last.starts_with(['4', '5']) || id.is_some_and(|(_, id)| id.len() == 26)
}

fn has_line(reply: &[String], text: &str) -> bool {
    reply.iter().any(|line| line.get(4..).is_some_and(|rest| rest.starts_with(text)))
}

/// What an `M:` line can ask for.
fn facts(taken: &Taken) -> Vec<String> {
    let incoming = &taken.incoming;
    let envelope = &incoming.envelope;
    let from = match &envelope.reverse_path {
        ReversePath::Null => String::new(),
        ReversePath::Address(address) => address.to_string(),
    };
    let mut facts = vec![format!("from={from}"), format!("helo={}", incoming.trace.helo)];
    facts.push(format!("protocol={}", incoming.trace.protocol));
    facts.push(format!("recipients={}", envelope.recipients.len()));
    facts.push(format!("body={}", if envelope.body == BodyType::EightBitMime { "8BITMIME" } else { "7BIT" }));
    facts.extend(envelope.ret.map(|ret| format!("ret={}", if ret == DsnReturn::Full { "FULL" } else { "HDRS" })));
    facts.extend(envelope.envid.as_ref().map(|envid| format!("envid={envid}")));
    for recipient in &envelope.recipients {
        facts.push(format!("to={}", recipient.address));
        facts.extend(recipient.original.as_ref().map(|original| format!("orcpt={original}")));
        facts.extend(recipient.notify.map(|notify| {
            let wishes = [(notify.success, "SUCCESS"), (notify.failure, "FAILURE"), (notify.delay, "DELAY")];
            let said: Vec<&str> = wishes.iter().filter(|(wish, _)| *wish).map(|(_, word)| *word).collect();
            format!("notify={}", if said.is_empty() { "NEVER".into() } else { said.join(",") })
        }));
    }
    facts
}
