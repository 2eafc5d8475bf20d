//! Text in any charset that browsers know, to UTF-8.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};
use mail_parser::decoders::charsets::map::charset_decoder;

/// Labels in use that the Encoding Standard does not list.
const ALSO: [(&str, &str); 9] = [
    ("cp932", "shift_jis"),
    ("cp936", "gbk"),
    ("cp949", "euc-kr"),
    ("cp950", "big5"),
    ("iso-8859-8-e", "iso-8859-8"),
    ("utf8mb4", "utf-8"),
    ("utf-8-sig", "utf-8"),
    ("big5-eten", "big5"),
    ("iso-8859-11", "windows-874"),
];

/// Text in this charset as UTF-8, a byte order mark removed. What leaves is UTF-8 made here, so that no reader decodes
/// otherwise what is odd; a character that cannot be read is U+FFFD.
///
/// `us-ascii`, no charset, and a charset that is not known mean UTF-8 where the octets are that, and windows-1252 where they
/// are not.
pub fn to_utf8(octets: &[u8], charset: Option<&str>) -> String {
    let label = label_of(charset);
    let label = ALSO.iter().find(|(other, _)| *other == label).map_or(label.as_str(), |(_, known)| known);
    let encoding = Encoding::for_label_no_replacement(label.as_bytes());
    let unsaid = says_nothing(label);
    // UTF-7, and the code pages of DOS, which browsers do not know.
    let old = if encoding.is_some() || unsaid { None } else { charset_decoder(label.as_bytes()) };
    if let Some(decode) = old {
        return without_mark(&decode(octets)).to_owned();
    }
    if (unsaid || encoding.is_none())
        && let Ok(text) = std::str::from_utf8(octets)
    {
        return without_mark(text).to_owned();
    }
    let encoding = if unsaid { WINDOWS_1252 } else { encoding.unwrap_or(WINDOWS_1252) };
    let encoding = if label == "utf-16" { wide(octets) } else { encoding };
    without_mark(&encoding.decode(octets).0).to_owned()
}

/// The charset of a text that is decoded in pieces: of UTF-16 its beginning decides whether the greater octet comes first.
pub fn charset_of_pieces(charset: Option<&str>, beginning: &[u8]) -> String {
    let label = label_of(charset);
    match label.as_str() {
        "utf-16" if beginning.starts_with(&[0xFE, 0xFF]) => "utf-16be".to_owned(),
        "utf-16" => wide(beginning).name().to_ascii_lowercase(),
        _ => label,
    }
}

/// A piece of a text, cut anywhere between two octets (UTF-16: two units), as UTF-8. Letters that were cut are lost, no others.
pub fn piece_to_utf8(piece: &[u8], charset: &str) -> String {
    let behind = piece.iter().take(3).take_while(|octet| matches!(octet, 0x80..=0xBF)).count();
    let whole = match std::str::from_utf8(&piece[behind..]) {
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&piece[behind..behind + error.valid_up_to()]).ok()
        }
        whole => whole.ok(),
    };
    match whole {
        Some(whole) if says_nothing(charset) => whole.to_owned(),
        _ => to_utf8(piece, Some(charset)),
    }
}

fn label_of(charset: Option<&str>) -> String {
    charset.unwrap_or("us-ascii").trim().to_ascii_lowercase()
}

/// Whether a label says no more than that the text is text.
fn says_nothing(label: &str) -> bool {
    matches!(label, "us-ascii" | "ascii" | "ansi_x3.4-1968" | "unknown-8bit" | "x-unknown" | "")
}

/// UTF-16 without a byte order mark: what was meant is told by where its noughts stand (RFC 2781, section 4.3, takes the
/// greater octet first, and most programs write the lesser).
fn wide(octets: &[u8]) -> &'static Encoding {
    let noughts = |at: usize| octets.iter().skip(at).step_by(2).filter(|octet| **octet == 0).count();
    let marked = octets.starts_with(&[0xFF, 0xFE]) || octets.starts_with(&[0xFE, 0xFF]);
    if !marked && noughts(0) > noughts(1) { UTF_16BE } else { UTF_16LE }
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
