//! Outlook's `winmail.dat` taken apart: each file in it is a document of its own, and its text is the message's where the
//! message has none.

use std::collections::HashSet;
use std::ops::Range;

use crate::mime::assess::body::forms;
use crate::mime::assess::embedded::{self, Embedded};
use crate::mime::assess::marked::Marked;
use crate::mime::assess::signals::recalled_by_class;
use crate::mime::assess::{Assessment, Attachment, Given, content, html};
use crate::mime::inside;
use crate::mime::rtf;
use crate::mime::text::{as_sent, no_files_within};
use crate::mime::tnef::{self, Content, Doubt};
use crate::mime::written::block;
use crate::mime::{Defect, Entity, Limits, MediaType, names};

/// The longest `winmail.dat` that is taken apart; a longer one is one document.
pub const LONGEST_PACKED: u64 = 32 * 1024 * 1024;

/// What an attachment turned out to hold.
pub struct Packed {
    documents: Vec<Attachment>,
    text: Option<String>,
    html: Option<String>,
    /// The files in the addresses of `html`, once they were taken out.
    embedded: Vec<Attachment>,
    /// Whether `documents` and the text are all that it holds that a recipient could open.
    complete: bool,
    /// The class of the message that was packed.
    class: String,
}

/// Whether octets that start so are a packed message.
pub fn is_packed(start: &[u8]) -> bool {
    start.starts_with(&[0x78, 0x9F, 0x3E, 0x22])
}

/// Takes apart what an attachment holds, given decoded. `None` where it cannot be read; it stays one document then.
pub fn unpack(outer: &Attachment, octets: &[u8]) -> Option<Packed> {
    let message = tnef::read(octets, &tnef::Limits::default())?;
    let (html, text) = body(&message);
    let referred = html.as_deref().map(content::content_ids).unwrap_or_default();
    let class = message.class.clone().unwrap_or_default();
    let (documents, embedded) = Default::default();
    let mut packed = Packed { documents, text, html, embedded, complete: is_sound(&message), class };
    for attachment in &message.attachments {
        for content in &attachment.contents {
            let place = place_in(octets, content.octets());
            // A message within is no file that a recipient could open: the whole is kept beside.
            match (content, place) {
                (Content::Message(..), _) | (_, None) => packed.complete = false,
                (_, Some(place)) => packed.documents.push(document(outer, attachment, octets, place, &referred)),
            }
        }
    }
    Some(packed)
}

/// HTML and plain text; RTF is read for whichever it holds.
fn body(message: &tnef::Message<'_>) -> (Option<String>, Option<String>) {
    let body = &message.body;
    match body.rtf.as_deref().and_then(rtf::text_of) {
        Some(rtf::Text::Html(html)) if body.html.is_none() => (Some(html), body.text.clone()),
        Some(rtf::Text::Plain(text)) if body.text.is_none() => (body.html.clone(), Some(text)),
        _ => (body.html.clone(), body.text.clone()),
    }
}

/// Whether the message is an ordinary one (a meeting or a task is more than its files), readers agree on what it holds, and
/// all of that was found.
fn is_sound(message: &tnef::Message<'_>) -> bool {
    let is_note = message.class.as_deref().is_some_and(|class| class.eq_ignore_ascii_case("IPM.Note"));
    is_note && message.doubts.iter().all(|doubt| matches!(doubt, Doubt::Checksum | Doubt::GarbageAtEnd | Doubt::Rtf))
}

/// Where a slice of the octets stands in them.
fn place_in(octets: &[u8], slice: &[u8]) -> Option<Range<usize>> {
    let start = slice.as_ptr().addr().checked_sub(octets.as_ptr().addr())?;
    (!slice.is_empty() && start + slice.len() <= octets.len()).then_some(start..start + slice.len())
}

fn document(
    outer: &Attachment,
    attachment: &tnef::Attachment<'_>,
    octets: &[u8],
    place: Range<usize>,
    referred: &HashSet<String>,
) -> Attachment {
    let file = &octets[place.clone()];
    let content_type = content::shown(&file[..file.len().min(super::START)]);
    let mut given: Vec<String> = Vec::new();
    for name in attachment.names.iter().flat_map(|name| names::saved_as(name)) {
        if !given.contains(&name) {
            given.push(name);
        }
    }
    let declared_type = attachment.media_type.as_deref().and_then(media_type);
    let declared_type = declared_type.unwrap_or_else(|| "application/octet-stream".to_owned());
    if given.is_empty() {
        given.push(names::made(&MediaType::octet_stream(), content_type.as_deref()));
    }
    let inside = inside::look_at(&given[0], file);
    Attachment {
        body: outer.body.clone(),
        encoding: outer.encoding,
        within: Some(place.start as u64..place.end as u64),
        name: given[0].clone(),
        names: given,
        declared_type,
        content_type,
        octets: place.len() as u64,
        inline: attachment.content_id.as_ref().is_some_and(|id| referred.contains(id)),
        inside,
        given: Given::AsDocument,
        content_id: None,
        front: bytes::Bytes::new(),
    }
}

/// A media type, if it is written as one.
fn media_type(written: &str) -> Option<String> {
    let lower = written.to_ascii_lowercase();
    let is_type = |(kind, subtype): (&str, &str)| content::is_word(kind) && content::is_word(subtype);
    lower.split_once('/').is_some_and(is_type).then_some(lower)
}

/// Whether a text is short enough to be the message's.
fn fits(text: &Option<String>) -> bool {
    text.as_ref().is_none_or(|text| text.len() <= Limits::default().text)
}

impl Packed {
    /// The HTML, the files in its own addresses taken out of it; `outer` is where what it was packed in stands in the message.
    /// Where they cannot be, or the page is too long, the whole is kept.
    fn take_html(&mut self, outer: u64) -> Option<String> {
        let html = self.html.take();
        if !fits(&html) {
            self.complete = false;
            return html;
        }
        let html = html?;
        match embedded::take_out(outer, &html) {
            Embedded::Nothing => Some(html),
            Embedded::Files(html, files) => {
                self.embedded = files;
                Some(html)
            }
            Embedded::InThePage => {
                self.complete = false;
                None
            }
        }
    }
}

/// Whether a file in base64 stands in a text, which then leaves as part of the document alone.
fn has_base64(text: Option<&str>, html: Option<&str>) -> bool {
    let shown = html.map(html::as_text);
    let mut texts = [text, shown.as_deref()].into_iter().flatten();
    texts.any(|text| !block::find(as_sent(text).as_bytes()).is_empty())
}

/// What the packed attachments of a message hold, gathered before any of it takes its place: marks in a text that was packed
/// count for all documents, wherever they stand.
#[derive(Default)]
pub struct Unpacking {
    found: Vec<(usize, Packed)>,
    /// Whether the message's text is from one of them.
    took_text: bool,
}

impl Unpacking {
    /// Takes what the attachment of this number held, in their order; `root` is the message it is of.
    ///
    /// # Errors
    /// A file written into the text that becomes the message's, or its marks where they are not understood.
    pub fn take(&mut self, facts: &mut Assessment, root: &Entity, at: usize, mut packed: Packed) -> Result<(), Defect> {
        facts.signals.recall = facts.signals.recall.take().or_else(|| recalled_by_class(&facts.subject, &packed.class));
        let outer = facts.attachments.get(at).map_or(0, |outer| outer.body.start);
        let (text, html) = (packed.text.take(), packed.take_html(outer));
        if self.took_text {
            // It is another's: the whole is kept, or nobody would read it.
            packed.complete &= text.is_none() && html.is_none();
        } else if facts.text.is_some() || facts.html.is_some() {
            // What a reader without TNEF is shown is the text; the other says the same, in more colours.
        } else if !fits(&text) || !fits(&html) || has_base64(text.as_deref(), html.as_deref()) {
            packed.complete = false;
        } else {
            facts.take_packed_text(root, (text, html), std::mem::take(&mut packed.embedded))?;
            self.took_text = facts.text.is_some() || facts.html.is_some();
        }
        packed.documents.append(&mut packed.embedded);
        self.found.push((at, packed));
        Ok(())
    }

    /// Puts all of it in the places of the attachments that held it. One of these stays, behind its documents, where it holds
    /// more than was taken out of it.
    pub fn finish(self, facts: &mut Assessment) {
        // It repeats the text, and where in that its pictures stand is not known here.
        let marked = facts.marked;
        // From the last one on, so that what is put in the place of one moves none that is still to come.
        for (at, packed) in self.found.into_iter().rev() {
            if at >= facts.attachments.len() {
                continue;
            }
            let outer = Attachment { given: Given::unless(marked), ..facts.attachments[at].clone() };
            let kept = Some(outer).filter(|_| !packed.complete);
            let documents = packed.documents.into_iter();
            let in_text = |file: &Attachment| file.inline || file.content_id.is_some();
            let documents = documents.map(|file| Attachment { given: Given::unless(marked && in_text(&file)), ..file });
            facts.attachments.splice(at..=at, documents.chain(kept));
        }
    }
}

impl Assessment {
    /// A text that was packed, as the message's, and the files in the addresses of its HTML.
    fn take_packed_text(
        &mut self,
        root: &Entity,
        (text, html): (Option<String>, Option<String>),
        embedded: Vec<Attachment>,
    ) -> Result<(), Defect> {
        let shown = html.as_deref().map(|html| as_sent(&html::as_text(html)));
        let text = text.map(|text| as_sent(&text)).or_else(|| shown.clone()).filter(|text| !text.is_empty());
        for text in [&html, &text].into_iter().flatten() {
            no_files_within(text.as_bytes())?;
        }
        (self.text, self.html) = (text, html);
        let marked = Marked::take(&mut self.text, &mut self.html, shown.as_deref())?;
        self.marked = marked.any;
        if marked.any {
            self.withhold_unmarked(&marked, root);
        }
        self.attachments.extend(embedded.into_iter().map(|it| Attachment { given: marked.given(&it), ..it }));
        Ok(())
    }

    /// Withholds what may show a text of which parts are marked: what stands in the message as a leaf is judged as beside a text
    /// of its own, and the whole as it was signed holds all of it.
    fn withhold_unmarked(&mut self, marked: &Marked, root: &Entity) {
        let (leaves, forms) = (root.leaves(), forms(root));
        for attachment in &mut self.attachments {
            let leaf = leaves.iter().position(|leaf| leaf.body == attachment.body && attachment.front.is_empty());
            if leaf.is_none_or(|at| marked.withholds(leaves[at], forms.get(at) == Some(&true))) {
                attachment.given = Given::Nowhere;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime::TransferEncoding;
    use crate::mime::inside::Inside;

    fn winmail() -> Attachment {
        Attachment {
            body: 10..20,
            encoding: TransferEncoding::Base64,
            within: None,
            name: "winmail.dat".into(),
            names: vec!["winmail.dat".into()],
            declared_type: "application/ms-tnef".into(),
            content_type: None,
            octets: 100,
            inline: false,
            inside: Inside::default(),
            given: Given::AsDocument,
            content_id: None,
            front: bytes::Bytes::new(),
        }
    }

    fn attribute(level: u8, id: u16, data: &[u8]) -> Vec<u8> {
        let sum = data.iter().fold(0_u16, |sum, octet| sum.wrapping_add(u16::from(*octet)));
        let length = u32::try_from(data.len()).unwrap().to_le_bytes();
        [&[level][..], &id.to_le_bytes(), &6_u16.to_le_bytes(), &length, data, &sum.to_le_bytes()].concat()
    }

    fn message(attributes: &[Vec<u8>]) -> Vec<u8> {
        [&b"\x78\x9f\x3e\x22\x01\0"[..], &attributes.concat()].concat()
    }

    fn assessment() -> Assessment {
        let message = b"From: a@b.example\r\nContent-Type: application/ms-tnef\r\n\r\nx";
        let mut made = crate::mime::assess_octets(message, &crate::mime::Limits::default()).unwrap().1;
        made.attachments = vec![winmail()];
        made
    }

    /// Takes one attachment apart, alone.
    fn take(facts: &mut Assessment, octets: &[u8]) {
        let root = crate::mime::outline_of(b"\r\nx", Limits::default()).unwrap().root;
        let mut unpacking = Unpacking::default();
        unpacking.take(facts, &root, 0, unpack(&winmail(), octets).unwrap()).unwrap();
        unpacking.finish(facts);
    }

    #[test]
    fn files_are_documents_of_their_own_and_the_text_is_the_messages() {
        let octets = message(&[
            attribute(1, 0x8008, b"IPM.Microsoft Mail.Note\0"),
            attribute(1, 0x800C, b"Dear Dr Roe\0"),
            attribute(2, 0x9002, &[]),
            attribute(2, 0x8010, b"Befund.pdf\0"),
            attribute(2, 0x800F, b"%PDF-1.4"),
        ]);
        assert!(is_packed(&octets));
        let mut facts = assessment();
        take(&mut facts, &octets);
        assert_eq!(facts.text.as_deref(), Some("Dear Dr Roe\r\n"));
        let [document] = &facts.attachments[..] else { panic!("one document") };
        let within = document.within.clone().unwrap();
        assert_eq!(&octets[within.start as usize..within.end as usize], b"%PDF-1.4");
        assert_eq!((document.name.as_str(), document.octets), ("Befund.pdf", 8));
        assert_eq!(document.content_type.as_deref(), Some("application/pdf"));
    }

    /// A file in base64 in a text that was packed left with it.
    #[test]
    fn a_text_with_base64_stays_in_its_document() {
        let text = format!(
            "Hello\r\n{}\r\n\0",
            "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0".repeat(2)
        );
        let octets =
            message(&[attribute(1, 0x8008, b"IPM.Microsoft Mail.Note\0"), attribute(1, 0x800C, text.as_bytes())]);
        let mut facts = assessment();
        take(&mut facts, &octets);
        assert_eq!((facts.text, facts.attachments.len()), (None, 1));
        assert_eq!(facts.attachments[0].name, "winmail.dat");
    }

    /// A message of Outlook's with this HTML.
    fn with_html(html: &str) -> Vec<u8> {
        let length = u32::try_from(html.len()).unwrap().to_le_bytes();
        let padding = vec![0; html.len().wrapping_neg() % 4];
        let list = [&b"\x01\0\0\0\x02\x01\x13\x10\x01\0\0\0"[..], &length, html.as_bytes(), &padding].concat();
        message(&[attribute(1, 0x8008, b"IPM.Microsoft Mail.Note\0"), attribute(1, 0x9003, &list)])
    }

    fn picture(octet: u8) -> String {
        format!("<img src='data:image/png;base64,{}'>", data_encoding::BASE64.encode(&[octet; 300]))
    }

    fn given(facts: &Assessment) -> Vec<(&str, bool)> {
        facts.attachments.iter().map(|it| (it.name.as_str(), it.given == Given::AsDocument)).collect()
    }

    /// Pictures in the addresses of a page that was packed were in neither the mail nor the portal.
    #[test]
    fn files_in_a_packed_page_are_documents_whether_or_not_it_is_the_text() {
        let page = format!("<p>Dear Dr Roe</p>{}", picture(7));
        let mut facts = assessment();
        take(&mut facts, &with_html(&page));
        assert_eq!(facts.text.as_deref(), Some("Dear Dr Roe\r\n"));
        assert_eq!(facts.html.as_deref(), Some("<p>Dear Dr Roe</p><img src='cid:embedded.10.0'>"));
        assert_eq!(given(&facts), [("image.png", true)]);
        assert_eq!((facts.attachments[0].inline, &facts.attachments[0].front[..]), (true, &[7; 300][..]));
        // Beside a text of the message's own the page is not shown.
        let mut facts = assessment();
        facts.text = Some("Hello\r\n".into());
        take(&mut facts, &with_html(&page));
        assert_eq!((facts.html.as_deref(), given(&facts)), (None, vec![("image.png", true)]));
        // Of a page with too many the whole stays.
        let many: String = (0..51).map(picture).collect();
        for text in [None, Some("Hello\r\n".to_owned())] {
            let mut facts = assessment();
            facts.text = text.clone();
            take(&mut facts, &with_html(&many));
            assert_eq!((facts.text.clone(), given(&facts)), (text, vec![("winmail.dat", true)]));
        }
        let long = "<p>x</p>".repeat(70_000) + &picture(7);
        let mut facts = assessment();
        facts.text = Some("Hello\r\n".into());
        take(&mut facts, &with_html(&long));
        assert_eq!(given(&facts), [("winmail.dat", true)]);
    }

    /// What stands outside of the marks stays inside, also where it is written into the page.
    #[test]
    fn of_a_packed_page_only_marked_pictures_leave() {
        let page = format!("{}<p>[part]<p>a{}<p>[/part]<p><a href={}>s</a>", picture(1), picture(2), &picture(3)[10..]);
        let page = page.replace("'>s", ">s");
        let mut facts = assessment();
        take(&mut facts, &with_html(&page));
        assert!(facts.marked);
        let leaving: Vec<u8> = facts.documents().map(|it| it.front[0]).collect();
        assert_eq!((facts.attachments.len(), leaving), (3, vec![2]));
        // Where the text is another's, nobody knows what of the page is marked.
        let mut facts = assessment();
        (facts.text, facts.marked) = (Some("a\r\n".into()), true);
        take(&mut facts, &with_html(&page));
        assert_eq!((facts.attachments.len(), facts.documents().count()), (3, 0));
    }

    #[test]
    fn the_class_of_a_recall_is_one_in_any_language() {
        let mut facts = assessment();
        facts.subject = "Zurückrufen: Befund".into();
        let octets = message(&[attribute(1, 0x8008, b"IPM.Outlook.Recall\0")]);
        take(&mut facts, &octets);
        assert_eq!(facts.signals.recall.as_deref(), Some("Befund"));
    }

    #[test]
    fn what_is_in_doubt_is_kept_whole_beside() {
        let twice = [attribute(2, 0x9002, &[]), attribute(2, 0x800F, b"one"), attribute(2, 0x800F, b"two")];
        let mut facts = assessment();
        take(&mut facts, &message(&twice));
        let names: Vec<&str> = facts.attachments.iter().map(|attachment| attachment.name.as_str()).collect();
        assert_eq!(names, ["document.bin", "document.bin", "winmail.dat"]);
        assert!(unpack(&winmail(), b"no TNEF").is_none());
    }
}
