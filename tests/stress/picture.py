"""What one session was told of the mailbox it has open, and whether what it is told next can be true."""
import itertools
import re

import letters
from wire import Text

# What is never told in two ways of one message.
FIXED = ("RFC822.SIZE", "INTERNALDATE", "ENVELOPE", "EMAILID", "THREADID", "BODYSTRUCTURE", "PREVIEW")
BODY = re.compile(r"(BODY|BINARY)\[([^\]]*)\](?:<(\d+)>)?$", re.IGNORECASE)
SERIALS = itertools.count(1)


def ranges(text):
    """`1:3,5` as numbers, ascending as they stand there."""
    for part in text.split(","):
        ends = [int(end) for end in part.split(":")]
        yield from range(min(ends), max(ends) + 1)


class Picture:
    """Positions, UIDs, flags. `None` stands for a UID that was not told yet."""

    def __init__(self, ledger, whose, name, asked_at, floors):
        self.ledger, self.whose, self.name, self.asked_at, self.floors = ledger, whose, name, asked_at, floors
        self.serial, self.writable, self.validity, self.box, self.mailbox_id = next(SERIALS), False, None, None, None
        self.uids, self.flags, self.modseqs, self.recents = [], {}, {}, set()
        self.keywords, self.recent, self.uid_next, self.modseq = set(), None, 0, 0
        # What was known before it was opened (QRESYNC), until all has been told.
        self.before, self.told, self.kept, self.known, self.counted = None, [], None, False, False

    # What its opening says.
    def opened(self, code, value):
        """A response code; what is wrong with it."""
        if code == "UIDVALIDITY":
            self.validity, self.box = int(value), (self.whose, int(value))
        elif code == "MAILBOXID":
            self.mailbox_id = value
            return self.ledger.fact(("mailboxes", self.whose), self.validity, "MAILBOXID", value)
        elif code == "UIDNEXT":
            self.uid_next = int(value)
            return self.ledger.rises(self.ledger.uid_next, self.box, int(value), self.floors.get((self.box, "UIDNEXT"), 0))
        elif code == "HIGHESTMODSEQ":
            if self.modseq > int(value):
                return f"HIGHESTMODSEQ was {self.modseq} and is {value}"
            self.modseq = int(value)
            return self.ledger.rises(self.ledger.highest, self.box, int(value), self.floors.get((self.box, "MODSEQ"), 0))
        return None

    def resync(self, uids, flags):
        """What this client has kept of it."""
        self.before, self.flags = dict.fromkeys(uids), dict(flags)

    def resynced(self):
        """All was told: it must fit together now."""
        # Of what it has named it is told all; of what came since, only what happened to it just now.
        last = max(self.kept[2], default=0) if self.known else 1 << 32
        uids, later = sorted(uid for uid in self.before if uid <= last), [pair for pair in self.told if pair[1] > last]
        came = len(self.uids) - len(uids)
        if came < 0 or came > 0 and not self.known:
            return f"after QRESYNC there are {len(uids)} known, and {len(self.uids)} EXISTS"
        self.uids, self.before = uids + [None] * came, None
        for number, uid in later:
            self.uids[number - 1] = uid
        wrong = [(number, uid) for number, uid in self.told if self.uids[number - 1] != uid]
        return f"QRESYNC told FETCH with numbers that are others': {wrong[:3]}" if wrong else None

    def forget_kept(self):
        """It is another mailbox than the one that was known."""
        self.before, self.flags = None, {}

    # What it is told.
    def exists(self, count):
        """`* n EXISTS`."""
        if count < len(self.uids):
            return f"EXISTS shrinks from {len(self.uids)}"
        self.uids += [None] * (count - len(self.uids))
        return None

    def forget(self, place):
        """The message at this place is gone."""
        uid = self.uids.pop(place)
        if uid:
            self.ledger.went(self.box, uid)
            self.flags.pop(uid, None)
            self.modseqs.pop(uid, None)
            self.recents.discard(uid)

    def expunge(self, number):
        """`* n EXPUNGE`."""
        if not 1 <= number <= len(self.uids):
            return f"of {len(self.uids)}"
        return self.forget(number - 1)

    def vanished(self, uids, earlier):
        """`* VANISHED`."""
        for uid in uids:
            if self.before is not None:
                self.before.pop(uid, None)
                self.flags.pop(uid, None)
                self.ledger.went(self.box, uid)
            elif earlier:
                if uid in self.uids:
                    return f"VANISHED (EARLIER) {uid}, which is there"
            else:
                place = self.place(uid)
                if place is None:
                    return f"VANISHED {uid}, which nobody has told of"
                self.forget(place)
                self.ledger.went(self.box, uid)
        return None

    def place(self, uid):
        """Where it stands; of those that were not told yet one that it may be."""
        try:
            return self.uids.index(uid)
        except ValueError:
            pass
        for place, known in enumerate(self.uids):
            if known is None:
                behind = next((other for other in self.uids[place:] if other), uid + 1)
                if behind > uid:
                    return place
            elif known > uid:
                return None
        return None

    def fetch(self, number, items, asked):
        """`* n FETCH (…)`; `asked` is the command's own."""
        if not 1 <= number <= len(self.uids):
            return f"FETCH {number} of {len(self.uids)}"
        told = dict(zip([str(name).upper() for name in items[::2]], items[1::2]))
        uid = int(told["UID"]) if "UID" in told else self.uids[number - 1]
        if self.before is not None:
            self.told.append((number, uid))
            self.before[uid] = None
        elif "UID" in told and (wrong := self.numbered(number, uid)):
            return wrong
        if "FLAGS" in told and (wrong := self.flagged(uid, told, asked)):
            return wrong
        if not uid:
            return None
        if "MODSEQ" in told and (wrong := self.changed(uid, int(told["MODSEQ"][0]))):
            return wrong
        for name in FIXED:
            if name in told and (wrong := self.fixed(uid, name, told[name])):
                return wrong
        bodies = [(BODY.match(name), value) for name, value in told.items() if isinstance(value, Text)]
        return next((wrong for found, value in bodies if found and (wrong := self.body(uid, found, value, asked))), None)

    def numbered(self, number, uid):
        """A message has one UID, and they rise."""
        known = self.uids[number - 1]
        if known == uid:
            return None
        if known:
            return f"{number} was UID {known} and is {uid}"
        below = next((other for other in reversed(self.uids[: number - 1]) if other), 0)
        above = next((other for other in self.uids[number:] if other), uid + 1)
        if not below < uid < above:
            return f"UID {uid} stands between {below} and {above}"
        if self.ledger.went_before(self.box, uid, self.asked_at):
            return f"UID {uid} was gone, and is there again"
        self.uids[number - 1] = uid
        return None

    def flagged(self, uid, told, asked):
        """Its flags."""
        flags = frozenset(flag.lower() for flag in told["FLAGS"])
        unknown = [flag for flag in flags if not flag.startswith("\\") and flag not in self.keywords]
        if unknown:
            return f"keywords that FLAGS did not name: {unknown}"
        if not uid:
            return None
        if "\\recent" in flags:
            flags -= {"\\recent"}
            self.recents.add(uid)
            holder = self.writable and self.ledger.claim(self.box, uid, self.serial)
            if holder:
                return f"\\Recent of {uid} was given to another before (selection {holder}, this is {self.serial})"
        else:
            self.recents.discard(uid)
        self.flags[uid] = flags
        asked.flagged.add(uid)
        return self.ledger.learn(self.box, uid, int(told["MODSEQ"][0]), flags) if "MODSEQ" in told else None

    def changed(self, uid, modseq):
        """Its MODSEQ."""
        before = self.modseqs.get(uid, 0)
        self.modseqs[uid] = modseq
        return f"MODSEQ of {uid} was {before} and is {modseq}" if modseq < before else None

    def fixed(self, uid, name, value):
        """Something that never changes."""
        if name == "ENVELOPE" and (wrong := self.is_letter(uid, value[1].decode())):
            return wrong
        token = self.ledger.token(self.box, uid)
        if name == "RFC822.SIZE" and token and int(value) != len(letters.whole(token)):
            return f"RFC822.SIZE of {uid} is {value}, and {len(letters.whole(token))} octets were appended"
        return self.ledger.fact(self.box, uid, name, repr(value))

    def is_letter(self, uid, token):
        """Which letter it is."""
        return self.ledger.fact(self.box, uid, "token", token)

    def body(self, uid, found, octets, asked):
        """Octets of it."""
        section, origin = found[2], found[3]
        if section == "" and origin is None and (wrong := self.is_letter(uid, letters.token_in(octets))):
            return wrong
        token = self.ledger.token(self.box, uid)
        whole = letters.section(token, section) if token else None
        if whole is None:
            return None
        first = int(origin or 0)
        expected = whole[first:] if origin is None else whole[first : first + asked.length]
        if octets == expected:
            return None
        return f"{found[0]} of {uid}, {token}: {len(octets)} octets that are not the {len(expected)} appended: {octets[:60]!r}"

    # What it amounts to.
    def is_whole(self):
        """Whether every UID and all flags were told."""
        return None not in self.uids and all(uid in self.flags for uid in self.uids)

    def with_flag(self, flag):
        """Positions of messages that have it."""
        return [at + 1 for at, uid in enumerate(self.uids) if flag in self.flags.get(uid, ())]
