//! Frames: sealed, numbered pieces of a journal or checkpoint file.
//!
//! A file begins with a header: 16 octets of magic, 16 of a random file id, the number of the first
//! frame or the sequence it stands for, and a proof (a sealed empty text) that header and key fit. A
//! frame is `length (u32) number (u64) sealed`, big-endian; its associated data are file id and number,
//! so that a frame of another file, or of another place in it, does not open.

use std::io::{self, Read};

use crate::keyring::seal::{OVERHEAD, Sealer};
use crate::random;
use crate::store::batch::LARGEST_BATCH;

/// Octets of a file's header.
pub const HEADER: usize = 40 + OVERHEAD;
/// Octets before a frame's sealed text.
pub const LEAD: usize = 12;
/// A longer sealed text was never written.
const LONGEST: usize = LARGEST_BATCH + 4096 + OVERHEAD;

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The file's own random name.
    pub id: [u8; 16],
    /// A journal's first sequence; a checkpoint's sequence.
    pub number: u64,
}

impl Header {
    /// The header of a new file.
    pub fn fresh(number: u64) -> Self {
        Self { id: random::octets(), number }
    }

    /// Its octets.
    pub fn to_octets(self, magic: &[u8; 16], sealer: &Sealer) -> Vec<u8> {
        let mut octets = [magic.as_slice(), &self.id, &self.number.to_be_bytes()].concat();
        let proof = sealer.seal(&octets, &[]);
        octets.extend_from_slice(&proof);
        octets
    }

    /// Reads and proves a header.
    pub fn read(octets: &[u8], magic: &[u8; 16], sealer: &Sealer) -> Option<Self> {
        let (header, _) = octets.split_first_chunk::<HEADER>()?;
        let (plain, proof) = header.split_at(40);
        sealer.open(plain, &mut proof.to_vec()).ok()?;
        let id = plain[16..32].try_into().ok()?;
        let number = u64::from_be_bytes(plain[32..].try_into().ok()?);
        plain.starts_with(magic).then_some(Self { id, number })
    }

    fn bind(&self, number: u64) -> [u8; 24] {
        let mut aad = [0; 24];
        aad[..16].copy_from_slice(&self.id);
        aad[16..].copy_from_slice(&number.to_be_bytes());
        aad
    }

    /// Appends a frame to `out`.
    pub fn seal_onto(&self, out: &mut Vec<u8>, sealer: &Sealer, number: u64, plain: &[u8]) {
        out.extend_from_slice(&((plain.len() + OVERHEAD) as u32).to_be_bytes());
        out.extend_from_slice(&number.to_be_bytes());
        sealer.seal_onto(out, &self.bind(number), plain);
    }

    /// Opens the frame that `octets` begin with, if it is whole and has this number; its plaintext, and its size.
    pub fn open(&self, octets: &[u8], sealer: &Sealer, number: u64) -> Option<(Vec<u8>, usize)> {
        let (length, found) = lead(octets)?;
        if found != number {
            return None;
        }
        let mut sealed = octets.get(LEAD..LEAD + length)?.to_vec();
        let plain = sealer.open(&self.bind(number), &mut sealed).ok()?.len();
        sealed.copy_within(OVERHEAD - 16..OVERHEAD - 16 + plain, 0);
        sealed.truncate(plain);
        Some((sealed, LEAD + length))
    }

    /// Reads the next frame of a file that is read front to back.
    pub fn next(&self, file: &mut impl Read, sealer: &Sealer, number: u64) -> io::Result<Option<Vec<u8>>> {
        let mut octets = vec![0; LEAD];
        file.read_exact(&mut octets)?;
        let Some((length, _)) = lead(&octets) else { return Ok(None) };
        octets.resize(LEAD + length, 0);
        file.read_exact(&mut octets[LEAD..])?;
        Ok(self.open(&octets, sealer, number).map(|(plain, _)| plain))
    }
}

/// The length of the sealed text, and the number, that a frame claims; `None` where no frame was ever like that.
pub fn lead(octets: &[u8]) -> Option<(usize, u64)> {
    let (length, rest) = octets.split_first_chunk::<4>()?;
    let (number, _) = rest.split_first_chunk::<8>()?;
    let length = u32::from_be_bytes(*length) as usize;
    (OVERHEAD..=LONGEST).contains(&length).then(|| (length, u64::from_be_bytes(*number)))
}
