//! The mailboxes of an account: names, uses, subscriptions, numbers.

use std::collections::BTreeSet;

use crate::id::{Id, MailboxId, OwnerId};
use crate::mailbox::arrival::Disposal;
use crate::mailbox::records::{Catalogue, Entry, Head, behind};
use crate::mailbox::turn::held;
use crate::mailbox::{MailboxError, MailboxName, Mailboxes, ModSeq, NameError, SpecialUse, TRIES, Uid, Usage};
use crate::random;
use crate::store::{self, Batch, CommitError, Key, Record, Table};

/// A line of LIST.
#[derive(Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: MailboxName,
    /// The mailbox; `None` for a name that only has others below it (`\Noselect`, `\NonExistent`), or is only subscribed.
    pub id: Option<MailboxId>,
    /// What it is for.
    pub special: Option<SpecialUse>,
    /// Whether it is subscribed.
    pub subscribed: bool,
    /// Whether there is a mailbox below it.
    pub has_children: bool,
}

crate::secret::silent_debug!(Listed);

/// The numbers of a mailbox (STATUS).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// MAILBOXID.
    pub id: MailboxId,
    /// UIDVALIDITY.
    pub validity: u32,
    /// UIDNEXT.
    pub uid_next: Uid,
    /// HIGHESTMODSEQ.
    pub modseq: ModSeq,
    /// MESSAGES.
    pub messages: u32,
    /// UNSEEN.
    pub unseen: u32,
    /// DELETED.
    pub deleted: u32,
    /// RECENT: those that came since a session was last told of new ones.
    pub recent: u32,
    /// SIZE, in octets.
    pub octets: u64,
}

/// The mailboxes of a new account.
const FIRST: [(&str, Option<SpecialUse>); 5] = [
    ("INBOX", None),
    ("Sent", Some(SpecialUse::Sent)),
    ("Drafts", Some(SpecialUse::Drafts)),
    ("Trash", Some(SpecialUse::Trash)),
    ("Junk", Some(SpecialUse::Junk)),
];

impl Mailboxes {
    pub(super) async fn catalogue(&self, owner: OwnerId) -> Result<Record<Catalogue>, MailboxError> {
        self.store.get(&Catalogue::key(owner)).await?.ok_or(MailboxError::Missing)
    }

    /// Makes the mailboxes that every account has, where there are none yet.
    ///
    /// # Errors
    /// [`MailboxError`].
    pub async fn prepare(&self, owner: OwnerId) -> Result<(), MailboxError> {
        self.prepare_with(owner, &FIRST).await
    }

    pub(super) async fn prepare_with(
        &self,
        owner: OwnerId,
        first: &[(&str, Option<SpecialUse>)],
    ) -> Result<(), MailboxError> {
        let key = Catalogue::key(owner);
        if self.store.get::<Catalogue>(&key).await?.is_some() {
            return Ok(());
        }
        let (mut batch, mut catalogue) = (Batch::default(), Catalogue::default());
        self.take_turn(&mut batch, owner).await;
        if self.store.get::<Catalogue>(&key).await?.is_some() {
            return Ok(());
        }
        for (name, special) in first.iter().copied() {
            let Ok(name) = MailboxName::parse(name) else { continue };
            catalogue.subscribed.insert(name.clone());
            put_mailbox(&mut batch, &mut catalogue, owner, name, special);
        }
        batch.require_absent(key.clone()).put(key, &catalogue);
        self.store.commit(batch).await?;
        Ok(())
    }

    /// What LIST shows: mailboxes, names that only have others below them, and names that are only subscribed; by name.
    ///
    /// # Errors
    /// [`MailboxError::Store`].
    pub async fn list(&self, owner: OwnerId) -> Result<Vec<Listed>, MailboxError> {
        let Catalogue { entries, subscribed, .. } = self.catalogue(owner).await?.value;
        let parents: BTreeSet<MailboxName> = entries.iter().flat_map(|entry| entry.name.ancestors()).collect();
        let named = entries.iter().map(|entry| &entry.name).chain(&parents).chain(&subscribed);
        let names: BTreeSet<&MailboxName> = named.collect();
        let line = |name: &MailboxName| {
            let entry = entries.iter().find(|entry| entry.name == *name);
            Listed {
                name: name.clone(),
                id: entry.map(|entry| entry.id),
                special: entry.and_then(|entry| entry.special),
                subscribed: subscribed.contains(name),
                has_children: parents.contains(name),
            }
        };
        Ok(names.into_iter().map(line).collect())
    }

    /// The mailbox of this name.
    ///
    /// # Errors
    /// [`MailboxError::Missing`].
    pub async fn find(&self, owner: OwnerId, name: &MailboxName) -> Result<MailboxId, MailboxError> {
        let catalogue = self.catalogue(owner).await?.value;
        catalogue.find(name).map(|entry| entry.id).ok_or(MailboxError::Missing)
    }

    /// The Inbox of an account; `None` where nobody has signed in to its mailboxes yet.
    ///
    /// # Errors
    /// [`MailboxError::Store`].
    pub async fn inbox(&self, owner: OwnerId) -> Result<Option<MailboxId>, MailboxError> {
        let found = self.store.get::<Catalogue>(&Catalogue::key(owner)).await?;
        Ok(found.and_then(|record| record.value.find(&MailboxName::inbox()).map(|entry| entry.id)))
    }

    /// The mailbox that is for this; made anew where it was deleted.
    ///
    /// # Errors
    /// [`MailboxError`].
    pub async fn special(&self, owner: OwnerId, special: SpecialUse) -> Result<MailboxId, MailboxError> {
        let catalogue = self.catalogue(owner).await?.value;
        if let Some(entry) = catalogue.entries.iter().find(|entry| entry.special == Some(special)) {
            return Ok(entry.id);
        }
        let name = MailboxName::parse(special.attribute().trim_start_matches('\\'));
        let name = name.map_err(|_| MailboxError::Missing)?;
        match catalogue.find(&name) {
            Some(entry) => Ok(entry.id),
            None => self.create(owner, &name, Some(special)).await,
        }
    }

    /// The numbers of a mailbox.
    ///
    /// # Errors
    /// [`MailboxError::Missing`].
    pub async fn status(&self, owner: OwnerId, id: MailboxId) -> Result<Status, MailboxError> {
        let head = self.head(owner, id).await?.value;
        let recent_from = self.shelf.recent_from(id).unwrap_or(head.recent_from);
        Ok(Status {
            id,
            validity: head.validity,
            uid_next: head.uid_next,
            modseq: head.modseq,
            messages: head.messages,
            unseen: head.unseen,
            deleted: head.deleted,
            recent: head.uid_next.saturating_sub(recent_from).min(head.messages),
            octets: head.octets,
        })
    }

    /// What the account holds.
    ///
    /// # Errors
    /// [`MailboxError::Store`].
    pub async fn usage(&self, owner: OwnerId) -> Result<Usage, MailboxError> {
        let mut usage = Usage { octets: 0, messages: 0, most_octets: self.limits.account };
        for entry in self.catalogue(owner).await?.value.entries {
            if let Some(head) = self.store.get::<Head>(&Head::key(entry.id)).await? {
                usage.octets += head.value.octets;
                usage.messages += u64::from(head.value.messages);
            }
        }
        Ok(usage)
    }

    /// Makes a mailbox. Names above it need not be mailboxes.
    ///
    /// # Errors
    /// [`MailboxError::Exists`], [`MailboxError::UseTaken`], [`MailboxError::TooMany`].
    pub async fn create(
        &self,
        owner: OwnerId,
        name: &MailboxName,
        special: Option<SpecialUse>,
    ) -> Result<MailboxId, MailboxError> {
        let mut batch = Batch::default();
        self.take_turn(&mut batch, owner).await;
        let Record { version, value: mut catalogue } = self.catalogue(owner).await?;
        if catalogue.find(name).is_some() {
            return Err(MailboxError::Exists);
        }
        if special.is_some() && catalogue.entries.iter().any(|entry| entry.special == special) {
            return Err(MailboxError::UseTaken);
        }
        if catalogue.entries.len() >= self.limits.mailboxes {
            return Err(MailboxError::TooMany);
        }
        let id = put_mailbox(&mut batch, &mut catalogue, owner, name.clone(), special);
        self.put_catalogue(batch, owner, version, &catalogue).await?;
        Ok(id)
    }

    pub(super) async fn put_catalogue(
        &self,
        mut batch: Batch,
        owner: OwnerId,
        version: u64,
        catalogue: &Catalogue,
    ) -> Result<(), MailboxError> {
        let key = Catalogue::key(owner);
        batch.require_version(key.clone(), version).put(key, catalogue);
        self.store.commit(batch).await?;
        Ok(())
    }

    /// Deletes a mailbox with its messages; those below it stay. Where it has more messages than one commit takes, the
    /// others go before: who is interrupted finds it with fewer, and deletes it again. It is tried again where another owner lets go
    /// of the same octets.
    ///
    /// # Errors
    /// [`MailboxError::Kept`] for Inbox; [`MailboxError::HasChildren`] for a name that only has others below it.
    pub async fn delete(&self, owner: OwnerId, name: &MailboxName) -> Result<(), MailboxError> {
        if name.is_inbox() {
            return Err(MailboxError::Kept);
        }
        if let Ok(id) = self.find(owner, name).await {
            self.thin_out(owner, id).await?;
        }
        let mut tries = TRIES;
        loop {
            tries -= 1;
            match self.try_delete(owner, name).await {
                Err(MailboxError::Commit(CommitError::Conflict)) if tries > 0 => {}
                deleted => return deleted,
            }
        }
    }

    async fn try_delete(&self, owner: OwnerId, name: &MailboxName) -> Result<(), MailboxError> {
        let mut batch = Batch::default();
        self.take_turn(&mut batch, owner).await;
        let Record { version, value: mut catalogue } = self.catalogue(owner).await?;
        let Some(at) = catalogue.entries.iter().position(|entry| entry.name == *name) else {
            let above = catalogue.entries.iter().any(|entry| entry.name.is_below(name));
            return Err(if above { MailboxError::HasChildren } else { MailboxError::Missing });
        };
        let id = catalogue.entries.remove(at).id;
        let view = self.open(owner, id).await?.view().await?;
        batch.frees_space().require_version(Head::key(id), view.version()).delete(Head::key(id));
        let mut disposal = Disposal::default();
        for row in view.rows() {
            self.dispose(&mut batch, row.mail, &mut disposal).await?;
        }
        for table in [Table::MailPage, Table::MailMark] {
            let keys = self.store.scan_keys(table, id.octets(), &behind(id), usize::MAX).await?;
            for key in keys {
                batch.delete(Key::new(table, &[&key]));
            }
        }
        if let Some(turn) = held(&batch, owner) {
            turn.touch(id);
        }
        self.put_catalogue(batch, owner, version, &catalogue).await?;
        self.objects.drop_files(disposal.files).await;
        self.shelf.forget(id);
        Ok(())
    }

    /// Takes messages out until one commit takes the rest.
    async fn thin_out(&self, owner: OwnerId, id: MailboxId) -> Result<(), MailboxError> {
        let open = self.open(owner, id).await?;
        loop {
            let view = open.view().await?;
            if view.len() <= self.limits.together {
                return Ok(());
            }
            let first = view.rows().take(self.limits.together).map(|row| row.uid).collect();
            self.take_out(owner, id, &first, |_| true).await?;
        }
    }

    /// Renames a mailbox, and those below it with it. Of Inbox the messages move into the new mailbox, and it stays, empty
    /// (RFC 9051, section 6.3.6).
    ///
    /// # Errors
    /// [`MailboxError::Missing`], [`MailboxError::Exists`]; [`MailboxError::TooMany`] where a name would be too long.
    pub async fn rename(&self, owner: OwnerId, from: &MailboxName, to: &MailboxName) -> Result<(), MailboxError> {
        if from.is_inbox() {
            let inbox = self.find(owner, from).await?;
            let id = self.create(owner, to, None).await?;
            let view = self.open(owner, inbox).await?.view().await?;
            let all: Vec<Uid> = view.rows().map(|row| row.uid).collect();
            for some in all.chunks(self.limits.together) {
                self.mv(owner, inbox, &some.iter().copied().collect(), id).await?;
            }
            return Ok(());
        }
        let mut batch = Batch::default();
        self.take_turn(&mut batch, owner).await;
        let Record { version, value: mut catalogue } = self.catalogue(owner).await?;
        let (moving, mut staying): (Vec<Entry>, Vec<Entry>) =
            catalogue.entries.into_iter().partition(|entry| entry.name == *from || entry.name.is_below(from));
        if moving.is_empty() {
            return Err(MailboxError::Missing);
        }
        if to == from {
            return Err(MailboxError::Exists);
        }
        if to.is_below(from) {
            return Err(MailboxError::Within);
        }
        let moved: Result<Vec<Entry>, NameError> =
            moving.into_iter().map(|entry| Ok(Entry { name: entry.name.moved(from, to)?, ..entry })).collect();
        let moved = moved.map_err(|_| MailboxError::TooMany)?;
        if to.is_inbox() || moved.iter().any(|new| staying.iter().any(|old| old.name == new.name)) {
            return Err(MailboxError::Exists);
        }
        staying.extend(moved);
        staying.sort_by(|a, b| a.name.cmp(&b.name));
        catalogue.entries = staying;
        self.put_catalogue(batch, owner, version, &catalogue).await
    }

    /// Subscribes a name, or ends that. The name need not be a mailbox's.
    ///
    /// # Errors
    /// [`MailboxError::TooMany`] where more are subscribed than make sense.
    pub async fn subscribe(&self, owner: OwnerId, name: &MailboxName, subscribed: bool) -> Result<(), MailboxError> {
        let mut batch = Batch::default();
        self.take_turn(&mut batch, owner).await;
        let Record { version, value: mut catalogue } = self.catalogue(owner).await?;
        let changed =
            if subscribed { catalogue.subscribed.insert(name.clone()) } else { catalogue.subscribed.remove(name) };
        if !changed {
            return Ok(());
        }
        if subscribed && catalogue.subscribed.len() > self.limits.mailboxes * 2 {
            return Err(MailboxError::TooMany);
        }
        self.put_catalogue(batch, owner, version, &catalogue).await
    }
}

/// Puts a new mailbox into the batch and the catalogue. Its UIDVALIDITY is greater than any that this account has given,
/// and about the time, so that it is also greater than one of a store that was lost.
fn put_mailbox(
    batch: &mut Batch,
    catalogue: &mut Catalogue,
    owner: OwnerId,
    name: MailboxName,
    special: Option<SpecialUse>,
) -> MailboxId {
    let id = random::id();
    let clock = u32::try_from(store::now().secs()).unwrap_or_default();
    catalogue.last_validity = clock.max(catalogue.last_validity.saturating_add(1));
    batch.put(Head::key(id), &Head::new(owner, catalogue.last_validity));
    catalogue.insert(Entry { id, name, special });
    id
}
