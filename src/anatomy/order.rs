//! What SORT, THREAD and the date keys of SEARCH go by (RFC 5256; RFC 9051, section 6.4.4).

use icu_normalizer::DecomposingNormalizerBorrowed;

use crate::anatomy::address::addresses;
use crate::anatomy::field::{fields, first};
use crate::anatomy::{BaseSubject, EnvelopeAddress, Sent, base_subject, date};
use crate::mime::header::unstructured;
use crate::time::Timestamp;

/// Message-IDs of one field that are looked at.
const MOST_IDS: usize = 200;
/// Letters of a text that SORT compares.
const LONGEST_KEY: usize = 250;

/// What a header section says when it was sent; `None` where it says nothing that is a date.
pub fn sent(header: &[u8]) -> Option<Sent> {
    date::parse(&first(header, "Date")?)
}

/// How a text is compared by SORT (RFC 5256, section 3; RFC 5051): capitals, and letters without what stands on them first,
/// so that `Ä` stands by `A`. Of a long text the beginning counts.
pub fn collation(text: &str) -> String {
    let beginning: String = text.chars().take(LONGEST_KEY).collect();
    DecomposingNormalizerBorrowed::new_nfkd().normalize(&beginning.to_uppercase()).into_owned()
}

/// The keys of one message, in lower case.
#[derive(Clone, Default)]
pub struct SortKeys {
    /// The mailbox of the first From address.
    pub from: String,
    /// The mailbox of the first To address.
    pub to: String,
    /// The mailbox of the first Cc address.
    pub cc: String,
    /// The name of the first From address, else the address (RFC 5957).
    pub display_from: String,
    /// The name of the first To address, else the address.
    pub display_to: String,
    /// The subject's base.
    pub subject: BaseSubject,
    /// When it says it was sent; INTERNALDATE counts where it does not.
    pub sent: Option<Timestamp>,
    /// Its own Message-ID.
    pub message_id: Option<String>,
    /// What it answers, oldest first: References, else the first of In-Reply-To.
    pub references: Vec<String>,
}

crate::secret::silent_debug!(SortKeys);

impl SortKeys {
    /// The keys of a header section.
    pub fn of(header: &[u8]) -> Self {
        let value = |name| first(header, name).unwrap_or_default();
        let list = |name: &str| {
            let field = fields(header).find(|field| field.is(name));
            // Of a group its name: that is the first address structure (RFC 5256, section 3).
            field.and_then(|field| addresses(&field.text()).into_iter().next())
        };
        let (from, to, cc) = (list("From"), list("To"), list("Cc"));
        let mailbox = |entry: &Option<EnvelopeAddress>| {
            let mailbox = entry.as_ref().and_then(|entry| entry.mailbox.as_deref());
            mailbox.unwrap_or_default().to_lowercase()
        };
        let mut references = message_ids(&value("References"));
        if references.is_empty() {
            references = message_ids(&value("In-Reply-To"));
            references.truncate(1);
        }
        Self {
            display_from: shown(from.as_ref()),
            display_to: shown(to.as_ref()),
            from: mailbox(&from),
            to: mailbox(&to),
            cc: mailbox(&cc),
            subject: base_subject(&unstructured(value("Subject").as_bytes())),
            sent: sent(header).map(|sent| sent.moment),
            message_id: message_ids(&value("Message-ID")).into_iter().next(),
            references,
        }
    }
}

fn shown(entry: Option<&EnvelopeAddress>) -> String {
    let Some(EnvelopeAddress { name, mailbox, host, .. }) = entry else { return String::new() };
    let mailbox = mailbox.as_deref().unwrap_or_default();
    let address = || host.as_ref().map_or_else(|| mailbox.to_owned(), |host| format!("{mailbox}@{host}"));
    let name = name.as_ref().map(|name| unstructured(name.as_bytes())).filter(|name| !name.is_empty());
    name.unwrap_or_else(address).to_lowercase()
}

/// The Message-IDs in a text (RFC 5322, section 3.6.4), with their brackets, white space left out.
pub(super) fn message_ids(text: &str) -> Vec<String> {
    let mut rest = text;
    let mut found = Vec::new();
    while found.len() < MOST_IDS
        && let Some((_, from)) = rest.split_once('<')
        && let Some((id, behind)) = from.split_once('>')
    {
        // A bracket that is not closed begins none.
        let id: String = id.rsplit('<').next().unwrap_or_default().chars().filter(|c| !c.is_whitespace()).collect();
        if !id.is_empty() {
            found.push(format!("<{id}>"));
        }
        rest = behind;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_folded() {
        let header =
            b"From: =?utf-8?Q?J=C3=84ne?= <Jane@X.example>\r\nTo: G: Bob@y;\r\nSubject: Re: =?utf-8?Q?=C3=84?=\r\n\
            Date: Sun, 22 Nov 2026 00:30:00 +0100\r\nMessage-ID: <a@b>\r\nIn-Reply-To: <c\r\n @d> <e@f>\r\n\r\n";
        let keys = SortKeys::of(header);
        assert_eq!((keys.from.as_str(), keys.to.as_str(), keys.cc.as_str()), ("jane", "g", ""));
        assert_eq!((keys.display_from.as_str(), keys.display_to.as_str()), ("jäne", "g"));
        assert_eq!((keys.subject.text.as_str(), keys.subject.is_answer), ("ä", true));
        assert_eq!((keys.message_id.as_deref(), keys.references), (Some("<a@b>"), vec!["<c@d>".to_owned()]));
        let sent = sent(header).unwrap();
        assert_eq!(
            (sent.moment.to_string().as_str(), sent.day.to_string().as_str()),
            ("2026-11-21T23:30:00Z", "2026-11-22")
        );
        assert!(super::sent(b"Date: yesterday\r\n\r\n").is_none());
    }

    #[test]
    fn umlauts_stand_by_their_letters() {
        let mut names = ["Zoe", "Änne", "anna", "Emil", "ärzte", "_"];
        names.sort_by_key(|name| collation(name));
        assert_eq!(names, ["anna", "Änne", "ärzte", "Emil", "Zoe", "_"]);
        assert_eq!(collation(&"ü".repeat(100_000)).chars().count(), 2 * LONGEST_KEY);
    }
}
