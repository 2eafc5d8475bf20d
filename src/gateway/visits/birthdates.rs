//! Birthdates: on a link, and of another patient at the same address. Counted in four ways before they are compared.

use std::net::IpAddr;

use crate::access::{AccessCheck, Means};
use crate::event::Event;
use crate::gateway::Gateway;
use crate::gateway::history::{Happened, HistoryLine};
use crate::gateway::mails::OwnMail;
use crate::gateway::visits::{Entered, Visit, VisitError, about, limits, not_committed, not_now};
use crate::guests::{Counted, Guest};
use crate::id::GrantId;
use crate::pack::own::Says;
use crate::store::{self, Batch};
use crate::time::{Timestamp, parse_date};
use crate::vault::{Grant, ParcelFacts};

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
        self.uncount_birthdate(id, &grant, from).await?;
        let mut batch = Batch::default();
        let mut proved = visit.proved.clone();
        proved.show(Means::Birthdate, about(&grant));
        if visit.proved.account {
            self.put_known_patient(&mut batch, &grant, now).await?;
        }
        let up = self.put_step_up(&mut batch, (visit, cookie), proved, now).await?;
        Ok(BirthdateAnswer::Right(self.step_up(batch, up, "birthdate", Some(id)).await?))
    }

    /// Counts a try in all four ways: on this link, for this person, from here, at all. What a narrower count refuses no
    /// wider one counts, so that one link cannot use up what is for everybody. How many the link has left.
    async fn count_birthdate(
        &self,
        id: GrantId,
        grant: &Grant,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<u32, VisitError> {
        let ways = [
            (Counted::Birthdate(id), limits::BIRTHDATE),
            (Counted::BirthdateOf(grant.contact), limits::BIRTHDATE_OF),
            (Counted::BirthdateFrom(from), limits::BIRTHDATE_FROM),
            (Counted::BirthdateOverall, limits::BIRTHDATE_OVERALL),
        ];
        let counted = self.stations.guests.count_all(&ways, now).await.map_err(not_committed)?;
        counted.map(|left| left[0]).map_err(VisitError::LockedUntil)
    }

    /// Counts a birthdate that comes from here, whosever it is.
    pub(super) async fn count_birthdate_from(&self, from: IpAddr, now: Timestamp) -> Result<(), VisitError> {
        let ways = [
            (Counted::BirthdateFrom(from), limits::BIRTHDATE_FROM),
            (Counted::BirthdateOverall, limits::BIRTHDATE_OVERALL),
        ];
        let counted = self.stations.guests.count_all(&ways, now).await.map_err(not_committed)?;
        counted.map(drop).map_err(VisitError::LockedUntil)
    }

    /// The right birthdate was no guess.
    async fn uncount_birthdate(&self, id: GrantId, grant: &Grant, from: IpAddr) -> Result<(), VisitError> {
        let guests = &self.stations.guests;
        self.uncount_birthdate_from(from).await?;
        guests.give_back(Counted::BirthdateOf(grant.contact)).await.map_err(not_committed)?;
        guests.forget(Counted::Birthdate(id)).await.map_err(not_committed)
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
        let about = about(grant);
        let Some(guest) = guest.filter(|guest| guest.value.is_enrolled()) else { return Ok(()) };
        if about.patient.is_none() || guest.value.patients.contains(&about) {
            return Ok(());
        }
        let patients = [guest.value.patients.as_slice(), &[about]].concat();
        let known = Guest { patients, ..guest.value.clone() };
        guests.put(batch, grant.contact, Some(&guest), &known, now).map_err(|error| not_now("guests", &error))
    }
}
