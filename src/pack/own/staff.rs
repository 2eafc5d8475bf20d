//! What staff are told and asked. Whom it is about is named in the text, never in the subject: subjects show on locked
//! screens.

use minijinja::{Value, context};

use super::NotDone;
use super::content::{Answer, Content, Reader};
use crate::invitation::Why;
use crate::mail::Address;
use crate::pack::field;

/// Who an unclear recipient can be: with a date of birth a patient, or somebody else.
const PATIENT: &str = "p";
const OTHERS: [&str; 5] = ["dm", "sm", "do", "so", "payer"];

fn staff(kind: &'static str, facts: Value) -> Content<'static> {
    Content::of(Reader::Staff, kind, facts)
}

/// An invitation came to its end without an account.
pub(super) fn ended(guest: &Address, why: Option<Why>, issued: Value) -> Content<'_> {
    let mut answers = all(&["resend"]);
    let why = match why {
        None => "expired",
        Some(Why::ByHand) => "by-hand",
        Some(Why::Birthdate) => {
            answers.insert(0, Answer::with_birthdate());
            "birthdate"
        }
    };
    let facts = context! { why => why, issued => issued };
    Content { about: Some(guest), answers, ..staff("ended", facts) }
}

/// Somebody registered whom an admin must agree to.
pub(super) fn waits<'a>(guest: &'a Address, name: &str) -> Content<'a> {
    let facts = context! { name => field::one_line(name), address => guest.to_string() };
    Content { about: Some(guest), ..staff("waits", facts) }
}

/// A birthdate was wrong twice.
pub(super) fn birthdate_wrong(guest: &Address, sent: Value) -> Content<'_> {
    Content { about: Some(guest), ..staff("birthdate_wrong", context! { sent => sent }) }
}

/// What there is to say beside the words to answer with.
pub(super) struct Asked<'a> {
    pub birthdate_only: bool,
    pub accepted: Value,
    pub until: Value,
    pub again: bool,
    pub not_understood: Option<&'a str>,
}

/// Who is this recipient?
pub(super) fn question<'a>(recipient: &'a Address, asked: Asked<'_>) -> Content<'a> {
    let others: &[&str] = if asked.birthdate_only { &[] } else { &OTHERS };
    let answers = [&[PATIENT], others, &["drop"]].concat();
    let facts = context! {
        birthdate_only => asked.birthdate_only,
        accepted => asked.accepted,
        until => asked.until,
        again => asked.again,
        not_understood => asked.not_understood.map(field::one_line),
    };
    Content { about: Some(recipient), answers: all(&answers), ..staff("question", facts) }
}

/// Nobody answered, or the answer was to leave this recipient out.
pub(super) fn returned(recipient: &Address, accepted: Value, dropped: bool) -> Content<'_> {
    let facts = context! { accepted => accepted, dropped => dropped };
    Content { about: Some(recipient), ..staff("returned", facts) }
}

/// What was written back cannot be done.
pub(super) fn not_understood<'a>(word: &str, known: &[&'a str], why: NotDone) -> Content<'a> {
    let facts = context! { word => field::one_line(word), why => why.word() };
    Content { answers: all(known), ..staff("not_understood", facts) }
}

fn all<'a>(words: &[&'a str]) -> Vec<Answer<'a>> {
    words.iter().map(|word| Answer::from(*word)).collect()
}
