# Several programs on one mailbox, at random, each with its own picture of it: positions, UIDs and flags as it was told.
# What it is told must fit that picture, and at the end all pictures are one. The seed is printed where something does not.
import random, re, threading, time

SECONDS, CLIENTS, SEED = 8, 6, int(time.time())
FLAGS = ["\\Seen", "\\Answered", "\\Flagged", "\\Draft", "one", "two"]
wrong, commands = [], [0]


def message(number, size):
    head = b"Subject: %d\r\nLength: %08d\r\n\r\n"
    length = len(head % (number, 0)) + size
    return head % (number, length) + b"x" * size


class Client(threading.Thread):
    def __init__(self, number):
        super().__init__()
        self.number, self.random = number, random.Random(SEED * 100 + number)
        self.qresync, self.tag, self.unread, self.trace = number % 3 == 2, 0, b"", []
        self.session = connect()
        self.socket = self.session.sock
        self.uids, self.flags = [], {}

    def run(self):
        try:
            if self.qresync:
                self.do("ENABLE QRESYNC")
            self.select()
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                self.step()
        except Exception as error:
            self.is_wrong(f"ended by {error!r}")

    def is_wrong(self, words):
        wrong.append(f"client {self.number}: {words}\n  " + "\n  ".join(self.trace[-8:]))

    # Octets, lines, responses.
    def more(self):
        octets = self.socket.recv(65536)
        if not octets:
            raise EOFError("the server has closed")
        self.unread += octets

    def response(self):
        text, literals = b"", []
        while True:
            while b"\n" not in self.unread:
                self.more()
            line, self.unread = self.unread.split(b"\r\n", 1)
            text += line
            size = re.search(rb"\{(\d+)\}$", line)
            if not size:
                return text.decode("latin1"), literals
            while len(self.unread) < int(size[1]):
                self.more()
            literals.append(self.unread[: int(size[1])])
            self.unread = self.unread[int(size[1]) :]

    def until(self, tag, expunges=True):
        while True:
            text, literals = self.response()
            self.trace.append(text[:150])
            if text.startswith((tag + " ", "+ ")):
                return text
            self.told(text, literals, expunges)

    def do(self, command, literal=None, expunges=True, may_fail=False):
        self.tag += 1
        commands[0] += 1
        tag = f"T{self.tag}"
        self.trace.append(f"> {command}")
        octets = f"{tag} {command}".encode()
        if literal is not None:
            octets += b" {%d+}\r\n" % len(literal) + literal
        self.socket.sendall(octets + b"\r\n")
        answer = self.until(tag, expunges)
        if not (answer.startswith(f"{tag} OK") or may_fail and answer.startswith(f"{tag} NO [EXPUNGEISSUED]")):
            self.is_wrong(f"{command}: {answer}")

    # What it is told.
    def told(self, text, literals, expunges):
        words = text.split(" ")
        if words[1] == "VANISHED":
            self.vanished(words[2], expunges)
        elif len(words) > 2 and words[2] == "EXISTS":
            if int(words[1]) < len(self.uids):
                self.is_wrong(f"{text} of {len(self.uids)}")
            self.uids += [None] * (int(words[1]) - len(self.uids))
        elif len(words) > 2 and words[2] == "EXPUNGE":
            if not expunges or int(words[1]) > len(self.uids):
                return self.is_wrong(f"{text} of {len(self.uids)}")
            self.flags.pop(self.uids.pop(int(words[1]) - 1), None)
        elif len(words) > 2 and words[2] == "FETCH":
            self.fetched(int(words[1]), text, literals)

    def vanished(self, ranges, expunges):
        for ends in (part.split(":") for part in ranges.split(",")):
            for uid in range(int(ends[0]), int(ends[-1]) + 1):
                place = self.place(uid)
                if place is None or not expunges:
                    return self.is_wrong(f"VANISHED {uid}")
                del self.uids[place]
                self.flags.pop(uid, None)

    def place(self, uid):
        """Where a UID stands; of those that were not told yet one that it may be."""
        for place, known in enumerate(self.uids):
            if known == uid:
                return place
            behind = next((other for other in self.uids[place:] if other), uid + 1)
            if known is None and behind > uid:
                return place if uid not in self.uids else self.uids.index(uid)
            if known and known > uid:
                return None
        return None

    def fetched(self, number, text, literals):
        if number > len(self.uids):
            return self.is_wrong(f"{text} of {len(self.uids)}")
        uid = re.search(r"\bUID (\d+)", text)
        if uid:
            if self.uids[number - 1] not in (None, int(uid[1])):
                self.is_wrong(f"{text}, was {self.uids[number - 1]}")
            self.uids[number - 1] = int(uid[1])
            known = [uid for uid in self.uids if uid]
            if known != sorted(set(known)):
                self.is_wrong(f"{text}: UIDs do not rise")
        flags = re.search(r"FLAGS \(([^)]*)\)", text)
        if flags and self.uids[number - 1]:
            self.flags[self.uids[number - 1]] = frozenset(flags[1].split()) - {"\\Recent"}
        for octets in literals if "BODY[] {" in text else []:
            length = re.search(rb"Length: (\d+)", octets)
            if int(length[1]) != len(octets):
                self.is_wrong(f"{len(octets)} octets: {text}")

    # What it does.
    def select(self):
        self.uids, self.flags = [], {}
        self.do("SELECT Crowd")
        if self.uids:
            self.do("FETCH 1:* (UID FLAGS)", expunges=False)

    def some(self):
        first = self.random.randint(1, len(self.uids))
        return f"{first}:{min(len(self.uids), first + self.random.randint(0, 5))}"

    def step(self):
        choice = self.random.choices(
            ["append", "fetch", "uid", "store", "delete", "expunge", "search", "copy", "move", "idle", "noop", "select"],
            [15, 20, 5, 20, 8, 6, 8, 3, 3, 5, 5, 2],
        )[0]
        if len(self.uids) < 5:
            choice = "append"
        flags = " ".join(self.random.sample(FLAGS, 2))
        if choice == "append":
            self.do(f"APPEND Crowd ({flags})", message(self.number, self.random.choice([10, 5_000, 150_000])))
        elif choice == "fetch":
            item = self.random.choice(["RFC822.SIZE", "BODY.PEEK[]", "ENVELOPE BODYSTRUCTURE"])
            self.do(f"FETCH {self.some()} (UID FLAGS {item})", expunges=False, may_fail=True)
        elif choice == "uid":
            self.do(f"UID FETCH {max(uid or 1 for uid in self.uids)}:* (FLAGS BODY.PEEK[])")
        elif choice == "store":
            how = self.random.choice(["+", "-", ""]) + self.random.choice(["FLAGS", "FLAGS.SILENT"])
            self.store(how, flags)
        elif choice == "delete":
            self.store("+FLAGS.SILENT", "\\Deleted")
        elif choice == "expunge":
            self.do("EXPUNGE")
        elif choice == "search":
            key = self.random.choice(["SEARCH TEXT 3", "SEARCH BODY xxx", "SORT (SUBJECT) UTF-8 ALL", "THREAD REFERENCES UTF-8 ALL"])
            self.do(key, expunges=False)
        elif choice == "copy":
            self.do(f"COPY {self.some()} Trash", may_fail=True)
        elif choice == "move":
            self.do(f"UID MOVE {self.random.choice(self.uids) or 1} Trash")
        elif choice == "idle":
            self.idle()
        elif choice == "noop":
            self.do("NOOP")
        else:
            self.select()

    def store(self, how, flags):
        some, flags_given = self.some(), frozenset(flags.split())
        first, last = map(int, some.split(":"))
        for uid in self.uids[first - 1 : last] if how.endswith(".SILENT") else []:
            # Nobody tells it what it asked for.
            if uid in self.flags:
                had = self.flags[uid]
                self.flags[uid] = {"+": had | flags_given, "-": had - flags_given}.get(how[0], flags_given)
        self.do(f"STORE {some} {how} ({flags})", expunges=False)

    def idle(self):
        self.tag += 1
        self.socket.sendall(f"T{self.tag} IDLE\r\n".encode())
        self.until(f"T{self.tag}")
        time.sleep(self.random.random() / 5)
        self.socket.sendall(b"DONE\r\n")
        self.until(f"T{self.tag}")

    def picture(self):
        self.do("NOOP")
        known = dict(self.flags)
        self.do("FETCH 1:* (UID FLAGS)", expunges=False)
        for uid, flags in known.items():
            if self.flags[uid] != flags:
                self.is_wrong(f"{uid} has {sorted(self.flags[uid])}, and was told to have {sorted(flags)}")
        return list(self.uids), self.flags


first = connect()
ok(first.create("Crowd"))
clients = [Client(number) for number in range(CLIENTS)]
for client in clients:
    client.start()
for client in clients:
    client.join()
if not wrong:
    clients[0].do("APPEND Crowd ()", message(0, 10))
    pictures = [client.picture() for client in clients]
    if any(picture != pictures[0] for picture in pictures):
        wrong.append(f"the pictures differ: {pictures}")
if wrong or commands[0] < 100:
    raise SystemExit(f"seed {SEED}, {commands[0]} commands, {len(wrong)} wrong\n" + "\n".join(wrong[:5]))
print("agreed")
