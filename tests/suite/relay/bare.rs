//! Plays a script on the bare client: no socket, no clock.

use std::collections::VecDeque;

use postern::delivery::{Outcome, Step as At};
use postern::queue::TlsDemand;
use postern::relay::client::{Client, ClientSettings, Credentials, Need, Protection};
use postern::secret::Secret;

use super::script::{Script, Step, Task};

/// The words by which scripts say what came of a delivery.
pub fn words(outcome: &Outcome) -> String {
    let (kind, cause) = match outcome {
        Outcome::Delivered => return "delivered".into(),
        Outcome::Transient(cause) => ("later", cause),
        Outcome::Permanent(cause) => ("never", cause),
    };
    let code = cause.code.map_or_else(|| "-".into(), |code| code.to_string());
    let alarm = if cause.is_alarm() { " alarm" } else { "" };
    format!("{kind} {code} {} {}{alarm}", cause.enhanced, cause.word())
}

struct Stage<'a> {
    script: &'a Script,
    client: Client,
    said: Vec<u8>,
    steps: VecDeque<Step>,
}

pub fn play(script: &Script) {
    let mut steps: VecDeque<Step> = script.steps.iter().cloned().collect();
    let protection = match (script.tls.as_str(), script.tasks.iter().any(|task| task.demand == TlsDemand::Required)) {
        ("immediate", _) => {
            assert_eq!(steps.pop_front(), Some(Step::Tls("trusted".into())));
            Protection::Present { trusted: true }
        }
        ("required", _) | (_, true) => Protection::Required,
        ("opportunistic", _) => Protection::Opportunistic,
        _ => Protection::None,
    };
    let credentials =
        script.auth.clone().map(|(username, password)| Credentials { username, password: Secret::new(password) });
    let settings = ClientSettings { hello: "gateway.clinic.example".into(), protection, credentials };
    let mut stage = Stage { script, client: Client::new(settings), said: Vec::new(), steps };
    for task in &script.tasks {
        let outcome = stage.deliver(task);
        assert_eq!(words(&outcome), task.expected, "{}", script.name);
    }
    stage.client.quit();
    stage.until_need();
    assert_eq!(stage.steps, VecDeque::new(), "{}: left over", script.name);
    assert_eq!(String::from_utf8_lossy(&stage.said), "", "{}: said beyond the script", script.name);
}

impl Stage<'_> {
    fn deliver(&mut self, task: &Task) -> Outcome {
        loop {
            match self.until_need() {
                Need::Transaction => self.client.begin(&task.delivery, task.message.len() as u64),
                Need::Message => self.message(task),
                Need::Settled(outcome) => return outcome,
                Need::Closed(cause) => return Outcome::Transient(cause.expect("a reason before QUIT")),
                Need::Tls => self.handshake(),
                Need::Input(_) => unreachable!("until_need gives input"),
            }
        }
    }

    fn message(&mut self, task: &Task) {
        let mut wire = Vec::new();
        for octet in &task.message {
            self.client.message(&[*octet], &mut wire);
            if self.client.has_refused_content() {
                return;
            }
        }
        self.client.end_of_message(&mut wire);
        self.said.extend(wire);
    }

    fn handshake(&mut self) {
        let Some(Step::Tls(kind)) = self.steps.pop_front() else { panic!("{}: no TLS due", self.script.name) };
        match (kind.as_str(), self.script.tls.as_str()) {
            ("trusted", _) => self.client.secured(true),
            ("untrusted", "opportunistic") => self.client.secured(false),
            _ => self.client.fail(At::Tls),
        }
    }

    fn until_need(&mut self) -> Need {
        loop {
            let need = self.client.advance();
            self.said.extend_from_slice(&self.client.output());
            let Need::Input(_) = need else {
                self.hear();
                return need;
            };
            self.far_side();
        }
    }

    /// Takes the lines the client said that are due.
    fn hear(&mut self) {
        while let Some(Step::Hear(expected)) = self.steps.front() {
            let Some(end) = self.said.windows(2).position(|pair| pair == b"\r\n") else { return };
            let line: Vec<u8> = self.said.drain(..end + 2).collect();
            assert_eq!(String::from_utf8_lossy(&line[..end]), *expected, "{}", self.script.name);
            self.steps.pop_front();
        }
    }

    fn far_side(&mut self) {
        self.hear();
        match self.steps.pop_front() {
            Some(Step::Say(octets)) => octets.chunks(7).for_each(|piece| self.client.receive(piece)),
            Some(Step::HangUp) => self.client.fail(At::Lost),
            Some(Step::Hush) => self.client.fail(At::Timeout),
            other => panic!("{}: the client waits, and the script has {other:?}", self.script.name),
        }
    }
}
