//! What recipients and senders are sent. The goldens in `tests/pack/NAME/` are what a mail program is handed;
//! `UPDATE_GOLDEN=1` rewrites them, `tests/look` takes pictures of them.

use std::path::Path;

use mail_parser::{MessageParser, MimeHeaders};
use postern::access::AccessCheck;
use postern::mail::{Address, Domain};
use postern::mime::assess::{Assessment, Attachment};
use postern::mime::{Content, Entity, HeaderField, HeaderSection, MediaType, Outline, TransferEncoding};
use postern::pack::{NoticeParts, PackError, ReportParts, Templates, failure_report, notice};
use postern::policy::{Practice, Role, SourceFile};
use postern::time::Timestamp;
use proptest::prelude::*;

mod own;

const LINK: &str = "https://mail.clinic.example/p/3f9c1kqz7w2m4x8v0t5r6y1n2b3d4f5g6h7j8k9m0p1";
/// Names that no recipient may read in a mail.
const NAMES: [&str; 3] = ["Citizen Jane HbA1c.pdf", "Referral_J_Citizen.docx", "image001.png"];
const NOW: Timestamp = Timestamp::from_secs(1_795_266_300);

struct Case {
    practice: Practice,
    message: Assessment,
    outline: Outline,
    link: Option<&'static str>,
    keep_days: u64,
    access: Vec<AccessCheck>,
    registers: bool,
    role: Option<Role>,
    private: bool,
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn practice() -> Practice {
    Practice {
        logo: None,
        id: "north".into(),
        name: "North Street Clinic".into(),
        domains: vec![Domain::parse("clinic.example").unwrap()],
        phone: "(02) 5550 0123".into(),
        address: vec!["12 North Street".into(), "Springfield 2000".into()],
        colour: "#0b6e4f".into(),
        website: Some("https://clinic.example".into()),
        signature: Vec::new(),
        learn_signatures: true,
        time_zone: "Australia/Sydney".into(),
        staff_mail: Default::default(),
        workgroups: Vec::new(),
        language: "en".into(),
    }
}

fn french() -> Practice {
    Practice {
        logo: None,
        id: "lac".into(),
        name: "Cabinet du Lac".into(),
        phone: "04 50 55 01 23".into(),
        address: vec!["3 quai des Tilleuls".into(), "74000 Annecy".into()],
        colour: "#ffd166".into(),
        website: None,
        time_zone: "Europe/Paris".into(),
        staff_mail: Default::default(),
        workgroups: Vec::new(),
        language: "fr-FR".into(),
        ..practice()
    }
}

fn attachment(name: &str, declared: &str, inline: bool) -> Attachment {
    Attachment {
        body: 0..4,
        encoding: TransferEncoding::Base64,
        within: None,
        name: name.into(),
        names: vec![name.into()],
        declared_type: declared.into(),
        content_type: None,
        octets: 48_000,
        inline,
        inside: postern::mime::inside::Inside::default(),
        given: postern::mime::assess::Given::AsDocument,
        content_id: None,
        front: Default::default(),
    }
}

fn two_documents() -> Vec<Attachment> {
    let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    vec![attachment(NAMES[0], "application/pdf", false), attachment(NAMES[1], docx, false)]
}

fn outline(fields: &[(&str, &str)]) -> Outline {
    let fields = fields
        .iter()
        .map(|(name, value)| HeaderField { name: (*name).into(), value: format!(" {value}").into_bytes() })
        .collect();
    let root = Entity {
        header: HeaderSection { fields },
        media_type: MediaType { kind: "text".into(), subtype: "plain".into(), parameters: vec![] },
        encoding: TransferEncoding::Identity,
        disposition: None,
        names: vec![],
        content_id: None,
        body: 0..0,
        lines: 0,
        content: Content::Leaf,
    };
    Outline { root, header_end: 0, octets: 0, mended: None }
}

const FIELDS: [(&str, &str); 15] = [
    ("Received", "from pc-17.inner.clinic.example ([10.0.0.17]) by exchange.inner.clinic.example"),
    ("From", "\"Dr Ada Smith\" <ada@clinic.example>"),
    ("To", "Jane Citizen <jane@patients.example>"),
    ("Cc", "=?utf-8?Q?Ren=C3=A9_L=C3=B6we?= <rene@patients.example>, undisclosed:;"),
    ("Bcc", "secret@elsewhere.example"),
    ("Subject", "Your results"),
    ("Date", "Sun, 22 Nov 2026 00:04:00 +1100"),
    ("Message-ID", "<first.1@clinic.example>"),
    ("In-Reply-To", "<asked.0@patients.example>"),
    ("References", "<root@patients.example>\r\n <asked.0@patients.example>"),
    ("Importance", "High"),
    ("X-Priority", "1 (Highest)"),
    ("X-Originating-IP", "[10.0.0.17]"),
    ("Thread-Index", "AdXyZ0123"),
    ("X-Mailer", "Microsoft Outlook 16.0"),
];

fn case(text: Option<&str>, html: Option<&str>, attachments: Vec<Attachment>) -> Case {
    let link = (!attachments.is_empty()).then_some(LINK);
    let message = Assessment {
        subject: "Your results".into(),
        tags: vec![],
        from: vec![address("ada@clinic.example")],
        from_name: Some("Dr Ada Smith".into()),
        sender: None,
        text: text.map(str::to_owned),
        html: html.map(str::to_owned),
        marked: false,
        as_written: false,
        attachments,
        received: 1,
        auto_submitted: false,
        mended: None,
        protection: None,
        signals: Default::default(),
    };
    let access = vec![AccessCheck::Account, AccessCheck::Birthdate];
    let outline = outline(&FIELDS);
    let (registers, role, private) = (false, None, false);
    Case { practice: practice(), message, outline, link, keep_days: 7, access, registers, role, private }
}

impl Case {
    fn compose(&self, templates: &Templates) -> Vec<u8> {
        self.try_compose(templates).unwrap()
    }

    fn try_compose(&self, templates: &Templates) -> Result<Vec<u8>, PackError> {
        let day = std::time::Duration::from_secs(86_400);
        let sender = address("ada@clinic.example");
        let parts = NoticeParts {
            practice: &self.practice,
            sender: &sender,
            speaks_as: None,
            message: &self.message,
            outline: &self.outline,
            subject: &self.message.subject,
            private: self.private,
            link: self.link,
            access: &self.access,
            registers: self.registers,
            role: self.role,
            link_until: NOW.plus(7 * day),
            keep_until: NOW.plus(day * u32::try_from(self.keep_days).unwrap()),
            hostname: "mail.clinic.example",
            unique: "06eqz3p9s2x4n7k1v5t8w0y2m4",
            now: NOW,
        };
        notice(templates, &parts)
    }
}

fn shipped_files() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut folders = vec![root.join("policies/templates")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            let path = entry.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            let name = path.strip_prefix("policies/").unwrap().to_owned();
            files.push(SourceFile { text: std::fs::read_to_string(&entry).unwrap(), path, name });
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

fn shipped() -> Templates {
    Templates::load(&shipped_files())
        .unwrap_or_else(|(faults, sources)| panic!("{}", postern::fault::render(&faults, &sources)))
}

#[test]
fn the_shipped_templates_have_no_fault() {
    shipped();
}

const LETTER: &str = "Dear Jane,\r\n\r\nYour results are back and nothing in them needs to worry you.\r\n\
Please read the letter before our appointment on Thursday.\r\n\r\nKind regards\r\nAda Smith\r\n";

const OUTLOOK: &str = include_str!("../pack/outlook.html");

/// The cases that are kept as goldens and looked at.
fn cases() -> Vec<(&'static str, Case)> {
    let two = case(Some(LETTER), None, two_documents());
    let mut outlook = case(Some(LETTER), Some(OUTLOOK), two_documents());
    outlook.message.attachments.push(attachment(NAMES[2], "image/png", true));
    outlook.keep_days = 30;
    let long = "The first paragraph of a long letter, which goes on about one thing and then another until the reader has \
                forgotten how it began.\r\n\r\n";
    let mut long = case(Some(&long.repeat(40)), None, two_documents());
    long.access = vec![AccessCheck::Code];
    let mut too_long = case(None, None, vec![attachment("message.txt", "text/plain", false)]);
    too_long.message.attachments[0].octets = 2_000_000;
    let none = case(Some(LETTER), None, vec![]);
    let lettre =
        "Bonjour Madame,\r\n\r\nVous trouverez ci-joint vos résultats ; tout est en ordre.\r\n\r\nBien à vous\r\n";
    let mut french_case = case(Some(lettre), None, two_documents());
    french_case.practice = french();
    french_case.message.from_name = Some("Dr Hélène Brühl".into());
    french_case.message.subject = "Vos résultats d’analyse".into();
    let mut invitation = case(Some(LETTER), None, two_documents());
    (invitation.registers, invitation.role) = (true, Some(Role::Patient));
    let mut elsewhere = case(Some(LETTER), None, vec![attachment(NAMES[0], "application/pdf", false)]);
    (elsewhere.registers, elsewhere.role) = (true, Some(Role::DoctorElsewhere));
    let mut invitation_french = case(Some(lettre), None, two_documents());
    (invitation_french.registers, invitation_french.role) = (true, Some(Role::Patient));
    invitation_french.practice = french();
    invitation_french.message.from_name = Some("Dr Hélène Brühl".into());
    let mut signature = case(Some(LETTER), Some(OUTLOOK), two_documents());
    signature.message.attachments.push(Attachment {
        given: postern::mime::assess::Given::InText(bytes::Bytes::from_static(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")),
        content_id: Some("image001.png@01DC5B4E.7F3A2B10".into()),
        content_type: Some("image/png".into()),
        ..attachment(NAMES[2], "image/png", true)
    });
    let private = |private: Case| Case { private: true, ..private };
    let mut message = private(case(Some(LETTER), Some(OUTLOOK), vec![]));
    message.link = Some(LINK);
    let mut message_french = private(case(Some(lettre), None, vec![]));
    (message_french.practice, message_french.link) = (french(), Some(LINK));
    (message_french.registers, message_french.role) = (true, Some(Role::Patient));
    let mut as_written = private(case(None, None, vec![attachment("message.eml", "message/rfc822", false)]));
    as_written.message.as_written = true;
    vec![
        ("private", private(case(Some(LETTER), Some(OUTLOOK), two_documents()))),
        ("private-message", message),
        ("private-invitation-french", message_french),
        ("as-written", as_written),
        ("invitation", invitation),
        ("invitation-doctor-elsewhere", elsewhere),
        ("invitation-french", invitation_french),
        ("two-documents", two),
        ("outlook", outlook),
        ("signature", signature),
        ("long", long),
        ("too-long", too_long),
        ("no-documents", none),
        ("french", french_case),
    ]
}

fn report_of(practice: &Practice, templates: &Templates, refused: bool) -> Vec<u8> {
    let no_such = ("5.1.1", "The mail server of the recipient says that there is no such address.");
    let (enhanced, sentence) = if refused { ("5.7.1", "Nothing goes to the press from here.") } else { no_such };
    let parts = ReportParts {
        practice,
        to: &address("ada@clinic.example"),
        recipient: &address("jane@patients.example"),
        hostname: "mail.clinic.example",
        transaction: "dgtv3zq5yl2nbq7cxw4p6kfmea",
        accepted: NOW,
        enhanced,
        sentence,
        attempts: u32::from(!refused),
        unique: "06eqz3p9s2x4n7k1v5t8w0y2m5",
        now: NOW.plus(std::time::Duration::from_secs(95)),
    };
    failure_report(templates, &parts).unwrap()
}

/// Compares with `tests/pack/NAME/FILE`, or writes it under `UPDATE_GOLDEN=1`.
fn golden(name: &str, file: &str, octets: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pack").join(name).join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, octets).unwrap();
        return;
    }
    let kept = std::fs::read(&path).unwrap_or_default();
    let (kept, made) = (String::from_utf8_lossy(&kept), String::from_utf8_lossy(octets));
    assert_eq!(kept, made, "{} differs; UPDATE_GOLDEN=1 rewrites it", path.display());
}

fn text_and_html(octets: &[u8]) -> (String, String) {
    let message = MessageParser::new().parse(octets).unwrap();
    (message.body_text(0).unwrap().into_owned(), message.body_html(0).unwrap().into_owned())
}

#[test]
fn goldens_are_what_is_sent() {
    let templates = shipped();
    let mut all: Vec<(&str, Vec<u8>)> =
        cases().into_iter().map(|(name, case)| (name, case.compose(&templates))).collect();
    all.push(("report", report_of(&practice(), &templates, false)));
    all.push(("report-french", report_of(&french(), &templates, false)));
    all.push(("report-refused", report_of(&practice(), &templates, true)));
    all.push(("report-refused-french", report_of(&french(), &templates, true)));
    for (name, octets) in all {
        goldens(name, &octets);
    }
}

/// The mail as it leaves, and its two texts as a reader shows them.
fn goldens(name: &str, octets: &[u8]) {
    golden(name, "mail.eml", octets);
    let (text, html) = text_and_html(octets);
    golden(name, "mail.txt", text.as_bytes());
    golden(name, "mail.html", html.as_bytes());
}

/// The names of the header fields, as a reader sees them.
fn field_names(octets: &[u8]) -> Vec<String> {
    let message = MessageParser::new().parse(octets).unwrap();
    message.headers_raw().map(|(name, _)| name.to_owned()).collect()
}

/// What lines of a header field or a text come to: no control character, separators as spaces, words one space apart.
fn words(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\r\n".to_owned()),
        Just("\r\nBcc: thief@evil.example\r\n".to_owned()),
        Just("\n\n--=_06eqz3p9s2x4n7k1v5t8w0y2m4\r\nContent-Type: text/html\r\n\r\n".to_owned()),
        Just("\0".to_owned()),
        Just("\u{2028}".to_owned()),
        Just("\u{202e}".to_owned()),
        Just("=?utf-8?Q?=0D=0ABcc:_x?=".to_owned()),
        Just("\" <thief@evil.example>, \"".to_owned()),
        Just("{{ practice.name }}{% raw %}".to_owned()),
        Just("</td><script>x</script>".to_owned()),
        Just("begin 644 x\r\n".to_owned()),
        Just("<o:p></o:p>".to_owned()),
        Just("\u{8}".to_owned()),
        Just("\u{85}".to_owned()),
        "[ -~]{0,90}",
        "\\PC{0,12}",
        any::<String>().prop_map(|text| text.chars().take(40).collect()),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_a_sender_writes_becomes_structure(
        subject in hostile(), name in hostile(), to in hostile(), text in hostile(), html in prop::option::of(hostile()),
        file in "[A-Z]{12}\\.pdf",
    ) {
        let templates = TEMPLATES.with(std::rc::Rc::clone);
        let text = format!("x{text}");
        let mut case = case(Some(&text), html.as_deref(), vec![attachment(&file, "application/pdf", false)]);
        case.message.subject = subject.clone();
        case.message.from_name = Some(format!("x{name}"));
        case.outline.root.header.fields[2].value = format!(" \"{}\" <jane@patients.example>", to.replace(['"', '\\', '\r', '\n'], " ")).into_bytes();
        let octets = match case.try_compose(&templates) {
            Err(PackError::FileWithin(_)) => return Ok(()),
            octets => octets.unwrap(),
        };
        prop_assert_eq!(&octets, &case.compose(&templates));

        let whole = std::str::from_utf8(&octets).unwrap();
        prop_assert!(whole.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n', '\0'])));
        prop_assert!(whole.ends_with("--=_06eqz3p9s2x4n7k1v5t8w0y2m4--\r\n"));

        let expected = ["From", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Importance",
            "X-Priority", "Content-Language", "MIME-Version", "Content-Type"];
        prop_assert_eq!(field_names(&octets), expected);

        let message = MessageParser::new().parse(&octets).unwrap();
        prop_assert_eq!(message.parts.len(), 3);
        prop_assert_eq!(message.attachment_count(), 0);
        prop_assert!(message.parts.iter().all(|part| part.attachment_name().is_none()));
        prop_assert_eq!(message.from().unwrap().iter().count(), 1);
        prop_assert_eq!(message.from().unwrap().first().unwrap().address(), Some("ada@clinic.example"));
        let visible = |text: &str| words(&text.replace(|c: char| ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c) || ['\u{200e}', '\u{200f}', '\u{61c}'].contains(&c), " "));
        prop_assert_eq!(visible(message.subject().unwrap_or_default()), visible(&subject));

        let (body, page) = text_and_html(&octets);
        let without_controls = |text: &str| -> String {
            words(&text.replace(['\u{b}', '\u{c}', '\u{85}'], " ").chars().filter(|c| !c.is_control() || "\r\n\t".contains(*c)).collect::<String>())
        };
        prop_assert!(without_controls(&body).contains(&without_controls(&text)), "{}", body);
        for secret in [file.as_str(), &case.message.attachments[0].name] {
            prop_assert!(!body.contains(secret) && !page.contains(secret));
        }
        prop_assert!(!page.contains("<script"));
        // What a decoder of uuencode takes for the start of a file, with data behind it or not.
        let begin = regex::Regex::new(r"(?m)^\s*begin [0-9]{3,} *\S").unwrap();
        for sent in [&body, &page] {
            prop_assert!(!begin.is_match(&sent.replace('\r', "\n")), "{}", sent);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever somebody writes, what leaves is the same: nothing of it can be in it, in no form.
    #[test]
    fn what_leaves_of_a_private_message_does_not_depend_on_its_words(
        subject in hostile(), text in prop::option::of(hostile()), html in prop::option::of(hostile()), documents in any::<bool>(),
    ) {
        let templates = TEMPLATES.with(std::rc::Rc::clone);
        let attachments = || if documents { two_documents() } else { vec![] };
        let private = |case: Case| Case { private: true, link: Some(LINK), ..case };
        let silent = private(case(None, None, attachments())).compose(&templates);
        let mut written = private(case(text.as_deref(), html.as_deref(), attachments()));
        written.message.subject = subject;
        prop_assert_eq!(String::from_utf8(written.compose(&templates)), String::from_utf8(silent));
    }
}

thread_local! {
    /// Compiled once for all cases of a property.
    static TEMPLATES: std::rc::Rc<Templates> = std::rc::Rc::new(shipped());
}

#[test]
fn no_golden_names_a_file_or_an_inner_hop() {
    let templates = shipped();
    for (name, case) in cases() {
        let octets = case.compose(&templates);
        let (text, html) = text_and_html(&octets);
        let whole = format!("{}{text}{html}", String::from_utf8_lossy(&octets));
        for secret in NAMES.into_iter().chain([
            "secret@elsewhere",
            "10.0.0.17",
            "AdXyZ",
            "Outlook 16",
            "tracker.example",
            "googleapis",
        ]) {
            assert!(!whole.contains(secret), "{secret} in {name}");
        }
        assert!(html.len() < 102 * 1024, "Gmail clips {name}");
    }
}

#[test]
fn what_a_message_lacks_is_given_and_what_it_has_too_much_of_is_cut() {
    let templates = shipped();
    let mut bare = case(Some("x"), None, vec![]);
    bare.outline = outline(&[("Date", "yesterday"), ("Message-ID", "none")]);
    let octets = bare.compose(&templates);
    let whole = String::from_utf8_lossy(&octets);
    assert!(whole.contains("\r\nDate: Sat, 21 Nov 2026 13:05:00 +0000\r\n"), "{whole}");
    assert!(whole.contains("\r\nMessage-ID: <06eqz3p9s2x4n7k1v5t8w0y2m4@mail.clinic.example>\r\n"), "{whole}");

    let thread: String = (0..600).map(|place| format!("<{place:04}.long-thread@clinic.example> ")).collect();
    let mut long = case(Some("x"), None, vec![]);
    long.outline =
        outline(&[("References", &thread), ("Importance", "very\r\n High"), ("Auto-Submitted", "auto-generated; x")]);
    let octets = long.compose(&templates);
    let message = MessageParser::new().parse(&octets).unwrap();
    let kept: Vec<&str> = message.references().as_text_list().unwrap_or_default().iter().map(AsRef::as_ref).collect();
    assert_eq!(
        (kept.first(), kept.last()),
        (Some(&"0000.long-thread@clinic.example"), Some(&"0599.long-thread@clinic.example"))
    );
    assert!(kept.len() > 50 && kept.len() < 200, "{}", kept.len());
    assert_eq!(message.header_raw("Importance"), None);
    assert_eq!(message.header_raw("Auto-Submitted").map(str::trim), Some("auto-generated"));

    let mut odd = case(Some("x"), Some("<script>only</script>"), vec![]);
    odd.outline = outline(&[("Auto-Submitted", "auto-magic")]);
    odd.message.auto_submitted = true;
    let octets = odd.compose(&templates);
    assert!(String::from_utf8_lossy(&octets).contains("\r\nAuto-Submitted: auto-generated\r\n"));
    assert!(
        text_and_html(&octets).1.contains("<p style=\"margin:0 0 16px\">x</p>"),
        "the text stands in for empty HTML"
    );
}

#[test]
fn a_report_holds_nothing_of_the_message() {
    let octets = report_of(&practice(), &shipped(), false);
    let message = MessageParser::new().parse(&octets).unwrap();
    assert_eq!(message.header_raw("Auto-Submitted").map(str::trim), Some("auto-replied"));
    assert_eq!(message.from().unwrap().first().unwrap().address(), Some("postmaster@mail.clinic.example"));
    assert_eq!(message.subject(), Some("Not delivered: your message of Sunday 22 November 2026, 00:05"));
    assert_eq!(message.attachment_count(), 0);
}
