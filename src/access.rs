//! Who may open what, and after showing what.

use serde::{Deserialize, Serialize};

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
