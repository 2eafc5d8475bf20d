//! Blobs, spool and objects: what goes in comes out, and what was touched does not.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use super::stream::{CHUNK, FOOTER, HEADER, TAG};
use super::*;
use crate::id::{BlobId, Id};
use crate::keyring::{DataKey, Keyring, MasterKey};
use crate::random;
use crate::store::{Batch, Store, StoreSettings};
use crate::time::Day;

struct Home {
    folder: tempfile::TempDir,
    blobs: BlobStore,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let blobs = BlobStore::open(&folder.path().join("blob")).unwrap();
        Self { folder, blobs }
    }

    fn path(&self, id: BlobId) -> PathBuf {
        let name = id.to_string();
        self.folder.path().join("blob").join(&name[24..]).join(name)
    }

    async fn blob(&self, octets: &[u8], piece: usize) -> (BlobId, DataKey) {
        let (id, key) = (random::id(), DataKey::fresh());
        let mut writer = self.blobs.create(id, key.clone()).await.unwrap();
        for piece in octets.chunks(piece.max(1)) {
            writer.write(piece).await.unwrap();
        }
        assert_eq!(writer.finish().await.unwrap(), octets.len() as u64);
        (id, key)
    }

    async fn read(&self, id: BlobId, key: &DataKey) -> Result<Vec<u8>, BlobError> {
        let blob = self.blobs.open_blob(id, key).await?;
        blob.verify().await?;
        blob.range(0..u64::MAX).collect().await
    }

    fn files(&self) -> usize {
        let folders = fs::read_dir(self.folder.path().join("blob")).unwrap();
        folders.map(|folder| fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
    }

    async fn objects(&self) -> (Store, Objects) {
        let keys = self.folder.path().join("keys");
        let master = keys.join("master.key");
        let keyring = if Keyring::exists(&keys) {
            let master = MasterKey::read(&crate::keyring::MasterSource::File(master)).unwrap();
            Keyring::open(&keys, &master, Day::from_number(20_000)).unwrap()
        } else {
            Keyring::create(&keys, &MasterKey::make_file(&master).unwrap(), Day::from_number(20_000)).unwrap()
        };
        let settings =
            StoreSettings { folder: self.folder.path().join("data"), cache: 8 << 20, checkpoint_every: 1 << 30 };
        let store = Store::open(settings, keyring).await.unwrap();
        (store.clone(), Objects::new(store, self.blobs.clone()))
    }
}

fn octets(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 251) as u8).collect()
}

thread_local! {
    /// One home for all cases of a property: making its folders takes longer than a case.
    static SHARED: Home = Home::new();
}

fn run<T>(work: impl AsyncFnOnce(&Home) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    SHARED.with(|home| runtime.block_on(work(home)))
}

fn lengths() -> impl Strategy<Value = usize> {
    let edges = prop::sample::select(vec![
        0,
        1,
        CHUNK - 1,
        CHUNK,
        CHUNK + 1,
        4 * CHUNK - 1,
        4 * CHUNK,
        4 * CHUNK + 1,
        9 * CHUNK,
    ]);
    prop_oneof![edges, 0..10 * CHUNK]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_range_of_every_length_comes_back(length in lengths(), piece in 1_usize..200_000, from in 0_u64..700_000, to in 0_u64..700_000) {
        run(async |home| {
            let octets = octets(length);
            let (id, key) = home.blob(&octets, piece).await;
            prop_assert_eq!(&home.read(id, &key).await.unwrap(), &octets);
            let blob = home.blobs.open_blob(id, &key).await.unwrap();
            prop_assert_eq!(blob.len(), length as u64);
            let mut pieces = blob.range(from..to);
            let mut got = Vec::new();
            while let Some(piece) = pieces.next().await.unwrap() {
                prop_assert!(piece.len() <= CHUNK && !piece.is_empty());
                got.extend_from_slice(&piece);
            }
            let end = (to as usize).min(length);
            let expected = &octets[(from as usize).min(end)..end];
            prop_assert_eq!(&got, expected);
            if let Some(pieces) = home.blobs.short(id, &key, length as u64).await.unwrap() {
                let cut = read::OctetStream::cut(&pieces, from..to).collect().await.unwrap();
                prop_assert_eq!(&cut, expected);
                prop_assert!(home.blobs.short(id, &key, length as u64 + 1).await.unwrap().is_none());
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_flipped_bit_or_a_cut_is_seen(length in lengths(), place in any::<prop::sample::Index>(), bit in 0_u32..8, cut in any::<bool>()) {
        run(async |home| {
            let octets = octets(length);
            let (id, key) = home.blob(&octets, CHUNK).await;
            let mut file = fs::read(home.path(id)).unwrap();
            let at = place.index(file.len());
            if cut { file.truncate(at) } else { file[at] ^= 1_u8 << bit }
            fs::write(home.path(id), file).unwrap();
            prop_assert!(matches!(home.read(id, &key).await, Err(BlobError::Unsound)));
            prop_assert!(home.blobs.short(id, &key, length as u64).await.unwrap().is_none());
            Ok(())
        })?;
    }

    #[test]
    fn bare_octets_are_found_wherever_the_pieces_end(text in "[a\r\n\0]{0,12}", cuts in prop::collection::vec(0_usize..13, 0..4)) {
        let text = text.into_bytes();
        let stripped = String::from_utf8(text.clone()).unwrap().replace("\r\n", "");
        let sound = !stripped.contains(['\r', '\n', '\0']) && (text.is_empty() || text.ends_with(b"\r\n"));
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        let taken = run(async |home| {
            let mut spool = SpoolWriter::new(&home.blobs);
            for pair in cuts.windows(2) {
                spool.write(&text[pair[0]..pair[1]]).await?;
            }
            spool.finish().await?.range(0..u64::MAX).collect().await.map_err(SpoolError::from)
        });
        match taken {
            Ok(read) => prop_assert!(sound && read == text, "{:?} was taken", text),
            Err(SpoolError::BareOctet) => prop_assert!(!sound, "{:?} was refused", text),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}

#[tokio::test]
async fn chunks_cannot_change_places_and_blobs_not_theirs() {
    let home = Home::new();
    let (id, key) = home.blob(&octets(3 * CHUNK), CHUNK).await;
    let (other, other_key) = home.blob(&octets(3 * CHUNK), CHUNK).await;
    let sound = fs::read(home.path(id)).unwrap();
    let chunk = |number: usize| HEADER + number * (CHUNK + TAG)..HEADER + (number + 1) * (CHUNK + TAG);

    let mut swapped = sound.clone();
    swapped[chunk(0)].copy_from_slice(&sound[chunk(1)]);
    swapped[chunk(1)].copy_from_slice(&sound[chunk(0)]);
    let dropped = [&sound[..chunk(1).start], &sound[chunk(2).start..]].concat();
    let shorter = [&sound[..chunk(2).start], &sound[sound.len() - FOOTER..]].concat();
    let doubled = [&sound[..chunk(2).end], &sound[chunk(2)], &sound[sound.len() - FOOTER..]].concat();
    for (what, file) in [("swapped", swapped), ("dropped", dropped), ("shorter", shorter), ("doubled", doubled)] {
        fs::write(home.path(id), file).unwrap();
        assert!(matches!(home.read(id, &key).await, Err(BlobError::Unsound)), "{what}");
    }
    fs::write(home.path(id), fs::read(home.path(other)).unwrap()).unwrap();
    assert!(matches!(home.read(id, &other_key).await, Err(BlobError::Unsound)), "another blob in its place");
    fs::write(home.path(id), sound).unwrap();
    assert!(matches!(home.read(id, &other_key).await, Err(BlobError::Unsound)), "another key");
    assert!(home.read(id, &key).await.is_ok());
}

#[tokio::test]
async fn blobs_are_found_again_and_removed() {
    let home = Home::new();
    let mut ids = Vec::new();
    for _ in 0..40 {
        ids.push(home.blob(b"x", 1).await.0);
    }
    let mut found = BlobStore::open(&home.folder.path().join("blob")).unwrap().take_earlier();
    ids.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, ids);
    home.blobs.remove(ids[0]).await.unwrap();
    home.blobs.remove(ids[0]).await.unwrap();
    assert!(matches!(home.blobs.open_blob(ids[0], &DataKey::fresh()).await, Err(BlobError::Missing)));
}

#[tokio::test]
async fn a_large_message_goes_to_disk_and_a_dropped_one_leaves_nothing() {
    let home = Home::new();
    let line = [[b'a'; 998].as_slice(), b"\r\n"].concat();
    let mut spool = SpoolWriter::new(&home.blobs);
    for _ in 0..3000 {
        spool.write(&line).await.unwrap();
    }
    assert_eq!(spool.len(), 3_000_000);
    let message = spool.finish().await.unwrap();
    assert!(message.blob().is_some());
    assert_eq!(message.range(1_999_998..2_000_001).collect().await.unwrap(), b"\r\na");
    assert_eq!(home.files(), 1);
    message.discard().await.unwrap();
    assert_eq!(home.files(), 0);
}

#[tokio::test]
async fn objects_live_as_long_as_they_are_held() {
    let home = Home::new();
    let (store, objects) = home.objects().await;
    for length in [0, 100, object::IN_RECORD, object::IN_RECORD + 1, 300_000] {
        let octets = octets(length);
        let object = objects.of(&octets).await.unwrap();
        let reference = object.reference();
        let mut batch = Batch::default();
        object.put(&mut batch, 1);
        object.put(&mut batch, 2);
        store.commit(batch).await.unwrap();
        objects.verify(&reference).await.unwrap();
        let mut batch = Batch::default();
        let first = objects.release(&mut batch, reference.id).await.unwrap();
        let second = objects.release(&mut batch, reference.id).await.unwrap();
        store.commit(batch).await.unwrap();
        objects.drop_files(vec![first, second]).await;
        let got = objects.read(&reference, 0..u64::MAX).await.unwrap().collect().await.unwrap();
        assert_eq!(got, octets, "{length}");
        let (mut batch, mut rival) = (Batch::default(), Batch::default());
        let last = objects.release(&mut batch, reference.id).await.unwrap();
        let _lost = objects.release(&mut rival, reference.id).await.unwrap();
        store.commit(batch).await.unwrap();
        assert!(store.commit(rival).await.is_err(), "{length}: the same holder cannot be released twice");
        objects.drop_files(vec![last]).await;
        assert!(matches!(objects.read(&reference, 0..1).await, Err(BlobError::Missing)), "{length}");
    }
    assert_eq!(home.files(), 0);
}

/// A reader that came between the last use of a file and its removal began to read it, and its next piece was gone.
#[test]
fn who_comes_while_a_file_goes_comes_too_late_and_who_came_before_reads_to_the_end() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    // One thread waits for the disk, and the test says when.
    let runtime = runtime.max_blocking_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let home = Home::new();
        let (_store, objects) = home.objects().await;
        let octets = octets(300_000);
        let of = || async { objects.of(&octets).await.unwrap().reference() };
        let (going, read) = (of().await, of().await);
        let (go, wait) = std::sync::mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || wait.recv());
        let mut removal = Box::pin(home.blobs.remove(going.id));
        let polled = removal.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
        assert!(polled.is_pending() && home.blobs.has(going.id), "it is on its way");
        assert!(matches!(home.blobs.hold(going.id), Err(BlobError::Missing)), "so nobody begins to read");
        // It happens also where nobody waits for it any more.
        drop(removal);
        go.send(()).unwrap();
        while home.blobs.has(going.id) {
            tokio::task::yield_now().await;
        }
        assert!(matches!(objects.read_held(&going, 0..u64::MAX).await, Err(BlobError::Missing)));

        let mut first = objects.read_held(&read, 0..u64::MAX).await.unwrap();
        let second = objects.read_held(&read, 0..u64::MAX).await.unwrap();
        let mut got = first.next().await.unwrap().unwrap().to_vec();
        home.blobs.remove(read.id).await.unwrap();
        while let Some(piece) = first.next().await.unwrap() {
            got.extend_from_slice(&piece);
        }
        drop(first);
        assert!(got == octets && second.collect().await.unwrap() == octets);
        assert_eq!(home.files(), 0);
    });
}

/// Which blobs were of an earlier process was judged by the wall clock: one that was set back had fresh blobs swept before
/// their commit.
#[tokio::test]
async fn a_sweep_removes_what_an_earlier_process_left_and_nobody_holds() {
    let mut home = Home::new();
    let (store, objects) = home.objects().await;
    let (held, dropped) = (objects.of(&octets(50_000)).await.unwrap(), objects.of(&octets(50_000)).await.unwrap());
    let mut batch = Batch::default();
    held.put(&mut batch, 1);
    store.commit(batch).await.unwrap();
    assert_eq!(objects.sweep().await.unwrap(), 0, "what this process made is left alone");
    drop(dropped);
    drop(objects);
    store.close().await.unwrap();
    home.blobs = BlobStore::open(&home.folder.path().join("blob")).unwrap();
    let (_store, objects) = home.objects().await;
    let fresh = objects.of(&octets(50_000)).await.unwrap();
    assert_eq!(objects.orphans().await.unwrap(), 1);
    assert_eq!(objects.sweep().await.unwrap(), 1);
    objects.verify(&held.reference()).await.unwrap();
    objects.verify(&fresh.reference()).await.unwrap();
    assert_eq!(home.files(), 2);
}

/// Blobs filled the disk to its end, past what is kept for work that must not fail.
#[tokio::test]
async fn a_blob_leaves_the_reserve_alone() {
    let home = Home::new();
    let write = |length| {
        let blobs = home.blobs.clone();
        async move {
            let mut writer = blobs.create(random::id(), DataKey::fresh()).await?;
            writer.write(&octets(length)).await?;
            writer.finish().await
        }
    };
    crate::store::crash::pretend_space(home.folder.path(), Some((32 << 20) - 1));
    for length in [20_000, 600_000] {
        assert!(matches!(write(length).await, Err(BlobError::Full)), "{length}");
    }
    crate::store::crash::pretend_space(home.folder.path(), None);
    write(600_000).await.unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while home.files() > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("what was begun is removed");
}

#[test]
fn the_folder_of_a_blob_is_one_of_256() {
    let home = Home::new();
    for octet in 0..=255 {
        let id = BlobId::from_octets([octet; 16]);
        assert!(home.path(id).parent().unwrap().is_dir(), "{id}");
    }
}
