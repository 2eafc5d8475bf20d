//! The vault over a real store: who opens what, for how long, and what is left on disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::blob::BlobStore;
use crate::id::{GrantId, ParcelId, TransactionId};
use crate::keyring::{KeyClass, MasterKey, MasterSource};
use crate::mail::Address;
use crate::mime::assess::PatientRef;
use crate::random;
use crate::store::{Batch, StoreSettings, Table};
use crate::time::Timestamp;

pub(super) const NOW: Timestamp = Timestamp::from_secs(20_000 * 86_400 + 40_000);
pub(super) const DAY: Duration = Duration::from_secs(86_400);
const PATIENT: &str = "Zebulon Quackenbush";

pub(super) struct House {
    pub data: PathBuf,
    pub store: Store,
    pub keyring: Keyring,
    pub objects: Objects,
    pub vault: Vault,
}

fn settings(data: &Path) -> StoreSettings {
    StoreSettings { folder: data.to_owned(), cache: 8 << 20, checkpoint_every: 64 << 20 }
}

pub(super) fn open_keyring(keys: &Path) -> Keyring {
    let master = keys.join("master.key");
    if Keyring::exists(keys) {
        Keyring::open(keys, &MasterKey::read(&MasterSource::File(master)).unwrap(), NOW.day()).unwrap()
    } else {
        Keyring::create(keys, &MasterKey::make_file(&master).unwrap(), NOW.day()).unwrap()
    }
}

impl House {
    pub async fn at(home: &Path) -> Self {
        Self::with(&home.join("data"), open_keyring(&home.join("keys"))).await
    }

    pub async fn with(data: &Path, keyring: Keyring) -> Self {
        let store = Store::open(settings(data), keyring.clone()).await.unwrap();
        let objects = Objects::new(store.clone(), BlobStore::open(&data.join("blob")).unwrap());
        let vault = Vault::new(store.clone(), keyring.clone(), objects.clone());
        Self { data: data.to_owned(), store, keyring, objects, vault }
    }

    /// A parcel with a small and a large document for each grant's life; the grants' ids and tokens.
    async fn deposit(&self, transaction: TransactionId, keeps: &[Duration]) -> Vec<(GrantId, String)> {
        let mut batch = Batch::default();
        let (parcel, grants) = self.parcel(transaction, keeps).await;
        self.vault.put(&mut batch, parcel, NOW).unwrap();
        self.store.commit(batch).await.unwrap();
        grants
    }

    pub async fn parcel(&self, transaction: TransactionId, keeps: &[Duration]) -> (NewParcel, Vec<(GrantId, String)>) {
        let text = format!("Findings for {PATIENT}\r\n").into_bytes();
        let objects = vec![self.objects.of(&text).await.unwrap(), self.objects.of(&text.repeat(4000)).await.unwrap()];
        let deposits = objects.iter().map(|object| Deposit {
            id: random::id(),
            kind: DepositKind::Document,
            name: format!("{PATIENT}.txt"),
            media_type: "text/plain".into(),
            object: object.reference(),
        });
        let content = ParcelContent {
            subject: format!("About {PATIENT}"),
            sender: Address::parse("doctor@clinic.example").unwrap(),
            sender_name: "Dr Roe".into(),
            practice: "clinic".into(),
            patient: Some(PatientRef::Record(PATIENT.into())),
            sent: NOW,
            deposits: deposits.collect(),
            birthdate: Some("1980-03-04".into()),
            message_id: None,
            references: Vec::new(),
            titles: vec!["Letter".into(), String::new()],
        };
        let grants: Vec<NewGrant> = keeps
            .iter()
            .map(|keep| NewGrant {
                id: random::id(),
                contact: random::id(),
                access: Vec::new(),
                link: DAY,
                keep: *keep,
                keep_after_download: None,
                token: random::token(),
                held: None,
                patient: None,
            })
            .collect();
        let named = grants.iter().map(|grant| (grant.id, grant.token.expose().clone())).collect();
        (NewParcel { id: random::id::<ParcelId>(), transaction, content, objects, grants }, named)
    }

    pub async fn opens(&self, id: GrantId, now: Timestamp) -> bool {
        let Some(grant) = self.vault.grant(id).await.unwrap() else { return false };
        match self.vault.content(&grant.value, now).await {
            Ok(content) => {
                assert_eq!(content.deposits[0].name, format!("{PATIENT}.txt"));
                for deposit in &content.deposits {
                    self.objects.verify(&deposit.object).await.unwrap();
                }
                true
            }
            Err(VaultError::Ended) => false,
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn is_empty(&self) -> bool {
        let tables = [
            Table::Parcel,
            Table::Object,
            Table::ObjectOctets,
            Table::Grant,
            Table::GrantByToken,
            Table::GrantByDay,
            Table::GrantByTransaction,
            Table::GrantByContact,
            Table::Agenda,
            Table::PunchOwed,
            Table::Reply,
            Table::Draft,
            Table::PortalEnd,
        ];
        for table in tables {
            if !self.store.scan_keys(table, &[], &[], 1).await.unwrap().is_empty() {
                return false;
            }
        }
        files_below(&self.data.join("blob")).is_empty()
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

pub(super) fn copy_folder(from: &Path, to: &Path) {
    for file in files_below(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, target).unwrap();
    }
}

#[tokio::test]
async fn a_grant_is_found_by_id_token_and_message_and_opens_until_its_end() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let transaction = random::id();
    let grants = house.deposit(transaction, &[DAY, 7 * DAY]).await;
    house.deposit(random::id(), &[DAY]).await;
    assert_eq!(house.vault.grants_of(transaction).await.unwrap().len(), 2);
    assert_eq!(house.vault.grants(None, 10).await.unwrap().len(), 3);
    let first = house.vault.grants(None, 1).await.unwrap()[0].0;
    assert_eq!(house.vault.grants(Some(first), 10).await.unwrap().len(), 2);
    for (id, token) in &grants {
        assert_eq!(house.vault.grant_by_token(token).await.unwrap().unwrap().0, *id);
        assert!(house.opens(*id, NOW).await);
    }
    assert!(house.vault.grant_by_token("no such token").await.unwrap().is_none());
    assert!(!house.opens(grants[0].0, NOW.plus(DAY)).await);
    assert!(house.opens(grants[1].0, NOW.plus(DAY)).await);
}

#[tokio::test]
async fn what_has_ended_is_removed_and_what_is_shared_stays_for_the_others() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let grants = house.deposit(random::id(), &[DAY, 7 * DAY]).await;
    house.deposit(random::id(), &[2 * DAY]).await;
    assert_eq!(house.vault.expire_due(NOW).await.unwrap(), 0);
    assert_eq!(house.vault.expire_due(NOW.plus(DAY)).await.unwrap(), 1, "one grant, its parcel has another");
    assert!(house.opens(grants[1].0, NOW.plus(6 * DAY)).await);
    assert_eq!(house.vault.expire_due(NOW.plus(2 * DAY)).await.unwrap(), 2, "a grant and its parcel");
    assert_eq!(house.vault.expire_due(NOW.plus(7 * DAY)).await.unwrap(), 2);
    assert!(house.is_empty().await);
}

/// One right that did not open ended the round: nothing behind it was ever removed any more.
#[tokio::test]
async fn a_damaged_right_keeps_no_other_from_ending() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let first = house.deposit(random::id(), &[DAY]).await[0].0;
    for _ in 0..60 {
        house.deposit(random::id(), &[DAY]).await;
    }
    let mut batch = Batch::default();
    batch.put_octets(grants::grant_key(first), vec![0xFF, 1, 2]);
    house.store.commit(batch).await.unwrap();
    assert_eq!(house.vault.expire_due(NOW.plus(DAY)).await.unwrap(), 60 * 2 + 1, "its own parcel is sound");
    assert_eq!(house.vault.expire_due(NOW.plus(DAY)).await.unwrap(), 0);
    assert!(matches!(house.vault.grant(first).await, Err(VaultError::Store(StoreError::Unsound(_)))));
}

#[tokio::test]
async fn an_old_parcel_is_removed_also_after_its_key_is_destroyed() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    house.deposit(random::id(), &[DAY]).await;
    house.keyring.destroy_before(NOW.day().plus(5), NOW.day().plus(5)).unwrap();
    assert_eq!(house.vault.expire_due(NOW.plus(5 * DAY)).await.unwrap(), 2);
    assert!(house.is_empty().await);
}

#[tokio::test]
async fn a_revoked_grant_opens_in_no_copy_and_the_others_of_its_day_do() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let mut grants = Vec::new();
    for _ in 0..3 {
        grants.extend(house.deposit(random::id(), &[DAY; 60]).await);
    }
    let before = house.vault.grant(grants[0].0).await.unwrap().unwrap().value;
    for _ in 0..2 {
        house.vault.revoke(grants[0].0, NOW).await.unwrap();
    }
    assert!(matches!(house.vault.revoke(random::id(), NOW).await, Err(VaultError::Missing)));
    assert!(!house.opens(grants[0].0, NOW).await);
    assert!(house.vault.content(&before, NOW).await.is_ok(), "until the punch an old copy still opens");
    assert_eq!(house.vault.punch_owed().await.unwrap(), 1);
    assert_eq!(house.vault.punch_owed().await.unwrap(), 0);
    assert!(matches!(house.vault.content(&before, NOW).await, Err(VaultError::Ended)));
    for (id, _) in &grants[1..] {
        assert!(house.opens(*id, NOW).await, "survivors are re-wrapped");
    }
    assert_eq!(house.vault.expire_due(NOW.plus(DAY)).await.unwrap(), 180 + 3);
    assert!(house.is_empty().await);
}

#[tokio::test]
async fn a_parcel_on_its_way_survives_a_punch() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let revoked = house.deposit(random::id(), &[DAY]).await;
    house.vault.revoke(revoked[0].0, NOW).await.unwrap();
    let (parcel, late) = house.parcel(random::id(), &[DAY]).await;
    let mut batch = Batch::default();
    house.vault.put(&mut batch, parcel, NOW).unwrap();
    let vault = house.vault.clone();
    let punch = tokio::spawn(async move { vault.punch_owed().await.unwrap() });
    while house.keyring.generation(NOW.plus(DAY).day(), KeyClass::Grant) == Some(0) {
        tokio::task::yield_now().await;
    }
    assert!(!punch.is_finished(), "it waits for the batch");
    house.store.commit(batch).await.unwrap();
    assert_eq!(punch.await.unwrap(), 1);
    assert!(house.opens(late[0].0, NOW).await);
}

#[tokio::test]
async fn a_punch_cut_short_is_taken_up_again() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let grants = house.deposit(random::id(), &[DAY, DAY]).await;
    let before = house.vault.grant(grants[0].0).await.unwrap().unwrap().value;
    house.vault.revoke(grants[0].0, NOW).await.unwrap();
    house.keyring.begin_punch(NOW.plus(DAY).day(), KeyClass::Grant).unwrap();
    house.store.close().await.unwrap();
    drop((house.objects, house.vault));
    let house = House::at(home.path()).await;
    assert!(house.opens(grants[1].0, NOW).await);
    assert_eq!(house.vault.punch_owed().await.unwrap(), 1);
    assert!(house.opens(grants[1].0, NOW).await);
    assert!(matches!(house.vault.content(&before, NOW).await, Err(VaultError::Ended)));
}

#[tokio::test]
async fn verify_reads_what_lives_and_names_what_is_damaged() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let grants = house.deposit(random::id(), &[DAY, DAY]).await;
    house.deposit(random::id(), &[DAY]).await;
    let report = house.vault.verify(&|_| {}).await.unwrap();
    assert_eq!((report.parcels, report.deposits, report.damaged.len(), report.orphans), (2, 4, 0, 0));
    let grant = house.vault.grant(grants[0].0).await.unwrap().unwrap().value;
    let content = house.vault.content(&grant, NOW).await.unwrap();
    let id = content.deposits[1].object.id.to_string();
    let path = home.path().join("data/blob").join(&id[24..]).join(&id);
    let mut octets = fs::read(&path).unwrap();
    octets[70_000] ^= 1;
    fs::write(&path, octets).unwrap();
    let report = house.vault.verify(&|_| {}).await.unwrap();
    assert_eq!(report.deposits, 3);
    assert_eq!(report.damaged, [(id, "a blob is damaged or not what it should be".into())]);
}

#[tokio::test]
async fn nothing_of_a_patient_lies_in_the_clear() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let grants = house.deposit(random::id(), &[DAY]).await;
    let mut spool = crate::blob::SpoolWriter::new(house.objects.blobs());
    let line = format!("{PATIENT}\r\n").into_bytes().repeat(1000);
    while spool.len() < 3 << 20 {
        spool.write(&line).await.unwrap();
    }
    let spooled = spool.finish().await.unwrap();
    house.store.checkpoint().await.unwrap();
    house.vault.revoke(grants[0].0, NOW).await.unwrap();
    house.store.close().await.unwrap();
    let markers = [PATIENT.as_bytes(), b"doctor@clinic", b"Dr Roe", b"Findings", grants[0].1.as_bytes()];
    let files = files_below(home.path());
    assert!(files.len() > 5, "journal, checkpoint, index, keys, blobs");
    for file in files {
        let octets = fs::read(&file).unwrap();
        for marker in markers {
            let found = memchr::memmem::find(&octets, marker);
            assert!(found.is_none(), "{} in {}", String::from_utf8_lossy(marker), file.display());
        }
    }
    drop(spooled);
}

#[tokio::test]
async fn after_its_day_nothing_opens_in_an_old_copy_with_the_new_keyring() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let grants = house.deposit(random::id(), &[DAY, 3 * DAY]).await;
    house.store.checkpoint().await.unwrap();
    let House { store, objects, vault, .. } = house;
    store.close().await.unwrap();
    drop((objects, vault));
    let copy = home.path().join("copy");
    copy_folder(&home.path().join("data"), &copy);

    let today = NOW.day().plus(2);
    open_keyring(&home.path().join("keys")).destroy_before(today, today).unwrap();
    let house = House::with(&copy, open_keyring(&home.path().join("keys"))).await;
    // The thief's clock says what the thief likes.
    assert!(!house.opens(grants[0].0, NOW).await, "its day has passed");
    assert!(house.opens(grants[1].0, NOW).await, "this one lives");
    house.keyring.destroy_before(NOW.day().plus(4), NOW.day().plus(4)).unwrap();
    assert!(!house.opens(grants[1].0, NOW).await);
}

#[tokio::test]
async fn a_day_without_a_key_takes_no_grant() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let (parcel, _) = house.parcel(random::id(), &[DAY * 500]).await;
    let refused = house.vault.put(&mut Batch::default(), parcel, NOW);
    assert!(matches!(refused, Err(VaultError::Ended)));
}

#[test]
fn parcels_and_grants_of_each_version_are_read() {
    use super::grants::GrantV1;
    use super::parcel::ParcelV1;
    use crate::id::Id;
    use crate::store::{Stored, decode};
    fn written<T: serde::Serialize>(version: u8, value: &T) -> Vec<u8> {
        [&[version], postcard::to_allocvec(value).unwrap().as_slice()].concat()
    }
    let wrapped =
        crate::keyring::WrappedKey { day: NOW.day(), class: KeyClass::Grant, generation: 1, sealed: vec![7; 60] };
    let (transaction, id) = (TransactionId::from_octets([1; 16]), ParcelId::from_octets([2; 16]));
    let parcel = ParcelV1 { transaction, until: NOW, objects: vec![Id::from_octets([3; 16])], sealed: vec![9; 5] };
    let grant = GrantV1 {
        parcel: id,
        transaction,
        contact: Id::from_octets([4; 16]),
        access: vec![crate::access::AccessCheck::Code],
        created: NOW,
        link_until: NOW.plus(DAY),
        keep_until: NOW.plus(7 * DAY),
        keep_after_download: Some(DAY),
        token_hash: [5; 16],
        key: Some(wrapped),
        revoked: None,
    };
    let mut vector = crate::keyring::vectors::Vector::read("vault-records");
    let old_parcel = decode::<Parcel>(Table::Parcel, &vector.octets("parcel_1", &written(1, &parcel))).unwrap();
    let old_grant = decode::<Grant>(Table::Grant, &vector.octets("grant_1", &written(1, &grant))).unwrap();
    assert_eq!((old_parcel.until, old_parcel.content), (NOW, 1));
    assert_eq!((old_grant.token_hash, old_grant.held), ([5; 16], None));
    let new_parcel = Parcel { content: 2, ..old_parcel };
    let new_grant = Grant {
        patient: Some(crate::id::PatientMark([6; 16])),
        held: Some(Held { link: DAY, keep: 7 * DAY }),
        opened: Some(NOW),
        downloaded: Some(NOW.plus(DAY)),
        begun: None,
        practice: "clinic".into(),
        ..old_grant
    };
    let new_parcel = vector.octets("parcel_2", &written(Parcel::VERSION, &new_parcel));
    let new_grant = vector.octets("grant_2", &written(Grant::VERSION, &new_grant));
    vector.finish();
    assert_eq!(decode::<Parcel>(Table::Parcel, &new_parcel).unwrap().content, 2);
    assert_eq!(decode::<Grant>(Table::Grant, &new_grant).unwrap().opened, Some(NOW));
}

#[test]
fn what_earlier_versions_sealed_is_read() {
    use super::parcel::{ContentV1, ContentV2};
    use crate::keyring::DataKey;
    use crate::keyring::seal::Sealer;
    let (id, key) = (random::id::<ParcelId>(), DataKey::fresh());
    let content = ContentV1 {
        subject: "Findings".into(),
        sender: Address::parse("doctor@clinic.example").unwrap(),
        sender_name: "Dr Roe".into(),
        practice: "clinic".into(),
        patient: None,
        sent: NOW,
        deposits: Vec::new(),
    };
    let sealed = Sealer::new(&key).seal(crate::id::Id::octets(&id), &postcard::to_allocvec(&content).unwrap());
    let parcel = Parcel { transaction: random::id(), until: NOW, objects: Vec::new(), sealed, content: 1 };
    let read = parcel.open(id, &key).unwrap();
    assert_eq!((read.subject.as_str(), read.birthdate), ("Findings", None));

    let ContentV1 { subject, sender, sender_name, practice, patient, sent, deposits } = content;
    let content = ContentV2 {
        subject,
        sender,
        sender_name,
        practice,
        patient,
        sent,
        deposits,
        birthdate: Some("1980-03-04".into()),
        message_id: None,
        references: vec!["a@b".into()],
    };
    let sealed = Sealer::new(&key).seal(crate::id::Id::octets(&id), &postcard::to_allocvec(&content).unwrap());
    let read = Parcel { sealed, content: 2, ..parcel }.open(id, &key).unwrap();
    assert_eq!((read.references, read.titles), (vec!["a@b".to_owned()], Vec::new()));
}
