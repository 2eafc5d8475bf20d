//! One staff account, as stored.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::accounts::NewStaff;
use crate::id::StaffId;
use crate::mail::Address;
use crate::secret::silent_debug;
use crate::store::Stored;
use crate::time::Timestamp;

/// How long a password that Postern made at first start can be used.
pub const INITIAL_PASSWORD_LIVES: Duration = Duration::from_secs(7 * 86_400);

/// A person of the clinic who sends through the gateway.
#[derive(Clone, Serialize, Deserialize)]
pub struct StaffAccount {
    /// The account's own address.
    pub address: Address,
    /// The person's name, for letters.
    pub name: Option<String>,
    /// The practice, where the address's domain does not say it.
    pub practice: Option<String>,
    /// Staff groups, as policy rules name them.
    pub groups: Vec<String>,
    /// Other addresses it may send as.
    pub delegated: Vec<Address>,
    /// Whether it is an admin's.
    pub admin: bool,
    /// Whether nobody may sign in with it.
    pub disabled: bool,
    /// PHC string of Argon2id.
    pub password: String,
    /// When a password was made by Postern that must be changed.
    pub initial_since: Option<Timestamp>,
    /// When the account was made.
    pub created: Timestamp,
}

silent_debug!(StaffAccount);

impl StaffAccount {
    pub(super) fn new(new: NewStaff, password: String, now: Timestamp) -> Self {
        Self {
            address: new.address,
            name: new.name,
            practice: new.practice,
            groups: new.groups,
            delegated: new.delegated,
            admin: new.admin,
            disabled: false,
            password,
            initial_since: new.initial.then_some(now),
            created: now,
        }
    }

    /// Whether its password opens anything now: not disabled, and not an initial one that has lapsed.
    pub fn may_sign_in(&self, now: Timestamp) -> bool {
        !self.disabled && self.initial_since.is_none_or(|since| now.since(since) < INITIAL_PASSWORD_LIVES)
    }

    /// Whether it may send as this address.
    pub fn may_send_as(&self, address: &Address) -> bool {
        self.address.same_as(address) || self.delegated.iter().any(|delegated| delegated.same_as(address))
    }
}

impl Stored for StaffAccount {
    const VERSION: u8 = 1;
}

impl Stored for StaffId {
    const VERSION: u8 = 1;
}
