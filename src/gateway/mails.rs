//! Mails of our own, put into a batch with whatever they tell of: both happen, or neither.

use crate::gateway::{Gateway, Snapshot};
use crate::id::TransactionId;
use crate::mail::{Address, Delivery, DsnNotify, Recipient, ReversePath};
use crate::pack::PackError;
use crate::pack::own::{OwnParts, Says, own_mail};
use crate::policy::Practice;
use crate::queue::{NewLetter, Payload, Purpose, TlsDemand};
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
    /// [`MailError`]; the batch is as before.
    pub(super) fn put_own_mail(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        mail: OwnMail<'_>,
        now: Timestamp,
    ) -> Result<(), MailError> {
        let id = random::id();
        let from = self.own_address();
        let octets = own_mail(
            &snapshot.templates,
            &OwnParts {
                practice: practice_or_first(snapshot, mail.practice),
                to: mail.to,
                from: &from,
                reply_to: mail.reply_to,
                hostname: self.settings.hostname.as_str(),
                unique: &format!("{id}"),
                now,
                says: mail.says,
            },
        )?;
        let notify = Some(DsnNotify::NEVER);
        let letter = NewLetter {
            id,
            transaction: mail.transaction,
            purpose: Purpose::Report,
            delivery: Delivery {
                reverse_path: ReversePath::Null,
                recipient: Recipient { notify, ..Recipient::plain(mail.to.clone()) },
                ret: None,
                envid: None,
            },
            payload: Payload { prefix: octets.into(), rest: None },
            tls: TlsDemand::AsConfigured,
        };
        self.stations.queue.put(batch, letter, now)?;
        Ok(())
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
