//! Names of mailboxes, and what some of them are for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The hierarchy's separator.
pub const SEPARATOR: char = '/';
/// Octets of a name, at most.
const LONGEST: usize = 512;
/// Names within names, at most.
const DEEPEST: usize = 16;

/// Why a text is no name of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or nothing between two separators.
    #[error("a name, and each part of it, has at least one letter")]
    Empty,
    /// Longer than 512 octets, or more than 16 names within names.
    #[error("the name is too long")]
    TooLong,
    /// A control character, `*` or `%` (RFC 9051, section 5.1).
    #[error("a name has no control characters, no * and no %")]
    Character,
}

/// A mailbox's name: Unicode, parts joined by `/`, `INBOX` in capitals whatever was typed. Letters count as they are
/// written (`work` is not `Work`), but for that one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MailboxName(String);

/// Shows that it is one: a name may be a patient's.
impl fmt::Debug for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailboxName(…)")
    }
}

impl MailboxName {
    /// `INBOX`
    pub fn inbox() -> Self {
        Self("INBOX".to_owned())
    }

    /// The name in this text (not modified UTF-7: that is undone at the edge). One separator at its end is left out, as
    /// clients put it there for a name that is to have others below it.
    ///
    /// # Errors
    /// [`NameError`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.strip_suffix(SEPARATOR).unwrap_or(text);
        if text.len() > LONGEST || text.matches(SEPARATOR).count() >= DEEPEST {
            return Err(NameError::TooLong);
        }
        if text.split(SEPARATOR).any(str::is_empty) {
            return Err(NameError::Empty);
        }
        if text.chars().any(|c| c.is_control() || matches!(c, '*' | '%' | '\u{2028}' | '\u{2029}')) {
            return Err(NameError::Character);
        }
        let (first, rest) = text.split_at(text.find(SEPARATOR).unwrap_or(text.len()));
        let inbox = first.eq_ignore_ascii_case("INBOX");
        Ok(Self(if inbox { format!("INBOX{rest}") } else { text.to_owned() }))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is `INBOX`.
    pub fn is_inbox(&self) -> bool {
        self.0 == "INBOX"
    }

    /// Whether it lies below `other`.
    pub fn is_below(&self, other: &Self) -> bool {
        self.0.strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with(SEPARATOR))
    }

    /// The names it lies below, outermost first.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + '_ {
        self.0.match_indices(SEPARATOR).map(|(at, _)| Self(self.0[..at].to_owned()))
    }

    /// This name, with `from` at its beginning replaced by `to`; itself where it does not lie at or below `from`.
    ///
    /// # Errors
    /// [`NameError::TooLong`].
    pub fn moved(&self, from: &Self, to: &Self) -> Result<Self, NameError> {
        if self != from && !self.is_below(from) {
            return Ok(self.clone());
        }
        Self::parse(&format!("{}{}", to.0, &self.0[from.0.len()..]))
    }
}

/// What a mailbox is for (RFC 6154).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SpecialUse {
    /// `\Sent`
    Sent,
    /// `\Drafts`
    Drafts,
    /// `\Trash`
    Trash,
    /// `\Junk`
    Junk,
    /// `\Archive`
    Archive,
}

impl SpecialUse {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Sent, Self::Drafts, Self::Trash, Self::Junk, Self::Archive];

    /// As written in LIST and CREATE.
    pub const fn attribute(self) -> &'static str {
        match self {
            Self::Sent => "\\Sent",
            Self::Drafts => "\\Drafts",
            Self::Trash => "\\Trash",
            Self::Junk => "\\Junk",
            Self::Archive => "\\Archive",
        }
    }

    /// The use that this attribute names, in any case.
    pub fn of_attribute(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.attribute().eq_ignore_ascii_case(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_or_refused() {
        for (text, read) in [
            ("inbox", Ok("INBOX")),
            ("Inbox/Old", Ok("INBOX/Old")),
            ("Work/", Ok("Work")),
            ("Ärzte/Köln & Bonn", Ok("Ärzte/Köln & Bonn")),
            ("inboxes", Ok("inboxes")),
            ("", Err(NameError::Empty)),
            ("/", Err(NameError::Empty)),
            ("/a", Err(NameError::Empty)),
            ("a//b", Err(NameError::Empty)),
            ("a*", Err(NameError::Character)),
            ("a\u{7}", Err(NameError::Character)),
        ] {
            assert_eq!(
                MailboxName::parse(text).as_ref().map(MailboxName::as_str).map_err(|error| *error),
                read,
                "{text:?}"
            );
        }
        assert_eq!(MailboxName::parse(&"a".repeat(513)), Err(NameError::TooLong));
        assert_eq!(MailboxName::parse(&"a/".repeat(17)), Err(NameError::TooLong));
    }

    #[test]
    fn a_mailbox_takes_those_below_it_along() {
        let name = |text| MailboxName::parse(text).unwrap();
        let (a, b) = (name("a"), name("x/b"));
        assert_eq!(name("a/c/d").moved(&a, &b), Ok(name("x/b/c/d")));
        assert_eq!(name("ab").moved(&a, &b), Ok(name("ab")));
        assert!(name("a/c").is_below(&a) && !name("ab").is_below(&a) && !a.is_below(&a));
        assert_eq!(name("a/b/c").ancestors().collect::<Vec<_>>(), [name("a"), name("a/b")]);
    }
}
