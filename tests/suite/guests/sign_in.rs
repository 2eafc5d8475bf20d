//! Signing in and what ends it; and that nobody learns by it who is a patient.

use postern::access::AccessCheck;
use postern::gateway::visits::{GuestSignIn, NewPassword, NextStep, VisitError};
use postern::guests::Guest;
use postern::invitation::Event;
use postern::store::{self, Batch};

use super::house::{HERE, House, PASSWORD, address, form, secret};
use super::{ANSWERS, JANE, TAG};

/// Row 13: known, unknown, closed, not enrolled, no address at all: one answer, and one lock.
#[tokio::test]
async fn a_wrong_password_says_nothing_about_the_name() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.enrol(JANE, TAG, &ANSWERS).await;
    house
        .enrol(
            "gone@home.example",
            "[patient Gone Citizen 1970-01-01]",
            &[("name", "Gone Citizen"), ("phone", "02 5550 1234"), ("birthdate", "1970-01-01")],
        )
        .await;
    let gone = house.sign_in("gone@home.example").await;
    let visit = house.visit(&gone.cookie).await;
    gateway.close_account(&visit, &secret(PASSWORD)).await.unwrap().unwrap();
    house.send("invited@home.example", "[payer]").await;
    house.mails().await;
    for name in [JANE, "gone@home.example", "invited@home.example", "nobody@home.example", "no address"] {
        for _ in 0..10 {
            let answer = gateway.guest_sign_in(name, &secret("not the right password"), HERE, None).await;
            assert!(matches!(answer, Ok(GuestSignIn::Rejected)), "{name} {answer:?}");
        }
        let locked = gateway.guest_sign_in(name, &secret(PASSWORD), HERE, None).await;
        let Err(VisitError::LockedUntil(until)) = locked else { panic!("{name} {locked:?}") };
        assert!(until.since(store::now()).as_secs().abs_diff(900) < 60, "{name}");
    }
    for name in ["gone@home.example", "invited@home.example", "nobody@home.example", "no address"] {
        gateway.forgot_password(name, HERE).await.unwrap();
    }
    settle().await;
    assert!(house.mails().await.is_empty(), "a mail to nobody");
}

/// Lets what was spawned come to its end.
async fn settle() {
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
}

/// Tries from one place count over all names.
#[tokio::test]
async fn tries_are_counted_by_origin_too() {
    let house = House::new().await;
    let mut rejected = 0;
    for number in 0..320 {
        match house.gateway.guest_sign_in(&format!("g{number}@home.example"), &secret("x"), HERE, None).await {
            Ok(GuestSignIn::Rejected) => rejected += 1,
            Err(VisitError::LockedUntil(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(rejected, 300);
    let elsewhere = "192.0.2.99".parse().unwrap();
    let answer = house.gateway.guest_sign_in("g0@home.example", &secret("x"), elsewhere, None).await;
    assert!(matches!(answer, Ok(GuestSignIn::Rejected)), "from elsewhere they go on: {answer:?}");
}

/// Row 38: a used link, one that a newer password has overtaken, and one that never was are one answer.
#[tokio::test]
async fn a_forgotten_password_is_set_by_a_link_that_works_once() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.enrol(JANE, TAG, &ANSWERS).await;
    let elsewhere = house.sign_in(JANE).await;
    let mut tokens = Vec::new();
    for _ in 0..2 {
        gateway.forgot_password(&JANE.to_uppercase(), HERE).await.unwrap();
        settle().await;
        tokens.push(house.only_mail(JANE).await.token("/password/").unwrap());
    }
    assert!(!gateway.password_link(&tokens[0]).await.unwrap().unwrap().first);
    let new = secret("another cup of tea please");
    assert_eq!(gateway.set_password(&tokens[0], &new).await.unwrap().unwrap(), NextStep::SignIn);
    assert!(gateway.visit(elsewhere.cookie.expose()).await.unwrap().is_none(), "who had the old one is out");
    for token in [tokens[0].as_str(), &tokens[1], "unknown"] {
        assert!(gateway.password_link(token).await.unwrap().is_none());
        assert_eq!(gateway.set_password(token, &new).await.unwrap_err(), VisitError::NotFound);
    }
    let old = gateway.guest_sign_in(JANE, &secret(PASSWORD), HERE, None).await.unwrap();
    assert!(matches!(old, GuestSignIn::Rejected));
    let answer = gateway.guest_sign_in(JANE, &new, HERE, None).await.unwrap();
    assert!(matches!(answer, GuestSignIn::Welcome(_)));
    assert!(house.mails().await.is_empty(), "one welcome in a life");
}

/// Row 16: sign-out, a changed password and a closed account end visits.
#[tokio::test]
async fn what_ends_a_visit() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.enrol(JANE, TAG, &ANSWERS).await;
    let (one, two) = (house.sign_in(JANE).await, house.sign_in(JANE).await);
    let lives = async |cookie: &str| gateway.visit(cookie).await.unwrap().is_some();
    gateway.sign_out(one.cookie.expose()).await.unwrap();
    assert!(!lives(one.cookie.expose()).await && lives(two.cookie.expose()).await);

    let (three, visit) = (house.sign_in(JANE).await, house.visit(&two.cookie).await);
    assert_eq!(gateway.account(&visit).await.unwrap().visits.len(), 1);
    let with = (&visit, two.cookie.expose().as_str());
    let new = secret("another cup of tea please");
    let wrong = gateway.change_password(with, &secret("not the right one"), &new).await.unwrap();
    assert_eq!(wrong.unwrap_err(), NewPassword::WrongPresent);
    let short = gateway.change_password(with, &secret(PASSWORD), &secret("short")).await.unwrap();
    assert_eq!(short.unwrap_err(), NewPassword::TooShort);
    let entered = gateway.change_password(with, &secret(PASSWORD), &new).await.unwrap().unwrap();
    assert!(!lives(two.cookie.expose()).await && !lives(three.cookie.expose()).await);
    assert!(lives(entered.cookie.expose()).await);

    let visit = house.visit(&entered.cookie).await;
    gateway.close_account(&visit, &new).await.unwrap().unwrap();
    assert!(!lives(entered.cookie.expose()).await);
    let answer = gateway.guest_sign_in(JANE, &new, HERE, None).await.unwrap();
    assert!(matches!(answer, GuestSignIn::Rejected));
    let guest = house.guests().find(house.contact(JANE).await).await.unwrap().unwrap().value;
    assert!(guest.name.is_empty() && guest.answers.is_empty() && guest.patients.is_empty());

    // A later message invites again.
    house.enrol(JANE, TAG, &ANSWERS).await;
    house.sign_in(JANE).await;
}

/// A visit of somebody else's browser, or of nobody, opens no account.
#[tokio::test]
async fn an_account_asks_for_itself() {
    let house = House::new().await;
    house.send(JANE, TAG).await;
    let entered = house.enter(&house.only_mail(JANE).await.token("/p/").unwrap()).await;
    let visit = house.visit(&entered.cookie).await;
    let show = VisitError::Show(AccessCheck::Account);
    assert_eq!(house.gateway.account(&visit).await.unwrap_err(), show);
    assert_eq!(house.gateway.end_other_visits(&visit).await.unwrap_err(), show);
    assert_eq!(house.gateway.close_account(&visit, &secret("x")).await.unwrap_err(), show);
}

/// A link of another person in the same browser: what the one has shown is nothing to the other.
#[tokio::test]
async fn a_visit_belongs_to_one_person() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.enrol(JANE, TAG, &ANSWERS).await;
    let janes = house.sign_in(JANE).await;
    house.send("ben@home.example", "[payer]").await;
    let token = house.only_mail("ben@home.example").await.token("/p/").unwrap();
    let entered = gateway.enter(&token, Some(janes.cookie.expose()), HERE).await.unwrap();
    assert_eq!(entered.next, NextStep::Code);
    assert!(gateway.visit(janes.cookie.expose()).await.unwrap().is_none());
    assert!(!house.visit(&entered.cookie).await.proved.account);

    // One's own next link keeps what was shown.
    let janes = house.sign_in(JANE).await;
    house.send(JANE, TAG).await;
    let token = house.only_mail(JANE).await.token("/p/").unwrap();
    let entered = gateway.enter(&token, Some(janes.cookie.expose()), HERE).await.unwrap();
    assert!(matches!(entered.next, NextStep::Parcel(_)));
    let answers = form(&ANSWERS);
    let visit = house.visit(&entered.cookie).await;
    assert_eq!(gateway.register(&visit, answers, HERE).await.unwrap_err(), VisitError::NotFound);
}

/// A new password and the end of the visits before it were two commits: a crash between them, or a sign-in at the same
/// moment, left a visit alive that had been opened with the old one. As was closing the account.
#[tokio::test]
async fn a_visit_ends_with_the_password_that_began_it() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.enrol(JANE, TAG, &ANSWERS).await;
    let (contact, grant) = (house.contact(JANE).await, house.grant(JANE).await.0);
    // The first of the two commits, and no second one.
    let change = async |change: fn(&mut Guest)| {
        let read = house.guests().find(contact).await.unwrap().unwrap();
        let mut changed = read.value.clone();
        change(&mut changed);
        let mut batch = Batch::default();
        house.guests().put(&mut batch, contact, Some(&read), &changed, store::now()).unwrap();
        gateway.stations().store.commit(batch).await.unwrap();
    };
    type Change = fn(&mut Guest);
    let changes: [Change; 2] = [
        |guest| guest.password_since = Some(store::now().plus(std::time::Duration::from_millis(5))),
        |guest| *guest = guest.clone().closed(),
    ];
    for one in changes {
        let entered = house.sign_in(JANE).await;
        let cookie = entered.cookie.expose();
        let visit = house.visit(&entered.cookie).await;
        gateway.keep_draft(cookie, grant, "so far").await.unwrap();
        change(one).await;
        assert!(gateway.visit(cookie).await.unwrap().is_none());
        assert_eq!(gateway.keep_draft(cookie, grant, "by a stranger").await, Err(VisitError::NotFound));
        // A step up that was on its way carries nothing over.
        let cookie = house.guests().begin_visit(&visit, Some(cookie)).await.unwrap();
        assert!(gateway.visit(cookie.expose()).await.unwrap().is_none());
    }
}

/// Who had sent the form and then asked for a new password mail, after the invitation had ended, was mailed a link that led
/// nowhere, again and again.
#[tokio::test]
async fn a_password_mail_after_the_invitation_says_what_to_do() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.send(JANE, TAG).await;
    let entered = house.enter(&house.only_mail(JANE).await.token("/p/").unwrap()).await;
    let visit = house.visit(&entered.cookie).await;
    gateway.register(&visit, form(&ANSWERS), HERE).await.unwrap();
    assert!(house.only_mail(JANE).await.token("/password/").is_some());
    let contact = house.contact(JANE).await;
    let change = async |event, now| gateway.change_invitation(contact, event, None, now).await.unwrap();
    let forgot = async || {
        gateway.forgot_password(JANE, HERE).await.unwrap();
        settle().await;
        house.only_mail(JANE).await
    };
    change(Event::Cancel, store::now()).await;
    house.only_mail(JANE).await;
    let mail = forgot().await;
    assert!(mail.token("/password/").is_none() && mail.text.contains("taken back"), "{mail:?}");

    change(Event::Resend, store::now()).await;
    house.only_mail(JANE).await;
    assert!(forgot().await.token("/password/").is_some());
    change(Event::Due, store::now().plus(std::time::Duration::from_secs(40 * 86_400))).await;
    house.mails_at(store::now().plus(std::time::Duration::from_secs(41 * 86_400))).await;
    let mail = forgot().await;
    assert!(mail.token("/password/").is_none() && mail.text.contains("expired"), "{mail:?}");
}

/// An admin let somebody in whose invitation had ended: the mail that followed led nowhere.
#[tokio::test]
async fn an_admin_lets_nobody_in_whose_invitation_has_ended() {
    let house = House::new().await;
    let (gateway, who) = (&house.gateway, "new@private.example");
    house.send(who, "Roster [staff]").await;
    let entered = house.enter(&house.only_mail(who).await.token("/p/").unwrap()).await;
    let visit = house.visit(&entered.cookie).await;
    let answers = form(&[("name", "Nora New"), ("mobile", "0491 570 006"), ("practice", "yes")]);
    gateway.register(&visit, answers, HERE).await.unwrap();
    let change = async |event| gateway.change_invitation(visit.contact, event, None, store::now()).await.unwrap();
    change(Event::Cancel).await;
    house.mails().await;
    let refused = gateway.approve_guest(&address(who), store::now()).await.unwrap_err();
    assert!(refused.to_string().contains("send it again") && house.mails().await.is_empty(), "{refused}");
    change(Event::Resend).await;
    house.mails().await;
    gateway.approve_guest(&address(who), store::now()).await.unwrap();
    assert!(house.only_mail(who).await.token("/password/").is_some());
}
