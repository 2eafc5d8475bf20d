//! What a message must be, ready to be judged: sets resolved, texts decoded, and what is still to be found out named.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use encoding_rs::Encoding;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::anatomy::{Needle, Wanted, sent};
use crate::id::ThreadId;
use crate::imap::command::{Key, Mistake};
use crate::imap::response::Refusal;
use crate::imap::session::selected::Selected;
use crate::imap::set::SequenceSet;
use crate::mailbox::{Brief, Keyword, ModSeq, Row, SystemFlags, Uids, View};
use crate::time::Timestamp;

/// What is not known of a message yet, the cheapest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// Its thread.
    Thread,
    /// The day it says it was sent.
    Sent,
    /// Whether it has what is wanted: an index of [`Criteria::wanted`], headers before texts.
    Wanted(usize),
}

/// What is known of a message beside its row.
#[derive(Default)]
pub(super) struct Known {
    pub(super) thread: Option<ThreadId>,
    pub(super) sent: Option<Option<Date>>,
    pub(super) wanted: BTreeMap<usize, bool>,
}

enum Test {
    And(Vec<Test>),
    Or(Box<Test>, Box<Test>),
    Not(Box<Test>),
    All,
    Numbers(Uids),
    Uids(Uids),
    Saved,
    Flag(SystemFlags, bool),
    Keyword(Option<Keyword>, bool),
    Recent(bool),
    Wanted(usize),
    Arrived(Span),
    Sent(Span),
    Larger(u64),
    Smaller(u64),
    ModSeq(ModSeq),
    EmailId(String),
    ThreadId(String),
    Younger(Timestamp),
    Older(Timestamp),
}

/// Days, compared.
#[derive(Clone, Copy)]
enum Span {
    Before(Date),
    On(Date),
    Since(Date),
}

impl Span {
    fn holds(self, day: Date) -> bool {
        match self {
            Self::Before(limit) => day < limit,
            Self::On(limit) => day == limit,
            Self::Since(limit) => day >= limit,
        }
    }
}

/// A search, ready to be asked of messages.
pub(super) struct Criteria {
    test: Test,
    /// What must be looked for in messages: header fields first.
    pub(super) wanted: Vec<Wanted>,
    /// How many of them are header fields.
    headers: usize,
    /// Whether messages are read for it.
    pub(super) reads: bool,
    recent: Uids,
    saved: Uids,
}

/// Reads keys.
struct Reading<'a> {
    selected: &'a Selected,
    charset: Charset,
    now: Timestamp,
    headers: Vec<Wanted>,
    texts: Vec<Wanted>,
    reads: bool,
}

/// Texts that one search looks for, and octets of each, at most.
const MOST_TEXTS: usize = 50;
const LONGEST_TEXT: usize = 4096;

enum Charset {
    Utf8,
    Other(&'static Encoding),
}

/// Texts are numbered behind all headers once these are counted.
const TEXTS: usize = 1 << 20;

impl Criteria {
    /// The criteria of a key.
    ///
    /// # Errors
    /// A charset that is not known, or a text that is not in it.
    pub(super) fn of(key: &Key, charset: Option<&str>, selected: &Selected, now: Timestamp) -> Result<Self, Refusal> {
        let charset = match charset {
            None | Some("UTF-8" | "US-ASCII") => Charset::Utf8,
            Some(label) => Charset::Other(Encoding::for_label(label.as_bytes()).ok_or(Refusal::Charset)?),
        };
        let mut reading = Reading { selected, charset, now, headers: Vec::new(), texts: Vec::new(), reads: false };
        let mut test = reading.test(key)?;
        let Reading { headers: mut wanted, texts, mut reads, .. } = reading;
        let headers = wanted.len();
        test.number_texts(headers);
        wanted.extend(texts);
        if wanted.len() > MOST_TEXTS {
            return Err(Refusal::Mistake(Mistake("A search looks for 50 texts at most")));
        }
        reads |= !wanted.is_empty();
        Ok(Self { test, wanted, headers, reads, recent: selected.recent.clone(), saved: selected.saved.clone() })
    }

    /// Whether the record of a message tells this.
    pub(super) fn is_brief(&self, need: Need) -> bool {
        match need {
            Need::Thread | Need::Sent => true,
            Need::Wanted(at) => at < self.headers,
        }
    }

    /// Finds out what is needed, as far as the record of the message tells it: whether it does.
    pub(super) fn learn(&self, need: Need, brief: &Brief<'_>, known: &mut Known) -> bool {
        match (need, brief.header()) {
            (Need::Thread, _) => known.thread = Some(brief.thread()),
            (Need::Sent, Some(header)) => known.sent = Some(sent(header).map(|sent| sent.day)),
            (Need::Wanted(at), Some(header)) => match &self.wanted[at] {
                Wanted::Header(name, needle) => drop(known.wanted.insert(at, needle.is_in_field(header, name))),
                Wanted::Body(_) | Wanted::Text(_) => return false,
            },
            (Need::Sent | Need::Wanted(_), None) => return false,
        }
        true
    }

    /// What is found out at once with one of [`Criteria::wanted`]: a header field alone, texts together.
    pub(super) fn known_with(&self, at: usize) -> Range<usize> {
        if at < self.headers { at..at + 1 } else { self.headers..self.wanted.len() }
    }

    /// Whether a message meets them.
    ///
    /// # Errors
    /// What must be found out first.
    pub(super) fn judge(&self, position: usize, row: &Row, view: &View, known: &Known) -> Result<bool, Need> {
        self.test.judge(&Message { position, row, view, known, recent: &self.recent, saved: &self.saved })
    }
}

/// A message that is judged.
struct Message<'a> {
    position: usize,
    row: &'a Row,
    view: &'a View,
    known: &'a Known,
    recent: &'a Uids,
    saved: &'a Uids,
}

impl Test {
    fn number_texts(&mut self, headers: usize) {
        match self {
            Self::And(tests) => tests.iter_mut().for_each(|test| test.number_texts(headers)),
            Self::Or(one, other) => {
                one.number_texts(headers);
                other.number_texts(headers);
            }
            Self::Not(test) => test.number_texts(headers),
            Self::Wanted(at) if *at >= TEXTS => *at = *at - TEXTS + headers,
            _ => {}
        }
    }

    fn judge(&self, message: &Message<'_>) -> Result<bool, Need> {
        let Message { position, row, view, known, recent, saved } = message;
        Ok(match self {
            Self::And(tests) => return all(tests.iter(), message),
            Self::Or(one, other) => match (one.judge(message), other.judge(message)) {
                (Ok(true), _) | (_, Ok(true)) => true,
                (Err(need), Err(other)) => return Err(need.min(other)),
                (Err(need), _) | (_, Err(need)) => return Err(need),
                (Ok(false), Ok(false)) => false,
            },
            Self::Not(test) => !test.judge(message)?,
            Self::All => true,
            Self::Numbers(numbers) => u32::try_from(position + 1).is_ok_and(|number| numbers.contains(number)),
            Self::Uids(uids) => uids.contains(row.uid),
            Self::Saved => saved.contains(row.uid),
            Self::Flag(flag, set) => row.flags.has(*flag) == *set,
            Self::Keyword(keyword, set) => keyword.as_ref().is_some_and(|it| view.has_keyword(row, it)) == *set,
            Self::Recent(set) => recent.contains(row.uid) == *set,
            Self::Wanted(at) => *known.wanted.get(at).ok_or(Need::Wanted(*at))?,
            Self::Arrived(span) => span.holds(row.date.to_jiff().to_zoned(TimeZone::UTC).date()),
            Self::Sent(span) => known.sent.ok_or(Need::Sent)?.is_some_and(|day| span.holds(day)),
            Self::Larger(octets) => row.octets > *octets,
            Self::Smaller(octets) => row.octets < *octets,
            Self::ModSeq(modseq) => row.modseq >= *modseq,
            Self::EmailId(id) => row.mail.to_string() == *id,
            Self::ThreadId(id) => known.thread.ok_or(Need::Thread)?.to_string() == *id,
            Self::Younger(moment) => row.date >= *moment,
            Self::Older(moment) => row.date <= *moment,
        })
    }
}

/// Whether all hold: one that does not settles it, whatever is not known of the others.
fn all<'a>(tests: impl Iterator<Item = &'a Test>, message: &Message<'_>) -> Result<bool, Need> {
    let mut need: Option<Need> = None;
    for test in tests {
        match test.judge(message) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(other) => need = Some(need.map_or(other, |need| need.min(other))),
        }
    }
    need.map_or(Ok(true), Err)
}

impl Reading<'_> {
    fn test(&mut self, key: &Key) -> Result<Test, Refusal> {
        Ok(match key {
            Key::And(keys) => Test::And(keys.iter().map(|key| self.test(key)).collect::<Result<_, _>>()?),
            Key::Or(one, other) => Test::Or(Box::new(self.test(one)?), Box::new(self.test(other)?)),
            Key::Not(key) => Test::Not(Box::new(self.test(key)?)),
            Key::All => Test::All,
            Key::Numbers(SequenceSet::Saved) | Key::Uids(SequenceSet::Saved) => Test::Saved,
            Key::Numbers(SequenceSet::Ranges(ranges)) => {
                let last = u32::try_from(self.selected.view.len()).unwrap_or(u32::MAX);
                Test::Numbers(SequenceSet::resolve(ranges, last))
            }
            Key::Uids(SequenceSet::Ranges(ranges)) => Test::Uids(self.selected.uids(ranges)),
            Key::Flag(flag, set) => Test::Flag(*flag, *set),
            Key::Keyword(word, set) => self.keyword(word, *set),
            Key::Recent(set) => Test::Recent(*set),
            Key::Header(name, text) => self.header(Wanted::Header(name.clone(), self.needle(text)?)),
            Key::Body(text) => self.text(Wanted::Body(self.needle(text)?)),
            Key::Text(text) => self.text(Wanted::Text(self.needle(text)?)),
            Key::Before(day) => Test::Arrived(Span::Before(*day)),
            Key::On(day) => Test::Arrived(Span::On(*day)),
            Key::Since(day) => Test::Arrived(Span::Since(*day)),
            Key::SentBefore(day) => self.sent(Span::Before(*day)),
            Key::SentOn(day) => self.sent(Span::On(*day)),
            Key::SentSince(day) => self.sent(Span::Since(*day)),
            Key::Larger(octets) => Test::Larger(*octets),
            Key::Smaller(octets) => Test::Smaller(*octets),
            Key::ModSeq(modseq) => Test::ModSeq(*modseq),
            Key::EmailId(id) => Test::EmailId(id.clone()),
            Key::ThreadId(id) => {
                self.reads = true;
                Test::ThreadId(id.clone())
            }
            Key::Younger(seconds) => Test::Younger(self.ago(*seconds)),
            Key::Older(seconds) => Test::Older(self.ago(*seconds)),
        })
    }

    /// A keyword that can be none is nowhere; a system flag that is written so is one.
    fn keyword(&self, word: &str, set: bool) -> Test {
        match SystemFlags::of_name(word) {
            Some(flag) => Test::Flag(flag, set),
            None => Test::Keyword(Keyword::parse(word).ok(), set),
        }
    }

    fn sent(&mut self, span: Span) -> Test {
        self.reads = true;
        Test::Sent(span)
    }

    fn header(&mut self, wanted: Wanted) -> Test {
        self.headers.push(wanted);
        Test::Wanted(self.headers.len() - 1)
    }

    fn text(&mut self, wanted: Wanted) -> Test {
        self.texts.push(wanted);
        Test::Wanted(TEXTS + self.texts.len() - 1)
    }

    fn needle(&self, octets: &[u8]) -> Result<Needle, Refusal> {
        if octets.len() > LONGEST_TEXT {
            return Err(Refusal::Mistake(Mistake("A text that is looked for has 4096 octets at most")));
        }
        let text: Cow<'_, str> = match self.charset {
            Charset::Utf8 => std::str::from_utf8(octets).map_err(|_| Refusal::Charset)?.into(),
            Charset::Other(encoding) => encoding.decode_without_bom_handling(octets).0,
        };
        Ok(Needle::new(&text))
    }

    fn ago(&self, seconds: u32) -> Timestamp {
        let millis = Duration::from_secs(seconds.into()).as_millis() as i64;
        Timestamp::from_millis(self.now.millis().saturating_sub(millis))
    }
}
