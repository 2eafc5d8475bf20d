//! Replies: what a guest writes becomes mail to the sender's own mailbox, and is kept with the conversation.

use std::fmt;

use crate::blob::{Object, ObjectWriter};
use crate::conversation::{self, Allowance, Beyond};
use crate::gateway::Gateway;
use crate::gateway::visits::parcels::{blob_error, vault_error};
use crate::gateway::visits::{ShownReply, Visit, VisitError, not_now};
use crate::id::GrantId;
use crate::mime::assess::{START, uploaded};
use crate::mime::names::{distinct, sanitise};
use crate::store;
use crate::time::Timestamp;
use crate::vault::{KeptAttachment, KeptReply, ParcelContent};

/// Whether and how a guest may reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyRules {
    /// Whether the conversation is open.
    pub open: bool,
    /// Attachments at most; none, if 0.
    pub most_attachments: usize,
    /// Octets of one attachment at most.
    pub most_octets: u64,
    /// Octets of all attachments together at most.
    pub most_together: u64,
    /// Octets of the text at most.
    pub most_text: usize,
}

/// What is wrong with a reply; the field it stands beside is `text` or `files`.
#[derive(Clone, PartialEq, Eq)]
pub enum ReplyFault {
    /// No text and no attachment.
    Empty,
    /// The text is too long.
    TextTooLong,
    /// Too many attachments.
    TooMany,
    /// This one is too large.
    TooLarge(String),
    /// This one is of a kind that is not accepted; the group that says so.
    Restricted(String, String),
    /// The conversation is closed.
    Closed,
}

/// Shows which, and no file name.
impl fmt::Debug for ReplyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::TextTooLong => f.write_str("TextTooLong"),
            Self::TooMany => f.write_str("TooMany"),
            Self::TooLarge(_) => f.write_str("TooLarge(…)"),
            Self::Restricted(_, group) => write!(f, "Restricted(…, {group:?})"),
            Self::Closed => f.write_str("Closed"),
        }
    }
}

/// A reply that is coming in. Dropped without [`Gateway::send_reply`], it leaves nothing behind.
pub struct NewReply {
    /// The text, at most [`ReplyRules::most_text`] octets.
    pub text: String,
    attachments: Vec<ComingAttachment>,
    rules: ReplyRules,
    grant: GrantId,
    /// The first thing that was wrong: then nothing more of it is taken.
    fault: Option<ReplyFault>,
}

/// An attachment that is coming in.
struct ComingAttachment {
    name: String,
    media_type: String,
    octets: u64,
    coming: Coming,
}

/// Its octets: nothing is stored before it is known what they are.
enum Coming {
    Start(Vec<u8>),
    Stored(ObjectWriter),
}

impl ReplyRules {
    fn allowance(&self) -> Allowance {
        Allowance { attachments: self.most_attachments, octets: self.most_octets, together: self.most_together }
    }
}

impl Gateway {
    /// Whether and how this message may be answered: not where the sender's account was disabled, since nobody would read it. A
    /// workgroup has others.
    pub(super) async fn reply_rules(&self, content: &ParcelContent) -> Result<ReplyRules, VisitError> {
        let account = self.stations().accounts.find(&content.sender).await;
        let account = account.map_err(|error| not_now("accounts", &error))?;
        let group = self.policies().policy.workgroup_at(&content.sender).is_some();
        let Allowance { attachments, octets, together } = Allowance::default();
        Ok(ReplyRules {
            open: group || account.is_none_or(|(_, account)| !account.value.disabled),
            most_attachments: attachments,
            most_octets: octets,
            most_together: together,
            most_text: conversation::MOST_TEXT,
        })
    }

    /// A place for a reply to this message.
    ///
    /// # Errors
    /// [`VisitError::NotFound`], [`VisitError::Show`].
    pub async fn begin_reply(&self, visit: &Visit, grant: GrantId) -> Result<NewReply, VisitError> {
        let now = store::now();
        let (admitted, _) = self.admitted(visit, grant).await?;
        let (_, content) = self.stations().vault.open(&admitted, now).await.map_err(vault_error)?;
        let rules = self.reply_rules(&content).await?;
        let fault = (!rules.open).then_some(ReplyFault::Closed);
        Ok(NewReply { text: String::new(), attachments: Vec::new(), rules, grant, fault })
    }

    /// A further attachment. Refused before it is stored where its name or number says so.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`].
    pub async fn begin_attachment(
        &self,
        reply: &mut NewReply,
        name: &str,
        media_type: &str,
    ) -> Result<Result<(), ReplyFault>, VisitError> {
        if reply.fault.is_none() && reply.rules.allowance().one_more(reply.attachments.len()).is_err() {
            reply.fault = Some(ReplyFault::TooMany);
        }
        if reply.fault.is_none() {
            reply.fault = self.restriction(name, media_type, &[], 0);
        }
        if let Some(fault) = &reply.fault {
            return Ok(Err(fault.clone()));
        }
        let media_type = media_type_of(media_type);
        let coming = Coming::Start(Vec::new());
        reply.attachments.push(ComingAttachment { name: name.to_owned(), media_type, octets: 0, coming });
        Ok(Ok(()))
    }

    /// Why a file of this name, type and beginning is not accepted.
    fn restriction(&self, name: &str, media_type: &str, start: &[u8], octets: u64) -> Option<ReplyFault> {
        let snapshot = self.policies();
        let group = snapshot.policy.restricted_group(&uploaded(name, media_type, start, octets))?.to_owned();
        Some(ReplyFault::Restricted(sanitise(name), group))
    }

    /// More octets of the attachment that was begun last. Its first octets say what it is.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`], [`VisitError::Full`].
    pub async fn write_attachment(
        &self,
        reply: &mut NewReply,
        octets: &[u8],
    ) -> Result<Result<(), ReplyFault>, VisitError> {
        if reply.fault.is_none() {
            let allowance = reply.rules.allowance();
            let Some((last, others)) = reply.attachments.split_last_mut() else { return Ok(Ok(())) };
            let others = others.iter().map(|attachment| attachment.octets).sum();
            last.octets = last.octets.saturating_add(octets.len() as u64);
            reply.fault = match allowance.grows_to(last.octets, others) {
                Err(Beyond::Size | Beyond::Number) => Some(ReplyFault::TooLarge(sanitise(&last.name))),
                Ok(()) => self.take_octets(last, octets).await?,
            };
        }
        Ok(reply.fault.clone().map_or(Ok(()), Err))
    }

    /// Keeps octets in memory until there are enough to tell what they are, and stores them from then on.
    async fn take_octets(
        &self,
        attachment: &mut ComingAttachment,
        octets: &[u8],
    ) -> Result<Option<ReplyFault>, VisitError> {
        match &mut attachment.coming {
            Coming::Stored(writer) => writer.write(octets).await.map_err(blob_error)?,
            Coming::Start(start) => {
                start.extend_from_slice(octets);
                if start.len() >= START {
                    return self.store_start(attachment).await;
                }
            }
        }
        Ok(None)
    }

    async fn store_start(&self, attachment: &mut ComingAttachment) -> Result<Option<ReplyFault>, VisitError> {
        let Coming::Start(start) = &attachment.coming else { return Ok(None) };
        let restriction = self.restriction(&attachment.name, &attachment.media_type, start, attachment.octets);
        if restriction.is_none() {
            let mut writer = self.stations().objects.create();
            writer.write(start).await.map_err(blob_error)?;
            attachment.coming = Coming::Stored(writer);
        }
        Ok(restriction)
    }

    /// Sends it, in one commit: the mail to the sender, and what is kept of the conversation.
    ///
    /// # Errors
    /// [`VisitError`]; nothing was sent then.
    pub async fn send_reply(&self, visit: &Visit, mut reply: NewReply) -> Result<Result<(), ReplyFault>, VisitError> {
        let now = store::now();
        let (admitted, _) = self.admitted(visit, reply.grant).await?;
        let (_, content) = self.stations().vault.open(&admitted, now).await.map_err(vault_error)?;
        if !self.reply_rules(&content).await?.open {
            return Ok(Err(ReplyFault::Closed));
        }
        // A file field left empty comes as a file without a name and without octets.
        reply.attachments.retain(|attachment| !attachment.name.is_empty() || attachment.octets > 0);
        let text = conversation::tidy(&reply.text);
        if let Some(fault) = self.fault_of(&mut reply, &text).await? {
            return Ok(Err(fault));
        }
        let attachments = self.finished(reply.attachments).await?;
        self.send_finished(visit, (&admitted, &content), text, attachments, now).await
    }

    async fn fault_of(&self, reply: &mut NewReply, text: &str) -> Result<Option<ReplyFault>, VisitError> {
        if let Some(fault) = reply.fault.take() {
            return Ok(Some(fault));
        }
        if text.len() > reply.rules.most_text {
            return Ok(Some(ReplyFault::TextTooLong));
        }
        if text.is_empty() && reply.attachments.is_empty() {
            return Ok(Some(ReplyFault::Empty));
        }
        for attachment in &mut reply.attachments {
            if let Some(fault) = self.store_start(attachment).await? {
                return Ok(Some(fault));
            }
        }
        Ok(None)
    }

    /// The attachments, sealed and synced, under names that differ.
    async fn finished(&self, coming: Vec<ComingAttachment>) -> Result<Vec<FinishedAttachment>, VisitError> {
        let names = distinct(coming.iter().map(|attachment| sanitise(&attachment.name)).collect());
        let mut finished = Vec::with_capacity(coming.len());
        for (attachment, name) in coming.into_iter().zip(names) {
            let Coming::Stored(writer) = attachment.coming else { continue };
            match writer.finish().await {
                Ok(object) => finished.push(FinishedAttachment { name, media_type: attachment.media_type, object }),
                Err(error) => {
                    self.discard_attachments(finished).await;
                    return Err(blob_error(error));
                }
            }
        }
        Ok(finished)
    }

    pub(super) async fn discard_attachments(&self, attachments: Vec<FinishedAttachment>) {
        let objects = attachments.into_iter().map(|attachment| attachment.object).collect();
        self.stations().objects.discard(objects).await;
    }

    /// Keeps what was typed by a visitor whose visit has ended meanwhile, for an hour, sealed, for the same contact.
    ///
    /// # Errors
    /// [`VisitError::NotFound`] where the cookie never was a visit of that contact.
    pub async fn keep_draft(&self, cookie: &str, grant: GrantId, text: &str) -> Result<(), VisitError> {
        let now = store::now();
        let visit = self.stations().guests.visit_that_was(cookie, now).await;
        let visit = visit.map_err(|error| not_now("guests", &error))?.ok_or(VisitError::NotFound)?;
        let vault = &self.stations().vault;
        let found = vault.grant(grant).await.map_err(vault_error)?;
        found
            .filter(|record| record.value.contact == visit.contact && record.value.lives(now))
            .ok_or(VisitError::NotFound)?;
        let text = conversation::cut(text, conversation::MOST_TEXT);
        vault.keep_draft(visit.contact, grant, text, now).await.map_err(vault_error)
    }
}

/// An attachment on disk, which no commit holds yet.
pub(super) struct FinishedAttachment {
    pub name: String,
    pub media_type: String,
    pub object: Object,
}

impl FinishedAttachment {
    pub(super) fn kept(&self) -> KeptAttachment {
        let Self { name, media_type, object } = self;
        KeptAttachment { name: name.clone(), media_type: media_type.clone(), object: object.reference() }
    }
}

/// `type/subtype` in lower case, or octets where a browser sends anything else (RFC 6838, section 4.2).
fn media_type_of(written: &str) -> String {
    let token = |text: &str| {
        !text.is_empty()
            && text.len() <= 127
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    let essence = written.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.split_once('/') {
        Some((kind, subtype)) if token(kind) && token(subtype) => essence,
        _ => "application/octet-stream".to_owned(),
    }
}

impl ShownReply {
    pub(super) fn of(sent: Timestamp, reply: KeptReply) -> Self {
        let attachments = reply.attachments.into_iter().map(|attachment| attachment.name).collect();
        Self { sent, text: reply.text, attachments }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_one_or_it_is_octets() {
        for (written, read) in [
            ("Image/JPEG; name=x", "image/jpeg"),
            ("application/vnd.a+b", "application/vnd.a+b"),
            ("", "application/octet-stream"),
            ("text", "application/octet-stream"),
            ("text/plain\r\nX: y", "application/octet-stream"),
            ("a/b/c", "application/octet-stream"),
        ] {
            assert_eq!(media_type_of(written), read, "{written:?}");
        }
    }

    #[test]
    fn a_fault_names_no_file_when_it_is_printed() {
        let faults =
            [ReplyFault::TooLarge("secret".into()), ReplyFault::Restricted("secret".into(), "programs".into())];
        assert_eq!(format!("{faults:?}"), "[TooLarge(…), Restricted(…, \"programs\")]");
    }
}
