//! The first start from nothing, the second start, and the starts that cannot be: each names its remedy.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use super::client::Client;
use super::clinic::{Clinic, Setup, files_below};

#[test]
fn the_first_start_makes_what_is_needed_and_the_second_keeps_it() {
    let mut clinic = Clinic::new(&Setup::default());
    clinic.start();
    for made in ["keys/master.key", "keys/keyring", "keys/admin-password", "certs/ca.pem", "certs/server.pem"] {
        assert!(clinic.path(made).exists(), "{made} was not made:\n{}", clinic.last_words());
    }
    let words = clinic.last_words();
    assert!(words.contains("keys/admin-password"), "where the password lies is said:\n{words}");
    for port in [clinic.submission(), clinic.submissions(), clinic.trusted()] {
        assert!(words.contains(&port.to_string()), "{port} is not named:\n{words}");
    }
    assert_secrets_are_private(&clinic);

    let (name, password) = admin(&clinic);
    assert!(!words.contains(&password), "the password is in the log");
    sign_in(&clinic, &name, &password);
    let before = made(&clinic);
    assert!(clinic.stop().success());

    clinic.start();
    assert_eq!(made(&clinic), before, "a restart makes nothing anew");
    sign_in(&clinic, &name, &password);
    assert!(!clinic.all_words().contains(&password));
    assert!(clinic.stop().success());
}

/// Keys, the password and the server's private key are for the owner's eyes only.
fn assert_secrets_are_private(clinic: &Clinic) {
    let private = files_below(&clinic.path("keys")).into_iter().chain(
        files_below(&clinic.path("certs"))
            .into_iter()
            .filter(|file| fs::read_to_string(file).unwrap_or_default().contains("PRIVATE KEY")),
    );
    let mut seen = 0;
    for file in private {
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{} is {mode:o}", file.display());
        seen += 1;
    }
    assert!(seen >= 4, "only {seen} secret files were found");
    for folder in ["data", "keys"] {
        let mode = fs::metadata(clinic.path(folder)).unwrap().permissions().mode() & 0o077;
        assert_eq!(mode, 0, "{folder}/ is open to others");
    }
}

/// The admin's address and one-time password, as the file gives them.
fn admin(clinic: &Clinic) -> (String, String) {
    let text = fs::read_to_string(clinic.path("keys/admin-password")).unwrap();
    let password = text.split_whitespace().last().unwrap().to_owned();
    let listed = clinic.run(&["staff", "list", "--json"], "");
    let staff: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let name = find_address(&staff).unwrap_or_else(|| panic!("no address in {staff}"));
    (name, password)
}

fn find_address(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => text.contains('@').then(|| text.clone()),
        serde_json::Value::Array(items) => items.iter().find_map(find_address),
        serde_json::Value::Object(fields) => fields.values().find_map(find_address),
        _ => None,
    }
}

fn sign_in(clinic: &Clinic, name: &str, password: &str) {
    let mut client = Client::connect_tls(clinic.submissions(), &clinic.path("certs/ca.pem")).unwrap();
    client.hello().unwrap();
    assert_eq!(client.sign_in(name, password).unwrap().codes(), "235 2.7.0");
}

/// Keys and certificates, with their octets.
fn made(clinic: &Clinic) -> Vec<(String, Vec<u8>)> {
    let stable = ["keys/master.key", "keys/admin-password", "certs/ca.pem", "certs/server.pem"];
    stable.iter().map(|name| ((*name).to_owned(), fs::read(clinic.path(name)).unwrap())).collect()
}

/// The limit was set by a call that nothing looked at: a core file would hold keys and mail in the clear.
#[test]
fn no_core_file_is_written() {
    let mut clinic = Clinic::new(&Setup::default());
    clinic.start();
    let limits = fs::read_to_string(format!("/proc/{}/limits", clinic.pid())).unwrap();
    let cores = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let values: Vec<&str> = cores.split_whitespace().skip(4).take(2).collect();
    assert_eq!(values, ["0", "0"], "soft and hard limit: {cores}");
}

#[test]
fn a_port_that_is_taken_is_named_with_the_remedy() {
    let mut clinic = Clinic::new(&Setup::default());
    let _taken = TcpListener::bind(clinic.submission()).unwrap();
    let port = clinic.submission().to_string();
    fails_with(&mut clinic, &[&port, "in use", "config.toml"]);
}

#[test]
fn a_bad_key_file_is_named_with_the_remedy() {
    let mut clinic = Clinic::new(&Setup::default());
    clinic.start();
    clinic.stop();
    let key = fs::read(clinic.path("keys/master.key")).unwrap();

    fs::write(clinic.path("keys/master.key"), "not a key\n").unwrap();
    fails_with(&mut clinic, &["master.key"]);
    fs::write(clinic.path("keys/master.key"), &key).unwrap();
    fs::set_permissions(clinic.path("keys/master.key"), fs::Permissions::from_mode(0o644)).unwrap();
    fails_with(&mut clinic, &["master.key", "chmod 600"]);

    fs::set_permissions(clinic.path("keys/master.key"), fs::Permissions::from_mode(0o600)).unwrap();
    clinic.start();
}

#[test]
fn the_key_of_another_installation_opens_nothing() {
    let mut clinic = Clinic::new(&Setup::default());
    clinic.start();
    clinic.stop();
    fs::remove_dir_all(clinic.path("keys")).unwrap();
    fails_with(&mut clinic, &["key"]);
}

#[test]
fn a_data_folder_in_use_is_named() {
    let mut clinic = Clinic::new(&Setup::default());
    clinic.start();
    let text = fs::read_to_string(clinic.path("config.toml")).unwrap();
    fs::write(clinic.path("second.toml"), text.replace(":2", ":3")).unwrap();
    let second = clinic.run(&["serve", "--config", "second.toml"], "");
    let words = super::clinic::words(&second);
    assert!(!second.status.success(), "two servers over one data folder");
    assert!(words.contains("data") && words.contains("another"), "{words}");
    assert!(clinic.is_running(), "the first one lives on");
}

#[test]
fn a_policy_folder_that_is_missing_is_named() {
    let mut clinic = Clinic::new(&Setup::default());
    fs::remove_dir_all(clinic.path("policies")).unwrap();
    fails_with(&mut clinic, &["policies"]);
}

#[test]
fn a_mistake_in_the_configuration_is_shown_with_its_line() {
    let mut clinic = Clinic::new(&Setup { more: "[limts]\n".into(), ..Setup::default() });
    fails_with(&mut clinic, &["config.toml:", "limts", "limits"]);
}

/// The start fails without a panic, in words that hold these.
fn fails_with(clinic: &mut Clinic, needles: &[&str]) {
    let (status, words) = clinic.start_expecting_failure();
    assert_eq!(status.code(), Some(1), "{words}");
    for needle in needles {
        assert!(words.contains(needle), "{needle:?} is missing in:\n{words}");
    }
    assert!(!words.contains("panicked"), "{words}");
}
