"""All clients: when they pause and what must be the same then, what the server needs, and the kill in the midst."""
import collections
import pathlib
import random
import statistics
import sys
import threading
import time

from client import DESK, Client
from ledger import Ledger
from wire import Closed, Stalled

# Of twenty clients; the first mailbox is the one that most have open.
CAST = [
    ("qresync", "jane", "INBOX"), ("plain", "jane", "INBOX"), ("condstore", "jane", "INBOX"), ("idler", "jane", "INBOX"),
    ("rev2", "jane", "INBOX"), ("examiner", "jane", "INBOX"), ("qresync", "jane", "INBOX"), ("plain", "jane", DESK),
    ("condstore", "joe", DESK), ("plain", "ann", DESK), ("qresync", "joe", DESK), ("idler", "joe", "INBOX"),
    ("plain", "jane", "INBOX"), ("qresync", "ann", "INBOX"), ("rev2", "ann", "INBOX"), ("condstore", "jane", "Archive"),
    ("plain", "joe", "INBOX"), ("idler", "jane", "INBOX"), ("qresync", "jane", "INBOX"), ("condstore", "jane", "INBOX"),
]
# Flags, and the key that finds them.
SEARCHED = [("\\seen", "SEEN"), ("\\flagged", "FLAGGED"), ("\\deleted", "DELETED"), ("\\answered", "ANSWERED"),
            ("\\draft", "DRAFT"), ("one", "KEYWORD ONE"), ("two", "KEYWORD two"), ("$three", "KEYWORD $three")]


class World:
    """What the clients share."""

    desk = DESK

    def __init__(self, place, password, asked):
        self.place, self.password, self.seed = place, password, asked.seed
        self.patience, self.largest, self.pid = asked.patience, asked.largest, asked.pid
        self.ledger, self.over, self.pausing = Ledger(), False, threading.Event()
        self.clients = [Client(number, *CAST[number % len(CAST)], self) for number in range(asked.clients)]
        self.barrier = threading.Barrier(len(self.clients) + 1)
        self.pictures, self.checkpoints, self.memory, self.last = {}, 0, [], False

    def prepare(self):
        """Mailboxes that everybody has."""
        for account in ("jane", "joe", "ann"):
            client = Client(-1, "plain", account, "INBOX", self)
            client.come()
            client.do('CREATE "Archive"', refused=("ALREADYEXISTS",))
            client.do("LOGOUT")
            client.go()

    # Pausing.
    def meet(self):
        """All are there, and go on together."""
        self.barrier.wait(20 * self.patience)

    def pause(self, client):
        """A client's part of a checkpoint. Whatever breaks, it keeps step."""
        for work in (self.settle, self.compare):
            self.meet()
            try:
                work(client)
            except (Closed, Stalled) as error:
                client.broken(error)
            except Exception as error:  # noqa: BLE001: told, and the others go on
                client.is_wrong(f"at a checkpoint: {type(error).__name__}: {error}")
        self.meet()
        self.meet()

    def settle(self, client):
        """Has a mailbox open, and a connection that stands."""
        for _ in range(3):
            try:
                if client.wire is None:
                    client.come()
                client.do("NOOP")
                if client.picture is None:
                    client.open(client.home)
                return
            except Closed as error:
                client.broken(error)

    def compare(self, client):
        """What it was told is what is there."""
        picture = client.picture
        if picture is None:
            return
        client.do("NOOP")
        known, recent = dict(picture.flags), picture.recent
        more = " MODSEQ)" if client.counts_changes() else ")"
        if picture.uids:
            client.do("FETCH 1:* (UID FLAGS" + more, expunges=False)
        for uid, flags in known.items():
            if picture.flags.get(uid) != flags:
                client.is_wrong(f"{uid} has {sorted(picture.flags.get(uid) or ['gone'])}, and was told to have {sorted(flags)}")
        if recent is not None and recent != len(picture.recents):
            client.is_wrong(f"{recent} RECENT, and {len(picture.recents)} messages have \\Recent")
        self.ask_counts(client)
        self.ask_all(client)
        self.pictures[client.number] = (picture.box, tuple(picture.uids), dict(picture.flags), client)

    def ask_counts(self, client):
        """SEARCH and STATUS say what the picture says."""
        picture = client.picture
        for flag, key in SEARCHED:
            asked = client.do(f"SEARCH {key}", expunges=False)
            if asked.numbers != picture.with_flag(flag):
                client.is_wrong(f"SEARCH {key} found {asked.numbers}, and {picture.with_flag(flag)} have it")
        for command in ("SORT (SUBJECT) UTF-8 ALL", "THREAD REFERENCES UTF-8 ALL"):
            asked = client.do(command, expunges=False)
            if sorted(asked.numbers) != list(range(1, len(picture.uids) + 1)):
                client.is_wrong(f"{command} has {len(asked.numbers)} of {len(picture.uids)} messages: {sorted(asked.numbers)}")
        heard = []
        items = "MESSAGES UNSEEN UIDNEXT UIDVALIDITY SIZE"
        items += {"rev2": " DELETED", "plain": " RECENT"}.get(client.kind, " HIGHESTMODSEQ" * client.counts_changes())
        client.do(f'STATUS "{picture.name}" ({items})', lists=heard.append)
        told = {item: int(value) for item, value in zip(heard[0][1][::2], heard[0][1][1::2])}
        sizes = [self.ledger.facts[picture.box, uid].get("RFC822.SIZE") for uid in picture.uids]
        expected = {
            "MESSAGES": len(picture.uids),
            "UNSEEN": len(picture.uids) - len(picture.with_flag("\\seen")),
            "UIDVALIDITY": picture.validity,
            "SIZE": None if None in sizes else sum(int(size.strip("'")) for size in sizes),
            "DELETED": len(picture.with_flag("\\deleted")),
        }
        differing = [item for item, value in expected.items() if value is not None and told.get(item, value) != value]
        behind = told["UIDNEXT"] <= max(picture.uids, default=0)
        if differing or behind or told.get("HIGHESTMODSEQ", 1 << 63) < max(picture.modseqs.values(), default=0):
            client.is_wrong(f"STATUS says {told}, and the picture {expected}")

    def ask_all(self, client):
        """The first of each mailbox looks at what never changes of all messages, at the end at every octet."""
        firsts = {}
        for other in self.clients:
            if other.picture:
                firsts.setdefault(other.picture.box, other)
        if firsts.get(client.picture.box) is not client or not client.picture.uids:
            return
        client.do("FETCH 1:* (UID RFC822.SIZE INTERNALDATE ENVELOPE EMAILID)", expunges=False)
        if self.last:
            for first in range(1, len(client.picture.uids) + 1, 5):
                last = min(first + 4, len(client.picture.uids))
                client.do(f"FETCH {first}:{last} (UID BODY.PEEK[])", expunges=False)

    def checkpoint(self, last=False):
        """All pause; pictures of one mailbox are one."""
        self.last, self.pictures = last, {}
        self.pausing.set()
        self.meet()
        self.meet()
        self.ledger.dying = False
        self.meet()
        self.agree()
        self.checkpoints += 1
        self.over = last
        self.pausing.clear()
        self.meet()

    def agree(self):
        """Every picture of a mailbox is the same, and nothing that was said to be there is missing."""
        boxes = collections.defaultdict(list)
        for box, uids, flags, client in self.pictures.values():
            boxes[box].append((uids, flags, client))
        for box, pictures in boxes.items():
            uids, flags, one = pictures[0]
            for other_uids, other_flags, other in pictures[1:]:
                if (uids, flags) != (other_uids, other_flags):
                    differing = [uid for uid in {*flags, *other_flags} if flags.get(uid) != other_flags.get(uid)]
                    other.is_wrong(f"its picture of {box} differs from that of client {one.number}: {sorted(differing)[:8]}")
            if lost := self.ledger.must_be_there(box) - set(uids):
                self.ledger.is_wrong(f"lost from {box}: {sorted(lost)[:20]}, {len(lost)} in all")
        for box, uid, words in self.ledger.pending:
            if any(uid in uids for uids, _, _ in boxes.get(box, ())):
                self.ledger.is_wrong(words)
        self.ledger.pending.clear()

    # The server.
    def kill(self):
        """The server is killed and started again by whoever runs this."""
        self.ledger.dying = True
        self.ledger.alive.clear()
        print("kill", flush=True)
        self.pid = int(sys.stdin.readline().split()[1])
        self.ledger.recent.clear()
        self.ledger.alive.set()

    def weigh(self):
        """Its resident memory, in MiB."""
        status = pathlib.Path(f"/proc/{self.pid}/status")
        for line in status.read_text().splitlines() if status.exists() else ():
            if line.startswith("VmRSS:"):
                self.memory.append(int(line.split()[1]) / 1024)

    def check_memory(self):
        """Flat: the last quarter needs hardly more than the one before."""
        quarter = len(self.memory) // 4
        if quarter >= 20:
            before, after = (statistics.median(part) for part in (self.memory[-2 * quarter : -quarter], self.memory[-quarter:]))
            if after > before * 1.15 + 8:
                self.ledger.is_wrong(f"resident memory grows from {before:.0f} to {after:.0f} MiB")

    def play(self, seconds, kills):
        """Everybody does at random what they do, for so long."""
        self.prepare()
        for client in self.clients:
            client.start()
        begun, chance = time.monotonic(), random.Random(self.seed)
        deaths = sorted(seconds * (at + 0.3 + 0.3 * chance.random()) / (2 * kills) for at in range(kills)) if kills else []
        every = min(20.0, seconds / 3)
        until = begun + every
        while (now := time.monotonic()) < begun + seconds:
            time.sleep(0.5)
            self.weigh()
            if deaths and now > begun + deaths[0]:
                deaths.pop(0)
                self.kill()
                self.checkpoint()
            elif now > until:
                self.checkpoint()
                until = time.monotonic() + every
            if len(self.ledger.wrong) > 40:
                break
        self.checkpoint(last=True)
        for client in self.clients:
            client.join(self.patience)
            client.go()
        self.check_memory()
