//! The sender's HTML as the portal shows it.
//!
//! Sanitised whenever it is shown, never before, so that a better sanitiser helps what is stored already. Beyond what a
//! rebuilt mail leaves out (script, form, frame, style sheet, foreign markup, pictures, styles that load or move), no
//! address outside is in it but a telephone's or a mailbox's: where a link led stands beside its words, to be read.

use super::letter::from_html;

/// The sender's HTML, sanitised; `None` where it is too tangled to be read in bounded time. Pictures are gone: those that
/// came with the message are among its documents, and words that only name one of these (`names`) go with them.
pub fn sanitised(html: &str, names: &[&str]) -> Option<String> {
    from_html(html, "", names, &[]).map(|clean| links_to_read(&clean))
}

/// Links as words with their address in parentheses, unless the words are the address; those of a telephone or a mailbox
/// stay. In the sanitiser's output `<`, `>` and `"` in attributes are escaped and every link is closed, but a link may
/// stand in another: HTML lets one begin in a table within a link.
fn links_to_read(clean: &str) -> String {
    let mut out = String::with_capacity(clean.len());
    let mut open: Vec<(usize, &str)> = Vec::new();
    let mut rest = clean;
    while let Some((before, from)) = rest.split_once('<') {
        let (tag, after) = from.split_once('>').unwrap_or((from, ""));
        out.push_str(before);
        rest = after;
        if tag == "a" || tag.starts_with("a ") {
            let address = tag.split_once("href=\"").and_then(|(_, from)| from.split_once('"'));
            open.push((out.len(), address.map_or("", |(address, _)| address)));
        } else if tag == "/a" {
            if let Some((start, address)) = open.pop() {
                let words = out.split_off(start);
                out.push_str(&link_to_read(address, &words));
            }
        } else {
            out.extend(["<", tag, ">"]);
        }
    }
    out.push_str(rest);
    out
}

fn link_to_read(address: &str, words: &str) -> String {
    if leads_nowhere(address) {
        words.to_owned()
    } else if !leads_outside(address) {
        format!("<a href=\"{address}\" rel=\"noopener noreferrer\">{words}</a>")
    } else if words.contains(address.trim_end_matches('/')) {
        words.to_owned()
    } else {
        format!("{words} ({address})")
    }
}

fn leads_outside(address: &str) -> bool {
    !["tel:", "mailto:"]
        .iter()
        .any(|scheme| address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// No address, or one with anything in it that a reader could not see as it is.
fn leads_nowhere(address: &str) -> bool {
    address.is_empty() || !address.chars().all(|c| c.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn links_are_words_and_telephones_stay() {
        let kept =
            |address: &str, words: &str| format!("<a href=\"{address}\" rel=\"noopener noreferrer\">{words}</a>");
        for (html, shown) in [
            ("<a href='https://book.example/?a=1&b=2'>Book</a>", "Book (https://book.example/?a=1&amp;b=2)".into()),
            ("<a href='https://book.example/'>https://book.example</a>", "https://book.example".into()),
            ("<a href='HTTPS://x.example'><b>x</b></a>!", "<b>x</b> (HTTPS://x.example)!".into()),
            ("<a href='https://x.example/\u{202e}fdp'>a</a>", "a".into()),
            ("<a href=https://x.example style=color:red>x</a>", "x (https://x.example)".into()),
            ("<a href='tel:+33123'>call</a>", kept("tel:+33123", "call")),
            ("<a href='mailto:a@b.example'>write</a>", kept("mailto:a@b.example", "write")),
            ("&lt;a href=\"https://x\"&gt;", "&lt;a href=\"https://x\"&gt;".into()),
        ] {
            assert_eq!(sanitised(html, &[]).unwrap(), shown, "{html}");
        }
    }

    /// The words of a link were taken to end at the first `</a>`: of one within another the address outside was left a link.
    #[test]
    fn a_link_within_another_leads_nowhere_either() {
        let shown =
            sanitised("<a href='https://one.example'>1<table><td><a href='https://two.example'>2", &[]).unwrap();
        assert!(!shown.contains("<a"), "{shown}");
        assert!(shown.contains("2 (https://two.example)") && shown.contains("(https://one.example)"), "{shown}");
    }

    #[test]
    fn what_takes_too_long_to_read_is_not_read() {
        assert_eq!(sanitised(&"<div>".repeat(100_000), &[]), None);
    }

    proptest! {
        #[test]
        fn whatever_comes_nothing_that_loads_or_runs_leaves(pieces in prop::collection::vec(prop_oneof![
            Just("<p style='background:url(https://x)'>"), Just("<img src=https://x onerror=a>"), Just("<svg><a href="),
            Just("<math>"), Just("<a href='https://x'>"), Just("<a href=tel:1>"), Just("</a>"), Just("</svg>"), Just("\">"),
            Just("<style>"), Just("<form action=https://x>"), Just("<input>"), Just("</p>"), Just("<table background=x>"),
            Just("<td colspan=2 onclick=x>"), Just("<!--"), Just("-->"), Just("&#60;script&#62;"), Just("<script>"), Just("x"),
            Just("<base href=https://x>"), Just("<iframe srcdoc='<a href=x>'>"), Just("<noscript>"), Just("<title>"),
            Just("<img src=cid:1 alt='"), Just("<p style='color:red'>"), Just("<a href=https://x style=color:red>"),
        ], 0..24)) {
            let html = pieces.concat();
            let shown = sanitised(&html, &[]).expect("not tangled");
            for tag in shown.split('<').skip(1) {
                let tag = tag.split('>').next().unwrap_or_default();
                prop_assert!(!tag.contains("https:") && !tag.contains("url("), "{tag} of {html}");
                let name = tag.trim_start_matches('/').split(' ').next().unwrap_or_default();
                prop_assert!(["p", "a", "table", "tbody", "tr", "td"].contains(&name), "{tag} of {html}");
            }
        }
    }
}
