//! Words about a message, carried out. All that one mail asks for is one commit, with the mail that answers it and the mark
//! that it was heard: what is sent again because its reply was lost is not done again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::line::{NoOrder, Order, Verb};
use crate::event::Event;
use crate::gateway::history::{Happened, HistoryLine};
use crate::gateway::invitations::{Change, InvitationError, log_change};
use crate::gateway::mails::OwnMail;
use crate::gateway::message::{Fate, Message};
use crate::gateway::questions::DueError;
use crate::gateway::status::{StatusMail, words_for};
use crate::gateway::{Gateway, Snapshot};
use crate::guests::{InvitationRecord, ends};
use crate::id::{ContactId, GrantId, Id, TransactionId};
use crate::invitation::{self, Invitation};
use crate::mail::Address;
use crate::pack::own::{NotDone, Says, StatusLine};
use crate::policy::Role;
use crate::store::{Batch, CommitError, Key, Record, StoreError, Stored, Table};
use crate::time::Timestamp;
use crate::vault::VaultError;

/// How often an order is tried when other changes come first.
const TRIES: usize = 16;
/// How long it is known that a mail was heard: longer than a mail program tries to send one.
const HEARD_FOR: Duration = Duration::from_secs(7 * 86_400);

/// That a mail was heard: its key says it all.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Heard;

impl Stored for Heard {
    const VERSION: u8 = 1;
}

/// What was written back about a message.
pub(in crate::gateway) struct About<'a> {
    /// The message.
    pub transaction: TransactionId,
    /// Its record.
    pub message: &'a Message,
    /// What is to be done.
    pub order: Result<Order, NoOrder>,
    /// The first word that the writer wrote, to be shown where nothing is done.
    pub word: String,
    /// Whether it is Outlook's *Recall This Message*.
    pub recalls: bool,
    /// What is the same when this mail comes again: its Message-ID, else its Date.
    pub mark: Option<String>,
}

/// What came of an order for one recipient.
enum Carried {
    /// The invitation became this.
    Out(Box<Record<InvitationRecord>>, Invitation),
    /// The right was taken back.
    Unshared,
    /// It does not fit where this recipient stands.
    Unfit,
    /// The invitation came with another message.
    Foreign,
}

/// What came of an order for all of them.
#[derive(Default)]
struct Done {
    invitations: Vec<(ContactId, GrantId, Box<Record<InvitationRecord>>, Invitation)>,
    unshared: bool,
    foreign: bool,
}

impl Done {
    fn is_nothing(&self) -> bool {
        self.invitations.is_empty() && !self.unshared
    }
}

impl Gateway {
    /// Carries out a word about a message, and says what came of it.
    ///
    /// # Errors
    /// [`DueError`]; of invitations nothing was changed then.
    pub(in crate::gateway) async fn do_order(&self, about: &About<'_>, now: Timestamp) -> Result<(), DueError> {
        for _ in 0..TRIES {
            match self.try_order(about, now).await {
                Err(DueError::Commit(CommitError::Conflict)) => {}
                done => return done,
            }
        }
        Err(CommitError::Conflict.into())
    }

    async fn try_order(&self, about: &About<'_>, now: Timestamp) -> Result<(), DueError> {
        let mut batch = Batch::default();
        if !self.put_heard(&mut batch, about, now).await? {
            return Ok(());
        }
        let order = match &about.order {
            Ok(order) if order.whom.iter().all(|whom| is_recipient(about.message, whom)) => order,
            Ok(order) => return self.not_done(batch, about, order.verb.word(), NotDone::Behind, now).await,
            Err(NoOrder::Behind(verb)) => {
                return self.not_done(batch, about, verb.word(), NotDone::Behind, now).await;
            }
            Err(NoOrder::NoWord) => return self.not_done(batch, about, &about.word, NotDone::Word, now).await,
        };
        let snapshot = self.stations.policies.snapshot();
        let mut done = Done::default();
        for (contact, grant) in chosen(about.message, order) {
            match self.carry_out(&mut batch, &snapshot, about, (order, contact, grant), now).await? {
                Carried::Out(read, life) => done.invitations.push((contact, grant, read, life)),
                Carried::Unshared => done.unshared = true,
                Carried::Foreign => done.foreign = true,
                Carried::Unfit => {}
            }
        }
        if done.is_nothing() && !matches!(order.verb, Verb::History | Verb::Pending) {
            let why = match (about.recalls, done.foreign) {
                (true, _) => NotDone::Recall,
                (_, true) => NotDone::Foreign,
                _ => NotDone::Word,
            };
            return self.not_done(batch, about, order.verb.word(), why, now).await;
        }
        self.put_done(&mut batch, &snapshot, about, (order, &done), now).await?;
        self.stations.store.commit(batch).await?;
        self.stations.queue.wake();
        for (_, _, read, life) in &done.invitations {
            log_change(&read.value, life);
        }
        Event::Ordered { transaction: about.transaction, word: order.verb.word() }.log();
        Ok(())
    }

    /// Puts the mark that this mail was heard into the batch. False where it was heard before.
    async fn put_heard(&self, batch: &mut Batch, about: &About<'_>, now: Timestamp) -> Result<bool, StoreError> {
        let Some(mark) = &about.mark else { return Ok(true) };
        let text = [about.transaction.octets().as_slice(), mark.as_bytes()].concat();
        let key = Key::new(Table::Heard, &[&self.stations.keyring.lookup("heard", &text)]);
        if self.stations.store.get_octets(&key).await?.is_some() {
            return Ok(false);
        }
        ends::put(batch, now.plus(HEARD_FOR), &key);
        batch.require_absent(key.clone()).put(key, &Heard);
        Ok(true)
    }

    async fn carry_out(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        about: &About<'_>,
        (order, contact, grant): (&Order, ContactId, GrantId),
        now: Timestamp,
    ) -> Result<Carried, DueError> {
        let event = match order.verb {
            Verb::Remind => invitation::Event::Remind,
            Verb::Cancel => invitation::Event::Cancel,
            Verb::Resend => invitation::Event::Resend,
            Verb::Unshare => return self.unshare(batch, about.transaction, grant, now).await,
            Verb::History | Verb::Pending => return Ok(Carried::Unfit),
        };
        let Some(read) = self.stations.guests.invitation(contact).await? else { return Ok(Carried::Unfit) };
        if !self.came_with(&read.value, about, grant).await? {
            return Ok(Carried::Foreign);
        }
        let change = Change { contact, read: &read, event, birthdate: order.birthdate.as_deref(), from: None };
        // What cannot be done may have begun in the batch.
        let mut tried = batch.clone();
        match self.put_change(&mut tried, snapshot, &change, now).await {
            Ok(life) => {
                *batch = tried;
                if !life.is_open() {
                    batch.frees_space();
                }
                Ok(Carried::Out(Box::new(read), life))
            }
            Err(InvitationError::Store(error)) => Err(error.into()),
            Err(InvitationError::Commit(error)) => Err(error.into()),
            Err(InvitationError::Mail(error)) => Err(error.into()),
            Err(InvitationError::Vault(error)) => Err(of_vault(error)),
            Err(_) => Ok(Carried::Unfit),
        }
    }

    /// Whether an invitation is this message's to change: it came with it, or with one of the same sender and practice, for
    /// a patient about the same patient.
    async fn came_with(
        &self,
        invitation: &InvitationRecord,
        about: &About<'_>,
        grant: GrantId,
    ) -> Result<bool, DueError> {
        let message = about.message;
        if !invitation.sender.same_as(&message.sender) || invitation.practice != message.practice {
            return Ok(false);
        }
        if invitation.transaction == about.transaction
            || (invitation.patient.is_none() && invitation.role != Some(Role::Patient))
        {
            return Ok(true);
        }
        let vault = &self.stations.vault;
        let patient = invitation.patient.as_ref().map(|patient| vault.patient_mark(patient));
        let grant = vault.grant(grant).await.map_err(of_vault)?;
        Ok(grant.is_some_and(|grant| grant.value.patient == patient))
    }

    /// Takes a right back, at once and for itself: doing so twice is no error. It stays so until somebody shares again.
    async fn unshare(
        &self,
        batch: &mut Batch,
        transaction: TransactionId,
        grant: GrantId,
        now: Timestamp,
    ) -> Result<Carried, DueError> {
        match self.stations.vault.revoke(grant, now).await {
            Ok(()) => {}
            Err(VaultError::Missing) => return Ok(Carried::Unfit),
            Err(error) => return Err(of_vault(error)),
        }
        let history = self.history(transaction).await?;
        if !history.iter().any(|line| line.grant == grant && line.what == Happened::Revoked) {
            let line = HistoryLine { grant, what: Happened::Revoked, at: now, from: None };
            self.put_history(batch, transaction, &line)?;
            batch.frees_space();
        }
        Ok(Carried::Unshared)
    }

    /// What came of it, with what happened before where that is asked for or can no longer be changed.
    async fn put_done(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        about: &About<'_>,
        (order, done): (&Order, &Done),
        now: Timestamp,
    ) -> Result<(), DueError> {
        let (title, word) = match order.verb {
            Verb::History => ("history", None),
            Verb::Pending => ("pending", None),
            verb => ("done", Some(verb.word())),
        };
        let mut lines = self.status_lines(about.transaction, about.message, now).await?;
        for (line, one) in lines.iter_mut().zip(&about.message.recipients) {
            let changed = done.invitations.iter().find(|(_, grant, ..)| one.grant == Some(*grant));
            if let Some((.., life)) = changed {
                show_changed(line, life);
            }
            // What left as ordinary mail, or is about to, stays where it is.
            let left = one.fate == Fate::Relayed && ["relayed", "on-its-way"].contains(&line.outcome);
            if order.verb == Verb::Unshare && left {
                line.outcome = "relayed-stays";
            }
        }
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
        let (transaction, message) = (about.transaction, about.message);
        let mail = StatusMail { transaction, message, title, done: word, lines: &lines };
        Ok(self.put_status_mail(batch, snapshot, &mail, now).await?)
    }

    /// Says why it was not done, and which words can be used now.
    async fn not_done(
        &self,
        mut batch: Batch,
        about: &About<'_>,
        word: &str,
        why: NotDone,
        now: Timestamp,
    ) -> Result<(), DueError> {
        let lines = self.status_lines(about.transaction, about.message, now).await?;
        let of_invitation = |verb| matches!(verb, Verb::Remind | Verb::Cancel | Verb::Resend);
        let fits = |word: &str, verb| {
            lines.iter().any(|line| line.words.contains(&word)) && !(why == NotDone::Foreign && of_invitation(verb))
        };
        let always = |verb| matches!(verb, Verb::History | Verb::Pending);
        let known = Verb::ALL.into_iter().filter(|(word, verb)| always(*verb) || fits(word, *verb));
        let known: Vec<&str> = known.map(|(word, _)| word).collect();
        let reply_to = self.status_address(about.transaction);
        let mail = OwnMail {
            transaction: about.transaction,
            practice: &about.message.practice,
            to: &about.message.sender,
            reply_to: Some(&reply_to),
            says: Says::NotUnderstood { word, known: &known, why },
        };
        let snapshot = self.stations.policies.snapshot();
        self.put_staff_mail(&mut batch, &snapshot, mail, now).await?;
        self.stations.store.commit(batch).await?;
        self.stations.queue.wake();
        Ok(())
    }
}

fn is_recipient(message: &Message, whom: &Address) -> bool {
    message.recipients.iter().any(|one| one.address.same_as(whom))
}

/// The rights an order is about.
fn chosen<'a>(message: &'a Message, order: &'a Order) -> impl Iterator<Item = (ContactId, GrantId)> + 'a {
    let named = |address: &Address| order.whom.is_empty() || order.whom.iter().any(|whom| whom.same_as(address));
    let fitting = message.recipients.iter().filter(move |one| one.fate == Fate::Secured && named(&one.address));
    fitting.filter_map(|one| Some((one.contact?, one.grant?)))
}

/// A line as it stands once the batch with the invitation's change is committed.
fn show_changed(line: &mut StatusLine, life: &Invitation) {
    if !matches!(line.link, Some("invited" | "not-registered" | "cancelled" | "expired")) {
        return;
    }
    let was = words_for(line.link);
    (line.link, line.at) = match life.state {
        invitation::State::Open { opened: false, reminded: 0, wrong: 0 } => (Some("invited"), Some(life.issued)),
        invitation::State::Open { .. } => (Some("not-registered"), Some(life.issued)),
        _ => (Some("cancelled"), None),
    };
    line.words.retain(|word| !was.contains(word));
    line.words.splice(0..0, words_for(line.link).iter().copied());
}

fn of_vault(error: VaultError) -> DueError {
    match error {
        VaultError::Commit(error) => error.into(),
        VaultError::Store(error) => error.into(),
        other => StoreError::Unsound(other.to_string()).into(),
    }
}
