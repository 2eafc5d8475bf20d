//! A message as it comes in: in memory while small, sealed on disk when it grows.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use memchr::memchr3_iter;

use crate::blob::{BlobError, BlobReader, BlobStore, BlobWriter, OctetStream};
use crate::id::BlobId;
use crate::keyring::DataKey;
use crate::random;

/// Messages up to this size stay in memory.
pub const IN_MEMORY: usize = 1024 * 1024 + 128 * 1024;
/// The longest piece in memory.
const PIECE: usize = 64 * 1024;

/// Why a message could not be taken in.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// A CR without LF, an LF without CR, or a NUL: what smuggling is made of.
    #[error("a bare CR, a bare LF or a NUL")]
    BareOctet,
    /// The disk.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

/// A message coming in.
pub struct SpoolWriter {
    blobs: BlobStore,
    place: Place,
    lines: LineEnds,
    octets: u64,
}

enum Place {
    /// Full pieces, and the one being filled.
    Memory(Vec<Bytes>, Vec<u8>),
    Disk(Box<BlobWriter>, BlobId, DataKey),
}

/// Watches that CR and LF come only together, also across pieces.
#[derive(Default)]
struct LineEnds {
    /// The last octet was a CR, its LF is awaited.
    after_cr: bool,
    /// The last two octets were CRLF.
    at_line_start: bool,
}

impl LineEnds {
    fn take(&mut self, octets: &[u8]) -> Result<(), SpoolError> {
        let Some(last) = octets.last() else { return Ok(()) };
        // Where the LF of the last CR has to be.
        let mut due = self.after_cr.then_some(0);
        for at in memchr3_iter(b'\r', b'\n', 0, octets) {
            match octets[at] {
                b'\n' if due == Some(at) => due = None,
                b'\r' if due.is_none() => due = Some(at + 1),
                _ => return Err(SpoolError::BareOctet),
            }
        }
        if due.is_some_and(|due| due < octets.len()) {
            return Err(SpoolError::BareOctet);
        }
        self.after_cr = due.is_some();
        self.at_line_start = *last == b'\n';
        Ok(())
    }
}

impl SpoolWriter {
    /// A writer that goes to disk, under a fresh key and blob id, when the message outgrows [`IN_MEMORY`].
    pub fn new(blobs: &BlobStore) -> Self {
        let place = Place::Memory(Vec::new(), Vec::new());
        Self { blobs: blobs.clone(), place, lines: LineEnds::default(), octets: 0 }
    }

    /// More octets, dot-unstuffed, in any pieces; CR and LF may be split between calls.
    ///
    /// # Errors
    /// [`SpoolError::BareOctet`]; [`SpoolError::Blob`] where the disk does not take it. The writer is of no use then.
    pub async fn write(&mut self, octets: &[u8]) -> Result<(), SpoolError> {
        self.lines.take(octets)?;
        self.octets += octets.len() as u64;
        if self.octets > IN_MEMORY as u64
            && let Place::Memory(full, last) = &mut self.place
        {
            let (full, last) = (std::mem::take(full), std::mem::take(last));
            let (id, key) = (random::id(), DataKey::fresh());
            let mut writer = self.blobs.writer(id, &key, false);
            for piece in full.into_iter().chain([last.into()]) {
                writer.write(&piece).await?;
            }
            self.place = Place::Disk(Box::new(writer), id, key);
        }
        match &mut self.place {
            Place::Memory(full, last) => keep(full, last, octets),
            Place::Disk(writer, ..) => writer.write(octets).await?,
        }
        Ok(())
    }

    /// Octets so far.
    pub fn len(&self) -> u64 {
        self.octets
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The message. One that was spooled is a finished blob that belongs to nobody yet, and is not synced: unless
    /// [`super::Objects::adopt`] and a commit take it over, [`RawMessage::discard`] or the next sweep removes it.
    ///
    /// # Errors
    /// [`SpoolError::BareOctet`] where it is not empty and does not end in CRLF.
    pub async fn finish(self) -> Result<RawMessage, SpoolError> {
        if self.octets > 0 && !self.lines.at_line_start {
            return Err(SpoolError::BareOctet);
        }
        let place = match self.place {
            Place::Memory(mut full, last) => {
                full.push(last.into());
                Kept::Memory(full)
            }
            Place::Disk(writer, id, key) => {
                writer.finish().await?;
                let reader = self.blobs.open_blob(id, &key).await?;
                Kept::Disk { blobs: self.blobs, reader, id, key }
            }
        };
        Ok(RawMessage { octets: self.octets, place: Arc::new(place) })
    }
}

/// Copies octets into pieces of [`PIECE`]; the first grows from small, since most messages are.
fn keep(full: &mut Vec<Bytes>, last: &mut Vec<u8>, mut octets: &[u8]) {
    while !octets.is_empty() {
        let (now, rest) = octets.split_at(octets.len().min(PIECE - last.len()));
        last.extend_from_slice(now);
        if last.len() == PIECE {
            full.push(std::mem::replace(last, Vec::with_capacity(PIECE)).into());
        }
        octets = rest;
    }
}

/// A whole message: CRLF line ends, no bare CR or LF, no NUL. A handle, not the octets. Only
/// [`SpoolWriter::finish`] makes one.
#[derive(Clone)]
pub struct RawMessage {
    octets: u64,
    place: Arc<Kept>,
}

enum Kept {
    Memory(Vec<Bytes>),
    Disk { blobs: BlobStore, reader: BlobReader, id: BlobId, key: DataKey },
}

impl RawMessage {
    /// Its length in octets.
    pub fn len(&self) -> u64 {
        self.octets
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The octets of a range; what lies beyond the end is left out.
    pub fn range(&self, range: Range<u64>) -> OctetStream {
        match &*self.place {
            Kept::Disk { reader, .. } => reader.range(range),
            Kept::Memory(pieces) => OctetStream::cut(pieces, range),
        }
    }

    /// The blob it lies in and that blob's key, if it was too large for memory.
    pub fn blob(&self) -> Option<(BlobId, &DataKey)> {
        match &*self.place {
            Kept::Memory(_) => None,
            Kept::Disk { id, key, .. } => Some((*id, key)),
        }
    }

    /// Removes what lies on disk, when no commit took it over.
    ///
    /// # Errors
    /// [`BlobError::Disk`]; the next sweep removes it then.
    pub async fn discard(self) -> Result<(), BlobError> {
        match &*self.place {
            Kept::Memory(_) => Ok(()),
            Kept::Disk { blobs, id, .. } => blobs.remove(*id).await,
        }
    }
}
