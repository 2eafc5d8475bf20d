//! What a shipment leaves in records, beside its blobs and letters: rights with the invitations that come with them,
//! questions, and the message's own record. All of it goes into the shipment's one batch.

use crate::blob::Object;
use crate::directory::Noted;
use crate::gateway::commit::Case;
use crate::gateway::invitations::NewInvitation;
use crate::gateway::message::{Addressee, Fate, KNOWN_AFTER, Message, Telling};
use crate::gateway::questions::Question;
use crate::gateway::status::TOLD_WITHIN;
use crate::gateway::watch::put_watch;
use crate::gateway::{Gateway, Refusal, unavailable};
use crate::id::ContactId;
use crate::mail::{Address, Envelope};
use crate::mime::Outline;
use crate::pack::shipment::{
    LetterKind, Matter, PlannedGrant, PlannedParcel, PlannedQuestion, Shipment, report_delivery,
};
use crate::policy::{Decision, Role, RoleSource, StatusMail, Treatment};
use crate::queue::status_due_key;
use crate::store::{Batch, StoreError};
use crate::time::Timestamp;
use crate::vault::NewGrant;

/// The most References that are kept for the thread of a reply.
const REFERENCES: usize = 20;
/// The longest Message-ID that is kept, in octets.
const LONGEST_ID: usize = 250;

impl Gateway {
    /// The rights of a parcel, and in the batch their contacts and the invitations that come with them.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`].
    pub(super) async fn put_rights(
        &self,
        batch: &mut Batch,
        matter: &Matter<'_>,
        parcel: &PlannedParcel,
        case: &Case<'_>,
    ) -> Result<Vec<NewGrant>, Refusal> {
        let mut noted = Noted::default();
        let mut grants = Vec::with_capacity(parcel.grants.len());
        for planned in &parcel.grants {
            let address = &matter.envelope.recipients[planned.recipient].address;
            let role = remembered_role(&planned.decision);
            let noting = self.stations.directory.note(batch, &mut noted, address, role, matter.now);
            let contact = noting.await.map_err(|error| unavailable("directory", &error))?;
            let mut held = planned.held;
            if held.is_some() {
                let invitation = invitation(matter, parcel, planned, (contact, address));
                let inviting = self.put_invitation(batch, &invitation, case.snapshot, matter.now);
                held = inviting.await.map_err(|error| unavailable("invitation", &error))?;
            }
            grants.push(NewGrant { held, ..self.new_grant(planned, contact) });
        }
        Ok(grants)
    }

    fn new_grant(&self, planned: &PlannedGrant, contact: ContactId) -> NewGrant {
        let Decision { settings, patient, .. } = &planned.decision;
        NewGrant {
            id: planned.id,
            contact,
            access: planned.access.clone(),
            link: settings.link,
            keep: settings.keep,
            keep_after_download: settings.keep_after_download,
            token: planned.token.clone(),
            held: planned.held,
            patient: patient.as_ref().map(|patient| self.stations.vault.patient_mark(patient)),
        }
    }

    /// The questions of a shipment, each with the mail that asks it.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`].
    pub(super) async fn put_questions(
        &self,
        batch: &mut Batch,
        matter: &Matter<'_>,
        shipment: &Shipment,
        original: Option<&Object>,
        case: &Case<'_>,
    ) -> Result<(), Refusal> {
        let Some(original) = original else { return Ok(()) };
        for planned in &shipment.questions {
            let question = question(matter, planned, original, case);
            let names = (planned.id, matter.transaction);
            let put = self.put_question(batch, case.snapshot, names, (&question, planned.again), matter.now).await;
            put.map_err(|error| unavailable("question", &error))?;
        }
        Ok(())
    }

    /// The message's record, where it gave rights or raised a question, and when its sender is to be told.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`].
    pub(super) async fn put_record(
        &self,
        batch: &mut Batch,
        matter: &Matter<'_>,
        shipment: &Shipment,
        grants: &[NewGrant],
        case: &Case<'_>,
    ) -> Result<(), Refusal> {
        if !is_recorded(shipment, case) {
            return Ok(());
        }
        let earlier = match case.answered {
            Some(_) => self.message(matter.transaction).await.map_err(|error| unavailable("message", &error))?,
            None => None,
        };
        let mut message = record(matter, shipment, grants, case);
        if let Some(earlier) = &earlier {
            message = joined(&earlier.value, message);
        }
        if let Telling::Always { by } | Telling::OfProblems { by } = message.telling {
            batch.put_octets(status_due_key(by, matter.transaction), Vec::new());
        }
        if earlier.is_none() {
            self.put_recallable(batch, matter.transaction, &matter.facts.subject, &message);
        }
        for planned in shipment.parcel.iter().flat_map(|parcel| &parcel.grants).filter(|_| case.sender.can_answer) {
            let of = (matter.transaction, planned.id);
            put_watch(batch, of, planned.decision.watch, message.ends, matter.now);
        }
        self.put_message(batch, matter.transaction, earlier.as_ref(), &message)
            .map_err(|error| unavailable("message", &error))
    }

    /// Writes down in the batch what was done for one recipient of a message that has a record.
    ///
    /// # Errors
    /// Where the store cannot be read, or it cannot be sealed.
    pub(super) async fn put_fate(
        &self,
        batch: &mut Batch,
        transaction: crate::id::TransactionId,
        recipient: &Address,
        fate: Fate,
    ) -> Result<(), StoreError> {
        let Some(read) = self.message(transaction).await? else { return Ok(()) };
        let mut message = read.value.clone();
        for one in message.recipients.iter_mut().filter(|one| one.address.same_as(recipient)) {
            one.fate = fate;
        }
        self.put_message(batch, transaction, Some(&read), &message)
    }
}

/// Whether a message has a record, and its letters' ends are written down: not where nothing of it lies in the vault or
/// waits or has waited, which stays as fast as it was.
pub(super) fn is_recorded(shipment: &Shipment, case: &Case<'_>) -> bool {
    shipment.parcel.is_some() || !shipment.questions.is_empty() || case.answered.is_some()
}

/// A role that a tag or an answer gave is remembered with the address. One that a rule or the file of people gave is not:
/// it is theirs to change.
fn remembered_role(decision: &Decision) -> Option<Role> {
    let by_sender = matches!(decision.role_by, Some(RoleSource::Tag | RoleSource::Answer));
    decision.role.filter(|_| by_sender)
}

fn invitation<'a>(
    matter: &'a Matter<'_>,
    parcel: &'a PlannedParcel,
    planned: &'a PlannedGrant,
    (contact, address): (ContactId, &'a Address),
) -> NewInvitation<'a> {
    let Decision { role, patient, birthdate, .. } = &planned.decision;
    // Who is no patient has no birthdate to show; whose documents a colleague gets is said anew each time.
    let is_patient = *role == Some(Role::Patient);
    let may_be_patient = is_patient || role.is_none();
    NewInvitation {
        contact,
        address,
        role: *role,
        practice: &parcel.practice,
        sender: matter.sender,
        sender_name: &parcel.sender_name,
        patient: patient.as_ref().filter(|_| may_be_patient),
        birthdate: birthdate.as_deref().filter(|_| is_patient),
        grant: planned.id,
        token: &planned.token,
        transaction: matter.transaction,
    }
}

fn question(matter: &Matter<'_>, planned: &PlannedQuestion, original: &Object, case: &Case<'_>) -> Question {
    let envelope = matter.envelope;
    Question {
        sender: matter.sender.clone(),
        practice: matter.plan.practice.clone(),
        asking: planned.asking,
        accepted: matter.now,
        until: planned.until,
        repeated: false,
        original: original.reference(),
        origin: case.origin.clone(),
        envelope: Envelope { recipients: vec![envelope.recipients[planned.recipient].clone()], ..envelope.clone() },
        trace: matter.trace.clone(),
    }
}

fn record(matter: &Matter<'_>, shipment: &Shipment, grants: &[NewGrant], case: &Case<'_>) -> Message {
    let recipients = matter.envelope.recipients.iter().zip(&matter.plan.decisions).enumerate();
    let recipients = recipients.map(|(index, (recipient, decision))| {
        let planned = shipment.parcel.iter().flat_map(|parcel| &parcel.grants).position(|one| one.recipient == index);
        let grant = planned.and_then(|at| grants.get(at));
        let sent = |kind: &LetterKind| !matches!(kind, LetterKind::Refusal(_));
        let letter = shipment.letters.iter().find(|letter| letter.recipient == index && sent(&letter.kind));
        Addressee {
            address: recipient.address.clone(),
            contact: grant.map(|grant| grant.contact),
            grant: grant.map(|grant| grant.id),
            letter: letter.map(|letter| letter.id),
            fate: fate(decision),
            failure_owed: report_delivery(&matter.envelope.reverse_path, recipient).is_some(),
        }
    });
    Message {
        sender: matter.sender.clone(),
        practice: matter.plan.practice.clone(),
        accepted: matter.now,
        message_id: thread(matter.outline).0,
        telling: telling(matter, shipment, case),
        recipients: recipients.collect(),
        ends: ends(matter, shipment),
    }
}

fn fate(decision: &Decision) -> Fate {
    match decision.settings.treatment {
        Treatment::Relay => Fate::Relayed,
        Treatment::Secure => Fate::Secured,
        Treatment::Ask => Fate::Asked,
        Treatment::Refuse => Fate::Refused,
    }
}

/// The sender is told of what was secured, if they can be reached, as the most talkative of the rules for its recipients
/// says. Where everybody waits, the question says enough.
fn telling(matter: &Matter<'_>, shipment: &Shipment, case: &Case<'_>) -> Telling {
    let by = matter.now.plus(TOLD_WITHIN);
    let grants = shipment.parcel.iter().flat_map(|parcel| &parcel.grants);
    let wanted = grants.map(|grant| grant.decision.settings.status_mail).max().unwrap_or(StatusMail::Never);
    match wanted {
        StatusMail::Always if case.sender.can_answer => Telling::Always { by },
        StatusMail::Problems if case.sender.can_answer => Telling::OfProblems { by },
        _ => Telling::Done,
    }
}

/// When the last right of it ends at the latest, and what is known of it after that.
fn ends(matter: &Matter<'_>, shipment: &Shipment) -> Timestamp {
    let grants = shipment.parcel.iter().flat_map(|parcel| &parcel.grants);
    let kept = grants.map(|grant| grant.held.unwrap_or_default() + grant.decision.settings.keep).max();
    let asked = shipment.questions.iter().map(|question| question.until).max();
    let last = matter.now.plus(kept.unwrap_or_default());
    last.max(asked.unwrap_or(last)).plus(KNOWN_AFTER)
}

/// A record and what was done for those of it who waited.
fn joined(earlier: &Message, later: Message) -> Message {
    let mut recipients = earlier.recipients.clone();
    for one in later.recipients {
        match recipients.iter_mut().find(|known| known.address.same_as(&one.address)) {
            Some(known) => *known = one,
            None => recipients.push(one),
        }
    }
    // Who is still to be told of the others is told of all at once.
    let telling = earlier.telling.and(later.telling);
    Message { telling, recipients, ends: earlier.ends.max(later.ends), ..earlier.clone() }
}

/// The Message-ID and the References of a message, as a reply repeats them (RFC 5322, section 3.6.4).
pub(super) fn thread(outline: &Outline) -> (Option<String>, Vec<String>) {
    let ids = |name: &str| {
        let value = outline.root.header.first(name).map(|field| String::from_utf8_lossy(&field.value).into_owned());
        let value = value.unwrap_or_default();
        let sound = |id: &&str| {
            id.len() <= LONGEST_ID
                && id.starts_with('<')
                && id.ends_with('>')
                && id.bytes().all(|b| b.is_ascii_graphic())
        };
        value.split_ascii_whitespace().filter(sound).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut references = ids("References");
    // The first one names the thread, the last ones where in it this stands.
    if references.len() > REFERENCES {
        references.drain(1..=references.len() - REFERENCES);
    }
    (ids("Message-ID").into_iter().next(), references)
}
