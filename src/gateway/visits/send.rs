//! A reply on its way: composed as mail, and put into one commit with what is kept of it.

use bytes::Bytes;

use crate::access::Admitted;
use crate::blob::{Object, ObjectWriter};
use crate::gateway::history::Happened;
use crate::gateway::mails::practice_or_first;
use crate::gateway::staff_mail::Place;
use crate::gateway::visits::parcels::{blob_error, vault_error};
use crate::gateway::visits::replies::FinishedAttachment;
use crate::gateway::visits::{ReplyFault, Visit, VisitError, not_committed, not_now};
use crate::gateway::{Gateway, Snapshot};
use crate::id::{GuestReplyId, MailboxId, OwnerId, QueueId};
use crate::mail::{Address, Delivery, DsnNotify, Recipient, ReversePath};
use crate::mailbox::{Arrival, MailboxError, NewMail};
use crate::pack::base64::Base64Lines;
use crate::pack::own::{GuestReplyParts, OwnParts, Says, guest_reply_frame};
use crate::queue::{IN_ENTRY, NewLetter, Payload, Purpose, TlsDemand};
use crate::random;
use crate::store::{Batch, CommitError};
use crate::time::Timestamp;
use crate::vault::{KeptReply, ParcelContent, VaultError};

/// How often a commit is tried when other changes come first.
const TRIES: usize = 8;

/// A reply, ready to be committed.
struct Ready<'a> {
    visit: &'a Visit,
    admitted: &'a Admitted,
    content: &'a ParcelContent,
    kept: KeptReply,
    /// The attachments.
    objects: Vec<Object>,
    composed: Composed,
    reply: GuestReplyId,
    letter: QueueId,
    now: Timestamp,
}

/// What a reply becomes: a message in the Inbox of whom it answers, a mail to them, or both.
struct Composed {
    inbox: Option<((OwnerId, MailboxId), Arrival)>,
    mail: Option<Mail>,
}

/// The mail that a reply becomes.
enum Mail {
    InEntry(Bytes),
    Own(Object),
    /// The octets of the message in the Inbox.
    OfInbox,
}

/// Where a mail is composed to.
enum Sink {
    Memory(Vec<u8>),
    Object(ObjectWriter),
    Inbox(Box<NewMail>),
}

impl Sink {
    async fn write(&mut self, octets: &[u8]) -> Result<(), VisitError> {
        match self {
            Self::Memory(memory) => memory.extend_from_slice(octets),
            Self::Object(writer) => writer.write(octets).await.map_err(blob_error)?,
            Self::Inbox(mail) => mail.write(octets).await.map_err(mailbox_error)?,
        }
        Ok(())
    }
}

impl Composed {
    /// What the queue is given, if anything; the batch holds its object.
    fn payload(&self, batch: &mut Batch) -> Option<Payload> {
        let object = match (self.mail.as_ref()?, &self.inbox) {
            (Mail::InEntry(octets), _) => return Some(Payload { prefix: octets.clone(), rest: None }),
            (Mail::Own(object), _) => {
                object.put(batch, 1);
                object.reference()
            }
            (Mail::OfInbox, Some((_, arrival))) => arrival.share(batch),
            (Mail::OfInbox, None) => return None,
        };
        let all = 0..object.octets;
        Some(Payload { prefix: Bytes::new(), rest: Some((object, all)) })
    }
}

/// What a visitor learns of a mailbox that takes nothing.
fn mailbox_error(error: MailboxError) -> VisitError {
    match error {
        MailboxError::Full => VisitError::Full,
        error => not_now("mailbox", &error),
    }
}

impl Gateway {
    /// Composes the mail and commits it with the conversation, the history and the end of the draft.
    pub(super) async fn send_finished(
        &self,
        visit: &Visit,
        (admitted, content): (&Admitted, &ParcelContent),
        text: String,
        attachments: Vec<FinishedAttachment>,
        now: Timestamp,
    ) -> Result<Result<(), ReplyFault>, VisitError> {
        let kept = KeptReply { text, attachments: attachments.iter().map(FinishedAttachment::kept).collect() };
        let letter = random::id();
        let composed = match self.composed(visit, content, &kept, &attachments, (letter, now)).await {
            Ok(composed) => composed,
            Err(error) => {
                self.discard_attachments(attachments).await;
                return Err(error);
            }
        };
        let objects = attachments.into_iter().map(|attachment| attachment.object).collect();
        let reply = random::id();
        self.commit_reply(Ready { visit, admitted, content, kept, objects, composed, reply, letter, now }).await
    }

    async fn composed(
        &self,
        visit: &Visit,
        content: &ParcelContent,
        reply: &KeptReply,
        attachments: &[FinishedAttachment],
        (letter, now): (QueueId, Timestamp),
    ) -> Result<Composed, VisitError> {
        let (guest, guest_name) = self.who_writes(visit).await?;
        let names: Vec<_> = reply.attachments.iter().map(|it| (it.name.clone(), it.media_type.clone())).collect();
        let says = Says::GuestReply(GuestReplyParts {
            guest: &guest,
            guest_name: &guest_name,
            subject: &content.subject,
            in_reply_to: content.message_id.as_deref(),
            references: &content.references,
            text: &reply.text,
            attachments: &names,
        });
        let snapshot = self.policies();
        let frame = self.frame(&snapshot, content, says, letter, now)?;
        let place = self.place_of(&snapshot, &content.practice, &content.sender).await.map_err(mailbox_error)?;
        self.filled(frame, attachments, place).await
    }

    fn frame(
        &self,
        snapshot: &Snapshot,
        content: &ParcelContent,
        says: Says<'_>,
        letter: QueueId,
        now: Timestamp,
    ) -> Result<Vec<Vec<u8>>, VisitError> {
        let parts = OwnParts {
            practice: practice_or_first(snapshot, &content.practice),
            to: &content.sender,
            from: &self.own_address(),
            reply_to: None,
            hostname: self.settings.hostname.as_str(),
            unique: &letter.to_string(),
            now,
            says,
        };
        guest_reply_frame(&snapshot.templates, &parts).map_err(|error| not_now("pack", &error))
    }

    /// The frame with the attachments in it, streamed: a piece in memory at a time, unless all of it is small.
    async fn filled(
        &self,
        frame: Vec<Vec<u8>>,
        attachments: &[FinishedAttachment],
        place: Place,
    ) -> Result<Composed, VisitError> {
        let framed: u64 = frame.iter().map(|piece| piece.len() as u64).sum();
        let encoded = attachments.iter().map(|attachment| Base64Lines::encoded(attachment.object.reference().octets));
        let small = framed + encoded.sum::<u64>() <= IN_ENTRY as u64;
        let mut sink = match place.inbox {
            _ if small => Sink::Memory(Vec::new()),
            Some(_) => Sink::Inbox(Box::new(self.stations().mailboxes.begin())),
            None => Sink::Object(self.stations().objects.create()),
        };
        let mut attachments = attachments.iter();
        for piece in frame {
            sink.write(&piece).await?;
            if let Some(attachment) = attachments.next() {
                self.encode_into(&mut sink, &attachment.object).await?;
            }
        }
        self.finish_composed(sink, place).await
    }

    async fn finish_composed(&self, sink: Sink, place: Place) -> Result<Composed, VisitError> {
        let mailboxes = &self.stations().mailboxes;
        let (arrival, mail) = match sink {
            Sink::Memory(octets) => {
                let arrival = match place.inbox {
                    Some(_) => Some(mailboxes.arrival(&octets).await.map_err(mailbox_error)?),
                    None => None,
                };
                (arrival, Mail::InEntry(octets.into()))
            }
            Sink::Inbox(mail) => (Some(mailboxes.finish(*mail).await.map_err(mailbox_error)?), Mail::OfInbox),
            Sink::Object(writer) => (None, Mail::Own(writer.finish().await.map_err(blob_error)?)),
        };
        Ok(Composed { inbox: place.inbox.zip(arrival), mail: place.mail.then_some(mail) })
    }

    async fn encode_into(&self, sink: &mut Sink, object: &Object) -> Result<(), VisitError> {
        let mut octets = self.stations().objects.read_finished(object).await.map_err(blob_error)?;
        let (mut encoder, mut lines) = (Base64Lines::default(), String::new());
        while let Some(piece) = octets.next().await.map_err(blob_error)? {
            lines.clear();
            encoder.feed(&piece, &mut lines);
            sink.write(lines.as_bytes()).await?;
        }
        lines.clear();
        encoder.finish(&mut lines);
        sink.write(lines.as_bytes()).await
    }

    /// The address of the visit's contact, and the name they registered with; the address again where they have no account.
    async fn who_writes(&self, visit: &Visit) -> Result<(Address, String), VisitError> {
        let person = self.stations().directory.person(visit.contact).await;
        let person = person.map_err(|error| not_now("directory", &error))?;
        let address = person.map(|person| person.address).ok_or(VisitError::NotFound)?;
        let guest = self.stations().guests.find(visit.contact).await.map_err(|error| not_now("guests", &error))?;
        let name = guest.map(|guest| guest.value.name).filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| address.to_string());
        Ok((address, name))
    }

    async fn commit_reply(&self, ready: Ready<'_>) -> Result<Result<(), ReplyFault>, VisitError> {
        for _ in 0..TRIES {
            let batch = match self.reply_batch(&ready).await {
                Ok(batch) => batch,
                Err(NotPut::Closed) => {
                    self.discard_reply(ready).await;
                    return Ok(Err(ReplyFault::Closed));
                }
                Err(NotPut::Error(error)) => {
                    self.discard_reply(ready).await;
                    return Err(error);
                }
            };
            match self.stations().store.commit(batch).await {
                Ok(_) => {
                    self.stations().queue.wake();
                    return Ok(Ok(()));
                }
                Err(CommitError::Conflict) => {}
                // The next start may find that it happened: what no record names then is for the sweep.
                Err(error @ CommitError::Unknown(_)) => return Err(not_committed(error)),
                Err(error) => {
                    self.discard_reply(ready).await;
                    return Err(not_committed(error));
                }
            }
        }
        self.discard_reply(ready).await;
        Err(not_now("visits", &"other changes came first, again and again"))
    }

    async fn discard_reply(&self, ready: Ready<'_>) {
        let mail = match ready.composed.mail {
            Some(Mail::Own(object)) => Some(object),
            Some(Mail::InEntry(_) | Mail::OfInbox) | None => None,
        };
        self.stations().objects.discard(ready.objects.into_iter().chain(mail).collect()).await;
        if let Some((_, arrival)) = ready.composed.inbox {
            self.stations().mailboxes.discard(arrival).await;
        }
    }

    async fn reply_batch(&self, ready: &Ready<'_>) -> Result<Batch, NotPut> {
        let (vault, grant) = (&self.stations().vault, ready.admitted.grant());
        let mut batch = Batch::default();
        let kept = (ready.reply, &ready.kept);
        vault.put_reply(&mut batch, ready.admitted, kept, &ready.objects, ready.now).await?;
        vault.drop_draft(&mut batch, ready.visit.contact, grant).await?;
        self.put_what_happened(&mut batch, ready.admitted, Happened::Replied, ready.now).await?;
        if let Some((inbox, arrival)) = &ready.composed.inbox {
            let put = self.put_in_inbox(&mut batch, *inbox, arrival, ready.now).await;
            put.map_err(|error| NotPut::Error(mailbox_error(error)))?;
        }
        let Some(payload) = ready.composed.payload(&mut batch) else { return Ok(batch) };
        let transaction = vault.grant(grant).await?.ok_or(VaultError::Missing)?.value.transaction;
        let letter = NewLetter {
            id: ready.letter,
            transaction,
            purpose: Purpose::Report,
            delivery: to_mailbox(&ready.content.sender),
            payload,
            tls: TlsDemand::AsConfigured,
        };
        let queued = self.stations().queue.put(&mut batch, letter, ready.now);
        queued.map_err(|error| NotPut::Error(not_now("queue", &error)))?;
        Ok(batch)
    }
}

/// Why a reply was not put into a batch.
enum NotPut {
    /// The conversation has as many replies as it may.
    Closed,
    Error(VisitError),
}

impl From<VaultError> for NotPut {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Full => Self::Closed,
            error => Self::Error(vault_error(error)),
        }
    }
}

impl From<VisitError> for NotPut {
    fn from(error: VisitError) -> Self {
        Self::Error(error)
    }
}

/// Failing, it is reported to nobody: a guest's address is no place for a report about a mailbox of the clinic.
fn to_mailbox(sender: &Address) -> Delivery {
    let recipient = Recipient { notify: Some(DsnNotify::NEVER), ..Recipient::plain(sender.clone()) };
    Delivery { reverse_path: ReversePath::Null, recipient, ret: None, envid: None }
}
