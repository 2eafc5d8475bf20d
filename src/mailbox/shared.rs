//! Mailboxes of a workgroup: whose they are, and what its members are shown of them without asking.

use std::collections::BTreeSet;

use crate::id::{Id, MailboxId, OwnerId};
use crate::mail::Address;
use crate::mailbox::records::{Catalogue, Head};
use crate::mailbox::{MailboxError, MailboxName, Mailboxes, SpecialUse};
use crate::store::{Batch, Record};

/// The mailboxes of a new workgroup. What members delete goes where their mail programs put it: to a trash of their own.
const FIRST: [(&str, Option<SpecialUse>); 2] = [("INBOX", None), ("Sent", Some(SpecialUse::Sent))];

impl Mailboxes {
    /// Whose the mailboxes of a workgroup's address are: a keyed hash of it, so that there is no record to make and none to
    /// lose. A group that is taken out of the policy and written again finds its mail.
    pub fn workgroup(&self, address: &Address) -> OwnerId {
        OwnerId::from_octets(self.keyring.lookup("mail-workgroup", address.lookup_form().as_bytes()))
    }

    /// Makes a workgroup's first mailboxes, where there are none yet.
    ///
    /// # Errors
    /// [`MailboxError`].
    pub async fn prepare_workgroup(&self, owner: OwnerId) -> Result<(), MailboxError> {
        self.prepare_with(owner, &FIRST).await
    }

    /// Whose a mailbox is.
    ///
    /// # Errors
    /// [`MailboxError::Missing`].
    pub async fn owner_of(&self, id: MailboxId) -> Result<OwnerId, MailboxError> {
        Ok(self.store.get::<Head>(&Head::key(id)).await?.ok_or(MailboxError::Missing)?.value.owner)
    }

    /// Names of others' mailboxes whose subscription this account has ended.
    ///
    /// # Errors
    /// [`MailboxError`].
    pub async fn declined(&self, owner: OwnerId) -> Result<BTreeSet<MailboxName>, MailboxError> {
        Ok(self.catalogue(owner).await?.value.declined)
    }

    /// Subscribes a name of others' mailboxes, or ends that: those are subscribed where nobody says otherwise, so it is
    /// remembered who does.
    ///
    /// # Errors
    /// As [`Mailboxes::subscribe`].
    pub async fn subscribe_shared(
        &self,
        owner: OwnerId,
        name: &MailboxName,
        subscribed: bool,
    ) -> Result<(), MailboxError> {
        let mut batch = Batch::default();
        self.take_turn(&mut batch, owner).await;
        let Record { version, value: mut catalogue } = self.catalogue(owner).await?;
        let Catalogue { subscribed: wanted, declined, .. } = &mut catalogue;
        let (into, out_of) = if subscribed { (wanted, declined) } else { (declined, wanted) };
        let (added, removed) = (into.insert(name.clone()), out_of.remove(name));
        if !added && !removed {
            return Ok(());
        }
        if added && into.len() > self.limits.mailboxes * 2 {
            return Err(MailboxError::TooMany);
        }
        self.put_catalogue(batch, owner, version, &catalogue).await
    }
}
