//! Where what is for a member of staff or a workgroup goes: to their Inbox here, by mail, or both.

use crate::accounts::StaffAccount;
use crate::gateway::mails::practice_or_first;
use crate::gateway::{Gateway, Snapshot};
use crate::id::{MailboxId, OwnerId};
use crate::mail::Address;
use crate::mailbox::{Arrival, FlagSet, MailboxError};
use crate::policy::{StaffMailPlace, Workgroup};
use crate::store::Batch;
use crate::time::Timestamp;

/// Accounts looked at together.
const ACCOUNTS: usize = 100;

/// Where it goes; to one place at least.
#[derive(Debug, Clone, Copy)]
pub(in crate::gateway) struct Place {
    /// This Inbox.
    pub inbox: Option<(OwnerId, MailboxId)>,
    /// By mail.
    pub mail: bool,
}

impl Gateway {
    /// Where what this practice has for this address goes: as the practice or the workgroup says, but by mail alone to who has
    /// no account, or has never signed in to its mailboxes, since nobody would read it there. A workgroup's address is the
    /// workgroup's, also where there is an account of it.
    ///
    /// # Errors
    /// [`MailboxError::Store`].
    pub(in crate::gateway) async fn place_of(
        &self,
        snapshot: &Snapshot,
        practice: &str,
        to: &Address,
    ) -> Result<Place, MailboxError> {
        let group = snapshot.policy.workgroup_at(to).map(|(_, group)| group);
        let of_practice = || practice_or_first(snapshot, practice).staff_mail;
        let wanted = group.and_then(|group| group.staff_mail).unwrap_or_else(of_practice);
        let by_mail = Place { inbox: None, mail: true };
        if wanted == StaffMailPlace::Mail {
            return Ok(by_mail);
        }
        let owner = match group {
            Some(group) => Some(self.stations.mailboxes.workgroup(&group.address)),
            None => {
                let found = self.stations.accounts.find(to).await?;
                found.filter(|(_, account)| !account.value.disabled).map(|(id, _)| id.into())
            }
        };
        let Some(owner) = owner else { return Ok(by_mail) };
        let inbox = self.stations.mailboxes.inbox(owner).await?;
        let inbox = inbox.map(|inbox| (owner, inbox));
        let mut mail = inbox.is_none() || wanted == StaffMailPlace::Both;
        // What lies where nobody looks is lost: a group whose members have all left gets its mail by mail.
        if let (false, Some(group)) = (mail, group) {
            mail = !self.has_readers(group).await?;
        }
        Ok(Place { inbox, mail })
    }

    /// Whether somebody who may sign in reads for a workgroup.
    async fn has_readers(&self, group: &Workgroup) -> Result<bool, MailboxError> {
        let mut after = None;
        loop {
            let page = self.stations.accounts.list(after, ACCOUNTS).await?;
            let Some((last, _)) = page.last() else { return Ok(false) };
            after = Some(*last);
            let reads = |account: &StaffAccount| {
                !account.disabled && group.right_of(&account.address, &account.groups).is_some()
            };
            if page.iter().any(|(_, account)| reads(account)) {
                return Ok(true);
            }
        }
    }

    /// Takes the turns of all whose Inbox a batch will change, where they are several.
    ///
    /// # Errors
    /// [`MailboxError::Store`].
    pub(in crate::gateway) async fn take_turns_of(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        practice: &str,
        addresses: &[&Address],
    ) -> Result<(), MailboxError> {
        let mut owners = Vec::new();
        for address in addresses {
            owners.extend(self.place_of(snapshot, practice, address).await?.inbox.map(|(owner, _)| owner));
        }
        self.stations.mailboxes.take_turns(batch, &owners).await;
        Ok(())
    }

    /// Puts a message into an Inbox in the batch; until that is committed or dropped nobody else changes the mailboxes of
    /// its owner.
    ///
    /// # Errors
    /// [`MailboxError`]; the batch is of no use then.
    pub(in crate::gateway) async fn put_in_inbox(
        &self,
        batch: &mut Batch,
        inbox: (OwnerId, MailboxId),
        arrival: &Arrival,
        now: Timestamp,
    ) -> Result<(), MailboxError> {
        self.stations.mailboxes.put(batch, inbox, arrival, (&FlagSet::default(), now)).await.map(drop)
    }
}
