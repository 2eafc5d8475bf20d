//! What is due, done by index: invitations that are to be reminded or have expired, questions to senders, status mails,
//! documents that are unread too long, and records whose time is over. Nothing is scanned.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

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
    /// Does what is due, every thirty seconds, until `stop` says true; what panics goes on after a rest. Status mails are
    /// looked at too when a letter has ended whose sender may have to be told. While the clock is not believed, nothing is
    /// done: no mail that was sent too soon can be taken back.
    pub async fn keep_due(self, clock_is_believed: Believes, stop: watch::Receiver<bool>) {
        let rounds = || self.clone().make_rounds(clock_is_believed.clone(), stop.clone());
        supervise("due work", LOOK, stop.clone(), rounds).await;
    }

    async fn make_rounds(self, clock_is_believed: Believes, mut stop: watch::Receiver<bool>) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let letter_ended = tokio::select! {
                _ = looks.tick() => false,
                () = self.stations.queue.letter_ended() => true,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            if letter_ended && tokio::time::timeout(TOGETHER, stop.wait_for(|stop| *stop)).await.is_ok() {
                return;
            }
            match (clock_is_believed(), letter_ended) {
                (true, true) => self.tell_due(store::now()).await,
                (true, false) => self.do_due(store::now()).await,
                (false, _) => {}
            }
        }
    }

    /// Everything that is due. What fails is logged, and found again by the next round.
    async fn do_due(&self, now: Timestamp) {
        if let Err(error) = self.do_due_invitations(now).await {
            trouble("due invitations", &error);
        }
        if let Err(error) = self.do_due_questions(now).await {
            trouble("due questions", &error);
        }
        self.tell_due(now).await;
        if let Err(error) = self.do_due_watches(now).await {
            trouble("due watches", &error);
        }
        if let Err(error) = self.do_ended(now).await {
            trouble("ended records", &error);
        }
    }

    /// The status mails alone: what a letter that ended may call for.
    async fn tell_due(&self, now: Timestamp) {
        if let Err(error) = self.do_due_status(now).await {
            trouble("due status mails", &error);
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

    /// Removes records whose time is over. How many. One that is damaged, or for whose end the disk has no room, keeps no
    /// other from ending: it stays, and the log says of which kind it is.
    ///
    /// # Errors
    /// Where the index cannot be read, or the first [`CommitError`]; what is left is found again by the next round.
    pub async fn do_ended(&self, now: Timestamp) -> Result<usize, CommitError> {
        let (mut done, mut after, mut left) = (0, None, Left::default());
        loop {
            let page = ends::due(&self.stations.store, now, after.as_ref(), PAGE).await.map_err(unread)?;
            done += match self.end_all(&page).await {
                Ok(ended) => ended,
                // One of them was let live longer, or cannot be ended: then each for itself.
                Err(_) => self.end_each(&page, &mut left).await,
            };
            after = page.last().cloned();
            if page.is_empty() {
                break;
            }
        }
        for (table, count) in left.damaged {
            trouble("ended records", &format!("{count} of the table {table} are damaged and cannot be ended"));
        }
        left.failed.map_or(Ok(done), Err)
    }

    async fn end_each(&self, page: &[ends::Ended], left: &mut Left) -> usize {
        let mut done = 0;
        for ended in page {
            match self.end_all(std::slice::from_ref(ended)).await {
                Ok(ended) => done += ended,
                Err(NotEnded::Now(CommitError::Conflict)) => {}
                Err(NotEnded::Damaged) => *left.damaged.entry(format!("{:?}", ended.key.table)).or_default() += 1,
                Err(NotEnded::Now(error)) => {
                    left.failed.get_or_insert(error);
                }
            }
        }
        done
    }

    async fn end_all(&self, page: &[ends::Ended]) -> Result<usize, NotEnded> {
        let (mut batch, mut done) = (Batch::default(), 0);
        for ended in page {
            done += usize::from(match self.stations.guests.forget_ended(&mut batch, ended).await? {
                true => true,
                false => self.end_elsewhere(ended).await?,
            });
        }
        if !batch.is_empty() {
            batch.frees_space();
            self.stations.store.commit(batch).await.map_err(NotEnded::Now)?;
        }
        Ok(done)
    }

    /// A conversation holds replies, and they hold octets: the vault ends them all together.
    async fn end_elsewhere(&self, ended: &ends::Ended) -> Result<bool, NotEnded> {
        if ended.key.table == Table::MailSent {
            return self.end_sent(ended).await;
        }
        if ended.key.table != Table::Reply {
            return Ok(false);
        }
        match self.stations.vault.end_conversation(ended.at, &ended.key).await {
            Ok(over) => Ok(over),
            Err(VaultError::Commit(error)) => Err(NotEnded::Now(error)),
            Err(VaultError::Store(error)) => Err(error.into()),
            Err(VaultError::Unsound(_)) => Err(NotEnded::Damaged),
            Err(error) => Err(NotEnded::Now(CommitError::Disk(error.to_string()))),
        }
    }
}

/// What a round did not end.
#[derive(Default)]
struct Left {
    /// How many that are damaged, by table.
    damaged: BTreeMap<String, usize>,
    /// Why the first of the others was not.
    failed: Option<CommitError>,
}

/// Why records were not ended.
pub(super) enum NotEnded {
    /// One of them does not open.
    Damaged,
    /// It cannot be done now.
    Now(CommitError),
}

impl From<StoreError> for NotEnded {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unsound(_) => Self::Damaged,
            other => Self::Now(unread(other)),
        }
    }
}

fn unread(error: StoreError) -> CommitError {
    CommitError::Disk(error.to_string())
}
