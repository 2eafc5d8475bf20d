"""Plays generated sessions on Dovecot and on Postern, and tells where they answer differently.

    play.py HOST PORT CA NAME PASSWORD FOLDER [FIRST-SEED SEEDS]

Dovecot is started for it in FOLDER, on loopback. Nothing is compared in which the standards leave a choice, or Dovecot does otherwise than
they say; `letters.py` makes nothing of that kind.
"""

import os
import pathlib
import random
import signal
import socket
import ssl
import subprocess
import sys
import time

import letters
import wire

CONFIG = """base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = sdbox:~/sdbox
passdb {{
  driver = static
  args = password=none
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""


class Dovecot:
    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        for name in ("run", "state", "mail"):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o755)
        (self.folder / "mail").chmod(0o777)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = free.getsockname()
        config = self.folder / "dovecot.conf"
        config.write_text(CONFIG.format(folder=self.folder, port=self.address[1]))
        # It tells INTERNALDATE by the clock of the machine, Postern in UTC.
        self.server = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", config], env={**os.environ, "TZ": "UTC"})
        for _ in range(100):
            try:
                return socket.create_connection(self.address).close() or self
            except OSError:
                time.sleep(0.1)
        raise SystemExit("Dovecot did not start: " + (self.folder / "dovecot.log").read_text())

    def __exit__(self, *_):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait(20)


class Table:
    """Both servers, and what was played on them."""

    def __init__(self, dovecot, postern):
        self.both, self.played, self.differences, self.seed = (dovecot, postern), 0, [], 0

    def play(self, command):
        command = command if isinstance(command, bytes) else command.encode()
        answers = [server.command(command) for server in self.both]
        self.played += 1
        expected, told = (wire.alike(answer) for answer in answers)
        if expected != told:
            head = command[:300].decode("utf-8", "replace")
            self.differences.append(f"seed {self.seed}: {head}\n  Dovecot {expected}\n  Postern {told}")

    def fill(self, mailbox, messages, dice):
        self.play(f"CREATE {mailbox}")
        for message in messages:
            flags = " ".join(dice.sample(letters.FLAGS, dice.choice([0, 0, 1, 2])))
            date = dice.choice(["02-Nov-2026 10:00:00 +0000", "01-Nov-2026 23:59:59 +0000", "03-Nov-2026 01:00:00 +0200", "31-Dec-1999 23:00:00 -0200"])
            self.play(f'APPEND {mailbox} ({flags}) "{date}" {{{len(message)}+}}\r\n'.encode() + message)
        self.play(f"SELECT {mailbox}")


def session(table, seed):
    dice, table.seed = random.Random(seed), seed
    made = [letters.message(dice) for _ in range(8)]
    table.fill(f"m{seed}", [message for message, _ in made], dice)
    table.play("FETCH 1:* ALL")
    for number, (_, parts) in enumerate(made, 1):
        for command in letters.fetches(dice, number, parts):
            table.play(command)
    for command in letters.searches(dice):
        table.play(command)
    table.fill(f"t{seed}", letters.answers(dice, 14), dice)
    for command in ("THREAD REFERENCES UTF-8 ALL", "UID THREAD ORDEREDSUBJECT UTF-8 ALL", "SORT (SUBJECT REVERSE DATE) UTF-8 ALL"):
        table.play(command)
    for command in letters.changes(dice, 10):
        table.play(command)
    table.play("UNSELECT")


def main():
    host, port, authority, name, password, folder = sys.argv[1:7]
    first, seeds = (int(it) for it in (sys.argv[7:9] or ("1", "5")))
    trusting = ssl.create_default_context(cafile=authority)
    trusting.check_hostname = False
    with Dovecot(pathlib.Path(folder)) as dovecot:
        ours = trusting.wrap_socket(socket.create_connection((host, int(port))))
        table = Table(wire.Connection(wire.plain(dovecot.address), name, "none"), wire.Connection(ours, name, password))
        # What only Postern makes for everybody.
        for mailbox in ("Sent", "Drafts", "Trash", "Junk"):
            table.both[1].command(f"UNSUBSCRIBE {mailbox}".encode())
            table.both[0].command(f"CREATE {mailbox}".encode())
        table.both[1].command(b"UNSUBSCRIBE INBOX")
        table.play("CREATE other")
        for command in letters.places(random.Random(first)):
            table.play(command)
        for seed in range(first, first + seeds):
            session(table, seed)
    for difference in table.differences[:20]:
        print(difference)
    print(f"{table.played} commands, {len(table.differences)} differences")
    print("done" if table.played and not table.differences else "not alike")


main()
