//! Text in any charset that browsers know, to UTF-8.

use encoding_rs::{Encoding, WINDOWS_1252};

use crate::mime::{Defect, Flaw};

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

/// Text in this charset as UTF-8, a byte order mark removed.
///
/// `us-ascii`, no charset, and a charset that is not known mean UTF-8 where the octets are that; the first two mean
/// windows-1252 where they are not.
///
/// # Errors
/// A [`Defect`] for a charset that is not known where the octets are no UTF-8, for octets that are not of the charset,
/// and for UTF-7, which hides characters from whoever does not expect it.
pub fn to_utf8(octets: &[u8], charset: Option<&str>) -> Result<String, Defect> {
    let label = charset.unwrap_or("us-ascii").trim().to_ascii_lowercase();
    if label.contains("utf-7") || label == "utf7" {
        return Err(Flaw::Utf7.into());
    }
    let label = ALSO.iter().find(|(other, _)| *other == label).map_or(label.as_str(), |(_, known)| known);
    let encoding = Encoding::for_label_no_replacement(label.as_bytes());
    let unsaid = matches!(label, "us-ascii" | "ascii" | "ansi_x3.4-1968" | "unknown-8bit" | "x-unknown" | "");
    if (unsaid || encoding.is_none())
        && let Ok(text) = std::str::from_utf8(octets)
    {
        return Ok(without_mark(text).to_owned());
    }
    let encoding = if unsaid { WINDOWS_1252 } else { encoding.ok_or(Flaw::UnknownCharset)? };
    let (text, _, broken) = encoding.decode(octets);
    if broken { Err(Flaw::NotOfCharset.into()) } else { Ok(without_mark(&text).to_owned()) }
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
