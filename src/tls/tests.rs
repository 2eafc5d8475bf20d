use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::files::{load, read_for_tests};
use super::*;
use crate::time::Timestamp;

fn names(text: &str) -> Vec<String> {
    text.split(' ').map(String::from).collect()
}

fn leaf(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("server.pem")).unwrap()
}

/// A certificate of somebody else's making.
fn put_foreign(folder: &Path, until: (i32, u8, u8)) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(names("mail.clinic.example")).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until.0, until.1, until.2);
    fs::write(folder.join("server.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
}

#[test]
fn first_start_makes_four_files_that_fit_and_the_second_none() {
    let folder = tempfile::tempdir().unwrap();
    let (certificates, made) = prepare(folder.path(), &names("mail.clinic.example 192.0.2.7")).unwrap();
    let made: Vec<_> = made.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(made, ["ca.pem", "ca.key", "server.pem", "server.key"]);
    for name in ["ca.key", "server.key"] {
        assert_eq!(fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    certificates.server_config().unwrap();
    certificates.server_config_for_clients_of(&folder.path().join("ca.pem")).unwrap();
    assert!(prepare(folder.path(), &names("mail.clinic.example 192.0.2.7")).unwrap().1.is_empty());
}

#[test]
fn ours_is_renewed_for_a_new_name_and_thirty_days_before_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let now = store::now();
    let make =
        |names: &[String], at: Timestamp| authority::make_what_is_missing(folder.path(), names, at).unwrap().len();
    let clinic = names("mail.clinic.example");
    make(&clinic, now);
    let authority = fs::read(folder.path().join("ca.pem")).unwrap();
    let table = [
        (&clinic, 0, 0),
        (&names("mail.clinic.example other.example"), 0, 2),
        (&clinic, 360, 0),
        (&clinic, 370, 2),
        (&clinic, 900, 2),
    ];
    for (names, days, made) in table {
        let before = leaf(folder.path());
        let at = now.plus(DAY * days);
        assert_eq!(make(names, at), made, "after {days} days");
        assert_eq!(leaf(folder.path()) != before, made > 0);
        assert!(load(folder.path(), at).is_ok(), "after {days} days");
    }
    assert_eq!(fs::read(folder.path().join("ca.pem")).unwrap(), authority, "the authority stays");
    let chain = read_for_tests(&folder.path().join("server.pem"));
    assert_eq!(files::chain_error(&chain[..1], Some(&chain[1]), now.plus(DAY * 901)), None);
}

#[test]
fn an_admins_own_certificate_is_left_alone_and_its_faults_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let clinic = names("mail.clinic.example");
    put_foreign(folder.path(), (2120, 1, 1));
    let before = leaf(folder.path());
    let (_, made) = prepare(folder.path(), &names("elsewhere.example")).unwrap();
    assert!(made.is_empty() && leaf(folder.path()) == before);

    let fault = |what: &str| {
        let words = prepare(folder.path(), &clinic).map(drop).unwrap_err().to_string();
        assert!(words.contains(what), "{what} in {words}");
    };
    let key = fs::read(folder.path().join("server.key")).unwrap();
    fs::write(folder.path().join("server.key"), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    fault("the key is not the one of server.pem");
    fs::write(folder.path().join("server.key"), "not a key").unwrap();
    fault("no private key in PEM form");
    fs::remove_file(folder.path().join("server.key")).unwrap();
    fault("server.key: missing");
    fs::write(folder.path().join("server.key"), key).unwrap();
    fs::write(folder.path().join("server.pem"), "not a certificate").unwrap();
    fault("no certificate in it");
    put_foreign(folder.path(), (2021, 1, 1));
    fault("the certificate has expired");
}

#[test]
fn reload_shows_the_new_files_and_keeps_the_old_when_they_are_broken() {
    let folder = tempfile::tempdir().unwrap();
    let (certificates, _) = prepare(folder.path(), &names("mail.clinic.example")).unwrap();
    let shown = || certificates.shown.0.load().cert[0].clone();
    let first = shown();
    put_foreign(folder.path(), (2120, 1, 1));
    certificates.reload().unwrap();
    let second = shown();
    assert_ne!(first, second);
    fs::write(folder.path().join("server.pem"), "half a fi").unwrap();
    assert!(certificates.reload().is_err());
    assert_eq!(shown(), second);
}

#[tokio::test]
async fn what_is_put_into_the_folder_is_shown_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (certificates, _) = prepare(folder.path(), &names("mail.clinic.example")).unwrap();
    let shown = || certificates.shown.0.load().cert[0].clone();
    let first = shown();
    let watching = tokio::spawn(certificates.clone().watch_every(Duration::from_millis(5), DAY));
    tokio::task::yield_now().await;
    put_foreign(folder.path(), (2120, 1, 1));
    let changed = async {
        while shown() == first {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), changed).await.expect("the new certificate is shown");
    watching.abort();
}
