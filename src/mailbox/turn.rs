//! Turns: changes of one account's mailboxes come one after the other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as Gate, OwnedMutexGuard};

use crate::id::{MailboxId, StaffId};
use crate::mailbox::Mailboxes;
use crate::mailbox::opened::Shelf;
use crate::store::Batch;

/// Whose turn it is, by account.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<StaffId, Weak<Gate<()>>>>);

impl Turns {
    fn gate(&self, owner: StaffId) -> Arc<Gate<()>> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = gates.get(&owner).and_then(Weak::upgrade) {
            return gate;
        }
        gates.retain(|_, gate| gate.strong_count() > 0);
        let gate = Arc::default();
        gates.insert(owner, Arc::downgrade(&gate));
        gate
    }
}

/// The right to change an account's mailboxes. When it is dropped those that wait for changes are told.
pub struct Turn {
    owner: StaffId,
    touched: Vec<MailboxId>,
    shelf: Arc<Shelf>,
    _guard: OwnedMutexGuard<()>,
}

impl Turn {
    /// Whose mailboxes.
    pub fn owner(&self) -> StaffId {
        self.owner
    }

    /// Notes that a mailbox is changed by the batch of this turn.
    pub(super) fn touch(&mut self, id: MailboxId) {
        if !self.touched.contains(&id) {
            self.touched.push(id);
        }
    }

    /// Keeps the turn until the batch is committed, refused or dropped.
    pub fn hold_in(self, batch: &mut Batch) {
        batch.hold(Arc::new(self));
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        for id in &self.touched {
            self.shelf.tell(*id);
        }
    }
}

impl Mailboxes {
    /// Waits for the turn to change this account's mailboxes. Who holds one and waits for another's may wait for ever: a
    /// batch changes one account's mailboxes.
    pub async fn turn(&self, owner: StaffId) -> Turn {
        let guard = self.turns.gate(owner).lock_owned().await;
        Turn { owner, touched: Vec::new(), shelf: Arc::clone(&self.shelf), _guard: guard }
    }
}
