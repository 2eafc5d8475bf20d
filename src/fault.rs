//! A mistake in a file that an admin wrote: where it is, what is wrong, and what to do about it.
//!
//! Every reader of such a file (configuration, policy, templates) collects faults instead of
//! stopping at the first, and prints them with [`render`].

use std::collections::BTreeMap;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file as the admin names it, relative to where `postern` was started.
    pub file: String,
    /// The octets of the file at fault; empty where the whole file is (then line 1 is shown).
    pub span: Range<usize>,
    /// What is wrong, in a sentence without a full stop: `unknown key "treatmnt"`.
    pub message: String,
    /// What to do: `did you mean "treatment"?`.
    pub hint: Option<String>,
}

impl Fault {
    /// A fault at these octets of this file.
    pub fn new(file: impl Into<String>, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { file: file.into(), span, message: message.into(), hint: None }
    }

    /// The same fault, with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The texts of the files that were read, by the name that [`Fault::file`] uses.
pub type Sources = BTreeMap<String, String>;

/// All faults as a person reads them: message, `file:line:column`, the source line with a mark under
/// the place, the hint. Plain text, no colour; faults in the order given, one blank line between.
pub fn render(faults: &[Fault], sources: &Sources) -> String {
    let renderer = Renderer::plain();
    let blocks: Vec<String> = faults.iter().map(|fault| render_one(&renderer, fault, sources)).collect();
    blocks.join("\n\n")
}

fn render_one(renderer: &Renderer, fault: &Fault, sources: &Sources) -> String {
    let title = Level::ERROR.primary_title(fault.message.as_str());
    let mut group = Group::with_title(title);
    match sources.get(&fault.file) {
        Some(text) if !text.is_empty() => {
            let end = fault.span.end.min(text.len());
            let span = fault.span.start.min(end)..end;
            let snippet = Snippet::source(text.as_str()).path(fault.file.as_str()).fold(true);
            group = group.element(snippet.annotation(AnnotationKind::Primary.span(span)));
        }
        _ => group = group.element(annotate_snippets::Origin::path(fault.file.as_str())),
    }
    if let Some(hint) = &fault.hint {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    renderer.render(&[group])
}

/// The candidate nearest to what was written, if it is near enough to be what was meant.
pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (edit_distance(written, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be put in, left out, changed, or swapped with their neighbour.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_shows_place_line_mark_and_hint() {
        let sources = Sources::from([("policies/10.toml".into(), "[[rule]]\ntreatmnt = \"secure\"\n".into())]);
        let fault =
            Fault::new("policies/10.toml", 9..17, "unknown key \"treatmnt\"").hint("did you mean \"treatment\"?");
        let text = render(&[fault], &sources);
        for piece in ["unknown key", "policies/10.toml:2:1", "treatmnt = \"secure\"", "^^^^^^^^", "did you mean"] {
            assert!(text.contains(piece), "{piece} in\n{text}");
        }
    }

    #[test]
    fn nearest_helps_only_when_near() {
        assert_eq!(nearest("treatmnt", ["access", "treatment"]), Some("treatment"));
        assert_eq!(nearest("smpt", ["smtp", "imap"]), Some("smtp"));
        assert_eq!(nearest("banana", ["access", "treatment"]), None);
    }
}
