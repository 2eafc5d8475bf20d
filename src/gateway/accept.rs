//! The life of a message, from the last octet of DATA to the words of 250.

use crate::event::Event;
use crate::gateway::commit::{Case, NotTaken, Taken};
use crate::gateway::parties::practice_of;
use crate::gateway::words::Answered;
use crate::gateway::{Gateway, Receipt, ReceivedMessage, Refusal, Snapshot, forwarded, read, unavailable};
use crate::id::DepositId;
use crate::mail::{Origin, Recipient};
use crate::mime::assess::Assessment;
use crate::mime::{Defect, Outline};
use crate::pack::shipment::{Matter, Names, RecipientNames, Shipment, pack, refusal_words};
use crate::policy::{Plan, Treatment};
use crate::random;
use crate::store;

/// More unknown recipients than this are not asked about one by one.
const MOST_QUESTIONS: usize = 20;
/// More Received fields than this are a loop (RFC 5321, section 6.3).
const MOST_RECEIVED: usize = 30;

/// What came of a message.
enum Done {
    /// It is on disk, and on its way.
    Taken(Taken),
    /// It called an earlier one back, and goes to nobody itself.
    Recalled(Receipt),
}

impl Gateway {
    /// Takes responsibility for a message, or says why not: received, outlined, assessed, decided, packed,
    /// committed. When this returns a [`Receipt`], everything is on disk and synced.
    ///
    /// # Errors
    /// A [`Refusal`] for the whole message; nobody is sent anything then.
    pub async fn accept(&self, received: ReceivedMessage) -> Result<Receipt, Refusal> {
        let done = match self.addressed_token(&received) {
            Ok(None) => return self.accept_mail(received, None).await,
            Ok(Some(token)) => self.accept_words(&received, token).await,
            Err(refusal) => Err(refusal),
        };
        if let Err(error) = received.message.discard().await {
            super::trouble("spool", &error);
        }
        done
    }

    /// The same for mail; `answered` where it is a message that waited for a sender's answer, whose life runs again.
    pub(super) async fn accept_mail(
        &self,
        mut received: ReceivedMessage,
        answered: Option<&Answered>,
    ) -> Result<Receipt, Refusal> {
        let done = self.take(&mut received, answered).await;
        let original_is_kept = match &done {
            Ok(Done::Taken(taken)) => taken.keeps_original(),
            Ok(Done::Recalled(_)) => false,
            Err(not_taken) => not_taken.is_uncertain(),
        };
        if !original_is_kept && let Err(error) = received.message.discard().await {
            super::trouble("spool", &error);
        }
        match done {
            Ok(Done::Taken(taken)) => Ok(taken.into_receipt()),
            Ok(Done::Recalled(receipt)) => Ok(receipt),
            Err(not_taken) => Err(not_taken.into_refusal()),
        }
    }

    /// Where a message is not understood, and policy may secure it whole, its life begins again with the message as it was
    /// written for its one document.
    async fn take(&self, received: &mut ReceivedMessage, answered: Option<&Answered>) -> Result<Done, NotTaken> {
        let snapshot = self.stations.policies.snapshot();
        self.direct_postmaster_mail(received);
        match self.take_by(&snapshot, received, answered, None).await {
            Err(NotTaken::Surely(Refusal::NotUnderstood(defect)))
                if defect.is_ambiguity() && snapshot.policy.secures_whole() =>
            {
                self.take_by(&snapshot, received, answered, Some(defect)).await
            }
            taken => taken,
        }
    }

    async fn take_by(
        &self,
        snapshot: &Snapshot,
        received: &ReceivedMessage,
        answered: Option<&Answered>,
        unclear: Option<Defect>,
    ) -> Result<Done, NotTaken> {
        let (outline, mut facts) = read::facts(&received.message, unclear).await?;
        self.check_authors(snapshot, &received.origin, &facts).await?;
        if let Some(subject) = self.recalls(received, &facts) {
            return Ok(Done::Recalled(self.accept_recall(received, &outline, &facts, subject).await?));
        }
        hear_fields(received, &mut facts)?;

        let mut parties = self.parties(received, &facts, snapshot).await?;
        if let Some(answered) = answered {
            parties.learn(answered);
        }
        facts.from_name = facts.from_name.or(parties.sender_name);
        let (sender, now) = (&parties.sender.address, store::now());
        let practice = practice_of(&parties.sender, snapshot);
        let pictures =
            self.recognise_signature(&received.message, &mut facts, (&parties.sender, practice), now).await?;
        let mut plan = snapshot.policy.decide(&facts, &parties.sender, &parties.recipients);
        if plan.takes_forwarded_apart() {
            let documents = forwarded::documents(&received.message, &facts.attachments).await?;
            facts.attachments.extend(documents);
            plan = snapshot.policy.decide(&facts, &parties.sender, &parties.recipients);
        }
        if let Some(speaks) = &plan.speaks_as
            && (received.origin == Origin::Relay { any_sender: true }
                || !self.may_send_by(snapshot, &received.origin, &speaks.address).await?)
        {
            plan.speaks_as = None;
        }
        match answered {
            Some(_) => refuse_waiting(&mut plan, &facts),
            None => {
                refuse_whole(&plan)?;
                refuse_unclear(&plan, &facts)?;
            }
        }

        let matter = self.matter(received, &outline, &facts, &plan, snapshot, &parties.sender.address);
        let shipment = pack(&matter, draw_names(received, &facts));
        let case = Case { snapshot, origin: &received.origin, answered, sender: &parties.sender };
        let kept = self.commit(&matter, &shipment, &received.message, &case).await?;

        // A reply repeats the pictures of what it answers: a result that is talked about is no signature.
        if answered.is_none() && outline.root.header.first("In-Reply-To").is_none() {
            self.note_signature(sender, &pictures, now).await;
        }
        log_acceptance(received, &plan, &shipment);
        Ok(Done::Taken(Taken::new(&kept, &matter, &shipment)))
    }

    fn matter<'a>(
        &'a self,
        received: &'a ReceivedMessage,
        outline: &'a Outline,
        facts: &'a Assessment,
        plan: &'a Plan,
        snapshot: &'a Snapshot,
        sender: &'a crate::mail::Address,
    ) -> Matter<'a> {
        Matter {
            transaction: received.transaction,
            envelope: &received.envelope,
            trace: &received.trace,
            outline,
            facts,
            plan,
            policy: &snapshot.policy,
            templates: &snapshot.templates,
            sender,
            hostname: self.settings.hostname.as_str(),
            public_url: &self.settings.public_url,
            now: store::now(),
        }
    }

    /// Own and delegated addresses only, in From and Sender (security row 21).
    pub(super) async fn check_authors(
        &self,
        snapshot: &Snapshot,
        origin: &Origin,
        facts: &Assessment,
    ) -> Result<(), Refusal> {
        if facts.received > MOST_RECEIVED {
            return Err(Refusal::Loop);
        }
        let from = facts.from.iter().map(|address| ("From", address));
        for (field, address) in from.chain(facts.sender.iter().map(|address| ("Sender", address))) {
            if !self.may_send_by(snapshot, origin, address).await? {
                return Err(Refusal::NotYourAddress { field });
            }
        }
        Ok(())
    }

    /// Mail for `postmaster` at our own host name goes to the admin.
    fn direct_postmaster_mail(&self, received: &mut ReceivedMessage) {
        let Some(admin) = self.settings.postmaster.clone() else { return };
        let recipients = &mut received.envelope.recipients;
        let (ours, mut others): (Vec<_>, Vec<_>) =
            recipients.drain(..).partition(|recipient| self.is_postmaster(&recipient.address));
        let knows_already = others.iter().any(|recipient| recipient.address.same_as(&admin));
        if let Some(first) = ours.into_iter().next().filter(|_| !knows_already) {
            others.push(Recipient { address: admin, ..first });
        }
        *recipients = others;
    }
}

/// `X-Postern-…` fields are heard from staff and from servers that vouch for our practices' senders; whoever may name any
/// sender may hand on what a stranger wrote, who can only ask for more security. They leave with no message.
fn hear_fields(received: &ReceivedMessage, facts: &mut Assessment) -> Result<(), Refusal> {
    match received.origin {
        Origin::Relay { any_sender: true } => {
            let fields = facts.hear_stricter_fields();
            if fields > 0 {
                Event::FieldsPassedOver { transaction: received.transaction, fields }.log();
            }
            Ok(())
        }
        Origin::Staff { .. } | Origin::Relay { any_sender: false } => {
            facts.hear_fields().map_err(Refusal::NotUnderstood)
        }
    }
}

/// A defect that matters for one recipient refuses the whole message.
fn refuse_unclear(plan: &Plan, facts: &Assessment) -> Result<(), Refusal> {
    match plan.decisions.iter().find_map(|decision| decision.unclear(facts)) {
        Some(defect) => Err(Refusal::NotUnderstood(defect.clone())),
        None => Ok(()),
    }
}

/// DATA has one reply: a refusal of the whole, or of every recipient, is a refusal of the transaction.
fn refuse_whole(plan: &Plan) -> Result<(), Refusal> {
    if let Some(words) = &plan.refusal {
        return Err(Refusal::Policy(words.clone()));
    }
    let asked = plan.decisions.iter().filter(|decision| decision.settings.treatment == Treatment::Ask).count();
    if asked > MOST_QUESTIONS {
        let words = format!(
            "Nobody knows who {asked} of the recipients are. Add them to policies/directory.csv, or send to at most {MOST_QUESTIONS} such at a time."
        );
        return Err(Refusal::Policy(words));
    }
    match plan.decisions.first() {
        Some(first) if plan.decisions.iter().all(|decision| decision.settings.treatment == Treatment::Refuse) => {
            Err(Refusal::Policy(refusal_words(first)))
        }
        Some(_) => Ok(()),
        None => Err(unavailable("accept", &"a message with no recipient")),
    }
}

/// A message that waited was accepted long ago: what is said against it now is for a report, and ends the waiting.
fn refuse_waiting(plan: &mut Plan, facts: &Assessment) {
    let refusal = plan.refusal.take();
    for decision in &mut plan.decisions {
        let unclear = decision.unclear(facts);
        let Some(words) = refusal.as_deref().or(unclear.map(|defect| defect.words.as_ref())) else { continue };
        decision.settings.treatment = Treatment::Refuse;
        decision.settings.reason.get_or_insert_with(|| words.to_owned());
    }
}

fn draw_names(received: &ReceivedMessage, facts: &Assessment) -> Names {
    const TEXTS: usize = 2;
    let recipient = |_| RecipientNames {
        letter: random::id(),
        grant: random::id(),
        token: random::token(),
        question: random::id(),
    };
    Names {
        parcel: random::id(),
        deposits: (0..facts.attachments.len() + TEXTS).map(|_| random::id::<DepositId>()).collect(),
        recipients: received.envelope.recipients.iter().map(recipient).collect(),
    }
}

fn log_acceptance(received: &ReceivedMessage, plan: &Plan, shipment: &Shipment) {
    let transaction = received.transaction;
    Event::Accepted {
        transaction,
        session: received.session,
        recipients: received.envelope.recipients.len(),
        octets: received.message.len(),
        deposits: shipment.parcel.as_ref().map_or(0, |parcel| parcel.deposits.len()),
    }
    .log();
    for (recipient, decision) in plan.decisions.iter().enumerate() {
        let treatment = decision.settings.treatment.name();
        let rule = decision.who_set("treatment").to_owned();
        Event::Decided { transaction, recipient, treatment, rule }.log();
    }
}
