//! Programs that read mail, against the built server: here Python's imaplib, curl and mbsync both ways, and what kill -9
//! leaves; each of the others in a file of its own.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use super::clinic::{Clinic, HOST, JANE, PASSWORD, Setup, words};
use super::tools::{find, run};

mod beside;
mod fetchmail;
mod libraries;
mod neomutt;
mod offlineimap;
mod replies;
mod thunderbird;

/// A running clinic that serves mailboxes, with [`JANE`].
pub(super) fn clinic() -> Clinic {
    clinic_with(|_| {})
}

/// The same, with more in its configuration.
fn clinic_with(more_of: impl Fn(&Clinic)) -> Clinic {
    let mut clinic = Clinic::new(&Setup::default());
    let more = format!("[imap]\nimaps = [\"{}\"]\nimap = [\"{}\"]\n", clinic.at(2993), clinic.at(2143));
    clinic.configure(&Setup { more, ..Setup::default() });
    more_of(&clinic);
    clinic.start();
    let added = clinic.run(&["staff", "add", JANE, "--password-stdin"], &format!("{PASSWORD}\n"));
    assert!(added.status.success(), "staff add: {}", words(&added));
    // Both say where the page for people is, or neither.
    assert_eq!(words(&added).contains("/setup"), clinic.last_words().contains("/setup"), "{}", words(&added));
    clinic
}

/// A Python script with `connect()`; its output.
pub(super) fn python(clinic: &Clinic, test: &str, script: &str) -> Option<String> {
    let python = find("python3", test)?;
    let (ca, address) = (clinic.path("certs/ca.pem"), clinic.at(2993));
    let prelude = format!(
        r#"
import imaplib, socket, ssl, sys
context = ssl.create_default_context(cafile={ca:?})
class Imaps(imaplib.IMAP4_SSL):
    def _create_socket(self, timeout):
        return context.wrap_socket(socket.create_connection((self.host, self.port)), server_hostname="{HOST}")
class Imap(imaplib.IMAP4):
    def starttls_of(self):
        self.host, ip = "{HOST}", self.host
        return self.starttls(context)
def connect():
    client = Imaps("{ip}", {port})
    client.login("{JANE}", "{PASSWORD}")
    return client
def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]
"#,
        ip = address.ip(),
        port = address.port(),
    );
    let output = run(Command::new(python).arg("-"), format!("{prelude}\n{script}").as_bytes());
    assert!(output.status.success(), "{test}: {}", words(&output));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn imaplib_reads_writes_and_idles() {
    let clinic = clinic();
    let script = format!(
        r#"
plain = Imap("{ip}", {port})
assert "LOGINDISABLED" in plain.capabilities
plain.starttls_of()
plain.login("{JANE}", "{PASSWORD}")
plain.logout()
client = connect()
assert b"INBOX" in b"".join(ok(client.list()))
ok(client.select())
message = b"From: a@b.example\r\nSubject: one\r\n\r\nHello\r\n"
ok(client.append("INBOX", "(\\Flagged)", None, message))
assert ok(client.noop())
flags = ok(client.fetch("1", "(FLAGS UID RFC822.SIZE)"))
assert b"\\Flagged" in flags[0] and str(len(message)).encode() in flags[0], flags
body = ok(client.fetch("1", "(BODY.PEEK[])"))
assert body[0][1] == message, body
assert ok(client.search(None, "SUBJECT", "one")) == [b"1"]
assert ok(client.search(None, "SUBJECT", "two")) == [b""]
ok(client.store("1", "+FLAGS", "\\Seen"))
ok(client.create("Work"))
ok(client.copy("1", "Work"))
ok(client.store("1", "+FLAGS", "\\Deleted"))
assert ok(client.expunge()) == [b"1"]
assert ok(client.select("Work")) == [b"1"]
ok(client.close())
ok(client.delete("Work"))
client.logout()
print("done")
"#,
        ip = clinic.at(2143).ip(),
        port = clinic.at(2143).port(),
    );
    if let Some(said) = python(&clinic, "imaplib_reads_writes_and_idles", &script) {
        assert_eq!(said.trim(), "done");
    }
}

#[test]
fn nothing_appended_with_ok_is_lost_by_kill_9() {
    let test = "nothing_appended_with_ok_is_lost_by_kill_9";
    let mut clinic = clinic();
    let append = r#"
client = connect()
for number in range(20):
    ok(client.append("INBOX", None, None, b"Subject: %d\r\n\r\n" % number + b"x" * (number * 5000) + b"\r\n"))
print("appended")
"#;
    if python(&clinic, test, append).is_none() {
        return;
    }
    clinic.kill();
    clinic.start();
    let read = r#"
client = connect()
assert ok(client.select()) == [b"20"]
for number in range(20):
    body = ok(client.fetch(str(number + 1), "(BODY.PEEK[])"))[0][1]
    assert body == b"Subject: %d\r\n\r\n" % number + b"x" * (number * 5000) + b"\r\n"
print("read")
"#;
    assert_eq!(python(&clinic, test, read).unwrap().trim(), "read");
}

/// Who was dismissed, or had lost a password to a thief, read on in sessions that were open.
#[test]
fn no_session_outlives_its_password_or_its_account() {
    let test = "no_session_outlives_its_password_or_its_account";
    let clinic = clinic();
    let postern = format!("{:?}, \"--config\", {:?}", env!("CARGO_BIN_EXE_postern"), clinic.path("config.toml"));
    let script = format!(
        r#"
import subprocess
def staff(*words, said=""):
    subprocess.run([{postern}, "staff", *words], input=said.encode(), check=True, stdout=subprocess.DEVNULL)
def is_over(client, words):
    try:
        client.noop()
        client.noop()
    except imaplib.IMAP4.abort:
        return
    raise SystemExit(words)
before = connect()
ok(before.noop())
staff("passwd", "{JANE}", "--password-stdin", said="{PASSWORD}\n")
is_over(before, "a session outlived its password")
after = connect()
ok(after.select())
ok(after.noop())
staff("disable", "{JANE}")
is_over(after, "a session outlived its account")
print("over")
"#
    );
    if let Some(said) = python(&clinic, test, &script) {
        assert_eq!(said.trim(), "over");
    }
}

/// A phone that is lost is shut out, and nothing else of its owner.
#[test]
fn an_app_password_opens_imap_and_submission_until_it_is_removed() {
    let test = "an_app_password_opens_imap_and_submission_until_it_is_removed";
    let clinic = clinic();
    let postern = format!("{:?}, \"--config\", {:?}", env!("CARGO_BIN_EXE_postern"), clinic.path("config.toml"));
    let submissions = clinic.submissions();
    let script = format!(
        r#"
import smtplib, subprocess
def staff(*words):
    done = subprocess.run([{postern}, "staff", "app-password", *words], check=True, capture_output=True)
    return done.stdout.decode()
words = staff("add", "{JANE}", "Jane's phone")
password = words.split("App password: ")[1].split()[0]
def with_password(password):
    client = Imaps("{imap}", {imap_port})
    ok(client.login("{JANE}", password))
    return client
class Submissions(smtplib.SMTP_SSL):
    def _get_socket(self, host, port, timeout):
        return context.wrap_socket(socket.create_connection((host, port)), server_hostname="{HOST}")
def submission(password):
    client = Submissions("{ip}", {port})
    client.login("{JANE}", password)
    return client
own, phone = connect(), with_password(password)
typed = with_password(password.upper().replace("-", " "))
ok(typed.select())
sender = submission(password)
sender.sendmail("{JANE}", ["pat@elsewhere.example"], "From: {JANE}\r\nSubject: a\r\n\r\nb\r\n")
staff("remove", "{JANE}", "Jane's phone")
for client in (phone, typed):
    try:
        client.noop()
        client.noop()
        raise SystemExit("a session outlived its app password")
    except imaplib.IMAP4.abort:
        pass
try:
    sender.sendmail("{JANE}", ["pat@elsewhere.example"], "From: {JANE}\r\n\r\nb\r\n")
    raise SystemExit("a submission session outlived its app password")
except smtplib.SMTPException:
    pass
ok(own.noop())
for sign_in in (with_password, submission):
    try:
        sign_in(password)
        raise SystemExit("a removed app password opens")
    except (imaplib.IMAP4.error, smtplib.SMTPAuthenticationError):
        pass
print("removed")
"#,
        imap = clinic.at(2993).ip(),
        imap_port = clinic.at(2993).port(),
        ip = submissions.ip(),
        port = submissions.port(),
    );
    if let Some(said) = python(&clinic, test, &script) {
        assert_eq!(said.trim(), "removed");
    }
}

#[test]
fn the_log_has_no_word_of_the_mail() {
    let test = "the_log_has_no_word_of_the_mail";
    let clinic = clinic();
    let script = r#"
client = connect()
ok(client.create("Geheimfach"))
ok(client.append("Geheimfach", "Schluesselwort", None, b"Subject: Mondschein\r\n\r\nZauberwort\r\n"))
ok(client.select("Geheimfach"))
ok(client.search(None, "TEXT", "Zauberwort"))
try:
    client.fetch("9", "FLAGS")
except imaplib.IMAP4.error:
    pass
client.select("Nirgendwo")
print("done")
"#;
    if python(&clinic, test, script).is_none() {
        return;
    }
    let said = clinic.all_words();
    assert!(said.contains("signed-in") && said.contains("imap-refused"), "{said}");
    for word in ["Geheimfach", "Schluesselwort", "Mondschein", "Zauberwort", "Nirgendwo", "jane", PASSWORD] {
        assert!(!said.contains(word), "{word} stands in the log");
    }
}

#[test]
fn curl_lists_appends_and_fetches() {
    let test = "curl_lists_appends_and_fetches";
    let Some(curl) = find("curl", test) else { return };
    let clinic = clinic();
    let address = clinic.at(2993);
    let ask = |path: &str, more: &[&str], stdin: &[u8]| {
        let mut command = Command::new(&curl);
        command.args(["-sS", "--cacert"]).arg(clinic.path("certs/ca.pem"));
        command.args(["--resolve", &format!("{HOST}:{}:{}", address.port(), address.ip())]);
        command.args(["--user", &format!("{JANE}:{PASSWORD}")]).args(more);
        let output = run(command.arg(format!("imaps://{HOST}:{}/{path}", address.port())), stdin);
        assert!(output.status.success(), "{test} {path}: {}", words(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(ask("", &[], b"").contains("\"Drafts\""));
    let file = clinic.path("message.eml");
    fs::write(&file, "Subject: by curl\r\n\r\nHello\r\n").unwrap();
    ask("INBOX", &["-T", file.to_str().unwrap()], b"");
    assert!(ask("INBOX", &["-X", "SEARCH SUBJECT curl"], b"").contains("SEARCH 1"));
    assert!(ask("INBOX;MAILINDEX=1", &[], b"").contains("Hello"));
}

#[test]
fn mbsync_copies_both_ways_and_the_second_run_changes_nothing() {
    let test = "mbsync_copies_both_ways_and_the_second_run_changes_nothing";
    let Some(mbsync) = find("mbsync", test) else { return };
    let clinic = clinic();
    let fill = r#"
client = connect()
for number in range(12):
    ok(client.append("INBOX", "\\Seen" if number % 2 else None, None, b"Message-ID: <%d@a.example>\r\nSubject: %d\r\n\r\nText\r\n" % (number, number)))
ok(client.create("Work/2026"))
ok(client.append("Work/2026", "\\Flagged", None, b"Subject: work\r\n\r\nText\r\n"))
"#;
    if python(&clinic, test, fill).is_none() {
        return;
    }
    let near = clinic.path("near");
    fs::create_dir_all(&near).unwrap();
    fs::write(clinic.path("mbsyncrc"), configuration(&clinic)).unwrap();
    let sync = || {
        let output = run(Command::new(&mbsync).arg("-c").arg(clinic.path("mbsyncrc")).arg("-aV"), b"");
        assert!(output.status.success(), "mbsync: {}", words(&output));
        words(&output)
    };
    sync();
    let files = || {
        let mut files = super::clinic::files_below(&near);
        files.retain(|file| file.parent().is_some_and(|folder| folder.ends_with("cur") || folder.ends_with("new")));
        files
    };
    assert_eq!(files().len(), 13, "all are here");
    // One is written here, one flag is set here; both are there after the next run.
    fs::write(near.join("INBOX/new/1.local"), "Subject: from here\n\nText\n").unwrap();
    sync();
    let before = (files(), numbers(&clinic, test));
    let said = sync();
    assert_eq!((files(), numbers(&clinic, test)), before, "the second run changed something: {said}");
    assert!(before.1.contains("INBOX 13 14"), "{}", before.1);
}

/// Messages, UIDNEXT and HIGHESTMODSEQ of every mailbox.
fn numbers(clinic: &Clinic, test: &str) -> String {
    let script = r#"
import re
client = connect()
for name in ["INBOX", "Work/2026", "Sent", "Drafts"]:
    status = ok(client.status(name, "(MESSAGES UIDNEXT HIGHESTMODSEQ)"))[0].decode()
    print(name, *re.findall(r"\b(\d+)", status.split("(")[1]))
"#;
    python(clinic, test, script).unwrap()
}

fn configuration(clinic: &Clinic) -> String {
    // What it shows is trusted by itself: mbsync looks for names of hosts only, and the tests have addresses.
    let (address, pin, near) = (clinic.at(2993), clinic.path("certs/server.pem"), clinic.path("near"));
    let mut text = String::new();
    // The older words, which later versions take too.
    let _ = write!(
        text,
        r#"IMAPStore far
Host {ip}
Port {port}
User {JANE}
Pass "{PASSWORD}"
SSLType IMAPS
CertificateFile {pin}

MaildirStore near
Path {near}/
Inbox {near}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
"#,
        ip = address.ip(),
        port = address.port(),
        pin = pin.display(),
        near = near.display(),
    );
    text
}

/// What the gateway itself puts into mailboxes reaches a client that idles: a secured message stands in Sent as it was
/// written, and the client's own copy of it is no second one.
#[test]
fn what_the_gateway_writes_is_read_by_imaplib() {
    let clinic = clinic();
    let script = format!(
        r#"
import smtplib
socket.setdefaulttimeout(20)
def letter(subject, number):
    return (f"From: {JANE}\r\nSubject: {{subject}}\r\nMessage-ID: <{{number}}@clinic.example>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee the letter.\r\n"
        "--b\r\nContent-Type: application/pdf; name=\"letter.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        "JVBERi0xLjQKJcOkw7zDtsOfCg==\r\n--b--\r\n").encode()
client = connect()
assert ok(client.select("Sent")) == [b"0"]
smtp = smtplib.SMTP("{ip}", {port})
smtp._host = "{HOST}"
smtp.starttls(context=context)
smtp.login("{JANE}", "{PASSWORD}")
client.send(b"i1 IDLE\r\n")
assert client.readline().startswith(b"+")
secured = letter("Scan", 2)
smtp.sendmail("{JANE}", ["lee@home.example"], secured)
line = b""
while b"1 EXISTS" not in line:
    line = client.readline()
    assert line, "closed"
client.send(b"DONE\r\n")
while not line.startswith(b"i1 OK"):
    line = client.readline()
    assert line, "closed"
kept = ok(client.fetch("1", "(FLAGS BODY.PEEK[])"))
assert kept[0][1] == secured and b"Seen" in kept[0][0] + kept[-1], kept
ok(client.append("Sent", "", None, secured))
assert ok(client.select("Sent")) == [b"1"]
client.logout()
print("done")
"#,
        ip = clinic.submission().ip(),
        port = clinic.submission().port(),
    );
    if let Some(said) = python(&clinic, "what_the_gateway_writes_is_read_by_imaplib", &script) {
        assert_eq!(said.trim(), "done");
    }
}
