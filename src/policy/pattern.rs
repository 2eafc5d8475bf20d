//! What conditions compare with: globs, address and domain patterns, comparisons of numbers.

use crate::mail::{Address, Domain};

/// A text with `*` (any characters, also none) and `?` (one character); letter case does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob(Vec<char>);

impl Glob {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_lowercase().chars().collect())
    }

    /// Whether the whole text is of this pattern. Time is at most the product of both lengths.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.to_lowercase().chars().collect();
        let (mut at, mut in_pattern) = (0, 0);
        let mut last_star: Option<(usize, usize)> = None;
        while at < text.len() {
            match self.0.get(in_pattern) {
                Some('*') => {
                    last_star = Some((in_pattern, at));
                    in_pattern += 1;
                }
                Some(c) if *c == '?' || *c == text[at] => {
                    at += 1;
                    in_pattern += 1;
                }
                _ => match last_star {
                    Some((star, taken)) => {
                        last_star = Some((star, taken + 1));
                        at = taken + 1;
                        in_pattern = star + 1;
                    }
                    None => return false,
                },
            }
        }
        self.0[in_pattern..].iter().all(|c| *c == '*')
    }
}

/// `name@domain`, each side a [`Glob`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AddressPattern(Glob);

impl AddressPattern {
    /// The words say what is wrong, then what to do.
    pub(super) fn parse(text: &str) -> Result<Self, (String, String)> {
        let Some((local, domain)) =
            text.rsplit_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty())
        else {
            return Err((
                format!("\"{text}\" is no address pattern"),
                "write name@domain; * stands for any characters: \"*@clinic.example\"".into(),
            ));
        };
        if domain.contains(['*', '?']) {
            return Ok(Self(Glob::new(text)));
        }
        match Domain::parse(domain) {
            Ok(domain) => Ok(Self(Glob::new(&format!("{local}@{domain}")))),
            Err(_) => Err((format!("\"{domain}\" is no domain name"), "write it as in \"*@clinic.example\"".into())),
        }
    }

    pub(super) fn matches(&self, address: &Address) -> bool {
        self.0.matches(&address.lookup_form())
    }
}

/// A domain, or all names below one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DomainPattern {
    /// `clinic.example`
    Exactly(Domain),
    /// `*.clinic.example` or `.clinic.example`
    Below(Domain),
}

impl DomainPattern {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let below = text.strip_prefix("*.").or_else(|| text.strip_prefix('.'));
        let domain = Domain::parse(below.unwrap_or(text)).ok()?;
        Some(if below.is_some() { Self::Below(domain) } else { Self::Exactly(domain) })
    }

    pub(super) fn matches(&self, domain: &Domain) -> bool {
        match self {
            Self::Exactly(this) => domain == this,
            Self::Below(this) => domain != this && domain.is_within(this),
        }
    }
}

/// `>= 3`, `< 10 MiB`, `= 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Comparison {
    order: Order,
    value: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Least,
    Most,
    Above,
    Below,
    Equal,
}

impl Comparison {
    pub(super) fn parse(text: &str, number: impl Fn(&str) -> Option<u64>) -> Option<Self> {
        const SIGNS: [(&str, Order); 5] =
            [(">=", Order::Least), ("<=", Order::Most), (">", Order::Above), ("<", Order::Below), ("=", Order::Equal)];
        let (order, rest) = SIGNS.iter().find_map(|(sign, order)| Some((*order, text.strip_prefix(sign)?)))?;
        Some(Self { order, value: number(rest.trim())? })
    }

    pub(super) fn holds(self, value: u64) -> bool {
        match self.order {
            Order::Least => value >= self.value,
            Order::Most => value <= self.value,
            Order::Above => value > self.value,
            Order::Below => value < self.value,
            Order::Equal => value == self.value,
        }
    }

    /// Whether no number can meet it.
    pub(super) fn is_impossible(self) -> bool {
        matches!(self, Self { order: Order::Below, value: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("*.pdf", "Scan.PDF", true),
            ("*.pdf", "scan.pdf.exe", false),
            ("a*b*c", "aXbXbc", true),
            ("a*b*c", "aXbXbd", false),
            ("?at", "cat", true),
            ("?at", "at", false),
            ("*ä*", "BÄR", true),
            ("**x", "yx", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_hostile_glob_ends_soon() {
        let pattern = Glob::new(&"*a".repeat(200));
        assert!(!pattern.matches(&("a".repeat(20_000) + "b")));
    }

    #[test]
    fn addresses_and_domains() {
        let address = Address::parse("Dr.Lee@Sub.Clinic.Example").unwrap();
        for (pattern, expected) in [
            ("*@sub.clinic.example", true),
            ("*@clinic.example", false),
            ("dr.*@*.example", true),
            ("dr.lee@sub.clinic.EXAMPLE", true),
        ] {
            assert_eq!(AddressPattern::parse(pattern).unwrap().matches(&address), expected, "{pattern}");
        }
        for bad in ["clinic.example", "@x.example", "a@", "a@-x.example"] {
            assert!(AddressPattern::parse(bad).is_err(), "{bad}");
        }
        let domain = Domain::parse("a.clinic.example").unwrap();
        for (pattern, expected) in [
            ("a.clinic.example", true),
            ("clinic.example", false),
            (".clinic.example", true),
            ("*.clinic.example", true),
            ("*.a.clinic.example", false),
        ] {
            assert_eq!(DomainPattern::parse(pattern).unwrap().matches(&domain), expected, "{pattern}");
        }
    }

    #[test]
    fn comparisons() {
        let number = |text: &str| text.parse().ok();
        for (text, value, expected) in
            [(">= 3", 3, true), ("<=3", 4, false), ("> 3", 3, false), ("< 3", 2, true), ("= 1", 1, true)]
        {
            assert_eq!(Comparison::parse(text, number).unwrap().holds(value), expected, "{text}");
        }
        for bad in ["3", "=> 3", ">= x", "", ">"] {
            assert!(Comparison::parse(bad, number).is_none(), "{bad}");
        }
    }
}
