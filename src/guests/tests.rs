//! Guests over a real store, with moments that are handed in.

use std::time::Duration;

use super::*;
use crate::id::{ContactId, GrantId, VisitId};
use crate::invitation::{Invitation, Schedule};
use crate::keyring::{Keyring, MasterKey};
use crate::mail::Address;
use crate::random;
use crate::store::StoreSettings;
use crate::time::Timestamp;

const MINUTE: Duration = Duration::from_secs(60);
const THREE: Limit = Limit { most: 3, within: MINUTE, lock: Duration::from_secs(600) };

struct House {
    _home: tempfile::TempDir,
    store: Store,
    keyring: Keyring,
    guests: Guests,
}

fn now() -> Timestamp {
    Timestamp::from_secs(20_000 * 86_400 + 40_000)
}

fn after(seconds: u64) -> Timestamp {
    now().plus(Duration::from_secs(seconds))
}

impl House {
    async fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let keys = home.path().join("keys");
        let master = MasterKey::make_file(&keys.join("master.key")).unwrap();
        let keyring = Keyring::create(&keys, &master, now().day()).unwrap();
        let settings = StoreSettings { folder: home.path().join("data"), cache: 8 << 20, checkpoint_every: 1 << 30 };
        let store = Store::open(settings, keyring.clone()).await.unwrap();
        let guests = Guests::new(store.clone(), keyring.clone(), Passwords::new(1).unwrap());
        Self { _home: home, store, keyring, guests }
    }

    async fn commit(&self, batch: Batch) {
        self.store.commit(batch).await.unwrap();
    }

    async fn keys(&self, table: Table) -> usize {
        self.store.scan_keys(table, &[], &[], usize::MAX).await.unwrap().len()
    }

    /// Ends what has ended, as the gateway does.
    async fn end_all(&self, now: Timestamp) -> usize {
        let ended = ends::due(&self.store, now, None, 1000).await.unwrap();
        let mut batch = Batch::default();
        for one in &ended {
            assert!(self.guests.forget_ended(&mut batch, one).await.unwrap());
        }
        self.commit(batch).await;
        ended.len()
    }

    async fn count(&self, limit: Limit, now: Timestamp) -> Count {
        self.guests.count(Counted::SignIn("a"), limit, now).await.unwrap()
    }
}

fn guest() -> Guest {
    Guest {
        role: None,
        practice: "example-clinic".into(),
        name: "MARKER Name".into(),
        address: Address::parse("marker@home.example").unwrap(),
        answers: vec![("phone".into(), "555 0100".into())],
        password: None,
        password_since: None,
        patients: Vec::new(),
        registered: now(),
        enrolled: None,
        waits_for_admin: false,
        closed: false,
        remembered_until: now(),
    }
}

fn invitation() -> InvitationRecord {
    InvitationRecord {
        life: Invitation::issue(now()),
        address: Address::parse("marker@home.example").unwrap(),
        role: None,
        practice: "example-clinic".into(),
        sender: Address::parse("jane@clinic.example").unwrap(),
        sender_name: "Dr Jane Roe".into(),
        patient: None,
        birthdate: Some("1980-03-04".into()),
        grant: random::id(),
        transaction: random::id(),
        token: "token".into(),
        due: None,
        remembered_until: now(),
    }
}

#[tokio::test]
async fn a_limit_lets_so_many_through_and_then_none_for_a_while() {
    let house = House::new().await;
    for left in [2, 1, 0] {
        assert_eq!(house.count(THREE, now()).await, Count::Left(left));
    }
    let locked = Count::LockedUntil(after(600));
    assert_eq!(house.count(THREE, after(61)).await, locked, "the lock is longer than the window");
    assert_eq!(house.count(THREE, after(599)).await, locked, "and asking does not lengthen it");
    assert_eq!(house.guests.locked(Counted::SignIn("a"), after(1)).await.unwrap(), Some(after(600)));
    assert_eq!(house.guests.locked(Counted::SignIn("b"), after(1)).await.unwrap(), None);
    assert_eq!(house.count(THREE, after(600)).await, Count::Left(2), "then it works again");
    assert_eq!(house.count(THREE, after(659)).await, Count::Left(1));
    assert_eq!(house.count(THREE, after(660)).await, Count::Left(2), "a minute after the first it begins anew");
}

#[tokio::test]
async fn what_was_no_wrong_guess_is_given_back() {
    let house = House::new().await;
    for _ in 0..3 {
        house.count(THREE, now()).await;
    }
    house.guests.give_back(Counted::SignIn("a")).await.unwrap();
    assert_eq!(house.count(THREE, now()).await, Count::Left(0), "two stay counted");
    house.guests.forget(Counted::SignIn("a")).await.unwrap();
    assert_eq!(house.count(THREE, now()).await, Count::Left(2));
    house.guests.give_back(Counted::SignIn("a")).await.unwrap();
    assert_eq!((house.keys(Table::Guesses).await, house.keys(Table::PortalEnd).await), (0, 0), "nothing is left");
}

/// Who was refused by one count was counted by another all the same, so that a few could use up what is for everybody.
#[tokio::test]
async fn what_one_count_refuses_no_other_counts() {
    let house = House::new().await;
    let (one, all) = (Counted::SignIn("one"), Counted::BirthdateOverall);
    let few = Limit { most: 2, ..THREE };
    let count = async || house.guests.count_all(&[(one, few), (all, THREE)], now()).await.unwrap();
    assert_eq!(count().await, Ok(vec![1, 2]));
    assert_eq!(count().await, Ok(vec![0, 1]));
    for _ in 0..5 {
        assert_eq!(count().await, Err(after(600)));
    }
    assert_eq!(house.guests.count(all, THREE, now()).await.unwrap(), Count::Left(0), "none of the five");
    let (other, locked) = (Counted::SignIn("other"), Err(after(600)));
    for _ in 0..5 {
        assert_eq!(house.guests.count_all(&[(other, few), (all, THREE)], now()).await.unwrap(), locked);
    }
    assert_eq!(house.guests.count(other, few, now()).await.unwrap(), Count::Left(1), "nor of what a later one refused");
}

/// Row 11: two hundred guesses at once come to as many comparisons as the limit says.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_at_once_five_are_let_through() {
    let house = House::new().await;
    let (grant, visit): (GrantId, VisitId) = (random::id(), random::id());
    let five = Limit { most: 5, ..THREE };
    let guesses: Vec<_> = (0..200)
        .map(|_| {
            let guests = house.guests.clone();
            tokio::spawn(async move { guests.count(Counted::CodeTry(grant, visit), five, now()).await.unwrap() })
        })
        .collect();
    let mut left = Vec::new();
    for guess in guesses {
        if let Count::Left(after_this) = guess.await.unwrap() {
            left.push(after_this);
        }
    }
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn each_subject_has_a_count_of_its_own() {
    let house = House::new().await;
    let one = Limit { most: 1, ..THREE };
    let (grant, visit): (GrantId, VisitId) = (random::id(), random::id());
    let contact: ContactId = random::id();
    let from = |text: &str| text.parse().unwrap();
    for (number, what) in [
        Counted::CodeTry(grant, visit),
        Counted::CodeTry(grant, random::id()),
        Counted::CodeRequest(grant, visit),
        Counted::CodePause(grant, visit),
        Counted::CodeInAll(grant, None),
        Counted::CodeInAll(grant, Some([1; 16])),
        Counted::CodesFor(grant),
        Counted::CodesTo(contact),
        Counted::CodesFrom(from("192.0.2.1")),
        Counted::VisitsBy(grant),
        Counted::VisitsFrom(from("192.0.2.1")),
        Counted::Birthdate(grant),
        Counted::BirthdateOf(contact),
        Counted::Registration(contact, now()),
        Counted::Registration(contact, after(1)),
        Counted::BirthdateOverall,
        Counted::BirthdateFrom(from("2001:db8:1:2::1")),
        Counted::BirthdateFrom(from("2001:db8:1:3::1")),
        Counted::BirthdateFrom(from("192.0.2.1")),
        Counted::SignInFrom(from("192.0.2.1")),
        Counted::SignIn("a"),
        Counted::SignIn("b"),
        Counted::Mailed(contact),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(house.guests.count(what, one, now()).await.unwrap(), Count::Left(0), "{number}");
    }
    for same in ["2001:db8:1:2::ffff", "::ffff:192.0.2.1"] {
        let count = house.guests.count(Counted::BirthdateFrom(from(same)), one, now()).await.unwrap();
        assert_eq!(count, Count::LockedUntil(after(600)), "{same} is somebody who was counted");
    }
}

#[tokio::test]
async fn a_code_asked_for_again_within_its_life_is_the_same_one() {
    let house = House::new().await;
    let (grant, visit, other): (GrantId, VisitId, VisitId) = (random::id(), random::id(), random::id());
    let ask = async |visit, at| {
        let mut batch = Batch::default();
        let code = house.guests.put_code(&mut batch, grant, visit, at).await.unwrap();
        house.commit(batch).await;
        (code.digits.expose().clone(), code.until)
    };
    let (first, until) = ask(visit, now()).await;
    assert!(first.len() == 6 && first.bytes().all(|b| b.is_ascii_digit()) && until == after(600));
    let (again, until) = ask(visit, after(590)).await;
    assert_eq!((&again, until), (&first, after(1190)), "and it works as long as the mail says");
    let living = house.guests.code(grant, visit, after(1189)).await.unwrap().unwrap();
    assert_eq!(living.digits.expose(), &first);
    assert!(house.guests.code(grant, visit, after(1190)).await.unwrap().is_none());
    assert!(house.guests.code(grant, other, after(1)).await.unwrap().is_none(), "each opener has their own");
    // One in a million each that chance makes two alike.
    let mut others = std::collections::HashSet::from([first]);
    others.insert(ask(visit, after(1190)).await.0);
    others.insert(ask(other, now()).await.0);
    assert_eq!(others.len(), 3);
}

#[tokio::test]
async fn a_code_works_once() {
    let house = House::new().await;
    let (grant, visit): (GrantId, VisitId) = (random::id(), random::id());
    let mut batch = Batch::default();
    house.guests.put_code(&mut batch, grant, visit, now()).await.unwrap();
    house.commit(batch).await;
    let (mut one, mut two) = (Batch::default(), Batch::default());
    house.guests.use_code(&mut one, grant, visit).await.unwrap();
    house.guests.use_code(&mut two, grant, visit).await.unwrap();
    house.commit(one).await;
    assert!(house.store.commit(two).await.is_err(), "of two uses at once one happens");
    assert!(house.guests.code(grant, visit, after(1)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_visit_ends_when_idle_and_after_its_longest_time() {
    let house = House::new().await;
    let visit = Visit::begin(random::id(), None, now());
    let cookie = house.guests.begin_visit(&visit, None).await.unwrap();
    let (cookie, guests) = (cookie.expose().as_str(), &house.guests);
    assert!(guests.visit(cookie, after(899)).await.unwrap().is_some());
    assert!(guests.visit("another", after(1)).await.unwrap().is_none());
    assert!(guests.visit(cookie, after(899 + 900)).await.unwrap().is_none(), "fifteen idle minutes after it was seen");
    assert!(guests.visit_that_was(cookie, after(899 + 900)).await.unwrap().is_some(), "for what was typed");
    let mut at = 899;
    while at + 800 < 8 * 3600 {
        at += 800;
        assert!(guests.visit(cookie, after(at)).await.unwrap().is_some(), "{at}");
    }
    assert!(guests.visit(cookie, after(8 * 3600 - 1)).await.unwrap().is_some());
    assert!(guests.visit(cookie, after(8 * 3600)).await.unwrap().is_none(), "eight hours in all");
    assert_eq!(house.end_all(after(9 * 3600 - 1)).await, 0, "one entry, at its last end");
    assert_eq!(house.end_all(after(9 * 3600)).await, 1);
    for table in [Table::Visit, Table::VisitByContact, Table::PortalEnd] {
        assert_eq!(house.keys(table).await, 0, "{table:?}");
    }
}

/// Row 16: the id changes at each step up, and the old one is dead.
#[tokio::test]
async fn a_step_up_takes_a_new_cookie_and_ends_the_old_one() {
    let house = House::new().await;
    let guests = &house.guests;
    let visit = Visit::begin(random::id(), None, now());
    let old = guests.begin_visit(&visit, None).await.unwrap();
    let new = guests.begin_visit(&visit, Some(old.expose())).await.unwrap();
    assert_ne!(old.expose(), new.expose());
    assert!(guests.visit(old.expose(), now()).await.unwrap().is_none());
    assert!(guests.visit_that_was(old.expose(), now()).await.unwrap().is_none());
    assert!(guests.visit(new.expose(), now()).await.unwrap().is_some());
    assert!(guests.begin_visit(&visit, Some(old.expose())).await.is_err(), "nothing steps up from a dead one");
    guests.end_visit(new.expose()).await.unwrap();
    assert!(guests.visit(new.expose(), now()).await.unwrap().is_none());
    assert_eq!((house.keys(Table::Visit).await, house.keys(Table::PortalEnd).await), (0, 0));
}

#[tokio::test]
async fn ending_visits_ends_those_of_the_contact_that_are_named() {
    let house = House::new().await;
    let (ann, ben): (ContactId, ContactId) = (random::id(), random::id());
    let visits = [ann, ann, ann, ben].map(|contact| Visit::begin(contact, None, now()));
    let mut cookies = Vec::new();
    for visit in &visits {
        cookies.push(house.guests.begin_visit(visit, None).await.unwrap());
    }
    let kept = visits[1].id;
    assert_eq!(house.guests.end_visits(ann, |visit| visit.id != kept, now()).await.unwrap(), 2);
    let living: Vec<bool> = {
        let mut living = Vec::new();
        for cookie in &cookies {
            living.push(house.guests.visit(cookie.expose(), now()).await.unwrap().is_some());
        }
        living
    };
    assert_eq!(living, [false, true, false, true]);
}

/// Row 38: used, expired and unknown ones are one answer.
#[tokio::test]
async fn a_ticket_works_once_and_in_its_time() {
    let house = House::new().await;
    let guests = &house.guests;
    let mut batch = Batch::default();
    let token = guests.put_ticket(&mut batch, &Ticket::Password { contact: random::id() }, MINUTE, now());
    house.commit(batch).await;
    let token = token.expose().as_str();
    assert!(
        guests.ticket(token, after(60)).await.unwrap().is_none() && guests.ticket("x", now()).await.unwrap().is_none()
    );
    let found = guests.ticket(token, after(59)).await.unwrap().unwrap();
    let (mut one, mut two) = (Batch::default(), Batch::default());
    guests.use_ticket(&mut one, &found);
    guests.use_ticket(&mut two, &found);
    house.commit(one).await;
    assert!(house.store.commit(two).await.is_err(), "of two uses at once one happens");
    assert!(guests.ticket(token, after(1)).await.unwrap().is_none());
    assert_eq!(house.keys(Table::PortalEnd).await, 0);
}

#[tokio::test]
async fn an_account_that_is_used_lives_on_and_one_that_is_not_is_forgotten() {
    let house = House::new().await;
    let (guests, contact): (&Guests, ContactId) = (&house.guests, random::id());
    let mut batch = Batch::default();
    guests.put(&mut batch, contact, None, &guest(), now()).unwrap();
    house.commit(batch).await;
    let day = 86_400;
    let read = guests.find(contact).await.unwrap().unwrap();
    assert!(!read.value.is_ageing(after(100 * day)) && read.value.is_ageing(after(200 * day)));
    house.keyring.extend(after(200 * day).day()).unwrap();
    let mut batch = Batch::default();
    guests.put(&mut batch, contact, Some(&read), &read.value, after(200 * day)).unwrap();
    house.commit(batch).await;
    assert_eq!(house.keys(Table::PortalEnd).await, 1, "its old end is taken back");
    assert_eq!(house.end_all(after(500 * day)).await, 0);
    let last = after(566 * day);
    house.keyring.extend(last.day()).unwrap();
    house.keyring.destroy_before(last.day(), last.day()).unwrap();
    assert!(guests.find(contact).await.unwrap().is_none(), "its key is gone, in every copy");
    assert_eq!((house.end_all(last).await, house.keys(Table::Guest).await), (1, 0));
}

#[tokio::test]
async fn a_change_that_came_first_is_not_written_over() {
    let house = House::new().await;
    let (guests, contact): (&Guests, ContactId) = (&house.guests, random::id());
    let (mut one, mut two) = (Batch::default(), Batch::default());
    guests.put(&mut one, contact, None, &guest(), now()).unwrap();
    guests.put(&mut two, contact, None, &guest(), now()).unwrap();
    house.commit(one).await;
    assert!(house.store.commit(two).await.is_err());
    let read = guests.find(contact).await.unwrap().unwrap();
    let (mut one, mut two) = (Batch::default(), Batch::default());
    guests.put(&mut one, contact, Some(&read), &guest().closed(), now()).unwrap();
    guests.require_guest(&mut two, contact, Some(&read));
    two.put_octets(Key::new(Table::Meta, &[b"x"]), Vec::new());
    house.commit(one).await;
    assert!(house.store.commit(two).await.is_err(), "who signs in with the old password is late");
    assert!(guests.find(contact).await.unwrap().unwrap().value.closed);
}

#[tokio::test]
async fn the_index_has_one_entry_for_an_open_invitation_and_none_for_an_ended_one() {
    let house = House::new().await;
    let (guests, contact): (&Guests, ContactId) = (&house.guests, random::id());
    let schedule = Schedule::default();
    let due = |days: u64| DueInvitation { at: after(days * 86_400), contact };
    let mut batch = Batch::default();
    let first = invitation().life.due(&schedule);
    guests.put_invitation(&mut batch, contact, None, &invitation(), first, now()).unwrap();
    house.commit(batch).await;
    assert!(guests.invitations_due(after(3 * 86_400 - 1), None, 9).await.unwrap().is_empty());
    assert_eq!(guests.invitations_due(after(3 * 86_400), None, 9).await.unwrap(), [due(3)]);
    assert!(guests.invitations_due(after(3 * 86_400), Some(due(3)), 9).await.unwrap().is_empty());

    let read = guests.invitation(contact).await.unwrap().unwrap();
    assert_eq!((read.value.due, read.value.birthdate.as_deref()), (first, Some("1980-03-04")));
    let mut batch = Batch::default();
    guests.put_invitation(&mut batch, contact, Some(&read), &read.value, Some(after(15 * 86_400)), now()).unwrap();
    house.commit(batch).await;
    assert_eq!(guests.invitations_due(after(99 * 86_400), None, 9).await.unwrap(), [due(15)]);
    let read = guests.invitation(contact).await.unwrap().unwrap();
    let mut batch = Batch::default();
    guests.put_invitation(&mut batch, contact, Some(&read), &read.value, None, now()).unwrap();
    house.commit(batch).await;
    assert!(guests.invitations_due(after(99 * 86_400), None, 9).await.unwrap().is_empty());
    assert_eq!(guests.invitations(None, 9).await.unwrap().len(), 1);
    assert!(guests.invitations(Some(contact), 9).await.unwrap().is_empty());
    assert_eq!(house.keys(Table::PortalEnd).await, 1);
}

/// What ended and was let live longer between the look and the commit is not removed.
#[tokio::test]
async fn what_lives_longer_is_not_ended() {
    let house = House::new().await;
    house.count(THREE, now()).await;
    let ended = ends::due(&house.store, after(60), None, 9).await.unwrap();
    let mut batch = Batch::default();
    assert!(house.guests.forget_ended(&mut batch, &ended[0]).await.unwrap());
    house.count(Limit { within: MINUTE * 2, ..THREE }, after(59)).await;
    assert!(house.store.commit(batch).await.is_err());
    let mut batch = Batch::default();
    house.guests.forget_ended(&mut batch, &ended[0]).await.unwrap();
    assert!(batch.is_empty(), "its old end stands no more");
    assert_eq!(house.count(THREE, after(59)).await, Count::Left(0), "three were counted");
}

#[test]
fn the_vector_of_records_is_made_again() {
    use crate::id::Id;
    use crate::keyring::vectors::Vector;
    use crate::store::Stored;
    fn written<T: Stored>(value: &T) -> Vec<u8> {
        [&[T::VERSION], postcard::to_allocvec(value).unwrap().as_slice()].concat()
    }
    let mut vector = Vector::read("guest-records");
    let mut invited = invitation();
    (invited.grant, invited.transaction) = (GrantId::from_octets([1; 16]), Id::from_octets([2; 16]));
    vector.octets("guest_in_capsule", &postcard::to_allocvec(&guest()).unwrap());
    vector.octets("invitation_in_capsule", &postcard::to_allocvec(&invited).unwrap());
    let mut proved = crate::access::Proved::default();
    let about = crate::access::About { practice: "example-clinic".into(), patient: None };
    proved.show(crate::access::Means::Code, about);
    let visit = Visit {
        id: Id::from_octets([3; 16]),
        contact: Id::from_octets([4; 16]),
        proved,
        by: Some(GrantId::from_octets([1; 16])),
        link: Some([6; 16]),
        password_since: None,
        began: now(),
        seen: after(60),
        form_secret: [5; 16],
    };
    let octets = vector.octets("visit_1", &written(&visit));
    let read: Visit = crate::store::decode(Table::Visit, &octets).unwrap();
    assert!(read.proved == visit.proved && read.ends() == after(60 + 900));
    vector.finish();
}
