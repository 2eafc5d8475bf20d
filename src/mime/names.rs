//! File names: made safe to show and to save, and made where there is none.

use crate::mime::MediaType;

/// Octets of a name, as file systems have it.
const LONGEST: usize = 255;

/// Octets of an extension that survives when a name is cut.
const EXTENSION: usize = 32;

/// A name that can be shown and saved anywhere: no path, control or bidi characters, nothing that Windows does not take,
/// no device name, no trailing dot or space, 1 to 255 octets. Sanitising twice changes nothing.
pub fn sanitise(name: &str) -> String {
    let visible = without_invisible(name);
    let last = visible.split(['/', '\\']).rfind(|piece| !trimmed(piece).is_empty()).unwrap_or_default();
    let name: String = trimmed(last).chars().map(|c| if r#"<>:"|?*"#.contains(c) { '_' } else { c }).collect();
    if name.is_empty() {
        return "unnamed".to_owned();
    }
    let name = if is_device(&name) { format!("_{name}") } else { name };
    shortened(&name)
}

/// These names, made different from one another, whatever the case of their letters: ` (2)` before the extension. Each is as
/// safe and as short as it was.
pub fn distinct(names: Vec<String>) -> Vec<String> {
    let mut taken = std::collections::HashSet::with_capacity(names.len());
    let mut made = Vec::with_capacity(names.len());
    for name in names {
        let free = (1_usize..).map(|number| numbered(&name, number)).find(|name| taken.insert(name.to_lowercase()));
        made.extend(free);
    }
    made
}

fn numbered(name: &str, number: usize) -> String {
    if number == 1 {
        return name.to_owned();
    }
    let suffix = format!(" ({number})");
    let (stem, extension) = name
        .rsplit_once('.')
        .filter(|(stem, _)| !stem.is_empty())
        .map_or((name, None), |(stem, extension)| (stem, Some(extension)));
    let extension = extension.filter(|extension| extension.len() < EXTENSION).map(|extension| format!(".{extension}"));
    let stem = if extension.is_some() { stem } else { name };
    let extension = extension.unwrap_or_default();
    let room = LONGEST - suffix.len() - extension.len();
    format!("{}{suffix}{extension}", &stem[..stem.floor_char_boundary(room)])
}

/// Every name that a system makes of a written one, sanitised, each once; the first is the one shown. Others are what
/// stands before a NUL (where C ends a string), a colon (where NTFS begins a stream) or a line end, what is left where a
/// long name is cut, and each of these with percent codes undone and with letters and dots that only look like ASCII.
pub fn saved_as(name: &str) -> Vec<String> {
    let mut written = vec![name.to_owned(), percent_decoded(name), plain(name), plain(&percent_decoded(name))];
    written.dedup();
    let mut found: Vec<String> = Vec::new();
    for name in written.iter().flat_map(|name| pieces(name)).map(sanitise) {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// The name, and what is left of it where something ends it early.
fn pieces(name: &str) -> Vec<&str> {
    let mut pieces = vec![name];
    pieces.extend(['\0', ':', '\r', '\n'].into_iter().filter_map(|end| name.split_once(end)).map(|(before, _)| before));
    // File systems count octets, characters or UTF-16 units.
    pieces.push(&name[..name.floor_char_boundary(LONGEST)]);
    pieces.push(name.char_indices().nth(LONGEST).map_or(name, |(end, _)| &name[..end]));
    pieces.retain(|piece| piece.len() == name.len() || !trimmed(piece).is_empty());
    pieces
}

/// Percent codes (RFC 3986, section 2.1) undone, as mail programs do that take a name for a URL.
fn percent_decoded(name: &str) -> String {
    let octets = crate::mime::header::parameters::percent_decoded(name.as_bytes());
    String::from_utf8_lossy(&octets).into_owned()
}

/// The name in ASCII where it only looks like it: full-width forms (Unicode, U+FF01 to U+FF5E) and what looks like a dot.
fn plain(name: &str) -> String {
    let letter = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3002}' | '\u{ff61}' | '\u{2024}' | '\u{fe52}' | '\u{6d4}' | '\u{701}' | '\u{702}' | '\u{a4f8}' => '.',
        other => other,
    };
    name.chars().map(letter).collect()
}

/// A text without control characters, bidi controls and characters of no width, which make a name or subject read
/// otherwise than it is.
pub fn without_invisible(text: &str) -> String {
    text.chars().filter(|c| !is_invisible(*c)).collect()
}

fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn trimmed(name: &str) -> &str {
    name.trim_start().trim_end_matches(|c: char| c == '.' || c.is_whitespace())
}

/// Names that Windows takes for a device, whatever extension they have.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$") {
        return true;
    }
    let number = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    number.is_some_and(|rest| matches!(rest, "¹" | "²" | "³") || rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
}

fn shortened(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let extension = name.rfind('.').map_or("", |dot| &name[dot..]);
    let extension = if extension.len() <= EXTENSION { extension } else { "" };
    let stem = &name[..name.floor_char_boundary(LONGEST - extension.len())];
    let stem = if extension.is_empty() { trimmed(stem) } else { stem };
    format!("{stem}{extension}")
}

/// A name for an entity without one: what it is, and the extension of its type, `document.pdf`, `image.png`.
pub fn made(declared: &MediaType, shown: Option<&str>) -> String {
    let declared_type = declared.to_string();
    let opaque = matches!(declared_type.as_str(), "application/octet-stream" | "text/plain" | "text/html");
    let kind = shown.filter(|_| opaque).unwrap_or(&declared_type);
    match kind {
        "application/ms-tnef" | "application/vnd.ms-tnef" => "winmail.dat".to_owned(),
        "text/plain" => "message.txt".to_owned(),
        "text/html" => "message.html".to_owned(),
        "message/rfc822" | "message/global" => "message.eml".to_owned(),
        "message/delivery-status" | "message/disposition-notification" => "report.txt".to_owned(),
        "text/calendar" => "calendar.ics".to_owned(),
        "text/vcard" | "text/x-vcard" | "text/directory" => "contact.vcf".to_owned(),
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => "smime.p7s".to_owned(),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => "smime.p7m".to_owned(),
        "application/pgp-encrypted" => "pgp-version.txt".to_owned(),
        "application/pgp-signature" => "signature.asc".to_owned(),
        other => format!("{}.{}", stem(other), extension(other)),
    }
}

fn stem(kind: &str) -> &'static str {
    match kind.split('/').next() {
        Some("image") => "image",
        Some("audio") => "sound",
        Some("video") => "film",
        Some("message") => "message",
        _ => "document",
    }
}

fn extension(kind: &str) -> &str {
    match kind {
        "application/pdf" => "pdf",
        "application/zip" | "application/x-zip-compressed" => "zip",
        "application/msword" => "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.ms-excel" => "xls",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "application/vnd.ms-powerpoint" => "ppt",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => "pptx",
        "application/rtf" | "text/rtf" => "rtf",
        "application/xml" | "text/xml" => "xml",
        "application/json" => "json",
        "application/dicom" => "dcm",
        "application/hl7-v2" | "application/edi-hl7" | "x-application/hl7-v2+er7" => "hl7",
        "application/x-msdownload" | "application/vnd.microsoft.portable-executable" => "exe",
        "application/javascript" | "text/javascript" => "js",
        "text/csv" => "csv",
        "text/markdown" => "md",
        "text/rfc822-headers" => "txt",
        "image/jpeg" | "image/jpg" | "image/pjpeg" => "jpg",
        "image/tiff" => "tif",
        "image/svg+xml" => "svg",
        "audio/mpeg" => "mp3",
        "audio/x-wav" | "audio/wav" => "wav",
        "video/quicktime" => "mov",
        other => match other.split_once('/') {
            Some(("image" | "audio" | "video", sub))
                if sub.len() <= 5 && sub.bytes().all(|b| b.is_ascii_alphanumeric()) =>
            {
                sub
            }
            Some(("text", _)) => "txt",
            _ => "bin",
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_made_safe() {
        for (written, safe) in [
            ("report.pdf", "report.pdf"),
            ("C:\\Users\\x\\report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("a/b/", "b"),
            ("..", "unnamed"),
            ("", "unnamed"),
            (" / . ", "unnamed"),
            ("evil.exe. . ", "evil.exe"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("a\r\nX-Header: b.txt", "aX-Header_ b.txt"),
            ("a\u{2028}b\0.txt", "ab.txt"),
            ("CON", "_CON"),
            ("con.txt", "_con.txt"),
            ("COM1 .txt", "_COM1 .txt"),
            ("com¹", "_com¹"),
            ("COMMA.txt", "COMMA.txt"),
            ("what?.doc", "what_.doc"),
            ("Grüße.pdf", "Grüße.pdf"),
            (".profile", ".profile"),
        ] {
            assert_eq!(sanitise(written), safe, "{written:?}");
        }
        let long = sanitise(&format!("{}.pdf", "ä".repeat(2000)));
        assert!(long.len() <= 255 && long.ends_with("ä.pdf"), "{long}");
    }

    #[test]
    fn a_system_may_save_less_than_the_name() {
        assert_eq!(saved_as("evil.exe:a.pdf"), ["evil.exe_a.pdf", "evil.exe"]);
        assert_eq!(saved_as("evil.exe\0.pdf"), ["evil.exe.pdf", "evil.exe"]);
        for (written, readings) in [
            ("report.pdf", &["report.pdf"][..]),
            ("a.exe::$DATA", &["a.exe__$DATA", "a.exe"]),
            ("a.exe\r\n.pdf", &["a.exe.pdf", "a.exe"]),
            ("evil%2Eexe", &["evil%2Eexe", "evil.exe"]),
            ("evil.exe%00.pdf", &["evil.exe%00.pdf", "evil.exe.pdf", "evil.exe"]),
            ("100%.pdf", &["100%.pdf"]),
            ("evil\u{ff0e}ｅｘｅ", &["evil\u{ff0e}ｅｘｅ", "evil.exe"]),
            ("evil\u{2024}exe", &["evil\u{2024}exe", "evil.exe"]),
            ("evil.e\u{200b}xe", &["evil.exe"]),
            ("evil.exe\u{a0}. ", &["evil.exe"]),
            ("..\\..\\CON.pdf:x.exe", &["_CON.pdf_x.exe", "_CON.pdf"]),
            ("invoice\u{202e}fdp.exe", &["invoicefdp.exe"]),
        ] {
            assert_eq!(saved_as(written), readings, "{written:?}");
        }
        let cut = saved_as(&format!("{}.exe.pdf", "a".repeat(251)));
        assert!(cut[0].ends_with(".pdf") && cut.iter().any(|name| name.ends_with(".exe")), "{cut:?}");
    }

    #[test]
    fn names_are_told_apart_whatever_their_case() {
        let names = ["a.pdf", "A.PDF", "a (2).pdf", "a.pdf", "b", "b", ".x", ".x"].map(str::to_owned).to_vec();
        assert_eq!(distinct(names), ["a.pdf", "A (2).PDF", "a (2) (2).pdf", "a (3).pdf", "b", "b (2)", ".x", ".x (2)"]);
        let long = sanitise(&format!("{}.pdf", "ä".repeat(200)));
        let made = distinct(vec![long.clone(), long]);
        assert!(made[1].len() <= LONGEST && made[1].ends_with("ä (2).pdf"), "{}", made[1]);
    }

    #[test]
    fn names_are_made_from_the_type() {
        let made = |kind: &str, subtype: &str, shown| {
            made(&MediaType { kind: kind.into(), subtype: subtype.into(), parameters: vec![] }, shown)
        };
        assert_eq!(made("application", "pdf", None), "document.pdf");
        assert_eq!(made("image", "png", None), "image.png");
        assert_eq!(made("application", "octet-stream", Some("application/pdf")), "document.pdf");
        assert_eq!(made("application", "ms-tnef", None), "winmail.dat");
        assert_eq!(made("image", "x../../y", None), "image.bin");
    }

    proptest! {
        #[test]
        fn a_name_is_safe_whatever_was_written(written in "\\PC*|(?s).*") {
            let safe = sanitise(&written);
            prop_assert!((1..=255).contains(&safe.len()));
            prop_assert!(!safe.contains(['/', '\\', '\0', '\r', '\n', '"', ':']));
            prop_assert!(!safe.ends_with(['.', ' ']));
            prop_assert!(!safe.chars().any(is_invisible));
            prop_assert_eq!(sanitise(&safe), safe);
        }
    }
}
