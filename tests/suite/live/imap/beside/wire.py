"""What goes over the wire: a connection, responses as lists, and what of two answers must be alike."""

import re
import socket


class Connection:
    """Commands and their answers; a response is text and literals by turns."""

    def __init__(self, stream, name, password):
        self.stream, self.rest, self.count = stream, b"", 0
        stream.settimeout(30)
        self.response()
        answer = self.command(f'LOGIN {name} "{password}"'.encode())
        assert b" OK " in answer[-1][0], answer

    def more(self):
        octets = self.stream.recv(65536)
        assert octets, "the server has closed the connection"
        self.rest += octets

    def line(self):
        while b"\r\n" not in self.rest:
            self.more()
        line, self.rest = self.rest.split(b"\r\n", 1)
        return line

    def response(self):
        pieces = [self.line()]
        while literal := re.search(rb"\{(\d+)\}$", pieces[-1]):
            size = int(literal.group(1))
            while len(self.rest) < size:
                self.more()
            pieces += [self.rest[:size]]
            self.rest = self.rest[size:]
            pieces.append(self.line())
        return pieces

    def command(self, text):
        self.count += 1
        tag = b"t%d" % self.count
        self.stream.sendall(tag + b" " + text + b"\r\n")
        answer = [self.response()]
        while not answer[-1][0].startswith(tag + b" "):
            answer.append(self.response())
        return answer


def plain(address):
    return socket.create_connection(address)


def words(response):
    """A response as nested lists; NIL is None, what compares without case is not told apart here."""
    stack, literals = [[]], response[1::2]
    for at, text in enumerate(response[0::2]):
        if at < len(literals):
            text = re.sub(rb"~?\{\d+\}$", b"", text)
        for token in re.finditer(rb'\(|\)|"((?:[^"\\]|\\.)*)"|([^ ()"\[]*\[[^\]]*\]\S*?(?=[ )]|$))|[^ ()"]+', text):
            if token.group() == b"(":
                stack.append([])
            elif token.group() == b")":
                stack[-2].append(stack.pop())
            elif token.group(1) is not None:
                stack[-1].append(re.sub(rb"\\(.)", rb"\1", token.group(1)))
            else:
                stack[-1].append(None if token.group() == b"NIL" else token.group())
        if at < len(literals):
            stack[-1].append(literals[at])
    return stack[0]


def alike(answer):
    """What of an answer must be the same on both: condition and code, and what was told, in any order where that is free."""
    told = [normal(response) for response in answer[:-1]]
    end = re.match(rb"\S+ (OK|NO|BAD)(?: \[([A-Z]+))?", answer[-1][0])
    # Codes of RFC 5530 and RFC 8474 that only one of them tells.
    code = end.group(2) if end.group(2) not in (b"NONEXISTENT", b"CANNOT", b"MAILBOXID", b"TRYCREATE") else None
    return end.group(1), code, sorted(filter(None, told), key=repr)


def normal(response):
    said = words(response)
    kind = said[1] if len(said) > 1 else None
    if kind == b"SEARCH":
        return kind, sorted(said[2:])
    if kind in (b"LIST", b"LSUB"):
        kept = {b"\\Noselect", b"\\Subscribed"}
        return kind, sorted(kept & set(said[2])), said[3:]
    if kind == b"ESEARCH":
        return kind, sorted(zip(said[3::2], said[4::2])) if said[3:4] != [b"UID"] else sorted(zip(said[4::2], said[5::2]))
    if kind == b"STATUS":
        return kind, said[2], sorted(zip(said[3][0::2], said[3][1::2]))
    if len(said) > 2 and said[2] == b"FETCH":
        return [kind] + sorted(([name.upper(), value(name, it)] for name, it in zip(said[3][0::2], said[3][1::2])), key=repr)
    if kind in (b"SORT", b"THREAD") or len(said) > 2 and said[2] in (b"EXISTS", b"EXPUNGE"):
        return said[1:]
    return None


def value(name, it):
    if name == b"FLAGS":
        return sorted(flag.lower() for flag in it)
    if name in (b"BODY", b"BODYSTRUCTURE"):
        return caseless(it)
    return it


def caseless(it):
    """Types, encodings and names of parameters compare without case; of the rest nothing here differs by case alone."""
    if isinstance(it, list):
        return [caseless(one) for one in it]
    return it.lower() if isinstance(it, bytes) else it
