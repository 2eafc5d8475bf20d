//! A queue in a folder of its own, that can be closed and opened again.

use std::path::Path;
use std::sync::{Arc, Mutex};

use postern::blob::{BlobStore, Objects};
use postern::delivery::retry::Schedule;
use postern::gateway::deliver::{Deliveries, Failure, FailureReports};
use postern::id::{QueueId, TransactionId};
use postern::keyring::{Keyring, MasterKey};
use postern::mail::{Delivery, Recipient, ReversePath};
use postern::pack::PackError;
use postern::queue::{NewLetter, Payload, Purpose, Queue, TlsDemand};
use postern::random;
use postern::store::{Batch, Store, StoreSettings};
use postern::time::Timestamp;

/// Remembers what was to be reported; can be told to fail.
#[derive(Default)]
pub struct Reports {
    pub told: Mutex<Vec<(String, &'static str, String, u32)>>,
    pub broken: Mutex<bool>,
}

impl FailureReports for Reports {
    fn compose(&self, failure: &Failure<'_>) -> Result<Vec<u8>, PackError> {
        if *self.broken.lock().unwrap() {
            return Err(PackError::Template("a template that fails".into()));
        }
        let row = (failure.to.to_string(), failure.sentence, failure.enhanced.clone(), failure.attempts);
        self.told.lock().unwrap().push(row);
        Ok(b"Subject: not delivered\r\n\r\nreport\r\n".to_vec())
    }
}

pub struct House {
    pub store: Store,
    pub keyring: Keyring,
    pub objects: Objects,
    pub queue: Queue,
    pub deliveries: Deliveries,
    pub reports: Arc<Reports>,
    master: MasterKey,
    today: Timestamp,
}

/// The tests' first day.
pub const DAY_ONE: Timestamp = Timestamp::from_secs(1_800_000_000);

impl House {
    pub async fn new(folder: &Path, today: Timestamp) -> Self {
        let master = MasterKey::make_file(&folder.join("master.key")).unwrap();
        Keyring::create(&folder.join("keys"), &master, today.day()).unwrap();
        Self::open(folder, master, today).await
    }

    async fn open(folder: &Path, master: MasterKey, today: Timestamp) -> Self {
        let keyring = Keyring::open(&folder.join("keys"), &master, today.day()).unwrap();
        let settings =
            StoreSettings { folder: folder.join("data"), cache: 8 * 1024 * 1024, checkpoint_every: 64 * 1024 * 1024 };
        let store = Store::open(settings, keyring.clone()).await.unwrap();
        let blobs = BlobStore::open(&folder.join("data/blob")).unwrap();
        let objects = Objects::new(store.clone(), blobs);
        let queue = Queue::new(store.clone(), keyring.clone(), objects.clone(), Schedule::default());
        let reports = Arc::new(Reports::default());
        let deliveries = Deliveries::new(queue.clone(), reports.clone());
        Self { store, keyring, objects, queue, deliveries, reports, master, today }
    }

    /// Stops as a process does that ends in order, and starts again.
    pub async fn restart(self, folder: &Path) -> Self {
        let Self { store, keyring, objects, queue, deliveries, reports, master, today } = self;
        drop((keyring, objects, queue, deliveries, reports));
        store.close().await.unwrap();
        Self::open(folder, master, today).await
    }

    /// Queues one letter for each of these addresses; all share one object.
    pub async fn queue(&self, recipients: &[&str], body: &[u8], now: Timestamp) -> Vec<QueueId> {
        let object = self.objects.of(body).await.unwrap();
        let mut batch = Batch::default();
        object.put(&mut batch, u32::try_from(recipients.len()).unwrap());
        let transaction = random::id::<TransactionId>();
        let mut ids = Vec::new();
        for recipient in recipients {
            let rest = Some((object.reference(), 0..object.reference().octets));
            let letter = letter(recipient, transaction, Payload { prefix: "Subject: hello\r\n\r\n".into(), rest });
            ids.push(letter.id);
            self.queue.put(&mut batch, letter, now).unwrap();
        }
        self.store.commit(batch).await.unwrap();
        self.queue.wake();
        ids
    }

    /// Commits one letter as it is.
    pub async fn post(&self, letter: NewLetter, now: Timestamp) {
        let mut batch = Batch::default();
        self.queue.put(&mut batch, letter, now).unwrap();
        self.store.commit(batch).await.unwrap();
        self.queue.wake();
    }

    /// How many entries there are.
    pub async fn count(&self) -> usize {
        self.queue.list(None, 10_000).await.unwrap().len()
    }
}

pub fn letter(recipient: &str, transaction: TransactionId, payload: Payload) -> NewLetter {
    NewLetter {
        id: random::id(),
        transaction,
        purpose: Purpose::Message,
        delivery: Delivery {
            reverse_path: ReversePath::Address("staff@clinic.example".parse().unwrap()),
            recipient: Recipient::plain(recipient.parse().unwrap()),
            ret: None,
            envid: None,
        },
        payload,
        tls: TlsDemand::AsConfigured,
    }
}

/// A letter with nothing but a few octets.
pub fn small(recipient: &str) -> NewLetter {
    letter(recipient, random::id(), Payload { prefix: "\r\nsmall\r\n".into(), rest: None })
}
