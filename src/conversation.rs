//! Conversations: what a guest may reply, and how long it is kept. Pure.

use std::time::Duration;

const HOUR: u64 = 3600;
const MIB: u64 = 1024 * 1024;

/// How long the replies of a conversation are kept after the last of them.
pub const KEPT: Duration = Duration::from_secs(90 * 24 * HOUR);
/// How long a draft is kept after the visit that wrote it.
pub const DRAFT_KEPT: Duration = Duration::from_secs(HOUR);
/// Replies of one conversation, at most: who has more to say has a case for the telephone.
pub const MOST_REPLIES: u32 = 100;
/// Octets of a reply's text, at most.
pub const MOST_TEXT: usize = 20_000;

/// What a reply may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Attachments, at most.
    pub attachments: usize,
    /// Octets of one attachment, at most.
    pub octets: u64,
    /// Octets of all attachments together, at most: as mail they are larger by a third, and must fit into the mailbox of
    /// whoever is answered.
    pub together: u64,
}

/// As shipped: ten photographs of a telephone, or a scanned folder.
impl Default for Allowance {
    fn default() -> Self {
        Self { attachments: 10, octets: 20 * MIB, together: 30 * MIB }
    }
}

/// Why an attachment is not taken, by number and size alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    /// There are as many as may be.
    Number,
    /// This one, or all together, would be too large.
    Size,
}

impl Allowance {
    /// Whether one more may begin, beside so many that came before.
    ///
    /// # Errors
    /// [`Beyond::Number`].
    pub fn one_more(&self, before: usize) -> Result<(), Beyond> {
        if before < self.attachments { Ok(()) } else { Err(Beyond::Number) }
    }

    /// Whether the attachment that comes in may have so many octets, beside those of the others.
    ///
    /// # Errors
    /// [`Beyond::Size`].
    pub fn grows_to(&self, octets: u64, others: u64) -> Result<(), Beyond> {
        let together = others.saturating_add(octets);
        if octets <= self.octets && together <= self.together { Ok(()) } else { Err(Beyond::Size) }
    }
}

/// A text as it is kept and sent: line ends are LF, no control character but tab, nothing blank around it.
pub fn tidy(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String = lines.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    kept.trim().to_owned()
}

/// As much of a text as fits into so many octets.
pub fn cut(text: &str, octets: usize) -> &str {
    &text[..text.floor_char_boundary(octets)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attachments_are_counted_and_weighed() {
        let allowance = Allowance { attachments: 2, octets: 10, together: 15 };
        assert_eq!(allowance.one_more(1), Ok(()));
        assert_eq!(allowance.one_more(2), Err(Beyond::Number));
        for (octets, others, taken) in [
            (10, 0, Ok(())),
            (11, 0, Err(Beyond::Size)),
            (5, 10, Ok(())),
            (6, 10, Err(Beyond::Size)),
            (1, u64::MAX, Err(Beyond::Size)),
        ] {
            assert_eq!(allowance.grows_to(octets, others), taken, "{octets} beside {others}");
        }
    }

    #[test]
    fn texts_are_tidied_and_cut_between_letters() {
        assert_eq!(tidy("\r\n a\r\nb\rc\td\0\u{7}\u{85} \n"), "a\nb\nc\td");
        assert_eq!(tidy(" \r\n\t "), "");
        assert_eq!((cut("aé", 2), cut("aé", 3)), ("a", "aé"));
    }
}
