//! Who may open what, and after showing what.

use serde::{Deserialize, Serialize};

use crate::id::{GrantId, PatientMark};
use crate::time::Timestamp;

/// What must be shown before a parcel opens (`access` in role files and rules); checks combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccessCheck {
    /// A signed-in account.
    Account,
    /// A one-time code.
    Code,
    /// The birthdate.
    Birthdate,
    /// A single-use link, mailed on a press.
    Magic,
}

/// What a visitor has shown so far. A visit belongs to one contact from its first moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Proved {
    /// Signed in with the account's password.
    pub account: bool,
    /// Entered a code that was mailed to the contact's address.
    pub code: bool,
    /// Followed a single-use link that was mailed to the contact's address.
    pub magic: bool,
    /// Patients this visitor was found to stand for: their birthdate was entered, in this visit or when registering, or what
    /// was mailed about them (a code, a single-use link) was shown.
    pub patients: Vec<PatientMark>,
    /// Signed in as somebody who is no patient: a doctor, staff, a payer. Whose documents they get is the sender's to say.
    pub any_patient: bool,
}

/// What access asks about a right.
#[derive(Debug, Clone, Copy)]
pub struct Door<'a> {
    /// Which right.
    pub grant: GrantId,
    /// What must be shown.
    pub checks: &'a [AccessCheck],
    /// Whose documents, where that is known.
    pub patient: Option<PatientMark>,
    /// When the documents end.
    pub keep_until: Timestamp,
    /// Whether the right was taken back.
    pub revoked: bool,
}

/// Proof that a visitor may open a parcel. Only [`admit`] makes it; only it opens a deposit.
#[derive(Debug)]
pub struct Admitted {
    grant: GrantId,
}

impl Admitted {
    /// The right it is about.
    pub fn grant(&self) -> GrantId {
        self.grant
    }
}

/// Why a visitor may not open it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// This must be shown first: the first of the checks, in order, that is missing. A patient's documents ask for the
    /// birthdate also where only the account is asked for and this patient's was never entered.
    Show(AccessCheck),
    /// Taken back.
    Revoked,
    /// The documents are gone.
    Over,
}

/// Whether what was proved opens this door now.
///
/// # Errors
/// [`Denied`].
pub fn admit(door: &Door<'_>, proved: &Proved, now: Timestamp) -> Result<Admitted, Denied> {
    if door.revoked {
        return Err(Denied::Revoked);
    }
    if door.keep_until <= now {
        return Err(Denied::Over);
    }
    match door.checks.iter().find(|check| !proved.shows(**check, door.patient)) {
        Some(missing) => Err(Denied::Show(*missing)),
        None if !proved.stands_for(door.patient) => Err(Denied::Show(AccessCheck::Birthdate)),
        None => Ok(Admitted { grant: door.grant }),
    }
}

impl Proved {
    /// Whether this check was passed; the birthdate only of the patient it is about, and of nobody where none is known.
    fn shows(&self, check: AccessCheck, patient: Option<PatientMark>) -> bool {
        match check {
            AccessCheck::Account => self.account,
            AccessCheck::Code => self.code,
            AccessCheck::Magic => self.magic,
            AccessCheck::Birthdate => patient.is_some_and(|patient| self.patients.contains(&patient)),
        }
    }

    /// Whether the documents of this patient, if of one, are for this visitor.
    fn stands_for(&self, patient: Option<PatientMark>) -> bool {
        self.any_patient || patient.is_none_or(|patient| self.patients.contains(&patient))
    }

    /// Takes note of a patient who was shown.
    pub fn show_patient(&mut self, patient: Option<PatientMark>) {
        if let Some(patient) = patient.filter(|patient| !self.patients.contains(patient)) {
            self.patients.push(patient);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;
    use AccessCheck::{Account, Birthdate, Code, Magic};
    use Denied::{Over, Revoked, Show};

    const NOW: Timestamp = Timestamp::from_secs(1_000);
    const ANN: PatientMark = PatientMark([1; 16]);
    const BEN: PatientMark = PatientMark([2; 16]);

    /// `a` account, `d` of a doctor, `c` code, `m` magic link, `1` and `2` the patients whose birthdate was entered.
    fn proved(letters: &str) -> Proved {
        let has = |letter| letters.contains(letter);
        let patients = [(has('1'), ANN), (has('2'), BEN)];
        let patients = patients.into_iter().filter_map(|(shown, patient)| shown.then_some(patient)).collect();
        Proved { account: has('a'), code: has('c'), magic: has('m'), patients, any_patient: has('d') }
    }

    fn ask(checks: &[AccessCheck], patient: Option<PatientMark>, shown: &str) -> Result<(), Denied> {
        let grant = GrantId::from_octets([7; 16]);
        let door = Door { grant, checks, patient, keep_until: Timestamp::from_secs(1_001), revoked: false };
        admit(&door, &proved(shown), NOW).map(|admitted| assert_eq!(admitted.grant(), grant))
    }

    /// The checks of the shipped roles and of what policy can make of them × what was shown.
    #[test]
    fn a_door_opens_to_who_has_shown_everything_it_asks_for() {
        type Case = (&'static [AccessCheck], Option<PatientMark>, &'static [(&'static str, Result<(), Denied>)]);
        let table: &[Case] = &[
            // A doctor, or staff, anywhere.
            (&[Account], None, &[("", Err(Show(Account))), ("cm12", Err(Show(Account))), ("a", Ok(()))]),
            // A doctor gets documents of many patients; a birthdate that policy asks for is asked of them too.
            (&[Account], Some(ANN), &[("d", Err(Show(Account))), ("ad", Ok(()))]),
            (&[Account, Birthdate], Some(ANN), &[("ad", Err(Show(Birthdate))), ("ad1", Ok(()))]),
            // A patient: the account opens what is of the patient who registered with it, and nobody else's.
            (
                &[Account],
                Some(ANN),
                &[
                    ("", Err(Show(Account))),
                    ("1", Err(Show(Account))),
                    ("a", Err(Show(Birthdate))),
                    ("a2", Err(Show(Birthdate))),
                    ("a1", Ok(())),
                    ("a12", Ok(())),
                ],
            ),
            (&[Account, Birthdate], Some(BEN), &[("a1", Err(Show(Birthdate))), ("a2", Ok(()))]),
            // A payer or carer.
            (&[Code], None, &[("", Err(Show(Code))), ("am1", Err(Show(Code))), ("c", Ok(()))]),
            (&[Code], Some(ANN), &[("c", Err(Show(Birthdate))), ("c2", Err(Show(Birthdate))), ("c1", Ok(()))]),
            (&[Code, Birthdate], Some(ANN), &[("1", Err(Show(Code))), ("c", Err(Show(Birthdate))), ("c1", Ok(()))]),
            (&[Magic], None, &[("ac", Err(Show(Magic))), ("m", Ok(()))]),
            (&[Account, Code], None, &[("c", Err(Show(Account))), ("a", Err(Show(Code))), ("ac", Ok(()))]),
            // A birthdate that is asked for and known to nobody opens nothing.
            (&[Birthdate], None, &[("", Err(Show(Birthdate))), ("acm12", Err(Show(Birthdate)))]),
            (&[], None, &[("", Ok(()))]),
            (&[], Some(ANN), &[("acm2", Err(Show(Birthdate))), ("1", Ok(()))]),
        ];
        for (checks, patient, cases) in table {
            for (shown, expected) in *cases {
                assert_eq!(ask(checks, *patient, shown), *expected, "{checks:?} {patient:?} shown {shown:?}");
            }
        }
    }

    #[test]
    fn what_was_taken_back_or_is_over_opens_to_nobody() {
        let all = proved("acm12");
        let door = Door {
            grant: GrantId::from_octets([7; 16]),
            checks: &[],
            patient: None,
            keep_until: Timestamp::from_secs(1_001),
            revoked: false,
        };
        assert!(admit(&door, &all, NOW).is_ok());
        assert_eq!(admit(&door, &all, door.keep_until).unwrap_err(), Over, "its last moment is the one before");
        let revoked = Door { revoked: true, ..door };
        assert_eq!(admit(&revoked, &all, NOW).unwrap_err(), Revoked);
        assert_eq!(admit(&revoked, &all, door.keep_until).unwrap_err(), Revoked, "the reason that stays");
    }
}
