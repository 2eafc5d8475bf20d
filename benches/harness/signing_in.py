"""Two hundred sign-ins at the portal at the same moment, while mail flows."""

import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

AT_ONCE = 200
SIZE, COUNT, SESSIONS = 4_096, 2_000, 5
ROUNDS = 7


def measure(gateway, quick):
    count = COUNT // 4 if quick else COUNT
    rounds = []
    for number in range(1 if quick else ROUNDS):
        alone = flow(gateway, count)
        with Idlers():
            idlers = flow(gateway, count)
        crowd = Crowd(gateway, number)
        beside = flow(gateway, count)
        rounds.append({"alone": alone, "idlers": idlers, "beside": beside, **crowd.end()})
        print(f"mail: {alone:.0f}/s alone, {idlers:.0f}/s beside idlers, {beside:.0f}/s beside {rounds[-1]}", flush=True)
    return rounds


def flow(gateway, count):
    """Messages a second, taken over."""
    from . import rate

    taken, _ = rate.run(gateway, SIZE, count, SESSIONS)
    return count / taken


class Idlers:
    """On each processor a program of the lowest priority that does nothing but run: what any work that gives way costs on
    this machine, be it sign-ins or not."""

    def __enter__(self):
        spin = [sys.executable, "-c", "while True: pass"]
        self.programs = [subprocess.Popen(spin, preexec_fn=lambda: os.nice(19)) for _ in range(os.cpu_count())]

    def __exit__(self, *_):
        for program in self.programs:
            program.kill()
            program.wait()


class Crowd:
    """People at two hundred computers of their own: a process that gives way, so that what is measured is the portal's work."""

    def __init__(self, gateway, number):
        where = json.dumps({"public_url": gateway.public_url, "clear": gateway.clear, "number": number})
        self.people = subprocess.Popen(
            [sys.executable, "-m", "harness.signing_in", where],
            cwd=pathlib.Path(__file__).resolve().parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=lambda: os.nice(19),
        )
        # Everybody has the page before them.
        self.people.stdout.readline()
        self.people.stdin.write(b"now\n")
        self.people.stdin.flush()

    def end(self):
        answers = json.loads(self.people.stdout.readline())
        self.people.wait(60)
        return answers


class Place:
    def __init__(self, words):
        self.public_url, self.clear = words["public_url"], words["clear"]


def sign_in_at_once(words):
    from . import visitor

    ready, statuses, slowest, lock = threading.Barrier(AT_ONCE + 1), {}, [0.0], threading.Lock()

    def work(number):
        guest = visitor.Visitor(Place(words), behind=f"10.{words['number']}.0.{number}")
        _, page, _ = guest.ask("GET", "/sign-in")
        token = re.search(rb'name="form" value="([^"]*)"', page).group(1).decode()
        ready.wait()
        ready.wait()
        begun = time.monotonic()
        name = f"nobody{number}@elsewhere.example"
        status, _, _ = guest.ask("POST", "/sign-in", {"form": token, "to": "", "address": name, "password": "seven quiet lighthouses"})
        with lock:
            statuses[status] = statuses.get(status, 0) + 1
            slowest[0] = max(slowest[0], time.monotonic() - begun)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    ready.wait()
    print("ready", flush=True)
    sys.stdin.readline()
    ready.wait()
    for thread in threads:
        thread.join()
    print(json.dumps({"statuses": statuses, "slowest": slowest[0]}), flush=True)


if __name__ == "__main__":
    sign_in_at_once(json.loads(sys.argv[1]))
