//! What became of a message, recipient by recipient, and the words that help now.

use minijinja::{Value, context};

use super::content::{Answer, Content, Reader, WritingBack};
use crate::mail::Address;
use crate::pack::moment;
use crate::pack::template::{Failed, Words};
use crate::time::Timestamp;

/// One recipient in a status mail.
#[derive(Debug, Clone)]
pub struct StatusLine {
    /// Who.
    pub recipient: Address,
    /// What happened, as the word of a sentence: `delivered`, `on-its-way`, `failed`, `relayed`, `relayed-stays` (it was to be
    /// taken back), `asked`, `refused`.
    pub outcome: &'static str,
    /// For `failed`: a sentence of our own.
    pub sentence: Option<&'static str>,
    /// The link's state: `invited`, `not-registered`, `registered`, `opened`, `downloaded`, `revoked`, `over`, `cancelled`, `expired`; none where there is no link.
    pub link: Option<&'static str>,
    /// When the link's state came to be (opened, downloaded, invited …).
    pub at: Option<Timestamp>,
    /// Until when the documents are kept.
    pub until: Option<Timestamp>,
    /// Words that help now: `remind`, `cancel`, `resend`, `unshare`.
    pub words: Vec<&'static str>,
    /// What happened, oldest first, for `history`: a word (`sent`, `opened`, `downloaded`, `replied`, `reminded`, `revoked`) and when.
    pub events: Vec<(&'static str, Timestamp)>,
}

/// Titles that there are sentences for.
const TITLES: [&str; 9] =
    ["delivered", "partly", "failed", "waiting", "history", "pending", "opened", "unread", "done"];

/// Recipients in one mail, at most: nobody reads more, and a mailbox takes so much.
pub const MOST: usize = 100;

/// The lines that are shown: all, or the first [`MOST`] of those that ask most of the reader, in their own order.
fn shown(lines: &[StatusLine]) -> Vec<StatusLine> {
    let urgency = |line: &StatusLine| match (tone(line), line.outcome) {
        ("bad", _) => 0,
        (_, "asked") => 1,
        ("ended", _) => 2,
        ("waiting", _) => 3,
        _ => 4,
    };
    let mut places: Vec<usize> = (0..lines.len()).collect();
    if lines.len() > MOST {
        places.sort_by_key(|place| urgency(&lines[*place]));
        places.truncate(MOST);
        places.sort_unstable();
    }
    places.into_iter().map(|place| lines[place].clone()).collect()
}

/// What the status mail of a message says; an unknown title is `history`. Of very many recipients some are shown, and the
/// words at its end say how many more there are, and how to see them.
pub(super) fn content<'a>(accepted: Value, title: &str, done: Option<&'a str>, lines: &[StatusLine]) -> Content<'a> {
    let title = TITLES.into_iter().find(|known| *known == title).unwrap_or("history");
    let mut all: Vec<&'static str> = Vec::new();
    for word in lines.iter().flat_map(|line| &line.words) {
        if !all.contains(word) {
            all.push(word);
        }
    }
    let facts = context! {
        accepted => accepted, title => title, done => done, recipients => lines.len(), words => all.len(),
        more => lines.len().saturating_sub(MOST),
    };
    let answers = all.into_iter().map(Answer::from).collect();
    Content { lines: shown(lines), answers, ..Content::of(Reader::Staff, "status", facts) }
}

/// How a line looks: by what is most urgent in it. Colour never says it alone.
fn tone(line: &StatusLine) -> &'static str {
    match (line.outcome, line.link) {
        ("failed" | "refused" | "relayed-stays", _) => "bad",
        (_, Some("cancelled" | "expired" | "over" | "revoked")) => "ended",
        ("asked" | "on-its-way", _) => "waiting",
        (_, Some("invited" | "not-registered")) => "waiting",
        _ => "good",
    }
}

/// The lines as templates see them.
///
/// # Errors
/// A sentence that fails.
pub(super) fn values(
    words: &mut Words<'_>,
    lines: &[StatusLine],
    zone: &str,
    back: &WritingBack<'_>,
) -> Result<Vec<Value>, Failed> {
    let at = |at: Timestamp| moment::parts(at, zone);
    let several = lines.len() > 1;
    let mut values = Vec::with_capacity(lines.len());
    for line in lines {
        let mut events = Vec::with_capacity(line.events.len());
        for (what, when) in &line.events {
            events.push(words.say("event", &[Value::from(*what), at(*when)])?);
        }
        let link = match line.link {
            Some(link) => Some(words.say("link_state", &[link.into(), line.at.map(at).into()])?),
            None => None,
        };
        let until = line.until.map(|until| words.say("kept_until", &[at(until)])).transpose()?;
        values.push(context! {
            recipient => line.recipient.to_string(),
            tone => tone(line),
            outcome => words.say("outcome", &[line.outcome.into(), line.sentence.into()])?,
            link => link,
            until => until,
            events => events,
            answers => if several { line_answers(line, back) } else { Vec::new() },
        });
    }
    Ok(values)
}

/// A word for one of several recipients has the address behind it.
fn line_answers(line: &StatusLine, back: &WritingBack<'_>) -> Vec<Value> {
    let answer =
        |word: &&'static str| context! { word => *word, link => back.link(&format!("{word} {}", line.recipient)) };
    line.words.iter().map(answer).collect()
}
