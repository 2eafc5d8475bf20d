//! The format of a blob: 64 KiB chunks of AES-256-GCM in the STREAM construction.
//!
//! `header (32) chunk* footer (528)`. The header is magic (8), blob id (16), nonce prefix (7, random), 1; it is the
//! associated data of everything after it. Chunk *n* holds octets from *n* × 65,536, is that long (the last may be
//! shorter, never empty) and is followed by its tag. The nonce is prefix, *n* (u32, big-endian), and 0; for the
//! footer, which stands where the next chunk would, 1. So the footer is STREAM's last chunk: it opens only behind the
//! right number of chunks (Hoang, Reyhanitabar, Rogaway, Vizár 2015). Its plaintext is the length (u64), the SHA-256 of all
//! octets, and 472 octets of zeros where a true name will stand.
//!
//! Each blob has a data key of its own, which is not in it. Vectors: `tests/vault`.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{Context, SHA256};

use crate::blob::BlobError;
use crate::id::{BlobId, Id};
use crate::keyring::DataKey;

/// Octets of plaintext in a chunk.
pub const CHUNK: usize = 64 * 1024;
/// Octets of a tag.
pub const TAG: usize = 16;
/// Octets of the header.
pub const HEADER: usize = 32;
/// Octets of the sealed footer.
pub const FOOTER: usize = 512 + TAG;

const MAGIC: &[u8; 8] = b"pstnblob";
const VERSION: u8 = 1;
const DIGEST: usize = 32;

/// A blob's key and header, which seal and open its chunks.
pub struct Cipher {
    key: LessSafeKey,
    header: [u8; HEADER],
}

impl Cipher {
    /// The cipher of a new blob. One data key serves one blob; the random prefix is a second belt.
    pub fn new(id: BlobId, key: &DataKey, prefix: [u8; 7]) -> Self {
        let mut header = [0; HEADER];
        header[..8].copy_from_slice(MAGIC);
        header[8..24].copy_from_slice(id.octets());
        header[24..31].copy_from_slice(&prefix);
        header[31] = VERSION;
        Self { key: prepare(key), header }
    }

    /// The cipher of the blob that has this header, if it is the one with this id.
    pub fn read(id: BlobId, key: &DataKey, header: [u8; HEADER]) -> Result<Self, BlobError> {
        let sound = header.starts_with(MAGIC) && header[8..24] == *id.octets() && header[31] == VERSION;
        if sound { Ok(Self { key: prepare(key), header }) } else { Err(BlobError::Unsound) }
    }

    /// The octets the blob begins with.
    pub fn header(&self) -> &[u8; HEADER] {
        &self.header
    }

    fn nonce(&self, number: u32, last: bool) -> Nonce {
        let mut nonce = [0; 12];
        nonce[..7].copy_from_slice(&self.header[24..31]);
        nonce[7..11].copy_from_slice(&number.to_be_bytes());
        nonce[11] = u8::from(last);
        Nonce::assume_unique_for_key(nonce)
    }

    /// Seals a chunk in place; what is to follow it.
    #[allow(clippy::expect_used, reason = "AES-GCM seals anything below 64 GiB")]
    fn seal(&self, number: u32, last: bool, chunk: &mut [u8]) -> [u8; TAG] {
        let nonce = self.nonce(number, last);
        let tag =
            self.key.seal_in_place_separate_tag(nonce, Aad::from(&self.header), chunk).expect("a chunk is sealed");
        let mut octets = [0; TAG];
        octets.copy_from_slice(tag.as_ref());
        octets
    }

    /// Opens a sealed chunk in place; its length without the tag.
    pub fn open(&self, number: u32, sealed: &mut [u8]) -> Result<usize, BlobError> {
        self.open_any(number, false, sealed)
    }

    fn open_any(&self, number: u32, last: bool, sealed: &mut [u8]) -> Result<usize, BlobError> {
        let nonce = self.nonce(number, last);
        let opened = self.key.open_in_place(nonce, Aad::from(&self.header), sealed);
        opened.map(|plain| plain.len()).map_err(|_| BlobError::Unsound)
    }
}

#[allow(clippy::expect_used, reason = "the key has the cipher's length by its type")]
fn prepare(key: &DataKey) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.expose()).expect("32 octets are a key"))
}

/// Turns octets into a sealed blob, piece by piece; the caller stores what it gives out.
pub struct Sealing {
    cipher: Cipher,
    digest: Context,
    octets: u64,
    number: u32,
    /// Sealed octets not given out yet, and behind them, from `open_at`, the chunk being filled.
    out: Vec<u8>,
    open_at: usize,
}

impl Sealing {
    /// A blob to be sealed; `capacity` octets are set aside for what is given out at once.
    pub fn new(cipher: Cipher, capacity: usize) -> Self {
        let mut out = Vec::with_capacity(capacity);
        out.extend_from_slice(cipher.header());
        Self { cipher, digest: Context::new(&SHA256), octets: 0, number: 0, out, open_at: HEADER }
    }

    /// Octets taken so far.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Octets that wait, sealed or not.
    pub fn waiting(&self) -> usize {
        self.out.len()
    }

    /// Takes as many octets as fit into the present chunk, and seals it when it is full. The rest.
    pub fn take<'a>(&mut self, octets: &'a [u8]) -> &'a [u8] {
        let room = CHUNK - (self.out.len() - self.open_at);
        let (now, rest) = octets.split_at(octets.len().min(room));
        self.digest.update(now);
        self.octets += now.len() as u64;
        self.out.extend_from_slice(now);
        if now.len() == room {
            self.close_chunk();
        }
        rest
    }

    fn close_chunk(&mut self) {
        let tag = self.cipher.seal(self.number, false, &mut self.out[self.open_at..]);
        self.out.extend_from_slice(&tag);
        self.open_at = self.out.len();
        self.number += 1;
    }

    /// Gives out what is sealed, if no chunk is half full, and makes room for as much again.
    pub fn give(&mut self, capacity: usize) -> Option<Vec<u8>> {
        if self.open_at < self.out.len() {
            return None;
        }
        self.open_at = 0;
        Some(std::mem::replace(&mut self.out, Vec::with_capacity(capacity)))
    }

    /// The last sealed octets, with the footer; and the length of what was sealed.
    pub fn finish(mut self) -> (Vec<u8>, u64) {
        if self.open_at < self.out.len() {
            self.close_chunk();
        }
        let mut footer = [0; FOOTER - TAG];
        footer[..8].copy_from_slice(&self.octets.to_be_bytes());
        footer[8..8 + DIGEST].copy_from_slice(self.digest.finish().as_ref());
        let tag = self.cipher.seal(self.number, true, &mut footer);
        self.out.extend_from_slice(&footer);
        self.out.extend_from_slice(&tag);
        (self.out, self.octets)
    }
}

/// What a footer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footer {
    /// Octets of plaintext.
    pub octets: u64,
    /// Their SHA-256.
    pub digest: [u8; DIGEST],
}

impl Footer {
    /// Opens the footer of a blob whose file has `size` octets: only the right number of chunks makes it open.
    pub fn open(cipher: &Cipher, size: u64, mut sealed: [u8; FOOTER]) -> Result<Self, BlobError> {
        let body = size.checked_sub((HEADER + FOOTER) as u64).ok_or(BlobError::Unsound)?;
        let chunks = u32::try_from(body.div_ceil((CHUNK + TAG) as u64)).map_err(|_| BlobError::Unsound)?;
        cipher.open_any(chunks, true, &mut sealed)?;
        let (octets, rest) = sealed.split_first_chunk::<8>().ok_or(BlobError::Unsound)?;
        let (digest, _) = rest.split_first_chunk::<DIGEST>().ok_or(BlobError::Unsound)?;
        let footer = Self { octets: u64::from_be_bytes(*octets), digest: *digest };
        let whole = footer.octets.div_ceil(CHUNK as u64) == u64::from(chunks)
            && footer.octets.checked_add(u64::from(chunks) * TAG as u64) == Some(body);
        if whole { Ok(footer) } else { Err(BlobError::Unsound) }
    }
}

/// Where in the file chunk `number` begins.
pub fn chunk_at(number: u64) -> u64 {
    HEADER as u64 + number * (CHUNK + TAG) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::vectors::Vector;

    fn sealed(id: BlobId, key: &DataKey, prefix: [u8; 7], octets: &[u8]) -> Vec<u8> {
        let mut sealing = Sealing::new(Cipher::new(id, key, prefix), 0);
        let mut rest = octets;
        while !rest.is_empty() {
            rest = sealing.take(rest);
        }
        sealing.finish().0
    }

    #[test]
    fn the_vectors_are_made_again() {
        for (name, length) in [("blob-empty", 0), ("blob-short", 100), ("blob-two-chunks", CHUNK + 5)] {
            let mut vector = Vector::read(name);
            let key = vector.key("key", [0x11; 32]);
            let id = BlobId::from_octets([0xA5; 16]);
            vector.octets("id", id.octets());
            vector.octets("nonce_prefix", &[1, 2, 3, 4, 5, 6, 7]);
            let plaintext: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            vector.octets("plaintext_length", &(length as u32).to_be_bytes());
            vector.octets("plaintext_first_100", &plaintext[..length.min(100)]);
            let blob = sealed(id, &key, [1, 2, 3, 4, 5, 6, 7], &plaintext);
            vector.octets("header", &blob[..HEADER]);
            vector.octets("first_200_after_header", &blob[HEADER..blob.len().min(HEADER + 200)]);
            vector.octets("footer", &blob[blob.len() - FOOTER..]);
            vector.octets("blob_sha256", aws_lc_rs::digest::digest(&SHA256, &blob).as_ref());
            vector.finish();
        }
    }
}
