"""Resident memory: at rest, and while connections send large messages."""

import socket
import threading
import time

from . import submission

SIZE = 50_000_000
CONNECTIONS = [8, 16]
HEAD = b"From: <jane@clinic.example>\r\nTo: <patient@elsewhere.example>\r\nSubject: Long\r\n\r\n"
LINE = b"The quick brown fox jumps over the lazy dog, and so on and on.\r\n"


def measure(gateway, client, quick):
    time.sleep(1)
    rest = gateway.resident()
    rows = []
    # As many sign-ins at once as there may be: their memory is kept a while, however many connections there are.
    submission.send(gateway, client, "tls", 4_096, 16, 16, 1)
    gateway.wait_until_idle(16)
    signed_in = gateway.resident()
    ways = {
        "one attachment, TLS": lambda: submission.send(gateway, client, "tls", SIZE, 1, 1, 1),
        "one plain text": lambda: send_text(gateway.address),
    }
    for what, send in ways.items():
        # What is set aside once and for all (threads, caches) is not a connection's.
        peak(gateway, send, 1)
        for connections in CONNECTIONS[: 1 if quick else 2]:
            before = gateway.resident()
            highest = peak(gateway, send, connections)
            rows.append({"what": what, "connections": connections, "before": before, "highest": highest})
            print(f"{what}, {connections} connections: {before >> 20} MiB before, {highest >> 20} MiB at most", flush=True)
    return {"rest": rest, "signed_in": signed_in, "size": SIZE, "rows": rows}


def send_text(address):
    """One message without structure, over the trusted listener."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port))) as connection, connection.makefile("rb") as replies:
        expect(replies, b"220")
        for command in (b"EHLO bench", b"MAIL FROM:<jane@clinic.example>", b"RCPT TO:<patient@elsewhere.example>", b"DATA"):
            connection.sendall(command + b"\r\n")
            expect(replies, b"354" if command == b"DATA" else b"250")
        connection.sendall(HEAD)
        piece = LINE * 1_000
        for _ in range(SIZE // len(piece)):
            connection.sendall(piece)
        connection.sendall(b".\r\n")
        expect(replies, b"250")


def expect(replies, code):
    while True:
        line = replies.readline()
        if not line.startswith(code):
            raise SystemExit(f"{code} was expected, not {line}")
        if line[3:4] != b"-":
            return


def peak(gateway, send, connections):
    """The highest value seen, every 10 ms, while each connection sends one message; ends when all are delivered."""
    failure = []

    def attempt():
        try:
            send()
        except BaseException as error:  # shown below, in the thread that can end the run
            failure.append(error)

    sending = [threading.Thread(target=attempt) for _ in range(connections)]
    for thread in sending:
        thread.start()
    highest = 0
    while any(thread.is_alive() for thread in sending):
        highest = max(highest, gateway.resident())
        time.sleep(0.01)
    if failure:
        raise failure[0]
    gateway.wait_until_idle(connections)
    return highest
