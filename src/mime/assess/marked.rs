//! Marked parts of a text: where lines `[part]` and `[/part]` stand, only what is between them is for a patient, and the rest
//! for nobody outside.
//!
//! The text is cut here, before anything else is made of it, so that nothing built from an assessment can hold what was not
//! marked. Who is inside is sent the message as it is, and never by way of its text.

use std::collections::HashSet;

use crate::mime::assess::{Attachment, Given, content};
use crate::mime::text::as_sent;
use crate::mime::{Defect, Entity, Flaw};

mod page;

/// A line that is a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Open,
    Close,
}

/// Octets of the longest line that is looked at for a mark; a mark with more around it is one that does not stand alone.
const LONGEST: usize = 200;

/// What was marked of a message's text.
#[derive(Default)]
pub(super) struct Marked {
    /// Whether anything was.
    pub any: bool,
    /// Content-IDs of the pictures that stand outside of the marks alone.
    unmarked: HashSet<String>,
}

impl Marked {
    /// Leaves of a text in its two forms what is marked, if anything is; `shown` is the HTML as text. The HTML is dropped where
    /// it has no marks, or cannot be cut so that it shows just what is marked.
    ///
    /// # Errors
    /// [`Flaw::PartMarks`]: marks that do not stand alone on a line, in turn, with something between them, or not as often in the
    /// one form as in the other.
    pub fn take(text: &mut Option<String>, html: &mut Option<String>, shown: Option<&str>) -> Result<Self, Flaw> {
        let of_text = text.as_deref().map(parts).transpose()?.unwrap_or_default();
        let of_html = shown.map(parts).transpose()?.unwrap_or_default();
        if of_text.is_empty() && of_html.is_empty() {
            return Ok(Self::default());
        }
        if !of_text.is_empty() && !of_html.is_empty() && of_text.len() != of_html.len() {
            return Err(Flaw::PartMarks);
        }
        let pictures = |html: &Option<String>| html.as_deref().map(content::content_ids).unwrap_or_default();
        let mut unmarked = pictures(html);
        *html = html.take().filter(|_| !of_html.is_empty()).and_then(|html| page::cut(&html, &of_html));
        *text = Some(joined(if of_text.is_empty() { &of_html } else { &of_text }));
        let left = pictures(html);
        unmarked.retain(|id| !left.contains(id));
        Ok(Self { any: true, unmarked })
    }

    /// Files that were written into a text stand somewhere in it, and it is not known where.
    ///
    /// # Errors
    /// [`Flaw::PartFile`] where there are both.
    pub fn refuse_written(&self, written: &[Attachment]) -> Result<(), Flaw> {
        if self.any && !written.is_empty() { Err(Flaw::PartFile) } else { Ok(()) }
    }

    /// How a picture that was written into the page is given: not at all where it stands outside of the marks alone.
    pub fn given(&self, picture: &Attachment) -> Given {
        let unmarked = picture.content_id.as_ref().is_some_and(|id| self.unmarked.contains(id));
        Given::unless(self.any && unmarked)
    }

    /// Whether a leaf that is no text of the message may show what is not marked: a picture of it, or the text in another
    /// form (`is_form`: it is one of `multipart/alternative`), such as an invitation to a meeting.
    pub fn withholds(&self, leaf: &Entity, is_form: bool) -> bool {
        let kind = &leaf.media_type;
        let nameless =
            kind.kind == "text" && leaf.names.is_empty() && leaf.disposition.as_deref() != Some("attachment");
        let calendar = kind.is("text", "calendar") || kind.is("application", "ics");
        let picture = leaf.content_id.as_ref().is_some_and(|id| self.unmarked.contains(id));
        self.any && (is_form || nameless || calendar || picture)
    }
}

/// Parts as one text, an empty line between two.
fn joined(parts: &[String]) -> String {
    as_sent(&parts.join("\r\n"))
}

/// What stands between the marks of a text.
fn parts(text: &str) -> Result<Vec<String>, Flaw> {
    let (mut parts, mut open) = (Vec::new(), None::<String>);
    for line in text.lines() {
        match (mark(line), &mut open) {
            (Some(Mark::Open), None) => open = Some(String::new()),
            (Some(Mark::Close), Some(part)) if !part.trim().is_empty() => parts.extend(open.take()),
            (Some(_), _) => return Err(Flaw::PartMarks),
            (None, _) if is_stray(line) => return Err(Flaw::PartMarks),
            (None, Some(part)) => {
                part.push_str(line);
                part.push_str("\r\n");
            }
            (None, None) => {}
        }
    }
    if open.is_some() { Err(Flaw::PartMarks) } else { Ok(parts) }
}

/// The mark that a line is.
fn mark(line: &str) -> Option<Mark> {
    if line.len() > LONGEST || !line.contains('[') {
        return None;
    }
    let seen: String = line.chars().filter(|c| is_seen(*c)).collect();
    let inner = seen.strip_prefix('[')?.strip_suffix(']')?;
    word(inner)
}

/// What stands in brackets, without what is not seen.
fn word(inner: &str) -> Option<Mark> {
    match inner {
        _ if inner.eq_ignore_ascii_case("part") => Some(Mark::Open),
        _ if inner.eq_ignore_ascii_case("/part") => Some(Mark::Close),
        _ => None,
    }
}

fn is_seen(c: char) -> bool {
    let unseen = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    !unseen && !c.is_whitespace()
}

/// Whether a mark stands in a line of other words, where it was meant and does nothing. In a line that is quoted it is
/// somebody's else; `BODY[part]` is none.
fn is_stray(line: &str) -> bool {
    if !line.contains('[') || line.trim_start().starts_with('>') {
        return false;
    }
    line.match_indices('[').any(|(at, _)| {
        let rest = &line[at + 1..];
        let Some(inner) =
            rest.char_indices().take(LONGEST).find(|(_, c)| matches!(c, '[' | ']')).map(|(end, _)| &rest[..end])
        else {
            return false;
        };
        let seen: String = inner.chars().filter(|c| is_seen(*c)).collect();
        let mut behind = rest[inner.len()..].chars();
        let apart = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
        word(&seen).is_some()
            && behind.next() == Some(']')
            && apart(line[..at].chars().next_back())
            && apart(behind.next())
    })
}

/// Looks for a mark in a text that streams by and is given as a document: nobody cuts it, so what is not marked would leave
/// with it. Quoted marks are somebody else's; those of other charsets than ASCII's kin and UTF-16 are not seen.
pub struct MarkSearch {
    line: Vec<u8>,
    /// Of a page: whether a tag is open. Where it closes a line ends, so that it is never taken for a quote's sign.
    tag: Option<bool>,
}

impl MarkSearch {
    /// The search through a text of this media type.
    pub fn of(media_type: &str) -> Self {
        Self { line: Vec::new(), tag: (media_type == "text/html").then_some(false) }
    }

    /// Takes the next octets.
    ///
    /// # Errors
    /// The [`Defect`] of marks where they do nothing.
    pub fn feed(&mut self, octets: &[u8]) -> Result<(), Defect> {
        for octet in octets {
            match octet {
                0 => continue,
                b'\n' | b'\r' => {}
                b'<' if self.tag == Some(false) => self.tag = Some(true),
                b'>' if self.tag == Some(true) => self.tag = Some(false),
                _ => {
                    self.line.push(*octet);
                    self.cut_long()?;
                    continue;
                }
            }
            self.finish()?;
        }
        Ok(())
    }

    /// Of a line that goes on and on, only the end is kept, in which a mark may have begun.
    fn cut_long(&mut self) -> Result<(), Defect> {
        if self.line.len() > 8 * LONGEST {
            let kept = self.line.split_off(self.line.len() - 2 * LONGEST);
            self.finish()?;
            self.line = kept;
        }
        Ok(())
    }

    /// Looks at what the last line holds.
    ///
    /// # Errors
    /// As [`Self::feed`].
    pub fn finish(&mut self) -> Result<(), Defect> {
        let line = String::from_utf8_lossy(&self.line);
        let found = is_stray(&line);
        self.line.clear();
        if found { Err(Flaw::PartMarks.into()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime::assess::html::as_text;

    /// What is left of both forms; `None` where the marks are refused.
    fn kept(text: &str, html: Option<&str>) -> Option<(String, Option<String>)> {
        let (mut text, mut html) = (Some(as_sent(text)), html.map(str::to_owned));
        let shown = html.as_deref().map(|html| as_sent(&as_text(html)));
        let marked = Marked::take(&mut text, &mut html, shown.as_deref()).ok()?;
        assert!(marked.any);
        Some((text.unwrap_or_default(), html))
    }

    #[test]
    fn what_is_between_the_marks_is_left() {
        for (text, left) in [
            ("note\n[part]\nTake 2.\n[/part]\nsecret", "Take 2.\r\n"),
            ("[PART]\na\n\nb\n [ /part ]\u{a0}\nsecret\n\u{200b}[part]\nc\n[/part]", "a\r\n\r\nb\r\n\r\nc\r\n"),
            ("> [part]\n[part]\nx\n[/part]\n> [/part] BODY[part]", "x\r\n"),
        ] {
            assert_eq!(kept(text, None), Some((left.to_owned(), None)), "{text}");
        }
        for ordinary in ["Hello", "> [part]\r\n> x", "FETCH 1 BODY[part]", "[parts]\r\n[part 1]"] {
            assert_eq!(parts(ordinary), Ok(Vec::new()), "{ordinary}");
        }
    }

    /// For each bracket the whole line was searched for its end: half a megabyte of them stopped the gateway for minutes.
    #[test]
    fn a_line_of_brackets_is_looked_through_once() {
        assert_eq!(parts(&"[".repeat(512 * 1024)), Ok(Vec::new()));
        assert_eq!(parts(&format!("{}[part]", "[ ".repeat(256 * 1024))), Err(Flaw::PartMarks));
    }

    /// The end of a tag on a line of its own was taken for the sign of a quote, and the mark behind it for somebody else's.
    #[test]
    fn a_mark_behind_the_end_of_a_tag_is_found() {
        let finds = |media_type: &str, text: &[u8]| {
            let mut search = MarkSearch::of(media_type);
            text.chunks(3).try_for_each(|some| search.feed(some)).and_then(|()| search.finish()).is_err()
        };
        for page in ["x<br\n>[part]<br>", "<p\n>[ pa\u{200b}rt ]</p>", "<p>[pa\n", "<b>x</b>\n[/part]"] {
            assert_eq!(finds("text/html", page.as_bytes()), page.contains("rt"), "{page}");
        }
        assert!(!finds("text/html", b"<p>x\n> [part]\n</p>"), "a quote");
        assert!(!finds("text/plain", b"a < b\n> [part]\n"), "a quote");
        assert!(finds("text/plain", &"x\n[part]\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()));
        assert!(finds("text/plain", format!("{}[part]", "x ".repeat(5000)).as_bytes()));
    }

    #[test]
    fn marks_that_are_not_in_turn_alone_or_around_something_are_refused() {
        for text in [
            "[part]\nx",
            "x\n[/part]",
            "[part]\nx\n[part]\ny\n[/part]",
            "[part]\nx\n[/part]\n[/part]",
            "[part]\n\n[/part]",
            "[part] Take 2. [/part]",
            "Please see [part]\nx\n[/part]",
            "- [part]\nx\n- [/part]",
        ] {
            assert_eq!(parts(&as_sent(text)), Err(Flaw::PartMarks), "{text}");
        }
    }

    #[test]
    fn both_forms_have_as_many_or_the_one_without_goes() {
        let text = "s\n[part]\nTake 2.\n[/part]";
        let two = "<p>[part]</p>a<p>[/part]</p><p>[part]</p>b<p>[/part]</p>";
        assert_eq!(kept(text, Some(two)), None);
        assert_eq!(kept(text, Some("<p>s</p><p>Take 2.</p>")), Some(("Take 2.\r\n".into(), None)));
        assert_eq!(
            kept("See the other form", Some("<p>s<p>[part]<p>Take 2.<p>[/part]")),
            Some(("Take 2.\r\n".into(), Some("<p>Take 2.".into())))
        );
    }
}
