"""The link page and a message's page, beside nginx with a file of the same size."""

import statistics

from . import sending, visitor, wrk

GUEST = "accounts@insurer.example"
ROUNDS = 3
SECONDS = 10


def compare(gateway, rival, quick):
    sending.send(gateway, [GUEST], sending.message("[payer] The account", [40_000, 90_000]))
    guest = visitor.Visitor(gateway)
    link, parcel = guest.enter(GUEST)
    rows = []
    for what, path, who in (("link page", link, visitor.Visitor(gateway)), ("message page", parcel, guest)):
        _, page = guest.get(path) if who is guest else who.get(path)
        # Without a cookie, as the first visitor comes.
        headers = guest.headers() if who is guest else [f"Host: {guest.host}"]
        file = rival.serve(what.replace(" ", "-") + ".html", page)
        rows.append({"what": what, "size": len(page), "runs": run(gateway, rival, path, file, headers, quick)})
        print(f"{what}, {len(page)} octets: {medians(rows[-1])}", flush=True)
    return rows


def run(gateway, rival, path, file, headers, quick):
    runs = {gateway.name: [], rival.name: []}
    for _ in range(1 if quick else ROUNDS):
        runs[rival.name].append(wrk.run(rival.clear + file, 2 if quick else SECONDS))
        runs[gateway.name].append(wrk.run(gateway.clear + path, 2 if quick else SECONDS, headers=headers))
    return runs


def medians(row):
    middle = lambda runs, key: statistics.median(run[key] for run in runs)  # noqa: E731
    return {name: {key: round(middle(runs, key), 2) for key in ("rate", "p50", "p99")} for name, runs in row["runs"].items()}
