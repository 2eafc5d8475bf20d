//! Mails of our own, put into a batch with whatever they tell of: both happen, or neither.

use bytes::Bytes;

use crate::blob::BlobError;
use crate::gateway::{Gateway, Snapshot};
use crate::id::{QueueId, TransactionId};
use crate::mail::{Address, Delivery, DsnNotify, Recipient, ReversePath};
use crate::mailbox::MailboxError;
use crate::pack::PackError;
use crate::pack::own::{OwnParts, Says, own_mail};
use crate::policy::Practice;
use crate::queue::{NewLetter, Payload, Purpose, TlsDemand};
use crate::random;
use crate::store::{Batch, StoreError};
use crate::time::Timestamp;

/// The local part, at the gateway's host name, that mails of our own come from.
const FROM: &str = "postern";
/// A mail up to this size lies in its queue entry, which is a record.
const IN_ENTRY: usize = 240 * 1024;

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
        let (id, transaction, to) = (random::id(), mail.transaction, mail.to.clone());
        let octets = self.own_octets(snapshot, mail, id, now)?;
        if octets.len() > IN_ENTRY {
            return Err(MailError::TooLong);
        }
        let payload = Payload { prefix: octets.into(), rest: None };
        self.stations.queue.put(batch, own_letter(id, transaction, to, payload), now)?;
        Ok(())
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
        let (id, transaction, to) = (random::id(), mail.transaction, mail.to.clone());
        let place = self.place_of(snapshot, mail.practice, mail.to).await?;
        let octets = self.own_octets(snapshot, mail, id, now)?;
        if let Some(inbox) = place.inbox {
            let arrival = self.stations.mailboxes.arrival(&octets).await?;
            self.put_in_inbox(batch, inbox, &arrival, now).await?;
        }
        if !place.mail {
            return Ok(());
        }
        let payload = if octets.len() <= IN_ENTRY {
            Payload { prefix: octets.into(), rest: None }
        } else {
            let object = self.stations.objects.of(&octets).await?;
            object.put(batch, 1);
            Payload { prefix: Bytes::new(), rest: Some((object.reference(), 0)) }
        };
        self.stations.queue.put(batch, own_letter(id, transaction, to, payload), now)?;
        Ok(())
    }

    fn own_octets(
        &self,
        snapshot: &Snapshot,
        mail: OwnMail<'_>,
        id: QueueId,
        now: Timestamp,
    ) -> Result<Vec<u8>, PackError> {
        own_mail(
            &snapshot.templates,
            &OwnParts {
                practice: practice_or_first(snapshot, mail.practice),
                to: mail.to,
                from: &self.own_address(),
                reply_to: mail.reply_to,
                hostname: self.settings.hostname.as_str(),
                unique: &format!("{id}"),
                now,
                says: mail.says,
            },
        )
    }

    /// Where mails of our own come from.
    pub(super) fn own_address(&self) -> Address {
        #[allow(clippy::expect_used, reason = "the host name is a Domain, and the local part is a dot-string")]
        Address::parse(&format!("{FROM}@{}", self.settings.hostname)).expect("a dot-string at a domain is an address")
    }
}

/// Failing, it is reported to nobody.
fn own_letter(id: QueueId, transaction: TransactionId, to: Address, payload: Payload) -> NewLetter {
    let recipient = Recipient { notify: Some(DsnNotify::NEVER), ..Recipient::plain(to) };
    let delivery = Delivery { reverse_path: ReversePath::Null, recipient, ret: None, envid: None };
    NewLetter { id, transaction, purpose: Purpose::Report, delivery, payload, tls: TlsDemand::AsConfigured }
}

/// The practice of this id, or the one that speaks where no other is known.
pub(super) fn practice_or_first<'a>(snapshot: &'a Snapshot, id: &str) -> &'a Practice {
    snapshot.policy.practice(id).unwrap_or_else(|| snapshot.policy.first_practice())
}
