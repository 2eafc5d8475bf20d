//! Who a recipient is, as far as anybody knows: role, patient, birthdate; and whether the sender must be asked.

use super::tags::Tags;
use super::{Asking, PolicySet, RecipientFacts, Role, RoleSource, SenderFacts, Settings, Treatment};
use crate::access::AccessCheck;
use crate::mime::assess::PatientRef;

/// The role that is known before any rule or tag is looked at, and by whom: the sender's answer to a question about
/// this very message, else the file that admins keep, else what was remembered with the address.
pub(super) fn known_role(
    policy: &PolicySet,
    sender: &SenderFacts,
    recipient: &RecipientFacts,
) -> Option<(Role, RoleSource)> {
    if let Some(role) = recipient.role.filter(|_| recipient.answered) {
        return Some((role, RoleSource::Answer));
    }
    let entry = policy.person(&recipient.address);
    let of_file = entry.and_then(|entry| Some(seen_from(entry.role?, entry.practice.as_deref(), sender)));
    let of_file = of_file.map(|role| (role, RoleSource::File));
    of_file.or_else(|| recipient.role.map(|role| (role, RoleSource::Directory)))
}

/// Doctors and staff of one of our practices are elsewhere for another one.
fn seen_from(role: Role, practice: Option<&str>, sender: &SenderFacts) -> Role {
    match role {
        Role::Doctor if practice.is_some() && practice != sender.practice.as_deref() => Role::DoctorElsewhere,
        Role::Staff if practice.is_some() && practice != sender.practice.as_deref() => Role::StaffElsewhere,
        other => other,
    }
}

/// Whose documents they are for this recipient: as the tag says, for whoever gets them; else a patient's own.
pub(super) fn patient(
    policy: &PolicySet,
    tags: &Tags<'_>,
    recipient: &RecipientFacts,
    role: Option<Role>,
) -> Option<PatientRef> {
    if let Some((patient, _)) = tags.patient {
        return Some(patient.clone());
    }
    let entry = policy.person(&recipient.address).filter(|_| role == Some(Role::Patient))?;
    match (&entry.record, &entry.name, &entry.birthdate) {
        (Some(record), _, _) => Some(PatientRef::Record(record.clone())),
        (None, Some(name), Some(birthdate)) => {
            Some(PatientRef::Named { name: name.clone(), birthdate: birthdate.clone() })
        }
        _ => None,
    }
}

/// The birthdate of the patient whose documents these are, and who says so.
pub(super) fn birthdate(
    policy: &PolicySet,
    recipient: &RecipientFacts,
    patient: Option<&PatientRef>,
) -> Option<(String, &'static str)> {
    const FILE: &str = "policies/directory.csv";
    let remembered = || recipient.birthdate.clone();
    if recipient.answered && recipient.birthdate.is_some() {
        return remembered().map(|date| (date, "the answer to the question"));
    }
    let of_address = policy.person(&recipient.address);
    let of_file = match patient {
        Some(PatientRef::Named { birthdate, .. }) => return Some((birthdate.clone(), "tag [patient]")),
        Some(PatientRef::Record(number)) => {
            let own = of_address.filter(|entry| entry.record.as_ref() == Some(number));
            let known = own.and_then(|entry| entry.birthdate.clone());
            known.or_else(|| policy.record(number).and_then(|entry| entry.birthdate.clone()))
        }
        None => of_address.and_then(|entry| entry.birthdate.clone()),
    };
    // What was said of another patient at this address is not this one's.
    let same = recipient.patient.is_none() || patient.is_none() || recipient.patient.as_ref() == patient;
    let earlier = || remembered().filter(|_| same).map(|date| (date, "an earlier invitation"));
    of_file.map(|date| (date, FILE)).or_else(earlier)
}

/// What is known when everything else is decided.
pub(super) struct Known<'a> {
    pub(super) settings: &'a Settings,
    pub(super) role: Option<Role>,
    pub(super) access: &'a [AccessCheck],
    pub(super) birthdate: bool,
}

/// What the sender must be asked before documents go to this recipient, if anything: who cannot answer is not asked.
pub(super) fn asking(
    policy: &PolicySet,
    sender: &SenderFacts,
    recipient: &RecipientFacts,
    known: &Known<'_>,
) -> Option<Asking> {
    if known.settings.treatment != Treatment::Secure || !known.settings.ask || !sender.can_answer {
        return None;
    }
    let Some(role) = known.role else { return Some(Asking::Role) };
    let registers = known.access.contains(&AccessCheck::Account) && !recipient.registered;
    let needs_birthdate = role == Role::Patient && policy.role(role).is_some_and(|file| file.birthdate);
    (registers && needs_birthdate && !known.birthdate).then_some(Asking::Birthdate)
}
