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
    let label = charset.unwrap_or("us-ascii").trim().to_ascii_lowercase();
    let label = ALSO.iter().find(|(other, _)| *other == label).map_or(label.as_str(), |(_, known)| known);
    let encoding = Encoding::for_label_no_replacement(label.as_bytes());
    let unsaid = matches!(label, "us-ascii" | "ascii" | "ansi_x3.4-1968" | "unknown-8bit" | "x-unknown" | "");
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
