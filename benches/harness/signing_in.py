"""Two hundred sign-ins at the portal at once, while mail flows."""

import re
import threading
import time

from . import rate, visitor

AT_ONCE = 200
SIZE, COUNT, SESSIONS = 4_096, 2_000, 5


def measure(gateway, quick):
    count = COUNT // 10 if quick else COUNT
    rounds = []
    for _ in range(1 if quick else 3):
        alone = flow(gateway, count)
        crowd = Crowd(gateway)
        beside = flow(gateway, count)
        rounds.append({"alone": alone, "beside": beside, **crowd.end()})
        print(f"mail: {alone:.0f}/s alone, {beside:.0f}/s beside {rounds[-1]['answers']} sign-ins", flush=True)
    return rounds


def flow(gateway, count):
    """Messages a second, taken over."""
    taken, _ = rate.run(gateway, SIZE, count, SESSIONS)
    return count / taken


class Crowd:
    """Two hundred who sign in, again and again, each at the pace of the answers."""

    def __init__(self, gateway):
        self.over = threading.Event()
        self.statuses = {}
        self.slowest = 0.0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.work, args=(gateway, number)) for number in range(AT_ONCE)]
        for thread in self.threads:
            thread.start()
        time.sleep(1)

    def work(self, gateway, number):
        guest = visitor.Visitor(gateway)
        while not self.over.is_set():
            _, page, _ = guest.ask("GET", "/sign-in")
            token = re.search(rb'name="form" value="([^"]*)"', page).group(1).decode()
            begun = time.monotonic()
            name = f"nobody{number}@elsewhere.example"
            status, _, _ = guest.ask("POST", "/sign-in", {"form": token, "to": "", "address": name, "password": "seven quiet lighthouses"})
            with self.lock:
                self.statuses[status] = self.statuses.get(status, 0) + 1
                self.slowest = max(self.slowest, time.monotonic() - begun)

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()
        return {"answers": sum(self.statuses.values()), "statuses": self.statuses, "slowest": self.slowest}
