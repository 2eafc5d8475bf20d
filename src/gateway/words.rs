//! What staff write back: the answer to a question, and words about a message. It comes by their own outgoing server,
//! which is this gateway, to an address that means one question or one message ([`super::tokens`]).

use crate::blob::RawMessage;
use crate::event::Event;
use crate::gateway::questions::{Asked, DueError};
use crate::gateway::records::thread;
use crate::gateway::tokens::{TokenAddress, gone};
use crate::gateway::{Gateway, Receipt, ReceivedMessage, Refusal, Snapshot, read, unavailable};
use crate::mail::{Address, Origin, ReversePath};
use crate::mime::Outline;
use crate::mime::assess::Assessment;
use crate::policy::{Asking, Role};
use crate::store::{self, CommitError};
use crate::time::Timestamp;

use line::{Answer, answer, order, own_line, shown_word};

pub(super) use line::{Order, Verb};
pub(super) use orders::About;

mod line;
mod orders;

/// The sender's answer to a question, with which the message's life runs again.
pub(super) struct Answered {
    /// The question as it was read.
    pub asked: Asked,
    /// What the recipient is; it was known where only the birthdate was asked for.
    pub role: Option<Role>,
    /// A patient's birthdate.
    pub birthdate: Option<String>,
}

impl Gateway {
    /// What a message is addressed to, where that is an address of our own with a meaning; `None`: it is mail.
    ///
    /// # Errors
    /// [`Refusal::Policy`] where such an address stands beside others: what is meant for the gateway goes to nobody else.
    pub(super) fn addressed_token(&self, received: &ReceivedMessage) -> Result<Option<TokenAddress>, Refusal> {
        let recipients = &received.envelope.recipients;
        let tokens: Vec<_> = recipients.iter().filter_map(|recipient| self.read_token(&recipient.address)).collect();
        match tokens[..] {
            [] => Ok(None),
            [only] if recipients.len() == 1 => Ok(Some(only)),
            _ => Err(Refusal::Policy(
                "Send an answer to the gateway alone, to no other address, and each by itself.".into(),
            )),
        }
    }

    /// Does what a message to an address of our own says. It is delivered to nobody.
    ///
    /// # Errors
    /// A [`Refusal`] where it is not the one who was asked, where nothing is there any more, or where it cannot be done now.
    pub(super) async fn accept_words(&self, received: &ReceivedMessage, to: TokenAddress) -> Result<Receipt, Refusal> {
        let snapshot = self.stations.policies.snapshot();
        let outline = read::outline(&received.message).await?;
        let facts = read::assess(&received.message, &outline).await?;
        self.check_authors(&snapshot, &received.origin, &facts).await?;
        let receipt = Receipt { transaction: received.transaction, accepted: 1, asked: 0, refused: 0, reported: 0 };
        // Out of the office is no answer (RFC 3834).
        if facts.auto_submitted || received.envelope.reverse_path == ReversePath::Null {
            return Ok(receipt);
        }
        let now = store::now();
        match to {
            TokenAddress::Ask(id) => {
                let found = self.question(id).await.map_err(|error| unavailable("question", &error))?;
                let asked = found.ok_or_else(|| Refusal::Policy(gone(to).into()))?;
                self.check_writer(&snapshot, received, &facts, &asked.question.sender).await?;
                self.answer_question(received, asked, &facts, now).await?;
            }
            TokenAddress::About(transaction) => {
                let found = self.message(transaction).await.map_err(|error| unavailable("message", &error))?;
                let message = found.ok_or_else(|| Refusal::Policy(gone(to).into()))?.value;
                self.check_writer(&snapshot, received, &facts, &message.sender).await?;
                let line = facts.text.as_deref().and_then(own_line).unwrap_or_default();
                let (order, word, mark) = (order(line, today(now)), shown_word(line), mark(&outline));
                let about = About { transaction, message: &message, order, word, mark, recalls: false };
                self.do_order(&about, now).await.map_err(undone)?;
            }
        }
        Ok(receipt)
    }

    /// Only who was asked may answer: From, else the reverse-path. Who may write as From was checked before. For a workgroup
    /// answers whoever may send as its address, and has signed in: mail programs answer as their owner.
    async fn check_writer(
        &self,
        snapshot: &Snapshot,
        received: &ReceivedMessage,
        facts: &Assessment,
        asked: &Address,
    ) -> Result<(), Refusal> {
        let writer = facts.from.first().or_else(|| received.envelope.reverse_path.address());
        let signed_in = matches!(received.origin, Origin::Staff { .. });
        let of_group = signed_in && snapshot.policy.workgroup_at(asked).is_some();
        if writer.is_some_and(|writer| writer.same_as(asked))
            || of_group && self.may_send_by(snapshot, &received.origin, asked).await?
        {
            return Ok(());
        }
        Err(Refusal::Policy("Only the address that was asked can answer. Nothing was changed.".into()))
    }

    async fn answer_question(
        &self,
        received: &ReceivedMessage,
        asked: Asked,
        facts: &Assessment,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let line = facts.text.as_deref().and_then(own_line).unwrap_or_default();
        let role_file = self.stations.policies.snapshot().policy.role(Role::Patient).is_some_and(|file| file.birthdate);
        let birthdate_only = asked.question.asking == Asking::Birthdate;
        match answer(line, birthdate_only, birthdate_only || role_file, today(now)) {
            Some(Answer::Is(role, birthdate)) => {
                let role = Some(role).filter(|role| !birthdate_only || *role != Role::Patient);
                self.send_answered(received, Answered { asked, role, birthdate }).await
            }
            Some(Answer::Drop) => match self.return_question(&asked, true, now).await.map_err(undone)? {
                true => Ok(()),
                false => Err(Refusal::Policy(gone(TokenAddress::Ask(asked.id)).into())),
            },
            None => self.ask_anew(&asked, &shown_word(line), now).await.map_err(undone),
        }
    }

    /// The message's life runs again, for the recipient who is now known.
    async fn send_answered(&self, received: &ReceivedMessage, answered: Answered) -> Result<(), Refusal> {
        let question = &answered.asked.question;
        let of_group = self.stations.policies.snapshot().policy.workgroup_at(&question.sender).is_some();
        // Who wrote for a workgroup may have left it; who answers speaks for it.
        let speaker = if of_group && matches!(received.origin, Origin::Staff { .. }) {
            &received.origin
        } else {
            &question.origin
        };
        let again = ReceivedMessage {
            transaction: answered.asked.transaction,
            session: received.session,
            origin: speaker.clone(),
            envelope: question.envelope.clone(),
            trace: question.trace.clone(),
            message: self.kept_original(&answered.asked).await?,
        };
        self.accept_mail(again, Some(&answered)).await?;
        let Asked { id, transaction, .. } = answered.asked;
        Event::Answered { question: id, transaction, with: answered.role.map_or("birthdate", Role::name) }.log();
        Ok(())
    }

    /// The message that waits, as it came.
    async fn kept_original(&self, asked: &Asked) -> Result<RawMessage, Refusal> {
        let object = &asked.question.original;
        let cannot = |error: &dyn std::fmt::Display| unavailable("question", error);
        let mut octets = self.stations.objects.read(object, 0..object.octets).await.map_err(|error| cannot(&error))?;
        let mut spool = self.spool();
        while let Some(piece) = octets.next().await.map_err(|error| cannot(&error))? {
            spool.write(&piece).await.map_err(|error| cannot(&error))?;
        }
        spool.finish().await.map_err(|error| cannot(&error))
    }
}

/// What is the same when a mail program sends the same mail again: its Message-ID, else its Date.
pub(super) fn mark(outline: &Outline) -> Option<String> {
    let date =
        || outline.root.header.first("Date").map(|field| String::from_utf8_lossy(&field.value).trim().to_owned());
    thread(outline).0.or_else(date)
}

/// The day by UTC: a birthdate of tomorrow is a slip in any zone.
fn today(now: Timestamp) -> jiff::civil::Date {
    now.to_jiff().to_zoned(jiff::tz::TimeZone::UTC).date()
}

pub(super) fn undone(error: DueError) -> Refusal {
    match error {
        DueError::Commit(CommitError::Disk(cause)) => {
            super::trouble("words", &cause);
            Refusal::Full
        }
        other => unavailable("words", &other),
    }
}
