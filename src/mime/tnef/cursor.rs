//! Reading little-endian values off the front of octets, never beyond their end.

/// What is left of some octets.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    /// The next octets, all of them or none.
    pub fn take(&mut self, octets: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(octets)?;
        self.0 = rest;
        Some(taken)
    }

    /// The next octets, or as many as there are.
    pub fn take_up_to(&mut self, octets: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(octets.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|octets| octets[0])
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|octets| u16::from_le_bytes([octets[0], octets[1]]))
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.take(4).map(|octets| u32::from_le_bytes([octets[0], octets[1], octets[2], octets[3]]))
    }

    /// A length or count of 32 bits.
    pub fn length(&mut self) -> Option<usize> {
        self.u32().map(|length| usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// Octets behind their length, and what pads them to a multiple of four.
    pub fn counted(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        let octets = self.take(length)?;
        self.take_up_to(length.wrapping_neg() % 4);
        Some(octets)
    }
}
