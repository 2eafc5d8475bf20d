"""Messages, mailboxes and questions about them, by a seed. Only what the standards leave no choice in."""

import base64

WORDS = "befund brief labor result tomorrow invoice quick zeta alpha beta gamma".split()
PEOPLE = [
    "a@b.example", "<a@b.example>", "Jane Doe <jane@clinic.example>", '"Doe, Jane" <jane@clinic.example>',
    "jane@clinic.example (Jane Doe)", "=?utf-8?q?J=C3=BCrg_M?= <jm@x.example>", "undisclosed-recipients:;",
    'Team: a@b.example, "B, C" <bc@d.example>;', '"a\\"b" <q@h.example>', "J. Q. Public <jq@p.example>", '"quoted local"@host.example',
    "Joe (comment (nested)) <joe@x.example>", "a@[127.0.0.1]", "A <a@x.example>,\r\n B <b@x.example>,\r\n\tC <c@x.example>",
]
SUBJECTS = [
    "plain", "Re: plain", "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "=?utf-8?b?R3LDvMOfZSBhdXM=?= =?iso-8859-1?q?_K=F6ln?=", "folded\r\n over lines",
    'with "quotes" and \\', "(paren) {5}", "very " * 80 + "long", "[list] fwd: x (fwd)",
]
DATES = ["Mon, 2 Nov 2026 10:00:00 +0100", "2 Nov 2026 10:00 GMT", "Mon, 2 Nov 2026 23:59:59 -1200", "Sat, 1 Jan 2000 00:00:00 +0000"]
TYPES = [
    ("text/plain", None), ("text/plain; charset=utf-8", None), ("TEXT/HTML; charset=us-ascii", None), ("text/plain; charset=utf-8", "base64"),
    ("text/plain; charset=\"iso-8859-1\"; format=flowed", "quoted-printable"), ("image/png; name=x.png", "base64"),
    ('application/octet-stream; name="a b.pdf"', "base64"), ("application/x; name*0=\"abc\"; name*1=\"def\"", None),
]
FIELDS = [
    "Content-Disposition: inline", 'Content-Disposition: attachment; filename="a.pdf"; size=12', "Content-Language: en",
    "Content-Language: de, en", "Content-ID: <1@x.example>", "Content-Description: what it is", "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==",
    "Content-Location: http://x.example/a", "Content-Disposition: attachment;\r\n filename*=utf-8''%C3%A4",
]


def text(dice, most=12):
    return " ".join(dice.choice(WORDS) for _ in range(dice.randint(0, most)))


def leaf(dice):
    kind, encoding = dice.choice(TYPES)
    body = "\r\n".join(text(dice) for _ in range(dice.randint(0, 4))).encode()
    if encoding == "base64":
        body = base64.encodebytes(body).replace(b"\n", b"\r\n")
    head = [f"Content-Type: {kind}"] + ([f"Content-Transfer-Encoding: {encoding}"] if encoding else [])
    return head + extra(dice), body, []


def extra(dice):
    chosen = dice.sample(FIELDS, dice.choice([0, 1, 2]))
    return list({field.split(":")[0]: field for field in chosen}.values())


def part(dice, depth):
    """Header fields, body, and what is numbered within it."""
    if depth < 3 and dice.random() < 0.5:
        border = f"b{depth} {dice.randint(0, 9)}"
        kind = dice.choice(["mixed", "alternative", "related; type=\"text/html\"", "digest", "x-odd"])
        body, within = dice.choice([b"", b"preamble\r\n"]), []
        for number in range(1, dice.randint(1, 3) + 1):
            head, octets, parts = part(dice, depth + 1)
            body += f"--{border}\r\n".encode() + "".join(field + "\r\n" for field in head).encode() + b"\r\n" + octets + b"\r\n"
            within += [str(number)] + [f"{number}.{one}" for one in parts]
        body += f"--{border}--\r\n".encode() + dice.choice([b"", b"epilogue\r\n"])
        return [f'Content-Type: multipart/{kind}; boundary="{border}"'] + extra(dice), body, within
    if depth in (1, 2) and dice.random() < 0.3:
        octets, within = message(dice, depth + 1)
        return ["Content-Type: message/rfc822"] + extra(dice), octets, within
    return leaf(dice)


def message(dice, depth=0):
    """A message, and the numbers of its parts."""
    head = [f"From: {dice.choice(PEOPLE)}", f"To: {', '.join(dice.sample(PEOPLE, dice.randint(1, 3)))}", f"Date: {dice.choice(DATES)}"]
    for name, chosen in [("Subject", SUBJECTS), ("Cc", PEOPLE), ("Sender", PEOPLE[:6]), ("Reply-To", PEOPLE), ("X-Custom", SUBJECTS)]:
        if dice.random() < (0.9 if name == "Subject" else 0.3):
            head.append(f"{name}: {dice.choice(chosen)}")
    if dice.random() < 0.6:
        head.append(f"Message-ID: <{dice.randint(1, 99)}@x.example>")
    dice.shuffle(head)
    fields, body, within = part(dice, depth)
    head += ["MIME-Version: 1.0"] + fields
    return "".join(field + "\r\n" for field in head).encode() + b"\r\n" + body, within or ["1"]


def answers(dice, count):
    """Messages that answer one another, some of which are missing."""
    made, above = [], {}
    for number in range(count):
        head = [f"From: {dice.choice('abc')}@x.example", f"Date: Mon, {2 + number // 20} Nov 2026 {number % 20:02}:{dice.randint(0, 59):02}:00 +0000"]
        head.append(f"Message-ID: <m{number}@x.example>")
        above[number] = []
        if number and dice.random() < 0.75:
            parent = dice.randrange(number)
            above[number] = above[parent] + [parent]
            ids = [f"<m{one}@x.example>" for one in above[number]]
            head.append(dice.choice(["References: " + "\r\n ".join(ids), "References: " + " ".join(ids[-2:]), "In-Reply-To: " + ids[-1]]))
            head.append("Subject: " + dice.choice(["Re: ", "", "RE: [x] ", "Fwd: "]) + f"top {above[number][0]}")
        else:
            head.append("Subject: " + dice.choice([f"top {number}", "same", "Re: same"]))
        made.append("".join(field + "\r\n" for field in head).encode() + b"\r\nbody\r\n")
    made = [one for one in made if dice.random() < 0.8]
    if dice.random() < 0.3:
        dice.shuffle(made)
    return made


def fetches(dice, number, parts):
    for item in ["ENVELOPE", "BODY", "BODYSTRUCTURE", "(RFC822.SIZE UID)", "BODY.PEEK[]", "RFC822.HEADER", "BODY.PEEK[TEXT]"]:
        yield f"FETCH {number} {item}"
    for _ in range(8):
        of = dice.choice(parts + ["9", ""])
        dot = "." if of else ""
        what = dice.choice([of, of, f"{of}.MIME" if of else "", f"{of}{dot}HEADER", f"{of}{dot}TEXT", f"{of}{dot}HEADER.FIELDS (From SUBJECT x-none)",
                            f"{of}{dot}HEADER.FIELDS.NOT (Date Content-Type)"])
        cut = dice.choice(["", "", "<0.10>", "<5.100>", "<100000.1>"])
        yield f"FETCH {number} BODY.PEEK[{what}]{cut}"


SOUGHT = ["plain", "PLAIN", "jane", "x.example", "Jane Doe", "Grüße", "kÖLN", "Jürg", "befund", "invoice quick", "", "@", "Team", "bc@", "over lines",
          "quotes", "Doe, Jane", "not there", "1@x"]


def quoted(it):
    return '"' + it.replace("\\", "\\\\").replace('"', '\\"') + '"'


def key(dice, depth=0):
    kind = dice.randint(0, 11 if depth < 3 else 8)
    if kind == 0:
        return dice.choice(["ALL", "ANSWERED", "DELETED", "DRAFT", "FLAGGED", "SEEN", "UNANSWERED", "UNSEEN", "RECENT", "OLD", "NEW", "KEYWORD kw", "UNKEYWORD KW"])
    if kind <= 2:
        return dice.choice(["FROM", "TO", "CC", "BCC", "SUBJECT"]) + " " + quoted(dice.choice(SOUGHT))
    if kind <= 4:
        return "HEADER " + dice.choice(["from", "Subject", "Message-ID", "X-Custom", "X-None", "sender"]) + " " + quoted(dice.choice(SOUGHT))
    if kind == 5:
        return dice.choice(["BODY", "TEXT"]) + " " + quoted(dice.choice(WORDS + [""]))
    if kind == 6:
        return dice.choice(["SENTBEFORE", "SENTON", "SENTSINCE", "BEFORE", "ON", "SINCE"]) + dice.choice([" 2-Nov-2026", " 3-Nov-2026", " 1-Jan-1970", " 1-Feb-2000"])
    if kind == 7:
        return dice.choice(["LARGER ", "SMALLER "]) + dice.choice(["0", "300", "1000"])
    if kind == 8:
        return dice.choice(["1", "1:3", "2,4", "*", "*:5", "3:*", "UID 1:4", "UID *", "UID 5:*", "UID 999", "8,7,1:2"])
    if kind == 9:
        return "NOT " + key(dice, depth + 1)
    if kind == 10:
        return f"OR {key(dice, depth + 1)} {key(dice, depth + 1)}"
    return "(" + " ".join(key(dice, depth + 1) for _ in range(dice.randint(1, 3))) + ")"


def searches(dice):
    for _ in range(40):
        returns = dice.choice(["", "", f"RETURN ({' '.join(dice.sample(['MIN', 'MAX', 'ALL', 'COUNT'], dice.randint(0, 4)))}) "])
        yield f"{dice.choice(['', 'UID '])}SEARCH {returns}CHARSET UTF-8 {key(dice)}"
    for _ in range(12):
        order = dice.choice(["ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO"])
        # One, and not REVERSE: among equals Dovecot does not keep to the order of numbers then, nor always to a second criterion.
        yield f"SORT ({order}) UTF-8 {key(dice, 2)}"


PLACES = ["a", "b", "ab", "abc", "a b", "A", "x-y", "&AMQ-rger", "q&-r"]
PATTERNS = ["%", "*", "%/%", "a%", "*b", "a*", "%a%", "a/%", "a/*", "*/b", "%/b", "INBOX", "inbox", "inbox/%", "%/%/%", "A", "a/", "", "**", "%*", "a/b/*", "i%", "&AMQ-*"]


def places(dice):
    made = ["/".join(dice.choice(PLACES) for _ in range(dice.choice([1, 1, 2, 2, 3]))) for _ in range(10)] + ["INBOX/sub"]
    for name in made:
        yield f'CREATE "{name}"'
    for name in dice.sample(sorted(set(made)), 3):
        yield f'SUBSCRIBE "{name}"'
    yield f'RENAME "{dice.choice(made)}" "{dice.choice(made)}"'
    yield f'RENAME "{dice.choice(made)}" "new/{dice.choice(PLACES)}"'
    for _ in range(30):
        reference, pattern = dice.choice(["", "", "", "a/", "a", "INBOX/"]), dice.choice(PATTERNS)
        yield dice.choice([f'LIST "{reference}" "{pattern}"', f'LIST (SUBSCRIBED) "{reference}" "{pattern}"', f'LIST "{reference}" ("{pattern}" "b%") RETURN (SUBSCRIBED)',
                           f'LIST "" "{pattern}" RETURN (STATUS (MESSAGES UIDNEXT))'])


FLAGS = ["\\Seen", "\\Flagged", "\\Deleted", "\\Answered", "\\Draft", "kw"]


def changes(dice, count):
    for _ in range(25):
        one, other = dice.randint(1, count), dice.randint(1, count)
        some = dice.choice([f"{one}", f"{one}:{other}", "*", f"{one},{other}", f"{one}:*", "1:*"])
        yield dice.choice([f"UID STORE {some} {dice.choice(['', '+', '-'])}FLAGS.SILENT ({' '.join(dice.sample(FLAGS, dice.randint(1, 2)))})", f"UID COPY {some} other",
                           f"UID MOVE {one} other", f"UID EXPUNGE {one}", "EXPUNGE", f"COPY {count + 50} other", "UID COPY 1:* nowhere"])
        yield "FETCH 1:* (UID FLAGS)"
        yield "STATUS other (MESSAGES UIDNEXT UNSEEN)"
