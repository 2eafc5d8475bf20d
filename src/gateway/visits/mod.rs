//! What a guest does: opens a link, proves who they are, registers, reads, downloads, replies, keeps an account.
//!
//! The portal asks these questions and nothing else. Every view names its practice by id; the portal looks its face up
//! in the policy snapshot ([`Gateway::policies`]). What is foreign does not exist: [`VisitError::NotFound`].

use crate::access::{About, AccessCheck, Admitted, Denied, Door, Proved, admit};
use crate::event::Event;
use crate::gateway::{Gateway, Snapshot, trouble};
use crate::id::{ContactId, GrantId};
use crate::invitation::{State, Why};
use crate::random;
use crate::secret::Secret;
use crate::store::{self, Batch, CommitError, Record};
use crate::time::Timestamp;
use crate::vault::Grant;

mod account;
mod birthdates;
mod checks;
mod documents;
mod enrol;
mod forgotten;
mod form;
mod limits;
mod link;
pub mod links;
mod parcels;
mod password;
mod replies;
mod send;

pub use crate::guests::Visit;
pub use account::{AccountView, GuestSignIn};
pub use birthdates::BirthdateAnswer;
pub use checks::{CodeAnswer, CodeSent};
pub use documents::Document;
pub(in crate::gateway) use documents::Downloads;
pub use enrol::{FormAnswers, FormFault, Registered, RegistrationView};
pub use forgotten::PasswordView;
pub use link::{LinkFacts, LinkView};
pub use parcels::{ParcelQuery, ParcelRow, ParcelView, ShownDocument, ShownReply, Sorted};
pub use password::NewPassword;
pub use replies::{NewReply, ReplyFault, ReplyRules};

/// Why something could not be shown or done. Each has its page, and each page its next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisitError {
    /// There is no such thing for this visitor: unknown, foreign, taken back, over. One answer for all.
    NotFound,
    /// This must be shown first.
    Show(AccessCheck),
    /// Locked until this moment; it ends by itself.
    LockedUntil(Timestamp),
    /// Too many wrong codes came by this link: only a fresh one helps, which the link's page mails.
    CodesClosed,
    /// Too many sign-ins at once; try again in a moment.
    Busy,
    /// No space on the disk: nothing was stored.
    Full,
    /// The store cannot be read or written. The log has the cause.
    Unavailable,
}

/// What a visitor is to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Fill in the form.
    Register,
    /// The form is sent: the mail that sets the password is on its way.
    SetPassword,
    /// Registered, and an admin of the practice must agree.
    WaitForAdmin,
    /// Registration is closed.
    InvitationCancelled(Why),
    /// The invitation has expired.
    InvitationExpired,
    /// Sign in.
    SignIn,
    /// Enter a code.
    Code,
    /// Enter the birthdate.
    Birthdate,
    /// Have a single-use link mailed.
    Magic,
    /// Read.
    Parcel(GrantId),
    /// The list of messages.
    List,
}

/// Whose visit it is after a step up: the cookie's new token.
#[derive(Debug)]
pub struct Entered {
    /// For the cookie.
    pub cookie: Secret<String>,
    /// Where to go.
    pub next: NextStep,
}

impl Gateway {
    /// The policies in force, for the faces of practices and the texts of pages.
    pub fn policies(&self) -> std::sync::Arc<Snapshot> {
        self.stations().policies.snapshot()
    }

    /// The living visit of a cookie's token.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`].
    pub async fn visit(&self, cookie: &str) -> Result<Option<Visit>, VisitError> {
        let found = self.stations.guests.visit(cookie, store::now()).await;
        found.map_err(|error| not_now("visit", &error))
    }

    /// What this visitor is to do before this right opens, or to read it.
    ///
    /// # Errors
    /// [`VisitError::NotFound`] where it is not the visitor's.
    pub async fn next_step(&self, visit: &Visit, grant: GrantId) -> Result<NextStep, VisitError> {
        let found = self.own_grant(visit, grant).await?;
        match admit(&door(grant, &found.value), &visit.proved, store::now()) {
            Ok(admitted) => Ok(NextStep::Parcel(admitted.grant())),
            Err(Denied::Revoked | Denied::Over) => Err(VisitError::NotFound),
            Err(Denied::Show(AccessCheck::Account)) => self.way_to_account(visit.contact).await,
            Err(Denied::Show(AccessCheck::Code)) => Ok(NextStep::Code),
            Err(Denied::Show(AccessCheck::Birthdate)) => Ok(NextStep::Birthdate),
            Err(Denied::Show(AccessCheck::Magic)) => Ok(NextStep::Magic),
        }
    }

    /// Proof that this visitor may open this right now, and the right.
    ///
    /// # Errors
    /// [`VisitError::NotFound`]; [`VisitError::Show`].
    pub(super) async fn admitted(
        &self,
        visit: &Visit,
        grant: GrantId,
    ) -> Result<(Admitted, Record<Grant>), VisitError> {
        let found = self.own_grant(visit, grant).await?;
        match admit(&door(grant, &found.value), &visit.proved, store::now()) {
            Ok(admitted) => Ok((admitted, found)),
            Err(Denied::Revoked | Denied::Over) => Err(VisitError::NotFound),
            Err(Denied::Show(check)) => Err(VisitError::Show(check)),
        }
    }

    /// A right of the visitor's own, living or not.
    async fn own_grant(&self, visit: &Visit, grant: GrantId) -> Result<Record<Grant>, VisitError> {
        let found = self.stations.vault.grant(grant).await.map_err(|error| not_now("grants", &error))?;
        found.filter(|found| found.value.contact == visit.contact).ok_or(VisitError::NotFound)
    }

    /// What is missing before this contact can sign in, or to sign in.
    async fn way_to_account(&self, contact: ContactId) -> Result<NextStep, VisitError> {
        let guests = &self.stations.guests;
        let guest = guests.find(contact).await.map_err(|error| not_now("guests", &error))?;
        let guest = guest.map(|guest| guest.value).filter(|guest| !guest.closed);
        if guest.as_ref().is_some_and(|guest| guest.enrolled.is_some()) {
            return Ok(NextStep::SignIn);
        }
        let invitation = guests.invitation(contact).await.map_err(|error| not_now("invitations", &error))?;
        Ok(match (invitation.map(|invitation| invitation.value.life.state), guest) {
            (Some(State::Open { .. }), Some(guest)) if guest.waits_for_admin => NextStep::WaitForAdmin,
            (Some(State::Open { .. }), Some(_)) => NextStep::SetPassword,
            (Some(State::Open { .. }), None) => NextStep::Register,
            (Some(State::Cancelled(why)), _) => NextStep::InvitationCancelled(why),
            (Some(State::Expired | State::Accepted) | None, _) => NextStep::InvitationExpired,
        })
    }

    /// The address of the visit's contact, masked for a page that anybody with the link can see: `j•••@example.org`.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`].
    pub async fn masked_address(&self, visit: &Visit) -> Result<String, VisitError> {
        let person = self.stations.directory.person(visit.contact).await;
        let person = person.map_err(|error| not_now("directory", &error))?.ok_or(VisitError::NotFound)?;
        let first = person.address.local_part().chars().find(|c| c.is_alphanumeric());
        Ok(format!("{}•••@{}", first.map(String::from).unwrap_or_default(), person.address.domain()))
    }

    /// Where a visit that has shown something new goes: a new cookie takes the place of the old one, in the batch.
    async fn put_step_up(
        &self,
        batch: &mut Batch,
        (visit, cookie): (&Visit, &str),
        proved: Proved,
        now: Timestamp,
    ) -> Result<(Visit, Secret<String>), VisitError> {
        let visit = Visit { proved, seen: now, form_secret: random::octets(), ..visit.clone() };
        let put = self.stations.guests.put_visit(batch, &visit, Some(cookie)).await;
        let cookie = put.map_err(|error| not_now("visits", &error))?;
        Ok((visit, cookie))
    }

    /// Commits a step up, and says where it leads.
    async fn step_up(
        &self,
        batch: Batch,
        (visit, cookie): (Visit, Secret<String>),
        what: &'static str,
        going_to: Option<GrantId>,
    ) -> Result<Entered, VisitError> {
        self.stations.store.commit(batch).await.map_err(not_committed)?;
        Event::VisitProved { visit: visit.id, what }.log();
        let next = match going_to.or(visit.by) {
            Some(grant) => match self.next_step(&visit, grant).await {
                // It has ended meanwhile; the others are in the list.
                Err(VisitError::NotFound) => NextStep::List,
                other => other?,
            },
            None => NextStep::List,
        };
        Ok(Entered { cookie, next })
    }
}

/// Whose documents a right is about.
pub(super) fn about(grant: &Grant) -> About {
    About { practice: grant.practice.clone(), patient: grant.patient }
}

/// What access is to know of a right.
pub(super) fn door(id: GrantId, grant: &Grant) -> Door<'_> {
    Door {
        grant: id,
        checks: &grant.access,
        practice: &grant.practice,
        patient: grant.patient,
        keep_until: grant.keep_until,
        revoked: grant.revoked.is_some(),
    }
}

/// Logs the cause and answers for it.
pub(crate) fn not_now(place: &'static str, cause: &dyn std::fmt::Display) -> VisitError {
    trouble(place, cause);
    VisitError::Unavailable
}

/// What a visitor learns of a commit that did not happen.
pub(super) fn not_committed(error: CommitError) -> VisitError {
    match error {
        CommitError::Conflict => VisitError::Busy,
        CommitError::Disk(cause) => {
            trouble("visit", &cause);
            VisitError::Full
        }
        other => not_now("visit", &other),
    }
}
