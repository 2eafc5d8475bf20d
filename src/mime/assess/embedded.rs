//! Files that a page carries in its own addresses (`data:`, RFC 2397), as a picture that was pasted: each becomes a document, and
//! the page refers to it as to any picture that came with the mail.

use crate::mime::assess::{Attachment, content};
use crate::mime::{Entity, MediaType};

/// Files of one page; what is beyond is not shown, as any address that is none of the web or of mail.
const MOST: usize = 50;
/// Octets of a picture that is no more than a spacer.
const SPACER: usize = 128;
/// Kinds that say how a page looks.
const LOOKS: [&str; 5] = ["font/", "application/font", "application/x-font", "text/css", "text/javascript"];

/// The page with references in the place of such files, and the files; `None` where it has none.
pub(super) fn take_out(leaf: &Entity, page: &str) -> Option<(String, Vec<Attachment>)> {
    let (mut left, mut files, mut at, mut passed) = (String::new(), Vec::<Attachment>::new(), 0, 0);
    for colon in memchr::memchr_iter(b':', page.as_bytes()) {
        if files.len() == MOST {
            break;
        }
        // Within an address there is none: else a page of nothing but beginnings would be read for each of them.
        let Some(address) = address(page, passed, colon) else { continue };
        passed = address.end;
        let Some((media_type, octets)) = read(&page[address.clone()]) else { continue };
        let known = files.iter().find(|file| file.front == octets).and_then(|file| file.content_id.clone());
        let id = known.unwrap_or_else(|| {
            let id = format!("embedded.{}.{}", leaf.body.start, files.len());
            files.push(document(leaf, &media_type, octets, id.clone()));
            id
        });
        left.push_str(&page[at..address.start]);
        left.extend(["cid:", id.as_str()]);
        at = address.end;
    }
    left.push_str(page.get(at..).unwrap_or_default());
    (!files.is_empty()).then_some((left, files))
}

/// The place of an address `data:` behind `from`, whose colon this is, where it is the value of an attribute.
fn address(page: &str, from: usize, colon: usize) -> Option<std::ops::Range<usize>> {
    let start = colon.checked_sub(4).filter(|start| *start >= from)?;
    page.get(start..colon).filter(|scheme| scheme.eq_ignore_ascii_case("data"))?;
    let before = page.as_bytes().get(start.checked_sub(1)?)?;
    let rest = page.get(colon..)?;
    let end = match before {
        b'"' | b'\'' => rest.find(char::from(*before)),
        b'=' => rest.find(|c: char| c.is_ascii_whitespace() || c == '>'),
        _ => return None,
    };
    let end = end.unwrap_or(rest.len());
    Some(start..colon + end)
}

/// The media type and the octets of an address in base64; `None` for what is no document by itself.
fn read(address: &str) -> Option<(MediaType, Vec<u8>)> {
    let (about, coded) = address.get(5..)?.split_once(',')?;
    let about = about.to_ascii_lowercase();
    let media_type = about.strip_suffix(";base64")?.split(';').next().unwrap_or_default();
    if LOOKS.iter().any(|looks| media_type.starts_with(looks)) {
        return None;
    }
    let typed =
        media_type.split_once('/').filter(|(kind, subtype)| content::is_word(kind) && content::is_word(subtype));
    let (kind, subtype) = typed.unwrap_or(("application", "octet-stream"));
    let mut coded = content::percent_decoded(coded).into_bytes();
    coded.retain(|octet| !octet.is_ascii_whitespace() && *octet != b'=');
    let octets = data_encoding::BASE64_NOPAD.decode(&coded).ok()?;
    let spacer = kind == "image" && octets.len() < SPACER;
    let media_type = MediaType { kind: kind.to_owned(), subtype: subtype.to_owned(), parameters: Vec::new() };
    (!octets.is_empty() && !spacer).then_some((media_type, octets))
}

fn document(leaf: &Entity, media_type: &MediaType, octets: Vec<u8>, id: String) -> Attachment {
    // A page shows pictures; what else it has is there to be opened.
    let inline = media_type.kind == "image";
    Attachment { inline, content_id: Some(id), ..Attachment::in_text(leaf, Vec::new(), media_type, octets) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(page: &str) -> Option<(String, Vec<(String, usize)>)> {
        let message = format!("Content-Type: text/html\r\n\r\n{page}");
        let root = crate::mime::outline_of(message.as_bytes(), crate::mime::Limits::default()).unwrap().root;
        let (left, files) = take_out(&root, page)?;
        Some((left, files.into_iter().map(|file| (file.declared_type, file.front.len())).collect()))
    }

    /// A picture that was pasted was in neither the mail nor the portal.
    #[test]
    fn a_picture_in_an_address_is_a_document_and_its_place_says_so() {
        let coded = data_encoding::BASE64.encode(&[7; 300]);
        let page = format!("<p>a</p><img src='DATA:image/png;base64,{coded}'><IMG src=data:image/png;base64,{coded}>b");
        let expected = "<p>a</p><img src='cid:embedded.27.0'><IMG src=cid:embedded.27.0>b".to_owned();
        assert_eq!(taken(&page), Some((expected, vec![("image/png".into(), 300)])));
        let pdf = format!("<a href=\"data:;charset=x;base64,{}%0A{}\">x</a>", &coded[..40], &coded[40..]);
        assert_eq!(taken(&pdf).unwrap().1, [("application/octet-stream".to_owned(), 300)]);
        for other in [
            "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>".to_owned(),
            format!("<style>a{{b:url(data:image/png;base64,{coded})}}</style>"),
            format!("<link href='data:text/css;base64,{coded}'>"),
            format!("<img srcset='data:image/png;base64,{coded} 2x'>"),
            "data: <b title='data:x'>metadata:</b> data:".to_owned(),
        ] {
            assert_eq!(taken(&other), None, "{other}");
        }
    }

    /// Each beginning of an address was read to the end of the page.
    #[test]
    fn a_page_of_beginnings_is_read_once() {
        let begun = std::time::Instant::now();
        for beginning in ["=data:", "=data:;base64,", "'data:a'", "\"data:;base64,", "=xxxx:"] {
            assert_eq!(taken(&beginning.repeat(200_000)), None, "{beginning}");
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}
