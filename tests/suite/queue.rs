//! The queue over the real store: claims, settlements, restarts, reports.

pub mod house;
mod relayed;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use postern::delivery::retry::{Next, Schedule, next};
use postern::delivery::{Cause, Outcome, Step};
use postern::gateway::deliver::Settled;
use postern::id::{Id, QueueId};
use postern::mail::{DsnNotify, ReversePath};
use postern::queue::{Letter, Purpose, Queue, Settlement};
use postern::store::{Batch, Key, Table};
use postern::time::Timestamp;

use house::{DAY_ONE, House, small};

async fn octets(queue: &Queue, letter: &Letter) -> Vec<u8> {
    let mut stream = queue.octets(letter).await.unwrap();
    let mut all = Vec::new();
    while let Some(piece) = stream.next().await.unwrap() {
        all.extend_from_slice(&piece);
    }
    all
}

async fn claim_one(queue: &Queue, now: Timestamp) -> postern::queue::Claim {
    queue.claim_due(now, 1).await.unwrap().pop().expect("something is due")
}

#[tokio::test]
async fn a_letter_is_claimed_once_delivered_and_gone() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path(), DAY_ONE).await;
    for size in [10, 100_000] {
        let body = vec![b'x'; size];
        house.queue(&["jane@there.example"], &body, DAY_ONE).await;
        let claim = claim_one(&house.queue, DAY_ONE).await;
        assert!(house.queue.claim_due(DAY_ONE, 10).await.unwrap().is_empty(), "it is in one hand");
        let expected = [b"Subject: hello\r\n\r\n".as_slice(), &body].concat();
        assert_eq!(octets(&house.queue, &claim.letter).await, expected);
        assert_eq!(claim.letter.payload.octets(), expected.len() as u64);
        assert_eq!(house.deliveries.settle(&claim, Outcome::Delivered, DAY_ONE).await.unwrap(), Settled::Delivered);
        let letter = claim.letter.clone();
        drop(claim);
        assert_eq!(house.count().await, 0);
        assert!(house.queue.claim_due(DAY_ONE, 10).await.unwrap().is_empty());
        let (object, _) = letter.payload.rest.unwrap();
        assert!(house.objects.read(&object, 0..1).await.is_err(), "the object went with its last holder");
    }
}

#[tokio::test]
async fn a_restart_forgets_claims_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::new(folder.path(), DAY_ONE).await;
    let ids = house.queue(&["a@there.example", "b@there.example"], b"body\r\n", DAY_ONE).await;
    let later = DAY_ONE.plus(Duration::from_secs(60));
    let claims = house.queue.claim_due(DAY_ONE, 2).await.unwrap();
    let settled = house.deliveries.settle(&claims[0], Outcome::transient(Step::Connect), DAY_ONE).await.unwrap();
    assert_eq!(settled, Settled::Later(later));
    let (deferred, claimed) = (claims[0].id, claims[1].id);
    assert_eq!(HashSet::from([deferred, claimed]), ids.into_iter().collect());
    drop(claims);
    house = house.restart(folder.path()).await;
    let claim = claim_one(&house.queue, DAY_ONE).await;
    assert_eq!((claim.id, claim.entry.attempts), (claimed, 0));
    assert!(house.queue.claim_due(DAY_ONE, 2).await.unwrap().is_empty(), "the other is not due yet");
    let other = claim_one(&house.queue, later).await;
    assert_eq!((other.id, other.entry.attempts), (deferred, 1));
    assert_eq!(octets(&house.queue, &other.letter).await, b"Subject: hello\r\n\r\nbody\r\n");
    let row = house.queue.list(None, 10).await.unwrap().into_iter().find(|row| row.id == deferred.to_string()).unwrap();
    assert_eq!((row.attempts, row.due, row.last.as_deref()), (1, later, Some("connect")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_never_hold_the_same_entry() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path(), DAY_ONE).await;
    let names: Vec<String> = (0..120).map(|number| format!("n{number}@there.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let ids = house.queue(&names, b"shared by all\r\n", DAY_ONE).await;
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (queue, deliveries) = (house.queue.clone(), house.deliveries.clone());
        workers.spawn(async move {
            let mut seen = Vec::new();
            loop {
                let claims = queue.claim_due(DAY_ONE, 3).await.unwrap();
                if claims.is_empty() {
                    return seen;
                }
                for claim in claims {
                    tokio::task::yield_now().await;
                    deliveries.settle(&claim, Outcome::Delivered, DAY_ONE).await.unwrap();
                    seen.push(claim.id);
                }
            }
        });
    }
    let seen: Vec<QueueId> = workers.join_all().await.into_iter().flatten().collect();
    assert_eq!(seen.len(), ids.len(), "each once");
    assert_eq!(seen.iter().collect::<HashSet<_>>(), ids.iter().collect());
    assert_eq!(house.count().await, 0);
}

#[tokio::test]
async fn who_is_told_of_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path(), DAY_ONE).await;
    let refused = || Outcome::permanent(Step::Recipient);
    type Change = fn(&mut postern::queue::NewLetter);
    let cases: [(&str, Change, bool); 5] = [
        ("an ordinary message", |_| {}, true),
        ("the null reverse-path", |letter| letter.delivery.reverse_path = ReversePath::Null, false),
        ("a report", |letter| letter.purpose = Purpose::Report, false),
        ("NOTIFY=NEVER", |letter| letter.delivery.recipient.notify = Some(DsnNotify::NEVER), false),
        (
            "NOTIFY=SUCCESS",
            |letter| letter.delivery.recipient.notify = Some(DsnNotify { success: true, ..DsnNotify::NEVER }),
            false,
        ),
    ];
    for (name, change, told) in cases {
        let mut letter = small("jane@there.example");
        change(&mut letter);
        house.post(letter, DAY_ONE).await;
        let claim = claim_one(&house.queue, DAY_ONE).await;
        let Settled::Failed { report } = house.deliveries.settle(&claim, refused(), DAY_ONE).await.unwrap() else {
            panic!("{name}: failed for good");
        };
        drop(claim);
        assert_eq!((report.is_some(), house.count().await), (told, usize::from(told)), "{name}");
        if let Some(report) = report {
            let claim = claim_one(&house.queue, DAY_ONE).await;
            assert_eq!((claim.id, claim.entry.purpose), (report, Purpose::Report));
            assert_eq!(claim.letter.delivery.reverse_path, ReversePath::Null);
            assert_eq!(claim.letter.delivery.recipient.address.to_string(), "staff@clinic.example");
            let settled = house.deliveries.settle(&claim, refused(), DAY_ONE).await.unwrap();
            assert_eq!(settled, Settled::Failed { report: None }, "no report about a report");
        }
    }
}

#[tokio::test]
async fn a_letter_is_tried_to_the_schedules_end_and_then_its_sender_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path(), DAY_ONE).await;
    house.post(small("jane@there.example"), DAY_ONE).await;
    let (mut now, mut attempts) = (DAY_ONE, 0);
    let report = loop {
        let claim = claim_one(&house.queue, now).await;
        assert_eq!(claim.entry.attempts, attempts);
        attempts += 1;
        match house.deliveries.settle(&claim, Outcome::transient(Step::Lost), now).await.unwrap() {
            Settled::Later(moment) => {
                assert_eq!(next(DAY_ONE, attempts, now, &Schedule::default()), Next::At(moment));
                drop(claim);
                assert!(
                    house.queue.claim_due(Timestamp::from_millis(moment.millis() - 1), 1).await.unwrap().is_empty()
                );
                now = moment;
            }
            Settled::Failed { report } => break report,
            Settled::Delivered => panic!("nothing was delivered"),
        }
    };
    assert!(report.is_some());
    assert_eq!((attempts, now), (37, DAY_ONE.plus(Schedule::default().give_up)));
    let told = house.reports.told.lock().unwrap().clone();
    let [(to, sentence, enhanced, times)] = told.as_slice() else { panic!("one report") };
    assert_eq!((to.as_str(), enhanced.as_str(), *times), ("staff@clinic.example", "5.4.2", 37));
    assert!(sentence.contains("however often it was tried"), "{sentence}");
}

#[tokio::test]
async fn a_failure_nobody_can_be_told_of_stays() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path(), DAY_ONE).await;
    house.post(small("jane@there.example"), DAY_ONE).await;
    *house.reports.broken.lock().unwrap() = true;
    let claim = claim_one(&house.queue, DAY_ONE).await;
    let settled = house.deliveries.settle(&claim, Outcome::permanent(Step::Recipient), DAY_ONE).await.unwrap();
    assert_eq!(settled, Settled::Later(DAY_ONE.plus(Schedule::default().then)));
    assert_eq!(house.count().await, 1);
}

/// A letter whose key was destroyed with its day was tried every four hours for ever, kept its object, and kept the keys
/// of all later letters from being destroyed.
#[tokio::test]
async fn a_letter_whose_key_is_gone_ends_and_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path(), DAY_ONE).await;
    let body = vec![b'x'; 100_000];
    house.queue(&["old@there.example"], &body, DAY_ONE).await;
    let object = claim_one(&house.queue, DAY_ONE).await.letter.payload.rest.unwrap().0;
    let late = DAY_ONE.plus(Duration::from_secs(8 * 86_400));
    house.keyring.destroy_before(late.day(), late.day()).unwrap();
    house.post(small("new@there.example"), late).await;
    let claim = claim_one(&house.queue, late).await;
    assert_eq!(claim.letter.delivery.recipient.address.to_string(), "new@there.example");
    assert_eq!(house.count().await, 1);
    assert!(house.objects.read(&object, 0..1).await.is_err(), "what it held is gone");
}

/// One record that could not be decoded stopped every round of the agenda at the destruction of keys.
#[tokio::test]
async fn an_entry_that_cannot_be_read_is_set_aside_and_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path(), DAY_ONE).await;
    house.post(small("old@there.example"), DAY_ONE).await;
    let id = claim_one(&house.queue, DAY_ONE).await.id;
    let mut batch = Batch::default();
    batch.put_octets(Key::new(Table::Queue, &[id.octets()]), vec![200, 1, 2]);
    house.store.commit(batch).await.unwrap();
    house.post(small("new@there.example"), DAY_ONE.plus(Duration::from_secs(1))).await;
    let later = DAY_ONE.plus(Duration::from_secs(2));
    assert_eq!(house.queue.oldest_sealed_until().await.unwrap(), Some(later.day().plus(6)));
    let claim = claim_one(&house.queue, later).await;
    assert_eq!(claim.letter.delivery.recipient.address.to_string(), "new@there.example");
    assert!(house.queue.claim_due(later, 1).await.unwrap().is_empty(), "it is set aside, not looked at again");
}

/// A due moment at the head of the index whose entry was gone, or due at another time, was found first by every worker
/// (each takes one at a time): the queue stood still and the workers spun.
#[tokio::test]
async fn a_stale_due_moment_is_dropped_and_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path(), DAY_ONE).await;
    let stale = |seconds: i64, id: QueueId| {
        let due = Timestamp::from_secs(DAY_ONE.secs() - seconds);
        Key::new(Table::QueueDue, &[&due.to_key(), id.octets()])
    };
    house.post(small("jane@there.example"), DAY_ONE).await;
    let id = claim_one(&house.queue, DAY_ONE).await.id;
    let mut batch = Batch::default();
    batch.put_octets(stale(30, postern::random::id()), Vec::new()).put_octets(stale(20, id), Vec::new());
    house.store.commit(batch).await.unwrap();
    assert_eq!(claim_one(&house.queue, DAY_ONE).await.id, id);
    assert_eq!(house.store.scan_keys(Table::QueueDue, &[], &[], 9).await.unwrap().len(), 1);
}

/// A letter that was queued while the clock was ahead waited until the clock had caught up.
#[tokio::test]
async fn what_was_queued_while_the_clock_was_ahead_is_due_when_it_is_put_right() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path(), DAY_ONE).await;
    let put_right = |hours: u64| Timestamp::from_secs(DAY_ONE.secs() - hours as i64 * 3600);
    house.post(small("jane@there.example"), DAY_ONE).await;
    assert!(house.queue.claim_due(put_right(4), 1).await.unwrap().is_empty(), "a pause may be as long");
    let claim = claim_one(&house.queue, put_right(6)).await;
    let settled = house.deliveries.settle(&claim, Outcome::transient(Step::Connect), put_right(6)).await.unwrap();
    assert_eq!(settled, Settled::Later(put_right(6).plus(Duration::from_secs(60))));
}

/// With the clock some days ahead letters were given up at their next attempt, also while its guard did not believe it.
#[tokio::test]
async fn nothing_is_given_up_by_a_clock_that_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path(), DAY_ONE).await;
    house.post(small("jane@there.example"), DAY_ONE).await;
    let late = DAY_ONE.plus(Schedule::default().give_up);
    let claim = claim_one(&house.queue, late).await;
    let deliveries = house.deliveries.clone().while_believed(Arc::new(|| false));
    let settled = deliveries.settle(&claim, Outcome::transient(Step::Lost), late).await.unwrap();
    assert_eq!(settled, Settled::Later(late.plus(Schedule::default().then)));
    let refused = deliveries.settle(&claim, Outcome::permanent(Step::Recipient), late).await.unwrap();
    assert!(matches!(refused, Settled::Failed { .. }), "what the far side says needs no clock");
}

#[tokio::test]
async fn waiting_ends_at_a_wake_and_at_the_next_due_moment() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path(), DAY_ONE).await;
    house.post(small("jane@there.example"), DAY_ONE).await;
    let soon = tokio::time::timeout(Duration::from_secs(5), house.queue.wait(DAY_ONE));
    soon.await.expect("what is due ends the wait");
    let claim = claim_one(&house.queue, DAY_ONE).await;
    let cause = Cause::silent(Step::Lost);
    let due = DAY_ONE.plus(Duration::from_millis(50));
    house.queue.settle(&claim, &Settlement::Later(due, cause), DAY_ONE).await.unwrap();
    drop(claim);
    house.queue.wait(DAY_ONE).await;
    let begun = std::time::Instant::now();
    tokio::time::timeout(Duration::from_secs(5), house.queue.wait(DAY_ONE)).await.expect("the due moment ends it");
    assert!(begun.elapsed() >= Duration::from_millis(40), "and not before");
    let far = DAY_ONE.plus(Duration::from_secs(3600));
    let claim = claim_one(&house.queue, due).await;
    house.queue.settle(&claim, &Settlement::Later(far, cause), DAY_ONE).await.unwrap();
    drop(claim);
    house.queue.wait(DAY_ONE).await;
    let waiting = tokio::spawn({
        let queue = house.queue.clone();
        async move { queue.wait(DAY_ONE).await }
    });
    tokio::task::yield_now().await;
    house.queue.wake();
    tokio::time::timeout(Duration::from_secs(5), waiting).await.expect("a wake ends it").unwrap();
}

#[tokio::test]
async fn nothing_of_a_letter_lies_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path(), DAY_ONE).await;
    house.queue(&["marker-jane@marker-there.example"], b"marker-body\r\n", DAY_ONE).await;
    house.queue(&["marker-joe@marker-there.example"], "marker-large\r\n".repeat(5000).as_bytes(), DAY_ONE).await;
    house.store.checkpoint().await.unwrap();
    let house = house.restart(folder.path()).await;
    assert_eq!(house.count().await, 2);
    let mut files = 0;
    let mut folders = vec![folder.path().to_path_buf()];
    while let Some(path) = folders.pop() {
        for entry in std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if let Ok(octets) = std::fs::read(&entry) {
                files += 1;
                assert!(memchr::memmem::find(&octets, b"marker").is_none(), "{}", entry.display());
            }
        }
    }
    assert!(files >= 4, "there is something to look through");
}
