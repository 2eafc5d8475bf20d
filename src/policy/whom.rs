//! Who a recipient is, as far as anybody knows: role, patient, birthdate; and whether the sender must be asked.

use super::tags::Tags;
use super::{Asking, DirectoryEntry, PolicySet, RecipientFacts, Role, RoleSource, SenderFacts, Settings, Treatment};
use crate::access::AccessCheck;
use crate::mime::assess::PatientRef;

/// The role that is known before any rule or tag is looked at, and by whom: the sender's answer to a question about
/// this very message, else the file that admins keep, else what was remembered with the address.
pub(super) fn known_role(
    policy: &PolicySet,
    sender: &SenderFacts,
    recipient: &RecipientFacts,
) -> Option<(Role, RoleSource)> {
    if let Some(role) = recipient.answered_role {
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

/// The patient whom `directory.csv` names at an address.
pub(super) fn of_file(entry: &DirectoryEntry) -> Option<PatientRef> {
    match (&entry.record, &entry.name, &entry.birthdate) {
        (Some(record), _, _) => Some(PatientRef::Record(record.clone())),
        (None, Some(name), Some(birthdate)) => {
            Some(PatientRef::Named { name: name.clone(), birthdate: birthdate.clone() })
        }
        _ => None,
    }
}

/// Whose documents they are for this recipient, and that patient's birthdate with who says so.
#[derive(Default)]
pub(super) struct Whose {
    pub(super) patient: Option<PatientRef>,
    pub(super) birthdate: Option<(String, &'static str)>,
}

impl Whose {
    /// As the tag says, for whoever gets them; else a patient's own. Who is not named is known by address and birthdate, so
    /// that two patients of one address are kept apart.
    pub(super) fn of(policy: &PolicySet, tags: &Tags<'_>, recipient: &RecipientFacts, role: Option<Role>) -> Self {
        let is_patient = role == Some(Role::Patient);
        let named = named(policy, tags, recipient).filter(|_| is_patient || tags.patient.is_some());
        if named.is_none() && !is_patient {
            return Self::default();
        }
        let birthdate = birthdate(policy, tags, recipient, named.as_ref());
        let unnamed = |(date, _): &(String, _)| PatientRef::Unnamed {
            at: recipient.address.lookup_form(),
            birthdate: date.clone(),
        };
        Self { patient: named.or_else(|| birthdate.as_ref().map(unnamed)), birthdate }
    }
}

/// The patient of the tag, else of the file, else the one who was written to at this address before, where neither file
/// nor answer gives another birthdate.
fn named(policy: &PolicySet, tags: &Tags<'_>, recipient: &RecipientFacts) -> Option<PatientRef> {
    if let Some((patient, _)) = tags.patient {
        return Some(patient.clone());
    }
    match policy.person(&recipient.address) {
        Some(entry) if entry.birthdate.is_some() => of_file(entry),
        entry => entry.and_then(of_file).or_else(|| recipient.patient.clone()),
    }
}

fn birthdate(
    policy: &PolicySet,
    tags: &Tags<'_>,
    recipient: &RecipientFacts,
    patient: Option<&PatientRef>,
) -> Option<(String, &'static str)> {
    const FILE: &str = "policies/directory.csv";
    const EARLIER: &str = "an earlier invitation";
    if let Some(date) = &recipient.answered_birthdate {
        return Some((date.clone(), "the answer to the question"));
    }
    if let Some((PatientRef::Named { birthdate, .. }, _)) = tags.patient {
        return Some((birthdate.clone(), "tag [patient]"));
    }
    let entry = policy.person(&recipient.address);
    let in_file = match patient {
        Some(PatientRef::Record(number)) => {
            let own = entry.filter(|entry| entry.record.as_ref() == Some(number));
            let known = own.and_then(|entry| entry.birthdate.clone());
            known.or_else(|| policy.record(number).and_then(|entry| entry.birthdate.clone()))
        }
        Some(patient) => {
            entry.filter(|entry| of_file(entry).as_ref() == Some(patient)).and_then(|entry| entry.birthdate.clone())
        }
        None => entry.and_then(|entry| entry.birthdate.clone()),
    };
    // What was said of another patient at this address is not this one's. A correction counts more than what it corrects.
    let remembered = recipient.birthdate.clone().filter(|_| recipient.patient.as_ref() == patient);
    let said = match patient {
        Some(PatientRef::Named { birthdate, .. } | PatientRef::Unnamed { birthdate, .. }) => Some(birthdate.clone()),
        Some(PatientRef::Record(_)) | None => None,
    };
    in_file.map(|date| (date, FILE)).or_else(|| remembered.or(said).map(|date| (date, EARLIER)))
}

/// What is known when everything else is decided.
pub(super) struct Known<'a> {
    pub(super) settings: &'a Settings,
    pub(super) role: Option<Role>,
    pub(super) access: &'a [AccessCheck],
    pub(super) birthdate: bool,
}

/// What the sender must be asked before documents go to this recipient, if anything: who cannot answer is not asked. A
/// birthdate is asked for where it must be entered: at the documents, or when a patient registers. An account that was
/// shown to be this patient's needs none any more.
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
    let proved = recipient.registered && recipient.proved;
    let guards = role == Role::Patient && policy.role(role).is_some_and(|file| file.birthdate);
    let signs_in = guards && known.access.contains(&AccessCheck::Account) && !proved;
    let entered = signs_in || known.access.contains(&AccessCheck::Birthdate);
    (entered && !known.birthdate).then_some(Asking::Birthdate)
}

/// Whether an account does not say that its owner is this patient: it is another one's, or will be. Whose documents a
/// doctor, staff or a payer gets is the sender's to say.
pub(super) fn guarded(recipient: &RecipientFacts, role: Option<Role>, patient: Option<&PatientRef>) -> bool {
    let by_account = if recipient.registered { recipient.proved } else { recipient.patient.as_ref() == patient };
    patient.is_some() && matches!(role, None | Some(Role::Patient)) && recipient.known && !by_account
}

/// What is asked for where a birthdate would be that cannot be compared with any: a code, mailed for these documents, so
/// that nobody stands before a door without a key. It stands in for the account, too, where that is another patient's.
pub(super) fn without_birthdate(access: &[AccessCheck], guarded: bool) -> Vec<AccessCheck> {
    let opens_nothing = |check: &AccessCheck| match check {
        AccessCheck::Birthdate => true,
        AccessCheck::Account => guarded,
        AccessCheck::Code | AccessCheck::Magic => false,
    };
    let mut checks: Vec<_> = access.iter().copied().filter(|check| !opens_nothing(check)).collect();
    if checks.len() < access.len() && !checks.contains(&AccessCheck::Code) {
        checks.push(AccessCheck::Code);
    }
    checks
}
