//! Status mails: once what was sent has settled, or after ten minutes, the sender of a secured message reads what became
//! of it. The same lines answer `history` and `pending`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::event::Event;
use crate::gateway::deliver::failure_sentence;
use crate::gateway::history::{Happened, HistoryLine};
use crate::gateway::mails::{MailError, OwnMail};
use crate::gateway::message::{Addressee, Fate, Message, Telling};
use crate::gateway::questions::DueError;
use crate::gateway::round::Round;
use crate::gateway::{Gateway, Snapshot};
use crate::id::{GrantId, TransactionId};
use crate::invitation::{State, Why};
use crate::pack::own::{Says, StatusLine};
use crate::queue::{Failed, read_status_due, status_due_key};
use crate::store::{Batch, CommitError, Record, StoreError, Table};
use crate::time::Timestamp;
use crate::vault::VaultError;

/// How long a status mail waits for letters that have not settled: it then says that they are on their way.
pub(super) const TOLD_WITHIN: Duration = Duration::from_secs(10 * 60);
/// Letters of one page: most of what a message to very many ends with at the same time.
const PAGE: usize = 500;

/// A status mail to be written.
pub(super) struct StatusMail<'a> {
    pub transaction: TransactionId,
    pub message: &'a Message,
    pub title: &'a str,
    pub done: Option<&'a str>,
    pub lines: &'a [StatusLine],
}

impl Gateway {
    /// Writes the status mails that are due. How many. Only called while the clock is believed. One that fails does not
    /// keep the others waiting.
    ///
    /// # Errors
    /// The first [`DueError`]; what is left is found again by the next round.
    pub async fn do_due_status(&self, now: Timestamp) -> Result<usize, DueError> {
        let mut round = Round::until(now, Table::StatusDue, PAGE);
        while let Some(keys) = round.next(&self.stations.store).await? {
            let mut due: BTreeMap<TransactionId, Vec<Timestamp>> = BTreeMap::new();
            for (moment, transaction) in keys.iter().filter_map(|key| read_status_due(key)) {
                due.entry(transaction).or_default().push(moment);
            }
            for (transaction, moments) in due {
                round.note(self.do_status(transaction, &moments, now).await);
            }
        }
        round.end()
    }

    /// Looks at one message, once for all its letters that have ended meanwhile. Whether its sender was told.
    async fn do_status(&self, transaction: TransactionId, due: &[Timestamp], now: Timestamp) -> Result<bool, DueError> {
        let mut batch = Batch::default();
        for moment in due {
            batch.delete(status_due_key(*moment, transaction));
        }
        batch.frees_space();
        let mut told = false;
        if let Some(read) = self.message(transaction).await? {
            told = self.put_status(&mut batch, transaction, &read, now).await?;
        }
        match self.stations.store.commit(batch).await {
            Ok(_) if told => {
                self.stations.queue.wake();
                Event::StatusTold { transaction }.log();
                Ok(true)
            }
            Ok(_) => Ok(false),
            // Another letter has settled, or a question was answered: there is a later moment to look.
            Err(CommitError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts the status mail into the batch, if it is time for one.
    async fn put_status(
        &self,
        batch: &mut Batch,
        transaction: TransactionId,
        read: &Record<Message>,
        now: Timestamp,
    ) -> Result<bool, DueError> {
        let message = &read.value;
        let Some(outcomes) = self.settled(transaction, message, now).await? else { return Ok(false) };
        if let Some(by) = message.telling.by().filter(|by| *by > now) {
            batch.delete(status_due_key(by, transaction));
        }
        let all_is_well = title(outcomes.iter().flatten()) == "delivered";
        if matches!(message.telling, Telling::OfProblems { .. }) && all_is_well {
            let told = Message { telling: Telling::Done, ..message.clone() };
            self.put_message(batch, transaction, Some(read), &told)?;
            return Ok(false);
        }
        let lines = self.status_lines(transaction, message, now).await?;
        let mut told = Message { telling: Telling::Done, ..message.clone() };
        for (addressee, line) in told.recipients.iter_mut().zip(&lines) {
            addressee.failure_owed &= line.outcome != "failed";
        }
        self.put_message(batch, transaction, Some(read), &told)?;
        let title = title(lines.iter().map(|line| &line.outcome));
        let snapshot = self.stations.policies.snapshot();
        let mail = StatusMail { transaction, message, title, done: None, lines: &lines };
        self.put_status_mail(batch, &snapshot, &mail, now).await?;
        Ok(true)
    }

    /// How each recipient's letter stands, where something is to be told or the record to be closed; `None`: it will be looked
    /// at again. The status mail goes once all letters have settled, or after ten minutes. Afterwards, and where policy wants
    /// no mail, what fails is told all the same, for nothing else tells of it: then only those are looked at whose failure
    /// is still owed. Reads no more than the ends of letters, since each letter that ends leads here.
    async fn settled(
        &self,
        transaction: TransactionId,
        message: &Message,
        now: Timestamp,
    ) -> Result<Option<Vec<Option<&'static str>>>, StoreError> {
        let by = message.telling.by();
        let mut outcomes = Vec::with_capacity(message.recipients.len());
        for addressee in &message.recipients {
            if by.is_none() && !addressee.failure_owed {
                outcomes.push(None);
                continue;
            }
            let (outcome, _) = self.outcome(transaction, addressee).await?;
            if outcome == "on-its-way" && by.is_some_and(|by| now < by) {
                return Ok(None);
            }
            outcomes.push(Some(outcome));
        }
        Ok((by.is_some() || outcomes.contains(&Some("failed"))).then_some(outcomes))
    }

    /// Puts a mail about a message to its sender into the batch.
    ///
    /// # Errors
    /// [`MailError`].
    pub(super) async fn put_status_mail(
        &self,
        batch: &mut Batch,
        snapshot: &Snapshot,
        mail: &StatusMail<'_>,
        now: Timestamp,
    ) -> Result<(), MailError> {
        let reply_to = self.status_address(mail.transaction);
        let (title, done, lines) = (mail.title, mail.done, mail.lines);
        let own = OwnMail {
            transaction: mail.transaction,
            practice: &mail.message.practice,
            to: &mail.message.sender,
            reply_to: Some(&reply_to),
            says: Says::Status { accepted: mail.message.accepted, title, done, lines },
        };
        self.put_staff_mail(batch, snapshot, own, now).await
    }

    /// What became of a message, recipient by recipient.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub(super) async fn status_lines(
        &self,
        transaction: TransactionId,
        message: &Message,
        now: Timestamp,
    ) -> Result<Vec<StatusLine>, StoreError> {
        let history = self.history(transaction).await?;
        let mut lines = Vec::with_capacity(message.recipients.len());
        for addressee in &message.recipients {
            lines.push(self.status_line(transaction, message, addressee, &history, now).await?);
        }
        Ok(lines)
    }

    async fn status_line(
        &self,
        transaction: TransactionId,
        message: &Message,
        addressee: &Addressee,
        history: &[HistoryLine],
        now: Timestamp,
    ) -> Result<StatusLine, StoreError> {
        let (outcome, failed) = self.outcome(transaction, addressee).await?;
        let mut line = StatusLine {
            recipient: addressee.address.clone(),
            outcome,
            sentence: failed.map(|failed| failure_sentence(&failed)),
            link: None,
            at: None,
            until: None,
            words: Vec::new(),
            events: Vec::new(),
        };
        if addressee.letter.is_some() {
            line.events.push(("sent", message.accepted));
        }
        if let Some(grant) = addressee.grant {
            self.set_link(&mut line, grant, history, now).await?;
            line.events.extend(events(grant, history));
        }
        Ok(line)
    }

    /// What became of a recipient's letter, in the word of the mail, and why where it failed.
    async fn outcome(
        &self,
        transaction: TransactionId,
        addressee: &Addressee,
    ) -> Result<(&'static str, Option<Failed>), StoreError> {
        let end = match addressee.letter {
            Some(letter) => self.stations.queue.end_of(transaction, letter).await?,
            None => None,
        };
        let failed = end.as_ref().and_then(|end| end.failed);
        let outcome = match (addressee.fate, end) {
            (Fate::Asked, _) => "asked",
            (Fate::Refused, _) => "refused",
            (Fate::LeftOut, _) => "left-out",
            (_, None) => "on-its-way",
            (_, Some(_)) if failed.is_some() => "failed",
            (Fate::Relayed, Some(_)) => "relayed",
            (Fate::Secured, Some(_)) => "delivered",
        };
        Ok((outcome, failed))
    }

    /// Where the link stands, since when, and which words help now.
    async fn set_link(
        &self,
        line: &mut StatusLine,
        id: GrantId,
        history: &[HistoryLine],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let found = self.stations.vault.grant(id).await.map_err(unread)?;
        let Some(grant) = found.map(|record| record.value) else {
            line.link = Some("over");
            return Ok(());
        };
        let at = |what| history.iter().rfind(|line| line.grant == id && line.what == what).map(|line| line.at);
        (line.link, line.at) = if grant.revoked.is_some() {
            (Some("revoked"), grant.revoked)
        } else if now >= grant.keep_until {
            (Some("over"), Some(grant.keep_until))
        } else if grant.downloaded.is_some() {
            (Some("downloaded"), grant.downloaded)
        } else if grant.opened.is_some() {
            (Some("opened"), grant.opened)
        } else {
            self.invited(&grant).await?
        };
        if grant.revoked.is_none() && now < grant.keep_until {
            line.until = grant.held.is_none().then_some(grant.keep_until);
            line.words.extend(words_for(line.link));
            line.words.push("unshare");
            line.at = line.at.or_else(|| at(Happened::Invited));
        }
        Ok(())
    }

    /// Whether somebody who has not opened it yet has registered, or stands where on the way there.
    async fn invited(
        &self,
        grant: &crate::vault::Grant,
    ) -> Result<(Option<&'static str>, Option<Timestamp>), StoreError> {
        if !grant.access.contains(&crate::access::AccessCheck::Account) {
            return Ok((None, None));
        }
        if !self.must_register(grant.contact).await? {
            return Ok((Some("registered"), None));
        }
        let Some(record) = self.stations.guests.invitation(grant.contact).await? else {
            return Ok((Some("not-registered"), None));
        };
        let life = record.value.life;
        Ok(match life.state {
            State::Open { opened: false, reminded: 0, wrong: 0 } => (Some("invited"), Some(life.issued)),
            State::Open { .. } => (Some("not-registered"), Some(life.issued)),
            State::Accepted => (Some("registered"), None),
            State::Cancelled(Why::ByHand | Why::Birthdate) => (Some("cancelled"), None),
            State::Expired => (Some("expired"), None),
        })
    }
}

/// The words that help where a link stands like this.
pub(super) fn words_for(link: Option<&str>) -> &'static [&'static str] {
    match link {
        Some("invited" | "not-registered") => &["remind", "cancel"],
        Some("cancelled" | "expired") => &["resend"],
        _ => &[],
    }
}

/// The title's word, by what is least settled.
fn title<'a>(outcomes: impl Iterator<Item = &'a &'static str> + Clone) -> &'static str {
    let any = |words: &[&str]| outcomes.clone().any(|outcome| words.contains(outcome));
    let nobody = outcomes.clone().all(|outcome| ["failed", "refused", "left-out"].contains(outcome));
    if nobody && any(&["failed", "refused"]) {
        "failed"
    } else if any(&["failed", "refused"]) {
        "partly"
    } else if any(&["asked", "on-its-way"]) {
        "waiting"
    } else {
        "delivered"
    }
}

/// What happened to a right, in the words of the mail.
fn events(grant: GrantId, history: &[HistoryLine]) -> impl Iterator<Item = (&'static str, Timestamp)> {
    history.iter().filter(move |line| line.grant == grant).filter_map(|line| {
        let word = match line.what {
            Happened::Opened => "opened",
            Happened::Downloaded => "downloaded",
            Happened::Replied => "replied",
            Happened::Reminded => "reminded",
            Happened::Revoked => "revoked",
            Happened::Registered => "registered",
            Happened::BirthdateWrong => "birthdate-wrong",
            Happened::InvitationCancelled => "cancelled",
            Happened::InvitationExpired => "expired",
            Happened::LinkMailed => "link-mailed",
            // The notice is the first invitation: it was sent.
            Happened::Invited => return None,
        };
        Some((word, line.at))
    })
}

/// Reading a right fails only with the store.
fn unread(error: VaultError) -> StoreError {
    match error {
        VaultError::Store(error) => error,
        other => StoreError::Unsound(other.to_string()),
    }
}
