"""What Python's email package sees in each delivered file.

usage: readers.py FOLDER    prints one JSON object: file name -> list of attachments it sees
An attachment is any leaf with a file name, with the disposition `attachment`, or of a type other than text/plain and
text/html.
"""

import email
import email.policy
import json
import pathlib
import sys


def attachments(message):
    seen = []
    for entity in message.walk():
        if entity.is_multipart():
            continue
        name = entity.get_filename()
        kind = entity.get_content_type()
        if name or entity.get_content_disposition() == "attachment" or kind not in ("text/plain", "text/html"):
            seen.append(f"{kind} {name}")
    return seen


report = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.eml")):
    octets = path.read_bytes()
    seen = set()
    for policy in (email.policy.compat32, email.policy.default):
        seen.update(attachments(email.message_from_bytes(octets, policy=policy)))
    report[path.name] = sorted(seen)
json.dump(report, sys.stdout)
