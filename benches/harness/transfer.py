"""A document of 100 MB: decrypted by Postern, read from a file by nginx, TLS on both."""

import hashlib
import subprocess
import time

from . import sending, visitor

SIZE = 100_000_000
GUEST = "radiology@insurer.example"
ROUNDS = 5


def compare(gateway, rival, quick):
    octets = sending.message("[payer] Images", [SIZE])
    sending.send(gateway, [GUEST], octets)
    guest = visitor.Visitor(gateway)
    _, parcel = guest.enter(GUEST)
    _, page = guest.get(parcel)
    document = page.decode().split("/d/", 1)[1].split('"')[0].split("?")[0]
    urls = {
        gateway.name: f"{gateway.public_url}{parcel}/d/{document}",
        rival.name: rival.tls + rival.serve("large.pdf", fetch(f"{gateway.public_url}{parcel}/d/{document}", guest.headers())),
    }
    runs = {name: [] for name in urls}
    for _ in range(1 if quick else ROUNDS):
        for name, url in urls.items():
            runs[name].append(rate(url, guest.headers() if name == gateway.name else []))
    print(f"100 MB with TLS: {({name: round(max(values)) for name, values in runs.items()})} MB/s at best", flush=True)
    return {"size": SIZE, "runs": runs}


def rate(url, headers):
    """MB a second."""
    begun = time.monotonic()
    received = subprocess.run(curl(url, headers) + ["-o", "/dev/null", "-w", "%{size_download}"], check=True, stdout=subprocess.PIPE)
    if int(received.stdout) != SIZE:
        raise SystemExit(f"{url}: {received.stdout} octets")
    return SIZE / (time.monotonic() - begun) / 1e6


def fetch(url, headers):
    octets = subprocess.run(curl(url, headers), check=True, stdout=subprocess.PIPE).stdout
    print(f"sha256 of what was downloaded: {hashlib.sha256(octets).hexdigest()}", flush=True)
    return octets


def curl(url, headers):
    command = ["curl", "-ksSf", "--http1.1", url]
    for header in headers:
        command += ["-H", header]
    return command
