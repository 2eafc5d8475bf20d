//! Guests: people outside who read and reply. Their accounts, invitations, visits, single-use tickets, codes, and how
//! often they guessed.
//!
//! Everything of a person is sealed until a day, like contacts; keys hold ids and keyed hashes only.

use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard};

use crate::accounts::Passwords;
use crate::keyring::Keyring;
use crate::store::{Batch, Key, Store, StoreError, Table};

mod account;
mod codes;
mod counts;
pub mod ends;
mod invitations;
mod sealed;
mod tickets;
mod visits;

pub use account::Guest;
pub use codes::Code;
pub use counts::{Count, Counted, Limit};
pub use invitations::{DueInvitation, InvitationRecord};
pub use tickets::{LivingTicket, Ticket};
pub use visits::Visit;

/// Turns at counting: more than threads that could count at once.
const TURNS: usize = 64;

/// All guests. Cheap to clone.
#[derive(Clone)]
pub struct Guests {
    store: Store,
    keyring: Keyring,
    passwords: Passwords,
    /// One count is changed by one at a time: conditional commits alone would hold, but of two hundred at once each round
    /// lets only one through.
    turns: Arc<[Mutex<()>; TURNS]>,
}

impl Guests {
    /// The guests in this store. What hashes passwords gives way to staff and mail: [`Passwords::for_guests`].
    pub fn new(store: Store, keyring: Keyring, passwords: Passwords) -> Self {
        Self { store, keyring, passwords, turns: Arc::new(std::array::from_fn(|_| Mutex::new(()))) }
    }

    /// Hashes and checks passwords.
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    async fn turn(&self, key: &Key) -> MutexGuard<'_, ()> {
        let last = key.octets.last().copied().unwrap_or_default();
        self.turns[usize::from(last) % TURNS].lock().await
    }

    /// Removes a record whose time is over, one of [`ends::due`], in the batch: the commit fails if it was let live longer
    /// meanwhile. False for one that others depend on; the batch is as before then.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn forget_ended(&self, batch: &mut Batch, ended: &ends::Ended) -> Result<bool, StoreError> {
        match ended.key.table {
            Table::Guest
            | Table::Invitation
            | Table::Ticket
            | Table::Guesses
            | Table::Draft
            | Table::Message
            | Table::History
            | Table::Heard
            | Table::SeenPictures
            | Table::Recallable
            | Table::MailSentOf
            | Table::Watch => {
                if ends::settle(&self.store, batch, ended).await? {
                    batch.delete(ended.key.clone());
                }
            }
            Table::Visit => {
                if ends::settle(&self.store, batch, ended).await? {
                    self.forget_visit(batch, &ended.key).await?;
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
