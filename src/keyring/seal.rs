//! The one AEAD of everything but blobs and the octets of small objects: AES-256-GCM-SIV (RFC 8452) with a random nonce.
//!
//! Records, journal, checkpoints, keyring and wrapped keys are sealed under long-lived keys, many
//! millions of times. GCM-SIV bears a repeated nonce (it then shows only that two plaintexts were equal), so
//! no counter has to survive a crash or a restored backup.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::keyring::DataKey;
use crate::random;

/// Octets of a nonce.
pub(super) use aws_lc_rs::aead::NONCE_LEN;

/// Octets of a tag.
const TAG: usize = 16;

/// How much longer than its plaintext a sealed text is: nonce before, tag after.
pub const OVERHEAD: usize = NONCE_LEN + TAG;

/// A key ready for use. Cheap to clone only by reference; hold one per purpose.
pub struct Sealer(LessSafeKey);

/// It does not open: the wrong key, the wrong place, or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealBroken;

impl Sealer {
    /// Prepares a key.
    #[allow(clippy::expect_used, reason = "the key has the cipher's length by its type")]
    pub fn new(key: &DataKey) -> Self {
        Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, key.expose()).expect("32 octets are a key")))
    }

    /// Appends nonce, ciphertext and tag of `plaintext` to `out`, bound to `aad`.
    pub fn seal_onto(&self, out: &mut Vec<u8>, aad: &[u8], plaintext: &[u8]) {
        self.seal_onto_with_nonce(random::octets(), out, aad, plaintext);
    }

    /// What [`Sealer::seal_onto`] does with this nonce; apart, so that the vectors can be made again.
    fn seal_onto_with_nonce(&self, nonce: [u8; NONCE_LEN], out: &mut Vec<u8>, aad: &[u8], plaintext: &[u8]) {
        out.reserve(plaintext.len() + OVERHEAD);
        out.extend_from_slice(&nonce);
        let start = out.len();
        out.extend_from_slice(plaintext);
        self.seal_behind(nonce, start, out, aad);
    }

    /// Seals what stands behind [`NONCE_LEN`] octets left free for the nonce, where it stands: the same as
    /// [`Sealer::seal`] without a second copy.
    pub(super) fn seal_in_place(&self, aad: &[u8], octets: &mut Vec<u8>) {
        let nonce = random::octets();
        octets[..NONCE_LEN].copy_from_slice(&nonce);
        self.seal_behind(nonce, NONCE_LEN, octets, aad);
    }

    #[allow(clippy::expect_used, reason = "sealing fails only above 64 GiB")]
    fn seal_behind(&self, nonce: [u8; NONCE_LEN], start: usize, out: &mut Vec<u8>, aad: &[u8]) {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut out[start..]).expect("sealing");
        out.extend_from_slice(tag.as_ref());
    }

    /// Nonce, ciphertext and tag of `plaintext`, bound to `aad`.
    pub fn seal(&self, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.seal_onto(&mut out, aad, plaintext);
        out
    }

    /// Appends what [`Sealer::seal`] sealed to `out`, which keeps its length where it does not open.
    pub fn open_onto(&self, aad: &[u8], sealed: &[u8], out: &mut Vec<u8>) -> Result<(), SealBroken> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(SealBroken)?;
        let (sealed, tag) = rest.split_last_chunk::<TAG>().ok_or(SealBroken)?;
        let start = out.len();
        out.resize(start + sealed.len(), 0);
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.0.open_separate_gather(nonce, Aad::from(aad), sealed, tag, &mut out[start..]);
        opened.map_err(|_| {
            out.truncate(start);
            SealBroken
        })
    }

    /// Opens in place what [`Sealer::seal`] made.
    pub fn open<'a>(&self, aad: &[u8], sealed: &'a mut [u8]) -> Result<&'a mut [u8], SealBroken> {
        let (nonce, rest) = sealed.split_first_chunk_mut::<NONCE_LEN>().ok_or(SealBroken)?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        self.0.open_in_place(nonce, Aad::from(aad), rest).map_err(|_| SealBroken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::KeyClass;
    use crate::keyring::vectors::Vector;
    use crate::time::Day;

    #[test]
    fn the_vector_is_opened_and_made_again() {
        let mut vector = Vector::read("wrapped-key");
        let day_key = vector.key("day_key", [7; 32]);
        let aad = super::super::wrap_context(Day::from_number(20_778), KeyClass::Contact, 3, b"context");
        let sealer = Sealer::new(&day_key);
        let nonce = vector.octets("nonce", &[9; NONCE_LEN]);
        let data_key = vector.key("data_key", [5; 32]);
        vector.octets("associated_data", &aad);
        let mut sealed = Vec::new();
        sealer.seal_onto_with_nonce(nonce.try_into().unwrap(), &mut sealed, &aad, data_key.expose());
        let mut read = vector.octets("sealed", &sealed);
        assert_eq!(sealer.open(&aad, &mut read).unwrap(), data_key.expose());
        vector.finish();
    }

    #[test]
    fn opens_only_what_was_sealed_where_it_was_sealed() {
        let sealer = Sealer::new(&DataKey::fresh());
        let sealed = sealer.seal(b"here", b"text");
        assert_eq!(sealed.len(), 4 + OVERHEAD);
        assert_eq!(sealer.open(b"here", &mut sealed.clone()).unwrap(), b"text");
        let mut in_place = [[0; NONCE_LEN].as_slice(), b"text"].concat();
        sealer.seal_in_place(b"here", &mut in_place);
        assert_eq!(sealer.open(b"here", &mut in_place).unwrap(), b"text");
        assert_eq!(sealer.open(b"there", &mut sealed.clone()), Err(SealBroken));
        for at in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert_eq!(sealer.open(b"here", &mut flipped), Err(SealBroken), "octet {at}");
            assert_eq!(sealer.open(b"here", &mut sealed[..at].to_vec()), Err(SealBroken), "length {at}");
        }
    }
}
