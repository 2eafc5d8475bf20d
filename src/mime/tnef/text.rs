//! Texts of MAPI: UTF-16, or a code page that the message names by its number.

use encoding_rs::{Encoding, UTF_16LE};

use super::property::{Kind, Property};

/// Text up to its first NUL, where it ends for everybody who reads it.
pub(super) fn decoded(octets: &[u8], encoding: &'static Encoding) -> String {
    let text = encoding.decode_without_bom_handling(octets).0;
    text.split('\0').next().unwrap_or_default().to_owned()
}

impl Property<'_> {
    /// The value as text, where it is one; `narrow` is the encoding of what is not UTF-16.
    pub fn text(&self, narrow: &'static Encoding) -> Option<String> {
        match self.kind {
            Kind::Unicode => Some(decoded(self.value, UTF_16LE)),
            Kind::String8 | Kind::Binary => Some(decoded(self.value, narrow)),
            Kind::Fixed(_) | Kind::Object => None,
        }
    }

    /// The value as a number of 32 bits.
    pub fn number(&self) -> Option<u32> {
        let octets: [u8; 4] = self.value.try_into().ok()?;
        (self.kind == Kind::Fixed(4)).then(|| u32::from_le_bytes(octets))
    }
}
