"""The part of the page about mailboxes."""

import os

from . import mailboxes
from .sessions import STAFF

HEADING = "## Mailboxes, beside Dovecot"
MEMORY = "## What IMAP sessions hold"
WHY = """
A search by subject reads and opens one sealed record a message, where Dovecot reads a field from its cache, which keeps it in the clear: subjects name
patients, so Postern keeps no such index.
"""


def section(rows, version):
    text = f"""{HEADING}

Question: how fast do mail programs read and change mailboxes, beside Dovecot with the same messages?

Written by `benches/imap` (release build): Postern and Dovecot {version} in turn, by one client of our own (`benches/imap.rs`), load and server on the same {os.cpu_count()} cores and the same disk. Dovecot has a maildir, the
same certificate and the same password scheme (ARGON2ID, 19 MiB, two passes); all else is as Debian ships it, so it syncs appended messages and neither flags nor its index (`mail_fsync = optimized`).
Postern opens what is sealed (AES-256-GCM), and syncs every change before it answers. All sessions of a row have the same mailbox open, but where it says otherwise. Operations a second over all sessions, medians of the runs.

| operation | mailbox | sessions | Dovecot | Postern | Postern ÷ Dovecot | runs: Dovecot · Postern |
|---|---:|---:|---:|---:|---:|---|
"""
    return text + "".join(mailboxes.line(row) + "\n" for row in rows) + WHY


def memory(found):
    mib = lambda octets: f"{octets / (1 << 20):.0f} MiB"  # noqa: E731
    each = (found["idling"] - found["start"]) / found["idle"] / 1024
    text = f"""{MEMORY}

Question: what do {found["idle"]:,} sessions cost that idle, and what can {found["hostile"]} add that mean harm?

Written by `benches/imap --memory`, or with the rest: resident memory of the whole process (VmRSS). Sessions have TLS, have signed in and selected their Inbox, and idle ({len(STAFF)} accounts). Then {found["hostile"]} hostile ones
come beside them for {found["seconds"]} s, each again a second after it was closed, while an honest one asks ten times a second.

| when | memory |
|---|---:|
| after the start | {mib(found["start"])} |
| when the last of {found["idle"]:,} has just signed in, fifty at once (19 MiB for each of four computations of Argon2id at a time, kept for ten seconds) | {mib(found["signing_in"])} |
| with the {found["idle"]:,} that idle: {each:.0f} KiB each | **{mib(found["idling"])}** |
| with {found["hostile"]} hostile ones beside them, who sign in again and again, at most | **{mib(found["highest"])}** |
| of that in the second half of the time | {mib(found["late"])} |

Of the idling {found["still"]:,} still answered at the end; the slowest of {found["asked"]:,} answers to the honest one took {found["slowest"] * 1000:.0f} ms.

| hostile sessions | at once | closed, in all | the first after |
|---|---:|---:|---:|
"""
    for what, count, closed, first in found["ways"]:
        after = f"{first:.1f} s" if first is not None else "–"
        text += f"| {what} | {count} | {closed:,} | {after} |\n"
    return text
