//! Who may open what, and after showing what.

use serde::{Deserialize, Serialize};

use crate::id::{GrantId, PatientMark};
use crate::time::Timestamp;

/// What must be shown before a parcel opens (`access` in role files and rules); checks combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccessCheck {
    /// A signed-in account.
    Account,
    /// A one-time code.
    Code,
    /// The birthdate.
    Birthdate,
    /// A single-use link, mailed on a press.
    Magic,
}

/// What a visitor has shown so far. A visit belongs to one contact from its first moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Proved {
    /// Signed in with the account's password.
    pub account: bool,
    /// Entered a code that was mailed to the contact's address.
    pub code: bool,
    /// Followed a single-use link that was mailed to the contact's address.
    pub magic: bool,
    /// Patients whose birthdate was entered, in this visit or when registering.
    pub patients: Vec<PatientMark>,
}

/// What access asks about a right.
#[derive(Debug, Clone, Copy)]
pub struct Door<'a> {
    /// Which right.
    pub grant: GrantId,
    /// What must be shown.
    pub checks: &'a [AccessCheck],
    /// Whose documents, where that is known.
    pub patient: Option<PatientMark>,
    /// When the documents end.
    pub keep_until: Timestamp,
    /// Whether the right was taken back.
    pub revoked: bool,
}

/// Proof that a visitor may open a parcel. Only [`admit`] makes it; only it opens a deposit.
#[derive(Debug)]
pub struct Admitted {
    grant: GrantId,
}

impl Admitted {
    /// The right it is about.
    pub fn grant(&self) -> GrantId {
        self.grant
    }
}

/// Why a visitor may not open it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// This must be shown first: the first of the checks, in order, that is missing. A patient's documents ask for the
    /// birthdate also where only the account is asked for and this patient's was never entered.
    Show(AccessCheck),
    /// Taken back.
    Revoked,
    /// The documents are gone.
    Over,
}

/// Whether what was proved opens this door now.
///
/// # Errors
/// [`Denied`].
pub fn admit(_door: &Door<'_>, _proved: &Proved, _now: Timestamp) -> Result<Admitted, Denied> {
    todo!()
}
