//! Replies: what is refused before it is stored, what becomes mail, what is kept.

use mail_parser::{MessageParser, MimeHeaders};
use postern::accounts::NewStaff;
use postern::gateway::history::Happened;
use postern::gateway::visits::{NewReply, ReplyFault, Visit, VisitError};
use postern::id::GrantId;
use postern::secret::Secret;
use postern::store;

use super::super::gateway::{Clinic, JANE, address};
use super::{PATIENT, message};

const DOCUMENT: [(&str, &str, &[u8]); 1] = [("scan.pdf", "application/pdf", b"%PDF-1.7\nx")];

impl Clinic {
    async fn attach(&self, reply: &mut NewReply, name: &str, octets: &[u8]) -> Result<(), ReplyFault> {
        self.gateway.begin_attachment(reply, name, "application/octet-stream").await.unwrap()?;
        for piece in octets.chunks(10_000) {
            self.gateway.write_attachment(reply, piece).await.unwrap()?;
        }
        Ok(())
    }

    async fn reply(
        &self,
        visit: &Visit,
        grant: GrantId,
        text: &str,
        files: &[(&str, &[u8])],
    ) -> Result<(), ReplyFault> {
        let mut reply = self.begin(visit, grant, text).await;
        for (name, octets) in files {
            self.attach(&mut reply, name, octets).await?;
        }
        self.gateway.send_reply(visit, reply).await.unwrap()
    }

    /// The mails that became of replies, as octets.
    async fn reply_mails(&self) -> Vec<Vec<u8>> {
        let letters = self.letters().await;
        letters.into_iter().filter(|(to, _)| to == JANE).map(|(_, octets)| octets.into_bytes()).collect()
    }
}

#[tokio::test]
async fn a_reply_reaches_the_senders_mailbox_in_its_thread_with_every_octet() {
    let clinic = Clinic::with(&[]).await;
    let (grant, visit) = clinic.give("jane@home.example", &message(PATIENT, "x", &DOCUMENT)).await;
    let photo: Vec<u8> = (0..1_000_003_u32).map(|at| (at * 31 % 251) as u8).collect();
    let files = [("../../photo\u{202e}.jpg", photo.as_slice()), ("photo.jpg", b"second"), ("empty.txt", b"")];
    clinic.reply(&visit, grant, "Thank you.\r\nIt hurts.", &files).await.unwrap();

    let mails = clinic.reply_mails().await;
    assert_eq!(mails.len(), 1);
    let mail = MessageParser::default().parse(&mails[0]).unwrap();
    assert_eq!(mail.subject(), Some("Re: Letter"));
    let from = mail.from().unwrap().first().unwrap();
    assert_eq!(from.address(), Some("postern@mail.clinic.example"), "the gateway speaks for nobody else");
    assert_eq!(mail.reply_to().unwrap().first().unwrap().address(), Some("jane@home.example"));
    assert_eq!(mail.to().unwrap().first().unwrap().address(), Some(JANE));
    assert_eq!(mail.in_reply_to().as_text(), Some("sent@clinic.example"));
    let references =
        mail.references().as_text_list().map(|list| list.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(references.unwrap(), ["first@clinic.example", "sent@clinic.example"]);
    assert!(mail.body_text(0).unwrap().replace('\r', "").contains("Thank you.\nIt hurts."));
    let attached: Vec<_> = mail.attachments().map(|it| (it.attachment_name().unwrap(), it.contents())).collect();
    let expected = [("photo.jpg", photo.as_slice()), ("photo (2).jpg", b"second".as_slice()), ("empty.txt", b"")];
    assert_eq!(attached, expected);
    let longest = mails[0].split(|b| *b == b'\n').map(<[u8]>::len).max().unwrap();
    assert!(longest <= 999, "{longest}");
}

#[tokio::test]
async fn a_reply_is_kept_with_the_conversation_and_its_history() {
    let clinic = Clinic::with(&[]).await;
    let (grant, visit) = clinic.give("jane@home.example", &message(PATIENT, "x", &DOCUMENT)).await;
    clinic.reply(&visit, grant, "first", &[("note.txt", b"hello")]).await.unwrap();
    clinic.reply(&visit, grant, "", &[("photo.jpg", b"\xff\xd8\xff")]).await.unwrap();
    let replies = clinic.gateway.parcel(&visit, grant).await.unwrap().replies;
    let shown: Vec<_> = replies.iter().map(|it| (it.text.as_str(), it.attachments.concat())).collect();
    assert_eq!(shown, [("first", "note.txt".into()), ("", "photo.jpg".to_owned())]);
    let right = clinic.rights().await.remove(0).1;
    let history = clinic.gateway.history(right.transaction).await.unwrap();
    assert_eq!(history.iter().filter(|line| line.what == Happened::Replied && line.grant == grant).count(), 2);
}

#[tokio::test]
async fn what_is_not_accepted_is_refused_before_it_is_stored() {
    let clinic = Clinic::with(&[]).await;
    let (grant, visit) = clinic.give("jane@home.example", &message(PATIENT, "x", &DOCUMENT)).await;
    let (blobs, letters) = (clinic.blobs(), clinic.letters().await.len());
    let program: Vec<u8> = [b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff".as_slice(), &[0; 100_000]].concat();
    let restricted = |name: &str| Err(ReplyFault::Restricted(name.into(), "programs".into()));
    let files: [(&str, &[u8], _); 5] = [
        ("setup.exe", b"x", restricted("setup.exe")),
        ("setup.exe.pdf", b"x", restricted("setup.exe.pdf")),
        ("report.pdf", &program, restricted("report.pdf")),
        ("report.pdf", &program[..100], restricted("report.pdf")),
        ("evil.exe\0.pdf", b"x", restricted("evil.exe.pdf")),
    ];
    for (name, octets, expected) in files {
        assert_eq!(clinic.reply(&visit, grant, "see", &[(name, octets)]).await, expected, "{name}");
    }
    assert_eq!(clinic.reply(&visit, grant, " \r\n ", &[]).await, Err(ReplyFault::Empty));
    assert_eq!(clinic.reply(&visit, grant, &"x".repeat(20_001), &[]).await, Err(ReplyFault::TextTooLong));
    let eleven = [("a.txt", b"x".as_slice()); 11];
    assert_eq!(clinic.reply(&visit, grant, "see", &eleven).await, Err(ReplyFault::TooMany));
    let large = vec![b'x'; 20 << 20];
    let too_large = Err(ReplyFault::TooLarge("b.txt".into()));
    assert_eq!(clinic.reply(&visit, grant, "see", &[("b.txt", &[large.as_slice(), b"x"].concat())]).await, too_large);
    let together: [(&str, &[u8]); 2] = [("a.txt", &large), ("b.txt", &large[..(10 << 20) + 1])];
    assert_eq!(clinic.reply(&visit, grant, "see", &together).await, too_large, "together");
    assert!(clinic.gateway.parcel(&visit, grant).await.unwrap().replies.is_empty());
    assert_eq!(clinic.letters().await.len(), letters, "no mail");
    clinic.until_blobs_are(blobs).await;
}

/// What was wrong once stays wrong: a portal that went on after a fault would have sent the rest without the file.
#[tokio::test]
async fn a_reply_with_a_refused_file_is_not_sent_without_it() {
    let clinic = Clinic::with(&[]).await;
    let (grant, visit) = clinic.give("jane@home.example", &message(PATIENT, "x", &DOCUMENT)).await;
    let mut reply = clinic.begin(&visit, grant, "see").await;
    let fault = clinic.attach(&mut reply, "setup.exe", b"x").await.unwrap_err();
    assert_eq!(clinic.attach(&mut reply, "fine.txt", b"x").await, Err(fault.clone()));
    assert_eq!(clinic.gateway.write_attachment(&mut reply, b"x").await, Ok(Err(fault.clone())));
    assert_eq!(clinic.gateway.send_reply(&visit, reply).await, Ok(Err(fault)));
}

#[tokio::test]
async fn a_file_field_left_empty_is_no_attachment() {
    let clinic = Clinic::with(&[]).await;
    let (grant, visit) = clinic.give("jane@home.example", &message(PATIENT, "x", &DOCUMENT)).await;
    clinic.reply(&visit, grant, "hello", &[("", b"")]).await.unwrap();
    assert!(clinic.gateway.parcel(&visit, grant).await.unwrap().replies[0].attachments.is_empty());
    assert_eq!(clinic.reply(&visit, grant, "", &[("", b"")]).await, Err(ReplyFault::Empty));
}

/// Header fields by the guest's words: none comes out but ours.
#[tokio::test]
async fn nothing_a_guest_writes_makes_a_header_field() {
    let clinic = Clinic::with(&[]).await;
    let (grant, visit) = clinic.give("jane@home.example", &message(PATIENT, "x", &DOCUMENT)).await;
    let names =
        ["a\r\nBcc: x@evil.example\r\n\r\n.txt", "b\"; filename=\"setup.exe\"; x=\".txt", "c\u{2028}Bcc: y\0.txt"];
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, b"x".as_slice())).collect();
    let text = "\r\n.\r\nBcc: z@evil.example\r\n--=_mixed_\r\n\0\u{b}text";
    match clinic.reply(&visit, grant, text, &files).await {
        Ok(()) => {}
        Err(fault) => panic!("{fault:?}"),
    }
    let mails = clinic.reply_mails().await;
    let mail = MessageParser::default().parse(&mails[0]).unwrap();
    assert!(mail.bcc().is_none() && mail.to().unwrap().as_list().unwrap().len() == 1);
    assert_eq!(mail.attachments().count(), 3);
    for part in &mail.parts {
        assert!(part.headers.iter().all(|header| header.name() != "Bcc"), "{:?}", part.headers);
    }
    let bare = mails[0].windows(2).any(|pair| pair[0] != b'\r' && pair[1] == b'\n');
    assert!(!bare && !mails[0].contains(&0), "CRLF only");
}

#[tokio::test]
async fn nobody_answers_who_has_left() {
    let clinic = Clinic::with(&[]).await;
    let accounts = &clinic.gateway.stations().accounts;
    let (grant, visit) = clinic.give("jane@home.example", &message(PATIENT, "x", &DOCUMENT)).await;
    let reply = clinic.begin(&visit, grant, "on the way").await;
    let another = NewStaff {
        address: address("boss@clinic.example"),
        name: None,
        practice: None,
        groups: Vec::new(),
        delegated: Vec::new(),
        admin: true,
        initial: false,
    };
    accounts.add(another, &Secret::new("tea at half past nine".into()), store::now()).await.unwrap();
    accounts.disable(&address(JANE)).await.unwrap();
    assert!(!clinic.gateway.parcel(&visit, grant).await.unwrap().reply.open);
    assert_eq!(clinic.reply(&visit, grant, "hello", &[]).await, Err(ReplyFault::Closed));
    assert_eq!(clinic.gateway.send_reply(&visit, reply).await, Ok(Err(ReplyFault::Closed)), "closed meanwhile");
}

#[tokio::test]
async fn what_was_typed_is_there_again_for_the_same_person_until_it_is_sent() {
    let clinic = Clinic::with(&[]).await;
    let (grant, visit) = clinic.give("jane@home.example", &message(PATIENT, "x", &DOCUMENT)).await;
    let (_, other) = clinic.give("ben@home.example", &message("Letter [doctor-elsewhere]", "x", &DOCUMENT)).await;
    let guests = &clinic.gateway.stations().guests;
    let began = postern::time::Timestamp::from_millis(store::now().millis() - 20 * 60_000);
    let over = Visit { began, seen: began, ..visit.clone() };
    let cookie = guests.begin_visit(&over, None).await.unwrap();
    assert!(clinic.gateway.visit(cookie.expose()).await.unwrap().is_none(), "that visit is over");
    clinic.gateway.keep_draft(cookie.expose(), grant, "half a sent").await.unwrap();
    let draft = async || clinic.gateway.parcel(&visit, grant).await.unwrap().draft;
    assert_eq!(draft().await.as_deref(), Some("half a sent"));

    let foreign = guests.begin_visit(&other, None).await.unwrap();
    let kept = clinic.gateway.keep_draft(foreign.expose(), grant, "mine?").await;
    assert_eq!(kept, Err(VisitError::NotFound));
    assert_eq!(clinic.gateway.keep_draft("no such cookie", grant, "x").await, Err(VisitError::NotFound));
    clinic.reply(&visit, grant, "half a sentence", &[]).await.unwrap();
    assert_eq!(draft().await, None);
}

#[tokio::test]
async fn a_reply_needs_its_right_until_it_is_sent() {
    let clinic = Clinic::with(&[]).await;
    let (grant, visit) = clinic.give("jane@home.example", &message(PATIENT, "x", &DOCUMENT)).await;
    let blobs = clinic.blobs();
    let mut reply = clinic.begin(&visit, grant, "see").await;
    clinic.attach(&mut reply, "photo.jpg", &vec![7; 600_000]).await.unwrap();
    clinic.gateway.stations().vault.revoke(grant, store::now()).await.unwrap();
    assert_eq!(clinic.gateway.send_reply(&visit, reply).await, Err(VisitError::NotFound));
    clinic.until_blobs_are(blobs).await;
    assert!(clinic.reply_mails().await.is_empty());
}
