//! Changes that wait for the same account's turn share one commit: the disk syncs once for all of them.
//!
//! Whoever gets the turn first makes the changes of all that wait by then, in the order in which they came; who gets it
//! after that finds its own done. Nobody waits for company: a change that is alone is a commit of its own.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::id::{MailboxId, OwnerId};
use crate::mailbox::{Appended, Arrival, FlagChange, FlagSet, MailboxError, Mailboxes, ModSeq, Stored, Uids};
use crate::store::{Batch, CommitError};
use crate::time::Timestamp;

/// Changes in one commit, at most: it stays far below what a commit may hold.
const MOST: usize = 64;

/// A change of one mailbox.
pub(super) enum Work {
    /// A message is put into it, where the account has room.
    Append { mailbox: MailboxId, arrival: Arc<Arrival>, flags: FlagSet, date: Timestamp },
    /// Flags of messages change.
    Flags { mailbox: MailboxId, uids: Uids, change: FlagChange, unchanged_since: Option<ModSeq> },
}

/// What it came to.
#[derive(Clone)]
pub(super) enum Outcome {
    Appended(Appended),
    Stored(Stored),
}

type Answer = Result<Outcome, MailboxError>;

struct Waiting {
    work: Work,
    answer: oneshot::Sender<Answer>,
}

/// What waits, by account.
#[derive(Default)]
pub(super) struct Queues(Mutex<HashMap<OwnerId, VecDeque<Waiting>>>);

impl Queues {
    fn push(&self, owner: OwnerId, waiting: Waiting) {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queues.entry(owner).or_default().push_back(waiting);
    }

    /// Those that came first, [`MOST`] of them; none where all were taken along by others.
    fn take(&self, owner: OwnerId) -> Vec<Waiting> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = queues.get_mut(&owner) else { return Vec::new() };
        let taken = queue.drain(..queue.len().min(MOST)).collect();
        if queue.is_empty() {
            queues.remove(&owner);
        }
        taken
    }

    /// How many wait.
    #[cfg(test)]
    pub fn waiting(&self, owner: OwnerId) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&owner).map_or(0, VecDeque::len)
    }
}

/// What a commit puts in so far.
#[derive(Default)]
struct Added {
    octets: u64,
    messages: u64,
}

impl Mailboxes {
    /// Makes a change of one of this account's mailboxes, durable when this returns.
    ///
    /// # Errors
    /// As the change has them alone; [`CommitError::Unknown`] where it cannot be said whether it happened.
    pub(super) async fn together(&self, owner: OwnerId, work: Work) -> Answer {
        let (answer, told) = oneshot::channel();
        self.queues.push(owner, Waiting { work, answer });
        // Apart: a session that ends meanwhile must not end what others wait for.
        let mailboxes = self.clone();
        tokio::spawn(async move { mailboxes.change_all(owner).await });
        told.await.unwrap_or_else(|_| Err(CommitError::Unknown("a change of a mailbox ended early".into()).into()))
    }

    async fn change_all(&self, owner: OwnerId) {
        let mut batch = Batch::default();
        self.take_turn(&mut batch, owner).await;
        let waiting = self.queues.take(owner);
        match self.change(batch, owner, &waiting).await {
            // One of them is too large for any commit, or for one with the others.
            Err(CommitError::TooLarge) if waiting.len() > 1 => {
                for one in waiting {
                    let mut batch = Batch::default();
                    self.take_turn(&mut batch, owner).await;
                    let answers = self.change(batch, owner, std::slice::from_ref(&one)).await;
                    tell([one], answers);
                }
            }
            answers => tell(waiting, answers),
        }
    }

    /// What came of each, once all are committed.
    async fn change(&self, mut batch: Batch, owner: OwnerId, waiting: &[Waiting]) -> Result<Vec<Answer>, CommitError> {
        let (mut answers, mut added) = (Vec::with_capacity(waiting.len()), Added::default());
        for Waiting { work, .. } in waiting {
            answers.push(match work {
                Work::Append { mailbox, arrival, flags, date } => {
                    let with = (flags, *date);
                    self.append_in(&mut batch, (owner, *mailbox), arrival, with, &mut added).await
                }
                Work::Flags { mailbox, uids, change, unchanged_since } => {
                    let set = self.set_flags_in(&mut batch, (owner, *mailbox), uids, change, *unchanged_since).await;
                    set.map(Outcome::Stored)
                }
            });
        }
        if !batch.is_empty() {
            self.store.commit(batch).await?;
        }
        Ok(answers)
    }

    /// `added` is what those before it in this commit put in.
    async fn append_in(
        &self,
        batch: &mut Batch,
        to: (OwnerId, MailboxId),
        arrival: &Arrival,
        with: (&FlagSet, Timestamp),
        added: &mut Added,
    ) -> Answer {
        let now = Added { octets: added.octets.saturating_add(arrival.octets()), messages: added.messages + 1 };
        self.require_room(to.0, now.octets, now.messages).await?;
        let appended = self.put(batch, to, arrival, with).await?;
        *added = now;
        Ok(Outcome::Appended(appended))
    }
}

/// Where the commit failed it failed for each, but not for those that had failed before it.
fn tell(waiting: impl IntoIterator<Item = Waiting>, answers: Result<Vec<Answer>, CommitError>) {
    let mut answers = answers.map(Vec::into_iter);
    for Waiting { answer, .. } in waiting {
        let told = match &mut answers {
            Ok(answers) => answers.next(),
            Err(error) => Some(Err(error.again().into())),
        };
        // Who asked may be gone; the change has happened all the same.
        let _ = told.map(|told| answer.send(told));
    }
}
