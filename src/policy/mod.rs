//! Policy: files that admins write, read into rules; rules that decide, per recipient, what may leave and how.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::access::AccessCheck;
use crate::document;
use crate::fault::{Fault, Sources};
use crate::mail::Domain;
use crate::mime::assess::Assessment;

mod condition;
mod decide;
mod explain;
mod file;
mod inside;
mod own_tests;
mod pattern;
mod plan;
mod practice;
mod restricted;
mod role;
mod rule;
mod tags;

pub use explain::{Explanation, RecipientExplanation, explain};
pub use plan::{Because, Decision, Plan, RecipientFacts, SenderFacts, Settings, Treatment};
pub use practice::Practice;
pub use role::{Role, RoleFile};

/// A file as read from `policies/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path as the admin names it (`policies/10-base.toml`).
    pub path: String,
    /// Its path below `policies/`, with `/` (`practices/north.toml`); says what kind of file it is.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Everything in `policies/` but the templates, checked: one snapshot serves one transaction.
#[derive(Debug, Clone)]
pub struct PolicySet {
    rules: Vec<rule::Rule>,
    restricted: Vec<restricted::RestrictedGroup>,
    /// By file name; at least one.
    practices: Vec<Practice>,
    /// All of [`Role::ALL`].
    roles: BTreeMap<Role, RoleFile>,
    tests: Vec<own_tests::OwnTest>,
}

/// What one of the clinic's own tests came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestResult {
    /// `policies/tests/NAME.toml`, and the test's name.
    pub name: String,
    /// What was expected and what came, where they differ.
    pub failure: Option<String>,
}

impl PolicySet {
    /// Reads all files; all faults at once. Files that are no policy (templates, a README) may be among them.
    ///
    /// # Errors
    /// Every fault in every file, by file and place, and the texts to show them in.
    pub fn load(files: &[SourceFile]) -> Result<Self, (Vec<Fault>, Sources)> {
        file::load(files)
    }

    /// The practice of this id.
    pub fn practice(&self, id: &str) -> Option<&Practice> {
        self.practices.iter().find(|practice| practice.id == id)
    }

    /// The practice of ours that a domain belongs to.
    pub fn practice_of(&self, domain: &Domain) -> Option<&Practice> {
        self.practices.iter().find(|practice| practice.domains.contains(domain))
    }

    /// The practice that speaks where no other is known: the first by file name.
    pub fn first_practice(&self) -> &Practice {
        &self.practices[0]
    }

    /// A role's file.
    pub fn role(&self, role: Role) -> Option<&RoleFile> {
        self.roles.get(&role)
    }

    /// What must be shown before documents open: by the rules, else by the role's file; an account where no role is
    /// known.
    pub fn access_for(&self, decision: &Decision) -> Vec<AccessCheck> {
        let by_role = || decision.role.and_then(|role| self.role(role)).map(|file| file.access.clone());
        decision.settings.access.clone().or_else(by_role).unwrap_or_else(|| vec![AccessCheck::Account])
    }

    /// How many rules, roles and practices.
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.rules.len(), self.roles.len(), self.practices.len())
    }

    /// What happens to this message, per recipient, and which rule said so.
    pub fn decide(&self, message: &Assessment, sender: &SenderFacts, recipients: &[RecipientFacts]) -> Plan {
        decide::decide(self, message, sender, recipients)
    }

    /// Runs the clinic's own tests (`policies/tests/*.toml`).
    pub fn run_tests(&self) -> Vec<TestResult> {
        self.tests.iter().map(|test| test.run(self)).collect()
    }
}

/// The kinds of policy files: what each is called, its table of keys, and what it is.
pub const KINDS: [(&str, &[document::Key], &str); 5] = [
    ("rules", rule::KEYS, "Postern: rules, policies/*.toml"),
    ("practice", practice::KEYS, "Postern: a practice, policies/practices/*.toml"),
    ("role", role::KEYS, "Postern: a role, policies/roles/*.toml"),
    ("restricted", restricted::KEYS, "Postern: restricted file types, policies/restricted.toml"),
    ("tests", own_tests::KEYS, "Postern: tests of the clinic's own, policies/tests/*.toml"),
];

/// The JSON Schema of each kind of policy file, for editors: `rules`, `practice`, `role`, `restricted`, `tests`.
/// Each is a schema of its own below `$defs`; a document is sound if it is of one of the kinds.
pub fn schema() -> Value {
    let defs: serde_json::Map<String, Value> =
        KINDS.iter().map(|(name, keys, title)| ((*name).to_owned(), document::schema(title, keys))).collect();
    let any: Vec<Value> = KINDS.iter().map(|(name, ..)| json!({ "$ref": format!("#/$defs/{name}") })).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Postern: policy files",
        "anyOf": any,
        "$defs": defs,
    })
}

#[cfg(test)]
mod load_tests;
#[cfg(test)]
mod property_tests;
