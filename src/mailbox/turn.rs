//! Turns: changes of one account's mailboxes come one after the other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as Gate, OwnedMutexGuard};

use crate::id::{MailboxId, OwnerId};
use crate::mailbox::Mailboxes;
use crate::mailbox::opened::Shelf;
use crate::store::Batch;

/// Whose turn it is, by account.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<OwnerId, Weak<Gate<()>>>>);

impl Turns {
    fn gate(&self, owner: OwnerId) -> Arc<Gate<()>> {
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

/// The right to change an account's mailboxes, held by a batch. When it is dropped those that wait for changes are told.
pub(super) struct Turn {
    owner: OwnerId,
    touched: Mutex<Vec<MailboxId>>,
    shelf: Arc<Shelf>,
    _guard: OwnedMutexGuard<()>,
}

impl Turn {
    /// Notes that a mailbox is changed by the batch of this turn.
    pub fn touch(&self, id: MailboxId) {
        let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        if !touched.contains(&id) {
            touched.push(id);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let touched = std::mem::take(self.touched.get_mut().unwrap_or_else(PoisonError::into_inner));
        touched.into_iter().for_each(|id| self.shelf.tell(id));
    }
}

impl Mailboxes {
    /// Waits for the turns to change the mailboxes of these owners, which the batch then holds until it is committed, refused
    /// or dropped. Always in the same order: were they taken in any, two batches might wait for each other for ever. So a batch
    /// that changes those of more than one takes their turns here, before anything else.
    pub async fn take_turns(&self, batch: &mut Batch, owners: &[OwnerId]) {
        let mut owners = owners.to_vec();
        owners.sort_unstable();
        for owner in owners {
            self.take_turn(batch, owner).await;
        }
    }

    /// Waits for the turn to change this account's mailboxes, which the batch then holds until it is committed, refused or
    /// dropped. One that holds it already has it.
    pub(super) async fn take_turn(&self, batch: &mut Batch, owner: OwnerId) {
        if held(batch, owner).is_some() {
            return;
        }
        let guard = self.turns.gate(owner).lock_owned().await;
        let shelf = Arc::clone(&self.shelf);
        batch.hold(Arc::new(Turn { owner, touched: Mutex::default(), shelf, _guard: guard }));
    }
}

/// The batch's turn to change this account's mailboxes.
pub(super) fn held(batch: &Batch, owner: OwnerId) -> Option<&Turn> {
    batch.held::<Turn>().find(|turn| turn.owner == owner)
}
