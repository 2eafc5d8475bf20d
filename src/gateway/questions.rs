//! Questions to senders: who is this recipient? Only that one waits; the message is kept, sealed, until the answer.
//!
//! A question is repeated once and then returned, both by an index of due moments. An answer, a return and a repetition
//! each are one commit that relies on the question being as it was read, so that of two at once one happens.

use serde::{Deserialize, Serialize};

use crate::blob::ObjectRef;
use crate::blob::object::Released;
use crate::event::Event;
use crate::gateway::mails::{MailError, OwnMail};
use crate::gateway::message::Fate;
use crate::gateway::round::Round;
use crate::gateway::{Gateway, Snapshot};
use crate::id::{BlobId, Id, QuestionId, TransactionId};
use crate::keyring::{Capsule, KeyClass, KeyringError};
use crate::mail::{Address, Envelope, Origin, ReceivedTrace};
use crate::pack::own::Says;
use crate::policy::Asking;
use crate::secret::silent_debug;
use crate::store::{Batch, CommitError, Key, Record, StoreError, Stored, Table};
use crate::time::Timestamp;

/// Days that a question can be read beyond its return, should Postern not run on that day.
const GRACE_DAYS: i32 = 3;
/// Questions of one page.
const PAGE: usize = 100;

/// Why something that was due was not done; the next round finds it again.
#[derive(Debug, thiserror::Error)]
pub enum DueError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store does not take the change.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A mail that cannot be composed.
    #[error(transparent)]
    Mail(#[from] MailError),
}

/// As stored: ids and times, and the rest sealed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Stub {
    transaction: TransactionId,
    /// When it is looked at next; the same moment stands in the index.
    due: Timestamp,
    /// The object it holds: outside the capsule, so that it can be let go of when that opens no more.
    original: BlobId,
    question: Capsule,
}

impl Stored for Stub {
    const VERSION: u8 = 1;
}

/// A question to a sender about one recipient, with the message that waits.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Question {
    /// Who was asked.
    pub sender: Address,
    /// The practice that speaks.
    pub practice: String,
    /// What was asked.
    pub asking: Asking,
    /// When the message was accepted.
    pub accepted: Timestamp,
    /// When it is returned.
    pub until: Timestamp,
    /// Whether it was asked for the second time.
    pub repeated: bool,
    /// The message.
    pub original: ObjectRef,
    /// Who vouched for it.
    pub origin: Origin,
    /// For this one recipient.
    pub envelope: Envelope,
    /// How it came.
    pub trace: ReceivedTrace,
}

silent_debug!(Question);

impl Question {
    /// Whom it is about.
    pub(super) fn recipient(&self) -> Option<&Address> {
        self.envelope.recipients.first().map(|recipient| &recipient.address)
    }

    fn says<'a>(&'a self, recipient: &'a Address, not_understood: Option<&'a str>) -> Says<'a> {
        Says::Question {
            recipient,
            birthdate_only: self.asking == Asking::Birthdate,
            accepted: self.accepted,
            until: self.until,
            again: self.repeated,
            not_understood,
        }
    }
}

/// A question as found.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub id: QuestionId,
    pub transaction: TransactionId,
    pub question: Question,
    due: Timestamp,
    version: u64,
}

fn question_key(id: QuestionId) -> Key {
    Key::new(Table::Question, &[id.octets()])
}

fn due_key(due: Timestamp, id: QuestionId) -> Key {
    Key::new(Table::QuestionDue, &[&due.to_key(), id.octets()])
}

fn of_key(transaction: TransactionId, id: QuestionId) -> Key {
    Key::new(Table::QuestionOf, &[transaction.octets(), id.octets()])
}

fn read_due_key(octets: &[u8]) -> Option<(Timestamp, QuestionId)> {
    let (due, id) = octets.split_first_chunk::<8>()?;
    Some((Timestamp::from_key(*due), QuestionId::from_octets(id.try_into().ok()?)))
}

impl Gateway {
    /// A question that waits for its answer.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub(super) async fn question(&self, id: QuestionId) -> Result<Option<Asked>, StoreError> {
        let key = question_key(id);
        let Some(Record { version, value: stub }) = self.stations.store.get::<Stub>(&key).await? else {
            return Ok(None);
        };
        let Stub { transaction, due, question, .. } = stub;
        match question.open(&self.stations.keyring, &context(id)) {
            Ok(question) => Ok(Some(Asked { id, transaction, question, due, version })),
            Err(KeyringError::NoKeyFor(_)) => Ok(None),
            Err(other) => Err(StoreError::Unsound(other.to_string())),
        }
    }

    /// Puts a question into the batch, and the mail that asks it. The original must be put by the caller, held once for it.
    ///
    /// # Errors
    /// [`MailError`].
    pub(super) async fn put_question(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        (id, transaction): (QuestionId, TransactionId),
        (question, again): (&Question, Timestamp),
        now: Timestamp,
    ) -> Result<(), MailError> {
        batch.require_absent(question_key(id));
        self.put_waiting(batch, id, transaction, question, again)?;
        self.put_question_mail(batch, snapshot, (id, transaction), question, None, now).await
    }

    fn put_waiting(
        &self,
        batch: &mut Batch,
        id: QuestionId,
        transaction: TransactionId,
        question: &Question,
        due: Timestamp,
    ) -> Result<(), StoreError> {
        let day = question.until.day().plus(GRACE_DAYS);
        let sealed = Capsule::seal(&self.stations.keyring, day, KeyClass::Transit, &context(id), question)
            .map_err(|error| StoreError::Unsound(error.to_string()))?;
        let stub = Stub { transaction, due, original: question.original.id, question: sealed };
        batch.put(question_key(id), &stub);
        batch.put_octets(due_key(due, id), Vec::new());
        batch.put_octets(of_key(transaction, id), Vec::new());
        Ok(())
    }

    async fn put_question_mail(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        (id, transaction): (QuestionId, TransactionId),
        question: &Question,
        not_understood: Option<&str>,
        now: Timestamp,
    ) -> Result<(), MailError> {
        let Some(recipient) = question.recipient() else { return Ok(()) };
        let reply_to = self.question_address(id);
        let mail = OwnMail {
            transaction,
            practice: &question.practice,
            to: &question.sender,
            reply_to: Some(&reply_to),
            says: question.says(recipient, not_understood),
        };
        self.put_staff_mail(batch, snapshot, mail, now).await
    }

    /// Asks again, because the answer was not understood.
    ///
    /// # Errors
    /// [`DueError`].
    pub(super) async fn ask_anew(&self, asked: &Asked, word: &str, now: Timestamp) -> Result<(), DueError> {
        let snapshot = self.stations.policies.snapshot();
        let mut batch = Batch::default();
        let names = (asked.id, asked.transaction);
        self.put_question_mail(&mut batch, &snapshot, names, &asked.question, Some(word), now).await?;
        self.stations.store.commit(batch).await?;
        self.stations.queue.wake();
        Ok(())
    }

    /// Takes a question out in the batch, on condition that it is as it was read, and lets go of its message.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub(super) async fn put_answered(&self, batch: &mut Batch, asked: &Asked) -> Result<Released, StoreError> {
        let key = question_key(asked.id);
        batch.require_version(key.clone(), asked.version).delete(key).delete(due_key(asked.due, asked.id));
        batch.delete(of_key(asked.transaction, asked.id));
        self.stations.objects.release(batch, asked.question.original.id).await
    }

    /// Ends a question without sending anything to its recipient, and tells the sender. False where it was answered
    /// meanwhile.
    ///
    /// # Errors
    /// [`DueError`].
    pub(super) async fn return_question(&self, asked: &Asked, dropped: bool, now: Timestamp) -> Result<bool, DueError> {
        let Some(recipient) = asked.question.recipient() else { return Ok(false) };
        let snapshot = self.stations.policies.snapshot();
        let mut batch = Batch::default();
        batch.frees_space();
        let released = self.put_answered(&mut batch, asked).await?;
        self.put_fate(&mut batch, asked.transaction, recipient, Fate::LeftOut).await?;
        let reply_to = self.status_address(asked.transaction);
        let mail = OwnMail {
            transaction: asked.transaction,
            practice: &asked.question.practice,
            to: &asked.question.sender,
            reply_to: Some(&reply_to),
            says: Says::QuestionReturned { recipient, accepted: asked.question.accepted, dropped },
        };
        self.put_staff_mail(&mut batch, &snapshot, mail, now).await?;
        match self.stations.store.commit(batch).await {
            Ok(_) => {
                self.stations.objects.drop_files(vec![released]).await;
                self.stations.queue.wake();
                Event::Answered {
                    question: asked.id,
                    transaction: asked.transaction,
                    with: if dropped { "drop" } else { "nothing" },
                }
                .log();
                Ok(true)
            }
            Err(CommitError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The questions of a message that wait for their answers.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub(super) async fn questions_of(&self, transaction: TransactionId) -> Result<Vec<Asked>, StoreError> {
        let (from, end) = (transaction.octets(), [transaction.octets().as_slice(), &[0xFF; 17]].concat());
        let mut found = Vec::new();
        for key in self.stations.store.scan_keys(Table::QuestionOf, from, &end, PAGE).await? {
            let id = key.get(from.len()..).and_then(|id| <[u8; 16]>::try_from(id).ok());
            if let Some(id) = id {
                found.extend(self.question(QuestionId::from_octets(id)).await?);
            }
        }
        Ok(found)
    }

    /// Repeats questions that nobody has answered, and returns those whose time is over. How many. Only called while the
    /// clock is believed. One that fails does not keep the others waiting.
    ///
    /// # Errors
    /// The first [`DueError`]; what is left is found again by the next round.
    pub async fn do_due_questions(&self, now: Timestamp) -> Result<usize, DueError> {
        let mut round = Round::until(now, Table::QuestionDue, PAGE);
        while let Some(keys) = round.next(&self.stations.store).await? {
            for (due, id) in keys.iter().filter_map(|key| read_due_key(key)) {
                round.note(self.do_due_question(id, due, now).await);
            }
        }
        round.end()
    }

    async fn do_due_question(&self, id: QuestionId, due: Timestamp, now: Timestamp) -> Result<bool, DueError> {
        match self.question(id).await? {
            Some(asked) if asked.due != due => self.drop_due(id, due).await,
            Some(asked) if now >= asked.question.until => self.return_question(&asked, false, now).await,
            Some(asked) => self.repeat(asked, now).await,
            None => self.forget_question(id, due).await,
        }
    }

    async fn repeat(&self, asked: Asked, now: Timestamp) -> Result<bool, DueError> {
        let snapshot = self.stations.policies.snapshot();
        let question = Question { repeated: true, ..asked.question };
        let mut batch = Batch::default();
        batch.require_version(question_key(asked.id), asked.version).delete(due_key(asked.due, asked.id));
        self.put_waiting(&mut batch, asked.id, asked.transaction, &question, question.until)?;
        self.put_question_mail(&mut batch, &snapshot, (asked.id, asked.transaction), &question, None, now).await?;
        match self.stations.store.commit(batch).await {
            Ok(_) => {
                self.stations.queue.wake();
                Ok(true)
            }
            // Answered at this moment.
            Err(CommitError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn drop_due(&self, id: QuestionId, due: Timestamp) -> Result<bool, DueError> {
        let mut batch = Batch::default();
        batch.delete(due_key(due, id)).frees_space();
        self.stations.store.commit(batch).await?;
        Ok(false)
    }

    /// A question whose key was destroyed, because nothing ran for days: nobody can read whom to tell.
    async fn forget_question(&self, id: QuestionId, due: Timestamp) -> Result<bool, DueError> {
        let Some(record) = self.stations.store.get::<Stub>(&question_key(id)).await? else {
            return self.drop_due(id, due).await;
        };
        let mut batch = Batch::default();
        batch.require_version(question_key(id), record.version).delete(question_key(id)).delete(due_key(due, id));
        batch.delete(of_key(record.value.transaction, id)).frees_space();
        let released = self.stations.objects.release(&mut batch, record.value.original).await?;
        self.stations.store.commit(batch).await?;
        self.stations.objects.drop_files(vec![released]).await;
        Event::Answered { question: id, transaction: record.value.transaction, with: "lost" }.log();
        Ok(false)
    }
}

/// Binds a question to its place.
fn context(id: QuestionId) -> Vec<u8> {
    [&[Table::Question as u8], id.octets().as_slice()].concat()
}
