//! Roles: what a recipient is to the clinic. One file each, `policies/roles/NAME.toml`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::SourceFile;
use super::form::{self, FormField, read_fields};
use crate::access::AccessCheck;
use crate::document::{Faults, Form, Key, Need, Table, Word, read};
use crate::fault::Fault;
use crate::invitation::Schedule;
use crate::time::{format_length, parse_length};

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
    /// Whether a patient's birthdate is asked for when they register.
    pub birthdate: bool,
    /// The form they register with, in order; always has a `name`.
    pub fields: Vec<FormField>,
    /// The life of an invitation as this role.
    pub schedule: Schedule,
}

/// The longest life of an invitation: documents are held no longer than this for somebody who does not come.
const LONGEST_LIFE: &str = "60d";
/// The most reminders of one invitation.
const MOST_REMINDERS: usize = 10;

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
    Key {
        name: "birthdate",
        form: Form::Flag,
        need: Need::Default("false"),
        about: "Whether the birthdate must be entered when registering; a sender is asked for it where nobody knows it.",
    },
    Key {
        name: "reminders",
        form: Form::List(&LIFE),
        need: Need::Default("[\"3d\", \"15d\", \"30d\"]"),
        about: "When a person who has not registered is reminded, counted from the invitation, in rising order.",
    },
    Key {
        name: "lives",
        form: LIFE,
        need: Need::Default("\"30d\""),
        about: "How long an invitation lives. Documents are held for as long.",
    },
    Key {
        name: "tries",
        form: Form::Count { least: 1, most: 10 },
        need: Need::Default("3"),
        about: "Wrong birthdates that cancel the invitation.",
    },
    Key {
        name: "field",
        form: Form::Tables(form::KEYS),
        need: Need::Optional,
        about: "The form that is filled in when registering; the address and the name where none is listed.",
    },
];

const LIFE: Form = Form::Length { least: "1h", most: LONGEST_LIFE };

/// A role's file, where it has no fault that forbids one.
pub(super) fn read_role(file: &SourceFile, role: Role, faults: &mut Faults) -> Option<RoleFile> {
    let table = read(&file.path, &file.text, KEYS, faults);
    let access = read_access(&table, faults);
    let fields = read_fields(&table, faults);
    let schedule = read_schedule(&table, faults);
    let birthdate = table.flag("birthdate").unwrap_or(false);
    Some(RoleFile { role, title: table.text("title")?.text.clone(), access: access?, birthdate, fields, schedule })
}

fn read_schedule(table: &Table, faults: &mut Faults) -> Schedule {
    let usual = Schedule::default();
    let lives = table.length("lives").unwrap_or(usual.lives);
    let mut reminders = Vec::new();
    for word in table.texts("reminders") {
        match reminder(word, reminders.last().copied(), lives) {
            Ok(length) => reminders.push(length),
            Err(fault) => faults.add(fault),
        }
    }
    if let Some(word) = table.texts("reminders").get(MOST_REMINDERS) {
        faults.add(word.place.fault("too many reminders").hint(format!("at most {MOST_REMINDERS}")));
    }
    if !table.has("reminders") {
        reminders = usual.reminders.into_iter().filter(|reminder| *reminder <= lives).collect();
    }
    let tries = table.count("tries").and_then(|tries| u8::try_from(tries).ok()).unwrap_or(usual.tries);
    Schedule { reminders, lives, tries }
}

fn reminder(word: &Word, before: Option<Duration>, lives: Duration) -> Result<Duration, Fault> {
    let Some(length) = parse_length(&word.text).filter(|length| *length >= Duration::from_secs(3600)) else {
        let fault = word.place.fault(format!("\"{}\" is no time for a reminder", word.text));
        return Err(fault.hint("write days or hours, such as \"3d\" or \"36h\""));
    };
    if before.is_some_and(|before| length <= before) {
        return Err(word
            .place
            .fault("reminders must stand in rising order")
            .hint("write the earliest first, each once"));
    }
    if length > lives {
        let fault = word.place.fault(format!("\"{}\" is after the invitation has ended", word.text));
        return Err(
            fault.hint(format!("it lives {}; set \"lives\" longer, or leave this one out", format_length(lives)))
        );
    }
    Ok(length)
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
