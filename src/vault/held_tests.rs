//! Held rights, moved ends, and the index of a contact, over a real store.

use std::time::Duration;

use proptest::prelude::*;

use super::tests::{DAY, House, NOW, copy_folder, open_keyring};
use super::*;
use crate::id::{ContactId, GrantId};
use crate::random;
use crate::store::{Batch, CommitError};
use crate::time::Timestamp;

/// A right to be given: for whom, how long held, how long kept, how long after the first download.
struct Right {
    contact: ContactId,
    held: Option<Duration>,
    keep: Duration,
    after_download: Option<Duration>,
}

impl Right {
    fn held(contact: ContactId) -> Self {
        Self { contact, held: Some(30 * DAY), keep: 7 * DAY, after_download: None }
    }
}

impl House {
    /// One parcel with these rights.
    async fn give(&self, rights: &[Right], now: Timestamp) -> Vec<GrantId> {
        let (mut parcel, _) = self.parcel(random::id(), &vec![DAY; rights.len()]).await;
        for (grant, right) in parcel.grants.iter_mut().zip(rights) {
            (grant.contact, grant.held, grant.keep) = (right.contact, right.held, right.keep);
            grant.keep_after_download = right.after_download;
        }
        let ids = parcel.grants.iter().map(|grant| grant.id).collect();
        let mut batch = Batch::default();
        self.vault.put(&mut batch, parcel, now).unwrap();
        self.store.commit(batch).await.unwrap();
        ids
    }

    async fn start(&self, contact: ContactId, now: Timestamp) -> usize {
        let mut batch = Batch::default();
        let started = self.vault.start_clocks(&mut batch, contact, now).await.unwrap();
        self.store.commit(batch).await.unwrap();
        started
    }

    async fn hold(&self, contact: ContactId, now: Timestamp) -> usize {
        let mut batch = Batch::default();
        let held = self.vault.hold(&mut batch, contact, 30 * DAY, now).await.unwrap();
        self.store.commit(batch).await.unwrap();
        held
    }

    async fn download(&self, grant: GrantId, now: Timestamp) -> bool {
        let mut batch = Batch::default();
        let first = self.vault.note_downloaded(&mut batch, grant, now).await.unwrap();
        self.store.commit(batch).await.unwrap();
        first
    }

    async fn right(&self, id: GrantId) -> Grant {
        self.vault.grant(id).await.unwrap().unwrap().value
    }
}

#[tokio::test]
async fn a_held_right_waits_for_its_clock_and_no_copy_opens_longer() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let (ann, ben) = (random::id(), random::id());
    let ids = house.give(&[Right::held(ann), Right::held(ben)], NOW).await;
    let before = house.right(ids[0]).await;
    assert!(
        before.held.is_some() && before.keep_until == NOW.plus(37 * DAY) && before.link_until == NOW.plus(30 * DAY)
    );

    let enrolled = NOW.plus(10 * DAY);
    assert_eq!(house.start(ann, enrolled).await, 1);
    assert_eq!(house.start(ann, enrolled).await, 0, "clocks start once");
    let after = house.right(ids[0]).await;
    assert!(after.held.is_none() && after.keep_until == enrolled.plus(7 * DAY));
    assert_eq!(after.link_until, enrolled.plus(DAY));
    assert!(house.opens(ids[0], enrolled).await && house.opens(ids[1], enrolled).await);

    assert!(house.vault.content(&before, enrolled).await.is_ok(), "until the punch an old copy still opens");
    assert_eq!(house.vault.punch_owed().await.unwrap(), 1);
    assert!(matches!(house.vault.content(&before, enrolled).await, Err(VaultError::Ended)));
    assert!(house.opens(ids[1], NOW.plus(36 * DAY)).await, "who has not enrolled is re-wrapped");

    assert_eq!(house.vault.expire_due(enrolled.plus(7 * DAY)).await.unwrap(), 1, "one right; its parcel has another");
    assert!(house.opens(ids[1], NOW.plus(36 * DAY)).await);
    assert_eq!(house.vault.expire_due(NOW.plus(37 * DAY)).await.unwrap(), 2);
    assert!(house.is_empty().await);
}

#[tokio::test]
async fn after_the_new_end_nothing_opens_in_a_copy_made_while_it_was_held() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let ann = random::id();
    let ids = house.give(&[Right::held(ann)], NOW).await;
    let House { store, objects, vault, .. } = house;
    store.close().await.unwrap();
    drop((objects, vault));
    let copy = home.path().join("copy");
    copy_folder(&home.path().join("data"), &copy);

    let house = House::at(home.path()).await;
    house.start(ann, NOW.plus(DAY)).await;
    house.vault.punch_owed().await.unwrap();
    let end = NOW.plus(8 * DAY).day();
    house.keyring.destroy_before(end.plus(1), end.plus(1)).unwrap();
    drop(house);

    let copied = House::with(&copy, open_keyring(&home.path().join("keys"))).await;
    assert!(copied.right(ids[0]).await.keep_until > NOW.plus(30 * DAY), "the copy thinks it is still held");
    assert!(!copied.opens(ids[0], NOW.plus(DAY)).await, "whatever the thief's clock says");
}

#[tokio::test]
async fn the_first_download_shortens_what_is_left() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let right = |keep, after| Right { contact: random::id(), held: None, keep, after_download: after };
    let rights = [right(90 * DAY, Some(7 * DAY)), right(3 * DAY, Some(7 * DAY)), right(3 * DAY, None)];
    let ids = house.give(&rights, NOW).await;
    let before = house.right(ids[0]).await;
    for id in &ids {
        assert!(house.download(*id, NOW.plus(DAY)).await);
        assert!(!house.download(*id, NOW.plus(2 * DAY)).await, "only the first counts");
    }
    let until: Vec<_> = [house.right(ids[0]).await, house.right(ids[1]).await, house.right(ids[2]).await]
        .map(|grant| grant.keep_until)
        .into();
    assert_eq!(until, [NOW.plus(8 * DAY), NOW.plus(3 * DAY), NOW.plus(3 * DAY)], "never longer than before");
    assert_eq!(house.right(ids[0]).await.downloaded, Some(NOW.plus(DAY)));
    assert_eq!(house.vault.punch_owed().await.unwrap(), 1);
    assert!(matches!(house.vault.content(&before, NOW).await, Err(VaultError::Ended)));
    assert_eq!(house.vault.expire_due(NOW.plus(8 * DAY)).await.unwrap(), 4, "the parcel goes with its last right");
    assert!(house.is_empty().await);
}

#[tokio::test]
async fn an_invitation_sent_again_holds_again() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let ann = random::id();
    let never_held = Right { held: None, ..Right::held(ann) };
    let ids = house.give(&[Right::held(ann), never_held], NOW).await;
    house.start(ann, NOW.plus(30 * DAY)).await;
    assert_eq!(house.hold(ann, NOW.plus(33 * DAY)).await, 1, "what never was held is not");
    let grant = house.right(ids[0]).await;
    assert!(grant.held.is_some() && grant.keep_until == NOW.plus(70 * DAY));
    assert!(house.opens(ids[0], NOW.plus(69 * DAY)).await);
    assert_eq!(house.vault.expire_due(NOW.plus(69 * DAY)).await.unwrap(), 1, "the other one; the parcel stays");
    house.start(ann, NOW.plus(69 * DAY)).await;
    assert_eq!(house.vault.expire_due(NOW.plus(76 * DAY)).await.unwrap(), 2);
    house.vault.punch_owed().await.unwrap();
    assert!(house.is_empty().await);
}

/// Who had closed the account registered again: what they had downloaded, and was to end a week later, was held again for a
/// month, and kept anew after that.
#[tokio::test]
async fn what_was_downloaded_ends_when_it_was_to() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let ann = random::id();
    let right = || Right { keep: 30 * DAY, after_download: Some(7 * DAY), ..Right::held(ann) };
    let ids = house.give(&[right(), right()], NOW).await;
    house.start(ann, NOW).await;
    house.download(ids[0], NOW.plus(DAY)).await;
    assert_eq!(house.hold(ann, NOW.plus(2 * DAY)).await, 1, "the other one waits again");
    assert_eq!(house.right(ids[0]).await.keep_until, NOW.plus(8 * DAY));
    house.start(ann, NOW.plus(3 * DAY)).await;
    let until = [house.right(ids[0]).await.keep_until, house.right(ids[1]).await.keep_until];
    assert_eq!(until, [NOW.plus(8 * DAY), NOW.plus(33 * DAY)]);

    // Downloaded while it was held, by who needs no account for it.
    let held = house.give(&[right()], NOW).await[0];
    house.download(held, NOW.plus(DAY)).await;
    house.start(ann, NOW.plus(4 * DAY)).await;
    assert_eq!(house.right(held).await.keep_until, NOW.plus(8 * DAY));
}

#[tokio::test]
async fn a_contact_finds_its_own_newest_first_and_no_others() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let (ann, ben) = (random::id(), random::id());
    let mut of_ann = Vec::new();
    for number in 0..230 {
        let ids = house.give(&[Right::held(ann), Right::held(ben)], NOW).await;
        of_ann.push(ids[0]);
        if number % 3 == 0 {
            house.vault.revoke(ids[0], NOW).await.unwrap();
            of_ann.pop();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    of_ann.reverse();
    let found = |limit| house.vault.grants_of_contact(ann, NOW, limit);
    let ids = |found: Vec<(GrantId, Grant)>| found.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!(ids(found(usize::MAX).await.unwrap()), of_ann);
    assert_eq!(ids(found(5).await.unwrap()), of_ann[..5]);
    assert!(house.vault.grants_of_contact(ann, NOW.plus(60 * DAY), 5).await.unwrap().is_empty(), "over");
    assert!(house.vault.grants_of_contact(random::id(), NOW, 5).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_fresh_link_takes_the_place_of_the_old_one() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let (parcel, named) = house.parcel(random::id(), &[7 * DAY]).await;
    let mut batch = Batch::default();
    house.vault.put(&mut batch, parcel, NOW).unwrap();
    house.store.commit(batch).await.unwrap();
    let (id, old) = &named[0];
    let fresh = random::token();
    let renew = async |now, lives| {
        let mut batch = Batch::default();
        house.vault.renew_link(&mut batch, *id, &fresh, lives, now).await?;
        house.store.commit(batch).await.map_err(VaultError::from)
    };
    renew(NOW.plus(2 * DAY), DAY).await.unwrap();
    assert!(house.vault.grant_by_token(old).await.unwrap().is_none());
    let found = house.vault.grant_by_token(fresh.expose()).await.unwrap().unwrap();
    assert_eq!((found.0, found.1.value.link_until), (*id, NOW.plus(3 * DAY)));
    renew(NOW.plus(5 * DAY), 7 * DAY).await.unwrap();
    assert_eq!(house.right(*id).await.link_until, NOW.plus(7 * DAY), "never longer than the documents");
    assert!(matches!(renew(NOW.plus(7 * DAY), DAY).await, Err(VaultError::Ended)));
    house.vault.revoke(*id, NOW).await.unwrap();
    assert!(matches!(renew(NOW, DAY).await, Err(VaultError::Ended)));
}

/// An invitation sent again holds its rights and renews the link of one in the same commit: the second change was made of
/// what the store had, and undid the first, while the indexes told of both.
#[tokio::test]
async fn changes_of_one_right_in_one_batch_add_up() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let ann = random::id();
    let ids = house.give(&[Right::held(ann), Right::held(random::id())], NOW).await;
    house.start(ann, NOW.plus(DAY)).await;
    let (mut batch, token) = (Batch::default(), random::token());
    let now = NOW.plus(2 * DAY);
    house.vault.hold(&mut batch, ann, 30 * DAY, now).await.unwrap();
    house.vault.renew_link(&mut batch, ids[0], &token, 30 * DAY, now).await.unwrap();
    house.vault.note_opened(&mut batch, ids[0], now).await.unwrap();
    house.store.commit(batch).await.unwrap();
    let grant = house.vault.grant_by_token(token.expose()).await.unwrap().unwrap().1.value;
    assert_eq!((grant.keep_until, grant.link_until), (NOW.plus(39 * DAY), NOW.plus(32 * DAY)));
    assert!(grant.held.is_some() && grant.opened == Some(now) && house.opens(ids[0], NOW.plus(38 * DAY)).await);
    let mut batch = Batch::default();
    house.vault.start_clocks(&mut batch, ann, now).await.unwrap();
    house.vault.hold(&mut batch, ann, DAY, now).await.unwrap();
    house.store.commit(batch).await.unwrap();
    assert_eq!(house.right(ids[0]).await.keep_until, NOW.plus(10 * DAY));
    assert_eq!(house.vault.expire_due(NOW.plus(10 * DAY)).await.unwrap(), 1);
    assert_eq!(house.vault.expire_due(NOW.plus(37 * DAY)).await.unwrap(), 2);
    house.vault.punch_owed().await.unwrap();
    assert!(house.is_empty().await);
}

#[tokio::test]
async fn a_birthdate_is_compared_and_facts_name_nobody() {
    let home = tempfile::tempdir().unwrap();
    let house = House::at(home.path()).await;
    let ids = house.give(&[Right::held(random::id())], NOW).await;
    let grant = house.right(ids[0]).await;
    for (date, right) in [("1980-03-04", true), ("1980-03-05", false), ("1980-04-03", false)] {
        let typed = crate::time::parse_date(date).unwrap();
        assert_eq!(house.vault.is_birthdate(&grant, typed, NOW).await.unwrap(), Some(right), "{date}");
    }
    let facts = house.vault.facts(&grant, NOW).await.unwrap();
    assert_eq!((facts.practice.as_str(), facts.documents, facts.knows_birthdate), ("clinic", 2, true));
    house.vault.revoke(ids[0], NOW).await.unwrap();
    assert!(matches!(house.vault.facts(&house.right(ids[0]).await, NOW).await, Err(VaultError::Ended)));
}

#[test]
fn a_patient_is_the_same_however_the_name_is_spaced() {
    let home = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let vault = runtime.block_on(House::at(home.path())).vault;
    let named = |name: &str, birthdate: &str| {
        let (name, birthdate) = (name.to_owned(), birthdate.to_owned());
        vault.patient_mark(&crate::mime::assess::PatientRef::Named { name, birthdate })
    };
    let record = |number: &str| vault.patient_mark(&crate::mime::assess::PatientRef::Record(number.into()));
    assert_eq!(named("Jane  Citizen", "1980-03-04"), named(" jane CITIZEN", "1980-03-04"));
    assert_ne!(named("Jane Citizen", "1980-03-04"), named("Jane Citizen", "1980-03-05"));
    assert_ne!(record("10423"), record("10424"));
    assert_eq!(record(" 10423"), record("10423"));
}

/// What can happen to a right, a day at a time.
#[derive(Debug, Clone, Copy)]
enum Step {
    Days(u8),
    Start,
    Hold,
    Download,
    Revoke,
    Punch,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1_u8..20).prop_map(Step::Days),
        2 => Just(Step::Start),
        1 => Just(Step::Hold),
        2 => Just(Step::Download),
        1 => Just(Step::Revoke),
        2 => Just(Step::Punch),
    ];
    prop::collection::vec(step, 1..14)
}

/// When a right ends, by the words of the product alone.
#[derive(Debug, Clone, Copy)]
struct Expected {
    until: Timestamp,
    held: bool,
    downloaded: Option<Timestamp>,
    revoked: bool,
}

impl Expected {
    fn step(&mut self, step: Step, now: Timestamp) {
        if self.revoked || self.until <= now {
            return;
        }
        match step {
            Step::Start if self.held => (self.held, self.until) = (false, now.plus(7 * DAY)),
            Step::Hold if self.downloaded.is_none() => (self.held, self.until) = (true, now.plus(37 * DAY)),
            Step::Download if self.downloaded.is_none() => self.downloaded = Some(now),
            Step::Revoke => self.revoked = true,
            _ => {}
        }
        self.until = self.downloaded.map_or(self.until, |at| self.until.min(at.plus(2 * DAY)));
    }
}

async fn take(house: &House, step: Step, (contact, grant): (ContactId, GrantId), now: Timestamp) {
    let mut batch = Batch::default();
    match step {
        Step::Days(_) => return,
        Step::Start => drop(house.vault.start_clocks(&mut batch, contact, now).await.unwrap()),
        Step::Hold => drop(house.vault.hold(&mut batch, contact, 30 * DAY, now).await.unwrap()),
        Step::Download => match house.vault.note_downloaded(&mut batch, grant, now).await {
            Ok(_) | Err(VaultError::Ended | VaultError::Missing) => {}
            Err(error) => panic!("{error}"),
        },
        Step::Revoke => match house.vault.revoke(grant, now).await {
            Ok(()) | Err(VaultError::Missing) => return,
            Err(error) => panic!("{error}"),
        },
        Step::Punch => drop(house.vault.punch_owed().await.unwrap()),
    }
    match house.store.commit(batch).await {
        Ok(_) | Err(CommitError::Conflict) => {}
        Err(error) => panic!("{error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_happens_a_right_opens_until_its_end_and_then_never(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let home = tempfile::tempdir().unwrap();
            let house = House::at(home.path()).await;
            let contact = random::id();
            let right = Right { after_download: Some(2 * DAY), ..Right::held(contact) };
            let id = house.give(&[right], NOW).await[0];
            let mut expected = Expected { until: NOW.plus(37 * DAY), held: true, downloaded: None, revoked: false };
            let (mut now, mut copies) = (NOW, Vec::new());
            for step in steps {
                copies.extend(house.vault.grant(id).await.unwrap().map(|record| record.value));
                if let Step::Days(days) = step {
                    now = now.plus(DAY * u32::from(days));
                    house.vault.expire_due(now).await.unwrap();
                }
                take(&house, step, (contact, id), now).await;
                expected.step(step, now);
                let lives = !expected.revoked && now < expected.until;
                prop_assert_eq!(house.opens(id, now).await, lives, "{:?} at {}", step, now);
            }
            // Its end: what is owed is punched, and the day is over.
            house.vault.punch_owed().await.unwrap();
            let end = expected.until.max(now).plus(DAY);
            house.vault.expire_due(end.plus(40 * DAY)).await.unwrap();
            house.keyring.destroy_before(end.day(), end.day()).unwrap();
            for copy in copies {
                prop_assert!(house.vault.content(&copy, copy.created).await.is_err(), "a copy of the right opens");
            }
            house.vault.punch_owed().await.unwrap();
            prop_assert!(house.is_empty().await);
            Ok(())
        })?;
    }
}
