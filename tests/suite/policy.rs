//! What policy decides, case by case: `tests/policy/NN-name/{policy.toml, message.toml, plan.txt}`.
//!
//! A case's `policy.toml`, and what else lies with it, stands beside the files of `tests/policy/base` (two practices, all roles, restricted
//! types). `message.toml` gives the facts. `UPDATE_GOLDEN=1` rewrites the plans.

use std::path::Path;
use std::time::Duration;

use postern::mail::Address;
use postern::mime::assess::{Assessment, Attachment, Importance, Protection, Sensitivity, Signals, Tag, subject_tags};
use postern::mime::inside::Inside;
use postern::mime::{Defect, TransferEncoding};
use postern::policy::{PolicySet, RecipientFacts, Role, SenderFacts, explain};
use serde::Deserialize;

use crate::bad_config::{cases, files_below, golden, sources};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    message: Message,
    recipient: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    from: Address,
    #[serde(default)]
    groups: Vec<String>,
    practice: Option<String>,
    /// Whether the sender can be asked.
    #[serde(default)]
    can_answer: bool,
    subject: String,
    /// Texts of the subject that are tags.
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    attachments: Vec<Document>,
    protection: Option<String>,
    /// Whether parts of the text are marked.
    #[serde(default)]
    marked: bool,
    sensitivity: Option<String>,
    importance: Option<String>,
    #[serde(default)]
    read_receipt: bool,
    /// Hours.
    expires_after: Option<u64>,
    /// Words of what was mended.
    mended: Option<String>,
    /// Fields `X-Postern-…`: name and value.
    #[serde(default)]
    fields: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    name: String,
    #[serde(default)]
    other_names: Vec<String>,
    #[serde(default = "octet_stream", rename = "type")]
    declared: String,
    content: Option<String>,
    #[serde(default)]
    octets: u64,
    pdf_title: Option<String>,
}

fn octet_stream() -> String {
    "application/octet-stream".into()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipient {
    address: Address,
    role: Option<Role>,
    #[serde(default)]
    known: bool,
    #[serde(default)]
    registered: bool,
}

fn tag(subject: &str, text: &str) -> Tag {
    let start = subject.find(text).unwrap_or_else(|| panic!("{text} is not in {subject}"));
    let read = subject_tags(text).unwrap_or_else(|defect| panic!("{text}: {defect}"));
    Tag { span: start..start + text.len(), ..read.into_iter().next().unwrap_or_else(|| panic!("{text} is no tag")) }
}

fn protection(name: &str) -> Protection {
    let all = [Protection::SmimeSigned, Protection::SmimeEncrypted, Protection::PgpSigned, Protection::PgpEncrypted];
    all.into_iter().find(|known| known.name() == name).unwrap_or_else(|| panic!("{name} is no protection"))
}

fn assessment(message: &Message) -> Assessment {
    let attachments = message.attachments.iter().map(|document| Attachment {
        body: 0..0,
        encoding: TransferEncoding::Base64,
        within: None,
        name: document.name.clone(),
        names: document.other_names.clone(),
        declared_type: document.declared.clone(),
        content_type: document.content.clone(),
        octets: document.octets,
        inline: false,
        inside: Inside { title: document.pdf_title.clone(), ..Inside::default() },
        given: postern::mime::assess::Given::AsDocument,
        content_id: None,
        front: Default::default(),
    });
    let mended = message.mended.as_ref().map(|words| Defect { word: "mended", words: words.clone(), limit: false });
    let mut facts = Assessment {
        subject: message.subject.clone(),
        tags: message.tags.iter().map(|text| tag(&message.subject, text)).collect(),
        from: vec![message.from.clone()],
        from_name: None,
        sender: None,
        text: None,
        html: None,
        marked: message.marked,
        as_written: false,
        attachments: attachments.collect(),
        received: 0,
        auto_submitted: false,
        mended,
        protection: message.protection.as_deref().map(protection),
        signals: signals(message),
    };
    facts.hear_fields().unwrap_or_else(|defect| panic!("{defect}"));
    facts
}

fn signals(message: &Message) -> Signals {
    let sensitivity = [Sensitivity::Personal, Sensitivity::Private, Sensitivity::Confidential];
    let importance = [Importance::Low, Importance::Normal, Importance::High];
    Signals {
        sensitivity: sensitivity.into_iter().find(|it| Some(it.name()) == message.sensitivity.as_deref()),
        importance: importance.into_iter().find(|it| Some(it.name()) == message.importance.as_deref()),
        read_receipt: message.read_receipt,
        expires_after: message.expires_after.map(|hours| Duration::from_secs(hours * 3600)),
        fields: message.fields.clone(),
        ..Signals::default()
    }
}

fn plan_of(case: &Path) -> String {
    let mut files = files_below(&case.parent().unwrap().join("base"));
    let own = files_below(case).into_iter();
    files.extend(own.filter(|(name, _)| !["message.toml", "plan.txt"].contains(&name.as_str())));
    let policy = PolicySet::load(&sources(files))
        .unwrap_or_else(|(faults, texts)| panic!("{}", postern::fault::render(&faults, &texts)));
    let written: Case = toml::from_str(&std::fs::read_to_string(case.join("message.toml")).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", case.display()));
    let practice = |address: &Address| policy.practice_of(address.domain()).map(|practice| practice.id.clone());
    let sender = SenderFacts {
        practice: written.message.practice.clone().or_else(|| practice(&written.message.from)),
        address: written.message.from.clone(),
        groups: written.message.groups.clone(),
        can_answer: written.message.can_answer,
    };
    let recipients: Vec<RecipientFacts> = written
        .recipient
        .into_iter()
        .map(|recipient| RecipientFacts {
            practice: practice(&recipient.address),
            known: recipient.known || recipient.role.is_some(),
            role: recipient.role,
            registered: recipient.registered,
            proved: recipient.registered,
            ..RecipientFacts::unknown(recipient.address)
        })
        .collect();
    let facts = assessment(&written.message);
    let plan = policy.decide(&facts, &sender, &recipients);
    explain(&policy, &facts, &plan, &recipients).to_string()
}

#[test]
fn every_case_is_decided_as_its_plan_says() {
    let mut wrong = Vec::new();
    let cases = cases("policy");
    assert!(cases.len() >= 25, "{} cases", cases.len());
    for case in cases {
        golden(&case.join("plan.txt"), &plan_of(&case), &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
