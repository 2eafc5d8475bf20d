//! What SELECT, LIST and STATUS take (RFC 9051; RFC 5258, RFC 5819, RFC 6154, RFC 7162).

use super::reader::{Reader, each_once};
use super::verbs::argument;
use super::{Mistake, RawName};
use crate::imap::set::{End, SequenceSet};

type Read<T> = Result<T, Mistake>;

/// Patterns of one LIST at most.
const PATTERNS: usize = 32;

/// How a mailbox is opened.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// EXAMINE.
    pub read_only: bool,
    /// `(CONDSTORE)`
    pub condstore: bool,
    /// `(QRESYNC (…))`
    pub resync: Option<Resync>,
}

/// What a client knows of a mailbox from an earlier session (RFC 7162, section 3.2.5).
#[derive(Debug, PartialEq, Eq)]
pub struct Resync {
    /// The UIDVALIDITY it knows.
    pub uid_validity: u32,
    /// The highest modification sequence it knows.
    pub modseq: u64,
    /// The UIDs it knows; all, where it does not say.
    pub known: Option<Vec<(End, End)>>,
}

/// What STATUS tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the word of RFC 9051, section 6.3.11, or of its extension")]
pub enum StatusItem {
    Messages,
    Recent,
    UidNext,
    UidValidity,
    Unseen,
    Deleted,
    DeletedStorage,
    Size,
    HighestModSeq,
    MailboxId,
    AppendLimit,
}

impl StatusItem {
    const ALL: [(Self, &'static str); 11] = [
        (Self::Messages, "MESSAGES"),
        (Self::Recent, "RECENT"),
        (Self::UidNext, "UIDNEXT"),
        (Self::UidValidity, "UIDVALIDITY"),
        (Self::Unseen, "UNSEEN"),
        (Self::Deleted, "DELETED"),
        (Self::DeletedStorage, "DELETED-STORAGE"),
        (Self::Size, "SIZE"),
        (Self::HighestModSeq, "HIGHESTMODSEQ"),
        (Self::MailboxId, "MAILBOXID"),
        (Self::AppendLimit, "APPENDLIMIT"),
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(item, _)| *item == self).map_or("", |(_, name)| name)
    }
}

/// LIST, plain or extended (RFC 5258).
#[derive(Default, PartialEq, Eq)]
pub struct Listing {
    /// The reference, which stands before every pattern.
    pub reference: RawName,
    /// Which mailboxes.
    pub patterns: Vec<RawName>,
    /// Only those that are subscribed to.
    pub subscribed: bool,
    /// Also those above a match that is not shown itself.
    pub recursive: bool,
    /// Only those with a special use.
    pub special_use: bool,
    /// What is told of each.
    pub returns: Vec<ListReturn>,
    /// Whether any of it is RFC 5258's: `LIST "" ""` asks for the separator only where not.
    pub extended: bool,
}

/// What extended LIST tells of each mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListReturn {
    /// Whether it is subscribed to.
    Subscribed,
    /// Whether it has others below it; told always.
    Children,
    /// What it is for; told always.
    SpecialUse,
    /// Its numbers (RFC 5819).
    Status(Vec<StatusItem>),
}

pub(super) fn opening(read_only: bool, reader: &mut Reader<'_>) -> Read<Opening> {
    let mut opening = Opening { read_only, ..Opening::default() };
    if reader.is_at_end() {
        return Ok(opening);
    }
    reader.space()?;
    if reader.is_at_end() {
        return Ok(opening);
    }
    reader.list(|reader| match reader.keyword()?.as_str() {
        "CONDSTORE" => {
            opening.condstore = true;
            Ok(())
        }
        "QRESYNC" => {
            opening.resync = Some(argument(reader, resync)?);
            Ok(())
        }
        _ => Err(Mistake("SELECT takes the parameters CONDSTORE and QRESYNC")),
    })?;
    Ok(opening)
}

/// `(uidvalidity modseq [known-uids] [(sequence-set uid-set)])`. What the client knows of sequence numbers helps a server
/// that does not keep expunged UIDs; this one does.
fn resync(reader: &mut Reader<'_>) -> Read<Resync> {
    reader.need(b'(', "QRESYNC takes a list")?;
    let uid_validity = reader.number()?;
    let modseq = argument(reader, Reader::number64)?;
    let mut known = None;
    if reader.eat(b' ') && reader.peek() != Some(b'(') {
        known = Some(ranges(reader)?);
        reader.eat(b' ');
    }
    if reader.eat(b'(') {
        let (numbers, uids) = (ranges(reader)?, argument(reader, ranges)?);
        if count(&numbers) != count(&uids) {
            return Err(Mistake("There is a UID for each message number"));
        }
        reader.need(b')', "A list is not closed")?;
    }
    reader.need(b')', "A list is not closed")?;
    Ok(Resync { uid_validity, modseq, known })
}

fn ranges(reader: &mut Reader<'_>) -> Read<Vec<(End, End)>> {
    match super::search::sequence_set(reader)? {
        SequenceSet::Ranges(ranges) if ranges.iter().all(|(one, other)| *one != End::Last && *other != End::Last) => {
            Ok(ranges)
        }
        SequenceSet::Ranges(_) | SequenceSet::Saved => Err(Mistake("What is known is named by numbers (RFC 7162)")),
    }
}

/// How many numbers are in ranges without `*`.
fn count(ranges: &[(End, End)]) -> u64 {
    SequenceSet::resolve(ranges, 0).len()
}

pub(super) fn status_items(reader: &mut Reader<'_>) -> Read<Vec<StatusItem>> {
    let items = reader.list(|reader| {
        let word = reader.keyword()?;
        let item = StatusItem::ALL.iter().find(|(_, name)| *name == word);
        item.map(|(item, _)| *item).ok_or(Mistake("STATUS does not know this item"))
    })?;
    let items = each_once(items, |one, other| one == other);
    if items.is_empty() { Err(Mistake("STATUS needs an item at least")) } else { Ok(items) }
}

pub(super) fn list(reader: &mut Reader<'_>) -> Read<Listing> {
    let mut listing = Listing::default();
    reader.space()?;
    if reader.peek() == Some(b'(') {
        listing.extended = true;
        reader.list(|reader| selection(reader, &mut listing))?;
        reader.space()?;
    }
    if listing.recursive && !listing.subscribed && !listing.special_use {
        return Err(Mistake("RECURSIVEMATCH needs another selection option"));
    }
    listing.reference = reader.mailbox()?;
    reader.space()?;
    if reader.peek() == Some(b'(') {
        listing.extended = true;
        listing.patterns = reader.list(Reader::pattern)?;
    } else {
        listing.patterns.push(reader.pattern()?);
    }
    if listing.patterns.len() > PATTERNS {
        return Err(Mistake("There are too many patterns"));
    }
    if reader.eat_word(" RETURN ") {
        listing.extended = true;
        listing.returns = reader.list(list_return)?;
    }
    Ok(listing)
}

fn selection(reader: &mut Reader<'_>, listing: &mut Listing) -> Read<()> {
    match reader.keyword()?.as_str() {
        "SUBSCRIBED" => listing.subscribed = true,
        "RECURSIVEMATCH" => listing.recursive = true,
        "SPECIAL-USE" => listing.special_use = true,
        // No mailbox here lies on another server.
        "REMOTE" => {}
        _ => return Err(Mistake("LIST does not know this selection option")),
    }
    Ok(())
}

fn list_return(reader: &mut Reader<'_>) -> Read<ListReturn> {
    Ok(match reader.keyword()?.as_str() {
        "SUBSCRIBED" => ListReturn::Subscribed,
        "CHILDREN" => ListReturn::Children,
        "SPECIAL-USE" => ListReturn::SpecialUse,
        "STATUS" => ListReturn::Status(argument(reader, status_items)?),
        _ => return Err(Mistake("LIST does not know this return option")),
    })
}
