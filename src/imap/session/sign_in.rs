//! LOGIN, AUTHENTICATE PLAIN and LOGIN (RFC 4616, RFC 4959), and STARTTLS.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::{Done, Halt, Session, Stage, Tls};
use crate::accounts::Pass;
use crate::event::Event;
use crate::gateway::SignInError;
use crate::gateway::staff_mail::StaffMail;
use crate::imap::places::{Place, Places};
use crate::imap::response::{Condition, Refusal};
use crate::mail::Origin;
use crate::net::Guesses;
use crate::sasl::{Awaited, Step};
use crate::secret::Secret;

/// The longest line of a response.
const RESPONSE: usize = 8 * 1024;

/// Where a client comes from, and who counts what it does there.
#[derive(Clone)]
pub struct Door {
    /// Its address.
    pub peer: IpAddr,
    /// Wrong passwords, shared with submission: a guesser has one number of tries.
    pub guesses: Arc<Guesses>,
    /// Sessions by account.
    pub places: Places,
}

/// Who is there.
pub(super) struct SignedIn {
    pub(super) mail: StaffMail,
    /// What the sign-in stands on.
    pass: Pass,
    pub(super) place: Place,
    /// Says that what it may read may have changed.
    pub(super) policy: watch::Receiver<u64>,
}

impl Session {
    pub(super) fn start_tls(&mut self) -> Result<Done, Halt> {
        if self.tls == Tls::Active {
            return Err(Refusal::Tls.into());
        }
        self.starting_tls = true;
        Done::plain("Begin TLS now")
    }

    /// AUTHENTICATE up to its first response. `None`: the rest follows, and its answer then.
    pub(super) async fn authenticate(
        &mut self,
        tag: &str,
        mechanism: &str,
        initial: Option<Secret<String>>,
    ) -> Result<Option<Done>, Halt> {
        let awaited = Awaited::first(mechanism).ok_or(Refusal::Mechanism)?;
        self.may_sign_in()?;
        match initial {
            Some(response) => self.step(tag, awaited.take_initial(response.expose())).await,
            None => Ok(self.challenge(tag, awaited)),
        }
    }

    fn challenge(&mut self, tag: &str, awaited: Awaited) -> Option<Done> {
        self.out.put("+ ").line(awaited.challenge());
        self.stage = Stage::Response { tag: tag.to_owned(), awaited };
        None
    }

    /// The next response to AUTHENTICATE; false if it has not come yet.
    pub(super) async fn next_response(&mut self) -> bool {
        let Some(line) = self.fragments.line(RESPONSE) else { return false };
        let Stage::Response { tag, awaited } = std::mem::replace(&mut self.stage, Stage::Command) else { return true };
        let Ok(line) = line.map(Zeroizing::new) else {
            self.leave("flood", "That is no response to AUTHENTICATE");
            return true;
        };
        let result = match std::str::from_utf8(&line) {
            Ok("*") => Err(Refusal::Cancelled.into()),
            Ok(response) => self.step(&tag, awaited.take(response)).await,
            Err(_) => Err(Refusal::Response.into()),
        };
        match result {
            Ok(None) | Err(Halt::Gone(_)) => {}
            Ok(Some(done)) => {
                self.out.status(Some(&tag), Condition::Ok, done.code.as_deref(), done.text);
            }
            Err(Halt::Refused(refusal)) => self.blame(Some(&tag), &refusal),
        }
        true
    }

    async fn step(&mut self, tag: &str, step: Option<Step>) -> Result<Option<Done>, Halt> {
        match step.ok_or(Refusal::Response)? {
            Step::SignIn { name, password } => self.sign_in(&name, &password).await.map(Some),
            Step::Next(awaited) => Ok(self.challenge(tag, awaited)),
        }
    }

    fn may_sign_in(&self) -> Result<(), Refusal> {
        match self.tls {
            Tls::Active => Ok(()),
            Tls::Offered => Err(Refusal::NoTls),
        }
    }

    /// Who has guessed too often is not even checked: that would tell when a guess is right, and costs an Argon2 run.
    pub(super) async fn sign_in(&mut self, name: &str, password: &Secret<String>) -> Result<Done, Halt> {
        self.may_sign_in()?;
        let (peer, guesses) = (self.door.peer, Arc::clone(&self.door.guesses));
        if guesses.exhausted(peer, Instant::now().into_std()) {
            return Err(Refusal::Guesses.into());
        }
        match self.gateway.sign_in(name, password).await {
            Ok((origin, pass)) => self.welcome(&origin, pass).await,
            Err(SignInError::Rejected) => {
                guesses.count(peer, Instant::now().into_std());
                Event::SignInFailed { session: self.id, peer }.log();
                self.failed_sign_ins += 1;
                Err(Refusal::SignIn(SignInError::Rejected).into())
            }
            Err(error) => Err(Refusal::SignIn(error).into()),
        }
    }

    async fn welcome(&mut self, origin: &Origin, pass: Pass) -> Result<Done, Halt> {
        let place = self.door.places.take(pass.id).ok_or(Refusal::Sessions)?;
        let mail = self.gateway.open_mail(origin).await?;
        Event::SignedIn { session: self.id, staff: pass.id }.log();
        let policy = mail.policy_changes();
        self.signed_in = Some(SignedIn { mail, pass, policy, place });
        self.errors = 0;
        Done::with(format!("CAPABILITY {}", self.capabilities()), "Welcome")
    }

    /// Whether who has signed in still may: a session does not outlive its password, nor its account, nor the right to read the
    /// mailbox that it has open.
    pub(super) async fn still_welcome(&mut self) -> bool {
        let Some(SignedIn { mail, pass, .. }) = &self.signed_in else { return true };
        let open = self.selected.as_ref().is_none_or(|selected| mail.may_read(selected.mailbox.owner()));
        match (self.gateway.stands(pass).await, open) {
            (Ok(true), true) => return true,
            (Ok(true), false) => {
                self.leave("right-lost", "The mailbox that was open is not yours to read any more");
            }
            (Ok(false), _) => self.leave("account-changed", "Your account was changed; please sign in again"),
            (Err(_), _) => self.leave("unavailable", "[UNAVAILABLE] Something is wrong here; try again in a minute"),
        }
        false
    }

    /// The mailboxes of who has signed in.
    pub(super) fn mail(&self) -> Result<StaffMail, Refusal> {
        self.signed_in.as_ref().map(|signed_in| signed_in.mail.clone()).ok_or(Refusal::NotSignedIn)
    }
}
