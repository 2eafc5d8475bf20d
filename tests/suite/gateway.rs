//! The life of a message over a real store, without sockets: what is queued, granted and kept, and what is not.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use postern::access::{About, Door, Means, Proved, admit};
use postern::accounts::{Accounts, NewStaff, Passwords};
use postern::blob::{BlobStore, Objects, RawMessage};
use postern::delivery::retry::Schedule;
use postern::directory::Directory;
use postern::gateway::{Gateway, GatewaySettings, Policies, Receipt, ReceivedMessage, Refusal, Stations};
use postern::guests::Guests;
use postern::keyring::{Keyring, MasterKey};
use postern::mail::{Address, BodyType, Domain, Envelope, Origin, ReceivedTrace, Recipient, ReversePath};
use postern::mailbox::{MailLimits, Mailboxes};
use postern::queue::{Claim, Queue};
use postern::random;
use postern::secret::Secret;
use postern::store::{self, Store, StoreSettings};
use postern::vault::{Grant, ParcelContent, Vault};

mod app_passwords;
mod leaks;
mod leaving;
mod patients;
mod questions;
mod signals;
mod signature;
mod status;
mod typed;
mod withheld;

pub const JANE: &str = "jane@clinic.example";

pub struct Clinic {
    pub gateway: Gateway,
    pub jane: Origin,
    pub folder: tempfile::TempDir,
}

impl Clinic {
    /// The shipped policies, and these files beside them. Pat is known: a code opens what is sent there.
    pub async fn with(extra: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let policies = folder.path().join("policies");
        copy(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/policies")), &policies);
        std::fs::write(policies.join("directory.csv"), "address,role\npat@home.example,payer\n").unwrap();
        for (name, text) in extra {
            std::fs::write(policies.join(name), text).unwrap();
        }
        let master = MasterKey::make_file(&folder.path().join("master.key")).unwrap();
        let keyring = Keyring::create(&folder.path().join("keys"), &master, store::now().day()).unwrap();
        Self::over(folder, keyring).await
    }

    /// The same house after a restart.
    async fn restarted(self) -> Self {
        let Self { gateway, folder, .. } = self;
        let Stations { store, keyring, .. } = gateway.stations().clone();
        drop(gateway);
        store.close().await.unwrap();
        Self::over(folder, keyring).await
    }

    async fn over(folder: tempfile::TempDir, keyring: Keyring) -> Self {
        let policies = folder.path().join("policies");
        let data = folder.path().join("data");
        let settings = StoreSettings { folder: data.clone(), cache: 8 << 20, checkpoint_every: 64 << 20 };
        let store = Store::open(settings, keyring.clone()).await.unwrap();
        let objects = Objects::new(store.clone(), BlobStore::open(&data.join("blob")).unwrap());
        let stations = Stations {
            vault: Vault::new(store.clone(), keyring.clone(), objects.clone()),
            queue: Queue::new(store.clone(), keyring.clone(), objects.clone(), Schedule::default()),
            accounts: Accounts::new(store.clone(), keyring.clone(), Passwords::new(1).unwrap()),
            guests: Guests::new(store.clone(), keyring.clone(), Passwords::new(1).unwrap()),
            directory: Directory::new(store.clone(), keyring.clone()),
            mailboxes: Mailboxes::new(store.clone(), keyring.clone(), objects.clone(), MailLimits::default()),
            keyring,
            policies: Arc::new(Policies::open(&policies).unwrap()),
            store,
            objects,
        };
        let jane = match stations.accounts.find(&address(JANE)).await.unwrap() {
            Some((id, _)) => Origin::Staff { id, address: address(JANE) },
            None => add_staff(&stations.accounts).await,
        };
        let settings = GatewaySettings {
            hostname: Domain::parse("mail.clinic.example").unwrap(),
            public_url: "https://mail.clinic.example".into(),
            postmaster: Some(address(JANE)),
        };
        Self { gateway: Gateway::new(settings, stations), jane, folder }
    }

    pub async fn send(&self, to: &[&str], message: &str) -> Result<Receipt, Refusal> {
        self.send_as(self.jane.clone(), JANE, to, message).await
    }

    pub async fn send_as(&self, origin: Origin, from: &str, to: &[&str], message: &str) -> Result<Receipt, Refusal> {
        let message = self.spooled(message).await;
        let reverse_path = if from.is_empty() { ReversePath::Null } else { ReversePath::Address(address(from)) };
        let recipients = to.iter().map(|to| Recipient::plain(address(to))).collect();
        let envelope = Envelope { reverse_path, recipients, body: BodyType::EightBitMime, ret: None, envid: None };
        let trace = ReceivedTrace {
            helo: "pc".into(),
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
            protocol: "ESMTPSA".into(),
            at: store::now(),
        };
        let (transaction, session) = (random::id(), random::id());
        self.gateway.accept(ReceivedMessage { transaction, session, origin, envelope, trace, message }).await
    }

    async fn spooled(&self, message: &str) -> RawMessage {
        let mut spool = self.gateway.spool();
        spool.write(message.replace('\n', "\r\n").as_bytes()).await.unwrap();
        spool.finish().await.unwrap()
    }

    /// What waits to be delivered within the hour: to whom, and the octets.
    pub async fn letters(&self) -> Vec<(String, String)> {
        let queue = &self.gateway.stations().queue;
        let claims: Vec<Claim> =
            queue.claim_due(store::now().plus(std::time::Duration::from_secs(3600)), 1_000).await.unwrap();
        let mut letters = Vec::new();
        for claim in &claims {
            let mut octets = queue.octets(&claim.letter).await.unwrap();
            let mut text = Vec::new();
            while let Some(piece) = octets.next().await.unwrap() {
                text.extend_from_slice(&piece);
            }
            let to = claim.letter.delivery.recipient.address.to_string();
            letters.push((to, String::from_utf8(text).unwrap()));
        }
        letters
    }

    /// The only right there is, and the parcel that it opens.
    async fn granted(&self) -> (Grant, ParcelContent) {
        let vault = &self.gateway.stations().vault;
        let mut grants = vault.grants(None, 10).await.unwrap();
        assert_eq!(grants.len(), 1);
        let (id, grant) = grants.remove(0);
        let (checks, keep_until) = (grant.access.as_slice(), grant.keep_until);
        let (practice, patient) = (grant.practice.as_str(), grant.patient);
        let door = Door { grant: id, checks, practice, patient, keep_until, revoked: false };
        let mut proved = Proved { account: true, any_patient: true, ..Proved::default() };
        proved.show(Means::Code, About { practice: practice.into(), patient });
        let (_, content) = vault.open(&admit(&door, &proved, store::now()).unwrap(), store::now()).await.unwrap();
        (grant, content)
    }

    /// Files below the folder of blobs.
    pub fn blobs(&self) -> usize {
        fn files(folder: &Path) -> usize {
            let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
        }
        files(&self.folder.path().join("data/blob"))
    }
}

async fn add_staff(accounts: &Accounts) -> Origin {
    let new = NewStaff {
        address: address(JANE),
        name: Some("Dr Jane Roe".into()),
        practice: None,
        groups: Vec::new(),
        delegated: vec![address("reception@clinic.example")],
        admin: true,
        initial: false,
    };
    let id = accounts.add(new, &Secret::new("tea at half past nine".into()), store::now()).await.unwrap();
    Origin::Staff { id, address: address(JANE) }
}

/// The address in a mail that answers to it go to: `ask.…` or `about.…`.
pub fn token(kind: &str, mail: &str) -> String {
    let token = regex::Regex::new(&format!(r"{kind}\.[a-z2-7]{{52}}@mail\.clinic\.example")).unwrap();
    token.find(mail).unwrap_or_else(|| panic!("no address {kind}.… in\n{mail}")).as_str().to_owned()
}

pub fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(from, to).unwrap();
        }
    }
}

fn with_attachment(subject: &str, name: &str, octets: usize) -> String {
    let line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWkFCQ0RF\n";
    let body = line.repeat(octets / 57 + 1);
    format!(
        "From: {JANE}\nTo: pat@home.example\nSubject: {subject}\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nThe letter is attached.\n\
         --b\nContent-Type: application/octet-stream; name=\"{name}\"\nContent-Transfer-Encoding: base64\n\n{body}--b--\n"
    )
}

#[tokio::test]
async fn each_recipient_gets_what_policy_says() {
    let clinic = Clinic::with(&[]).await;
    let message = with_attachment("Your letter [14d]", "letter.pdf", 100);
    let receipt = clinic.send(&["pat@home.example", "bob@clinic.example"], &message).await.unwrap();
    assert_eq!((receipt.accepted, receipt.refused), (2, 0));

    let letters = clinic.letters().await;
    let of = |to: &str| &letters.iter().find(|(address, _)| address == to).unwrap().1;
    let (pat, bob) = (of("pat@home.example"), of("bob@clinic.example"));
    assert!(pat.contains("https://mail.clinic.example/p/") && !pat.contains("QUJDREVG") && !pat.contains("letter.pdf"));
    assert!(pat.contains("Subject: Your letter\r\n"), "the tag that was used is gone");
    assert!(pat.contains("Dr Jane Roe"), "the account's name stands in for the mail program's");
    assert!(bob.starts_with("Received: from pc\r\n") && bob.contains("QUJDREVG"));
    assert!(bob.contains("Subject: Your letter\r\n"));

    let (grant, content) = clinic.granted().await;
    assert_eq!(grant.keep_until.since(grant.created).as_secs(), 14 * 86_400);
    let names: Vec<_> = content.deposits.iter().map(|deposit| deposit.name.as_str()).collect();
    assert_eq!(names, ["letter.pdf", "message.txt"]);
}

/// A message too large for memory whose documents all went into the vault left its spooled original on disk until the
/// next start: only refused messages were discarded.
#[tokio::test]
async fn nothing_of_a_large_message_stays_but_what_somebody_holds() {
    let clinic = Clinic::with(&[]).await;
    let message = with_attachment("Scan", "scan.pdf", 2 << 20);
    clinic.send(&["pat@home.example"], &message).await.unwrap();
    assert_eq!(clinic.blobs(), 1, "the document, not the original; the notice lies in its entry");

    clinic.send(&["bob@clinic.example", "ann@clinic.example"], &message).await.unwrap();
    assert_eq!(clinic.blobs(), 2, "one original for two colleagues, taken over as it was spooled");

    let spoofed = message.replace(JANE, "boss@clinic.example");
    assert_eq!(
        clinic.send(&["pat@home.example"], &spoofed).await.unwrap_err(),
        Refusal::NotYourAddress { field: "From" }
    );
    assert_eq!(clinic.blobs(), 2, "of a refused message nothing stays");
}

/// Each notice of a message to very many had a file of its own, with two syncs: a message to five hundred took seconds.
#[tokio::test]
async fn what_is_too_long_for_the_entries_of_very_many_lies_in_one_file() {
    let clinic = Clinic::with(&[]).await;
    let everybody: Vec<String> = (0..150).map(|number| format!("payer{number}@insurer.example")).collect();
    let to: Vec<&str> = everybody.iter().map(String::as_str).collect();
    clinic.send(&to, &with_attachment("[payer] The account", "account.pdf", 2 << 20)).await.unwrap();
    assert_eq!(clinic.blobs(), 2, "the document, and the notices");
    let mut letters = clinic.letters().await;
    letters.sort();
    let mut expected = everybody.clone();
    expected.sort();
    assert!(letters.iter().map(|(recipient, _)| recipient).eq(&expected), "everybody gets one");
    for (recipient, mail) in &letters {
        assert_eq!(mail.matches("\nMIME-Version: ").count(), 1, "{recipient}: one mail and no piece of another");
        assert!(mail.ends_with("--\r\n"), "{recipient}: to its end");
    }
    let links: std::collections::BTreeSet<_> = letters.iter().map(|(_, mail)| mail).collect();
    assert_eq!(links.len(), 150, "each has a link of its own");
}

/// A tag with a patient's name and birthdate left in Thread-Topic, where Exchange repeats the subject.
#[tokio::test]
async fn a_used_tag_leaves_in_no_field() {
    let clinic = Clinic::with(&[]).await;
    let tag = "[patient Jane Citizen 1980-03-04]";
    let message = format!("From: {JANE}\nSubject: Letter {tag}\nThread-Topic: Letter {tag}\n\nHello\n");
    clinic.send(&["bob@clinic.example", "pat@home.example"], &message).await.unwrap();
    for (to, letter) in clinic.letters().await {
        assert!(letter.contains("Subject: Letter\r\n") && !letter.contains("1980-03-04"), "{to}");
    }
}

#[tokio::test]
async fn own_and_delegated_addresses_only() {
    let clinic = Clinic::with(&[]).await;
    let plain = |from: &str, more: &str| format!("From: {from}\n{more}Subject: x\n\nHello\n");
    let to = ["bob@clinic.example"];
    assert!(clinic.send(&to, &plain("Reception@Clinic.Example", "")).await.is_ok(), "delegated");
    assert!(clinic.send(&to, "Subject: x\n\nno From at all\n").await.is_ok(), "MAIL FROM speaks");
    for (message, field) in [
        (plain("ceo@clinic.example", ""), "From"),
        (plain(&format!("{JANE}, ceo@clinic.example"), "Sender: jane@clinic.example\n"), "From"),
        (plain(JANE, "Sender: ceo@clinic.example\n"), "Sender"),
    ] {
        assert_eq!(clinic.send(&to, &message).await.unwrap_err(), Refusal::NotYourAddress { field });
    }
}

#[tokio::test]
async fn a_restricted_file_is_refused_for_everybody_by_name_and_rule() {
    let clinic = Clinic::with(&[]).await;
    let message = with_attachment("Tool", "setup.exe", 100);
    let refusal = clinic.send(&["pat@home.example", "bob@clinic.example"], &message).await.unwrap_err();
    let Refusal::Policy(words) = refusal else { panic!("{refusal:?}") };
    assert!(words.contains("setup.exe") && words.contains("restricted.toml"), "{words}");
    assert!(
        clinic.letters().await.is_empty() && clinic.gateway.stations().vault.grants(None, 1).await.unwrap().is_empty()
    );
}

/// A message with one attachment, in base64.
fn with_file(name: &str, octets: &[u8]) -> String {
    let body = data_encoding::BASE64_MIME.encode(octets).replace("\r\n", "\n");
    format!(
        "From: {JANE}\nTo: pat@home.example\nSubject: Files\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nHere.\n\
         --b\nContent-Type: application/octet-stream; name=\"{name}\"\nContent-Transfer-Encoding: base64\n\n{body}\n--b--\n"
    )
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, octets) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut writer, octets).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// An attribute of winmail.dat ([MS-OXTNEF], section 2.1.3.2).
fn attribute(level: u8, id: u16, data: &[u8]) -> Vec<u8> {
    let sum = data.iter().fold(0_u16, |sum, octet| sum.wrapping_add(u16::from(*octet)));
    let length = u32::try_from(data.len()).unwrap().to_le_bytes();
    [&[level][..], &id.to_le_bytes(), &6_u16.to_le_bytes(), &length, data, &sum.to_le_bytes()].concat()
}

#[tokio::test]
async fn a_restricted_file_is_found_inside_others_and_named_by_its_way() {
    let clinic = Clinic::with(&[]).await;
    let inner = zipped(&[("notes/readme.txt", b"words"), ("run me.js", b"alert(1)")]);
    // Longer than the stride in which a spooled document is decoded, so that what is behind is found too.
    let noise: Vec<u8> = (0..900_000_u32).flat_map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    let letters = zipped(&[("scan.bin", &noise), ("more.zip", &inner)]);
    let mail = with_file("tool.exe", b"MZ").replace('\n', "\r\n");
    for (name, octets, told) in [
        ("letters.zip", &letters[..], "letters.zip/more.zip/run me.js\" is not accepted: scripts"),
        ("old.eml", mail.as_bytes(), "old.eml/tool.exe\" is not accepted: programs"),
        (
            "plan.docx",
            &zipped(&[("[Content_Types].xml", b"<x/>"), ("word/vbaProject.bin", b"x")]),
            "documents with macros",
        ),
        ("note.txt", b"Hi\nbegin 644 a.exe\n#86)C\n`\nend\n", "note.txt/a.exe\" is not accepted: programs"),
        ("old.rar", b"Rar!\x1a\x07\x01\0 what follows", "archives that cannot be looked into"),
    ] {
        let refusal = clinic.send(&["pat@home.example"], &with_file(name, octets)).await.unwrap_err();
        let Refusal::Policy(words) = refusal else { panic!("{refusal:?}") };
        assert!(words.contains(told), "{name}: {words}");
    }
    let sound = zipped(&[("letter.pdf", b"%PDF-1.4"), ("picture.png", &noise)]);
    clinic.send(&["pat@home.example"], &with_file("letters.zip", &sound)).await.unwrap();
}

#[tokio::test]
async fn files_that_outlook_packed_are_documents_of_their_own() {
    let clinic = Clinic::with(&[]).await;
    let long = vec![b'x'; 700_000];
    let packed = |second: &str| {
        let attributes = [
            attribute(1, 0x8008, b"IPM.Microsoft Mail.Note\0"),
            attribute(2, 0x9002, &[]),
            attribute(2, 0x8010, b"Befund M\xfcller.pdf\0"),
            attribute(2, 0x800F, b"%PDF-1.4 Befund"),
            attribute(2, 0x9002, &[]),
            attribute(2, 0x8010, second.as_bytes()),
            attribute(2, 0x800F, &long),
        ];
        [&b"\x78\x9f\x3e\x22\x01\0"[..], &attributes.concat()].concat()
    };
    clinic.send(&["pat@home.example"], &with_file("winmail.dat", &packed("values.csv"))).await.unwrap();
    let (_, content) = clinic.granted().await;
    let told: Vec<_> = content.deposits.iter().map(|deposit| (deposit.name.as_str(), deposit.object.octets)).collect();
    assert_eq!(told[..2], [("Befund Müller.pdf", 15), ("values.csv", 700_000)]);
    assert!(told.iter().all(|(name, _)| *name != "winmail.dat"), "{told:?}");

    let refusal = clinic.send(&["pat@home.example"], &with_file("winmail.dat", &packed("a.exe"))).await.unwrap_err();
    let Refusal::Policy(words) = refusal else { panic!("{refusal:?}") };
    assert!(words.contains("\"a.exe\" is not accepted: programs"), "{words}");
}

/// A letter with a file in uuencode was refused; a message that its relaying would have left broken went nowhere either.
#[tokio::test]
async fn a_file_written_into_the_text_is_a_document_and_a_mended_message_is_not_relayed() {
    let rule = "[[rule]]\nname = \"as it stands\"\n[rule.when]\nrecipient = \"ward@hospital.example\"\n\
                [rule.set]\ntreatment = \"relay\"\n";
    let clinic = Clinic::with(&[("20-ward.toml", rule)]).await;
    let text = "Dear Pat\nbegin 644 cat.txt\n#0V%T\n`\nend\nKind regards\n";
    let message = format!("From: {JANE}\nSubject: a\n\n{text}");
    clinic.send(&["pat@home.example"], &message).await.unwrap();
    let (_, content) = clinic.granted().await;
    let told: Vec<_> = content.deposits.iter().map(|deposit| (deposit.name.as_str(), deposit.object.octets)).collect();
    assert_eq!(told[0], ("cat.txt", 3));
    let letters = clinic.letters().await;
    assert!(letters[0].1.contains("Dear Pat\r\n[document]\r\nKind regards"), "{}", letters[0].1);

    let twice = format!("From: {JANE}\nSubject: a\nSubject: b\n\nHello\n");
    let refusal = clinic.send(&["ward@hospital.example"], &twice).await.unwrap_err();
    let Refusal::NotUnderstood(defect) = refusal else { panic!("{refusal:?}") };
    assert_eq!(defect.word, "duplicate-field");
}

#[tokio::test]
async fn one_refused_recipient_does_not_stop_the_others_and_the_sender_is_told() {
    let rule = "[[rule]]\nname = \"no mail to the press\"\n[rule.when]\nrecipient_domain = [\"press.example\"]\n\
                [rule.set]\ntreatment = \"refuse\"\nreason = \"Nothing goes to the press from here.\"\n";
    let clinic = Clinic::with(&[("20-press.toml", rule)]).await;
    let message = with_attachment("Secret MARKER", "letter.pdf", 100);
    let receipt = clinic.send(&["hack@press.example", "pat@home.example"], &message).await.unwrap();
    assert_eq!((receipt.accepted, receipt.refused, receipt.reported), (1, 1, 1));
    let letters = clinic.letters().await;
    assert_eq!(letters.len(), 2);
    let report = &letters.iter().find(|(to, _)| to == JANE).expect("a report to the sender").1;
    assert!(report.contains("hack@press.example") && report.contains("Nothing goes to the press"));
    assert!(!report.contains("MARKER") && !report.contains("letter.pdf"));

    // The reply promised a report also where none is owed.
    let (to, jane) = (["hack@press.example", "pat@home.example"], clinic.jane.clone());
    let receipt = clinic.send_as(jane, "", &to, &message).await.unwrap();
    assert_eq!((receipt.accepted, receipt.refused, receipt.reported), (1, 1, 0));
    assert_eq!(clinic.letters().await.len(), 2 + 1, "a null sender is never written to");

    let refusal = clinic.send(&["hack@press.example"], &message).await.unwrap_err();
    assert_eq!(refusal, Refusal::Policy("Nothing goes to the press from here.".into()));
}

#[tokio::test]
async fn the_gateways_own_name_knows_only_its_postmaster() {
    let clinic = Clinic::with(&[]).await;
    let gateway = &clinic.gateway;
    assert_eq!(
        gateway.check_recipient(&clinic.jane, &address("x@mail.clinic.example")).await,
        Err(Refusal::NoSuchAddress)
    );
    assert_eq!(gateway.check_recipient(&clinic.jane, &address("Postmaster@mail.clinic.example")).await, Ok(()));
    clinic.send(&["postmaster@mail.clinic.example"], &format!("From: {JANE}\nSubject: help\n\nHello\n")).await.unwrap();
    assert_eq!(clinic.letters().await[0].0, JANE, "the admin reads the postmaster's mail");
    let both = ["postmaster@mail.clinic.example", JANE, "POSTMASTER@mail.clinic.example"];
    clinic.send(&both, &format!("From: {JANE}\nSubject: help\n\nHello\n")).await.unwrap();
    assert_eq!(clinic.letters().await.len(), 2, "the first one, and no address twice in the second");
}

/// Mail to a colleague who had left went on to their private address untouched: a disabled account still counted as
/// one of the practice.
#[tokio::test]
async fn who_left_is_no_colleague() {
    let clinic = Clinic::with(&[]).await;
    let accounts = &clinic.gateway.stations().accounts;
    let new = NewStaff {
        address: address("old@private.example"),
        name: None,
        practice: Some("example-clinic".into()),
        groups: Vec::new(),
        delegated: Vec::new(),
        admin: false,
        initial: false,
    };
    accounts.add(new, &Secret::new("tea at half past nine".into()), store::now()).await.unwrap();
    let message = with_attachment("Scan", "scan.pdf", 100);
    clinic.send(&["old@private.example"], &message).await.unwrap();
    assert!(clinic.letters().await[0].1.contains("QUJDREVG"), "a colleague gets the mail itself");
    accounts.disable(&address("old@private.example")).await.unwrap();
    clinic.send(&["old@private.example"], &message).await.unwrap();
    let letters = clinic.letters().await;
    assert_eq!(letters.iter().filter(|(_, letter)| letter.contains("QUJDREVG")).count(), 1, "the first one only");
    assert_eq!(letters.len(), 2);
}

/// A role that a rule gave was remembered with the address and beat the rule when the admin corrected it.
#[tokio::test]
async fn a_corrected_rule_is_in_force_for_who_was_written_to_before() {
    let rule = |role: &str| {
        format!(
            "[[rule]]\nname = \"hospital\"\n[rule.when]\nrecipient_domain = [\"hospital.example\"]\n[rule.set]\nrole = \"{role}\"\n"
        )
    };
    let clinic = Clinic::with(&[("20-hospital.toml", &rule("staff-elsewhere"))]).await;
    let to = address("wong@hospital.example");
    clinic.send(&["wong@hospital.example"], &with_attachment("Scan", "scan.pdf", 100)).await.unwrap();
    let found = clinic.gateway.stations().directory.find(&to).await.unwrap().expect("known from now on");
    assert_eq!(found.person.role, None);
    clinic.send(&["pat@home.example"], &with_attachment("Scan", "scan.pdf", 100)).await.unwrap();
    let pat = clinic.gateway.stations().directory.find(&address("pat@home.example")).await.unwrap().unwrap();
    assert_eq!(pat.person.role, None, "directory.csv is the admin's to change");
    clinic.send(&["kim@home.example"], &with_attachment("Scan [doctor-elsewhere]", "scan.pdf", 100)).await.unwrap();
    let kim = clinic.gateway.stations().directory.find(&address("kim@home.example")).await.unwrap().unwrap();
    assert_eq!(kim.person.role, Some(postern::policy::Role::DoctorElsewhere), "what a tag said is remembered");
}

#[tokio::test]
async fn a_loop_ends() {
    let clinic = Clinic::with(&[]).await;
    let looped = format!(
        "{}From: {JANE}\nSubject: x\n\nHello\n",
        "Received: from a by b; Sat, 21 Nov 2026 00:00:00 +0000\n".repeat(31)
    );
    assert_eq!(clinic.send(&["bob@clinic.example"], &looped).await.unwrap_err(), Refusal::Loop);
}

/// The HTML was looked through as it came, and left sanitised: an element that was taken out, or a character written as
/// its number, put `begin 644 a.exe` at a line's start, and mail programs showed an attachment.
#[tokio::test]
async fn a_file_written_into_html_is_found_in_what_leaves() {
    let clinic = Clinic::with(&[]).await;
    let alternatives = |html: &str| {
        format!(
            "From: {JANE}\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n\
             --b\nContent-Type: text/plain\n\nHello\n--b\nContent-Type: text/html\n\n{html}\n--b--\n"
        )
    };
    for html in [
        "<pre>x\n<o:p></o:p>begin 644 a.exe\n#86)C\n`\nend</pre>",
        "<pre>x\n&#98;egin 644 a.exe\n#86)C\n`\nend</pre>",
        "<pre>x\n&#8;begin 644 a.exe\n#86)C\n`\nend</pre>",
        "<pre>x&#8232;begin 644 a.exe&#8232;#86)C&#8232;`&#8232;end</pre>",
        "<pre>x\n<!-- -->=ybegin line=128 size=3 name=a.exe\nxyz\n=yend</pre>",
        "<p>x<br>begin 644 a.exe<br>#86)C<br>`<br>end",
    ] {
        let refusal = clinic.send(&["pat@home.example"], &alternatives(html)).await.unwrap_err();
        let Refusal::NotUnderstood(defect) = refusal else { panic!("{html}: {refusal:?}") };
        assert!(["uuencode", "yenc"].contains(&defect.word) && !defect.limit, "{html}: {defect}");
    }
    assert!(clinic.letters().await.is_empty());
    assert_eq!(clinic.blobs(), 0, "what was sealed for them is gone");
    clinic.send(&["pat@home.example"], &alternatives("<p>We<br>begin 2 tablets daily")).await.unwrap();
    assert_eq!(clinic.letters().await.len(), 1);
}
