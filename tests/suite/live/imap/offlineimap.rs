//! OfflineIMAP copies both ways into a Maildir, and a second run changes nothing.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::clinic::{Clinic, HOST, JANE, PASSWORD, files_below, words};
use super::super::tools::{find, run};
use super::{clinic, numbers, python};

#[test]
fn offlineimap_copies_both_ways_and_the_second_run_changes_nothing() {
    let test = "offlineimap_copies_both_ways_and_the_second_run_changes_nothing";
    let Some(offlineimap) = find("offlineimap", test) else { return };
    let clinic = clinic();
    let fill = r#"
client = connect()
for number in range(12):
    text = "Message-ID: <%d@a.example>\r\nSubject: %d\r\n\r\nGr\u00f6\u00dfe\r\n" % (number, number)
    ok(client.append("INBOX", "\\Seen" if number % 2 else None, None, text.encode()))
ok(client.create("Work/2026"))
ok(client.append("Work/2026", "\\Flagged", None, b"Subject: work\r\n\r\nText\r\n"))
"#;
    if python(&clinic, test, fill).is_none() {
        return;
    }
    let near = clinic.path("near");
    fs::write(clinic.path("offlineimaprc"), configuration(&clinic)).unwrap();
    let sync = || {
        let mut command = Command::new(&offlineimap);
        let output = run(command.arg("-c").arg(clinic.path("offlineimaprc")).args(["-o", "-u", "basic"]), b"");
        let said = words(&output);
        assert!(output.status.success() && !said.contains("ERROR"), "offlineimap: {said}");
        said
    };
    sync();
    assert_eq!(mails(&near).len(), 13, "all are here: {:?}", mails(&near));
    // One is written here, one is read here, one is thrown away here; all of that is there after the next run.
    fs::write(near.join("INBOX/new/1.local"), "Message-ID: <l@a.example>\nSubject: from here\n\nText\n").unwrap();
    let unread: Vec<PathBuf> =
        mails(&near.join("INBOX")).into_iter().filter(|mail| !name(mail).ends_with('S')).collect();
    let read_here =
        near.join("INBOX/cur").join(format!("{}S", name(&unread[0]).trim_end_matches(":2,").to_owned() + ":2,"));
    fs::rename(&unread[0], read_here).unwrap();
    fs::remove_file(&unread[1]).unwrap();
    sync();
    let before = (mails(&near), numbers(&clinic, test));
    let said = sync();
    assert_eq!((mails(&near), numbers(&clinic, test)), before, "the second run changed something: {said}");
    assert!(before.1.contains("INBOX 12 14"), "{}", before.1);
    let unseen = "client = connect()\nok(client.select())\nprint(len(ok(client.search(None, 'UNSEEN'))[0].split()))";
    assert_eq!(python(&clinic, test, unseen).unwrap().trim(), "5", "six, less the two, and the new one");
}

fn name(file: &Path) -> String {
    file.file_name().unwrap().to_string_lossy().into_owned()
}

/// The messages of a Maildir, not its books.
fn mails(folder: &Path) -> Vec<PathBuf> {
    let mut files = files_below(folder);
    files.retain(|file| file.parent().is_some_and(|folder| folder.ends_with("cur") || folder.ends_with("new")));
    files
}

fn configuration(clinic: &Clinic) -> String {
    let (address, finder, mut text) = (clinic.at(2993), clinic.path("finder.py"), String::new());
    // It takes certificates for names only; the name is looked up here.
    let here = format!(
        "import socket\nusual = socket.getaddrinfo\nsocket.getaddrinfo = lambda host, *rest, **named: \\\n  \
         usual('{}' if host == '{HOST}' else host, *rest, **named)\n",
        address.ip()
    );
    fs::write(&finder, here).unwrap();
    let _ = write!(
        text,
        "[general]\naccounts = jane\nmetadata = {books}\npythonfile = {finder}\n[Account jane]\nlocalrepository = near\nremoterepository = far\n\
         [Repository near]\ntype = Maildir\nlocalfolders = {near}\n\
         [Repository far]\ntype = IMAP\nremotehost = {HOST}\nremoteport = {port}\nremoteuser = {JANE}\n\
         remotepass = {PASSWORD}\nssl = yes\nsslcacertfile = {ca}\n",
        books = clinic.path("books").display(),
        near = clinic.path("near").display(),
        finder = finder.display(),
        port = address.port(),
        ca = clinic.path("certs/ca.pem").display(),
    );
    text
}
