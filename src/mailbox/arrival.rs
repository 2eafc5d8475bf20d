//! Messages that come: octets streamed into an object, then a row, in one commit with whatever they tell of.

use std::sync::Arc;

use crate::anatomy::{Anatomist, Seen, SortKeys};
use crate::blob::object::Released;
use crate::blob::{Object, ObjectRef, ObjectWriter};
use crate::id::{Id, MailId, MailboxId, OwnerId, ThreadId};
use crate::mailbox::edit::Incoming;
use crate::mailbox::records::{Content, Holders, Source};
use crate::mailbox::together::{Outcome, Work};
use crate::mailbox::{FlagSet, MailboxError, Mailboxes, Uid};
use crate::random;
use crate::store::{Batch, CommitError};
use crate::time::Timestamp;

/// A message coming in. Dropped, it leaves nothing behind that the next start does not sweep.
pub struct NewMail {
    writer: ObjectWriter,
    anatomist: Anatomist,
    octets: u64,
    most: u64,
}

/// A message that is there, whole and synced, and in no mailbox yet.
#[derive(Clone)]
pub struct Arrival {
    mail: MailId,
    object: Object,
    content: Content,
}

crate::secret::silent_debug!(NewMail, Arrival);

/// Where a message now stands (UIDPLUS).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The mailbox's UIDVALIDITY.
    pub validity: u32,
    /// The message's UID.
    pub uid: Uid,
}

/// What goes when a commit has taken messages out for good.
#[derive(Default)]
pub(super) struct Disposal {
    pub files: Vec<Released>,
}

impl NewMail {
    /// More octets, in any pieces, kept as they are.
    ///
    /// # Errors
    /// [`MailboxError::TooLarge`], [`MailboxError::Full`]; it is of no use then.
    pub async fn write(&mut self, octets: &[u8]) -> Result<(), MailboxError> {
        self.octets = self.octets.saturating_add(octets.len() as u64);
        if self.octets > self.most {
            return Err(MailboxError::TooLarge);
        }
        self.anatomist.feed(octets);
        Ok(self.writer.write(octets).await?)
    }

    /// Octets so far.
    pub fn len(&self) -> u64 {
        self.octets
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.octets == 0
    }
}

impl Arrival {
    /// Its length in octets.
    pub fn octets(&self) -> u64 {
        self.content.anatomy.octets
    }

    pub(super) fn mail(&self) -> MailId {
        self.mail
    }

    /// Keeps its octets and what is known of it, by this batch.
    pub(super) fn keep(&self, batch: &mut Batch) {
        self.object.put(batch, 1);
        batch.put(Content::key(self.mail), &self.content);
    }

    /// Lets somebody else hold its octets, too, by this batch: a letter that says the same.
    pub fn share(&self, batch: &mut Batch) -> ObjectRef {
        self.object.put(batch, 1);
        self.object.reference()
    }
}

impl Mailboxes {
    /// A place for a message to come in.
    pub fn begin(&self) -> NewMail {
        NewMail { writer: self.objects.create(), anatomist: Anatomist::default(), octets: 0, most: self.limits.message }
    }

    /// The message, whole: its octets are on disk when a commit has taken it.
    ///
    /// # Errors
    /// [`MailboxError::Full`], [`MailboxError::Blob`].
    pub async fn finish(&self, mail: NewMail) -> Result<Arrival, MailboxError> {
        let NewMail { writer, anatomist, .. } = mail;
        let object = writer.finish().await?;
        let reference = object.reference();
        self.arrival_of(anatomist.finish(), object, |_| Ok(Source::Object(reference)))
    }

    /// The message that was seen so and lies in this object.
    pub(super) fn arrival_of(
        &self,
        seen: Seen,
        object: Object,
        source: impl FnOnce(MailId) -> Result<Source, MailboxError>,
    ) -> Result<Arrival, MailboxError> {
        let id: MailId = random::id();
        let thread = seen.thread.map_or(ThreadId::from_octets(*id.octets()), |root| self.thread(&root));
        let content = Content {
            source: source(id)?,
            thread,
            anatomy: seen.anatomy,
            header: seen.header.into(),
            preview: seen.preview,
        };
        Ok(Arrival { mail: id, object, content })
    }

    /// What messages have in common whose first reference is this Message-ID: a keyed hash of it.
    fn thread(&self, root: &str) -> ThreadId {
        ThreadId::from_octets(self.keyring.lookup("mail-thread", root.as_bytes()))
    }

    /// A message of these octets.
    ///
    /// # Errors
    /// As [`NewMail::write`] and [`Mailboxes::finish`].
    pub async fn arrival(&self, octets: &[u8]) -> Result<Arrival, MailboxError> {
        let mut mail = self.begin();
        mail.write(octets).await?;
        self.finish(mail).await
    }

    /// Removes the octets of a message that no commit took.
    pub async fn discard(&self, arrival: Arrival) {
        self.objects.discard(vec![arrival.object]).await;
    }

    /// Puts a message into a mailbox in the batch, whatever the account holds already. From then until the batch is
    /// committed, refused or dropped nobody else changes the account's mailboxes; a batch that changes those of several has
    /// their turns before ([`Mailboxes::take_turns`]).
    ///
    /// # Errors
    /// [`MailboxError::Missing`], [`MailboxError::TooMany`]; the batch is of no use then.
    pub async fn put(
        &self,
        batch: &mut Batch,
        (owner, mailbox): (OwnerId, MailboxId),
        arrival: &Arrival,
        (flags, date): (&FlagSet, Timestamp),
    ) -> Result<Appended, MailboxError> {
        self.take_turn(batch, owner).await;
        let mut edit = self.edit(batch, owner, mailbox).await?;
        let incoming = Incoming {
            flags: flags.system,
            keywords: flags.keywords.clone(),
            date,
            octets: arrival.octets(),
            mail: arrival.mail,
        };
        let uid = edit.add(batch, &incoming).await?;
        let validity = edit.head().validity;
        edit.finish(batch);
        arrival.keep(batch);
        Ok(Appended { validity, uid })
    }

    /// Puts a message into a mailbox, in one commit (APPEND). A secured message that stands there already, by its
    /// Message-ID, is not stored again: the answer is where it is.
    ///
    /// # Errors
    /// [`MailboxError::OverQuota`] and as [`Mailboxes::put`]; nothing is kept then.
    pub async fn append(
        &self,
        owner: OwnerId,
        mailbox: MailboxId,
        mail: NewMail,
        flags: &FlagSet,
        date: Timestamp,
    ) -> Result<Appended, MailboxError> {
        let arrival = self.finish(mail).await?;
        if let Some(name) = SortKeys::of(&arrival.content.header).message_id
            && let Some(there) = self.sent_at((owner, mailbox), &name).await?
        {
            self.discard(arrival).await;
            return Ok(there);
        }
        let arrival = Arc::new(arrival);
        let work = Work::Append { mailbox, arrival: Arc::clone(&arrival), flags: flags.clone(), date };
        match self.together(owner, work).await {
            Ok(Outcome::Appended(appended)) => Ok(appended),
            Ok(Outcome::Stored(_)) => Err(MailboxError::Missing),
            // Where the store cannot say whether it happened, the sweep will.
            Err(error @ MailboxError::Commit(CommitError::Unknown(_))) => Err(error),
            Err(error) => {
                self.discard(Arrival::clone(&arrival)).await;
                Err(error)
            }
        }
    }

    /// Fails where the account would hold more than it may.
    pub(super) async fn require_room(&self, owner: OwnerId, octets: u64, messages: u64) -> Result<(), MailboxError> {
        let usage = self.usage(owner).await?;
        let fits = usage.octets.saturating_add(octets) <= usage.most_octets
            && usage.messages.saturating_add(messages) <= self.limits.messages;
        if fits { Ok(()) } else { Err(MailboxError::OverQuota) }
    }

    /// One row less that names a message: with the last one, in this batch, it goes.
    pub(super) async fn dispose(
        &self,
        batch: &mut Batch,
        mail: MailId,
        disposal: &mut Disposal,
    ) -> Result<(), MailboxError> {
        let key = Holders::key(mail);
        if let Some((Holders(count), _)) = self.in_batch::<Holders>(batch, &key).await? {
            match count {
                0..=2 => batch.delete(key),
                more => batch.put(key, &Holders(more - 1)),
            };
            return Ok(());
        }
        let Some((content, _)) = self.in_batch::<Content>(batch, &Content::key(mail)).await? else { return Ok(()) };
        batch.delete(Content::key(mail));
        let object = match content.source {
            Source::Object(object) => object.id,
            Source::Until { object, .. } => object,
        };
        disposal.files.push(self.objects.release(batch, object).await?);
        Ok(())
    }

    /// One row more that names a message.
    pub(super) async fn share(&self, batch: &mut Batch, mail: MailId) -> Result<(), MailboxError> {
        let key = Holders::key(mail);
        let count = self.in_batch::<Holders>(batch, &key).await?.map_or(1, |(Holders(count), _)| count);
        batch.put(key, &Holders(count.saturating_add(1)));
        Ok(())
    }
}
