//! Several programs on one mailbox at once, at random, against the built server (`crowd.py`).

use super::imap::{clinic, python};

/// What another session changed behind a silent STORE was told to nobody; a message that was expunged while it was downloaded
/// ended the connection.
#[test]
fn a_crowd_on_one_mailbox_agrees() {
    let clinic = clinic();
    if let Some(said) = python(&clinic, "a_crowd_on_one_mailbox_agrees", include_str!("crowd.py")) {
        assert_eq!(said.trim(), "agreed");
    }
}
