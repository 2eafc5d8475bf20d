//! Policy: files that admins write, read into rules; rules that decide, per recipient, what may leave and how.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::access::AccessCheck;
use crate::document;
use crate::fault::{Fault, Sources};
use crate::invitation::Schedule;
use crate::mail::{Address, Domain};
use crate::mime::assess::{Assessment, Attachment, PatientRef, Tag, TagMeaning};

mod condition;
mod decide;
mod explain;
mod file;
mod form;
mod inside;
mod leaving;
mod logo;
mod own_tests;
mod pattern;
mod people;
mod plan;
mod practice;
mod restricted;
mod role;
mod rule;
mod specialty;
mod tags;
mod types;
mod whom;
mod workgroup;

pub use explain::{Explanation, RecipientExplanation, Seen, explain};
pub use form::{FieldKind, FormField};
pub use leaving::{Ambiguous, BodyPlace, Forwarded};
pub use logo::Logo;
pub use people::DirectoryEntry;
pub use plan::{
    Asking, Because, Decision, Plan, RecipientFacts, RoleSource, SenderFacts, Settings, StatusMail, SubjectShown,
    Treatment, Watch,
};
pub use practice::{Practice, StaffMailPlace};
pub use role::{Role, RoleFile};
pub use specialty::Specialty;
pub use types::{DocumentType, SpeaksAs};
pub use workgroup::{Workgroup, WorkgroupRight};

/// A file as read from `policies/`.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path as the admin names it (`policies/10-base.toml`).
    pub path: String,
    /// Its path below `policies/`, with `/` (`practices/north.toml`); says what kind of file it is.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Its name: `directory.csv` holds people.
impl std::fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SourceFile({})", self.name)
    }
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
    specialties: Vec<Specialty>,
    types: types::Types,
    people: people::People,
    /// By practice: where its file names its logo.
    logos: BTreeMap<String, document::Place>,
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

    /// The workgroups of all practices, each with its practice.
    pub fn workgroups(&self) -> impl Iterator<Item = (&Practice, &Workgroup)> {
        self.practices.iter().flat_map(|practice| practice.workgroups.iter().map(move |group| (practice, group)))
    }

    /// The workgroup that has this address, and its practice.
    pub fn workgroup_at(&self, address: &Address) -> Option<(&Practice, &Workgroup)> {
        self.workgroups().find(|(_, group)| group.address.same_as(address))
    }

    /// A role's file.
    pub fn role(&self, role: Role) -> Option<&RoleFile> {
        self.roles.get(&role)
    }

    /// Specialties that doctors choose from, in the order of the file.
    pub fn specialties(&self) -> &[Specialty] {
        &self.specialties
    }

    /// The types of documents, in the order in which those are shown.
    pub fn document_types(&self) -> &[DocumentType] {
        &self.types.kinds
    }

    /// What `directory.csv` says of an address.
    pub fn person(&self, address: &Address) -> Option<&DirectoryEntry> {
        self.people.at(address)
    }

    /// What `directory.csv` says of a record number.
    pub fn record(&self, number: &str) -> Option<&DirectoryEntry> {
        self.people.of_record(number)
    }

    /// The logos that practices name: practice, file name in `practices/`, and where it is named.
    pub fn logos(&self) -> impl Iterator<Item = (&Practice, &str, &document::Place)> {
        self.practices
            .iter()
            .filter_map(|practice| Some((practice, practice.logo.as_deref()?, self.logos.get(&practice.id)?)))
    }

    /// What must be shown before documents open: by the rules, else by the role's file; an account where no role is
    /// known.
    pub fn access_for(&self, decision: &Decision) -> Vec<AccessCheck> {
        self.access_of(&decision.settings, decision.role)
    }

    /// The life of an invitation as this role.
    pub fn schedule(&self, role: Option<Role>) -> Schedule {
        role.and_then(|role| self.role(role)).map_or_else(Schedule::default, |file| file.schedule.clone())
    }

    /// What this recipient must show where their parcel knows no birthdate, because it is of several patients: a code stands
    /// in for one.
    pub fn access_without_birthdate(&self, decision: &Decision) -> Vec<AccessCheck> {
        whom::without_birthdate(&self.access_for(decision), decision.guarded)
    }

    /// The patient whom `directory.csv` names at this address.
    pub fn patient_at(&self, address: &Address) -> Option<PatientRef> {
        self.person(address).and_then(whom::of_file)
    }

    fn access_of(&self, settings: &Settings, role: Option<Role>) -> Vec<AccessCheck> {
        let by_role = || role.and_then(|role| self.role(role)).map(|file| file.access.clone());
        settings.access.clone().or_else(by_role).unwrap_or_else(|| vec![AccessCheck::Account])
    }

    /// The group of restricted file types that this file belongs to, by any of its names, its declared type or its content.
    pub fn restricted_group(&self, file: &Attachment) -> Option<&str> {
        let group = self.restricted.iter().find(|group| group.offending_name(file).is_some());
        group.map(|group| group.name.as_str())
    }

    /// Whether somebody may be given something to open for this message: it has documents, or its text may be kept for them
    /// in the vault.
    pub fn may_give_rights(&self, message: &Assessment) -> bool {
        let body = |tag: &Tag| tag.meaning == TagMeaning::Body;
        let by_rule = || self.rules.iter().any(|rule| rule.set.body == Some(BodyPlace::Vault));
        message.documents().next().is_some() || message.tags.iter().any(body) || by_rule()
    }

    /// Whether a message that is not understood may be secured whole, for anybody.
    pub fn secures_whole(&self) -> bool {
        self.rules.iter().any(|rule| rule.set.ambiguous == Some(Ambiguous::SecureWhole))
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
pub const KINDS: [(&str, &[document::Key], &str); 7] = [
    ("rules", rule::KEYS, "Postern: rules, policies/*.toml"),
    ("practice", practice::KEYS, "Postern: a practice, policies/practices/*.toml"),
    ("role", role::KEYS, "Postern: a role, policies/roles/*.toml"),
    ("restricted", restricted::KEYS, "Postern: restricted file types, policies/restricted.toml"),
    ("specialties", specialty::KEYS, "Postern: specialties, policies/specialties.toml"),
    ("types", types::KEYS, "Postern: document types, policies/types.toml"),
    ("tests", own_tests::KEYS, "Postern: tests of the clinic's own, policies/tests/*.toml"),
];

/// The JSON Schema of each kind of policy file, for editors: `rules`, `practice`, `role`, `restricted`,
/// `specialties`, `types`, `tests`.
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
