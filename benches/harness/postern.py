"""A Postern of its own: data, keys and journal in a folder on our disk.

Its outbox lies in memory, because Postfix discards what it delivers: the two are compared in taking mail over.
"""

import imaplib
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import tempfile
import time

HOST = "mail.clinic.example"
USER = "jane@clinic.example"
PASSWORD = "seven clover anvils hum"

CONFIG = """[gateway]
hostname = "mail.clinic.example"
public_url = "{public_url}"
data_dir = "data"
policies = "policies"
certs = "certs"
keyring = "keys"

[smtp]
submission = ["127.0.0.1:3587"]
submissions = ["127.0.0.1:3465"]
inbound = []
max_message = "{max_message}"

[[smtp.relay]]
listen = "127.0.0.1:3526"
networks = ["127.0.0.0/8"]
tls = "optional"
identity = "any"

[relay]
mode = "folder"
path = "{outbox}"

[keys]
master = "file:keys/master.key"
"""


PORTAL = """
[portal]
listen = ["http://127.0.0.1:3480", "127.0.0.1:3443"]
trusted_proxies = ["127.0.0.1/32"]

[limits]
connections = 2000
per_address = 2000
"""


class Postern:
    name = "Postern"
    more = ""
    public_url = "https://mail.clinic.example"
    max_message = "50 MiB"
    address = "127.0.0.1:3526"
    ports = {"plain": "127.0.0.1:3526", "starttls": "127.0.0.1:3587", "tls": "127.0.0.1:3465"}

    def __init__(self, root, folder):
        self.root = root
        self.folder = folder
        self.program = root / "target" / "release" / "postern"

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.outbox = pathlib.Path(tempfile.mkdtemp(prefix="outbox-", dir="/dev/shm"))
        shutil.copytree(self.root / "policies", self.folder / "policies")
        # The recipients are nobody's: they are sent to, and no status mail is measured with the messages.
        (self.folder / "policies" / "90-bench.toml").write_text(
            '[[rule]]\nname = "bench"\n[rule.set]\nask = false\nstatus_mail = "never"\n'
        )
        (self.folder / "config.toml").write_text(self.config())
        self.start()
        self.add(USER)
        return self

    def add(self, user):
        subprocess.run(
            [self.program, "staff", "add", user, "--password-stdin"],
            cwd=self.folder,
            input=PASSWORD + "\n",
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def config(self):
        return CONFIG.format(outbox=self.outbox, public_url=self.public_url, max_message=self.max_message) + self.more

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.outbox)

    def start(self):
        log = open(self.folder / "postern.log", "ab")
        seen = log.tell()
        self.server = subprocess.Popen(
            [self.program, "serve", "--config", "config.toml"],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        while b"\nReady" not in b"\n" + (self.folder / "postern.log").read_bytes()[seen:]:
            if self.server.poll() is not None:
                raise SystemExit((self.folder / "postern.log").read_text())
            time.sleep(0.05)

    def stop(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait(60)

    def wait_until_idle(self, sent):
        """Until every message sent lies in the outbox; then the outbox is emptied."""
        deadline = time.monotonic() + 300
        while sum(1 for entry in os.scandir(self.outbox) if entry.name.endswith(".eml")) < sent:
            if time.monotonic() > deadline:
                raise SystemExit("not everything was delivered within five minutes")
            time.sleep(0.02)
        self.empty_outbox()

    def empty_outbox(self):
        for entry in os.scandir(self.outbox):
            os.unlink(entry.path)

    def mails_to(self, recipient):
        """The newest first."""
        files = sorted(self.outbox.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
        mails = (file.read_bytes() for file in files)
        return [mail for mail in mails if f"X-Envelope-To: <{recipient}>".encode() in mail[:1000]]

    def processor_seconds(self):
        """What the process has used of the processors, in all."""
        fields = open(f"/proc/{self.server.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self):
        """Resident memory in octets."""
        return self.memory("VmRSS:")

    def peak(self):
        """The most of it since the start, or since it was forgotten."""
        return self.memory("VmHWM:")

    def forget_peak(self):
        with open(f"/proc/{self.server.pid}/clear_refs", "w") as file:
            file.write("5")

    def memory(self, what):
        for line in open(f"/proc/{self.server.pid}/status"):
            if line.startswith(what):
                return int(line.split()[1]) * 1024
        raise SystemExit("the server is gone")


class Large(Postern):
    """The same for very large messages."""

    max_message = "300 MiB"


class Portal(Postern):
    """The same with a portal: in the clear, as behind a proxy, and with TLS."""

    public_url = "https://127.0.0.1:3443"
    max_message = "200 MiB"
    more = PORTAL
    clear = "http://127.0.0.1:3480"


IMAP = """
[imap]
imaps = ["127.0.0.1:3993"]

[limits]
connections = 4000
per_address = 4000
per_account = 1000
"""


class Mailboxes(Postern):
    """The same with mailboxes."""

    name = "Postern"
    more = IMAP
    imaps = "127.0.0.1:3993"

    def __init__(self, root, folder, client, staff):
        super().__init__(root, folder)
        self.certs, self.client, self.staff = folder / "certs", client, staff

    def __enter__(self):
        super().__enter__()
        for user in self.staff:
            if user != USER:
                self.add(user)
        return self

    def fill(self, user, mailbox, count):
        """Messages by APPEND, over several connections."""
        with Imap(self, user) as connection:
            connection.create(mailbox)
        command = [self.client, "append-from", self.imaps, self.certs / "ca.pem", HOST, PASSWORD, mailbox, "8", str(count), user]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class Imap(imaplib.IMAP4_SSL):
    """A session that has signed in."""

    def __init__(self, server, user):
        trusting = ssl.create_default_context(cafile=server.certs / "ca.pem")
        trusting.check_hostname = False
        host, port = server.imaps.split(":")
        super().__init__(host, int(port), ssl_context=trusting)
        self.login(user, PASSWORD)
