//! The marked parts of a page: its HTML without what stands outside of the marks, elements around them left open and closed as
//! they were.
//!
//! Outlook breaks a line into spans wherever its checker had a thought, so a mark may be in pieces. Programs set a mark in a
//! paragraph of its own, a cell, or between two breaks; whatever begins a line in [`html`] begins one here.

use super::{Mark, mark};
use crate::mime::assess::html::{self, Piece};

/// Elements without an end.
const VOID: [&str; 14] =
    ["area", "base", "basefont", "br", "col", "embed", "frame", "hr", "img", "input", "link", "meta", "source", "wbr"];

/// Elements in which a browser reads other things than text and tags, or puts them elsewhere: nothing is cut around them.
const OTHERWISE: [&str; 10] =
    ["frameset", "math", "noscript", "object", "plaintext", "select", "svg", "template", "textarea", "xmp"];

/// Attributes that an element around a part keeps: how it looks, never what it says.
const LOOKS: [&str; 14] = [
    "align",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
    "class",
    "color",
    "dir",
    "face",
    "lang",
    "size",
    "style",
    "valign",
    "width",
];

/// Open elements that an end tag is looked for among.
const DEPTH: usize = 256;

/// What of a page is marked, `parts` as text; `None` where it cannot be cut so that it shows these and nothing else.
pub(super) fn cut(page: &str, parts: &[String]) -> Option<String> {
    let pieces: Vec<Piece<'_>> = html::pieces(page).collect();
    let otherwise = |piece: &Piece<'_>| matches!(piece, Piece::Tag(tag, _) if OTHERWISE.contains(&tag.name.as_str()));
    if pieces.iter().any(otherwise) {
        return None;
    }
    let regions = regions(&pieces)?;
    let kept = Kept::of(&pieces, &regions);
    let left = kept.write(&pieces, &regions);
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    (words(&html::as_text(&left)) == words(&parts.join("\n"))).then_some(left)
}

/// Whether a reader sees it.
fn is_shown(piece: &Piece<'_>) -> bool {
    match piece {
        Piece::Text(text) => !text.trim_ascii().is_empty(),
        Piece::Tag(tag, _) => matches!(tag.name.as_str(), "img" | "hr"),
    }
}

/// Whether an element ends before this one begins, though nothing closes it (HTML, section 13.1.2.4).
fn ends_before(open: &Piece<'_>, next: &str) -> bool {
    let Piece::Tag(open, _) = open else { return false };
    match open.name.as_str() {
        "p" => html::breaks_lines(next) && !matches!(next, "td" | "th" | "tr"),
        "li" => next == "li",
        "dd" | "dt" => matches!(next, "dd" | "dt"),
        "td" | "th" => matches!(next, "td" | "th" | "tr"),
        "tr" => next == "tr",
        _ => false,
    }
}

/// The pieces of a part: from the first that is shown to the last.
struct Region {
    first: usize,
    last: usize,
}

/// What stands between marks; `None` where the marks of the page are not in turn, or there is nothing between two.
fn regions(pieces: &[Piece<'_>]) -> Option<Vec<Region>> {
    let (mut regions, mut open) = (Vec::new(), None);
    for (mark, place) in marks(pieces) {
        match (mark, open.take()) {
            (Mark::Open, None) => open = Some(place.end),
            (Mark::Close, Some(from)) => {
                let shown = |at: &usize| is_shown(&pieces[*at]);
                let first = (from..place.start).find(shown)?;
                let last = (from..place.start).rev().find(shown)?;
                regions.push(Region { first, last });
            }
            _ => return None,
        }
    }
    (open.is_none() && !regions.is_empty()).then_some(regions)
}

/// The lines that are marks, and the pieces that each consists of.
fn marks(pieces: &[Piece<'_>]) -> Vec<(Mark, std::ops::Range<usize>)> {
    let (mut found, mut line, mut place) = (Vec::new(), String::new(), None::<std::ops::Range<usize>>);
    let mut end_line = |line: &mut String, place: &mut Option<std::ops::Range<usize>>| {
        let place = place.take();
        found.extend(mark(line).zip(place));
        line.clear();
    };
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(text) if text.trim_ascii().is_empty() => {}
            Piece::Text(text) => {
                line.push_str(&html::decoded(text));
                place = Some(place.map_or(at, |place| place.start)..at + 1);
            }
            Piece::Tag(tag, _) if html::breaks_lines(&tag.name) => end_line(&mut line, &mut place),
            Piece::Tag(..) => {}
        }
    }
    end_line(&mut line, &mut place);
    found
}

/// Which tags stay.
struct Kept(Vec<bool>);

impl Kept {
    /// An element stays where something is shown in it that is marked; one without an end, where it is in a part.
    fn of(pieces: &[Piece<'_>], regions: &[Region]) -> Self {
        let mut kept = vec![false; pieces.len()];
        for region in regions {
            let within = pieces.iter().zip(&mut kept).take(region.last + 1).skip(region.first);
            for (piece, kept) in within {
                *kept = match piece {
                    Piece::Text(_) => true,
                    Piece::Tag(tag, _) => VOID.contains(&tag.name.as_str()),
                };
            }
        }
        let mut before = Vec::with_capacity(pieces.len() + 1);
        before.push(0_usize);
        for shown in &kept {
            before.push(before[before.len() - 1] + usize::from(*shown));
        }
        let holds = |from: usize, to: usize| before[to] > before[from];
        let mut open: Vec<usize> = Vec::new();
        for (at, piece) in pieces.iter().enumerate() {
            let Piece::Tag(tag, _) = piece else { continue };
            if !tag.closing && !VOID.contains(&tag.name.as_str()) {
                // A paragraph that is not closed ends where the next one begins, and so do cells and items.
                while let Some(before) = open.pop_if(|before| ends_before(&pieces[*before], &tag.name)) {
                    kept[before] = holds(before, at);
                }
                open.push(at);
            } else if tag.closing {
                let same = |start: &&usize| matches!(&pieces[**start], Piece::Tag(one, _) if one.name == tag.name);
                let Some(start) = open.iter().rev().take(DEPTH).find(same).copied() else { continue };
                while let Some(inner) = open.pop().filter(|inner| *inner != start) {
                    kept[inner] = holds(inner, at);
                }
                (kept[start], kept[at]) = (holds(start, at), holds(start, at));
            }
        }
        for start in open {
            kept[start] = holds(start, pieces.len());
        }
        Self(kept)
    }

    fn write(&self, pieces: &[Piece<'_>], regions: &[Region]) -> String {
        let mut out = String::new();
        let mut regions = regions.iter().enumerate().peekable();
        for (at, piece) in pieces.iter().enumerate().filter(|(at, _)| self.0[*at]) {
            while regions.next_if(|(_, region)| region.last < at).is_some() {}
            let within = regions.peek().filter(|(_, region)| region.first <= at);
            if within.is_some_and(|(number, region)| *number > 0 && region.first == at) {
                out.push_str("<br>");
            }
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Tag(_, written) if within.is_some() => out.push_str(written),
                Piece::Tag(tag, _) if tag.closing => out.extend(["</", tag.name.as_str(), ">"]),
                Piece::Tag(tag, _) => {
                    out.extend(["<", tag.name.as_str()]);
                    let looks = LOOKS.iter().filter_map(|name| Some((name, tag.attribute(name)?)));
                    // A picture says something, and nobody marked it.
                    for (name, value) in looks.filter(|(_, value)| !value.to_ascii_lowercase().contains("cid:")) {
                        let value = value.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
                        out.extend([" ", *name, "=\"", value.as_str(), "\""]);
                    }
                    out.push('>');
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime::assess::marked::{Marked, parts};
    use crate::mime::text::as_sent;
    use proptest::prelude::*;

    fn left(page: &str) -> Option<String> {
        let parts = parts(&as_sent(&html::as_text(page))).unwrap();
        cut(page, &parts)
    }

    #[test]
    fn elements_around_a_part_stay_and_all_else_goes() {
        for (page, expected) in [
            ("<p>s</p><p>[part]</p><p>Take <b>2</b>.</p><p>[/part]</p><p>s</p>", "<p>Take <b>2</b>.</p>"),
            ("s<br>[part]<br>a<br>b<br>[/part]<br>s<br>[part]<br>c<br>[/part]", "a<br>b<br>c"),
            ("<div>[part]</div><div>a<!-- s --><style>s{}</style></div><div>[/part]</div>", "<div>a</div>"),
            (
                "<div title='s' style='color:red'><p class=MsoNormal><span>[pa</span><span>rt]<o:p></o:p></span></p>\
                 <p class=MsoNormal>a&amp;<o:p>&nbsp;</o:p></p><p><b>[/part]</b></p></div>",
                "<div style=\"color:red\"><p class=\"MsoNormal\">a&amp;<o:p>&nbsp;</o:p></p></div>",
            ),
            ("<p style='background:url(CID:a)' dir=ltr>[part]<br>a<br>[/part]</p>", "<p dir=\"ltr\">a</p>"),
            (
                "<table title=s><tr><td>[part]</td></tr><tr><td>a<td>b</tr></table>[/part]",
                "<table><tr><td>a<td>b</tr></table>",
            ),
        ] {
            assert_eq!(left(page).as_deref(), Some(expected), "{page}");
        }
    }

    #[test]
    fn a_page_that_cannot_be_cut_with_certainty_is_not() {
        for page in [
            "<pre>[part]\na\n[/part]</pre>",
            "<p>[part]</p><textarea>a</textarea><p>[/part]</p>",
            "<p>[part]<p><svg></svg>a<p>[/part]",
        ] {
            assert_eq!(left(page), None, "{page}");
        }
    }

    proptest! {
        /// The words `secret` stand outside of every mark, the words `open` within.
        #[test]
        fn nothing_that_is_not_marked_is_left(pieces in prop::collection::vec(prop_oneof![
            Just("secret "), Just("<p>"), Just("</p>"), Just("<div title=secret>"), Just("</div>"), Just("<b>"), Just("</b>"),
            Just("<!-- secret -->"), Just("<br>"), Just("<table><tr><td>"), Just("</table>"), Just("<style>secret</style>"),
            Just("<img alt=secret src=cid:secret>"), Just("<a href='https://x.example'>"), Just("</a>"), Just("<ul><li>"),
            Just("<p>[part]</p>open<p>[/part]</p>"), Just("<br>[pa<i>rt]</i><br><p>open</p>[/p<u>art]<br></u>"),
            Just("<div>[part]</div><p>open &lt;<div>[/part]</div>"), Just("<![if !mso]>"), Just("<span title='>secret"),
        ], 0..30)) {
            let page = pieces.concat();
            let shown = as_sent(&html::as_text(&page));
            let (mut text, mut html) = (Some(shown.clone()), Some(page.clone()));
            if Marked::take(&mut text, &mut html, Some(&shown)).is_ok_and(|marked| marked.any) {
                let html = html.unwrap_or_default();
                let shown = html::as_text(&html);
                prop_assert!(!text.unwrap_or_default().contains("secret"), "{}", page);
                prop_assert!(!shown.contains("secret") && !html.contains("cid:") && !html.contains("title"), "{} of {}", html, page);
            }
        }
    }
}
