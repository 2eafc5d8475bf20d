//! Mails of our own, put into a batch with whatever they tell of: both happen, or neither.

use std::ops::Range;

use crate::blob::{BlobError, ObjectRef};
use crate::gateway::{Gateway, Snapshot};
use crate::id::{QueueId, TransactionId};
use crate::mail::{Address, Delivery, DsnNotify, Recipient, ReversePath};
use crate::mailbox::MailboxError;
use crate::pack::PackError;
use crate::pack::own::{OwnParts, Says, own_mail};
use crate::policy::Practice;
use crate::queue::{IN_ENTRY, NewLetter, Payload, Purpose, TlsDemand};
use crate::random;
use crate::store::{Batch, StoreError};
use crate::time::Timestamp;

/// The local part, at the gateway's host name, that mails of our own come from.
const FROM: &str = "postern";

/// Why a mail of our own was not put into a batch.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// A template that fails.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The letter cannot be sealed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is longer than an entry of the queue holds.
    #[error("a mail of our own is too long")]
    TooLong,
    /// A long one cannot be written.
    #[error(transparent)]
    Disk(#[from] BlobError),
    /// It cannot be put into a mailbox.
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
}

/// A mail of our own.
pub(super) struct OwnMail<'a> {
    /// The message it is about, or a fresh id.
    pub transaction: TransactionId,
    /// The practice that speaks, by id; the first where it is no more.
    pub practice: &'a str,
    /// Whom it is for.
    pub to: &'a Address,
    /// Where answers go.
    pub reply_to: Option<&'a Address>,
    /// What it says.
    pub says: Says<'a>,
}

/// A mail of our own, written.
struct Composed {
    id: QueueId,
    transaction: TransactionId,
    to: Address,
    octets: Vec<u8>,
}

impl Gateway {
    /// Composes a mail and puts it into the batch, due at once. Failing, it is reported to nobody.
    ///
    /// # Errors
    /// [`MailError`]; the batch is as before. [`MailError::TooLong`] for one that is longer than an entry of the
    /// queue holds.
    pub(super) fn put_own_mail(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        mail: OwnMail<'_>,
        now: Timestamp,
    ) -> Result<(), MailError> {
        let own = self.write(snapshot, mail, now)?;
        if own.octets.len() > IN_ENTRY {
            return Err(MailError::TooLong);
        }
        Ok(self.put_letter(batch, own, None, now)?)
    }

    /// As [`Gateway::put_own_mail`], for a mail to a member of staff, of any length: it goes where the practice says, to
    /// their Inbox here or by mail. What an entry cannot hold lies in an object, which the sweep finds should the batch
    /// never be committed.
    ///
    /// # Errors
    /// [`MailError`]; the batch is of no use then.
    pub(super) async fn put_staff_mail(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        mail: OwnMail<'_>,
        now: Timestamp,
    ) -> Result<(), MailError> {
        let place = self.place_of(snapshot, mail.practice, mail.to).await?;
        let mut own = self.write(snapshot, mail, now)?;
        if let Some(inbox) = place.inbox {
            let arrival = self.stations.mailboxes.arrival(&own.octets).await?;
            self.put_in_inbox(batch, inbox, &arrival, now).await?;
        }
        if !place.mail {
            return Ok(());
        }
        let mut rest = None;
        if own.octets.len() > IN_ENTRY {
            let object = self.stations.objects.of(&own.octets).await?;
            object.put(batch, 1);
            rest = Some((object.reference(), 0..own.octets.len() as u64));
            own.octets.clear();
        }
        Ok(self.put_letter(batch, own, rest, now)?)
    }

    fn write(&self, snapshot: &Snapshot, mail: OwnMail<'_>, now: Timestamp) -> Result<Composed, PackError> {
        let id = random::id();
        let parts = OwnParts {
            practice: practice_or_first(snapshot, mail.practice),
            to: mail.to,
            from: &self.own_address(),
            reply_to: mail.reply_to,
            hostname: self.settings.hostname.as_str(),
            unique: &format!("{id}"),
            now,
            says: mail.says,
        };
        let octets = own_mail(&snapshot.templates, &parts)?;
        Ok(Composed { id, transaction: mail.transaction, to: mail.to.clone(), octets })
    }

    fn put_letter(
        &self,
        batch: &mut Batch,
        own: Composed,
        rest: Option<(ObjectRef, Range<u64>)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let recipient = Recipient { notify: Some(DsnNotify::NEVER), ..Recipient::plain(own.to) };
        let letter = NewLetter {
            id: own.id,
            transaction: own.transaction,
            purpose: Purpose::Report,
            delivery: Delivery { reverse_path: ReversePath::Null, recipient, ret: None, envid: None },
            payload: Payload { prefix: own.octets.into(), rest },
            tls: TlsDemand::AsConfigured,
        };
        self.stations.queue.put(batch, letter, now)
    }

    /// Where mails of our own come from.
    pub(super) fn own_address(&self) -> Address {
        #[allow(clippy::expect_used, reason = "the host name is a Domain, and the local part is a dot-string")]
        Address::parse(&format!("{FROM}@{}", self.settings.hostname)).expect("a dot-string at a domain is an address")
    }
}

/// The practice of this id, or the one that speaks where no other is known.
pub(super) fn practice_or_first<'a>(snapshot: &'a Snapshot, id: &str) -> &'a Practice {
    snapshot.policy.practice(id).unwrap_or_else(|| snapshot.policy.first_practice())
}
