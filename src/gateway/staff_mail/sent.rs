//! A secured message in Sent: its sender's, and the workgroup's as which it was sent.

use crate::blob::{Object, RawMessage, Released};
use crate::gateway::due::NotEnded;
use crate::gateway::records::thread;
use crate::gateway::{Gateway, Refusal, unavailable};
use crate::guests::ends;
use crate::id::{MailboxId, OwnerId};
use crate::mail::Origin;
use crate::mailbox::{MailboxError, NewSent, Remains, SpecialUse};
use crate::pack::shipment::{Matter, Shipment};
use crate::store::{Batch, CommitError, StoreError};
use crate::time::Timestamp;

/// Octets of a header section that stay, at most.
const LONGEST_HEADER: u64 = 64 * 1024;

/// A message on its way into a mailbox.
pub(in crate::gateway) struct SentCopy {
    place: (OwnerId, MailboxId),
    sent: NewSent,
}

impl SentCopy {
    /// Whose Sent.
    pub(in crate::gateway) fn owner(&self) -> OwnerId {
        self.place.0
    }
}

impl Gateway {
    /// The Sent mailboxes that a message goes to where something of it is secured, of those who read their mail here: the
    /// sender's, or the workgroup's as which it was sent and that of the member who sent it, so that both find it.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`].
    pub(in crate::gateway) async fn sent_places(
        &self,
        matter: &Matter<'_>,
        shipment: &Shipment,
        origin: &Origin,
    ) -> Result<Vec<(OwnerId, MailboxId)>, Refusal> {
        let mut places = Vec::new();
        if shipment.parcel.is_none() {
            return Ok(places);
        }
        let (mailboxes, name) = (&self.stations.mailboxes, name(matter));
        for owner in self.senders(matter, origin).await? {
            let reads_here = mailboxes.inbox(owner).await.map_err(unwritten)?.is_some();
            if reads_here && !mailboxes.has_sent(owner, &name).await.map_err(unwritten)? {
                places.push((owner, mailboxes.special(owner, SpecialUse::Sent).await.map_err(unwritten)?));
            }
        }
        Ok(places)
    }

    async fn senders(&self, matter: &Matter<'_>, origin: &Origin) -> Result<Vec<OwnerId>, Refusal> {
        if let Some((_, group)) = matter.policy.workgroup_at(matter.sender) {
            let member = match origin {
                Origin::Staff { id, .. } => Some(OwnerId::from(*id)),
                Origin::Relay { .. } => None,
            };
            return Ok([self.stations.mailboxes.workgroup(&group.address)].into_iter().chain(member).collect());
        }
        let found = self.stations.accounts.find(matter.sender).await;
        let found = found.map_err(|error| unavailable("accounts", &error))?;
        Ok(found.map(|(id, _)| id.into()).into_iter().collect())
    }

    /// The message as it will stand there.
    ///
    /// # Errors
    /// [`Refusal::Full`], [`Refusal::Unavailable`].
    pub(in crate::gateway) async fn sent_copy(
        &self,
        matter: &Matter<'_>,
        (shipment, documents): (&Shipment, &[(String, u64)]),
        place: (OwnerId, MailboxId),
        (message, original): (&RawMessage, Object),
    ) -> Result<SentCopy, Refusal> {
        let header = message.range(0..matter.outline.header_end.min(LONGEST_HEADER)).collect().await;
        let header = header.map_err(|error| unwritten(error.into()))?;
        let text = matter.facts.text.as_deref().unwrap_or_default();
        let (name, remains) = (name(matter), Remains { header: &header, text, documents });
        let until = until(matter, shipment);
        let named = (place.0, name.as_str(), matter.transaction);
        let sent = self.stations.mailboxes.new_sent(named, (message, original), until, &remains).await;
        Ok(SentCopy { place, sent: sent.map_err(unwritten)? })
    }

    /// Puts it there, in the batch. The files to remove after the commit.
    ///
    /// # Errors
    /// [`Refusal::Full`], [`Refusal::Unavailable`].
    pub(in crate::gateway) async fn put_sent(
        &self,
        batch: &mut Batch,
        copy: &SentCopy,
        now: Timestamp,
    ) -> Result<Vec<Released>, Refusal> {
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
