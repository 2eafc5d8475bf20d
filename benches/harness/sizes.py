"""A hundred rights, then a hundred thousand with twenty thousand open invitations: starting, pages, and doing nothing."""

import time

from . import pages, sending, visitor, wrk

RECIPIENTS = 500
GUEST = "ledger@insurer.example"
# Two rounds of the agenda.
IDLE = 61


def measure(gateway, quick):
    sending.send(gateway, [GUEST], sending.message("[payer] The account", [2_000]))
    rows = [look(gateway, "as before", quick)]
    addresses, rounds = (1_000, 2) if quick else (20_000, 5)
    begun = time.monotonic()
    for number in range(rounds):
        for first in range(0, addresses, RECIPIENTS):
            recipients = [f"p{one}@elsewhere.example" for one in range(first, first + RECIPIENTS)]
            sending.send(gateway, recipients, sending.message(f"[doctor-elsewhere] Letter {number}", [2_000]))
            gateway.wait_until_idle(RECIPIENTS)
    print(f"{addresses * rounds} rights in {time.monotonic() - begun:.0f} s", flush=True)
    sending.send(gateway, [GUEST], sending.message("[payer] The account", [2_000]))
    rows.append(look(gateway, f"{addresses * rounds:,} rights, {addresses:,} open invitations", quick))
    return rows


def look(gateway, what, quick):
    """Starting, pages, and what a minute costs in which nobody asks for anything."""
    guest = visitor.Visitor(gateway)
    link, parcel = guest.enter(GUEST)
    seconds = 2 if quick else pages.SECONDS
    row = {"what": what}
    row["link"] = wrk.run(gateway.clear + link, seconds, headers=[f"Host: {guest.host}"])
    row["parcel"] = wrk.run(gateway.clear + parcel, seconds, headers=guest.headers())
    gateway.stop()
    begun = time.monotonic()
    gateway.start()
    row["start"] = time.monotonic() - begun
    time.sleep(5)
    before = gateway.processor_seconds()
    time.sleep(10 if quick else IDLE)
    row["idle"] = gateway.processor_seconds() - before
    row["memory"] = gateway.resident()
    print(row, flush=True)
    return row
