"""One mail program: its connection, its commands one behind the other, and what it makes of the answers."""
import base64
import collections
import random
import threading
import time

import alone
import deeds
import letters
from asked import Asked
from picture import Picture, ranges
from wire import Closed, Stalled, Wire

DESK = "Workgroups/Desk/INBOX"
# Said unasked, and of no mailbox.
PLAIN = {"CAPABILITY", "ENABLED", "NAMESPACE", "ID", "LSUB", "QUOTA", "QUOTAROOT", "BYE"}
# Response codes whose numbers are kept.
NUMBERS = {"UIDVALIDITY", "UIDNEXT", "HIGHESTMODSEQ", "MAILBOXID"}


class Client(threading.Thread):
    """Does at random what mail programs do, until it is told to pause."""

    def __init__(self, number, kind, account, home, world):
        super().__init__(daemon=True)
        self.number, self.kind, self.account, self.home, self.world = number, kind, account, home, world
        self.ledger, self.chance = world.ledger, random.Random(f"{world.seed} {number}")
        self.wire, self.picture, self.saved, self.tag = None, None, {}, 0
        self.trace, self.asked, self.leaving = collections.deque(maxlen=24), None, False
        self.quiet, self.remade, self.modified = False, set(), None

    def is_wrong(self, words):
        """Something that must not be, with what went before."""
        story = "\n    ".join(self.trace)
        self.ledger.is_wrong(f"client {self.number} ({self.kind}, {self.account}): {words}\n    {story}")

    def run(self):
        while not self.world.over:
            try:
                if self.world.pausing.is_set():
                    self.world.pause(self)
                    continue
                if self.wire is None:
                    self.come()
                alone.step(self)
            except (Closed, Stalled) as error:
                self.broken(error)
            except threading.BrokenBarrierError:
                return
            except Exception as error:  # noqa: BLE001: whatever it is, the others go on, and it is told
                self.is_wrong(f"{type(error).__name__}: {error}")
                self.broken(error)

    def broken(self, error):
        """The connection is no more; only while the server is killed that may be."""
        if not self.leaving:
            self.keep()
        if not (self.ledger.dying or self.leaving or self.world.over):
            self.is_wrong(f"{type(error).__name__}: {error}")
        self.go()
        time.sleep(0.05)
        self.ledger.alive.wait(60)

    # Coming and going.
    def come(self):
        """Connects, signs in, and opens its mailbox as it left it."""
        self.leaving = False
        self.wire = Wire(self.world.place, self.world.patience)
        self.asked = Asked("greeting")
        self.hear(self.wire.response(time.monotonic() + self.world.patience))
        name, password = self.account + "@clinic.example", self.world.password
        if self.chance.random() < 0.5:
            self.do(f'LOGIN {name} "{password}"')
        else:
            self.do("AUTHENTICATE PLAIN " + base64.b64encode(f"\0{name}\0{password}".encode()).decode())
        if self.kind in ("qresync", "rev2"):
            self.do("ENABLE " + {"qresync": "QRESYNC", "rev2": "IMAP4rev2"}[self.kind])
        with self.ledger.lock:
            self.ledger.sessions += 1
        self.open(self.home)

    def go(self):
        """Without a word."""
        if self.wire:
            with self.ledger.lock:
                self.ledger.octets += self.wire.received
            self.wire.drop()
        self.wire = self.picture = None

    def whose(self, name):
        """Who owns it."""
        return "desk" if name == DESK else self.account

    def reads_only(self, name):
        """Whether it may be looked at only."""
        return self.kind == "examiner" or (name == DESK and self.account == "ann")

    def open(self, name):
        """SELECT or EXAMINE, with what was kept of it where it is; and everything that was not told."""
        kept = self.saved.pop((self.account, name), None)
        opening = self.opening(name, kept)
        more = " MODSEQ)" if self.counts_changes() else ")"
        # Of an empty mailbox there is no 1:*.
        everything = Asked("FETCH 1:* (UID FLAGS" + more, expunges=False, refused=("BAD",))
        if not kept and self.chance.random() < 0.5:
            self.do_all([opening, everything])
            return
        self.do_all([opening])
        picture = self.picture
        if kept and kept[0] == picture.validity:
            alone.check_resync(self, kept)
        elif picture.uids:
            self.do_all([everything])

    def opening(self, name, kept):
        """The command."""
        verb = "EXAMINE" if self.kind == "examiner" or self.chance.random() < 0.04 else "SELECT"
        more = {"condstore": " (CONDSTORE)"}.get(self.kind, "")
        with self.ledger.lock:
            floors = {(box, "UIDNEXT"): value for box, value in self.ledger.uid_next.items()}
            floors |= {(box, "MODSEQ"): value for box, value in self.ledger.highest.items()}
        picture = Picture(self.ledger, self.whose(name), name, time.monotonic(), floors)
        picture.writable = verb == "SELECT" and not self.reads_only(name)
        if self.kind == "qresync" and kept:
            validity, modseq, flags = kept
            known = f" {min(flags)}:{max(flags)}" if flags and self.chance.random() < 0.5 else ""
            more = f" (QRESYNC ({validity} {modseq}{known}))"
            picture.kept, picture.known = kept, bool(known)
        return Asked(f'{verb} "{name}"{more}', opens=picture, done=opened)

    def keep(self):
        """What it would know of its mailbox when it comes back."""
        picture = self.picture
        if picture and picture.before is None and self.kind in ("qresync", "condstore") and picture.is_whole() and picture.modseq:
            modseq = max([picture.modseq, *picture.modseqs.values()]) if self.quiet else picture.modseq
            self.saved[self.account, picture.name] = (picture.validity, modseq, dict(picture.flags))

    def counts_changes(self):
        """Whether it asks for MODSEQ."""
        return self.kind in ("condstore", "qresync")

    # Commands.
    def do(self, text, literal=None, **more):
        """One command."""
        asked = Asked(text, literal, **more)
        self.do_all([asked])
        return asked

    def do_all(self, batch):
        """Commands sent at once; their answers come one after the other."""
        waits = len(batch) == 1 and batch[0].literal and self.chance.random() < 0.4
        begun = time.monotonic()
        tags = self.send_and_wait(batch[0]) if waits else self.send(batch)
        for tag, asked in zip(tags, batch):
            self.begin(asked)
            answer = self.until(tag, begun)
            now = time.monotonic()
            self.ledger.took(asked.verb, now - begun)
            begun = now
            self.finish(asked, answer)

    def send(self, batch):
        """Their octets, in one piece; their tags."""
        octets, tags = b"", []
        for asked in batch:
            self.tag += 1
            tags.append(f"t{self.tag}")
            self.trace.append(f"> {tags[-1]} {asked.text[:160]}")
            octets += f"{tags[-1]} {asked.text}".encode()
            if asked.literal is not None:
                octets += b" {%d+}\r\n" % len(asked.literal) + asked.literal
            octets += b"\r\n"
        self.wire.send(octets)
        return tags

    def send_and_wait(self, asked):
        """A command whose literal waits until it is asked for; its tag."""
        self.tag += 1
        tag = f"t{self.tag}"
        self.trace.append(f"> {tag} {asked.text[:160]} {{{len(asked.literal)}}}")
        self.begin(asked)
        self.wire.send(f"{tag} {asked.text} {{{len(asked.literal)}}}\r\n".encode())
        self.until("+", time.monotonic())
        self.wire.send(asked.literal + b"\r\n")
        return [tag]

    def begin(self, asked):
        """It is this one's turn: what comes now belongs to it."""
        self.asked, self.quiet = asked, False
        if asked.opens and self.picture is None:
            self.enter(asked.opens)

    def enter(self, picture):
        """The mailbox is open from now on."""
        self.picture = picture
        if picture.kept:
            picture.resync(picture.kept[2], picture.kept[2])

    def until(self, tag, begun):
        """Hears up to the tagged response."""
        while True:
            try:
                response = self.wire.response(begun + self.world.patience)
            except Stalled:
                raise Stalled(f"{time.monotonic() - begun:.1f} s without an answer to {self.asked.text[:100]}") from None
            self.trace.append(response.shown())
            if response.tag == tag:
                return response
            if response.tag != "*":
                self.is_wrong(f"{response.shown()!r} where {tag} was awaited")
            self.hear(response)

    def finish(self, asked, answer):
        """Its tagged response."""
        asked.answered, (code, value) = answer.kind, answer.code()
        if answer.kind != "OK" and code not in asked.refused and answer.kind not in asked.refused:
            self.is_wrong(f"{asked.text[:100]}: {answer.shown()}")
        if answer.kind != "OK":
            with self.ledger.lock:
                self.ledger.refused += 1
        if asked.opens and (answer.kind != "OK" or self.picture is not asked.opens):
            self.picture = None
        elif asked.opens and (code == "READ-WRITE") != asked.opens.writable:
            self.is_wrong(f"{asked.text}: {answer.shown()}")
        elif code == "HIGHESTMODSEQ" and self.picture:
            self.note(self.picture.opened(code, value), answer)
        self.quiet = asked.text == "NOOP"
        if asked.done:
            asked.done(self, asked, answer.kind, code, value)

    def note(self, wrong, response):
        """What is wrong with a response, if something is."""
        if wrong:
            self.is_wrong(f"{response.shown()}: {wrong}")

    # Answers.
    def hear(self, response):
        """What comes without a tag."""
        with self.ledger.lock:
            self.ledger.responses += 1
        hear = getattr(self, "hear_" + response.kind.lower(), None)
        if hear:
            hear(response)
        elif response.kind not in PLAIN:
            self.is_wrong(f"nobody knows what this is: {response.shown()}")

    def hear_ok(self, response):
        code, value = response.code()
        if code == "CLOSED" and self.asked.opens:
            self.enter(self.asked.opens)
        elif code in NUMBERS and self.picture:
            self.note(self.picture.opened(code, value), response)
        elif code == "COPYUID":
            deeds.copied(self, self.asked, value)

    def hear_no(self, response):
        self.is_wrong(response.shown())

    hear_bad = hear_no

    def hear_exists(self, response):
        if self.picture.before is not None and not self.picture.counted:
            # Which they are is known once the rest was told.
            self.picture.uids, self.picture.counted = [None] * response.number, True
        else:
            self.is_told_news()
            self.note(self.picture.exists(response.number), response)

    def is_told_news(self):
        """What follows has happened since the mailbox was opened: what was kept and what was told of that make up all."""
        picture = self.picture
        if picture.before is not None and picture.kept[0] != picture.validity:
            picture.forget_kept()
        elif picture.before is not None and (wrong := picture.resynced()):
            self.is_wrong(wrong)

    def hear_recent(self, response):
        self.picture.recent = response.number
        if self.kind == "rev2":
            self.is_wrong("RECENT, in IMAP4rev2")

    def hear_expunge(self, response):
        if not self.asked.expunges:
            self.is_wrong(f"{response.shown()} during {self.asked.text}")
        if self.kind == "qresync":
            self.is_wrong("EXPUNGE, where QRESYNC is enabled")
        self.note(self.picture.expunge(response.number), response)

    def hear_vanished(self, response):
        text = response.pieces[0].decode()
        earlier = text.startswith("(EARLIER) ")
        if not earlier:
            self.is_told_news()
        if not (earlier or self.asked.expunges):
            self.is_wrong(f"{response.shown()} during {self.asked.text}")
        if self.kind != "qresync":
            self.is_wrong("VANISHED, where QRESYNC is not enabled")
        self.note(self.picture.vanished(ranges(text.removeprefix("(EARLIER) ")), earlier), response)

    def hear_fetch(self, response):
        items = response.words()[0]
        self.note(self.picture.fetch(response.number, items, self.asked), response)
        if self.asked.rows:
            self.asked.rows(items)

    def hear_flags(self, response):
        self.picture.keywords = {flag.lower() for flag in response.words()[0]}

    def hear_search(self, response):
        numbers = [word for word in response.words() if isinstance(word, str)]
        self.asked.numbers += [int(word) for word in numbers if word.isdigit()]

    hear_sort = hear_search

    def hear_thread(self, response):
        waiting = response.words()
        while waiting:
            word = waiting.pop()
            waiting += word if isinstance(word, list) else []
            self.asked.numbers += [int(word)] if isinstance(word, str) else []

    def hear_esearch(self, response):
        heard = response.words()
        if "ALL" in heard:
            self.asked.numbers += ranges(heard[heard.index("ALL") + 1])

    def hear_list(self, response):
        if self.asked.lists:
            self.asked.lists(response.words())

    hear_status = hear_list

    def letter(self):
        """A message that nobody has yet; its token."""
        sizes = [(60, 10, 2_000), (30, 2_000, 40_000), (8, 40_000, 400_000), (2, 400_000, self.world.largest)]
        _, least, most = self.chance.choices(sizes, [weight for weight, _, _ in sizes])[0]
        number = self.ledger.next_letter()
        return letters.token(number, self.chance.randint(least, most), self.chance.random() < 0.3)


def opened(client, asked, kind, code, value):
    """What was kept of a mailbox and what was told fit together, if it is the same one."""
    if client.picture:
        client.is_told_news()
