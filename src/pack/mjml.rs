//! MJML to HTML. mrml takes an element it does not know for plain HTML and does not compare closing tags; a layout with
//! such a slip would be sent broken, so the elements are checked first.

use std::ops::Range;

use mrml::prelude::parser::Error;
use mrml::prelude::render::RenderOptions;

use crate::fault::{Fault, nearest};
use crate::policy::SourceFile;

/// MJML's elements, but for `mj-include`: a layout is one file.
const ELEMENTS: [&str; 31] = [
    "mjml",
    "mj-accordion",
    "mj-accordion-element",
    "mj-accordion-text",
    "mj-accordion-title",
    "mj-all",
    "mj-attributes",
    "mj-body",
    "mj-breakpoint",
    "mj-button",
    "mj-carousel",
    "mj-carousel-image",
    "mj-class",
    "mj-column",
    "mj-divider",
    "mj-font",
    "mj-group",
    "mj-head",
    "mj-hero",
    "mj-image",
    "mj-navbar",
    "mj-navbar-link",
    "mj-preview",
    "mj-raw",
    "mj-section",
    "mj-spacer",
    "mj-style",
    "mj-table",
    "mj-text",
    "mj-title",
    "mj-wrapper",
];

/// A layout's MJML as HTML; `{{ … }}` and `{% … %}` pass through.
///
/// # Errors
/// All faults of the elements, or else the first that mrml finds.
pub(crate) fn to_html(file: &SourceFile) -> Result<String, Vec<Fault>> {
    let faults = element_faults(file);
    if !faults.is_empty() {
        return Err(faults);
    }
    let parsed = mrml::parse(&file.text).map_err(|error| vec![fault_of(file, &error)])?;
    if !parsed.warnings.is_empty() {
        let fault = |at: Range<usize>| fault(file, at, "an attribute that does nothing here");
        return Err(parsed.warnings.iter().map(|warning| fault(warning.span.start..warning.span.end)).collect());
    }
    let rendered = parsed.element.render(&nothing_remote());
    rendered.map_err(|error| vec![fault(file, 0..0, format!("cannot be made HTML: {error}"))])
}

/// mrml would fetch Roboto and others from Google where a layout names them: whoever opens a mail would tell Google so.
fn nothing_remote() -> RenderOptions {
    RenderOptions { fonts: Default::default(), ..RenderOptions::default() }
}

fn fault(file: &SourceFile, at: Range<usize>, message: impl Into<String>) -> Fault {
    let at = at.start.min(file.text.len())..at.end.min(file.text.len());
    Fault::new(&file.path, at, message).hint("the elements of MJML: https://documentation.mjml.io")
}

fn fault_of(file: &SourceFile, error: &Error) -> Fault {
    let (message, at) = match error {
        Error::UnexpectedElement { position, .. } => ("an element that does not belong here", Some(position)),
        Error::UnexpectedToken { position, .. } => ("something that does not belong here", Some(position)),
        Error::MissingAttribute { position, .. } => ("an attribute is missing", Some(position)),
        Error::InvalidAttribute { position, .. } => ("an attribute that MJML does not know", Some(position)),
        Error::InvalidFormat { position, .. } => ("this is not written as MJML wants it", Some(position)),
        Error::EndOfStream { .. } => ("an element is not closed", None),
        _ => ("this is not MJML", None),
    };
    fault(file, at.map_or(0..0, |at| at.start..at.end), message)
}

/// Unknown elements, and elements that are not closed in the order they were opened.
fn element_faults(file: &SourceFile) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut open: Vec<Tag<'_>> = Vec::new();
    for tag in tags(&file.text) {
        if !ELEMENTS.contains(&tag.name) {
            let mut unknown = fault(file, tag.at.clone(), format!("MJML has no element \"{}\"", tag.name));
            if let Some(meant) = nearest(tag.name, ELEMENTS) {
                unknown = unknown.hint(format!("did you mean \"{meant}\"?"));
            }
            faults.push(unknown);
        }
        match tag.kind {
            TagKind::Empty => {}
            TagKind::Opening => open.push(tag),
            TagKind::Closing => match open.pop() {
                Some(last) if last.name == tag.name => {}
                Some(last) => faults.push(fault(file, tag.at, format!("this closes \"{}\"", last.name))),
                None => faults.push(fault(file, tag.at, "this closes nothing")),
            },
        }
    }
    faults.extend(open.into_iter().map(|tag| fault(file, tag.at, format!("\"{}\" is not closed", tag.name))));
    faults
}

struct Tag<'t> {
    name: &'t str,
    kind: TagKind,
    at: Range<usize>,
}

enum TagKind {
    Opening,
    Closing,
    Empty,
}

/// The tags of MJML's own elements; HTML's within them, and comments, are passed over.
fn tags(text: &str) -> impl Iterator<Item = Tag<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + text[from..].find('<')?;
            let rest = &text[start..];
            if rest.starts_with("<!--") {
                from = rest.find("-->").map_or(text.len(), |end| start + end + 3);
                continue;
            }
            let end = rest.find('>').map_or(text.len(), |end| start + end + 1);
            from = start + 1;
            let inside = rest[1..].trim_start_matches('/');
            if inside.starts_with("mj") {
                let name = inside.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or_default();
                let kind = match &text[start..end] {
                    closing if closing.starts_with("</") => TagKind::Closing,
                    empty if empty.ends_with("/>") => TagKind::Empty,
                    _ => TagKind::Opening,
                };
                return Some(Tag { name, kind, at: start..end });
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_in_an_element_is_a_fault() {
        for (text, message) in [
            ("<mjml><mj-body><mj-sektion></mj-sektion></mj-body></mjml>", "MJML has no element \"mj-sektion\""),
            ("<mjml><mj-body></mjml></mj-body>", "this closes \"mj-body\""),
            ("<mjml><mj-body>", "\"mjml\" is not closed"),
            ("</mjml>", "this closes nothing"),
            ("<p>not MJML</p>", "something that does not belong here"),
            ("<mjml wide=\"1\"><mj-body></mj-body></mjml>", "an attribute that does nothing here"),
        ] {
            let file = SourceFile { path: "x.mjml".into(), name: "templates/x.mjml".into(), text: text.into() };
            let faults = to_html(&file).expect_err(text);
            assert!(faults[0].message.contains(message), "{text}: {faults:?}");
        }
    }

    /// Every mail fetched a style sheet of Google's because its layout named Roboto.
    #[test]
    fn a_font_is_named_and_never_fetched() {
        let text = "<mjml><mj-body><mj-section><mj-column><mj-text font-family=\"Roboto, Lato, Open Sans, Arial\">a</mj-text>\
                    </mj-column></mj-section></mj-body></mjml>";
        let file = SourceFile { path: "x.mjml".into(), name: "templates/x.mjml".into(), text: text.into() };
        let html = to_html(&file).unwrap();
        assert!(html.contains("Roboto") && !html.contains("googleapis") && !html.contains("@import"), "{html}");
    }

    #[test]
    fn a_templates_own_tags_pass_in_text_attributes_and_raw() {
        let text = "<mjml><!-- <mj-odd> --><mj-body><mj-raw>{% if a %}</mj-raw><mj-section background-color=\"{{ c }}\">\
                    <mj-column><mj-text>{{ b }}</mj-text></mj-column></mj-section><mj-raw>{% endif %}</mj-raw></mj-body></mjml>";
        let file = SourceFile { path: "x.mjml".into(), name: "templates/x.mjml".into(), text: text.into() };
        let html = to_html(&file).unwrap();
        for piece in ["{% if a %}", "background-color:{{ c }}", "{{ b }}", "{% endif %}"] {
            assert!(html.contains(piece), "{piece} in {html}");
        }
    }
}
