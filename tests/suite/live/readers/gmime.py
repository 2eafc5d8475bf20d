"""What GMime, the parser of Balsa, Geary and notmuch, sees in each delivered file.

usage: gmime.py FOLDER    prints one JSON object: file name -> list of attachments it sees
Runs under Debian's own python3, which has GObject introspection.
"""

import json
import pathlib
import sys

import gi

gi.require_version("GMime", "3.0")
from gi.repository import GMime  # noqa: E402  (the version must be named first)

GMime.init()


def attachments(path):
    seen = []

    def look(parent, entity, _data):
        if isinstance(entity, GMime.Multipart):
            return
        kind = entity.get_content_type().get_mime_type()
        name = entity.get_filename() if isinstance(entity, GMime.Part) else None
        disposition = entity.get_disposition()
        if name or disposition == "attachment" or kind not in ("text/plain", "text/html"):
            seen.append(f"{kind} {name}")

    parser = GMime.Parser.new_with_stream(GMime.StreamMem.new_with_buffer(path.read_bytes()))
    message = parser.construct_message(GMime.ParserOptions.get_default())
    # A message that is one part has no parent to walk.
    if isinstance(message.get_mime_part(), GMime.Multipart):
        message.foreach(look, None)
    else:
        look(message, message.get_mime_part(), None)
    return seen


folder = pathlib.Path(sys.argv[1])
json.dump({path.name: attachments(path) for path in sorted(folder.glob("*.eml"))}, sys.stdout)
