//! What became of a message: one status mail, and the words that answer it.

use std::time::Duration;

use postern::delivery::{Outcome, Step};
use postern::gateway::{Deliveries, Refusal};
use postern::invitation::State;
use postern::store;

use super::questions::later;
use super::{Clinic, JANE, address, token, with_attachment};

const MINUTE: Duration = Duration::from_secs(60);
const DOC: &str = "wong@hospital.example";

impl Clinic {
    /// Settles everything that waits for this address.
    async fn settle(&self, whom: &str, outcome: Outcome) {
        let queue = self.gateway.stations().queue.clone();
        let deliveries = Deliveries::new(queue.clone(), self.gateway.failure_reports());
        for claim in queue.claim_due(store::now(), 1_000).await.unwrap() {
            if claim.letter.delivery.recipient.address.to_string() == whom {
                deliveries.settle(&claim, outcome, store::now()).await.unwrap();
            }
        }
    }

    /// A message with documents to a doctor elsewhere, delivered, and where words about it go.
    async fn told(&self) -> String {
        let message = with_attachment("Scan [doctor-elsewhere]", "scan.pdf", 100);
        self.send(&[DOC], &message).await.unwrap();
        self.settle(DOC, Outcome::Delivered).await;
        assert_eq!(self.gateway.do_due_status(store::now()).await.unwrap(), 1);
        token("about", self.mails_to(JANE).await.last().unwrap())
    }

    async fn last_mail(&self) -> String {
        self.mails_to(JANE).await.pop().expect("a mail to the sender")
    }
}

/// The status mail of a message to very many was longer than an entry of the queue holds, so it failed in every round, and
/// the sender never learnt what became of it.
#[tokio::test]
async fn of_very_many_recipients_those_that_matter_are_shown_and_the_mail_is_written() {
    let clinic = Clinic::with(&[]).await;
    let domain = ["a", "b", "c"].map(|letter| letter.repeat(60)).join(".");
    let people: Vec<_> = (0..250).map(|number| format!("{:x>60}@{domain}", number)).collect();
    let people: Vec<_> = people.iter().map(String::as_str).collect();
    clinic.send(&people, &with_attachment("Scan [doctor-elsewhere]", "scan.pdf", 100)).await.unwrap();
    clinic.settle(people[249], Outcome::permanent(Step::Recipient)).await;
    assert_eq!(clinic.gateway.do_due_status(later(MINUTE * 11)).await.unwrap(), 1);
    let mail = clinic.last_mail().await;
    assert!(mail.len() > 256 * 1024, "longer than an entry holds: {}", mail.len());
    let plain = mail.split("text/html").next().unwrap();
    assert_eq!(plain.matches("On its way").count(), 99, "a hundred, with the one that failed");
    assert!(mail.contains("150 more recipients are not shown"));
}

#[tokio::test]
async fn the_sender_is_told_once_when_everything_has_settled() {
    let clinic = Clinic::with(&[]).await;
    let message = with_attachment("Scan MARKER", "scan.pdf", 100);
    clinic.send(&["pat@home.example", "bob@clinic.example"], &message).await.unwrap();
    let gateway = &clinic.gateway;
    assert_eq!(gateway.do_due_status(store::now()).await.unwrap(), 0, "nothing has settled");
    clinic.settle("pat@home.example", Outcome::Delivered).await;
    assert_eq!(gateway.do_due_status(store::now()).await.unwrap(), 0, "Bob's is on its way");
    clinic.settle("bob@clinic.example", Outcome::Delivered).await;
    assert_eq!(gateway.do_due_status(store::now()).await.unwrap(), 1);
    let mails = clinic.mails_to(JANE).await;
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("Delivery successful") && mails[0].contains("pat@home.example"));
    assert!(!mails[0].contains("MARKER") && !mails[0].contains("scan.pdf"));
    for minutes in [0, 9, 11, 600] {
        assert_eq!(gateway.do_due_status(later(MINUTE * minutes)).await.unwrap(), 0, "once");
    }
}

#[tokio::test]
async fn after_ten_minutes_it_says_what_is_on_its_way() {
    let clinic = Clinic::with(&[]).await;
    clinic.send(&["pat@home.example"], &with_attachment("Scan", "scan.pdf", 100)).await.unwrap();
    assert_eq!(clinic.gateway.do_due_status(later(MINUTE * 9)).await.unwrap(), 0);
    assert_eq!(clinic.gateway.do_due_status(later(MINUTE * 11)).await.unwrap(), 1);
    let mail = clinic.last_mail().await;
    assert!(mail.contains("On its way") && !mail.contains("Delivery successful"), "{mail}");
}

#[tokio::test]
async fn a_failure_is_told_and_policy_says_whether_success_is() {
    let rule = "[[rule]]\nname = \"quiet\"\n[rule.set]\nstatus_mail = \"problems\"\n";
    let clinic = Clinic::with(&[("90-quiet.toml", rule)]).await;
    let message = with_attachment("Scan", "scan.pdf", 100);
    clinic.send(&["pat@home.example"], &message).await.unwrap();
    clinic.settle("pat@home.example", Outcome::Delivered).await;
    assert_eq!(clinic.gateway.do_due_status(later(MINUTE)).await.unwrap(), 0, "all is well");
    clinic.send(&["pat@home.example"], &message).await.unwrap();
    clinic.settle("pat@home.example", Outcome::permanent(Step::Recipient)).await;
    assert_eq!(clinic.gateway.do_due_status(later(MINUTE)).await.unwrap(), 1);
    assert!(clinic.last_mail().await.contains("Not delivered"));

    let rule = rule.replace("problems", "never");
    let clinic = Clinic::with(&[("90-never.toml", &rule)]).await;
    clinic.send(&["pat@home.example"], &message).await.unwrap();
    assert_eq!(clinic.gateway.do_due_status(later(MINUTE * 60)).await.unwrap(), 0);
}

#[tokio::test]
async fn an_answered_recipient_is_told_of_too() {
    let clinic = Clinic::with(&[]).await;
    clinic.send(&["kim@home.example"], &with_attachment("Scan", "scan.pdf", 100)).await.unwrap();
    assert_eq!(clinic.gateway.do_due_status(later(MINUTE * 60)).await.unwrap(), 0, "the question says enough");
    let ask = token("ask", &clinic.last_mail().await);
    clinic.write_back(&ask, "payer").await.unwrap();
    clinic.settle("kim@home.example", Outcome::Delivered).await;
    assert_eq!(clinic.gateway.do_due_status(store::now()).await.unwrap(), 1);
    assert!(clinic.last_mail().await.contains("Delivery successful"));
}

#[tokio::test]
async fn words_act_on_the_invitation() {
    let clinic = Clinic::with(&[]).await;
    let about = clinic.told().await;
    let stations = clinic.gateway.stations().clone();
    let contact = stations.directory.find(&address(DOC)).await.unwrap().unwrap().id;
    let state = || async { stations.guests.invitation(contact).await.unwrap().unwrap().value.life.state };
    assert_eq!(clinic.mails_to(DOC).await.len(), 0);
    clinic.write_back(&about, "remind").await.unwrap();
    assert_eq!(clinic.mails_to(DOC).await.len(), 1);
    assert!(clinic.last_mail().await.contains("reminder is on its way"));
    clinic.write_back(&about, "resend").await.unwrap();
    clinic.write_back(&about, "cancel nobody@hospital.example").await.unwrap();
    assert!(clinic.last_mail().await.contains("not understood"), "nobody of this address");
    assert!(matches!(state().await, State::Open { .. }));
    clinic.write_back(&about, &format!("cancel {DOC}")).await.unwrap();
    assert!(matches!(state().await, State::Cancelled(_)));
    let before = clinic.mails_to(JANE).await.len();
    clinic.write_back(&about, "remind").await.unwrap();
    assert!(clinic.last_mail().await.contains("resend"), "what can be done instead");
    assert_eq!(clinic.mails_to(JANE).await.len(), before + 1);
    clinic.write_back(&about, "resend").await.unwrap();
    assert!(matches!(state().await, State::Open { .. }));
}

#[tokio::test]
async fn unshare_sticks_and_history_tells_what_was() {
    let clinic = Clinic::with(&[]).await;
    let about = clinic.told().await;
    clinic.write_back(&about, "unshare").await.unwrap();
    clinic.write_back(&about, "unshare").await.unwrap();
    let grants = clinic.gateway.stations().vault.grants(None, 9).await.unwrap();
    assert!(grants[0].1.revoked.is_some());
    let history = clinic.gateway.history(grants[0].1.transaction).await.unwrap();
    let revoked = history.iter().filter(|line| line.what == postern::gateway::history::Happened::Revoked).count();
    assert_eq!(revoked, 1, "{history:?}");
    clinic.write_back(&about, "history").await.unwrap();
    let mail = clinic.last_mail().await;
    assert!(mail.contains("What happened") && mail.contains("taken back"), "{mail}");
    clinic.write_back(&about, "pending").await.unwrap();
    assert!(clinic.last_mail().await.contains("Nobody is waited for"), "a right that is taken back awaits nobody");
    clinic.write_back(&about, "what?").await.unwrap();
    assert!(clinic.last_mail().await.contains("not understood"));
}

#[tokio::test]
async fn words_of_others_are_not_heard() {
    let clinic = Clinic::with(&[]).await;
    let about = clinic.told().await;
    let other = "From: reception@clinic.example\nSubject: Re\n\nunshare\n";
    let refusal = clinic.send_as(clinic.jane.clone(), JANE, &[&about], other).await.unwrap_err();
    assert!(matches!(refusal, Refusal::Policy(_)));
    assert!(clinic.gateway.stations().vault.grants(None, 9).await.unwrap()[0].1.revoked.is_none());
}
