//! Codes, birthdates and magic links: what else must be shown before documents open.

use std::net::IpAddr;

use crate::gateway::Gateway;
use crate::gateway::visits::{Entered, Visit, VisitError};
use crate::id::GrantId;
use crate::time::Timestamp;

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
    /// Mails the code for this right and this opener: asked for again within its life it is the same one.
    ///
    /// # Errors
    /// [`VisitError::NotFound`]; [`VisitError::LockedUntil`], also for the fifteen seconds before it can be asked again.
    pub async fn mail_code(&self, _visit: &Visit, _grant: GrantId) -> Result<CodeSent, VisitError> {
        todo!()
    }

    /// Compares a code; spaces in it do not count. The try is counted before it is compared.
    ///
    /// # Errors
    /// [`VisitError::NotFound`]; [`VisitError::LockedUntil`].
    pub async fn check_code(
        &self,
        _visit: (&Visit, &str),
        _grant: GrantId,
        _code: &str,
    ) -> Result<CodeAnswer, VisitError> {
        todo!()
    }

    /// Compares a birthdate; the try is counted before it is compared.
    ///
    /// # Errors
    /// [`VisitError::NotFound`]; [`VisitError::LockedUntil`].
    pub async fn check_birthdate(
        &self,
        _visit: (&Visit, &str),
        _grant: GrantId,
        _birthdate: &str,
        _from: IpAddr,
    ) -> Result<BirthdateAnswer, VisitError> {
        todo!()
    }

    /// Mails a single-use link that lives fifteen minutes.
    ///
    /// # Errors
    /// [`VisitError::NotFound`]; [`VisitError::LockedUntil`].
    pub async fn mail_magic(&self, _visit: &Visit, _grant: GrantId) -> Result<(), VisitError> {
        todo!()
    }

    /// A person pressed the button on a magic link's page; it is used up. `None` for used, expired and unknown ones.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`].
    pub async fn use_magic(&self, _token: &str) -> Result<Option<Entered>, VisitError> {
        todo!()
    }
}
