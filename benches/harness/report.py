"""The page: each number with the command that measured it."""

import os
import pathlib
import platform
import statistics
import subprocess

from . import disk, rate

MIB = 1 << 20


def page(results):
    parts = [head(results), rates(results["rate"]), submissions(results["submission"]), memory(results["memory"])]
    parts.append(steps(results["steps"]))
    return "\n".join(parts)


def head(results):
    version = subprocess.run(["/usr/sbin/postconf", "-dh", "mail_version"], stdout=subprocess.PIPE, text=True).stdout
    memory_total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    place = pathlib.Path("target/bench").resolve()
    return f"""# How fast, how small

Question: how many messages a second does Postern take over, beside Postfix on the same disk, and how much memory does it need?

Every number here was written by `benches/run` (release build), in one run, the two servers in turn. Machine: {os.cpu_count()} cores,
{memory_total} GiB, {platform.system()}, {disk.filesystem(place)}; {results["disk"]:.0f} appends of 4 KiB with fdatasync a
second, one after the other. Load, servers and journal share the cores and the disk.
Postfix {version.strip()}.
"""


def rates(rows):
    text = f"""## Beside Postfix

`smtp-source -d` in the clear into Postern's trusted listener (`identity = "any"`, outbox in memory) and into Postfix
(`default_transport = discard`, no log, `in_flow_delay = 0`, all else as shipped, its syncs too). Both answer 250 when the message is synced. Postern reads the MIME
structure, decides by policy, rebuilds and seals each message; Postfix writes it down as it is. Medians of {len(rows[0]["rates"]["Postern"])} alternating runs;
the command of the first row: `{" ".join(rate.command("ADDRESS", rows[0]["size"], rows[0]["count"], rows[0]["sessions"]))}`.

| size | sessions | Postfix msg/s | Postern msg/s | Postern ÷ Postfix | the same until delivered | runs: Postfix · Postern |
|---:|---:|---:|---:|---:|---:|---|
"""
    for row in rows:
        ours, theirs = (statistics.median(row["rates"][name]) for name in ("Postern", "Postfix"))
        drained = statistics.median(row["drained"]["Postern"]) / statistics.median(row["drained"]["Postfix"])
        runs = " · ".join(" ".join(f"{value:.0f}" for value in row["rates"][name]) for name in ("Postfix", "Postern"))
        text += f"| {row['size']:,} | {row['sessions']} | {theirs:.0f} | {ours:.0f} | **{ours / theirs:.2f}** | {drained:.2f} | {runs} |\n"
    return text


def submissions(rows):
    text = """## Submission with TLS and AUTH

By `benches/submit.rs`, which checks the certificate and sends each message with one attachment. The last row makes a connection,
a TLS handshake and a sign-in (Argon2id) for every message.

| how | size | sessions | messages a connection | msg/s | final dot to 250: median | 99 % |
|---|---:|---:|---:|---:|---:|---:|
"""
    for row in rows:
        each = "all" if row["each"] > 1_000 else row["each"]
        text += f"| {row['how']} | {row['size']:,} | {row['sessions']} | {each} | {row['rate']:.0f} | {row['median_ms']:.1f} ms | {row['p99_ms']:.1f} ms |\n"
    return text


def memory(result):
    text = f"""## Memory

Resident memory from `/proc/PID/status`, every 10 ms, while each connection sends one message of {result["size"]:,} octets, after
one such message went before (`benches/harness/memory.py`). At rest after the start: **{result["rest"] / MIB:.0f} MiB**; after sixteen sign-ins at once
**{result["signed_in"] / MIB:.0f} MiB**, since the memory of `sign_ins_at_once` computations of Argon2id (19 MiB each) is kept for ten seconds.

| what | connections | before | at most | more, a connection |
|---|---:|---:|---:|---:|
"""
    for row in result["rows"]:
        more = (row["highest"] - row["before"]) / row["connections"] / MIB
        text += f"| {row['what']} | {row['connections']} | {row['before'] / MIB:.0f} MiB | {row['highest'] / MIB:.0f} MiB | {more:.1f} MiB |\n"
    return text


def steps(result):
    return f"""## Single steps

`cargo bench --bench micro`: the best of 20 rounds, on one thread.

| step | |
|---|---:|
| a plain text of 4 KiB: outline, second reader, facts | {result["assess_us"]:.0f} µs |
| its notice, composed ({result["notice_octets"]:,} octets) | {result["notice_us"]:.0f} µs |
| base64, decoded | {result["base64_mb_s"]:.0f} MB/s |
| a blob: digested, sealed, written to memory | {result["sealing_mb_s"]:.0f} MB/s |
"""


def replace_section(path, text):
    """Puts a section in the place of the one with the same heading, which ends where the next begins; else at the end."""
    heading = text.splitlines()[0]
    page = path.read_text()
    before, found, rest = page.partition(heading + "\n")
    after = rest[rest.index("\n## ") :] if found and "\n## " in rest else "\n"
    path.write_text(before.rstrip("\n") + "\n\n" + text.rstrip("\n") + "\n" + after.rstrip("\n") + "\n" * bool(after.strip()))


def section_of(path, heading):
    """A section that another program writes, as it is now; nothing where there is none."""
    if not path.exists() or heading not in path.read_text():
        return ""
    rest = path.read_text().partition(heading)[2]
    end = rest.find("\n## ")
    return "\n" + heading + (rest if end < 0 else rest[:end]).rstrip("\n") + "\n"
