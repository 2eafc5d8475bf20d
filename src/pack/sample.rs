//! Sample values: every template is rendered with all of these at load, so that each branch has been walked.

use minijinja::{Value, context};

use crate::pack::colour::Paint;
use crate::pack::moment;
use crate::time::Timestamp;

/// What templates can name, for the hint at a mistyped one.
pub(crate) const NAMES: [&str; 18] = [
    "language",
    "practice",
    "sender",
    "documents",
    "link",
    "until",
    "kept",
    "access",
    "too_long",
    "body_html",
    "body_text",
    "recipient",
    "accepted",
    "enhanced",
    "sentence",
    "attempts",
    "transaction",
    "words",
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
    all.extend(["account", "code", "birthdate", "magic"].map(|check| ("asked", vec![Value::from(vec![check])])));
    let kinds = crate::pack::documents::KINDS;
    all.extend(kinds.map(|kind| ("kinds", vec![documents(kind, 1, 1)])));
    all.extend((1..=12).map(|month| {
        let weekday = (month - 1) % 7 + 1;
        let date = context! { weekday => weekday, day => 1, month => month, year => 2026, time => "09:00" };
        ("date", vec![date])
    }));
    all.extend(["5.1.1", "5.7.1", "4.4.7", "5.0.0"].map(|code| ("report_why", vec![code.into(), "No.".into()])));
    all
}

fn at() -> Value {
    moment::parts(Timestamp::from_secs(1_795_871_100), "UTC")
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
        access => if rich { vec!["account", "birthdate"] } else { vec![] },
        too_long => !rich,
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
