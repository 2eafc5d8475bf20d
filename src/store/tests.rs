//! The store as its users see it: commits, conditions, reopening, and what damage does.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::*;
use crate::keyring::MasterKey;
use crate::time::Day;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Note(String);

impl Stored for Note {
    const VERSION: u8 = 2;

    fn upgrade(version: u8, octets: &[u8]) -> Option<Self> {
        let number: u32 = (version == 1).then(|| postcard::from_bytes(octets).ok())??;
        Some(Self(number.to_string()))
    }
}

struct Home {
    folder: tempfile::TempDir,
    keyring: Keyring,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        let master = MasterKey::make_file(&keys.join("master.key")).unwrap();
        let keyring = Keyring::create(&keys, &master, Day::from_number(20_000)).unwrap();
        Self { folder, keyring }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn settings(&self) -> StoreSettings {
        StoreSettings { folder: self.data(), cache: 8 << 20, checkpoint_every: 64 << 20 }
    }

    async fn open(&self) -> Store {
        self.try_open().await.unwrap()
    }

    async fn try_open(&self) -> Result<Store, StoreError> {
        Store::open(self.settings(), self.keyring.clone()).await
    }

    /// A store closed after `count` commits of one note each.
    async fn with_notes(count: u32) -> Self {
        let home = Self::new();
        let store = home.open().await;
        for number in 0..count {
            store.commit(note(number)).await.unwrap();
        }
        store.close().await.unwrap();
        home
    }

    fn journal_files(&self) -> Vec<PathBuf> {
        disk::numbered(&self.data().join("journal"), ".journal").unwrap().into_iter().map(|(_, path)| path).collect()
    }

    fn forget_index(&self) {
        fs::remove_dir_all(self.data().join("db")).unwrap();
    }
}

fn key(number: u32) -> Key {
    Key::new(Table::Queue, &[&number.to_be_bytes()])
}

fn note(number: u32) -> Batch {
    let mut batch = Batch::default();
    batch.put(key(number), &Note(format!("note {number}")));
    batch
}

async fn notes(store: &Store) -> Vec<String> {
    let found = store.scan::<Note>(Table::Queue, &[], &[], usize::MAX).await.unwrap();
    found.into_iter().map(|(_, record)| record.value.0).collect()
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn expected(count: u32) -> Vec<String> {
    (0..count).map(|number| format!("note {number}")).collect()
}

#[tokio::test]
async fn what_is_committed_is_read_also_after_reopening() {
    let home = Home::new();
    let store = home.open().await;
    let large = vec![7; 100_000];
    let mut batch = note(1);
    batch.put_octets(Key::new(Table::ObjectOctets, &[b"large"]), large.clone());
    let mut store = store;
    let first = store.commit(batch).await.unwrap();
    for reopened in [false, true] {
        if reopened {
            store.close().await.unwrap();
            store = home.open().await;
        }
        let record = store.get::<Note>(&key(1)).await.unwrap().unwrap();
        assert_eq!((record.version, record.value), (first.sequence(), Note("note 1".into())));
        let octets = store.get_octets(&Key::new(Table::ObjectOctets, &[b"large"])).await.unwrap().unwrap();
        assert_eq!(octets.value, large);
        assert_eq!(store.scan_keys(Table::ObjectOctets, &[], &[], 9).await.unwrap(), [b"large".to_vec()]);
        assert!(store.get::<Note>(&key(2)).await.unwrap().is_none());
    }
    let mut batch = Batch::default();
    batch.put_octets(Key::new(Table::ObjectOctets, &[b"large"]), b"small".to_vec()).delete(key(1));
    store.commit(batch).await.unwrap();
    let octets = store.get_octets(&Key::new(Table::ObjectOctets, &[b"large"])).await.unwrap().unwrap();
    assert_eq!(octets.value, b"small");
    assert!(store.get::<Note>(&key(1)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_second_opener_is_told_who_has_it() {
    let home = Home::new();
    let store = home.open().await;
    let error = home.try_open().await.err().unwrap();
    assert!(error.to_string().contains("is in use by another postern"), "{error}");
    drop(store);
    home.open().await;
}
