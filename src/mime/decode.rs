//! Transfer decoding as octets stream by, strict, and text to UTF-8.

use crate::mime::{Defect, TransferEncoding};

/// Decodes one entity's body, fed in pieces.
pub struct Decoder {}

impl Decoder {
    /// A decoder for this encoding.
    pub fn new(_encoding: TransferEncoding) -> Self {
        todo!()
    }

    /// Decodes more octets, appending to `out`.
    pub fn feed(&mut self, _octets: &[u8], _out: &mut Vec<u8>) -> Result<(), Defect> {
        todo!()
    }

    /// The end of the body: what is incomplete is a defect.
    pub fn finish(self, _out: &mut Vec<u8>) -> Result<(), Defect> {
        todo!()
    }
}

/// Text in this charset as UTF-8; an unknown charset, or octets that are not of it, is a defect.
pub fn to_utf8(_octets: &[u8], _charset: Option<&str>) -> Result<String, Defect> {
    todo!()
}
