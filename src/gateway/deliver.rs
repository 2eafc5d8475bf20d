//! What follows an attempt: it is there, it is tried again, or its sender is told.

use std::sync::Arc;

use crate::delivery::dsn::{given_up_sentence, sentence};
use crate::delivery::retry::{Next, next};
use crate::delivery::{Cause, Outcome};
use crate::event::Event;
use crate::id::{QueueId, TransactionId};
use crate::mail::{Address, Delivery, DsnNotify, Recipient, ReversePath};
use crate::pack::PackError;
use crate::queue::{Claim, Failed, NewLetter, Payload, Purpose, Queue, SettleError, Settlement, TlsDemand};
use crate::random;
use crate::time::Timestamp;

/// What is known of a failure: all a report may say.
#[derive(Debug, Clone)]
pub struct Failure<'a> {
    /// Who is told.
    pub to: &'a Address,
    /// Who could not be reached.
    pub recipient: &'a Address,
    /// The id that joins report and log.
    pub transaction: TransactionId,
    /// When the message was accepted.
    pub accepted: Timestamp,
    /// Enhanced code (RFC 3463).
    pub enhanced: String,
    /// A sentence of our own for it.
    pub sentence: &'static str,
    /// How often it was tried.
    pub attempts: u32,
    /// The report's own id: unique text for its Message-ID and boundaries.
    pub report: QueueId,
    /// Now.
    pub now: Timestamp,
}

/// Writes reports in the words of the sender's practice, with the policies and templates now in force.
pub trait FailureReports: Send + Sync {
    /// The whole mail, in CRLF.
    ///
    /// # Errors
    /// [`PackError`]: a template that fails.
    fn compose(&self, failure: &Failure<'_>) -> Result<Vec<u8>, PackError>;
}

/// What came of settling an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is there; the entry is gone.
    Delivered,
    /// Tried again at this moment.
    Later(Timestamp),
    /// Given up: the entry is gone.
    Failed {
        /// The report's entry, if its sender is told.
        report: Option<QueueId>,
    },
}

/// The use cases of delivery. Cheap to clone.
#[derive(Clone)]
pub struct Deliveries {
    queue: Queue,
    reports: Arc<dyn FailureReports>,
    clock_is_believed: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Deliveries {
    /// Delivery out of this queue.
    pub fn new(queue: Queue, reports: Arc<dyn FailureReports>) -> Self {
        Self { queue, reports, clock_is_believed: Arc::new(|| true) }
    }

    /// The same, giving up nothing for its age while the clock is not believed.
    #[must_use]
    pub fn while_believed(self, clock_is_believed: Arc<dyn Fn() -> bool + Send + Sync>) -> Self {
        Self { clock_is_believed, ..self }
    }

    /// The queue.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Decides what follows from an attempt, writes it down in one commit, and logs it.
    ///
    /// # Errors
    /// [`SettleError`]: nothing was written. The claim must be kept and settled again, or the message would
    /// be sent twice.
    pub async fn settle(&self, claim: &Claim, outcome: Outcome, now: Timestamp) -> Result<Settled, SettleError> {
        let attempts = claim.entry.attempts.saturating_add(1);
        let (settlement, settled) = match outcome {
            Outcome::Delivered => (Settlement::Delivered, Settled::Delivered),
            Outcome::Permanent(cause) => self.fail(claim, cause, false, now),
            Outcome::Transient(cause) => match next(claim.entry.created, attempts, now, self.queue.schedule()) {
                Next::At(moment) => (Settlement::Later(moment, cause), Settled::Later(moment)),
                // It seems older than it is where the clock has jumped ahead.
                Next::GiveUp if !(self.clock_is_believed)() => self.later(cause, now),
                Next::GiveUp => self.fail(claim, cause, true, now),
            },
        };
        self.queue.settle(claim, &settlement, now).await?;
        log(claim, outcome, settled, now);
        Ok(settled)
    }

    fn fail(&self, claim: &Claim, cause: Cause, given_up: bool, now: Timestamp) -> (Settlement, Settled) {
        let failed = Failed { cause: Some(cause), given_up };
        let words = failure_sentence(&failed);
        let Some(sender) = owed_to(claim) else {
            return (Settlement::Failed(failed, None), Settled::Failed { report: None });
        };
        match self.report(claim, sender, cause, words, now) {
            Ok(letter) => {
                let settled = Settled::Failed { report: Some(letter.id) };
                (Settlement::Failed(failed, Some(Box::new(letter))), settled)
            }
            Err(fault) => {
                // A failure nobody is told of would be a loss: the entry stays until the template is mended.
                Event::Trouble { place: "failure report", cause: fault.to_string() }.log();
                self.later(cause, now)
            }
        }
    }

    fn later(&self, cause: Cause, now: Timestamp) -> (Settlement, Settled) {
        let moment = now.plus(self.queue.schedule().then);
        (Settlement::Later(moment, cause), Settled::Later(moment))
    }

    fn report(
        &self,
        claim: &Claim,
        sender: &Address,
        cause: Cause,
        words: &'static str,
        now: Timestamp,
    ) -> Result<NewLetter, PackError> {
        let id = random::id();
        let mail = self.reports.compose(&Failure {
            to: sender,
            recipient: &claim.letter.delivery.recipient.address,
            transaction: claim.entry.transaction,
            accepted: claim.entry.created,
            enhanced: cause.enhanced.as_permanent().to_string(),
            sentence: words,
            attempts: claim.entry.attempts.saturating_add(1),
            report: id,
            now,
        })?;
        let notify = Some(DsnNotify::NEVER);
        Ok(NewLetter {
            id,
            transaction: claim.entry.transaction,
            purpose: Purpose::Report,
            delivery: Delivery {
                reverse_path: ReversePath::Null,
                recipient: Recipient { notify, ..Recipient::plain(sender.clone()) },
                ret: None,
                envid: None,
            },
            payload: Payload { prefix: mail.into(), rest: None },
            tls: TlsDemand::AsConfigured,
        })
    }
}

/// The sentence for a letter that did not arrive, in reports and status mails.
pub(super) fn failure_sentence(failed: &Failed) -> &'static str {
    match failed {
        Failed { cause: Some(cause), given_up: false } => sentence(cause),
        Failed { cause: Some(cause), given_up: true } => given_up_sentence(cause),
        Failed { cause: None, .. } => "The clinic's mail gateway could not send the message in time.",
    }
}

/// Who is told of a failure: never for a null reverse-path or a report (RFC 5321, section 6.1), nor where the
/// sender asked not to be (RFC 3461, section 4.1).
fn owed_to(claim: &Claim) -> Option<&Address> {
    let delivery = &claim.letter.delivery;
    let wanted = delivery.recipient.notify.unwrap_or_default().failure;
    delivery.reverse_path.address().filter(|_| wanted && claim.entry.purpose == Purpose::Message)
}

fn log(claim: &Claim, outcome: Outcome, settled: Settled, now: Timestamp) {
    let (queue, transaction) = (claim.id, claim.entry.transaction);
    let attempt = claim.entry.attempts.saturating_add(1);
    let (Outcome::Transient(cause) | Outcome::Permanent(cause)) = outcome else {
        return Event::Delivered { queue, transaction, attempt }.log();
    };
    if cause.is_alarm() {
        Event::RelayTrouble { queue, code: cause.code, cause: cause.word() }.log();
    }
    match settled {
        Settled::Later(moment) => {
            let next_secs = moment.since(now).as_secs();
            Event::Deferred { queue, transaction, attempt, code: cause.code, cause: cause.word(), next_secs }.log();
        }
        Settled::Failed { report } => {
            Event::Failed { queue, transaction, attempt, code: cause.code, cause: cause.word() }.log();
            if let Some(report) = report {
                Event::SenderTold { queue: report, about: queue }.log();
            }
        }
        Settled::Delivered => {}
    }
}
