//! Workgroups: what comes for their address, who sends as it, who reads it, and who does not any more.

use std::time::Duration;

use postern::accounts::NewStaff;
use postern::gateway::Refusal;
use postern::gateway::staff_mail::StaffMail;
use postern::mail::Origin;
use postern::mailbox::{FlagChange, FlagSet, MailboxError, MailboxName, View};
use postern::secret::Secret;
use postern::store;

use super::{practice, whole};
use crate::gateway::{Clinic, JANE, address, token};

const DESK: &str = "desk@clinic.example";

/// A clinic with a workgroup: nurses read, the front writes, Jane and Ann send.
async fn clinic(staff_mail: &str) -> Clinic {
    Clinic::with(&[("practices/example-clinic.toml", &(practice(staff_mail) + GROUP))]).await
}

const GROUP: &str = r#"
[[workgroup]]
name = "Desk"
address = "desk@clinic.example"
read = "nurses"
write = "front"
send = ["jane@clinic.example", "lead"]
"#;

/// A message of Jane's or somebody else's as the workgroup.
fn as_desk(id: &str) -> String {
    format!(
        "From: {DESK}\nTo: pat@home.example\nSubject: Scan\nMessage-ID: <{id}@clinic.example>\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee the scan.\n\
         --b\nContent-Type: application/pdf; name=\"scan.pdf\"\nContent-Transfer-Encoding: base64\n\n\
         JVBERi0xLjQKJcOkw7zDtsOfCg==\n--b--\n"
    )
}

fn name(text: &str) -> MailboxName {
    MailboxName::parse(text).unwrap()
}

impl Clinic {
    /// Somebody of this staff group.
    async fn member(&self, who: &str, group: &str) -> Origin {
        let new = NewStaff {
            address: address(who),
            name: Some("Ann Lee".into()),
            practice: None,
            groups: vec![group.to_owned()],
            delegated: Vec::new(),
            admin: false,
            initial: false,
        };
        let accounts = &self.gateway.stations().accounts;
        let id = accounts.add(new, &Secret::new("nine teapots in a row".into()), store::now()).await.unwrap();
        Origin::Staff { id, address: address(who) }
    }

    async fn write_policy(&self, text: &str) {
        let file = self.folder.path().join("policies/practices/example-clinic.toml");
        std::fs::write(file, text).unwrap();
        let policies = &self.gateway.stations().policies;
        policies.reload();
        assert!(policies.broken().is_none(), "{}", policies.broken().unwrap());
    }

    async fn view_of(&self, mail: &StaffMail, mailbox: &str) -> View {
        mail.open(mail.find(&name(mailbox)).await.unwrap()).await.unwrap().view().await.unwrap()
    }

    async fn mails_to_desk(&self) -> usize {
        self.letters().await.iter().filter(|(to, _)| to == DESK).count()
    }

    /// A guest's answer to a message that Jane sends as the workgroup.
    async fn guest_answers_desk(&self) {
        let (grant, visit) = self.give("pat@home.example", &as_desk("first")).await;
        let reply = self.begin(&visit, grant, "Thank you.").await;
        self.gateway.send_reply(&visit, reply).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_guests_reply_lies_in_the_workgroups_inbox_for_all_who_read_it() {
    for (staff_mail, mails) in [("both", 1), ("inbox", 0)] {
        let clinic = clinic(staff_mail).await;
        let nurse = clinic.member("ann@clinic.example", "nurses").await;
        let (jane, ann) =
            (clinic.gateway.open_mail(&clinic.jane).await.unwrap(), clinic.gateway.open_mail(&nurse).await.unwrap());
        clinic.guest_answers_desk().await;
        for mail in [&jane, &ann] {
            let view = clinic.view_of(mail, "Workgroups/Desk/INBOX").await;
            assert_eq!(view.len(), 1, "{staff_mail}");
            let content = mail.content(view.row(0).unwrap()).await.unwrap();
            assert!(content.preview().contains("Thank you."));
            assert_eq!(clinic.view_of(mail, "INBOX").await.len(), 0, "it is the group's, not one's own");
        }
        assert_eq!(clinic.mails_to_desk().await, mails, "{staff_mail}");
    }
}

#[tokio::test]
async fn until_a_member_has_signed_in_it_comes_by_mail() {
    let clinic = clinic("inbox").await;
    clinic.guest_answers_desk().await;
    assert_eq!(clinic.mails_to_desk().await, 1);
}

#[tokio::test]
async fn who_may_send_as_it_does_and_both_find_it_in_sent() {
    let clinic = clinic("inbox").await;
    let lead = clinic.member("ann@clinic.example", "lead").await;
    for (who, group) in [("bea@clinic.example", "front"), ("cy@clinic.example", "nurses"), ("di@clinic.example", "")] {
        let other = clinic.member(who, group).await;
        let refused = clinic.send_as(other, who, &["pat@home.example"], &as_desk("no")).await;
        assert!(matches!(refused, Err(Refusal::NotYourAddress { field: "From" })), "{who}");
    }
    let ann = clinic.gateway.open_mail(&lead).await.unwrap();
    let before = clinic.blobs();
    clinic.send_as(lead.clone(), DESK, &["pat@home.example"], &as_desk("yes")).await.unwrap();
    let written = as_desk("yes").replace('\n', "\r\n").into_bytes();
    for place in ["Workgroups/Desk/Sent", "Sent"] {
        let view = clinic.view_of(&ann, place).await;
        assert_eq!((view.len(), view.unseen()), (1, 0), "{place}");
        let content = ann.content(view.row(0).unwrap()).await.unwrap();
        assert_eq!(whole(&ann, &content).await, written, "{place}");
        // What the member's mail program appends is no second one, in either.
        let mut new = ann.begin_append();
        new.write(&written).await.unwrap();
        ann.append(view.id(), new, &FlagSet::default(), None).await.unwrap();
        assert_eq!(clinic.view_of(&ann, place).await.len(), 1, "{place}");
    }
    assert_eq!(clinic.blobs() - before, 0, "small octets lie in a record, once");
    // As one's own address it is one's own.
    let own = as_desk("own").replace(DESK, "ann@clinic.example");
    clinic.send_as(lead, "ann@clinic.example", &["pat@home.example"], &own).await.unwrap();
    assert_eq!(clinic.view_of(&ann, "Workgroups/Desk/Sent").await.len(), 1);
    assert_eq!(clinic.view_of(&ann, "Sent").await.len(), 2);
}

#[tokio::test]
async fn its_secured_message_leaves_it_only_when_its_documents_have_ended() {
    let clinic = clinic("inbox").await;
    let jane = clinic.gateway.open_mail(&clinic.jane).await.unwrap();
    clinic.send_as(clinic.jane.clone(), DESK, &["pat@home.example"], &as_desk("yes")).await.unwrap();
    let (sent, trash) = (clinic.view_of(&jane, "Workgroups/Desk/Sent").await, clinic.view_of(&jane, "Trash").await);
    let all = sent.rows().map(|row| row.uid).collect();
    assert!(matches!(jane.copy(sent.id(), &all, trash.id()).await, Err(MailboxError::Bound)));
    assert!(matches!(jane.mv(sent.id(), &all, trash.id()).await, Err(MailboxError::Bound)));
    let month = store::now().plus(Duration::from_secs(30 * 86_400));
    clinic.gateway.do_ended(month).await.unwrap();
    let ended = clinic.view_of(&jane, "Workgroups/Desk/Sent").await;
    let content = jane.content(ended.row(0).unwrap()).await.unwrap();
    let text = String::from_utf8(whole(&jane, &content).await).unwrap();
    assert!(text.contains("See the scan.") && text.contains("[scan.pdf, ") && !text.contains("JVBER"), "{text}");
    let moved = jane.mv(sent.id(), &ended.rows().map(|row| row.uid).collect(), trash.id()).await.unwrap();
    assert_eq!((moved.from.len(), clinic.view_of(&jane, "Workgroups/Desk/Sent").await.len()), (1, 0));
    let trashed = clinic.view_of(&jane, "Trash").await;
    let content = jane.content(trashed.row(0).unwrap()).await.unwrap();
    assert_eq!(whole(&jane, &content).await, text.as_bytes());
    // The last row takes the octets along, whoever's it is.
    let mut deleted = FlagSet::default();
    deleted.add("\\Deleted").unwrap();
    let uids = trashed.rows().map(|row| row.uid).collect();
    jane.set_flags(trash.id(), &uids, &FlagChange::Add(deleted), None).await.unwrap();
    jane.expunge(trash.id(), None).await.unwrap();
    assert!(matches!(jane.content(trashed.row(0).unwrap()).await, Err(MailboxError::Expunged)));
}

#[tokio::test]
async fn a_question_is_the_workgroups_and_who_may_send_answers_it() {
    let clinic = clinic("inbox").await;
    let nurse = clinic.member("cy@clinic.example", "nurses").await;
    let front = clinic.member("bea@clinic.example", "front").await;
    let jane = clinic.gateway.open_mail(&clinic.jane).await.unwrap();
    let to_kim = as_desk("asked").replace("pat@home", "kim@home");
    let receipt = clinic.send_as(clinic.jane.clone(), DESK, &["kim@home.example"], &to_kim).await.unwrap();
    assert_eq!(receipt.asked, 1);
    let inbox = clinic.view_of(&jane, "Workgroups/Desk/INBOX").await;
    let content = jane.content(inbox.row(0).unwrap()).await.unwrap();
    let ask = token("ask", &String::from_utf8(whole(&jane, &content).await).unwrap());
    let answer = |from: &str| format!("From: {from}\nTo: {ask}\nSubject: Re: Who is this?\n\npayer\n");
    for (origin, from) in [(nurse, "cy@clinic.example"), (front, "bea@clinic.example")] {
        let refused = clinic.send_as(origin, from, &[&ask], &answer(from)).await;
        assert!(matches!(refused, Err(Refusal::Policy(_))), "{from} may not speak for it");
    }
    // A mail program answers as its owner.
    clinic.send(&[&ask], &answer(JANE)).await.unwrap();
    assert_eq!(clinic.letters().await.iter().filter(|(to, _)| to == "kim@home.example").count(), 1);
}

#[tokio::test]
async fn a_right_lasts_as_long_as_the_policy_gives_it_and_the_mail_is_kept() {
    let clinic = clinic("inbox").await;
    let nurse = clinic.member("ann@clinic.example", "nurses").await;
    let ann = clinic.gateway.open_mail(&nurse).await.unwrap();
    clinic.guest_answers_desk().await;
    let inbox = clinic.view_of(&ann, "Workgroups/Desk/INBOX").await;
    let (id, all) = (inbox.id(), inbox.rows().map(|row| row.uid).collect());
    let seen = || FlagChange::Add(FlagSet::default());
    assert!(matches!(ann.set_flags(id, &all, &seen(), None).await, Err(MailboxError::Denied)));
    assert!(matches!(ann.expunge(id, None).await, Err(MailboxError::Denied)));
    // From now on nurses write.
    clinic.write_policy(&(practice("inbox") + &GROUP.replace("\"front\"", "\"nurses\""))).await;
    ann.set_flags(id, &all, &seen(), None).await.unwrap();
    // From now on they are nobody here, and the group is called otherwise.
    let without = GROUP.replace("nurses", "x").replace("\"Desk\"", "\"Front desk\"");
    clinic.write_policy(&(practice("inbox") + &without)).await;
    assert!(matches!(ann.set_flags(id, &all, &seen(), None).await, Err(MailboxError::Missing)));
    assert!(matches!(ann.open(id).await, Err(MailboxError::Missing)));
    assert!(matches!(ann.status(id).await, Err(MailboxError::Missing)));
    assert!(ann.list().await.unwrap().iter().all(|line| !line.name.as_str().starts_with("Workgroups")));
    let jane = clinic.gateway.open_mail(&clinic.jane).await.unwrap();
    assert_eq!(clinic.view_of(&jane, "Workgroups/Front desk/INBOX").await.id(), id);
    // Without the group nobody reads it; with the group again its members do.
    clinic.write_policy(&practice("inbox")).await;
    assert!(matches!(jane.find(&name("Workgroups/Front desk/INBOX")).await, Err(MailboxError::Missing)));
    assert!(matches!(jane.open(id).await, Err(MailboxError::Missing)));
    clinic.write_policy(&(practice("inbox") + GROUP)).await;
    assert_eq!(clinic.view_of(&ann, "Workgroups/Desk/INBOX").await.len(), 1);
}

#[tokio::test]
async fn what_goes_both_ways_at_once_waits_for_nobody_for_ever() {
    let clinic = clinic("inbox").await;
    let jane = clinic.gateway.open_mail(&clinic.jane).await.unwrap();
    let places = [clinic.view_of(&jane, "INBOX").await.id(), clinic.view_of(&jane, "Workgroups/Desk/INBOX").await.id()];
    for place in places {
        let mut new = jane.begin_append();
        new.write(b"Subject: a\r\n\r\nx\r\n").await.unwrap();
        jane.append(place, new, &FlagSet::default(), None).await.unwrap();
    }
    let one = [1].into_iter().collect();
    let there = async {
        for _ in 0..20 {
            jane.copy(places[0], &one, places[1]).await.unwrap();
        }
    };
    let back = async {
        for _ in 0..20 {
            jane.copy(places[1], &one, places[0]).await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(60), async { tokio::join!(there, back) }).await.unwrap();
    for place in ["INBOX", "Workgroups/Desk/INBOX"] {
        assert_eq!(clinic.view_of(&jane, place).await.len(), 21);
    }
}

/// Of two owners who deleted mailboxes with the same octets at once one was told to try again.
#[tokio::test(flavor = "multi_thread")]
async fn two_owners_delete_mailboxes_with_the_same_octets_at_once() {
    let clinic = clinic("inbox").await;
    let mail = clinic.gateway.open_mail(&clinic.jane).await.unwrap();
    for round in 0..20 {
        let (own, theirs) = (name(&format!("Own {round}")), name(&format!("Workgroups/Desk/Theirs {round}")));
        let (own_id, theirs_id) = (mail.create(&own, None).await.unwrap(), mail.create(&theirs, None).await.unwrap());
        for _ in 0..10 {
            let mut new = mail.begin_append();
            new.write(b"Subject: a\r\n\r\nb").await.unwrap();
            mail.append(own_id, new, &FlagSet::default(), None).await.unwrap();
        }
        mail.copy(own_id, &(1..=10).collect(), theirs_id).await.unwrap();
        let (mine, other) = (mail.clone(), mail.clone());
        let one = tokio::spawn(async move { mine.delete(&own).await });
        let two = tokio::spawn(async move { other.delete(&theirs).await });
        assert!(matches!((one.await.unwrap(), two.await.unwrap()), (Ok(()), Ok(()))), "round {round}");
    }
}
