//! A staff member's mail, as an IMAP session uses it after sign-in: mailboxes, messages, and what is in them.
//!
//! The edge asks these questions and nothing else. Which mailboxes are whose is settled here: one's own by
//! [`Gateway::open_mail`], those of workgroups at each question by the policy in force (`reach.rs`).

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::anatomy::{LooseDecoder, Needle, Part, Said, Section, SectionText, Sought, TextSearch, Wanted, only_fields};
use crate::blob::OctetStream;
use crate::gateway::{Gateway, Policies};
use crate::id::{MailboxId, OwnerId};
use crate::mail::Origin;
use crate::mailbox::{
    Appended, Copied, FlagChange, FlagSet, Listed, MailContent, MailLimits, MailboxError, MailboxName, Mailboxes,
    ModSeq, NewMail, OpenMailbox, Row, SpecialUse, Status, Stored, SystemFlags, Uids,
};
use crate::store;
use crate::time::Timestamp;

mod parts;
mod place;
mod reach;
mod sent;

pub use parts::{Interrupted, Parts};

pub(in crate::gateway) use place::Place;
pub(in crate::gateway) use sent::SentCopy;

use reach::{Member, prepare_workgroups};

/// Octets of a header section of a message within a message that are searched.
const SEARCHED_HEADER: u64 = 64 * 1024;

/// The mail of one member of staff. Cheap to clone.
#[derive(Clone)]
pub struct StaffMail {
    mailboxes: Mailboxes,
    owner: OwnerId,
    member: Arc<Member>,
    policies: Arc<Policies>,
}

/// A section of a message.
#[derive(Clone)]
pub enum Piece {
    /// These octets of the message, for [`StaffMail::octets`].
    Octets(Range<u64>),
    /// Octets at hand.
    Made(Bytes),
}

impl Piece {
    /// How long it is, in octets.
    pub fn len(&self) -> u64 {
        match self {
            Self::Octets(range) => range.end - range.start,
            Self::Made(octets) => octets.len() as u64,
        }
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A part, decoded (RFC 3516).
pub enum Binary {
    /// There is no such part.
    Missing,
    /// Its transfer encoding is not known (`UNKNOWN-CTE`).
    UnknownEncoding,
    /// Its octets.
    Octets(DecodedStream),
}

/// Octets of a part without its transfer encoding, in pieces.
pub struct DecodedStream {
    octets: OctetStream,
    decoder: Option<LooseDecoder>,
}

impl DecodedStream {
    /// The next piece, never empty; `None` at the end.
    ///
    /// # Errors
    /// [`MailboxError::Blob`].
    pub async fn next(&mut self) -> Result<Option<Bytes>, MailboxError> {
        while let Some(mut decoder) = self.decoder.take() {
            let mut out = Vec::new();
            match self.octets.next().await? {
                Some(piece) => {
                    decoder.feed(&piece, &mut out);
                    self.decoder = Some(decoder);
                }
                None => decoder.finish(&mut out),
            }
            if !out.is_empty() {
                return Ok(Some(out.into()));
            }
        }
        Ok(None)
    }
}

impl Gateway {
    /// The mail of who has signed in ([`Gateway::sign_in`]); at the first time its mailboxes are made, and those of its
    /// workgroups.
    ///
    /// # Errors
    /// [`MailboxError::Missing`] for who is no member of staff; [`MailboxError`].
    pub async fn open_mail(&self, origin: &Origin) -> Result<StaffMail, MailboxError> {
        let Origin::Staff { id, .. } = origin else { return Err(MailboxError::Missing) };
        let account = self.stations.accounts.get(*id).await?.ok_or(MailboxError::Missing)?.value;
        let (mailboxes, policies) = (self.stations.mailboxes.clone(), Arc::clone(&self.stations.policies));
        let (owner, member) = (OwnerId::from(*id), Arc::new(Member::of(account)));
        mailboxes.prepare(owner).await?;
        prepare_workgroups(&mailboxes, &policies.snapshot(), &member).await?;
        Ok(StaffMail { mailboxes, owner, member, policies })
    }
}

impl StaffMail {
    /// What an account may hold.
    pub fn limits(&self) -> &MailLimits {
        self.mailboxes.limits()
    }

    /// What LIST shows.
    ///
    /// # Errors
    /// [`MailboxError::Store`].
    pub async fn list(&self) -> Result<Vec<Listed>, MailboxError> {
        self.listed().await
    }

    /// The mailbox of this name.
    ///
    /// # Errors
    /// [`MailboxError::Missing`].
    pub async fn find(&self, name: &MailboxName) -> Result<MailboxId, MailboxError> {
        let (reach, name) = self.locate(name).await?;
        self.mailboxes.find(reach.owner, &name).await
    }

    /// The mailbox of this name, to put messages into it.
    ///
    /// # Errors
    /// [`MailboxError::Missing`], [`MailboxError::Denied`].
    pub async fn find_writable(&self, name: &MailboxName) -> Result<MailboxId, MailboxError> {
        let (owner, name) = self.locate_writable(name).await?;
        self.mailboxes.find(owner, &name).await
    }

    /// The numbers of a mailbox.
    ///
    /// # Errors
    /// [`MailboxError::Missing`].
    pub async fn status(&self, id: MailboxId) -> Result<Status, MailboxError> {
        self.mailboxes.status(self.reach_of(id).await?.owner, id).await
    }

    /// Octets of the messages of a mailbox that have `\Deleted` (RFC 9208, section 4.1.4).
    ///
    /// # Errors
    /// [`MailboxError::Missing`].
    pub async fn deleted_octets(&self, id: MailboxId) -> Result<u64, MailboxError> {
        let view = self.open(id).await?.view().await?;
        Ok(view.rows().filter(|row| row.flags.has(SystemFlags::DELETED)).map(|row| row.octets).sum())
    }

    /// Makes a mailbox.
    ///
    /// # Errors
    /// As [`Mailboxes::create`]; [`MailboxError::Denied`] where one may make none, [`MailboxError::UseTaken`] for one of a
    /// workgroup that is to have a use.
    pub async fn create(&self, name: &MailboxName, special: Option<SpecialUse>) -> Result<MailboxId, MailboxError> {
        let (owner, name) = self.locate_new(name).await?;
        if owner != self.owner && special.is_some() {
            return Err(MailboxError::UseTaken);
        }
        self.mailboxes.create(owner, &name, special).await
    }

    /// Deletes a mailbox with its messages.
    ///
    /// # Errors
    /// As [`Mailboxes::delete`]; [`MailboxError::Denied`].
    pub async fn delete(&self, name: &MailboxName) -> Result<(), MailboxError> {
        let (owner, name) = self.locate_writable(name).await?;
        self.mailboxes.delete(owner, &name).await
    }

    /// Renames a mailbox and those below it.
    ///
    /// # Errors
    /// As [`Mailboxes::rename`]; [`MailboxError::Denied`], also where it would become another's.
    pub async fn rename(&self, from: &MailboxName, to: &MailboxName) -> Result<(), MailboxError> {
        let (owner, from) = self.locate_writable(from).await?;
        let (other, to) = self.locate_new(to).await?;
        if owner != other {
            return Err(MailboxError::Denied);
        }
        self.mailboxes.rename(owner, &from, &to).await
    }

    /// Subscribes a name, or ends that.
    ///
    /// # Errors
    /// As [`Mailboxes::subscribe`].
    pub async fn subscribe(&self, name: &MailboxName, subscribed: bool) -> Result<(), MailboxError> {
        self.subscribe_to(name, subscribed).await
    }

    /// Opens a mailbox for a session.
    ///
    /// # Errors
    /// [`MailboxError::Missing`].
    pub async fn open(&self, id: MailboxId) -> Result<OpenMailbox, MailboxError> {
        self.mailboxes.open(self.reach_of(id).await?.owner, id).await
    }

    /// A place for a message that a client appends.
    pub fn begin_append(&self) -> NewMail {
        self.mailboxes.begin()
    }

    /// Puts a message into a mailbox, in one commit; now where no date is given.
    ///
    /// # Errors
    /// As [`Mailboxes::append`]; [`MailboxError::Denied`].
    pub async fn append(
        &self,
        id: MailboxId,
        mail: NewMail,
        flags: &FlagSet,
        date: Option<Timestamp>,
    ) -> Result<Appended, MailboxError> {
        let owner = self.writer_of(id).await?;
        self.mailboxes.append(owner, id, mail, flags, date.unwrap_or_else(store::now)).await
    }

    /// Changes flags, in one commit.
    ///
    /// # Errors
    /// As [`Mailboxes::set_flags`]; [`MailboxError::Denied`].
    pub async fn set_flags(
        &self,
        id: MailboxId,
        uids: &Uids,
        change: &FlagChange,
        unchanged_since: Option<ModSeq>,
    ) -> Result<Stored, MailboxError> {
        self.mailboxes.set_flags(self.writer_of(id).await?, id, uids, change, unchanged_since).await
    }

    /// Takes out what has `\Deleted`, of these or of all, in one commit.
    ///
    /// # Errors
    /// As [`Mailboxes::expunge`]; [`MailboxError::Denied`].
    pub async fn expunge(&self, id: MailboxId, among: Option<&Uids>) -> Result<Uids, MailboxError> {
        self.mailboxes.expunge(self.writer_of(id).await?, id, among).await
    }

    /// Copies messages, in one commit.
    ///
    /// # Errors
    /// As [`Mailboxes::copy`], between mailboxes of two owners as [`Mailboxes::copy_across`]; [`MailboxError::Denied`].
    pub async fn copy(&self, from: MailboxId, uids: &Uids, to: MailboxId) -> Result<Copied, MailboxError> {
        let (owner, other) = (self.reach_of(from).await?.owner, self.writer_of(to).await?);
        if owner == other {
            return self.mailboxes.copy(owner, from, uids, to).await;
        }
        self.mailboxes.copy_across((owner, from), uids, (other, to)).await
    }

    /// Moves messages, in one commit.
    ///
    /// # Errors
    /// As [`Mailboxes::mv`], between mailboxes of two owners as [`Mailboxes::mv_across`]; [`MailboxError::Denied`].
    pub async fn mv(&self, from: MailboxId, uids: &Uids, to: MailboxId) -> Result<Copied, MailboxError> {
        let (owner, other) = (self.writer_of(from).await?, self.writer_of(to).await?);
        if owner == other {
            return self.mailboxes.mv(owner, from, uids, to).await;
        }
        self.mailboxes.mv_across((owner, from), uids, (other, to)).await
    }

    /// What is known of a message, by one record.
    ///
    /// # Errors
    /// [`MailboxError::Expunged`].
    pub async fn content(&self, row: &Row) -> Result<MailContent, MailboxError> {
        self.mailboxes.content(row).await
    }

    /// Octets of a message.
    ///
    /// # Errors
    /// [`MailboxError::Expunged`], [`MailboxError::Blob`].
    pub async fn octets(&self, mail: &MailContent, range: Range<u64>) -> Result<OctetStream, MailboxError> {
        self.mailboxes.octets(mail, range).await
    }

    /// The header section of a message, with its empty line; of a very long one the first
    /// [`crate::anatomy::LONGEST_HEADER`] octets.
    ///
    /// # Errors
    /// As [`StaffMail::octets`].
    pub async fn header(&self, mail: &MailContent) -> Result<Bytes, MailboxError> {
        match mail.header() {
            Some(header) => Ok(header.clone()),
            None => self.beginning(mail, &mail.anatomy().root.header, SEARCHED_HEADER).await,
        }
    }

    async fn beginning(&self, mail: &MailContent, range: &Range<u64>, most: u64) -> Result<Bytes, MailboxError> {
        let end = range.end.min(range.start.saturating_add(most));
        Ok(self.octets(mail, range.start..end).await?.collect().await?.into())
    }

    /// A section of a message; `None` where it has none such.
    ///
    /// # Errors
    /// As [`StaffMail::octets`].
    pub async fn sought(&self, mail: &MailContent, section: &Section) -> Result<Option<Piece>, MailboxError> {
        let Some(sought) = mail.anatomy().seek(section) else { return Ok(None) };
        let own = |range: &Range<u64>| mail.header().filter(|_| *range == mail.anatomy().root.header).cloned();
        Ok(Some(match (sought, &section.text) {
            (Sought::Fields(range), SectionText::Fields { names, except }) => {
                let header = match own(&range) {
                    Some(header) => header,
                    None => self.beginning(mail, &range, SEARCHED_HEADER).await?,
                };
                Piece::Made(only_fields(&header, names, *except).into())
            }
            (Sought::Fields(range) | Sought::Octets(range), _) => match own(&range) {
                Some(header) => Piece::Made(header),
                None => Piece::Octets(range),
            },
        }))
    }

    /// A part without its transfer encoding; with no numbers the message as it stands.
    ///
    /// # Errors
    /// As [`StaffMail::octets`].
    pub async fn binary(&self, mail: &MailContent, numbers: &[u32]) -> Result<Binary, MailboxError> {
        let (range, encoding) = if numbers.is_empty() {
            (0..mail.anatomy().octets, "")
        } else {
            match mail.anatomy().part(numbers) {
                Some(Part { body, encoding, .. }) => (body.clone(), encoding.as_str()),
                None => return Ok(Binary::Missing),
            }
        };
        let Ok(decoder) = LooseDecoder::of(encoding) else { return Ok(Binary::UnknownEncoding) };
        Ok(Binary::Octets(DecodedStream { octets: self.octets(mail, range).await?, decoder: Some(decoder) }))
    }

    /// How long a part is without its transfer encoding: it is decoded for that. `None` where there is none such, or its
    /// encoding is not known.
    ///
    /// # Errors
    /// As [`StaffMail::octets`].
    pub async fn binary_size(&self, mail: &MailContent, numbers: &[u32]) -> Result<Option<u64>, MailboxError> {
        let Binary::Octets(mut stream) = self.binary(mail, numbers).await? else { return Ok(None) };
        let mut size = 0;
        while let Some(piece) = stream.next().await? {
            size += piece.len() as u64;
        }
        Ok(Some(size))
    }

    /// Which of these a message has. Nothing of its text is kept for that: it is opened, decoded and looked through, a piece
    /// at a time, once for all that is looked for in it.
    ///
    /// # Errors
    /// As [`StaffMail::octets`].
    pub async fn matches(&self, mail: &MailContent, wanted: &[Wanted]) -> Result<Vec<bool>, MailboxError> {
        let header = self.header(mail).await?;
        let (mut in_fields, mut of_parts) = (Said::default(), Said::default());
        if wanted.iter().any(|wanted| matches!(wanted, Wanted::Text(_))) {
            in_fields = Said::in_header(&header);
            of_parts = mail.anatomy().root.says().collect();
        }
        let in_header = |wanted: &Wanted| match wanted {
            Wanted::Header(name, needle) => needle.is_in_field(&header, name),
            Wanted::Body(needle) => needle.is_empty(),
            Wanted::Text(needle) => needle.is_empty() || needle.is_among(&in_fields) || needle.is_among(&of_parts),
        };
        let mut has: Vec<bool> = wanted.iter().map(in_header).collect();
        let pending = |at: &usize| !has[*at] && !matches!(wanted[*at], Wanted::Header(..));
        let pending: Vec<usize> = (0..wanted.len()).filter(pending).collect();
        let looked_for: Vec<&Wanted> = pending.iter().map(|at| &wanted[*at]).collect();
        for (at, found) in pending.into_iter().zip(self.in_body(mail, &looked_for).await?) {
            has[at] |= found;
        }
        Ok(has)
    }

    /// Which of these are in a text of its body, or in the header section of a message within, where BODY does not look
    /// (RFC 9051, section 6.4.4: it matches no header field).
    async fn in_body(&self, mail: &MailContent, wanted: &[&Wanted]) -> Result<Vec<bool>, MailboxError> {
        let needles: Vec<&Needle> = wanted.iter().map(|wanted| wanted.needle()).collect();
        let in_headers = |at: usize| matches!(wanted[at], Wanted::Text(_));
        let mut has = vec![false; needles.len()];
        let root = &mail.anatomy().root;
        for part in root.leaves() {
            let missing: Vec<usize> = (0..needles.len()).filter(|at| !has[*at]).collect();
            if missing.is_empty() {
                return Ok(has);
            }
            let Some(mut search) = TextSearch::of(part, missing.iter().map(|at| needles[*at])) else { continue };
            let mut octets = self.octets(mail, part.body.clone()).await?;
            while let Some(piece) = octets.next().await? {
                if search.feed(&piece) {
                    break;
                }
            }
            missing.into_iter().zip(search.finish()).for_each(|(at, found)| has[at] = found);
        }
        for header in root.inner_headers() {
            if has.iter().enumerate().all(|(at, found)| *found || !in_headers(at)) {
                break;
            }
            let said = Said::in_header(&self.beginning(mail, &header, SEARCHED_HEADER).await?);
            for (at, found) in has.iter_mut().enumerate().filter(|(at, _)| in_headers(*at)) {
                *found = *found || needles[at].is_among(&said);
            }
        }
        Ok(has)
    }
}
