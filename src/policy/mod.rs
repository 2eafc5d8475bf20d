//! Policy: files that admins write, read into rules; rules that decide, per recipient, what may leave and how.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::access::AccessCheck;
use crate::fault::{Fault, Sources};
use crate::mail::{Address, Domain};
use crate::mime::assess::Assessment;

pub mod decide;
pub mod file;

/// A file as read from `policies/`.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Its path as the admin names it (`policies/10-base.toml`).
    pub path: String,
    /// Its path below `policies/`, with `/` (`practices/north.toml`); says what kind of file it is.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A relation between a recipient and the clinic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A patient.
    Patient,
    /// A doctor in my practice.
    Doctor,
    /// Staff in my practice.
    Staff,
    /// A doctor in another practice.
    DoctorElsewhere,
    /// Staff in another practice.
    StaffElsewhere,
    /// Pays for, or cares for, a patient.
    Payer,
}

/// One practice, from `policies/practices/NAME.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Practice {
    /// The file's stem.
    pub id: String,
    /// Its name as recipients read it.
    pub name: String,
    /// Mail domains of its own; staff there get their mail untouched.
    pub domains: Vec<Domain>,
    /// Phone as recipients read it.
    pub phone: String,
    /// Postal address, lines.
    pub address: Vec<String>,
    /// `#rrggbb`, for buttons and the bar at the top.
    pub colour: String,
    /// Address of a web site, if any.
    pub website: Option<String>,
    /// IANA time zone, for dates in mails.
    pub time_zone: String,
    /// BCP 47 language of its mails (`en`).
    pub language: String,
}

/// One role, from `policies/roles/NAME.toml`: what the spine needs of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleFile {
    /// Which role.
    pub role: Role,
    /// How it is called in mails and listings.
    pub title: String,
    /// What must be shown before documents open.
    pub access: Vec<AccessCheck>,
}

/// What happens with one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Treatment {
    /// Body octets untouched, sent on.
    Relay,
    /// Rebuilt; documents go into the vault.
    Secure,
    /// Not sent; the reason is given.
    Refuse,
}

/// What is known of the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderFacts {
    /// The address that speaks (From; the account's own where From is a delegated one).
    pub address: Address,
    /// Staff groups of the account; none for a relay listener.
    pub groups: Vec<String>,
    /// The practice: by the account, else by the address's domain.
    pub practice: Option<String>,
}

/// What is known of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientFacts {
    /// Where to.
    pub address: Address,
    /// Its role, where the directory knows it.
    pub role: Option<Role>,
    /// Whether the directory has the address.
    pub known: bool,
    /// The practice of ours whose domain or staff account it is.
    pub practice: Option<String>,
}

/// The settings that rules set, key by key; every one has a shipped default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What happens.
    pub treatment: Treatment,
    /// For `refuse`: the words the sender reads.
    pub reason: Option<String>,
    /// The role taken where the directory knows none.
    pub role: Option<Role>,
    /// What must be shown before documents open; `None`: as the role file says.
    pub access: Option<Vec<AccessCheck>>,
    /// How long the link works.
    pub link: Duration,
    /// How long documents are kept.
    pub keep: Duration,
    /// How long after the first download, if that ends them.
    pub keep_after_download: Option<Duration>,
    /// Whether `[plain]` may make it an ordinary message.
    pub plain_allowed: bool,
    /// Whether TLS with a verified certificate is demanded towards the recipient.
    pub tls_required: bool,
}

/// What was decided for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The settings in force.
    pub settings: Settings,
    /// The role in force.
    pub role: Option<Role>,
    /// Which rule (or `shipped default`, `tag [14d]`, `floor: restricted types`) set which key, in the order decided.
    pub because: Vec<Because>,
}

/// One line of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Because {
    /// The setting.
    pub key: String,
    /// Its value, as a policy file would write it.
    pub value: String,
    /// Who set it: a rule's name with file and line, a tag, or a floor.
    pub by: String,
}

/// The whole decision; `decisions[i]` is for `recipients[i]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Per recipient.
    pub decisions: Vec<Decision>,
    /// Why the whole message is refused, if it is (a restricted type): words for the sender, naming file and rule.
    pub refusal: Option<String>,
    /// The practice in whose name it goes out.
    pub practice: String,
    /// The subject without the tags that were used up.
    pub subject: String,
}

/// Everything in `policies/`, checked: one snapshot serves one transaction.
#[derive(Debug, Clone)]
pub struct PolicySet {}

/// What one of the clinic's own tests came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestResult {
    /// `policies/tests/NAME.toml`, and the test's name.
    pub name: String,
    /// What was expected and what came, where they differ.
    pub failure: Option<String>,
}

impl PolicySet {
    /// Reads all files; all faults at once.
    pub fn load(_files: &[SourceFile]) -> Result<Self, (Vec<Fault>, Sources)> {
        todo!()
    }

    /// The practices by id.
    pub fn practice(&self, _id: &str) -> Option<&Practice> {
        todo!()
    }

    /// The practice of ours that a domain belongs to.
    pub fn practice_of(&self, _domain: &Domain) -> Option<&Practice> {
        todo!()
    }

    /// The practice that speaks where no other is known: the first by file name.
    pub fn first_practice(&self) -> &Practice {
        todo!()
    }

    /// A role's file.
    pub fn role(&self, _role: Role) -> Option<&RoleFile> {
        todo!()
    }

    /// How many rules, roles and practices.
    pub fn counts(&self) -> (usize, usize, usize) {
        todo!()
    }

    /// What happens to this message, per recipient, and which rule said so.
    pub fn decide(&self, _message: &Assessment, _sender: &SenderFacts, _recipients: &[RecipientFacts]) -> Plan {
        todo!()
    }

    /// Runs the clinic's own tests (`policies/tests/*.toml`).
    pub fn run_tests(&self) -> Vec<TestResult> {
        todo!()
    }
}

/// The JSON Schema of policy files, for editors.
pub fn schema() -> serde_json::Value {
    todo!()
}
