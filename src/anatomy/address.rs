//! Address lists as ENVELOPE shows them (RFC 9051, section 7.5.2), loosely.

use serde::{Deserialize, Serialize};

/// An entry of an address list. A group begins with an entry that has a mailbox (its name) and no host, and ends with one
/// that has neither. Encoded words are left as they are.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EnvelopeAddress {
    /// The display name, or else the comment, without quotes.
    pub name: Option<String>,
    /// The source route (`@a,@b`).
    pub route: Option<String>,
    /// The local part, without quotes; of a group its name.
    pub mailbox: Option<String>,
    /// The domain; empty where an entry has none.
    pub host: Option<String>,
}

crate::secret::silent_debug!(EnvelopeAddress);

/// Entries of one list, at most.
const MOST: usize = 2000;

/// The entries of a list.
pub(super) fn addresses(text: &str) -> Vec<EnvelopeAddress> {
    let mut list = List { rest: text, found: Vec::new(), in_group: false };
    while list.found.len() < MOST && list.entry() {}
    if list.in_group {
        list.found.push(EnvelopeAddress::default());
    }
    list.found
}

struct List<'a> {
    rest: &'a str,
    found: Vec<EnvelopeAddress>,
    in_group: bool,
}

/// What was read up to a special character.
#[derive(Default)]
struct Phrase {
    words: Vec<String>,
    comment: Option<String>,
}

impl Phrase {
    fn name(self) -> Option<String> {
        Some(self.words.join(" ")).filter(|name| !name.is_empty()).or(self.comment)
    }

    /// As a local part or domain: white space within it goes.
    fn run(&self) -> String {
        self.words.concat()
    }
}

impl List<'_> {
    /// Takes the next entry. Whether there was more to read.
    fn entry(&mut self) -> bool {
        let phrase = self.phrase();
        let Some(end) = self.rest.chars().next() else {
            self.bare(phrase);
            return false;
        };
        self.rest = &self.rest[end.len_utf8()..];
        match end {
            '<' => self.angle(phrase),
            '@' => self.address(phrase),
            ':' => {
                let mailbox = Some(phrase.words.join(" "));
                self.found.push(EnvelopeAddress { mailbox, ..Default::default() });
                self.in_group = true;
            }
            ';' => {
                self.bare(phrase);
                if std::mem::take(&mut self.in_group) {
                    self.found.push(EnvelopeAddress::default());
                }
            }
            _ => self.bare(phrase),
        }
        true
    }

    /// An entry that is no address.
    fn bare(&mut self, phrase: Phrase) {
        if !phrase.words.is_empty() {
            let mailbox = Some(phrase.words.join(" "));
            let entry = EnvelopeAddress { name: phrase.comment, route: None, mailbox, host: Some(String::new()) };
            self.found.push(entry);
        }
    }

    /// What stands in angle brackets behind a name.
    fn angle(&mut self, name: Phrase) {
        let (inner, behind) = self.rest.split_once('>').unwrap_or((self.rest, ""));
        let (route, inner) = match inner.strip_prefix('@').and_then(|_| inner.split_once(':')) {
            Some((route, address)) => (Some(route.trim().to_owned()), address),
            None => (None, inner),
        };
        let mut within = List { rest: inner, found: Vec::new(), in_group: false };
        within.entry();
        let mut entry = within.found.into_iter().next().unwrap_or_else(|| EnvelopeAddress {
            mailbox: Some(String::new()),
            host: Some(String::new()),
            ..Default::default()
        });
        self.rest = behind;
        let comment = self.phrase().comment;
        entry.name = name.name().or(comment);
        entry.route = route;
        self.found.push(entry);
    }

    /// A local part was read, and its `@`.
    fn address(&mut self, local: Phrase) {
        let domain = self.phrase();
        let name = domain.comment.clone().or_else(|| local.comment.clone());
        let (mailbox, host) = (Some(local.run()), Some(domain.run()));
        self.found.push(EnvelopeAddress { name, route: None, mailbox, host });
    }

    /// Words up to the next of `< > , ; : @`, or the end.
    fn phrase(&mut self) -> Phrase {
        let mut phrase = Phrase::default();
        loop {
            self.rest = self.rest.trim_start();
            match self.rest.chars().next() {
                None | Some('<' | ',' | ';' | '@') => return phrase,
                // A domain literal has colons of its own.
                Some(':') => return phrase,
                Some('>' | ')') => self.rest = &self.rest[1..],
                Some('"') => {
                    let end = quoted_end(self.rest);
                    phrase.words.push(super::field::unquoted(&self.rest[..end]));
                    self.rest = &self.rest[end..];
                }
                Some('(') => {
                    let end = comment_end(self.rest);
                    let inner = self.rest[1..end].strip_suffix(')').unwrap_or(&self.rest[1..end]);
                    phrase.comment.get_or_insert_with(|| inner.trim().to_owned());
                    self.rest = &self.rest[end..];
                }
                Some('[') => {
                    let end = self.rest.find(']').map_or(self.rest.len(), |at| at + 1);
                    phrase.words.push(self.rest[..end].to_owned());
                    self.rest = &self.rest[end..];
                }
                Some(_) => {
                    let stop = |c: char| c.is_whitespace() || "<>,;:@\"()[".contains(c);
                    let end = self.rest.find(stop).unwrap_or(self.rest.len());
                    phrase.words.push(self.rest[..end].to_owned());
                    self.rest = &self.rest[end..];
                }
            }
        }
    }
}

/// Where the quoted string at the start ends.
fn quoted_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if std::mem::take(&mut escaped) => {}
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Where the comment at the start ends; comments nest.
fn comment_end(text: &str) -> usize {
    let (mut depth, mut escaped) = (0_usize, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if std::mem::take(&mut escaped) => {}
            '\\' => escaped = true,
            '(' => depth += 1,
            ')' if depth == 1 => return at + 1,
            ')' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let show = |part: &Option<String>| part.clone().unwrap_or_else(|| "-".into());
        let line = |it: &EnvelopeAddress| [&it.name, &it.route, &it.mailbox, &it.host].map(show).join("|");
        addresses(text).iter().map(line).collect()
    }

    #[test]
    fn lists_as_they_are_written() {
        for (text, read) in [
            ("a@x.example", vec!["-|-|a|x.example"]),
            ("Jane Doe <a@x.example>", vec!["Jane Doe|-|a|x.example"]),
            ("\"Doe, \\\"J\\\"\" <a@x>, b@y", vec!["Doe, \"J\"|-|a|x", "-|-|b|y"]),
            ("a@x (Jane)", vec!["Jane|-|a|x"]),
            ("<a@x> (Jane)", vec!["Jane|-|a|x"]),
            ("<@r,@s:a@x>", vec!["-|@r,@s|a|x"]),
            ("\"jane doe\"@x", vec!["-|-|jane doe|x"]),
            ("Undisclosed: ;", vec!["-|-|Undisclosed|-", "-|-|-|-"]),
            ("G: a@x, B <b@y>;, c@z", vec!["-|-|G|-", "-|-|a|x", "B|-|b|y", "-|-|-|-", "-|-|c|z"]),
            ("a . b @ x . y", vec!["-|-|a.b|x.y"]),
            ("a@[127.0.0.1]", vec!["-|-|a|[127.0.0.1]"]),
            ("a@[IPv6:::1]", vec!["-|-|a|[IPv6:::1]"]),
            ("=?utf-8?Q?J=C3=A4ne?= <a@x>", vec!["=?utf-8?Q?J=C3=A4ne?=|-|a|x"]),
            ("nobody", vec!["-|-|nobody|"]),
            ("Jane <>", vec!["Jane|-||"]),
            ("<a@x", vec!["-|-|a|x"]),
            ("", vec![]),
            (" , ,", vec![]),
        ] {
            assert_eq!(shown(text), read, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_list(text in "[a@<>,;:()\"\\\\ \\[\\].é]{0,60}") {
            prop_assert!(addresses(&text).len() <= text.len() + 2);
        }
    }
}
