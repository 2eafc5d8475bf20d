//! The agenda over a real store, with clocks that are handed in.

use super::*;
use crate::blob::{BlobStore, Objects};
use crate::delivery::retry::Schedule;
use crate::keyring::{KeyClass, MasterKey};
use crate::store::StoreSettings;

const START: Timestamp = Timestamp::from_secs(20_000 * 86_400 + 40_000);

struct House {
    _home: tempfile::TempDir,
    store: Store,
    keyring: Keyring,
    vault: Vault,
    queue: Queue,
}

impl House {
    async fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let keys = home.path().join("keys");
        let master = MasterKey::make_file(&keys.join("master.key")).unwrap();
        let keyring = Keyring::create(&keys, &master, START.day()).unwrap();
        let settings = StoreSettings { folder: home.path().join("data"), cache: 8 << 20, checkpoint_every: 1 << 30 };
        let store = Store::open(settings, keyring.clone()).await.unwrap();
        let objects = Objects::new(store.clone(), BlobStore::open(&home.path().join("data/blob")).unwrap());
        let vault = Vault::new(store.clone(), keyring.clone(), objects.clone());
        let queue = Queue::new(store.clone(), keyring.clone(), objects, Schedule::default());
        Self { _home: home, store, keyring, vault, queue }
    }

    async fn agenda(&self, guarded: bool, start: Reading) -> Agenda {
        let (store, keyring) = (self.store.clone(), self.keyring.clone());
        Agenda::new(store, keyring, self.vault.clone(), self.queue.clone(), guarded, start).await.unwrap()
    }

    fn has_key(&self, day: Day) -> bool {
        self.keyring.generation(day, KeyClass::Grant).is_some()
    }
}

fn reading(wall: i64, steady: u64, origin: Duration) -> Reading {
    Reading { wall: Timestamp::from_secs(START.secs() + wall), steady: origin + Duration::from_secs(steady) }
}

#[tokio::test]
async fn days_that_have_passed_lose_their_keys_and_days_to_come_get_theirs() {
    let house = House::new().await;
    let agenda = house.agenda(true, reading(0, 0, Duration::from_secs(500))).await;
    assert_eq!(agenda.run(START).await.unwrap(), Round::default());
    let today = START.day();
    let round = agenda.run(today.plus(2).start()).await.unwrap();
    assert_eq!(round.destroyed, [today, today.plus(1)]);
    assert!(!house.has_key(today.plus(1)) && house.has_key(today.plus(2)) && house.has_key(today.plus(402)));
}

#[tokio::test]
async fn a_clock_that_jumped_destroys_nothing_until_it_is_accepted() {
    let house = House::new().await;
    let origin = Duration::from_secs(500);
    let agenda = house.agenda(true, reading(0, 0, origin)).await;
    agenda.observe(reading(100, 100, origin));
    assert!(!agenda.is_halted());
    let ahead = reading(20 * 86_400, 102, origin);
    agenda.observe(ahead);
    let round = agenda.run(ahead.wall).await.unwrap();
    assert!(round.halted && round.destroyed.is_empty() && house.has_key(START.day()));
    agenda.observe(reading(104, 104, origin));
    assert!(agenda.is_halted(), "a clock that jumped back is not believed by itself either");
    agenda.accept(ahead).await.unwrap();
    assert_eq!(agenda.run(ahead.wall).await.unwrap().destroyed.len(), 20);
    agenda.observe(reading(20 * 86_400 + 60, 162, origin));
    assert!(!agenda.is_halted());
}

#[tokio::test]
async fn a_start_far_from_the_last_reading_is_not_believed() {
    let house = House::new().await;
    let origin = Duration::from_secs(500);
    house.agenda(true, reading(0, 0, origin)).await.run(START).await.unwrap();
    for (after, halted) in [(60, false), (5 * 86_400, false), (-7200, true), (6 * 86_400, true)] {
        let agenda = house.agenda(true, reading(after, 0, origin)).await;
        assert_eq!(agenda.is_halted(), halted, "{after}");
        assert!(!house.agenda(false, reading(after, 0, origin)).await.is_halted(), "unguarded");
    }
    let agenda = house.agenda(true, reading(6 * 86_400, 0, origin)).await;
    agenda.accept(reading(6 * 86_400, 0, origin)).await.unwrap();
    assert!(!house.agenda(true, reading(6 * 86_400 + 5, 0, origin)).await.is_halted());
}

#[tokio::test]
async fn the_agenda_is_kept_until_it_is_told_to_stop() {
    let house = House::new().await;
    let now = Reading::take();
    let agenda = Arc::new(house.agenda(true, now).await);
    let (stop, stopped) = watch::channel(false);
    let work = async {
        let mut noted = house.store.watch(Table::Meta);
        noted.changed().await.unwrap();
        stop.send(true).unwrap();
    };
    tokio::join!(agenda.keep(stopped), work);
    assert!(!house.has_key(START.day()), "the first round comes at once");
}

/// A gateway that was off for longer than a letter's last day destroyed the letter's key at its next start, before the
/// letter could be sent or its sender told.
#[tokio::test]
async fn a_letter_that_an_outage_kept_waiting_still_opens() {
    let house = House::new().await;
    let mut batch = Batch::default();
    let address = crate::mail::Address::parse("a@b.example").unwrap();
    let delivery = crate::mail::Delivery {
        reverse_path: crate::mail::ReversePath::Null,
        recipient: crate::mail::Recipient::plain(address),
        ret: None,
        envid: None,
    };
    let (id, transaction) = (crate::random::id(), crate::random::id());
    let payload = crate::queue::Payload { prefix: "x".into(), rest: None };
    let (purpose, tls) = (crate::queue::Purpose::Message, crate::queue::TlsDemand::AsConfigured);
    let letter = crate::queue::NewLetter { id, transaction, purpose, delivery, payload, tls };
    house.queue.put(&mut batch, letter, START).unwrap();
    house.store.commit(batch).await.unwrap();

    let agenda = house.agenda(false, reading(0, 0, Duration::from_secs(500))).await;
    let late = START.day().plus(20).start();
    agenda.run(late).await.unwrap();
    assert!(!house.has_key(START.day().plus(19)), "documents do not wait for letters");
    assert_eq!(house.queue.claim_due(late, 1).await.unwrap().len(), 1);
}

/// A checkpoint that failed was not made again before the next day.
#[tokio::test]
async fn a_checkpoint_that_failed_is_still_owed() {
    let house = House::new().await;
    let agenda = house.agenda(true, reading(0, 0, Duration::ZERO)).await;
    let (data, tomorrow) = (house._home.path().join("data"), START.day().plus(1));
    let checkpoints = || std::fs::read_dir(data.join("checkpoint")).unwrap().count();
    agenda.checkpoint(START.day()).await.unwrap();
    assert_eq!(checkpoints(), 0, "none is owed on the day it began");
    crate::store::crash::pretend_space(&data, Some(0));
    agenda.checkpoint(tomorrow).await.unwrap_err();
    crate::store::crash::pretend_space(&data, None);
    agenda.checkpoint(tomorrow).await.unwrap();
    assert_eq!(checkpoints(), 1);
}

/// A panic in a round ended expiry for good, and nobody was told.
#[tokio::test]
async fn work_that_panics_begins_again() {
    let (stop, stopped) = watch::channel(false);
    let begun = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let work = || {
        let begun = begun.clone();
        async move {
            assert_eq!(begun.fetch_add(1, std::sync::atomic::Ordering::Relaxed), 2, "the third goes well");
        }
    };
    supervise("test", Duration::from_millis(1), stopped, work).await;
    assert_eq!(begun.load(std::sync::atomic::Ordering::Relaxed), 3);
    drop(stop);
}
