//! MAIL, RCPT, DATA and the reply to the message: one recipient, one outcome.

use std::collections::VecDeque;

use super::Wait;
use super::capabilities::Capabilities;
use super::command;
use super::reply::Reply;
use crate::delivery::{Outcome, Step, judge};
use crate::mail::Delivery;

/// A command whose reply is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Reset,
    Mail,
    Recipient,
    Data,
    /// The final dot.
    Dot,
}

/// What a reply led to.
pub(super) enum Moved {
    /// The message is due.
    Message,
    /// Something else, or nothing.
    On,
}

/// One transaction.
pub(super) struct Transaction {
    unsaid: VecDeque<(Verb, String)>,
    awaited: VecDeque<Verb>,
    pipelining: bool,
    outcome: Option<Outcome>,
    /// MAIL was accepted and the message's end was not.
    open: bool,
    /// The far side takes its leave, or cannot be talked to.
    broken: bool,
    /// Something arrived before the message's end was sent.
    answered_early: bool,
}

impl Transaction {
    pub(super) fn new(delivery: &Delivery, size: u64, offered: Capabilities, reset: bool) -> Self {
        let mut unsaid = VecDeque::new();
        if reset {
            unsaid.push_back((Verb::Reset, "RSET".to_owned()));
        }
        unsaid.push_back((Verb::Mail, command::mail(delivery, size, offered)));
        unsaid.push_back((Verb::Recipient, command::recipient(delivery, offered)));
        unsaid.push_back((Verb::Data, "DATA".to_owned()));
        Self {
            unsaid,
            awaited: VecDeque::new(),
            pipelining: offered.pipelining,
            outcome: None,
            open: reset,
            broken: false,
            answered_early: false,
        }
    }

    /// One that needs no word to the far side.
    pub(super) fn settled(outcome: Outcome) -> Self {
        Self {
            unsaid: VecDeque::new(),
            awaited: VecDeque::new(),
            pipelining: false,
            outcome: Some(outcome),
            open: false,
            broken: false,
            answered_early: false,
        }
    }

    /// Says the next command, or all of them where they may go together (RFC 2920: DATA may be a group's last).
    pub(super) fn speak(&mut self, output: &mut Vec<u8>) {
        while !self.broken && (self.pipelining || self.awaited.is_empty()) {
            let Some((verb, line)) = self.unsaid.pop_front() else { return };
            output.extend_from_slice(line.as_bytes());
            output.extend_from_slice(b"\r\n");
            self.awaited.push_back(verb);
        }
    }

    pub(super) fn heed(&mut self, reply: &Reply) -> Moved {
        let Some(verb) = self.awaited.pop_front() else { return Moved::On };
        match (verb, reply.code) {
            (_, 421) => {
                self.refused(step_of(verb), reply);
                self.broken = true;
            }
            (Verb::Reset, 200..=299) => self.open = false,
            (Verb::Mail, 200..=299) => self.open = true,
            (Verb::Recipient, 200..=299) => {}
            (Verb::Data, 354) => return self.data_allowed(),
            (Verb::Dot, 200..=299) => {
                self.open = false;
                self.arrived();
            }
            (Verb::Dot, _) => {
                self.open = false;
                self.refused(Step::Message, reply);
            }
            (Verb::Reset, _) => {
                self.refused(Step::Protocol, reply);
                self.broken = true;
            }
            (verb, _) => self.refused(step_of(verb), reply),
        }
        Moved::On
    }

    /// Go on, says 354. If the recipient was refused in the same group, an empty message must end what was not wanted
    /// (RFC 2920, section 3.1); what is said of it is not the outcome.
    fn data_allowed(&mut self) -> Moved {
        if self.outcome.is_none() {
            return Moved::Message;
        }
        self.unsaid.push_back((Verb::Dot, ".".to_owned()));
        Moved::On
    }

    fn arrived(&mut self) {
        if self.answered_early {
            self.broken = true;
            self.outcome.get_or_insert(Outcome::transient(Step::Protocol));
        }
        self.outcome.get_or_insert(Outcome::Delivered);
    }

    /// The first refusal is the outcome; those that follow from it are not.
    fn refused(&mut self, step: Step, reply: &Reply) {
        self.outcome.get_or_insert(judge(step, reply.code, reply.enhanced));
        self.unsaid.clear();
    }

    /// The message is on its way; `answered`: something has arrived before its end was sent.
    pub(super) fn message_sent(&mut self, answered: bool) {
        self.answered_early = answered;
        self.awaited.push_back(Verb::Dot);
    }

    /// The connection cannot be used any more.
    pub(super) fn break_off(&mut self, outcome: Outcome) {
        self.broken = true;
        self.outcome.get_or_insert(outcome);
    }

    pub(super) fn outcome_if_over(&self) -> Option<Outcome> {
        let over = self.broken || (self.awaited.is_empty() && self.unsaid.is_empty());
        self.outcome.filter(|_| over)
    }

    /// Whether no reply is due: whatever stands in the reader then is out of step.
    pub(super) fn expects_nothing(&self) -> bool {
        self.awaited.is_empty()
    }

    pub(super) fn leaves_open(&self) -> bool {
        self.open
    }

    pub(super) fn keeps_connection(&self) -> bool {
        !self.broken
    }

    pub(super) fn wait(&self) -> Wait {
        match self.awaited.front() {
            Some(Verb::Data) => Wait::DataStart,
            Some(Verb::Dot) => Wait::DataEnd,
            _ => Wait::Command,
        }
    }
}

fn step_of(verb: Verb) -> Step {
    match verb {
        Verb::Reset => Step::Protocol,
        Verb::Mail => Step::Sender,
        Verb::Recipient => Step::Recipient,
        Verb::Data => Step::Data,
        Verb::Dot => Step::Message,
    }
}
