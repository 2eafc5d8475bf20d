//! Invitations carried out: issued with a message, stepped by events, their effects as mails; each in one commit.

use std::net::IpAddr;
use std::time::Duration;

use crate::event::Event as Logged;
use crate::gateway::history::{Happened, HistoryLine};
use crate::gateway::mails::{MailError, OwnMail};
use crate::gateway::visits::links;
use crate::gateway::{Gateway, Snapshot};
use crate::guests::InvitationRecord;
use crate::id::{ContactId, GrantId, TransactionId};
use crate::invitation::{Effect, Event, Invitation, NotPossible, Schedule, State, Why};
use crate::mail::Address;
use crate::mime::assess::PatientRef;
use crate::pack::own::Says;
use crate::policy::Role;
use crate::secret::Secret;
use crate::store::{Batch, CommitError, Record, StoreError};
use crate::time::Timestamp;
use crate::vault::VaultError;

/// How often a change is tried when other changes come first.
const TRIES: usize = 16;
/// What a link lives at least that a reminder carries.
const SHORTEST_LINK: Duration = Duration::from_secs(86_400);
/// Rights that are looked through for one whose link still leads somewhere.
const LOOKED_THROUGH: usize = 20;

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

/// The life of invitations as this role, by its file.
pub(super) fn schedule(snapshot: &Snapshot, role: Option<Role>) -> Schedule {
    let file = role.and_then(|role| snapshot.policy.role(role));
    file.map_or_else(Schedule::default, |file| file.schedule.clone())
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
    /// expired one is issued again; a cancelled one stays cancelled until it is sent again by the sender's word.
    ///
    /// # Errors
    /// Where the store cannot be read, or it cannot be sealed.
    pub(super) async fn put_invitation(
        &self,
        batch: &mut Batch,
        new: &NewInvitation<'_>,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let guests = &self.stations.guests;
        let read = guests.invitation(new.contact).await?;
        let schedule = schedule(snapshot, new.role);
        let old = read.as_ref().map(|read| read.value.life);
        let life = match old.map(|old| old.step(Event::Written, now, &schedule)) {
            Some(Ok((life, _))) if Some(life) == old => return Ok(()),
            Some(Err(NotPossible::Ended)) => return Ok(()),
            Some(Ok((life, _))) => life,
            // Who had accepted has closed the account since, or was forgotten.
            None | Some(Err(NotPossible::Accepted)) => Invitation::issue(now),
        };
        let due = life.due(&schedule);
        guests.put_invitation(batch, new.contact, read.as_ref(), &new.record(life, now), due, now)?;
        let held = self.stations.vault.hold(batch, new.contact, schedule.longest(), now).await;
        held.map_err(|error| StoreError::Unsound(error.to_string()))?;
        let line = HistoryLine { grant: new.grant, what: Happened::Invited, at: now, from: None };
        self.put_history(batch, new.transaction, &line)
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
                Ok(()) if event == Event::Resend => return self.hold_again(contact, read.value.role, now).await,
                Ok(()) => return Ok(()),
            }
        }
        Err(CommitError::Conflict.into())
    }

    /// What lives of the documents waits again for who is invited again. In a commit of its own: the invitation's may give
    /// one of their rights a fresh link.
    async fn hold_again(&self, contact: ContactId, role: Option<Role>, now: Timestamp) -> Result<(), InvitationError> {
        let longest = schedule(&self.stations.policies.snapshot(), role).longest();
        for _ in 0..TRIES {
            let mut batch = Batch::default();
            if self.stations.vault.hold(&mut batch, contact, longest, now).await? == 0 {
                return Ok(());
            }
            match self.stations.store.commit(batch).await {
                Err(CommitError::Conflict) => {}
                held => return Ok(held.map(drop)?),
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
        log_change(change, &life);
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
        let schedule = schedule(snapshot, old.role);
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

    async fn put_effect(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        (change, record): (&Change<'_>, &mut InvitationRecord),
        effect: Effect,
        now: Timestamp,
    ) -> Result<(), InvitationError> {
        match effect {
            Effect::MailInvitation => self.put_mail_to_guest(batch, snapshot, (change, record), None, now).await,
            Effect::MailReminder(number) => {
                self.put_mail_to_guest(batch, snapshot, (change, record), Some(number), now).await
            }
            Effect::TellGuestCancelled => {
                let why = if change.event == Event::WrongBirthdate { Why::Birthdate } else { Why::ByHand };
                let says = Says::InvitationCancelled { sender_name: &record.sender_name, why };
                self.put_mail_about(batch, snapshot, record, (&record.address, None), says, now)
            }
            Effect::TellSenderCancelled => self.tell_sender(batch, snapshot, record, Some(Why::Birthdate), now),
            Effect::TellSenderExpired => self.tell_sender(batch, snapshot, record, None, now),
            Effect::StartClocks => {
                self.stations.vault.start_clocks(batch, change.contact, now).await?;
                Ok(())
            }
        }
    }

    fn tell_sender(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        record: &InvitationRecord,
        why: Option<Why>,
        now: Timestamp,
    ) -> Result<(), InvitationError> {
        let says = Says::InvitationEnded { guest: &record.address, why, issued: record.life.issued };
        let reply_to = self.status_address(record.transaction);
        self.put_mail_about(batch, snapshot, record, (&record.sender, Some(&reply_to)), says, now)
    }

    fn put_mail_about(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        record: &InvitationRecord,
        (to, reply_to): (&Address, Option<&Address>),
        says: Says<'_>,
        now: Timestamp,
    ) -> Result<(), InvitationError> {
        let InvitationRecord { transaction, practice, .. } = record;
        let mail = OwnMail { transaction: *transaction, practice, to, reply_to, says };
        Ok(self.put_own_mail(batch, snapshot, mail, now)?)
    }

    /// The mail that invites again or reminds.
    async fn put_mail_to_guest(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        (change, record): (&Change<'_>, &mut InvitationRecord),
        reminder: Option<u8>,
        now: Timestamp,
    ) -> Result<(), InvitationError> {
        let schedule = schedule(snapshot, record.role);
        let until = record.life.until(&schedule);
        if !self.put_link(batch, change.contact, record, until, now).await? {
            // What a sender asks for is answered; a reminder of nothing is not sent.
            return if change.event == Event::Due { Ok(()) } else { Err(InvitationError::NothingLeft) };
        }
        let says = Says::Invitation {
            role: record.role,
            sender_name: &record.sender_name,
            link: &self.link_to(links::ENTER, &record.token),
            until,
            reminder,
            last: reminder.is_some_and(|number| usize::from(number) == schedule.reminders.len()),
        };
        let what = if reminder.is_some() { Happened::Reminded } else { Happened::Invited };
        let line = HistoryLine { grant: record.grant, what, at: now, from: None };
        self.put_history(batch, record.transaction, &line)?;
        self.put_mail_about(batch, snapshot, record, (&record.address, None), says, now)
    }

    /// The link it came with while that works, so that every mail's link leads somewhere; else a fresh one, to the same right
    /// or to another that lives. False where none does.
    async fn put_link(
        &self,
        batch: &mut Batch,
        contact: ContactId,
        record: &mut InvitationRecord,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, InvitationError> {
        let vault = &self.stations.vault;
        let lives = until.since(now).max(SHORTEST_LINK);
        if let Some((id, grant)) = vault.grant_by_token(&record.token).await? {
            let works = grant.value.revoked.is_none() && grant.value.link_until >= now.plus(SHORTEST_LINK);
            if id == record.grant && works {
                return Ok(true);
            }
        }
        let mut rights = vec![(record.grant, record.transaction)];
        let others = vault.grants_of_contact(contact, now, LOOKED_THROUGH).await?;
        rights.extend(others.into_iter().map(|(id, grant)| (id, grant.transaction)));
        for (grant, transaction) in rights {
            match self.put_fresh_token(batch, grant, lives, now).await {
                Ok(token) => {
                    (record.grant, record.transaction) = (grant, transaction);
                    record.token = token.expose().clone();
                    return Ok(true);
                }
                Err(VaultError::Ended | VaultError::Missing) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
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

fn log_change(change: &Change<'_>, life: &Invitation) {
    if change.read.value.life != *life {
        Logged::InvitationChanged { grant: change.read.value.grant, state: state_word(life.state) }.log();
    }
}
