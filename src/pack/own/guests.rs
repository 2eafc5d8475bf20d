//! What guests are told: that they are invited, how they sign in, how they reach their documents again.

use minijinja::{Value, context};

use super::content::{Content, Reader};
use crate::invitation::Why;
use crate::pack::field;
use crate::policy::Role;

/// A role as sentences know it; `other` where nobody said.
pub(crate) fn role_word(role: Option<Role>) -> &'static str {
    role.map_or("other", Role::name)
}

fn guest(kind: &'static str, facts: Value) -> Content<'static> {
    Content::of(Reader::Guest, kind, facts)
}

/// The invitation sent again, or a reminder of it.
pub(super) fn invitation<'a>(
    role: Option<Role>,
    sender: String,
    link: &'a str,
    until: Value,
    reminds: bool,
    last: bool,
) -> Content<'a> {
    let facts = context! { role => role_word(role), sender => sender, until => until, last => last };
    Content { link: Some(link), ..guest(if reminds { "reminder" } else { "invitation" }, facts) }
}

/// Registration is closed.
pub(super) fn cancelled(sender: String, why: Option<Why>) -> Content<'static> {
    let facts = context! { sender => sender, by_hand => why == Some(Why::ByHand), expired => why.is_none() };
    guest("cancelled", facts)
}

/// Set the password, the first or another.
pub(super) fn password(link: &str, until: Value, first: bool) -> Content<'_> {
    Content { link: Some(link), ..guest(if first { "password" } else { "forgotten" }, context! { until => until }) }
}

/// The account is one now.
pub(super) fn welcome<'a>(role: Option<Role>, name: &str, sender: String, link: &'a str) -> Content<'a> {
    let facts = context! {
        role => role_word(role), name => field::one_line(name), sender => sender,
    };
    Content { link: Some(link), ..guest("welcome", facts) }
}

/// A one-time code.
pub(super) fn code(code: &str, until: Value) -> Content<'_> {
    Content { code: Some(code), ..guest("code", context! { until => until }) }
}

/// A fresh link, or one that works once.
pub(super) fn link(link: &str, until: Value, once: bool) -> Content<'_> {
    Content { link: Some(link), ..guest(if once { "magic" } else { "fresh" }, context! { until => until }) }
}
