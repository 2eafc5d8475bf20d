//! The base subject (RFC 5256, section 2.1).

/// A subject without what answering and forwarding add to it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct BaseSubject {
    /// What is left, in lower case.
    pub text: String,
    /// Whether it was an answer or was forwarded.
    pub is_answer: bool,
}

crate::secret::silent_debug!(BaseSubject);

/// Letters of a subject that are looked at.
const LONGEST: usize = 1000;

/// The base of a subject whose encoded words are decoded; of a very long one that of its beginning.
pub fn base_subject(subject: &str) -> BaseSubject {
    let subject: String = subject.chars().take(LONGEST).collect();
    let text = subject.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let (mut rest, mut is_answer) = (text.as_str(), false);
    loop {
        if let Some(before) = rest.trim_end().strip_suffix("(fwd)") {
            (rest, is_answer) = (before, true);
            continue;
        }
        let (led, answered) = without_leaders(rest.trim());
        is_answer |= answered;
        match led.strip_prefix("[fwd:").and_then(|rest| rest.strip_suffix(']')) {
            Some(inner) => (rest, is_answer) = (inner, true),
            None => return BaseSubject { text: led.trim().to_owned(), is_answer },
        }
    }
}

/// Without `re:`, `fw:`, `fwd:` and blobs in brackets before it, as long as something is left. Whether there was a word.
fn without_leaders(text: &str) -> (&str, bool) {
    let (mut rest, mut answered) = (text.trim_start(), false);
    loop {
        // Blobs are passed once, whether a word follows them or not.
        let (mut behind, mut left) = (rest, rest);
        while let Some(next) = blob(behind) {
            behind = next.trim_start();
            left = if behind.is_empty() { left } else { behind };
        }
        match reference(behind) {
            Some(next) => (rest, answered) = (next.trim_start(), true),
            None => return (left, answered),
        }
    }
}

/// What stands behind `re [blob] :`.
fn reference(text: &str) -> Option<&str> {
    let rest = ["re", "fwd", "fw"].iter().find_map(|word| text.strip_prefix(word))?.trim_start();
    let rest = blob(rest).map_or(rest, str::trim_start);
    rest.strip_prefix(':')
}

/// What stands behind `[…]`.
fn blob(text: &str) -> Option<&str> {
    let (inner, behind) = text.strip_prefix('[')?.split_once(']')?;
    (!inner.contains('[')).then_some(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_what_they_answer_have_one_base() {
        for (subject, base, is_answer) in [
            ("Result", "result", false),
            ("Re: Result", "result", true),
            ("RE: Fwd: re:  Result (fwd)", "result", true),
            ("Re[2]: Result", "result", true),
            ("[list] Re: [list] Result", "result", true),
            ("[secure] Result", "result", false),
            ("[Fwd: Re: Result]", "result", true),
            ("[only]", "[only]", false),
            ("Regarding: x", "regarding: x", false),
            ("Re:", "", true),
            ("", "", false),
            ("[a][b] x", "x", false),
            ("[a] [b]", "[b]", false),
            ("[a] re: [b] fwd [c]: [d] x (fwd) (fwd)", "x", true),
        ] {
            let found = base_subject(subject);
            assert_eq!((found.text.as_str(), found.is_answer), (base, is_answer), "{subject}");
        }
    }

    /// A subject of brackets took a second, since each was looked at again from each.
    #[test]
    fn a_subject_of_brackets_costs_no_more() {
        let begun = std::time::Instant::now();
        for subject in ["[a]".repeat(30_000), "[fwd:".repeat(20_000) + &"]".repeat(20_000), "x(fwd)".repeat(20_000)] {
            let _ = base_subject(&subject);
        }
        assert!(begun.elapsed().as_secs() < 3);
    }
}
