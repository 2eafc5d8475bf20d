//! Some twenty mail programs on the same mailboxes at once (`tests/stress`): what each is told fits what it and all others were
//! told, also over kill -9. `tests/soak imap MINUTES` lets it run for longer.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::clinic::{Clinic, HOST, PASSWORD, Setup, repository, words};
use super::tools::find;

/// What `tests/soak imap` sets otherwise: seconds, clients, kills, seconds until an answer is late.
const SHORT: [&str; 4] = ["10", "12", "1", "30"];

/// Read by Ann, written to by Jane and Joe.
const GROUP: &str =
    "\n[[workgroup]]\nname = \"Desk\"\naddress = \"desk@clinic.example\"\nread = \"nurses\"\nsend = \"front\"\n";

fn clinic() -> Clinic {
    let mut clinic = Clinic::new(&Setup::default());
    let more = format!("[imap]\nimaps = [\"{}\"]\n", clinic.at(2993));
    clinic.configure(&Setup { more, ..Setup::default() });
    let practice = clinic.path("policies/practices/example-clinic.toml");
    OpenOptions::new().append(true).open(practice).unwrap().write_all(GROUP.as_bytes()).unwrap();
    clinic.start();
    for (who, group) in [("jane", "front"), ("joe", "front"), ("ann", "nurses")] {
        let who = format!("{who}@clinic.example");
        let added = clinic.run(&["staff", "add", &who, "--group", group, "--password-stdin"], &format!("{PASSWORD}\n"));
        assert!(added.status.success(), "staff add: {}", words(&added));
    }
    clinic
}

#[test]
fn every_client_is_told_what_fits_what_all_were_told() {
    let Some(python) = find("python3", "every_client_is_told_what_fits_what_all_were_told") else { return };
    let asked = std::env::var("POSTERN_STRESS").unwrap_or_default();
    let mut asked = asked.split_whitespace();
    let [seconds, clients, kills, patience] = SHORT.map(|short| asked.next().unwrap_or(short));
    let mut clinic = clinic();
    let address = clinic.at(2993);
    let seed = std::env::var("POSTERN_SEED").unwrap_or_else(|_| clinic.pid().to_string());
    let mut child = Command::new(python)
        .arg("-B")
        .arg(repository().join("tests/stress"))
        .args(["--ip", &address.ip().to_string(), "--port", &address.port().to_string(), "--host", HOST])
        .arg("--ca")
        .arg(clinic.path("certs/ca.pem"))
        .args(["--password", PASSWORD, "--pid", &clinic.pid().to_string(), "--seed", &seed])
        .args(["--seconds", seconds, "--clients", clients, "--kills", kills, "--patience", patience])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, mut said) = (child.stdin.take().unwrap(), String::new());
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if line == "kill" {
            clinic.kill();
            clinic.start();
            writeln!(stdin, "started {}", clinic.pid()).unwrap();
        } else {
            println!("{line}");
            said.push_str(&line);
        }
    }
    assert!(child.wait().unwrap().success() && said.ends_with("agreed"), "something was wrong; the seed is {seed}");
    assert!(clinic.is_running());
}
