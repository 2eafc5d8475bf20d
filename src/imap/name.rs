//! Names of mailboxes on the wire: modified UTF-7 (RFC 3501, section 5.1.3), or UTF-8 once a client has asked for it
//! (RFC 9051, section 5.1; RFC 6855).

use data_encoding::{BASE64_NOPAD, Encoding, Specification};
use std::sync::LazyLock;

/// The longest name, in octets of UTF-8.
pub const LONGEST: usize = 1000;

/// Base64 with `,` for `/` and without padding.
static MODIFIED: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification: Specification = BASE64_NOPAD.specification();
    specification.symbols = specification.symbols.replace('/', ",");
    // Some programs leave bits behind the last character that are not zero; what they mean is not in doubt.
    specification.check_trailing_bits = false;
    specification.encoding().unwrap_or(BASE64_NOPAD)
});

/// A name as it came. `None` where it is not in the encoding that was agreed, too long, or has control characters; so names
/// of eight bits are not there for who has not asked for UTF-8, as RFC 3501, section 5.1, has it.
pub fn decode(octets: &[u8], utf8: bool) -> Option<String> {
    let text = std::str::from_utf8(octets).ok()?;
    let name = if utf8 { text.to_owned() } else { decode_utf7(text)? };
    let sound = name.len() <= LONGEST && !name.chars().any(char::is_control);
    sound.then_some(name)
}

/// A name as it is sent.
pub fn encode(name: &str, utf8: bool) -> String {
    if utf8 { name.to_owned() } else { encode_utf7(name) }
}

fn decode_utf7(text: &str) -> Option<String> {
    let mut name = String::with_capacity(text.len());
    let (mut rest, mut was_shifted) = (text, false);
    while let Some(at) = rest.find('&') {
        name.push_str(&rest[..at]);
        // Two shifts side by side are one (RFC 3501, section 5.1.3).
        let side_by_side = std::mem::replace(&mut was_shifted, true) && at == 0;
        let (shifted, behind) = rest[at + 1..].split_once('-')?;
        rest = behind;
        if shifted.is_empty() {
            name.push('&');
            was_shifted = false;
            continue;
        }
        if side_by_side {
            return None;
        }
        let octets = MODIFIED.decode(shifted.as_bytes()).ok()?;
        if octets.len() % 2 != 0 {
            return None;
        }
        let units = octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        for c in char::decode_utf16(units) {
            // What stands for itself is not encoded.
            name.push(c.ok().filter(|c| !(' '..='~').contains(c))?);
        }
    }
    name.push_str(rest);
    text.is_ascii().then_some(name)
}

fn encode_utf7(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut shifted: Vec<u8> = Vec::new();
    let flush = |shifted: &mut Vec<u8>, text: &mut String| {
        if !shifted.is_empty() {
            text.push('&');
            text.push_str(&MODIFIED.encode(shifted));
            text.push('-');
            shifted.clear();
        }
    };
    for c in name.chars() {
        if (' '..='~').contains(&c) {
            flush(&mut shifted, &mut text);
            text.push(c);
            if c == '&' {
                text.push('-');
            }
        } else {
            let mut units = [0; 2];
            shifted.extend(c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut shifted, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_the_standard_and_broken_ones() {
        for (wire, name) in [
            ("INBOX", "INBOX"),
            ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
            ("Entw&APw-rfe", "Entwürfe"),
            ("A &- B", "A & B"),
            ("&2D3eAA-", "😀"),
        ] {
            assert_eq!(decode(wire.as_bytes(), false).as_deref(), Some(name), "{wire}");
            assert_eq!(encode(name, false), wire);
        }
        for wire in
            ["&", "&U,BTFw", "&U-", "&2D0-", "&AA*-", "a\r\nb", "a\0b", "&AAA-", "&AGEAYg-", "&AOQ-&AOQ-", "Entwürfe"]
        {
            assert_eq!(decode(wire.as_bytes(), false), None, "{wire:?}");
        }
        assert_eq!(decode("A & B".as_bytes(), true).as_deref(), Some("A & B"));
        assert_eq!(decode("Entwürfe".as_bytes(), true).as_deref(), Some("Entwürfe"));
        assert_eq!(decode(b"&AOQ-&-&AOQ-", false).as_deref(), Some("ä&ä"));
        assert_eq!(decode(b"\xFF", true), None);
        assert_eq!(decode("x".repeat(LONGEST + 1).as_bytes(), true), None);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(name in "[^\\p{Cc}]{0,60}") {
            prop_assert_eq!(decode(encode(&name, false).as_bytes(), false), Some(name));
        }
    }
}
