//! Pictures in a text that may be part of a signature: small, of a kind that every mail program shows, and nothing else by any
//! reading.

use crate::mime::assess::{Attachment, Given};

/// The largest, in octets.
pub const LARGEST: u64 = 64 * 1024;

/// Their types, and the endings of their names.
const KINDS: [(&str, &[&str]); 3] =
    [("image/png", &["png"]), ("image/jpeg", &["jpg", "jpeg"]), ("image/gif", &["gif"])];

impl Attachment {
    /// Whether policy may know it as part of a signature. A pasted picture may look so, too: what it shows is not known here.
    pub fn may_be_of_signature(&self) -> bool {
        let Some(shown) = &self.content_type else { return false };
        let declared = if self.declared_type == "image/jpg" { "image/jpeg" } else { &self.declared_type };
        let kind = KINDS.iter().find(|(kind, _)| kind == shown && *kind == declared);
        let ending = |name: &String| name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        let named = |(_, endings): &(&str, &[&str])| {
            self.names.iter().all(|name| ending(name).is_some_and(|ending| endings.contains(&ending.as_str())))
        };
        // What the HTML calls it must be the same however it is written there.
        let plain = |id: &String| id.bytes().all(|b| b.is_ascii_alphanumeric() || b"@.-_$+".contains(&b));
        self.inline
            && self.given == Given::AsDocument
            && self.within.is_none()
            && self.front.is_empty()
            && self.octets <= LARGEST + 2
            && kind.is_some_and(named)
            && self.content_id.as_ref().is_some_and(plain)
    }
}
