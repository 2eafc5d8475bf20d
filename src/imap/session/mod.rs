//! An IMAP session without sockets: octets in, octets out through an [`Outlet`], what is asked of the gateway in between.
//!
//! | subject | place |
//! |---|---|
//! | what a session is, octets to commands | here |
//! | which command is legal when, and who does it | `commands.rs` |
//! | LOGIN, AUTHENTICATE, STARTTLS | `sign_in.rs` |
//! | capabilities, ENABLE, NAMESPACE, quota | `offers.rs` |
//! | LIST, STATUS, CREATE … | `mailboxes.rs` |
//! | SELECT, and what a client is told unasked | `selected.rs`, `news.rs` |
//! | FETCH | `fetch.rs`, `section.rs` |
//! | STORE, COPY, MOVE, EXPUNGE | `change.rs` |
//! | APPEND | `append.rs` |
//! | SEARCH, SORT, THREAD | `search/`, `sort.rs`, `thread.rs`, `reading.rs` |

mod append;
mod change;
mod commands;
mod fetch;
mod mailboxes;
mod news;
mod offers;
mod reading;
mod search;
mod section;
mod selected;
mod sign_in;
mod sort;
mod thread;

use std::future::Future;
use std::sync::Arc;

use crate::blob::BlobError;
use crate::event::Event;
use crate::gateway::Gateway;
use crate::id::SessionId;
use crate::imap::command;
use crate::imap::fragment::{Bounds, Fragments, Framed};
use crate::imap::response::{Condition, Refusal, Writer};
use crate::imap::settings::Settings;
use crate::mailbox::MailboxError;
use crate::sasl::Awaited;

pub use sign_in::Door;

use append::Append;
use selected::Selected;
use sign_in::SignedIn;

/// What is gathered is sent when it has this many octets, at the latest.
const FULL: usize = 16 * 1024;

/// The other side is gone, or does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone(pub &'static str);

/// Where responses go.
pub trait Outlet: Send {
    /// Sends octets; returns when they are on their way.
    ///
    /// # Errors
    /// [`Gone`], and then nothing more can be sent.
    fn send(&mut self, octets: &[u8]) -> impl Future<Output = Result<(), Gone>> + Send;
}

/// Why [`Session::advance`] returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// More octets are needed.
    NeedInput(Waiting),
    /// Do the TLS handshake, then call [`Session::secured`]. Octets already read are forgotten.
    StartTls,
    /// Close. The word is for the log.
    Close(&'static str),
}

/// What is waited for; it decides how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// Somebody to sign in.
    SignIn,
    /// A command.
    Command,
    /// The rest of a command, or octets of a message.
    Data,
    /// DONE, while [`Session::news`] tells what happens.
    Idle,
}

/// Whether there is TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// There is.
    Active,
    /// STARTTLS is offered.
    Offered,
}

/// What an ended command says.
struct Done {
    code: Option<String>,
    text: &'static str,
}

impl Done {
    fn plain(text: &'static str) -> Result<Self, Halt> {
        Ok(Self { code: None, text })
    }

    fn with(code: String, text: &'static str) -> Result<Self, Halt> {
        Ok(Self { code: Some(code), text })
    }
}

/// Why a command ends early.
enum Halt {
    Refused(Refusal),
    Gone(Gone),
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<MailboxError> for Halt {
    fn from(error: MailboxError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<BlobError> for Halt {
    fn from(error: BlobError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<Gone> for Halt {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone)
    }
}

/// What a client has asked to be told.
#[derive(Debug, Default, Clone, Copy)]
struct Enabled {
    rev2: bool,
    condstore: bool,
    qresync: bool,
}

/// What the next octets are.
enum Stage {
    Command,
    /// A response to AUTHENTICATE.
    Response {
        tag: String,
        awaited: Awaited,
    },
    /// DONE.
    Idle {
        tag: String,
    },
}

/// One connection's session.
pub struct Session {
    id: SessionId,
    gateway: Gateway,
    settings: Arc<Settings>,
    door: Door,
    tls: Tls,
    starting_tls: bool,
    closing: Option<&'static str>,
    fragments: Fragments,
    out: Writer,
    stage: Stage,
    /// The tag of the command that is done.
    under_way: String,
    signed_in: Option<SignedIn>,
    failed_sign_ins: u32,
    errors: u32,
    appended: u32,
    enabled: Enabled,
    selected: Option<Selected>,
    append: Option<Append>,
}

impl Session {
    /// A session that greets.
    pub fn open(id: SessionId, gateway: Gateway, settings: Arc<Settings>, door: Door, tls: Tls) -> Self {
        let mut session = Self {
            id,
            gateway,
            settings,
            door,
            tls,
            starting_tls: false,
            closing: None,
            fragments: Fragments::default(),
            out: Writer::default(),
            stage: Stage::Command,
            under_way: String::new(),
            signed_in: None,
            failed_sign_ins: 0,
            errors: 0,
            appended: 0,
            enabled: Enabled::default(),
            selected: None,
            append: None,
        };
        let code = format!("CAPABILITY {}", session.capabilities());
        let text = format!("{} Postern ready (id {id})", session.settings.hostname);
        session.out.status(None, Condition::Ok, Some(&code), &text);
        session
    }

    /// Octets that came.
    pub fn receive(&mut self, octets: &[u8]) {
        self.fragments.push(octets);
    }

    /// There is TLS now. Whatever came before it is forgotten.
    pub fn secured(&mut self) {
        self.fragments.clear();
        self.starting_tls = false;
        self.tls = Tls::Active;
        self.errors = 0;
    }

    /// Messages that were appended.
    pub fn appended(&self) -> u32 {
        self.appended
    }

    /// Whether nothing is lost if the session ends now.
    pub fn is_idle(&self) -> bool {
        self.fragments.is_idle() && self.append.is_none()
    }

    /// Ends the session with these words as soon as it is advanced. The reason is a word for the log.
    pub fn leave(&mut self, reason: &'static str, words: &str) {
        if self.closing.is_none() {
            self.out.line(&format!("* BYE {words}"));
            self.closing = Some(reason);
        }
    }

    /// Does what can be done with the octets that came.
    ///
    /// # Errors
    /// [`Gone`], from the outlet.
    pub async fn advance(&mut self, outlet: &mut impl Outlet) -> Result<Pause, Gone> {
        loop {
            if self.out.len() >= FULL || self.closing.is_some() || self.starting_tls {
                self.flush(outlet).await?;
            }
            if let Some(reason) = self.closing {
                return Ok(Pause::Close(reason));
            }
            if self.starting_tls {
                self.fragments.clear();
                return Ok(Pause::StartTls);
            }
            let progress = match self.stage {
                Stage::Command => self.next_fragment(outlet).await?,
                Stage::Response { .. } => self.next_response().await,
                Stage::Idle { .. } => self.next_in_idle(),
            };
            if !progress {
                self.flush(outlet).await?;
                return Ok(Pause::NeedInput(self.waiting()));
            }
        }
    }

    fn waiting(&self) -> Waiting {
        match &self.stage {
            _ if self.signed_in.is_none() => Waiting::SignIn,
            Stage::Idle { .. } => Waiting::Idle,
            _ if self.is_idle() => Waiting::Command,
            _ => Waiting::Data,
        }
    }

    async fn flush(&mut self, outlet: &mut impl Outlet) -> Result<(), Gone> {
        if self.out.is_empty() { Ok(()) } else { outlet.send(&self.out.take()).await }
    }

    async fn flush_if_full(&mut self, outlet: &mut impl Outlet) -> Result<(), Gone> {
        if self.out.len() >= FULL { self.flush(outlet).await } else { Ok(()) }
    }

    fn bounds(&self) -> Bounds {
        let limits = &self.settings.limits;
        match &self.signed_in {
            None => Bounds {
                line: limits.line_before_sign_in,
                literal: limits.literal_before_sign_in,
                command: limits.line_before_sign_in + 2 * limits.literal_before_sign_in as usize,
                message: None,
                signed_in: false,
            },
            Some(_) => Bounds {
                line: limits.line,
                literal: limits.literal,
                command: limits.command,
                message: Some(self.largest_message()),
                signed_in: true,
            },
        }
    }

    /// One piece of what came; false if more must come first.
    async fn next_fragment(&mut self, outlet: &mut impl Outlet) -> Result<bool, Gone> {
        match self.fragments.next(&self.bounds()) {
            Framed::NeedInput => return Ok(false),
            Framed::Continue => self.go_on(),
            Framed::Command(octets) => self.command(&octets, outlet).await?,
            Framed::Message(head, announced) => self.begin_append(&head, announced).await,
            Framed::Octets(octets) => self.continue_append(&octets).await,
            Framed::Rest(rest) => self.end_append(&rest).await,
            Framed::Refused(tag, excess) => self.refuse_fragment(&tag, excess),
            Framed::Flood => self.leave("flood", "That is more than can be read over; good bye"),
        }
        Ok(true)
    }

    fn go_on(&mut self) {
        self.out.line("+ OK");
    }

    async fn command(&mut self, octets: &[u8], outlet: &mut impl Outlet) -> Result<(), Gone> {
        match command::parse(octets) {
            Err(_) => self.blame(None, &Refusal::NoTag),
            Ok(tagged) => match tagged.command {
                Err(mistake) => self.blame(Some(&tagged.tag), &Refusal::Mistake(mistake)),
                Ok(command) => self.perform(tagged.tag, command, outlet).await?,
            },
        }
        Ok(())
    }

    /// Says why something is not done; who goes on so has to go.
    fn blame(&mut self, tag: Option<&str>, refusal: &Refusal) {
        let (condition, code, text) = refusal.written();
        Event::ImapRefused { session: self.id, condition: condition.name(), reason: refusal.word() }.log();
        if let Some(cause) = refusal.trouble() {
            Event::Trouble { place: "imap", cause }.log();
        }
        self.out.status(tag, condition, code, text);
        if condition == Condition::Bad || self.signed_in.is_none() {
            self.errors += 1;
        }
        let limits = &self.settings.limits;
        let most = if self.signed_in.is_some() { limits.errors } else { limits.errors_before_sign_in };
        if self.failed_sign_ins >= limits.sign_ins {
            self.leave("sign-ins", "Too many failed sign-ins");
        } else if self.errors >= most {
            self.leave("errors", "Too many wrong commands");
        }
    }
}
