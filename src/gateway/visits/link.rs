//! The link page: what anybody with the link sees, and what a press on it does. Looking changes nothing.

use std::net::IpAddr;
use std::time::Duration;

use crate::access::{AccessCheck, Means, Proved};
use crate::event::Event;
use crate::gateway::Gateway;
use crate::gateway::history::{Happened, HistoryLine};
use crate::gateway::mails::OwnMail;
use crate::gateway::visits::{Entered, Visit, VisitError, about, limits, links, not_committed, not_now};
use crate::guests::{Count, Counted};
use crate::id::{ContactId, GrantId};
use crate::invitation;
use crate::pack::own::Says;
use crate::policy::Role;
use crate::random;
use crate::secret::Secret;
use crate::store::{self, Batch, Record};
use crate::time::Timestamp;
use crate::vault::{Grant, ParcelFacts, VaultError};

/// How long a link that a fresh one took the place of is known, at least: its right may be held again meanwhile, with an
/// invitation that is remembered no longer.
const OLD_LINK_KNOWN: Duration = Duration::from_secs(120 * 86_400);
/// How long a fresh link works, at most.
const FRESH: Duration = Duration::from_secs(7 * 86_400);
/// And for doctors and staff elsewhere.
const FRESH_ELSEWHERE: Duration = Duration::from_secs(86_400);

/// What a link leads to.
#[derive(Debug)]
pub enum LinkView {
    /// It works.
    Living(LinkFacts),
    /// The link's time is over, the documents are still there: a fresh one can be mailed.
    LinkOver(LinkFacts),
    /// The practice has taken it back. Who sent it, and what, opens no more: there is the practice only.
    Withdrawn(LinkFacts),
    /// No such link, or everything behind it is gone: one answer for both.
    Unknown,
}

/// What is said about a link that is known. No subject, no file name, no patient.
#[derive(Debug)]
pub struct LinkFacts {
    /// The practice's id.
    pub practice: String,
    /// The name shown for the sender; empty for a right that was taken back.
    pub sender_name: String,
    /// When it was sent.
    pub sent: Timestamp,
    /// When the link stops working.
    pub link_until: Timestamp,
    /// When the documents are removed; none while they are held for an invitation.
    pub keep_until: Option<Timestamp>,
    /// What will be asked for.
    pub checks: Vec<AccessCheck>,
    /// How many documents.
    pub documents: usize,
    /// Whether the person is to register first.
    pub registers: bool,
}

/// What is behind a link.
struct Behind {
    id: GrantId,
    grant: Grant,
    /// A fresh one took its place, or too many wrong codes came by it: a fresh one can be mailed.
    over: bool,
}

impl Gateway {
    /// What the link with this token leads to. Changes nothing.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`].
    pub async fn link(&self, token: &str) -> Result<LinkView, VisitError> {
        let now = store::now();
        let Some(Behind { grant, over, .. }) = self.behind(token, now).await? else { return Ok(LinkView::Unknown) };
        if grant.revoked.is_some() {
            return Ok(LinkView::Withdrawn(self.facts_of(&grant, None).await?));
        }
        let known = match self.stations.vault.facts(&grant, now).await {
            Ok(known) => known,
            Err(VaultError::Ended | VaultError::Missing) => return Ok(LinkView::Unknown),
            Err(error) => return Err(not_now("link", &error)),
        };
        let facts = self.facts_of(&grant, Some(known)).await?;
        Ok(if over || grant.link_until <= now { LinkView::LinkOver(facts) } else { LinkView::Living(facts) })
    }

    /// What is behind a link, while its documents are kept.
    async fn behind(&self, token: &str, now: Timestamp) -> Result<Option<Behind>, VisitError> {
        let vault = &self.stations.vault;
        let found = vault.grant_by_token(token).await.map_err(|error| not_now("link", &error))?;
        let behind = match found {
            Some((id, Record { value: grant, .. })) => {
                let asks = grant.access.contains(&AccessCheck::Code);
                let over = asks && self.codes_closed(id, Some(grant.token_hash), now).await?;
                Some(Behind { id, grant, over })
            }
            None => {
                let id = self.stations.guests.old_link(token, now).await.map_err(|error| not_now("link", &error))?;
                let Some(id) = id else { return Ok(None) };
                let grant = vault.grant(id).await.map_err(|error| not_now("link", &error))?;
                grant.map(|Record { value: grant, .. }| Behind { id, grant, over: true })
            }
        };
        Ok(behind.filter(|behind| now < behind.grant.keep_until))
    }

    /// Gives a right a fresh link, in the batch; the old one is remembered, so that it leads to the next fresh one.
    ///
    /// # Errors
    /// [`VaultError::Ended`], [`VaultError::Missing`].
    pub(in crate::gateway) async fn put_fresh_token(
        &self,
        batch: &mut Batch,
        id: GrantId,
        lives: Duration,
        now: Timestamp,
    ) -> Result<Secret<String>, VaultError> {
        let vault = &self.stations.vault;
        // As the batch has it: a right that is held again there lives longer than the store knows.
        let Record { value: grant, .. } = vault.grant_in_batch(batch, id).await?.ok_or(VaultError::Missing)?;
        let known = grant.keep_until.max(now.plus(OLD_LINK_KNOWN));
        let token = random::token();
        vault.renew_link(batch, id, &token, lives, now).await?;
        self.stations.guests.put_old_link(batch, &grant.token_hash, id, known, now);
        Ok(token)
    }

    async fn facts_of(&self, grant: &Grant, known: Option<ParcelFacts>) -> Result<LinkFacts, VisitError> {
        let registers = grant.access.contains(&AccessCheck::Account)
            && self.must_register(grant.contact).await.map_err(|error| not_now("guests", &error))?;
        let first_practice = || self.policies().policy.first_practice().id.clone();
        Ok(LinkFacts {
            sent: known.as_ref().map_or(grant.created, |known| known.sent),
            documents: known.as_ref().map_or(0, |known| known.documents),
            practice: known.as_ref().map_or_else(first_practice, |known| known.practice.clone()),
            sender_name: known.map(|known| known.sender_name).unwrap_or_default(),
            link_until: grant.link_until,
            keep_until: grant.held.is_none().then_some(grant.keep_until),
            checks: grant.access.clone(),
            registers,
        })
    }

    /// A person pressed the button: begins a visit of the link's contact. Instead of the browser's visit before, unless
    /// that is one of the same contact, which keeps what it has shown. New ones are counted by right and address of origin.
    ///
    /// # Errors
    /// [`VisitError::NotFound`] where the link does not live; [`VisitError::LockedUntil`].
    pub async fn enter(&self, token: &str, cookie: Option<&str>, from: IpAddr) -> Result<Entered, VisitError> {
        let now = store::now();
        let Behind { id, grant, over } = self.behind(token, now).await?.ok_or(VisitError::NotFound)?;
        if over || grant.revoked.is_some() || grant.link_until <= now {
            return Err(VisitError::NotFound);
        }
        let before = self.visit_before(cookie).await?;
        let cookie = cookie.filter(|_| before.is_some());
        let mut visit = match before.filter(|before| before.contact == grant.contact) {
            Some(before) => Visit { by: Some(id), seen: now, form_secret: random::octets(), ..before },
            None => {
                let ways =
                    [(Counted::VisitsBy(id), limits::VISITS_BY), (Counted::VisitsFrom(from), limits::VISITS_FROM)];
                let counted = self.stations.guests.count_all(&ways, now).await.map_err(not_committed)?;
                counted.map_err(VisitError::LockedUntil)?;
                Visit::begin(grant.contact, Some(id), now)
            }
        };
        visit.link = Some(grant.token_hash);
        // What asks for nothing opens by the link itself.
        if grant.access.is_empty() {
            visit.proved.show(Means::Link, about(&grant));
        }
        let cookie = self.stations.guests.begin_visit(&visit, cookie).await.map_err(not_committed)?;
        Event::VisitBegan { visit: visit.id, grant: Some(id) }.log();
        self.note_opened(grant.contact, now).await;
        Ok(Entered { cookie, next: self.next_step(&visit, id).await? })
    }

    /// The living visit of the browser, if it has one.
    pub(super) async fn visit_before(&self, cookie: Option<&str>) -> Result<Option<Visit>, VisitError> {
        match cookie {
            Some(cookie) => self.visit(cookie).await,
            None => Ok(None),
        }
    }

    /// An open invitation learns that a person has seen its page.
    async fn note_opened(&self, contact: ContactId, now: Timestamp) {
        use crate::gateway::invitations::InvitationError::{Missing, NotPossible};
        match self.change_invitation(contact, invitation::Event::Opened, None, now).await {
            Ok(()) | Err(Missing | NotPossible(_)) => {}
            Err(error) => super::trouble("invitation", &error),
        }
    }

    /// Mails a fresh link to the address that holds the right.
    ///
    /// # Errors
    /// [`VisitError::NotFound`] where the documents are gone; [`VisitError::LockedUntil`] where it was asked too often.
    pub async fn mail_fresh_link(&self, token: &str) -> Result<(), VisitError> {
        let now = store::now();
        let Behind { id, grant, .. } = self.behind(token, now).await?.ok_or(VisitError::NotFound)?;
        if grant.revoked.is_some() {
            return Err(VisitError::NotFound);
        }
        self.count_mail(grant.contact, now).await?;
        self.send_fresh_link(id, &grant, now).await?;
        // Who guessed codes by the old link guesses no longer: what was counted for that link stays counted. Who has the new
        // one may.
        let guests = &self.stations.guests;
        let guessing = |visit: &Visit| visit.by == Some(id) && visit.proved == Proved::default();
        guests.end_visits(grant.contact, guessing, now).await.map_err(not_committed)?;
        Ok(())
    }

    /// Counts a mail that a visitor asked for.
    pub(super) async fn count_mail(&self, contact: ContactId, now: Timestamp) -> Result<(), VisitError> {
        match self.stations.guests.count(Counted::Mailed(contact), limits::MAILED, now).await.map_err(not_committed)? {
            Count::Left(_) => Ok(()),
            Count::LockedUntil(until) => Err(VisitError::LockedUntil(until)),
        }
    }

    async fn send_fresh_link(&self, id: GrantId, grant: &Grant, now: Timestamp) -> Result<(), VisitError> {
        let gone = |error: VaultError| match error {
            VaultError::Ended | VaultError::Missing => VisitError::NotFound,
            error => not_now("link", &error),
        };
        let person =
            self.stations.directory.person(grant.contact).await.map_err(|error| not_now("directory", &error))?;
        let person = person.ok_or(VisitError::NotFound)?;
        let known = self.stations.vault.facts(grant, now).await.map_err(gone)?;
        let lives = match person.role {
            Some(Role::DoctorElsewhere | Role::StaffElsewhere) => FRESH_ELSEWHERE,
            _ => FRESH,
        };
        let mut batch = Batch::default();
        let token = self.put_fresh_token(&mut batch, id, lives, now).await.map_err(gone)?;
        let line = HistoryLine { grant: id, what: Happened::LinkMailed, at: now, from: None };
        self.put_history(&mut batch, grant.transaction, &line).map_err(|error| not_now("history", &error))?;
        let mail = OwnMail {
            transaction: grant.transaction,
            practice: &known.practice,
            to: &person.address,
            reply_to: None,
            says: Says::Link {
                link: &self.link_to(links::ENTER, token.expose()),
                until: now.plus(lives).min(grant.keep_until),
                once: false,
            },
        };
        self.put_own_mail(&mut batch, &self.policies(), mail, now).map_err(|error| not_now("mail", &error))?;
        self.stations.store.commit(batch).await.map_err(not_committed)?;
        self.stations.queue.wake();
        Ok(())
    }
}
