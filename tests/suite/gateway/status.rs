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
    pub async fn settle(&self, whom: &str, outcome: Outcome) {
        let queue = self.gateway.stations().queue.clone();
        let deliveries = Deliveries::new(queue.clone(), self.gateway.failure_reports());
        for claim in queue.claim_due(store::now(), 100).await.unwrap() {
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
    assert_eq!(clinic.gateway.do_due_status(later(MINUTE * 20)).await.unwrap(), 0);
    clinic.settle("pat@home.example", Outcome::permanent(Step::Recipient)).await;
    assert_eq!(
        clinic.gateway.do_due_status(later(MINUTE * 21)).await.unwrap(),
        1,
        "never of success, always of a loss"
    );
    assert!(clinic.last_mail().await.contains("Not delivered"));
    assert_eq!(clinic.gateway.do_due_status(later(MINUTE * 22)).await.unwrap(), 0, "once");
}

/// A letter that was given up days after the status mail had said "on its way" was told of nowhere.
#[tokio::test]
async fn a_failure_after_the_status_mail_is_told() {
    let clinic = Clinic::with(&[]).await;
    clinic.send(&["pat@home.example"], &with_attachment("Scan", "scan.pdf", 100)).await.unwrap();
    assert_eq!(clinic.gateway.do_due_status(later(MINUTE * 11)).await.unwrap(), 1);
    clinic.settle("pat@home.example", Outcome::permanent(Step::Recipient)).await;
    assert_eq!(clinic.gateway.do_due_status(later(MINUTE * 12)).await.unwrap(), 1);
    assert!(clinic.last_mail().await.contains("was not delivered"));
    assert_eq!(clinic.gateway.do_due_status(later(MINUTE * 13)).await.unwrap(), 0, "once");
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

/// A recipient who had waited, and whose rule told of problems only, kept the sender from hearing of the others.
#[tokio::test]
async fn who_waited_does_not_keep_the_others_from_being_told_of() {
    let rule = "[[rule]]\nname = \"quiet\"\n[rule.when]\nrecipient_role = \"staff-elsewhere\"\n[rule.set]\nstatus_mail = \"problems\"\n";
    let clinic = Clinic::with(&[("90-quiet.toml", rule)]).await;
    clinic.send(&["pat@home.example", "kim@home.example"], &with_attachment("Scan", "scan.pdf", 100)).await.unwrap();
    let ask = token("ask", &clinic.last_mail().await);
    clinic.write_back(&ask, "so").await.unwrap();
    for whom in ["pat@home.example", "kim@home.example"] {
        clinic.settle(whom, Outcome::Delivered).await;
    }
    assert_eq!(clinic.gateway.do_due_status(later(MINUTE)).await.unwrap(), 1);
    assert!(clinic.last_mail().await.contains("Delivery successful"));
}

/// `cancel` about a message took back the invitation that a colleague had made for the same person.
#[tokio::test]
async fn an_invitation_is_changed_by_its_own_message_only() {
    let clinic = Clinic::with(&[]).await;
    let about = clinic.told().await;
    let theirs = with_attachment("Scan", "scan.pdf", 100).replace(JANE, "reception@clinic.example");
    clinic.send_as(clinic.jane.clone(), "reception@clinic.example", &[DOC], &theirs).await.unwrap();
    clinic.settle(DOC, Outcome::Delivered).await;
    clinic.gateway.do_due_status(store::now()).await.unwrap();
    let other = token("about", clinic.mails_to("reception@clinic.example").await.last().unwrap());
    let stations = clinic.gateway.stations();
    let contact = stations.directory.find(&address(DOC)).await.unwrap().unwrap().id;
    let before = stations.guests.invitation(contact).await.unwrap().unwrap();
    for word in ["cancel", "remind", "resend", "resend 1980-03-04"] {
        let answer = format!("From: reception@clinic.example\nTo: {other}\nSubject: Re\n\n{word}\n");
        clinic.send_as(clinic.jane.clone(), JANE, &[&other], &answer).await.unwrap();
        let told = clinic.mails_to("reception@clinic.example").await.pop().unwrap().replace("=\r\n", "");
        assert!(told.contains("invited with another message"), "{word}: {told}");
        assert_eq!(stations.guests.invitation(contact).await.unwrap().unwrap().version, before.version, "{word}");
    }
    assert!(clinic.mails_to(DOC).await.is_empty(), "nobody is reminded");
    // The one who invited may, also about another message of theirs.
    clinic.send(&[DOC], &with_attachment("Scan", "scan.pdf", 100)).await.unwrap();
    clinic.settle(DOC, Outcome::Delivered).await;
    clinic.gateway.do_due_status(store::now()).await.unwrap();
    let second = token("about", &clinic.last_mail().await);
    assert_ne!(second, about);
    clinic.write_back(&second, "cancel").await.unwrap();
    let state = stations.guests.invitation(contact).await.unwrap().unwrap().value.life.state;
    assert!(matches!(state, State::Cancelled(_)), "{state:?}");
}

/// One patient's birthdate was corrected in answer to a message about another at the same address.
#[tokio::test]
async fn a_patients_invitation_is_changed_by_a_message_about_that_patient_only() {
    const ANN: &str = "ann@home.example";
    let clinic = Clinic::with(&[]).await;
    let mut abouts = Vec::new();
    for tag in
        ["[patient Ann Citizen 1980-03-04]", "[patient Tim Citizen 2015-06-07]", "[patient Ann Citizen 1980-03-04]"]
    {
        clinic.send(&[ANN], &with_attachment(&format!("Scan {tag}"), "scan.pdf", 100)).await.unwrap();
        clinic.settle(ANN, Outcome::Delivered).await;
        clinic.gateway.do_due_status(store::now()).await.unwrap();
        abouts.push(token("about", &clinic.last_mail().await));
    }
    let stations = clinic.gateway.stations();
    let contact = stations.directory.find(&address(ANN)).await.unwrap().unwrap().id;
    let birthdate = async || stations.guests.invitation(contact).await.unwrap().unwrap().value.birthdate.unwrap();
    clinic.write_back(&abouts[1], "resend 2015-06-08").await.unwrap();
    assert_eq!(birthdate().await, "1980-03-04");
    for (about, date) in [(&abouts[2], "1980-03-05"), (&abouts[0], "1980-03-06")] {
        clinic.write_back(about, &format!("resend {date}")).await.unwrap();
        assert_eq!(birthdate().await, date);
    }
}

/// An address that was mistyped was passed over, and the order meant everybody.
#[tokio::test]
async fn an_order_with_something_else_behind_it_is_no_order() {
    let clinic = Clinic::with(&[]).await;
    let about = clinic.told().await;
    for line in [
        "cancel wong@hospital,example",
        "cancel Wong",
        "unshare one@hospital.example",
        "unshare wong@hospital.example not",
    ] {
        clinic.write_back(&about, line).await.unwrap();
        let told = clinic.last_mail().await.replace("=\r\n", "");
        assert!(told.contains("was not carried out"), "{line}: {told}");
    }
    let stations = clinic.gateway.stations();
    assert!(stations.vault.grants(None, 9).await.unwrap()[0].1.revoked.is_none());
    let contact = stations.directory.find(&address(DOC)).await.unwrap().unwrap().id;
    let state = stations.guests.invitation(contact).await.unwrap().unwrap().value.life.state;
    assert!(matches!(state, State::Open { .. }));
}

/// An order for several was carried out one by one; what came again, because its reply was lost, was done again.
#[tokio::test]
async fn an_order_is_carried_out_for_all_at_once_and_once() {
    let clinic = Clinic::with(&[]).await;
    let both = [DOC, "lee@hospital.example"];
    clinic.send(&both, &with_attachment("Scan [doctor-elsewhere]", "scan.pdf", 100)).await.unwrap();
    for whom in both {
        clinic.settle(whom, Outcome::Delivered).await;
    }
    assert_eq!(clinic.gateway.do_due_status(store::now()).await.unwrap(), 1);
    let about = token("about", &clinic.last_mail().await);
    let mails = async || (clinic.mails_to(DOC).await.len(), clinic.mails_to(both[1]).await.len());
    let order = |id: &str, word: &str| format!("From: {JANE}\nSubject: Re\nMessage-ID: <{id}@pc.example>\n\n{word}\n");
    let told = clinic.mails_to(JANE).await.len();
    for _ in 0..3 {
        clinic.send(&[&about], &order("1", "remind")).await.unwrap();
        assert_eq!((mails().await, clinic.mails_to(JANE).await.len()), ((1, 1), told + 1));
    }
    let (one, other) = (order("2", "remind"), order("2", "remind"));
    let to = [about.as_str()];
    let (one, other) = tokio::join!(clinic.send(&to, &one), clinic.send(&to, &other));
    assert!(one.is_ok() && other.is_ok());
    assert_eq!((mails().await, clinic.mails_to(JANE).await.len()), ((2, 2), told + 2));

    clinic.send(&[&about], &order("3", "cancel")).await.unwrap();
    let done =
        clinic.mails_to(JANE).await.into_iter().find(|mail| mail.contains("The invitation is cancelled")).unwrap();
    assert!(done.contains("resend"), "as it stands now: {done}");
    assert!(!done.contains("not registered yet"), "{done}");
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
