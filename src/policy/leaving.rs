//! Settings about what of a secured message leaves, and in which form.

/// Where the text and the subject of a secured message are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyPlace {
    /// In the mail, below the block of documents; the portal shows the text, too.
    Mail,
    /// In the portal alone: the mail is a notice, and holds neither.
    Vault,
}

impl BodyPlace {
    /// As policy files write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Vault => "vault",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Mail, Self::Vault].into_iter().find(|place| place.name() == name)
    }
}

/// What becomes of a message in which readers would see different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ambiguous {
    /// It is refused, with what is wrong in words.
    Refuse,
    /// The message as it was written becomes one document; nothing that leaves is built from it.
    SecureWhole,
}

impl Ambiguous {
    /// As policy files write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::SecureWhole => "secure-whole",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Refuse, Self::SecureWhole].into_iter().find(|known| known.name() == name)
    }
}

/// What becomes of a message that is attached to another (`message/rfc822`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forwarded {
    /// It is one document.
    OneFile,
    /// Its own attachments are documents, too, beside it.
    TakenApart,
}

impl Forwarded {
    /// As policy files write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneFile => "one-file",
            Self::TakenApart => "taken-apart",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::OneFile, Self::TakenApart].into_iter().find(|known| known.name() == name)
    }
}
