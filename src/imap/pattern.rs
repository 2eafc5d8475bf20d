//! Patterns of LIST (RFC 9051, section 6.3.9): `*` stands for anything, `%` for anything without a separator.

/// A pattern; `INBOX` at its beginning in any case.
pub struct Pattern(Vec<char>);

impl Pattern {
    /// The pattern in this text.
    pub fn new(text: &str) -> Self {
        let (first, rest) = text.split_at(text.find('/').unwrap_or(text.len()));
        let text = if first.eq_ignore_ascii_case("INBOX") { format!("INBOX{rest}") } else { text.to_owned() };
        let text = text.strip_suffix('/').filter(|text| !text.is_empty()).unwrap_or(&text);
        Self(text.chars().collect())
    }

    /// Whether it stands for this name. The time is that of pattern times name, whatever is in them.
    pub fn matches(&self, name: &str) -> bool {
        // Which beginnings of the pattern stand for what was seen of the name.
        let mut reached = vec![false; self.0.len() + 1];
        reached[0] = true;
        self.spread(&mut reached);
        for c in name.chars() {
            let mut next = vec![false; self.0.len() + 1];
            for (at, sign) in self.0.iter().enumerate().filter(|(at, _)| reached[*at]) {
                match sign {
                    '*' => next[at] = true,
                    '%' if c != '/' => next[at] = true,
                    sign if *sign == c && c != '*' && c != '%' => next[at + 1] = true,
                    _ => {}
                }
            }
            self.spread(&mut next);
            reached = next;
        }
        reached[self.0.len()]
    }

    /// A wildcard may stand for nothing.
    fn spread(&self, reached: &mut [bool]) {
        for (at, sign) in self.0.iter().enumerate() {
            if reached[at] && matches!(sign, '*' | '%') {
                reached[at + 1] = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_what_they_do() {
        for (pattern, name, expected) in [
            ("*", "a/b", true),
            ("%", "a", true),
            ("%", "a/b", false),
            ("a/%", "a/b", true),
            ("a/%", "a/b/c", false),
            ("a/*", "a", false),
            ("inbox", "INBOX", true),
            ("Inbox/%", "INBOX/Old", true),
            ("%/%", "a/b", true),
            ("a%c*e", "abc/de", true),
            ("Sent/", "Sent", true),
            ("sent", "Sent", false),
            ("", "a", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn many_wildcards_cost_no_more() {
        let pattern = Pattern::new(&"*%".repeat(400));
        assert!(pattern.matches(&"a".repeat(400)));
        assert!(!Pattern::new(&format!("{}b", "*".repeat(800))).matches(&"a".repeat(400)));
    }
}
