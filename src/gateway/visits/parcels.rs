//! What a visitor may read: the list, and one message.

use tokio::runtime::RuntimeFlavor;

use crate::access::{Admitted, Denied, admit};
use crate::blob::BlobError;
use crate::gateway::Gateway;
use crate::gateway::history::{Happened, HistoryLine};
use crate::gateway::visits::{ReplyRules, Visit, VisitError, door, not_committed, not_now};
use crate::id::{DepositId, GrantId};
use crate::mime::assess::PatientRef;
use crate::pack::shown;
use crate::pack::stored::{KINDS, kind_of_stored, may_be_shown, served_type};
use crate::secret::silent_debug;
use crate::store::{self, Batch, CommitError};
use crate::time::Timestamp;
use crate::vault::{Deposit, DepositKind, Grant, ParcelContent, VaultError};

/// Messages listed, at most: the newest.
const MOST_LISTED: usize = 500;
/// HTML up to this size is sanitised at once, whatever is in it.
const QUICKLY_READ: usize = 2 * 1024;
/// How often a note is tried when other changes come first.
const TRIES: usize = 8;

/// Which messages, and in which order.
#[derive(Clone, Default)]
pub struct ParcelQuery {
    /// Words that subject, sender or a document's name must hold, all of them, whatever their case.
    pub search: String,
    /// Only those with a document of this kind (`pdf`, `word`, `image` …), as [`ShownDocument::kind`] names it.
    pub kind: Option<String>,
    /// The order.
    pub sorted: Sorted,
}

/// An order of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sorted {
    /// Newest first.
    #[default]
    Newest,
    /// By the kind of their first document, then newest first.
    Kind,
    /// By sender, then newest first.
    Sender,
}

/// A message in the list.
#[derive(Clone)]
pub struct ParcelRow {
    /// Its right.
    pub grant: GrantId,
    /// The practice's id.
    pub practice: String,
    /// The subject.
    pub subject: String,
    /// The name shown for the sender.
    pub sender_name: String,
    /// When it was sent.
    pub sent: Timestamp,
    /// When its documents are removed.
    pub keep_until: Timestamp,
    /// Its documents' kinds, as [`ShownDocument::kind`].
    pub kinds: Vec<&'static str>,
    /// The titles of their types, each once.
    pub titles: Vec<String>,
    /// How many documents.
    pub documents: usize,
    /// Whether this contact has opened it before.
    pub opened: bool,
    /// Whether something must be shown first; then `subject` is empty.
    pub locked: bool,
}

/// A document in a message.
#[derive(Clone)]
pub struct ShownDocument {
    /// Its name in links.
    pub id: DepositId,
    /// Its file name.
    pub name: String,
    /// `type/subtype`.
    pub media_type: String,
    /// `pdf`, `word`, `spreadsheet`, `presentation`, `image`, `dicom`, `text`, `audio`, `video`, `archive`, `message`, `other`.
    pub kind: &'static str,
    /// What it is for those who read it: the title of its type; empty where it is of none.
    pub title: String,
    /// Octets.
    pub octets: u64,
    /// Whether a browser may show it: PDF, plain text, and images that are no SVG.
    pub opens: bool,
    /// Whether it is a picture that stood in the text, and is counted apart.
    pub in_text: bool,
}

/// One message.
#[derive(Clone)]
pub struct ParcelView {
    /// Its row.
    pub row: ParcelRow,
    /// Whose documents, in words, where that was said by name.
    pub patient: Option<String>,
    /// Its documents, and the pictures of its text.
    pub documents: Vec<ShownDocument>,
    /// The text, as plain text.
    pub text: Option<String>,
    /// The text as HTML, **sanitised now**: no script, no form, no address outside, no style that loads.
    pub html: Option<String>,
    /// What was replied so far.
    pub replies: Vec<ShownReply>,
    /// Whether and how to reply.
    pub reply: ReplyRules,
    /// What was typed and not sent, after a visit that ended meanwhile.
    pub draft: Option<String>,
}

/// A reply that was sent.
#[derive(Clone)]
pub struct ShownReply {
    /// When.
    pub sent: Timestamp,
    /// Its text.
    pub text: String,
    /// Names of its attachments.
    pub attachments: Vec<String>,
}

silent_debug!(ParcelQuery, ParcelRow, ShownDocument, ParcelView, ShownReply);

impl ParcelQuery {
    /// Whether a message is asked for. Of a locked one only the sender can be searched.
    fn finds(&self, row: &ParcelRow, names: &[&str]) -> bool {
        if self.kind.as_ref().is_some_and(|kind| !row.kinds.contains(&kind.as_str())) {
            return false;
        }
        let text = [&[row.subject.as_str(), row.sender_name.as_str()], names].concat().join("\n").to_lowercase();
        self.search.to_lowercase().split_whitespace().all(|word| text.contains(word))
    }

    /// Puts messages that are newest first into the order asked for.
    fn sort(&self, rows: &mut [ParcelRow]) {
        let rank =
            |row: &ParcelRow| KINDS.iter().position(|kind| row.kinds.first() == Some(kind)).unwrap_or(KINDS.len());
        match self.sorted {
            Sorted::Newest => {}
            Sorted::Kind => rows.sort_by_key(rank),
            Sorted::Sender => rows.sort_by_cached_key(|row| row.sender_name.to_lowercase()),
        }
    }
}

impl ShownDocument {
    fn of((deposit, title): (&Deposit, &str)) -> Self {
        let media_type = served_type(&deposit.media_type, &deposit.name);
        Self {
            id: deposit.id,
            name: deposit.name.clone(),
            kind: kind_of_stored(&deposit.media_type, &deposit.name),
            title: title.to_owned(),
            octets: deposit.object.octets,
            opens: may_be_shown(&media_type),
            in_text: deposit.kind == DepositKind::Picture,
            media_type,
        }
    }
}

/// The deposits of a message that are had as files: its documents, and the pictures of its text.
pub(super) fn documents_of(content: &ParcelContent) -> impl Iterator<Item = &Deposit> {
    titled(content).map(|(deposit, _)| deposit)
}

/// The same, each with the title of its type.
fn titled(content: &ParcelContent) -> impl Iterator<Item = (&Deposit, &str)> {
    let titles = content.titles.iter().map(String::as_str).chain(std::iter::repeat(""));
    let is_file = |deposit: &Deposit| matches!(deposit.kind, DepositKind::Document | DepositKind::Picture);
    content.deposits.iter().zip(titles).filter(move |(deposit, _)| is_file(deposit))
}

/// The row of a message that is open to the visitor.
fn open_row(id: GrantId, grant: &Grant, content: &ParcelContent) -> ParcelRow {
    let documents = content.deposits.iter().filter(|deposit| deposit.kind == DepositKind::Document);
    let kinds: Vec<_> = documents.map(|deposit| kind_of_stored(&deposit.media_type, &deposit.name)).collect();
    let mut titles: Vec<String> = Vec::new();
    for (_, title) in titled(content) {
        if !title.is_empty() && !titles.iter().any(|known| known == title) {
            titles.push(title.to_owned());
        }
    }
    ParcelRow {
        grant: id,
        practice: content.practice.clone(),
        subject: content.subject.clone(),
        sender_name: content.sender_name.clone(),
        sent: content.sent,
        keep_until: grant.keep_until,
        documents: kinds.len(),
        kinds,
        titles,
        opened: grant.opened.is_some(),
        locked: false,
    }
}

impl Gateway {
    /// The living messages of the visit's contact, as far as what was shown reaches; others are locked rows. The newest 500.
    ///
    /// # Errors
    /// [`VisitError::Show`] where nothing was shown yet that opens one of them.
    pub async fn parcels(&self, visit: &Visit, query: &ParcelQuery) -> Result<Vec<ParcelRow>, VisitError> {
        let now = store::now();
        let vault = &self.stations().vault;
        let grants = vault.grants_of_contact(visit.contact, now, MOST_LISTED).await.map_err(vault_error)?;
        let (mut rows, mut first_missing, mut opens) = (Vec::with_capacity(grants.len()), None, false);
        for (id, grant) in grants {
            let listed = match admit(&door(id, &grant), &visit.proved, now) {
                Ok(admitted) => {
                    opens = true;
                    self.listed(&admitted, query, now).await
                }
                Err(Denied::Show(check)) => {
                    first_missing = first_missing.or(Some(check));
                    self.locked(id, &grant, query, now).await
                }
                Err(Denied::Revoked | Denied::Over) => continue,
            };
            match listed {
                Ok(row) => rows.extend(row),
                // It ended meanwhile, or is damaged: the others are shown all the same.
                Err(VaultError::Ended | VaultError::Missing) => {}
                Err(VaultError::Unsound(cause)) => crate::gateway::trouble("vault", &cause),
                Err(error) => return Err(vault_error(error)),
            }
        }
        match first_missing {
            Some(check) if !opens => Err(VisitError::Show(check)),
            _ => {
                query.sort(&mut rows);
                Ok(rows)
            }
        }
    }

    async fn listed(
        &self,
        admitted: &Admitted,
        query: &ParcelQuery,
        now: Timestamp,
    ) -> Result<Option<ParcelRow>, VaultError> {
        let (grant, content) = self.stations().vault.open(admitted, now).await?;
        let row = open_row(admitted.grant(), &grant, &content);
        let names: Vec<&str> = titled(&content).flat_map(|(deposit, title)| [deposit.name.as_str(), title]).collect();
        Ok(query.finds(&row, &names).then_some(row))
    }

    async fn locked(
        &self,
        id: GrantId,
        grant: &Grant,
        query: &ParcelQuery,
        now: Timestamp,
    ) -> Result<Option<ParcelRow>, VaultError> {
        let facts = self.stations().vault.facts(grant, now).await?;
        let row = ParcelRow {
            grant: id,
            practice: facts.practice,
            subject: String::new(),
            sender_name: facts.sender_name,
            sent: facts.sent,
            keep_until: grant.keep_until,
            kinds: Vec::new(),
            titles: Vec::new(),
            documents: facts.documents,
            opened: grant.opened.is_some(),
            locked: true,
        };
        Ok(query.finds(&row, &[]).then_some(row))
    }

    /// One message. Notes that it was opened, once.
    ///
    /// # Errors
    /// [`VisitError::NotFound`], [`VisitError::Show`].
    pub async fn parcel(&self, visit: &Visit, grant: GrantId) -> Result<ParcelView, VisitError> {
        let now = store::now();
        let vault = &self.stations().vault;
        let (admitted, _) = self.admitted(visit, grant).await?;
        let (right, content) = vault.open(&admitted, now).await.map_err(vault_error)?;
        if right.opened.is_none() {
            self.note(&admitted, Happened::Opened, now).await?;
        }
        let text = self.text_of(&content, DepositKind::Text).await?;
        let html = match self.text_of(&content, DepositKind::Html).await? {
            Some(html) => self.sanitised(&html, &content).await,
            None => None,
        };
        let replies = vault.replies(&admitted).await.map_err(vault_error)?;
        Ok(ParcelView {
            row: open_row(grant, &right, &content),
            patient: content.patient.as_ref().and_then(patient_name),
            documents: titled(&content).map(ShownDocument::of).collect(),
            text,
            html,
            replies: replies.into_iter().map(|(sent, reply)| ShownReply::of(sent, reply)).collect(),
            reply: self.reply_rules(&content).await?,
            draft: vault.draft(visit.contact, grant, now).await.map_err(vault_error)?,
        })
    }

    /// Notes that a message was opened, or a document of it downloaded, the first time: in its right and its history.
    pub(super) async fn note(&self, admitted: &Admitted, what: Happened, now: Timestamp) -> Result<(), VisitError> {
        let (vault, grant) = (&self.stations().vault, admitted.grant());
        for _ in 0..TRIES {
            let mut batch = Batch::default();
            let first = match what {
                Happened::Opened => vault.note_opened(&mut batch, grant, now).await,
                _ => vault.note_downloaded(&mut batch, grant, now).await,
            };
            if !first.map_err(vault_error)? {
                return Ok(());
            }
            self.put_what_happened(&mut batch, admitted, what, now).await?;
            if what == Happened::Opened {
                let telling = self.put_opened(&mut batch, grant, now).await;
                telling.map_err(|error| not_now("watch", &error))?;
            }
            match self.stations().store.commit(batch).await {
                Ok(_) => {
                    self.stations().queue.wake();
                    return Ok(());
                }
                Err(CommitError::Conflict) => {}
                Err(error) => return Err(not_committed(error)),
            }
        }
        Err(not_now("visits", &"other changes came first, again and again"))
    }

    /// Puts a line of the message's history into the batch.
    pub(super) async fn put_what_happened(
        &self,
        batch: &mut Batch,
        admitted: &Admitted,
        what: Happened,
        now: Timestamp,
    ) -> Result<(), VisitError> {
        let grant = admitted.grant();
        let found = self.stations().vault.grant(grant).await.map_err(vault_error)?;
        let transaction = found.ok_or(VisitError::NotFound)?.value.transaction;
        let line = HistoryLine { grant, what, at: now, from: None };
        self.put_history(batch, transaction, &line).map_err(|error| not_now("history", &error))
    }

    /// The message's text in this form.
    async fn text_of(&self, content: &ParcelContent, kind: DepositKind) -> Result<Option<String>, VisitError> {
        let Some(deposit) = content.deposits.iter().find(|deposit| deposit.kind == kind) else { return Ok(None) };
        let octets = self.stations().objects.read(&deposit.object, 0..u64::MAX).await.map_err(blob_error)?;
        let octets = octets.collect().await.map_err(blob_error)?;
        Ok(Some(String::from_utf8_lossy(&octets).into_owned()))
    }

    /// Takes a fraction of a millisecond, but up to a third of a second where the HTML is tangled: then other visitors do not
    /// wait for it, and not all threads do it at once.
    async fn sanitised(&self, html: &str, content: &ParcelContent) -> Option<String> {
        let names: Vec<&str> = documents_of(content).map(|deposit| deposit.name.as_str()).collect();
        let sanitise = || shown::sanitised(html, &names);
        if html.len() <= QUICKLY_READ {
            return sanitise();
        }
        let _turn = self.readers.acquire().await;
        match tokio::runtime::Handle::current().runtime_flavor() {
            RuntimeFlavor::CurrentThread => sanitise(),
            _ => tokio::task::block_in_place(sanitise),
        }
    }
}

fn patient_name(patient: &PatientRef) -> Option<String> {
    match patient {
        PatientRef::Named { name, .. } => Some(name.clone()),
        PatientRef::Record(_) | PatientRef::Unnamed { .. } => None,
    }
}

/// What has ended does not exist; the log has the cause of everything else.
pub(super) fn vault_error(error: VaultError) -> VisitError {
    match error {
        VaultError::Missing | VaultError::Ended => VisitError::NotFound,
        VaultError::Commit(error) => not_committed(error),
        other => not_now("vault", &other),
    }
}

pub(super) fn blob_error(error: BlobError) -> VisitError {
    match error {
        BlobError::Full => VisitError::Full,
        other => not_now("blob", &other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    fn row(number: u8, sender: &str, kinds: &[&'static str]) -> ParcelRow {
        ParcelRow {
            grant: GrantId::from_octets([number; 16]),
            practice: "clinic".into(),
            subject: "Your Referral".into(),
            sender_name: sender.into(),
            sent: Timestamp::from_secs(0),
            keep_until: Timestamp::from_secs(1),
            kinds: kinds.to_vec(),
            titles: Vec::new(),
            documents: kinds.len(),
            opened: false,
            locked: false,
        }
    }

    #[test]
    fn all_words_are_searched_whatever_their_case() {
        let row = row(1, "Dr Émile Roe", &["pdf", "word"]);
        for (search, kind, found) in [
            ("", None, true),
            ("roe REFERRAL", None, true),
            ("émile scan.PDF", None, true),
            ("referral x-ray", None, false),
            ("", Some("word"), true),
            ("", Some("image"), false),
            ("dr", Some("image"), false),
        ] {
            let query = ParcelQuery { search: search.into(), kind: kind.map(str::to_owned), sorted: Sorted::Newest };
            assert_eq!(query.finds(&row, &["Scan.pdf"]), found, "{search} {kind:?}");
        }
    }

    #[test]
    fn an_order_keeps_the_newest_first_within_it() {
        let rows = [row(1, "roe", &["other"]), row(2, "Abel", &["pdf"]), row(3, "Roe", &["pdf"]), row(4, "abel", &[])];
        for (sorted, expected) in
            [(Sorted::Newest, [1, 2, 3, 4]), (Sorted::Kind, [2, 3, 1, 4]), (Sorted::Sender, [2, 4, 1, 3])]
        {
            let mut rows = rows.to_vec();
            ParcelQuery { sorted, ..ParcelQuery::default() }.sort(&mut rows);
            assert_eq!(rows.map_grants(), expected, "{sorted:?}");
        }
    }

    trait Grants {
        fn map_grants(&self) -> [u8; 4];
    }

    impl Grants for Vec<ParcelRow> {
        fn map_grants(&self) -> [u8; 4] {
            std::array::from_fn(|at| self[at].grant.octets()[0])
        }
    }
}
