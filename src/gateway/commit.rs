//! From a shipment to 250: seal what is large, write one commit, and only then take responsibility.
//!
//! 1 objects sealed and synced · 2 one journal record synced = [`Committed`] · 3 applied · 4 the reply.

use std::ops::Range;

use bytes::Bytes;
use tokio::runtime::RuntimeFlavor;

use crate::blob::object::Released;
use crate::blob::{BlobError, Object, ObjectWriter, RawMessage};
use crate::gateway::read::DecodedLeaf;
use crate::gateway::records::{is_recorded, thread};
use crate::gateway::staff_mail::SentCopy;
use crate::gateway::tokens::{TokenAddress, gone};
use crate::gateway::words::Answered;
use crate::gateway::{Gateway, Receipt, Refusal, Snapshot, trouble, unavailable};
use crate::mail::Origin;
use crate::mime::Defect;
use crate::pack::PackError;
use crate::pack::shipment::{
    DepositKind, LetterKind, LetterOctets, Matter, PlannedDeposit, PlannedLetter, PlannedParcel, Shipment, Source,
};
use crate::policy::SenderFacts;
use crate::queue::{IN_ENTRY, NewLetter, Payload, Purpose, TlsDemand};
use crate::store::{Batch, CommitError, Committed};
use crate::vault::{Deposit, NewGrant, NewParcel, ParcelContent};

/// How often a commit is tried when other messages to the same new address come first.
const TRIES: usize = 8;
/// HTML up to this size is read at once, whatever is in it.
const QUICKLY_READ: usize = 2 * 1024;
/// Octets that the entries of one commit hold together, at most: a quarter of what a commit may have.
const IN_ENTRIES: usize = 2 * 1024 * 1024;

/// Everything of a shipment that is sealed and synced, and that no record names yet.
struct Sealed {
    deposits: Vec<(Deposit, Object)>,
    original: Option<Object>,
    letters: Vec<SealedLetter>,
    /// The octets of the letters that are too long for their entries, one behind the other: a file for each would cost two
    /// syncs each.
    long: Option<Object>,
    /// What stands in Sent: of the sender, and of the workgroup as which it was sent.
    sent: Vec<SentCopy>,
}

/// Why a shipment was not taken, and whether that is certain.
pub(super) enum NotTaken {
    /// Nothing of it is in the journal.
    Surely(Refusal),
    /// The store cannot say ([`CommitError::Unknown`]).
    Perhaps(Refusal),
}

impl NotTaken {
    /// Whether the next start may find that it was taken: what it names must be kept until then.
    pub(super) fn is_uncertain(&self) -> bool {
        matches!(self, Self::Perhaps(_))
    }

    pub(super) fn into_refusal(self) -> Refusal {
        let (Self::Surely(refusal) | Self::Perhaps(refusal)) = self;
        refusal
    }
}

impl From<Refusal> for NotTaken {
    fn from(refusal: Refusal) -> Self {
        Self::Surely(refusal)
    }
}

/// What a commit must know beyond the matter itself.
pub(super) struct Case<'a> {
    /// The policies that decided, for mails of our own.
    pub snapshot: &'a Snapshot,
    /// Who vouched for the message.
    pub origin: &'a Origin,
    /// Who speaks.
    pub sender: &'a SenderFacts,
    /// The answer with which a message that waited runs again.
    pub answered: Option<&'a Answered>,
}

/// Where a letter's octets lie.
enum SealedLetter {
    /// In its entry, all of them.
    InEntry(Bytes),
    /// A header section in its entry, then the received message from this octet on.
    Before(Bytes, u64),
    /// In the object that holds the long ones.
    Long(Range<u64>),
}

impl Gateway {
    /// Makes a shipment durable.
    ///
    /// # Errors
    /// [`Refusal::Full`], [`Refusal::Unavailable`], or a defect found while decoding; nothing is kept then, unless it is
    /// uncertain whether it was taken.
    pub(super) async fn commit(
        &self,
        matter: &Matter<'_>,
        shipment: &Shipment,
        message: &RawMessage,
        case: &Case<'_>,
    ) -> Result<Kept, NotTaken> {
        let sealed = self.seal(matter, shipment, message, case.origin).await?;
        let result = self.commit_sealed(matter, shipment, &sealed, case).await;
        match result {
            Ok(committed) => {
                self.stations.queue.wake();
                Ok(Kept { _proof: committed, original: sealed.original.is_some() })
            }
            Err(not_taken) => {
                // The next start may find that it happened: what no record names then is for the sweep.
                if !not_taken.is_uncertain() {
                    self.drop_sealed(sealed).await;
                }
                Err(not_taken)
            }
        }
    }

    async fn commit_sealed(
        &self,
        matter: &Matter<'_>,
        shipment: &Shipment,
        sealed: &Sealed,
        case: &Case<'_>,
    ) -> Result<Committed, NotTaken> {
        for _ in 0..TRIES {
            let (mut batch, mut released) = self.batch(matter, shipment, sealed, case).await?;
            released.extend(self.end_question(&mut batch, case).await?);
            match self.stations.store.commit(batch).await {
                Ok(committed) => {
                    self.stations.objects.drop_files(released).await;
                    return Ok(committed);
                }
                Err(CommitError::Conflict) => {}
                Err(CommitError::Disk(cause)) => {
                    trouble("commit", &cause);
                    return Err(Refusal::Full.into());
                }
                Err(CommitError::Unknown(cause)) => {
                    trouble("commit", &cause);
                    return Err(NotTaken::Perhaps(Refusal::Full));
                }
                Err(CommitError::TooLarge) => return Err(too_large().into()),
            }
        }
        Err(unavailable("commit", &"other changes came first, again and again").into())
    }

    async fn seal(
        &self,
        matter: &Matter<'_>,
        shipment: &Shipment,
        message: &RawMessage,
        origin: &Origin,
    ) -> Result<Sealed, Refusal> {
        let (deposits, letters, sent) = Default::default();
        let mut sealed = Sealed { deposits, original: None, letters, long: None, sent };
        match self.seal_into(&mut sealed, matter, shipment, (message, origin)).await {
            Ok(()) => Ok(sealed),
            Err(refusal) => {
                self.drop_sealed(sealed).await;
                Err(refusal)
            }
        }
    }

    async fn seal_into(
        &self,
        sealed: &mut Sealed,
        matter: &Matter<'_>,
        shipment: &Shipment,
        (message, origin): (&RawMessage, &Origin),
    ) -> Result<(), Refusal> {
        for planned in shipment.parcel.iter().flat_map(|parcel| &parcel.deposits) {
            sealed.deposits.push(self.seal_deposit(matter, planned, message).await?);
        }
        let sent = self.sent_places(matter, shipment, origin).await?;
        if holders(shipment) > 0 || !sent.is_empty() {
            sealed.original = Some(self.stations.objects.adopt(message).await.map_err(disk)?);
        }
        let documents = sealed.deposits.iter().filter(|(deposit, _)| deposit.kind == DepositKind::Document);
        let documents: Vec<_> = documents.map(|(deposit, _)| (deposit.name.clone(), deposit.object.octets)).collect();
        if let Some(original) = &sealed.original {
            for place in sent {
                let copied = self.sent_copy(matter, (shipment, &documents), place, (message, original.clone()));
                sealed.sent.push(copied.await?);
            }
        }
        let room = IN_ENTRY.min(IN_ENTRIES / shipment.letters.len().max(1));
        let mut long = self.stations.objects.create();
        let mut written = 0;
        for letter in &shipment.letters {
            let octets = self.compose(matter, shipment, letter).await?;
            sealed.letters.push(match octets {
                LetterOctets::Before(header, from) => SealedLetter::Before(header.into(), from),
                LetterOctets::Whole(octets) if octets.len() <= room => SealedLetter::InEntry(octets.into()),
                LetterOctets::Whole(octets) => {
                    long.write(&octets).await.map_err(disk)?;
                    let from = written;
                    written += octets.len() as u64;
                    SealedLetter::Long(from..written)
                }
            });
        }
        if written > 0 {
            sealed.long = Some(long.finish().await.map_err(disk)?);
        }
        Ok(())
    }

    /// Composing takes a fraction of a millisecond, but reading a sender's HTML up to a third of a second where it is
    /// tangled: then other sessions do not wait for it, and not all threads do it at once.
    async fn compose(
        &self,
        matter: &Matter<'_>,
        shipment: &Shipment,
        letter: &PlannedLetter,
    ) -> Result<LetterOctets, Refusal> {
        let compose = || shipment.compose(matter, letter).map_err(not_composed);
        if matter.facts.html.as_ref().is_none_or(|html| html.len() <= QUICKLY_READ) {
            return compose();
        }
        let _turn = self.readers.acquire().await;
        match tokio::runtime::Handle::current().runtime_flavor() {
            RuntimeFlavor::CurrentThread => compose(),
            _ => tokio::task::block_in_place(compose),
        }
    }

    async fn seal_deposit(
        &self,
        matter: &Matter<'_>,
        planned: &PlannedDeposit,
        message: &RawMessage,
    ) -> Result<(Deposit, Object), Refusal> {
        let object = match &planned.source {
            Source::Octets(octets) => self.stations.objects.of(octets).await.map_err(disk)?,
            Source::Attachment(index) => {
                let mut writer: ObjectWriter = self.stations.objects.create();
                let mut leaf = DecodedLeaf::new(message, &matter.facts.attachments[*index]);
                while let Some(octets) = leaf.next().await? {
                    writer.write(octets).await.map_err(disk)?;
                }
                writer.finish().await.map_err(disk)?
            }
        };
        let deposit = Deposit {
            id: planned.id,
            kind: planned.kind,
            name: planned.name.clone(),
            media_type: planned.media_type.clone(),
            object: object.reference(),
        };
        Ok((deposit, object))
    }

    /// Takes the question out with whose answer the message's life runs again. Of two answers one finds it.
    async fn end_question(&self, batch: &mut Batch, case: &Case<'_>) -> Result<Option<Released>, Refusal> {
        let Some(answered) = case.answered else { return Ok(None) };
        let unread = |error| unavailable("question", &error);
        let asked = self.question(answered.asked.id).await.map_err(unread)?;
        let asked = asked.ok_or_else(|| Refusal::Policy(gone(TokenAddress::Ask(answered.asked.id)).into()))?;
        self.put_answered(batch, &asked).await.map(Some).map_err(unread)
    }

    /// What is committed, and the files to remove afterwards.
    async fn batch(
        &self,
        matter: &Matter<'_>,
        shipment: &Shipment,
        sealed: &Sealed,
        case: &Case<'_>,
    ) -> Result<(Batch, Vec<Released>), Refusal> {
        let mut batch = Batch::default();
        let (mut grants, mut released) = (Vec::new(), Vec::new());
        if let Some(parcel) = &shipment.parcel {
            grants = self.put_rights(&mut batch, matter, parcel, case).await?;
            let parcel = new_parcel(matter, parcel, sealed, grants.clone());
            self.stations.vault.put(&mut batch, parcel, matter.now).map_err(|error| unavailable("vault", &error))?;
        }
        if let (Some(original), 1..) = (&sealed.original, holders(shipment)) {
            original.put(&mut batch, u32::try_from(holders(shipment)).unwrap_or(u32::MAX));
        }
        let mut owners: Vec<_> = sealed.sent.iter().map(SentCopy::owner).collect();
        if !shipment.questions.is_empty() {
            let asked = self.place_of(case.snapshot, &matter.plan.practice, matter.sender).await;
            owners.extend(asked.map_err(|error| unavailable("question", &error))?.inbox.map(|(owner, _)| owner));
        }
        self.stations.mailboxes.take_turns(&mut batch, &owners).await;
        for sent in &sealed.sent {
            released.extend(self.put_sent(&mut batch, sent, matter.now).await?);
        }
        self.put_questions(&mut batch, matter, shipment, sealed.original.as_ref(), case).await?;
        self.put_record(&mut batch, matter, shipment, &grants, case).await?;
        if let Some(long) = &sealed.long {
            let holders = sealed.letters.iter().filter(|letter| matches!(letter, SealedLetter::Long(_))).count();
            long.put(&mut batch, u32::try_from(holders).unwrap_or(u32::MAX));
        }
        for (letter, octets) in shipment.letters.iter().zip(&sealed.letters) {
            let sent = if is_recorded(shipment, case) { Purpose::Tracked } else { Purpose::Message };
            let letter = new_letter(matter, letter, payload(octets, sealed), sent);
            self.stations.queue.put(&mut batch, letter, matter.now).map_err(|error| unavailable("queue", &error))?;
        }
        Ok((batch, released))
    }

    /// Removes what was sealed for a commit that did not happen; what is missed the next sweep finds.
    async fn drop_sealed(&self, sealed: Sealed) {
        let deposits = sealed.deposits.into_iter().map(|(_, object)| object);
        let objects = deposits.chain(sealed.original).chain(sealed.long).collect();
        self.stations.objects.discard(objects).await;
    }
}

fn new_parcel(matter: &Matter<'_>, planned: &PlannedParcel, sealed: &Sealed, grants: Vec<NewGrant>) -> NewParcel {
    let (message_id, references) = thread(matter.outline);
    NewParcel {
        id: planned.id,
        transaction: matter.transaction,
        content: ParcelContent {
            subject: planned.subject.clone(),
            sender: matter.sender.clone(),
            sender_name: planned.sender_name.clone(),
            practice: planned.practice.clone(),
            patient: planned.patient.clone(),
            sent: matter.now,
            deposits: sealed.deposits.iter().map(|(deposit, _)| deposit.clone()).collect(),
            birthdate: planned.birthdate.clone(),
            message_id,
            references,
            titles: planned.deposits.iter().map(|deposit| deposit.title.clone()).collect(),
        },
        objects: sealed.deposits.iter().map(|(_, object)| object.clone()).collect(),
        grants,
    }
}

fn payload(octets: &SealedLetter, sealed: &Sealed) -> Payload {
    match octets {
        SealedLetter::InEntry(octets) => Payload { prefix: octets.clone(), rest: None },
        SealedLetter::Before(header, from) => {
            let original = sealed.original.as_ref().map(Object::reference);
            Payload { prefix: header.clone(), rest: original.map(|object| (object.clone(), *from..object.octets)) }
        }
        SealedLetter::Long(range) => Payload {
            prefix: Bytes::new(),
            rest: sealed.long.as_ref().map(|object| (object.reference(), range.clone())),
        },
    }
}

fn new_letter(matter: &Matter<'_>, planned: &PlannedLetter, payload: Payload, sent: Purpose) -> NewLetter {
    NewLetter {
        id: planned.id,
        transaction: matter.transaction,
        purpose: match planned.kind {
            LetterKind::Refusal(_) => Purpose::Report,
            LetterKind::Relayed | LetterKind::Notice(_) => sent,
        },
        delivery: planned.delivery.clone(),
        payload,
        tls: if planned.tls_required { TlsDemand::Required } else { TlsDemand::AsConfigured },
    }
}

/// What is on disk.
pub(super) struct Kept {
    _proof: Committed,
    /// Whether the octets of the received message are kept, too.
    original: bool,
}

/// A shipment that is on disk. Only [`Committed`] makes one, and only this makes a [`Receipt`].
pub(super) struct Taken {
    receipt: Receipt,
    keeps_original: bool,
}

impl Taken {
    pub(super) fn new(kept: &Kept, matter: &Matter<'_>, shipment: &Shipment) -> Self {
        let asked = shipment.questions.len();
        let accepted = matter.envelope.recipients.len() - shipment.refused - asked;
        let reported = shipment.letters.iter().filter(|letter| matches!(letter.kind, LetterKind::Refusal(_))).count();
        let receipt = Receipt { transaction: matter.transaction, accepted, asked, refused: shipment.refused, reported };
        Self { receipt, keeps_original: kept.original }
    }

    /// Whether somebody has taken over the octets of the received message.
    pub(super) fn keeps_original(&self) -> bool {
        self.keeps_original
    }

    pub(super) fn into_receipt(self) -> Receipt {
        self.receipt
    }
}

/// How many hold the received message itself: letters that are it, and questions whose answer it waits for.
fn holders(shipment: &Shipment) -> usize {
    let relayed = shipment.letters.iter().filter(|letter| matches!(letter.kind, LetterKind::Relayed)).count();
    relayed + shipment.questions.len()
}

/// A long header section to very many recipients: each letter carries its own.
fn too_large() -> Refusal {
    let words = "The message's header section is too long for so many recipients. Send it to fewer at a time".into();
    Refusal::NotUnderstood(Defect { word: "batch-too-large", words, limit: true })
}

/// What stands in the message the sender can change; a template that fails is ours.
fn not_composed(error: PackError) -> Refusal {
    match error {
        PackError::FileWithin(defect) => Refusal::NotUnderstood(defect),
        PackError::Template(_) => unavailable("pack", &error),
    }
}

fn disk(error: BlobError) -> Refusal {
    match error {
        BlobError::Full => Refusal::Full,
        other => unavailable("blob", &other),
    }
}
