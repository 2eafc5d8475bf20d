//! Octets that can be read at any place: a slice, a sealed spool, a window of either.

/// The octets cannot be read just now; whoever lent them knows why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the octets of a document cannot be read")]
pub struct Unavailable;

/// Octets of a known number, read at any place.
pub trait Octets {
    /// How many there are.
    fn len(&self) -> u64;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills the buffer from this place on, as far as there are octets, and says how far that is.
    ///
    /// # Errors
    /// [`Unavailable`].
    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> Result<usize, Unavailable>;

    /// Up to so many octets from a place on.
    ///
    /// # Errors
    /// [`Unavailable`].
    fn take(&mut self, at: u64, octets: usize) -> Result<Vec<u8>, Unavailable> {
        let there = self.len().saturating_sub(at).min(octets as u64);
        let mut taken = vec![0; usize::try_from(there).unwrap_or(octets)];
        let filled = self.read_at(at, &mut taken)?;
        taken.truncate(filled);
        Ok(taken)
    }
}

impl Octets for &[u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> Result<usize, Unavailable> {
        let start = usize::try_from(at).unwrap_or(usize::MAX).min(<[u8]>::len(self));
        let rest = &self[start..];
        let filled = rest.len().min(buffer.len());
        buffer[..filled].copy_from_slice(&rest[..filled]);
        Ok(filled)
    }
}

/// A part of other octets.
pub(super) struct Window<'a> {
    whole: &'a mut dyn Octets,
    start: u64,
    length: u64,
}

impl<'a> Window<'a> {
    /// The octets from `start` on, as many as told, or as there are.
    pub fn new(whole: &'a mut dyn Octets, start: u64, length: u64) -> Self {
        let start = start.min(whole.len());
        let length = length.min(whole.len() - start);
        Self { whole, start, length }
    }
}

impl Octets for Window<'_> {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> Result<usize, Unavailable> {
        let there = usize::try_from(self.length.saturating_sub(at)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(there);
        self.whole.read_at(self.start.saturating_add(at), &mut buffer[..wanted])
    }
}

/// A little-endian number of two octets at a place, zero beyond the end.
pub(super) fn u16_at(octets: &[u8], at: usize) -> u16 {
    octets.get(at..at + 2).map_or(0, |found| u16::from_le_bytes([found[0], found[1]]))
}

/// A little-endian number of four octets at a place, zero beyond the end.
pub(super) fn u32_at(octets: &[u8], at: usize) -> u32 {
    octets.get(at..at + 4).map_or(0, |found| u32::from_le_bytes([found[0], found[1], found[2], found[3]]))
}

/// A little-endian number of eight octets at a place, zero beyond the end.
pub(super) fn u64_at(octets: &[u8], at: usize) -> u64 {
    u64::from(u32_at(octets, at)) | u64::from(u32_at(octets, at + 4)) << 32
}
