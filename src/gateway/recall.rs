//! Outlook's *Recall This Message*: taken as the word `unshare` about the message that it calls back, and answered as such a word.
//!
//! It names that message by nothing but its subject, so each message with a record is found by its sender and subject, as a
//! keyed hash. Recipients who wait for the sender's word are left out. The recall itself goes to nobody: where nothing can be taken back, the answer says so.

use std::collections::VecDeque;

use crate::gateway::mails::OwnMail;
use crate::gateway::message::{Addressee, Fate, Message};
use crate::gateway::questions::DueError;
use crate::gateway::words::{About, Order, Verb, mark, undone};
use crate::gateway::{Gateway, Receipt, ReceivedMessage, Refusal, unavailable};
use crate::guests::ends;
use crate::id::{Id, TransactionId};
use crate::mail::{Address, Origin};
use crate::mime::Outline;
use crate::mime::assess::Assessment;
use crate::pack::own::{NotDone, Says};
use crate::store::{self, Batch, Key, StoreError, Table};
use crate::time::Timestamp;

/// Messages of one sender and subject that are looked at: the recall is meant for one of the last.
const MOST: usize = 100;

impl Gateway {
    /// What a message calls back, where whoever sent it may say so: a server that may name any sender vouches for none.
    pub(super) fn recalls<'a>(&self, received: &ReceivedMessage, facts: &'a Assessment) -> Option<&'a str> {
        let vouched = received.origin != Origin::Relay { any_sender: true };
        facts.signals.recall.as_deref().filter(|_| vouched && !facts.auto_submitted)
    }

    /// Takes back what a recall is about. It is delivered to nobody.
    ///
    /// # Errors
    /// A [`Refusal`] where it cannot be done now.
    pub(super) async fn accept_recall(
        &self,
        received: &ReceivedMessage,
        outline: &Outline,
        facts: &Assessment,
        subject: &str,
    ) -> Result<Receipt, Refusal> {
        let recipients: Vec<&Address> = received.envelope.recipients.iter().map(|one| &one.address).collect();
        let receipt = Receipt {
            transaction: received.transaction,
            accepted: recipients.len(),
            asked: 0,
            refused: 0,
            reported: 0,
        };
        let sender = facts.from.first().or_else(|| received.envelope.reverse_path.address());
        let Some(sender) = sender else { return Ok(receipt) };
        let now = store::now();
        let found = self.called_back(sender, subject, &recipients).await;
        match found.map_err(|error| unavailable("recall", &error))? {
            Some((transaction, message)) => {
                let dropped = self.drop_waiting(transaction, &recipients, now).await.map_err(undone)?;
                let meant = |one: &&Addressee| recipients.iter().any(|it| it.same_as(&one.address));
                let others = message.recipients.iter().filter(meant).any(|one| one.fate != Fate::Asked);
                if dropped && !others {
                    return Ok(receipt);
                }
                let whom = message.recipients.iter().filter(meant).map(|one| one.address.clone()).collect();
                let order = Ok(Order { verb: Verb::Unshare, whom, birthdate: None });
                let word = String::from("recall");
                let about = About { transaction, message: &message, order, word, mark: mark(outline), recalls: true };
                self.do_order(&about, now).await.map_err(undone)?;
            }
            None => self.say_not_recalled(received.transaction, sender, now).await.map_err(undone)?,
        }
        Ok(receipt)
    }

    /// Leaves out those who wait for the sender's word. Whether there was one.
    async fn drop_waiting(
        &self,
        transaction: TransactionId,
        recipients: &[&Address],
        now: Timestamp,
    ) -> Result<bool, DueError> {
        let mut dropped = false;
        for asked in self.questions_of(transaction).await? {
            let meant = asked.question.recipient().is_some_and(|one| recipients.iter().any(|it| it.same_as(one)));
            dropped |= meant && self.return_question(&asked, true, now).await?;
        }
        Ok(dropped)
    }

    /// The last message of this sender with this subject that one of these recipients was sent.
    async fn called_back(
        &self,
        sender: &Address,
        subject: &str,
        recipients: &[&Address],
    ) -> Result<Option<(TransactionId, Message)>, StoreError> {
        let from = self.sent_hash(sender, subject);
        let end = [&from[..], &[0xFF; 17]].concat();
        // Ids follow time: the last ones are the latest messages.
        let (mut keys, mut at) = (VecDeque::new(), from.to_vec());
        loop {
            let page = self.stations.store.scan_keys(Table::Recallable, &at, &end, MOST).await?;
            let Some(latest) = page.last() else { break };
            at = [latest.as_slice(), &[0]].concat();
            keys.extend(page);
            keys.drain(..keys.len().saturating_sub(MOST));
        }
        let mut last: Option<(TransactionId, Message)> = None;
        for key in keys {
            let id = key.get(from.len()..).and_then(|id| <[u8; 16]>::try_from(id).ok());
            let Some(transaction) = id.map(TransactionId::from_octets) else { continue };
            let Some(message) = self.message(transaction).await?.map(|record| record.value) else { continue };
            let meant = message.recipients.iter().any(|one| recipients.iter().any(|it| it.same_as(&one.address)));
            let later = last.as_ref().is_none_or(|(_, earlier)| earlier.accepted <= message.accepted);
            if meant && later && message.sender.same_as(sender) {
                last = Some((transaction, message));
            }
        }
        Ok(last)
    }

    /// Notes in the batch that a message with a record has this subject, for as long as the record is kept.
    pub(super) fn put_recallable(
        &self,
        batch: &mut Batch,
        transaction: TransactionId,
        subject: &str,
        message: &Message,
    ) {
        let key = Key::new(Table::Recallable, &[&self.sent_hash(&message.sender, subject), transaction.octets()]);
        ends::put(batch, message.ends, &key);
        batch.put_octets(key, Vec::new());
    }

    /// Whatever the case of its letters and the spaces between its words: mail programs fold subjects.
    fn sent_hash(&self, sender: &Address, subject: &str) -> [u8; 16] {
        let subject = subject.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        self.stations.keyring.lookup("sent", format!("{}\0{subject}", sender.lookup_form()).as_bytes())
    }

    async fn say_not_recalled(
        &self,
        transaction: TransactionId,
        sender: &Address,
        now: Timestamp,
    ) -> Result<(), DueError> {
        let snapshot = self.stations.policies.snapshot();
        let mail = OwnMail {
            transaction,
            practice: snapshot.policy.practice_of(sender.domain()).map_or("", |practice| practice.id.as_str()),
            to: sender,
            reply_to: None,
            says: Says::NotUnderstood { word: "recall", known: &[], why: NotDone::Recall },
        };
        let mut batch = Batch::default();
        self.put_staff_mail(&mut batch, &snapshot, mail, now).await?;
        self.stations.store.commit(batch).await?;
        self.stations.queue.wake();
        Ok(())
    }
}
