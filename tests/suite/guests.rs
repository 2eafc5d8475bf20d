//! What guests do, on the gateway without sockets: from the link to the account, and every way it can go wrong.

mod checks;
mod house;
mod life;
mod sign_in;

use house::{HERE, House, PASSWORD, SENDER, form, secret};
use postern::access::AccessCheck;
use postern::gateway::visits::{FormFault, GuestSignIn, LinkView, NewPassword, NextStep, Registered, VisitError};
use postern::invitation::{State, Why};
use postern::store;

const JANE: &str = "jane.citizen@home.example";
const TAG: &str = "[patient Jane Citizen 1980-03-04]";
const ANSWERS: [(&str, &str); 3] = [("name", "Jane Citizen"), ("phone", "02 5550 1234"), ("birthdate", "1980-03-04")];

#[tokio::test]
async fn a_patient_comes_registers_signs_in_and_reads() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.send(JANE, &format!("Your letter {TAG}")).await;
    let token = house.only_mail(JANE).await.token("/p/").unwrap();
    let LinkView::Living(facts) = gateway.link(&token).await.unwrap() else { panic!("the link works") };
    assert!(
        facts.registers && facts.documents == 1 && facts.keep_until.is_none() && facts.sender_name == "Dr Jane Roe"
    );
    assert_eq!(facts.checks, [AccessCheck::Account]);

    let entered = gateway.enter(&token, None, HERE).await.unwrap();
    assert_eq!(entered.next, NextStep::Register);
    let visit = house.visit(&entered.cookie).await;
    assert_eq!(gateway.masked_address(&visit).await.unwrap(), "j•••@home.example");
    let view = gateway.registration(&visit).await.unwrap();
    assert!(view.asks_birthdate && view.tries_left == 3 && view.address.to_string() == JANE);
    let Registered::PasswordMailed = gateway.register(&visit, form(&ANSWERS), HERE).await.unwrap() else { panic!() };
    assert_eq!(gateway.next_step(&visit, facts_grant(&house).await).await.unwrap(), NextStep::SetPassword);

    let password = house.only_mail(JANE).await.token("/password/").unwrap();
    let view = gateway.password_link(&password).await.unwrap().unwrap();
    assert!(view.first && view.address.to_string() == JANE);
    for (typed, fault) in [
        ("short", NewPassword::TooShort),
        ("x1".repeat(600).as_str(), NewPassword::TooLong),
        ("passwordpassword", NewPassword::Known),
        ("jane.citizen@home.example", NewPassword::Known),
        ("JaneCitizen1980!", NewPassword::Known),
        ("Example Clinic 2026", NewPassword::Known),
    ] {
        let answer = gateway.set_password(&password, &secret(typed)).await.unwrap();
        assert_eq!(answer.unwrap_err(), fault, "{typed}");
    }
    let next = gateway.set_password(&password, &secret(PASSWORD)).await.unwrap().unwrap();
    assert_eq!(next, NextStep::SignIn);
    assert!(house.only_mail(JANE).await.text.contains("Jane Citizen"), "the welcome");
    assert_eq!(house.invitation(JANE).await.life.state, State::Accepted);
    let (id, grant) = house.grant(JANE).await;
    assert!(grant.held.is_none() && grant.keep_until.since(store::now()).as_secs().abs_diff(7 * 86_400) < 60);

    let cookie = entered.cookie.expose();
    let answer = gateway.guest_sign_in(JANE, &secret(PASSWORD), HERE, Some(cookie)).await.unwrap();
    let GuestSignIn::Welcome(signed_in) = answer else { panic!("{answer:?}") };
    assert_eq!(signed_in.next, NextStep::Parcel(id));
    assert!(gateway.visit(cookie).await.unwrap().is_none(), "the id before the step up is dead");
    let visit = house.visit(&signed_in.cookie).await;
    assert_eq!(gateway.parcel(&visit, id).await.unwrap().documents.len(), 1);
}

async fn facts_grant(house: &House) -> postern::id::GrantId {
    house.grant(JANE).await.0
}

/// Register once: a later message's link leads to sign-in, and nobody is invited again.
#[tokio::test]
async fn who_has_an_account_is_not_invited_again() {
    let house = House::new().await;
    house.enrol(JANE, TAG, &ANSWERS).await;
    house.send(JANE, &format!("Another letter {TAG}")).await;
    let token = house.only_mail(JANE).await.token("/p/").unwrap();
    let LinkView::Living(facts) = house.gateway.link(&token).await.unwrap() else { panic!() };
    assert!(!facts.registers && facts.keep_until.is_some());
    let entered = house.enter(&token).await;
    assert_eq!(entered.next, NextStep::SignIn);
    let visit = house.visit(&entered.cookie).await;
    assert_eq!(house.gateway.registration(&visit).await.unwrap_err(), VisitError::NotFound);
    assert_eq!(house.invitation(JANE).await.life.state, State::Accepted);
}

/// Row 10: a scanner opens the link, again and again.
#[tokio::test]
async fn looking_at_a_link_changes_nothing() {
    let house = House::new().await;
    house.send(JANE, TAG).await;
    let token = house.only_mail(JANE).await.token("/p/").unwrap();
    let before = store_keys(&house).await;
    for _ in 0..5 {
        assert!(matches!(house.gateway.link(&token).await.unwrap(), LinkView::Living(_)));
        assert!(matches!(house.gateway.link("unknown").await.unwrap(), LinkView::Unknown));
        assert!(house.gateway.password_link("unknown").await.unwrap().is_none());
    }
    assert_eq!(store_keys(&house).await, before);
    assert_eq!(house.invitation(JANE).await.life.state, State::Open { opened: false, reminded: 0, wrong: 0 });
    house.enter(&token).await;
    assert_eq!(house.invitation(JANE).await.life.state, State::Open { opened: true, reminded: 0, wrong: 0 });
}

/// Every key of the tables a visit could touch, with the version of its record.
async fn store_keys(house: &House) -> Vec<(Vec<u8>, u64)> {
    use postern::store::{Key, Table};
    let store = &house.gateway.stations().store;
    let mut found = Vec::new();
    for table in [Table::Grant, Table::Invitation, Table::Visit, Table::Guesses, Table::History, Table::PortalEnd] {
        for octets in store.scan_keys(table, &[], &[], usize::MAX).await.unwrap() {
            let record = store.get_octets(&Key { table, octets: octets.clone() }).await.unwrap().unwrap();
            found.push((octets, record.version));
        }
    }
    found
}

#[tokio::test]
async fn faults_stand_beside_their_fields_and_cost_no_try() {
    let house = House::new().await;
    house.send(JANE, TAG).await;
    let entered = house.enter(&house.only_mail(JANE).await.token("/p/").unwrap()).await;
    let visit = house.visit(&entered.cookie).await;
    let typed = form(&[("name", ""), ("phone", "call me"), ("birthdate", "4 March 1980")]);
    for _ in 0..4 {
        let Registered::Faults(faults) = house.gateway.register(&visit, typed.clone(), HERE).await.unwrap() else {
            panic!("faults")
        };
        let fault = |field: &str, word| FormFault { field: field.into(), word };
        let expected = [fault("phone", "not-a-phone"), fault("name", "missing"), fault("birthdate", "not-a-date")];
        assert_eq!(faults, expected);
    }
    assert_eq!(house.gateway.registration(&visit).await.unwrap().tries_left, 3);
}

#[tokio::test]
async fn three_wrong_birthdates_cancel_and_both_sides_are_told() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.send(JANE, TAG).await;
    let token = house.only_mail(JANE).await.token("/p/").unwrap();
    let entered = house.enter(&token).await;
    let visit = house.visit(&entered.cookie).await;
    let wrong = || form(&[("name", "Jane"), ("phone", "02 5550 1234"), ("birthdate", "1980-04-03")]);
    for left in [2, 1] {
        let answer = gateway.register(&visit, wrong(), HERE).await.unwrap();
        assert!(matches!(answer, Registered::WrongBirthdate { left: now } if now == left), "{answer:?}");
    }
    assert!(house.mails().await.is_empty());
    assert!(matches!(gateway.register(&visit, wrong(), HERE).await.unwrap(), Registered::Cancelled));
    assert_eq!(house.invitation(JANE).await.life.state, State::Cancelled(Why::Birthdate));
    let mut told: Vec<String> = house.mails().await.into_iter().map(|mail| mail.to).collect();
    told.sort();
    assert_eq!(told, [JANE, SENDER]);
    assert_eq!(gateway.register(&visit, form(&ANSWERS), HERE).await.unwrap_err(), VisitError::NotFound);
    let (id, grant) = house.grant(JANE).await;
    assert_eq!(gateway.next_step(&visit, id).await.unwrap(), NextStep::InvitationCancelled(Why::Birthdate));
    assert!(grant.held.is_none(), "its clock runs");

    // Corrected, and so sent again; the documents wait again.
    let (contact, resend) = (house.contact(JANE).await, postern::invitation::Event::Resend);
    gateway.change_invitation(contact, resend, Some("1980-04-03"), store::now()).await.unwrap();
    assert_eq!(house.only_mail(JANE).await.token("/p/"), Some(token), "the link of the first mail still leads there");
    assert!(house.grant(JANE).await.1.held.is_some());
    assert!(matches!(gateway.register(&visit, wrong(), HERE).await.unwrap(), Registered::PasswordMailed));
}

/// Row 12 for registering: of two hundred guesses at once three are compared.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_birthdates_at_once_three_are_compared() {
    let house = House::new().await;
    house.send(JANE, TAG).await;
    let entered = house.enter(&house.only_mail(JANE).await.token("/p/").unwrap()).await;
    let visit = house.visit(&entered.cookie).await;
    let guesses: Vec<_> = (0..200u32)
        .map(|number| {
            let (gateway, visit) = (house.gateway.clone(), visit.clone());
            let birthdate = format!("19{:02}-{:02}-{:02}", 81 + number % 10, number % 12 + 1, number % 28 + 1);
            let from = std::net::IpAddr::V4(number.into());
            tokio::spawn(async move {
                let answers = form(&[("name", "x"), ("phone", "02 5550 1234"), ("birthdate", &birthdate)]);
                gateway.register(&visit, answers, from).await
            })
        })
        .collect();
    let mut compared = 0;
    for guess in guesses {
        match guess.await.unwrap() {
            Ok(Registered::WrongBirthdate { .. }) => compared += 1,
            Ok(Registered::Cancelled) | Err(VisitError::NotFound | VisitError::LockedUntil(_) | VisitError::Busy) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(compared <= 2, "{compared} answers said so, and one cancelled");
    assert_eq!(house.invitation(JANE).await.life.state, State::Cancelled(Why::Birthdate));
    assert_eq!(house.mails().await.len(), 2, "each side is told once");
}

#[tokio::test]
async fn staff_from_elsewhere_wait_for_an_admin() {
    let house = House::new().await;
    let (gateway, who) = (&house.gateway, "new@private.example");
    house.send(who, "Roster [staff]").await;
    let entered = house.enter(&house.only_mail(who).await.token("/p/").unwrap()).await;
    let visit = house.visit(&entered.cookie).await;
    let answers = form(&[("name", "Nora New"), ("mobile", "0491 570 006"), ("practice", "yes")]);
    assert!(matches!(gateway.register(&visit, answers, HERE).await.unwrap(), Registered::WaitsForAdmin));
    let grant = house.grant(who).await.0;
    assert_eq!(gateway.next_step(&visit, grant).await.unwrap(), NextStep::WaitForAdmin);
    let mut told: Vec<String> = house.mails().await.into_iter().map(|mail| mail.to).collect();
    told.sort();
    assert_eq!(told, ["admin@clinic.example", SENDER]);
    gateway.forgot_password(who, HERE).await.unwrap();

    gateway.approve_guest(&house::address(who), store::now()).await.unwrap();
    let mail = house.only_mail(who).await;
    gateway.set_password(&mail.token("/password/").unwrap(), &secret(PASSWORD)).await.unwrap().unwrap();
    assert!(gateway.approve_guest(&house::address(who), store::now()).await.is_err(), "nobody waits any more");
    house.sign_in(who).await;
}

/// Each of the shipped forms, filled in as it asks; what a doctor gets of a patient asks for no birthdate of theirs.
#[tokio::test]
async fn every_role_registers_with_its_form() {
    let practice = [
        ("practice_name", "Hill Street Practice"),
        ("practice_phone", "02 5550 9876"),
        ("practice_address", "1 Hill Street\nSydney"),
    ];
    let person = [("name", "Dr Ann Lee"), ("mobile", "0491 570 006")];
    let house = House::new().await;
    let specialties = house.gateway.policies().policy.specialties().to_vec();
    let (specialty, procedure) = (specialties[0].name.as_str(), specialties[0].procedures[0].as_str());
    let doctor = [("specialty", specialty), ("procedures", procedure)];
    type Case<'a> = (&'a str, &'a str, Vec<(&'a str, &'a str)>);
    let cases: [Case<'_>; 4] = [
        ("doc@private.example", "[doctor]", [&person[..], &doctor, &[("practice", "yes")]].concat()),
        ("doc@hill.example", "[doctor-elsewhere]", [&practice[..], &person, &doctor].concat()),
        ("desk@hill.example", "[staff-elsewhere]", [&practice[..], &person].concat()),
        (JANE, TAG, ANSWERS.to_vec()),
    ];
    for (who, tag, answers) in cases {
        house.enrol(who, &format!("Letter {tag}"), &answers).await;
        let entered = house.sign_in(who).await;
        assert_eq!(entered.next, NextStep::List, "{who}");
        let visit = house.visit(&entered.cookie).await;
        let grant = house.grant(who).await.0;
        assert_eq!(house.gateway.next_step(&visit, grant).await.unwrap(), NextStep::Parcel(grant), "{who}");
    }
}
