//! The clinic's own policy tests, `policies/tests/*.toml`: what must happen to a message, checked by `postern check`.

use super::plan::SHIPPED_DEFAULT;
use super::role::{CHECKS, NAMES, read_access, write_access};
use super::rule::{References, treatment};
use super::{Decision, Plan, PolicySet, RecipientFacts, Role, SenderFacts, SourceFile, TestResult, Treatment};
use crate::access::AccessCheck;
use crate::document::{Faults, Form, Key, Need, Table, Word, read};
use crate::fault::Fault;
use crate::mail::Address;
use crate::mime::assess::{Assessment, Attachment, Sensitivity, Signals, subject_tags};
use crate::mime::inside::Inside;
use crate::time::format_length;

const fn key(name: &'static str, form: Form, about: &'static str) -> Key {
    Key { name, form, need: Need::Optional, about }
}

const fn required(name: &'static str, form: Form, about: &'static str) -> Key {
    Key { name, form, need: Need::Required, about }
}

const TEXTS: Form = Form::OneOrMore(&Form::Text);
const ANY_CLOCK: Form = Form::Length { least: "1s", most: "5200w" };

const ATTACHMENT: &[Key] = &[
    required("name", Form::Text, "The file's name."),
    key("type", Form::Text, "Its media type; application/octet-stream where none is given."),
    key("size", Form::Size { least: 0, most: 1 << 40 }, "Its size; 1 KiB where none is given."),
    key("pdf_title", Form::Text, "The title that the PDF gives itself."),
];
const MESSAGE: &[Key] = &[
    required("from", Form::Text, "The sender's address."),
    key("groups", TEXTS, "Staff groups of the sender's account."),
    key("subject", Form::Text, "The subject, tags in brackets included: \"[14d] Your results\"."),
    key(
        "sensitivity",
        Form::Choice(&["personal", "private", "confidential"]),
        "What the sender's mail program calls the message.",
    ),
    key("attachments", Form::Tables(ATTACHMENT), "The documents."),
];
const RECIPIENT: &[Key] = &[
    required("address", Form::Text, "The recipient's address."),
    key("role", Form::Choice(NAMES), "The role that the directory knows."),
    key("known", Form::Flag, "Whether the directory has the address; true where a role is given."),
    key("registered", Form::Flag, "Whether they have an account on the portal; false where it is not said."),
];
const EXPECT: &[Key] = &[
    key("treatment", Form::Choice(&["relay", "secure", "ask", "refuse"]), "What happens."),
    key("rule", Form::Text, "The rule that decides the treatment; \"shipped default\" where none must."),
    key("role", Form::Choice(NAMES), "The role in force."),
    key("access", Form::OneOrMore(&Form::Choice(CHECKS)), "What must be shown before documents open."),
    key("link", ANY_CLOCK, "How long the link works."),
    key("keep", ANY_CLOCK, "How long documents are kept."),
    key("tls_required", Form::Flag, "Whether it leaves only over verified TLS."),
    key("refused_with", Form::Text, "A part of the words with which the whole message is refused."),
    key("subject", Form::Text, "The subject that leaves."),
    key("body", Form::Choice(&["mail", "vault"]), "Where text and subject are read."),
    key("document_type", Form::Text, "The type of the first document."),
];
const TEST: &[Key] = &[
    required("name", Form::Text, "What the test shows."),
    required("message", Form::Table(MESSAGE), "The message."),
    required("recipient", Form::Table(RECIPIENT), "Its recipient."),
    required("expect", Form::Table(EXPECT), "What must come of it."),
];

/// The keys of a file of tests.
pub const KEYS: &[Key] =
    &[Key { name: "test", form: Form::Tables(TEST), need: Need::Optional, about: "Tests, each one message." }];

/// One test, read.
#[derive(Debug, Clone)]
pub(super) struct OwnTest {
    name: String,
    message: Assessment,
    sender: Address,
    groups: Vec<String>,
    recipient: Address,
    role: Option<Role>,
    known: bool,
    registered: bool,
    expect: Expectation,
}

#[derive(Debug, Clone)]
struct Expectation {
    treatment: Option<Treatment>,
    rule: Option<String>,
    role: Option<Role>,
    access: Option<Vec<AccessCheck>>,
    link: Option<std::time::Duration>,
    keep: Option<std::time::Duration>,
    tls_required: Option<bool>,
    refused_with: Option<String>,
    subject: Option<String>,
    body: Option<String>,
    document_type: Option<String>,
}

pub(super) fn read_tests(file: &SourceFile, references: &mut References, faults: &mut Faults) -> Vec<OwnTest> {
    let table = read(&file.path, &file.text, KEYS, faults);
    table.tables("test").iter().filter_map(|test| read_test(file, test, references, faults)).collect()
}

fn read_test(file: &SourceFile, test: &Table, references: &mut References, faults: &mut Faults) -> Option<OwnTest> {
    let (message, recipient, expect) = (test.table("message")?, test.table("recipient")?, test.table("expect")?);
    if expect.is_bare() {
        let fault = expect.place().fault("the test expects nothing, so it cannot fail");
        faults.add(fault.hint("say what must happen, such as treatment = \"secure\""));
    }
    references.types.extend(expect.text("document_type").cloned());
    references.rules.extend(expect.text("rule").filter(|rule| rule.text != SHIPPED_DEFAULT).cloned());
    let sender = message.parsed("from", faults, address);
    let to = recipient.parsed("address", faults, address);
    let assessment = read_message(message, faults);
    let role = recipient.text("role").and_then(|word| Role::from_name(&word.text));
    Some(OwnTest {
        name: format!("{}: {}", file.path, test.text("name")?.text),
        message: assessment,
        sender: sender?,
        groups: message.texts("groups").iter().map(|word| word.text.clone()).collect(),
        recipient: to?,
        role,
        known: recipient.flag("known").unwrap_or(role.is_some()),
        registered: recipient.flag("registered").unwrap_or(false),
        expect: Expectation {
            treatment: expect.text("treatment").and_then(|word| treatment(&word.text)),
            rule: expect.text("rule").map(|word| word.text.clone()),
            role: expect.text("role").and_then(|word| Role::from_name(&word.text)),
            access: read_access(expect, faults),
            link: expect.length("link"),
            keep: expect.length("keep"),
            tls_required: expect.flag("tls_required"),
            refused_with: expect.text("refused_with").map(|word| word.text.clone()),
            subject: expect.text("subject").map(|word| word.text.clone()),
            body: expect.text("body").map(|word| word.text.clone()),
            document_type: expect.text("document_type").map(|word| word.text.clone()),
        },
    })
}

fn address(word: &Word) -> Result<Address, Fault> {
    Address::parse(&word.text).map_err(|error| word.place.fault(format!("\"{}\": {error}", word.text)))
}

/// The facts of the message that a test describes.
fn read_message(message: &Table, faults: &mut Faults) -> Assessment {
    let tags = message
        .parsed("subject", faults, |word| subject_tags(&word.text).map_err(|defect| word.place.fault(defect.words)));
    Assessment {
        subject: message.text("subject").map_or_else(String::new, |word| word.text.clone()),
        tags: tags.unwrap_or_default(),
        from: message.text("from").and_then(|word| Address::parse(&word.text).ok()).into_iter().collect(),
        from_name: None,
        sender: None,
        text: None,
        html: None,
        marked: false,
        as_written: false,
        attachments: message.tables("attachments").iter().filter_map(read_attachment).collect(),
        received: 0,
        auto_submitted: false,
        mended: None,
        protection: None,
        signals: Signals { sensitivity: message.text("sensitivity").and_then(sensitivity), ..Signals::default() },
    }
}

fn sensitivity(word: &Word) -> Option<Sensitivity> {
    let all = [Sensitivity::Personal, Sensitivity::Private, Sensitivity::Confidential];
    all.into_iter().find(|sensitivity| sensitivity.name() == word.text)
}

fn read_attachment(written: &Table) -> Option<Attachment> {
    let name = written.text("name")?.text.clone();
    Some(Attachment {
        body: 0..0,
        encoding: crate::mime::TransferEncoding::Base64,
        within: None,
        names: vec![name.clone()],
        name,
        declared_type: written.text("type").map_or("application/octet-stream".into(), |word| word.text.to_lowercase()),
        content_type: None,
        octets: written.count("size").unwrap_or(1024),
        inline: false,
        inside: Inside { title: written.text("pdf_title").map(|word| word.text.clone()), ..Inside::default() },
        given: crate::mime::assess::Given::AsDocument,
        content_id: None,
        front: Default::default(),
    })
}

impl OwnTest {
    /// Asks the policy and compares.
    pub(super) fn run(&self, policy: &PolicySet) -> TestResult {
        let practice = |address: &Address| policy.practice_of(address.domain()).map(|practice| practice.id.clone());
        let of_sender = practice(&self.sender);
        let sender = SenderFacts {
            address: self.sender.clone(),
            groups: self.groups.clone(),
            can_answer: of_sender.is_some(),
            practice: of_sender,
        };
        let recipient = RecipientFacts {
            role: self.role,
            known: self.known,
            practice: practice(&self.recipient),
            registered: self.registered,
            proved: self.registered,
            ..RecipientFacts::unknown(self.recipient.clone())
        };
        let plan = policy.decide(&self.message, &sender, &[recipient]);
        let differences = self.expect.differences(policy, &plan);
        TestResult { name: self.name.clone(), failure: (!differences.is_empty()).then(|| differences.join("; ")) }
    }
}

impl Expectation {
    fn differences(&self, policy: &PolicySet, plan: &Plan) -> Vec<String> {
        let mut found = Vec::new();
        match (&self.refused_with, &plan.refusal) {
            (Some(words), Some(refusal)) if refusal.contains(words.as_str()) => {}
            (Some(words), Some(refusal)) => {
                found.push(format!("expected a refusal with \"{words}\", got \"{refusal}\""))
            }
            (Some(words), None) => found.push(format!("expected a refusal with \"{words}\", got none")),
            (None, Some(refusal)) if self.treatment != Some(Treatment::Refuse) => {
                found.push(format!("the whole message is refused: {refusal}"));
            }
            (None, _) => {}
        }
        let mut compare = |key: &str, expected: Option<String>, got: String| {
            if let Some(expected) = expected.filter(|expected| *expected != got) {
                found.push(format!("{key}: expected {expected}, got {got}"));
            }
        };
        compare("subject", self.subject.clone(), plan.subject.clone());
        let first = plan.types.first().cloned().flatten();
        compare("document_type", self.document_type.clone(), first.unwrap_or_else(|| "none".into()));
        if let Some(decision) = plan.decisions.first() {
            self.compare_decision(policy, decision, &mut compare);
        }
        found
    }

    fn compare_decision(
        &self,
        policy: &PolicySet,
        decision: &Decision,
        compare: &mut impl FnMut(&str, Option<String>, String),
    ) {
        let settings = &decision.settings;
        let who = decision.who_set("treatment");
        let treatment = settings.treatment;
        let got = format!("{} ({who})", treatment.name());
        let expected =
            self.treatment.map(|expected| if expected == treatment { got.clone() } else { expected.name().into() });
        compare("treatment", expected, got.clone());
        let rule = who.strip_prefix("rule \"").and_then(|rest| rest.split_once("\" (")).map_or(who, |(name, _)| name);
        compare("rule", self.rule.clone(), rule.to_owned());
        compare(
            "role",
            self.role.map(|role| role.to_string()),
            decision.role.map_or("none".into(), |role| role.to_string()),
        );
        compare("access", self.access.as_deref().map(write_access), write_access(&policy.access_for(decision)));
        compare("link", self.link.map(format_length), format_length(settings.link));
        compare("body", self.body.clone(), settings.body.name().into());
        compare("keep", self.keep.map(format_length), format_length(settings.keep));
        compare("tls_required", self.tls_required.map(|flag| flag.to_string()), settings.tls_required.to_string());
    }
}
