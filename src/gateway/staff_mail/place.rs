//! Where what is for a member of staff goes: to their Inbox here, by mail, or both.

use crate::gateway::mails::practice_or_first;
use crate::gateway::{Gateway, Snapshot};
use crate::id::{MailboxId, StaffId};
use crate::mail::Address;
use crate::mailbox::{Arrival, FlagSet, MailboxError};
use crate::policy::StaffMailPlace;
use crate::store::Batch;
use crate::time::Timestamp;

/// Where it goes; to one place at least.
#[derive(Debug, Clone, Copy)]
pub(in crate::gateway) struct Place {
    /// This Inbox.
    pub inbox: Option<(StaffId, MailboxId)>,
    /// By mail.
    pub mail: bool,
}

impl Gateway {
    /// Where what this practice has for this address goes: as the practice says, but by mail alone to who has no account,
    /// or has never signed in to its mailboxes, since nobody would read it there.
    ///
    /// # Errors
    /// [`MailboxError::Store`].
    pub(in crate::gateway) async fn place_of(
        &self,
        snapshot: &Snapshot,
        practice: &str,
        to: &Address,
    ) -> Result<Place, MailboxError> {
        let wanted = practice_or_first(snapshot, practice).staff_mail;
        let by_mail = Place { inbox: None, mail: true };
        if wanted == StaffMailPlace::Mail {
            return Ok(by_mail);
        }
        let found = self.stations.accounts.find(to).await?;
        let Some((owner, _)) = found.filter(|(_, account)| !account.value.disabled) else { return Ok(by_mail) };
        let inbox = self.stations.mailboxes.inbox(owner).await?;
        let inbox = inbox.map(|inbox| (owner, inbox));
        Ok(Place { inbox, mail: inbox.is_none() || wanted == StaffMailPlace::Both })
    }

    /// Puts a message into an Inbox in the batch; until that is committed or dropped nobody else changes the mailboxes of
    /// its owner.
    ///
    /// # Errors
    /// [`MailboxError`]; the batch is of no use then.
    pub(in crate::gateway) async fn put_in_inbox(
        &self,
        batch: &mut Batch,
        inbox: (StaffId, MailboxId),
        arrival: &Arrival,
        now: Timestamp,
    ) -> Result<(), MailboxError> {
        self.stations.mailboxes.put(batch, inbox, arrival, (&FlagSet::default(), now)).await.map(drop)
    }
}
