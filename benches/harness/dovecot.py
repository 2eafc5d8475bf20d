"""A Dovecot of its own: maildir, Postern's certificate and password scheme, all else as Debian ships it."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import time

CONFIG = """base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{certs}/server.pem
ssl_key = <{certs}/server.key
mail_location = maildir:~/Maildir
mail_max_userip_connections = 2000
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = 3994
    ssl = yes
  }}
}}
"""


class Dovecot:
    name = "Dovecot"
    imaps = "127.0.0.1:3994"

    def __init__(self, folder, certs, client, password, users):
        self.folder = folder.resolve()
        self.certs, self.client, self.password, self.users = certs.resolve(), client, password, users

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ("run", "state", "mail"):
            (self.folder / name).mkdir(parents=True)
        self.owner = pwd.getpwnam("nobody")
        os.chown(self.folder / "mail", self.owner.pw_uid, self.owner.pw_gid)
        config = CONFIG.format(folder=self.folder, certs=self.certs, uid=self.owner.pw_uid, gid=self.owner.pw_gid)
        (self.folder / "dovecot.conf").write_text(config)
        hashed = subprocess.run([self.client, "hash", self.password], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        (self.folder / "users").write_text("".join(f"{user}:{{ARGON2ID}}{hashed}\n" for user in self.users))
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.server = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", self.folder / "dovecot.conf"])
        time.sleep(1)
        if self.server.poll() is not None:
            raise SystemExit((self.folder / "dovecot.log").read_text())

    def stop(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait(20)

    def fill(self, user, mailbox, count):
        """Messages as files; Dovecot finds them when the mailbox is opened."""
        home = self.folder / "mail" / user
        place = home / "Maildir" / f".{mailbox}"
        subprocess.run([self.client, "maildir", place, str(count)], check=True)
        subprocess.run(["chown", "-R", f"{self.owner.pw_uid}:{self.owner.pw_gid}", home], check=True)

    def version(self):
        told = subprocess.run(["/usr/sbin/dovecot", "--version"], stdout=subprocess.PIPE, text=True).stdout
        return re.match(r"[\d.]+", told).group()
