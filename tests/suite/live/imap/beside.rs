//! Generated sessions on Postern and on Dovecot side by side: what the standards leave no choice in is answered alike.
//!
//! The generator stands in `beside/`, and can be played by hand with other seeds (`play.py` says how). What it found is in the dialogs
//! `names-strict`, `rename`, `list-below`, `qresync-known`, `recent-set`, `fetch-beyond` and `search-said`.

use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::geteuid;

use super::super::clinic::{JANE, PASSWORD, repository, words};
use super::super::tools::{find, run, skipped};
use super::clinic;

#[test]
fn generated_sessions_are_answered_as_dovecot_does() {
    let test = "generated_sessions_are_answered_as_dovecot_does";
    let (Some(python), Some(_)) = (find("python3", test), find("dovecot", test)) else { return };
    if !geteuid().is_root() {
        return skipped(test, "Dovecot starts as root only");
    }
    let (begun, clinic) = (Instant::now(), clinic());
    let address = clinic.at(2993);
    let mut command = Command::new(python);
    command.arg("-B").arg(repository().join("tests/suite/live/imap/beside/play.py"));
    command.args([&address.ip().to_string(), &address.port().to_string()]).arg(clinic.path("certs/ca.pem"));
    let output = run(command.args([JANE, PASSWORD]).arg(clinic.path("dovecot")), b"");
    assert!(output.status.success() && words(&output).trim_end().ends_with("done"), "{}", words(&output));
    assert!(begun.elapsed() < Duration::from_secs(300));
}
