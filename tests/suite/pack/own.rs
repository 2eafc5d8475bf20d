//! Mails of our own, to guests and to staff.

use mail_parser::{MessageParser, MimeHeaders, PartType};
use postern::invitation::Why;
use postern::mail::Address;
use postern::pack::own::{GuestReplyParts, NotDone, OwnParts, Says, StatusLine, guest_reply_frame, own_mail};
use postern::pack::{PackError, Templates};
use postern::policy::{Practice, Role};
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
        ("own-cancelled", Says::InvitationCancelled { sender_name: SENDER, why: Some(Why::Birthdate) }),
        ("own-cancelled-by-hand", Says::InvitationCancelled { sender_name: SENDER, why: Some(Why::ByHand) }),
        ("own-cancelled-expired", Says::InvitationCancelled { sender_name: SENDER, why: None }),
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
        ("own-opened", status("opened", None, &lines[1..2])),
        ("own-unread", status("unread", None, &lines[..1])),
        ("own-history", status("history", None, history)),
        ("own-done", status("done", Some("unshare"), history)),
        (
            "own-not-understood",
            Says::NotUnderstood {
                word: "hello",
                known: &["remind", "cancel", "unshare", "history"],
                why: NotDone::Word,
            },
        ),
        (
            "own-not-understood-behind",
            Says::NotUnderstood { word: "cancel", known: &["cancel", "history"], why: NotDone::Behind },
        ),
        (
            "own-not-understood-foreign",
            Says::NotUnderstood { word: "remind", known: &["unshare", "history"], why: NotDone::Foreign },
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

#[test]
fn our_own_mails_say_nothing_confidential_and_who_they_are_from() {
    for (name, octets) in all(&shipped()) {
        let message = MessageParser::new().parse(&octets).unwrap();
        let html = text_and_html(&octets).1;
        let field = |name| message.header_raw(name).map(str::trim);
        assert_eq!(message.from().unwrap().first().unwrap().address(), Some("postern@mail.clinic.example"), "{name}");
        assert_eq!(field("Message-ID"), Some("<06eqz3p9s2x4n7k1v5t8w0y2m6@mail.clinic.example>"));
        assert_eq!(message.attachment_count(), 0);
        assert!(message.parts.iter().all(|part| part.content_type().is_some()));
        if name.starts_with("own-reply") {
            assert_eq!(field("Auto-Submitted"), None);
            assert_eq!(message.reply_to().unwrap().first().unwrap().address(), Some("jane@patients.example"));
            assert_eq!(field("In-Reply-To"), Some("<first.1@clinic.example>"));
            assert!(field("References").unwrap().ends_with("<first.1@clinic.example>"));
            continue;
        }
        let answers = ["own-history", "own-done", "own-question-again"].contains(&name.as_str());
        let answers = answers || name.starts_with("own-not-understood");
        assert_eq!(field("Auto-Submitted"), Some(if answers { "auto-replied" } else { "auto-generated" }), "{name}");
        let subject = message.subject().unwrap();
        for secret in ["402", "917", "@", "Citizen", "Jane"] {
            assert!(!subject.contains(secret), "{secret} in the subject of {name}");
        }
        for remote in ["<img", "<link", "@import", "url(", "<script"] {
            assert!(!html.contains(remote), "{remote} in {name}");
        }
        assert!(html.len() < 40_000, "{name}: {}", html.len());
    }
}

#[test]
fn every_word_of_a_question_stands_in_both_texts_and_begins_its_answer() {
    let people = people();
    let octets = compose(&shipped(), &practice(), "ada@clinic.example", question(&people.jane, false, false));
    let (text, html) = text_and_html(&octets);
    for (write, begun) in [("p 1980-03-04", "p%20"), ("dm", "dm"), ("payer", "payer"), ("drop", "drop")] {
        assert!(text.contains(&format!("\n    {write}")), "{write} in {text}");
        let link = "mailto:t-5k8dz2mq7w@mail.clinic.example?subject=Re:%20Who%20is%20this%20recipient%3F";
        let at = html.find(&format!("&amp;body={begun}\"")).unwrap_or_else(|| panic!("{begun} in {html}"));
        assert!(html[..at].contains(link));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn nothing_that_a_person_gave_becomes_structure(name in hostile(), sender in hostile(), word in hostile(), subject in hostile(), text in hostile(), practice_name in hostile()) {
        let templates = TEMPLATES.with(std::rc::Rc::clone);
        let mut practice = practice();
        practice.name = format!("x{practice_name}");
        let jane = address("jane@patients.example");
        let reply = GuestReplyParts { guest: &jane, guest_name: &name, subject: &subject, in_reply_to: Some(&word),
            references: std::slice::from_ref(&sender), text: &text, attachments: &[] };
        let question = Says::Question { recipient: &jane, birthdate_only: false, accepted: NOW, until: NOW, again: false,
            not_understood: Some(&word) };
        let expected = ["From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted",
            "X-Auto-Response-Suppress", "Content-Language", "MIME-Version", "Content-Type"];
        for (says, reply_to) in [
            (Says::Invitation { role: None, sender_name: &sender, link: LINK, until: NOW, reminder: None, last: false }, false),
            (Says::Welcome { role: Some(Role::Doctor), name: &name, sender_name: &sender, link: LINK }, false),
            (Says::InvitationCancelled { sender_name: &sender, why: Some(Why::ByHand) }, false),
            (Says::WaitsForAdmin { guest: &jane, name: &name }, false),
            (Says::NotUnderstood { word: &word, known: &["remind"], why: NotDone::Word }, true),
            (question, true),
        ] {
            let octets = match try_compose(&templates, &practice, "ada@clinic.example", says) {
                Err(PackError::FileWithin(_)) => continue,
                octets => octets.unwrap(),
            };
            let whole = std::str::from_utf8(&octets).unwrap();
            prop_assert!(whole.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n', '\0'])));
            let names: Vec<&str> = expected.into_iter().filter(|name| reply_to || *name != "Reply-To").collect();
            prop_assert_eq!(field_names(&octets), names);
            let message = MessageParser::new().parse(&octets).unwrap();
            prop_assert_eq!(message.parts.len(), 3);
            prop_assert_eq!(message.from().unwrap().iter().count(), 1);
            prop_assert_eq!(message.from().unwrap().first().unwrap().address(), Some("postern@mail.clinic.example"));
            let (_, html) = text_and_html(&octets);
            prop_assert!(!html.contains("<script"), "{}", html);
        }
        let octets = compose(&templates, &practice, "ada@clinic.example", Says::GuestReply(reply));
        let threading = field_names(&octets).iter().filter(|name| ["In-Reply-To", "References"].contains(&name.as_str())).count();
        prop_assert_eq!(field_names(&octets).len() - threading, 9);
        let message = MessageParser::new().parse(&octets).unwrap();
        prop_assert_eq!(message.parts.len(), 3);
        prop_assert_eq!(message.reply_to().unwrap().iter().count(), 1);
        prop_assert_eq!(message.reply_to().unwrap().first().unwrap().address(), Some("jane@patients.example"));
        prop_assert!(!text_and_html(&octets).1.contains("<script"));
    }

    #[test]
    fn a_frame_and_its_attachments_are_a_message(
        attachments in prop::collection::vec((file_name(), media_type(), prop::collection::vec(any::<u8>(), 0..300)), 1..5),
    ) {
        let templates = TEMPLATES.with(std::rc::Rc::clone);
        let jane = address("jane@patients.example");
        let named: Vec<(String, String)> = attachments.iter().map(|(name, kind, _)| (name.clone(), kind.clone())).collect();
        let says = Says::GuestReply(reply(&jane, &[], &named));
        let frame = with_parts(&practice(), "ada@clinic.example", says, |parts| guest_reply_frame(&templates, parts)).unwrap();
        prop_assert_eq!(frame.len(), attachments.len() + 1);
        let mut whole = frame[0].clone();
        for ((_, _, octets), after) in attachments.iter().zip(&frame[1..]) {
            whole.extend(base64(octets).into_bytes());
            whole.extend(after);
        }
        prop_assert!(whole.ends_with(b"--\r\n"));
        prop_assert!(whole.split(|b| *b == b'\n').all(|line| line.len() <= 998));
        let message = MessageParser::new().parse(&whole).unwrap();
        prop_assert_eq!(message.attachment_count(), attachments.len());
        let (text, _) = text_and_html(&whole);
        prop_assert!(text.replace("\r\n", "\n").starts_with(REPLY));
        for ((name, _, octets), read) in attachments.iter().zip(message.attachments()) {
            let safe = postern::mime::names::sanitise(name);
            prop_assert_eq!(read.attachment_name(), Some(safe.as_str()));
            let old = read.content_type().unwrap().attribute("name");
            prop_assert!(old.is_none_or(|old| old == safe), "{:?}", old);
            match &read.body {
                PartType::Binary(read) => prop_assert_eq!(read.as_ref(), octets.as_slice()),
                // Read as text: by its own guess where it is no UTF-8.
                PartType::Text(read) => prop_assert!(std::str::from_utf8(octets).is_err() || read.as_bytes() == octets),
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}

fn base64(octets: &[u8]) -> String {
    let encoded = data_encoding::BASE64.encode(octets);
    encoded.as_bytes().chunks(76).map(|line| format!("{}\r\n", String::from_utf8_lossy(line))).collect()
}

fn file_name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("scan.pdf".to_owned()),
        Just("Überweisung Dr. Müller – März.pdf".to_owned()),
        Just("检查报告.docx".to_owned()),
        Just("a \"quoted\" \\ name; x=y.pdf".to_owned()),
        Just("=?utf-8?Q?evil.exe?=.pdf".to_owned()),
        Just("100% of it's; (here).txt".to_owned()),
        "[a-z ]{200,260}\\.pdf",
        "\\PC{1,80}",
        hostile(),
    ]
}

fn media_type() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("application/pdf".to_owned()),
        Just("text/plain".to_owned()),
        Just("message/rfc822".to_owned()),
        Just("multipart/mixed".to_owned()),
        Just("text/html; charset=x\r\nBcc: thief@evil.example".to_owned()),
        hostile(),
    ]
}
