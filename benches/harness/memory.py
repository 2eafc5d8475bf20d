"""Resident memory: at rest, and while connections send large messages."""

import threading
import time

from . import submission

SIZE = 50_000_000
CONNECTIONS = [1, 8, 16]


def measure(gateway, client, quick):
    time.sleep(1)
    rest = gateway.resident()
    rows = []
    for connections in CONNECTIONS[: 2 if quick else 3]:
        before = gateway.resident()
        highest = peak(gateway, client, connections)
        rows.append({"connections": connections, "before": before, "highest": highest})
        gateway.wait_until_idle(connections)
        print(f"{connections} connections: {before >> 20} MiB before, {highest >> 20} MiB at most", flush=True)
    return {"rest": rest, "size": SIZE, "rows": rows}


def peak(gateway, client, connections):
    """The highest value seen, every 10 ms, while each connection sends one message over TLS."""
    failure = []

    def send():
        try:
            submission.send(gateway, client, "tls", SIZE, connections, connections, 1)
        except Exception as error:  # shown below, in the thread that can end the run
            failure.append(error)

    sending = threading.Thread(target=send)
    sending.start()
    highest = 0
    while sending.is_alive():
        highest = max(highest, gateway.resident())
        time.sleep(0.01)
    if failure:
        raise failure[0]
    return highest
