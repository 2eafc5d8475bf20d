//! From what a mail says to its texts: which sentences, with which facts, in which layout.

use minijinja::{Value, context};

use super::{OwnParts, Says, guests, reply, staff, status};
use crate::mail::Address;
use crate::pack::notice::practice_value;
use crate::pack::template::{Failed, GUESTS, STAFF, Templates, Words};
use crate::pack::{field, moment};
use crate::time::Timestamp;

/// A mail of our own in words.
pub(crate) struct Texts {
    /// The name that stands before From.
    pub from: String,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
}

/// Who reads it: each has a layout and sentences of its own.
#[derive(Clone, Copy)]
pub(super) enum Reader {
    Guest,
    Staff,
}

impl Reader {
    fn sentences(self) -> &'static str {
        match self {
            Self::Guest => GUESTS,
            Self::Staff => STAFF,
        }
    }

    fn layouts(self) -> [&'static str; 2] {
        match self {
            Self::Guest => ["to-guest.txt", "to-guest.mjml"],
            Self::Staff => ["to-staff.txt", "to-staff.mjml"],
        }
    }
}

/// What a mail says, before it is put into words.
pub(super) struct Content<'a> {
    /// Who reads it.
    pub reader: Reader,
    /// Which sentences: `KIND_subject`, `KIND_title`, `KIND_text`, `KIND_after`, and `KIND_button` where there is a link.
    pub kind: &'static str,
    /// What the sentences can name beside the practice.
    pub facts: Value,
    /// Where its button leads.
    pub link: Option<&'a str>,
    /// What is to be typed on a page.
    pub code: Option<&'a str>,
    /// Whom it is about.
    pub about: Option<&'a Address>,
    /// What can be written back.
    pub answers: Vec<Answer<'a>>,
    /// What became of each recipient.
    pub lines: Vec<status::StatusLine>,
    /// A guest's own text.
    pub letter: Option<&'a str>,
}

impl<'a> Content<'a> {
    /// One with sentences alone.
    pub fn of(reader: Reader, kind: &'static str, facts: Value) -> Self {
        let (answers, lines) = (Vec::new(), Vec::new());
        Self { reader, kind, facts, link: None, code: None, about: None, answers, lines, letter: None }
    }
}

/// A word that can be written back.
pub(super) struct Answer<'a> {
    word: &'a str,
    /// An example of what stands behind it.
    example: Option<&'static str>,
    /// What the sentence `answer` is asked for.
    meaning: &'a str,
}

/// Characters of a name that a mail speaks in, at most: nothing that a sender writes of themselves makes a mail long.
const LONGEST_NAME: usize = 200;
/// How a birthdate is written.
const BIRTHDATE: &str = "1980-03-04";

impl<'a> From<&'a str> for Answer<'a> {
    fn from(word: &'a str) -> Self {
        let example = match word {
            "p" => Some(BIRTHDATE),
            "extend" => Some("7d"),
            _ => None,
        };
        Self { word, example, meaning: word }
    }
}

impl Answer<'_> {
    /// The invitation again, with another birthdate.
    pub fn with_birthdate() -> Self {
        Self { word: "resend", example: Some(BIRTHDATE), meaning: "resend-birthdate" }
    }

    /// As it is written back.
    fn written(&self) -> String {
        self.example.map_or_else(|| self.word.to_owned(), |example| format!("{} {example}", self.word))
    }

    /// As it is begun by a press.
    fn begun(&self) -> String {
        if self.example.is_some() { format!("{} ", self.word) } else { self.word.to_owned() }
    }
}

fn content<'a>(parts: &'a OwnParts<'_>) -> Content<'a> {
    let at = |at: &Timestamp| moment::parts(*at, &parts.practice.time_zone);
    let soon = |until: &Timestamp| moment::parts_after(*until, parts.now, &parts.practice.time_zone);
    let speaker = |name: &str| {
        let name: String = field::one_line(name).chars().take(LONGEST_NAME).collect();
        if name.is_empty() { field::one_line(&parts.practice.name) } else { name }
    };
    match &parts.says {
        Says::Invitation { role, sender_name, link, until, reminder, last } => {
            guests::invitation(*role, speaker(sender_name), link, at(until), reminder.is_some(), *last)
        }
        Says::InvitationCancelled { sender_name, why } => guests::cancelled(speaker(sender_name), *why),
        Says::Password { link, until, first } => guests::password(link, soon(until), *first),
        Says::Welcome { role, name, sender_name, link } => guests::welcome(*role, name, speaker(sender_name), link),
        Says::Code { code, until } => guests::code(code, soon(until)),
        Says::Link { link, until, once } => guests::link(link, soon(until), *once),
        Says::InvitationEnded { guest, why, issued } => staff::ended(guest, *why, at(issued)),
        Says::WaitsForAdmin { guest, name } => staff::waits(guest, name),
        Says::BirthdateWrong { guest, sent } => staff::birthdate_wrong(guest, at(sent)),
        Says::Question { recipient, birthdate_only, accepted, until, again, not_understood } => staff::question(
            recipient,
            staff::Asked {
                birthdate_only: *birthdate_only,
                accepted: at(accepted),
                until: at(until),
                again: *again,
                not_understood: *not_understood,
            },
        ),
        Says::QuestionReturned { recipient, accepted, dropped } => staff::returned(recipient, at(accepted), *dropped),
        Says::Status { accepted, title, done, lines } => status::content(at(accepted), title, *done, lines),
        Says::NotUnderstood { word, known, why } => staff::not_understood(word, known, *why),
        Says::GuestReply(reply) => reply::content(reply),
    }
}

/// The mail in the words of its practice's language.
///
/// # Errors
/// A template that fails.
pub(crate) fn texts(templates: &Templates, parts: &OwnParts<'_>) -> Result<Texts, Failed> {
    let language = &parts.practice.language;
    let content = content(parts);
    let practice = practice_value(parts.practice);
    let facts = &content.facts;
    let mail = [context! { practice => practice.clone(), ..facts.clone() }];
    let words = &mut templates.words(language, content.reader.sentences())?;
    let subject = words.say(&sentence(&content, "subject"), &mail)?;
    let from = match content.letter {
        Some(_) => words.say(&sentence(&content, "from"), &mail)?,
        None => field::one_line(&parts.practice.name),
    };
    let writing_back = WritingBack { to: parts.reply_to, subject: &subject };
    let values = context! {
        language => templates.language(language),
        practice => practice,
        title => words.say(&sentence(&content, "title"), &mail)?,
        text => words.paragraphs(&sentence(&content, "text"), &mail)?,
        after => words.paragraphs(&sentence(&content, "after"), &mail)?,
        link => content.link,
        button => button(words, &content, &mail)?,
        code => content.code,
        about => content.about.map(ToString::to_string),
        answers => answers(words, &content.answers, &writing_back)?,
        recipients => status::values(words, &content.lines, &parts.practice.time_zone, &writing_back)?,
        letter_text => content.letter.map(reply::plain),
        letter_html => content.letter.map(reply::html),
    };
    let [text, html] = content.reader.layouts();
    Ok(Texts {
        from,
        text: templates.render(language, text, &values)?,
        html: templates.render(language, html, &values)?,
        subject,
    })
}

fn sentence(content: &Content<'_>, part: &str) -> String {
    format!("{}_{part}", content.kind)
}

fn button(words: &mut Words<'_>, content: &Content<'_>, mail: &[Value]) -> Result<Option<String>, Failed> {
    content.link.map(|_| words.say(&sentence(content, "button"), mail)).transpose()
}

/// Where an answer goes, so that a press on a word begins it.
pub(super) struct WritingBack<'a> {
    to: Option<&'a Address>,
    subject: &'a str,
}

impl WritingBack<'_> {
    /// A link that begins an answer with these words (RFC 6068).
    pub fn link(&self, answer: &str) -> Option<String> {
        let to = self.to?.to_string();
        let (to, subject, answer) = (escaped(&to), escaped(self.subject), escaped(answer));
        Some(format!("mailto:{to}?subject=Re:%20{subject}&body={answer}"))
    }
}

/// Text in a `mailto` address (RFC 6068, section 2).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        match b {
            b if b.is_ascii_alphanumeric() || b"-._~@".contains(&b) => out.push(char::from(b)),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

/// Words that can be written back, as templates see them: `write`, `padded` (as wide as the widest), `means`, `link`.
fn answers(words: &mut Words<'_>, all: &[Answer<'_>], back: &WritingBack<'_>) -> Result<Vec<Value>, Failed> {
    let width = all.iter().map(|answer| answer.written().chars().count()).max().unwrap_or_default();
    let value = |answer: &Answer<'_>| {
        let means = words.say("answer", &[Value::from(answer.meaning)])?;
        let write = answer.written();
        let padded = format!("{write:<width$}");
        Ok(context! { write => write, padded => padded, means => means, link => back.link(&answer.begun()) })
    };
    all.iter().map(value).collect()
}
