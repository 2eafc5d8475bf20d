//! Windows code pages, which Microsoft's formats name by number.

use encoding_rs::{Encoding, WINDOWS_1252};

/// The encoding of a Windows code page number; windows-1252 for one that nobody else knows.
pub(in crate::mime) fn of_code_page(number: u32) -> &'static Encoding {
    let label = match number {
        866 => "ibm866".to_owned(),
        874 => "windows-874".to_owned(),
        932 => "shift_jis".to_owned(),
        936 => "gbk".to_owned(),
        949 | 51949 => "euc-kr".to_owned(),
        950 => "big5".to_owned(),
        10000 => "macintosh".to_owned(),
        20866 => "koi8-r".to_owned(),
        20932 | 51932 => "euc-jp".to_owned(),
        21866 => "koi8-u".to_owned(),
        28591..=28606 => format!("iso-8859-{}", number - 28590),
        50220..=50222 => "iso-2022-jp".to_owned(),
        54936 => "gb18030".to_owned(),
        65001 => "utf-8".to_owned(),
        other => format!("windows-{other}"),
    };
    Encoding::for_label_no_replacement(label.as_bytes()).unwrap_or(WINDOWS_1252)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_pages_are_known_by_number() {
        for (number, name) in [
            (1252, "windows-1252"),
            (1251, "windows-1251"),
            (932, "Shift_JIS"),
            (65001, "UTF-8"),
            (28592, "ISO-8859-2"),
            (28599, "windows-1254"),
            (20866, "KOI8-R"),
            (437, "windows-1252"),
            (0, "windows-1252"),
            (u32::MAX, "windows-1252"),
        ] {
            assert_eq!(of_code_page(number).name(), name);
        }
    }
}
