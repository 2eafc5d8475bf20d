//! Codes, birthdates and magic links: what else must be shown before documents open.

use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::access::{AccessCheck, Denied, admit};
use crate::event::Event;
use crate::gateway::Gateway;
use crate::gateway::history::{Happened, HistoryLine};
use crate::gateway::mails::OwnMail;
use crate::gateway::visits::account::go_on;
use crate::gateway::visits::{Entered, Visit, VisitError, door, limits, links, not_committed, not_now};
use crate::guests::{Code, Count, Counted, Guest, Ticket};
use crate::id::GrantId;
use crate::pack::own::Says;
use crate::store::{self, Batch};
use crate::time::{Timestamp, parse_date};
use crate::vault::{Grant, ParcelFacts, VaultError};

/// How long a magic link works.
const MAGIC_LIVES: Duration = Duration::from_secs(15 * 60);

/// A code was mailed.
#[derive(Debug, Clone, Copy)]
pub struct CodeSent {
    /// It works until then.
    pub until: Timestamp,
    /// Not asked for again before this moment.
    pub again: Timestamp,
}

/// What a code came to.
#[derive(Debug)]
pub enum CodeAnswer {
    /// Right.
    Right(Entered),
    /// Wrong; so many tries are left.
    Wrong {
        /// Tries left.
        left: u32,
    },
}

/// What a birthdate came to.
#[derive(Debug)]
pub enum BirthdateAnswer {
    /// Right.
    Right(Entered),
    /// Not a date.
    NoDate,
    /// Wrong; so many tries are left.
    Wrong {
        /// Tries left.
        left: u32,
    },
}

impl Gateway {
    /// The visitor's own right, where it lives and this check is the one to be shown.
    async fn asked_for(
        &self,
        visit: &Visit,
        id: GrantId,
        check: AccessCheck,
        now: Timestamp,
    ) -> Result<Grant, VisitError> {
        let grant = self.own_grant(visit, id).await?.value;
        match admit(&door(id, &grant), &visit.proved, now) {
            Err(Denied::Revoked | Denied::Over) => Err(VisitError::NotFound),
            Err(Denied::Show(missing)) if missing == check => Ok(grant),
            // Shown already, or something else comes first: what was asked for is asked for no less.
            _ if grant.access.contains(&check) => Ok(grant),
            _ => Err(VisitError::NotFound),
        }
    }

    async fn known_of(&self, grant: &Grant, now: Timestamp) -> Result<ParcelFacts, VisitError> {
        match self.stations.vault.facts(grant, now).await {
            Ok(known) => Ok(known),
            Err(VaultError::Ended | VaultError::Missing) => Err(VisitError::NotFound),
            Err(error) => Err(not_now("vault", &error)),
        }
    }

    /// Puts a mail to who has the right into the batch, in the name of the practice that sent the message.
    async fn put_mail_to_holder(
        &self,
        batch: &mut Batch,
        grant: &Grant,
        says: Says<'_>,
        now: Timestamp,
    ) -> Result<(), VisitError> {
        let known = self.known_of(grant, now).await?;
        let person = self.stations.directory.person(grant.contact).await;
        let person = person.map_err(|error| not_now("directory", &error))?.ok_or(VisitError::NotFound)?;
        let (transaction, practice) = (grant.transaction, known.practice.as_str());
        self.put_mail(batch, OwnMail { transaction, practice, to: &person.address, reply_to: None, says }, now)
    }

    fn put_mail(&self, batch: &mut Batch, mail: OwnMail<'_>, now: Timestamp) -> Result<(), VisitError> {
        self.put_own_mail(batch, &self.policies(), mail, now).map_err(|error| not_now("mail", &error))
    }

    async fn commit_mail(&self, batch: Batch) -> Result<(), VisitError> {
        self.stations.store.commit(batch).await.map_err(not_committed)?;
        self.stations.queue.wake();
        Ok(())
    }

    /// Mails the code for this right and this opener: asked for again within its life it is the same one.
    ///
    /// # Errors
    /// [`VisitError::NotFound`]; [`VisitError::LockedUntil`], also for the fifteen seconds before it can be asked again.
    pub async fn mail_code(&self, visit: &Visit, grant: GrantId) -> Result<CodeSent, VisitError> {
        let (id, now) = (grant, store::now());
        let grant = self.asked_for(visit, id, AccessCheck::Code, now).await?;
        let guests = &self.stations.guests;
        let closed = guests.locked(Counted::CodeInAll(id), now).await.map_err(|error| not_now("guests", &error))?;
        if closed.is_some() {
            return Err(VisitError::LockedUntil(grant.keep_until));
        }
        // Before the pause, which begins with a request that is carried out.
        let requests = Counted::CodeRequest(id, visit.id);
        if let Some(until) = guests.locked(requests, now).await.map_err(|error| not_now("guests", &error))? {
            return Err(VisitError::LockedUntil(until));
        }
        let pause = Counted::CodePause(id, visit.id);
        go_on(guests.count(pause, limits::CODE_PAUSE, now).await.map_err(not_committed)?)?;
        let again = match guests.count(requests, limits::CODE_REQUESTS, now).await.map_err(not_committed)? {
            Count::Left(0) => now.plus(limits::CODE_REQUESTS.lock),
            Count::Left(_) => now.plus(limits::CODE_PAUSE.lock),
            Count::LockedUntil(until) => return Err(VisitError::LockedUntil(until)),
        };
        let mut batch = Batch::default();
        let code = guests.put_code(&mut batch, id, visit.id, now).await.map_err(|error| not_now("guests", &error))?;
        let says = Says::Code { code: &in_two(&code), until: code.until };
        self.put_mail_to_holder(&mut batch, &grant, says, now).await?;
        self.commit_mail(batch).await?;
        Ok(CodeSent { until: code.until, again })
    }

    /// Compares a code; spaces in it do not count. The try is counted before it is compared.
    ///
    /// # Errors
    /// [`VisitError::NotFound`]; [`VisitError::LockedUntil`].
    pub async fn check_code(
        &self,
        (visit, cookie): (&Visit, &str),
        grant: GrantId,
        code: &str,
    ) -> Result<CodeAnswer, VisitError> {
        let (id, now) = (grant, store::now());
        let grant = self.asked_for(visit, id, AccessCheck::Code, now).await?;
        let guests = &self.stations.guests;
        let tries = Counted::CodeTry(id, visit.id);
        let left = match guests.count(tries, limits::CODE_TRIES, now).await.map_err(not_committed)? {
            Count::Left(left) => left,
            Count::LockedUntil(until) => return Err(VisitError::LockedUntil(until)),
        };
        let in_all = guests.count(Counted::CodeInAll(id), limits::CODES_IN_ALL, now).await.map_err(not_committed)?;
        if let Count::LockedUntil(_) = in_all {
            return Err(VisitError::LockedUntil(grant.keep_until));
        }
        let living = guests.code(id, visit.id, now).await.map_err(|error| not_now("guests", &error))?;
        if !living.is_some_and(|living| is_same(&living, code)) {
            return Ok(CodeAnswer::Wrong { left });
        }
        guests.forget(tries).await.map_err(not_committed)?;
        guests.give_back(Counted::CodeInAll(id)).await.map_err(not_committed)?;
        let mut batch = Batch::default();
        guests.use_code(&mut batch, id, visit.id).await.map_err(|error| not_now("guests", &error))?;
        let mut proved = visit.proved.clone();
        proved.code = true;
        // It was mailed for this right: so far its holder stands for its patient.
        proved.show_patient(grant.patient);
        let up = self.put_step_up(&mut batch, (visit, cookie), proved, now).await?;
        Ok(CodeAnswer::Right(self.step_up(batch, up, "code", Some(id)).await?))
    }

    /// Compares a birthdate; the try is counted before it is compared.
    ///
    /// # Errors
    /// [`VisitError::NotFound`]; [`VisitError::LockedUntil`].
    pub async fn check_birthdate(
        &self,
        (visit, cookie): (&Visit, &str),
        grant: GrantId,
        birthdate: &str,
        from: IpAddr,
    ) -> Result<BirthdateAnswer, VisitError> {
        let (id, now) = (grant, store::now());
        let grant = self.asked_for(visit, id, AccessCheck::Birthdate, now).await?;
        let Some(typed) = parse_date(birthdate.trim()) else { return Ok(BirthdateAnswer::NoDate) };
        let known = self.known_of(&grant, now).await?;
        let left = self.count_birthdate(id, &grant, from, now).await?;
        // One that is known to nobody is nobody's.
        let right = self.stations.vault.is_birthdate(&grant, typed, now).await;
        if right.map_err(|error| not_now("vault", &error))? != Some(true) {
            Event::GuestRefused { what: "birthdate", peer: from }.log();
            self.note_wrong_birthdate((id, &grant), &known, left, from, now).await?;
            return Ok(BirthdateAnswer::Wrong { left });
        }
        self.uncount_birthdate(Some(id), &grant, from).await?;
        let mut batch = Batch::default();
        let mut proved = visit.proved.clone();
        proved.show_patient(grant.patient);
        if visit.proved.account {
            self.put_known_patient(&mut batch, &grant, now).await?;
        }
        let up = self.put_step_up(&mut batch, (visit, cookie), proved, now).await?;
        Ok(BirthdateAnswer::Right(self.step_up(batch, up, "birthdate", Some(id)).await?))
    }

    /// Counts a try in all four ways: from here, at all, for this person, on this link. How many the link has left.
    async fn count_birthdate(
        &self,
        id: GrantId,
        grant: &Grant,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<u32, VisitError> {
        let guests = &self.stations.guests;
        self.count_birthdate_from(from, now).await?;
        let of = Counted::BirthdateOf(grant.contact);
        go_on(guests.count(of, limits::BIRTHDATE_OF, now).await.map_err(not_committed)?)?;
        match guests.count(Counted::Birthdate(id), limits::BIRTHDATE, now).await.map_err(not_committed)? {
            Count::Left(left) => Ok(left),
            Count::LockedUntil(until) => Err(VisitError::LockedUntil(until)),
        }
    }

    /// Counts a birthdate that comes from here, whosever it is.
    pub(super) async fn count_birthdate_from(&self, from: IpAddr, now: Timestamp) -> Result<(), VisitError> {
        let guests = &self.stations.guests;
        let here = guests.count(Counted::BirthdateFrom(from), limits::BIRTHDATE_FROM, now).await;
        go_on(here.map_err(not_committed)?)?;
        let overall = guests.count(Counted::BirthdateOverall, limits::BIRTHDATE_OVERALL, now).await;
        go_on(overall.map_err(not_committed)?)
    }

    /// The right birthdate was no guess.
    async fn uncount_birthdate(&self, id: Option<GrantId>, grant: &Grant, from: IpAddr) -> Result<(), VisitError> {
        let guests = &self.stations.guests;
        self.uncount_birthdate_from(from).await?;
        guests.give_back(Counted::BirthdateOf(grant.contact)).await.map_err(not_committed)?;
        match id {
            Some(id) => guests.forget(Counted::Birthdate(id)).await.map_err(not_committed),
            None => Ok(()),
        }
    }

    pub(super) async fn uncount_birthdate_from(&self, from: IpAddr) -> Result<(), VisitError> {
        let guests = &self.stations.guests;
        guests.give_back(Counted::BirthdateFrom(from)).await.map_err(not_committed)?;
        guests.give_back(Counted::BirthdateOverall).await.map_err(not_committed)
    }

    /// Writes a wrong birthdate down; after the second one the sender is told.
    async fn note_wrong_birthdate(
        &self,
        (id, grant): (GrantId, &Grant),
        known: &ParcelFacts,
        left: u32,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<(), VisitError> {
        let mut batch = Batch::default();
        let line = HistoryLine { grant: id, what: Happened::BirthdateWrong, at: now, from: Some(from) };
        self.put_history(&mut batch, grant.transaction, &line).map_err(|error| not_now("history", &error))?;
        if left == limits::BIRTHDATE.most - 2 {
            let person = self.stations.directory.person(grant.contact).await;
            if let Some(person) = person.map_err(|error| not_now("directory", &error))? {
                let says = Says::BirthdateWrong { guest: &person.address, sent: known.sent };
                let (transaction, practice) = (grant.transaction, known.practice.as_str());
                let reply_to = Some(&self.status_address(transaction));
                let mail = OwnMail { transaction, practice, to: &known.sender, reply_to, says };
                self.put_mail(&mut batch, mail, now)?;
            }
        }
        self.commit_mail(batch).await
    }

    /// Who is signed in is not asked for this patient's birthdate again.
    async fn put_known_patient(&self, batch: &mut Batch, grant: &Grant, now: Timestamp) -> Result<(), VisitError> {
        let guests = &self.stations.guests;
        let guest = guests.find(grant.contact).await.map_err(|error| not_now("guests", &error))?;
        let (Some(guest), Some(patient)) = (guest.filter(|guest| guest.value.is_enrolled()), grant.patient) else {
            return Ok(());
        };
        if guest.value.patients.contains(&patient) {
            return Ok(());
        }
        let patients = [guest.value.patients.as_slice(), &[patient]].concat();
        let known = Guest { patients, ..guest.value.clone() };
        guests.put(batch, grant.contact, Some(&guest), &known, now).map_err(|error| not_now("guests", &error))
    }

    /// Mails a single-use link that lives fifteen minutes.
    ///
    /// # Errors
    /// [`VisitError::NotFound`]; [`VisitError::LockedUntil`].
    pub async fn mail_magic(&self, visit: &Visit, grant: GrantId) -> Result<(), VisitError> {
        let (id, now) = (grant, store::now());
        let grant = self.asked_for(visit, id, AccessCheck::Magic, now).await?;
        self.count_mail(grant.contact, now).await?;
        let mut batch = Batch::default();
        let ticket = Ticket::Magic { contact: grant.contact, grant: id };
        let token = self.stations.guests.put_ticket(&mut batch, &ticket, MAGIC_LIVES, now);
        let link = self.link_to(links::MAGIC, token.expose());
        let says = Says::Link { link: &link, until: now.plus(MAGIC_LIVES), once: true };
        self.put_mail_to_holder(&mut batch, &grant, says, now).await?;
        self.commit_mail(batch).await
    }

    /// A person pressed the button on a magic link's page; it is used up. `None` for used, expired and unknown ones.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`].
    pub async fn use_magic(&self, token: &str) -> Result<Option<Entered>, VisitError> {
        let now = store::now();
        let guests = &self.stations.guests;
        let found = guests.ticket(token, now).await.map_err(|error| not_now("tickets", &error))?;
        let Some((ticket, contact, id)) = found.and_then(|found| match found.ticket {
            Ticket::Magic { contact, grant } => Some((found, contact, grant)),
            Ticket::Password { .. } | Ticket::OldLink { .. } => None,
        }) else {
            return Ok(None);
        };
        let grant = self.stations.vault.grant(id).await.map_err(|error| not_now("grants", &error))?;
        let mut batch = Batch::default();
        guests.use_ticket(&mut batch, &ticket);
        let mut visit = Visit::begin(contact, Some(id), now);
        visit.proved.magic = true;
        visit.proved.show_patient(grant.and_then(|grant| grant.value.patient));
        let put = guests.put_visit(&mut batch, &visit, None).await;
        let cookie = put.map_err(|error| not_now("visits", &error))?;
        match self.step_up(batch, (visit, cookie), "magic link", Some(id)).await {
            // Another press was first.
            Err(VisitError::Busy) => Ok(None),
            entered => entered.map(Some),
        }
    }
}

/// Six digits as people read them: `123 456`.
fn in_two(code: &Code) -> String {
    let (first, last) = code.digits.expose().split_at(3);
    format!("{first} {last}")
}

/// In constant time; spaces in what was typed do not count.
fn is_same(code: &Code, typed: &str) -> bool {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).take(32).collect();
    verify_slices_are_equal(code.digits.expose().as_bytes(), typed.as_bytes()).is_ok()
}
