//! Encoded words (RFC 2047), and octets of a header as text.

use data_encoding::BASE64_NOPAD;

/// Octets of a header value as text, unfolded: UTF-8 if they are that, else windows-1252 (what Outlook means by them).
pub(in crate::mime) fn text_of(octets: &[u8]) -> String {
    let text = match std::str::from_utf8(octets) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(octets).0.into_owned(),
    };
    if text.contains(['\r', '\n']) { text.replace("\r\n", "") } else { text }
}

/// Octets of one encoded word; RFC 2047 allows 75. Bounds the search for its end.
const LONGEST: usize = 4096;

/// One encoded word.
struct Word<'a> {
    charset: &'a str,
    octets: Vec<u8>,
    end: usize,
}

/// Decodes the encoded words of a text, wherever they stand. White space between two of them goes; two that follow one
/// another in one charset are decoded together, since senders cut characters in two. What cannot be decoded stays.
pub(in crate::mime) fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut open: Option<(&'static encoding_rs::Encoding, Vec<u8>)> = None;
    let mut rest = text;
    while let Some(start) = rest.find("=?") {
        let (before, from) = rest.split_at(start);
        let word = encoded_word(from).and_then(|word| {
            encoding_rs::Encoding::for_label(word.charset.as_bytes()).map(|encoding| (encoding, word))
        });
        let Some((encoding, word)) = word else {
            flush(&mut open, &mut decoded);
            decoded.push_str(before);
            decoded.push_str("=?");
            rest = &from[2..];
            continue;
        };
        let adjacent = open.is_some() && before.chars().all(char::is_whitespace);
        match &mut open {
            Some((current, octets)) if adjacent && *current == encoding => octets.extend_from_slice(&word.octets),
            _ => {
                flush(&mut open, &mut decoded);
                if !adjacent {
                    decoded.push_str(before);
                }
                open = Some((encoding, word.octets));
            }
        }
        rest = &from[word.end..];
    }
    flush(&mut open, &mut decoded);
    decoded.push_str(rest);
    decoded
}

fn flush(open: &mut Option<(&'static encoding_rs::Encoding, Vec<u8>)>, decoded: &mut String) {
    if let Some((encoding, octets)) = open.take() {
        decoded.push_str(&encoding.decode_without_bom_handling(&octets).0);
    }
}

/// Where the encoded word at the start of `octets` ends.
pub(in crate::mime) fn encoded_word_end(octets: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(octets.get(..octets.len().min(1024))?).ok()?;
    encoded_word(text).map(|word| word.end)
}

/// The encoded word at the start of `text`. More is taken than RFC 2047 allows: any length, spaces in the text.
fn encoded_word(text: &str) -> Option<Word<'_>> {
    let inner = text.strip_prefix("=?")?;
    let inner = &inner[..inner.floor_char_boundary(LONGEST)];
    let (charset, rest) = inner.split_once('?')?;
    let (method, rest) = rest.split_once('?')?;
    let (coded, _) = rest.split_once("?=")?;
    // RFC 2231, section 5: a language behind the charset.
    let charset = charset.split('*').next().unwrap_or_default();
    if charset.is_empty() || charset.len() > 40 || coded.contains('?') {
        return None;
    }
    let octets = match method {
        "B" | "b" => base64(coded)?,
        "Q" | "q" => q(coded),
        _ => return None,
    };
    let end = 2 + (inner.len() - rest.len()) + coded.len() + 2;
    Some(Word { charset, octets, end })
}

fn base64(coded: &str) -> Option<Vec<u8>> {
    let mut plain: Vec<u8> = coded.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    while plain.last() == Some(&b'=') {
        plain.pop();
    }
    let mut encoding = BASE64_NOPAD.specification();
    encoding.check_trailing_bits = false;
    encoding.encoding().ok()?.decode(&plain).ok()
}

fn q(coded: &str) -> Vec<u8> {
    let octets = coded.as_bytes();
    let digit = |at: usize| octets.get(at).and_then(|b| char::from(*b).to_digit(16));
    let mut plain = Vec::with_capacity(octets.len());
    let mut at = 0;
    while at < octets.len() {
        match (octets[at], digit(at + 1), digit(at + 2)) {
            (b'=', Some(high), Some(low)) => {
                plain.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'_', ..) => plain.push(b' '),
            (b, ..) => plain.push(b),
        }
        at += 1;
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_as_they_are_in_use() {
        for (written, meant) in [
            ("plain", "plain"),
            ("=?utf-8?Q?Gr=C3=BC=C3=9Fe_an?= =?utf-8?B?IGFsbGU=?=", "Grüße an alle"),
            ("a =?iso-8859-1?q?=E9?= b", "a é b"),
            ("=?utf-8?B?w?= =?utf-8?B?!!?=", "=?utf-8?B?w?= =?utf-8?B?!!?="),
            ("=?utf-8?Q?=C3?= =?utf-8?Q?=A4?=", "ä"),
            ("=?utf-8*en?Q?a?=", "a"),
            ("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
            ("=?nonsense?Q?a?=", "=?nonsense?Q?a?="),
            ("x=?utf-8?Q?a b?=y", "xa by"),
            ("=?", "=?"),
            ("=?utf-8?Q?", "=?utf-8?Q?"),
        ] {
            assert_eq!(decode(written), meant, "{written}");
        }
    }

    #[test]
    fn octets_are_utf_8_or_else_windows_1252() {
        assert_eq!(text_of("ä".as_bytes()), "ä");
        assert_eq!(text_of(b"\xe4\x80"), "ä€");
        assert_eq!(text_of(b"a\r\n b"), "a b");
    }
}
