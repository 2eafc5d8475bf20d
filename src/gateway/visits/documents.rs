//! Documents, streamed from the vault: one, a range of one, or all as a zip.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{Stream, try_unfold};

use crate::access::Admitted;
use crate::archive::{Archive, Entry};
use crate::blob::{ObjectRef, OctetStream};
use crate::gateway::Gateway;
use crate::gateway::history::Happened;
use crate::gateway::visits::parcels::{blob_error, documents_of, vault_error};
use crate::gateway::visits::{Visit, VisitError, not_now};
use crate::guests::{Count, Counted, Limit};
use crate::id::{DepositId, GrantId, VisitId};
use crate::mime::names;
use crate::pack::stored::{may_be_shown, served_type};
use crate::secret::silent_debug;
use crate::store;
use crate::time::Timestamp;
use crate::vault::{Deposit, ParcelContent};

/// Ten files within a minute, then none for half an hour: who takes more at once is taking all of them.
const DOWNLOADS: Limit = Limit { most: 10, within: Duration::from_secs(60), lock: Duration::from_secs(30 * 60) };

/// How long a download that was counted may go on in further ranges, uncounted.
const GOES_ON: Duration = Duration::from_secs(60 * 60);
/// Downloads remembered, at most; more are forgotten, and count again.
const MOST_REMEMBERED: usize = 10_000;

/// Downloads that were counted a short while ago, so that a further range of the same file is not. What a browser says of
/// itself is no proof: one that only ever asks for "further" ranges would never be counted.
#[derive(Default)]
pub(in crate::gateway) struct Downloads(Mutex<HashMap<(VisitId, DepositId), Timestamp>>);

impl Downloads {
    fn knows(&self, visit: VisitId, deposit: DepositId, now: Timestamp) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(visit, deposit)).is_some_and(|counted| now.since(*counted) < GOES_ON)
    }

    fn remember(&self, visit: VisitId, deposit: DepositId, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_REMEMBERED {
            known.retain(|_, counted| now.since(*counted) < GOES_ON);
        }
        if known.len() >= MOST_REMEMBERED {
            known.clear();
        }
        known.insert((visit, deposit), now);
    }
}

/// A document that a visitor may have.
#[derive(Clone)]
pub struct Document {
    /// Its file name.
    pub name: String,
    /// `type/subtype`.
    pub media_type: String,
    /// Octets.
    pub octets: u64,
    /// Whether a browser may show it.
    pub opens: bool,
    /// When it was sent; files in a zip bear this time.
    pub sent: Timestamp,
    object: ObjectRef,
}

silent_debug!(Document);

impl Document {
    fn of(deposit: &Deposit, name: String, sent: Timestamp) -> Self {
        let media_type = served_type(&deposit.media_type, &deposit.name);
        let opens = may_be_shown(&media_type);
        Self { name, media_type, octets: deposit.object.octets, opens, sent, object: deposit.object.clone() }
    }
}

impl Gateway {
    /// One document.
    ///
    /// # Errors
    /// [`VisitError::NotFound`], [`VisitError::Show`]; [`VisitError::LockedUntil`] after more than ten within a minute
    /// (`counts` is false for a further range of one that was counted).
    pub async fn document(
        &self,
        visit: &Visit,
        grant: GrantId,
        deposit: DepositId,
        counts: bool,
    ) -> Result<Document, VisitError> {
        let now = store::now();
        let (admitted, content) = self.opened(visit, grant, now).await?;
        let names = distinct_names(&content);
        let found = documents_of(&content).zip(names).find(|(document, _)| document.id == deposit);
        let (found, name) = found.ok_or(VisitError::NotFound)?;
        let document = Document::of(found, name, content.sent);
        if counts || !self.downloads.knows(visit.id, deposit, now) {
            self.count_download(visit, now).await?;
            self.downloads.remember(visit.id, deposit, now);
        }
        self.note(&admitted, Happened::Downloaded, now).await?;
        Ok(document)
    }

    /// All documents of a message; counts once. Names are unique among them.
    ///
    /// # Errors
    /// As [`Gateway::document`].
    pub async fn documents(&self, visit: &Visit, grant: GrantId) -> Result<Vec<Document>, VisitError> {
        let now = store::now();
        let (admitted, content) = self.opened(visit, grant, now).await?;
        let names = distinct_names(&content);
        let documents = documents_of(&content).zip(names);
        let documents = documents.map(|(deposit, name)| Document::of(deposit, name, content.sent)).collect();
        self.count_download(visit, now).await?;
        self.note(&admitted, Happened::Downloaded, now).await?;
        Ok(documents)
    }

    /// A document's octets in this range; whole chunks are authenticated before one octet is given.
    ///
    /// # Errors
    /// [`VisitError::Unavailable`] where it is damaged.
    pub async fn read_document(&self, document: &Document, range: Range<u64>) -> Result<OctetStream, VisitError> {
        let octets = self.stations().objects.read(&document.object, range).await.map_err(blob_error)?;
        Ok(octets.in_strides())
    }

    /// The documents as a zip, written while it is read: [`Gateway::zip_octets`] long, a chunk in memory at a time. An error
    /// ends it before its time.
    pub fn zip(&self, documents: Vec<Document>) -> impl Stream<Item = Result<Bytes, VisitError>> + Send + use<> {
        let zip = Zip {
            gateway: self.clone(),
            archive: archive_of(&documents),
            documents,
            checksums: Vec::new(),
            file: None,
        };
        try_unfold(Some(zip), |zip| async move {
            let Some(zip) = zip else { return Ok(None) };
            zip.next().await.map(Some)
        })
    }

    /// How long the zip of these documents is, in octets.
    pub fn zip_octets(documents: &[Document]) -> u64 {
        archive_of(documents).octets()
    }

    /// What the right says, for who may open it.
    async fn opened(
        &self,
        visit: &Visit,
        grant: GrantId,
        now: Timestamp,
    ) -> Result<(Admitted, ParcelContent), VisitError> {
        let (admitted, _) = self.admitted(visit, grant).await?;
        let (_, content) = self.stations().vault.open(&admitted, now).await.map_err(vault_error)?;
        Ok((admitted, content))
    }

    async fn count_download(&self, visit: &Visit, now: Timestamp) -> Result<(), VisitError> {
        let counted = self.stations().guests.count(Counted::Download(visit.id), DOWNLOADS, now).await;
        match counted.map_err(|error| not_now("guests", &error))? {
            Count::Left(_) => Ok(()),
            Count::LockedUntil(until) => Err(VisitError::LockedUntil(until)),
        }
    }
}

/// The names of a message's documents, no two alike.
fn distinct_names(content: &ParcelContent) -> Vec<String> {
    names::distinct(documents_of(content).map(|deposit| deposit.name.clone()).collect())
}

fn archive_of(documents: &[Document]) -> Archive {
    let entry = |document: &Document| Entry { name: document.name.clone(), octets: document.octets, at: document.sent };
    Archive::new(documents.iter().map(entry).collect())
}

/// A zip being read.
struct Zip {
    gateway: Gateway,
    archive: Archive,
    documents: Vec<Document>,
    /// Of the files that have passed.
    checksums: Vec<u32>,
    /// The file that is passing.
    file: Option<Passing>,
}

struct Passing {
    octets: OctetStream,
    checksum: crc32fast::Hasher,
    left: u64,
}

impl Zip {
    /// The next octets, and what is left of it after them.
    async fn next(mut self) -> Result<(Bytes, Option<Self>), VisitError> {
        let index = self.checksums.len();
        if let Some(mut file) = self.file.take() {
            return match file.octets.next().await.map_err(blob_error)? {
                Some(octets) => {
                    file.checksum.update(&octets);
                    file.left = file.left.checked_sub(octets.len() as u64).ok_or_else(damaged)?;
                    self.file = Some(file);
                    Ok((octets, Some(self)))
                }
                None if file.left > 0 => Err(damaged()),
                None => {
                    let checksum = file.checksum.finalize();
                    self.checksums.push(checksum);
                    Ok((self.archive.after(index, checksum).into(), Some(self)))
                }
            };
        }
        let Some(document) = self.documents.get(index) else {
            return Ok((self.archive.end(&self.checksums).into(), None));
        };
        let octets = self.gateway.read_document(document, 0..document.octets).await?;
        self.file = Some(Passing { octets, checksum: crc32fast::Hasher::new(), left: document.octets });
        Ok((self.archive.before(index).into(), Some(self)))
    }
}

fn damaged() -> VisitError {
    not_now("vault", &"a document is not as long as its parcel says")
}
