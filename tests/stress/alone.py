"""What a mail program does in one stretch: some commands at once, or something that stands alone."""
import time

import letters
from asked import Asked
from deeds import PIPELINED, another, check_modified, elsewhere, learn
from wire import Closed


def step(client):
    """One stretch of work."""
    picture, chance = client.picture, client.chance
    if picture is None:
        client.open(elsewhere(client))
        return
    if client.modified:
        check_modified(client)
    if None in picture.uids and chance.random() < 0.8:
        learn(client)
        return
    if client.kind == "idler" and chance.random() < 0.6:
        idle(client, chance.choice([0.1, 1, 4]))
        return
    alone = chance.random()
    if alone < 0.10:
        ALONE[chance.choices(range(len(ALONE)), [weight for weight, _ in ALONE])[0]][1](client)
        return
    batch, octets, by_number = [], 0, True
    while not batch or chance.random() < 0.45 and octets < PIPELINED:
        asked = another(client, by_number)
        if asked is None:
            continue
        # Numbers behind a command that may bring expunges might be others' by then.
        by_number = by_number and not asked.expunges
        octets += len(asked.literal or b"") + (20_000 if "BODY" in asked.text else 0)
        batch.append(asked)
    client.do_all(batch)


def idle(client, seconds):
    """IDLE: what arrives is told while it lasts."""
    client.begin(Asked("IDLE"))
    client.tag += 1
    tag = f"t{client.tag}"
    client.trace.append(f"> {tag} IDLE")
    client.wire.send(f"{tag} IDLE\r\n".encode())
    begun, going = time.monotonic(), False
    end = begun + seconds
    while not going or time.monotonic() < end and not client.world.pausing.is_set():
        if going and not client.wire.waits(0.1):
            continue
        response = client.wire.response(time.monotonic() + client.world.patience)
        client.trace.append(response.shown())
        if response.tag == "+":
            going = True
        elif response.tag == "*":
            client.hear(response)
        else:
            client.is_wrong(f"{response.shown()} in IDLE")
            return
    told = len(client.picture.uids)
    over = time.monotonic()
    client.trace.append("> DONE")
    client.wire.send(b"DONE\r\n")
    client.finish(client.asked, client.until(tag, over))
    client.ledger.took("IDLE", time.monotonic() - over)
    if told and over - begun > client.world.patience / 2:
        client.do(f"FETCH {max(1, min(told, len(client.picture.uids)))} (UID)", expunges=False)
        last = client.picture.uids[:told][-1] if client.picture.uids[:told] else None
        late = last and client.ledger.came_before(client.picture.box, last, over - client.world.patience)
        late = [uid for uid in late or [] if not client.ledger.went_before(client.picture.box, uid, 1e18)]
        if late:
            client.is_wrong(f"IDLE did not tell of {late[:5]}, which had been there for {client.world.patience} s")


def reopen(client):
    """Another mailbox, with CLOSE, UNSELECT or nothing before it."""
    client.keep()
    how = client.chance.choice(["CLOSE", "UNSELECT", "", ""])
    if how:
        client.do(how)
        client.picture = None
    client.open(elsewhere(client))


def saved(client):
    """The last search's result, by name."""
    key = client.chance.choice(["DELETED", "FLAGGED", "ALL", "UID 1:*"])
    client.do_all([Asked(f"UID SEARCH RETURN (SAVE) {key}"), Asked("UID FETCH $ (FLAGS)"), Asked("UID SEARCH $ SEEN")])


def log_out(client):
    """And comes back."""
    if client.chance.random() < 0.5:
        client.do("NOOP")
    client.keep()
    client.leaving = True
    client.do("LOGOUT")
    raise Closed("logged out")


def break_off(client):
    """In the midst of a command, of a message, or behind commands whose answers it does not wait for."""
    client.keep()
    client.leaving = True
    how = client.chance.randrange(3)
    if how == 0:
        client.wire.send(client.chance.choice([b"x FETCH 1:* (FL", b"x APPEND INBOX {500}\r\n", b"x", b"x IDLE\r\n"]))
    elif how == 1 and client.kind != "examiner":
        client.wire.send(b"x APPEND INBOX (\\Seen) {50000+}\r\n" + b"Subject: half\r\n\r\n" * 40)
    else:
        batch = [asked for asked in (another(client, True), another(client, False)) if asked]
        if sum(len(asked.literal or b"") for asked in batch) < PIPELINED:
            client.send(batch)
    raise Closed("broken off")


def remake(client):
    """A mailbox is made, filled, renamed and deleted; one of the same name is another."""
    if client.kind == "examiner":
        return
    name, seen = f"Temporary {client.number}", client.remade

    def told(asked_name):
        heard = []
        client.do(f'STATUS "{asked_name}" (MESSAGES UIDNEXT UIDVALIDITY)', lists=lambda words: heard.append(words))
        return {item: int(value) for item, value in zip(heard[0][1][::2], heard[0][1][1::2])}

    # Left over by a kill.
    for old in (name, name + " b"):
        client.do(f'DELETE "{old}"', refused=("NONEXISTENT",))
    client.do_all([Asked(f'CREATE "{name}"'), Asked(f'SUBSCRIBE "{name}"')])
    first = told(name)
    if first["MESSAGES"] != 0 or first["UIDVALIDITY"] in seen:
        client.is_wrong(f"a new mailbox has {first}, and such UIDVALIDITYs were there before: {sorted(seen)}")
    seen.add(first["UIDVALIDITY"])
    octets = letters.whole(client.letter())
    client.do_all([Asked(f'APPEND "{name}"', octets), Asked(f'RENAME "{name}" "{name} b"'), Asked(f'UNSUBSCRIBE "{name}"')])
    then = told(name + " b")
    if then != {"MESSAGES": 1, "UIDNEXT": first["UIDNEXT"] + 1, "UIDVALIDITY": first["UIDVALIDITY"]}:
        client.is_wrong(f"renamed, {first} became {then}")
    listed = []
    client.do('LIST "" "*"', lists=lambda words: listed.append(words[2]))
    names = [listed_name.decode() if isinstance(listed_name, bytes) else listed_name for listed_name in listed]
    if len(set(names)) != len(names) or not {"INBOX", "Archive", name + " b"} <= set(names) or name in names:
        client.is_wrong(f"LIST has {names}")
    client.do(f'DELETE "{name} b"')


def quarrel(client):
    """Makes, fills, renames, opens and deletes what others make, rename and delete at the same time: each may come too late."""
    if client.kind == "examiner":
        return
    names = ["Shared", "Shared 2", "Shared/below"]
    one, other = client.chance.sample(names, 2)
    late = ("NONEXISTENT", "ALREADYEXISTS", "TRYCREATE", "HASCHILDREN", "CANNOT")
    deeds = [Asked(f'CREATE "{one}"', refused=late), Asked(f'RENAME "{one}" "{other}"', refused=late),
             Asked(f'STATUS "{one}" (MESSAGES HIGHESTMODSEQ)', refused=late), Asked(f'DELETE "{one}"', refused=late),
             Asked(f'APPEND "{one}"', letters.whole(client.letter())[:PIPELINED], refused=late), Asked('LIST "" "*"'),
             Asked('LIST (SUBSCRIBED) "" "*" RETURN (STATUS (MESSAGES UNSEEN))'), Asked(f'SUBSCRIBE "{one}"')]
    client.do_all(client.chance.sample(deeds, 4))
    if client.chance.random() < 0.3:
        client.keep()
        # Whose open mailbox is deleted is told BYE.
        client.leaving = True
        opening = client.opening(other, None)
        opening.refused = late
        client.do_all([opening])
        if client.picture:
            gone = ("NONEXISTENT",)
            client.do_all([Asked("UID SEARCH ALL", refused=gone), Asked("CLOSE", refused=gone)])
        client.picture, client.leaving = None, False


def check_resync(client, kept):
    """What was kept and what was told since make up what is there."""
    picture, (_, since, flags) = client.picture, kept
    highest = picture.modseq
    changed = set(client.asked.flagged) if client.kind == "qresync" else set()
    known = dict(picture.flags) if client.kind == "qresync" else flags
    if client.kind == "condstore" and picture.uids:
        asked = client.do(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {since})")
        changed = set(asked.flagged)
        known = {uid: picture.flags.get(uid, flags.get(uid)) for uid in {*flags, *changed}}
    told = {}

    def rows(items):
        row = dict(zip(items[::2], items[1::2]))
        if "MODSEQ" in row and "UID" in row and "FLAGS" in row:
            told[int(row["UID"])] = (int(row["MODSEQ"][0]), frozenset(map(str.lower, row["FLAGS"])) - {"\\recent"})

    if picture.uids:
        client.do("FETCH 1:* (UID FLAGS MODSEQ)", expunges=False, rows=rows)
    for uid, (modseq, has) in told.items():
        if modseq <= highest and not (picture.known and uid not in known) and known.get(uid) != has:
            client.is_wrong(f"resync since {since}, to {highest}: {uid} at {modseq} has {sorted(has)}, known were "
                            f"{sorted(known.get(uid) or ['nothing'])}, {'changed' if uid in changed else 'not changed'}")
    with client.ledger.lock:
        client.ledger.resyncs += 1


# How often, and what.
ALONE = [
    (4, lambda client: idle(client, client.chance.random() / 3)),
    (5, reopen),
    (2, log_out),
    (2, break_off),
    (1, remake),
    (2, quarrel),
    (2, saved),
]
