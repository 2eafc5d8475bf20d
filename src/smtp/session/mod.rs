//! An SMTP session without socket, clock or store: octets in, [`Step`]s out.
//!
//! Whoever drives it calls [`Session::next`] until it says [`Step::NeedInput`], and then
//! [`Session::receive`]; after [`Step::Ask`] and [`Step::EndOfMessage`] it gives an [`Answer`] first.
//! The same input gives the same steps however it is cut into pieces, but for what a client sends
//! together with STARTTLS: that is discarded.
//!
//! A session is a connection; a [`Transaction`] is one MAIL … DATA. RSET drops the transaction, STARTTLS
//! drops everything that was said before it.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::gateway::Refusal;
use crate::id::SessionId;
use crate::mail::{Address, Envelope, Origin, Recipient, ReversePath};
use crate::sasl::Awaited;
use crate::smtp::data::DataReceiver;
use crate::smtp::parameters::MailArguments;
use crate::smtp::reply::{self, Done, Limit, Misuse, Reply};
use crate::smtp::settings::{Purpose, Settings};

mod commands;
mod line;
mod sign_in;
mod step;

use line::{Inbox, Line};

pub use step::{Answer, Question, Step, Submitted, Waiting};

/// One MAIL … DATA.
struct Transaction {
    said: MailArguments,
    recipients: Vec<Recipient>,
    /// RCPT commands, refused ones too.
    attempts: usize,
}

struct Hello {
    name: String,
    extended: bool,
}

enum State {
    Command,
    SignIn(Awaited),
    Data(DataReceiver),
    Asked(Pending),
    Handshake,
    Closed(&'static str),
}

/// What the awaited answer is for.
enum Pending {
    SignIn,
    Mail(MailArguments),
    Rcpt(Recipient),
    Message,
}

/// One connection.
pub struct Session {
    id: SessionId,
    settings: Arc<Settings>,
    purpose: Purpose,
    tls_offered: bool,
    secured: bool,
    inbox: Inbox,
    untouched: bool,
    state: State,
    steps: VecDeque<Step>,
    hello: Option<Hello>,
    signed_in: Option<Origin>,
    transaction: Option<Transaction>,
    errors: u32,
    fruitless: u32,
    failed_sign_ins: u32,
    messages: u32,
}

impl Session {
    /// A session that begins with the greeting. `tls_offered`: whether there is a certificate for STARTTLS;
    /// on [`Purpose::Submissions`] the handshake is done already.
    pub fn open(id: SessionId, settings: Arc<Settings>, purpose: Purpose, tls_offered: bool) -> Self {
        let secured = matches!(purpose, Purpose::Submissions);
        let greeting = Reply::bare(220, vec![format!("{} ESMTP Postern", settings.hostname)]);
        Self {
            id,
            settings,
            purpose,
            tls_offered,
            secured,
            inbox: Inbox::default(),
            untouched: true,
            state: State::Command,
            steps: VecDeque::from([Step::Send(greeting)]),
            hello: None,
            signed_in: None,
            transaction: None,
            errors: 0,
            fruitless: 0,
            failed_sign_ins: 0,
            messages: 0,
        }
    }

    /// A session that says why not, and closes.
    pub fn turned_away(id: SessionId, settings: Arc<Settings>, purpose: Purpose, limit: Limit) -> Self {
        let mut session = Self::open(id, settings, purpose, false);
        session.steps.clear();
        session.leave(limit);
        session
    }

    /// Takes what the client sent. Held until [`Session::next`] comes to it: drive it to [`Step::NeedInput`] first.
    pub fn receive(&mut self, octets: &[u8]) {
        if !matches!(self.state, State::Closed(_) | State::Handshake) {
            self.inbox.push(octets);
        }
    }

    /// The next step.
    #[allow(
        clippy::should_implement_trait,
        reason = "a session is no iterator: it goes on after it had nothing to say"
    )]
    pub fn next(&mut self) -> Step {
        loop {
            if let Some(step) = self.steps.pop_front() {
                return step;
            }
            let waiting = match &self.state {
                State::Closed(reason) => return Step::Close(reason),
                State::Asked(_) | State::Handshake => return Step::NeedInput(Waiting::Answer),
                State::Data(_) => Waiting::Data,
                State::Command | State::SignIn(_) => Waiting::Command,
            };
            let advanced = if waiting == Waiting::Data { self.take_data() } else { self.take_line() };
            if !advanced {
                return Step::NeedInput(waiting);
            }
        }
    }

    /// Takes the answer to the last question. An answer to another question is as good as none: the client may try again.
    pub fn answer(&mut self, answer: Answer) {
        let State::Asked(pending) = std::mem::replace(&mut self.state, State::Command) else {
            return;
        };
        match (pending, answer) {
            (Pending::SignIn, Answer::SignIn(result)) => self.answer_sign_in(result),
            (Pending::SignIn, Answer::TooManyGuesses) => self.blame(Limit::Guesses.into()),
            (Pending::Mail(said), Answer::MaySendAs(Ok(true))) => self.begin_transaction(said),
            (Pending::Mail(_), Answer::MaySendAs(Ok(false))) => {
                self.refuse(&Refusal::NotYourAddress { field: "MAIL FROM" });
            }
            (Pending::Rcpt(recipient), Answer::CheckRecipient(Ok(()))) => self.add_recipient(recipient),
            (
                _,
                Answer::MaySendAs(Err(refusal)) | Answer::CheckRecipient(Err(refusal)) | Answer::Message(Err(refusal)),
            ) => self.refuse(&refusal),
            (Pending::Message, Answer::Message(Ok(receipt))) => {
                self.fruitless = 0;
                self.messages += 1;
                self.say(reply::accepted(&receipt));
            }
            _ => self.refuse(&Refusal::Unavailable),
        }
    }

    /// The TLS handshake is done: nothing said before it counts (RFC 3207, section 4.2).
    pub fn secured(&mut self) {
        self.inbox.clear();
        self.secured = true;
        self.hello = None;
        self.signed_in = None;
        self.transaction = None;
        self.state = State::Command;
    }

    /// Ends the session with this reply; for what only a clock or the shell knows.
    pub fn leave(&mut self, limit: Limit) {
        let reply = Reply::from(limit);
        if matches!(self.state, State::Data(_)) {
            self.steps.push_back(Step::Discard);
        }
        self.state = State::Closed(reply.word());
        self.say(reply);
    }

    /// Whether nothing would be lost by ending it now.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Command) && self.transaction.is_none()
    }

    /// Who vouches for what comes here; `None` until signed in.
    pub fn origin(&self) -> Option<Origin> {
        match &self.purpose {
            Purpose::Relay(trust) => Some(Origin::Relay { any_sender: trust.any_sender }),
            Purpose::Submission | Purpose::Submissions => self.signed_in.clone(),
        }
    }

    /// Messages accepted so far.
    pub fn messages(&self) -> u32 {
        self.messages
    }

    /// Whatever is refused ends in the id under which the log has its line.
    fn say(&mut self, reply: impl Into<Reply>) {
        let reply = reply.into();
        let reply = if reply.is_refusal() { reply.with_id(&self.id.to_string()) } else { reply };
        self.steps.push_back(Step::Send(reply));
    }

    /// The gateway refuses; that is no error of the protocol.
    fn refuse(&mut self, refusal: &Refusal) {
        self.say(refusal);
    }

    /// The client errs; some errors are enough.
    fn blame(&mut self, reply: Reply) {
        self.errors += 1;
        if self.errors >= self.settings.limits.errors {
            self.leave(Limit::Errors);
        } else {
            self.say(reply);
        }
    }

    fn take_line(&mut self) -> bool {
        if self.untouched && self.inbox.rest().first() == Some(&0x16) && !self.secured {
            self.leave(Limit::NotSmtp);
            return true;
        }
        let signing_in = matches!(self.state, State::SignIn(_));
        let limits = &self.settings.limits;
        // The line of AUTH itself may carry a whole response.
        let is_auth = self.inbox.rest().get(..5).is_some_and(|head| head.eq_ignore_ascii_case(b"AUTH "));
        let limit = if signing_in || is_auth { limits.auth_line } else { limits.command_line };
        self.untouched &= self.inbox.rest().is_empty();
        let Some(line) = self.inbox.take_line(limit) else {
            return false;
        };
        match line {
            Line::Text(text) if signing_in => self.continue_sign_in(&text),
            Line::Text(text) => self.command(&text),
            Line::Flood => self.leave(Limit::Overrun),
            Line::TooLong => self.abandon_line(Misuse::LineTooLong),
            Line::Unsound => self.abandon_line(Misuse::NotALine),
        }
        true
    }

    fn abandon_line(&mut self, misuse: Misuse) {
        self.state = State::Command;
        self.blame(misuse.into());
    }

    fn take_data(&mut self) -> bool {
        let State::Data(receiver) = &mut self.state else {
            return false;
        };
        if self.inbox.rest().is_empty() {
            return false;
        }
        let spoilt_before = receiver.flaw().is_some();
        let received = receiver.receive(self.inbox.rest());
        let (flaw, overrun) = (receiver.flaw(), receiver.overrun());
        self.inbox.consume(received.consumed);
        if !received.message.is_empty() {
            self.steps.push_back(Step::Store(received.message));
        }
        if flaw.is_some() && !spoilt_before {
            self.steps.push_back(Step::Discard);
        }
        match flaw {
            _ if overrun => self.leave(Limit::Overrun),
            Some(flaw) if received.ended => {
                self.state = State::Command;
                self.transaction = None;
                self.blame(flaw.into());
            }
            None if received.ended => self.submit(),
            _ => {}
        }
        true
    }

    fn submit(&mut self) {
        self.state = State::Command;
        let (Some(transaction), Some(origin)) = (self.transaction.take(), self.origin()) else {
            return self.refuse(&Refusal::Unavailable);
        };
        let helo = self.hello.as_ref().map_or_else(String::new, |hello| hello.name.clone());
        let protocol = match (&self.hello, self.secured, &self.signed_in) {
            (Some(Hello { extended: true, .. }), true, Some(_)) => "ESMTPSA",
            (Some(Hello { extended: true, .. }), true, None) => "ESMTPS",
            (Some(Hello { extended: true, .. }), false, _) => "ESMTP",
            _ => "SMTP",
        };
        let MailArguments { reverse_path, body, ret, envid, size: _ } = transaction.said;
        self.state = State::Asked(Pending::Message);
        let envelope = Envelope { reverse_path, recipients: transaction.recipients, body, ret, envid };
        self.steps.push_back(Step::EndOfMessage(Submitted { origin, envelope, helo, protocol }));
    }

    fn ask(&mut self, question: Question, pending: Pending) {
        self.state = State::Asked(pending);
        self.steps.push_back(Step::Ask(question));
    }

    fn begin_transaction(&mut self, said: MailArguments) {
        self.transaction = Some(Transaction { said, recipients: Vec::new(), attempts: 0 });
        self.say(Done::Sender);
    }

    fn add_recipient(&mut self, recipient: Recipient) {
        if let Some(transaction) = &mut self.transaction {
            transaction.recipients.push(recipient);
        }
        self.say(Done::Recipient);
    }
}

/// Whether MAIL needs the gateway's word: the null reverse-path is nobody's address.
fn sender_to_ask(said: &MailArguments) -> Option<Address> {
    match &said.reverse_path {
        ReversePath::Null => None,
        ReversePath::Address(address) => Some(address.clone()),
    }
}
