//! Which command is legal when, and who does it.

use super::{Done, Gone, Halt, Outlet, Session, Stage};
use crate::imap::command::{By, Command};
use crate::imap::response::{Condition, Refusal};

/// What a session must have for a command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// Nobody signed in.
    Stranger,
    SignIn,
    Mailbox,
}

impl Command {
    fn needs(&self) -> Needs {
        match self {
            Self::Capability | Self::Noop | Self::Logout | Self::Id => Needs::Nothing,
            Self::StartTls | Self::Authenticate { .. } | Self::Login { .. } => Needs::Stranger,
            Self::Enable(_)
            | Self::Namespace
            | Self::Select(..)
            | Self::Create(..)
            | Self::Delete(_)
            | Self::Rename(..)
            | Self::Subscribe(_)
            | Self::Unsubscribe(_)
            | Self::List(_)
            | Self::Lsub(..)
            | Self::Status(..)
            | Self::Idle
            | Self::GetQuota(_)
            | Self::GetQuotaRoot(_)
            | Self::SetQuota => Needs::SignIn,
            Self::Check
            | Self::Close
            | Self::Unselect
            | Self::Expunge(_)
            | Self::Search(..)
            | Self::Sort(..)
            | Self::Thread(..)
            | Self::Fetch(..)
            | Self::Store(..)
            | Self::Copy(..)
            | Self::Move(..) => Needs::Mailbox,
        }
    }

    /// Whether expunges may be told before its tagged response (RFC 9051, section 7.5.1): not where the client may have
    /// sent a further command that counts by position.
    fn tells_expunges(&self) -> bool {
        !matches!(
            self,
            Self::Fetch(By::Number, ..)
                | Self::Store(By::Number, ..)
                | Self::Search(By::Number, _)
                | Self::Sort(By::Number, ..)
                | Self::Thread(By::Number, ..)
        )
    }
}

impl Session {
    /// Does a command, and says what came of it.
    pub(super) async fn perform(
        &mut self,
        tag: String,
        command: Command,
        outlet: &mut impl Outlet,
    ) -> Result<(), Gone> {
        self.under_way.clone_from(&tag);
        let (expunges, logout) = (command.tells_expunges(), matches!(command, Command::Logout));
        if !self.still_welcome().await {
            return Ok(());
        }
        if let Err(refusal) = self.check(command.needs()) {
            self.blame(Some(&tag), &refusal);
            return Ok(());
        }
        let done = match self.dispatch(&tag, command, outlet).await {
            Ok(Some(done)) => done,
            Ok(None) => return Ok(()),
            Err(Halt::Gone(gone)) => return Err(gone),
            // It has been told why the session ends, and is told nothing more.
            Err(Halt::Refused(_)) if self.closing.is_some() => return Ok(()),
            Err(Halt::Refused(refusal)) => {
                self.tell_news(expunges).await;
                self.blame(Some(&tag), &refusal);
                return Ok(());
            }
        };
        if !logout {
            self.tell_news(expunges).await;
        }
        self.out.status(Some(&tag), Condition::Ok, done.code.as_deref(), done.text);
        self.errors = if self.signed_in.is_some() { 0 } else { self.errors };
        if logout {
            self.closing = Some("logout");
        }
        Ok(())
    }

    fn check(&self, needs: Needs) -> Result<(), Refusal> {
        match needs {
            Needs::Stranger if self.signed_in.is_some() => Err(Refusal::SignedIn),
            Needs::SignIn | Needs::Mailbox if self.signed_in.is_none() => Err(Refusal::NotSignedIn),
            Needs::Mailbox if self.selected.is_none() => Err(Refusal::NothingSelected),
            _ => Ok(()),
        }
    }

    /// `None`: the answer comes later.
    async fn dispatch(&mut self, tag: &str, command: Command, outlet: &mut impl Outlet) -> Result<Option<Done>, Halt> {
        match command {
            Command::Authenticate { mechanism, initial } => return self.authenticate(tag, &mechanism, initial).await,
            Command::Idle => {
                self.out.line("+ idling");
                self.stage = Stage::Idle { tag: tag.to_owned() };
                // What a command before could not tell: here nothing is kept back.
                self.tell_news(true).await;
                return Ok(None);
            }
            command if command.needs() == Needs::Mailbox => self.in_mailbox(command, outlet).await,
            command => self.among_mailboxes(command).await,
        }
        .map(Some)
    }

    async fn among_mailboxes(&mut self, command: Command) -> Result<Done, Halt> {
        match command {
            Command::Capability => self.capability(),
            Command::Logout => {
                self.out.line("* BYE Good bye");
                Done::plain("LOGOUT done")
            }
            Command::Id => self.id(),
            Command::StartTls => self.start_tls(),
            Command::Login { name, password } => self.sign_in(&name, &password).await,
            Command::Enable(words) => self.enable(&words),
            Command::Namespace => self.namespace(),
            Command::Select(name, opening) => self.select(&name, opening).await,
            Command::Create(name, uses) => self.create(&name, &uses).await,
            Command::Delete(name) => self.delete(&name).await,
            Command::Rename(from, to) => self.rename(&from, &to).await,
            Command::Subscribe(name) => self.subscribe(&name, true).await,
            Command::Unsubscribe(name) => self.subscribe(&name, false).await,
            Command::List(listing) => self.list(&listing).await,
            Command::Lsub(reference, pattern) => self.lsub(&reference, &pattern).await,
            Command::Status(name, items) => self.status(&name, &items).await,
            Command::GetQuota(root) => self.quota(&root).await,
            Command::GetQuotaRoot(name) => self.quota_root(&name).await,
            Command::SetQuota => Err(Refusal::Quota.into()),
            _ => Done::plain("NOOP done"),
        }
    }

    async fn in_mailbox(&mut self, command: Command, outlet: &mut impl Outlet) -> Result<Done, Halt> {
        match command {
            Command::Close => self.close().await,
            Command::Unselect => self.unselect(),
            Command::Expunge(set) => self.expunge(set.as_ref()).await,
            Command::Search(by, request) => self.search(by, &request, outlet).await,
            Command::Sort(by, keys, request) => self.sort(by, &keys, &request, outlet).await,
            Command::Thread(by, threading, request) => self.thread(by, threading, &request, outlet).await,
            Command::Fetch(by, set, request) => self.fetch(by, &set, &request, outlet).await,
            Command::Store(by, set, request) => self.store(by, &set, &request, outlet).await,
            Command::Copy(by, set, name) => self.copy(by, &set, &name).await,
            Command::Move(by, set, name) => self.r#move(by, &set, &name).await,
            _ => Done::plain("CHECK done"),
        }
    }
}
