//! A practice's logo: a picture that is shown on the portal and sent to nobody.

/// A practice's logo.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    /// `image/png` or `image/svg+xml`.
    pub media_type: &'static str,
    /// The picture.
    pub octets: Vec<u8>,
}

/// The size, not the picture.
impl std::fmt::Debug for Logo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Logo({}, {} octets)", self.media_type, self.octets.len())
    }
}

/// The largest logo, in octets: every page shows it.
const LARGEST: usize = 24 * 1024;
/// What an SVG that only draws does not have: it would run, or fetch something from elsewhere.
const ACTIVE: [&str; 7] =
    ["<script", "<foreignobject", "<!entity", "javascript:", "<iframe", "@import", "<use href=\"http"];

impl Logo {
    /// A logo by its file name and content.
    ///
    /// # Errors
    /// What is wrong, and what to do: words for the admin.
    pub fn new(name: &str, octets: Vec<u8>) -> Result<Self, (String, &'static str)> {
        if octets.len() > LARGEST {
            let words = format!("the picture has {} KiB", octets.len().div_ceil(1024));
            return Err((words, "every page shows it: save it smaller, at most 24 KiB"));
        }
        match name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("png") if octets.starts_with(b"\x89PNG\r\n\x1a\n") => Ok(Self { media_type: "image/png", octets }),
            Some("png") => Err(("the file is no PNG picture".into(), "save it as PNG or SVG")),
            _ => match drawing(&octets) {
                Ok(()) => Ok(Self { media_type: "image/svg+xml", octets }),
                Err(fault) => Err(fault),
            },
        }
    }
}

fn drawing(octets: &[u8]) -> Result<(), (String, &'static str)> {
    let no_svg = || ("the file is no SVG picture".to_owned(), "save it as SVG or PNG");
    let text = std::str::from_utf8(octets).map_err(|_| no_svg())?.to_ascii_lowercase();
    if !text.contains("<svg") {
        return Err(no_svg());
    }
    let handler = regex::Regex::new(r#"\son[a-z]+\s*="#).is_ok_and(|handler| handler.is_match(&text));
    match ACTIVE.into_iter().find(|active| text.contains(active)) {
        Some(found) => Err((format!("the picture has \"{found}\" in it"), "save it as a plain SVG, or as PNG")),
        None if handler => Err(("the picture has a script in it".into(), "save it as a plain SVG, or as PNG")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_is_a_picture_and_nothing_else() {
        assert_eq!(Logo::new("a.png", b"\x89PNG\r\n\x1a\n...".to_vec()).unwrap().media_type, "image/png");
        assert_eq!(Logo::new("a.svg", b"<svg xmlns='x'/>".to_vec()).unwrap().media_type, "image/svg+xml");
        for (name, octets) in [
            ("a.png", &b"<svg/>"[..]),
            ("a.svg", b"\x89PNG\r\n\x1a\n"),
            ("a.svg", b"<html>"),
            ("a.svg", b"<svg><SCRIPT>alert(1)</SCRIPT></svg>"),
            ("a.svg", b"<svg onload = 'alert(1)'/>"),
            ("a.svg", b"<!DOCTYPE x [<!ENTITY a 'b'>]><svg/>"),
            ("a.svg", b"<svg><a href='javascript:1'/></svg>"),
        ] {
            assert!(Logo::new(name, octets.to_vec()).is_err(), "{name}");
        }
        assert!(Logo::new("a.svg", [b"<svg>".as_slice(), &[b' '; LARGEST]].concat()).is_err());
    }
}
