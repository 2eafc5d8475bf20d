"""What every session of every client must agree on, whenever it was told."""
import collections
import threading
import time


class Ledger:
    """Facts by mailbox (whose, UIDVALIDITY) and UID. Whatever does not fit is noted in `wrong`."""

    def __init__(self):
        self.lock = threading.RLock()
        self.wrong = []
        self.commands = collections.Counter()
        self.seconds = collections.defaultdict(list)
        self.sessions = self.resyncs = self.responses = self.octets = self.refused = 0
        self.facts = collections.defaultdict(dict)
        self.flags = collections.defaultdict(dict)
        self.newest, self.highest, self.uid_next = {}, {}, {}
        self.gone, self.arrived, self.leaving = {}, collections.defaultdict(dict), set()
        self.recent, self.letter, self.pending = {}, 0, []
        # While the server is killed and started again nobody wonders at a connection that breaks.
        self.dying, self.alive = False, threading.Event()
        self.alive.set()

    def is_wrong(self, words):
        """Something that must not be."""
        with self.lock:
            self.wrong.append(words)

    def next_letter(self):
        """A number that no letter had before."""
        with self.lock:
            self.letter += 1
            return self.letter

    def took(self, verb, seconds):
        """A command was answered."""
        with self.lock:
            self.commands[verb] += 1
            self.seconds[verb].append(seconds)

    def fact(self, box, uid, name, value):
        """What never changes; the words for what is wrong, if it did."""
        with self.lock:
            known = self.facts[box, uid].setdefault(name, value)
        return None if known == value else f"{name} of {uid} was {known!r:.90} and is {value!r:.90}"

    def token(self, box, uid):
        """Which letter it is, where that was told."""
        with self.lock:
            return self.facts[box, uid].get("token")

    def learn(self, box, uid, modseq, flags):
        """At one MODSEQ a message has one set of flags, whoever is told."""
        with self.lock:
            known = self.flags[box, uid]
            self.newest[box, uid] = max(modseq, self.newest.get((box, uid), 0))
            before = known.setdefault(modseq, flags)
            while len(known) > 12:
                del known[min(known)]
        return None if before == flags else f"{uid} at MODSEQ {modseq} had {sorted(before)} and has {sorted(flags)}"

    def rises(self, book, box, value, floor):
        """A number that was never told smaller than `floor`."""
        with self.lock:
            book[box] = max(value, book.get(box, 0))
        return None if value >= floor else f"was {floor} and is {value}"

    def floor(self, book, box):
        """What was told of it so far, at most."""
        with self.lock:
            return book.get(box, 0)

    def claim(self, box, uid, serial):
        """`\\Recent` is given once; who has it already, if it is another."""
        with self.lock:
            holder = self.recent.setdefault((box, uid), serial)
        return None if holder == serial else holder

    def came(self, box, uids, leaves=False):
        """They were said to be there, with OK."""
        with self.lock:
            for uid in uids:
                self.arrived[box][uid] = time.monotonic()
                if leaves:
                    self.leaving.add((box, uid))

    def may_leave(self, box, uids):
        """From now on somebody may take them out."""
        with self.lock:
            self.leaving.update((box, uid) for uid in uids if uid)

    def leaves(self, box, uid):
        """Whether somebody may have taken it out."""
        with self.lock:
            return (box, uid) in self.leaving

    def went(self, box, uid):
        """It was told to be gone."""
        with self.lock:
            self.gone.setdefault((box, uid), time.monotonic())

    def went_before(self, box, uid, moment):
        """Whether it was told to be gone before this."""
        with self.lock:
            return self.gone.get((box, uid), moment) < moment

    def is_wrong_if_there(self, box, uid, words):
        """Something that must not be, unless somebody had taken the message out by then."""
        with self.lock:
            self.pending.append((box, uid, words))

    def must_be_there(self, box):
        """UIDs that were said to be there, and that nobody asked to take out."""
        with self.lock:
            return {uid for uid in self.arrived[box] if (box, uid) not in self.leaving}

    def came_before(self, box, above, moment):
        """UIDs above one that were there before this moment."""
        with self.lock:
            return [uid for uid, when in self.arrived[box].items()
                    if uid > above and when < moment and (box, uid) not in self.leaving]
