"""Many mail programs on the same mailboxes at once, at random, for as long as is asked: what each is told must fit what it
and all others were told before.

    tests/soak imap MINUTES [CLIENTS [KILLS [PATIENCE]]]
    starts the server and this; `python3 tests/stress --help` says what it takes

It prints its seed. What it does at random depends on what it is answered, so a seed names the dice, not the run.
"""
import argparse
import ssl
import statistics
import sys
import threading
import types

from world import World


def arguments():
    """What is asked for."""
    parser = argparse.ArgumentParser(prog="tests/stress")
    parser.add_argument("--ip", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--ca", required=True)
    parser.add_argument("--password", required=True, help="of jane, joe and ann")
    parser.add_argument("--pid", type=int, required=True, help="of the server")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--kills", type=int, default=0, help="prints `kill` that often and reads `started PID`")
    parser.add_argument("--patience", type=float, default=3, help="seconds for an answer")
    parser.add_argument("--largest", type=int, default=3_000_000, help="octets of a message")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def figures(world, seconds):
    """What was done, and how long it took."""
    ledger = world.ledger
    print(f"seed {world.seed}: {len(world.clients)} clients, {seconds:.0f} s, {sum(ledger.commands.values())} commands "
          f"({ledger.refused} refused), {ledger.responses} responses, {ledger.octets >> 20} MiB read, {ledger.letter} messages "
          f"written, {ledger.sessions} sign-ins, {ledger.resyncs} resyncs, {world.checkpoints} checkpoints")
    for verb, count in ledger.commands.most_common():
        took = sorted(ledger.seconds[verb])
        print(f"  {verb:16} {count:7}  median {statistics.median(took) * 1000:7.1f} ms  "
              f"99 % {took[int(len(took) * 0.99)] * 1000:7.1f} ms  longest {took[-1] * 1000:7.1f} ms")
    if world.memory:
        print(f"  resident memory: {world.memory[0]:.0f} MiB at first, {max(world.memory):.0f} at most, {world.memory[-1]:.0f} at last")


def main():
    asked = arguments()
    place = types.SimpleNamespace(ip=asked.ip, port=asked.port, host=asked.host, tls=ssl.create_default_context(cafile=asked.ca))
    world = World(place, asked.password, asked)
    print(f"seed {asked.seed}", flush=True)
    try:
        world.play(asked.seconds, asked.kills)
    except threading.BrokenBarrierError:
        world.ledger.is_wrong("clients do not come to the checkpoint")
    figures(world, asked.seconds)
    for words in world.ledger.wrong[:12]:
        print(f"WRONG {words}")
    print(f"{len(world.ledger.wrong)} wrong" if world.ledger.wrong else "agreed", flush=True)
    # Threads that hang must not keep it.
    sys.stdout.flush()
    sys.exit(1 if world.ledger.wrong else 0)


if __name__ == "__main__":
    main()
