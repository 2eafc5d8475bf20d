//! What staff write back: the answer to a question, and words about a message. It comes by their own outgoing server,
//! which is this gateway, to an address that means one question or one message ([`super::tokens`]).

use crate::blob::RawMessage;
use crate::event::Event;
use crate::gateway::history::{Happened, HistoryLine};
use crate::gateway::mails::OwnMail;
use crate::gateway::message::{Fate, Message};
use crate::gateway::questions::{Asked, DueError};
use crate::gateway::status::StatusMail;
use crate::gateway::tokens::{TokenAddress, gone};
use crate::gateway::{Gateway, Receipt, ReceivedMessage, Refusal, read, unavailable};
use crate::id::{ContactId, GrantId, TransactionId};
use crate::invitation;
use crate::mail::{Address, ReversePath};
use crate::mime::assess::Assessment;
use crate::pack::own::{Says, StatusLine};
use crate::policy::{Asking, Role};
use crate::store::{self, Batch, CommitError, StoreError};
use crate::time::Timestamp;
use crate::vault::VaultError;

use super::invitations::InvitationError;
use line::{Answer, Order, Verb, answer, order, own_line, shown_word};

mod line;

/// The sender's answer to a question, with which the message's life runs again.
pub(super) struct Answered {
    /// The question as it was read.
    pub asked: Asked,
    /// What the recipient is.
    pub role: Role,
    /// A patient's birthdate.
    pub birthdate: Option<String>,
}

/// What came of an order for one recipient.
enum Carried {
    Out,
    /// It does not fit where this recipient stands.
    Unfit,
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
                check_writer(received, &facts, &asked.question.sender)?;
                self.answer_question(received, asked, &facts, now).await?;
            }
            TokenAddress::About(transaction) => {
                let found = self.message(transaction).await.map_err(|error| unavailable("message", &error))?;
                let message = found.ok_or_else(|| Refusal::Policy(gone(to).into()))?.value;
                check_writer(received, &facts, &message.sender)?;
                self.do_order(transaction, &message, &facts, now).await.map_err(undone)?;
            }
        }
        Ok(receipt)
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
        match answer(line, birthdate_only, role_file, today(now)) {
            Some(Answer::Is(role, birthdate)) => {
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
        let again = ReceivedMessage {
            transaction: answered.asked.transaction,
            session: received.session,
            origin: question.origin.clone(),
            envelope: question.envelope.clone(),
            trace: question.trace.clone(),
            message: self.kept_original(&answered.asked).await?,
        };
        self.accept_mail(again, Some(&answered)).await?;
        let Asked { id, transaction, .. } = answered.asked;
        Event::Answered { question: id, transaction, with: answered.role.name() }.log();
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

    /// Carries out a word about a message, and says what came of it.
    async fn do_order(
        &self,
        transaction: TransactionId,
        message: &Message,
        facts: &Assessment,
        now: Timestamp,
    ) -> Result<(), DueError> {
        let line = facts.text.as_deref().and_then(own_line).unwrap_or_default();
        let Some(order) = order(line, today(now)) else {
            let lines = self.status_lines(transaction, message, now).await?;
            return self.not_understood(transaction, message, &shown_word(line), &lines, now).await;
        };
        let mut done = matches!(order.verb, Verb::History | Verb::Pending);
        for (contact, grant) in chosen(message, &order) {
            done |= match self.carry_out(&order, transaction, contact, grant, now).await {
                Ok(Carried::Out) => true,
                Ok(Carried::Unfit) => false,
                Err(error) => return Err(error),
            };
        }
        let lines = self.status_lines(transaction, message, now).await?;
        if !done {
            return self.not_understood(transaction, message, order.verb.word(), &lines, now).await;
        }
        Event::Ordered { transaction, word: order.verb.word() }.log();
        self.say_done(transaction, message, &order, lines, now).await
    }

    async fn carry_out(
        &self,
        order: &Order,
        transaction: TransactionId,
        contact: ContactId,
        grant: GrantId,
        now: Timestamp,
    ) -> Result<Carried, DueError> {
        let event = match order.verb {
            Verb::Remind => invitation::Event::Remind,
            Verb::Cancel => invitation::Event::Cancel,
            Verb::Resend => invitation::Event::Resend,
            Verb::Unshare => return self.unshare(transaction, grant, now).await,
            Verb::History | Verb::Pending => return Ok(Carried::Out),
        };
        match self.change_invitation(contact, event, order.birthdate.as_deref(), now).await {
            Ok(()) => Ok(Carried::Out),
            Err(InvitationError::Store(error)) => Err(error.into()),
            Err(InvitationError::Commit(error)) => Err(error.into()),
            Err(InvitationError::Mail(error)) => Err(error.into()),
            Err(_) => Ok(Carried::Unfit),
        }
    }

    /// Takes a right back. It stays so until somebody shares again.
    async fn unshare(&self, transaction: TransactionId, grant: GrantId, now: Timestamp) -> Result<Carried, DueError> {
        match self.stations.vault.revoke(grant, now).await {
            Ok(()) => {}
            Err(VaultError::Missing) => return Ok(Carried::Unfit),
            Err(VaultError::Commit(error)) => return Err(error.into()),
            Err(VaultError::Store(error)) => return Err(error.into()),
            Err(other) => return Err(StoreError::Unsound(other.to_string()).into()),
        }
        let history = self.history(transaction).await?;
        if !history.iter().any(|line| line.grant == grant && line.what == Happened::Revoked) {
            let mut batch = Batch::default();
            let line = HistoryLine { grant, what: Happened::Revoked, at: now, from: None };
            self.put_history(&mut batch, transaction, &line)?;
            batch.frees_space();
            self.stations.store.commit(batch).await?;
        }
        Ok(Carried::Out)
    }

    /// What came of it, with what happened before where that is asked for or can no longer be changed.
    async fn say_done(
        &self,
        transaction: TransactionId,
        message: &Message,
        order: &Order,
        mut lines: Vec<StatusLine>,
        now: Timestamp,
    ) -> Result<(), DueError> {
        let (title, done) = match order.verb {
            Verb::History => ("history", None),
            Verb::Pending => ("pending", None),
            verb => ("done", Some(verb.word())),
        };
        if !order.whom.is_empty() {
            lines.retain(|line| order.whom.iter().any(|whom| whom.same_as(&line.recipient)));
        }
        match order.verb {
            Verb::History | Verb::Unshare => {}
            Verb::Pending => {
                lines.retain(|line| matches!(line.link, Some("invited" | "not-registered" | "cancelled" | "expired")));
                lines.iter_mut().for_each(|line| line.events.clear());
            }
            _ => lines.iter_mut().for_each(|line| line.events.clear()),
        }
        let mail = StatusMail { transaction, message, title, done, lines: &lines };
        let snapshot = self.stations.policies.snapshot();
        let mut batch = Batch::default();
        self.put_status_mail(&mut batch, &snapshot, &mail, now).await?;
        self.stations.store.commit(batch).await?;
        self.stations.queue.wake();
        Ok(())
    }

    /// The words that can be used now, because the one that was written cannot.
    async fn not_understood(
        &self,
        transaction: TransactionId,
        message: &Message,
        word: &str,
        lines: &[StatusLine],
        now: Timestamp,
    ) -> Result<(), DueError> {
        let fits = |word: &str| lines.iter().any(|line| line.words.contains(&word));
        let always = |verb: Verb| matches!(verb, Verb::History | Verb::Pending);
        let known: Vec<&str> =
            Verb::ALL.into_iter().filter(|(word, verb)| always(*verb) || fits(word)).map(|(word, _)| word).collect();
        let reply_to = self.status_address(transaction);
        let mail = OwnMail {
            transaction,
            practice: &message.practice,
            to: &message.sender,
            reply_to: Some(&reply_to),
            says: Says::NotUnderstood { word, known: &known },
        };
        let snapshot = self.stations.policies.snapshot();
        let mut batch = Batch::default();
        self.put_own_mail(&mut batch, &snapshot, mail, now)?;
        self.stations.store.commit(batch).await?;
        self.stations.queue.wake();
        Ok(())
    }
}

/// Only who was asked may answer: From, else the reverse-path. Who may write as From was checked before.
fn check_writer(received: &ReceivedMessage, facts: &Assessment, asked: &Address) -> Result<(), Refusal> {
    let writer = facts.from.first().or_else(|| received.envelope.reverse_path.address());
    match writer {
        Some(writer) if writer.same_as(asked) => Ok(()),
        _ => Err(Refusal::Policy("Only the address that was asked can answer. Nothing was changed.".into())),
    }
}

/// The rights an order is about.
fn chosen<'a>(message: &'a Message, order: &'a Order) -> impl Iterator<Item = (ContactId, GrantId)> + 'a {
    let named = |address: &Address| order.whom.is_empty() || order.whom.iter().any(|whom| whom.same_as(address));
    let fitting = message.recipients.iter().filter(move |one| one.fate == Fate::Secured && named(&one.address));
    fitting.filter_map(|one| Some((one.contact?, one.grant?)))
}

/// The day by UTC: a birthdate of tomorrow is a slip in any zone.
fn today(now: Timestamp) -> jiff::civil::Date {
    now.to_jiff().to_zoned(jiff::tz::TimeZone::UTC).date()
}

fn undone(error: DueError) -> Refusal {
    match error {
        DueError::Commit(CommitError::Disk(cause)) => {
            super::trouble("words", &cause);
            Refusal::Full
        }
        other => unavailable("words", &other),
    }
}
