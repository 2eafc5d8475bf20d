//! *Sent*: each secured message as it was written, until its documents end; then its text and a list of them.
//!
//! The octets as written are an object whose key is wrapped until the day of that end, so that after it nobody opens them,
//! in any copy of the data. What takes their place is written down at once, since later nobody could make it. Where text
//! and list stand is known for as long as somebody may still be asked about a recipient: a message that is then secured
//! once more, for that recipient, takes their place again, so that Sent never holds it twice.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::anatomy::{Anatomist, fields};
use crate::blob::{Object, RawMessage, Released};
use crate::guests::ends;
use crate::id::{Id, MailId, MailboxId, OwnerId, TransactionId};
use crate::keyring::{Capsule, KeyClass};
use crate::mailbox::arrival::Disposal;
use crate::mailbox::edit::Incoming;
use crate::mailbox::records::{Holders, Source};
use crate::mailbox::{Appended, Arrival, FlagSet, MailboxError, Mailboxes, SystemFlags, Uid, View};
use crate::secret::silent_debug;
use crate::store::{Batch, CommitError, Key, Record, Store, StoreError, Stored, Table};
use crate::time::Timestamp;

/// Octets of the text that stays, at most.
const LONGEST_TEXT: usize = 128 * 1024;
/// Octets of its header section, at most.
const LONGEST_HEADER: usize = 32 * 1024;

/// How long it is known where text and list stand: as long as a question about a recipient can wait (`ask_until`), and a day.
const KNOWN_FOR: Duration = Duration::from_secs(31 * 86_400);

/// What of a secured message stands in Sent.
#[derive(Clone, Serialize, Deserialize)]
struct SentRecord {
    mail: MailId,
    /// Where it was put; its owner may have moved it.
    mailbox: MailboxId,
    uid: Uid,
    /// What takes its place; empty once it has.
    #[serde(with = "serde_bytes")]
    instead: Vec<u8>,
    /// When its documents end at the latest, or how long it is known where text and list stand; version 1 did not say.
    until: Option<Timestamp>,
}

impl SentRecord {
    /// Whether the message stands there as it was written.
    fn is_whole(&self) -> bool {
        !self.instead.is_empty()
    }
}

/// The same as version 1 wrote it.
#[derive(Serialize, Deserialize)]
struct SentRecordV1 {
    mail: MailId,
    mailbox: MailboxId,
    uid: Uid,
    #[serde(with = "serde_bytes")]
    instead: Vec<u8>,
}

impl Stored for SentRecord {
    const VERSION: u8 = 2;

    fn upgrade(version: u8, octets: &[u8]) -> Option<Self> {
        let SentRecordV1 { mail, mailbox, uid, instead } = match version {
            1 => postcard::from_bytes(octets).ok()?,
            _ => return None,
        };
        Some(Self { mail, mailbox, uid, instead, until: None })
    }
}

silent_debug!(SentRecord, NewSent);

/// A secured message on its way into Sent.
#[derive(Clone)]
pub struct NewSent {
    arrival: Arrival,
    transaction: TransactionId,
    key: Key,
    until: Timestamp,
    instead: Vec<u8>,
}

/// What stays of a message.
pub struct Remains<'a> {
    /// Its header section.
    pub header: &'a [u8],
    /// Its text.
    pub text: &'a str,
    /// Its documents: name, octets.
    pub documents: &'a [(String, u64)],
}

impl Mailboxes {
    /// A secured message, to be put into Sent: its octets are in `object`, which this reads once. `name` is its Message-ID,
    /// or what stands for it.
    ///
    /// # Errors
    /// [`MailboxError`].
    pub async fn new_sent(
        &self,
        (owner, name, transaction): (OwnerId, &str, TransactionId),
        (message, object): (&RawMessage, Object),
        until: Timestamp,
        remains: &Remains<'_>,
    ) -> Result<NewSent, MailboxError> {
        let (mut anatomist, mut octets) = (Anatomist::default(), message.range(0..message.len()));
        while let Some(piece) = octets.next().await? {
            anatomist.feed(&piece);
        }
        let source = |mail: MailId| {
            let (day, reference) = (until.day(), object.reference());
            let sealed = Capsule::seal(&self.keyring, day, KeyClass::Contact, mail.octets(), &reference);
            let original = sealed.map_err(|error| StoreError::Unsound(error.to_string()))?;
            Ok::<_, MailboxError>(Source::Until { original, object: reference.id })
        };
        let arrival = self.arrival_of(anatomist.finish(), object.clone(), source)?;
        Ok(NewSent { arrival, transaction, key: self.sent_key(owner, name), until, instead: instead(remains) })
    }

    fn sent_key(&self, owner: OwnerId, name: &str) -> Key {
        let hash = self.keyring.lookup("mail-sent", &[owner.octets().as_slice(), name.as_bytes()].concat());
        Key::new(Table::MailSent, &[owner.octets(), &hash])
    }

    /// Whether the message with this Message-ID, or what stands for it, was put into Sent, and has not ended there.
    ///
    /// # Errors
    /// [`MailboxError::Store`].
    pub async fn has_sent(&self, owner: OwnerId, name: &str) -> Result<bool, MailboxError> {
        let found = self.store.get::<SentRecord>(&self.sent_key(owner, name)).await?;
        Ok(found.is_some_and(|found| found.value.is_whole()))
    }

    /// Puts it into Sent in the batch, seen; where text and list of it stand, in their place. The commit fails where it is
    /// there already. The files to remove after the commit.
    ///
    /// # Errors
    /// As [`Mailboxes::put`].
    pub async fn put_sent(
        &self,
        batch: &mut Batch,
        (owner, mailbox): (OwnerId, MailboxId),
        sent: &NewSent,
        now: Timestamp,
    ) -> Result<Vec<Released>, MailboxError> {
        self.take_turn(batch, owner).await;
        let place = Key::new(Table::MailSentOf, &[sent.transaction.octets(), &sent.key.octets]);
        let (mut disposal, mut stands) = (Disposal::default(), None);
        match self.store.get::<SentRecord>(&sent.key).await?.filter(|found| !found.value.is_whole()) {
            None => batch.require_absent(sent.key.clone()),
            Some(Record { version, value: ended }) => {
                stands = self.replace(batch, owner, (&ended, &sent.arrival), &mut disposal).await?;
                if let Some(until) = ended.until {
                    ends::remove(batch, until, &sent.key);
                }
                batch.require_version(sent.key.clone(), version)
            }
        };
        let (mailbox, uid) = match stands {
            Some(stands) => stands,
            None => {
                let with = (&FlagSet::of(SystemFlags::SEEN), now);
                (mailbox, self.put(batch, (owner, mailbox), &sent.arrival, with).await?.uid)
            }
        };
        let (mail, instead) = (sent.arrival.mail(), sent.instead.clone());
        batch.put(sent.key.clone(), &SentRecord { mail, mailbox, uid, instead, until: Some(sent.until) });
        for key in [&sent.key, &place] {
            ends::put(batch, sent.until, key);
        }
        batch.put_octets(place, Vec::new());
        Ok(disposal.files)
    }

    /// Where the secured message with this Message-ID stands in this mailbox as it was written.
    ///
    /// # Errors
    /// [`MailboxError::Store`].
    pub(super) async fn sent_at(
        &self,
        (owner, mailbox): (OwnerId, MailboxId),
        name: &str,
    ) -> Result<Option<Appended>, MailboxError> {
        let found = self.store.get::<SentRecord>(&self.sent_key(owner, name)).await?;
        let here = |record: &SentRecord| record.is_whole() && record.mailbox == mailbox;
        let Some(record) = found.map(|found| found.value).filter(here) else {
            return Ok(None);
        };
        let view = self.open(owner, mailbox).await?.view().await?;
        let there = view.find(record.uid).is_some_and(|row| row.mail == record.mail);
        Ok(there.then(|| Appended { validity: view.validity(), uid: record.uid }))
    }

    /// Puts text and list in the place of a message whose time is over, under new UIDs, wherever its owner has moved or
    /// copied it; once. `ended` is the entry of the index of ends.
    ///
    /// # Errors
    /// [`MailboxError`]; then the index still names it.
    pub async fn end_sent(&self, ended: &ends::Ended) -> Result<bool, MailboxError> {
        let owner = ended.key.octets.first_chunk::<16>().ok_or(MailboxError::Missing)?;
        let owner = OwnerId::from_octets(*owner);
        let mut batch = Batch::default();
        batch.frees_space();
        self.take_turn(&mut batch, owner).await;
        if !ends::settle(&self.store, &mut batch, ended).await? {
            return Ok(false);
        }
        let Some(Record { version, value }) = self.store.get::<SentRecord>(&ended.key).await? else {
            self.store.commit(batch).await?;
            return Ok(true);
        };
        batch.require_version(ended.key.clone(), version).delete(ended.key.clone());
        // It may have ended before its time.
        if let Some(until) = value.until.filter(|until| *until != ended.at) {
            ends::remove(&mut batch, until, &ended.key);
        }
        if !value.is_whole() {
            self.store.commit(batch).await?;
            return Ok(true);
        }
        let arrival = self.arrival(&value.instead).await?;
        let stands = self.commit_instead(batch, (owner, ended), (&value, &arrival)).await;
        // Where the store cannot say whether it happened, the sweep will.
        if !matches!(&stands, Ok(true) | Err(MailboxError::Commit(CommitError::Unknown(_)))) {
            self.discard(arrival).await;
        }
        stands.map(|_| true)
    }

    /// Whether text and list now stand anywhere.
    async fn commit_instead(
        &self,
        mut batch: Batch,
        (owner, ended): (OwnerId, &ends::Ended),
        (record, arrival): (&SentRecord, &Arrival),
    ) -> Result<bool, MailboxError> {
        let mut disposal = Disposal::default();
        let stands = self.replace(&mut batch, owner, (record, arrival), &mut disposal).await?;
        if let Some((mailbox, uid)) = stands {
            let until = ended.at.plus(KNOWN_FOR);
            let known = SentRecord { mail: arrival.mail(), mailbox, uid, instead: Vec::new(), until: Some(until) };
            batch.put(ended.key.clone(), &known);
            ends::put(&mut batch, until, &ended.key);
        }
        self.store.commit(batch).await?;
        self.objects.drop_files(disposal.files).await;
        Ok(stands.is_some())
    }

    /// Puts a message into the place of what the record names, wherever that stands; where it now stands first, if anywhere.
    async fn replace(
        &self,
        batch: &mut Batch,
        owner: OwnerId,
        (record, arrival): (&SentRecord, &Arrival),
        disposal: &mut Disposal,
    ) -> Result<Option<(MailboxId, Uid)>, MailboxError> {
        let mut first = None;
        for (view, uid) in self.places_of(owner, record).await? {
            let put = self.put_instead(batch, owner, (&view, uid), (arrival, first.is_some()), disposal).await?;
            first = first.or(put.map(|uid| (view.id(), uid)));
        }
        Ok(first)
    }

    /// Where a message stands: where it was put, else wherever in the account.
    async fn places_of(&self, owner: OwnerId, record: &SentRecord) -> Result<Vec<(View, Uid)>, MailboxError> {
        let is_copied = self.store.get::<Holders>(&Holders::key(record.mail)).await?.is_some();
        let mut places = Vec::new();
        if !is_copied && let Ok(open) = self.open(owner, record.mailbox).await {
            let view = open.view().await?;
            if view.find(record.uid).is_some_and(|row| row.mail == record.mail) {
                return Ok(vec![(view, record.uid)]);
            }
        }
        for id in self.list(owner).await?.into_iter().filter_map(|listed| listed.id) {
            let view = self.open(owner, id).await?.view().await?;
            let found = view.rows().filter(|row| row.mail == record.mail).map(|row| row.uid);
            places.extend(found.collect::<Vec<_>>().into_iter().map(|uid| (view.clone(), uid)));
        }
        Ok(places)
    }

    async fn put_instead(
        &self,
        batch: &mut Batch,
        owner: OwnerId,
        (view, uid): (&View, Uid),
        (arrival, again): (&Arrival, bool),
        disposal: &mut Disposal,
    ) -> Result<Option<Uid>, MailboxError> {
        let Some(row) = view.find(uid) else { return Ok(None) };
        let mut edit = self.edit(batch, owner, view.id()).await?;
        edit.remove_stored(batch, uid).await?;
        let FlagSet { system, keywords } = view.flag_set(row);
        let (date, octets, mail) = (row.date, arrival.octets(), arrival.mail());
        let uid = edit.add(batch, &Incoming { flags: system, keywords, date, octets, mail }).await?;
        edit.finish(batch);
        self.dispose(batch, row.mail, disposal).await?;
        if again {
            self.share(batch, mail).await?;
        } else {
            arrival.keep(batch);
        }
        Ok(Some(uid))
    }
}

/// Lets a message end in every Sent, by this batch and from now on, because the last right to its documents ended before its
/// time.
///
/// # Errors
/// Where the store cannot be read.
pub async fn end_early(
    store: &Store,
    batch: &mut Batch,
    transaction: TransactionId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let prefix = transaction.octets();
    let behind = [prefix.as_slice(), &[0xFF; Key::LONGEST]].concat();
    for place in store.scan_keys(Table::MailSentOf, prefix, &behind, usize::MAX).await? {
        let Some(sent) = place.get(prefix.len()..) else { continue };
        ends::put(batch, now, &Key::new(Table::MailSent, &[sent]));
    }
    Ok(())
}

/// Header section, text and list: a message of one text part.
fn instead(remains: &Remains<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    for field in fields(remains.header) {
        let of_mime =
            field.name.len() >= 8 && field.name[..8].eq_ignore_ascii_case(b"content-") || field.is("MIME-Version");
        let sound = !field.name.is_empty() && field.octets.ends_with(b"\r\n");
        if sound && !of_mime && out.len() + field.octets.len() <= LONGEST_HEADER {
            out.extend_from_slice(field.octets);
        }
    }
    out.extend_from_slice(b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n");
    out.extend_from_slice(b"Content-Transfer-Encoding: 8bit\r\n\r\n");
    out.extend_from_slice(crate::conversation::cut(remains.text, LONGEST_TEXT).as_bytes());
    if !out.ends_with(b"\n") {
        out.extend_from_slice(b"\r\n");
    }
    for (name, octets) in remains.documents {
        out.extend_from_slice(format!("\r\n[{name}, {octets}]").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_version_1_is_read() {
        let (mail, mailbox) = (MailId::from_octets([1; 16]), MailboxId::from_octets([2; 16]));
        let first = SentRecordV1 { mail, mailbox, uid: 7, instead: b"text".to_vec() };
        let octets = [&[1], postcard::to_allocvec(&first).unwrap().as_slice()].concat();
        let read: SentRecord = crate::store::decode(Table::MailSent, &octets).unwrap();
        assert_eq!((read.mail, read.mailbox, read.uid, read.until), (mail, mailbox, 7, None));
        assert_eq!(read.instead, b"text");
    }

    #[test]
    fn text_and_list_are_what_stays() {
        let header = b"From: a@x\r\nSubject: b\r\n c\r\nmime-version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=d\r\n\r\n";
        let documents = [("scan.pdf".to_owned(), 300)];
        let made = instead(&Remains { header, text: "Hello\r\n", documents: &documents });
        let head = "From: a@x\r\nSubject: b\r\n c\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n";
        let body = "Content-Transfer-Encoding: 8bit\r\n\r\nHello\r\n\r\n[scan.pdf, 300]\r\n";
        assert_eq!(String::from_utf8(made).unwrap(), format!("{head}{body}"));
    }
}
