//! What a guest writes back, from the portal to the Inbox of who wrote; and the message it answers, in Sent.

use super::super::browser::{open_portal, origin};
use super::super::clinic::{Clinic, HOST, JANE, PASSWORD};
use super::{clinic_with, python};

/// What Jane writes, with two documents, to an insurer, who proves with a code that the mail is theirs.
const LETTER: &str = r#"
import email, email.policy, glob, http.cookiejar, os, re, time, urllib.parse, urllib.request
def letter():
    mail = email.message.EmailMessage(email.policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = "Jane Citizen <" + JANE + ">", GUEST, "[payer] Invoice 2026-118"
    mail["Date"], mail["Message-ID"] = "Sat, 21 Nov 2026 10:00:00 +1100", "<invoice@clinic.example>"
    mail.set_content("Please find the invoice and what it is for.\n")
    mail.add_attachment(b"%PDF-1.4\n" + bytes(range(256)) * 40, maintype="application", subtype="pdf", filename="invoice.pdf")
    mail.add_attachment("day;item\n", subtype="csv", filename="items.csv")
    return mail.as_bytes()
# Every octet there is, and more than one read's worth of them.
SCAN = bytes(range(256)) * 1200
NOTE = "Paid today – thank you. Größe, naïve, 質問.".encode()
"#;

/// A guest with a browser's manners: cookies, forms, their tokens.
const GUEST: &str = r#"
GUEST = "accounts@insurer.example"
usual = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **named: usual(ADDRESS if host.endswith("clinic.example") else host, *rest, **named)
class Guest:
    def __init__(self):
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), jar)
    def open(self, url, data=None, kind="application/x-www-form-urlencoded"):
        fields = {"Content-Type": kind, "Origin": ORIGIN} if data is not None else {}
        with self.opener.open(urllib.request.Request(urllib.parse.urljoin(ORIGIN, url), data, fields)) as answer:
            self.page, self.at = answer.read().decode(), answer.geturl()
    def hidden(self, name):
        return re.search(r'name="%s" value="([^"]*)"' % name, self.page)[1]
    def send(self, path, **fields):
        self.open(path, urllib.parse.urlencode({"form": self.hidden("form"), **fields}).encode())
    def reply(self, text, files):
        self.open(self.at.split("?")[0] + "/reply")
        parts = [("form", None, self.hidden("form").encode()), ("text", None, text.encode())]
        body = b""
        for name, file, octets in parts + [("files", file, octets) for file, octets in files]:
            named = '; filename="%s"' % file if file else ""
            body += b'--cut-here\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n' % (name.encode(), named.encode())
            body += octets + b"\r\n"
        self.open(self.at, body + b"--cut-here--\r\n", "multipart/form-data; boundary=cut-here")
def mailed(pattern):
    for _ in range(600):
        for file in glob.glob(OUTBOX + "/*.eml"):
            mail = email.message_from_bytes(open(file, "rb").read(), policy=email.policy.default)
            if GUEST in mail["X-Envelope-To"]:
                found = re.search(pattern, mail.get_body(("plain",)).get_content())
                if found:
                    return found[0]
        time.sleep(0.05)
    raise SystemExit("nobody mailed the guest " + pattern)
def guest_reads():
    guest = Guest()
    guest.open(mailed(re.escape(ORIGIN) + r"/p/\S+"))
    guest.send(guest.at)
    if 'name="code"' not in guest.page:
        guest.send("/code/mail", **{"for": guest.hidden("for")})
    guest.send("/code", code=mailed(r"\b\d{3} \d{3}\b"), **{"for": guest.hidden("for")})
    assert "/m/" in guest.at, guest.at
    return guest
def submit(octets):
    import smtplib
    smtp = smtplib.SMTP(HOST, SUBMISSION)
    smtp.starttls(context=context)
    smtp.login(JANE, PASSWORD)
    smtp.sendmail(JANE, [GUEST], octets)
    smtp.quit()
"#;

/// A clinic with mailboxes and a portal.
pub fn clinic_with_portal() -> Clinic {
    let clinic = clinic_with(open_portal);
    assert!(clinic.last_words().contains(&format!("set up a mail program at {}/setup.", origin())));
    clinic
}

/// The scripts above, with this clinic's names and the portal's address.
pub fn guest(clinic: &Clinic, origin: &str) -> String {
    format!(
        "HOST, JANE, PASSWORD, ADDRESS, SUBMISSION = {HOST:?}, {JANE:?}, {PASSWORD:?}, \"{}\", {}\nORIGIN, OUTBOX = {:?}, {:?}\n\
         {LETTER}\n{GUEST}",
        clinic.submission().ip(),
        clinic.submission().port(),
        origin,
        clinic.path("outbox"),
    )
}

/// Jane writes, the guest reads and writes back; after [`guest`].
pub const GUEST_REPLIES: &str = r#"
connect().logout()
submit(letter())
guest_reads().reply("Thank you. It is paid.", [("scan.pdf", SCAN), ("note.txt", NOTE)])
"#;

/// A reply with a note and a scan lies in Jane's Inbox, and what it answers in Sent; `None` where Python is missing.
pub fn replied(test: &str) -> Option<Clinic> {
    let clinic = clinic_with_portal();
    python(&clinic, test, &(guest(&clinic, &origin()) + GUEST_REPLIES))?;
    Some(clinic)
}

#[test]
fn a_guests_reply_is_read_over_imaplib_within_a_second() {
    let clinic = clinic_with_portal();
    let test = "a_guests_reply_is_read_over_imaplib_within_a_second";
    let script = r#"
socket.setdefaulttimeout(60)
client, idler = connect(), connect()
ok(idler.select())
sent = letter()
submit(sent)
guest = guest_reads()
# A machine that builds and tests on all its processors may be late; three times in a row it is the server.
for _ in range(3):
    idler.send(b"i1 IDLE\r\n")
    while not idler.readline().startswith(b"+"):
        pass
    guest.reply("Thank you. It is paid.", [("scan.pdf", SCAN), ("note.txt", NOTE)])
    answered = time.monotonic()
    line = b""
    while b" EXISTS" not in line:
        line = idler.readline()
        assert line, "closed"
    late = time.monotonic() - answered
    number = line.split()[1]
    idler.send(b"DONE\r\n")
    while not line.startswith(b"i1 OK"):
        line = idler.readline()
        assert line, "closed"
    if late < 1:
        break
assert late < 1, "an idling client learnt it after %.3f s" % late

ok(client.select())
(head, octets), *_ = ok(client.fetch(number, "(FLAGS BODY.PEEK[])"))
reply = email.message_from_bytes(octets, policy=email.policy.default)
# The guest has given no name: the address is not put before itself.
assert reply["Reply-To"] == GUEST, reply["Reply-To"]
assert "Thank you. It is paid." in reply.get_body(("plain",)).get_content()
files = {part.get_filename(): part.get_payload(decode=True) for part in reply.iter_attachments()}
assert files == {"scan.pdf": SCAN, "note.txt": NOTE}, {name: len(octets) for name, octets in files.items()}
(_, part), *_ = ok(client.fetch(number, "(BINARY.PEEK[2])"))
assert part == SCAN

# Sent has it as it was written, the client's own copy is no second one, and the reply belongs to it.
assert ok(client.select("Sent")) == [b"1"]
(_, kept), *_ = ok(client.fetch("1", "(BODY.PEEK[])"))
assert kept == sent, "Sent has not what was written"
original = email.message_from_bytes(kept)["Message-ID"]
assert reply["In-Reply-To"] == original and original in reply["References"], (reply["In-Reply-To"], reply["References"])
uid = re.search(rb"UID (\d+)", ok(client.fetch("1", "(UID)"))[0])[1]
_, valid = client.response("UIDVALIDITY")
said = ok(client.append("Sent", "\\Seen", None, sent))[0]
assert said.startswith(b"[APPENDUID " + valid[0] + b" " + uid + b"]"), said
assert ok(client.select("Sent")) == [b"1"]
print("read")
"#;
    if let Some(said) = python(&clinic, test, &(guest(&clinic, &origin()) + script)) {
        assert_eq!(said.trim(), "read");
    }
}
