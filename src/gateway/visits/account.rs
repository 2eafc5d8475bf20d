//! The account: signing in and out, the password, the visits, closing it.

use std::net::IpAddr;

use crate::gateway::Gateway;
use crate::gateway::visits::{Entered, Visit, VisitError};
use crate::mail::Address;
use crate::policy::Role;
use crate::secret::Secret;
use crate::time::Timestamp;

/// What a name and password came to.
#[derive(Debug)]
pub enum GuestSignIn {
    /// In.
    Welcome(Entered),
    /// Wrong name, wrong password, no such account, closed: one answer, after the same work.
    Rejected,
}

/// Why a new password is not taken. The text's id is `fault-` and this word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewPassword {
    /// Shorter than fifteen characters.
    TooShort,
    /// Longer than 1,024 octets.
    TooLong,
    /// On the list of known passwords, or the address itself.
    Known,
    /// The present password is wrong.
    WrongPresent,
}

/// What the account page shows.
#[derive(Debug)]
pub struct AccountView {
    /// The practice whose face the page wears: the one that invited.
    pub practice: String,
    /// The address, which is the name to sign in with.
    pub address: Address,
    /// The person's name.
    pub name: String,
    /// The relation.
    pub role: Option<Role>,
    /// When they registered.
    pub registered: Timestamp,
    /// Other visits that live: when begun, when last used.
    pub visits: Vec<(Timestamp, Timestamp)>,
}

impl Gateway {
    /// Checks name and password; the same work for known and unknown names. Tries are counted per name and per address
    /// of origin. `going_to` is where the visitor was on the way to.
    ///
    /// # Errors
    /// [`VisitError::Busy`], [`VisitError::LockedUntil`].
    pub async fn guest_sign_in(
        &self,
        _name: &str,
        _password: &Secret<String>,
        _from: IpAddr,
        _cookie: Option<&str>,
    ) -> Result<GuestSignIn, VisitError> {
        todo!()
    }

    /// Ends this visit.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`].
    pub async fn sign_out(&self, _cookie: &str) -> Result<(), VisitError> {
        todo!()
    }

    /// The account page. Asks for the account.
    ///
    /// # Errors
    /// [`VisitError::Show`].
    pub async fn account(&self, _visit: &Visit) -> Result<AccountView, VisitError> {
        todo!()
    }

    /// Changes the password; all other visits end, and this one gets a new cookie.
    ///
    /// # Errors
    /// [`VisitError::Show`], [`VisitError::LockedUntil`].
    pub async fn change_password(
        &self,
        _visit: (&Visit, &str),
        _present: &Secret<String>,
        _new: &Secret<String>,
    ) -> Result<Result<Entered, NewPassword>, VisitError> {
        todo!()
    }

    /// Ends all other visits of the account. How many.
    ///
    /// # Errors
    /// [`VisitError::Show`].
    pub async fn end_other_visits(&self, _visit: &Visit) -> Result<usize, VisitError> {
        todo!()
    }

    /// Closes the account: nobody signs in with it, its answers are forgotten, its visits end. A later message invites
    /// again. Asks for the password once more.
    ///
    /// # Errors
    /// [`VisitError::Show`], [`VisitError::LockedUntil`].
    pub async fn close_account(
        &self,
        _visit: &Visit,
        _password: &Secret<String>,
    ) -> Result<Result<(), NewPassword>, VisitError> {
        todo!()
    }
}
