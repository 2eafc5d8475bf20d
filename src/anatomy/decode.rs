//! Transfer decoding for readers: nothing is a mistake, as much as can be is decoded.

/// An encoding that is not known (UNKNOWN-CTE, RFC 3516).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownEncoding;

/// Decodes the body of a part, fed in pieces of any size.
#[derive(Debug, Clone)]
pub struct LooseDecoder(Way);

#[derive(Debug, Clone)]
enum Way {
    Plain,
    Base64 { bits: u32, filled: u8, ended: bool },
    Quoted(Vec<u8>),
}

impl LooseDecoder {
    /// A decoder for this Content-Transfer-Encoding.
    ///
    /// # Errors
    /// [`UnknownEncoding`].
    pub fn of(encoding: &str) -> Result<Self, UnknownEncoding> {
        let way = match encoding.to_ascii_lowercase().as_str() {
            "7bit" | "8bit" | "binary" | "" => Way::Plain,
            "base64" => Way::Base64 { bits: 0, filled: 0, ended: false },
            "quoted-printable" => Way::Quoted(Vec::new()),
            _ => return Err(UnknownEncoding),
        };
        Ok(Self(way))
    }

    /// Decodes more octets, appending to `out`.
    pub fn feed(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        match &mut self.0 {
            Way::Plain => out.extend_from_slice(octets),
            Way::Base64 { bits, filled, ended } => {
                out.reserve(octets.len() / 4 * 3 + 3);
                for octet in octets {
                    *ended |= *octet == b'=';
                    if *ended {
                        return;
                    }
                    let Some(value) = value(*octet) else { continue };
                    *bits = *bits << 6 | u32::from(value);
                    *filled += 1;
                    if *filled == 4 {
                        out.extend_from_slice(&bits.to_be_bytes()[1..]);
                        (*bits, *filled) = (0, 0);
                    }
                }
            }
            Way::Quoted(held) => octets.iter().for_each(|octet| quoted(held, *octet, out)),
        }
    }

    /// The end of the body.
    pub fn finish(self, out: &mut Vec<u8>) {
        match self.0 {
            Way::Base64 { bits, filled: 2, .. } => out.push((bits >> 4) as u8),
            Way::Base64 { bits, filled: 3, .. } => out.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
            Way::Plain | Way::Base64 { .. } => {}
            Way::Quoted(held) if held.first() == Some(&b'=') && held[1..].trim_ascii().is_empty() => {}
            Way::Quoted(held) => out.extend_from_slice(&held),
        }
    }
}

fn value(octet: u8) -> Option<u8> {
    match octet {
        b'A'..=b'Z' => Some(octet - b'A'),
        b'a'..=b'z' => Some(octet - b'a' + 26),
        b'0'..=b'9' => Some(octet - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// Octets held at most: white space that may be at a line's end.
const HELD: usize = 1000;

/// Takes an octet of quoted-printable; `held` is what is not decided: `=` and what may belong to it, or white space.
fn quoted(held: &mut Vec<u8>, octet: u8, out: &mut Vec<u8>) {
    if held.first() == Some(&b'=') {
        return code(held, octet, out);
    }
    match octet {
        b' ' | b'\t' if held.len() < HELD => held.push(octet),
        b'\r' | b'\n' => {
            // White space at a line's end is not content.
            held.clear();
            out.push(octet);
        }
        octet => {
            out.append(held);
            if octet == b'=' { held.push(octet) } else { out.push(octet) }
        }
    }
}

/// Takes an octet behind `=`: a code, a soft line break, or neither, which is taken as written.
fn code(held: &mut Vec<u8>, octet: u8, out: &mut Vec<u8>) {
    let digit = |octet: u8| char::from(octet).to_digit(16);
    match (held.len(), octet) {
        (1, octet) if digit(octet).is_some() => held.push(octet),
        (2, octet) if digit(held[1]).is_some() && digit(octet).is_some() => {
            let octets = [digit(held[1]), digit(octet)].map(Option::unwrap_or_default);
            out.push((octets[0] * 16 + octets[1]) as u8);
            held.clear();
        }
        (_, b'\n') if held[1..].trim_ascii().is_empty() => held.clear(),
        (_, b' ' | b'\t' | b'\r') if held[1..].trim_ascii().is_empty() && held.len() < HELD => held.push(octet),
        _ => {
            out.append(held);
            quoted(held, octet, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(encoding: &str, octets: &[u8], at: usize) -> Vec<u8> {
        let (mut decoder, mut out) = (LooseDecoder::of(encoding).unwrap(), Vec::new());
        let (first, second) = octets.split_at(at.min(octets.len()));
        decoder.feed(first, &mut out);
        decoder.feed(second, &mut out);
        decoder.finish(&mut out);
        out
    }

    #[test]
    fn what_can_be_decoded_is() {
        for (encoding, written, meant) in [
            ("BASE64", "SGVs\r\nbG8=", "Hello"),
            ("base64", "SGVsbG8", "Hello"),
            ("base64", "S!G V-sbG8=\r\nfooter", "Hello"),
            ("quoted-printable", "a=C3=A4 b=\r\nc  \r\nd=", "aä bc\r\nd"),
            ("quoted-printable", "1 = 2, =zz =4", "1 = 2, =zz =4"),
            ("quoted-printable", "a= \r\nb", "ab"),
            ("8bit", "a=41", "a=41"),
        ] {
            for at in 0..written.len() {
                assert_eq!(String::from_utf8_lossy(&decoded(encoding, written.as_bytes(), at)), meant, "{written}");
            }
        }
        assert!(LooseDecoder::of("x-uuencode").is_err());
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(text in "[a=0A\r\n \t]{0,40}", at in 0..40usize) {
            for encoding in ["base64", "quoted-printable", "7bit"] {
                prop_assert_eq!(decoded(encoding, text.as_bytes(), at), decoded(encoding, text.as_bytes(), 0));
            }
        }

        #[test]
        fn base64_is_undone(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            let written = data_encoding::BASE64.encode(&octets);
            prop_assert_eq!(decoded("base64", written.as_bytes(), 7), octets);
        }
    }
}
