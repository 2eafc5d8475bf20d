//! Files that a page carries in its own addresses (`data:`, RFC 2397), as a picture that was pasted: each becomes a document, and
//! the page refers to it as to any picture that came with the mail.

use std::sync::LazyLock;

use data_encoding::{BASE64_NOPAD, Encoding};

use crate::mime::MediaType;
use crate::mime::assess::{Attachment, content, html};

mod address;
mod rest;

use address::Addresses;

/// Files of one page; one with more is no letter.
const MOST: usize = 50;
/// Octets of a picture that is no more than a spacer.
const SPACER: usize = 128;
/// Kinds that say how a page looks.
const LOOKS: [&str; 5] = ["font/", "application/font", "application/x-font", "text/css", "text/javascript"];

/// Base64 as browsers read it (Infra, section 7): whatever the bits are that fill no octet.
static FORGIVING: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = BASE64_NOPAD.specification();
    specification.check_trailing_bits = false;
    specification.encoding().unwrap_or(BASE64_NOPAD)
});

/// What a page carries.
pub(super) enum Embedded {
    /// No file.
    Nothing,
    /// These files: the page with references in their place.
    Files(String, Vec<Attachment>),
    /// Too many, or one that cannot be taken out: whoever keeps the page whole keeps them.
    InThePage,
}

/// Takes the files out of a page; `at` is where what holds it stands in the message. What this takes is linear in the length of
/// the page, and so are the files together.
pub(super) fn take_out(at: u64, page: &str) -> Embedded {
    let (mut left, mut files, mut passed) = (String::new(), Vec::<Attachment>::new(), 0);
    let mut addresses = Addresses::of(page);
    for colon in memchr::memchr_iter(b':', page.as_bytes()) {
        let Some(address) = addresses.at(passed, colon) else { continue };
        let Some((media_type, octets)) = read(&page[address.clone()]) else { continue };
        let known = files.iter().find(|file| file.front == octets).and_then(|file| file.content_id.clone());
        if known.is_none() && files.len() == MOST {
            return Embedded::InThePage;
        }
        let id = known.unwrap_or_else(|| {
            let id = format!("embedded.{at}.{}", files.len());
            files.push(document(at, &media_type, octets, id.clone()));
            id
        });
        left.push_str(&page[passed..address.start]);
        left.extend(["cid:", id.as_str()]);
        passed = address.end;
    }
    left.push_str(&page[passed..]);
    match (rest::is_left(&left), files.is_empty()) {
        (true, _) => Embedded::InThePage,
        (false, true) => Embedded::Nothing,
        (false, false) => Embedded::Files(left, files),
    }
}

/// The media type and the octets of an address in base64; `None` for what is no document by itself.
fn read(address: &str) -> Option<(MediaType, Vec<u8>)> {
    let (about, coded) = address.get(5..)?.split_once(',')?;
    let mut about = html::decoded(about).to_ascii_lowercase();
    about.retain(|c| !c.is_ascii_whitespace());
    let media_type = about.strip_suffix(";base64")?.split(';').next().unwrap_or_default();
    if looks(media_type) {
        return None;
    }
    let typed =
        media_type.split_once('/').filter(|(kind, subtype)| content::is_word(kind) && content::is_word(subtype));
    let (kind, subtype) = typed.unwrap_or(("application", "octet-stream"));
    let coded = html::decoded(coded);
    // What stands behind `#` says which part of it is shown.
    let mut coded = content::percent_decoded(coded.split('#').next()?).into_bytes();
    coded.retain(|octet| !octet.is_ascii_whitespace() && *octet != b'=');
    let octets = FORGIVING.decode(&coded).ok()?;
    let spacer = kind == "image" && octets.len() < SPACER;
    let media_type = MediaType { kind: kind.to_owned(), subtype: subtype.to_owned(), parameters: Vec::new() };
    (!octets.is_empty() && !spacer).then_some((media_type, octets))
}

/// Whether a file of this type says how a page looks.
fn looks(media_type: &str) -> bool {
    LOOKS.iter().any(|looks| media_type.starts_with(looks))
}

fn document(at: u64, media_type: &MediaType, octets: Vec<u8>, id: String) -> Attachment {
    // A page shows pictures; what else it has is there to be opened.
    let inline = media_type.kind == "image";
    Attachment { inline, content_id: Some(id), ..Attachment::in_text(at, Vec::new(), media_type, octets) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page without its files, and these.
    type Left = (String, Vec<(String, usize)>);

    /// What is left of a page whose files were taken out; whether it keeps them itself.
    fn taken(page: &str) -> (Option<Left>, bool) {
        match take_out(27, page) {
            Embedded::Nothing => (None, false),
            Embedded::InThePage => (None, true),
            Embedded::Files(left, files) => {
                let files = files.into_iter().map(|file| (file.declared_type, file.front.len())).collect();
                (Some((left, files)), false)
            }
        }
    }

    /// A file that no other is like.
    fn coded(number: usize) -> String {
        let octets: Vec<u8> = (0..300).map(|at| ((at * 31 + number * 7) % 251) as u8).collect();
        data_encoding::BASE64.encode(&octets)
    }

    fn picture(number: usize) -> String {
        format!("data:image/png;base64,{}", coded(number))
    }

    /// A picture that was pasted was in neither the mail nor the portal.
    #[test]
    fn a_picture_in_an_address_is_a_document_and_its_place_says_so() {
        let coded = data_encoding::BASE64.encode(&[7; 300]);
        let page = format!("<p>a</p><img src='DATA:image/png;base64,{coded}'><IMG src=data:image/png;base64,{coded}>b");
        let expected = "<p>a</p><img src='cid:embedded.27.0'><IMG src=cid:embedded.27.0>b".to_owned();
        assert_eq!(taken(&page).0, Some((expected, vec![("image/png".into(), 300)])));
        let pdf = format!("<a href=\"data:;charset=x;base64,{}%0A{}\">x</a>", &coded[..40], &coded[40..]);
        assert_eq!(taken(&pdf).0.unwrap().1, [("application/octet-stream".to_owned(), 300)]);
        for other in [
            "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>".to_owned(),
            "<style>a{b:url(data:image/gif;base64,R0lGODlhAQABAAAAACw=)}</style>".to_owned(),
            format!("<link href='data:text/css;base64,{coded}'>"),
            format!("<style>@font-face{{src:url(data:font/woff;base64,{coded})}}</style>"),
            "data: <b title='data:x'>metadata:</b> data:".to_owned(),
            format!("<p>Write data:image/png;base64,{coded} there</p>"),
            format!("<p>url=data:x;base64,{coded}&#39; or \"data:x;base64,{coded}\"</p>"),
        ] {
            assert_eq!(taken(&other), (None, false), "{other}");
        }
    }

    /// Pictures in styles and in sets of pictures were in neither the mail nor the portal.
    #[test]
    fn pictures_in_styles_and_sets_are_documents_too() {
        let (one, two) = (picture(1), picture(2));
        for (page, left) in [
            (format!("<img srcset='{one} 1x, {two} 2x'>"), "<img srcset='cid:embedded.27.0 1x, cid:embedded.27.1 2x'>"),
            (
                format!("<img srcset = \"x.png,{one},\n{two}\">"),
                "<img srcset = \"x.png,cid:embedded.27.0,\ncid:embedded.27.1\">",
            ),
            (format!("<link imagesrcset=\"{one} 100w\">{two}"), "<link imagesrcset=\"cid:embedded.27.0 100w\">"),
            (
                format!("<style>a{{b:url({one})}} c{{d:URL( '{two}' )}}</style>"),
                "<style>a{b:url(cid:embedded.27.0)} c{d:URL( 'cid:embedded.27.1' )}</style>",
            ),
            (
                format!("<p style=\"background:url({one}),url(&quot;{two}&quot;)\">"),
                "<p style=\"background:url(cid:embedded.27.0),url(&quot;cid:embedded.27.1&quot;)\">",
            ),
            (
                format!("<p style='background:url(&#39;{one}&#39;)'>"),
                "<p style='background:url(&#39;cid:embedded.27.0&#39;)'>",
            ),
            (
                format!("<!--[if mso]><v:fill src=\"{one}\"/><![endif]-->"),
                "<!--[if mso]><v:fill src=\"cid:embedded.27.0\"/><![endif]-->",
            ),
        ] {
            let (got, _) = taken(&page);
            let (got, files) = got.unwrap_or_else(|| panic!("{left}"));
            assert!(got.starts_with(left), "{got}");
            assert_eq!(files.len(), left.matches("cid:").count(), "{left}");
            assert!(files.iter().all(|(kind, octets)| kind == "image/png" && *octets == 300), "{files:?}");
        }
        let escaped = coded(1).replace('+', "&#43;").replace('/', "&#x2F;").replace('=', "&#61;");
        let page =
            format!("<img src=\"data:image&#47;png;base64,{escaped}\"><img src=data:image/png;base64,{escaped}>");
        assert_eq!(taken(&page).0.unwrap().0, "<img src=\"cid:embedded.27.0\"><img src=cid:embedded.27.0>");
    }

    /// What was beyond fifty, or written so that only a browser knows it, was in neither the mail nor the portal.
    #[test]
    fn a_page_of_which_not_all_can_be_taken_out_keeps_it() {
        let many = |count| (0..count).map(|at| format!("<img src='{}'>", picture(at))).collect::<String>();
        assert_eq!(taken(&many(MOST)).0.unwrap().1.len(), MOST);
        assert_eq!(taken(&(many(MOST) + &many(MOST))).0.unwrap().1.len(), MOST, "the same again is no other");
        assert_eq!(taken(&many(MOST + 1)), (None, true));
        let one = picture(1);
        for page in [
            format!("<img src='{}'>", one.replace("data:", "d&#97;ta&colon;")),
            format!("<img src='{}'>", one.replace("data:", "da&Tab;ta:")),
            format!("<img src='{}'>", one.replace("data:", "da\nta:")),
            format!("<style>a{{b:url({})}}</style>", one.replace("data:", "\\64 ata:")),
            format!("<iframe srcdoc='&lt;img src=&quot;{}&quot;>'>", one.replace("data:", "&#100;ata:")),
            format!("<img src='{}!'>", one),
            format!("<img src=' {} '>", one.replace("AA", "A A").replace(",", ", ")),
        ] {
            assert_eq!(taken(&page), (None, true), "{}", &page[..60]);
        }
        assert!(
            taken(&(format!("<img src='{}'>", picture(2)) + "<p>d&#97;ta&colon;image/png;base64,</p>")).0.is_some()
        );
    }

    /// Each beginning of an address was read to the end of the page.
    #[test]
    fn a_page_of_beginnings_is_read_once() {
        let begun = std::time::Instant::now();
        let one = picture(1);
        for beginning in [
            "=data:",
            "=data:;base64,",
            "'data:a'",
            "\"data:;base64,",
            "'data:,",
            "=xxxx:",
            " data:,",
            "(data:",
            "&quot;data:a&",
            "srcset='data:",
            "<!-- data:",
            "\\64 ",
            "<a data:",
            ", data:;base64,a",
            &one[..40],
        ] {
            let page = beginning.repeat((1 << 18) / beginning.len());
            let _ = taken(&page);
            let _ = taken(&format!("<style>{page}"));
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}
