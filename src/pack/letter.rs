//! The sender's own text as it stands in a rebuilt mail: HTML that can do nothing but look like something.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use crate::mime::assess::percent_decoded;
use crate::pack::pictures::{self, TextPicture};

/// What is shown: text, its structure and its looks. No script, form, frame, picture, style sheet or foreign markup.
const ELEMENTS: [&str; 53] = [
    "a",
    "abbr",
    "address",
    "b",
    "bdi",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
];
const MORE_ELEMENTS: [&str; 4] = ["tt", "u", "ul", "var"];

/// Elements that go with everything in them.
const DROPPED_WHOLE: [&str; 17] = [
    "applet", "frameset", "head", "iframe", "math", "noembed", "noframes", "noscript", "object", "option", "script",
    "select", "style", "svg", "template", "textarea", "title",
];

/// Properties of inline styles that stay: none that loads, moves, hides or overlays.
const PROPERTIES: [&str; 42] = [
    "background-color",
    "border",
    "border-bottom",
    "border-bottom-color",
    "border-bottom-style",
    "border-bottom-width",
    "border-collapse",
    "border-color",
    "border-left",
    "border-right",
    "border-spacing",
    "border-style",
    "border-top",
    "border-width",
    "color",
    "direction",
    "font-family",
    "font-size",
    "font-style",
    "font-variant",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "text-align",
    "text-decoration",
    "text-indent",
    "text-transform",
    "vertical-align",
    "white-space",
    "width",
];

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::new();
    builder
        .tags(ELEMENTS.into_iter().chain(MORE_ELEMENTS).collect())
        .clean_content_tags(HashSet::from(DROPPED_WHOLE))
        .generic_attributes(HashSet::from(["style", "dir", "lang"]))
        .tag_attributes(attributes())
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel", "cid"]))
        .url_relative(UrlRelative::Deny)
        .filter_style_properties(HashSet::from(PROPERTIES))
        .attribute_filter(keep_attribute);
    builder
});

fn attributes() -> HashMap<&'static str, HashSet<&'static str>> {
    let cell = ["align", "bgcolor", "colspan", "height", "rowspan", "valign", "width"];
    HashMap::from([
        ("a", HashSet::from(["href"])),
        ("col", HashSet::from(["span", "width"])),
        ("div", HashSet::from(["align", "class"])),
        ("font", HashSet::from(["color", "face", "size"])),
        ("hr", HashSet::from(["align", "size", "width"])),
        ("img", HashSet::from(["alt", "height", "src", "width"])),
        ("li", HashSet::from(["class", "value"])),
        ("ol", HashSet::from(["start", "type"])),
        ("p", HashSet::from(["align", "class"])),
        ("table", HashSet::from(["align", "bgcolor", "border", "cellpadding", "cellspacing", "width"])),
        ("td", HashSet::from(cell)),
        ("th", HashSet::from(cell)),
        ("tr", HashSet::from(["align", "bgcolor", "valign"])),
    ])
}

/// Of pictures only whether they came with the mail; of classes only Word's, which stand for margins; no `cid:` links;
/// no style in which an address could hide.
fn keep_attribute<'v>(element: &str, attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
    match (element, attribute) {
        ("img", "src") => is_cid(value).then(|| format!("cid:{}", percent_decoded(&value.trim_start()[4..])).into()),
        ("a", "href") => (!is_cid(value)).then_some(Cow::Borrowed(value)),
        (_, "class") => value.split_ascii_whitespace().find_map(word_class).map(Cow::Borrowed),
        (_, "style") => {
            let lower = value.to_ascii_lowercase();
            let loads = ["url", "expression", "image", "src(", "\\", "@", "var("].iter().any(|it| lower.contains(it));
            (!loads && !value.is_empty()).then(|| at_a_readable_size(value))
        }
        _ => Some(Cow::Borrowed(value)),
    }
}

/// Text that desktop programs set in 10 to 11 points is set in 12, the 16 pixels of the mail around it: it was chosen
/// for paper, and is small on a phone.
fn at_a_readable_size(style: &str) -> Cow<'_, str> {
    const SMALL: [&str; 6] = ["10pt", "10.0pt", "10.5pt", "11pt", "11.0pt", "11.5pt"];
    let Some((before, size)) = style.split_once("font-size:") else { return Cow::Borrowed(style) };
    match SMALL.iter().find_map(|small| size.trim_start().strip_prefix(small)) {
        Some(after) => Cow::Owned(format!("{before}font-size:12pt{after}")),
        None => Cow::Borrowed(style),
    }
}

fn is_cid(url: &str) -> bool {
    url.trim_start().get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("cid:"))
}

fn word_class(class: &str) -> Option<&'static str> {
    match class {
        "MsoNormal" | "MsoPlainText" | "MsoNoSpacing" => Some("MsoNormal"),
        _ if class.starts_with("MsoListParagraph") => Some("MsoListParagraph"),
        _ => None,
    }
}

/// The sender's HTML, sanitised; `None` where it is [`too_tangled`] to be read in bounded time. Remote pictures are gone
/// (their words stay); where a picture came with the mail, it stands if it is one of `pictures`, else this text in its place, which
/// is HTML text already.
pub(crate) fn from_html(html: &str, picture: &str, names: &[&str], pictures: &[TextPicture]) -> Option<String> {
    if too_tangled(html) {
        return None;
    }
    let clean = SANITISER.clean(html).to_string();
    let clean = pictures::placed(&clean, picture, names, pictures).replace("<span style=\"\">", "<span>");
    Some(if clean.contains(" class=\"Mso") { margins_for_word_classes(&clean) } else { clean })
}

/// Whether reading could take time or memory out of proportion. Reading HTML as the standard says looks through all
/// open elements at a tag, and opens formatting elements that were not closed again in every block after them
/// (HTML, sections 13.2.4.2 and 13.2.4.3): the work is bounded by tags × tags, the result by formatting tags × others.
/// Counted is what could be a tag; a real letter of 512 KiB stays far below.
fn too_tangled(html: &str) -> bool {
    const TAGS: usize = 8_000;
    const PRODUCT: usize = 1_000_000;
    const FORMATTING: [&str; 14] =
        ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];
    let (mut formatting, mut others) = (0_usize, 0_usize);
    for rest in html.split('<').skip(1) {
        let name = rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let is_formatting = FORMATTING.iter().any(|known| known.eq_ignore_ascii_case(name));
        *(if is_formatting { &mut formatting } else { &mut others }) += 1;
    }
    formatting + others > TAGS || formatting.saturating_mul(others) > PRODUCT
}

/// Word keeps its margins in a style sheet, which does not pass; without them every line would be a paragraph apart.
fn margins_for_word_classes(clean: &str) -> String {
    let mut out = clean.to_owned();
    for (class, style) in [("MsoNormal", "margin:0"), ("MsoListParagraph", "margin:0 0 0 36pt")] {
        for element in ["p", "div", "li"] {
            let opening = format!("<{element} class=\"{class}\"");
            out = out.replace(&format!("{opening} style=\""), &format!("<{element} style=\"{style};"));
            out = out.replace(&opening, &format!("<{element} style=\"{style}\""));
        }
    }
    out
}

/// Plain text as paragraphs: an empty line ends one, other line ends stay, runs of spaces keep their width.
pub(crate) fn from_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8 + 64);
    let mut open = false;
    for line in text.lines() {
        let line = line.trim_end();
        if line.is_empty() {
            if open {
                out.push_str("</p>");
            }
            open = false;
            continue;
        }
        out.push_str(if open { "<br>" } else { "<p style=\"margin:0 0 16px\">" });
        open = true;
        push_with_widths(&mut out, line);
    }
    if open {
        out.push_str("</p>");
    }
    out
}

/// A line as HTML text in which two spaces stay two and a tab is four wide.
fn push_with_widths(out: &mut String, line: &str) {
    if stays_as_it_is(line.as_bytes()) {
        return out.push_str(line);
    }
    let mut rest = line;
    while let Some(at) = rest.bytes().position(|b| b == b' ' || b == b'\t') {
        push_escaped(out, &rest[..at]);
        rest = &rest[at..];
        let (taken, written) = match rest.as_bytes() {
            [b'\t', ..] => (1, "&nbsp;&nbsp;&nbsp; "),
            [_, b' ', ..] => (2, "&nbsp; "),
            _ => (1, " "),
        };
        out.push_str(written);
        rest = &rest[taken..];
    }
    push_escaped(out, rest);
}

/// Whether nothing of a line needs escaping, or keeping apart. No octet ends the look early, so that many are looked at in
/// one instruction.
fn stays_as_it_is(line: &[u8]) -> bool {
    let changes = |b: u8| b == b'\t' || escaped(b).is_some();
    let wide = line.iter().zip(line.iter().skip(1)).fold(false, |found, (a, b)| found | (*a == b' ' && *b == b' '));
    !wide && !line.iter().fold(false, |found, b| found | changes(*b))
}

/// Text as HTML text, also within a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    push_escaped(&mut out, text);
    out
}

fn push_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|b| escaped(b).is_some()) {
        out.push_str(&rest[..at]);
        out.push_str(escaped(rest.as_bytes()[at]).unwrap_or_default());
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

const fn escaped(octet: u8) -> Option<&'static str> {
    match octet {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\'' => Some("&#39;"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clean(html: &str) -> String {
        from_html(html, "[picture]", &["secret.png"], &[]).expect("simple HTML")
    }

    #[test]
    fn the_senders_html_can_do_nothing() {
        for (html, left) in [
            ("<p onclick=\"x()\">a</p>", "<p>a</p>"),
            ("a<script>alert(1)</script><style>p{}</style><title>t</title>b", "ab"),
            ("<svg><a href=\"https://x\">s</a></svg><math><mi>m</mi></math>z", "z"),
            ("<form action=\"https://x\"><input name=q><button>b</button></form>", "b"),
            ("<base href=\"https://x/\"><link rel=stylesheet href=x><meta http-equiv=refresh content=0>k", "k"),
            ("<a href=\"javascript:alert(1)\">a</a>", "<a rel=\"noopener noreferrer\">a</a>"),
            ("<a href=\"/local\">a</a>", "<a rel=\"noopener noreferrer\">a</a>"),
            ("<a href=\"cid:1\">a</a>", "<a rel=\"noopener noreferrer\">a</a>"),
            ("<p style=\"position:fixed;color:red;background:url(https://x)\">a</p>", "<p>a</p>"),
            ("<p style=\"position:fixed;color:red\">a</p>", "<p style=\"color:red\">a</p>"),
            ("<p style=\"width:expression(alert(1))\">a</p>", "<p>a</p>"),
            ("<p style=\"color:r\\65 d\">a</p>", "<p>a</p>"),
            ("<img src=\"https://x/y.gif\" alt=\"our &lt;logo&gt;\">", "our &lt;logo&gt;"),
            ("<img src=\"https://x/y.gif\" alt=\"secret.png\">", ""),
            ("<img src=\" CID:1\" alt=\"secret.png\">", "[picture]"),
            ("<img src=\"data:image/png;base64,AAAA\">", ""),
            ("<img alt='&quot;><script>x</script>'>", "&quot;&gt;&lt;script&gt;x&lt;/script&gt;"),
            ("<!--[if mso]><p>x</p><![endif]-->y", "y"),
            ("<o:p>Word</o:p>", "Word"),
            ("&lt;img src=\"cid:\"&gt;", "&lt;img src=\"cid:\"&gt;"),
        ] {
            assert_eq!(clean(html), left, "{html}");
        }
    }

    #[test]
    fn html_that_takes_out_of_proportion_long_to_read_is_not_read() {
        let clones = format!("<p>{}{}", "<b>".repeat(1_100), "</p>x<p>".repeat(1_100));
        for tangled in ["<div>".repeat(100_000), "<b><p>".repeat(80_000), clones] {
            assert_eq!(from_html(&tangled, "", &[], &[]), None);
        }
        let long = "<p class=MsoNormal><span style='color:red'>A line of a letter.<o:p></o:p></span></p>".repeat(1_000);
        assert!(from_html(&long, "", &[], &[]).is_some());
    }

    #[test]
    fn words_margins_survive_its_style_sheet() {
        assert_eq!(clean("<p class=\"MsoNormal x\">a</p>"), "<p style=\"margin:0\">a</p>");
        assert_eq!(
            clean("<p class=MsoListParagraphCxSpFirst style='text-indent:-18.0pt'>a</p>"),
            "<p style=\"margin:0 0 0 36pt;text-indent:-18.0pt\">a</p>"
        );
        assert_eq!(clean("<span style='font-size:11.0pt'>a</span>"), "<span style=\"font-size:12pt\">a</span>");
    }

    #[test]
    fn plain_text_keeps_its_lines_and_widths() {
        assert_eq!(
            from_text("a <b>\r\n  c\r\n\r\n\r\nd\n"),
            "<p style=\"margin:0 0 16px\">a &lt;b&gt;<br>&nbsp; c</p><p style=\"margin:0 0 16px\">d</p>"
        );
    }

    proptest! {
        #[test]
        fn whatever_html_comes_only_the_listed_elements_and_attributes_leave(pieces in prop::collection::vec(
            prop_oneof![
                Just("<p class=MsoNormal style='color:red;x:url(y)'>"), Just("<img src=cid:1 alt='"), Just("<svg>"),
                Just("<a href='javascript:x'>"), Just("<table background=x>"), Just("<td onclick=x>"), Just("</p>"),
                Just("<style>"), Just("<![CDATA["), Just("]]>"), Just("<!--"), Just("-->"), Just("<math><mtext>"),
                Just("'"), Just("\""), Just(">"), Just("<"), Just("&lt;"), Just("&#x3c;img src=x&#x3e;"), Just("text"),
                Just("<noscript>"), Just("<template>"), Just("<iframe src=x>"), Just("</style>"), Just("<textarea>"),
            ], 0..24)) {
            let html = clean(&pieces.concat());
            let elements = regex::Regex::new(r#"<(/?)([^\s>/]*)((?:\s+[a-z]+="[^"<>]*")*)>"#).unwrap();
            let attributes = regex::Regex::new(r#"\s([a-z]+)="([^"]*)""#).unwrap();
            prop_assert_eq!(elements.find_iter(&html).count(), html.matches('<').count(), "{}", html);
            for element in elements.captures_iter(&html) {
                prop_assert!(ELEMENTS.iter().chain(&MORE_ELEMENTS).any(|known| *known == &element[2]), "{}", html);
                prop_assert_ne!(&element[2], "img");
                for attribute in attributes.captures_iter(&element[3]) {
                    prop_assert!(["style", "href", "rel", "class"].contains(&&attribute[1]), "{}", html);
                    prop_assert!(!attribute[2].contains("url") && !attribute[2].contains("javascript"), "{}", html);
                }
            }
        }
    }
}
