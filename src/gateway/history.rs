//! What happened to a message: written down with the change itself, read for status mails and `history`.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::gateway::Gateway;
use crate::guests::ends;
use crate::id::{GrantId, Id, TransactionId};
use crate::keyring::{Capsule, KeyClass, KeyringError};
use crate::random;
use crate::store::{Batch, Key, StoreError, Stored, Table};
use crate::time::Timestamp;

/// How long a line is kept: as long as the longest life of a message's record. What is held for an invitation and then
/// kept lasts 150 days at most, and is known of for 90 more.
const KEPT: Duration = Duration::from_secs(240 * 86_400);

/// Lines read at once.
const PAGE: usize = 500;

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Happened {
    /// The invitation was mailed.
    Invited,
    /// A reminder was mailed.
    Reminded,
    /// The person registered.
    Registered,
    /// A birthdate was wrong.
    BirthdateWrong,
    /// The invitation was cancelled.
    InvitationCancelled,
    /// The invitation has expired.
    InvitationExpired,
    /// The message was opened, the first time.
    Opened,
    /// A document was downloaded.
    Downloaded,
    /// A fresh link was mailed.
    LinkMailed,
    /// The guest replied.
    Replied,
    /// The right was taken back.
    Revoked,
}

/// A line of history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryLine {
    /// Whose right it is about.
    pub grant: GrantId,
    /// What.
    pub what: Happened,
    /// When.
    pub at: Timestamp,
    /// From where, for what a guest did.
    pub from: Option<IpAddr>,
}

/// A line as stored: where somebody was is theirs, so it is sealed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct SealedLine {
    line: Capsule,
}

impl Stored for SealedLine {
    const VERSION: u8 = 1;
}

impl Gateway {
    /// Puts a line into the batch. It is kept as long as the message's record (docs/storage.md).
    ///
    /// # Errors
    /// Where it cannot be sealed.
    pub(super) fn put_history(
        &self,
        batch: &mut Batch,
        transaction: TransactionId,
        line: &HistoryLine,
    ) -> Result<(), StoreError> {
        let unique: [u8; 8] = random::octets();
        let key = Key::new(Table::History, &[transaction.octets(), &line.at.to_key(), &unique]);
        let ends = line.at.plus(KEPT);
        let (day, class) = (ends.day().plus(1), KeyClass::Contact);
        let sealed = Capsule::seal(&self.stations.keyring, day, class, &key.octets, line)
            .map_err(|error| StoreError::Unsound(error.to_string()))?;
        ends::put(batch, ends, &key);
        batch.put(key, &SealedLine { line: sealed });
        Ok(())
    }

    /// The history of a message, oldest first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn history(&self, transaction: TransactionId) -> Result<Vec<HistoryLine>, StoreError> {
        let (mut from, end) = (transaction.octets().to_vec(), [transaction.octets().as_slice(), &[0xFF; 17]].concat());
        let mut lines = Vec::new();
        loop {
            let page = self.stations.store.scan::<SealedLine>(Table::History, &from, &end, PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(lines) };
            from = [last.as_slice(), &[0]].concat();
            for (key, record) in page {
                match record.value.line.open::<HistoryLine>(&self.stations.keyring, &key) {
                    Ok(line) => lines.push(line),
                    Err(KeyringError::NoKeyFor(_)) => {}
                    Err(other) => return Err(StoreError::Unsound(other.to_string())),
                }
            }
        }
    }
}
