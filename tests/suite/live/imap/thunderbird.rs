//! Thunderbird on a screen that nobody sees: set up by address and password, a reply read and answered. `tests/look-thunderbird`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::super::clinic::{Clinic, HOST, JANE, PASSWORD, repository, words};
use super::super::tools::{find, run};
use super::{clinic_with, python, replies};

/// Where a mail program looks for its set-up first is the domain of the address; the certificate has this name too.
const ORIGIN: &str = "https://clinic.example";

/// A program that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "needs Thunderbird, a screen and port 443; tests/look-thunderbird runs it"]
fn thunderbird_is_set_up_by_address_and_password_and_answers_a_reply() {
    let test = "thunderbird_is_set_up_by_address_and_password_and_answers_a_reply";
    let programs = ["thunderbird", "Xvfb", "certutil", "python3"].map(|program| find(program, test));
    let [Some(thunderbird), Some(screen), Some(certutil), Some(interpreter)] = programs else { return };
    let clinic = clinic_with(portal_at_the_domain);
    let guest = replies::guest(&clinic, ORIGIN);
    python(&clinic, test, &(guest.clone() + replies::GUEST_REPLIES)).unwrap();

    let pictures =
        std::env::var_os("POSTERN_LOOK").map_or_else(|| repository().join("target/look-thunderbird"), PathBuf::from);
    fs::create_dir_all(&pictures).unwrap();
    let (_screen, display) = screen_nobody_sees(&screen);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let profile = profile(&clinic, &certutil, port);
    let mut bird = Command::new(thunderbird);
    bird.args(["--no-remote", "--marionette", "--remote-allow-system-access", "--profile"]).arg(profile);
    bird.env("DISPLAY", display).env("HOME", clinic.path("tmp")).stdout(Stdio::null()).stderr(Stdio::null());
    let _bird = Running(bird.spawn().unwrap());
    let mut walk = Command::new(interpreter);
    walk.arg(repository().join("tests/thunderbird/walk.py"))
        .arg(port.to_string())
        .arg(&pictures)
        .args([JANE, PASSWORD]);
    let output = run(&mut walk, b"");
    assert!(output.status.success() && words(&output).trim_end().ends_with("done"), "{test}: {}", words(&output));

    // What it sent stands in Sent once, though it put its own copy there; the insurer is told of it.
    let check = r#"
client = connect()
assert ok(client.select("Sent")) == [b"2"], "the letter and the answer, each once"
answer = email.message_from_bytes(ok(client.fetch("2", "(BODY.PEEK[])"))[0][1], policy=email.policy.default)
assert "From Thunderbird" in answer.get_body(("plain",)).get_content() and "Thunderbird" in answer["User-Agent"]
assert GUEST in answer["To"], answer["To"]
ok(client.select())
assert b"\\Answered" in ok(client.fetch("1", "(FLAGS)"))[0]
"#;
    python(&clinic, test, &(guest + check)).unwrap();
    println!("pictures in {}", pictures.display());
}

fn portal_at_the_domain(clinic: &Clinic) {
    let config = clinic.path("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    let text = text.replace(&format!("public_url = \"https://{HOST}\""), &format!("public_url = \"{ORIGIN}\""));
    fs::write(&config, format!("{text}\n[portal]\nlisten = [\"{}\"]\n", clinic.at(443))).unwrap();
}

/// An X server without a screen, and the name of its display.
fn screen_nobody_sees(xvfb: &Path) -> (Running, String) {
    let mut command = Command::new(xvfb);
    command.args(["-displayfd", "1", "-screen", "0", "1440x900x24", "-nolisten", "tcp"]);
    let mut server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut number = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
    (Running(server), format!(":{}", number.trim()))
}

/// A new profile that trusts the clinic's authority and finds every host here. Nothing else is set: what Thunderbird knows
/// of the account it has from the portal.
fn profile(clinic: &Clinic, certutil: &Path, port: u16) -> PathBuf {
    let profile = clinic.path("profile");
    fs::create_dir(&profile).unwrap();
    let store = format!("sql:{}", profile.display());
    for arguments in [vec!["-N", "--empty-password"], vec!["-A", "-n", "Postern", "-t", "C,,", "-i"]] {
        let mut command = Command::new(certutil);
        command.args(["-d", &store]).args(&arguments);
        if arguments[0] == "-A" {
            command.arg(clinic.path("certs/ca.pem"));
        }
        let output = run(&mut command, b"");
        assert!(output.status.success(), "certutil: {}", words(&output));
    }
    let settings = fs::read_to_string(repository().join("tests/thunderbird/user.js")).unwrap();
    let settings = settings.replace("ADDRESS", &clinic.at(443).ip().to_string()).replace("PORT", &port.to_string());
    fs::write(profile.join("user.js"), settings).unwrap();
    profile
}
