//! What slipped through, or was lost, beside what is understood: each headed by what happened.

use data_encoding::BASE64_MIME;
use postern::gateway::Refusal;
use postern::mail::Origin;
use postern::vault::ParcelContent;

use super::leaving::{WHOLE, unclear, words};
use super::{Clinic, JANE};

const PAT: &str = "pat@home.example";
const PEOPLE: &str = "address,role,birthdate\npat@home.example,patient,1980-03-04\n";
/// Stands in what may not leave.
const MARK: &str = "Quillaja";

fn names((_, files): &(ParcelContent, Vec<(String, String)>)) -> Vec<&str> {
    files.iter().map(|(name, _)| name.as_str()).collect()
}

/// An attribute of a `winmail.dat` ([MS-OXTNEF], section 2.1.3.3).
fn attribute(level: u8, id: u16, data: &[u8]) -> Vec<u8> {
    let sum = data.iter().fold(0_u16, |sum, octet| sum.wrapping_add(u16::from(*octet)));
    let length = u32::try_from(data.len()).unwrap().to_le_bytes();
    [&[level][..], &id.to_le_bytes(), &6_u16.to_le_bytes(), &length, data, &sum.to_le_bytes()].concat()
}

/// A `winmail.dat` with this text, and a file of this name.
fn winmail(text: &str, file: &str) -> String {
    let packed = [
        b"\x78\x9f\x3e\x22\x01\0".to_vec(),
        attribute(1, 0x8008, b"IPM.Microsoft Mail.Note\0"),
        attribute(1, 0x800C, format!("{text}\0").as_bytes()),
        attribute(2, 0x9002, &[]),
        attribute(2, 0x8010, format!("{file}\0").as_bytes()),
        attribute(2, 0x800F, b"%PDF-1.4"),
    ];
    let encoded = BASE64_MIME.encode(&packed.concat()).replace('\r', "");
    format!("Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n{encoded}")
}

fn mixed(parts: &[&str]) -> String {
    let parts: String = parts.iter().map(|part| format!("--b\n{part}\n")).collect();
    format!(
        "From: {JANE}\nSubject: Your visit\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n"
    )
}

/// Marks in the text of a winmail.dat counted for what was judged after it alone: a calendar entry that repeats the text, and
/// another winmail.dat with other words, left with it.
#[tokio::test]
async fn marks_in_a_packed_text_count_for_what_stands_before_and_behind_it() {
    let marked = winmail("Chart: Quillaja\r\n[part]\r\nTake 2.\r\n[/part]\r\n", "plan.pdf");
    let other = winmail("More of Quillaja", "other.pdf");
    let calendar = "Content-Type: text/calendar\n\nBEGIN:VCALENDAR\nDESCRIPTION:Quillaja\nEND:VCALENDAR";
    let file = "Content-Type: application/pdf; name=c.pdf\n\n%PDF-1.4";
    for parts in [[&marked, calendar, file, &other], [file, calendar, &marked, &other]] {
        let clinic = Clinic::with(&[("directory.csv", PEOPLE)]).await;
        clinic.send(&[PAT], &mixed(&parts)).await.unwrap();
        let opened = clinic.opened().await;
        let mut names = names(&opened);
        names.sort_unstable();
        assert_eq!(names, ["c.pdf", "message.txt", "other.pdf", "plan.pdf"]);
        assert!(opened.1.iter().all(|(_, octets)| !octets.contains(MARK)), "{:?}", opened.1);
        assert!(opened.1.iter().any(|(_, octets)| octets == "Take 2.\r\n"));
    }
}

/// The second of two was dropped, text and all, as if it said the same as the first.
#[tokio::test]
async fn of_two_packed_texts_one_is_the_messages_and_the_other_is_kept_whole() {
    let clinic = Clinic::with(&[]).await;
    let (one, two) = (winmail("Dear Pat,", "one.pdf"), winmail("And one more thing.", "two.pdf"));
    clinic.send(&[PAT], &mixed(&[&one, &two])).await.unwrap();
    let opened = clinic.opened().await;
    assert_eq!(names(&opened), ["one.pdf", "two.pdf", "winmail.dat", "message.txt"]);
    assert!(opened.1[2].1.contains("And one more thing.") && opened.1[3].1 == "Dear Pat,\r\n");
}

/// An invitation in another form of a text with marks, given to nobody, was a message, and its documents were given.
#[tokio::test]
async fn nothing_is_taken_out_of_a_message_that_is_withheld() {
    let apart = "[[rule]]\nname = \"apart\"\n[rule.set]\nforwarded = \"taken-apart\"\n";
    let clinic = Clinic::with(&[("directory.csv", PEOPLE), ("90-apart.toml", apart)]).await;
    let within = "Content-Type: multipart/alternative; boundary=a\n\n--a\n\nChart\n[part]\nTake 2.\n[/part]\n--a\n\
         Content-Type: message/rfc822\n\nSubject: All\nContent-Type: text/csv; name=all.csv\n\nQuillaja\n--a--\n";
    let forwarded = "Content-Type: message/rfc822\n\nSubject: Fine\nContent-Type: text/csv; name=fine.csv\n\na;b\n";
    clinic.send(&[PAT], &mixed(&[within, forwarded])).await.unwrap();
    let opened = clinic.opened().await;
    assert_eq!(names(&opened), ["message.eml", "fine.csv", "message.txt"]);
    assert!(opened.1.iter().all(|(_, octets)| !octets.contains(MARK)));
}

/// The bound of 200 counted when a whole level had been read: a hundred messages of a hundred documents were 10,000.
#[tokio::test]
async fn of_very_many_forwarded_documents_a_bounded_number_is_taken_out() {
    let apart = "[[rule]]\nname = \"apart\"\n[rule.set]\nforwarded = \"taken-apart\"\n";
    let clinic = Clinic::with(&[("90-apart.toml", apart)]).await;
    let files: String = (0..90).map(|at| format!("--i\nContent-Type: text/csv; name={at}.csv\n\na;b\n")).collect();
    let forwarded = format!(
        "Content-Type: message/rfc822\n\nSubject: Many\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=i\n\n{files}--i--\n"
    );
    clinic.send(&[PAT], &mixed(&["\nHello", &forwarded, &forwarded, &forwarded, &forwarded])).await.unwrap();
    assert_eq!(clinic.opened().await.0.deposits.len(), 4 + 200 + 1);
}

/// Of a message secured whole neither tags nor patient counted, nobody looked whose address stood in From, and its trace fields
/// went along in the document.
#[tokio::test]
async fn a_message_secured_whole_keeps_its_tags_and_tells_nothing_of_the_house() {
    let clinic = Clinic::with(&[("90-whole.toml", WHOLE)]).await;
    let house = "Received: from pc.inner.clinic ([10.0.0.7]) by mx.inner.clinic; Mon, 2 Nov 2026 09:00:00 +0000\n\
         X-Originating-IP: 10.0.0.7\nThread-Index: AdoX\nMessage-ID: <whole@clinic.example>\n";
    let message = format!("{house}{}", unclear().replace("Subject: ", "Subject: [14d] [patient 10423] "));
    clinic.send(&[PAT], &message).await.unwrap();
    let (grant, _) = clinic.granted().await;
    assert_eq!(grant.keep_until.since(grant.created).as_secs() / 86_400, 14);
    let (content, files) = clinic.opened().await;
    assert_eq!((content.subject.as_str(), files.len()), (MARK, 1));
    for inner in ["10.0.0.7", "inner.clinic", "Thread-Index", "10423", "hidden@home.example"] {
        assert!(!files[0].1.contains(inner), "{inner}: {}", files[0].1);
    }
    assert!(files[0].1.contains("Message-ID: <whole@clinic.example>\r\n") && files[0].1.contains("JVBE....Ri0xLjQK"));

    let foreign = message.replace(JANE, "boss@clinic.example");
    let refused = clinic.send(&[PAT], &foreign).await.unwrap_err();
    assert!(matches!(refused, Refusal::NotYourAddress { field: "From" }), "{refused:?}");
    let loops = format!("{}{message}", "Received: by x; Mon, 2 Nov 2026 09:00:00 +0000\n".repeat(31));
    assert!(matches!(clinic.send(&[PAT], &loops).await.unwrap_err(), Refusal::Loop));
}

#[tokio::test]
async fn a_recall_finds_a_message_that_was_secured_whole() {
    let clinic = Clinic::with(&[("90-whole.toml", WHOLE)]).await;
    clinic.send(&[PAT], &unclear()).await.unwrap();
    let recall = format!(
        "From: \"Roe, Jane\" <{JANE}>\nSubject: Recall: {MARK}\n\nRoe, Jane would like to recall the message, \"{MARK}\".\n"
    );
    clinic.send(&[PAT], &recall).await.unwrap();
    let grants = clinic.gateway.stations().vault.grants(None, 10).await.unwrap();
    assert!(grants[0].1.revoked.is_some());
}

/// The marks of parts were seen only where they stood as they are.
#[tokio::test]
async fn a_message_with_encoded_marks_is_not_secured_whole() {
    let clinic = Clinic::with(&[("90-whole.toml", WHOLE)]).await;
    let encoded = BASE64_MIME.encode(b"Chart: Quillaja\r\n[part]\r\nTake 2.\r\n[/part]\r\n").replace('\r', "");
    for text in [format!("Content-Transfer-Encoding: base64\n\n{encoded}"), "\n<p>[pa</p><b>rt]</b>".to_owned()] {
        let message = unclear().replace(&format!("--b\n\n{MARK}\n"), &format!("--b\n{text}\n"));
        assert!(clinic.send(&[PAT], &message).await.is_err(), "{message}");
    }
}

/// A picture that policy knows stood in the text of mails only: where the text was read in the portal, it was nowhere.
#[tokio::test]
async fn the_picture_of_a_signature_is_in_the_portal_where_the_text_is() {
    let shipped = include_str!("../../../policies/practices/example-clinic.toml");
    let practice = format!("{shipped}\nsignature = [\"logo.png\"]\n");
    let pictures = "[[rule]]\nname = \"no pictures\"\n[rule.when]\nattachment_type = \"image/*\"\n[rule.set]\n\
                    treatment = \"refuse\"\n";
    let clinic =
        Clinic::with(&[("practices/example-clinic.toml", practice.as_str()), ("90-pictures.toml", pictures)]).await;
    let message = format!(
        "From: {JANE}\nSubject: [body] Hello\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=r\n\n\
         --r\nContent-Type: text/html\n\n<p>Dear Pat</p><img src=\"cid:logo\">\n\
         --r\nContent-Type: image/png; name=logo.png\nContent-ID: <logo>\nContent-Transfer-Encoding: base64\n\n{}\n--r--\n",
        data_encoding::BASE64.encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01")
    );
    clinic.send(&[PAT], &message).await.expect("a picture of a signature is no document for a rule");
    let opened = clinic.opened().await;
    assert_eq!(names(&opened), ["logo.png", "message.txt", "message.html"]);
    assert_eq!(opened.0.deposits[0].kind, postern::pack::shipment::DepositKind::Picture);
}

/// Documents ended before the time of `[unread 14d]`, and nobody was told that they were never read.
#[tokio::test]
async fn documents_outlive_the_time_after_which_their_sender_is_told() {
    let clinic = Clinic::with(&[]).await;
    let message = |subject: &str| super::with_attachment(subject, "scan.pdf", 100);
    clinic.send(&[PAT], &message("[unread 14d] Scan")).await.unwrap();
    let (grant, _) = clinic.granted().await;
    assert_eq!(grant.keep_until.since(grant.created).as_secs() / 86_400, 15);
    let refused = clinic.send(&[PAT], &message("[7d] [unread 7d] Scan")).await.unwrap_err();
    assert!(words(refused).starts_with("The documents would end before the time of [unread]."));
}

/// A field that asked for more security was passed over without a word where its server vouched for nobody.
#[tokio::test]
async fn who_vouches_for_nobody_can_ask_for_more_security_and_for_nothing_else() {
    let stranger = Origin::Relay { any_sender: true };
    for (field, left_as_mail) in [("Secure: yes", false), ("Body: yes", false), ("Plain: no", true), ("Keep: 0", true)]
    {
        let clinic = Clinic::with(&[]).await;
        let message = format!("X-Postern-{field}\n{}", super::with_attachment("Scan", "scan.pdf", 100));
        clinic.send_as(stranger.clone(), JANE, &["bob@clinic.example"], &message).await.unwrap();
        let letters = clinic.letters().await;
        assert_eq!(letters.iter().any(|(_, letter)| letter.contains("QUJDREVG")), left_as_mail, "{field}");
    }
    let clinic = Clinic::with(&[]).await;
    let message = format!("X-Postern-Keep: 0\n{}", super::with_attachment("Scan", "scan.pdf", 100));
    let refused = clinic.send(&["bob@clinic.example"], &message).await.unwrap_err();
    assert!(words(refused).contains("between one hour and 90 days"));
}
