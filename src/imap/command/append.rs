//! APPEND up to its message (RFC 9051, section 6.3.12): the message itself is not read here, it streams past.

use super::reader::Reader;
use super::{Mistake, RawName};
use crate::imap::date;
use crate::time::Timestamp;

/// What is known of a message before its octets.
pub struct Appending {
    /// The mailbox.
    pub mailbox: RawName,
    /// The flags it is to have.
    pub flags: Vec<String>,
    /// Its internal date, if one is given.
    pub date: Option<Timestamp>,
    /// Whether it stands in `UTF8 (…)` (RFC 6855): behind it a `)` is due.
    pub utf8: bool,
}

/// Reads a command up to its message's literal. The tag, as far as there is one.
///
/// # Errors
/// What is wrong with it.
pub fn parse_append(head: &[u8]) -> (String, Result<Appending, Mistake>) {
    let mut reader = Reader::new(head);
    match super::verbs::tag(&mut reader) {
        Ok(tag) => (tag, arguments(&mut reader)),
        Err(mistake) => (String::new(), Err(mistake)),
    }
}

fn arguments(reader: &mut Reader<'_>) -> Result<Appending, Mistake> {
    reader.space()?;
    if !reader.eat_word("APPEND") {
        return Err(Mistake("APPEND expected"));
    }
    reader.space()?;
    let mailbox = reader.mailbox()?;
    reader.space()?;
    let mut flags = Vec::new();
    if reader.peek() == Some(b'(') {
        flags = reader.list(Reader::flag)?;
        reader.space()?;
    }
    let mut date = None;
    if reader.peek() == Some(b'"') {
        let text = String::from_utf8(reader.string()?).ok();
        let moment = text.as_deref().and_then(date::parse_date_time);
        date = Some(moment.ok_or(Mistake("The date of the message is not one, like \"01-Feb-2026 12:00:00 +0000\""))?);
        reader.space()?;
    }
    let utf8 = reader.eat_word("UTF8 (");
    if !reader.is_at_end() {
        return Err(Mistake("The message is missing"));
    }
    Ok(Appending { mailbox, flags, date, utf8 })
}
