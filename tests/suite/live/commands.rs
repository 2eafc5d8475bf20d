//! Every command of an admin, twice: through the running server's socket, and alone when it is stopped.

use std::process::Output;

use serde_json::Value;

use super::client::Client;
use super::clinic::{Clinic, JANE, PASSWORD, Relay, Setup, words};
use super::far_side::FarSide;
use super::letters::Letter;

/// A clinic with two letters that wait in the queue, each with a right to a document.
fn with_waiting_mail() -> Clinic {
    let far = FarSide::listen();
    let mut clinic = Clinic::new(&Setup { relay: Relay::Smarthost(far.address()), ..Setup::default() });
    clinic.start();
    let mut client = Client::connect(clinic.trusted()).unwrap();
    client.hello().unwrap();
    for recipient in ["one@elsewhere.example", "two@elsewhere.example"] {
        far.refuse(recipient, "451 4.7.1 later");
        let letter = Letter::new(JANE, recipient, "Results", "Results\n").with_pdf("result.pdf", "result");
        assert_eq!(client.send(JANE, &[recipient], &letter.octets()).unwrap().code, 250);
    }
    let deferred = |clinic: &Clinic| clinic.last_words().matches(" deferred ").count() == 2;
    assert!(clinic.wait_while_running(deferred), "{}", clinic.last_words());
    clinic
}

#[test]
fn every_command_works_through_the_socket_and_alone() {
    let mut clinic = with_waiting_mail();
    for (round, colleague) in ["ada@clinic.example", "bob@clinic.example"].into_iter().enumerate() {
        staff(&clinic, colleague);
        queue(&clinic);
        grants(&clinic, round);
        explain(&clinic);
        assert_eq!(json(&clinic, &["vault", "verify", "--json"])["damaged"], Value::Array(vec![]));
        says(&clinic, &["vault", "verify"], &["octets read", "0 damaged"]);
        says(&clinic, &["check"], &["tests of your own pass", "certificates:", "Everything is in order."]);
        says(&clinic, &["clock", "accept"], &["taken as it is"]);
        for kind in ["config", "policy"] {
            assert!(json(&clinic, &["schema", kind])["$schema"].is_string(), "{kind}");
        }
        // The first round asked the running server; the second finds none.
        if round == 0 {
            assert!(clinic.stop().success());
        }
    }
    clinic.start();
    let listed = json(&clinic, &["staff", "list", "--json"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(3), "what was made alone is there: {listed}");
}

fn staff(clinic: &Clinic, colleague: &str) {
    let state = || {
        let listed = json(clinic, &["staff", "list", "--json"]);
        let rows = listed.as_array().unwrap().iter();
        rows.clone().find(|row| row["address"] == colleague).map(|row| row["state"].clone())
    };
    let added =
        ok(clinic, &["staff", "add", colleague, "--group", "front desk", "--password-stdin"], &format!("{PASSWORD}\n"));
    assert!(!added.contains(PASSWORD), "a password that was given is not shown: {added}");
    fails(clinic, &["staff", "add", colleague], &["already"]);
    says(clinic, &["staff", "list"], &["ADDRESS", colleague, "front desk"]);
    assert_eq!(state(), Some("active".into()));
    ok(clinic, &["staff", "disable", colleague], "");
    assert_eq!(state(), Some("disabled".into()));
    says(clinic, &["staff", "passwd", colleague], &["Password: ", "shown this once"]);
    assert_eq!(state(), Some("active".into()));
    fails(clinic, &["staff", "disable", "nobody@clinic.example"], &["no staff account", "staff list"]);
    app_passwords(clinic, colleague);
}

fn app_passwords(clinic: &Clinic, colleague: &str) {
    let (add, list, remove) = (
        ["staff", "app-password", "add", colleague, PHONE],
        ["staff", "app-password", "list", colleague, "--json"],
        ["staff", "app-password", "remove", colleague, PHONE],
    );
    says(clinic, &add, &["App password: ", "shown this once"]);
    fails(clinic, &add, &["already", "app-password list"]);
    says(clinic, &list[..4], &["NAME", PHONE]);
    let listed = json(clinic, &list);
    assert_eq!((listed[0]["name"].as_str(), listed.as_array().map(Vec::len)), (Some(PHONE), Some(1)));
    says(clinic, &remove, &["can no longer sign in"]);
    fails(clinic, &remove, &["no app password of this name"]);
    fails(clinic, &["staff", "app-password", "list", "nobody@clinic.example"], &["no staff account", "staff list"]);
}

fn queue(clinic: &Clinic) {
    let listed = json(clinic, &["queue", "list", "--json"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
    assert!(!listed.to_string().contains('@'), "the list names nobody: {listed}");
    let id = listed[0]["id"].as_str().unwrap().to_owned();
    says(clinic, &["queue", "list"], &["ATTEMPTS", &id]);
    let shown = json(clinic, &["queue", "show", &id, "--json"]);
    assert!(shown["to"].as_str().is_some_and(|to| to.ends_with("@elsewhere.example")), "{shown}");
    says(clinic, &["queue", "show", &id], &["@elsewhere.example", JANE, "next attempt", &id]);
    fails(clinic, &["queue", "show", &nowhere(&id)], &["no such entry"]);
}

fn grants(clinic: &Clinic, round: usize) {
    let listed = json(clinic, &["grant", "list", "--json"]);
    let row = &listed[round];
    assert_eq!(row["state"], "living", "{listed}");
    let id = row["id"].as_str().unwrap().to_owned();
    says(clinic, &["grant", "list"], &["RECIPIENT", "one@elsewhere.example", "two@elsewhere.example", &id]);
    says(clinic, &["grant", "revoke", &id], &["revoked"]);
    assert_eq!(json(clinic, &["grant", "list", "--json"])[round]["state"], "revoked");
    fails(clinic, &["grant", "revoke", &nowhere(&id)], &["no such grant"]);
}

const PHONE: &str = "Bo's phone";
const PAT: &str = "pat.smith@home.example";

#[test]
fn invitations_are_reminded_cancelled_and_sent_again_through_the_socket_and_alone() {
    let mut clinic = Clinic::new(&Setup::default());
    clinic.start();
    let mut client = Client::connect(clinic.trusted()).unwrap();
    client.hello().unwrap();
    let letter = Letter::new(JANE, PAT, "[patient Pat Smith 1980-03-04] Results", "Results\n").with_pdf("a.pdf", "a");
    assert_eq!(client.send(JANE, &[PAT], &letter.octets()).unwrap().code, 250);
    for round in 0..2 {
        let state = || json(&clinic, &["invitation", "list", "--json"])[0]["state"].clone();
        assert_eq!(state(), "open");
        says(&clinic, &["invitation", "list"], &["INVITED BY", PAT, "patient", JANE]);
        says(&clinic, &["invitation", "remind", PAT], &["reminded"]);
        says(&clinic, &["invitation", "cancel", PAT], &["closed", "resend"]);
        assert_eq!(state(), "cancelled");
        fails(&clinic, &["invitation", "remind", PAT], &["has ended", "send it again"]);
        let output = clinic.run(&["invitation", "resend", PAT, "--birthdate", "4.3.1980"], "");
        assert!(output.status.code() == Some(2) && words(&output).contains("1980-03-04"), "{}", words(&output));
        says(&clinic, &["invitation", "resend", PAT, "--birthdate", "1980-04-03"], &["invited again"]);
        fails(&clinic, &["invitation", "approve", PAT], &["nobody of this address waits"]);
        fails(
            &clinic,
            &["invitation", "cancel", "nobody@home.example"],
            &["nobody of this address", "invitation list"],
        );
        // The first round asked the running server; the second finds none.
        if round == 0 {
            assert!(clinic.stop().success());
        }
    }
}

fn explain(clinic: &Clinic) {
    let message = clinic.path("message.eml");
    std::fs::write(&message, Letter::new(JANE, "p@elsewhere.example", "Hello", "Hello\n").octets()).unwrap();
    says(clinic, &["explain", "message.eml"], &["p@elsewhere.example", "secure", "shipped default"]);
    let plain = ["explain", "--from", JANE, "--to", "bob@clinic.example", "--json", "message.eml"];
    let told = json(clinic, &plain).to_string();
    assert!(told.contains("relay") && told.contains("own practice"), "{told}");
    let odd = format!(
        "From: {JANE}\nSubject: Results\nSubject: Other\nSensitivity: Private\nReturn-Receipt-To: {JANE}\nX-Postern-Keep: 14d\n\nHello\n"
    );
    std::fs::write(clinic.path("odd.eml"), odd).unwrap();
    let told = [
        "mended",
        "field Subject stands more than once",
        "private",
        "read receipt",
        "X-Postern-keep: 14d",
        "tag [14d]",
    ];
    says(clinic, &["explain", "--to", "p@elsewhere.example", "odd.eml"], &told);
    says(
        clinic,
        &["explain", "--to", "bob@clinic.example", "odd.eml"],
        &["refused:", "It cannot be relayed as it stands"],
    );
    // A recipient who was written to is known.
    says(clinic, &["explain", "--to", "one@elsewhere.example", "message.eml"], &["one@elsewhere.example"]);
}

/// An id of the same form that names nothing.
fn nowhere(id: &str) -> String {
    let (head, tail) = id.split_at(20);
    format!("{head}{}{}", if tail.starts_with('a') { 'b' } else { 'a' }, &tail[1..])
}

#[test]
fn before_the_first_start_commands_say_what_is_missing() {
    let clinic = Clinic::new(&Setup::default());
    for command in [
        ["staff", "list"],
        ["queue", "list"],
        ["grant", "list"],
        ["invitation", "list"],
        ["vault", "verify"],
        ["clock", "accept"],
    ] {
        fails(&clinic, &command, &["no keyring", "postern serve"]);
    }
    // What needs no store works before there is one.
    explain(&clinic);
    says(&clinic, &["check"], &["none yet", "Everything is in order."]);
    assert!(!clinic.path("keys").exists() && !clinic.path("data").exists(), "a question makes nothing");
}

fn ok(clinic: &Clinic, command: &[&str], stdin: &str) -> String {
    let output = clinic.run(command, stdin);
    assert!(output.status.success(), "{command:?}: {}", words(&output));
    words(&output)
}

fn says(clinic: &Clinic, command: &[&str], needles: &[&str]) {
    let text = ok(clinic, command, "");
    for needle in needles {
        assert!(text.contains(needle), "{command:?} does not say {needle:?}:\n{text}");
    }
}

fn json(clinic: &Clinic, command: &[&str]) -> Value {
    let output = clinic.run(command, "");
    assert!(output.status.success(), "{command:?}: {}", words(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{command:?}: {error}: {}", words(&output)))
}

fn fails(clinic: &Clinic, command: &[&str], needles: &[&str]) {
    let output: Output = clinic.run(command, "");
    let text = words(&output);
    assert_eq!(output.status.code(), Some(1), "{command:?}: {text}");
    for needle in needles {
        assert!(text.contains(needle), "{command:?} does not say {needle:?}:\n{text}");
    }
}
