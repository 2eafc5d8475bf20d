//! Reading blobs: any range, each chunk authenticated before an octet of it is given out.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::blob::files::Held;
use crate::blob::stream::{CHUNK, Cipher, FOOTER, Footer, HEADER, TAG, chunk_at};
use crate::blob::{BlobError, BlobStore};
use crate::id::BlobId;
use crate::keyring::DataKey;

/// Chunks read at once, where nothing else is asked for. What is read is set aside by whichever thread reads the file, and the allocator keeps for every
/// such thread what the busiest moment took: with four chunks that was more than a connection needs for all the rest.
const AT_ONCE: u64 = 1;
/// Chunks read at once for somebody who downloads: each read is a thread's work, and to wake it cost more than its work.
const STRIDE: u64 = 4;

/// Blobs up to this length are read whole by who knows it beforehand.
pub(super) const SHORT: u64 = 2 * CHUNK as u64;

/// A blob being read. Cheap to clone.
#[derive(Clone)]
pub struct BlobReader {
    inner: Arc<Inner>,
}

struct Inner {
    blobs: BlobStore,
    path: Path,
    cipher: Cipher,
    footer: Footer,
}

impl BlobReader {
    pub(super) async fn open(blobs: BlobStore, id: BlobId, path: Path, key: &DataKey) -> Result<Self, BlobError> {
        let size = blobs.files().head(&path).await?.size;
        let body = size.checked_sub(FOOTER as u64).filter(|at| *at >= HEADER as u64).ok_or(BlobError::Unsound)?;
        let ends = blobs.files().get_ranges(&path, &[0..HEADER as u64, body..size]).await?;
        let header = ends.first().and_then(|octets| octets.as_ref().try_into().ok()).ok_or(BlobError::Unsound)?;
        let footer = ends.get(1).and_then(|octets| octets.as_ref().try_into().ok()).ok_or(BlobError::Unsound)?;
        let cipher = Cipher::read(id, key, header)?;
        let footer = Footer::open(&cipher, size, footer)?;
        Ok(Self { inner: Arc::new(Inner { blobs, path, cipher, footer }) })
    }

    /// The length of what was sealed.
    pub fn len(&self) -> u64 {
        self.inner.footer.octets
    }

    /// Whether nothing was sealed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All chunks of a blob that is known to have so many octets, at most [`SHORT`]: read at once, with its header and footer.
    pub(super) async fn short(
        blobs: &BlobStore,
        id: BlobId,
        path: &Path,
        (key, octets): (&DataKey, u64),
    ) -> Result<Vec<Bytes>, BlobError> {
        let size = chunk_at(0) + octets + octets.div_ceil(CHUNK as u64) * TAG as u64 + FOOTER as u64;
        let mut sealed = read(blobs, path, 0..size).await?;
        let (header, rest) = sealed.split_first_chunk_mut::<HEADER>().ok_or(BlobError::Unsound)?;
        let (chunks, footer) = rest.split_last_chunk_mut::<FOOTER>().ok_or(BlobError::Unsound)?;
        let cipher = Cipher::read(id, key, *header)?;
        if Footer::open(&cipher, size, *footer)?.octets != octets {
            return Err(BlobError::Unsound);
        }
        let (mut pieces, mut at) = (Vec::new(), HEADER);
        for (number, chunk) in (0..).zip(chunks.chunks_mut(CHUNK + TAG)) {
            let length = cipher.open(number, chunk)?;
            pieces.push(at..at + length);
            at += CHUNK + TAG;
        }
        let opened = Bytes::from(sealed);
        Ok(pieces.into_iter().map(|piece| opened.slice(piece)).collect())
    }

    /// The octets of a range, as a stream of chunks; each chunk authenticated before it is given out. What lies
    /// beyond the end is left out.
    pub fn range(&self, range: Range<u64>) -> OctetStream {
        let end = range.end.min(self.len());
        let range = range.start.min(end)..end;
        OctetStream(Source::Blob {
            blob: self.clone(),
            rest: range,
            at_once: AT_ONCE,
            ready: VecDeque::new(),
            held: None,
        })
    }

    /// Reads it all and compares the digest.
    ///
    /// # Errors
    /// [`BlobError::Unsound`] where anything does not open or the digest differs.
    pub async fn verify(&self) -> Result<(), BlobError> {
        let (mut octets, mut digest) = (self.range(0..self.len()), Context::new(&SHA256));
        while let Some(piece) = octets.next().await? {
            digest.update(&piece);
        }
        let whole = digest.finish().as_ref() == self.inner.footer.digest;
        if whole { Ok(()) } else { Err(BlobError::Unsound) }
    }

    /// The chunks that begin the range, opened and cut to it; and what remains of it.
    async fn fetch(&self, rest: &Range<u64>, at_once: u64) -> Result<(VecDeque<Bytes>, u64), BlobError> {
        let Inner { blobs, path, cipher, .. } = &*self.inner;
        let first = rest.start / CHUNK as u64;
        let last = ((rest.end - 1) / CHUNK as u64).min(first + at_once - 1);
        let covered = ((last + 1) * CHUNK as u64).min(self.len());
        let sealed_end = chunk_at(last) + (covered - last * CHUNK as u64) + TAG as u64;
        let (numbers, stop) = (first..=last, covered.min(rest.end));
        let mut opened = read(blobs, path, chunk_at(first)..sealed_end).await?;
        for (number, chunk) in numbers.clone().zip(opened.chunks_mut(CHUNK + TAG)) {
            cipher.open(u32::try_from(number).map_err(|_| BlobError::Unsound)?, chunk)?;
        }
        let opened = Bytes::from(opened);
        let pieces = numbers.map(|number| {
            let at = number * CHUNK as u64;
            let (from, to) = (rest.start.max(at) - at, stop.min(at + CHUNK as u64) - at);
            let begin = (number - first) * (CHUNK + TAG) as u64;
            opened.slice((begin + from) as usize..(begin + to) as usize)
        });
        Ok((pieces.collect(), stop))
    }
}

/// Octets of a file, by one visit to a thread that may wait for the disk: `get_range` makes two.
async fn read(blobs: &BlobStore, path: &Path, range: Range<u64>) -> Result<Vec<u8>, BlobError> {
    let read = blobs.files().get_ranges(path, &[range]).await?;
    read.into_iter().next().map(Vec::from).ok_or(BlobError::Unsound)
}

/// Octets that arrive in pieces of at most 64 KiB, from memory or from a blob.
pub struct OctetStream(Source);

enum Source {
    Memory(VecDeque<Bytes>),
    Blob { blob: BlobReader, rest: Range<u64>, at_once: u64, ready: VecDeque<Bytes>, held: Option<Held> },
}

impl OctetStream {
    /// The octets of these pieces, each at most 64 KiB.
    pub(super) fn of(pieces: impl IntoIterator<Item = Bytes>) -> Self {
        Self(Source::Memory(pieces.into_iter().collect()))
    }

    /// A range of the octets of these pieces, each at most 64 KiB; what lies beyond the end is left out.
    pub(super) fn cut(pieces: &[Bytes], range: Range<u64>) -> Self {
        let (mut at, mut found) = (0, Vec::new());
        for piece in pieces {
            let length = piece.len() as u64;
            let (from, to) = (range.start.max(at), range.end.min(at + length));
            if from < to {
                found.push(piece.slice((from - at) as usize..(to - at) as usize));
            }
            at += length;
        }
        Self::of(found)
    }

    /// The octets of one piece of any length.
    pub(super) fn of_octets(mut octets: Bytes) -> Self {
        let count = octets.len().div_ceil(CHUNK);
        Self::of((0..count).map(|_| octets.split_to(octets.len().min(CHUNK))).collect::<Vec<_>>())
    }

    /// The same, read in strides: faster, for four times the memory (256 KiB).
    #[must_use]
    pub fn in_strides(mut self) -> Self {
        if let Source::Blob { at_once, .. } = &mut self.0 {
            *at_once = STRIDE;
        }
        self
    }

    /// The same, and nobody takes it away while it is read.
    #[must_use]
    pub(super) fn holding(mut self, hold: Held) -> Self {
        if let Source::Blob { held, .. } = &mut self.0 {
            *held = Some(hold);
        }
        self
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// [`BlobError::Unsound`] where a chunk does not open; nothing of it is given out.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        match &mut self.0 {
            Source::Memory(pieces) => Ok(pieces.pop_front()),
            Source::Blob { blob, rest, at_once, ready, .. } => {
                if ready.is_empty() && !rest.is_empty() {
                    let (pieces, stop) = blob.fetch(rest, *at_once).await?;
                    *ready = pieces;
                    rest.start = stop;
                }
                Ok(ready.pop_front())
            }
        }
    }

    /// All of it in memory; for what is known to be small.
    ///
    /// # Errors
    /// As [`OctetStream::next`].
    pub async fn collect(mut self) -> Result<Vec<u8>, BlobError> {
        let mut all = Vec::new();
        while let Some(piece) = self.next().await? {
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }
}
