//! Codes and birthdates: what is asked, how often, and what a lock looks like from outside.

use postern::access::AccessCheck;
use postern::gateway::visits::{BirthdateAnswer, CodeAnswer, NextStep, VisitError};
use postern::guests::Counted;
use postern::store;

use super::house::{HERE, House, Mail, SENDER};
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

#[tokio::test]
async fn a_payer_opens_with_a_code() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.send(PAYER, "Invoice [payer]").await;
    let entered = house.enter(&house.only_mail(PAYER).await.token("/p/").unwrap()).await;
    assert_eq!(entered.next, NextStep::Code);
    let (visit, grant) = (house.visit(&entered.cookie).await, house.grant(PAYER).await.0);
    assert_eq!(gateway.parcel(&visit, grant).await.unwrap_err(), VisitError::Show(AccessCheck::Code));

    let sent = gateway.mail_code(&visit, grant).await.unwrap();
    let mail = house.only_mail(PAYER).await;
    let code = code(&mail);
    assert!(!mail.subject.contains(&code) && sent.again < sent.until);
    let again = gateway.mail_code(&visit, grant).await.unwrap_err();
    assert!(matches!(again, VisitError::LockedUntil(until) if until == sent.again), "not before fifteen seconds");

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
    house.gateway.mail_code(&visit, grant).await.unwrap();
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
    let entered = house.enter(&token).await;
    let visit = house.visit(&entered.cookie).await;
    let closed = gateway.check_code((&visit, entered.cookie.expose()), grant, "000000").await;
    assert!(matches!(closed, Err(VisitError::LockedUntil(_))), "{closed:?}");
    assert!(matches!(gateway.mail_code(&visit, grant).await, Err(VisitError::LockedUntil(_))));
    gateway.mail_fresh_link(&token).await.unwrap();
    assert!(gateway.visit(guesser.unwrap().cookie.expose()).await.unwrap().is_none(), "who guessed is out");
    let entered = house.enter(&house.only_mail(PAYER).await.token("/p/").unwrap()).await;
    let visit = house.visit(&entered.cookie).await;
    gateway.mail_code(&visit, grant).await.unwrap();
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
