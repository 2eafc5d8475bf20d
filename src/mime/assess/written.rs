//! Files written into the message's own text (uuencode, xxencode, yEnc, BinHex, bare base64): each becomes a document, and its place says
//! so.

use crate::mime::assess::{Attachment, Given, START, content};
use crate::mime::inside;
use crate::mime::written::{Written, block, find};
use crate::mime::{Defect, Entity, Flaw, MediaType, TransferEncoding, names};

/// What stands where a file was.
const PLACE: &[u8] = b"[document]\r\n";

/// Files of one text; with more it is no letter.
const MOST: usize = 50;

/// The octets of a plain text without the files written into it, and the files. `None` where there is none, or one that is
/// not whole: what readers would make of that is not clear, and it is refused where the text is looked through.
pub(super) fn take_out(leaf: &Entity, octets: &[u8]) -> Option<(Vec<u8>, Vec<Attachment>)> {
    // In a charset that is no ASCII, lines are not what they seem here; such a file is refused once it is decoded.
    let charset = leaf.media_type.parameter("charset").unwrap_or_default();
    let encoding = encoding_rs::Encoding::for_label(charset.trim().as_bytes());
    if !leaf.media_type.is("text", "plain") || encoding.is_some_and(|known| !known.is_ascii_compatible()) {
        return None;
    }
    let found: Vec<Written> = find(octets).take(MOST + 1).collect();
    if found.iter().any(|file| !file.sound || file.octets.is_empty()) {
        return None;
    }
    let rest = without(octets, &found);
    let blocks = block::find(&rest);
    let rest = without(&rest, &blocks);
    let documents: Vec<Attachment> = found.into_iter().chain(blocks).map(|file| document(leaf, file)).collect();
    (!documents.is_empty() && documents.len() <= MOST).then_some((rest, documents))
}

/// As [`take_out`], for bare base64 in a text as it is shown: of HTML, and of a charset that is no ASCII, nothing can be cut
/// before. `None` where there is none.
///
/// # Errors
/// [`Flaw::Base64`] for too much of it.
pub(super) fn take_out_of_shown(leaf: &Entity, shown: &str) -> Result<Option<(String, Vec<Attachment>)>, Defect> {
    let blocks = block::find(shown.as_bytes());
    if blocks.is_empty() {
        return Ok(None);
    }
    if blocks.len() > MOST {
        return Err(Flaw::Base64.into());
    }
    // Cut at the ends of lines, so it is still UTF-8.
    let rest = String::from_utf8_lossy(&without(shown.as_bytes(), &blocks)).into_owned();
    Ok(Some((rest, blocks.into_iter().map(|file| document(leaf, file)).collect())))
}

/// The text with a line in the place of each of these files, which stand in it in order.
fn without(text: &[u8], files: &[Written]) -> Vec<u8> {
    let (mut rest, mut at) = (Vec::with_capacity(text.len()), 0);
    for file in files {
        rest.extend_from_slice(&text[at..file.place.start]);
        rest.extend_from_slice(PLACE);
        at = file.place.end;
    }
    rest.extend_from_slice(&text[at..]);
    rest
}

fn document(leaf: &Entity, file: Written) -> Attachment {
    Attachment::in_text(leaf.body.start, names::saved_as(&file.name), &MediaType::octet_stream(), file.octets)
}

impl Attachment {
    /// A document whose octets stood in a text, `names` as it was given them there; `at` is where what holds the text stands in
    /// the message.
    pub(super) fn in_text(at: u64, mut names: Vec<String>, declared: &MediaType, octets: Vec<u8>) -> Self {
        let content_type = content::shown(&octets[..octets.len().min(START)]);
        if names.is_empty() {
            names.push(names::made(declared, content_type.as_deref()));
        }
        Self {
            body: at..at,
            encoding: TransferEncoding::Identity,
            within: None,
            name: names[0].clone(),
            inside: inside::look_at(&names[0], &octets),
            names,
            declared_type: declared.to_string(),
            content_type,
            octets: octets.len() as u64,
            inline: false,
            given: Given::AsDocument,
            content_id: None,
            front: octets.into(),
        }
    }
}
