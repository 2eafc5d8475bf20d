"""Messages that are built to cost much: how long the answer takes, and how far memory grows."""

import base64
import socket
import struct
import time
import zlib

SECONDS, MIB = 2.0, 64

HEAD = b"From: <jane@clinic.example>\r\nTo: <patient@elsewhere.example>\r\nSubject: Bomb\r\nMIME-Version: 1.0\r\n"


def measure(gateway, quick):
    """One row for each: the whole message and its answer, through the running gateway."""
    rows = []
    for what, make in BOMBS:
        octets = stuffed(make())
        # Each by a process of its own: what an allocator keeps of one is no cost of the next.
        gateway.stop()
        gateway.start()
        send(gateway, stuffed(HEAD + b"\r\nWarm.\r\n"))
        gateway.forget_peak()
        before = gateway.resident()
        taking, answering, answer = send(gateway, octets)
        grown = gateway.peak() - before
        rows.append({"what": what, "octets": len(octets), "taking": taking, "answering": answering, "grown": grown, "answer": answer})
        print(line(rows[-1]), flush=True)
    return rows


def line(row):
    answer = row["answer"] if len(row["answer"]) < 90 else row["answer"][:87] + "…"
    return f"| {row['what']} | {row['octets'] / 1e6:,.1f} | {row['taking']:.2f} s | {row['answering']:.3f} s | {row['grown'] / (1 << 20):.0f} MiB | {answer} |"


def send(gateway, octets):
    """Seconds for the message and its answer, seconds from the final dot to the answer, and what it says."""
    host, port = gateway.address.split(":")
    with socket.create_connection((host, int(port))) as connection, connection.makefile("rb") as replies:
        say(connection, replies, None)
        for command in (b"EHLO bench", b"MAIL FROM:<jane@clinic.example>", b"RCPT TO:<patient@elsewhere.example>", b"DATA"):
            say(connection, replies, command)
        begun = time.monotonic()
        connection.sendall(octets)
        dot = time.monotonic()
        answer = say(connection, replies, b".")
        done = time.monotonic()
    return done - begun, done - dot, answer


def say(connection, replies, command):
    if command is not None:
        connection.sendall(command + b"\r\n")
    while True:
        reply = replies.readline().decode()
        if reply[3:4] != "-":
            return reply.strip()


def stuffed(octets):
    return octets.replace(b"\r\n.", b"\r\n..")


def nested():
    return HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 40_000


def parts():
    return HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 1_000_000 + b"--b--\r\n"


def header():
    return b"".join(b"X-Field-%07d: %s\r\n" % (number, b"x" * 980) for number in range(200_000)) + HEAD + b"\r\nText\r\n"


def folds():
    return HEAD + b"X-Field: x\r\n" + (b" " + b"x" * 995 + b"\r\n") * 200_000 + b"\r\nText\r\n"


def tnef():
    """An attachment that claims more attachments than there may be, compressed RTF that expands eightfold, and messages
    within messages."""
    # A literal, then references that each repeat 17 octets.
    contents = b"\x00" + b"A" * 8 + (b"\xff" + b"\x0c\xff" * 8) * 120_000
    rtf = struct.pack("<IIII", len(contents) + 12, 0xFFFFFFFF, 0x75465A4C, 0) + contents
    rtf += b"\0" * (-len(rtf) % 4)
    properties = struct.pack("<IIII", 1, 0x10090102, 1, len(rtf)) + rtf
    attributes = attribute(1, 0x00069003, properties)
    attributes += (attribute(2, 0x00069002, bytes(14)) + attribute(2, 0x00018010, b"a.txt\0") + attribute(2, 0x0006800F, b"x" * 50)) * 100_000
    return attached(b"application/ms-tnef", b"winmail.dat", struct.pack("<IH", 0x223E9F78, 1) + attributes)


def attribute(level, identifier, data):
    return struct.pack("<BII", level, identifier, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def archive():
    """16 entries of a GiB each, and one that is such an archive itself."""
    inner = zipped([(b"%d.txt" % number, packed(1 << 30)) for number in range(16)])
    return attached(b"application/zip", b"results.zip", zipped([(b"results.zip", stored(inner)), (b"a.docx", packed(1 << 30)), (b"b.zip", packed(1 << 30))]))


def packed(size):
    """Zeros, deflated: method, checksum, length, octets."""
    global _PACKED
    if _PACKED is None:
        deflate, crc, piece, out = zlib.compressobj(9, zlib.DEFLATED, -15), 0, bytes(1 << 20), []
        for _ in range(size >> 20):
            crc = zlib.crc32(piece, crc)
            out.append(deflate.compress(piece))
        _PACKED = (8, crc, size, b"".join(out) + deflate.flush())
    return _PACKED


_PACKED = None


def stored(octets):
    return (0, zlib.crc32(octets), len(octets), octets)


def zipped(entries):
    body, directory = b"", b""
    for name, (method, crc, size, octets) in entries:
        common = struct.pack("<HHHHHIIIHH", 20, 0, method, 0, 0x21, crc, len(octets), size, len(name), 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name
        body += b"PK\x03\x04" + common + name + octets
    end = struct.pack("<HHHHIIH", 0, 0, len(entries), len(entries), len(directory), len(body), 0)
    return body + directory + b"PK\x05\x06" + end


def attached(media_type, name, octets):
    """A message with one document."""
    lines = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    return (
        HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee there.\r\n--b\r\n"
        b"Content-Type: " + media_type + b"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\""
        + name + b"\"\r\n\r\n" + lines + b"--b--\r\n"
    )


BOMBS = [
    ("40,000 nested messages", nested),
    ("1,000,000 empty parts", parts),
    ("a header of 200 MB, in many fields", header),
    ("a header of 200 MB, in one field", folds),
    ("a TNEF bomb", tnef),
    ("a zip bomb", archive),
]
