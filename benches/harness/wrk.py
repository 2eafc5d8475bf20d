"""Requests a second and their times, by wrk."""

import re
import subprocess

UNITS = {"us": 0.001, "ms": 1, "s": 1000}


def run(url, seconds, connections=32, headers=()):
    """{"rate": requests a second, "p50": ms, "p99": ms}; a failure where any answer was no success."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    for header in headers:
        command += ["-H", header]
    text = subprocess.run([*command, url], check=True, stdout=subprocess.PIPE, text=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"wrk {url}:\n{text}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    return {"rate": rate, "p50": percentile(text, 50), "p99": percentile(text, 99)}


def percentile(text, part):
    value, unit = re.search(rf"\s{part}%\s+([\d.]+)(us|ms|s)", text).groups()
    return float(value) * UNITS[unit]
