//! Flags and keywords (RFC 9051, section 2.3.2).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Keywords of one mailbox, at most: a row has a bit for each.
pub(super) const MOST_KEYWORDS: usize = 64;
/// Octets of a keyword, at most.
const LONGEST: usize = 100;

/// The system flags a message has. `\Recent` is none of them: a session has that (see [`super::OpenMailbox::claim_recent`]).
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
pub struct SystemFlags(u8);

impl SystemFlags {
    /// None.
    pub const NONE: Self = Self(0);
    /// `\Seen`
    pub const SEEN: Self = Self(1);
    /// `\Answered`
    pub const ANSWERED: Self = Self(2);
    /// `\Flagged`
    pub const FLAGGED: Self = Self(4);
    /// `\Deleted`
    pub const DELETED: Self = Self(8);
    /// `\Draft`
    pub const DRAFT: Self = Self(16);

    /// Each flag and how it is written.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::ANSWERED, "\\Answered"),
        (Self::FLAGGED, "\\Flagged"),
        (Self::DELETED, "\\Deleted"),
        (Self::SEEN, "\\Seen"),
        (Self::DRAFT, "\\Draft"),
    ];

    /// Whether all flags of `other` are among these.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These and those.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These without those.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The flag written so, in any case; `\Recent` and what is unknown is none.
    pub fn of_name(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, name)| name.eq_ignore_ascii_case(text)).map(|(flag, _)| flag)
    }

    /// How these are written.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, name)| name)
    }
}

impl fmt::Debug for SystemFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// Why a text is no flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    /// Begins with `\` and is no system flag that can be set.
    #[error("no such flag can be set")]
    Unknown,
    /// Not an atom of at most 100 octets.
    #[error("a keyword is a word of letters and digits")]
    Keyword,
}

/// A keyword: an atom (RFC 9051, section 9), at most 100 octets. Case does not count when two are compared; it is kept as
/// it was first written.
#[derive(Clone, Serialize, Deserialize)]
pub struct Keyword(String);

impl Keyword {
    /// The keyword in this text.
    ///
    /// # Errors
    /// [`FlagError::Keyword`].
    pub fn parse(text: &str) -> Result<Self, FlagError> {
        let atom = |b: u8| b.is_ascii_graphic() && !b"(){%*\"\\]".contains(&b);
        let sound = !text.is_empty() && text.len() <= LONGEST && text.bytes().all(atom);
        if sound { Ok(Self(text.to_owned())) } else { Err(FlagError::Keyword) }
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Keyword {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Keyword {}

/// Keywords are words of a person's own.
impl fmt::Debug for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyword(…)")
    }
}

/// Flags and keywords as a client names them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlagSet {
    /// System flags.
    pub system: SystemFlags,
    /// Keywords.
    pub keywords: Vec<Keyword>,
}

impl FlagSet {
    /// These system flags and no keyword.
    pub fn of(system: SystemFlags) -> Self {
        Self { system, keywords: Vec::new() }
    }

    /// Adds the flag or keyword in this text. `\Recent` cannot be set (RFC 3501, section 2.3.2).
    ///
    /// # Errors
    /// [`FlagError`].
    pub fn add(&mut self, text: &str) -> Result<(), FlagError> {
        if !text.starts_with('\\') {
            let keyword = Keyword::parse(text)?;
            if !self.keywords.contains(&keyword) {
                self.keywords.push(keyword);
            }
            return Ok(());
        }
        self.system = self.system.with(SystemFlags::of_name(text).ok_or(FlagError::Unknown)?);
        Ok(())
    }
}

/// What STORE does to the flags of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlagChange {
    /// `FLAGS`
    Replace(FlagSet),
    /// `+FLAGS`
    Add(FlagSet),
    /// `-FLAGS`
    Remove(FlagSet),
}

impl FlagChange {
    /// The flags it names.
    pub fn flags(&self) -> &FlagSet {
        let (Self::Replace(flags) | Self::Add(flags) | Self::Remove(flags)) = self;
        flags
    }

    /// Flags and keyword bits after it; `bits` are those of the keywords it names.
    pub(super) fn applied(&self, system: SystemFlags, keywords: u64, bits: u64) -> (SystemFlags, u64) {
        match self {
            Self::Replace(flags) => (flags.system, bits),
            Self::Add(flags) => (system.with(flags.system), keywords | bits),
            Self::Remove(flags) => (system.without(flags.system), keywords & !bits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_as_clients_write_them() {
        let mut flags = FlagSet::default();
        for text in ["\\seen", "\\DELETED", "$Forwarded", "$forwarded"] {
            flags.add(text).unwrap();
        }
        assert_eq!(flags.system, SystemFlags::SEEN.with(SystemFlags::DELETED));
        assert_eq!(flags.keywords.iter().map(Keyword::as_str).collect::<Vec<_>>(), ["$Forwarded"]);
        for (text, error) in [
            ("\\Recent", FlagError::Unknown),
            ("\\Other", FlagError::Unknown),
            ("a b", FlagError::Keyword),
            ("", FlagError::Keyword),
        ] {
            assert_eq!(flags.add(text), Err(error), "{text:?}");
        }
        assert_eq!(flags.system.names().collect::<Vec<_>>(), ["\\Deleted", "\\Seen"]);
    }

    #[test]
    fn changes_add_remove_and_replace() {
        let set = FlagSet::of(SystemFlags::SEEN);
        let before = (SystemFlags::DRAFT, 0b11);
        let after = |change: FlagChange| change.applied(before.0, before.1, 0b110);
        assert_eq!(after(FlagChange::Replace(set.clone())), (SystemFlags::SEEN, 0b110));
        assert_eq!(after(FlagChange::Add(set.clone())), (SystemFlags::SEEN.with(SystemFlags::DRAFT), 0b111));
        assert_eq!(after(FlagChange::Remove(set)), (SystemFlags::DRAFT, 0b001));
    }
}
