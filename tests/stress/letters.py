"""Messages that say what they are: all of a letter follows from its token, so whoever is shown a piece knows what it must be."""
import functools
import random

LINE = b"The quick brown fox jumps over the lazy dog, and 0123456789 is all it counts.\r\n"


def token(number, size, parts):
    """What a letter is made of: `number` makes it unlike all others."""
    return f"t{number}-{size}-{'m' if parts else 'p'}"


def token_in(octets):
    """The token in a header section, or in a subject."""
    for line in octets.split(b"\r\n", 12)[:12]:
        if line.startswith(b"Subject: "):
            return line[9:].decode()
    return None


@functools.lru_cache(maxsize=96)
def pieces(name):
    """Its header section (with the empty line), its text, and its first part."""
    number, size, form = name.split("-")
    number, size, chance = int(number[1:]), int(size), random.Random(name)
    body = LINE * (size // len(LINE)) + LINE[: size % len(LINE)]
    # Any stretch is unlike the same stretch of another letter.
    body = f"{name} {chance.getrandbits(64):x}\r\n".encode() + body[: size // 2] + name.encode() + body[size // 2 :]
    body = body.replace(b"\r\n", b"\n").replace(b"\r", b"").replace(b"\n", b"\r\n")
    fields = [
        "From: Jane <jane@clinic.example>",
        "To: Ann <ann@clinic.example>",
        f"Subject: {name}",
        f"Date: Mon, {1 + number % 28:02} Jun 2026 10:{number % 60:02}:00 +0000",
        f"Message-ID: <{name}@stress.example>",
    ]
    if number % 3:
        fields.append(f"References: <t{number // 10}@stress.example>")
    fields.append("MIME-Version: 1.0")
    if form == "p":
        head = "\r\n".join([*fields, "Content-Type: text/plain; charset=us-ascii"]).encode() + b"\r\n\r\n"
        return head, body, body
    head = "\r\n".join([*fields, 'Content-Type: multipart/mixed; boundary="b"']).encode() + b"\r\n\r\n"
    first = f"A part of {name}".encode()
    text = (
        b"--b\r\nContent-Type: text/plain\r\n\r\n" + first
        + b"\r\n--b\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n"
        + b"--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=\"b.txt\"\r\n\r\n" + body + b"\r\n--b--\r\n"
    )
    return head, text, first


def whole(name):
    """The message."""
    head, text, _ = pieces(name)
    return head + text


def section(name, asked):
    """What a section of it is; `None` where this does not know."""
    head, text, first = pieces(name)
    match asked.upper():
        case "":
            return head + text
        case "HEADER":
            return head
        case "TEXT":
            return text
        case "1":
            return first
        case "HEADER.FIELDS (SUBJECT)":
            return f"Subject: {name}\r\n\r\n".encode()
    return None
