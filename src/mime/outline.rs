//! The outline: which entities a message has and where they lie. Strict: what it does not understand it refuses.

use crate::mime::{Defect, Limits, Outline};

/// Reads a message that is fed in pieces; keeps header sections, never bodies.
pub struct Outliner {}

impl Outliner {
    /// A reader at the start of a message.
    pub fn new(_limits: Limits) -> Self {
        todo!()
    }

    /// The next octets (CRLF line ends, already checked), in any pieces.
    pub fn feed(&mut self, _octets: &[u8]) -> Result<(), Defect> {
        todo!()
    }

    /// The outline, once every octet was fed.
    pub fn finish(self) -> Result<Outline, Defect> {
        todo!()
    }
}
