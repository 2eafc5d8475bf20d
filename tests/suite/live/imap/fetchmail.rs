//! fetchmail takes what is in the Inbox, and leaves it there or not, as it is told.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::process::{Command, Output};

use super::super::browser::origin;
use super::super::clinic::{Clinic, HOST, JANE, PASSWORD, words};
use super::super::tools::{find, run};
use super::{python, replies};

#[test]
fn fetchmail_takes_a_reply_with_and_without_keep() {
    let test = "fetchmail_takes_a_reply_with_and_without_keep";
    let Some(fetchmail) = find("fetchmail", test) else { return };
    let Some(clinic) = replies::replied(test) else { return };
    let fetch = |way: &str| {
        write_configuration(&clinic, way);
        let mut command = Command::new(&fetchmail);
        command
            .arg("-f")
            .arg(clinic.path("fetchmailrc"))
            .args(["--nodetach", "--nosyslog"])
            .env("FETCHMAILHOME", clinic.path("tmp"));
        run(&mut command, b"")
    };
    let took = |output: &Output, expected: i32, mails: usize| {
        assert_eq!(output.status.code(), Some(expected), "fetchmail: {}", words(output));
        let mails_there = fs::read_dir(clinic.path("fetched")).unwrap().count();
        assert_eq!(mails_there, mails, "{}", words(output));
    };
    fs::create_dir(clinic.path("fetched")).unwrap();
    took(&fetch("keep"), 0, 1);
    // What it has seen it does not take again: 1 is its word for "no mail".
    took(&fetch("keep"), 1, 1);
    took(&fetch("fetchall nokeep"), 0, 2);
    took(&fetch("fetchall nokeep"), 1, 2);
    let compare = r#"
import glob
for file in glob.glob(FETCHED + "/*"):
    mail = email.message_from_bytes(open(file, "rb").read(), policy=email.policy.default)
    files = {part.get_filename(): part.get_payload(decode=True) for part in mail.iter_attachments()}
    assert files == {"scan.pdf": SCAN, "note.txt": NOTE}, files.keys()
assert ok(connect().select()) == [b"0"]
print("taken")
"#;
    let fetched = format!("FETCHED = {:?}\n", clinic.path("fetched"));
    assert_eq!(
        python(&clinic, test, &(replies::guest(&clinic, &origin()) + &fetched + compare)).unwrap().trim(),
        "taken"
    );
}

/// Each mail becomes a file.
fn write_configuration(clinic: &Clinic, way: &str) {
    let deliver = clinic.path("deliver");
    fs::write(&deliver, format!("#!/bin/sh\nexec cat >\"$(mktemp {}/XXXXXX)\"\n", clinic.path("fetched").display()))
        .unwrap();
    fs::set_permissions(&deliver, Permissions::from_mode(0o700)).unwrap();
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(clinic.path("fetchmailrc"))
        .unwrap();
    let address = clinic.at(2993);
    writeln!(
        file,
        "poll {ip} protocol IMAP service {port} user \"{JANE}\" password \"{PASSWORD}\" ssl sslcertck sslcertfile \"{ca}\" \
         sslcommonname \"{HOST}\" \
         mda \"{mda}\" {way}",
        ip = address.ip(),
        port = address.port(),
        ca = clinic.path("certs/ca.pem").display(),
        mda = deliver.display(),
    )
    .unwrap();
}
