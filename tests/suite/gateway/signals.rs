//! What mail programs ask for beside the text: a message called back, read receipts, an end, fields of a practice system.

use std::time::Duration;

use postern::gateway::Refusal;
use postern::mail::Origin;
use postern::store;

use super::questions::later;
use super::{Clinic, JANE, token, with_attachment};

const DOC: &str = "wong@hospital.example";
const SUBJECT: &str = "Scan [doctor-elsewhere]";
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// What Outlook sends for *Recall This Message*, to a server that it does not pack it for.
fn recall(from: &str, subject: &str) -> String {
    format!(
        "From: \"Roe, Jane\" <{from}>\nTo: someone@home.example\nSubject: Recall: {subject}\nMessage-ID: <recall@clinic.example>\n\n\
         Roe, Jane would like to recall the message, \"{subject}\".\n"
    )
}

/// A message with a document and these fields.
fn with_fields(subject: &str, fields: &str) -> String {
    format!("{fields}{}", with_attachment(subject, "scan.pdf", 100))
}

impl Clinic {
    /// The text of the last mail to the sender, unfolded.
    async fn told_last(&self) -> String {
        self.mails_to(JANE).await.pop().expect("a mail to the sender").replace("=\r\n", "")
    }

    async fn revoked(&self) -> Vec<bool> {
        self.rights().await.iter().map(|(_, grant)| grant.revoked.is_some()).collect()
    }
}

#[tokio::test]
async fn a_recall_takes_the_documents_back_and_is_answered() {
    let clinic = Clinic::with(&[]).await;
    clinic.send(&[DOC, "bob@clinic.example"], &with_attachment(SUBJECT, "scan.pdf", 100)).await.unwrap();
    let before = (clinic.mails_to(DOC).await.len(), clinic.mails_to("bob@clinic.example").await.len());
    let receipt = clinic.send(&[DOC, "bob@clinic.example"], &recall(JANE, SUBJECT)).await.unwrap();
    assert_eq!(receipt.accepted, 2);
    let after = (clinic.mails_to(DOC).await.len(), clinic.mails_to("bob@clinic.example").await.len());
    assert_eq!(before, after, "the recall itself goes to nobody");
    assert_eq!(clinic.revoked().await, [true]);
    let mail = clinic.told_last().await;
    assert!(mail.contains("The documents are taken back") && mail.contains(DOC), "{mail}");
    assert!(mail.contains("Sent as ordinary mail: this cannot be taken back"), "{mail}");
    assert!(!mail.contains("Scan") && !mail.contains("scan.pdf"), "{mail}");

    let mails = clinic.mails_to(JANE).await.len();
    clinic.send(&[DOC], &recall(JANE, SUBJECT)).await.unwrap();
    assert_eq!(clinic.mails_to(JANE).await.len(), mails, "what is sent again is not done again");
}

/// Of many messages with one subject the first hundred were looked at, never the last, which a recall means.
#[tokio::test]
async fn of_very_many_the_last_one_is_meant_too() {
    let clinic = Clinic::with(&[]).await;
    let message = with_attachment(SUBJECT, "scan.pdf", 100);
    for _ in 0..101 {
        clinic.send(&["chen@hospital.example"], &message).await.unwrap();
    }
    clinic.send(&[DOC], &message).await.unwrap();
    clinic.send(&[DOC], &recall(JANE, SUBJECT)).await.unwrap();
    assert_eq!(clinic.revoked().await.iter().filter(|revoked| **revoked).count(), 1);
}

#[tokio::test]
async fn of_several_the_last_one_to_this_recipient_is_meant() {
    let clinic = Clinic::with(&[]).await;
    let message = with_attachment(SUBJECT, "scan.pdf", 100);
    for to in [DOC, DOC, "chen@hospital.example"] {
        clinic.send(&[to], &message).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    clinic.send(&[DOC], &recall(JANE, &SUBJECT.to_uppercase().replace(' ', "  "))).await.unwrap();
    let mut rights = clinic.rights().await;
    rights.sort_by_key(|(_, grant)| grant.created);
    let revoked: Vec<bool> = rights.iter().map(|(_, grant)| grant.revoked.is_some()).collect();
    assert_eq!(revoked, [false, true, false]);
}

#[tokio::test]
async fn who_waits_for_a_word_is_left_out_by_a_recall() {
    let clinic = Clinic::with(&[]).await;
    let kim = "kim@home.example";
    clinic.send(&[kim], &with_attachment("Scan", "scan.pdf", 100)).await.unwrap();
    let ask = token("ask", &clinic.told_last().await);
    clinic.send(&[kim], &recall(JANE, "Scan")).await.unwrap();
    assert!(clinic.told_last().await.contains("Left out, as you said"));
    assert!(clinic.write_back(&ask, "payer").await.is_err(), "there is no question any more");
    assert!(clinic.mails_to(kim).await.is_empty());
}

#[tokio::test]
async fn what_left_as_ordinary_mail_cannot_be_taken_back_and_the_answer_says_so() {
    let clinic = Clinic::with(&[]).await;
    let bob = "bob@clinic.example";
    clinic.send(&[bob], &with_attachment("Scan", "scan.pdf", 100)).await.unwrap();
    clinic.send(&[bob], &recall(JANE, "Scan")).await.unwrap();
    assert_eq!(clinic.mails_to(bob).await.len(), 1);
    let mail = clinic.told_last().await;
    assert!(mail.contains("Nothing could be taken back") && !mail.contains("Scan"), "{mail}");
}

/// "Recall: …" is what practices write to their patients every day.
#[tokio::test]
async fn only_the_sender_calls_back_and_only_by_a_recall() {
    let clinic = Clinic::with(&[]).await;
    clinic.send(&[DOC], &with_attachment(SUBJECT, "scan.pdf", 100)).await.unwrap();
    let others = recall("reception@clinic.example", SUBJECT);
    clinic.send_as(clinic.jane.clone(), "reception@clinic.example", &[DOC], &others).await.unwrap();
    assert_eq!(clinic.revoked().await, [false], "another's message");
    let stranger = Origin::Relay { any_sender: true };
    clinic.send_as(stranger, JANE, &[DOC], &recall(JANE, SUBJECT)).await.unwrap();
    assert_eq!(clinic.revoked().await, [false], "a server that may name any sender");
    let before = clinic.mails_to("pat@home.example").await.len();
    let checkup = format!("From: {JANE}\nSubject: Recall: your check-up is due\n\nPlease call us.\n");
    clinic.send(&["pat@home.example"], &checkup).await.unwrap();
    assert_eq!(clinic.mails_to("pat@home.example").await.len(), before + 1);
}

#[tokio::test]
async fn a_read_receipt_tells_when_documents_are_opened_and_when_they_are_not() {
    let rule = "[[rule]]\nname = \"soon\"\n[rule.set]\nunread_after = \"1h\"\n";
    let clinic = Clinic::with(&[("90-soon.toml", rule)]).await;
    let message = with_fields(SUBJECT, "Disposition-Notification-To: <jane@clinic.example>\n");
    let (opened, visit) = clinic.give(DOC, &message).await;
    let (unread, _) = clinic.give("chen@hospital.example", &message).await;
    let before = clinic.mails_to(JANE).await.len();
    clinic.gateway.parcel(&visit, opened).await.unwrap();
    let mail = clinic.told_last().await;
    assert!(mail.contains("Your message was opened") && mail.contains(DOC), "{mail}");
    assert!(!mail.contains("Scan") && !mail.contains("scan.pdf"), "{mail}");
    clinic.gateway.parcel(&visit, opened).await.unwrap();
    assert_eq!(clinic.mails_to(JANE).await.len(), before + 1, "once");

    let gateway = &clinic.gateway;
    let created = gateway.stations().vault.grant(unread).await.unwrap().unwrap().value.created;
    assert_eq!(gateway.do_due_watches(created.plus(HOUR - Duration::from_secs(1))).await.unwrap(), 0, "not yet");
    assert_eq!(gateway.do_due_watches(created.plus(HOUR)).await.unwrap(), 1);
    assert_eq!(gateway.do_due_watches(later(DAY)).await.unwrap(), 0, "once");
    let mails = clinic.mails_to(JANE).await;
    assert_eq!(mails.len(), before + 2);
    let mail = mails.last().unwrap().replace("=\r\n", "");
    assert!(mail.contains("Your message is still unread") && mail.contains("chen@hospital.example"), "{mail}");
    assert!(!mail.contains(DOC), "Wong has read it: {mail}");
    for letter in clinic.mails_to(DOC).await {
        assert!(!letter.contains("Disposition-Notification"), "{letter}");
    }
}

#[tokio::test]
async fn unread_is_told_after_the_time_of_the_tag_and_opened_is_not() {
    let clinic = Clinic::with(&[]).await;
    let message = with_attachment(&format!("{SUBJECT} [unread 1d]"), "scan.pdf", 100);
    let (grant, visit) = clinic.give(DOC, &message).await;
    clinic.give("chen@hospital.example", &message).await;
    let before = clinic.mails_to(JANE).await.len();
    clinic.gateway.parcel(&visit, grant).await.unwrap();
    assert_eq!(clinic.mails_to(JANE).await.len(), before, "only [unread] was asked for");
    assert_eq!(clinic.gateway.do_due_watches(later(DAY + Duration::from_secs(60))).await.unwrap(), 1, "Chen's");
    for (_, letter) in clinic.letters().await {
        assert!(!letter.contains("[unread"), "{letter}");
    }
}

#[tokio::test]
async fn what_was_taken_back_is_not_waited_for() {
    let clinic = Clinic::with(&[]).await;
    clinic.give(DOC, &with_attachment(&format!("{SUBJECT} [unread 1d]"), "scan.pdf", 100)).await;
    let (id, _) = clinic.rights().await.remove(0);
    clinic.gateway.stations().vault.revoke(id, store::now()).await.unwrap();
    assert_eq!(clinic.gateway.do_due_watches(later(DAY * 2)).await.unwrap(), 0);
    assert!(clinic.gateway.do_ended(later(DAY * 400)).await.unwrap() > 0);
}

#[tokio::test]
async fn an_end_that_the_program_gives_ends_link_and_documents() {
    let clinic = Clinic::with(&[]).await;
    let fields = "Date: Mon, 2 Nov 2026 09:00:00 +0000\nExpiry-Date: Wed, 4 Nov 2026 09:00:00 +0000\n";
    clinic.send(&["pat@home.example"], &with_fields("Scan", fields)).await.unwrap();
    let (_, grant) = clinic.rights().await.remove(0);
    assert_eq!(grant.keep_until.since(grant.created), DAY * 2);
    assert_eq!(grant.link_until.since(grant.created), DAY * 2);
}

#[tokio::test]
async fn a_practice_system_says_in_fields_what_staff_say_in_tags() {
    let clinic = Clinic::with(&[]).await;
    let fields =
        "X-Postern-Keep: 14d\nX-Postern-Role: doctor-elsewhere\nX-Postern-Type: invoice\nX-Postern-Plain: no\n";
    let message = with_fields("Scan", fields);
    let server = Origin::Relay { any_sender: false };
    let receipt = clinic.send_as(server, JANE, &[DOC, "bob@clinic.example"], &message).await.unwrap();
    assert_eq!((receipt.accepted, receipt.asked), (2, 0));
    let (_, grant) = clinic.rights().await.remove(0);
    assert_eq!(grant.held.expect("an invitation").keep, DAY * 14);
    for (to, letter) in clinic.letters().await {
        assert!(!letter.to_lowercase().contains("x-postern"), "{to}: {letter}");
    }
    let stranger = Origin::Relay { any_sender: true };
    let dangerous = with_fields("Scan", "X-Postern-Plain: yes\nX-Postern-Nonsense: yes\n");
    clinic.send_as(stranger, JANE, &[DOC], &dangerous).await.expect("not heard, and no fault");
    assert!(clinic.mails_to(DOC).await.iter().all(|letter| !letter.contains("QUJDREVG")), "not as plain mail");
    let unknown = with_fields("Scan", "X-Postern-Nonsense: yes\n");
    let Refusal::NotUnderstood(defect) = clinic.send(&[DOC], &unknown).await.unwrap_err() else { panic!() };
    assert_eq!(defect.word, "own-field");
}

#[tokio::test]
async fn documents_stand_in_the_order_of_their_types_and_give_the_subject() {
    let rule = "[[rule]]\nname = \"discreet\"\n[rule.set]\nsubject = \"type\"\n";
    let clinic = Clinic::with(&[("90-discreet.toml", rule)]).await;
    let document = |name: &str| format!("--b\nContent-Type: application/pdf; name=\"{name}\"\n\n%PDF-1.4\n");
    let message = |subject: &str, names: &[&str]| {
        let documents: String = names.iter().map(|name| document(name)).collect();
        format!(
            "From: {JANE}\nSubject: {subject}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
             --b\n\nPlease see.\n{documents}--b--\n"
        )
    };
    let both = message("MARKER for Jane Citizen", &["notes.pdf", "invoice 7.pdf", "Referral Citizen.pdf"]);
    clinic.send(&["pat@home.example"], &both).await.unwrap();
    let (_, content) = clinic.granted().await;
    let names: Vec<_> = content.deposits.iter().map(|deposit| deposit.name.as_str()).collect();
    assert_eq!(names, ["Referral Citizen.pdf", "invoice 7.pdf", "notes.pdf", "message.txt"]);
    assert_eq!(content.subject, "MARKER for Jane Citizen", "the portal shows it");
    clinic.send(&["pat@home.example"], &message("MARKER", &["invoice 7.pdf", "invoice 8.pdf"])).await.unwrap();
    clinic.send(&["pat@home.example"], &message("MARKER [type referral]", &["x.pdf"])).await.unwrap();
    let letters = clinic.mails_to("pat@home.example").await;
    let subjects = ["3 documents for you", "Invoice", "Referral"];
    for (letter, subject) in letters.iter().zip(subjects) {
        assert!(letter.contains(&format!("Subject: {subject}\r\n")) && !letter.contains("MARKER"), "{letter}");
    }
    let Refusal::Policy(words) =
        clinic.send(&["pat@home.example"], &message("[type x]", &["x.pdf"])).await.unwrap_err()
    else {
        panic!()
    };
    assert!(words.contains("invoice"), "{words}");
}
