"""The same IMAP operations by the same client (benches/imap.rs) into both servers, in turn."""

import json
import statistics
import subprocess
import time

from . import postern

STAFF = [postern.USER] + [f"staff{number}@clinic.example" for number in range(1, 20)]
SMALL, LARGE = 1_000, 50_000

# what, operation of the client, mailbox, sessions, times in each, rounds; a mailbox of None is each session's own
LOADS = [
    ("sign-in, SELECT, 100 headers", "open", "Small", 1, 10, 3),
    ("sign-in, SELECT, 100 headers", "open", "Small", 20, 5, 3),
    ("sign-in, SELECT, 100 headers", "open", "Large", 1, 10, 3),
    ("sign-in, SELECT, 100 headers", "open", "Large", 20, 5, 3),
    ("1,000 bodies", "bodies", "Small", 1, 5, 3),
    ("1,000 bodies", "bodies", "Small", 20, 1, 3),
    ("1,000 bodies", "bodies", "Large", 1, 5, 3),
    ("1,000 bodies", "bodies", "Large", 20, 1, 3),
    ("SEARCH SUBJECT", "search-header", "Small", 1, 20, 3),
    ("SEARCH SUBJECT", "search-header", "Small", 20, 10, 3),
    ("SEARCH SUBJECT", "search-header", "Large", 1, 2, 3),
    ("SEARCH SUBJECT", "search-header", "Large", 20, 1, 2),
    ("SEARCH BODY", "search-text", "Small", 1, 5, 3),
    ("SEARCH BODY", "search-text", "Small", 20, 1, 3),
    ("SEARCH BODY", "search-text", "Large", 1, 1, 2),
    ("APPEND, one mailbox", "append", "Drop", 1, 200, 3),
    ("APPEND, one mailbox", "append", "Drop", 20, 20, 3),
    ("APPEND, a mailbox each", "append", None, 20, 20, 3),
    ("STORE of one flag", "flags", "Small", 1, 200, 3),
    ("STORE of one flag", "flags", "Small", 20, 20, 3),
    ("STORE of one flag", "flags", "Large", 1, 200, 3),
    ("STORE of one flag", "flags", "Large", 20, 20, 3),
    ("STORE of 1,000 flags", "flags-all", "Small", 1, 10, 3),
]


def compare(rival, gateway, client, quick, wanted):
    """One row for each load: operations a second, of every run of both, alternating."""
    servers = (rival, gateway)
    loads = [load for load in LOADS if (not quick or load[2] != "Large") and (not wanted or load[1] in wanted)]
    for server, (mailbox, count) in [(one, it) for one in servers for it in (("Small", SMALL), ("Large", LARGE), ("Drop", 1))]:
        if any(load[2] == mailbox for load in loads):
            begun = time.monotonic()
            server.fill(STAFF[0], mailbox, count)
            print(f"{server.name}: {count} messages into {mailbox} in {time.monotonic() - begun:.1f} s", flush=True)
    rows, warm = [], set()
    for what, operation, mailbox, sessions, times, rounds in loads:
        row = {"what": what, "mailbox": mailbox, "sessions": sessions, "rates": {server.name: [] for server in servers}}
        for server in servers:
            # What a server keeps for the second time it has kept.
            if (server.name, operation, mailbox) not in warm and not operation.startswith("append"):
                run(server, client, operation, mailbox, 1, 1)
                warm.add((server.name, operation, mailbox))
        for _ in range(1 if quick else rounds):
            for server in servers:
                seconds = run(server, client, operation, mailbox, sessions, times)
                row["rates"][server.name].append(sessions * times / seconds)
        rows.append(row)
        print(line(row), flush=True)
    return rows


def run(server, client, operation, mailbox, sessions, times):
    users = [STAFF[0]] if mailbox else STAFF
    command = [client, operation, server.imaps, server.certs / "ca.pem", postern.HOST, postern.PASSWORD]
    command += [mailbox or "INBOX", str(sessions), str(times), *users]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)["seconds"]


def line(row):
    """A row of the table."""
    ours, theirs = (statistics.median(row["rates"][name]) for name in ("Postern", "Dovecot"))
    runs = " · ".join(" ".join(number(value) for value in row["rates"][name]) for name in ("Dovecot", "Postern"))
    where = {"Small": f"{SMALL:,}", "Large": f"{LARGE:,}"}.get(row["mailbox"], "–")
    return f"| {row['what']} | {where} | {row['sessions']} | {number(theirs)} | {number(ours)} | **{ours / theirs:.2f}** | {runs} |"


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
