//! Codes and birthdates: what is asked, how often, and what a lock looks like from outside.

use std::net::IpAddr;
use std::time::Duration;

use postern::access::AccessCheck;
use postern::gateway::visits::{
    BirthdateAnswer, CodeAnswer, Entered, LinkView, NextStep, Registered, Visit, VisitError,
};
use postern::guests::{Count, Counted, Limit};
use postern::store;

use super::house::{HERE, House, Mail, SENDER, form};
use super::{ANSWERS, JANE, TAG};

const PAYER: &str = "payer@home.example";

/// The code in a mail: two groups of three digits.
fn code(mail: &Mail) -> String {
    let words: Vec<&str> = mail.text.split_whitespace().collect();
    let digits = |word: &str| word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit());
    let pair = words.windows(2).find(|pair| digits(pair[0]) && digits(pair[1])).unwrap_or_else(|| panic!("{mail:?}"));
    format!("{} {}", pair[0], pair[1])
}

fn another(code: &str) -> String {
    let number: u32 = code.replace(' ', "").parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

/// A clinic whose policy asks for something else of a role.
async fn asking(role: &str, shipped: &str, check: &str) -> House {
    let access = |check: &str| format!("access = \"{check}\"");
    House::with(|policies| {
        let file = policies.join(format!("roles/{role}.toml"));
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(&access(shipped)));
        std::fs::write(file, text.replace(&access(shipped), &access(check))).unwrap();
    })
    .await
}

#[tokio::test]
async fn a_payer_opens_with_a_code() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.send(PAYER, "Invoice [payer]").await;
    let entered = house.enter(&house.only_mail(PAYER).await.token("/p/").unwrap()).await;
    assert_eq!(entered.next, NextStep::Code);
    let (visit, grant) = (house.visit(&entered.cookie).await, house.grant(PAYER).await.0);
    assert_eq!(gateway.parcel(&visit, grant).await.unwrap_err(), VisitError::Show(AccessCheck::Code));

    let sent = gateway.mail_code(&visit, grant, HERE).await.unwrap();
    let mail = house.only_mail(PAYER).await;
    let code = code(&mail);
    assert!(!mail.subject.contains(&code) && sent.again < sent.until);
    let again = gateway.mail_code(&visit, grant, HERE).await.expect("pressed twice; it read \"Too many tries\"");
    assert_eq!((again.again, again.until), (sent.again, sent.until));
    assert!(house.mails().await.is_empty(), "not before fifteen seconds");

    let with = (&visit, entered.cookie.expose().as_str());
    let wrong = gateway.check_code(with, grant, &another(&code)).await.unwrap();
    assert!(matches!(wrong, CodeAnswer::Wrong { left: 4 }), "{wrong:?}");
    let CodeAnswer::Right(right) = gateway.check_code(with, grant, &format!(" {code} ")).await.unwrap() else {
        panic!()
    };
    assert_eq!(right.next, NextStep::Parcel(grant));
    assert!(gateway.visit(entered.cookie.expose()).await.unwrap().is_none(), "the id before the step up is dead");
    let visit = house.visit(&right.cookie).await;
    gateway.parcel(&visit, grant).await.unwrap();
    let used = gateway.check_code((&visit, right.cookie.expose()), grant, &code).await.unwrap();
    assert!(matches!(used, CodeAnswer::Wrong { .. }), "a code works once");
}

/// Row 11: of two hundred guesses at once five are compared, and then the right one opens nothing either.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_codes_at_once_five_are_compared() {
    let house = House::new().await;
    house.send(PAYER, "Invoice [payer]").await;
    let entered = house.enter(&house.only_mail(PAYER).await.token("/p/").unwrap()).await;
    let (visit, grant) = (house.visit(&entered.cookie).await, house.grant(PAYER).await.0);
    house.gateway.mail_code(&visit, grant, HERE).await.unwrap();
    let code = code(&house.only_mail(PAYER).await);
    let guesses: Vec<_> = (0..200)
        .map(|_| {
            let (gateway, visit, cookie) = (house.gateway.clone(), visit.clone(), entered.cookie.clone());
            let guess = another(&code);
            tokio::spawn(async move { gateway.check_code((&visit, cookie.expose()), grant, &guess).await })
        })
        .collect();
    let (mut compared, mut locked) = (0, 0);
    for guess in guesses {
        match guess.await.unwrap() {
            Ok(CodeAnswer::Wrong { .. }) => compared += 1,
            Err(VisitError::LockedUntil(_)) => locked += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((compared, locked), (5, 195));
    let right = house.gateway.check_code((&visit, entered.cookie.expose()), grant, &code).await;
    let Err(VisitError::LockedUntil(until)) = right else { panic!("{right:?}") };
    assert!(until.since(store::now()).as_secs().abs_diff(1800) < 60);
}

/// Twenty wrong ones over all openers close the code path; a fresh link opens it, and ends who guessed.
#[tokio::test]
async fn twenty_wrong_codes_in_all_close_the_path_until_a_fresh_link() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.send(PAYER, "Invoice [payer]").await;
    let token = house.only_mail(PAYER).await.token("/p/").unwrap();
    let grant = house.grant(PAYER).await.0;
    let entered = house.enter(&token).await;
    let mut guesser = None;
    for _ in 0..4 {
        let entered = house.enter(&token).await;
        let visit = house.visit(&entered.cookie).await;
        for _ in 0..5 {
            let answer = gateway.check_code((&visit, entered.cookie.expose()), grant, "000000").await.unwrap();
            assert!(matches!(answer, CodeAnswer::Wrong { .. }), "no code was mailed yet");
        }
        guesser = Some(entered);
    }
    let visit = house.visit(&entered.cookie).await;
    let closed = gateway.check_code((&visit, entered.cookie.expose()), grant, "000000").await;
    assert!(matches!(closed, Err(VisitError::CodesClosed)), "{closed:?}");
    assert!(matches!(gateway.mail_code(&visit, grant, HERE).await, Err(VisitError::CodesClosed)));
    assert!(matches!(gateway.link(&token).await.unwrap(), LinkView::LinkOver(_)), "the next step is there");
    assert_eq!(gateway.enter(&token, None, HERE).await.unwrap_err(), VisitError::NotFound);
    gateway.mail_fresh_link(&token).await.unwrap();
    assert!(gateway.visit(guesser.unwrap().cookie.expose()).await.unwrap().is_none(), "who guessed is out");
    let entered = house.enter(&house.only_mail(PAYER).await.token("/p/").unwrap()).await;
    let visit = house.visit(&entered.cookie).await;
    gateway.mail_code(&visit, grant, HERE).await.unwrap();
    let code = code(&house.only_mail(PAYER).await);
    let right = gateway.check_code((&visit, entered.cookie.expose()), grant, &code).await.unwrap();
    assert!(matches!(right, CodeAnswer::Right(_)), "{right:?}");
}

/// The wrong person: two patients share an address. Each one's documents ask for that patient's birthdate.
#[tokio::test]
async fn another_patient_at_the_same_address_is_asked_for() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.enrol(JANE, TAG, &ANSWERS).await;
    house.send(JANE, "Results [patient Tim Citizen 2015-06-07]").await;
    house.only_mail(JANE).await;
    let tims = house.grant(JANE).await.0;
    let entered = house.sign_in(JANE).await;
    let visit = house.visit(&entered.cookie).await;
    assert_eq!(gateway.next_step(&visit, tims).await.unwrap(), NextStep::Birthdate);
    assert_eq!(gateway.parcel(&visit, tims).await.unwrap_err(), VisitError::Show(AccessCheck::Birthdate));
    let rows = gateway.parcels(&visit, &Default::default()).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.locked).collect::<Vec<_>>(), [true, false]);

    let with = (&visit, entered.cookie.expose().as_str());
    let try_one = async |text| gateway.check_birthdate(with, tims, text, HERE).await;
    assert!(matches!(try_one("7 June 2015").await.unwrap(), BirthdateAnswer::NoDate));
    assert!(matches!(try_one("1980-03-04").await.unwrap(), BirthdateAnswer::Wrong { left: 2 }), "another's is wrong");
    assert!(house.mails().await.is_empty());
    assert!(matches!(try_one("2015-07-06").await.unwrap(), BirthdateAnswer::Wrong { left: 1 }));
    assert!(house.only_mail(SENDER).await.text.contains(JANE), "the sender is told after the second");
    assert!(matches!(try_one("2015-07-07").await.unwrap(), BirthdateAnswer::Wrong { left: 0 }));
    let locked = try_one("2015-06-07").await;
    let Err(VisitError::LockedUntil(until)) = locked else { panic!("{locked:?}") };
    assert!(until.since(store::now()).as_secs().abs_diff(1800) < 60);
    assert!(house.mails().await.is_empty(), "told once");

    house.guests().forget(Counted::Birthdate(tims)).await.unwrap();
    let BirthdateAnswer::Right(right) = try_one("2015-06-07").await.unwrap() else { panic!("half an hour later") };
    assert_eq!(right.next, NextStep::Parcel(tims));
    let visit = house.visit(&house.sign_in(JANE).await.cookie).await;
    assert_eq!(gateway.next_step(&visit, tims).await.unwrap(), NextStep::Parcel(tims), "asked for once");
}

/// Row 12: guesses over all messages of a person, and from one place over all persons, are counted together.
#[tokio::test]
async fn birthdates_are_counted_over_messages_and_by_origin() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.enrol(JANE, TAG, &ANSWERS).await;
    let entered = house.sign_in(JANE).await;
    let visit = house.visit(&entered.cookie).await;
    let mut tried = 0;
    for message in 0..5 {
        house.send(JANE, &format!("Results [patient Child{message} Citizen 2015-06-07]")).await;
        let grant = house.grant(JANE).await.0;
        for _ in 0..3 {
            let with = (&visit, entered.cookie.expose().as_str());
            match gateway.check_birthdate(with, grant, "2015-01-01", HERE).await {
                Ok(BirthdateAnswer::Wrong { .. }) => tried += 1,
                Err(VisitError::LockedUntil(until)) => assert!(until.since(store::now()).as_secs() > 3600),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(tried, 12, "a day's worth for one person, however many links there are");
}

/// The fresh link forgot what was guessed: who had the old one pressed for a fresh one, never saw it, and went on guessing in
/// a visit that had come by another link of the same person.
#[tokio::test]
async fn a_fresh_link_gives_who_guessed_no_new_guesses() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.send(PAYER, "Invoice [payer]").await;
    let other = house.only_mail(PAYER).await.token("/p/").unwrap();
    let first = house.grant(PAYER).await.0;
    tokio::time::sleep(Duration::from_millis(2)).await;
    house.send(PAYER, "Invoice [payer]").await;
    let link = house.only_mail(PAYER).await.token("/p/").unwrap();
    let grant = house.grant(PAYER).await.0;
    assert_ne!(grant, first);
    let guess = async |entered: &Entered| {
        let visit = house.visit(&entered.cookie).await;
        gateway.check_code((&visit, entered.cookie.expose()), grant, "000000").await
    };
    for token in [&link, &other] {
        for _ in 0..4 {
            let entered = house.enter(token).await;
            for _ in 0..5 {
                guess(&entered).await.unwrap();
            }
        }
    }
    let guesser = house.enter(&other).await;
    assert!(matches!(guess(&guesser).await, Err(VisitError::CodesClosed)));
    gateway.mail_fresh_link(&link).await.unwrap();
    assert!(matches!(guess(&guesser).await, Err(VisitError::CodesClosed)), "the fresh link is another's");
    let entered = house.enter(&house.only_mail(PAYER).await.token("/p/").unwrap()).await;
    assert!(matches!(guess(&entered).await, Ok(CodeAnswer::Wrong { left: 4 })), "theirs");
}

/// A link pressed again and again, without a cookie, began a visit each time and mailed a code for each.
#[tokio::test]
async fn a_link_fills_no_mailbox_with_codes_and_no_disk_with_visits() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.send(PAYER, "Invoice [payer]").await;
    let token = house.only_mail(PAYER).await.token("/p/").unwrap();
    let grant = house.grant(PAYER).await.0;
    let (mut mailed, mut begun, mut waits) = (0, 0, Vec::new());
    for number in 0..64_u8 {
        let from = IpAddr::from([192, 0, 2, number]);
        match gateway.enter(&token, None, from).await {
            Ok(entered) => {
                begun += 1;
                let visit = house.visit(&entered.cookie).await;
                match gateway.mail_code(&visit, grant, from).await {
                    Ok(_) => mailed += 1,
                    Err(VisitError::LockedUntil(until)) => waits.push(until),
                    Err(other) => panic!("{other:?}"),
                }
            }
            Err(VisitError::LockedUntil(until)) => waits.push(until),
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((begun, mailed), (60, 15));
    assert_eq!(house.mails().await.len(), 15);
    assert!(waits.iter().all(|until| until.since(store::now()).as_secs() <= 1800), "and then it works again");
}

/// As the one above, from one place or to one person over many messages. What is refused there counts nowhere.
#[tokio::test]
async fn codes_and_visits_are_counted_by_contact_and_by_origin() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.send(PAYER, "Invoice [payer]").await;
    let token = house.only_mail(PAYER).await.token("/p/").unwrap();
    let grant = house.grant(PAYER).await.0;
    let from = |text: &str| text.parse::<IpAddr>().unwrap();
    let (bad, neighbour, good) = (from("2001:db8:1:2::1"), from("2001:db8:1:2:3::9"), from("2001:db8:1:3::1"));
    house.lock(Counted::VisitsFrom(bad)).await;
    assert!(matches!(gateway.enter(&token, None, neighbour).await, Err(VisitError::LockedUntil(_))), "a /64 is one");
    let entered = gateway.enter(&token, None, good).await.unwrap();
    let visit = house.visit(&entered.cookie).await;
    let again = gateway.enter(&token, Some(entered.cookie.expose()), bad).await;
    let entered = again.expect("a visit that goes on is none that begins");
    assert_eq!(house.visit(&entered.cookie).await.id, visit.id);

    house.lock(Counted::CodesFrom(bad)).await;
    for _ in 0..20 {
        assert!(matches!(gateway.mail_code(&visit, grant, neighbour).await, Err(VisitError::LockedUntil(_))));
    }
    gateway.mail_code(&visit, grant, good).await.expect("the twenty count for nobody");
    house.only_mail(PAYER).await;
    house.lock(Counted::CodesTo(visit.contact)).await;
    house.guests().forget(Counted::CodePause(grant, visit.id)).await.unwrap();
    assert!(matches!(gateway.mail_code(&visit, grant, good).await, Err(VisitError::LockedUntil(_))));
    assert!(house.mails().await.is_empty());
}

/// Origin and all were counted before link and person: tries on a link that was locked used up what is for everybody, and
/// nobody could enter a birthdate any more.
#[tokio::test]
async fn tries_on_a_locked_link_use_up_nothing_for_everybody() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.enrol(JANE, TAG, &ANSWERS).await;
    house.send(JANE, "Results [patient Tim Citizen 2015-06-07]").await;
    let (tims, grant) = house.grant(JANE).await;
    let entered = house.sign_in(JANE).await;
    let visit = house.visit(&entered.cookie).await;
    for number in 0..40 {
        let tried = gateway.check_birthdate((&visit, entered.cookie.expose()), tims, "2015-01-01", HERE).await;
        assert_eq!(matches!(tried, Ok(BirthdateAnswer::Wrong { .. })), number < 3, "{tried:?}");
    }
    let hour = Duration::from_secs(3_600);
    let ten = Limit { most: 10, within: hour, lock: hour };
    for what in [Counted::BirthdateOf(grant.contact), Counted::BirthdateFrom(HERE), Counted::BirthdateOverall] {
        assert_eq!(house.guests().count(what, ten, store::now()).await.unwrap(), Count::Left(6), "{what:?}");
    }

    // Registering: a place that is locked costs the invitation no try.
    house.send("ben@home.example", "[patient Ben Citizen 1970-01-01]").await;
    house.mails().await;
    let visit = Visit::begin(house.contact("ben@home.example").await, None, store::now());
    house.lock(Counted::BirthdateFrom(HERE)).await;
    let answers = || form(&[("name", "Ben"), ("phone", "02 5550 1234"), ("birthdate", "1970-01-01")]);
    for _ in 0..5 {
        assert!(matches!(gateway.register(&visit, answers(), HERE).await, Err(VisitError::LockedUntil(_))));
    }
    let elsewhere = "192.0.2.77".parse().unwrap();
    assert!(matches!(gateway.register(&visit, answers(), elsewhere).await, Ok(Registered::PasswordMailed)));
}

/// A code counted for the whole visit: one that was mailed about one patient opened what was sent about another.
#[tokio::test]
async fn a_code_about_one_patient_opens_nothing_about_another() {
    let house = asking("patient", "account", "code").await;
    let gateway = &house.gateway;
    house.send(JANE, "Letter [patient Jane Citizen 1980-03-04]").await;
    let token = house.only_mail(JANE).await.token("/p/").unwrap();
    let janes = house.grant(JANE).await.0;
    tokio::time::sleep(Duration::from_millis(2)).await;
    house.send(JANE, "Letter [patient Tim Citizen 2015-06-07]").await;
    house.only_mail(JANE).await;
    let tims = house.grant(JANE).await.0;
    let entered = house.enter(&token).await;
    let visit = house.visit(&entered.cookie).await;
    gateway.mail_code(&visit, janes, HERE).await.unwrap();
    let code = code(&house.only_mail(JANE).await);
    let answer = gateway.check_code((&visit, entered.cookie.expose()), janes, &code).await.unwrap();
    let CodeAnswer::Right(right) = answer else { panic!("{answer:?}") };
    let visit = house.visit(&right.cookie).await;
    assert_eq!(gateway.next_step(&visit, janes).await.unwrap(), NextStep::Parcel(janes));
    assert_eq!(gateway.next_step(&visit, tims).await.unwrap(), NextStep::Code);
    let rows = gateway.parcels(&visit, &Default::default()).await.unwrap();
    assert_eq!(rows.iter().map(|row| (row.grant, row.locked)).collect::<Vec<_>>(), [(tims, true), (janes, false)]);
}

/// The single-use link began a visit beside the browser's own, whose cookie lived on: who had planted it could go on with it.
#[tokio::test]
async fn a_magic_link_takes_the_place_of_the_visit_before() {
    let house = asking("payer", "code", "magic").await;
    let gateway = &house.gateway;
    house.send(PAYER, "Invoice [payer]").await;
    let before = house.enter(&house.only_mail(PAYER).await.token("/p/").unwrap()).await;
    assert_eq!(before.next, NextStep::Magic);
    let (visit, grant) = (house.visit(&before.cookie).await, house.grant(PAYER).await.0);
    gateway.mail_magic(&visit, grant).await.unwrap();
    let token = house.only_mail(PAYER).await.token("/magic/").unwrap();
    let entered = gateway.use_magic(&token, Some(before.cookie.expose())).await.unwrap().unwrap();
    assert_eq!(entered.next, NextStep::Parcel(grant));
    assert!(gateway.visit(before.cookie.expose()).await.unwrap().is_none(), "the id before the step up is dead");
    assert_eq!(house.visit(&entered.cookie).await.id, visit.id, "the same person went on");
    assert!(gateway.use_magic(&token, Some(entered.cookie.expose())).await.unwrap().is_none(), "it works once");
    house.visit(&entered.cookie).await;

    // Of somebody else in the same browser.
    house.send("other@home.example", "Invoice [payer]").await;
    let theirs = house.enter(&house.only_mail("other@home.example").await.token("/p/").unwrap()).await;
    gateway.mail_magic(&visit, grant).await.unwrap();
    let token = house.only_mail(PAYER).await.token("/magic/").unwrap();
    let entered = gateway.use_magic(&token, Some(theirs.cookie.expose())).await.unwrap().unwrap();
    assert!(gateway.visit(theirs.cookie.expose()).await.unwrap().is_none());
    assert_eq!(house.visit(&entered.cookie).await.contact, visit.contact);
}
