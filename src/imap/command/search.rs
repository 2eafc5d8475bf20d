//! What SEARCH, SORT and THREAD take (RFC 9051, section 6.4.4; RFC 5256, RFC 5182, RFC 7162).

use jiff::civil::Date;

use super::Mistake;
use super::reader::{DEPTH, Reader, each_once};
use super::verbs::argument;
use crate::imap::date;
use crate::imap::set::SequenceSet;
use crate::mailbox::SystemFlags;

type Read<T> = Result<T, Mistake>;

/// Keys of one search at most.
const KEYS: usize = 1000;

/// What a search returns (RFC 9051, section 6.4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is its word")]
pub enum ReturnOption {
    Min,
    Max,
    All,
    Count,
    Save,
}

/// A search.
pub struct SearchRequest {
    /// `RETURN (…)`; `None` where RFC 3501's form is used.
    pub returns: Option<Vec<ReturnOption>>,
    /// CHARSET in capitals.
    pub charset: Option<String>,
    /// What is looked for.
    pub key: Key,
}

/// What a message must be. Strings are in the search's charset still.
#[derive(PartialEq, Eq)]
pub enum Key {
    /// All of these.
    And(Vec<Key>),
    /// Either.
    Or(Box<Key>, Box<Key>),
    /// Not this.
    Not(Box<Key>),
    /// Every message.
    All,
    /// By position.
    Numbers(SequenceSet),
    /// By UID.
    Uids(SequenceSet),
    /// Has the flag, or has it not.
    Flag(SystemFlags, bool),
    /// Has the keyword, or has it not.
    Keyword(String, bool),
    /// `\Recent`, or not.
    Recent(bool),
    /// A header field, in capitals or as written, holds this; the empty text: the field is there.
    Header(String, Vec<u8>),
    /// The body holds this.
    Body(Vec<u8>),
    /// Header section or body hold this.
    Text(Vec<u8>),
    /// Arrived before this day.
    Before(Date),
    /// Arrived on this day.
    On(Date),
    /// Arrived on this day or later.
    Since(Date),
    /// Its Date field is before this day.
    SentBefore(Date),
    /// Its Date field is this day.
    SentOn(Date),
    /// Its Date field is this day or later.
    SentSince(Date),
    /// More octets than this.
    Larger(u64),
    /// Fewer octets than this.
    Smaller(u64),
    /// Changed at or after this modification sequence (RFC 7162).
    ModSeq(u64),
    /// By its id (RFC 8474).
    EmailId(String),
    /// By its thread's id (RFC 8474).
    ThreadId(String),
    /// Arrived at most this many seconds ago (RFC 5032).
    Younger(u32),
    /// Arrived at least this many seconds ago (RFC 5032).
    Older(u32),
}

/// How SORT orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortKey {
    /// By what.
    pub by: SortBy,
    /// The other way round.
    pub reverse: bool,
}

/// By what SORT orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is its word in RFC 5256, section 3, and RFC 5957")]
pub enum SortBy {
    Arrival,
    Cc,
    Date,
    DisplayFrom,
    DisplayTo,
    From,
    Size,
    Subject,
    To,
}

/// How THREAD groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threading {
    /// By References.
    References,
    /// By subject.
    OrderedSubject,
}

pub(super) fn sequence_set(reader: &mut Reader<'_>) -> Read<SequenceSet> {
    let text = reader.while_octets(|octet| octet.is_ascii_digit() || matches!(octet, b':' | b',' | b'*' | b'$'));
    SequenceSet::parse(text).ok_or(Mistake("This is no set of messages, like 1:3,7,*"))
}

pub(super) fn search(reader: &mut Reader<'_>) -> Read<SearchRequest> {
    let returns = returns(reader)?;
    let charset = match reader.eat_word(" CHARSET ") {
        true => Some(charset(reader)?),
        false => None,
    };
    Ok(SearchRequest { returns, charset, key: keys(reader)? })
}

pub(super) fn sort(reader: &mut Reader<'_>) -> Read<(Vec<SortKey>, SearchRequest)> {
    let returns = returns(reader)?;
    let order: Vec<SortKey> = argument(reader, |reader| reader.list(sort_key))?;
    if order.is_empty() || order.len() > DEPTH {
        return Err(Mistake("SORT needs a criterion"));
    }
    // By what it was ordered before, nothing more is decided.
    let order = each_once(order, |one, other| one.by == other.by);
    let charset = Some(argument(reader, charset)?);
    Ok((order, SearchRequest { returns, charset, key: keys(reader)? }))
}

pub(super) fn thread(reader: &mut Reader<'_>) -> Read<(Threading, SearchRequest)> {
    let threading = match argument(reader, Reader::keyword)?.as_str() {
        "REFERENCES" => Threading::References,
        "ORDEREDSUBJECT" => Threading::OrderedSubject,
        _ => return Err(Mistake("THREAD knows REFERENCES and ORDEREDSUBJECT")),
    };
    let charset = Some(argument(reader, charset)?);
    Ok((threading, SearchRequest { returns: None, charset, key: keys(reader)? }))
}

fn charset(reader: &mut Reader<'_>) -> Read<String> {
    let name = String::from_utf8(reader.astring()?).map_err(|_| Mistake("A charset has an ASCII name"))?;
    Ok(name.to_ascii_uppercase())
}

fn returns(reader: &mut Reader<'_>) -> Read<Option<Vec<ReturnOption>>> {
    if !reader.eat_word(" RETURN ") {
        return Ok(None);
    }
    let options = reader.list(|reader| {
        Ok(match reader.keyword()?.as_str() {
            "MIN" => ReturnOption::Min,
            "MAX" => ReturnOption::Max,
            "ALL" => ReturnOption::All,
            "COUNT" => ReturnOption::Count,
            "SAVE" => ReturnOption::Save,
            _ => return Err(Mistake("SEARCH does not know this return option")),
        })
    })?;
    Ok(Some(if options.is_empty() { vec![ReturnOption::All] } else { options }))
}

fn sort_key(reader: &mut Reader<'_>) -> Read<SortKey> {
    let mut word = reader.keyword()?;
    let reverse = word == "REVERSE";
    if reverse {
        word = argument(reader, Reader::keyword)?;
    }
    let by = match word.as_str() {
        "ARRIVAL" => SortBy::Arrival,
        "CC" => SortBy::Cc,
        "DATE" => SortBy::Date,
        "DISPLAYFROM" => SortBy::DisplayFrom,
        "DISPLAYTO" => SortBy::DisplayTo,
        "FROM" => SortBy::From,
        "SIZE" => SortBy::Size,
        "SUBJECT" => SortBy::Subject,
        "TO" => SortBy::To,
        _ => return Err(Mistake("SORT does not know this criterion")),
    };
    Ok(SortKey { by, reverse })
}

/// One key or more, each behind a space.
fn keys(reader: &mut Reader<'_>) -> Read<Key> {
    let mut count = 0;
    let mut keys = vec![argument(reader, |reader| key(reader, 0, &mut count))?];
    while reader.peek() == Some(b' ') {
        let mut ahead = *reader;
        if ahead.end().is_ok() {
            break;
        }
        keys.push(argument(reader, |reader| key(reader, 0, &mut count))?);
    }
    Ok(all_of(keys))
}

fn all_of(mut keys: Vec<Key>) -> Key {
    match keys.pop() {
        Some(only) if keys.is_empty() => only,
        Some(last) => {
            keys.push(last);
            Key::And(keys)
        }
        None => Key::All,
    }
}

fn key(reader: &mut Reader<'_>, depth: usize, count: &mut usize) -> Read<Key> {
    *count += 1;
    if depth > DEPTH || *count > KEYS {
        return Err(Mistake("The search is nested too deep or has too many keys"));
    }
    match reader.peek() {
        Some(b'(') => {
            let keys = reader.list(|reader| key(reader, depth + 1, count))?;
            return if keys.is_empty() { Err(Mistake("A search key is missing")) } else { Ok(all_of(keys)) };
        }
        Some(b'0'..=b'9' | b'*' | b'$') => return sequence_set(reader).map(Key::Numbers),
        _ => {}
    }
    let word = reader.keyword()?;
    if let Some(key) = plain(&word) {
        return Ok(key);
    }
    reader.space()?;
    match word.as_str() {
        "NOT" => Ok(Key::Not(Box::new(key(reader, depth + 1, count)?))),
        "OR" => {
            let one = key(reader, depth + 1, count)?;
            let other = argument(reader, |reader| key(reader, depth + 1, count))?;
            Ok(Key::Or(Box::new(one), Box::new(other)))
        }
        word => with_argument(word, reader),
    }
}

fn plain(word: &str) -> Option<Key> {
    let flag = |flag, set| Some(Key::Flag(flag, set));
    match word {
        "ALL" => Some(Key::All),
        "ANSWERED" => flag(SystemFlags::ANSWERED, true),
        "UNANSWERED" => flag(SystemFlags::ANSWERED, false),
        "DELETED" => flag(SystemFlags::DELETED, true),
        "UNDELETED" => flag(SystemFlags::DELETED, false),
        "DRAFT" => flag(SystemFlags::DRAFT, true),
        "UNDRAFT" => flag(SystemFlags::DRAFT, false),
        "FLAGGED" => flag(SystemFlags::FLAGGED, true),
        "UNFLAGGED" => flag(SystemFlags::FLAGGED, false),
        "SEEN" => flag(SystemFlags::SEEN, true),
        "UNSEEN" => flag(SystemFlags::SEEN, false),
        "RECENT" => Some(Key::Recent(true)),
        "OLD" => Some(Key::Recent(false)),
        "NEW" => Some(Key::And(vec![Key::Recent(true), Key::Flag(SystemFlags::SEEN, false)])),
        _ => None,
    }
}

fn with_argument(word: &str, reader: &mut Reader<'_>) -> Read<Key> {
    Ok(match word {
        "BCC" | "CC" | "FROM" | "SUBJECT" | "TO" => Key::Header(word.to_owned(), reader.astring()?),
        "HEADER" => {
            let name = String::from_utf8(reader.astring()?).map_err(|_| Mistake("A header field has no such name"))?;
            Key::Header(name, argument(reader, Reader::astring)?)
        }
        "BODY" => Key::Body(reader.astring()?),
        "TEXT" => Key::Text(reader.astring()?),
        "BEFORE" => Key::Before(day(reader)?),
        "ON" => Key::On(day(reader)?),
        "SINCE" => Key::Since(day(reader)?),
        "SENTBEFORE" => Key::SentBefore(day(reader)?),
        "SENTON" => Key::SentOn(day(reader)?),
        "SENTSINCE" => Key::SentSince(day(reader)?),
        "LARGER" => Key::Larger(reader.number64()?),
        "SMALLER" => Key::Smaller(reader.number64()?),
        "KEYWORD" => Key::Keyword(reader.flag()?, true),
        "UNKEYWORD" => Key::Keyword(reader.flag()?, false),
        "UID" => Key::Uids(sequence_set(reader)?),
        "YOUNGER" => Key::Younger(seconds(reader)?),
        "OLDER" => Key::Older(seconds(reader)?),
        "MODSEQ" => Key::ModSeq(modseq(reader)?),
        "EMAILID" => Key::EmailId(reader.atom()?.to_owned()),
        "THREADID" => Key::ThreadId(reader.atom()?.to_owned()),
        _ => return Err(Mistake("SEARCH does not know this key")),
    })
}

fn seconds(reader: &mut Reader<'_>) -> Read<u32> {
    match reader.number()? {
        0 => Err(Mistake("An interval has one second at least")),
        seconds => Ok(seconds),
    }
}

/// `MODSEQ ["/flags/\\Seen" all] 620`: there is one number for all of a message's flags.
fn modseq(reader: &mut Reader<'_>) -> Read<u64> {
    if reader.peek() == Some(b'"') {
        reader.string()?;
        let kind = argument(reader, Reader::keyword)?;
        if !["PRIV", "SHARED", "ALL"].contains(&kind.as_str()) {
            return Err(Mistake("MODSEQ's entry is priv, shared or all"));
        }
        reader.space()?;
    }
    reader.number64()
}

fn day(reader: &mut Reader<'_>) -> Read<Date> {
    let text = match reader.peek() {
        Some(b'"') => String::from_utf8(reader.string()?).unwrap_or_default(),
        _ => reader.atom()?.to_owned(),
    };
    date::parse_date(&text).ok_or(Mistake("This is no day, like 1-Feb-2026"))
}
