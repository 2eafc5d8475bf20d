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

/// Whose documents, of which practice. One practice's record number is another patient elsewhere, and what was shown to one
/// practice was not shown to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The practice's id.
    pub practice: String,
    /// The patient, where that is known.
    pub patient: Option<PatientMark>,
}

/// How something was shown in a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Means {
    /// Came by the link of a right that asks for nothing.
    Link,
    /// Entered a code that was mailed.
    Code,
    /// Followed a single-use link that was mailed.
    Magic,
    /// Entered the patient's birthdate.
    Birthdate,
}

/// Something that was shown in a visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// How.
    pub means: Means,
    /// About whose documents.
    pub about: About,
}

/// What a visitor has shown so far. A visit belongs to one contact from its first moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Proved {
    /// Signed in with the account's password.
    pub account: bool,
    /// Signed in as somebody who is no patient: a doctor, staff, a payer. Whose documents they get is the sender's to say.
    pub any_patient: bool,
    /// Patients whom the account that is signed in was found to stand for, when it registered or later. It says whose
    /// documents are theirs to read, and passes no check.
    pub stands_for: Vec<About>,
    /// What was shown in this visit.
    pub shown: Vec<Shown>,
}

/// What access asks about a right.
#[derive(Debug, Clone, Copy)]
pub struct Door<'a> {
    /// Which right.
    pub grant: GrantId,
    /// What must be shown.
    pub checks: &'a [AccessCheck],
    /// Whose practice's.
    pub practice: &'a str,
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
    match door.checks.iter().find(|check| !proved.passes(**check, door)) {
        Some(missing) => Err(Denied::Show(*missing)),
        None if !proved.stands_for(door) => Err(Denied::Show(AccessCheck::Birthdate)),
        None => Ok(Admitted { grant: door.grant }),
    }
}

impl About {
    fn is_behind(&self, door: &Door<'_>) -> bool {
        self.practice == door.practice && self.patient == door.patient
    }
}

impl Proved {
    /// Whether this check was passed for this door: what was shown about another patient, or to another practice, passes none;
    /// nor does the birthdate of a patient whom nobody knows.
    fn passes(&self, check: AccessCheck, door: &Door<'_>) -> bool {
        match check {
            AccessCheck::Account => self.account,
            AccessCheck::Code => self.has_shown(Means::Code, door),
            AccessCheck::Magic => self.has_shown(Means::Magic, door),
            AccessCheck::Birthdate => door.patient.is_some() && self.has_shown(Means::Birthdate, door),
        }
    }

    fn has_shown(&self, means: Means, door: &Door<'_>) -> bool {
        self.shown.iter().any(|shown| shown.means == means && shown.about.is_behind(door))
    }

    /// Whether the documents of this patient, if of one, are for this visitor. Where an account is asked for, what came to
    /// its mailbox says nothing: patients share mailboxes.
    fn stands_for(&self, door: &Door<'_>) -> bool {
        let by_account =
            self.account && (self.any_patient || self.stands_for.iter().any(|about| about.is_behind(door)));
        let mailed = || [Means::Link, Means::Code, Means::Magic].into_iter().any(|means| self.has_shown(means, door));
        door.patient.is_none()
            || by_account
            || self.has_shown(Means::Birthdate, door)
            || (!door.checks.contains(&AccessCheck::Account) && mailed())
    }

    /// Takes note of what was shown, and about whose documents.
    pub fn show(&mut self, means: Means, about: About) {
        let shown = Shown { means, about };
        if !self.shown.contains(&shown) {
            self.shown.push(shown);
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

    const CLINIC: &str = "clinic";

    fn about(practice: &str, patient: Option<PatientMark>) -> About {
        About { practice: practice.into(), patient }
    }

    /// Words: `account` signed in, of a `doctor`, or of who stands for `ann` or `ben`; `link`, `code`, `magic` and `birthdate`
    /// with `-ann` or `-ben` where it was about one of them, and with `-elsewhere` where it was another practice's.
    fn proved(words: &str) -> Proved {
        let mut proved = Proved::default();
        for word in words.split_whitespace() {
            let practice = if word.contains("-elsewhere") { "elsewhere" } else { CLINIC };
            let patient = match word {
                _ if word.contains("ann") => Some(ANN),
                _ if word.contains("ben") => Some(BEN),
                _ => None,
            };
            match word.split('-').next().unwrap() {
                "account" => proved.account = true,
                "doctor" => proved.any_patient = true,
                "ann" | "ben" => proved.stands_for.push(about(practice, patient)),
                "link" => proved.show(Means::Link, about(practice, patient)),
                "code" => proved.show(Means::Code, about(practice, patient)),
                "magic" => proved.show(Means::Magic, about(practice, patient)),
                "birthdate" => proved.show(Means::Birthdate, about(practice, patient)),
                other => panic!("{other}"),
            }
        }
        proved
    }

    fn door(checks: &[AccessCheck], patient: Option<PatientMark>) -> Door<'_> {
        let grant = GrantId::from_octets([7; 16]);
        Door { grant, checks, practice: CLINIC, patient, keep_until: Timestamp::from_secs(1_001), revoked: false }
    }

    fn ask(checks: &[AccessCheck], patient: Option<PatientMark>, shown: &str) -> Result<(), Denied> {
        let door = door(checks, patient);
        admit(&door, &proved(shown), NOW).map(|admitted| assert_eq!(admitted.grant(), door.grant))
    }

    /// The checks of the shipped roles and of what policy can make of them × what was shown.
    #[test]
    fn a_door_opens_to_who_has_shown_everything_it_asks_for() {
        type Case = (&'static [AccessCheck], Option<PatientMark>, &'static [(&'static str, Result<(), Denied>)]);
        let table: &[Case] = &[
            // A doctor, or staff, anywhere.
            (&[Account], None, &[("", Err(Show(Account))), ("code magic", Err(Show(Account))), ("account", Ok(()))]),
            // A doctor gets documents of many patients; a birthdate that policy asks for is asked of them too.
            (&[Account], Some(ANN), &[("doctor", Err(Show(Account))), ("account doctor", Ok(()))]),
            (
                &[Account, Birthdate],
                Some(ANN),
                &[("account doctor", Err(Show(Birthdate))), ("account doctor birthdate-ann", Ok(()))],
            ),
            // A patient: the account opens what is of the patient who registered with it, and nobody else's.
            (
                &[Account],
                Some(ANN),
                &[
                    ("", Err(Show(Account))),
                    ("birthdate-ann", Err(Show(Account))),
                    ("account", Err(Show(Birthdate))),
                    ("account ben", Err(Show(Birthdate))),
                    ("account ann", Ok(())),
                    ("account birthdate-ann", Ok(())),
                    ("ann", Err(Show(Account))),
                ],
            ),
            // A payer or carer.
            (&[Code], None, &[("", Err(Show(Code))), ("account magic", Err(Show(Code))), ("code", Ok(()))]),
            (
                &[Code, Birthdate],
                Some(ANN),
                &[
                    ("birthdate-ann", Err(Show(Code))),
                    ("code-ann", Err(Show(Birthdate))),
                    ("code-ann birthdate-ann", Ok(())),
                ],
            ),
            (&[Magic], None, &[("account code", Err(Show(Magic))), ("magic", Ok(()))]),
            (
                &[Account, Code],
                None,
                &[("code", Err(Show(Account))), ("account", Err(Show(Code))), ("account code", Ok(()))],
            ),
            // A birthdate that is asked for and known to nobody opens nothing.
            (&[Birthdate], None, &[("", Err(Show(Birthdate))), ("account code birthdate", Err(Show(Birthdate)))]),
            (&[], None, &[("", Ok(()))]),
            (
                &[],
                Some(ANN),
                &[
                    ("link-ben", Err(Show(Birthdate))),
                    ("link-ann", Ok(())),
                    ("code-ann", Ok(())),
                    ("account ann", Ok(())),
                ],
            ),
        ];
        for (checks, patient, cases) in table {
            for (shown, expected) in *cases {
                assert_eq!(ask(checks, *patient, shown), *expected, "{checks:?} {patient:?} shown {shown:?}");
            }
        }
    }

    /// One list held both whom an account stands for and whose birthdate was entered: who had registered as Ann, or had
    /// pressed a link or entered a code about her, passed the birthdate check without entering a birthdate.
    #[test]
    fn whom_an_account_stands_for_is_no_birthdate_entered() {
        let asked = Err(Show(Birthdate));
        for (checks, shown, expected) in [
            (&[Birthdate][..], "account ann", asked),
            (&[Birthdate], "link-ann", asked),
            (&[Birthdate], "code-ann magic-ann", asked),
            (&[Birthdate], "birthdate-ben", asked),
            (&[Birthdate], "birthdate-ann", Ok(())),
            (&[Account, Birthdate], "account ann", asked),
            (&[Account, Birthdate], "account ann birthdate-ann", Ok(())),
            // A mailbox that two share: what came there about Ann makes Ben's account not hers.
            (&[Account], "account ben code-ann magic-ann link-ann", asked),
            (&[Account, Code], "account ben code-ann", asked),
        ] {
            assert_eq!(ask(checks, Some(ANN), shown), expected, "{checks:?} shown {shown:?}");
        }
    }

    /// A code or magic link counted for everything of the visit: one that was mailed about one patient opened another's
    /// documents, and those of another practice.
    #[test]
    fn what_was_shown_about_one_patient_to_one_practice_opens_nothing_else() {
        for (checks, missing) in [(&[Code][..], Code), (&[Magic], Magic), (&[Birthdate], Birthdate)] {
            let means = format!("{missing:?}").to_lowercase();
            assert_eq!(ask(checks, Some(ANN), &format!("{means}-ann")), Ok(()));
            for shown in [means.clone(), format!("{means}-ben"), format!("{means}-ann-elsewhere")] {
                assert_eq!(ask(checks, Some(ANN), &shown), Err(Show(missing)), "{shown}");
            }
        }
        assert_eq!(ask(&[Code], None, "code-elsewhere code-ann"), Err(Show(Code)));
        assert_eq!(ask(&[Account], Some(ANN), "account ann-elsewhere"), Err(Show(Birthdate)), "another's number");
        assert_eq!(ask(&[], Some(ANN), "link-ann-elsewhere"), Err(Show(Birthdate)));
    }

    #[test]
    fn what_was_taken_back_or_is_over_opens_to_nobody() {
        let all = proved("account code magic");
        let door = door(&[], None);
        assert!(admit(&door, &all, NOW).is_ok());
        assert_eq!(admit(&door, &all, door.keep_until).unwrap_err(), Over, "its last moment is the one before");
        let revoked = Door { revoked: true, ..door };
        assert_eq!(admit(&revoked, &all, NOW).unwrap_err(), Revoked);
        assert_eq!(admit(&revoked, &all, door.keep_until).unwrap_err(), Revoked, "the reason that stays");
    }
}
