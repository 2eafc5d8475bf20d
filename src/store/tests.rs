//! The store as its users see it: commits, conditions, reopening, and what damage does.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::crash::Fault;
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

/// Records of one segment and of several, in the files and in memory, gone and never there, more than are found at once.
#[tokio::test]
async fn records_read_together_are_what_each_alone_is() {
    let home = Home::new();
    let key = |number: u32| Key::new(Table::ObjectOctets, &[&number.to_be_bytes()]);
    let octets = |number: u32, seed: u32| vec![seed as u8; (number as usize * 7919) % 20_000];
    let mut store = home.open().await;
    for seed in [1, 2] {
        let mut batch = Batch::default();
        for number in (0..200).filter(|number| number % 5 < 3 && (seed == 1 || number % 3 == 0)) {
            batch.put_octets(key(number), octets(number, seed));
        }
        if seed == 2 {
            for number in (0..200).step_by(10) {
                batch.delete(key(number));
            }
        }
        store.commit(batch).await.unwrap();
        if seed == 1 {
            store.close().await.unwrap();
            store = home.open().await;
        }
    }
    let numbers: Vec<u32> = (0..200).map(|at| at * 77 % 200).chain([3, 3, 900]).collect();
    let keys: Vec<Vec<u8>> = numbers.iter().map(|number| key(*number).octets).collect();
    let together = store.each(Table::ObjectOctets, &keys, |at, octets| Some((at, octets.to_vec()))).unwrap();
    for (at, (number, together)) in numbers.iter().zip(together).enumerate() {
        let alone = store.get_octets(&key(*number)).await.unwrap().map(|record| (at, record.value));
        assert!(together == alone, "{number}");
    }
    let unknown = store.each(Table::ObjectOctets, &keys, |_, _| None::<()>);
    assert!(matches!(unknown, Err(StoreError::Unsound(_))));
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

#[tokio::test]
async fn a_torn_record_is_cut_off_wherever_it_tears() {
    let home = Home::with_notes(3).await;
    let file = home.journal_files().pop().unwrap();
    let sound = fs::read(&file).unwrap();
    let record = sound.len() - end_of_record(&sound, 2);
    for kept in 0..record {
        let cut = sound.len() - record + kept;
        for tail in [Vec::new(), vec![0; 5000], vec![0xA7; record - kept]] {
            home.forget_index();
            fs::write(&file, [&sound[..cut], &tail].concat()).unwrap();
            let store = home.open().await;
            assert_eq!(notes(&store).await, expected(2), "{kept} of {record} octets, then {}", tail.len());
            drop(store);
            // Each opening begins a file of its own; only the torn one is to be read again.
            home.journal_files()
                .iter()
                .filter(|other| **other != file)
                .for_each(|other| fs::remove_file(other).unwrap());
        }
    }
}

/// Where record `count` (from 0) begins.
fn end_of_record(octets: &[u8], count: usize) -> usize {
    let mut at = frame::HEADER;
    for _ in 0..count {
        at += frame::LEAD + frame::lead(&octets[at..]).unwrap().0;
    }
    at
}

#[tokio::test]
async fn damage_before_later_commits_is_an_error_that_names_the_file() {
    let home = Home::with_notes(3).await;
    let file = home.journal_files().pop().unwrap();
    let sound = fs::read(&file).unwrap();
    let last = end_of_record(&sound, 2);
    for at in (0..last).step_by(3) {
        home.forget_index();
        let mut flipped = sound.clone();
        flipped[at] ^= 0x10;
        fs::write(&file, flipped).unwrap();
        let words = home.try_open().await.err().unwrap().to_string();
        assert!(words.contains(file.to_str().unwrap()), "octet {at}: {words}");
    }
    fs::write(&file, &sound).unwrap();
    assert_eq!(notes(&home.open().await).await, expected(3));
}

#[tokio::test]
async fn a_missing_journal_or_checkpoint_is_an_error_not_an_empty_store() {
    let home = Home::with_notes(3).await;
    let store = home.open().await;
    store.commit(note(3)).await.unwrap();
    store.checkpoint().await.unwrap();
    store.commit(note(4)).await.unwrap();
    store.close().await.unwrap();
    home.forget_index();
    let (aside, checkpoint) = (home.folder.path().join("aside"), home.data().join("checkpoint"));
    for folder in [checkpoint, home.data().join("journal")] {
        fs::rename(&folder, &aside).unwrap();
        let words = home.try_open().await.err().unwrap().to_string();
        assert!(words.contains("restore data_dir from a backup"), "{words}");
        fs::remove_dir_all(&folder).unwrap();
        fs::rename(&aside, &folder).unwrap();
    }
    assert_eq!(notes(&home.open().await).await, expected(5));
}

#[tokio::test]
async fn a_checkpoint_and_the_journal_after_it_make_the_store_anew() {
    let home = Home::new();
    let store = home.open().await;
    for number in 0..50 {
        let mut batch = note(number);
        batch.put_octets(Key::new(Table::ObjectOctets, &[&number.to_be_bytes()]), vec![number as u8; 9000]);
        store.commit(batch).await.unwrap();
    }
    let mut batch = Batch::default();
    batch.delete(key(49));
    store.commit(batch).await.unwrap();
    store.checkpoint().await.unwrap();
    assert_eq!(home.journal_files().len(), 1, "older journal files are gone");
    let version = store.get::<Note>(&key(7)).await.unwrap().unwrap().version;
    store.commit(note(49)).await.unwrap();
    store.close().await.unwrap();
    home.forget_index();
    let store = home.open().await;
    assert_eq!(notes(&store).await, expected(50));
    assert_eq!(store.get::<Note>(&key(7)).await.unwrap().unwrap().version, version);
    let octets = store.get_octets(&Key::new(Table::ObjectOctets, &[&8_u32.to_be_bytes()])).await.unwrap().unwrap();
    assert_eq!(octets.value, vec![8; 9000]);
}

#[tokio::test]
async fn checkpoints_are_made_as_the_journal_grows_and_commits_go_on() {
    let home = Home::new();
    let settings = StoreSettings { checkpoint_every: 200_000, ..home.settings() };
    let store = Store::open(settings, home.keyring.clone()).await.unwrap();
    for number in 0..200 {
        let mut batch = note(number);
        batch.put_octets(Key::new(Table::ObjectOctets, &[&number.to_be_bytes()]), vec![0; 5000]);
        store.commit(batch).await.unwrap();
    }
    store.close().await.unwrap();
    let (sequence, file) = checkpoint::newest(&home.data().join("checkpoint")).unwrap().unwrap();
    assert!(sequence > 30, "{sequence}");
    home.forget_index();
    assert_eq!(notes(&home.open().await).await, expected(200));

    let sound = fs::read(&file).unwrap();
    for at in (0..sound.len()).step_by(sound.len() / 40) {
        home.forget_index();
        let mut flipped = sound.clone();
        flipped[at] ^= 1;
        fs::write(&file, flipped).unwrap();
        let words = home.try_open().await.err().unwrap().to_string();
        assert!(words.contains(file.to_str().unwrap()), "octet {at}: {words}");
    }
    fs::write(&file, &sound[..sound.len() - 1]).unwrap();
    assert!(home.try_open().await.is_err(), "cut by one octet");
}

#[tokio::test]
async fn an_index_with_flipped_bits_is_rebuilt() {
    let home = Home::with_notes(200).await;
    // sled writes this file only when it makes a database.
    let made = || fs::metadata(home.data().join("db/conf")).unwrap().modified().unwrap();
    let first = made();
    drop(home.open().await);
    assert_eq!(made(), first, "a sound index is not rebuilt");
    let mut rebuilt = 0;
    let pristine = home.folder.path().join("pristine");
    copy_folder(&home.data(), &pristine);
    let length = fs::metadata(pristine.join("db/db")).unwrap().len() as usize;
    let used = fs::read(pristine.join("db/db")).unwrap().iter().rposition(|octet| *octet != 0).unwrap_or(length);
    for at in (0..used).step_by(used / 24) {
        fs::remove_dir_all(home.data()).unwrap();
        copy_folder(&pristine, &home.data());
        let mut octets = fs::read(home.data().join("db/db")).unwrap();
        octets[at] ^= 0x08;
        fs::write(home.data().join("db/db"), octets).unwrap();
        let copied = made();
        let store = home.open().await;
        rebuilt += usize::from(made() != copied);
        assert_eq!(notes(&store).await, expected(200), "octet {at}");
        store.commit(note(200)).await.unwrap();
        drop(store);
        assert_eq!(notes(&home.open().await).await, expected(201), "octet {at}, opened again");
    }
    assert!(rebuilt > 0, "the damage was found");
}

#[tokio::test]
async fn an_index_that_is_behind_foreign_or_of_another_boot_is_rebuilt() {
    let home = Home::with_notes(5).await;
    let old = home.folder.path().join("old");
    copy_folder(&home.data().join("db"), &old);
    let store = home.open().await;
    store.commit(note(5)).await.unwrap();
    store.checkpoint().await.unwrap();
    store.commit(note(6)).await.unwrap();
    store.close().await.unwrap();
    home.forget_index();
    copy_folder(&old, &home.data().join("db"));
    assert_eq!(notes(&home.open().await).await, expected(7), "behind the journal's first file");

    state::write(&home.data(), &state::State::InUse("another boot".into())).unwrap();
    fs::remove_dir_all(home.data().join("db")).unwrap();
    copy_folder(&old, &home.data().join("db"));
    assert_eq!(notes(&home.open().await).await, expected(7), "not closed before the machine stopped");

    fs::create_dir_all(home.data().join("db/blobs")).unwrap();
    fs::write(home.data().join("db/blobs/1"), b"x").unwrap();
    fs::write(home.data().join("db/snap.0123.generating"), b"x").unwrap();
    assert_eq!(notes(&home.open().await).await, expected(7), "with what sled should not have");
}

#[tokio::test]
async fn a_lost_journal_tail_is_made_good_by_a_sound_index() {
    let home = Home::with_notes(4).await;
    let file = home.journal_files().pop().unwrap();
    let sound = fs::read(&file).unwrap();
    fs::write(&file, &sound[..end_of_record(&sound, 2)]).unwrap();
    let store = home.open().await;
    store.commit(note(4)).await.unwrap();
    store.close().await.unwrap();
    home.forget_index();
    assert_eq!(notes(&home.open().await).await, expected(5));
}

#[tokio::test]
async fn of_rivals_one_wins() {
    let home = Home::new();
    let store = home.open().await;
    let counter = Key::new(Table::Meta, &[b"counter"]);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, counter) = (store.clone(), counter.clone());
        tasks.spawn(async move {
            let mut conflicts = 0;
            for _ in 0..25 {
                loop {
                    let found = store.get::<Note>(&counter).await.unwrap();
                    let mut batch = Batch::default();
                    let number = match &found {
                        None => {
                            batch.require_absent(counter.clone());
                            0
                        }
                        Some(record) => {
                            batch.require_version(counter.clone(), record.version);
                            record.value.0.parse::<u32>().unwrap()
                        }
                    };
                    batch.put(counter.clone(), &Note((number + 1).to_string()));
                    match store.commit(batch).await {
                        Ok(_) => break,
                        Err(CommitError::Conflict) => conflicts += 1,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            conflicts
        });
    }
    let conflicts: u32 = tasks.join_all().await.into_iter().sum();
    assert_eq!(store.get::<Note>(&counter).await.unwrap().unwrap().value.0, "200");
    assert!(conflicts > 0, "they did meet");
}

#[tokio::test]
async fn an_old_version_is_read_and_an_unknown_one_is_not() {
    let home = Home::new();
    let store = home.open().await;
    let mut batch = Batch::default();
    batch.put_octets(key(1), [&[1], postcard::to_allocvec(&17_u32).unwrap().as_slice()].concat());
    batch.put_octets(key(2), vec![3, 0]);
    store.commit(batch).await.unwrap();
    assert_eq!(store.get::<Note>(&key(1)).await.unwrap().unwrap().value, Note("17".into()));
    assert!(matches!(store.get::<Note>(&key(2)).await, Err(StoreError::Unsound(_))));
    assert!(store.commit(note(3)).await.is_ok(), "one record of a newer version stops nothing");
}

#[tokio::test]
async fn watchers_are_told_of_their_table_only() {
    let home = Home::new();
    let store = home.open().await;
    let (mut queue, mut grants) = (store.watch(Table::Queue), store.watch(Table::Grant));
    queue.mark_unchanged();
    grants.mark_unchanged();
    store.commit(note(1)).await.unwrap();
    assert!(queue.has_changed().unwrap());
    assert!(!grants.has_changed().unwrap());
}

#[tokio::test]
async fn scans_are_bounded_ordered_and_of_one_table() {
    let home = Home::with_notes(10).await;
    let store = home.open().await;
    let mut batch = Batch::default();
    batch.put(Key::new(Table::QueueDue, &[b"x"]), &Note("another table".into()));
    store.commit(batch).await.unwrap();
    let keys = |from: u32, to: u32, limit| {
        let store = store.clone();
        async move { store.scan_keys(Table::Queue, &from.to_be_bytes(), &to.to_be_bytes(), limit).await.unwrap() }
    };
    let numbers = |range: std::ops::Range<u32>| range.map(|n| n.to_be_bytes().to_vec()).collect::<Vec<_>>();
    assert_eq!(keys(2, 5, 9).await, numbers(2..5));
    assert_eq!(keys(2, 5, 2).await, numbers(2..4));
    assert_eq!(keys(5, 2, 9).await, numbers(0..0));
    assert_eq!(notes(&store).await, expected(10));
}

#[tokio::test]
async fn a_disk_that_fails_refuses_and_recovers() {
    let home = Home::new();
    let store = home.open().await;
    store.commit(note(0)).await.unwrap();
    crash::fail_below(&home.data(), &[Fault::Sync, Fault::Cut]);
    for _ in 0..2 {
        assert!(store.commit(note(1)).await.is_err());
    }
    assert_eq!(notes(&store).await, expected(1), "reads go on");
    crash::fail_below(&home.data(), &[]);
    store.commit(note(1)).await.unwrap();
    assert_eq!(notes(&store).await, expected(2));
    drop(store);
    home.forget_index();
    assert_eq!(notes(&home.open().await).await, expected(2), "what was refused is not in the journal");
}

/// What a failed sync left in the journal was cut off by the next commit only: a crash before that replayed a commit
/// whose sender was told 452 and whose blobs were gone.
#[tokio::test]
async fn a_refused_commit_is_gone_before_the_next_one() {
    let home = Home::new();
    let store = home.open().await;
    store.commit(note(0)).await.unwrap();
    let crashed = Home { folder: tempfile::tempdir().unwrap(), keyring: home.keyring.clone() };
    for (faults, taken_back) in [(&[Fault::Sync][..], true), (&[Fault::Sync, Fault::Cut], false)] {
        crash::fail_below(&home.data(), faults);
        let refused = store.commit(note(1)).await;
        assert_eq!(matches!(refused, Err(CommitError::Disk(_))), taken_back, "{refused:?}");
        assert_eq!(matches!(refused, Err(CommitError::Unknown(_))), !taken_back, "{refused:?}");
        crash::fail_below(&home.data(), &[]);
        copy_folder(&home.data(), &crashed.data());
        crashed.forget_index();
        let found = notes(&crashed.open().await).await;
        assert_eq!(found, expected(if taken_back { 1 } else { 2 }), "what is unknown may have happened");
        fs::remove_dir_all(crashed.data()).unwrap();
        store.commit(note(0)).await.unwrap();
    }
}

/// A new journal file had its name but its folder could not be synced: commits went on in the old one, and the next
/// start called the journal damaged.
#[tokio::test]
async fn nothing_follows_in_a_file_that_has_a_successor() {
    let home = Home::new();
    let store = home.open().await;
    store.commit(note(0)).await.unwrap();
    crash::fail_below(&home.data(), &[Fault::Name]);
    assert!(store.checkpoint().await.is_err());
    assert!(matches!(store.commit(note(1)).await, Err(CommitError::Disk(_))));
    crash::fail_below(&home.data(), &[]);
    store.commit(note(1)).await.unwrap();
    drop(store);
    home.forget_index();
    assert_eq!(notes(&home.open().await).await, expected(2));
}

/// Below the reserve everything was refused, also what would have made room: a full disk stayed full.
#[tokio::test]
async fn what_makes_room_is_written_where_new_work_is_refused() {
    let home = Home::new();
    let store = home.open().await;
    for number in 0..3 {
        store.commit(note(number)).await.unwrap();
    }
    let freeing = |number| {
        let mut batch = Batch::default();
        batch.delete(key(number)).frees_space();
        batch
    };
    crash::pretend_space(&home.data(), Some(disk::RESERVE - 1));
    assert!(matches!(store.commit(note(7)).await, Err(CommitError::Disk(_))));
    let (new_work, freed) = tokio::join!(store.commit(note(8)), store.commit(freeing(2)));
    assert!(matches!(new_work, Err(CommitError::Disk(_))) && freed.is_ok(), "in one group, too");
    store.checkpoint().await.unwrap();
    crash::pretend_space(&home.data(), Some(disk::LAST_RESERVE - 1));
    assert!(matches!(store.commit(freeing(1)).await, Err(CommitError::Disk(_))));
    assert!(store.checkpoint().await.is_err());
    crash::pretend_space(&home.data(), None);
    assert_eq!(notes(&store).await, expected(2));
    store.commit(note(2)).await.unwrap();
}

/// A store whose disk had no space for the next journal file did not open, not even for reading.
#[tokio::test]
async fn a_store_opens_on_a_full_disk_and_commits_when_there_is_space() {
    let home = Home::with_notes(2).await;
    crash::fail_below(&home.data(), &[Fault::Begin]);
    let store = home.open().await;
    assert_eq!(notes(&store).await, expected(2));
    assert!(matches!(store.commit(note(2)).await, Err(CommitError::Disk(_))));
    assert!(!state::read(&home.data()).is_trusted(), "what is in use is not called clean");
    crash::fail_below(&home.data(), &[]);
    store.commit(note(2)).await.unwrap();
    drop(store);
    home.forget_index();
    assert_eq!(notes(&home.open().await).await, expected(3));
}

#[tokio::test]
async fn the_vectors_of_journal_checkpoint_and_index_are_read() {
    let mut vector = crate::keyring::vectors::Vector::read("store");
    let journal_key = vector.key("journal_key", [1; 32]);
    let checkpoint_key = vector.key("checkpoint_key", [2; 32]);
    let record_key = vector.key("record_key", [3; 32]);
    let folder = tempfile::tempdir().unwrap();
    let sealer = Sealer::new(&journal_key);
    let mut batch = note(1);
    batch.delete(key(9));
    let changes = batch.to_changes(0).unwrap();
    vector.octets("changes", &changes);

    let path = folder.path().join("00000000000000000007.journal");
    let file = vector.given("journal_file", || {
        let mut journal = journal::Journal::begin(folder.path(), &sealer, 7).unwrap();
        journal.append(&sealer, [batch.to_changes(8).unwrap(), note(2).to_changes(8).unwrap()].iter_mut()).unwrap();
        journal.sync().unwrap();
        journal.finish().unwrap();
        fs::read(&path).unwrap()
    });
    fs::write(&path, file).unwrap();
    let mut read = Vec::new();
    let next = journal::replay(folder.path(), &sealer, 6, &mut |sequence, octets| {
        read.push((sequence, octets.to_vec()));
        Ok(())
    });
    assert_eq!(next.unwrap(), 9);
    assert_eq!(read, [(7, changes), (8, note(2).to_changes(0).unwrap())]);

    let open = |name: &str| index::Index::open(&folder.path().join(name), 8 << 20, Sealer::new(&record_key)).unwrap();
    let index = open("db");
    let long: Vec<u8> = (0..5000).map(|at| (at % 251) as u8).collect();
    let change = batch::Change { table: 8, key: b"long", octets: Some(&long) };
    index.apply([(7, change)].into_iter(), 7).unwrap();
    let sealer = Sealer::new(&checkpoint_key);
    let path = folder.path().join("00000000000000000007.checkpoint");
    let file = vector.given("checkpoint_file", || {
        checkpoint::write(folder.path(), &sealer, &index, 7, || 8, || false).unwrap();
        fs::read(&path).unwrap()
    });
    fs::write(&path, file).unwrap();
    let mut records = Vec::new();
    let through = checkpoint::read(&path, &sealer, &mut |page| {
        records.extend(
            page.iter().map(|record| (record.version, record.table, record.key.to_vec(), record.octets.to_vec())),
        );
        Ok(())
    });
    assert_eq!((through.unwrap(), records), (8, vec![(7, 8, b"long".to_vec(), long)]));
    vector.finish();
}
