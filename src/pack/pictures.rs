//! Pictures of the sender's text in a mail that leaves: one that policy knows, such as the logo of a signature, stands where it
//! stood; of any other there are words in its place.

use bytes::Bytes;

use crate::mime::assess::{Assessment, Given};
use crate::pack::letter::escape;

/// Digits of a width or height in pixels.
const DIGITS: usize = 4;

/// A picture that leaves in the mail.
pub(crate) struct TextPicture {
    /// What the sender's HTML calls it.
    id: String,
    /// What it is called in what leaves.
    pub(crate) cid: String,
    /// `image/png` …
    pub(crate) media_type: String,
    /// Its octets.
    pub(crate) octets: Bytes,
}

/// Those of a message, called anew.
pub(super) fn of(message: &Assessment, unique: &str, hostname: &str) -> Vec<TextPicture> {
    let known = message.attachments.iter().enumerate().filter_map(|(at, picture)| match &picture.given {
        Given::InText(octets) => Some(TextPicture {
            id: picture.content_id.clone()?,
            cid: format!("{unique}.{at}@{hostname}"),
            media_type: picture.content_type.clone()?,
            octets: octets.clone(),
        }),
        Given::AsDocument | Given::Nowhere => None,
    });
    known.collect()
}

/// Puts the pictures that leave, and words for others that came with the mail, where the sanitiser left `<img …>`: in its
/// output a `>` in an attribute is always `&gt;`. Of a picture from elsewhere its own words stay, unless they name a file.
pub(super) fn placed(clean: &str, words: &str, names: &[&str], pictures: &[TextPicture]) -> String {
    let mut out = String::with_capacity(clean.len());
    let mut rest = clean;
    while let Some(at) = rest.find("<img") {
        let (before, element) = rest.split_at(at);
        out.push_str(before);
        let end = element.find('>').map_or(element.len(), |end| end + 1);
        let (element, after) = element.split_at(end);
        let own_words = attribute(element, "alt").filter(|words| !names_a_file(words, names)).unwrap_or_default();
        match attribute(element, "src").and_then(|src| src.strip_prefix("cid:")) {
            None => out.push_str(own_words),
            Some(id) => match pictures.iter().find(|picture| picture.id == id) {
                Some(picture) => write_picture(&mut out, picture, element, own_words),
                None => out.push_str(words),
            },
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// `words` are as the sanitiser wrote them.
fn write_picture(out: &mut String, picture: &TextPicture, element: &str, words: &str) {
    out.extend(["<img src=\"cid:", picture.cid.as_str(), "\" alt=\"", words, "\""]);
    for name in ["width", "height"] {
        let pixels = attribute(element, name).filter(|it| it.len() <= DIGITS && it.bytes().all(|b| b.is_ascii_digit()));
        if let Some(pixels) = pixels.filter(|it| !it.is_empty()) {
            out.extend([" ", name, "=\"", pixels, "\""]);
        }
    }
    out.push_str(" style=\"max-width:100%\">");
}

/// The value of an attribute as the sanitiser wrote it, still escaped.
fn attribute<'e>(element: &'e str, name: &str) -> Option<&'e str> {
    let (_, value) = element.split_once(&format!(" {name}=\""))?;
    value.split('"').next()
}

fn names_a_file(words: &str, names: &[&str]) -> bool {
    names.iter().any(|name| !name.is_empty() && words.contains(escape(name).as_str()))
}
