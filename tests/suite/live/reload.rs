//! Policies and certificates change under the running server: the next message goes by the new ones, and what is broken
//! changes nothing.

use std::fs;

use super::client::Client;
use super::clinic::{Clinic, JANE, Setup, words};
use super::letters::Letter;

const RULE: &str =
    "[[rule]]\nname = \"as it is\"\n[rule.when]\nrecipient_domain = [\"elsewhere.example\"]\n[rule.set]\n";

#[test]
fn a_changed_policy_decides_the_next_message_and_a_broken_one_changes_nothing() {
    let mut clinic = Clinic::new(&Setup::default());
    clinic.start();
    assert_eq!(documents_sent_to(&mut clinic, "before"), 0, "secured, as shipped");

    let file = clinic.path("policies/90-changed.toml");
    fs::write(&file, format!("{RULE}treatment = \"relay\"\n")).unwrap();
    wait_for_lines(&mut clinic, " policy-loaded ", 2);
    assert_eq!(documents_sent_to(&mut clinic, "changed"), 1, "the new rule lets it leave");

    fs::write(&file, format!("{RULE}treatmnt = \"secure\"\n")).unwrap();
    wait_for_lines(&mut clinic, " policy-broken ", 1);
    assert_eq!(documents_sent_to(&mut clinic, "broken"), 1, "what was in force stays in force");
    let check = clinic.run(&["check"], "");
    assert_eq!(check.status.code(), Some(1));
    for needle in ["90-changed.toml:6:1", "treatmnt", "did you mean \"treatment\"?"] {
        assert!(words(&check).contains(needle), "{needle} is not in:\n{}", words(&check));
    }

    fs::remove_file(&file).unwrap();
    wait_for_lines(&mut clinic, " policy-loaded ", 3);
    assert_eq!(documents_sent_to(&mut clinic, "mended"), 0, "secured again");
    assert_eq!(clinic.last_words().matches(" policy-broken ").count(), 1, "one fault, one line");
    assert!(clinic.run(&["check"], "").status.success());
}

/// Sends one document to a new recipient; how many documents arrived.
fn documents_sent_to(clinic: &mut Clinic, name: &str) -> usize {
    let recipient = format!("{name}@elsewhere.example");
    let mut client = Client::connect(clinic.trusted()).unwrap();
    client.hello().unwrap();
    let letter = Letter::new(JANE, &recipient, "Results", "Results\n").with_pdf("result.pdf", "result");
    assert_eq!(client.send(JANE, &[&recipient], &letter.octets()).unwrap().code, 250);
    clinic.wait_for_delivery_to(&recipient).parsed().attachment_count()
}

fn wait_for_lines(clinic: &mut Clinic, word: &str, count: usize) {
    let arrived = clinic.wait_while_running(|clinic| clinic.last_words().matches(word).count() >= count);
    assert!(arrived, "no {count} lines with{word}:\n{}", clinic.last_words());
}

#[test]
fn a_new_certificate_is_shown_without_a_restart_and_a_broken_one_is_not() {
    let (mut clinic, mut other) = (Clinic::new(&Setup::default()), Clinic::new(&Setup::default()));
    clinic.start();
    other.start();
    let trusts =
        |clinic: &Clinic, ca: &Clinic| Client::connect_tls(clinic.submissions(), &ca.path("certs/ca.pem")).is_ok();
    assert!(trusts(&clinic, &clinic) && !trusts(&clinic, &other));

    for name in ["certs/server.key", "certs/server.pem"] {
        fs::copy(other.path(name), clinic.path(name)).unwrap();
    }
    assert!(clinic.wait_while_running(|clinic| trusts(clinic, &other)), "{}", clinic.last_words());
    assert!(clinic.run(&["check"], "").status.success());

    fs::write(clinic.path("certs/server.pem"), "half a certif").unwrap();
    wait_for_lines(&mut clinic, " certificate-broken ", 1);
    assert!(trusts(&clinic, &other), "what was shown is shown on");
    let check = clinic.run(&["check"], "");
    assert_eq!(check.status.code(), Some(1));
    assert!(words(&check).contains("server.pem"), "{}", words(&check));
}
