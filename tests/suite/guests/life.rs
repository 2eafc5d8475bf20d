//! Invitations over forty-five days, by the index of what is due; links that are renewed; what is over is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use postern::gateway::visits::{LinkView, NextStep, VisitError};
use postern::guests::InvitationRecord;
use postern::id::ContactId;
use postern::invitation::{Event, Invitation, Schedule, State, Why};
use postern::random;
use postern::store::{self, Batch, Table};
use postern::time::Timestamp;

use super::house::{HERE, House, PASSWORD, SENDER, address, form, secret};
use super::{ANSWERS, JANE, TAG};

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

#[tokio::test]
async fn nobody_comes() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.send(JANE, TAG).await;
    let first = house.only_mail(JANE).await.token("/p/").unwrap();
    let issued = house.invitation(JANE).await.life.issued;
    for (day, number) in [(3, 1), (15, 2), (30, 3)] {
        let now = issued.plus(days(day));
        assert_eq!(gateway.do_due_invitations(Timestamp::from_millis(now.millis() - 1)).await.unwrap(), 0);
        assert_eq!(gateway.do_due_invitations(now).await.unwrap(), 1);
        assert_eq!(gateway.do_due_invitations(now).await.unwrap(), 0, "once");
        let mails = house.mails_at(now).await;
        let mail = mails.iter().find(|mail| mail.to == JANE).unwrap();
        assert!(mail.token("/p/").is_some(), "{mail:?}");
        assert_eq!(house.invitation(JANE).await.life.state, State::Open { opened: false, reminded: number, wrong: 0 });
    }
    assert!(
        matches!(gateway.link(&first).await.unwrap(), LinkView::Living(_)),
        "the first mail's link works all along"
    );
    let end = issued.plus(days(31));
    assert_eq!(gateway.do_due_invitations(end).await.unwrap(), 1);
    let told: Vec<String> = house.mails_at(end).await.into_iter().map(|mail| mail.to).collect();
    assert_eq!(told, [SENDER]);
    assert_eq!(house.invitation(JANE).await.life.state, State::Expired);
    let grant = house.grant(JANE).await.1;
    assert_eq!((grant.held.is_none(), grant.keep_until), (true, end.plus(days(7))), "the clock starts with the end");
    let keys = gateway.stations().store.scan_keys(Table::InvitationDue, &[], &[], 9).await.unwrap();
    assert!(keys.is_empty());
}

#[tokio::test]
async fn what_the_sender_can_do() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.send(JANE, TAG).await;
    let token = house.only_mail(JANE).await.token("/p/").unwrap();
    let contact = house.contact(JANE).await;
    let change = async |event| gateway.change_invitation(contact, event, None, store::now()).await;
    change(Event::Remind).await.unwrap();
    assert_eq!(house.only_mail(JANE).await.token("/p/").as_ref(), Some(&token));
    change(Event::Cancel).await.unwrap();
    house.only_mail(JANE).await;
    assert_eq!(house.invitation(JANE).await.life.state, State::Cancelled(Why::ByHand));
    assert!(change(Event::Remind).await.is_err() && house.mails().await.is_empty());
    assert_eq!(house.enter(&token).await.next, NextStep::InvitationCancelled(Why::ByHand));

    // A further message goes, and does not open it.
    house.send(JANE, TAG).await;
    house.only_mail(JANE).await;
    assert_eq!(house.invitation(JANE).await.life.state, State::Cancelled(Why::ByHand));
    change(Event::Resend).await.unwrap();
    house.only_mail(JANE).await;
    assert_eq!(house.enter(&token).await.next, NextStep::Register);
}

#[tokio::test]
async fn a_further_message_opens_what_had_expired() {
    let house = House::new().await;
    house.send(JANE, TAG).await;
    house.only_mail(JANE).await;
    let issued = house.invitation(JANE).await.life.issued;
    house.gateway.do_due_invitations(issued.plus(days(40))).await.unwrap();
    assert_eq!(house.invitation(JANE).await.life.state, State::Expired);
    house.mails_at(issued.plus(days(40))).await;
    house.send(JANE, TAG).await;
    let mails = house.mails().await;
    assert_eq!(mails.len(), 1, "the notice invites, and nothing beside it: {mails:?}");
    assert_eq!(house.enter(&mails[0].token("/p/").unwrap()).await.next, NextStep::Register);
}

/// An old link leads to a fresh one, however often it is asked; only the fresh one opens.
#[tokio::test]
async fn an_old_link_leads_to_a_fresh_one() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.send(JANE, TAG).await;
    let old = house.only_mail(JANE).await.token("/p/").unwrap();
    gateway.mail_fresh_link(&old).await.unwrap();
    let fresh = house.only_mail(JANE).await.token("/p/").unwrap();
    assert_ne!(old, fresh);
    assert!(matches!(gateway.link(&old).await.unwrap(), LinkView::LinkOver(_)));
    assert_eq!(gateway.enter(&old, None, HERE).await.unwrap_err(), VisitError::NotFound);
    assert!(matches!(gateway.link(&fresh).await.unwrap(), LinkView::Living(_)));
    gateway.mail_fresh_link(&old).await.unwrap();
    let third = house.only_mail(JANE).await.token("/p/").unwrap();
    for (token, works) in [(&old, false), (&fresh, false), (&third, true)] {
        assert_eq!(matches!(gateway.link(token).await.unwrap(), LinkView::Living(_)), works);
    }
    assert_eq!(gateway.mail_fresh_link("unknown").await.unwrap_err(), VisitError::NotFound);
    let mut last = Ok(());
    for _ in 0..6 {
        last = gateway.mail_fresh_link(&third).await;
    }
    assert!(matches!(last, Err(VisitError::LockedUntil(_))), "nobody's mailbox is filled by a link: {last:?}");
}

#[tokio::test]
async fn what_was_taken_back_says_so_and_opens_nothing() {
    let house = House::new().await;
    house.send(JANE, TAG).await;
    let token = house.only_mail(JANE).await.token("/p/").unwrap();
    let entered = house.enter(&token).await;
    let visit = house.visit(&entered.cookie).await;
    let grant = house.grant(JANE).await.0;
    house.gateway.stations().vault.revoke(grant, store::now()).await.unwrap();
    let LinkView::Withdrawn(facts) = house.gateway.link(&token).await.unwrap() else { panic!("taken back") };
    assert!(facts.sender_name.is_empty() && facts.documents == 0);
    assert_eq!(house.gateway.enter(&token, None, HERE).await.unwrap_err(), VisitError::NotFound);
    assert_eq!(house.gateway.next_step(&visit, grant).await.unwrap_err(), VisitError::NotFound);
    assert_eq!(house.gateway.mail_fresh_link(&token).await.unwrap_err(), VisitError::NotFound);
}

/// Row 15: another's right does not exist.
#[tokio::test]
async fn a_foreign_right_is_not_found() {
    let house = House::new().await;
    house.send(JANE, TAG).await;
    let mine = house.only_mail(JANE).await.token("/p/").unwrap();
    house.send("ben@home.example", "[payer]").await;
    let theirs = house.only_mail("ben@home.example").await.token("/p/").unwrap();
    let visit = house.visit(&house.enter(&mine).await.cookie).await;
    house.enter(&theirs).await;
    let foreign = house.grant("ben@home.example").await.0;
    let gateway = &house.gateway;
    assert_eq!(gateway.next_step(&visit, foreign).await.unwrap_err(), VisitError::NotFound);
    assert_eq!(gateway.mail_code(&visit, foreign, HERE).await.unwrap_err(), VisitError::NotFound);
    assert_eq!(gateway.mail_magic(&visit, foreign).await.unwrap_err(), VisitError::NotFound);
    assert_eq!(gateway.parcel(&visit, foreign).await.unwrap_err(), VisitError::NotFound);
    assert!(house.mails().await.is_empty());
}

async fn fill(house: &House, number: u32, life: Invitation, due: Timestamp) {
    let now = store::now();
    let mut batch = Batch::default();
    for index in 0..number {
        let contact: ContactId = random::id();
        let invitation = InvitationRecord {
            life,
            address: address(&format!("guest{index}@home.example")),
            role: None,
            practice: "example-clinic".into(),
            sender: address(SENDER),
            sender_name: "Dr Jane Roe".into(),
            patient: None,
            birthdate: None,
            grant: random::id(),
            transaction: random::id(),
            token: "token".into(),
            due: None,
            remembered_until: now,
        };
        house.guests().put_invitation(&mut batch, contact, None, &invitation, Some(due), now).unwrap();
        if index % 1000 == 999 || index + 1 == number {
            let full = std::mem::take(&mut batch);
            house.gateway.stations().store.commit(full).await.unwrap();
        }
    }
}

/// A day's due work among 20,000 open invitations is found by the index: looking costs nothing that grows with them.
#[tokio::test]
async fn what_is_due_is_found_without_a_scan() {
    let house = House::new().await;
    let now = store::now();
    let (young, life) =
        (Invitation::issue(now), Invitation::issue(Timestamp::from_millis(now.millis() - 31 * 86_400_000)));
    fill(&house, 20_000, young, young.due(&Schedule::default()).unwrap()).await;
    fill(&house, 25, life, now).await;

    let begun = Instant::now();
    let all = house.guests().invitations(None, usize::MAX).await.unwrap().len();
    let (scanning, begun) = (begun.elapsed(), Instant::now());
    assert_eq!(all, 20_025);
    let due = house.guests().invitations_due(now, None, 100).await.unwrap();
    let looking = begun.elapsed();
    assert_eq!(due.len(), 25);
    assert!(looking * 20 < scanning, "looking took {looking:?}, a scan {scanning:?}");
    assert_eq!(house.gateway.do_due_invitations(now).await.unwrap(), 25);
    assert_eq!(house.gateway.do_due_invitations(now).await.unwrap(), 0);
}

/// A message sent after the invitation was cancelled was held for a month, for somebody who could not register.
#[tokio::test]
async fn what_follows_a_cancelled_invitation_is_held_for_nobody() {
    let house = House::new().await;
    house.send(JANE, TAG).await;
    house.only_mail(JANE).await;
    let contact = house.contact(JANE).await;
    house.gateway.change_invitation(contact, Event::Cancel, None, store::now()).await.unwrap();
    house.send(JANE, TAG).await;
    house.mails().await;
    for (_, grant) in house.gateway.stations().vault.grants_of_contact(contact, store::now(), 9).await.unwrap() {
        assert!(grant.held.is_none() && is_about(grant.keep_until, store::now().plus(days(7))), "{grant:?}");
    }
}

/// A further message was held for as long as a new invitation lives, though the open one that it joined ends sooner.
#[tokio::test]
async fn a_further_message_is_held_until_the_invitation_ends() {
    let house = House::new().await;
    house.send(JANE, TAG).await;
    house.only_mail(JANE).await;
    let (contact, now) = (house.contact(JANE).await, store::now());
    let read = house.guests().invitation(contact).await.unwrap().unwrap();
    let issued = Timestamp::from_millis(now.millis() - 20 * 86_400_000);
    let older = InvitationRecord { life: Invitation { issued, ..read.value.life }, ..read.value.clone() };
    let mut batch = Batch::default();
    house.guests().put_invitation(&mut batch, contact, Some(&read), &older, read.value.due, now).unwrap();
    house.gateway.stations().store.commit(batch).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2)).await;
    house.send(JANE, TAG).await;
    let grant = house.grant(JANE).await.1;
    assert!(grant.held.is_some() && is_about(grant.keep_until, issued.plus(days(31 + 7))), "{grant:?}");
}

fn is_about(at: Timestamp, expected: Timestamp) -> bool {
    at.millis().abs_diff(expected.millis()) < 60_000
}

/// A message on its way while the person set the password found the invitation accepted, and invited them again; or it was
/// held for somebody who had enrolled.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_enrols_just_now_is_not_invited_again() {
    let house = Arc::new(House::new().await);
    for number in 0..4 {
        let who = format!("guest{number}@home.example");
        house.send(&who, TAG).await;
        let entered = house.enter(&house.only_mail(&who).await.token("/p/").unwrap()).await;
        let visit = house.visit(&entered.cookie).await;
        house.gateway.register(&visit, form(&ANSWERS), HERE).await.unwrap();
        let token = house.only_mail(&who).await.token("/password/").unwrap();
        let done = Arc::new(AtomicBool::new(false));
        let sending = {
            let (house, who, done) = (Arc::clone(&house), who.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                for _ in 0..40 {
                    if !done.load(Ordering::Relaxed) {
                        house.send(&who, TAG).await;
                    }
                }
            })
        };
        let set = house.gateway.set_password(&token, &secret(PASSWORD)).await;
        done.store(true, Ordering::Relaxed);
        sending.await.unwrap();
        set.unwrap().unwrap();
        assert_eq!(house.invitation(&who).await.life.state, State::Accepted);
        let contact = house.contact(&who).await;
        let grants = house.gateway.stations().vault.grants_of_contact(contact, store::now(), 9999).await.unwrap();
        assert!(grants.len() > 1 && grants.iter().all(|(_, grant)| grant.held.is_none()), "their clocks run");
        house.mails().await;
    }
}

/// Sending again was two commits: the mail went with a link that was about to end, and the documents were held after it. A
/// crash between them left the guest with an invitation to nothing.
#[tokio::test]
async fn sending_again_holds_in_the_same_commit() {
    let house = House::new().await;
    let gateway = &house.gateway;
    house.send(JANE, TAG).await;
    let first = house.only_mail(JANE).await.token("/p/").unwrap();
    let (contact, issued) = (house.contact(JANE).await, house.invitation(JANE).await.life.issued);
    let id = house.grant(JANE).await.0;
    gateway.do_due_invitations(issued.plus(days(31))).await.unwrap();
    house.mails_at(issued.plus(days(31))).await;
    // Half a day before the documents end.
    let late = issued.plus(days(37)).plus(days(1) / 2);
    gateway.change_invitation(contact, Event::Resend, None, late).await.unwrap();
    let mails = house.mails_at(late).await;
    assert_eq!(mails.iter().map(|mail| mail.token("/p/")).collect::<Vec<_>>(), [Some(first.clone())], "it works again");
    let grant = gateway.stations().vault.grant(id).await.unwrap().unwrap();
    let invitation = house.guests().invitation(contact).await.unwrap().unwrap();
    assert_eq!(grant.version, invitation.version, "one commit");
    assert!(grant.value.held.is_some());
    assert_eq!(grant.value.keep_until, late.plus(days(31 + 7)));

    // Where the link was replaced before, the old one leads to a fresh one as long as the documents live.
    gateway.mail_fresh_link(&first).await.unwrap();
    house.mails().await;
    let known = house.guests().old_link(&first, late.plus(days(37))).await.unwrap();
    assert_eq!(known, Some(id));
}
