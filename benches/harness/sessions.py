"""Resident memory with a thousand sessions that idle, and what two hundred more that mean harm add to it."""

import asyncio
import ssl
import time

from . import postern

STAFF = [postern.USER] + [f"staff{number}@clinic.example" for number in range(1, 50)]
IDLE, HOSTILE = 1_000, 200
# Longer than the deadlines for signing in (120 s), and for reading an answer (180 s).
SECONDS = 200
MESSAGES = 200


def measure(gateway, quick):
    gateway.fill(STAFF[0], "Long", MESSAGES)
    gateway.stop()
    gateway.start()
    return asyncio.run(observe(gateway, 100 if quick else IDLE, 40 if quick else HOSTILE, 15 if quick else SECONDS))


async def observe(gateway, idle, hostile, seconds):
    found = {"idle": idle, "hostile": hostile, "seconds": seconds, "start": gateway.resident()}
    sessions = []
    for first in range(0, idle, 50):
        sessions += await asyncio.gather(*(idling(gateway, number) for number in range(first, min(idle, first + 50))))
    found["signing_in"] = gateway.resident()
    # The memory of Argon2id is given back ten seconds after the last sign-in.
    await asyncio.sleep(21)
    found["idling"] = gateway.resident()
    print(found, flush=True)
    watch = asyncio.create_task(watched(gateway, seconds))
    gone = {what: [] for what in WAYS}
    ways = [list(WAYS)[number % len(WAYS)] for number in range(hostile)]
    attacks = [asyncio.create_task(attack(gateway, what, number, gone[what], seconds)) for number, what in enumerate(ways)]
    found["highest"], found["late"], found["slowest"], found["asked"] = await watch
    for task in attacks:
        task.cancel()
    await asyncio.gather(*attacks, return_exceptions=True)
    found["ways"] = [(what, ways.count(what), len(ended), min(ended, default=None)) for what, ended in gone.items()]
    found["still"] = sum([await stands(one) for one in sessions])
    return found


async def connect(gateway):
    trusting = ssl.create_default_context(cafile=gateway.certs / "ca.pem")
    trusting.check_hostname = False
    host, port = gateway.imaps.split(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=trusting, limit=1 << 16)
    await reader.readline()
    return reader, writer


async def session(gateway, number):
    """One that has signed in and selected a mailbox."""
    reader, writer = await connect(gateway)
    await say(reader, writer, f'LOGIN "{STAFF[number % len(STAFF)]}" "{postern.PASSWORD}"')
    await say(reader, writer, "SELECT INBOX")
    return reader, writer


async def idling(gateway, number):
    reader, writer = await session(gateway, number)
    writer.write(b"a IDLE\r\n")
    await reader.readline()
    return reader, writer


async def stands(pair):
    """Whether an idling session still answers."""
    reader, writer = pair
    try:
        await asyncio.wait_for(say(reader, writer, None, b"DONE\r\n"), 10)
    except (OSError, asyncio.TimeoutError, EOFError):
        return False
    return True


async def say(reader, writer, command, octets=None):
    writer.write(octets or f"a {command}\r\n".encode())
    while True:
        line = await reader.readline()
        if not line:
            raise EOFError(f"closed after {command}")
        if line.startswith(b"a "):
            return line


async def watched(gateway, seconds):
    """Resident memory at most, in all and in the second half of the time, while an honest session asks every tenth of a second;
    its slowest answer, and how often it asked."""
    reader, writer = await session(gateway, 1)
    highest, late, slowest, asked, begun = 0, 0, 0.0, 0, time.monotonic()
    while time.monotonic() - begun < seconds:
        sent = time.monotonic()
        await say(reader, writer, "STATUS INBOX (MESSAGES UNSEEN)")
        slowest, asked = max(slowest, time.monotonic() - sent), asked + 1
        resident = gateway.resident()
        highest = max(highest, resident)
        if time.monotonic() - begun > seconds / 2:
            late = max(late, resident)
        await asyncio.sleep(0.1)
    return highest, late, slowest, asked


async def attack(gateway, what, number, gone, seconds):
    """Goes on until the time is over; notes after how long it was closed, and comes again."""
    signed_in, harm = WAYS[what]
    while True:
        begun = time.monotonic()
        writer = None
        try:
            reader, writer = await (session(gateway, number) if signed_in else connect(gateway))
            begun = time.monotonic()
            await harm(reader, writer)
        except (OSError, EOFError, ssl.SSLError):
            pass
        finally:
            if writer:
                writer.transport.abort()
        gone.append(time.monotonic() - begun)
        await asyncio.sleep(1)


async def flood(reader, writer, first, then):
    """Sends on and on, and reads what comes."""
    writer.write(first)
    reading = asyncio.create_task(until_closed(reader))
    try:
        while not reading.done():
            writer.write(then)
            await writer.drain()
            await asyncio.sleep(0.01)
    finally:
        reading.cancel()


async def until_closed(reader):
    while await reader.read(1 << 16):
        pass


async def drip(reader, writer, octets):
    """An octet a second."""
    reading = asyncio.create_task(until_closed(reader))
    try:
        for octet in octets * 1_000:
            writer.write(bytes([octet]))
            await writer.drain()
            await asyncio.sleep(1)
            if reading.done():
                return
    finally:
        reading.cancel()


async def deaf(reader, writer):
    """Asks for everything and reads nothing."""
    writer.write(b'b SELECT "Long"\r\n' + b"b FETCH 1:* (BODY.PEEK[])\r\n" * 500)
    reader._transport.pause_reading()
    while not writer.transport.is_closing():
        await asyncio.sleep(1)
        # A socket whose other side has closed takes no more.
        writer.write(b"b NOOP\r\n")


NESTED = b"b SEARCH " + b"(" * 20_000 + b"ALL" + b")" * 20_000 + b"\r\n"

# what, whether it signs in first, and what it does
WAYS = {
    "endless literal, not signed in": (False, lambda r, w: flood(r, w, b"a LOGIN {999999999+}\r\n", b"x" * 16_384)),
    "endless line, not signed in": (False, lambda r, w: flood(r, w, b"a ", b"x" * 16_384)),
    "an octet a second, not signed in": (False, lambda r, w: drip(r, w, b"a NOOP ")),
    "endless literals": (True, lambda r, w: flood(r, w, b"b SEARCH", b" BODY {16384+}\r\n" + b"x" * 16_384)),
    "endless lines": (True, lambda r, w: flood(r, w, b"b NOOP ", b"x" * 16_384)),
    "deeply nested searches": (True, lambda r, w: flood(r, w, b"", NESTED)),
    "reads no answer": (True, deaf),
    "a message at an octet a second": (True, lambda r, w: drip(r, w, b"b APPEND INBOX {50000000+}\r\n")),
}
