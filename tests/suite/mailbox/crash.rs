//! The process dies at each step of a commit: an append that was acknowledged is there, and no UID is given twice.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use postern::blob::{BlobStore, Objects};
use postern::id::{Id, OwnerId};
use postern::keyring::{Keyring, MasterKey, MasterSource};
use postern::mailbox::{FlagChange, FlagSet, MailLimits, MailboxName, Mailboxes, Uids};
use postern::store::crash::Step;
use postern::store::{Store, StoreSettings, now};

const HOME: &str = "POSTERN_TEST_HOME";

fn owner() -> OwnerId {
    OwnerId::from_octets([1; 16])
}

async fn open(home: &Path) -> (Mailboxes, Objects) {
    let keys = home.join("keys");
    let (file, today) = (keys.join("master.key"), now().day());
    let keyring = if Keyring::exists(&keys) {
        Keyring::open(&keys, &MasterKey::read(&MasterSource::File(file)).unwrap(), today).unwrap()
    } else {
        Keyring::create(&keys, &MasterKey::make_file(&file).unwrap(), today).unwrap()
    };
    let settings = StoreSettings { folder: home.join("data"), cache: 8 << 20, checkpoint_every: 20_000 };
    let store = Store::open(settings, keyring.clone()).await.unwrap();
    let objects = Objects::new(store.clone(), BlobStore::open(&home.join("data/blob")).unwrap());
    (Mailboxes::new(store, keyring, objects.clone(), MailLimits::default()), objects)
}

fn text(number: u32) -> Vec<u8> {
    // Every second one is too large for a record.
    format!("Subject: {number}\r\n\r\n{}", "x".repeat(if number.is_multiple_of(2) { 10 } else { 20_000 })).into_bytes()
}

fn deleted() -> FlagChange {
    let mut flags = FlagSet::default();
    flags.add("\\Deleted").unwrap();
    FlagChange::Add(flags)
}

/// Not a test of its own: what the tests below start and kill. Writes down what was acknowledged: number, UID.
#[tokio::test]
#[ignore = "started by the other tests of this file"]
async fn a_process_that_appends_until_it_dies() {
    let Some(home) = std::env::var_os(HOME).map(PathBuf::from) else {
        return println!("skipped: started without {HOME}");
    };
    let (mailboxes, _) = open(&home).await;
    mailboxes.prepare(owner()).await.unwrap();
    let inbox = mailboxes.find(owner(), &MailboxName::inbox()).await.unwrap();
    let mut told = OpenOptions::new().create(true).append(true).open(home.join("told")).unwrap();
    let begin = fs::read_to_string(home.join("told")).unwrap().lines().count() as u32 * 2;
    for number in begin..begin + 40 {
        let mut mail = mailboxes.begin();
        mail.write(&text(number)).await.unwrap();
        let appended = mailboxes.append(owner(), inbox, mail, &FlagSet::default(), now()).await.unwrap();
        writeln!(told, "{number} {}", appended.uid).unwrap();
        if number % 5 == 4 {
            let oldest = Uids::one(appended.uid);
            mailboxes.set_flags(owner(), inbox, &oldest, &deleted(), None).await.unwrap();
            assert_eq!(mailboxes.expunge(owner(), inbox, None).await.unwrap(), oldest);
            writeln!(told, "gone {}", appended.uid).unwrap();
        }
    }
}

fn run_until_it_dies(home: &Path, crash_at: &str) -> std::process::ExitStatus {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "mailbox::crash::a_process_that_appends_until_it_dies", "--ignored", "--test-threads=1"]);
    child.env(HOME, home).env("POSTERN_CRASH_AT", crash_at);
    child.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    child.status().unwrap()
}

async fn check_all(home: &Path, what: &str) {
    let (mailboxes, objects) = open(home).await;
    let told = fs::read_to_string(home.join("told")).unwrap();
    let lines: Vec<(&str, u32)> = told
        .lines()
        .map(|line| line.split_once(' ').map(|(word, uid)| (word, uid.parse().unwrap())).unwrap())
        .collect();
    let gone: BTreeSet<u32> = lines.iter().filter(|line| line.0 == "gone").map(|line| line.1).collect();
    let appended: Vec<(u32, u32)> =
        lines.iter().filter(|line| line.0 != "gone").map(|line| (line.0.parse().unwrap(), line.1)).collect();
    assert!(!appended.is_empty(), "{what}: it did append");
    assert!(appended.is_sorted_by(|a, b| a.1 < b.1), "{what}: no UID is given twice");
    let inbox = mailboxes.find(owner(), &MailboxName::inbox()).await.unwrap();
    let view = mailboxes.open(owner(), inbox).await.unwrap().view().await.unwrap();
    let last = appended.last().unwrap().1;
    assert!(view.uid_next() > last, "{what}");
    assert!(gone.iter().all(|uid| view.find(*uid).is_none()), "{what}: what was expunged stays so");
    for (number, uid) in appended.iter().filter(|(_, uid)| !gone.contains(uid)) {
        // The last one may be on its way out.
        let Some(row) = view.find(*uid) else {
            assert!(*uid == last && number % 5 == 4, "{what}: {uid} was acknowledged and is lost");
            continue;
        };
        let content = mailboxes.content(row).await.unwrap();
        let octets = mailboxes.octets(&content, 0..u64::MAX).await.unwrap().collect().await.unwrap();
        assert_eq!(octets, text(*number), "{what}: {uid}");
    }
    assert!(objects.sweep().await.unwrap() <= 1, "{what}: one crash, one orphan at most");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_append_is_lost_and_no_uid_is_given_twice() {
    for step in Step::ALL {
        let home = tempfile::tempdir().unwrap();
        for count in [4, 13] {
            let what = format!("{}:{count}", step.name());
            assert!(!run_until_it_dies(home.path(), &what).success(), "{what}: it dies");
            check_all(home.path(), &what).await;
        }
    }
}
