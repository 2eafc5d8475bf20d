"""A Postfix of its own: configuration and queue in a folder on our disk, every delivery discarded.

It logs to syslog, which is not there: nothing but the queue costs it disk time. `in_flow_delay = 0` takes away the brake
that it puts on fast senders. Both are in its favour.
"""

import pathlib
import shutil
import subprocess
import time

PORT = 2600

MAIN = """compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = rival.example
mydestination =
mynetworks = 127.0.0.0/8
default_transport = discard
message_size_limit = 60000000
alias_maps =
alias_database =
smtputf8_enable = no
in_flow_delay = 0
"""


class Postfix:
    name = "Postfix"
    address = f"127.0.0.1:{PORT}"

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        for part in ("etc", "spool", "data"):
            (self.folder / part).mkdir(parents=True)
        shutil.chown(self.folder / "data", "postfix")
        etc = self.folder / "etc"
        (etc / "main.cf").write_text(MAIN.format(folder=self.folder))
        (etc / "dynamicmaps.cf").touch()
        services = pathlib.Path("/usr/share/postfix/master.cf.dist").read_text().splitlines()
        (etc / "master.cf").write_text(
            "\n".join(
                f"127.0.0.1:{PORT} inet n - n - - smtpd" if line.startswith("smtp ") and " inet " in line else line
                for line in services
            )
            + "\n"
        )
        self.control("start")
        time.sleep(1)
        return self

    def __exit__(self, *_):
        self.control("stop")

    def control(self, verb):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["/usr/sbin/postfix", "-c", self.folder / "etc", verb], check=True, **quiet)

    def wait_until_idle(self, _sent):
        """Until the queue is empty."""
        while any(self.queued(part) for part in ("maildrop", "incoming", "active", "deferred")):
            time.sleep(0.02)

    def queued(self, part):
        return any(path.is_file() for path in (self.folder / "spool" / part).rglob("*"))
