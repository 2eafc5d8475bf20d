//! An SMTP client without a socket: octets in, octets and questions out.
//!
//! Whoever drives it writes [`Client::output`], then does what [`Client::advance`] asks for, and comes
//! again. One message with one recipient is one transaction; several may follow each other.
//! Nothing of what the far side writes leaves this module but its codes.

mod capabilities;
mod command;
mod opening;
mod reply;
mod stuffing;
mod transaction;

use zeroize::Zeroizing;

use crate::delivery::{Cause, Outcome, Step};
use crate::mail::Delivery;
use crate::secret::Secret;

use capabilities::Capabilities;
use opening::Opening;
use reply::{Reply, ReplyReader};
use stuffing::Stuffing;
use transaction::Transaction;

/// What TLS this connection needs before mail goes over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// TLS is there already, from the first octet (RFC 8314, section 3.3); `trusted`: the certificate was verified.
    Present {
        /// Whether the certificate was verified.
        trusted: bool,
    },
    /// STARTTLS, or no mail.
    Required,
    /// STARTTLS where it is offered (RFC 7435).
    Opportunistic,
    /// Never STARTTLS.
    None,
}

/// A name and password for AUTH.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The name.
    pub username: String,
    /// The password.
    pub password: Secret<String>,
}

/// What a client needs to know.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// What EHLO says: the gateway's host name.
    pub hello: String,
    /// TLS.
    pub protection: Protection,
    /// AUTH. Sent only over TLS with a verified certificate.
    pub credentials: Option<Credentials>,
}

/// How long an answer is waited for; RFC 5321, section 4.5.3.2 says how long each is at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// The greeting.
    Greeting,
    /// The reply to a command.
    Command,
    /// The reply to DATA.
    DataStart,
    /// The reply to the message's final dot.
    DataEnd,
    /// The reply to QUIT.
    Farewell,
}

/// What the client needs next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// Octets from the far side: [`Client::receive`].
    Input(Wait),
    /// A TLS handshake on this connection: [`Client::secured`], or [`Client::fail`] with [`Step::Tls`].
    Tls,
    /// A transaction: [`Client::begin`]; or [`Client::quit`].
    Transaction,
    /// The message, whole: [`Client::message`] and [`Client::end_of_message`].
    Message,
    /// Nothing: the transaction has come to this.
    Settled(Outcome),
    /// Nothing: the connection is of no more use, for this reason (none after QUIT).
    Closed(Option<Cause>),
}

enum State {
    Opening(Opening),
    Handshake,
    Idle,
    Transaction(Transaction),
    Sending(Transaction, Stuffing),
    Farewell,
    Closed(Option<Cause>),
}

/// One connection's client.
pub struct Client {
    settings: ClientSettings,
    state: State,
    reader: ReplyReader,
    output: Zeroizing<Vec<u8>>,
    offered: Capabilities,
    /// Whether the far side still has a transaction open that RSET must end.
    left_open: bool,
}

impl Client {
    /// A client on a connection just made.
    pub fn new(settings: ClientSettings) -> Self {
        Self {
            settings,
            state: State::Opening(Opening::Greeting),
            reader: ReplyReader::default(),
            output: Zeroizing::default(),
            offered: Capabilities::default(),
            left_open: false,
        }
    }

    /// The octets to be written now; afterwards there are none.
    pub fn output(&mut self) -> Zeroizing<Vec<u8>> {
        std::mem::take(&mut self.output)
    }

    /// Octets from the far side.
    pub fn receive(&mut self, octets: &[u8]) {
        self.reader.receive(octets);
    }

    /// The handshake is done; `trusted`: the certificate is the host's. All that was said before is forgotten.
    pub fn secured(&mut self, trusted: bool) {
        if matches!(self.state, State::Handshake) {
            self.reader.clear();
            self.settings.protection = Protection::Present { trusted };
            self.say_hello();
        }
    }

    /// The connection broke ([`Step::Lost`], [`Step::Timeout`], [`Step::Tls`]), or the message cannot be read
    /// ([`Step::Storage`]): it is of no more use.
    pub fn fail(&mut self, step: Step) {
        self.close(Cause::silent(step));
    }

    /// Begins a transaction for a message of `size` octets. Only when [`Need::Transaction`] was asked.
    pub fn begin(&mut self, delivery: &Delivery, size: u64) {
        if !matches!(self.state, State::Idle) {
            return;
        }
        self.state = State::Transaction(match self.offered.largest {
            Some(largest) if size > largest => Transaction::settled(Outcome::permanent(Step::Size)),
            _ => Transaction::new(delivery, size, self.offered, self.left_open),
        });
    }

    /// Part of the message, as it goes on the wire, appended to `out`. Only when [`Need::Message`] was asked.
    /// Octets that must not be sent close the client: nothing of `out` is to be written then.
    pub fn message(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        if let State::Sending(_, stuffing) = &mut self.state
            && stuffing.push(octets, out).is_err()
        {
            self.refuse_content(out);
        }
    }

    /// Whether the message was broken off because it holds octets that must not be sent.
    pub fn has_refused_content(&self) -> bool {
        let refused = Outcome::permanent(Step::Content);
        matches!(&self.state, State::Transaction(transaction) if transaction.outcome_if_over() == Some(refused))
    }

    /// The message's end, appended to `out`.
    pub fn end_of_message(&mut self, out: &mut Vec<u8>) {
        match self.take_state() {
            State::Sending(transaction, stuffing) => match stuffing.finish(out) {
                Ok(()) => self.await_verdict(transaction),
                Err(stuffing::Unclean) => {
                    self.state = State::Transaction(transaction);
                    self.refuse_content(out);
                }
            },
            other => self.state = other,
        }
    }

    /// The far side does not take the rest of the message: what it says now can only be a refusal.
    pub fn break_off_message(&mut self) {
        match self.take_state() {
            State::Sending(mut transaction, _) => {
                transaction.message_sent(true);
                self.state = State::Transaction(transaction);
            }
            other => self.state = other,
        }
    }

    fn await_verdict(&mut self, mut transaction: Transaction) {
        // An answer that stands here already was given before the message's end: only a refusal can be that.
        transaction.message_sent(!self.reader.is_empty());
        self.state = State::Transaction(transaction);
    }

    /// Says goodbye.
    pub fn quit(&mut self) {
        if matches!(self.state, State::Idle) {
            self.state = State::Farewell;
            self.say("QUIT");
        }
    }

    /// What is needed next, given all that has arrived.
    pub fn advance(&mut self) -> Need {
        loop {
            if let Some(need) = self.need() {
                return need;
            }
            match self.reader.next_reply() {
                Ok(Some(reply)) => self.heed(&reply),
                Ok(None) => return Need::Input(self.wait()),
                Err(reply::Malformed) => self.close(Cause::silent(Step::Protocol)),
            }
        }
    }

    /// What is needed where no reply is awaited; `None` where one is.
    fn need(&mut self) -> Option<Need> {
        match &mut self.state {
            State::Closed(cause) => Some(Need::Closed(*cause)),
            State::Handshake => Some(Need::Tls),
            State::Sending(..) => Some(Need::Message),
            // Nobody asked for what stands here: the far side takes its leave (421), or is out of step.
            State::Idle if !self.reader.is_empty() => {
                self.close(Cause::silent(Step::Lost));
                Some(Need::Closed(Some(Cause::silent(Step::Lost))))
            }
            State::Idle => Some(Need::Transaction),
            State::Transaction(transaction) => {
                transaction.speak(&mut self.output);
                let outcome = transaction.outcome_if_over()?;
                Some(self.settle(outcome))
            }
            State::Opening(_) | State::Farewell => None,
        }
    }

    fn settle(&mut self, outcome: Outcome) -> Need {
        if let State::Transaction(transaction) = &self.state {
            self.left_open = transaction.leaves_open();
            let in_step = transaction.keeps_connection() && self.reader.is_empty();
            self.state = if in_step { State::Idle } else { State::Closed(Some(Cause::silent(Step::Lost))) };
        }
        Need::Settled(outcome)
    }

    fn wait(&self) -> Wait {
        match &self.state {
            State::Opening(Opening::Greeting) => Wait::Greeting,
            State::Transaction(transaction) => transaction.wait(),
            State::Farewell => Wait::Farewell,
            _ => Wait::Command,
        }
    }

    fn heed(&mut self, reply: &Reply) {
        match self.take_state() {
            State::Opening(opening) => self.open(opening, reply),
            State::Transaction(mut transaction) => {
                let moved = transaction.heed(reply);
                let out_of_step = transaction.expects_nothing() && !self.reader.is_empty();
                self.state = match moved {
                    transaction::Moved::Message => State::Sending(transaction, Stuffing::new()),
                    transaction::Moved::On => State::Transaction(transaction),
                };
                if out_of_step && !self.is_settled() {
                    self.close(Cause::silent(Step::Protocol));
                }
            }
            State::Farewell => self.state = State::Closed(None),
            other => self.state = other,
        }
    }

    fn is_settled(&self) -> bool {
        matches!(&self.state, State::Transaction(transaction) if transaction.outcome_if_over().is_some())
    }

    /// The connection is of no more use. A transaction that has not come to anything comes to `cause`.
    fn close(&mut self, cause: Cause) {
        self.state = match self.take_state() {
            State::Transaction(mut transaction) | State::Sending(mut transaction, _) => {
                transaction.break_off(Outcome::Transient(cause));
                State::Transaction(transaction)
            }
            State::Closed(earlier) => State::Closed(earlier),
            State::Farewell => State::Closed(None),
            State::Opening(_) | State::Handshake | State::Idle => State::Closed(Some(cause)),
        };
    }

    fn refuse_content(&mut self, out: &mut Vec<u8>) {
        out.clear();
        match self.take_state() {
            State::Transaction(mut transaction) | State::Sending(mut transaction, _) => {
                transaction.break_off(Outcome::permanent(Step::Content));
                self.state = State::Transaction(transaction);
            }
            other => self.state = other,
        }
    }

    fn take_state(&mut self) -> State {
        std::mem::replace(&mut self.state, State::Closed(None))
    }

    fn say(&mut self, line: &str) {
        self.output.extend_from_slice(line.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }
}
