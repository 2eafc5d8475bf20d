//! What a sender wants to hear of documents beside the status mail: that they were opened, and that they are still unread.
//! Each is told once. A read receipt that Outlook asks for, and `[unread 3d]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::gateway::Gateway;
use crate::gateway::questions::DueError;
use crate::gateway::round::Round;
use crate::gateway::status::StatusMail;
use crate::guests::ends;
use crate::id::{GrantId, Id, TransactionId};
use crate::policy;
use crate::store::{Batch, CommitError, Key, Record, StoreError, Stored, Table};
use crate::time::Timestamp;

/// Entries of one page.
const PAGE: usize = 100;

/// That a right is watched, by its id.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Watched {
    /// Whose message.
    transaction: TransactionId,
    /// Whether its sender is told when it is opened.
    opened: bool,
    /// When its sender is told that it is unread; the same moment stands in the index.
    unread: Option<Timestamp>,
    /// Until when it is watched.
    ends: Timestamp,
}

impl Stored for Watched {
    const VERSION: u8 = 1;
}

fn watch_key(grant: GrantId) -> Key {
    Key::new(Table::Watch, &[grant.octets()])
}

fn due_key(due: Timestamp, grant: GrantId) -> Key {
    Key::new(Table::WatchDue, &[&due.to_key(), grant.octets()])
}

fn read_due(octets: &[u8]) -> Option<(Timestamp, GrantId)> {
    let (due, id) = octets.split_first_chunk::<8>()?;
    Some((Timestamp::from_key(*due), GrantId::from_octets(id.try_into().ok()?)))
}

/// Notes in the batch what is to be told of a right.
pub(super) fn put_watch(
    batch: &mut Batch,
    (transaction, grant): (TransactionId, GrantId),
    watch: policy::Watch,
    ends: Timestamp,
    now: Timestamp,
) {
    if watch.is_idle() {
        return;
    }
    let unread = watch.unread.map(|after: Duration| now.plus(after));
    let key = watch_key(grant);
    ends::put(batch, ends, &key);
    batch.put(key, &Watched { transaction, opened: watch.opened, unread, ends });
    if let Some(due) = unread {
        batch.put_octets(due_key(due, grant), Vec::new());
    }
}

impl Gateway {
    /// Ends the watch over a right in the batch that notes that it was opened, with the mail that tells its sender where
    /// that was wanted.
    ///
    /// # Errors
    /// [`DueError`].
    pub(super) async fn put_opened(&self, batch: &mut Batch, grant: GrantId, now: Timestamp) -> Result<(), DueError> {
        let key = watch_key(grant);
        let Some(read) = self.stations.store.get::<Watched>(&key).await? else { return Ok(()) };
        let watched = read.value;
        end_watch(batch, grant, &read);
        if let Some(due) = watched.unread {
            batch.delete(due_key(due, grant));
        }
        if watched.opened {
            self.put_watch_mail(batch, &watched, grant, "opened", now).await?;
        }
        Ok(())
    }

    /// Tells the senders whose documents are unread too long. How many. Only called while the clock is believed. One that
    /// fails does not keep the others waiting.
    ///
    /// # Errors
    /// The first [`DueError`]; what is left is found again by the next round.
    pub async fn do_due_watches(&self, now: Timestamp) -> Result<usize, DueError> {
        let mut round = Round::until(now, Table::WatchDue, PAGE);
        while let Some(keys) = round.next(&self.stations.store).await? {
            for (due, grant) in keys.iter().filter_map(|key| read_due(key)) {
                round.note(self.do_unread(due, grant, now).await);
            }
        }
        round.end()
    }

    /// Looks at one right. Whether its sender was told.
    async fn do_unread(&self, due: Timestamp, grant: GrantId, now: Timestamp) -> Result<bool, DueError> {
        let mut batch = Batch::default();
        batch.delete(due_key(due, grant)).frees_space();
        let mut told = None;
        if let Some(read) = self.stations.store.get::<Watched>(&watch_key(grant)).await? {
            let waits = self.is_unread(grant, now).await?;
            if waits {
                self.put_watch_mail(&mut batch, &read.value, grant, "unread", now).await?;
                told = Some(read.value.transaction);
            }
            if waits && read.value.opened {
                let key = watch_key(grant);
                batch.require_version(key.clone(), read.version).put(key, &Watched { unread: None, ..read.value });
            } else {
                end_watch(&mut batch, grant, &read);
            }
        }
        match self.stations.store.commit(batch).await {
            Ok(_) => {}
            // It was opened just now.
            Err(CommitError::Conflict) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        if let Some(transaction) = told {
            self.stations.queue.wake();
            Event::StatusTold { transaction }.log();
        }
        Ok(told.is_some())
    }

    /// Whether a right is still waited for: not over, not taken back, and neither opened nor downloaded.
    async fn is_unread(&self, grant: GrantId, now: Timestamp) -> Result<bool, StoreError> {
        let found = self.stations.vault.grant(grant).await;
        let found = found.map_err(|error| StoreError::Unsound(error.to_string()))?.map(|record| record.value);
        Ok(found.is_some_and(|grant| {
            let read = grant.opened.or(grant.downloaded).is_some();
            !read && grant.revoked.is_none() && now < grant.keep_until
        }))
    }

    /// Puts the mail about one recipient of a message into the batch; none where the message is known no more.
    async fn put_watch_mail(
        &self,
        batch: &mut Batch,
        watched: &Watched,
        grant: GrantId,
        title: &str,
        now: Timestamp,
    ) -> Result<(), DueError> {
        let transaction = watched.transaction;
        let Some(Record { value: message, .. }) = self.message(transaction).await? else { return Ok(()) };
        let all = self.status_lines(transaction, &message, now).await?.into_iter().zip(&message.recipients);
        let mut lines: Vec<_> = all.filter(|(_, one)| one.grant == Some(grant)).map(|(line, _)| line).collect();
        // What the batch says is not written down yet.
        for line in lines.iter_mut().filter(|_| title == "opened") {
            (line.link, line.at) = (Some("opened"), Some(now));
            line.words = vec!["unshare"];
        }
        lines.iter_mut().for_each(|line| line.events.clear());
        let snapshot = self.stations.policies.snapshot();
        let mail = StatusMail { transaction, message: &message, title, done: None, lines: &lines };
        Ok(self.put_status_mail(batch, &snapshot, &mail, now).await?)
    }
}

fn end_watch(batch: &mut Batch, grant: GrantId, read: &Record<Watched>) {
    let key = watch_key(grant);
    ends::remove(batch, read.value.ends, &key);
    batch.require_version(key.clone(), read.version).delete(key);
}
