//! The link page: what anybody with the link sees, and what a press on it does. Looking changes nothing.

use crate::access::AccessCheck;
use crate::gateway::Gateway;
use crate::gateway::visits::{Entered, VisitError};
use crate::time::Timestamp;

/// What a link leads to.
#[derive(Debug)]
pub enum LinkView {
    /// It works.
    Living(LinkFacts),
    /// The link's time is over, the documents are still there: a fresh one can be mailed.
    LinkOver(LinkFacts),
    /// The practice has taken it back.
    Withdrawn(LinkFacts),
    /// No such link, or everything behind it is gone: one answer for both.
    Unknown,
}

/// What is said about a link that is known. No subject, no file name, no patient.
#[derive(Debug)]
pub struct LinkFacts {
    /// The practice's id.
    pub practice: String,
    /// The name shown for the sender.
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

impl Gateway {
    /// What the link with this token leads to. Changes nothing.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`].
    pub async fn link(&self, _token: &str) -> Result<LinkView, VisitError> {
        todo!()
    }

    /// A person pressed the button: begins a visit of the link's contact. Instead of the browser's visit before, unless
    /// that is one of the same contact, which keeps what it has shown.
    ///
    /// # Errors
    /// [`VisitError::NotFound`] where the link does not live.
    pub async fn enter(&self, _token: &str, _cookie: Option<&str>) -> Result<Entered, VisitError> {
        todo!()
    }

    /// Mails a fresh link to the address that holds the right.
    ///
    /// # Errors
    /// [`VisitError::NotFound`] where the documents are gone; [`VisitError::LockedUntil`] where it was asked too often.
    pub async fn mail_fresh_link(&self, _token: &str) -> Result<(), VisitError> {
        todo!()
    }
}
