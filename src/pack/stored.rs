//! What a stored document is to the one who opens it: its kind, its media type, and whether a browser may show it.

use super::documents::kind_of_type;

/// Kinds in the order in which they are sorted, as [`kind_of_stored`] names them.
pub use super::documents::KINDS;

/// Office files are archives or containers by their content alone; what they are stands in their names.
const OFFICE: [(&str, &str, &str); 11] = [
    ("docx", "word", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", "spreadsheet", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "presentation", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("odt", "word", "application/vnd.oasis.opendocument.text"),
    ("ods", "spreadsheet", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odp", "presentation", "application/vnd.oasis.opendocument.presentation"),
    ("doc", "word", "application/msword"),
    ("xls", "spreadsheet", "application/vnd.ms-excel"),
    ("ppt", "presentation", "application/vnd.ms-powerpoint"),
    ("msg", "message", "application/vnd.ms-outlook"),
    ("dcm", "dicom", "application/dicom"),
];

fn office(media_type: &str, name: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    const CONTAINERS: [&str; 4] =
        ["application/zip", "application/x-zip-compressed", "application/x-ole-storage", "application/octet-stream"];
    let container = CONTAINERS.iter().any(|container| container.eq_ignore_ascii_case(media_type));
    let (_, extension) = name.rsplit_once('.').filter(|_| container)?;
    OFFICE.iter().find(|(known, ..)| known.eq_ignore_ascii_case(extension))
}

/// One of [`KINDS`].
pub fn kind_of_stored(media_type: &str, name: &str) -> &'static str {
    office(media_type, name).map_or_else(|| kind_of_type(media_type), |(_, kind, _)| kind)
}

/// The media type it is served with: a phone saves a Word file that is called an archive as an archive.
pub fn served_type(media_type: &str, name: &str) -> String {
    office(media_type, name).map_or_else(|| media_type.to_ascii_lowercase(), |(_, _, served)| (*served).to_owned())
}

/// Whether a browser may show it: PDF, plain text, and pictures that are no documents themselves (SVG is one).
pub fn may_be_shown(media_type: &str) -> bool {
    matches!(
        media_type,
        "application/pdf"
            | "text/plain"
            | "image/png"
            | "image/jpeg"
            | "image/gif"
            | "image/webp"
            | "image/avif"
            | "image/bmp"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_what_its_name_says_and_nothing_else_is() {
        let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        for (media_type, name, kind, served) in [
            ("application/zip", "Letter.DOCX", "word", docx),
            ("application/zip", "scans.zip", "archive", "application/zip"),
            ("application/x-ole-storage", "old.xls", "spreadsheet", "application/vnd.ms-excel"),
            ("Application/PDF", "x.docx", "pdf", "application/pdf"),
            ("image/png", "x.doc", "image", "image/png"),
            ("application/octet-stream", "scan.dcm", "dicom", "application/dicom"),
            ("application/octet-stream", "noextension", "other", "application/octet-stream"),
        ] {
            assert_eq!(
                (kind_of_stored(media_type, name), served_type(media_type, name).as_str()),
                (kind, served),
                "{name}"
            );
        }
        assert!(OFFICE.iter().all(|(_, kind, _)| KINDS.contains(kind)));
    }

    #[test]
    fn only_what_runs_nothing_may_be_shown() {
        for (media_type, shown) in [
            ("application/pdf", true),
            ("image/jpeg", true),
            ("text/plain", true),
            ("text/html", false),
            ("image/svg+xml", false),
            ("application/xhtml+xml", false),
            ("text/xml", false),
        ] {
            assert_eq!(may_be_shown(media_type), shown, "{media_type}");
        }
    }
}
