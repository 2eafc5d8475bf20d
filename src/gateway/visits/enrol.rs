//! Registering: the form of the role, the birthdate, the mail that sets the password.

use std::net::IpAddr;

use crate::access::About;
use crate::event::Event as Logged;
use crate::gateway::invitations::{Change, InvitationError};
use crate::gateway::mails::OwnMail;
use crate::gateway::visits::form::{self, Form, Questions};
use crate::gateway::visits::{Visit, VisitError, about, not_committed, not_now};
use crate::gateway::{Gateway, Snapshot};
use crate::guests::{Count, Counted, Guest, InvitationRecord, Limit};
use crate::id::ContactId;
use crate::invitation::{Event, Schedule, State};
use crate::mail::Address;
use crate::pack::own::Says;
use crate::policy::{FieldKind, FormField, Role};
use crate::store::{self, Batch, CommitError, Record};
use crate::time::{Timestamp, parse_date};
use crate::vault::VaultError;

/// How often a change is tried when other changes come first.
const TRIES: usize = 16;

/// The form a guest is shown.
#[derive(Debug)]
pub struct RegistrationView {
    /// The practice that invites.
    pub practice: String,
    /// Who invited.
    pub sender_name: String,
    /// As what; its file in the policy has the fields. None: the plain form (name and phone).
    pub role: Option<Role>,
    /// Whom the account is for; it cannot be changed in the form.
    pub address: Address,
    /// Whether the birthdate is asked for.
    pub asks_birthdate: bool,
    /// Wrong birthdates left before the invitation is cancelled.
    pub tries_left: u8,
}

/// The form as sent: field name → what was typed; `birthdate` as `YYYY-MM-DD` where it was asked for.
pub type FormAnswers = Vec<(String, String)>;

/// What is wrong with one field. The text's id is `fault-` and this word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormFault {
    /// The field.
    pub field: String,
    /// `missing`, `too-long`, `not-a-phone`, `not-a-mobile`, `not-a-date`, `not-a-website`, `not-offered`, `not-confirmed`.
    pub word: &'static str,
}

/// What a form came to.
#[derive(Debug)]
pub enum Registered {
    /// The mail that sets the password is on its way.
    PasswordMailed,
    /// An admin must agree first; the person gets a mail then.
    WaitsForAdmin,
    /// Faults, beside their fields. Nothing was stored, and the birthdate was not compared.
    Faults(Vec<FormFault>),
    /// The birthdate is not the one the practice gave; so many tries are left.
    WrongBirthdate {
        /// Tries left.
        left: u8,
    },
    /// That was the last try: cancelled; both sides are told.
    Cancelled,
}

/// What is read of a visitor who may register.
struct Registering {
    contact: ContactId,
    invitation: Record<InvitationRecord>,
    /// What a closed account has left.
    closed: Option<Record<Guest>>,
}

impl Registering {
    fn tries_left(&self, schedule: &Schedule) -> u8 {
        match self.invitation.value.life.state {
            State::Open { wrong, .. } => schedule.tries.saturating_sub(wrong),
            _ => 0,
        }
    }
}

/// Whether this form asks for the birthdate: where it is known, unless the role's file says that it does not matter.
fn asks_birthdate(snapshot: &Snapshot, invitation: &InvitationRecord) -> bool {
    let file = invitation.role.and_then(|role| snapshot.policy.role(role));
    invitation.birthdate.is_some() && file.is_none_or(|file| file.birthdate)
}

/// The fields of a role's form; where nobody said who the person is, name and phone.
fn fields(snapshot: &Snapshot, role: Option<Role>) -> Vec<FormField> {
    let field = |name: &str, kind, required| FormField { name: name.to_owned(), kind, required };
    match role.and_then(|role| snapshot.policy.role(role)) {
        Some(file) => file.fields.clone(),
        None => vec![
            field("email", FieldKind::Email, true),
            field("name", FieldKind::Text, true),
            field("phone", FieldKind::Phone, false),
        ],
    }
}

impl Gateway {
    /// The form for this visit, where its contact has an open invitation.
    ///
    /// # Errors
    /// [`VisitError::NotFound`] where there is nothing to register for.
    pub async fn registration(&self, visit: &Visit) -> Result<RegistrationView, VisitError> {
        let snapshot = self.policies();
        let registering = self.registering(visit.contact).await?;
        let invitation = &registering.invitation.value;
        Ok(RegistrationView {
            practice: invitation.practice.clone(),
            sender_name: invitation.sender_name.clone(),
            role: invitation.role,
            address: invitation.address.clone(),
            asks_birthdate: asks_birthdate(&snapshot, invitation),
            tries_left: registering.tries_left(&snapshot.policy.schedule(invitation.role)),
        })
    }

    async fn registering(&self, contact: ContactId) -> Result<Registering, VisitError> {
        let guests = &self.stations.guests;
        let invitation = guests.invitation(contact).await.map_err(|error| not_now("invitations", &error))?;
        let invitation = invitation.filter(|invitation| invitation.value.life.is_open()).ok_or(VisitError::NotFound)?;
        let guest = guests.find(contact).await.map_err(|error| not_now("guests", &error))?;
        match guest {
            Some(guest) if !guest.value.closed => Err(VisitError::NotFound),
            closed => Ok(Registering { contact, invitation, closed }),
        }
    }

    /// Takes the form. Fields are checked by the role's file, then the birthdate is compared and counted.
    ///
    /// # Errors
    /// [`VisitError::NotFound`]; [`VisitError::LockedUntil`] where this address of origin has guessed too often.
    pub async fn register(&self, visit: &Visit, answers: FormAnswers, from: IpAddr) -> Result<Registered, VisitError> {
        let now = store::now();
        let snapshot = self.policies();
        let registering = self.registering(visit.contact).await?;
        let invitation = &registering.invitation.value;
        let questions = Questions {
            fields: &fields(&snapshot, invitation.role),
            specialties: snapshot.policy.specialties(),
            birthdate: asks_birthdate(&snapshot, invitation),
        };
        let form = match form::read(&questions, &answers) {
            Ok(form) => form,
            Err(faults) => return Ok(Registered::Faults(faults)),
        };
        if form.birthdate.is_none() {
            return self.enter_form(registering, &form, &snapshot, now).await;
        }
        self.compare_and_enter(registering, &form, (&snapshot, from), now).await
    }

    /// Counts the try, then compares: of two hundred at once no more are compared than the invitation has tries.
    async fn compare_and_enter(
        &self,
        registering: Registering,
        form: &Form,
        (snapshot, from): (&Snapshot, IpAddr),
        now: Timestamp,
    ) -> Result<Registered, VisitError> {
        let invitation = &registering.invitation.value;
        let schedule = snapshot.policy.schedule(invitation.role);
        let tries = Counted::Registration(registering.contact, invitation.life.issued);
        let whole = schedule.longest();
        let limit = Limit { most: u32::from(schedule.tries), within: whole, lock: whole };
        let guests = &self.stations.guests;
        let count = guests.count(tries, limit, now).await.map_err(not_committed)?;
        // After its own tries, so that one invitation cannot use up what is for everybody.
        if matches!(count, Count::Left(_))
            && let Err(locked) = self.count_birthdate_from(from, now).await
        {
            guests.give_back(tries).await.map_err(not_committed)?;
            return Err(locked);
        }
        let is_right = invitation.birthdate.as_deref().and_then(parse_date) == form.birthdate;
        if is_right && matches!(count, Count::Left(_)) {
            self.uncount_birthdate_from(from).await?;
            guests.forget(tries).await.map_err(not_committed)?;
            return self.enter_form(registering, form, snapshot, now).await;
        }
        Logged::GuestRefused { what: "birthdate", peer: from }.log();
        self.take_wrong_birthdate(registering.contact, invitation.life.issued, (&schedule, from), now).await
    }

    async fn take_wrong_birthdate(
        &self,
        contact: ContactId,
        issued: Timestamp,
        (schedule, from): (&Schedule, IpAddr),
        now: Timestamp,
    ) -> Result<Registered, VisitError> {
        for _ in 0..TRIES {
            let guests = &self.stations.guests;
            let read = guests.invitation(contact).await.map_err(|error| not_now("invitations", &error))?;
            let read = read.filter(|read| read.value.life.issued == issued).ok_or(VisitError::NotFound)?;
            let State::Open { wrong, .. } = read.value.life.state else { return Ok(Registered::Cancelled) };
            let event = Event::WrongBirthdate;
            let change = Change { contact, read: &read, event, birthdate: None, from: Some(from) };
            match self.commit_change(&change, now).await {
                Ok(()) => {
                    let left = schedule.tries.saturating_sub(wrong.saturating_add(1));
                    return Ok(if left == 0 { Registered::Cancelled } else { Registered::WrongBirthdate { left } });
                }
                Err(InvitationError::Commit(CommitError::Conflict)) => {}
                Err(error) => return Err(not_changed(error)),
            }
        }
        Err(VisitError::Busy)
    }

    /// Writes a form that is right down, and sends the mail that sets the password; or asks an admin first.
    async fn enter_form(
        &self,
        registering: Registering,
        form: &Form,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Result<Registered, VisitError> {
        let Registering { contact, invitation, closed } = registering;
        let guest = self.new_guest(&invitation.value, form, snapshot, now).await?;
        let guests = &self.stations.guests;
        let mut batch = Batch::default();
        guests.require_invitation(&mut batch, contact, &invitation);
        guests.put(&mut batch, contact, closed.as_ref(), &guest, now).map_err(|error| not_now("guests", &error))?;
        if guest.waits_for_admin {
            self.put_question_to_admin(&mut batch, snapshot, &invitation.value, &guest, now).await?;
        } else {
            self.put_password_mail(&mut batch, snapshot, (contact, &guest), true, now)?;
        }
        self.stations.store.commit(batch).await.map_err(not_committed)?;
        self.stations.queue.wake();
        Ok(if guest.waits_for_admin { Registered::WaitsForAdmin } else { Registered::PasswordMailed })
    }

    async fn new_guest(
        &self,
        invitation: &InvitationRecord,
        form: &Form,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Result<Guest, VisitError> {
        let domain = invitation.address.domain();
        let of_practice = snapshot.policy.practice_of(domain).is_some_and(|own| own.id == invitation.practice);
        Ok(Guest {
            role: invitation.role,
            practice: invitation.practice.clone(),
            name: form.name.clone(),
            address: invitation.address.clone(),
            answers: form.answers.clone(),
            password: None,
            password_since: None,
            patients: self.patients_of(invitation, form, now).await?,
            registered: now,
            enrolled: None,
            waits_for_admin: invitation.role == Some(Role::Staff) && !of_practice,
            closed: false,
            remembered_until: now,
        })
    }

    /// Whom the new account stands for: the patient of the invitation, and of the right it came with where that has the
    /// birthdate that was entered, also a patient whom nobody named.
    async fn patients_of(
        &self,
        invitation: &InvitationRecord,
        form: &Form,
        now: Timestamp,
    ) -> Result<Vec<About>, VisitError> {
        let vault = &self.stations.vault;
        let named = invitation.patient.as_ref().map(|patient| vault.patient_mark(patient));
        let named = named.map(|mark| About { practice: invitation.practice.clone(), patient: Some(mark) });
        let mut patients: Vec<About> = named.into_iter().collect();
        let (Some(entered), Some(right)) = (form.birthdate, vault.grant(invitation.grant).await.map_err(unread)?)
        else {
            return Ok(patients);
        };
        let same = match vault.is_birthdate(&right.value, entered, now).await {
            Err(VaultError::Ended | VaultError::Missing) => None,
            other => other.map_err(unread)?,
        };
        let about = about(&right.value);
        if same == Some(true) && about.patient.is_some() && !patients.contains(&about) {
            patients.push(about);
        }
        Ok(patients)
    }

    /// To who invited, and to the admin.
    async fn put_question_to_admin(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        invitation: &InvitationRecord,
        guest: &Guest,
        now: Timestamp,
    ) -> Result<(), VisitError> {
        let admin = self.settings.postmaster.iter().filter(|admin| !admin.same_as(&invitation.sender));
        let practice = invitation.practice.as_str();
        let told: Vec<_> = admin.chain([&invitation.sender]).collect();
        let turns = self.take_turns_of(batch, snapshot, practice, &told).await;
        turns.map_err(|error| not_now("mailbox", &error))?;
        for to in told {
            let transaction = invitation.transaction;
            let says = Says::WaitsForAdmin { guest: &guest.address, name: &guest.name };
            let mail = OwnMail { transaction, practice, to, reply_to: None, says };
            let put = self.put_staff_mail(batch, snapshot, mail, now).await;
            put.map_err(|error| not_now("mail", &error))?;
        }
        Ok(())
    }
}

fn unread(error: VaultError) -> VisitError {
    not_now("vault", &error)
}

/// What a visitor learns of an invitation that was not changed.
pub(super) fn not_changed(error: InvitationError) -> VisitError {
    match error {
        InvitationError::Missing | InvitationError::NotPossible(_) => VisitError::NotFound,
        InvitationError::Commit(error) => not_committed(error),
        error => not_now("invitation", &error),
    }
}
