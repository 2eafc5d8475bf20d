//! Mails of our own, to guests and to staff.

use mail_parser::{MessageParser, MimeHeaders, PartType};
use postern::invitation::Why;
use postern::mail::Address;
use postern::pack::own::{GuestReplyParts, OwnParts, Says, StatusLine, guest_reply_frame, own_mail};
use postern::pack::{PackError, Templates};
use postern::policy::{Practice, Role};
use postern::time::Timestamp;
use proptest::prelude::*;

use super::{LINK, NOW, TEMPLATES, address, field_names, french, goldens, hostile, practice, shipped, text_and_html};

const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);
const SENDER: &str = "Dr Ada Smith";

fn compose(templates: &Templates, practice: &Practice, to: &str, says: Says<'_>) -> Vec<u8> {
    try_compose(templates, practice, to, says).unwrap()
}

fn try_compose(templates: &Templates, practice: &Practice, to: &str, says: Says<'_>) -> Result<Vec<u8>, PackError> {
    with_parts(practice, to, says, |parts| own_mail(templates, parts))
}

fn with_parts<T>(practice: &Practice, to: &str, says: Says<'_>, then: impl FnOnce(&OwnParts<'_>) -> T) -> T {
    let token = address("t-5k8dz2mq7w@mail.clinic.example");
    let answered = matches!(
        says,
        Says::Question { .. } | Says::Status { .. } | Says::NotUnderstood { .. } | Says::InvitationEnded { .. }
    );
    then(&OwnParts {
        practice,
        to: &address(to),
        from: &address("postern@mail.clinic.example"),
        reply_to: answered.then_some(&token),
        hostname: "mail.clinic.example",
        unique: "06eqz3p9s2x4n7k1v5t8w0y2m6",
        now: NOW,
        says,
    })
}

fn invitation(role: Option<Role>, reminder: Option<u8>, last: bool) -> Says<'static> {
    Says::Invitation { role, sender_name: SENDER, link: LINK, until: NOW.plus(27 * DAY), reminder, last }
}

fn to_guests() -> Vec<(&'static str, Says<'static>)> {
    let welcome = |role| Says::Welcome { role: Some(role), name: "Jane Citizen", sender_name: SENDER, link: LINK };
    let hour = NOW.plus(DAY / 24);
    vec![
        ("own-invitation", invitation(Some(Role::Patient), None, false)),
        ("own-invitation-staff", invitation(Some(Role::Staff), None, false)),
        ("own-reminder", invitation(Some(Role::DoctorElsewhere), Some(1), false)),
        ("own-reminder-last", invitation(Some(Role::Patient), Some(3), true)),
        ("own-cancelled", Says::InvitationCancelled { sender_name: SENDER, why: Why::Birthdate }),
        ("own-cancelled-by-hand", Says::InvitationCancelled { sender_name: SENDER, why: Why::ByHand }),
        ("own-password", Says::Password { link: LINK, until: hour, first: true }),
        ("own-password-forgotten", Says::Password { link: LINK, until: hour, first: false }),
        ("own-welcome", welcome(Role::Patient)),
        ("own-welcome-doctor-elsewhere", welcome(Role::DoctorElsewhere)),
        ("own-code", Says::Code { code: "402 917", until: NOW.plus(DAY / 144) }),
        ("own-fresh-link", Says::Link { link: LINK, until: NOW.plus(7 * DAY), once: false }),
        ("own-magic-link", Says::Link { link: LINK, until: NOW.plus(DAY / 96), once: true }),
    ]
}

/// People whom mails to staff are about.
struct People {
    jane: Address,
    lee: Address,
}

fn people() -> People {
    People { jane: address("jane@patients.example"), lee: address("lee.wong@radiology-north-shore.example") }
}

fn question(recipient: &Address, birthdate_only: bool, again: bool) -> Says<'_> {
    let not_understood = again.then_some("hello");
    Says::Question { recipient, birthdate_only, accepted: NOW, until: NOW.plus(3 * DAY), again, not_understood }
}

fn to_staff<'a>(
    people: &'a People,
    lines: &'a [StatusLine],
    history: &'a [StatusLine],
) -> Vec<(&'static str, Says<'a>)> {
    let (guest, issued) = (&people.jane, NOW);
    let status = |title, done, lines| Says::Status { accepted: NOW, title, done, lines };
    vec![
        ("own-ended", Says::InvitationEnded { guest, why: None, issued }),
        ("own-ended-birthdate", Says::InvitationEnded { guest, why: Some(Why::Birthdate), issued }),
        ("own-waits", Says::WaitsForAdmin { guest: &people.lee, name: "Lee Wong" }),
        ("own-birthdate-wrong", Says::BirthdateWrong { guest, sent: NOW }),
        ("own-question", question(&people.jane, false, false)),
        ("own-question-again", question(&people.lee, false, true)),
        ("own-question-birthdate", question(&people.jane, true, false)),
        ("own-returned", Says::QuestionReturned { recipient: guest, accepted: NOW, dropped: false }),
        ("own-dropped", Says::QuestionReturned { recipient: guest, accepted: NOW, dropped: true }),
        ("own-status", status("partly", None, lines)),
        ("own-status-one", status("delivered", None, &lines[..1])),
        ("own-history", status("history", None, history)),
        ("own-done", status("done", Some("unshare"), history)),
        (
            "own-not-understood",
            Says::NotUnderstood { word: "hello", known: &["remind", "cancel", "unshare", "history"] },
        ),
    ]
}

fn line(recipient: &str, outcome: &'static str, link: Option<&'static str>, words: &[&'static str]) -> StatusLine {
    StatusLine {
        recipient: address(recipient),
        outcome,
        sentence: None,
        link,
        at: link.map(|_| NOW),
        until: link.map(|_| NOW.plus(7 * DAY)),
        words: words.to_vec(),
        events: vec![],
    }
}

fn lines() -> Vec<StatusLine> {
    let no_such = "The mail server of the recipient says that there is no such address.";
    vec![
        line("jane@patients.example", "delivered", Some("invited"), &["remind", "cancel", "unshare"]),
        line("lee.wong@radiology-north-shore.example", "delivered", Some("opened"), &["unshare"]),
        StatusLine { sentence: Some(no_such), ..line("rob@patients.example", "failed", None, &[]) },
        line("kim@unknown.example", "asked", None, &[]),
        line("reception@clinic.example", "relayed", None, &[]),
    ]
}

fn history() -> Vec<StatusLine> {
    let events = [("sent", 0), ("reminded", 3), ("opened", 4), ("downloaded", 4), ("replied", 5), ("revoked", 6)];
    let events = events.map(|(what, day)| (what, NOW.plus(day * DAY))).to_vec();
    let revoked = line("jane@patients.example", "delivered", Some("revoked"), &["share"]);
    vec![StatusLine { until: None, events, ..revoked }]
}

const REPLY: &str = "Dear Dr Smith,\n\nthank you for the letter. One question: may I go on with the tablets, \
2 in the morning & 1 at night, until Thursday?\n\nKind regards\nJane";

fn reply<'a>(guest: &'a Address, references: &'a [String], attachments: &'a [(String, String)]) -> GuestReplyParts<'a> {
    GuestReplyParts {
        guest,
        guest_name: "Jane Citizen",
        subject: "Your results",
        in_reply_to: Some("<first.1@clinic.example>"),
        references,
        text: REPLY,
        attachments,
    }
}

/// All mails of our own, in English; a few in French.
fn all(templates: &Templates) -> Vec<(String, Vec<u8>)> {
    let (people, lines, history) = (people(), lines(), history());
    let thread = [String::from("asked.0@patients.example")];
    let cases = || {
        let guests = to_guests().into_iter().map(|(name, says)| (name, "jane@patients.example", says));
        let staff =
            to_staff(&people, &lines, &history).into_iter().map(|(name, says)| (name, "ada@clinic.example", says));
        let reply = ("own-reply", "ada@clinic.example", Says::GuestReply(reply(&people.jane, &thread, &[])));
        guests.chain(staff).chain([reply])
    };
    let english = cases().map(|(name, to, says)| (name.to_owned(), compose(templates, &practice(), to, says)));
    let some =
        ["own-invitation", "own-cancelled", "own-welcome", "own-code", "own-question", "own-status", "own-reply"];
    let french = cases()
        .filter(|(name, ..)| some.contains(name))
        .map(|(name, to, says)| (format!("{name}-french"), compose(templates, &french(), to, says)));
    english.chain(french).collect()
}

#[test]
fn goldens_of_our_own_mails_are_what_is_sent() {
    for (name, octets) in all(&shipped()) {
        goldens(&name, &octets);
    }
}
