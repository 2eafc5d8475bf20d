"""TLS and AUTH, by a client of our own (benches/submit.rs): Postfix's smtp-source speaks neither."""

import json
import subprocess

from . import postern

# how, size in octets, messages a run, messages a connection
LOADS = [
    ("tls", 4_096, 2_000, 1_000_000),
    ("starttls", 4_096, 2_000, 1_000_000),
    ("tls", 100_000, 1_000, 1_000_000),
    ("tls", 1_000_000, 100, 1_000_000),
    ("tls", 4_096, 200, 1),
]
SESSIONS = 10


def build(root, name="submit"):
    """Builds a program of benches/; its path."""
    command = ["cargo", "bench", "--locked", "--bench", name, "--no-run", "--message-format=json"]
    output = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in output.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == name:
            return message["executable"]
    raise SystemExit(f"{name} was not built")


def built(root, name):
    """The same as it was built last."""
    programs = [path for path in (root / "target" / "release" / "deps").glob(f"{name}-*") if not path.suffix]
    return max(programs, key=lambda path: path.stat().st_mtime)


def measure(gateway, client, quick):
    rows = []
    for how, size, count, each in LOADS:
        count = max(count // 10, SESSIONS) if quick else count
        result = send(gateway, client, how, size, count, SESSIONS, each)
        gateway.wait_until_idle(count)
        rows.append({"how": how, "size": size, "count": count, "each": each, "sessions": SESSIONS, **result})
        print(f"{how}, {size} octets: {result}", flush=True)
    return rows


def send(gateway, client, how, size, count, sessions, each):
    """One run; messages a second and the time from the final dot to 250."""
    command = [client, how, gateway.ports[how], gateway.folder / "certs" / "ca.pem", postern.HOST]
    command += [postern.USER, postern.PASSWORD, str(size), str(count), str(sessions), str(each)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
