//! Single-use tokens in mails: a password to be set, a magic link. Used, expired and unknown ones are one answer.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::guests::{Guests, ends};
use crate::id::{ContactId, GrantId};
use crate::random;
use crate::secret::Secret;
use crate::store::{Batch, Key, Record, StoreError, Stored, Table};
use crate::time::Timestamp;

/// What a single-use token in a mail is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Ticket {
    /// Sets the password: after the form, or because it was forgotten.
    Password {
        /// Whose.
        contact: ContactId,
    },
    /// A magic link.
    Magic {
        /// Whose.
        contact: ContactId,
        /// What it opens.
        grant: GrantId,
    },
    /// A link whose place a fresh one took: it opens nothing, and leads to a fresh one.
    OldLink {
        /// The right it led to.
        grant: GrantId,
    },
}

/// A ticket as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredTicket {
    ticket: Ticket,
    made: Timestamp,
    until: Timestamp,
}

impl Stored for StoredTicket {
    const VERSION: u8 = 1;
}

/// A ticket that can be used, as found.
#[derive(Debug)]
pub struct LivingTicket {
    /// What it is for.
    pub ticket: Ticket,
    /// When it was made.
    pub made: Timestamp,
    key: Key,
    read: Record<StoredTicket>,
}

impl Guests {
    fn ticket_key(&self, token: &str) -> Key {
        Key::new(Table::Ticket, &[&self.keyring.lookup("ticket", token.as_bytes())])
    }

    /// Makes a single-use token that lives this long, in the batch.
    pub fn put_ticket(&self, batch: &mut Batch, ticket: &Ticket, lives: Duration, now: Timestamp) -> Secret<String> {
        let token = random::token();
        let (key, until) = (self.ticket_key(token.expose()), now.plus(lives));
        ends::put(batch, until, &key);
        batch.put(key, &StoredTicket { ticket: ticket.clone(), made: now, until });
        token
    }

    /// Remembers, in the batch, what the link with this hash of its token led to.
    pub fn put_old_link(
        &self,
        batch: &mut Batch,
        token_hash: &[u8; 16],
        grant: GrantId,
        until: Timestamp,
        now: Timestamp,
    ) {
        let key = self.old_link_key(token_hash);
        ends::put(batch, until, &key);
        batch.put(key, &StoredTicket { ticket: Ticket::OldLink { grant }, made: now, until });
    }

    /// The right that a link led to before a fresh one took its place.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn old_link(&self, token: &str, now: Timestamp) -> Result<Option<GrantId>, StoreError> {
        let key = self.old_link_key(&self.keyring.lookup("token", token.as_bytes()));
        let found = self.store.get::<StoredTicket>(&key).await?.filter(|found| now < found.value.until);
        Ok(found.and_then(|found| match found.value.ticket {
            Ticket::OldLink { grant } => Some(grant),
            Ticket::Password { .. } | Ticket::Magic { .. } => None,
        }))
    }

    fn old_link_key(&self, token_hash: &[u8; 16]) -> Key {
        Key::new(Table::Ticket, &[&self.keyring.lookup("old-link", token_hash)])
    }

    /// What a single-use token is for, without using it up. Used, expired and unknown ones are one answer.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn ticket(&self, token: &str, now: Timestamp) -> Result<Option<LivingTicket>, StoreError> {
        let key = self.ticket_key(token);
        let found = self.store.get::<StoredTicket>(&key).await?.filter(|found| now < found.value.until);
        Ok(found.map(|read| LivingTicket { ticket: read.value.ticket.clone(), made: read.value.made, key, read }))
    }

    /// Uses a token up, in the batch: of two uses at once one happens.
    pub fn use_ticket(&self, batch: &mut Batch, ticket: &LivingTicket) {
        let LivingTicket { key, read, .. } = ticket;
        ends::remove(batch, read.value.until, key);
        batch.require_version(key.clone(), read.version).delete(key.clone());
    }
}
