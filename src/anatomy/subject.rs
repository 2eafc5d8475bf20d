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

/// The base of a subject whose encoded words are decoded.
pub fn base_subject(subject: &str) -> BaseSubject {
    let words: Vec<&str> = subject.split_whitespace().collect();
    let mut text = words.join(" ").to_lowercase();
    let mut is_answer = false;
    loop {
        let trailed = text.trim_end().strip_suffix("(fwd)").map(|rest| rest.trim_end().to_owned());
        if let Some(rest) = trailed {
            (text, is_answer) = (rest, true);
            continue;
        }
        let (led, answered) = without_leaders(text.trim());
        is_answer |= answered;
        let inner = led.strip_prefix("[fwd:").and_then(|rest| rest.strip_suffix(']'));
        match inner {
            Some(inner) => (text, is_answer) = (inner.to_owned(), true),
            None => return BaseSubject { text: led.trim().to_owned(), is_answer },
        }
    }
}

/// Without `re:`, `fw:`, `fwd:` and blobs in brackets before it, as long as something is left. Whether there was a word.
fn without_leaders(text: &str) -> (&str, bool) {
    let (mut rest, mut answered) = (text.trim_start(), false);
    loop {
        if let Some(behind) = reference(rest) {
            (rest, answered) = (behind.trim_start(), true);
        } else if let Some(behind) = blob(rest).map(str::trim_start).filter(|behind| !behind.is_empty()) {
            rest = behind;
        } else {
            return (rest, answered);
        }
    }
}

/// What stands behind `re [blob] :`, blobs before it left out.
fn reference(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(behind) = blob(rest) {
        rest = behind.trim_start();
    }
    let rest = ["re", "fwd", "fw"].iter().find_map(|word| rest.strip_prefix(word))?.trim_start();
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
        ] {
            let found = base_subject(subject);
            assert_eq!((found.text.as_str(), found.is_answer), (base, is_answer), "{subject}");
        }
    }
}
