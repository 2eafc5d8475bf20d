"""Messages a second by Postfix's own smtp-source, into both servers in turn."""

import statistics
import subprocess
import time

# size in octets, messages a run
LOADS = [(4_096, 2_000), (100_000, 1_000), (1_000_000, 200)]
SESSIONS = [5, 20]
ROUNDS = 3


def compare(rival, gateway, quick):
    """One row for each size and number of sessions: the rates of every run of both, alternating."""
    rows = []
    for size, count in LOADS:
        count = count // 10 if quick else count
        for sessions in SESSIONS:
            rates = {rival.name: [], gateway.name: []}
            drained = {rival.name: [], gateway.name: []}
            for _ in range(1 if quick else ROUNDS):
                for server in (rival, gateway):
                    taken, done = run(server, size, count, sessions)
                    rates[server.name].append(count / taken)
                    drained[server.name].append(count / done)
            rows.append({"size": size, "count": count, "sessions": sessions, "rates": rates, "drained": drained})
            print(f"{size} octets, {sessions} sessions: {median(rates)}", flush=True)
    return rows


def run(server, size, count, sessions):
    """Seconds until the last 250, and until the queue was empty."""
    begun = time.monotonic()
    subprocess.run(command(server.address, size, count, sessions), check=True)
    taken = time.monotonic() - begun
    server.wait_until_idle(count)
    return taken, time.monotonic() - begun


def command(address, size, count, sessions):
    return ["/usr/sbin/smtp-source", "-d", "-s", str(sessions), "-m", str(count), "-l", str(size)] + [
        "-f", "jane@clinic.example", "-t", "patient@elsewhere.example", address,
    ]


def median(rates):
    return {name: round(statistics.median(values)) for name, values in rates.items()}
