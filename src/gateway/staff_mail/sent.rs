//! A secured message in its sender's Sent.

use crate::blob::{Object, RawMessage};
use crate::gateway::due::NotEnded;
use crate::gateway::records::thread;
use crate::gateway::{Gateway, Refusal, unavailable};
use crate::guests::ends;
use crate::id::{MailboxId, StaffId};
use crate::mailbox::{MailboxError, NewSent, Remains, SpecialUse};
use crate::pack::shipment::{Matter, Shipment};
use crate::store::{Batch, CommitError, StoreError};
use crate::time::Timestamp;

/// Octets of a header section that stay, at most.
const LONGEST_HEADER: u64 = 64 * 1024;

/// A message on its way into a mailbox.
pub(in crate::gateway) struct SentCopy {
    place: (StaffId, MailboxId),
    sent: NewSent,
}

impl Gateway {
    /// The Sent mailbox of who sends, where something of the message is secured and they read their mail here.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`].
    pub(in crate::gateway) async fn sent_place(
        &self,
        matter: &Matter<'_>,
        shipment: &Shipment,
    ) -> Result<Option<(StaffId, MailboxId)>, Refusal> {
        if shipment.parcel.is_none() {
            return Ok(None);
        }
        let found = self.stations.accounts.find(matter.sender).await;
        let Some((owner, _)) = found.map_err(|error| unavailable("accounts", &error))? else { return Ok(None) };
        let mailboxes = &self.stations.mailboxes;
        let reads_here = mailboxes.inbox(owner).await.map_err(unwritten)?.is_some();
        if !reads_here || mailboxes.has_sent(owner, &name(matter)).await.map_err(unwritten)? {
            return Ok(None);
        }
        Ok(Some((owner, mailboxes.special(owner, SpecialUse::Sent).await.map_err(unwritten)?)))
    }

    /// The message as it will stand there.
    ///
    /// # Errors
    /// [`Refusal::Full`], [`Refusal::Unavailable`].
    pub(in crate::gateway) async fn sent_copy(
        &self,
        matter: &Matter<'_>,
        (shipment, documents): (&Shipment, &[(String, u64)]),
        place: (StaffId, MailboxId),
        (message, original): (&RawMessage, Object),
    ) -> Result<SentCopy, Refusal> {
        let header = message.range(0..matter.outline.header_end.min(LONGEST_HEADER)).collect().await;
        let header = header.map_err(|error| unwritten(error.into()))?;
        let text = matter.facts.text.as_deref().unwrap_or_default();
        let (name, remains) = (name(matter), Remains { header: &header, text, documents });
        let until = until(matter, shipment);
        let sent = self.stations.mailboxes.new_sent((place.0, &name), (message, original), until, &remains).await;
        Ok(SentCopy { place, sent: sent.map_err(unwritten)? })
    }

    /// Puts it there, in the batch.
    ///
    /// # Errors
    /// [`Refusal::Full`], [`Refusal::Unavailable`].
    pub(in crate::gateway) async fn put_sent(
        &self,
        batch: &mut Batch,
        copy: &SentCopy,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.stations.mailboxes.put_sent(batch, copy.place, &copy.sent, now).await.map_err(unwritten)
    }

    /// Puts text and list in the place of a message whose documents have ended.
    pub(in crate::gateway) async fn end_sent(&self, ended: &ends::Ended) -> Result<bool, NotEnded> {
        match self.stations.mailboxes.end_sent(ended).await {
            Ok(over) => Ok(over),
            Err(MailboxError::Commit(error)) => Err(NotEnded::Now(error)),
            Err(MailboxError::Store(StoreError::Unsound(_)) | MailboxError::Missing) => Err(NotEnded::Damaged),
            Err(error) => Err(NotEnded::Now(CommitError::Disk(error.to_string()))),
        }
    }
}

/// Its Message-ID, by which a client's own copy is known; else its own name.
fn name(matter: &Matter<'_>) -> String {
    thread(matter.outline).0.unwrap_or_else(|| matter.transaction.to_string())
}

/// When the last of its rights ends at the latest.
fn until(matter: &Matter<'_>, shipment: &Shipment) -> Timestamp {
    let grants = shipment.parcel.iter().flat_map(|parcel| &parcel.grants);
    let kept = grants.map(|grant| grant.held.unwrap_or_default() + grant.decision.settings.keep).max();
    matter.now.plus(kept.unwrap_or_default())
}

fn unwritten(error: MailboxError) -> Refusal {
    match error {
        MailboxError::Full => Refusal::Full,
        error => unavailable("mailbox", &error),
    }
}
