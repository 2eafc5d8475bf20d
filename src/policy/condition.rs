//! `[rule.when]`: what must hold for a rule to apply. Several keys are all of them; several values are any of them.

use regex::Regex;

use super::pattern::{AddressPattern, Comparison, DomainPattern, Glob};
use super::{DocumentType, RecipientFacts, Role, SenderFacts, role};
use crate::document::{Faults, Form, Key, Need, Table, Word, parse_size};
use crate::fault::Fault;
use crate::mime::assess::{Assessment, Attachment, Given, Signals, TagMeaning};

const TEXTS: Form = Form::OneOrMore(&Form::Text);

const fn key(name: &'static str, form: Form, about: &'static str) -> Key {
    Key { name, form, need: Need::Optional, about }
}

/// The keys of `[rule.when]`.
pub const KEYS: &[Key] = &[
    key("sender", TEXTS, "The sender's address; * stands for any characters: \"*@clinic.example\"."),
    key("sender_group", TEXTS, "A staff group of the sender's account."),
    key(
        "sender_practice",
        TEXTS,
        "The sender's practice: the name of a file in practices/, \"ours\" (any), or \"none\".",
    ),
    key("recipient", TEXTS, "The recipient's address; * stands for any characters."),
    key(
        "recipient_domain",
        TEXTS,
        "The recipient's domain: \"hospital.example\" is just that, \"*.hospital.example\" every name below it.",
    ),
    key(
        "recipient_role",
        Form::OneOrMore(&Form::Choice(&[
            "patient",
            "doctor",
            "staff",
            "doctor-elsewhere",
            "staff-elsewhere",
            "payer",
            "unknown",
        ])),
        "The recipient's role by the directory, else by the rules before this one; \"unknown\" where neither says.",
    ),
    key("recipient_known", Form::Flag, "Whether the directory has the recipient's address."),
    key(
        "recipient_practice",
        TEXTS,
        "The practice whose address it is: \"own\" (the sender's), \"ours\" (any of ours), \"none\", or the name of a file in practices/.",
    ),
    key(
        "attachments",
        Form::Choice(&["some", "none"]),
        "Whether there are documents; pictures shown in the text count, but not those of a known signature.",
    ),
    key("attachment_count", Form::Text, "The number of documents: \">= 3\", \"= 1\", \"< 10\"."),
    key("attachment_size", Form::Text, "A document of this size: \"> 10 MiB\"."),
    key(
        "attachment_type",
        TEXTS,
        "A document of this media type, declared or shown by its content: \"application/pdf\", \"image/*\".",
    ),
    key("attachment_name", TEXTS, "A document of this name: \"*.dcm\", \"invoice*\"."),
    key("document_type", TEXTS, "A document of this type: the name of one in types.toml."),
    key("total_size", Form::Text, "The size of all documents together: \"> 20 MiB\"."),
    key("subject", TEXTS, "The whole subject; * stands for any characters: \"*invoice*\"."),
    key(
        "subject_matches",
        TEXTS,
        "A regular expression found in the subject; begin it with (?i) to ignore letter case.",
    ),
    key(
        "tag",
        Form::OneOrMore(&Form::Choice(&[
            "secure", "plain", "body", "patient", "role", "clock", "nopin", "unread", "type",
        ])),
        "A tag in the subject.",
    ),
    key(
        "sensitivity",
        Form::OneOrMore(&Form::Choice(&["personal", "private", "confidential"])),
        "What the sender's mail program calls the message; a word that is not known counts as confidential.",
    ),
    key(
        "importance",
        Form::OneOrMore(&Form::Choice(&["low", "normal", "high"])),
        "How important the sender's mail program calls the message; none of these where it does not say.",
    ),
    key(
        "signal",
        Form::OneOrMore(&Form::Choice(&["read-receipt", "reply-by", "flag", "expiry", "fields"])),
        "What the sender's mail program asks for: a read receipt, an answer by a date, a flag for the recipients, an end; or that it has X-Postern-... fields.",
    ),
    key(
        "protection",
        Form::OneOrMore(&Form::Choice(&["smime-signed", "smime-encrypted", "pgp-signed", "pgp-encrypted"])),
        "The message is signed or encrypted by its sender's mail program.",
    ),
];

/// A practice that an address may be of.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PracticeTest {
    Own,
    Ours,
    None,
    Named(String),
}

/// What must hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions {
    sender: Vec<AddressPattern>,
    sender_group: Vec<String>,
    sender_practice: Vec<PracticeTest>,
    recipient: Vec<AddressPattern>,
    recipient_domain: Vec<DomainPattern>,
    recipient_role: Vec<Option<Role>>,
    recipient_known: Option<bool>,
    recipient_practice: Vec<PracticeTest>,
    attachments: Option<bool>,
    attachment_count: Option<Comparison>,
    document: DocumentTest,
    total_size: Option<Comparison>,
    subject: Vec<Glob>,
    subject_matches: Vec<Regex>,
    tag: Vec<String>,
    protection: Vec<String>,
    sensitivity: Vec<String>,
    importance: Vec<String>,
    signal: Vec<String>,
}

/// What one document must be, all of it at once.
#[derive(Debug, Clone, Default)]
struct DocumentTest {
    size: Option<Comparison>,
    kinds: Vec<Glob>,
    names: Vec<Glob>,
    types: Vec<String>,
}

/// What conditions ask about.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) message: &'a Assessment,
    pub(super) sender: &'a SenderFacts,
    pub(super) recipient: &'a RecipientFacts,
    /// By the directory, else by the rules before, else by a tag.
    pub(super) role: Option<Role>,
    /// Of each document, in their order.
    pub(super) types: &'a [Option<&'a DocumentType>],
}

/// Reads `[rule.when]`; practices that it names are added to `practices`, to be looked up when all files are read.
pub(super) fn read_conditions(table: &Table, practices: &mut Vec<Word>, faults: &mut Faults) -> Conditions {
    check_possible(table, faults);
    let number = |text: &str| text.parse().ok();
    let texts = |key| table.texts(key).iter().map(|word| word.text.clone()).collect();
    Conditions {
        sender: table.each("sender", faults, address),
        sender_group: texts("sender_group"),
        sender_practice: table.each("sender_practice", faults, |word| practice(word, false, practices)),
        recipient: table.each("recipient", faults, address),
        recipient_domain: table.each("recipient_domain", faults, domain),
        recipient_role: table.texts("recipient_role").iter().map(|word| Role::from_name(&word.text)).collect(),
        recipient_known: table.flag("recipient_known"),
        recipient_practice: table.each("recipient_practice", faults, |word| practice(word, true, practices)),
        attachments: table.text("attachments").map(|word| word.text == "some"),
        attachment_count: table.parsed("attachment_count", faults, |word| comparison(word, number, "3")),
        document: DocumentTest {
            size: table.parsed("attachment_size", faults, |word| comparison(word, parse_size, "10 MiB")),
            kinds: globs(table.texts("attachment_type")),
            names: globs(table.texts("attachment_name")),
            types: texts("document_type"),
        },
        total_size: table.parsed("total_size", faults, |word| comparison(word, parse_size, "10 MiB")),
        subject: globs(table.texts("subject")),
        subject_matches: table.each("subject_matches", faults, regex),
        tag: texts("tag"),
        protection: texts("protection"),
        sensitivity: texts("sensitivity"),
        importance: texts("importance"),
        signal: texts("signal"),
    }
}

/// Conditions that cannot hold together.
fn check_possible(table: &Table, faults: &mut Faults) {
    let none = table.text("attachments").filter(|word| word.text == "none");
    let about =
        ["attachment_count", "attachment_size", "attachment_type", "attachment_name", "document_type", "total_size"];
    if let (Some(none), Some(other)) = (none, about.into_iter().find(|key| table.has(key))) {
        let fault = none
            .place
            .fault(format!("\"attachments\" is none, and \"{other}\" asks about them: this rule never applies"));
        faults.add(fault.hint("remove one of the two"));
    }
}

fn globs(words: &[Word]) -> Vec<Glob> {
    words.iter().map(|word| Glob::new(&word.text)).collect()
}

pub(super) fn address(word: &Word) -> Result<AddressPattern, Fault> {
    AddressPattern::parse(&word.text).map_err(|(what, hint)| word.place.fault(what).hint(hint))
}

fn domain(word: &Word) -> Result<DomainPattern, Fault> {
    DomainPattern::parse(&word.text).ok_or_else(|| {
        let fault = word.place.fault(format!("\"{}\" is no domain", word.text));
        fault.hint("write \"hospital.example\", or \"*.hospital.example\" for every name below it")
    })
}

fn practice(word: &Word, own: bool, practices: &mut Vec<Word>) -> Result<PracticeTest, Fault> {
    match word.text.as_str() {
        "own" if own => Ok(PracticeTest::Own),
        "own" => {
            Err(word.place.fault("\"own\" says nothing about a sender").hint("write \"ours\" for any of our practices"))
        }
        "ours" => Ok(PracticeTest::Ours),
        "none" => Ok(PracticeTest::None),
        name => {
            practices.push(word.clone());
            Ok(PracticeTest::Named(name.to_owned()))
        }
    }
}

fn comparison(word: &Word, number: impl Fn(&str) -> Option<u64>, example: &str) -> Result<Comparison, Fault> {
    let comparison = Comparison::parse(&word.text, number).ok_or_else(|| {
        let fault = word.place.fault(format!("\"{}\" compares nothing", word.text));
        fault.hint(format!("write >=, >, <=, < or = and a value, such as \">= {example}\""))
    })?;
    if comparison.is_impossible() {
        return Err(word.place.fault(format!("nothing is \"{}\": this rule never applies", word.text)));
    }
    Ok(comparison)
}

fn regex(word: &Word) -> Result<Regex, Fault> {
    Regex::new(&word.text).map_err(|error| {
        let said = error.to_string();
        let last = said.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let fault = word.place.fault(format!("no regular expression: {last}"));
        fault.hint("for a simple pattern use subject = \"*word*\" instead")
    })
}

impl Conditions {
    /// Whether all of them hold.
    pub(super) fn hold(&self, facts: &Facts<'_>) -> bool {
        self.sender_holds(facts.sender)
            && self.recipient_holds(facts)
            && self.message_holds(facts.message)
            && self.signals_hold(&facts.message.signals)
            && self.documents_hold(facts)
    }

    fn sender_holds(&self, sender: &SenderFacts) -> bool {
        any(&self.sender, |pattern| pattern.matches(&sender.address))
            && any(&self.sender_group, |group| sender.groups.contains(group))
            && any(&self.sender_practice, |test| test.holds(sender.practice.as_deref(), None))
    }

    fn recipient_holds(&self, facts: &Facts<'_>) -> bool {
        let recipient = facts.recipient;
        let senders = facts.sender.practice.as_deref();
        any(&self.recipient, |pattern| pattern.matches(&recipient.address))
            && any(&self.recipient_domain, |pattern| pattern.matches(recipient.address.domain()))
            && any(&self.recipient_role, |role| *role == facts.role)
            && self.recipient_known.is_none_or(|known| known == recipient.known)
            && any(&self.recipient_practice, |test| test.holds(recipient.practice.as_deref(), senders))
    }

    fn message_holds(&self, message: &Assessment) -> bool {
        let documents: Vec<&Attachment> = message.attachments.iter().filter(|it| is_document(it)).collect();
        let total: u64 = documents.iter().map(|document| document.octets).fold(0, u64::saturating_add);
        self.attachments.is_none_or(|some| some != documents.is_empty())
            && self.attachment_count.is_none_or(|count| count.holds(documents.len() as u64))
            && self.total_size.is_none_or(|size| size.holds(total))
            && any(&self.subject, |glob| glob.matches(&message.subject))
            && any(&self.subject_matches, |regex| regex.is_match(&message.subject))
            && any(&self.protection, |name| message.protection.is_some_and(|protection| protection.name() == name))
            && any(&self.tag, |name| message.tags.iter().any(|tag| tag_name(&tag.meaning) == name))
    }
}

impl Conditions {
    fn signals_hold(&self, signals: &Signals) -> bool {
        any(&self.sensitivity, |name| signals.sensitivity.is_some_and(|it| it.name() == name))
            && any(&self.importance, |name| signals.importance.is_some_and(|it| it.name() == name))
            && any(&self.signal, |name| asks_for(signals, name))
    }

    fn documents_hold(&self, facts: &Facts<'_>) -> bool {
        let kinds = facts.types.iter().map(|kind| kind.map(|kind| kind.name.as_str())).chain(std::iter::repeat(None));
        let mut documents = facts.message.attachments.iter().zip(kinds);
        let holds = |(document, kind)| is_document(document) && self.document.holds(document, kind);
        self.document.is_silent() || documents.any(holds)
    }
}

/// A picture of the sender's signature is no document for any rule; restricted types are judged of it all the same.
fn is_document(attachment: &Attachment) -> bool {
    !matches!(attachment.given, Given::InText(_))
}

fn asks_for(signals: &Signals, what: &str) -> bool {
    match what {
        "read-receipt" => signals.read_receipt,
        "reply-by" => signals.reply_by.is_some(),
        "flag" => signals.flagged,
        "expiry" => signals.expires_after.is_some(),
        _ => !signals.fields.is_empty(),
    }
}

impl DocumentTest {
    fn is_silent(&self) -> bool {
        self.size.is_none() && self.kinds.is_empty() && self.names.is_empty() && self.types.is_empty()
    }

    fn holds(&self, document: &Attachment, of_type: Option<&str>) -> bool {
        let mut kinds = std::iter::once(&document.declared_type).chain(&document.content_type);
        let mut names = std::iter::once(&document.name).chain(&document.names);
        self.size.is_none_or(|size| size.holds(document.octets))
            && (self.kinds.is_empty() || kinds.any(|kind| self.kinds.iter().any(|glob| glob.matches(kind))))
            && (self.names.is_empty() || names.any(|name| self.names.iter().any(|glob| glob.matches(name))))
            && any(&self.types, |name| of_type == Some(name.as_str()))
    }
}

impl PracticeTest {
    fn holds(&self, practice: Option<&str>, senders: Option<&str>) -> bool {
        match self {
            Self::Own => practice.is_some() && practice == senders,
            Self::Ours => practice.is_some(),
            Self::None => practice.is_none(),
            Self::Named(name) => practice == Some(name),
        }
    }
}

/// An empty list was not written, and asks for nothing.
fn any<T>(tests: &[T], holds: impl FnMut(&T) -> bool) -> bool {
    tests.is_empty() || tests.iter().any(holds)
}

fn tag_name(meaning: &TagMeaning) -> &'static str {
    match meaning {
        TagMeaning::Secure => "secure",
        TagMeaning::Plain => "plain",
        TagMeaning::Body => "body",
        TagMeaning::Patient(_) => "patient",
        TagMeaning::Role(_) => "role",
        TagMeaning::Clock(_) => "clock",
        TagMeaning::NoPin => "nopin",
        TagMeaning::Unread(_) => "unread",
        TagMeaning::Type(_) => "type",
        TagMeaning::AsAlways(word) | TagMeaning::NotYet(word) => word,
    }
}

const _: () = assert!(role::NAMES.len() == Role::ALL.len(), "each role has its name");
