//! The header fields of a rebuilt message: an allow-list, each read for what it means and written anew.

use mail_builder::MessageBuilder;
use mail_builder::headers::HeaderType;
use mail_builder::headers::address::Address as Written;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use crate::mail::Address;
use crate::mime::HeaderSection;
use crate::pack::{NoticeParts, list, moment};

/// Octets of the message identifiers that References keeps: the first, and the latest that fit.
const REFERENCES_LIMIT: usize = 4_000;
/// Octets of one message identifier; a longer one could not stand on a line (RFC 5322, section 2.1.1).
const IDENTIFIER_LIMIT: usize = 900;
/// Octets in one encoded word, so that it stays within 75 characters (RFC 2047, section 2).
const WORD: usize = 45;
/// Fields of which only these words pass.
const CLOSED_LISTS: [(&str, &[&str]); 4] = [
    ("Importance", &["low", "normal", "high"]),
    ("Priority", &["normal", "urgent", "non-urgent"]),
    ("X-Priority", &["1", "2", "3", "4", "5"]),
    ("Precedence", &["bulk", "list", "junk"]),
];
/// Answers that a server of Exchange's family is asked to hold back ([MS-OXCMAIL]).
const SUPPRESSED: [&str; 8] = ["None", "All", "DR", "NDR", "RN", "NRN", "OOF", "AutoReply"];
/// The words of RFC 3834, section 5.
const AUTO_SUBMITTED: [&str; 4] = ["no", "auto-generated", "auto-replied", "auto-notified"];

/// The header section of a notice but for the MIME fields: who, to whom, what about, when, and in which thread.
/// What is not named here does not pass: no trace, no client's address, no signal of the sender's program, no Bcc.
pub(crate) fn allowed<'a>(parts: &'a NoticeParts<'_>, subject: &str) -> MessageBuilder<'a> {
    let received = &parts.outline.root.header;
    let mut message = MessageBuilder::new().header("From", from(parts));
    if let (Some(sender), None) = (&parts.message.sender, parts.speaks_as) {
        message = message.header("Sender", Written::new_address(None::<&str>, sender.to_string()));
    }
    for name in ["Reply-To", "To", "Cc"] {
        let addresses = addresses(received, name);
        if !addresses.is_empty() {
            message = message.header(name, Written::new_list(addresses));
        }
    }
    message = message
        .header("Subject", unstructured(subject))
        .header("Date", Raw::new(date(received, parts)))
        .header("Message-ID", MessageId::new(message_id(received, parts)));
    for name in ["In-Reply-To", "References"] {
        let identifiers = within_limit(identifiers(received, name));
        if !identifiers.is_empty() {
            message = message.header(name, MessageId::new_list(identifiers.into_iter()));
        }
    }
    for (name, listed) in CLOSED_LISTS {
        if let Some(word) = listed_word(received, name, listed) {
            message = message.header(name, Raw::new(word));
        }
    }
    for (name, value) in list::fields(received) {
        message = message.header(name, Raw::new(value));
    }
    automatic(message, parts)
}

/// What machines are told of who wrote it, so that none answers another.
fn automatic<'a>(mut message: MessageBuilder<'a>, parts: &NoticeParts<'_>) -> MessageBuilder<'a> {
    let received = &parts.outline.root.header;
    let suppressed = suppressed(received);
    if !suppressed.is_empty() {
        message = message.header("X-Auto-Response-Suppress", Raw::new(suppressed.join(", ")));
    }
    match listed_word(received, "Auto-Submitted", &AUTO_SUBMITTED) {
        Some(word) => message.header("Auto-Submitted", Raw::new(word)),
        // A word that RFC 3834 does not know still says that no person is there to read an automatic answer.
        None if parts.message.auto_submitted => message.header("Auto-Submitted", Raw::new(AUTO_SUBMITTED[1])),
        None => message,
    }
}

fn suppressed(received: &HeaderSection) -> Vec<&'static str> {
    let Some(value) = values(received, "X-Auto-Response-Suppress").next() else { return Vec::new() };
    let text = String::from_utf8_lossy(value).into_owned();
    let words: Vec<&str> = text.split(',').map(str::trim).collect();
    SUPPRESSED.into_iter().filter(|known| words.iter().any(|word| word.eq_ignore_ascii_case(known))).collect()
}

fn from<'a>(parts: &NoticeParts<'_>) -> Written<'a> {
    if let Some(speaks) = parts.speaks_as {
        let name = speaks.name.as_deref().map(display_name);
        return Written::new_address(name, speaks.address.to_string());
    }
    let name = parts.message.from_name.as_deref().map(display_name).filter(|name| !name.is_empty());
    let speaker = std::slice::from_ref(parts.sender);
    let from = if parts.message.from.is_empty() { speaker } else { &parts.message.from };
    let all = from
        .iter()
        .enumerate()
        .map(|(place, address)| Written::new_address(name.clone().filter(|_| place == 0), address.to_string()));
    Written::new_list(all.collect())
}

/// The addresses of a field, with their display names. What is no address of ours to understand is left out.
fn addresses<'a>(received: &HeaderSection, name: &str) -> Vec<Written<'a>> {
    let mut all = Vec::new();
    for value in values(received, name) {
        let line = terminated(value);
        let HeaderValue::Address(read) = MessageStream::new(&line).parse_address() else { continue };
        all.extend(read.iter().filter_map(|one| {
            let address = Address::parse(one.address.as_deref()?.trim()).ok()?;
            let name = one.name.as_deref().map(display_name).filter(|name| !name.is_empty());
            Some(Written::new_address(name, address.to_string()))
        }));
    }
    all
}

fn date(received: &HeaderSection, parts: &NoticeParts<'_>) -> String {
    let given = values(received, "Date").next().and_then(|value| {
        let line = terminated(value);
        MessageStream::new(&line).parse_date().into_datetime().filter(mail_parser::DateTime::is_valid)
    });
    given.map_or_else(|| moment::rfc5322(parts.now), |date| date.to_rfc822())
}

fn message_id(received: &HeaderSection, parts: &NoticeParts<'_>) -> String {
    let given = identifiers(received, "Message-ID").into_iter().next();
    given.unwrap_or_else(|| format!("{}@{}", parts.unique, parts.hostname))
}

/// The `<…>` of a field, without the brackets (RFC 5322, section 3.6.4; also the loose ones that are seen: any
/// printable ASCII).
fn identifiers(received: &HeaderSection, name: &str) -> Vec<String> {
    let mut all = Vec::new();
    for value in values(received, name) {
        let text = String::from_utf8_lossy(value);
        for piece in text.split('<').skip(1) {
            let Some((identifier, _)) = piece.split_once('>') else { continue };
            all.extend(sound_identifier(identifier));
        }
    }
    all
}

/// An identifier, with or without its brackets; nothing where it is none.
pub(crate) fn identifier(written: &str) -> Option<String> {
    let trimmed = written.trim();
    sound_identifier(trimmed.strip_prefix('<').and_then(|it| it.strip_suffix('>')).unwrap_or(trimmed))
}

fn sound_identifier(identifier: &str) -> Option<String> {
    let sound = identifier.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>') && identifier.contains('@');
    (sound && identifier.len() <= IDENTIFIER_LIMIT).then(|| identifier.to_owned())
}

/// The first identifier names the thread, the last ones its newest messages; what lies between may go.
pub(crate) fn within_limit(mut identifiers: Vec<String>) -> Vec<String> {
    let mut octets: usize = identifiers.iter().map(|identifier| identifier.len() + 3).sum();
    while octets > REFERENCES_LIMIT && identifiers.len() > 2 {
        octets -= identifiers.remove(1).len() + 3;
    }
    identifiers
}

/// The first word of a field, if the list has it.
fn listed_word(received: &HeaderSection, name: &str, listed: &[&'static str]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(values(received, name).next()?).to_ascii_lowercase();
    let first = text.split([' ', '\t', '\r', '\n', ';', '(']).find(|word| !word.is_empty())?;
    listed.iter().find(|word| **word == first).copied()
}

fn values<'h>(received: &'h HeaderSection, name: &str) -> impl Iterator<Item = &'h [u8]> {
    received
        .fields
        .iter()
        .filter(move |field| field.name.eq_ignore_ascii_case(name))
        .map(|field| field.value.as_slice())
}

fn terminated(value: &[u8]) -> Vec<u8> {
    [value, b"\r\n"].concat()
}

/// The value of an unstructured field (RFC 5322, section 3.6.5).
///
/// mail-builder writes plain ASCII as it stands, also where it looks like an encoded word and a reader would decode
/// it once more; such text is encoded here.
pub(crate) fn unstructured<'a>(text: &str) -> HeaderType<'a> {
    let text = one_line(text);
    if !text.contains("=?") {
        return Text::new(text).into();
    }
    Raw::new(encoded_words(&text)).into()
}

/// Text as encoded words (RFC 2047, section 2), a space between two.
pub(crate) fn encoded_words(text: &str) -> String {
    let mut words = vec![String::new()];
    for c in text.chars() {
        match words.last_mut() {
            Some(word) if word.len() + c.len_utf8() <= WORD => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    let encoded = words.iter().map(|word| format!("=?utf-8?B?{}?=", data_encoding::BASE64.encode(word.as_bytes())));
    encoded.collect::<Vec<_>>().join(" ")
}

/// A display name on one line, in which nothing looks like an encoded word.
pub(crate) fn display_name(text: &str) -> String {
    one_line(text).replace("=?", "= ?")
}

/// Text that can stand in a header field: no control character, no line or paragraph separator, no bidi control;
/// each becomes a space, and spaces at the ends go.
pub(crate) fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if breaks_a_line(c) { ' ' } else { c }).collect();
    spaced.trim().to_owned()
}

fn breaks_a_line(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{061c}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `Content-Language` (RFC 3282).
pub(crate) fn language<'a>(tag: &str) -> Raw<'a> {
    Raw::new(tag.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect::<String>())
}
