//! What a decided message becomes, as data: documents to deposit, a parcel, rights to it, letters to send.
//!
//! Nothing is sealed or written here, and ids and tokens are handed in. Letters are composed one at a time, by
//! [`Shipment::compose`], so that a message to many people never lies in memory many times over.

use std::sync::OnceLock;
use std::time::Duration;

use crate::access::AccessCheck;
use crate::id::{DepositId, GrantId, ParcelId, QuestionId, QueueId, TransactionId};
use crate::mail::{Address, Delivery, Envelope, ReceivedTrace, Recipient, ReversePath};
use crate::mime::Outline;
use crate::mime::assess::{Assessment, PatientRef};
use crate::pack::notice::{Body, notice_around};
use crate::pack::relay::Changes;
use crate::pack::{NoticeParts, PackError, ReportParts, Templates, failure_report, relayed_header};
use crate::policy::{Asking, BodyPlace, Decision, Plan, PolicySet, Practice, SubjectShown, Treatment};
use crate::secret::Secret;
use crate::time::Timestamp;

use deposits::deposits;
use typed::type_subject;

mod deposits;
mod typed;

/// Names for everything a shipment may hold, drawn by the caller.
pub struct Names {
    /// The parcel's.
    pub parcel: ParcelId,
    /// One per document, then two for the texts.
    pub deposits: Vec<DepositId>,
    /// One per recipient.
    pub recipients: Vec<RecipientNames>,
}

/// Names for what one recipient is sent.
pub struct RecipientNames {
    /// The delivery's.
    pub letter: QueueId,
    /// The right's.
    pub grant: GrantId,
    /// The link's secret.
    pub token: Secret<String>,
    /// The question's, should the sender have to be asked.
    pub question: QuestionId,
}

/// The message and all that was found out and decided about it.
pub struct Matter<'a> {
    /// Its name.
    pub transaction: TransactionId,
    /// Its envelope.
    pub envelope: &'a Envelope,
    /// How it came.
    pub trace: &'a ReceivedTrace,
    /// Its structure.
    pub outline: &'a Outline,
    /// Its facts.
    pub facts: &'a Assessment,
    /// What was decided.
    pub plan: &'a Plan,
    /// The policy that decided.
    pub policy: &'a PolicySet,
    /// The texts of its mails.
    pub templates: &'a Templates,
    /// Who speaks.
    pub sender: &'a Address,
    /// The gateway's host name.
    pub hostname: &'a str,
    /// The base of links.
    pub public_url: &'a str,
    /// Now.
    pub now: Timestamp,
}

/// What a deposit is to the one who opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum DepositKind {
    /// A document.
    Document,
    /// The message's text, as plain text in UTF-8.
    Text,
    /// The message's text, as HTML in UTF-8 **as received**: sanitised when it is shown, never before, so that a
    /// better sanitiser helps what is stored already.
    Html,
    /// A picture that stood in the text, such as the logo of a signature: had as documents are, and counted apart.
    Picture,
}

/// Where a deposit's octets come from.
pub enum Source {
    /// The message's attachment of this index, still encoded.
    Attachment(usize),
    /// These octets.
    Octets(Vec<u8>),
}

/// A document or text to be sealed.
pub struct PlannedDeposit {
    /// Its name in links.
    pub id: DepositId,
    /// What it is.
    pub kind: DepositKind,
    /// The file name shown.
    pub name: String,
    /// `type/subtype`.
    pub media_type: String,
    /// What it is for those who read it, by its type; empty where it is of none.
    pub title: String,
    /// Where its octets come from.
    pub source: Source,
}

/// A right to be given.
pub struct PlannedGrant {
    /// Its name.
    pub id: GrantId,
    /// Whose: an index into the envelope's recipients.
    pub recipient: usize,
    /// The settings and role that were decided.
    pub decision: Decision,
    /// What must be shown first.
    pub access: Vec<AccessCheck>,
    /// The link's secret.
    pub token: Secret<String>,
    /// While they have not registered: how long documents are held for them at most.
    pub held: Option<Duration>,
}

/// A question to the sender about one recipient, who waits for its answer.
pub struct PlannedQuestion {
    /// Its name.
    pub id: QuestionId,
    /// About whom: an index into the envelope's recipients.
    pub recipient: usize,
    /// What is asked.
    pub asking: Asking,
    /// When it is asked again.
    pub again: Timestamp,
    /// When the message is returned.
    pub until: Timestamp,
}

/// What several recipients share.
pub struct PlannedParcel {
    /// Its name.
    pub id: ParcelId,
    /// The subject as recipients see it.
    pub subject: String,
    /// The name shown for the sender.
    pub sender_name: String,
    /// The practice that speaks.
    pub practice: String,
    /// Whose documents these are, where a tag says so.
    pub patient: Option<PatientRef>,
    /// The patient's birthdate. A parcel is of one patient: where its recipients are patients with different ones, it is
    /// none's, and none of them is asked for it.
    pub birthdate: Option<String>,
    /// Documents, then texts.
    pub deposits: Vec<PlannedDeposit>,
    /// Who may open it.
    pub grants: Vec<PlannedGrant>,
}

/// What kind of letter it is, and for whom.
pub enum LetterKind {
    /// The body octets as received, under a header section of ours.
    Relayed,
    /// Composed anew; the index of its grant, if there is something to open.
    Notice(Option<usize>),
    /// To the sender: this recipient was refused, with these words.
    Refusal(String),
}

/// A letter to be queued.
pub struct PlannedLetter {
    /// Its name.
    pub id: QueueId,
    /// For whom, or about whom: an index into the envelope's recipients.
    pub recipient: usize,
    /// Its envelope.
    pub delivery: Delivery,
    /// What it is.
    pub kind: LetterKind,
    /// Whether TLS with a verified certificate is demanded.
    pub tls_required: bool,
}

/// Effects as data.
pub struct Shipment {
    /// Where somebody is given something to open.
    pub parcel: Option<PlannedParcel>,
    /// Everything that is to be sent.
    pub letters: Vec<PlannedLetter>,
    /// Who is unclear, and waits.
    pub questions: Vec<PlannedQuestion>,
    /// How many recipients were refused.
    pub refused: usize,
    /// The sender's text as notices without a link and with one have it, once it was needed.
    bodies: [OnceLock<Body>; 2],
}

/// The octets of a letter.
pub enum LetterOctets {
    /// All of it.
    Whole(Vec<u8>),
    /// This, then the received message from this octet on.
    Before(Vec<u8>, u64),
}

/// Packs what was decided.
pub fn pack(matter: &Matter<'_>, names: Names) -> Shipment {
    let (letters, questions) = (Vec::new(), Vec::new());
    let mut shipment = Shipment { parcel: None, letters, questions, refused: 0, bodies: Default::default() };
    let mut grants = Vec::new();
    let people = matter.envelope.recipients.iter().zip(&matter.plan.decisions).zip(names.recipients).enumerate();
    for (index, ((recipient, decision), names)) in people {
        let kind = match decision.settings.treatment {
            Treatment::Relay => LetterKind::Relayed,
            Treatment::Secure if decision.settings.gives_rights(matter.facts) => {
                grants.push(planned_grant(matter, index, decision, &names));
                LetterKind::Notice(Some(grants.len() - 1))
            }
            Treatment::Secure => LetterKind::Notice(None),
            Treatment::Ask => {
                shipment.questions.push(planned_question(matter, index, decision, names.question));
                continue;
            }
            Treatment::Refuse => {
                shipment.refused += 1;
                LetterKind::Refusal(refusal_words(decision))
            }
        };
        shipment.letters.extend(letter(matter, index, recipient, decision, names.letter, kind));
    }
    if !grants.is_empty() {
        shipment.parcel = Some(planned_parcel(matter, names.parcel, &names.deposits, grants));
    }
    shipment
}

fn planned_grant(matter: &Matter<'_>, recipient: usize, decision: &Decision, names: &RecipientNames) -> PlannedGrant {
    let policy = matter.policy;
    let access = policy.access_for(decision);
    // An invitation that is open already ends when it ends, and the documents wait no longer.
    let open = decision.invited_until.filter(|until| *until > matter.now).map(|until| until.since(matter.now));
    let held = decision.registers.then(|| open.unwrap_or_else(|| policy.schedule(decision.role).longest()));
    PlannedGrant { id: names.grant, recipient, decision: decision.clone(), access, token: names.token.clone(), held }
}

fn planned_question(matter: &Matter<'_>, recipient: usize, decision: &Decision, id: QuestionId) -> PlannedQuestion {
    let settings = &decision.settings;
    PlannedQuestion {
        id,
        recipient,
        asking: decision.asking.unwrap_or(Asking::Role),
        again: matter.now.plus(settings.ask_again.min(settings.ask_until)),
        until: matter.now.plus(settings.ask_until),
    }
}

/// The words a sender reads where policy refuses a recipient.
pub fn refusal_words(decision: &Decision) -> String {
    decision.settings.reason.clone().unwrap_or_else(|| String::from("The clinic's policy does not allow this message."))
}

fn letter(
    matter: &Matter<'_>,
    index: usize,
    recipient: &Recipient,
    decision: &Decision,
    id: QueueId,
    kind: LetterKind,
) -> Option<PlannedLetter> {
    let delivery = match &kind {
        LetterKind::Refusal(_) => report_delivery(&matter.envelope.reverse_path, recipient)?,
        LetterKind::Relayed | LetterKind::Notice(_) => Delivery {
            reverse_path: matter.envelope.reverse_path.clone(),
            recipient: recipient.clone(),
            ret: matter.envelope.ret,
            envid: matter.envelope.envid.clone(),
        },
    };
    let tls_required = decision.settings.tls_required && !matches!(kind, LetterKind::Refusal(_));
    Some(PlannedLetter { id, recipient: index, delivery, kind, tls_required })
}

/// The envelope of a report about a recipient: none where nobody is to be told (RFC 3461, section 4.1; RFC 5321,
/// section 4.5.5).
pub fn report_delivery(reverse_path: &ReversePath, about: &Recipient) -> Option<Delivery> {
    let sender = reverse_path.address()?.clone();
    about.notify.unwrap_or_default().failure.then(|| Delivery {
        reverse_path: ReversePath::Null,
        recipient: Recipient::plain(sender),
        ret: None,
        envid: None,
    })
}

fn planned_parcel(
    matter: &Matter<'_>,
    id: ParcelId,
    ids: &[DepositId],
    mut grants: Vec<PlannedGrant>,
) -> PlannedParcel {
    let birthdate = common_birthdate(&grants);
    for grant in grants.iter_mut().filter(|_| birthdate.is_none()) {
        grant.access = matter.policy.access_without_birthdate(&grant.decision);
        grant.held = grant.held.filter(|_| grant.access.contains(&AccessCheck::Account));
    }
    let deposits = deposits(matter, ids, &grants);
    PlannedParcel {
        id,
        subject: matter.plan.subject.clone(),
        sender_name: matter.facts.from_name.clone().unwrap_or_else(|| matter.sender.to_string()),
        practice: matter.plan.practice.clone(),
        patient: matter.facts.patient().cloned(),
        birthdate,
        deposits,
        grants,
    }
}

fn common_birthdate(grants: &[PlannedGrant]) -> Option<String> {
    let mut known = grants.iter().filter_map(|grant| grant.decision.birthdate.as_ref());
    let first = known.next()?;
    known.all(|other| other == first).then(|| first.clone())
}

impl Shipment {
    /// The octets of one letter.
    ///
    /// # Errors
    /// Where a template fails or a message cannot be built.
    pub fn compose(&self, matter: &Matter<'_>, letter: &PlannedLetter) -> Result<LetterOctets, PackError> {
        match &letter.kind {
            LetterKind::Relayed => Ok(LetterOctets::Before(relayed(matter, letter), matter.outline.header_end)),
            LetterKind::Notice(grant) => self.compose_notice(matter, letter, *grant).map(LetterOctets::Whole),
            LetterKind::Refusal(words) => compose_refusal(matter, letter, words).map(LetterOctets::Whole),
        }
    }

    fn compose_notice(
        &self,
        matter: &Matter<'_>,
        letter: &PlannedLetter,
        grant: Option<usize>,
    ) -> Result<Vec<u8>, PackError> {
        let grant = grant.and_then(|index| self.parcel.as_ref()?.grants.get(index));
        let link = grant.map(|grant| format!("{}/p/{}", matter.public_url, grant.token.expose()));
        let settings = &matter.plan.decisions[letter.recipient].settings;
        let of_type = match settings.subject {
            SubjectShown::Type if link.is_some() => Some(type_subject(matter)?),
            _ => None,
        };
        let parts = NoticeParts {
            practice: practice(matter),
            sender: matter.sender,
            speaks_as: matter.plan.speaks_as.as_ref().filter(|_| link.is_some()),
            message: matter.facts,
            outline: matter.outline,
            subject: of_type.as_deref().unwrap_or(&matter.plan.subject),
            private: settings.body == BodyPlace::Vault || matter.facts.as_written,
            link: link.as_deref(),
            access: grant.map_or(&[], |grant| grant.access.as_slice()),
            registers: grant.is_some_and(|grant| grant.held.is_some()),
            role: grant.and_then(|grant| grant.decision.role),
            link_until: matter.now.plus(grant.and_then(|grant| grant.held).unwrap_or(settings.link)),
            keep_until: matter.now.plus(settings.keep),
            hostname: matter.hostname,
            unique: &letter.id.to_string(),
            now: matter.now,
        };
        if parts.private {
            return notice_around(&Body::default(), matter.templates, &parts);
        }
        let body = &self.bodies[usize::from(parts.link.is_some())];
        let body = match body.get() {
            Some(body) => body,
            None => {
                let made = Body::of(matter.templates, &parts)?;
                body.get_or_init(|| made)
            }
        };
        notice_around(body, matter.templates, &parts)
    }
}

fn practice<'a>(matter: &Matter<'a>) -> &'a Practice {
    matter.policy.practice(&matter.plan.practice).unwrap_or_else(|| matter.policy.first_practice())
}

fn relayed(matter: &Matter<'_>, letter: &PlannedLetter) -> Vec<u8> {
    let subject = (matter.plan.subject != matter.facts.subject).then_some(matter.plan.subject.as_str());
    let outside = matter.policy.practice_of(letter.delivery.recipient.address.domain()).is_none();
    let changes = Changes { subject, outside };
    relayed_header(matter.outline, matter.trace, matter.hostname, &matter.transaction.to_string(), changes)
}

/// What tells a report that policy refused: see [`ReportParts::attempts`].
const NEVER_TRIED: u32 = 0;

fn compose_refusal(matter: &Matter<'_>, letter: &PlannedLetter, words: &str) -> Result<Vec<u8>, PackError> {
    failure_report(
        matter.templates,
        &ReportParts {
            practice: practice(matter),
            to: &letter.delivery.recipient.address,
            recipient: &matter.envelope.recipients[letter.recipient].address,
            hostname: matter.hostname,
            transaction: &matter.transaction.to_string(),
            accepted: matter.now,
            enhanced: "5.7.1",
            sentence: words,
            attempts: NEVER_TRIED,
            unique: &letter.id.to_string(),
            now: matter.now,
        },
    )
}
