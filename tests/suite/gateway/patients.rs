//! Whose documents they are: what guards one patient's from another who is reached at the same address.

use std::net::{IpAddr, Ipv4Addr};

use postern::access::AccessCheck::{Account, Birthdate, Code};
use postern::gateway::visits::{BirthdateAnswer, GuestSignIn, NextStep, Visit};
use postern::id::GrantId;
use postern::invitation::{Event, Invitation};
use postern::mail::Origin;
use postern::secret::Secret;
use postern::store::{self, Batch};
use postern::time::Timestamp;
use postern::vault::Grant;

use super::{Clinic, JANE, address, token, with_attachment};

const ANN: &str = "ann@home.example";
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const BORN: (&str, &str) = ("birthdate", "1980-03-04");

impl Clinic {
    /// Sends a document to Ann's address; whether the sender was asked.
    async fn document(&self, subject: &str) -> bool {
        let receipt = self.send(&[ANN], &with_attachment(subject, "scan.pdf", 100)).await.unwrap();
        assert_eq!(receipt.accepted + receipt.asked, 1);
        receipt.asked == 1
    }

    /// The same from somebody whom nothing can be asked.
    async fn foreign_document(&self, subject: &str) {
        let message = with_attachment(subject, "scan.pdf", 100).replace(JANE, "his@hospital.example");
        let origin = Origin::Relay { any_sender: true };
        let receipt = self.send_as(origin, "his@hospital.example", &[ANN], &message).await.unwrap();
        assert_eq!(receipt.accepted, 1);
    }

    /// Answers the newest question.
    async fn answer(&self, word: &str) {
        let ask = token("ask", self.mails_to(JANE).await.last().expect("a question"));
        self.write_back(&ask, word).await.unwrap();
    }

    /// The newest right of Ann's address.
    async fn newest(&self) -> (GrantId, Grant) {
        let stations = self.gateway.stations();
        let contact = stations.directory.find(&address(ANN)).await.unwrap().expect("known").id;
        stations.vault.grants_of_contact(contact, store::now(), 1).await.unwrap().remove(0)
    }

    fn link(mail: &str, path: &str) -> Option<String> {
        // Quoted-printable: lines are broken, and `=` is written out.
        let mail = mail.replace("=\r\n", "");
        let start = mail.find(path)? + path.len();
        Some(mail[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect())
    }

    /// Registers Ann's address by the newest notice, sets the password, and signs in.
    async fn enrol(&self, born: &[(&str, &str)]) -> Visit {
        let notice = self.mails_to(ANN).await.pop().expect("a notice");
        let token = Self::link(&notice, "mail.clinic.example/p/").expect("a link");
        let visit = self.gateway.enter(&token, None, HERE).await.unwrap();
        let visit = self.gateway.visit(visit.cookie.expose()).await.unwrap().unwrap();
        let answers = [&[("name", "Ann Citizen"), ("phone", "02 5550 1234")], born].concat();
        let answers = answers.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let registered = self.gateway.register(&visit, answers, HERE).await.unwrap();
        let mail = self.mails_to(ANN).await.into_iter().find_map(|mail| Self::link(&mail, "/password/"));
        let mail = mail.unwrap_or_else(|| panic!("{registered:?}"));
        self.gateway.set_password(&mail, &password()).await.unwrap().unwrap();
        self.sign_in().await.0
    }

    async fn sign_in(&self) -> (Visit, String) {
        let GuestSignIn::Welcome(entered) = self.gateway.guest_sign_in(ANN, &password(), HERE, None).await.unwrap()
        else {
            panic!("rejected")
        };
        let cookie = entered.cookie.expose().clone();
        (self.gateway.visit(&cookie).await.unwrap().unwrap(), cookie)
    }
}

fn password() -> Secret<String> {
    Secret::new("nurse tea at half past nine".into())
}

/// A patient named by a record number whose birthdate nobody knew lost the mark: who had registered as the mother opened
/// the child's result. The sender was not asked either, because the address was registered.
#[tokio::test]
async fn a_patient_named_by_number_alone_is_asked_for_and_guarded() {
    let clinic = Clinic::with(&[]).await;
    assert!(!clinic.document("Results [patient Ann Citizen 1980-03-04]").await);
    let visit = clinic.enrol(&[BORN]).await;
    let (anns, grant) = clinic.newest().await;
    assert_eq!(clinic.gateway.next_step(&visit, anns).await.unwrap(), NextStep::Parcel(anns));

    assert!(clinic.document("Results [patient 10423]").await, "registered, and asked all the same");
    clinic.answer("2015-06-07").await;
    let (childs, other) = clinic.newest().await;
    assert!(other.patient.is_some() && other.patient != grant.patient);
    let (visit, cookie) = clinic.sign_in().await;
    assert_eq!(clinic.gateway.next_step(&visit, childs).await.unwrap(), NextStep::Birthdate);
    let wrong = clinic.gateway.check_birthdate((&visit, &cookie), childs, BORN.1, HERE).await.unwrap();
    assert!(matches!(wrong, BirthdateAnswer::Wrong { .. }), "{wrong:?}");
    let right = clinic.gateway.check_birthdate((&visit, &cookie), childs, "2015-06-07", HERE).await.unwrap();
    let BirthdateAnswer::Right(right) = right else { panic!("{right:?}") };
    assert_eq!(right.next, NextStep::Parcel(childs));
}

/// The birthdate that was said of an unnamed patient at an address was taken for whoever was named there next.
#[tokio::test]
async fn a_birthdate_is_used_for_its_own_patient_only() {
    let clinic = Clinic::with(&[]).await;
    assert!(clinic.document("Results").await);
    clinic.answer("p 1980-03-04").await;
    let (_, mothers) = clinic.newest().await;
    assert!(mothers.patient.is_some(), "unnamed, and marked");
    assert!(!clinic.document("More results").await, "the same, as far as anybody said");
    assert_eq!(clinic.newest().await.1.patient, mothers.patient);
    assert!(clinic.document("Results [patient 10423]").await, "another: hers is not this one's");
    clinic.answer("p 2015-06-07").await;
    assert_ne!(clinic.newest().await.1.patient, mothers.patient);
    assert!(!clinic.document("Results [patient Tim Citizen 2015-06-07]").await);
    assert_ne!(clinic.newest().await.1.patient, mothers.patient);
}

/// Documents of two patients whom nobody had named, at one address, had no mark: either's account opened both.
#[tokio::test]
async fn two_unnamed_patients_of_one_address_are_kept_apart() {
    let clinic = Clinic::with(&[]).await;
    clinic.document("Results").await;
    clinic.answer("p 1980-03-04").await;
    clinic.enrol(&[BORN]).await;
    let (mothers, _) = clinic.newest().await;
    let people = format!("address,role,birthdate\n{ANN},patient,2015-06-07\n");
    std::fs::write(clinic.folder.path().join("policies/directory.csv"), people).unwrap();
    let clinic = clinic.restarted().await;
    assert!(!clinic.document("Results").await);
    let (childs, _) = clinic.newest().await;
    let visit = clinic.sign_in().await.0;
    assert_eq!(clinic.gateway.next_step(&visit, mothers).await.unwrap(), NextStep::Parcel(mothers));
    assert_eq!(clinic.gateway.next_step(&visit, childs).await.unwrap(), NextStep::Birthdate);
}

/// A corrected birthdate must not part the patient from what was sent before.
#[tokio::test]
async fn a_corrected_birthdate_opens_what_waits() {
    let clinic = Clinic::with(&[]).await;
    clinic.document("Results").await;
    clinic.answer("p 1980-03-05").await;
    let stations = clinic.gateway.stations();
    let contact = stations.directory.find(&address(ANN)).await.unwrap().unwrap().id;
    clinic.gateway.change_invitation(contact, Event::Resend, Some(BORN.1), store::now()).await.unwrap();
    let visit = clinic.enrol(&[BORN]).await;
    let (first, _) = clinic.newest().await;
    assert_eq!(clinic.gateway.next_step(&visit, first).await.unwrap(), NextStep::Parcel(first));
    assert!(!clinic.document("More").await, "the correction is remembered");
    let (second, _) = clinic.newest().await;
    let visit = clinic.sign_in().await.0;
    assert_eq!(clinic.gateway.next_step(&visit, second).await.unwrap(), NextStep::Parcel(second));
}

/// Where a birthdate is known and nobody named the patient, the check on the link had nothing to compare with.
#[tokio::test]
async fn an_unnamed_patient_passes_the_birthdate_check() {
    let rule = "[[rule]]\nname = \"by birthdate\"\n[rule.set]\naccess = \"birthdate\"\n";
    let clinic = Clinic::with(&[("90-access.toml", rule)]).await;
    clinic.document("Results").await;
    clinic.answer("p 1980-03-04").await;
    let (id, _) = clinic.newest().await;
    let notice = clinic.mails_to(ANN).await.pop().unwrap();
    let token = Clinic::link(&notice, "mail.clinic.example/p/").unwrap();
    let entered = clinic.gateway.enter(&token, None, HERE).await.unwrap();
    assert_eq!(entered.next, NextStep::Birthdate);
    let visit = clinic.gateway.visit(entered.cookie.expose()).await.unwrap().unwrap();
    let right = clinic.gateway.check_birthdate((&visit, entered.cookie.expose()), id, BORN.1, HERE).await.unwrap();
    let BirthdateAnswer::Right(right) = right else { panic!("{right:?}") };
    assert_eq!(right.next, NextStep::Parcel(id));
}

/// No dead end: what would ask for a birthdate that nobody knows, of a sender who cannot be asked, asks for a code.
#[tokio::test]
async fn a_birthdate_that_nobody_knows_is_asked_of_nobody() {
    let clinic = Clinic::with(&[]).await;
    clinic.foreign_document("Results [patient 10423]").await;
    let (first, grant) = clinic.newest().await;
    assert_eq!((grant.access.as_slice(), grant.patient.is_some()), (&[Account][..], true));
    let visit = clinic.enrol(&[]).await;
    assert_eq!(clinic.gateway.next_step(&visit, first).await.unwrap(), NextStep::Parcel(first));
    clinic.foreign_document("Results [patient 10423]").await;
    assert_eq!(clinic.newest().await.1.access, [Account], "the account stands for this patient");

    clinic.foreign_document("Results [patient 20846]").await;
    let (other, grant) = clinic.newest().await;
    assert_eq!((grant.access.as_slice(), grant.held), (&[Code][..], None));
    assert_ne!(grant.patient, clinic.gateway.stations().vault.grant(first).await.unwrap().unwrap().value.patient);
    let visit = clinic.sign_in().await.0;
    assert_eq!(clinic.gateway.next_step(&visit, other).await.unwrap(), NextStep::Code);

    let rule = "[[rule]]\nname = \"by birthdate\"\n[rule.set]\naccess = [\"account\", \"birthdate\"]\n";
    let clinic = Clinic::with(&[("90-access.toml", rule)]).await;
    clinic.foreign_document("Results [patient 10423]").await;
    assert_eq!(clinic.newest().await.1.access, [Account, Code]);
    assert!(clinic.document("Results [patient 10423]").await, "who can be asked is");
    clinic.answer("p 1980-03-04").await;
    assert_eq!(clinic.newest().await.1.access, [Account, Birthdate]);
}

/// A parcel to two patients knew the birthdate of neither, and asked both for it.
#[tokio::test]
async fn a_parcel_of_two_patients_asks_neither_for_a_birthdate() {
    let rule = "[[rule]]\nname = \"by birthdate\"\n[rule.set]\naccess = \"birthdate\"\n";
    let people = format!("address,role,birthdate\n{ANN},patient,1980-03-04\nben@home.example,patient,1971-01-02\n");
    let clinic = Clinic::with(&[("90-access.toml", rule), ("directory.csv", &people)]).await;
    clinic.send(&[ANN, "ben@home.example"], &with_attachment("Results", "scan.pdf", 100)).await.unwrap();
    let grants = clinic.gateway.stations().vault.grants(None, 9).await.unwrap();
    assert!(grants.iter().all(|(_, grant)| grant.access == [Code]), "{:?}", grants[0].1.access);
    assert_ne!(grants[0].1.patient, grants[1].1.patient);
    clinic.document("Results").await;
    assert_eq!(clinic.newest().await.1.access, [Birthdate]);
}

/// The notice of a second message promised a month, though the invitation that was open already ended before.
#[tokio::test]
async fn a_notice_says_until_when_the_open_invitation_holds() {
    let clinic = Clinic::with(&[]).await;
    let doctor = "Letter [doctor-elsewhere]";
    clinic.document(doctor).await;
    let stations = clinic.gateway.stations();
    let contact = stations.directory.find(&address(ANN)).await.unwrap().unwrap().id;
    let read = stations.guests.invitation(contact).await.unwrap().unwrap();
    let mut aged = read.value.clone();
    aged.life = Invitation::issue(Timestamp::from_millis(store::now().millis() - 10 * 86_400_000));
    let mut batch = Batch::default();
    stations.guests.put_invitation(&mut batch, contact, Some(&read), &aged, aged.due, store::now()).unwrap();
    stations.store.commit(batch).await.unwrap();

    clinic.document(doctor).await;
    let notice = clinic.mails_to(ANN).await.pop().unwrap();
    clinic.gateway.change_invitation(contact, Event::Remind, None, store::now()).await.unwrap();
    let reminder = clinic.mails_to(ANN).await.into_iter().find(|mail| mail.contains("not registered yet")).unwrap();
    let until = |mail: &str| {
        let mail = mail.replace("=\r\n", "");
        let start = mail.find("The invitation holds until").expect("until when");
        mail[start..].lines().next().unwrap().to_owned()
    };
    assert_eq!(until(&notice), until(&reminder));
    let (_, grant) = clinic.newest().await;
    let left = grant.link_until.since(store::now()).as_secs();
    assert!(left.abs_diff(21 * 86_400) < 60, "{left}: a month and a day after the invitation");
}
