"""The part of the page about taking messages apart."""

from . import bombs

HEADING = "## A message taken apart"


def section(results):
    return "\n".join([steps(results["steps"]), answers(results["bombs"])])


def steps(found):
    octets, whole, alone = found["octets"], found["whole_ms"], found["alone_ms"]
    speed = lambda time: f"{octets / 1e3 / time:,.0f} MB/s"  # noqa: E731
    return f"""{HEADING}

Question: what do finding the structure, decoding and sealing cost beside decoding and sealing alone, and what becomes of messages that are built to cost much?

Written by `benches/mime` (release build). One message of {octets:,} octets with a document in base64 ({found["decoded"]:,} octets), on one processor: what all threads use of it, the best of the rounds, all steps in turn in each
(`benches/mime.rs`). Both sides use the same base64 decoder and the same AES-256-GCM (aws-lc); Postern also digests the document (SHA-256) and writes the blob to a file in memory.

| step | time | of the message's octets |
|---|---:|---:|
| outline | {found["outline_ms"]:.1f} ms | {speed(found["outline_ms"])} |
| base64, decoded | {found["decode_ms"]:.1f} ms | {speed(found["decode_ms"])} |
| base64 decoded and AES-256-GCM over it, alone | {alone:.1f} ms | {speed(alone)} |
| outline, decoded, sealed into a blob | {whole:.1f} ms | **{speed(whole)}** |
| the last ÷ the one before | **{whole / alone:.2f}** | at most 3 is asked, and 400 MB/s |
"""


def answers(rows):
    text = f"""Through the running gateway (trusted listener, `max_message = "300 MiB"`), each by a process of its own: the time for all octets and the answer, the part of it behind the final dot, and by how much
resident memory (VmHWM) grew beyond what the process held after a first mail. Asked are {bombs.SECONDS:.0f} s and {bombs.MIB} MB.

| message | MB | in all | behind the final dot | memory | answer |
|---|---:|---:|---:|---:|---|
"""
    return text + "".join(bombs.line(row) + "\n" for row in rows)
