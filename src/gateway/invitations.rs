//! Invitations carried out: issued with a message, stepped by events, due by the index, their effects as mails.

use crate::gateway::{Gateway, Snapshot};
use crate::id::{ContactId, GrantId, TransactionId};
use crate::invitation::{Event, NotPossible};
use crate::mail::Address;
use crate::mime::assess::PatientRef;
use crate::policy::Role;
use crate::secret::Secret;
use crate::store::{Batch, CommitError, StoreError};
use crate::time::Timestamp;

/// Why an invitation was not changed.
#[derive(Debug, thiserror::Error)]
pub enum InvitationError {
    /// There is none for this contact.
    #[error("there is no invitation for this address")]
    Missing,
    /// Its state does not allow it.
    #[error(transparent)]
    NotPossible(#[from] NotPossible),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store did not take the change.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A mail that cannot be composed.
    #[error(transparent)]
    Mail(#[from] crate::gateway::mails::MailError),
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

impl Gateway {
    /// Whether this contact must register before an account check can pass: it has no enrolled account.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub(super) async fn must_register(&self, _contact: ContactId) -> Result<bool, StoreError> {
        todo!()
    }

    /// Puts the invitation that comes with a right into the batch: a new one; one that is open already stays as it is; an
    /// expired one is issued again; a cancelled one stays cancelled until it is sent again by the sender's word.
    ///
    /// # Errors
    /// Where the store cannot be read, or it cannot be sealed.
    pub(super) async fn put_invitation(
        &self,
        _batch: &mut Batch,
        _new: &NewInvitation<'_>,
        _snapshot: &Snapshot,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// Lets something happen to an invitation, and carries out what follows, in one commit.
    ///
    /// # Errors
    /// [`InvitationError`]; nothing changed then.
    pub async fn change_invitation(
        &self,
        _contact: ContactId,
        _event: Event,
        _birthdate: Option<&str>,
        _now: Timestamp,
    ) -> Result<(), InvitationError> {
        todo!()
    }

    /// Does what is due for invitations. How many. Only called while the clock is believed.
    ///
    /// # Errors
    /// [`InvitationError`]; what is left is found again by the next round.
    pub async fn do_due_invitations(&self, _now: Timestamp) -> Result<usize, InvitationError> {
        todo!()
    }
}
