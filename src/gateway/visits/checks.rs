//! Codes and magic links: what must be shown before documents open, where no account is asked for.

use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::access::{AccessCheck, Denied, Means, admit};
use crate::gateway::Gateway;
use crate::gateway::mails::OwnMail;
use crate::gateway::visits::{Entered, Visit, VisitError, about, door, limits, links, not_committed, not_now};
use crate::guests::{Code, Count, Counted, LivingTicket, Ticket};
use crate::id::{ContactId, GrantId};
use crate::pack::own::Says;
use crate::random;
use crate::store::{self, Batch};
use crate::time::Timestamp;
use crate::vault::{Grant, ParcelFacts, VaultError};

/// How often a step up is tried when other changes come first.
const TRIES: usize = 8;
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

impl Gateway {
    /// The visitor's own right, where it lives and this check is the one to be shown.
    pub(super) async fn asked_for(
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

    pub(super) async fn known_of(&self, grant: &Grant, now: Timestamp) -> Result<ParcelFacts, VisitError> {
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

    pub(super) fn put_mail(&self, batch: &mut Batch, mail: OwnMail<'_>, now: Timestamp) -> Result<(), VisitError> {
        self.put_own_mail(batch, &self.policies(), mail, now).map_err(|error| not_now("mail", &error))
    }

    pub(super) async fn commit_mail(&self, batch: Batch) -> Result<(), VisitError> {
        self.stations.store.commit(batch).await.map_err(not_committed)?;
        self.stations.queue.wake();
        Ok(())
    }

    /// Mails the code for this right and this opener: asked for again within its life it is the same one. Counted for the
    /// opener, the right, the contact, and the address of origin: nobody's mailbox is filled by a link.
    ///
    /// # Errors
    /// [`VisitError::NotFound`]; [`VisitError::CodesClosed`]; [`VisitError::LockedUntil`]. Within fifteen seconds of a code
    /// that is on its way no other is mailed, and that is no error: somebody pressed twice.
    pub async fn mail_code(&self, visit: &Visit, grant: GrantId, from: IpAddr) -> Result<CodeSent, VisitError> {
        let (id, now) = (grant, store::now());
        let grant = self.asked_for(visit, id, AccessCheck::Code, now).await?;
        if self.codes_closed(id, visit.link_to(id), now).await? {
            return Err(VisitError::CodesClosed);
        }
        if let Some(sent) = self.just_mailed(visit, id, now).await? {
            return Ok(sent);
        }
        let again = self.count_code((visit, id, grant.contact), from, now).await?;
        let guests = &self.stations.guests;
        let mut batch = Batch::default();
        let code = guests.put_code(&mut batch, id, visit.id, now).await.map_err(|error| not_now("guests", &error))?;
        let says = Says::Code { code: &in_two(&code), until: code.until };
        self.put_mail_to_holder(&mut batch, &grant, says, now).await?;
        self.commit_mail(batch).await?;
        Ok(CodeSent { until: code.until, again })
    }

    /// Whether so many wrong codes came by this link of a right, or by none of it, that only a fresh link helps.
    pub(super) async fn codes_closed(
        &self,
        id: GrantId,
        link: Option<[u8; 16]>,
        now: Timestamp,
    ) -> Result<bool, VisitError> {
        let closed = self.stations.guests.locked(Counted::CodeInAll(id, link), now).await;
        closed.map(|until| until.is_some()).map_err(|error| not_now("guests", &error))
    }

    /// The code that was mailed a moment ago, where this opener has more to ask for.
    async fn just_mailed(&self, visit: &Visit, id: GrantId, now: Timestamp) -> Result<Option<CodeSent>, VisitError> {
        let guests = &self.stations.guests;
        let locked = async |counted| guests.locked(counted, now).await.map_err(|error| not_now("guests", &error));
        if locked(Counted::CodeRequest(id, visit.id)).await?.is_some() {
            return Ok(None);
        }
        let Some(again) = locked(Counted::CodePause(id, visit.id)).await? else { return Ok(None) };
        let code = guests.code(id, visit.id, now).await.map_err(|error| not_now("guests", &error))?;
        Ok(code.map(|code| CodeSent { until: code.until, again }))
    }

    /// Counts a code that is asked for. When the next may be.
    async fn count_code(
        &self,
        (visit, id, contact): (&Visit, GrantId, ContactId),
        from: IpAddr,
        now: Timestamp,
    ) -> Result<Timestamp, VisitError> {
        // The pause after the requests: who has none left is told so, and not to come back in a moment.
        let ways = [
            (Counted::CodeRequest(id, visit.id), limits::CODE_REQUESTS),
            (Counted::CodePause(id, visit.id), limits::CODE_PAUSE),
            (Counted::CodesFor(id), limits::CODES_FOR),
            (Counted::CodesTo(contact), limits::CODES_TO),
            (Counted::CodesFrom(from), limits::CODES_FROM),
        ];
        let counted = self.stations.guests.count_all(&ways, now).await.map_err(not_committed)?;
        let left = counted.map_err(VisitError::LockedUntil)?;
        let used_up = ways.iter().zip(left).filter(|(_, left)| *left == 0);
        Ok(used_up.map(|((_, limit), _)| now.plus(limit.lock)).max().unwrap_or(now))
    }

    /// Compares a code; spaces in it do not count. The try is counted before it is compared.
    ///
    /// # Errors
    /// [`VisitError::NotFound`]; [`VisitError::LockedUntil`]; [`VisitError::CodesClosed`].
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
        let in_all = Counted::CodeInAll(id, visit.link_to(id));
        let count = guests.count(in_all, limits::CODES_IN_ALL, now).await.map_err(not_committed)?;
        if let Count::LockedUntil(_) = count {
            return Err(VisitError::CodesClosed);
        }
        let living = guests.code(id, visit.id, now).await.map_err(|error| not_now("guests", &error))?;
        if !living.is_some_and(|living| is_same(&living, code)) {
            return Ok(CodeAnswer::Wrong { left });
        }
        guests.forget(tries).await.map_err(not_committed)?;
        guests.give_back(in_all).await.map_err(not_committed)?;
        let mut batch = Batch::default();
        guests.use_code(&mut batch, id, visit.id).await.map_err(|error| not_now("guests", &error))?;
        let mut proved = visit.proved.clone();
        proved.show(Means::Code, about(&grant));
        let up = self.put_step_up(&mut batch, (visit, cookie), proved, now).await?;
        Ok(CodeAnswer::Right(self.step_up(batch, up, "code", Some(id)).await?))
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

    /// A person pressed the button on a magic link's page; it is used up. The browser's visit before goes on as the new one
    /// if it is the same contact's, and ends in any case. `None` for used, expired and unknown ones.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`].
    pub async fn use_magic(&self, token: &str, cookie: Option<&str>) -> Result<Option<Entered>, VisitError> {
        let now = store::now();
        for _ in 0..TRIES {
            let found = self.stations.guests.ticket(token, now).await.map_err(|error| not_now("tickets", &error))?;
            let Some((ticket, contact, id)) = found.and_then(|found| match found.ticket {
                Ticket::Magic { contact, grant } => Some((found, contact, grant)),
                Ticket::Password { .. } | Ticket::OldLink { .. } => None,
            }) else {
                return Ok(None);
            };
            match self.enter_by(&ticket, (contact, id), cookie, now).await {
                // Another press was first, or the visit before was noted as used meanwhile.
                Err(VisitError::Busy) => {}
                entered => return entered.map(Some),
            }
        }
        Err(VisitError::Busy)
    }

    async fn enter_by(
        &self,
        ticket: &LivingTicket,
        (contact, id): (ContactId, GrantId),
        cookie: Option<&str>,
        now: Timestamp,
    ) -> Result<Entered, VisitError> {
        let guests = &self.stations.guests;
        let grant = self.stations.vault.grant(id).await.map_err(|error| not_now("grants", &error))?;
        let before = self.visit_before(cookie).await?;
        let cookie = cookie.filter(|_| before.is_some());
        let mut visit = match before.filter(|before| before.contact == contact) {
            Some(before) => Visit { seen: now, form_secret: random::octets(), ..before },
            None => Visit::begin(contact, Some(id), now),
        };
        if let Some(grant) = grant {
            visit.proved.show(Means::Magic, about(&grant.value));
        }
        let mut batch = Batch::default();
        guests.use_ticket(&mut batch, ticket);
        let put = guests.put_visit(&mut batch, &visit, cookie).await;
        let cookie = put.map_err(|error| not_now("visits", &error))?;
        self.step_up(batch, (visit, cookie), "magic link", Some(id)).await
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
