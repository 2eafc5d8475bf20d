//! Sample values: every template is rendered with all of these at load, so that each branch has been walked.

use minijinja::{Value, context};

use crate::invitation::Why;
use crate::mail::Address;
use crate::pack::colour::Paint;
use crate::pack::moment;
use crate::pack::own::{GuestReplyParts, MOST_LINES, NotDone, OwnParts, Says, StatusLine, role_word};
use crate::policy::{Practice, Role};
use crate::time::Timestamp;

/// What templates can name, for the hint at a mistyped one.
pub(crate) const NAMES: [&str; 35] = [
    "language",
    "practice",
    "sender",
    "documents",
    "link",
    "until",
    "kept",
    "access",
    "too_long",
    "private",
    "as_written",
    "body_html",
    "body_text",
    "recipient",
    "accepted",
    "enhanced",
    "sentence",
    "attempts",
    "transaction",
    "words",
    "registers",
    "role",
    "title",
    "text",
    "after",
    "button",
    "code",
    "about",
    "answers",
    "recipients",
    "letter_html",
    "letter_text",
    "guests",
    "staff",
    "mail",
];

/// Each layout with the values it is tried with.
pub(crate) fn renderings(language: &str) -> Vec<(&'static str, Value)> {
    let mut all = Vec::new();
    for with_documents in [true, false] {
        for rich in [true, false] {
            let values = notice(language, with_documents, rich);
            all.push(("notice.mjml", values.clone()));
            all.push(("notice.txt", values));
        }
    }
    for role in Role::ALL.into_iter().map(Some).chain([None]) {
        let values = context! { registers => true, role => role_word(role), ..notice(language, true, true) };
        all.push(("notice.mjml", values.clone()));
        all.push(("notice.txt", values));
    }
    for attempts in [0, 1, 12] {
        let values = report(language, attempts);
        all.push(("report.mjml", values.clone()));
        all.push(("report.txt", values));
    }
    all
}

/// The sentences that are asked for by name, with their arguments; and what only some mails have.
pub(crate) fn sentences() -> Vec<(&'static str, Vec<Value>)> {
    let mut all = vec![("report_from", vec![practice(true)]), ("report_subject", vec![at()]), ("picture", vec![])];
    all.push(("private_subject", vec![practice(true)]));
    let nothing = || vec![context! { count => 0, kinds => Vec::<Value>::new(), pictures => 0 }];
    all.extend(["headline", "open", "private"].map(|sentence| (sentence, nothing())));
    all.extend(["account", "code", "birthdate", "magic"].map(|check| ("asked", vec![Value::from(vec![check])])));
    all.push(("headline", vec![documents("pdf", 2, 0)]));
    let kinds = crate::pack::documents::KINDS;
    all.extend(kinds.map(|kind| ("kinds", vec![documents(kind, 1, 1)])));
    all.extend((1..=12).flat_map(|month| {
        let weekday = (month - 1) % 7 + 1;
        let date = context! { weekday => weekday, day => 1, month => month, year => 2026, time => "09:00" };
        [("date", vec![date.clone()]), ("short", vec![date])]
    }));
    all.extend(["5.1.1", "5.7.1", "4.4.7", "5.0.0"].map(|code| ("report_why", vec![code.into(), "No.".into()])));
    all
}

const AT: Timestamp = Timestamp::from_secs(1_795_871_100);

fn at() -> Value {
    moment::parts(AT, "UTC")
}

fn practice(rich: bool) -> Value {
    let paint = Paint::of("#1f5f8b");
    context! {
        name => "Sample Practice",
        phone => if rich { "555 0100" } else { "" },
        address => if rich { vec!["1 Sample Street"] } else { vec![] },
        colour => paint.ground,
        text_colour => paint.text,
        website => rich.then_some("https://sample.example"),
    }
}

fn documents(kind: &str, count: usize, pictures: usize) -> Value {
    context! { count => count, kinds => vec![context! { kind => kind, count => count }], pictures => pictures }
}

fn notice(language: &str, with_documents: bool, rich: bool) -> Value {
    let text = rich.then_some("Sample text.");
    context! {
        language => language,
        practice => practice(rich),
        sender => "Sample Sender",
        documents => with_documents.then(|| documents("pdf", if rich { 2 } else { 1 }, if rich { 2 } else { 0 })),
        link => with_documents.then_some("https://sample.example/p/sample"),
        until => at(),
        kept => rich.then(at),
        registers => false,
        role => "other",
        access => if rich { vec!["account", "birthdate"] } else { vec![] },
        too_long => !rich,
        private => with_documents && !rich,
        as_written => with_documents && rich,
        body_html => text,
        body_text => text,
    }
}

fn report(language: &str, attempts: u32) -> Value {
    context! {
        language => language,
        practice => practice(true),
        recipient => "sample@sample.example",
        accepted => at(),
        enhanced => "5.1.1",
        sentence => "Sample sentence.",
        attempts => attempts,
        transaction => "sample",
    }
}

/// Mails of our own: one of each kind, or so many that each sentence is said and each branch walked.
pub(crate) fn own_mails(language: &str, every_branch: bool, mut each: impl FnMut(&OwnParts<'_>)) {
    let address = sample_address();
    let lines = lines(&address);
    let attachments = [(String::from("sample"), String::from("text/plain"))];
    for rich in [true, false].into_iter().filter(|rich| *rich || every_branch) {
        let practice = sample_practice(language, rich);
        let roles: &[Role] = if rich && every_branch { &Role::ALL } else { &[] };
        for says in guests(roles, rich).into_iter().chain(staff(&address, rich)).chain(answered(
            &address,
            &lines,
            &attachments,
            rich,
        )) {
            each(&OwnParts {
                practice: &practice,
                to: &address,
                from: &address,
                reply_to: rich.then_some(&address),
                hostname: "mail.sample.example",
                unique: "sample",
                now: AT,
                says,
            });
        }
    }
}

fn sample_address() -> Address {
    #[allow(clippy::expect_used, reason = "it is an address")]
    Address::parse("sample@sample.example").expect("an address")
}

fn sample_practice(language: &str, rich: bool) -> Practice {
    let text = |text: &str| if rich { text.to_owned() } else { String::new() };
    Practice {
        logo: None,
        id: "sample".into(),
        name: "Sample Practice".into(),
        domains: Vec::new(),
        phone: text("555 0100"),
        address: if rich { vec!["1 Sample Street".into()] } else { Vec::new() },
        colour: "#1f5f8b".into(),
        website: rich.then(|| "https://sample.example".into()),
        signature: Vec::new(),
        learn_signatures: false,
        time_zone: "UTC".into(),
        workgroups: Vec::new(),
        staff_mail: Default::default(),
        language: language.into(),
    }
}

fn guests(roles: &[Role], rich: bool) -> Vec<Says<'static>> {
    let (link, until, sender_name) = ("https://sample.example/p/sample", AT, "Sample Sender");
    let reminder = (!rich).then_some(3);
    let mut all: Vec<_> = roles
        .iter()
        .copied()
        .map(Some)
        .chain([None])
        .flat_map(|role| {
            let name = if rich { "Sample Guest" } else { "" };
            let invitation = Says::Invitation { role, sender_name, link, until, reminder, last: role.is_none() };
            [invitation, Says::Welcome { role, name, sender_name, link }]
        })
        .collect();
    let why = if rich { Why::Birthdate } else { Why::ByHand };
    all.push(Says::InvitationCancelled { sender_name, why: Some(why) });
    all.push(Says::InvitationCancelled { sender_name, why: None });
    all.push(Says::Password { link, until, first: rich });
    all.push(Says::Code { code: "123 456", until });
    all.push(Says::Link { link, until, once: rich });
    all
}

fn staff(guest: &Address, rich: bool) -> Vec<Says<'_>> {
    let (accepted, until, not_understood) = (AT, AT, rich.then_some("sample"));
    let mut all = vec![
        Says::WaitsForAdmin { guest, name: "Sample Guest" },
        Says::BirthdateWrong { guest, sent: AT },
        Says::QuestionReturned { recipient: guest, accepted, dropped: rich },
    ];
    all.extend([NotDone::Word, NotDone::Behind, NotDone::Foreign, NotDone::Recall].map(|why| Says::NotUnderstood {
        word: not_understood.unwrap_or_default(),
        known: &["remind", "p"],
        why,
    }));
    all.extend([None, Some(Why::ByHand), Some(Why::Birthdate)].map(|why| Says::InvitationEnded {
        guest,
        why,
        issued: AT,
    }));
    all.extend([true, false].map(|only| Says::Question {
        recipient: guest,
        birthdate_only: only,
        accepted,
        until,
        again: rich,
        not_understood,
    }));
    all
}

const WORDS: [&str; 16] = [
    "p", "dm", "sm", "do", "so", "payer", "drop", "stop", "send", "remind", "cancel", "resend", "unshare", "extend",
    "share", "history",
];

/// A line for each outcome, each state of a link, each event and each word; and more than one mail shows.
fn lines(recipient: &Address) -> Vec<StatusLine> {
    let outcomes =
        ["delivered", "on-its-way", "failed", "relayed", "relayed-stays", "asked", "refused", "left-out"].into_iter();
    let links =
        ["invited", "not-registered", "registered", "opened", "downloaded", "revoked", "over", "cancelled", "expired"];
    let events = ["sent", "opened", "downloaded", "replied", "reminded", "revoked"].map(|event| (event, AT)).to_vec();
    let line = |(outcome, link): (&'static str, Option<&'static str>)| StatusLine {
        recipient: recipient.clone(),
        outcome,
        sentence: (outcome == "failed").then_some("Sample sentence."),
        link,
        at: link.map(|_| AT),
        until: link.map(|_| AT),
        words: if link.is_some() { WORDS.to_vec() } else { Vec::new() },
        events: if link.is_some() { events.clone() } else { Vec::new() },
    };
    let outcomes = outcomes.map(|outcome| (outcome, None));
    let more = std::iter::repeat_n(("delivered", None), MOST_LINES);
    outcomes.chain(links.map(|link| ("delivered", Some(link)))).chain(more).map(line).collect()
}

fn answered<'a>(
    guest: &'a Address,
    lines: &'a [StatusLine],
    attachments: &'a [(String, String)],
    rich: bool,
) -> Vec<Says<'a>> {
    let status = |title, done, lines| Says::Status { accepted: AT, title, done, lines };
    let mut all: Vec<_> = ["delivered", "partly", "failed", "waiting", "history", "pending", "opened", "unread"]
        .map(|title| status(title, None, if rich && title == "history" { lines } else { &lines[..1] }))
        .into();
    all.extend(["remind", "dm"].map(|done| status("done", Some(done), &lines[..0])));
    all.push(Says::GuestReply(GuestReplyParts {
        guest,
        guest_name: "Sample Guest",
        subject: if rich { "Re: sample" } else { "" },
        in_reply_to: None,
        references: &[],
        text: "Sample text.",
        attachments: if rich { attachments } else { &[] },
    }));
    all
}
