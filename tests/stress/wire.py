"""One connection: octets to responses, responses to words."""
import re
import socket
import time

LITERAL = re.compile(rb"~?\{(\d+)\}$")
WORD = re.compile(
    rb" *(?:(?P<open>\()|(?P<close>\))|\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|~?\{\d+\}$"
    rb"|(?P<atom>(?:BODY|BINARY|BINARY\.SIZE)\[[^\]]*\](?:<\d+>)?|[^ ()\"]+))",
    re.IGNORECASE,
)


class Closed(Exception):
    """The server, or the way to it, is gone."""


class Stalled(Exception):
    """No answer in time."""


class Text(bytes):
    """A string, as opposed to an atom."""


def words(pieces):
    """Lines and the literals between them as nested lists: atoms are `str`, strings are `Text`."""
    root = []
    stack = [root]
    for at, piece in enumerate(pieces):
        if at % 2 == 1:
            stack[-1].append(Text(piece))
            continue
        for found in WORD.finditer(piece):
            if found["open"]:
                stack[-1].append([])
                stack.append(stack[-1][-1])
            elif found["close"]:
                stack.pop()
            elif found["quoted"] is not None:
                stack[-1].append(Text(re.sub(rb"\\(.)", rb"\1", found["quoted"])))
            elif found["atom"]:
                stack[-1].append(found["atom"].decode("latin1"))
    if len(stack) != 1:
        raise ValueError(f"parentheses do not close: {pieces[0][:80]}")
    return root


class Response:
    """`* 5 EXISTS`, `* OK [CODE …] …`, `t1 NO …`, `+ …`."""

    def __init__(self, pieces):
        self.line = pieces[0]
        tag, _, rest = pieces[0].partition(b" ")
        self.tag, self.number = tag.decode("latin1"), None
        kind, _, after = rest.partition(b" ")
        if kind.isdigit():
            self.number = int(kind)
            kind, _, after = after.partition(b" ")
        self.kind = kind.decode("latin1").upper()
        self.pieces = [after, *pieces[1:]]

    def words(self):
        """What follows the kind."""
        return words(self.pieces)

    def code(self):
        """The response code and its arguments; empty where there is none."""
        found = re.match(rb"\[([A-Z0-9-]+)(?: ([^\]]*))?\]", self.pieces[0])
        return (found[1].decode(), (found[2] or b"").decode("latin1")) if found else ("", "")

    def shown(self):
        """Its line, for who looks for a fault."""
        return self.line[:160].decode("latin1")


class Wire:
    """A connection. Whoever waits for longer than `patience` seconds gets `Stalled`."""

    def __init__(self, place, patience):
        self.patience = patience
        try:
            plain = socket.create_connection((place.ip, place.port), timeout=patience)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket = place.tls.wrap_socket(plain, server_hostname=place.host)
        except OSError as error:
            raise Closed(f"no connection: {error}") from error
        self.unread, self.received = bytearray(), 0

    def send(self, octets):
        """All of them."""
        self.socket.settimeout(self.patience)
        try:
            self.socket.sendall(octets)
        except TimeoutError as error:
            raise Stalled("the server does not read") from error
        except OSError as error:
            raise Closed(f"while sending: {error}") from error

    def drop(self):
        """Away without a word."""
        try:
            self.socket.close()
        except OSError:
            pass

    def waits(self, seconds):
        """Whether something comes within this time."""
        if self.unread:
            return True
        try:
            self.more(time.monotonic() + seconds)
        except Stalled:
            return False
        return True

    def more(self, deadline):
        """More octets, or `Stalled`."""
        self.socket.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            octets = self.socket.recv(262144)
        except TimeoutError as error:
            raise Stalled("nothing came") from error
        except OSError as error:
            raise Closed(f"while reading: {error}") from error
        if not octets:
            raise Closed("the server has closed")
        self.received += len(octets)
        self.unread += octets

    def line(self, deadline):
        """Up to the next CRLF."""
        looked = 0
        while (end := self.unread.find(b"\r\n", looked)) < 0:
            looked = max(0, len(self.unread) - 1)
            self.more(deadline)
        line = bytes(self.unread[:end])
        del self.unread[: end + 2]
        return line

    def response(self, deadline):
        """The next one, whole."""
        pieces = [self.line(deadline)]
        while found := LITERAL.search(pieces[-1]):
            size = int(found[1])
            while len(self.unread) < size:
                self.more(deadline)
            pieces.append(bytes(self.unread[:size]))
            del self.unread[:size]
            pieces.append(self.line(deadline))
        return Response(pieces)
