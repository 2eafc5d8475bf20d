"""Mail with documents, into the trusted listener."""

import base64
import os
import smtplib

SENDER = "jane@clinic.example"
HEAD = (
    "From: {sender}\r\nTo: undisclosed-recipients:;\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/mixed; boundary="=_bench"\r\n\r\n--=_bench\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n'
    "The documents are attached.\r\n"
)
PART = (
    '--=_bench\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename="{name}"\r\n'
    "Content-Transfer-Encoding: base64\r\n\r\n"
)


def message(subject, documents):
    """A message with documents of these sizes."""
    octets = HEAD.format(sender=SENDER, subject=subject).encode()
    for number, size in enumerate(documents, 1):
        content = b"%PDF-1.4\n" + os.urandom(size - 9)
        octets += PART.format(name=f"document-{number}.pdf").encode() + base64.encodebytes(content).replace(b"\n", b"\r\n")
    return octets + b"--=_bench--\r\n"


def send(gateway, recipients, octets):
    host, port = gateway.address.split(":")
    with smtplib.SMTP(host, int(port)) as client:
        refused = client.sendmail(SENDER, recipients, octets)
    if refused:
        raise SystemExit(f"refused: {refused}")
