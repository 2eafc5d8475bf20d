"""The portal's part of the page."""

import statistics
import subprocess

from . import pages, signing_in

HEADING = "## The portal, beside nginx"
SIGN_INS = "## Mail beside two hundred sign-ins"


def section(results):
    return "\n".join([head(), page_rates(results["pages"]), transfer(results["transfer"]), sizes(results["sizes"])])


def head():
    version = subprocess.run(["/usr/sbin/nginx", "-v"], stderr=subprocess.PIPE, text=True).stderr.strip().rsplit("/", 1)[1]
    return f"""{HEADING}

Written by `benches/portal` (release build): Postern and nginx {version} in turn, load and server on the same two cores. nginx serves a file
with the octets of Postern's own page, from memory; Postern looks up the right, opens what is sealed, judges it and writes the page.
"""


def page_rates(rows):
    text = """`wrk -t1 -c32 -d10s --latency`, in the clear, medians of the runs:

| page | octets | nginx requests/s | Postern requests/s | Postern p50 | Postern p99 | runs: nginx · Postern |
|---|---:|---:|---:|---:|---:|---|
"""
    for row in rows:
        middle = pages.medians(row)
        runs = " · ".join(" ".join(f"{run['rate']:.0f}" for run in row["runs"][name]) for name in ("nginx", "Postern"))
        ours = middle["Postern"]
        text += f"| {row['what']} | {row['size']:,} | {middle['nginx']['rate']:,.0f} | **{ours['rate']:,.0f}** | {ours['p50']:.1f} ms | {ours['p99']:.1f} ms | {runs} |\n"
    return text


def transfer(result):
    ours, theirs = (statistics.median(result["runs"][name]) for name in ("Postern", "nginx"))
    runs = " · ".join(" ".join(f"{value:.0f}" for value in result["runs"][name]) for name in ("nginx", "Postern"))
    return f"""A document of {result['size']:,} octets with TLS 1.3 by `curl`: nginx {theirs:.0f} MB/s, Postern **{ours:.0f} MB/s**, which is
**{ours / theirs:.2f}** of it (runs: {runs}); Postern decrypts and authenticates every octet on the way.
"""


def sizes(rows):
    text = """Many rights: the same pages, the start until `Ready`, and what the process uses of the processor in 61 seconds in which nobody asks for
anything and the agenda has looked twice for what is due.

| what there is | link page/s | p99 | message page/s | p99 | start | idle | memory |
|---|---:|---:|---:|---:|---:|---:|---:|
"""
    for row in rows:
        link, parcel = row["link"], row["parcel"]
        text += f"| {row['what']} | {link['rate']:,.0f} | {link['p99']:.1f} ms | {parcel['rate']:,.0f} | {parcel['p99']:.1f} ms | {row['start']:.2f} s | {row['idle']:.2f} s | {row['memory'] >> 20} MiB |\n"
    return text


def sign_ins(rounds):
    alone, idlers, beside = (statistics.median(one[key] for one in rounds) for key in ("alone", "idlers", "beside"))
    statuses = ", ".join(f"{count} × {status}" for status, count in sorted(rounds[-1]["statuses"].items()))
    slowest = max(one["slowest"] for one in rounds)
    return f"""{SIGN_INS}

Written by `benches/portal --sign-ins`, or with the rest. {signing_in.AT_ONCE} people who sign in at the same moment, each from an address of their own, while `smtp-source` hands mail in ({signing_in.COUNT:,} messages of {signing_in.SIZE:,} octets, {signing_in.SESSIONS} sessions),
{len(rounds)} rounds: {alone:.0f} messages a second alone, **{beside:.0f}** beside them ({beside / alone:.2f}), {idlers:.0f} beside as many programs as there are processors that only run, at the lowest priority ({idlers / alone:.2f}). The slowest answer
to a sign-in came after {slowest:.1f} s ({statuses} in the last round). Checking a password gives way to everything else.
"""
