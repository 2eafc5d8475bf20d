//! Transfer decoding as octets stream by, strict, and text to UTF-8.

use crate::mime::{Defect, TransferEncoding};

mod base64;
mod charset;
mod code_page;
mod quoted;

pub use charset::{charset_of_pieces, piece_to_utf8, to_utf8};
pub(in crate::mime) use code_page::of_code_page;

/// Decodes one entity's body, fed in pieces of any size. The same octets in other pieces decode alike.
///
/// - base64: line breaks and white space anywhere, nothing but them behind the padding. Padding that is left out is no
///   defect (there is one reading only); a single character left over is.
/// - quoted-printable: white space at a line's end goes, soft breaks join. A `=` that begins no code is a defect, but
///   in an entity of type `text` it is taken as written, as RFC 2045, section 6.7 advises: people write `1 = 2`.
#[derive(Clone)]
pub struct Decoder(Inner);

#[derive(Clone)]
enum Inner {
    Identity,
    Base64(base64::Base64),
    Quoted(quoted::Quoted),
}

impl Decoder {
    /// A decoder for this encoding, strict.
    pub fn new(encoding: TransferEncoding) -> Self {
        Self::of(encoding, false)
    }

    /// A decoder for an entity of this encoding; `text` is whether its type is `text`.
    pub fn of(encoding: TransferEncoding, text: bool) -> Self {
        Self(match encoding {
            TransferEncoding::Identity => Inner::Identity,
            TransferEncoding::Base64 => Inner::Base64(base64::Base64::default()),
            TransferEncoding::QuotedPrintable => Inner::Quoted(quoted::Quoted::new(text)),
        })
    }

    /// Decodes more octets, appending to `out`.
    ///
    /// # Errors
    /// A [`Defect`] at the first octet that is not of the encoding; the decoder is of no use after it.
    pub fn feed(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Result<(), Defect> {
        match &mut self.0 {
            Inner::Identity => out.extend_from_slice(octets),
            Inner::Base64(decoder) => decoder.feed(octets, out)?,
            Inner::Quoted(decoder) => decoder.feed(octets, out)?,
        }
        Ok(())
    }

    /// The end of the body.
    ///
    /// # Errors
    /// A [`Defect`] for what is incomplete.
    pub fn finish(self, out: &mut Vec<u8>) -> Result<(), Defect> {
        match self.0 {
            Inner::Identity => {}
            Inner::Base64(decoder) => decoder.finish(out)?,
            Inner::Quoted(decoder) => decoder.finish(out)?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
