//! What is foreign does not exist: role by object by verb, one answer for all.

use postern::gateway::visits::{Visit, VisitError};
use postern::id::{DepositId, GrantId};
use postern::{random, store};

use super::super::gateway::Clinic;
use super::{message, stranger};

const VERBS: [&str; 6] = ["read", "download", "download all", "begin a reply", "next step", "keep a draft"];

async fn verb(
    clinic: &Clinic,
    verb: &str,
    visit: &Visit,
    grant: GrantId,
    deposit: DepositId,
) -> Result<(), VisitError> {
    let gateway = &clinic.gateway;
    match verb {
        "read" => gateway.parcel(visit, grant).await.map(drop),
        "download" => gateway.document(visit, grant, deposit, true).await.map(drop),
        "download all" => gateway.documents(visit, grant).await.map(drop),
        "begin a reply" => gateway.begin_reply(visit, grant).await.map(drop),
        "next step" => gateway.next_step(visit, grant).await.map(drop),
        _ => {
            let cookie = gateway.stations().guests.begin_visit(visit, None).await.unwrap();
            gateway.keep_draft(cookie.expose(), grant, "draft").await
        }
    }
}

#[tokio::test]
async fn role_by_object_by_verb_foreign_is_unknown() {
    let clinic = Clinic::with(&[]).await;
    let document = [("scan.pdf", "application/pdf", b"%PDF-1.7\nx".as_slice())];
    let tags = [
        ("patient", "[patient Jane Citizen 1980-03-04]"),
        ("doctor", "[doctor]"),
        ("staff", "[staff]"),
        ("doctor-elsewhere", "[doctor-elsewhere]"),
        ("staff-elsewhere", "[staff-elsewhere]"),
        ("payer", "[payer]"),
    ];
    let mut people = Vec::new();
    for (role, tag) in tags {
        let to = format!("{role}@home.example");
        let (grant, visit) = clinic.give(&to, &message(&format!("Letter {tag}"), "x", &document)).await;
        let (revoked, _) = clinic.give(&to, &message(&format!("Taken back {tag}"), "x", &document)).await;
        let deposit = clinic.deposits(&visit, grant).await[0];
        clinic.gateway.stations().vault.revoke(revoked, store::now()).await.unwrap();
        people.push((role, visit, grant, deposit, revoked));
    }
    for (role, visit, own, deposit, revoked) in &people {
        for name in VERBS {
            assert_eq!(verb(&clinic, name, visit, *own, *deposit).await, Ok(()), "{role}: {name} of their own");
            let unknown = verb(&clinic, name, visit, random::id(), *deposit).await;
            assert_eq!(unknown, Err(VisitError::NotFound), "{role}: {name} of what is not there");
            assert_eq!(verb(&clinic, name, visit, *revoked, *deposit).await, unknown, "{role}: {name} taken back");
            for (other, _, foreign, theirs, _) in people.iter().filter(|(other, ..)| other != role) {
                let found = verb(&clinic, name, visit, *foreign, *theirs).await;
                assert_eq!(found, unknown, "{role}: {name} of {other}'s");
            }
        }
        let foreign = people.iter().find(|(other, ..)| other != role).unwrap().3;
        for deposit in [foreign, random::id()] {
            let found = verb(&clinic, "download", visit, *own, deposit).await;
            assert_eq!(found, Err(VisitError::NotFound), "{role}: a foreign document of their own message");
        }
    }
}

#[tokio::test]
async fn of_one_message_to_several_each_has_only_their_own_right() {
    let clinic = Clinic::with(&[]).await;
    let document = [("scan.pdf", "application/pdf", b"%PDF-1.7\nx".as_slice())];
    let message = message("Letter [doctor-elsewhere]", "x", &document);
    clinic.send(&["ann@home.example", "ben@home.example"], &message).await.unwrap();
    let rights = clinic.rights().await;
    let (of_ann, of_ben) = (&rights[0], &rights[1]);
    assert_eq!(of_ann.1.parcel, of_ben.1.parcel);
    clinic.register("ann@home.example", of_ann.1.contact).await;
    let ann = clinic.visit_of(&of_ann.1);
    let deposit = clinic.deposits(&ann, of_ann.0).await[0];
    for name in VERBS {
        assert_eq!(verb(&clinic, name, &ann, of_ann.0, deposit).await, Ok(()), "{name}");
        assert_eq!(verb(&clinic, name, &ann, of_ben.0, deposit).await, Err(VisitError::NotFound), "{name}");
    }
    // Who has shown nothing is asked, and learns no more of a foreign right than that there is none.
    let nobody = stranger(&clinic, "ann@home.example").await;
    assert!(matches!(verb(&clinic, "read", &nobody, of_ann.0, deposit).await, Err(VisitError::Show(_))));
    assert_eq!(verb(&clinic, "read", &nobody, of_ben.0, deposit).await, Err(VisitError::NotFound));
}
