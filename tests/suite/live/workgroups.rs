//! A workgroup on the built server: a message sent as it, a guest's reply on the portal, two members who read it, one of them
//! idling, and one who does not any more.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::process::Command;

use super::browser::{PORTAL, open_portal};
use super::clinic::{Clinic, HOST, JANE, PASSWORD, Setup, words};
use super::tools::{find, run};

const ANN: &str = "ann@clinic.example";
const GUEST: &str = "guest@home.example";

const GROUP: &str = r#"
[[workgroup]]
name = "Desk"
address = "desk@clinic.example"
read = "nurses"
send = "front"
staff_mail = "inbox"
"#;

/// A clinic with a portal and mailboxes; Jane sends as the workgroup, Ann reads. Its guest has a link that asks for nothing.
fn clinic() -> Clinic {
    let mut clinic = Clinic::new(&Setup::default());
    let more = format!("[imap]\nimaps = [\"{}\"]\n", clinic.at(2993));
    clinic.configure(&Setup { more, ..Setup::default() });
    open_portal(&clinic);
    let mut practice = practice(&clinic);
    practice.write_all(GROUP.as_bytes()).unwrap();
    let rule =
        format!("[[rule]]\nname = \"open\"\n[rule.when]\nrecipient = \"{GUEST}\"\n[rule.set]\naccess = \"none\"\n");
    fs::write(clinic.path("policies/95-open.toml"), rule).unwrap();
    clinic.start();
    for (who, group) in [(JANE, "front"), (ANN, "nurses")] {
        let added = clinic.run(&["staff", "add", who, "--group", group, "--password-stdin"], &format!("{PASSWORD}\n"));
        assert!(added.status.success(), "staff add: {}", words(&added));
    }
    clinic
}

fn practice(clinic: &Clinic) -> fs::File {
    OpenOptions::new().append(true).open(clinic.path("policies/practices/example-clinic.toml")).unwrap()
}

const SCRIPT: &str = r#"
import email, glob, http.client, imaplib, re, smtplib, socket, ssl, time, urllib.parse
from email import policy
socket.setdefaulttimeout(30)
context = ssl.create_default_context(cafile=CA)
class Imaps(imaplib.IMAP4_SSL):
    def _create_socket(self, timeout):
        return context.wrap_socket(socket.create_connection((self.host, self.port)), server_hostname=HOST)
class Https(http.client.HTTPSConnection):
    def connect(self):
        self.sock = context.wrap_socket(socket.create_connection((IP, PORTAL)), server_hostname=HOST)
def connect(name):
    client = Imaps(IP, IMAPS)
    client.login(name, PASSWORD)
    return client
def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]
def until(client, piece):
    while True:
        line = client.readline()
        assert line, "closed"
        if piece in line:
            return line

class Guest:
    origin, cookies = f"https://{HOST}:{PORTAL}", {}
    def ask(self, method, path, body=None, kind="application/x-www-form-urlencoded"):
        connection = Https(HOST, PORTAL)
        fields = {"Host": f"{HOST}:{PORTAL}", "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            fields |= {"Origin": self.origin, "Content-Type": kind}
        connection.request(method, path, body, fields)
        answer = connection.getresponse()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return answer.status, answer.headers.get("Location"), answer.read().decode()
    def token(self, path):
        status, _, page = self.ask("GET", path)
        assert status == 200, (path, status, page)
        return re.search(r'name="form" value="([^"]+)"', page)[1]
    def press(self, path):
        status, to, page = self.ask("POST", path, urllib.parse.urlencode({"form": self.token(path)}))
        assert status == 303, (status, page)
        return to
    def reply(self, path, text):
        body = "".join(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in [("form", self.token(path)), ("text", text)]) + "--b--\r\n"
        return self.ask("POST", path, body, "multipart/form-data; boundary=b")

jane, ann = connect(JANE), connect(ANN)
assert ok(jane.namespace())[0] == b'(("" "/")) (("Workgroups/" "/")) NIL', jane.namespace()
assert b'"Workgroups/Desk/INBOX"' in b"".join(ok(ann.lsub()))
try:
    ann.select("Workgroups/Desk/INBOX")
    raise SystemExit("who reads only must find it so")
except imaplib.IMAP4.readonly:
    pass

message = ("From: Desk <desk@clinic.example>\r\nTo: guest@home.example\r\nSubject: Scan\r\nMessage-ID: <1@clinic.example>\r\n"
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee the scan.\r\n"
    "--b\r\nContent-Type: application/pdf; name=\"scan.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "JVBERi0xLjQKJcOkw7zDtsOfCg==\r\n--b--\r\n").encode()
def send(name, expected):
    smtp = smtplib.SMTP(IP, SUBMISSION)
    smtp._host = HOST
    smtp.starttls(context=context)
    smtp.login(name, PASSWORD)
    try:
        smtp.sendmail("desk@clinic.example", ["guest@home.example"], message)
        assert expected == 250
    except smtplib.SMTPResponseException as error:
        assert error.smtp_code == expected, error
    except smtplib.SMTPRecipientsRefused as error:
        raise SystemExit(f"{error}")
send(ANN, 550)
send(JANE, 250)
assert ok(ann.select("Workgroups/Desk/Sent", True)) == [b"1"], "all of the group find what was sent"
assert ok(jane.select("Sent")) == [b"1"], "and so does who sent it"
assert ok(ann.select("Workgroups/Desk/INBOX", True)) == [b"0"]
ann.send(b"i1 IDLE\r\n")
assert ann.readline().startswith(b"+")

link = None
for _ in range(600):
    for file in glob.glob(f"{OUTBOX}/*.eml"):
        mail = email.message_from_bytes(open(file, "rb").read(), policy=policy.default)
        if mail["X-Envelope-To"] == "<guest@home.example>":
            link = re.search(re.escape(f"https://{HOST}:{PORTAL}") + r"(/p/[\w-]+)", mail.get_body(("plain",)).get_content())[1]
    if link:
        break
    time.sleep(0.05)
assert link, "no mail came for the guest"
guest = Guest()
to = guest.press(link)
status, to, page = guest.reply(f"{to}/reply", "Thank you, I shall come.")
assert status == 303 and "replied" in to, (status, to, page)

started = time.monotonic()
until(ann, b"1 EXISTS")
assert time.monotonic() - started < 5, "an idling member hears at once"
ok(jane.select("Workgroups/Desk/INBOX"))
assert b"I shall come" in ok(jane.fetch("1", "(BODY[TEXT])"))[0][1]
until(ann, b"\\Seen")

# From now on nurses read no more: who idles there is told good bye, and finds no such mailbox.
with open(PRACTICE) as file:
    text = file.read()
with open(PRACTICE, "w") as file:
    file.write(text.replace('read = "nurses"', 'read = "doctors"'))
until(ann, b"* BYE")
again = connect(ANN)
assert again.select("Workgroups/Desk/INBOX")[0] == "NO"
assert ok(again.namespace())[0] == b'(("" "/")) NIL NIL'
assert ok(jane.noop())
print("done")
"#;

#[test]
fn a_guests_reply_reaches_all_who_read_for_the_workgroup() {
    let test = "a_guests_reply_reaches_all_who_read_for_the_workgroup";
    let Some(python) = find("python3", test) else { return };
    let clinic = clinic();
    let (ip, submission) = (clinic.submission().ip(), clinic.submission().port());
    let prelude = format!(
        "CA, HOST, IP, PORTAL, IMAPS, SUBMISSION = {ca:?}, \"{HOST}\", \"{ip}\", {PORTAL}, 2993, {submission}\n\
         JANE, ANN, PASSWORD = \"{JANE}\", \"{ANN}\", \"{PASSWORD}\"\nOUTBOX, PRACTICE = {outbox:?}, {practice:?}\n",
        ca = clinic.path("certs/ca.pem"),
        outbox = clinic.path("outbox"),
        practice = clinic.path("policies/practices/example-clinic.toml"),
    );
    let output = run(Command::new(python).arg("-"), format!("{prelude}{SCRIPT}").as_bytes());
    assert!(output.status.success(), "{test}: {}\n{}", words(&output), clinic.last_words());
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "done");
    let listed = clinic.run(&["staff", "list"], "");
    assert!(words(&listed).contains("Desk (send)"), "{}", words(&listed));
}
