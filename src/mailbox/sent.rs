//! *Sent*: each secured message as it was written, until its documents end; then its text and a list of them.
//!
//! The octets as written are an object whose key is wrapped until the day of that end, so that after it nobody opens them,
//! in any copy of the data. What takes their place is written down at once, since later nobody could make it.

use serde::{Deserialize, Serialize};

use crate::anatomy::{Anatomist, fields};
use crate::blob::{Object, RawMessage};
use crate::guests::ends;
use crate::id::{Id, MailId, MailboxId, OwnerId, TransactionId};
use crate::keyring::{Capsule, KeyClass};
use crate::mailbox::arrival::Disposal;
use crate::mailbox::edit::Incoming;
use crate::mailbox::records::{Holders, Source};
use crate::mailbox::{Appended, Arrival, FlagSet, MailboxError, Mailboxes, SystemFlags, Uid, View};
use crate::secret::silent_debug;
use crate::store::{Batch, Key, Store, StoreError, Stored, Table};
use crate::time::Timestamp;

/// Octets of the text that stays, at most.
const LONGEST_TEXT: usize = 128 * 1024;
/// Octets of its header section, at most.
const LONGEST_HEADER: usize = 32 * 1024;

/// What of a secured message stands in Sent.
#[derive(Clone, Serialize, Deserialize)]
struct SentRecord {
    mail: MailId,
    /// Where it was put; its owner may have moved it.
    mailbox: MailboxId,
    uid: Uid,
    /// What takes its place.
    #[serde(with = "serde_bytes")]
    instead: Vec<u8>,
    /// When its documents end at the latest; version 1 did not say.
    until: Option<Timestamp>,
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

    /// Whether the message with this Message-ID, or what stands for it, was put into Sent.
    ///
    /// # Errors
    /// [`MailboxError::Store`].
    pub async fn has_sent(&self, owner: OwnerId, name: &str) -> Result<bool, MailboxError> {
        Ok(self.store.get::<SentRecord>(&self.sent_key(owner, name)).await?.is_some())
    }

    /// Puts it into Sent in the batch, seen. The commit fails where it is there already.
    ///
    /// # Errors
    /// As [`Mailboxes::put`].
    pub async fn put_sent(
        &self,
        batch: &mut Batch,
        (owner, mailbox): (OwnerId, MailboxId),
        sent: &NewSent,
        now: Timestamp,
    ) -> Result<(), MailboxError> {
        let with = (&FlagSet::of(SystemFlags::SEEN), now);
        let Appended { uid, .. } = self.put(batch, (owner, mailbox), &sent.arrival, with).await?;
        let (mail, instead) = (sent.arrival.mail(), sent.instead.clone());
        let record = SentRecord { mail, mailbox, uid, instead, until: Some(sent.until) };
        batch.require_absent(sent.key.clone()).put(sent.key.clone(), &record);
        let place = Key::new(Table::MailSentOf, &[sent.transaction.octets(), &sent.key.octets]);
        for key in [&sent.key, &place] {
            ends::put(batch, sent.until, key);
        }
        batch.put_octets(place, Vec::new());
        Ok(())
    }

    /// Where the secured message with this Message-ID stands in this mailbox.
    ///
    /// # Errors
    /// [`MailboxError::Store`].
    pub(super) async fn sent_at(
        &self,
        (owner, mailbox): (OwnerId, MailboxId),
        name: &str,
    ) -> Result<Option<Appended>, MailboxError> {
        let found = self.store.get::<SentRecord>(&self.sent_key(owner, name)).await?;
        let Some(record) = found.map(|found| found.value).filter(|record| record.mailbox == mailbox) else {
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
        let mut disposal = Disposal::default();
        if let Some(record) = self.store.get::<SentRecord>(&ended.key).await? {
            batch.require_version(ended.key.clone(), record.version).delete(ended.key.clone());
            // It may have ended before its time.
            if let Some(until) = record.value.until.filter(|until| *until != ended.at) {
                ends::remove(&mut batch, until, &ended.key);
            }
            let arrival = self.arrival(&record.value.instead).await?;
            let places = self.places_of(owner, &record.value).await?;
            for (number, (view, uid)) in places.iter().enumerate() {
                self.put_instead(&mut batch, owner, (view, *uid), (&arrival, number > 0), &mut disposal).await?;
            }
        }
        self.store.commit(batch).await?;
        self.objects.drop_files(disposal.files).await;
        Ok(true)
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
    ) -> Result<(), MailboxError> {
        let Some(row) = view.find(uid) else { return Ok(()) };
        let mut edit = self.edit(batch, owner, view.id()).await?;
        edit.remove_stored(batch, uid).await?;
        let FlagSet { system, keywords } = view.flag_set(row);
        let (date, octets, mail) = (row.date, arrival.octets(), arrival.mail());
        edit.add(batch, &Incoming { flags: system, keywords, date, octets, mail }).await?;
        edit.finish(batch);
        self.dispose(batch, row.mail, disposal).await?;
        if again {
            return self.share(batch, mail).await;
        }
        arrival.keep(batch);
        Ok(())
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
