//! PREVIEW (RFC 8970): the beginning of a text, as one line.

use crate::anatomy::{LooseDecoder, Part};
use crate::mime::decode::to_utf8;

/// Characters of a preview.
const LONGEST: usize = 200;

/// The preview of a text part whose body begins with these octets.
pub(super) fn preview(part: &Part, octets: &[u8]) -> String {
    let Ok(mut decoder) = LooseDecoder::of(&part.encoding) else { return String::new() };
    let mut decoded = Vec::new();
    decoder.feed(octets, &mut decoded);
    // What the cut left half is not finished: a part of a character would be shown as a mark.
    let text = to_utf8(&decoded, part.parameter("charset"));
    let text = text.trim_end_matches('\u{fffd}');
    if part.is("text", "html") { line_of(&without_tags(text)) } else { line_of(text) }
}

/// One line: white space of any length is a space, control characters go.
fn line_of(text: &str) -> String {
    let mut line = String::new();
    let mut count = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if count > 0 {
            line.push(' ');
            count += 1;
        }
        for c in word.chars() {
            if count >= LONGEST {
                return line.trim_end().to_owned();
            }
            line.push(c);
            count += 1;
        }
    }
    line
}

/// The text between tags, of what is shown.
fn without_tags(html: &str) -> String {
    const HIDDEN: [&str; 4] = ["style", "script", "head", "title"];
    let (mut out, mut rest) = (String::with_capacity(html.len()), html);
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        out.push(' ');
        let tag = &rest[at + 1..];
        let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        let end = if tag.starts_with("!--") { tag.find("-->").map(|at| at + 2) } else { tag.find('>') };
        rest = end.map_or("", |end| &tag[end + 1..]);
        if HIDDEN.contains(&name.as_str()) {
            let close = format!("</{name}");
            rest = rest.to_ascii_lowercase().find(&close).map_or("", |at| &rest[at..]);
        }
    }
    out.push_str(rest);
    [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .into_iter()
        .fold(out, |text, (entity, plain)| text.replace(entity, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: &str, body: &str) -> String {
        preview(&Part::of_header(header.as_bytes(), 0..0, false), body.as_bytes())
    }

    #[test]
    fn previews_are_one_line_of_what_is_read() {
        let html = "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
        for (header, body, shown) in [
            ("", "Dear Jane,\r\n\r\n\tthe  result", "Dear Jane, the result"),
            (html, "<style>p {}</style><p>Gr=C3=BC=C3=9Fe &amp; <b>mehr", "Grüße & mehr"),
            (html, "<!-- <p>no --><p>a=C3", "a"),
            ("Content-Transfer-Encoding: x-odd\r\n\r\n", "a", ""),
        ] {
            assert_eq!(of(header, body), shown);
        }
        assert_eq!(of("", &"ab ".repeat(200)).chars().count(), 200);
    }
}
