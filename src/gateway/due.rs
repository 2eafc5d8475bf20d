//! What is due, done by index: invitations that are to be reminded or have expired, questions to senders, status mails,
//! and records whose time is over. Nothing is scanned.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::agenda::supervise;
use crate::gateway::invitations::InvitationError;
use crate::gateway::{Gateway, trouble};
use crate::guests::{DueInvitation, ends};
use crate::invitation::Event;
use crate::store::{self, Batch, CommitError, StoreError, Table};
use crate::time::Timestamp;
use crate::vault::VaultError;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(30);
/// How long the other letters of a message have to end too, so that one mail tells of all.
const TOGETHER: Duration = Duration::from_secs(1);
/// Entries of one page.
const PAGE: usize = 100;

/// Tells whether the clock is believed.
pub type Believes = Arc<dyn Fn() -> bool + Send + Sync>;

impl Gateway {
    /// Does what is due, every thirty seconds, until `stop` says true; what panics goes on after a rest. It is looked
    /// too when a letter has ended whose sender may have to be told. While the clock is not believed, nothing is done: no mail that was sent too soon can be
    /// taken back.
    pub async fn keep_due(self, clock_is_believed: Believes, stop: watch::Receiver<bool>) {
        let rounds = || self.clone().make_rounds(clock_is_believed.clone(), stop.clone());
        supervise("due work", LOOK, stop.clone(), rounds).await;
    }

    async fn make_rounds(self, clock_is_believed: Believes, mut stop: watch::Receiver<bool>) {
        loop {
            if clock_is_believed() {
                self.do_due(store::now()).await;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => continue,
                () = self.stations.queue.letter_ended() => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            let stopped = tokio::time::timeout(TOGETHER, stop.wait_for(|stop| *stop)).await;
            if stopped.is_ok() {
                return;
            }
        }
    }

    /// One round. What fails is logged, and found again by the next.
    async fn do_due(&self, now: Timestamp) {
        if let Err(error) = self.do_due_invitations(now).await {
            trouble("due invitations", &error);
        }
        if let Err(error) = self.do_due_questions(now).await {
            trouble("due questions", &error);
        }
        if let Err(error) = self.do_due_status(now).await {
            trouble("due status mails", &error);
        }
        if let Err(error) = self.do_ended(now).await {
            trouble("ended records", &error);
        }
    }

    /// Does what is due for invitations. How many. Only called while the clock is believed. One that fails does not keep
    /// the others waiting.
    ///
    /// # Errors
    /// The first [`InvitationError`]; what is left is found again by the next round.
    pub async fn do_due_invitations(&self, now: Timestamp) -> Result<usize, InvitationError> {
        let (mut done, mut after, mut failed) = (0, None, None);
        loop {
            let page = self.stations.guests.invitations_due(now, after, PAGE).await?;
            after = page.last().copied();
            if page.is_empty() {
                return failed.map_or(Ok(done), Err);
            }
            for due in page {
                match self.do_due_invitation(due, now).await {
                    Ok(()) => done += 1,
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
        }
    }

    async fn do_due_invitation(&self, due: DueInvitation, now: Timestamp) -> Result<(), InvitationError> {
        match self.change_invitation(due.contact, Event::Due, None, now).await {
            // It was forgotten, and its entry with it was not.
            Err(InvitationError::Missing) => {
                let mut batch = Batch::default();
                self.stations.guests.forget_due(&mut batch, due);
                batch.frees_space();
                self.stations.store.commit(batch).await?;
                Ok(())
            }
            result => result,
        }
    }

    /// Removes records whose time is over. How many.
    ///
    /// # Errors
    /// Where the store cannot be read or written; what is left is found again by the next round.
    pub async fn do_ended(&self, now: Timestamp) -> Result<usize, CommitError> {
        let (mut done, mut after) = (0, None);
        loop {
            let page = ends::due(&self.stations.store, now, after.as_ref(), PAGE).await.map_err(unread)?;
            done += match self.end_all(&page).await {
                // One of them was let live longer: then each for itself.
                Err(CommitError::Conflict) => self.end_each(&page).await?,
                other => other?,
            };
            after = page.last().cloned();
            if page.is_empty() {
                return Ok(done);
            }
        }
    }

    async fn end_each(&self, page: &[ends::Ended]) -> Result<usize, CommitError> {
        let mut done = 0;
        for ended in page {
            done += match self.end_all(std::slice::from_ref(ended)).await {
                Err(CommitError::Conflict) => 0,
                other => other?,
            };
        }
        Ok(done)
    }

    async fn end_all(&self, page: &[ends::Ended]) -> Result<usize, CommitError> {
        let (mut batch, mut done) = (Batch::default(), 0);
        for ended in page {
            done += usize::from(match self.stations.guests.forget_ended(&mut batch, ended).await.map_err(unread)? {
                true => true,
                false => self.end_elsewhere(ended).await?,
            });
        }
        if !batch.is_empty() {
            batch.frees_space();
            self.stations.store.commit(batch).await?;
        }
        Ok(done)
    }
}

impl Gateway {
    /// A conversation holds replies, and they hold octets: the vault ends them all together.
    async fn end_elsewhere(&self, ended: &ends::Ended) -> Result<bool, CommitError> {
        if ended.key.table != Table::Reply {
            return Ok(false);
        }
        match self.stations.vault.end_conversation(ended.at, &ended.key).await {
            Ok(over) => Ok(over),
            Err(VaultError::Commit(error)) => Err(error),
            Err(error) => Err(CommitError::Disk(error.to_string())),
        }
    }
}

fn unread(error: StoreError) -> CommitError {
    CommitError::Disk(error.to_string())
}
