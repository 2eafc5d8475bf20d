//! A gateway over a real store, without sockets, and what left it as mail.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mail_parser::MessageParser;
use postern::accounts::{Accounts, NewStaff, Passwords};
use postern::blob::{BlobStore, Objects};
use postern::delivery::retry::Schedule;
use postern::directory::Directory;
use postern::gateway::visits::{Entered, GuestSignIn, NextStep, Visit};
use postern::gateway::{Gateway, GatewaySettings, Policies, ReceivedMessage, Stations};
use postern::guests::{Counted, Guests, InvitationRecord, Limit};
use postern::id::{ContactId, GrantId, QueueId};
use postern::keyring::{Keyring, MasterKey};
use postern::mail::{Address, BodyType, Domain, Envelope, Origin, ReceivedTrace, Recipient, ReversePath};
use postern::mailbox::{MailLimits, Mailboxes};
use postern::queue::Queue;
use postern::random;
use postern::secret::Secret;
use postern::store::{self, Store, StoreSettings};
use postern::time::Timestamp;
use postern::vault::{Grant, Vault};

pub const SENDER: &str = "jane@clinic.example";
pub const PASSWORD: &str = "nurse tea at half past nine";
/// Where the browser of these tests is.
pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

pub struct House {
    pub gateway: Gateway,
    sender: Origin,
    /// Letters that were looked at: nothing delivers them here.
    seen: Mutex<HashSet<QueueId>>,
    _folder: tempfile::TempDir,
}

/// A mail that left.
#[derive(Debug)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
}

impl Mail {
    /// The token behind this path, if a link in it has it.
    pub fn token(&self, path: &str) -> Option<String> {
        let link = format!("https://mail.clinic.example{path}");
        let rest = &self.text[self.text.find(&link)? + link.len()..];
        Some(rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').collect())
    }
}

pub fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
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

impl House {
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// With other policies than the shipped ones, which are in the folder.
    pub async fn with(change: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let policies = folder.path().join("policies");
        copy(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/policies")), &policies);
        change(&policies);
        let master = MasterKey::make_file(&folder.path().join("master.key")).unwrap();
        let keyring = Keyring::create(&folder.path().join("keys"), &master, store::now().day()).unwrap();
        let data = folder.path().join("data");
        let settings = StoreSettings { folder: data.clone(), cache: 8 << 20, checkpoint_every: 256 << 20 };
        let store = Store::open(settings, keyring.clone()).await.unwrap();
        let objects = Objects::new(store.clone(), BlobStore::open(&data.join("blob")).unwrap());
        let passwords = Passwords::new(2).unwrap();
        let stations = Stations {
            vault: Vault::new(store.clone(), keyring.clone(), objects.clone()),
            queue: Queue::new(store.clone(), keyring.clone(), objects.clone(), Schedule::default()),
            accounts: Accounts::new(store.clone(), keyring.clone(), passwords.clone()),
            guests: Guests::new(store.clone(), keyring.clone(), passwords),
            directory: Directory::new(store.clone(), keyring.clone()),
            mailboxes: Mailboxes::new(store.clone(), keyring.clone(), objects.clone(), MailLimits::default()),
            keyring,
            policies: Arc::new(Policies::open(&policies).unwrap()),
            store,
            objects,
        };
        let new = NewStaff {
            address: address(SENDER),
            name: Some("Dr Jane Roe".into()),
            practice: None,
            groups: Vec::new(),
            delegated: Vec::new(),
            admin: true,
            initial: false,
        };
        let id = stations.accounts.add(new, &secret("tea at half past nine"), store::now()).await.unwrap();
        let settings = GatewaySettings {
            hostname: Domain::parse("mail.clinic.example").unwrap(),
            public_url: "https://mail.clinic.example".into(),
            postmaster: Some(address("admin@clinic.example")),
        };
        let gateway = Gateway::new(settings, stations);
        Self {
            gateway,
            sender: Origin::Staff { id, address: address(SENDER) },
            seen: Mutex::default(),
            _folder: folder,
        }
    }

    /// As if this had been done too often just now.
    pub async fn lock(&self, what: Counted<'_>) {
        let hour = Duration::from_secs(3_600);
        let once = Limit { most: 1, within: hour, lock: hour };
        self.guests().count(what, once, store::now()).await.unwrap();
    }

    pub fn guests(&self) -> &Guests {
        &self.gateway.stations().guests
    }

    /// Sends a document with this subject, whose tags say who the recipient is.
    pub async fn send(&self, to: &str, subject: &str) {
        let message = format!(
            "From: {SENDER}\nTo: {to}\nSubject: {subject}\nMIME-Version: 1.0\n\
             Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nThe letter is attached.\n\
             --b\nContent-Type: application/pdf; name=\"letter.pdf\"\nContent-Transfer-Encoding: base64\n\n\
             JVBERi0xLjQKJcOkw7zDtsOfCg==\n--b--\n"
        );
        let mut spool = self.gateway.spool();
        spool.write(message.replace('\n', "\r\n").as_bytes()).await.unwrap();
        let message = spool.finish().await.unwrap();
        let envelope = Envelope {
            reverse_path: ReversePath::Address(address(SENDER)),
            recipients: vec![Recipient::plain(address(to))],
            body: BodyType::EightBitMime,
            ret: None,
            envid: None,
        };
        let (helo, protocol) = ("pc".into(), "ESMTPSA".into());
        let trace = ReceivedTrace { helo, peer: HERE, protocol, at: store::now() };
        let (transaction, session, origin) = (random::id(), random::id(), self.sender.clone());
        self.gateway.accept(ReceivedMessage { transaction, session, origin, envelope, trace, message }).await.unwrap();
    }

    /// What left since this was asked last, but status mails.
    pub async fn mails(&self) -> Vec<Mail> {
        self.mails_at(store::now()).await
    }

    pub async fn mails_at(&self, now: Timestamp) -> Vec<Mail> {
        let queue = &self.gateway.stations().queue;
        let mut mails = Vec::new();
        for claim in queue.claim_due(now, 1000).await.unwrap() {
            if !self.seen.lock().unwrap().insert(claim.id) {
                continue;
            }
            let mut coming = queue.octets(&claim.letter).await.unwrap();
            let mut octets = Vec::new();
            while let Some(piece) = coming.next().await.unwrap() {
                octets.extend_from_slice(&piece);
            }
            let parsed = MessageParser::default().parse(&octets).unwrap();
            mails.push(Mail {
                to: claim.letter.delivery.recipient.address.to_string(),
                subject: parsed.subject().unwrap_or_default().to_owned(),
                text: parsed.body_text(0).unwrap_or_default().into_owned(),
            });
        }
        mails
    }

    /// The only mail that left to this address since this was asked last, and that it is the only one of all.
    pub async fn only_mail(&self, to: &str) -> Mail {
        let mut mails = self.mails().await;
        let seen: Vec<_> = mails.iter().map(|mail| (mail.to.as_str(), mail.subject.as_str())).collect();
        assert!(seen.len() == 1 && seen[0].0 == to, "{seen:?}");
        mails.remove(0)
    }

    pub async fn contact(&self, who: &str) -> ContactId {
        self.gateway.stations().directory.find(&address(who)).await.unwrap().unwrap().id
    }

    pub async fn invitation(&self, who: &str) -> InvitationRecord {
        self.guests().invitation(self.contact(who).await).await.unwrap().unwrap().value
    }

    /// The newest right of somebody.
    pub async fn grant(&self, who: &str) -> (GrantId, Grant) {
        let contact = self.contact(who).await;
        self.gateway.stations().vault.grants_of_contact(contact, store::now(), 1).await.unwrap().remove(0)
    }

    pub async fn visit(&self, cookie: &Secret<String>) -> Visit {
        self.gateway.visit(cookie.expose()).await.unwrap().expect("a living visit")
    }

    pub async fn enter(&self, token: &str) -> Entered {
        self.gateway.enter(token, None, HERE).await.unwrap()
    }

    /// Sends a document to a new address, and has its recipient register and set the password.
    pub async fn enrol(&self, who: &str, subject: &str, answers: &[(&str, &str)]) {
        self.send(who, subject).await;
        let token = self.only_mail(who).await.token("/p/").unwrap();
        let entered = self.enter(&token).await;
        assert_eq!(entered.next, NextStep::Register);
        let visit = self.visit(&entered.cookie).await;
        let registered = self.gateway.register(&visit, form(answers), HERE).await.unwrap();
        let mail = self.only_mail(who).await;
        let token = mail.token("/password/").unwrap_or_else(|| panic!("{registered:?} {mail:?}"));
        self.gateway.set_password(&token, &secret(PASSWORD)).await.unwrap().unwrap();
        self.only_mail(who).await;
    }

    pub async fn sign_in(&self, who: &str) -> Entered {
        match self.gateway.guest_sign_in(who, &secret(PASSWORD), HERE, None).await.unwrap() {
            GuestSignIn::Welcome(entered) => entered,
            GuestSignIn::Rejected => panic!("{who} is rejected"),
        }
    }
}

pub fn form(answers: &[(&str, &str)]) -> Vec<(String, String)> {
    answers.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}
