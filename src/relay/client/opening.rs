//! From the greeting to the moment when mail may be sent: EHLO, STARTTLS, EHLO again, AUTH.

use zeroize::Zeroizing;

use super::capabilities::Capabilities;
use super::command::{auth_login, auth_plain};
use super::reply::Reply;
use super::{Client, Protection, State};
use crate::delivery::{Cause, Outcome, Step, judge};

/// Which reply is awaited.
pub(super) enum Opening {
    /// 220.
    Greeting,
    /// 250 to EHLO.
    Ehlo,
    /// 250 to HELO, which is said where EHLO is not understood.
    Helo,
    /// 220 to STARTTLS.
    StartTls,
    /// 334, to be answered by the last of these, or 235 when none is left.
    Auth(Vec<Zeroizing<String>>),
}

impl Opening {
    fn step(&self) -> Step {
        match self {
            Self::Greeting => Step::Greeting,
            Self::Ehlo | Self::Helo => Step::Hello,
            Self::StartTls => Step::StartTls,
            Self::Auth(_) => Step::Auth,
        }
    }
}

impl Client {
    pub(super) fn open(&mut self, opening: Opening, reply: &Reply) {
        if !self.reader.is_empty() {
            // More than was asked for. After STARTTLS these are octets that somebody put in before the
            // keys changed; anywhere else the far side is out of step. Nothing is built on either.
            return self.give_up(Cause::silent(Step::Protocol));
        }
        match (opening, reply.code) {
            (Opening::Greeting, 220) => self.say_hello(),
            (Opening::Ehlo, 250) => {
                self.offered = Capabilities::read(&reply.lines);
                self.after_hello();
            }
            (Opening::Helo, 250) => self.after_hello(),
            (Opening::Ehlo, 500..=599) => {
                let line = format!("HELO {}", self.settings.hello);
                self.ask(&line, Opening::Helo);
            }
            (Opening::StartTls, 220) => self.state = State::Handshake,
            (Opening::StartTls, code) if code != 421 && self.settings.protection == Protection::Opportunistic => {
                self.sign_in();
            }
            (Opening::Auth(responses), 235) if responses.is_empty() => self.state = State::Idle,
            (Opening::Auth(mut responses), 334) if !responses.is_empty() => {
                let response = responses.pop().unwrap_or_default();
                self.ask(&response, Opening::Auth(responses));
            }
            (opening, _) => self.refused(&opening, reply),
        }
    }

    pub(super) fn say_hello(&mut self) {
        self.offered = Capabilities::default();
        let line = format!("EHLO {}", self.settings.hello);
        self.ask(&line, Opening::Ehlo);
    }

    fn after_hello(&mut self) {
        match self.settings.protection {
            Protection::Required | Protection::Opportunistic if self.offered.starttls => {
                self.ask("STARTTLS", Opening::StartTls);
            }
            Protection::Required => self.give_up(Cause::silent(Step::NoTls)),
            _ => self.sign_in(),
        }
    }

    fn sign_in(&mut self) {
        let Some(credentials) = &self.settings.credentials else {
            self.state = State::Idle;
            return;
        };
        if self.settings.protection != (Protection::Present { trusted: true }) {
            self.give_up(Cause::silent(Step::NoTls));
        } else if self.offered.auth_plain {
            let (line, response) = auth_plain(credentials);
            self.ask(&line, Opening::Auth(response.into_iter().collect()));
        } else if self.offered.auth_login {
            let [name, password] = auth_login(credentials);
            self.ask("AUTH LOGIN", Opening::Auth(vec![password, name]));
        } else {
            self.give_up(Cause::silent(Step::NoAuth));
        }
    }

    fn refused(&mut self, opening: &Opening, reply: &Reply) {
        match judge(opening.step(), reply.code, reply.enhanced) {
            Outcome::Transient(cause) | Outcome::Permanent(cause) => self.give_up(cause),
            Outcome::Delivered => self.give_up(Cause::silent(Step::Protocol)),
        }
    }

    fn ask(&mut self, line: &str, opening: Opening) {
        self.say(line);
        self.state = State::Opening(opening);
    }

    fn give_up(&mut self, cause: Cause) {
        self.state = State::Closed(Some(cause));
    }
}
