//! FETCH's items and STORE's change (RFC 9051, sections 6.4.5 and 6.4.6; RFC 3516, RFC 7162, RFC 8474, RFC 8970).

use super::reader::{Reader, each_once};
use super::verbs::argument;
use super::{FetchRequest, Mistake, StoreRequest};
use crate::anatomy::{Section, SectionText};

type Read<T> = Result<T, Mistake>;

/// Items of one FETCH, field names of one section, and numbers of a part, at most.
const ITEMS: usize = 200;
const PARTS: usize = 50;

/// Whether reading sets `\Seen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peek {
    /// It does.
    No,
    /// It does not.
    Yes,
}

/// Octets of a section: the first, and how many at most; numbers of 63 bits (RFC 9051, section 9).
pub type Partial = Option<(u64, u64)>;

/// What is asked of a message.
#[derive(Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the word of RFC 9051, section 6.4.5, or of its extension")]
pub enum FetchItem {
    Uid,
    Flags,
    InternalDate,
    Size,
    Envelope,
    /// `BODY`, or with true `BODYSTRUCTURE`.
    Structure(bool),
    /// `BODY[…]<…>`
    Body(Section, Partial, Peek),
    /// `RFC822`, `RFC822.HEADER`, `RFC822.TEXT`: RFC 3501's names of three sections.
    Rfc822(&'static str, SectionText, Peek),
    /// `BINARY[…]<…>`: the part's numbers.
    Binary(Vec<u32>, Partial, Peek),
    /// `BINARY.SIZE[…]`
    BinarySize(Vec<u32>),
    ModSeq,
    EmailId,
    ThreadId,
    Preview,
}

/// Names for several items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Macro {
    /// FLAGS INTERNALDATE RFC822.SIZE ENVELOPE
    All,
    /// FLAGS INTERNALDATE RFC822.SIZE
    Fast,
    /// FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY
    Full,
}

impl Macro {
    /// The items it stands for.
    pub fn items(self) -> Vec<FetchItem> {
        let mut items = vec![FetchItem::Flags, FetchItem::InternalDate, FetchItem::Size];
        if self != Self::Fast {
            items.push(FetchItem::Envelope);
        }
        if self == Self::Full {
            items.push(FetchItem::Structure(false));
        }
        items
    }
}

/// What STORE does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreHow {
    /// FLAGS
    Replace,
    /// +FLAGS
    Add,
    /// -FLAGS
    Remove,
}

pub(super) fn fetch(reader: &mut Reader<'_>) -> Read<FetchRequest> {
    reader.space()?;
    let items = match reader.peek() {
        Some(b'(') => reader.list(item)?,
        _ => single(reader)?,
    };
    if items.is_empty() || items.len() > ITEMS {
        return Err(Mistake("FETCH needs an item at least, and takes 200 at most"));
    }
    let mut request =
        FetchRequest { items: each_once(items, |one, other| one == other), changed_since: None, vanished: false };
    if reader.peek() == Some(b' ') {
        reader.space()?;
        if reader.is_at_end() {
            return Ok(request);
        }
        reader.list(|reader| {
            match reader.keyword()?.as_str() {
                "CHANGEDSINCE" => request.changed_since = Some(argument(reader, Reader::number64)?),
                "VANISHED" => request.vanished = true,
                _ => return Err(Mistake("FETCH takes the modifiers CHANGEDSINCE and VANISHED")),
            }
            Ok(())
        })?;
    }
    Ok(request)
}

/// One item without parentheses, or a macro.
fn single(reader: &mut Reader<'_>) -> Read<Vec<FetchItem>> {
    let mut ahead = *reader;
    let word = ahead.keyword()?;
    let name = match word.as_str() {
        "ALL" => Macro::All,
        "FAST" => Macro::Fast,
        "FULL" => Macro::Full,
        _ => return item(reader).map(|item| vec![item]),
    };
    *reader = ahead;
    Ok(name.items())
}

fn item(reader: &mut Reader<'_>) -> Read<FetchItem> {
    let word = reader.keyword()?;
    let bracket = reader.peek() == Some(b'[');
    Ok(match (word.as_str(), bracket) {
        ("UID", false) => FetchItem::Uid,
        ("FLAGS", false) => FetchItem::Flags,
        ("INTERNALDATE", false) => FetchItem::InternalDate,
        ("RFC822.SIZE", false) => FetchItem::Size,
        ("ENVELOPE", false) => FetchItem::Envelope,
        ("BODY", false) => FetchItem::Structure(false),
        ("BODYSTRUCTURE", false) => FetchItem::Structure(true),
        ("RFC822", false) => FetchItem::Rfc822("RFC822", SectionText::Whole, Peek::No),
        ("RFC822.HEADER", false) => FetchItem::Rfc822("RFC822.HEADER", SectionText::Header, Peek::Yes),
        ("RFC822.TEXT", false) => FetchItem::Rfc822("RFC822.TEXT", SectionText::Text, Peek::No),
        ("MODSEQ", false) => FetchItem::ModSeq,
        ("EMAILID", false) => FetchItem::EmailId,
        ("THREADID", false) => FetchItem::ThreadId,
        ("PREVIEW", false) => {
            // The only modifier there is allows the server to leave it out, which this one never does.
            let _ = reader.eat_word(" (LAZY)");
            FetchItem::Preview
        }
        ("BODY", true) => FetchItem::Body(section(reader)?, partial(reader)?, Peek::No),
        ("BODY.PEEK", true) => FetchItem::Body(section(reader)?, partial(reader)?, Peek::Yes),
        ("BINARY", true) => FetchItem::Binary(numbers_in_brackets(reader)?, partial(reader)?, Peek::No),
        ("BINARY.PEEK", true) => FetchItem::Binary(numbers_in_brackets(reader)?, partial(reader)?, Peek::Yes),
        ("BINARY.SIZE", true) => FetchItem::BinarySize(numbers_in_brackets(reader)?),
        _ => return Err(Mistake("FETCH does not know this item")),
    })
}

fn section(reader: &mut Reader<'_>) -> Read<Section> {
    reader.need(b'[', "A section is missing")?;
    let (part, behind_dot) = numbers(reader)?;
    let named = if part.is_empty() { reader.peek() != Some(b']') } else { behind_dot };
    let text = if named { section_text(reader, !part.is_empty())? } else { SectionText::Whole };
    reader.need(b']', "A section is not closed")?;
    Ok(Section { part, text })
}

fn section_text(reader: &mut Reader<'_>, of_part: bool) -> Read<SectionText> {
    Ok(match reader.keyword()?.as_str() {
        "HEADER" => SectionText::Header,
        "TEXT" => SectionText::Text,
        "MIME" if of_part => SectionText::Mime,
        "HEADER.FIELDS" => SectionText::Fields { names: argument(reader, field_names)?, except: false },
        "HEADER.FIELDS.NOT" => SectionText::Fields { names: argument(reader, field_names)?, except: true },
        _ => return Err(Mistake("There is no such section")),
    })
}

fn field_names(reader: &mut Reader<'_>) -> Read<Vec<String>> {
    let names = reader.list(Reader::astring)?;
    if names.is_empty() || names.len() > ITEMS {
        return Err(Mistake("A section names one header field at least, and 200 at most"));
    }
    let sound = |name: Vec<u8>| {
        let name = String::from_utf8(name).ok()?;
        name.bytes().all(|octet| octet.is_ascii_graphic() && octet != b':').then_some(name)
    };
    names.into_iter().map(sound).collect::<Option<_>>().ok_or(Mistake("A header field has no such name"))
}

/// `1.2.3`, perhaps nothing; and whether a dot stands behind it.
fn numbers(reader: &mut Reader<'_>) -> Read<(Vec<u32>, bool)> {
    let mut numbers = Vec::new();
    while reader.peek().is_some_and(|octet| octet.is_ascii_digit()) {
        match reader.number()? {
            0 => return Err(Mistake("Parts are numbered from 1")),
            number => numbers.push(number),
        }
        if numbers.len() > PARTS {
            return Err(Mistake("Parts do not nest so deep"));
        }
        if !reader.eat(b'.') {
            return Ok((numbers, false));
        }
    }
    let behind_dot = !numbers.is_empty();
    Ok((numbers, behind_dot))
}

fn numbers_in_brackets(reader: &mut Reader<'_>) -> Read<Vec<u32>> {
    reader.need(b'[', "A section is missing")?;
    let (part, behind_dot) = numbers(reader)?;
    reader.need(b']', "A section is not closed")?;
    if behind_dot { Err(Mistake("A part is a number")) } else { Ok(part) }
}

fn partial(reader: &mut Reader<'_>) -> Read<Partial> {
    if !reader.eat(b'<') {
        return Ok(None);
    }
    let first = reader.number64()?;
    reader.need(b'.', "A partial has a first octet and a count")?;
    let count = reader.number64()?;
    reader.need(b'>', "A partial is not closed")?;
    if count == 0 { Err(Mistake("A partial has one octet at least")) } else { Ok(Some((first, count))) }
}

pub(super) fn store(reader: &mut Reader<'_>) -> Read<StoreRequest> {
    reader.space()?;
    let mut unchanged_since = None;
    if reader.eat(b'(') {
        if !reader.eat_word("UNCHANGEDSINCE ") {
            return Err(Mistake("STORE takes the modifier UNCHANGEDSINCE"));
        }
        unchanged_since = Some(reader.number64()?);
        reader.need(b')', "A list is not closed")?;
        reader.space()?;
    }
    let how = match (reader.eat(b'+'), reader.eat(b'-')) {
        (true, false) => StoreHow::Add,
        (false, true) => StoreHow::Remove,
        (false, false) => StoreHow::Replace,
        (true, true) => return Err(Mistake("STORE adds or removes flags")),
    };
    let silent = match reader.keyword()?.as_str() {
        "FLAGS" => false,
        "FLAGS.SILENT" => true,
        _ => return Err(Mistake("STORE changes FLAGS")),
    };
    reader.space()?;
    let flags = if reader.peek() == Some(b'(') { reader.list(Reader::flag)? } else { flags_without_list(reader)? };
    Ok(StoreRequest { unchanged_since, how, silent, flags })
}

fn flags_without_list(reader: &mut Reader<'_>) -> Read<Vec<String>> {
    let mut flags = vec![reader.flag()?];
    while flags.len() < ITEMS && reader.eat(b' ') {
        if reader.is_at_end() {
            break;
        }
        flags.push(reader.flag()?);
    }
    Ok(flags)
}
