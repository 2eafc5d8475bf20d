# imapclient against the server: what an archive or a practice system does with a mailbox.
import datetime
import ssl
import sys

import imapclient

ip, port, ca, user, password = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)


def connect():
    client = imapclient.IMAPClient(ip, port=int(port), ssl_context=context, timeout=60)
    client.login(user, password)
    return client


def same(found, wanted):
    assert found == wanted, f"{found!r} is not {wanted!r}"


client = connect()
for wanted in ["IMAP4REV1", "IDLE", "UIDPLUS", "MOVE", "NAMESPACE", "SORT", "THREAD=REFERENCES", "CONDSTORE", "QUOTA"]:
    assert client.has_capability(wanted), f"{wanted} is not offered: {client.capabilities()}"
same(client.namespace().personal, (("", "/"),))
for use, name in [(imapclient.imapclient.SENT, "Sent"), (imapclient.imapclient.DRAFTS, "Drafts"), (imapclient.imapclient.TRASH, "Trash"), (imapclient.imapclient.JUNK, "Junk")]:
    same(client.find_special_folder(use), name)
assert client.id_({"name": "imapclient", "version": imapclient.__version__}) is not None

# Folders with names that are not ASCII, and one below another.
client.create_folder("Größe")
client.create_folder("Größe/質問")
names = [name for _, _, name in client.list_folders()]
assert "Größe" in names and "Größe/質問" in names, names
assert not client.folder_exists("Grösse") and client.folder_exists("Größe")
client.subscribe_folder("Größe")
assert "Größe" in [name for _, _, name in client.list_sub_folders()]
client.rename_folder("Größe/質問", "Größe/2026 & später")
same([name for _, _, name in client.list_folders(pattern="Größe/%")], ["Größe/2026 & später"])

# Two conversations and a message with parts.
def mail(number, subject, text, more=""):
    head = f"From: =?utf-8?q?Zo=C3=AB?= <zoe@home.example>\r\nTo: {user}\r\nMessage-ID: <{number}@home.example>\r\n{more}"
    return (f"{head}Subject: {subject}\r\nDate: Fri, 20 Nov 2026 09:0{number}:00 +0000\r\nMIME-Version: 1.0\r\n"
            f"Content-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
            "--cut\r\nContent-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0K\r\n--cut--\r\n").encode()


when = datetime.datetime(2026, 11, 20, 9, 0, tzinfo=datetime.timezone.utc)
client.append("INBOX", mail(1, "Blood test", "Größe 1"), flags=[imapclient.SEEN], msg_time=when)
client.append("INBOX", mail(2, "Re: Blood test", "Größe 2", "In-Reply-To: <1@home.example>\r\nReferences: <1@home.example>\r\n"))
client.append("INBOX", mail(3, "Appointment", "Montag"))
same(client.folder_status("INBOX", ["MESSAGES", "UNSEEN", "UIDNEXT"]), {b"MESSAGES": 3, b"UNSEEN": 2, b"UIDNEXT": 4})
same(client.select_folder("INBOX")[b"EXISTS"], 3)
same(client.search(["SUBJECT", "Blood", "UNSEEN"]), [2])
same(client.search(["TEXT", "Größe"], charset="UTF-8"), [1, 2])
same(client.search(["NOT", ["OR", "SEEN", ["SUBJECT", "Appointment"]]]), [2])
same(client.sort(["SUBJECT"]), [3, 1, 2])
same(client.thread("REFERENCES"), ((1, 2), (3,)))
data = client.fetch([1, 3], ["ENVELOPE", "BODYSTRUCTURE", "INTERNALDATE", "FLAGS", "RFC822.SIZE", "BODY.PEEK[1]", "BODY.PEEK[2]<0.4>"])
same(data[1][b"ENVELOPE"].message_id, b"<1@home.example>")
same(data[1][b"ENVELOPE"].from_[0].mailbox, b"zoe")
assert data[1][b"BODYSTRUCTURE"].is_multipart and data[1][b"BODYSTRUCTURE"][0][1][:2] == (b"image", b"png")
same(data[1][b"BODY[1]"].decode(), "Größe 1")
same(data[1][b"BODY[2]<0>"], b"iVBO")
same(data[3][b"RFC822.SIZE"], len(mail(3, "Appointment", "Montag")))
assert imapclient.SEEN in data[1][b"FLAGS"] and imapclient.SEEN not in data[3][b"FLAGS"]

# Flags, a keyword, copies, a move with its new number, what is thrown away.
assert {imapclient.FLAGGED, b"$Called"} <= set(client.add_flags(2, [imapclient.FLAGGED, "$Called"])[2])
assert b"$Called" not in client.remove_flags(2, ["$Called"])[2]
client.copy([1], "Größe")
same(client.folder_status("Größe", ["MESSAGES"]), {b"MESSAGES": 1})
client.move([3], "Größe/2026 & später")
same(client.search(), [1, 2])
client.delete_messages([1])
client.uid_expunge([1])
same(client.search(), [2])
assert client.get_quota_root("INBOX")[1]

# Another client writes while this one idles.
client.idle()
other = connect()
other.append("INBOX", mail(4, "While idling", "Text"))
heard = client.idle_check(timeout=30)
assert (2, b"EXISTS") in heard, heard
client.idle_done()
same(client.search(["UID", "4:*"]), [4])
other.logout()
client.close_folder()
client.delete_folder("Größe/2026 & später")
client.delete_folder("Größe")
client.logout()
print("done")
