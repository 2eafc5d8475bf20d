//! Who is this recipient? Only the unclear one waits; the sender's one word sends, drops, or is asked for again.

use std::time::Duration;

use postern::gateway::Refusal;
use postern::policy::Role;
use postern::store;
use postern::time::Timestamp;

use super::{Clinic, JANE, address, token, with_attachment};

const KIM: &str = "kim@home.example";
const HOUR: Duration = Duration::from_secs(3600);

pub fn later(length: Duration) -> Timestamp {
    store::now().plus(length)
}

impl Clinic {
    /// The addresses of those whom letters wait for, sorted.
    async fn written_to(&self) -> Vec<String> {
        let mut to: Vec<String> = self.letters().await.into_iter().map(|(to, _)| to).collect();
        to.sort();
        to
    }

    /// The mails that wait for this address.
    pub async fn mails_to(&self, whom: &str) -> Vec<String> {
        self.letters().await.into_iter().filter(|(to, _)| to == whom).map(|(_, mail)| mail).collect()
    }

    /// Sends a message to Kim, whom nobody knows; where answers to the question go.
    async fn asked(&self, to: &[&str]) -> String {
        let receipt = self.send(to, &with_attachment("Scan", "scan.pdf", 40 << 10)).await.unwrap();
        assert_eq!((receipt.accepted, receipt.asked, receipt.refused), (to.len() - 1, 1, 0));
        let questions = self.mails_to(JANE).await;
        token("ask", questions.last().expect("a question to the sender"))
    }

    pub async fn write_back(&self, to: &str, text: &str) -> Result<(), Refusal> {
        let answer = format!("From: Jane <{JANE}>\nTo: {to}\nSubject: Re: Who is this?\n\n{text}\n");
        self.send(&[to], &answer).await.map(drop)
    }
}

#[tokio::test]
async fn only_the_unclear_recipient_waits() {
    let clinic = Clinic::with(&[]).await;
    clinic.asked(&["bob@clinic.example", KIM, "pat@home.example"]).await;
    assert_eq!(clinic.written_to().await, ["bob@clinic.example", JANE, "pat@home.example"]);
    let question = &clinic.mails_to(JANE).await[0];
    assert!(question.contains(KIM) && !question.contains("scan.pdf") && !question.contains("Subject: Scan"));
    let stations = clinic.gateway.stations();
    assert_eq!(stations.vault.grants(None, 9).await.unwrap().len(), 1, "Pat's");
    assert!(stations.directory.find(&address(KIM)).await.unwrap().is_none());
    assert_eq!(clinic.blobs(), 2, "the document, and the message for Bob and the question");
}

#[tokio::test]
async fn one_word_sends_it_and_is_remembered() {
    for (word, role, birthdate) in [
        ("p 1980-03-04", Role::Patient, Some("1980-03-04")),
        ("dm", Role::Doctor, None),
        ("sm", Role::Staff, None),
        ("do", Role::DoctorElsewhere, None),
        ("SO, thank you", Role::StaffElsewhere, None),
        ("payer", Role::Payer, None),
    ] {
        let clinic = Clinic::with(&[]).await;
        let ask = clinic.asked(&[KIM]).await;
        clinic.write_back(&ask, &format!("{word}\n\n> Who is this recipient?\n")).await.unwrap();
        assert_eq!(clinic.written_to().await, [JANE, KIM], "{word}");
        assert!(clinic.mails_to(KIM).await[0].contains("https://mail.clinic.example/p/"));
        let stations = clinic.gateway.stations();
        let kim = stations.directory.find(&address(KIM)).await.unwrap().expect("known from now on");
        assert_eq!(kim.person.role, Some(role));
        let invitation = stations.guests.invitation(kim.id).await.unwrap();
        assert_eq!(invitation.is_some(), role != Role::Payer, "{word}: a payer opens by a code");
        assert_eq!(invitation.and_then(|found| found.value.birthdate).as_deref(), birthdate);
        let grants = stations.vault.grants(None, 9).await.unwrap();
        assert_eq!(grants.len(), 1);
        assert_eq!(grants[0].1.held.is_some(), role != Role::Payer);
        assert_eq!(clinic.blobs(), 1, "the document; what waited is gone");

        let again = clinic.write_back(&ask, "dm").await.unwrap_err();
        assert!(matches!(again, Refusal::Policy(words) if words.contains("answered already")));
        let receipt = clinic.send(&[KIM], &with_attachment("Scan", "scan.pdf", 100)).await.unwrap();
        assert_eq!((receipt.accepted, receipt.asked), (1, 0), "{word}: never asked again");
    }
}

#[tokio::test]
async fn drop_leaves_them_out_and_says_so() {
    let clinic = Clinic::with(&[]).await;
    let ask = clinic.asked(&[KIM]).await;
    clinic.write_back(&ask, "drop").await.unwrap();
    assert_eq!(clinic.written_to().await, [JANE, JANE]);
    assert!(clinic.gateway.stations().vault.grants(None, 9).await.unwrap().is_empty());
    assert_eq!(clinic.blobs(), 0);
    assert!(clinic.gateway.check_recipient(&clinic.jane, &address(&ask)).await.is_err());
}

#[tokio::test]
async fn what_is_not_understood_changes_nothing_and_is_asked_again() {
    let clinic = Clinic::with(&[]).await;
    let ask = clinic.asked(&[KIM]).await;
    for (number, text) in ["my mother", "p 03/04/1980", "> dm\n\n-- \nJane", ""].into_iter().enumerate() {
        clinic.write_back(&ask, text).await.unwrap();
        assert_eq!(clinic.mails_to(JANE).await.len(), number + 2, "{text:?}");
        assert!(clinic.mails_to(KIM).await.is_empty());
    }
    clinic.write_back(&ask.to_uppercase(), "dm").await.unwrap();
    assert_eq!(clinic.mails_to(KIM).await.len(), 1);
}

/// The first word of a sentence was taken for an answer: this one sent the documents to a doctor elsewhere.
#[tokio::test]
async fn a_sentence_sends_nothing() {
    let clinic = Clinic::with(&[]).await;
    let ask = clinic.asked(&[KIM]).await;
    for text in ["Do not send this to him", "So sorry, that was a mistake", "Drop me a line", "sm or dm?"] {
        clinic.write_back(&ask, text).await.unwrap();
        assert_eq!(clinic.written_to().await.iter().filter(|to| *to == KIM).count(), 0, "{text}");
    }
    assert!(clinic.gateway.stations().vault.grants(None, 9).await.unwrap().is_empty());
    clinic.write_back(&ask, "do, thanks").await.unwrap();
    assert_eq!(clinic.mails_to(KIM).await.len(), 1);
}

/// What was done for who had waited was written down only where it was a notice: "asked" stayed for ever.
#[tokio::test]
async fn what_became_of_who_waited_is_written_down() {
    let rules = "[[rule]]\nname = \"payers get mail\"\n[rule.when]\nrecipient_role = \"payer\"\nrecipient_domain = \"home.example\"\n\
                 [rule.set]\ntreatment = \"relay\"\n\
                 [[rule]]\nname = \"nobody elsewhere\"\n[rule.when]\nrecipient_role = \"doctor-elsewhere\"\n\
                 [rule.set]\ntreatment = \"refuse\"\n";
    for (word, outcome) in [("payer", "Sent as ordinary mail"), ("do", "Not sent"), ("dm", "On its way")] {
        let people = "address,role\npat@home.example,staff-elsewhere\n";
        let clinic = Clinic::with(&[("90-rules.toml", rules), ("directory.csv", people)]).await;
        let ask = clinic.asked(&[KIM, "pat@home.example"]).await;
        clinic.write_back(&ask, word).await.unwrap();
        assert_eq!(clinic.gateway.do_due_questions(later(HOUR * 80)).await.unwrap(), 0, "{word}: nothing waits");
        clinic.settle(KIM, postern::delivery::Outcome::Delivered).await;
        clinic.gateway.do_due_status(later(HOUR)).await.unwrap();
        let about =
            clinic.mails_to(JANE).await.into_iter().rfind(|mail| mail.contains("about.")).expect("a status mail");
        clinic.write_back(&token("about", &about), &format!("history {KIM}")).await.unwrap();
        let history = clinic.mails_to(JANE).await.into_iter().rfind(|mail| mail.contains("What happened")).unwrap();
        assert!(!history.contains("Waits for your answer"), "{word}: {history}");
        assert!(history.contains(outcome) || word == "dm", "{word}: {history}");
        let mails = clinic.mails_to(JANE).await;
        let refused = mails.iter().any(|mail| mail.replace("=\r\n", "").contains("not a fault of the address"));
        assert_eq!(refused, word == "do", "{word}");
    }
}

#[tokio::test]
async fn a_machine_that_answers_is_not_heard() {
    let clinic = Clinic::with(&[]).await;
    let ask = clinic.asked(&[KIM]).await;
    let away = format!("From: {JANE}\nAuto-Submitted: auto-replied\nSubject: Away\n\nsm and dm are away\n");
    clinic.send(&[&ask], &away).await.unwrap();
    clinic.send_as(clinic.jane.clone(), "", &[&ask], &format!("From: {JANE}\nSubject: x\n\ndm\n")).await.unwrap();
    assert_eq!(clinic.written_to().await, [JANE]);
}

#[tokio::test]
async fn a_question_is_repeated_after_a_day_and_returned_after_three() {
    let clinic = Clinic::with(&[]).await;
    let ask = clinic.asked(&[KIM]).await;
    let gateway = &clinic.gateway;
    for (hours, did, mails) in [(23, 0, 1), (25, 1, 2), (26, 0, 2), (71, 0, 2), (73, 1, 3), (74, 0, 3)] {
        assert_eq!(gateway.do_due_questions(later(HOUR * hours)).await.unwrap(), did, "after {hours} hours");
        assert_eq!(clinic.mails_to(JANE).await.len(), mails, "after {hours} hours");
    }
    assert_eq!(clinic.blobs(), 0, "what waited is gone");
    let refusal = clinic.write_back(&ask, "dm").await.unwrap_err();
    assert!(matches!(refusal, Refusal::Policy(words) if words.contains("its time is over")));
}

#[tokio::test]
async fn only_who_was_asked_is_heard() {
    let clinic = Clinic::with(&[]).await;
    let ask = clinic.asked(&[KIM]).await;
    let other = "From: reception@clinic.example\nSubject: Re\n\ndm\n";
    let refusal = clinic.send_as(clinic.jane.clone(), JANE, &[&ask], other).await.unwrap_err();
    assert!(matches!(refusal, Refusal::Policy(words) if words.contains("Only the address that was asked")));
    let forged = ask.replacen(&ask[10..11], if &ask[10..11] == "a" { "b" } else { "a" }, 1);
    let refusal = clinic.gateway.check_recipient(&clinic.jane, &address(&forged)).await.unwrap_err();
    assert_eq!(refusal, Refusal::NoSuchAddress, "an address that nobody made");
    let both = clinic.send(&[&ask, "bob@clinic.example"], &format!("From: {JANE}\nSubject: Re\n\ndm\n")).await;
    assert!(matches!(both.unwrap_err(), Refusal::Policy(words) if words.contains("alone")));
    assert_eq!(clinic.written_to().await, [JANE]);
}

#[tokio::test]
async fn of_two_answers_at_once_one_acts() {
    let clinic = Clinic::with(&[]).await;
    let ask = clinic.asked(&[KIM]).await;
    let (one, other) = tokio::join!(clinic.write_back(&ask, "dm"), clinic.write_back(&ask, "payer"));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    assert_eq!(clinic.mails_to(KIM).await.len(), 1);
    assert_eq!(clinic.gateway.stations().vault.grants(None, 9).await.unwrap().len(), 1);
    assert_eq!(clinic.blobs(), 1, "what the other one sealed is gone");
}

#[tokio::test]
async fn a_question_outlives_a_restart() {
    let clinic = Clinic::with(&[]).await;
    let ask = clinic.asked(&[KIM]).await;
    let clinic = clinic.restarted().await;
    clinic.write_back(&ask, "do").await.unwrap();
    assert_eq!(clinic.mails_to(KIM).await.len(), 1);
    let clinic = clinic.restarted().await;
    assert!(clinic.write_back(&ask, "do").await.is_err());
    assert_eq!(clinic.mails_to(KIM).await.len(), 1);
}

#[tokio::test]
async fn a_patient_whose_birthdate_nobody_knows_is_asked_for_it() {
    let people = "address,role,birthdate,record\npat@home.example,payer,,\nann@home.example,patient,,\n\
                  ben@home.example,patient,1971-01-02,77\n";
    let clinic = Clinic::with(&[("directory.csv", people)]).await;
    let ask = clinic.asked(&["ann@home.example", "ben@home.example"]).await;
    assert_eq!(clinic.mails_to("ben@home.example").await.len(), 1, "known to the directory");
    clinic.write_back(&ask, "1980-03-04").await.unwrap();
    assert_eq!(clinic.mails_to("ann@home.example").await.len(), 1);
    let receipt = clinic.send(&["ann@home.example"], &with_attachment("Scan", "scan.pdf", 100)).await.unwrap();
    assert_eq!((receipt.accepted, receipt.asked), (1, 0), "the invitation remembers it");
}

#[tokio::test]
async fn who_cannot_answer_is_not_asked_and_policy_can_switch_it_off() {
    let clinic = Clinic::with(&[]).await;
    let any = postern::mail::Origin::Relay { any_sender: true };
    let foreign = with_attachment("Scan", "scan.pdf", 100).replace(JANE, "his@hospital.example");
    let receipt = clinic.send_as(any.clone(), "his@hospital.example", &[KIM], &foreign).await.unwrap();
    assert_eq!((receipt.accepted, receipt.asked), (1, 0));
    assert_eq!(clinic.written_to().await, [KIM]);
    assert_eq!(clinic.gateway.do_due_status(later(HOUR)).await.unwrap(), 0, "nor told");

    let own = with_attachment("Scan", "scan.pdf", 100);
    let receipt = clinic.send_as(any, JANE, &["lee@home.example"], &own).await.unwrap();
    assert_eq!((receipt.accepted, receipt.asked), (1, 0), "who may name any sender proves none");
    let ours = postern::mail::Origin::Relay { any_sender: false };
    let receipt = clinic.send_as(ours, JANE, &["max@home.example"], &own).await.unwrap();
    assert_eq!((receipt.accepted, receipt.asked), (0, 1), "an address of ours, by a server that is trusted");

    let rule = "[[rule]]\nname = \"no questions\"\n[rule.set]\nask = false\n";
    let clinic = Clinic::with(&[("90-ask.toml", rule)]).await;
    let receipt = clinic.send(&[KIM], &with_attachment("Scan", "scan.pdf", 100)).await.unwrap();
    assert_eq!((receipt.accepted, receipt.asked), (1, 0));
}

#[tokio::test]
async fn a_text_goes_to_everybody_at_once() {
    let clinic = Clinic::with(&[]).await;
    let receipt = clinic.send(&[KIM], &format!("From: {JANE}\nSubject: x\n\nHello\n")).await.unwrap();
    assert_eq!((receipt.accepted, receipt.asked), (1, 0));
    assert_eq!(clinic.gateway.do_due_status(later(HOUR)).await.unwrap(), 0, "and leaves no record");
}
