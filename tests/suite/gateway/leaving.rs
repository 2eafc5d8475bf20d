//! What of a message leaves, and what is kept for the portal: text, marked parts, protected and unclear messages.

use mail_parser::MessageParser;
use postern::gateway::Refusal;
use postern::vault::ParcelContent;

use super::{Clinic, JANE};

const PAT: &str = "pat@home.example";
/// Stands in what may not leave.
const MARK: &str = "Quillaja";

impl Clinic {
    /// The names and octets of what the only right there is opens.
    pub(super) async fn opened(&self) -> (ParcelContent, Vec<(String, String)>) {
        let (_, content) = self.granted().await;
        let mut files = Vec::new();
        for deposit in &content.deposits {
            let octets = self.gateway.stations().objects.read(&deposit.object, 0..u64::MAX).await.unwrap();
            let octets = octets.collect().await.unwrap();
            files.push((deposit.name.clone(), String::from_utf8_lossy(&octets).into_owned()));
        }
        (content, files)
    }

    /// The only letter that waits, for whom and as it is sent.
    async fn letter(&self) -> (String, String) {
        let mut letters = self.letters().await;
        assert_eq!(letters.len(), 1, "{letters:?}");
        letters.remove(0)
    }
}

/// A letter and all that a reader shows of it.
fn read(letter: &str) -> String {
    let message = MessageParser::new().parse(letter.as_bytes()).unwrap();
    let texts = (message.body_text(0).unwrap_or_default(), message.body_html(0).unwrap_or_default());
    format!("{letter}\n{}\n{}\n{}", message.subject().unwrap_or_default(), texts.0, texts.1)
}

pub(super) fn words(refusal: Refusal) -> String {
    match refusal {
        Refusal::Policy(words) => words,
        Refusal::NotUnderstood(defect) => defect.words,
        other => panic!("{other:?}"),
    }
}

/// Text and HTML, as a mail program writes both.
fn in_both(subject: &str, text: &str, html: &str) -> String {
    format!(
        "From: {JANE}\nSubject: {subject}\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n\
         --b\nContent-Type: text/plain\n\n{text}\n--b\nContent-Type: text/html\n\n{html}\n--b--\n"
    )
}

#[tokio::test]
async fn a_private_text_leaves_in_no_letter_and_is_read_in_the_portal() {
    let by_rule =
        "[[rule]]\nname = \"private\"\n[rule.when]\nrecipient_role = \"payer\"\n[rule.set]\nbody = \"vault\"\n";
    for (subject, rule) in [(format!("[body] {MARK}"), ""), (MARK.to_owned(), by_rule)] {
        let clinic = Clinic::with(&[("90-private.toml", rule)]).await;
        let html = format!("<p title='{MARK}'>{MARK}</p><img alt='{MARK}' src='https://x.example/{MARK}'>");
        clinic.send(&[PAT], &in_both(&subject, &format!("Dear Pat, {MARK}."), &html)).await.unwrap();

        let (to, letter) = clinic.letter().await;
        let shown = read(&letter);
        assert_eq!(to, PAT);
        assert!(!shown.contains(MARK), "{shown}");
        assert!(shown.contains("Subject: Message from ") && shown.contains("/p/"), "{shown}");

        let (content, files) = clinic.opened().await;
        assert_eq!(content.subject, MARK);
        let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["message.txt", "message.html"]);
        assert!(files.iter().all(|(_, octets)| octets.contains(MARK)));
    }
}

#[tokio::test]
async fn one_recipient_reads_in_the_mail_and_another_in_the_portal() {
    let rule = "[[rule]]\nname = \"private\"\n[rule.when]\nrecipient_role = \"payer\"\n[rule.set]\nbody = \"vault\"\n\
                [[rule]]\nname = \"known\"\n[rule.when]\nrecipient = \"wong@hospital.example\"\n[rule.set]\nrole = \"doctor-elsewhere\"\n";
    let clinic = Clinic::with(&[("90-private.toml", rule)]).await;
    let message = format!("From: {JANE}\nSubject: Letter\n\n{MARK}\n");
    clinic.send(&[PAT, "wong@hospital.example", "bob@clinic.example"], &message).await.unwrap();
    for (to, letter) in clinic.letters().await {
        assert_eq!(read(&letter).contains(MARK), to != PAT, "{to}");
        assert_eq!(letter.contains("/p/"), to == PAT, "{to}: there is something to open for one only");
    }
    assert_eq!(clinic.opened().await.0.deposits.len(), 1);
}

const MARKED: &str = "For the chart: Quillaja.\n[part]\nTake 2 tablets.\n[/part]\nQuillaja again.\n";
const MARKED_HTML: &str = "<div><p class=MsoNormal>For the chart: Quillaja.</p><p class=MsoNormal><span>[pa</span><span lang=EN-AU>rt]\
     <o:p></o:p></span></p><p class=MsoNormal>Take <b>2</b> tablets.<o:p></o:p></p><p class=MsoNormal>[/part]</p>\
     <p class=MsoNormal>Quillaja again.</p></div>";

#[tokio::test]
async fn a_patient_gets_the_marked_parts_and_nobody_outside_the_rest() {
    let people = "address,role,birthdate\npat@home.example,patient,1980-03-04\n";
    for [text, html] in [[MARKED, MARKED_HTML], [MARKED, "<p>Quillaja</p>"], ["Quillaja, as HTML", MARKED_HTML]] {
        let clinic = Clinic::with(&[("directory.csv", people)]).await;
        let message = in_both("[body] Your visit", text, html);
        clinic.send(&[PAT], &message).await.unwrap();
        let (_, files) = clinic.opened().await;
        assert!(files[0].1.contains("Take 2 tablets.") && !files.is_empty());
        assert!(files.iter().all(|(_, octets)| !octets.contains(MARK) && !octets.contains("part]")), "{files:?}");

        let clinic = Clinic::with(&[("directory.csv", people)]).await;
        clinic.send(&[PAT, "bob@clinic.example"], &message.replace("[body] ", "")).await.unwrap();
        for (to, letter) in clinic.letters().await {
            let shown = read(&letter);
            assert_eq!(shown.contains(MARK), to != PAT, "{to}: a colleague reads all of it");
            assert!(shown.contains("tablets."), "{shown}");
        }
    }
}

#[tokio::test]
async fn parts_for_somebody_who_is_no_patient_and_marks_that_do_not_match_are_refused() {
    let clinic = Clinic::with(&[]).await;
    let message = |text: &str| format!("From: {JANE}\nSubject: Your visit\n\n{text}");
    let refused = clinic.send(&[PAT], &message(MARKED)).await.unwrap_err();
    assert_eq!(words(refused), "The text has parts marked [part], which are for a patient; this recipient is none.");
    for text in
        [MARKED.replace("[/part]\n", ""), MARKED.replace("[part]\n", "[part] "), MARKED.replace("/part", "part")]
    {
        let Refusal::NotUnderstood(defect) = clinic.send(&[PAT], &message(&text)).await.unwrap_err() else {
            panic!("{text}");
        };
        assert_eq!(defect.word, "part-marks", "{text}");
    }
    let asked = clinic.send(&["who@home.example"], &message(MARKED)).await.unwrap();
    assert_eq!((asked.accepted, asked.asked), (0, 1), "who may be a patient is asked about");
    assert!(clinic.letters().await.iter().all(|(to, _)| to == JANE));
}

/// A picture that stands outside of the marks, the message in other forms, and the whole as it was signed show what is not
/// marked.
/// A text with a control character, as an old program ends its files, was a document, marks and all that was not for the patient.
#[tokio::test]
async fn marks_in_a_text_that_is_taken_for_a_document_are_refused() {
    let clinic = Clinic::with(&[]).await;
    for text in ["Chart: Hb 9.1\n[part]\nTake 2.\n[/part]\n\u{1a}\n", "\u{1}<p>Chart</p>[ part ]<p>x</p>[/part]\n"] {
        let message = format!("From: {JANE}\nSubject: x\n\n{text}");
        let Refusal::NotUnderstood(defect) = clinic.send(&["pat@home.example"], &message).await.unwrap_err() else {
            panic!("{text}");
        };
        assert_eq!(defect.word, "part-marks", "{text}");
    }
    let ordinary = format!("From: {JANE}\nSubject: x\n\nFETCH 1 BODY[part]\n> [part]\n\u{1a}\n");
    clinic.send(&["pat@home.example"], &ordinary).await.unwrap();
}

#[tokio::test]
async fn what_shows_unmarked_text_is_given_to_nobody() {
    let people = "address,role,birthdate\npat@home.example,patient,1980-03-04\n";
    let clinic = Clinic::with(&[("directory.csv", people)]).await;
    let html =
        MARKED_HTML.replace("Quillaja again.", "<img src=cid:out>").replace("tablets.", "tablets. <img src=cid:in>");
    let picture = |id: &str| format!("--r\nContent-Type: image/png; name={id}.png\nContent-ID: <{id}>\n\nx\n");
    let message = format!(
        "From: {JANE}\nSubject: Your visit\nMIME-Version: 1.0\nContent-Type: multipart/signed; boundary=s; protocol=\"application/pkcs7-signature\"\n\n\
         --s\nContent-Type: multipart/related; boundary=r\n\n--r\nContent-Type: multipart/alternative; boundary=b\n\n\
         --b\nContent-Type: text/plain\n\n{MARKED}\n--b\nContent-Type: text/html\n\n{html}\n\
         --b\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\nDESCRIPTION:{MARK}\n--b--\n{}{}--r--\n\
         --s\nContent-Type: application/pkcs7-signature; name=smime.p7s\n\nx\n--s--\n",
        picture("out"),
        picture("in")
    );
    clinic.send(&[PAT], &message).await.unwrap();
    let (_, files) = clinic.opened().await;
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["in.png", "smime.p7s", "message.txt", "message.html"]);
    assert!(files.iter().all(|(_, octets)| !octets.contains(MARK)));
}

/// A base64 part with characters of no base64, of which readers make different things.
pub(super) fn unclear() -> String {
    format!(
        "From: {JANE}\nBcc: hidden@home.example\nSubject: {MARK}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
         --b\n\n{MARK}\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\nJVBE....Ri0xLjQK\n--b--\n"
    )
}

pub(super) const WHOLE: &str = "[[rule]]\nname = \"whole\"\n[rule.when]\nrecipient = \"pat@home.example\"\n[rule.set]\nambiguous = \"secure-whole\"\n";

#[tokio::test]
async fn what_is_not_understood_is_refused_or_one_document_as_it_was_written() {
    let clinic = Clinic::with(&[]).await;
    let refused = clinic.send(&[PAT], &unclear()).await.unwrap_err();
    assert!(matches!(&refused, Refusal::NotUnderstood(defect) if defect.word == "base64-alphabet"), "{refused:?}");

    let clinic = Clinic::with(&[("90-whole.toml", WHOLE)]).await;
    for others in ["ann@payer.example", "bob@clinic.example"] {
        let refused = clinic.send(&[PAT, others], &unclear()).await.unwrap_err();
        assert!(matches!(&refused, Refusal::NotUnderstood(_)), "refused for one, or relayed: refused for all");
    }
    clinic.send(&[PAT], &unclear()).await.unwrap();
    let (_, letter) = clinic.letter().await;
    let shown = read(&letter);
    assert!(
        !shown.contains(MARK) && shown.contains("just as it was written") && shown.contains("From: \"Dr Jane Roe\""),
        "{shown}"
    );
    let (content, files) = clinic.opened().await;
    assert_eq!(content.subject, MARK);
    let [(name, octets)] = &files[..] else { panic!("{}", files.len()) };
    let written = unclear().replace("Bcc: hidden@home.example\n", "").replace('\n', "\r\n");
    assert_eq!((name.as_str(), octets.as_str()), ("message.eml", written.as_str()));
}

/// What is meant for the gateway and wrong is for its writer to mend, and what must not leave would leave with the whole.
#[tokio::test]
async fn a_wrong_tag_a_limit_a_mark_and_a_restricted_file_are_refused_whatever_becomes_of_the_unclear() {
    let clinic = Clinic::with(&[("90-whole.toml", WHOLE)]).await;
    let program = unclear().replace("a.pdf", "a.exe");
    let header = format!("From: {JANE}\nX-A: {}\n\nx\n", "x".repeat(70_000));
    for message in [
        format!("From: {JANE}\nSubject: [patient]\n\nHello\n"),
        format!("From: {JANE}\nSubject: x\n\n[part]\nHello\n"),
        unclear().replace("--b\n\n", "--b\n\n[part]\nTake 2.\n[/part]\n"),
        program,
        header,
    ] {
        assert!(clinic.send(&[PAT], &message).await.is_err(), "{message}");
    }
    assert!(clinic.letters().await.is_empty());
}

fn forwarding() -> String {
    let inner = "From: lab@x.example\nSubject: Lab\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\nSee the files.\n\
         --i\nContent-Type: application/pdf; name=Result.pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0xLjQK\n\
         --i\nContent-Type: message/rfc822\n\nSubject: Inner\nContent-Type: text/csv; name=values.csv\n\na;b\n--i--\n";
    format!(
        "From: {JANE}\nSubject: Fwd\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nPlease read.\n\
         --b\nContent-Type: message/rfc822; name=\"Lab.eml\"\n\n{inner}\n--b--\n"
    )
}

#[tokio::test]
async fn a_forwarded_message_is_one_file_or_its_attachments_stand_beside_it() {
    let apart = "[[rule]]\nname = \"apart\"\n[rule.set]\nforwarded = \"taken-apart\"\n";
    for (rule, expected) in [
        ("", &["Lab.eml", "message.txt"][..]),
        (apart, &["Lab.eml", "Result.pdf", "message.eml", "values.csv", "message.txt"]),
    ] {
        let clinic = Clinic::with(&[("90-apart.toml", rule)]).await;
        clinic.send(&[PAT], &forwarding()).await.unwrap();
        let (_, files) = clinic.opened().await;
        let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, expected);
        let of = |wanted: &str| files.iter().find(|(name, _)| name == wanted).map(|(_, octets)| octets.as_str());
        assert!(of("Lab.eml").unwrap().starts_with("From: lab@x.example\r\n"));
        if rule == apart {
            assert_eq!((of("Result.pdf"), of("values.csv")), (Some("%PDF-1.4\n"), Some("a;b")));
        }
        let refused = clinic.send(&[PAT], &forwarding().replace("values.csv", "values.exe")).await.unwrap_err();
        assert!(words(refused).contains("values.exe"), "judged either way");
    }
}

fn signed() -> String {
    format!(
        "From: {JANE}\nX-Odd:  kept \nSubject: Signed\nMIME-Version: 1.0\nContent-Type: multipart/signed; boundary=b; protocol=\"application/pkcs7-signature\"\n\n\
         --b\nContent-Type: text/plain\n\nDear Pat \n--b\nContent-Type: application/pkcs7-signature; name=smime.p7s\nContent-Transfer-Encoding: base64\n\nMIIB\n--b--\n"
    )
}

fn encrypted_smime() -> String {
    format!(
        "From: {JANE}\nSubject: Sealed\nMIME-Version: 1.0\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n\
         Content-Transfer-Encoding: base64\n\nMIIB\n"
    )
}

fn encrypted_pgp() -> String {
    format!(
        "From: {JANE}\nSubject: Sealed\nMIME-Version: 1.0\nContent-Type: multipart/encrypted; boundary=b; protocol=\"application/pgp-encrypted\"\n\n\
         --b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: application/octet-stream; name=encrypted.asc\n\n\
         -----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n--b--\n"
    )
}

fn signed_pgp() -> String {
    signed().replace("pkcs7-signature", "pgp-signature").replace("smime.p7s", "signature.asc")
}

#[tokio::test]
async fn what_its_sender_protected_is_relayed_untouched_secured_whole_or_refused() {
    for (protection, message, documents) in [
        ("smime-signed", signed(), &["smime.p7s", "signed-message.eml", "message.txt"][..]),
        ("smime-encrypted", encrypted_smime(), &["encrypted-message.eml"]),
        ("pgp-signed", signed_pgp(), &["signature.asc", "signed-message.eml", "message.txt"]),
        ("pgp-encrypted", encrypted_pgp(), &["encrypted-message.eml"]),
    ] {
        let rule = |set: &str| {
            format!("[[rule]]\nname = \"protected\"\n[rule.when]\nprotection = \"{protection}\"\n[rule.set]\n{set}\n")
        };
        let octets = message.replace('\n', "\r\n");

        let clinic = Clinic::with(&[("90-protected.toml", &rule("treatment = \"relay\""))]).await;
        clinic.send(&[PAT], &message).await.unwrap();
        let (_, letter) = clinic.letter().await;
        assert!(
            letter.starts_with("Received: ") && letter.contains(octets.split_once("\r\n\r\n").unwrap().1),
            "{letter}"
        );

        let clinic = Clinic::with(&[("90-protected.toml", &rule("treatment = \"secure\""))]).await;
        clinic.send(&[PAT], &message).await.unwrap();
        let (_, letter) = clinic.letter().await;
        assert!(!letter.contains("MIIB") && !letter.contains("BEGIN PGP") && letter.contains("/p/"), "{letter}");
        let (_, files) = clinic.opened().await;
        let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, documents, "{protection}");
        let whole = &files.iter().find(|(name, _)| name.ends_with(".eml")).unwrap().1;
        let (header, body) = octets.split_once("\r\n\r\n").unwrap();
        assert!(whole.ends_with(&format!("\r\n\r\n{body}")), "every octet that is signed or encrypted: {whole}");
        let fields =
            header.split("\r\n").filter(|field| field.starts_with("Content-")).collect::<Vec<_>>().join("\r\n");
        assert!(whole.starts_with(&format!("MIME-Version: 1.0\r\n{fields}\r\n\r\n")), "{whole}");

        let clinic =
            Clinic::with(&[("90-protected.toml", &rule("treatment = \"refuse\"\nreason = \"Not so.\""))]).await;
        assert_eq!(clinic.send(&[PAT], &message).await.unwrap_err(), Refusal::Policy("Not so.".into()));
    }
}
