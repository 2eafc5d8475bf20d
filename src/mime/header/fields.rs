//! Fields other than Content-*: texts for display, and address lists.

use mail_parser::parsers::MessageStream;

use crate::mail::Address;
use crate::mime::header::words;
use crate::mime::{Flaw, HeaderField, names};

/// An address with the name before it.
#[derive(Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The display name, decoded, without control and bidi characters.
    pub name: Option<String>,
    /// The address.
    pub address: Address,
}

/// An unstructured value (RFC 5322, section 2.2.1) for display: unfolded, encoded words decoded, control and bidi
/// characters removed, trimmed.
pub fn unstructured(value: &[u8]) -> String {
    let text = words::decode(&words::text_of(value)).replace('\t', " ");
    names::without_invisible(&text).trim().to_owned()
}

/// The mailboxes of an address field (RFC 5322, section 3.4).
///
/// # Errors
/// [`Flaw::Address`] where the list is not understood whole: an entry without an address, an address that is none by
/// RFC 5321, or more entries than addresses.
pub(in crate::mime) fn mailboxes_strict(name: &'static str, field: &HeaderField) -> Result<Vec<Mailbox>, Flaw> {
    let text = words::text_of(&field.value);
    let found = mailboxes(&text);
    // An address must stand there as it is, not come out of an encoded word: other readers take that for a name.
    let written = |mailbox: &Option<Mailbox>| {
        mailbox.as_ref().is_some_and(|mailbox| text.contains(&format!("{}@", mailbox.address.local_part())))
    };
    if found.len() == entries(&text) && found.iter().all(written) {
        Ok(found.into_iter().flatten().collect())
    } else {
        Err(Flaw::Address(name))
    }
}

/// The mailboxes of an address field's text; `None` in the place of what is no address. Members of groups count.
pub fn mailboxes(text: &str) -> Vec<Option<Mailbox>> {
    let line = format!("{}\n", text.replace(['\r', '\n'], " "));
    let value = MessageStream::new(line.as_bytes()).parse_address();
    let Some(list) = value.as_address() else { return Vec::new() };
    list.iter()
        .map(|entry| {
            let address = Address::parse(entry.address.as_deref()?.trim()).ok()?;
            let name = entry.name.as_deref().map(|name| unstructured(name.as_bytes())).filter(|name| !name.is_empty());
            Some(Mailbox { name, address })
        })
        .collect()
}

/// How many entries a list has: pieces between commas and semicolons outside quotes, comments and angles that hold more
/// than white space or a group's name.
fn entries(text: &str) -> usize {
    let (mut quoted, mut escaped, mut comment, mut angle) = (false, false, 0usize, false);
    let (mut count, mut filled, mut angles) = (0, false, 0);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted || comment > 0 => escaped = true,
            '"' if comment == 0 => {
                quoted = !quoted;
                filled = true;
            }
            _ if quoted => {}
            '(' => comment += 1,
            ')' => comment = comment.saturating_sub(1),
            _ if comment > 0 => {}
            '<' => {
                angle = true;
                angles += 1;
            }
            '>' => angle = false,
            ',' | ';' if !angle => {
                count += usize::from(filled).max(angles);
                (filled, angles) = (false, 0);
            }
            ':' if !angle => filled = false,
            c if !c.is_whitespace() => filled = true,
            _ => {}
        }
    }
    count + usize::from(filled).max(angles)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(value: &str) -> Option<Vec<String>> {
        let field = HeaderField { name: "From".into(), value: value.as_bytes().to_vec() };
        let found = mailboxes_strict("From", &field).ok()?;
        Some(found.iter().map(|m| format!("{}|{}", m.name.as_deref().unwrap_or(""), m.address)).collect())
    }

    #[test]
    fn address_lists_are_understood_whole_or_not_at_all() {
        for (written, read) in [
            (" a@x.example", vec!["|a@x.example"]),
            (" Jane Doe <a@x.example>", vec!["Jane Doe|a@x.example"]),
            (" \"Doe, Jane\" <a@x.example>", vec!["Doe, Jane|a@x.example"]),
            (" a@x.example,\r\n B <b@x.example>", vec!["|a@x.example", "B|b@x.example"]),
            (" =?utf-8?Q?J=C3=A4ne?= <a@x.example>", vec!["Jäne|a@x.example"]),
            (" Jäne <a@x.example>", vec!["Jäne|a@x.example"]),
            (" Ann (a, b) <a@x.example>", vec!["Ann (a, b)|a@x.example"]),
            (" G: a@x.example, b@x.example;", vec!["|a@x.example", "|b@x.example"]),
        ] {
            assert_eq!(
                list(written).as_deref(),
                Some(&read.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..]),
                "{written}"
            );
        }
        for bad in [
            " nobody",
            " a@x.example, nobody",
            " <evil@y.example> <a@x.example>",
            " a@x.example b@y.example",
            " <@route:a@x.example>",
            " a@[127.0.0.1]",
            " ,a",
            " \"jane doe\"@x.example",
            " =?utf-8?Q?a=40x.example?=",
            " =?utf-8?Q?a=40x.example?= (@)",
        ] {
            assert_eq!(list(bad), None, "{bad}");
        }
    }
}
