//! What a guest does: opens a link, proves who they are, registers, reads, downloads, replies, keeps an account.
//!
//! The portal asks these questions and nothing else. Every view names its practice by id; the portal looks its face up
//! in the policy snapshot ([`Gateway::policies`]). What is foreign does not exist: [`VisitError::NotFound`].

use crate::access::AccessCheck;
use crate::gateway::{Gateway, Snapshot, trouble};
use crate::id::GrantId;
use crate::invitation::Why;
use crate::secret::Secret;
use crate::time::Timestamp;

mod account;
mod checks;
mod documents;
mod enrol;
mod link;
mod parcels;
mod replies;

pub use crate::guests::Visit;
pub use account::{AccountView, GuestSignIn, NewPassword};
pub use checks::{BirthdateAnswer, CodeAnswer, CodeSent};
pub use documents::Document;
pub use enrol::{FormAnswers, FormFault, PasswordView, Registered, RegistrationView};
pub use link::{LinkFacts, LinkView};
pub use parcels::{ParcelQuery, ParcelRow, ParcelView, ShownDocument, ShownReply, Sorted};
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
    pub async fn visit(&self, _cookie: &str) -> Result<Option<Visit>, VisitError> {
        todo!()
    }

    /// What this visitor is to do before this right opens, or to read it.
    ///
    /// # Errors
    /// [`VisitError::NotFound`] where it is not the visitor's.
    pub async fn next_step(&self, _visit: &Visit, _grant: GrantId) -> Result<NextStep, VisitError> {
        todo!()
    }

    /// The address of the visit's contact, masked for a page that anybody with the link can see: `j•••@example.org`.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`].
    pub async fn masked_address(&self, _visit: &Visit) -> Result<String, VisitError> {
        todo!()
    }
}

/// Logs the cause and answers for it.
#[allow(dead_code)]
pub(crate) fn not_now(place: &'static str, cause: &dyn std::fmt::Display) -> VisitError {
    trouble(place, cause);
    VisitError::Unavailable
}
