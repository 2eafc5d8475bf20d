//! What the file block says of the documents: how many of what kind. Never a name.

use minijinja::{Value, context};

use crate::mime::assess::{Attachment, Given};

/// The kinds a recipient is told of, in the order told; `words.txt` has a word for each.
pub const KINDS: [&str; 12] = [
    "pdf",
    "word",
    "spreadsheet",
    "presentation",
    "image",
    "dicom",
    "text",
    "audio",
    "video",
    "archive",
    "message",
    "other",
];

/// The documents as templates see them: `count` and `kinds` (a list of `kind` and `count`) of what was attached,
/// `pictures` for how many pictures stood in the text. Where nothing but such pictures came, they are the documents.
pub(crate) fn summary(attachments: &[Attachment]) -> Value {
    let only_pictures = only_pictures(attachments);
    let given: Vec<_> = attachments.iter().filter(|it| it.given == Given::AsDocument).collect();
    let attached: Vec<_> = given.iter().filter(|attachment| only_pictures || !attachment.inline).collect();
    let kinds: Vec<Value> = KINDS
        .iter()
        .filter_map(|kind| {
            let count = attached.iter().filter(|attachment| kind_of(attachment) == *kind).count();
            (count > 0).then(|| context! { kind => *kind, count => count })
        })
        .collect();
    context! { count => attached.len(), kinds => kinds, pictures => given.len() - attached.len() }
}

/// Whether nothing but pictures of the text came: then they are the documents.
pub(super) fn only_pictures(attachments: &[Attachment]) -> bool {
    attachments.iter().filter(|it| it.given == Given::AsDocument).all(|attachment| attachment.inline)
}

/// What the content shows, unless that is only a container which the declared type knows better.
fn kind_of(attachment: &Attachment) -> &'static str {
    let declared = kind_of_type(&attachment.declared_type);
    match attachment.content_type.as_deref() {
        None => declared,
        Some("application/x-ole-storage" | "application/zip") if is_office(declared) => declared,
        Some(shown) => kind_of_type(shown),
    }
}

fn is_office(kind: &str) -> bool {
    matches!(kind, "word" | "spreadsheet" | "presentation")
}

pub(super) fn kind_of_type(media_type: &str) -> &'static str {
    let media_type = media_type.to_ascii_lowercase();
    let (kind, subtype) = media_type.split_once('/').unwrap_or((&media_type, ""));
    match (kind, subtype) {
        ("application", "pdf" | "x-pdf") => "pdf",
        ("application", "dicom") | ("image", "dicom-rle") => "dicom",
        ("application", "rtf" | "msword") | ("text", "rtf") => "word",
        ("text", "csv" | "tab-separated-values") => "spreadsheet",
        ("image", _) => "image",
        ("text", _) => "text",
        ("audio", _) => "audio",
        ("video", _) => "video",
        ("message", _) => "message",
        ("application", "zip" | "x-zip-compressed" | "x-7z-compressed" | "gzip" | "x-tar" | "vnd.rar" | "x-rar") => {
            "archive"
        }
        ("application", "vnd.ms-outlook") => "message",
        ("application", _) if has(subtype, &["wordprocessing", "opendocument.text", "ms-word"]) => "word",
        ("application", _) if has(subtype, &["spreadsheet", "ms-excel"]) => "spreadsheet",
        ("application", _) if has(subtype, &["presentation", "ms-powerpoint"]) => "presentation",
        _ => "other",
    }
}

fn has(subtype: &str, pieces: &[&str]) -> bool {
    pieces.iter().any(|piece| subtype.contains(piece))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime::TransferEncoding;

    fn attachment(declared: &str, shown: Option<&str>, inline: bool) -> Attachment {
        Attachment {
            body: 0..1,
            encoding: TransferEncoding::Base64,
            within: None,
            name: "x".into(),
            names: vec!["x".into()],
            declared_type: declared.into(),
            content_type: shown.map(str::to_owned),
            octets: 1,
            inline,
            inside: crate::mime::inside::Inside::default(),
            given: crate::mime::assess::Given::AsDocument,
            content_id: None,
            front: Default::default(),
        }
    }

    #[test]
    fn the_kind_is_what_the_content_shows_but_office_files_are_told_apart() {
        let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        for (declared, shown, kind) in [
            ("application/pdf", None, "pdf"),
            ("application/octet-stream", Some("application/pdf"), "pdf"),
            ("application/pdf", Some("application/vnd.microsoft.portable-executable"), "other"),
            (docx, Some("application/zip"), "word"),
            ("application/octet-stream", Some(docx), "word"),
            ("application/pdf", Some("application/zip"), "archive"),
            ("application/vnd.ms-excel", Some("application/x-ole-storage"), "spreadsheet"),
            ("application/vnd.oasis.opendocument.presentation", None, "presentation"),
            ("application/DICOM", None, "dicom"),
            ("IMAGE/JPEG", None, "image"),
            ("nonsense", None, "other"),
        ] {
            assert_eq!(kind_of(&attachment(declared, shown, false)), kind, "{declared} {shown:?}");
        }
    }

    #[test]
    fn pictures_of_the_text_are_counted_apart_unless_nothing_else_came() {
        let picture = attachment("image/png", None, true);
        let pdf = attachment("application/pdf", None, false);
        let told = |attachments: &[Attachment]| summary(attachments).to_string();
        assert_eq!(
            told(&[picture.clone(), pdf]),
            "{'count': 1, 'kinds': [{'kind': 'pdf', 'count': 1}], 'pictures': 1}"
        );
        assert_eq!(
            told(&[picture.clone(), picture]),
            "{'count': 2, 'kinds': [{'kind': 'image', 'count': 2}], 'pictures': 0}"
        );
    }
}
