//! Rules: when they apply and what they set. `policies/*.toml`, in the order of file names.

use std::time::Duration;

use super::condition::{self, Conditions, read_conditions};
use super::role::{CHECKS, NAMES, read_access};
use super::{Ambiguous, BodyPlace, Forwarded, Role, SourceFile, StatusMail, SubjectShown, Treatment};
use crate::access::AccessCheck;
use crate::document::{Faults, Form, Key, Need, Table, Word, read};

/// The longest that a link works or documents are kept, as written: [`crate::mime::assess::LONGEST_CLOCK`].
pub(super) const LONGEST: &str = "90d";

const fn key(name: &'static str, form: Form, about: &'static str) -> Key {
    Key { name, form, need: Need::Optional, about }
}

const CLOCK: Form = Form::Length { least: "1h", most: LONGEST };

/// The keys of `[rule.set]`.
pub const SET_KEYS: &[Key] = &[
    key(
        "treatment",
        Form::Choice(&["relay", "secure", "refuse"]),
        "relay: sent on untouched; secure: documents go into the vault and the mail has a link; refuse: not sent.",
    ),
    key("reason", Form::Text, "With refuse: the words that the sender reads, in plain letters (ASCII)."),
    key("role", Form::Choice(NAMES), "The role taken where the directory knows none."),
    key(
        "access",
        Form::OneOrMore(&Form::Choice(CHECKS)),
        "What must be shown before documents open, in place of what the role's file says; several are all asked for.",
    ),
    key("link", CLOCK, "How long the link works."),
    key("keep", CLOCK, "How long documents are kept. A link never outlives its documents."),
    key("keep_after_download", CLOCK, "How long documents are kept after the first download."),
    key("plain_allowed", Form::Flag, "Whether the tag [plain] may make it an ordinary message."),
    key("tls_required", Form::Flag, "Whether it leaves only over TLS with a certificate that is verified."),
    key(
        "restricted_allowed",
        TEXTS,
        "Groups of restricted.toml whose files may pass all the same. Only with override = true.",
    ),
    key(
        "ask",
        Form::Flag,
        "Whether a sender is asked who an unknown recipient of documents is; only that recipient waits. With false they are sent a link to an account of no role.",
    ),
    key("ask_again", ASKED, "How long after the question it is asked again. Shipped: \"1d\"."),
    key("ask_until", ASKED, "How long after the question the message is returned. Shipped: \"3d\"."),
    key(
        "status_mail",
        Form::Choice(&["always", "problems", "never"]),
        "Whether the sender of a secured message is told what became of it: always, where it did not reach everybody, or never.",
    ),
    key(
        "body",
        Form::Choice(&["mail", "vault"]),
        "Where text and subject of a secured message are read: in the mail, or in the portal alone; the mail is then a notice. Shipped: \"mail\".",
    ),
    key(
        "ambiguous",
        Form::Choice(&["refuse", "secure-whole"]),
        "What becomes of a message in which readers would see different things: refused, or secured as one document, as it was written. Shipped: \"refuse\".",
    ),
    key(
        "forwarded",
        Form::Choice(&["one-file", "taken-apart"]),
        "What a message that is attached becomes: one document, or its own attachments beside it. Shipped: \"one-file\".",
    ),
    key(
        "subject",
        Form::Choice(&["kept", "type"]),
        "The subject of the mail that leads to documents: kept, as it was written without used tags; type, the title of their type, or how many they are. The portal shows the subject as it was written.",
    ),
    key("nopin_allowed", Form::Flag, "Whether the tag [nopin] may take the one-time code away."),
    key(
        "read_receipt",
        Form::Flag,
        "Whether a read receipt that the sender's mail program asks for is given: a mail when the documents are opened, and one where they are not. With false it is not.",
    ),
    key(
        "unread_after",
        Form::Length { least: "1h", most: "60d" },
        "With a read receipt: after how long the sender is told that the documents are unread. Shipped: \"3d\".",
    ),
    key(
        "expiry",
        Form::Flag,
        "Whether an end that the sender's mail program gives the message (Expires) ends link and documents, where it is earlier. With false it does not.",
    ),
];

const ASKED: Form = Form::Length { least: "1h", most: "30d" };

const TEXTS: Form = Form::OneOrMore(&Form::Text);

const RULE: &[Key] = &[
    Key {
        name: "name",
        form: Form::Text,
        need: Need::Required,
        about: "What the rule is called in explanations. No two rules share a name.",
    },
    Key {
        name: "override",
        form: Form::Flag,
        need: Need::Default("false"),
        about: "Whether it may lower a floor (a refusal, required TLS, restricted file types), and its role counts more than a remembered one.",
    },
    Key {
        name: "when",
        form: Form::Table(condition::KEYS),
        need: Need::Optional,
        about: "When the rule applies: all of these. Without it, always.",
    },
    Key { name: "set", form: Form::Table(SET_KEYS), need: Need::Required, about: "What the rule sets." },
];

/// The keys of a file of rules.
pub const KEYS: &[Key] = &[Key {
    name: "rule",
    form: Form::Tables(RULE),
    need: Need::Optional,
    about: "Rules, in order; a later rule that applies overrides an earlier one, key by key.",
}];

/// One rule.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) name: Word,
    pub(super) overrides: bool,
    pub(super) when: Conditions,
    pub(super) set: Assignments,
}

impl Rule {
    /// `rule "own practice" (policies/10-own-practice.toml:3)`
    pub(super) fn signature(&self) -> String {
        format!("rule \"{}\" ({}:{})", self.name.text, self.name.place.file, self.name.place.line)
    }
}

/// What a rule sets; `None` leaves the setting as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Assignments {
    pub(super) treatment: Option<Treatment>,
    pub(super) reason: Option<String>,
    pub(super) role: Option<Role>,
    pub(super) access: Option<Vec<AccessCheck>>,
    pub(super) link: Option<Duration>,
    pub(super) keep: Option<Duration>,
    pub(super) keep_after_download: Option<Duration>,
    pub(super) plain_allowed: Option<bool>,
    pub(super) tls_required: Option<bool>,
    pub(super) restricted_allowed: Option<Vec<String>>,
    pub(super) ask: Option<bool>,
    pub(super) ask_again: Option<Duration>,
    pub(super) ask_until: Option<Duration>,
    pub(super) status_mail: Option<StatusMail>,
    pub(super) body: Option<BodyPlace>,
    pub(super) ambiguous: Option<Ambiguous>,
    pub(super) forwarded: Option<Forwarded>,
    pub(super) subject: Option<SubjectShown>,
    pub(super) nopin_allowed: Option<bool>,
    pub(super) read_receipt: Option<bool>,
    pub(super) unread_after: Option<Duration>,
    pub(super) expiry: Option<bool>,
}

/// What rules name that stands in other files; looked up when all are read.
#[derive(Debug, Default)]
pub(super) struct References {
    pub(super) practices: Vec<Word>,
    pub(super) groups: Vec<Word>,
    pub(super) rules: Vec<Word>,
    pub(super) types: Vec<Word>,
}

pub(super) fn read_rules(file: &SourceFile, references: &mut References, faults: &mut Faults) -> Vec<Rule> {
    let table = read(&file.path, &file.text, KEYS, faults);
    table.tables("rule").iter().filter_map(|written| read_rule(written, references, faults)).collect()
}

fn read_rule(written: &Table, references: &mut References, faults: &mut Faults) -> Option<Rule> {
    let overrides = written.flag("override").unwrap_or(false);
    let when = match written.table("when") {
        Some(when) => {
            references.types.extend_from_slice(when.texts("document_type"));
            read_conditions(when, &mut references.practices, faults)
        }
        None => Conditions::default(),
    };
    let set = match written.table("set") {
        Some(set) => {
            references.groups.extend_from_slice(set.texts("restricted_allowed"));
            check_settings(set, overrides, faults);
            read_assignments(set, faults)
        }
        None => Assignments::default(),
    };
    Some(Rule { name: written.text("name")?.clone(), overrides, when, set })
}

fn read_assignments(set: &Table, faults: &mut Faults) -> Assignments {
    let groups = set.texts("restricted_allowed");
    Assignments {
        treatment: set.text("treatment").and_then(|word| treatment(&word.text)),
        reason: set.text("reason").map(|word| word.text.clone()),
        role: set.text("role").and_then(|word| Role::from_name(&word.text)),
        access: read_access(set, faults),
        link: set.length("link"),
        keep: set.length("keep"),
        keep_after_download: set.length("keep_after_download"),
        plain_allowed: set.flag("plain_allowed"),
        tls_required: set.flag("tls_required"),
        restricted_allowed: (!groups.is_empty()).then(|| groups.iter().map(|word| word.text.clone()).collect()),
        ask: set.flag("ask"),
        ask_again: set.length("ask_again"),
        ask_until: set.length("ask_until"),
        status_mail: set.text("status_mail").and_then(|word| StatusMail::from_name(&word.text)),
        body: set.text("body").and_then(|word| BodyPlace::from_name(&word.text)),
        ambiguous: set.text("ambiguous").and_then(|word| Ambiguous::from_name(&word.text)),
        forwarded: set.text("forwarded").and_then(|word| Forwarded::from_name(&word.text)),
        subject: set.text("subject").and_then(|word| SubjectShown::from_name(&word.text)),
        nopin_allowed: set.flag("nopin_allowed"),
        read_receipt: set.flag("read_receipt"),
        unread_after: set.length("unread_after"),
        expiry: set.flag("expiry"),
    }
}

pub(super) fn treatment(name: &str) -> Option<Treatment> {
    [Treatment::Relay, Treatment::Secure, Treatment::Ask, Treatment::Refuse]
        .into_iter()
        .find(|treatment| treatment.name() == name)
}

fn check_settings(set: &Table, overrides: bool, faults: &mut Faults) {
    if set.is_bare() {
        faults.add(
            set.place().fault("the rule sets nothing").hint("set at least one thing, such as treatment = \"secure\""),
        );
    }
    if set.has("restricted_allowed") && !overrides {
        let fault = set.place_of("restricted_allowed").fault("\"restricted_allowed\" lowers a floor");
        faults.add(fault.hint("if it is meant, add override = true to the rule, beside its name"));
    }
    if let (Some(link), Some(keep)) = (set.length("link"), set.length("keep"))
        && link > keep
    {
        let fault = set.place_of("link").fault("the link would outlive its documents");
        faults.add(fault.hint("make \"keep\" at least as long as \"link\""));
    }
    if let (Some(again), Some(until)) = (set.length("ask_again"), set.length("ask_until"))
        && again >= until
    {
        let fault = set.place_of("ask_again").fault("the message would be returned before the question is repeated");
        faults.add(fault.hint("make \"ask_until\" longer than \"ask_again\""));
    }
    if let Some(reason) = set.text("reason")
        && (reason.text.len() > 300 || !reason.text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()))
    {
        let fault = reason.place.fault("\"reason\" must be one line of at most 300 plain letters (ASCII)");
        faults.add(fault.hint("it stands in the reply to the sender's mail program, which may show nothing else"));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn rules_and_tags_have_one_limit() {
        assert_eq!(crate::time::parse_length(super::LONGEST), Some(crate::mime::assess::LONGEST_CLOCK));
    }
}
