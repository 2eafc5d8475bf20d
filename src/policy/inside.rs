//! Restricted types inside documents: what was found when they were looked into, against the groups of `restricted.toml`.

use super::restricted::RestrictedGroup;
use crate::mime::assess::Attachment;
use crate::mime::inside::{Fact, Found};
use crate::mime::names;

/// The words of [`Fact::ALL`], as a group's `holds` may name them.
pub(super) const WORDS: &[&str] = &{
    let mut words = [""; Fact::ALL.len()];
    let mut at = 0;
    while at < words.len() {
        words[at] = Fact::ALL[at].1;
        at += 1;
    }
    words
};

/// The fact of a word.
pub(super) fn fact(word: &str) -> Option<Fact> {
    Fact::ALL.iter().find(|(_, known)| *known == word).map(|(fact, _)| *fact)
}

impl RestrictedGroup {
    /// The attachment, or the first file in it, that belongs to the group by what was found inside: its path to be told to
    /// the sender, `letters.zip/setup.exe`.
    pub(super) fn offending_inside(&self, attachment: &Attachment) -> Option<String> {
        let inside = &attachment.inside;
        let found = inside.found.iter().find(|found| self.holds_found(found));
        let path = |found: &Found| {
            let names =
                std::iter::once(attachment.name.clone()).chain(found.path.iter().map(|name| names::sanitise(name)));
            names.collect::<Vec<_>>().join("/")
        };
        let own = || self.holds.iter().any(|fact| inside.facts.contains(fact)).then(|| attachment.name.clone());
        found.map(path).or_else(own)
    }

    /// Every name that the file could be saved by counts, and its content.
    fn holds_found(&self, found: &Found) -> bool {
        let mut names = found.path.last().into_iter().chain(&found.other_names).flat_map(|name| names::saved_as(name));
        names.any(|name| self.holds_name(&name))
            || found.media_type.as_ref().is_some_and(|kind| self.holds_type(kind))
            || self.holds.iter().any(|fact| found.facts.contains(fact))
    }
}
