//! Roles: what a recipient is to the clinic. One file each, `policies/roles/NAME.toml`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::SourceFile;
use crate::access::AccessCheck;
use crate::document::{Faults, Form, Key, Need, Table, read};

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

impl Role {
    /// All roles.
    pub const ALL: [Self; 6] =
        [Self::Patient, Self::Doctor, Self::Staff, Self::DoctorElsewhere, Self::StaffElsewhere, Self::Payer];

    /// As policy files, tags and listings write it; also the stem of its file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Doctor => "doctor",
            Self::Staff => "staff",
            Self::DoctorElsewhere => "doctor-elsewhere",
            Self::StaffElsewhere => "staff-elsewhere",
            Self::Payer => "payer",
        }
    }

    /// The role of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The names of all roles, for tables of keys.
pub(super) const NAMES: &[&str] = &["patient", "doctor", "staff", "doctor-elsewhere", "staff-elsewhere", "payer"];

/// The names of all checks, for tables of keys.
pub(super) const CHECKS: &[&str] = &["account", "code", "birthdate", "magic", "none"];

/// One role, from `policies/roles/NAME.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleFile {
    /// Which role.
    pub role: Role,
    /// How it is called in mails and listings.
    pub title: String,
    /// What must be shown before documents open; nothing, if empty.
    pub access: Vec<AccessCheck>,
}

/// The keys of a role's file.
pub const KEYS: &[Key] = &[
    Key {
        name: "title",
        form: Form::Text,
        need: Need::Required,
        about: "What the role is called in mails and listings.",
    },
    Key {
        name: "access",
        form: Form::OneOrMore(&Form::Choice(CHECKS)),
        need: Need::Required,
        about: "What a recipient of this role must show before documents open; several are all asked for.",
    },
];

/// A role's file, where it has no fault that forbids one.
pub(super) fn read_role(file: &SourceFile, role: Role, faults: &mut Faults) -> Option<RoleFile> {
    let table = read(&file.path, &file.text, KEYS, faults);
    let access = read_access(&table, faults);
    Some(RoleFile { role, title: table.text("title")?.text.clone(), access: access? })
}

/// The checks of `access`, without doubles; `none` alone is no check.
pub(super) fn read_access(table: &Table, faults: &mut Faults) -> Option<Vec<AccessCheck>> {
    let words = table.texts("access");
    if let Some(none) = words.iter().find(|word| word.text == "none" && words.len() > 1) {
        faults.add(none.place.fault("\"none\" cannot stand beside other checks").hint("remove it, or the others"));
        return None;
    }
    let mut checks: Vec<AccessCheck> = words.iter().filter_map(|word| check(&word.text)).collect();
    checks.sort_unstable();
    checks.dedup();
    (!words.is_empty()).then_some(checks)
}

fn check(name: &str) -> Option<AccessCheck> {
    Some(match name {
        "account" => AccessCheck::Account,
        "code" => AccessCheck::Code,
        "birthdate" => AccessCheck::Birthdate,
        "magic" => AccessCheck::Magic,
        _ => return None,
    })
}

/// The checks as a policy file writes them: `["account", "birthdate"]`.
pub(super) fn write_access(checks: &[AccessCheck]) -> String {
    let name = |check: &AccessCheck| match check {
        AccessCheck::Account => "\"account\"",
        AccessCheck::Code => "\"code\"",
        AccessCheck::Birthdate => "\"birthdate\"",
        AccessCheck::Magic => "\"magic\"",
    };
    match checks {
        [] => "\"none\"".into(),
        [only] => name(only).into(),
        several => format!("[{}]", several.iter().map(name).collect::<Vec<_>>().join(", ")),
    }
}
