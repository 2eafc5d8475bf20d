//! Patterns of LIST (RFC 9051, section 6.3.9): `*` stands for anything, `%` for anything without a separator.

/// A pattern.
pub struct Pattern(Vec<Sign>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Letter(char),
    Anything,
    Level,
}

/// Letters of a pattern: no name has more.
const LONGEST: usize = 520;

impl Pattern {
    /// The pattern in this text. Wildcards side by side are one: with a `*` among them that, else `%`.
    pub fn new(text: &str) -> Self {
        let mut signs: Vec<Sign> = Vec::new();
        for c in text.chars() {
            match (c, signs.last_mut()) {
                ('*' | '%', Some(Sign::Anything)) | ('%', Some(Sign::Level)) => {}
                ('*', Some(last @ Sign::Level)) => *last = Sign::Anything,
                ('*', _) => signs.push(Sign::Anything),
                ('%', _) => signs.push(Sign::Level),
                (c, _) => signs.push(Sign::Letter(c)),
            }
        }
        Self(signs)
    }

    /// How many wildcards it has.
    pub fn wildcards(&self) -> usize {
        self.0.iter().filter(|sign| !matches!(sign, Sign::Letter(_))).count()
    }

    /// Whether it has a `%`.
    pub fn has_levels(&self) -> bool {
        self.0.contains(&Sign::Level)
    }

    /// Whether it stands for this name; for `INBOX` at its beginning in any case. The time is at most that of wildcards
    /// times name, whatever is in them.
    pub fn matches(&self, name: &str) -> bool {
        if self.0.len() - self.wildcards() > LONGEST {
            return false;
        }
        let inbox = if name == "INBOX" || name.starts_with("INBOX/") { 5 } else { 0 };
        // Which beginnings of the pattern stand for what was seen of the name, rising.
        let mut reached = Vec::new();
        self.reach(0, &mut reached);
        for (at, c) in name.chars().enumerate() {
            let mut next = Vec::with_capacity(reached.len() + 1);
            for place in reached {
                match self.0.get(place) {
                    Some(Sign::Anything) => self.reach(place, &mut next),
                    Some(Sign::Level) if c != '/' => self.reach(place, &mut next),
                    Some(Sign::Letter(sign)) if *sign == c || at < inbox && sign.eq_ignore_ascii_case(&c) => {
                        self.reach(place + 1, &mut next);
                    }
                    _ => {}
                }
            }
            reached = next;
        }
        reached.last() == Some(&self.0.len())
    }

    /// This place is reached, and the one behind it where it is a wildcard's, which may stand for nothing.
    fn reach(&self, place: usize, reached: &mut Vec<usize>) {
        let behind = matches!(self.0.get(place), Some(Sign::Anything | Sign::Level)).then_some(place + 1);
        for place in [place].into_iter().chain(behind) {
            if reached.last().is_none_or(|last| *last < place) {
                reached.push(place);
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
            ("a/*", "a/b/c", true),
            ("inbox", "INBOX", true),
            ("Inbox/%", "INBOX/Old", true),
            ("*b*", "INBOX", true),
            ("*old", "INBOX/Old", false),
            ("%/%", "a/b", true),
            ("%*%", "a/b", true),
            ("a%c*e", "abc/de", true),
            ("a%b%b", "abbb", true),
            ("*ab*ab", "xabab", true),
            ("*ab*ab", "xabb", false),
            ("Sent/", "Sent", false),
            ("sent", "Sent", false),
            ("", "a", false),
            ("*", "", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name), expected, "{pattern} {name}");
        }
    }

    /// LIST with many wildcards took a thread for long.
    #[test]
    fn many_wildcards_cost_no_more() {
        assert_eq!(Pattern::new(&"*%".repeat(30_000)).wildcards(), 1);
        let name = "a".repeat(500);
        let begun = std::time::Instant::now();
        assert!(Pattern::new(&"*a".repeat(100)).matches(&name));
        for _ in 0..5 {
            assert!(!Pattern::new(&format!("{}b", "*a".repeat(100))).matches(&name));
            assert!(!Pattern::new(&"a".repeat(60_000)).matches(&name));
        }
        assert!(begun.elapsed().as_secs() < 5);
    }
}
