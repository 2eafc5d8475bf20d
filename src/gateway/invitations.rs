//! Invitations carried out: issued with a message, stepped by events, their effects as mails; each in one commit.

use std::net::IpAddr;
use std::time::Duration;

use crate::event::Event as Logged;
use crate::gateway::history::{Happened, HistoryLine};
use crate::gateway::mails::MailError;
use crate::gateway::{Gateway, Snapshot};
use crate::guests::InvitationRecord;
use crate::id::{ContactId, GrantId, TransactionId};
use crate::invitation::{Event, Invitation, NotPossible, State, Why};
use crate::mail::Address;
use crate::mime::assess::PatientRef;
use crate::policy::Role;
use crate::secret::Secret;
use crate::store::{Batch, CommitError, Record, StoreError};
use crate::time::Timestamp;
use crate::vault::VaultError;

/// How often a change is tried when other changes come first.
const TRIES: usize = 16;

/// Why an invitation was not changed.
#[derive(Debug, thiserror::Error)]
pub enum InvitationError {
    /// There is none for this contact.
    #[error("there is no invitation for this address")]
    Missing,
    /// Its state does not allow it.
    #[error(transparent)]
    NotPossible(#[from] NotPossible),
    /// Every document it could lead to is gone or was taken back.
    #[error("nothing that was sent to this person is there any more; send the message again, and it invites anew")]
    NothingLeft,
    /// The birthdate is none.
    #[error("a birthdate is written YYYY-MM-DD, such as 1980-03-04")]
    NoDate,
    /// Nobody of this address waits for an admin.
    #[error("nobody with this address waits to be let in")]
    NobodyWaits,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store did not take the change.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The rights it is about.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A mail that cannot be composed.
    #[error(transparent)]
    Mail(#[from] MailError),
}

/// An invitation that comes with a right.
pub(super) struct NewInvitation<'a> {
    /// Who is invited.
    pub contact: ContactId,
    /// Their address.
    pub address: &'a Address,
    /// As what.
    pub role: Option<Role>,
    /// The practice that speaks.
    pub practice: &'a str,
    /// Who invites.
    pub sender: &'a Address,
    /// The name shown for them.
    pub sender_name: &'a str,
    /// Whose documents.
    pub patient: Option<&'a PatientRef>,
    /// The birthdate to be entered, where it is known.
    pub birthdate: Option<&'a str>,
    /// The right it comes with.
    pub grant: GrantId,
    /// Its link's token.
    pub token: &'a Secret<String>,
    /// The message.
    pub transaction: TransactionId,
}

/// Something that happens to an invitation as it was read.
pub(super) struct Change<'a> {
    /// Whose.
    pub contact: ContactId,
    /// As it was read.
    pub read: &'a Record<InvitationRecord>,
    /// What happens.
    pub event: Event,
    /// With [`Event::Resend`]: the birthdate, corrected.
    pub birthdate: Option<&'a str>,
    /// For what a guest did: from where.
    pub from: Option<IpAddr>,
}

impl Gateway {
    /// Whether this contact must register before an account check can pass: it has no enrolled account.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub(super) async fn must_register(&self, contact: ContactId) -> Result<bool, StoreError> {
        Ok(!self.stations.guests.find(contact).await?.is_some_and(|guest| guest.value.is_enrolled()))
    }

    /// Puts the invitation that comes with a right into the batch: a new one; one that is open already stays as it is; an
    /// expired one is issued again; a cancelled one stays cancelled until it is sent again by the sender's word. Who has
    /// enrolled since the message was read is not invited. How long the right is held: until the invitation ends; not at all
    /// where none is open.
    ///
    /// # Errors
    /// Where the store cannot be read, or it cannot be sealed.
    pub(super) async fn put_invitation(
        &self,
        batch: &mut Batch,
        new: &NewInvitation<'_>,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Result<Option<Duration>, StoreError> {
        let guests = &self.stations.guests;
        let guest = guests.find(new.contact).await?;
        guests.require_guest(batch, new.contact, guest.as_ref());
        if guest.as_ref().is_some_and(|guest| guest.value.is_enrolled()) {
            return Ok(None);
        }
        let read = guests.invitation(new.contact).await?;
        let schedule = snapshot.policy.schedule(new.role);
        let (life, held) = match read.as_ref().map(|read| (read, read.value.life.step(Event::Written, now, &schedule)))
        {
            Some((read, Ok((life, _)))) if life == read.value.life => {
                let schedule = snapshot.policy.schedule(read.value.role);
                if guest.is_some() {
                    // Their password may be set just now, which starts the clocks of what is held: the one that comes second
                    // must know of the other.
                    guests.put_invitation(batch, new.contact, Some(read), &read.value, read.value.due, now)?;
                }
                return Ok(Some(life.until(&schedule).since(now)));
            }
            Some((read, Err(NotPossible::Ended))) => {
                guests.require_invitation(batch, new.contact, read);
                return Ok(None);
            }
            Some((_, Ok((life, _)))) => (life, schedule.longest()),
            // Who had accepted has closed the account since, or was forgotten.
            None | Some((_, Err(NotPossible::Accepted))) => (Invitation::issue(now), schedule.longest()),
        };
        let due = life.due(&schedule);
        guests.put_invitation(batch, new.contact, read.as_ref(), &new.record(life, now), due, now)?;
        let again = self.stations.vault.hold(batch, new.contact, held, now).await;
        again.map_err(|error| StoreError::Unsound(error.to_string()))?;
        let line = HistoryLine { grant: new.grant, what: Happened::Invited, at: now, from: None };
        self.put_history(batch, new.transaction, &line)?;
        Ok(Some(held))
    }

    /// Lets something happen to an invitation, and carries out what follows, in one commit.
    ///
    /// # Errors
    /// [`InvitationError`]; nothing changed then.
    pub async fn change_invitation(
        &self,
        contact: ContactId,
        event: Event,
        birthdate: Option<&str>,
        now: Timestamp,
    ) -> Result<(), InvitationError> {
        for _ in 0..TRIES {
            let read = self.stations.guests.invitation(contact).await?.ok_or(InvitationError::Missing)?;
            let change = Change { contact, read: &read, event, birthdate, from: None };
            match self.commit_change(&change, now).await {
                Err(InvitationError::Commit(CommitError::Conflict)) => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(()),
            }
        }
        Err(CommitError::Conflict.into())
    }

    /// One try.
    ///
    /// # Errors
    /// [`InvitationError`]; [`CommitError::Conflict`] where it is no longer as it was read.
    pub(super) async fn commit_change(&self, change: &Change<'_>, now: Timestamp) -> Result<(), InvitationError> {
        let snapshot = self.stations.policies.snapshot();
        let mut batch = Batch::default();
        let life = self.put_change(&mut batch, &snapshot, change, now).await?;
        if batch.is_empty() {
            return Ok(());
        }
        if !life.is_open() {
            batch.frees_space();
        }
        self.stations.store.commit(batch).await?;
        self.stations.queue.wake();
        log_change(&change.read.value, &life);
        Ok(())
    }

    /// Puts what an event makes of an invitation into the batch, and its effects. What it has become.
    ///
    /// # Errors
    /// [`InvitationError`]; the batch is of no use then.
    pub(super) async fn put_change(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        change: &Change<'_>,
        now: Timestamp,
    ) -> Result<Invitation, InvitationError> {
        let old = &change.read.value;
        let schedule = snapshot.policy.schedule(old.role);
        let (life, effects) = old.life.step(change.event, now, &schedule)?;
        let birthdate = corrected(change.birthdate)?.or_else(|| old.birthdate.clone());
        let mut record = InvitationRecord { life, birthdate, ..old.clone() };
        for effect in &effects {
            self.put_effect(batch, snapshot, (change, &mut record), *effect, now).await?;
        }
        if let Some(what) = happened(change.event, &record.life) {
            let line = HistoryLine { grant: record.grant, what, at: now, from: change.from };
            self.put_history(batch, record.transaction, &line)?;
        }
        let due = record.life.due(&schedule);
        if record.life != old.life || due != old.due || !effects.is_empty() {
            let guests = &self.stations.guests;
            guests.put_invitation(batch, change.contact, Some(change.read), &record, due, now)?;
        }
        Ok(record.life)
    }

    /// A link that a mail carries.
    pub(super) fn link_to(&self, path: &str, token: &str) -> String {
        format!("{}{path}{token}", self.settings.public_url)
    }
}

impl NewInvitation<'_> {
    fn record(&self, life: Invitation, now: Timestamp) -> InvitationRecord {
        InvitationRecord {
            life,
            address: self.address.clone(),
            role: self.role,
            practice: self.practice.to_owned(),
            sender: self.sender.clone(),
            sender_name: self.sender_name.to_owned(),
            patient: self.patient.cloned(),
            birthdate: self.birthdate.map(str::to_owned),
            grant: self.grant,
            transaction: self.transaction,
            token: self.token.expose().clone(),
            due: None,
            remembered_until: now,
        }
    }
}

fn corrected(birthdate: Option<&str>) -> Result<Option<String>, InvitationError> {
    let checked = |text: &str| crate::time::parse_date(text).map(|_| text.to_owned()).ok_or(InvitationError::NoDate);
    birthdate.map(checked).transpose()
}

/// What history says of a change; that a mail went says the mail itself.
fn happened(event: Event, life: &Invitation) -> Option<Happened> {
    match (event, life.state) {
        (Event::WrongBirthdate, State::Open { .. }) => Some(Happened::BirthdateWrong),
        (Event::Registered, _) => Some(Happened::Registered),
        (Event::Cancel | Event::WrongBirthdate, State::Cancelled(_)) => Some(Happened::InvitationCancelled),
        (Event::Due, State::Expired) => Some(Happened::InvitationExpired),
        _ => None,
    }
}

/// The word that lists and logs have for where an invitation stands.
pub fn state_word(state: State) -> &'static str {
    match state {
        State::Open { opened: false, .. } => "open",
        State::Open { opened: true, .. } => "opened",
        State::Accepted => "accepted",
        State::Cancelled(Why::ByHand) => "cancelled",
        State::Cancelled(Why::Birthdate) => "cancelled, wrong birthdates",
        State::Expired => "expired",
    }
}

/// Logs what an invitation has become, where it is something else than before.
pub(super) fn log_change(before: &InvitationRecord, life: &Invitation) {
    if before.life != *life {
        Logged::InvitationChanged { grant: before.grant, state: state_word(life.state) }.log();
    }
}
