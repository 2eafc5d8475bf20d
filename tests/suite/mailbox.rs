//! The mail of staff: what arrives in it, and that nothing of it is lost by a crash.

use std::time::Duration;

use postern::anatomy::{Needle, Section, SectionText, Wanted};
use postern::gateway::staff_mail::{Binary, Piece, StaffMail};
use postern::id::{BlobId, GrantId, Id};
use postern::mail::Origin;
use postern::mailbox::{FlagSet, MailContent, MailboxError, MailboxName, View};
use postern::store::Table;

use super::gateway::{Clinic, JANE, token};
use super::parcels::{PATIENT, message};

mod crash;
mod workgroups;

const DOCUMENT: [(&str, &str, &[u8]); 1] = [("scan.pdf", "application/pdf", b"%PDF-1.7\nx")];

/// The practice of the shipped policies, with this last line.
fn practice(staff_mail: &str) -> String {
    let shipped = include_str!("../../policies/practices/example-clinic.toml");
    format!("{shipped}\nstaff_mail = \"{staff_mail}\"\n")
}

impl Clinic {
    async fn mail(&self) -> StaffMail {
        self.gateway.open_mail(&self.jane).await.unwrap()
    }

    /// Jane's Inbox, message by message.
    async fn inbox(&self) -> (StaffMail, View, Vec<MailContent>) {
        let mail = self.mail().await;
        let inbox = mail.find(&MailboxName::inbox()).await.unwrap();
        let view = mail.open(inbox).await.unwrap().view().await.unwrap();
        let mut contents = Vec::new();
        for row in view.rows() {
            contents.push(mail.content(row).await.unwrap());
        }
        (mail, view, contents)
    }

    async fn guest_replies(&self, files: &[(&str, &[u8])]) -> GrantId {
        let (grant, visit) = self.give("jane@home.example", &message(PATIENT, "x", &DOCUMENT)).await;
        let mut reply = self.begin(&visit, grant, "Thank you.\r\nIt hurts.").await;
        for (name, octets) in files {
            self.gateway.begin_attachment(&mut reply, name, "application/octet-stream").await.unwrap().unwrap();
            self.gateway.write_attachment(&mut reply, octets).await.unwrap().unwrap();
        }
        self.gateway.send_reply(&visit, reply).await.unwrap().unwrap();
        grant
    }

    async fn mails_to_jane(&self) -> usize {
        self.letters().await.iter().filter(|(to, _)| to == JANE).count()
    }
}

async fn whole(mail: &StaffMail, content: &MailContent) -> Vec<u8> {
    mail.octets(content, 0..u64::MAX).await.unwrap().collect().await.unwrap()
}

#[tokio::test]
async fn a_guests_reply_lies_in_the_inbox_and_comes_by_mail() {
    let clinic = Clinic::with(&[]).await;
    let before = clinic.inbox().await.1;
    assert!(before.is_empty());
    clinic.guest_replies(&[("photo.jpg", b"\xff\xd8\xff")]).await;
    let (mail, view, contents) = clinic.inbox().await;
    assert_eq!((view.len(), clinic.mails_to_jane().await), (1, 1));
    assert!(contents[0].preview().contains("Thank you. It hurts."), "{}", contents[0].preview());
    let octets = whole(&mail, &contents[0]).await;
    let by_mail = clinic.letters().await.into_iter().find(|(to, _)| to == JANE);
    assert!(by_mail.is_none_or(|(_, text)| text.into_bytes() == octets), "one composed message for both");
    let (row, anatomy) = (view.row(0).unwrap(), contents[0].anatomy());
    assert_eq!((row.octets, anatomy.octets), (octets.len() as u64, octets.len() as u64));
    let Binary::Octets(mut photo) = mail.binary(&contents[0], &[2]).await.unwrap() else { panic!("the second part") };
    assert_eq!(photo.next().await.unwrap().unwrap().as_ref(), b"\xff\xd8\xff");
    assert_eq!(mail.binary_size(&contents[0], &[2]).await.unwrap(), Some(3));
    assert_eq!(mail.binary_size(&contents[0], &[7]).await.unwrap(), None);
    for (wanted, found) in [
        (Wanted::Header("Subject".into(), Needle::new("letter")), true),
        (Wanted::Header("Subject".into(), Needle::new("hurts")), false),
        (Wanted::Body(Needle::new("IT HURTS")), true),
        (Wanted::Body(Needle::new("Re: Letter")), false),
        (Wanted::Text(Needle::new("Re: Letter")), true),
    ] {
        assert_eq!(mail.matches(&contents[0], &[wanted]).await.unwrap(), [found]);
    }
    let section = |part: &[u32], text| Section { part: part.to_vec(), text };
    let names = vec!["subject".to_owned()];
    let fields = section(&[], SectionText::Fields { names, except: false });
    let Some(Piece::Made(subject)) = mail.sought(&contents[0], &fields).await.unwrap() else { panic!("made") };
    assert_eq!(subject.as_ref(), b"Subject: Re: Letter\r\n\r\n");
    let Some(Piece::Octets(range)) = mail.sought(&contents[0], &section(&[1], SectionText::Whole)).await.unwrap()
    else {
        panic!("octets")
    };
    let part = mail.octets(&contents[0], range).await.unwrap().collect().await.unwrap();
    assert!(String::from_utf8_lossy(&part).contains("It hurts."));
    assert!(mail.sought(&contents[0], &section(&[9], SectionText::Whole)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_large_reply_is_kept_once_for_inbox_and_mail() {
    let clinic = Clinic::with(&[]).await;
    clinic.mail().await;
    let photo: Vec<u8> = (0..600_000_u32).map(|at| (at * 31 % 251) as u8).collect();
    let before = clinic.blobs();
    clinic.guest_replies(&[("photo.jpg", &photo)]).await;
    assert_eq!(clinic.blobs() - before, 2, "the attachment of the conversation, and the message");
    let (mail, view, contents) = clinic.inbox().await;
    let octets = whole(&mail, &contents[0]).await;
    let letters = clinic.letters().await;
    assert!(letters.iter().any(|(to, text)| to == JANE && text.as_bytes() == octets));
    assert_eq!(mail.binary_size(&contents[0], &[2]).await.unwrap(), Some(600_000));
    // Expunged, it is still on its way by mail.
    let all = view.rows().map(|row| row.uid).collect();
    let mut deleted = FlagSet::default();
    deleted.add("\\Deleted").unwrap();
    mail.set_flags(view.id(), &all, &postern::mailbox::FlagChange::Add(deleted), None).await.unwrap();
    mail.expunge(view.id(), None).await.unwrap();
    assert!(matches!(mail.content(view.row(0).unwrap()).await, Err(MailboxError::Expunged)));
    assert_eq!(clinic.blobs() - before, 2);
}

#[tokio::test]
async fn the_practice_says_where_it_goes_once_somebody_reads_here() {
    for (staff_mail, signed_in, inbox, mails) in [
        ("inbox", true, 1, 0),
        ("inbox", false, 0, 1),
        ("mail", true, 0, 1),
        ("both", true, 1, 1),
        ("both", false, 0, 1),
    ] {
        let clinic = Clinic::with(&[("practices/example-clinic.toml", &practice(staff_mail))]).await;
        if signed_in {
            clinic.mail().await;
        }
        clinic.guest_replies(&[]).await;
        assert_eq!(clinic.mails_to_jane().await, mails, "{staff_mail} {signed_in}");
        assert_eq!(clinic.inbox().await.1.len(), inbox, "{staff_mail} {signed_in}");
    }
}

#[tokio::test]
async fn questions_and_status_mails_lie_in_the_inbox() {
    let clinic = Clinic::with(&[("practices/example-clinic.toml", &practice("inbox"))]).await;
    clinic.mail().await;
    clinic.send(&["kim@home.example", "lou@home.example"], &message("Scan", "x", &DOCUMENT)).await.unwrap();
    let (mail, _, contents) = clinic.inbox().await;
    assert_eq!((contents.len(), clinic.mails_to_jane().await), (2, 0), "a question for each");
    for content in &contents {
        let octets = String::from_utf8(whole(&mail, content).await).unwrap();
        assert!(octets.contains("Reply-To: ") && octets.contains("ask."), "{octets}");
    }
    clinic.send(&["pat@home.example"], &message("Scan", "x", &DOCUMENT)).await.unwrap();
    let later = postern::store::now().plus(Duration::from_secs(11 * 60));
    assert_eq!(clinic.gateway.do_due_status(later).await.unwrap(), 1);
    assert_eq!(clinic.inbox().await.2.len(), 3);
}

/// That a recall found nothing went by mail, also to who reads the other answers of the gateway in their Inbox here.
#[tokio::test]
async fn that_a_recall_was_not_done_lies_where_the_practice_says() {
    for (staff_mail, inbox, mails) in [("inbox", 1, 0), ("mail", 0, 1), ("both", 1, 1)] {
        let clinic = Clinic::with(&[("practices/example-clinic.toml", &practice(staff_mail))]).await;
        clinic.mail().await;
        let recall = message("Recall: Scan", "Roe, Jane would like to recall the message, \"Scan\".", &[]);
        clinic.send(&["pat@home.example"], &recall).await.unwrap();
        let (mail, _, contents) = clinic.inbox().await;
        assert_eq!((contents.len(), clinic.mails_to_jane().await), (inbox, mails), "{staff_mail}");
        for content in &contents {
            let octets = String::from_utf8(whole(&mail, content).await).unwrap();
            assert!(octets.contains("Auto-Submitted: auto-replied"), "{octets}");
        }
    }
}

#[tokio::test]
async fn who_is_no_member_of_staff_has_no_mail() {
    let clinic = Clinic::with(&[]).await;
    let refused = clinic.gateway.open_mail(&Origin::Relay { any_sender: true }).await;
    assert!(matches!(refused, Err(MailboxError::Missing)));
}

impl Clinic {
    async fn sent(&self) -> (StaffMail, View) {
        let mail = self.mail().await;
        let sent = mail.find(&MailboxName::parse("Sent").unwrap()).await.unwrap();
        let view = mail.open(sent).await.unwrap().view().await.unwrap();
        (mail, view)
    }
}

async fn appended(mail: &StaffMail, view: &View, octets: &[u8]) -> u32 {
    let mut new = mail.begin_append();
    new.write(octets).await.unwrap();
    let appended = mail.append(view.id(), new, &FlagSet::default(), None).await.unwrap();
    assert_eq!(appended.validity, view.validity());
    appended.uid
}

#[tokio::test]
async fn a_secured_message_stands_in_sent_as_it_was_written_and_once() {
    let clinic = Clinic::with(&[]).await;
    clinic.mail().await;
    let written = message("Scan", "<p>Hello", &DOCUMENT);
    clinic.send(&["pat@home.example"], &written).await.unwrap();
    let written = written.replace('\n', "\r\n").into_bytes();
    let (mail, view) = clinic.sent().await;
    assert_eq!((view.len(), view.unseen()), (1, 0));
    let content = mail.content(view.row(0).unwrap()).await.unwrap();
    assert_eq!(whole(&mail, &content).await, written);
    // The client's own copy of it is not a second one; another message is.
    assert_eq!(appended(&mail, &view, &written).await, 1);
    assert_eq!(appended(&mail, &view, b"Message-ID: <other@clinic.example>\r\n\r\n").await, 2);
    let inbox = clinic.inbox().await.1;
    assert_eq!(appended(&mail, &inbox, &written).await, 1, "elsewhere it is a message as any");
    // What is only relayed is the client's own to keep.
    clinic.send(&["bob@clinic.example"], &message("Plain", "x", &[])).await.unwrap();
    assert_eq!(clinic.sent().await.1.len(), 2);
}

#[tokio::test]
async fn who_does_not_read_here_has_nothing_in_sent() {
    let clinic = Clinic::with(&[]).await;
    clinic.send(&["pat@home.example"], &message("Scan", "x", &DOCUMENT)).await.unwrap();
    assert_eq!(clinic.sent().await.1.len(), 0);
}

/// What was taken back from its recipients stood in Sent, attachments and all, up to the day on which their rights would have
/// ended.
#[tokio::test]
async fn with_the_last_right_that_is_revoked_it_ends_in_sent() {
    let clinic =
        Clinic::with(&[("directory.csv", "address,role\npat@home.example,payer\nlee@home.example,payer\n")]).await;
    clinic.mail().await;
    let written = message("Scan", "<p>Hello", &DOCUMENT);
    clinic.send(&["pat@home.example", "lee@home.example"], &written).await.unwrap();
    let (mail, before) = clinic.sent().await;
    let rights: Vec<GrantId> = clinic.rights().await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(rights.len(), 2);
    let vault = &clinic.gateway.stations().vault;
    vault.revoke(rights[0], postern::store::now()).await.unwrap();
    clinic.gateway.do_ended(postern::store::now()).await.unwrap();
    assert!(clinic.sent().await.1.difference(&before).is_empty(), "the other one reads it");
    vault.revoke(rights[1], postern::store::now()).await.unwrap();
    clinic.gateway.do_ended(postern::store::now()).await.unwrap();
    let after = clinic.sent().await.1;
    assert_eq!((after.len(), after.row(0).unwrap().uid), (1, 2), "under a new UID");
    let content = mail.content(after.row(0).unwrap()).await.unwrap();
    let text = String::from_utf8(whole(&mail, &content).await).unwrap();
    assert!(text.contains("Hello\r\n") && text.contains("[scan.pdf, ") && !text.contains("base64"), "{text}");
    // The day it would have ended on finds it done.
    clinic.gateway.do_ended(postern::store::now().plus(Duration::from_secs(90 * 86_400))).await.unwrap();
    assert!(clinic.sent().await.1.difference(&after).is_empty(), "once");
}

impl Clinic {
    /// All rights are taken back, and what ends with them ends.
    async fn take_all_back(&self) {
        for (id, _) in self.rights().await {
            self.gateway.stations().vault.revoke(id, postern::store::now()).await.unwrap();
        }
        self.gateway.do_ended(postern::store::now()).await.unwrap();
    }
}

/// The files that nobody holds: the next start would remove them.
async fn unheld(clinic: &Clinic) -> usize {
    let store = &clinic.gateway.stations().store;
    let held = store.scan_keys(Table::Object, &[], &[0xFF; 17], 1_000).await.unwrap();
    let folders = std::fs::read_dir(clinic.folder.path().join("data/blob")).unwrap();
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
    let ids = files.map(|file| file.unwrap().file_name().to_str().unwrap().parse::<BlobId>().unwrap());
    ids.filter(|id| !held.contains(&id.octets().to_vec())).count()
}

/// Letters that are not small: text and list of such a message lie in a file of their own.
fn long_message() -> String {
    message("Scan", &format!("<p>{}", "Hello ".repeat(10_000)), &DOCUMENT)
}

/// A recipient whom the sender answered for after the only other right was revoked gave a second copy, beside text and list.
#[tokio::test]
async fn who_is_answered_for_after_it_ended_brings_it_back_into_its_place() {
    for moved in [false, true] {
        let clinic = Clinic::with(&[]).await;
        clinic.mail().await;
        let written = long_message();
        let receipt = clinic.send(&["pat@home.example", "kim@home.example"], &written).await.unwrap();
        assert_eq!((receipt.accepted, receipt.asked), (1, 1));
        let ask = token("ask", clinic.mails_to(JANE).await.last().unwrap());
        clinic.take_all_back().await;
        let (mail, sent) = clinic.sent().await;
        let mut place = mail.open(sent.id()).await.unwrap();
        if moved {
            let old = mail.create(&MailboxName::parse("Old").unwrap(), None).await.unwrap();
            mail.mv(sent.id(), &sent.rows().map(|row| row.uid).collect(), old).await.unwrap();
            place = mail.open(old).await.unwrap();
        }
        let text = async |at: usize| {
            let view = place.view().await.unwrap();
            assert_eq!(view.len(), 1, "moved {moved}, {at}");
            let content = mail.content(view.row(0).unwrap()).await.unwrap();
            String::from_utf8(whole(&mail, &content).await).unwrap()
        };
        assert!(text(0).await.contains("[scan.pdf, "));
        assert_eq!(unheld(&clinic).await, 0);

        clinic.write_back(&ask, "payer").await.unwrap();
        assert_eq!(text(1).await, written.replace('\n', "\r\n"), "whole again, in the place of text and list");
        assert_eq!(clinic.sent().await.1.len(), usize::from(!moved));
        assert_eq!((clinic.mails_to("kim@home.example").await.len(), unheld(&clinic).await), (1, 0));
        if !moved {
            let view = place.view().await.unwrap();
            let again = appended(&mail, &view, &written.replace('\n', "\r\n").into_bytes()).await;
            assert_eq!(again, view.row(0).unwrap().uid, "the client's own copy is no second one");
        }

        clinic.take_all_back().await;
        assert!(text(2).await.contains("[scan.pdf, "), "it ends with the right that came later");
        let view = place.view().await.unwrap();
        // What ended is no more what was written: a copy of that is a message as any.
        let again = appended(&mail, &clinic.sent().await.1, &written.replace('\n', "\r\n").into_bytes()).await;
        assert!(!moved && again > view.row(0).unwrap().uid || moved && again > 0);
        clinic.gateway.do_ended(postern::store::now().plus(Duration::from_secs(200 * 86_400))).await.unwrap();
        let left = clinic.gateway.stations().store.scan_keys(Table::MailSent, &[], &[0xFF; 40], 9).await.unwrap();
        assert!(left.is_empty(), "and is forgotten in the end");
        assert!(place.view().await.unwrap().find(view.row(0).unwrap().uid).is_some());
    }
}

/// Text and list of a message that its owner had deleted were written to a file that nothing named: it stayed until the next
/// start.
#[tokio::test]
async fn where_a_message_was_deleted_nothing_takes_its_place() {
    let clinic = Clinic::with(&[]).await;
    clinic.mail().await;
    clinic.send(&["pat@home.example"], &long_message()).await.unwrap();
    let (mail, sent) = clinic.sent().await;
    let trash = mail.find(&MailboxName::parse("Trash").unwrap()).await.unwrap();
    mail.mv(sent.id(), &sent.rows().map(|row| row.uid).collect(), trash).await.unwrap();
    let view = mail.open(trash).await.unwrap().view().await.unwrap();
    let mut deleted = FlagSet::default();
    deleted.add("\\Deleted").unwrap();
    let all = view.rows().map(|row| row.uid).collect();
    mail.set_flags(trash, &all, &postern::mailbox::FlagChange::Add(deleted), None).await.unwrap();
    mail.expunge(trash, None).await.unwrap();
    clinic.take_all_back().await;
    assert_eq!((clinic.sent().await.1.len(), unheld(&clinic).await), (0, 0));
}

/// Text and list that no disk could take ended the round: whatever else had ended waited with them.
#[tokio::test]
async fn what_cannot_be_ended_now_keeps_nothing_else_waiting() {
    let clinic = Clinic::with(&[]).await;
    clinic.mail().await;
    clinic.send(&["pat@home.example"], &long_message()).await.unwrap();
    let stations = clinic.gateway.stations();
    let left = async |table| stations.store.scan_keys(table, &[], &[0xFF; 60], 9).await.unwrap().len();
    assert_eq!((left(Table::MailSent).await, left(Table::MailSentOf).await, left(Table::Message).await), (1, 1, 1));
    let (blobs, away) = (clinic.folder.path().join("data/blob"), clinic.folder.path().join("data/away"));
    std::fs::rename(&blobs, &away).unwrap();
    std::fs::write(&blobs, b"no folder").unwrap();
    let late = postern::store::now().plus(Duration::from_secs(200 * 86_400));
    clinic.gateway.do_ended(late).await.unwrap_err();
    assert_eq!((left(Table::MailSent).await, left(Table::MailSentOf).await, left(Table::Message).await), (1, 0, 0));
    std::fs::remove_file(&blobs).unwrap();
    std::fs::rename(&away, &blobs).unwrap();
    clinic.gateway.do_ended(late).await.unwrap();
    let (mail, sent) = clinic.sent().await;
    let content = mail.content(sent.row(0).unwrap()).await.unwrap();
    let text = String::from_utf8(whole(&mail, &content).await).unwrap();
    assert!(text.contains("[scan.pdf, "), "it is tried again");
}

#[tokio::test]
async fn when_its_documents_end_text_and_list_take_its_place_once() {
    for moved in [false, true] {
        let clinic = Clinic::with(&[]).await;
        clinic.mail().await;
        let large = vec![b'x'; 2 << 20];
        let document = [("scan.pdf", "application/pdf", large.as_slice())];
        clinic.send(&["pat@home.example"], &message("Scan [14d]", "<p>Hello", &document)).await.unwrap();
        assert_eq!(clinic.blobs(), 2, "the document, and the message as it was spooled");
        let (mail, sent) = clinic.sent().await;
        let mut place = sent.id();
        if moved {
            place = mail.create(&MailboxName::parse("Old").unwrap(), None).await.unwrap();
            let all = sent.rows().map(|row| row.uid).collect();
            mail.copy(place, &all, place).await.unwrap();
            mail.copy(sent.id(), &all, place).await.unwrap();
            mail.mv(sent.id(), &all, place).await.unwrap();
        }
        let open = mail.open(place).await.unwrap();
        let before = open.view().await.unwrap();
        let days = |days: u64| postern::store::now().plus(Duration::from_secs(days * 86_400));
        clinic.gateway.do_ended(days(13)).await.unwrap();
        assert!(open.view().await.unwrap().difference(&before).is_empty(), "its documents live");
        clinic.gateway.do_ended(days(15)).await.unwrap();
        let after = open.view().await.unwrap();
        let told = after.difference(&before);
        assert_eq!((told.vanished.len(), told.arrived), (before.len(), before.len()), "{moved}");
        assert!(after.rows().all(|row| row.uid >= before.uid_next()));
        assert_eq!(clinic.blobs(), 1, "the vault's own end is the vault's");
        let content = mail.content(after.row(0).unwrap()).await.unwrap();
        let text = String::from_utf8(whole(&mail, &content).await).unwrap();
        assert!(
            text.contains("Subject: Scan [14d]\r\n") && text.contains("Hello\r\n") && text.contains("[scan.pdf, "),
            "{text}"
        );
        clinic.gateway.do_ended(days(16)).await.unwrap();
        assert!(open.view().await.unwrap().difference(&after).is_empty(), "once");
    }
}
