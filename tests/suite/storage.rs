//! The process dies at each numbered step of a commit: nothing that was acknowledged is lost, and a sweep leaves no
//! orphan.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use postern::blob::{BlobStore, Object, ObjectRef, Objects};
use postern::keyring::{Keyring, MasterKey, MasterSource};
use postern::store::crash::Step;
use postern::store::{Batch, Key, Store, StoreSettings, Stored, Table};
use serde::{Deserialize, Serialize};

const HOME: &str = "POSTERN_TEST_HOME";

/// What a commit of these tests writes: a number, and the object that came with it.
#[derive(Serialize, Deserialize)]
struct Letter(u32, ObjectRef);

impl Stored for Letter {
    const VERSION: u8 = 1;
}

fn key(number: u32) -> Key {
    Key::new(Table::Queue, &[&number.to_be_bytes()])
}

async fn open(home: &Path) -> (Store, Objects) {
    let keys = home.join("keys");
    let (file, today) = (keys.join("master.key"), postern::store::now().day());
    let keyring = if Keyring::exists(&keys) {
        Keyring::open(&keys, &MasterKey::read(&MasterSource::File(file)).unwrap(), today).unwrap()
    } else {
        Keyring::create(&keys, &MasterKey::make_file(&file).unwrap(), today).unwrap()
    };
    let settings = StoreSettings { folder: home.join("data"), cache: 8 << 20, checkpoint_every: 20_000 };
    let store = Store::open(settings, keyring).await.unwrap();
    let blobs = BlobStore::open(&home.join("data/blob")).unwrap();
    (store.clone(), Objects::new(store, blobs))
}

async fn object(objects: &Objects, number: u32) -> Object {
    // Every second one is too large for a record.
    let length = if number.is_multiple_of(2) { 300 } else { 40_000 };
    objects.of(&vec![number as u8; length]).await.unwrap()
}

/// Not a test of its own: what the tests below start and kill. Writes down each number that was acknowledged.
#[tokio::test]
#[ignore = "started by the other tests of this file"]
async fn a_process_that_commits_until_it_dies() {
    let Some(home) = std::env::var_os(HOME).map(PathBuf::from) else {
        return println!("skipped: started without {HOME}");
    };
    let (store, objects) = open(&home).await;
    let mut acknowledged = OpenOptions::new().create(true).append(true).open(home.join("acknowledged")).unwrap();
    let begin = fs::read_to_string(home.join("acknowledged")).unwrap().lines().count() as u32 + 1000;
    for number in begin..begin + 60 {
        let object = object(&objects, number).await;
        let mut batch = Batch::default();
        object.put(&mut batch, 1);
        batch.put(key(number), &Letter(number, object.reference()));
        store.commit(batch).await.unwrap();
        writeln!(acknowledged, "{number}").unwrap();
    }
}

fn run_until_it_dies(home: &Path, crash_at: Option<String>) -> std::process::ExitStatus {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "storage::a_process_that_commits_until_it_dies", "--ignored", "--test-threads=1"]);
    child.env(HOME, home).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    if let Some(place) = crash_at {
        child.env("POSTERN_CRASH_AT", place);
    }
    child.status().unwrap()
}

async fn check_all(home: &Path, what: &str) {
    let (store, objects) = open(home).await;
    let acknowledged: Vec<u32> =
        fs::read_to_string(home.join("acknowledged")).unwrap().lines().map(|line| line.parse().unwrap()).collect();
    assert!(!acknowledged.is_empty(), "{what}: it did commit");
    for number in acknowledged {
        let letter = store.get::<Letter>(&key(number)).await.unwrap();
        let letter = letter.unwrap_or_else(|| panic!("{what}: {number} was acknowledged and is lost")).value;
        assert_eq!(letter.0, number);
        objects.verify(&letter.1).await.unwrap();
    }
    assert!(objects.sweep().await.unwrap() <= 1, "{what}: one crash, one orphan at most");
    assert_eq!(objects.orphans().await.unwrap(), 0, "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_commit_is_lost_at_any_step() {
    for step in Step::ALL {
        for count in [3, 14] {
            let home = tempfile::tempdir().unwrap();
            let what = format!("{}:{count}", step.name());
            assert!(!run_until_it_dies(home.path(), Some(what.clone())).success(), "{what}: it dies");
            check_all(home.path(), &what).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn crashes_one_after_the_other_lose_nothing() {
    let home = tempfile::tempdir().unwrap();
    for (round, step) in Step::ALL.into_iter().cycle().take(10).enumerate() {
        let what = format!("{}:{}", step.name(), 5 + round);
        assert!(!run_until_it_dies(home.path(), Some(what)).success(), "round {round}");
        check_all(home.path(), &format!("round {round}")).await;
    }
    assert!(run_until_it_dies(home.path(), None).success());
    check_all(home.path(), "no crash").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_and_then_no_index_lose_nothing() {
    for step in Step::ALL {
        let home = tempfile::tempdir().unwrap();
        let what = format!("{}:9", step.name());
        assert!(!run_until_it_dies(home.path(), Some(what.clone())).success());
        fs::remove_dir_all(home.path().join("data/db")).unwrap();
        check_all(home.path(), &what).await;
    }
}
