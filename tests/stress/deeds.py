"""Commands that others may follow at once, at random, with what their answers must be."""
import letters
from asked import Asked
from picture import FIXED, ranges
from wire import Text

FLAGS = ["\\Seen", "\\Answered", "\\Flagged", "\\Draft", "one", "Two", "$three"]
ROWS = ["UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE", "EMAILID"]
CONTENT = ["ENVELOPE", "BODYSTRUCTURE", "THREADID", "PREVIEW"]
BODIES = ["BODY.PEEK[]", "BODY.PEEK[]", "BODY[]", "BODY.PEEK[HEADER]", "BODY.PEEK[TEXT]", "BODY.PEEK[1]", "BODY[1]",
          "BODY.PEEK[HEADER.FIELDS (SUBJECT)]"]
KEYS = ["SEEN", "UNSEEN", "FLAGGED", "KEYWORD one", "UNKEYWORD Two", "DELETED", "TEXT fox", "BODY nowhere", "LARGER 3000",
        "SINCE 1-Feb-2026", "SUBJECT t1", "OR SEEN FLAGGED", "NOT DRAFT", "HEADER Message-ID stress", "1:*", "UID 1:*"]
# A mailbox with more messages is emptied rather than filled.
FULL = 150
# Octets that are pipelined: with more, both sides might wait for each other to read.
PIPELINED = 40_000


def another(client, by_number):
    """A command that others may follow at once; `None` where it does not fit now."""
    full = len(client.picture.uids) > FULL
    reading = client.reads_only(client.picture.name) or not client.picture.writable
    choices = [(22, fetch), (8, fetch_body), (6, search), (4, changes), (2, sort), (4, noop), (2, status), (1, namespace), (2, mistake)]
    if not reading:
        choices += [(22, store), (6, conditional_store), (10 if full else 3, delete), (8 if full else 4, expunge), (6, move)]
    if client.kind != "examiner":
        choices += [(4 if full else 16, append), (2 if full else 7, copy)]
    deed = client.chance.choices([deed for _, deed in choices], [weight for weight, _ in choices])[0]
    return deed(client, by_number)


# Which messages.
def places(client, most):
    """Some positions whose UIDs are known."""
    known = [at for at, uid in enumerate(client.picture.uids) if uid]
    if not known:
        return []
    first = client.chance.randrange(len(known))
    return known[first : first + client.chance.randint(1, most)]


def chosen(client, by_number, most=6):
    """`(UID or nothing, set, UIDs)` of some messages."""
    at = places(client, most)
    uids = [client.picture.uids[place] for place in at]
    if by_number and client.chance.random() < 0.5:
        return "", written(client, [place + 1 for place in at]), uids
    return "UID ", written(client, uids), uids


def written(client, numbers):
    """A set, in one of the ways in which it can be written."""
    # What lies between is not there, or is named by number and so in a row.
    if len(numbers) > 1 and client.chance.random() < 0.5 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]}:{numbers[-1]}"
    numbers = list(numbers)
    client.chance.shuffle(numbers)
    return ",".join(map(str, numbers))


def elsewhere(client):
    """The name of a mailbox."""
    names = [client.home] * 4 + ["INBOX", "Archive", client.world.desk]
    return client.chance.choice(names)


# Reading.
def learn(client):
    """Asks for what arrived."""
    uids = client.picture.uids
    first = uids.index(None) + 1
    items = client.chance.choice(["UID FLAGS", "UID FLAGS RFC822.SIZE INTERNALDATE", "UID FLAGS ENVELOPE"])
    more = " MODSEQ" if client.counts_changes() else ""
    client.do(f"FETCH {first}:{len(uids)} ({items}{more})", expunges=False, refused=("EXPUNGEISSUED",))


def fetch(client, by_number):
    how, numbers, _ = chosen(client, by_number, 30)
    items = client.chance.sample(ROWS, client.chance.randint(1, 4))
    if client.chance.random() < 0.3:
        items += client.chance.sample(CONTENT, 2)
    if client.counts_changes() and client.chance.random() < 0.5:
        items.append("MODSEQ")
    refused = ("EXPUNGEISSUED",) if not how else ()
    return numbers and Asked(f"{how}FETCH {numbers} ({' '.join(items)})", expunges=bool(how), refused=refused) or None


def fetch_body(client, by_number):
    how, numbers, _ = chosen(client, by_number, 3)
    item, length = client.chance.choice(BODIES), 0
    if client.chance.random() < 0.3:
        length = client.chance.choice([1, 500, 70_000])
        item += f"<{client.chance.choice([0, 1, 777, 70_000])}.{length}>"
    refused = ("EXPUNGEISSUED",) if not how else ()
    text = f"{how}FETCH {numbers} (UID {item})"
    return numbers and Asked(text, expunges=bool(how), refused=refused, length=length) or None


def changes(client, by_number):
    """What has changed, and what is gone, since some change."""
    picture = client.picture
    if not client.counts_changes():
        return None
    since = client.chance.choice([picture.modseq, *picture.modseqs.values()])
    if client.kind == "condstore":
        return Asked(f"UID SEARCH MODSEQ {since}")
    return Asked(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {max(1, since)} VANISHED)")


def search(client, by_number):
    key = client.chance.choice(KEYS)
    by_number = by_number and client.chance.random() < 0.5
    save = "RETURN (ALL) " if client.chance.random() < 0.2 else ""

    def done(client, asked, kind, code, value):
        count, known = len(client.picture.uids), set(client.picture.uids)
        numbers = asked.numbers
        if sorted(set(numbers)) != numbers:
            client.is_wrong(f"{asked.text}: numbers twice, or not ascending")
        if by_number and any(number > count for number in numbers):
            client.is_wrong(f"{asked.text}: {max(numbers)} of {count}")
        if not by_number and None not in known and not known.issuperset(numbers):
            gone = [uid for uid in set(numbers) - known if client.ledger.went_before(client.picture.box, uid, 1e18)]
            if set(gone) != set(numbers) - known:
                client.is_wrong(f"{asked.text}: UIDs {sorted(set(numbers) - known)[:5]} that nobody has told of")

    return Asked(("" if by_number else "UID ") + f"SEARCH {save}{key}", expunges=not by_number, done=done)


def sort(client, by_number):
    by_number = by_number and client.chance.random() < 0.5
    what = client.chance.choice(["SORT (SUBJECT)", "SORT (REVERSE ARRIVAL)", "SORT (SIZE DATE)", "THREAD REFERENCES"])
    return Asked(("" if by_number else "UID ") + f"{what} UTF-8 ALL", expunges=not by_number)


def noop(client, by_number):
    return Asked(client.chance.choice(["NOOP", "NOOP", "CHECK"]))


def status(client, by_number):
    name = elsewhere(client)
    box = None

    def lists(heard):
        nonlocal box
        told = dict(zip(heard[1][::2], heard[1][1::2]))
        box = (client.whose(name), int(told["UIDVALIDITY"]))
        for item, book in (("UIDNEXT", client.ledger.uid_next), ("HIGHESTMODSEQ", client.ledger.highest)):
            if wrong := client.ledger.rises(book, box, int(told.get(item, 0)), floors[item].get(box, 0) if item in told else 0):
                client.is_wrong(f"STATUS {name}: {item} {wrong}")

    with client.ledger.lock:
        floors = {"UIDNEXT": dict(client.ledger.uid_next), "HIGHESTMODSEQ": dict(client.ledger.highest)}
    more = " HIGHESTMODSEQ" if client.counts_changes() else ""
    return Asked(f'STATUS "{name}" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN{more})', lists=lists)


def namespace(client, by_number):
    return Asked(client.chance.choice(["NAMESPACE", "CAPABILITY", 'LSUB "" "*"', 'ID NIL', "GETQUOTAROOT INBOX"]))


def mistake(client, by_number):
    """What is refused, and changes nothing."""
    text = client.chance.choice(["NONSENSE", "UID FETCH", "FETCH 0 FLAGS", "FETCH 4000000000 FLAGS", "FETCH 1 (NOTHING)",
                                 'STATUS "Nowhere" (MESSAGES)', 'DELETE "INBOX"', "STORE 1 FLAGS (\\Nothing)", "SEARCH NOTHING"])
    by = not text.startswith(("FETCH", "STORE", "SEARCH"))
    return Asked(text, expunges=by, refused=("BAD", "NO")) if by or by_number else None


# Writing.
def store(client, by_number, flags=None, how=None):
    how = how or client.chance.choice(["", "+", "-"])
    flags = flags or client.chance.sample(FLAGS, client.chance.randint(0, 2))
    which, numbers, uids = chosen(client, by_number)
    if not numbers:
        return None
    silent = client.chance.random() < 0.5
    if "\\Deleted" in flags and how != "-":
        client.ledger.may_leave(client.picture.box, uids)
    text = f"{which}STORE {numbers} {how}FLAGS{'.SILENT' if silent else ''} ({' '.join(flags)})"
    return Asked(text, expunges=bool(which), done=stored(how, flags, uids))


def stored(how, flags, uids, modified=frozenset):
    """Nobody is told what it asked for itself."""
    named = frozenset(flag.lower() for flag in flags)

    def done(client, asked, kind, code, value):
        known = client.picture.flags
        for uid in uids:
            if uid in known and uid not in asked.flagged and uid not in modified() and kind == "OK":
                known[uid] = {"+": known[uid] | named, "-": known[uid] - named}.get(how, named)

    return done


def delete(client, by_number):
    return store(client, by_number, ["\\Deleted"], client.chance.choice(["+", "+", "-"]))


def conditional_store(client, by_number):
    """STORE … (UNCHANGEDSINCE …): exactly those that changed since are MODIFIED."""
    which, numbers, uids = chosen(client, by_number)
    if not client.counts_changes() or not numbers:
        return None
    picture, ledger = client.picture, client.ledger
    known = sorted(picture.modseqs.get(uid, picture.modseq) for uid in uids)
    since, modified, order = client.chance.choice(known), set(), list(picture.uids)
    with ledger.lock:
        changed = {uid for uid in uids if ledger.newest.get((picture.box, uid), 0) > since}
    how, flags = client.chance.choice(["+", "-"]), client.chance.sample(FLAGS, 1)
    assume = stored(how, flags, uids, lambda: modified)

    def done(client, asked, kind, code, value):
        if code == "MODIFIED":
            modified.update(uid if which else order[uid - 1] for uid in ranges(value))
        for uid in changed - modified:
            # If it is there still it was there then, and should have been named.
            ledger.is_wrong_if_there(picture.box, uid, f"client {client.number}: {asked.text}: {uid} had changed: {code} {value}")
        if not modified <= set(uids):
            client.is_wrong(f"{asked.text}: MODIFIED {value} was not asked for")
        assume(client, asked, kind, code, value)
        client.modified = (since, modified) if modified else None

    text = f"{which}STORE {numbers} (UNCHANGEDSINCE {since}) {how}FLAGS.SILENT ({flags[0]})"
    return Asked(text, expunges=bool(which), done=done)


def check_modified(client):
    """What was said to have changed has."""
    (since, modified), client.modified = client.modified, None
    there = [uid for uid in modified if uid in client.picture.uids]
    if there:
        client.do(f"UID FETCH {written(client, there)} (FLAGS MODSEQ)")
        unchanged = [uid for uid in there if client.picture.modseqs.get(uid, since + 1) <= since]
        if unchanged:
            client.is_wrong(f"{unchanged} have not changed since {since}, and were MODIFIED")


def expunge(client, by_number):
    if client.chance.random() < 0.5:
        return Asked("EXPUNGE")
    _, numbers, _ = chosen(client, False, 40)
    return Asked(f"UID EXPUNGE {numbers}") if numbers else None


def append(client, by_number):
    name = client.picture.name if client.chance.random() < 0.7 else elsewhere(client)
    if client.reads_only(name):
        return None
    token = client.letter()
    flags = client.chance.sample(FLAGS, client.chance.randint(0, 2)) + ["\\Deleted"] * (client.chance.random() < 0.05)
    date = ""
    if client.chance.random() < 0.5:
        number = client.ledger.letter
        date = f"{1 + number % 28:2}-Mar-2026 {number % 24:02}:{number % 60:02}:07 +0000"
    with client.ledger.lock:
        floors = dict(client.ledger.uid_next)
    octets = letters.whole(token)

    def done(client, asked, kind, code, value):
        if kind != "OK":
            return
        validity, uid = map(int, value.split())
        box, ledger = (client.whose(name), validity), client.ledger
        ledger.came(box, [uid], "\\Deleted" in flags)
        facts = [("token", token), ("RFC822.SIZE", repr(str(len(octets))))]
        # A day of one digit may be written with a space, and is told with a zero.
        facts += [("INTERNALDATE", repr(Text((date[:1].replace(" ", "0") + date[1:]).encode())))] if date else []
        for item, fact in facts:
            client.note(ledger.fact(box, uid, item, fact), answer_of(asked, code, value))
        if wrong := ledger.rises(ledger.uid_next, box, uid + 1, floors.get(box, 0) + 1):
            client.is_wrong(f"APPENDUID {value}: UIDNEXT {wrong}")
        picture = client.picture
        if picture.box == box and uid not in picture.uids and None not in picture.uids and not ledger.leaves(box, uid):
            client.is_wrong(f"APPENDUID {value}: and no EXISTS told of it")

    text = f'APPEND "{name}" ({" ".join(flags)})' + (f' "{date}"' if date else "")
    return Asked(text, octets, done=done)


def answer_of(asked, code, value):
    """What stands where a response is shown."""
    return type("Answer", (), {"shown": lambda self: f"{asked.text}: {code} {value}"})()


def copy(client, by_number):
    return carry(client, by_number, "COPY")


def move(client, by_number):
    return carry(client, by_number, "MOVE")


def carry(client, by_number, verb):
    which, numbers, uids = chosen(client, by_number)
    names = ["INBOX", "Archive", client.world.desk]
    name = client.chance.choice([name for name in names if not client.reads_only(name)] or [None])
    if not numbers or not name:
        return None
    if verb == "MOVE":
        client.ledger.may_leave(client.picture.box, uids)
    refused = ("EXPUNGEISSUED",) if not which else ()

    def done(client, asked, kind, code, value):
        if code == "COPYUID":
            copied(client, asked, value)

    asked = Asked(f'{which}{verb} {numbers} "{name}"', refused=refused, done=done)
    asked.source, asked.target, asked.uids = client.picture.box, client.whose(name), set(uids)
    return asked


def copied(client, asked, value):
    """COPYUID: what is there is what was here."""
    validity, from_uids, to_uids = value.split()
    source, target, ledger = asked.source, (asked.target, int(validity)), client.ledger
    from_uids, to_uids = list(ranges(from_uids)), list(ranges(to_uids))
    if len(from_uids) != len(to_uids) or not asked.uids.issuperset(from_uids):
        client.is_wrong(f"{asked.text}: COPYUID {value}")
    for one, other in zip(from_uids, to_uids):
        ledger.came(target, [other], ledger.leaves(source, one))
        for name in ("token", *FIXED):
            if name == "EMAILID" and source[0] != target[0] or name == "THREADID" and source[0] != target[0]:
                continue
            known = ledger.facts[source, one].get(name)
            if known is not None and (wrong := ledger.fact(target, other, name, known)):
                client.is_wrong(f"{asked.text}: COPYUID {value}: {wrong}")
