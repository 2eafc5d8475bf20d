//! Which leaves are the text of a message, as a reader would show it; every other leaf is a document.

use std::collections::BTreeSet;

use crate::mime::assess::embedded::Embedded;
use crate::mime::assess::written::{take_out, take_out_of_shown};
use crate::mime::assess::{Attachment, Reading, content, embedded, html};
use crate::mime::decode::to_utf8;
use crate::mime::text::{as_sent, no_files_within};
use crate::mime::{Content, Defect, Entity, Flaw};

/// How often a text is looked through for what is left in it.
const ROUNDS: usize = 4;

/// The text of a message.
pub(super) struct Bodies {
    pub text: Option<String>,
    pub html: Option<String>,
    /// The HTML as plain text, in the form in which it is sent.
    pub shown: Option<String>,
    /// The leaves that are in it, by their number.
    pub used: BTreeSet<usize>,
    /// The files that were written into it.
    pub written: Vec<Attachment>,
    /// The files in the addresses of its HTML.
    pub embedded: Vec<Attachment>,
}

/// Whether a leaf may be text that people read: plain or HTML, no attachment, no file name.
pub(super) fn may_be_text(leaf: &Entity) -> bool {
    let shown = matches!(leaf.disposition.as_deref(), None | Some("inline"));
    let text = leaf.media_type.is("text", "plain") || leaf.media_type.is("text", "html");
    text && shown && leaf.names.is_empty()
}

/// Of each leaf, whether it is one of the forms of a text (`multipart/alternative`).
pub(super) fn forms(root: &Entity) -> Vec<bool> {
    let (mut found, mut pending) = (Vec::new(), vec![(root, false)]);
    while let Some((entity, is_form)) = pending.pop() {
        match &entity.content {
            Content::Leaf => found.push(is_form),
            Content::Multipart(children) => {
                let forms = entity.media_type.is("multipart", "alternative");
                pending.extend(children.iter().rev().map(|child| (child, forms)));
            }
        }
    }
    found
}

/// Chooses the text. A text that is too long, or is none, is a document.
///
/// # Errors
/// A file written into the text that cannot be taken out of it.
pub(super) fn choose(
    root: &Entity,
    leaves: &[&Entity],
    readings: &[Reading],
    text_limit: usize,
) -> Result<Bodies, Defect> {
    let mut texts = Vec::with_capacity(leaves.len());
    let (mut empty, mut written, mut embedded) = (BTreeSet::new(), Vec::new(), Vec::new());
    for (at, leaf) in leaves.iter().enumerate() {
        let reading =
            readings.get(at).filter(|read| read.whole && read.octets.len() <= text_limit && may_be_text(leaf));
        let charset = leaf.media_type.parameter("charset");
        let text = reading.map(|read| match take_out(leaf, &read.octets) {
            Some((octets, files)) => {
                written.push((at, files));
                to_utf8(&octets, charset)
            }
            None => to_utf8(&read.octets, charset),
        });
        let page = text.as_deref().filter(|_| leaf.media_type.is("text", "html"));
        let text = match page.map(|page| embedded::take_out(leaf.body.start, page)) {
            Some(Embedded::Files(page, files)) => {
                embedded.push((at, files));
                Some(page)
            }
            // It is a document.
            Some(Embedded::InThePage) => None,
            Some(Embedded::Nothing) | None => text,
        };
        if text.as_deref().is_some_and(|text| text.trim().is_empty()) {
            empty.insert(at);
        }
        texts.push(text.filter(|text| content::reads_as_text(text)));
    }
    let mut next = 0;
    let shown = shown(root, &mut texts.into_iter(), &mut next);
    let mut used = empty;
    for piece in [&shown.plain, &shown.html].into_iter().flatten() {
        used.extend(&piece.leaves);
    }
    let html = shown.html.map(|piece| piece.text);
    let plain = shown.plain.map(|piece| as_sent(&piece.text));
    let from_html = html.as_deref().map(|html| as_sent(&html::as_text(html)));
    // What is made of the HTML for a letter is looked through when it is made (pack::notice).
    for text in [&html, &plain, &from_html].into_iter().flatten() {
        no_files_within(text.as_bytes())?;
    }
    let of_used = |files: Vec<(usize, Vec<Attachment>)>| {
        files.into_iter().filter(|(at, _)| used.contains(at)).flat_map(|(_, files)| files).collect()
    };
    let (written, embedded) = (of_used(written), of_used(embedded));
    let bodies = Bodies { text: plain, html, shown: from_html, used, written, embedded };
    match bodies.used.first().and_then(|at| leaves.get(*at)) {
        Some(leaf) => bodies.without_base64(leaf),
        None => Ok(bodies),
    }
}

impl Bodies {
    /// Without the base64 that is only seen now; the text is then what the HTML reads as, where there is no other. HTML that
    /// reads as such is given up for what else it says.
    fn without_base64(mut self, leaf: &Entity) -> Result<Self, Defect> {
        let (in_plain, in_html) = (take_all_out(leaf, &mut self.text)?, take_all_out(leaf, &mut self.shown)?);
        self.text = self.text.or_else(|| self.shown.clone());
        if !in_html.is_empty() {
            (self.html, self.shown) = (None, None);
        }
        // A text often says the same in both its forms.
        for file in in_plain.into_iter().chain(in_html) {
            if self.written.iter().all(|known| known.front != file.front) {
                self.written.push(file);
            }
        }
        Ok(self)
    }
}

/// Takes out what stands in a text, and what then stands together as one more.
fn take_all_out(leaf: &Entity, text: &mut Option<String>) -> Result<Vec<Attachment>, Defect> {
    let (mut found, mut rounds) = (Vec::new(), 0);
    let Some(text) = text else { return Ok(found) };
    while let Some((rest, files)) = take_out_of_shown(leaf, text)? {
        if rounds == ROUNDS {
            return Err(Flaw::Base64.into());
        }
        *text = rest;
        found.extend(files);
        rounds += 1;
    }
    Ok(found)
}

/// One form of a text, and the leaves in it.
#[derive(Clone)]
struct Piece {
    text: String,
    leaves: Vec<usize>,
}

/// What a reader shows of an entity.
#[derive(Default)]
struct Shown {
    plain: Option<Piece>,
    html: Option<Piece>,
}

impl Shown {
    fn is_empty(&self) -> bool {
        self.plain.is_none() && self.html.is_none()
    }
}

/// Takes the texts of the entity's leaves off `texts`. Recursion is as deep as multiparts are nested.
fn shown(entity: &Entity, texts: &mut impl Iterator<Item = Option<String>>, next: &mut usize) -> Shown {
    let Content::Multipart(children) = &entity.content else {
        let piece = texts.next().flatten().map(|text| Piece { text, leaves: vec![*next] });
        *next += 1;
        return if entity.media_type.is("text", "html") {
            Shown { plain: None, html: piece }
        } else {
            Shown { plain: piece, html: None }
        };
    };
    let mut parts: Vec<Shown> = Vec::with_capacity(children.len());
    for child in children {
        parts.push(shown(child, texts, next));
    }
    parts.retain(|part| !part.is_empty());
    match entity.media_type.subtype.as_str() {
        "alternative" => alternative(parts),
        // The halves of a Macintosh file, and what PGP/MIME encrypted: no text, whatever they are called.
        "appledouble" | "encrypted" => Shown::default(),
        "related" => parts.into_iter().next().unwrap_or_default(),
        _ => joined(parts),
    }
}

/// The first plain and the first HTML form.
fn alternative(parts: Vec<Shown>) -> Shown {
    let mut chosen = Shown::default();
    for part in parts {
        chosen.plain = chosen.plain.or(part.plain);
        chosen.html = chosen.html.or(part.html);
    }
    chosen
}

/// One text after the other, in both forms where one of them has HTML: Apple Mail writes text around each document.
fn joined(mut parts: Vec<Shown>) -> Shown {
    if parts.len() < 2 {
        return parts.pop().unwrap_or_default();
    }
    let rich = parts.iter().any(|part| part.html.is_some());
    let leaves: Vec<usize> =
        parts.iter().flat_map(|part| [&part.plain, &part.html]).flatten().flat_map(|p| p.leaves.clone()).collect();
    let (mut plain, mut html) = (String::new(), String::new());
    for part in parts {
        let text = match (&part.plain, &part.html) {
            (Some(piece), _) => piece.text.clone(),
            (None, Some(piece)) => html::as_text(&piece.text),
            (None, None) => String::new(),
        };
        html.push_str(&part.html.map_or_else(|| as_html(&text), |piece| piece.text));
        plain.push_str(&text);
        if !plain.ends_with('\n') {
            plain.push_str("\r\n");
        }
    }
    let html = rich.then(|| Piece { text: html, leaves: leaves.clone() });
    Shown { plain: Some(Piece { text: plain, leaves }), html }
}

fn as_html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<pre style=\"white-space:pre-wrap;font:inherit\">{escaped}</pre>")
}
