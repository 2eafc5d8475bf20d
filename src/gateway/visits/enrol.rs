//! Registering: the form of the role, the birthdate, the mail that sets the password.

use std::net::IpAddr;

use crate::gateway::Gateway;
use crate::gateway::visits::{NextStep, Visit, VisitError};
use crate::mail::Address;
use crate::policy::Role;
use crate::secret::Secret;

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

/// What a mailed password link leads to.
#[derive(Debug)]
pub struct PasswordView {
    /// Whose account; shown to who has the mail.
    pub address: Address,
    /// The practice whose face the page wears.
    pub practice: String,
    /// Whether it is the first password.
    pub first: bool,
}

impl Gateway {
    /// The form for this visit, where its contact has an open invitation.
    ///
    /// # Errors
    /// [`VisitError::NotFound`] where there is nothing to register for.
    pub async fn registration(&self, _visit: &Visit) -> Result<RegistrationView, VisitError> {
        todo!()
    }

    /// Takes the form. Fields are checked by the role's file, then the birthdate is compared and counted.
    ///
    /// # Errors
    /// [`VisitError::NotFound`]; [`VisitError::LockedUntil`] where this address of origin has guessed too often.
    pub async fn register(
        &self,
        _visit: &Visit,
        _answers: FormAnswers,
        _from: IpAddr,
    ) -> Result<Registered, VisitError> {
        todo!()
    }

    /// What a mailed password link leads to; changes nothing. `None` for used, expired and unknown ones alike.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`].
    pub async fn password_link(&self, _token: &str) -> Result<Option<PasswordView>, VisitError> {
        todo!()
    }

    /// Sets the password by a mailed link, which is used up. The first time this enrols: the invitation is accepted and
    /// the clocks of what was held start. All other visits of the account end. Where to go: sign in.
    ///
    /// # Errors
    /// [`VisitError::NotFound`] for a link that is used or over.
    pub async fn set_password(
        &self,
        _token: &str,
        _password: &Secret<String>,
    ) -> Result<Result<NextStep, super::NewPassword>, VisitError> {
        todo!()
    }

    /// Mails a password link, if there is such an account; the answer is the same if there is none.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`].
    pub async fn forgot_password(&self, _address: &str, _from: IpAddr) -> Result<(), VisitError> {
        todo!()
    }
}
