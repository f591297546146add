#!/usr/bin/python3
"""What a dead subscriber with a long backlog costs: memory, a start, and the others' time.

Two gateways have the same subscriptions, but one of them has dead ones as well. Both are given the same events,
which nobody but the dead want. Then, in rounds, both publish to the others, and last, the one with the backlog
is killed and started again.

Bounds, for --check: see README.md beside this file.
"""

import statistics
import sys
import time

from harness import measure_steady, wait_until
from load import Steady, Template, new_id, publish_many
from report import arguments_of, p99, run_all

MIB = 1024 * 1024
MEMORY_OF_ONE = 32          # MiB that the backlog of one subscription may take.
MEMORY_OF_MANY = 256 + 32   # With what all readers together may hold (gateway/base/limits.h).
ORGANIZATIONS = 10  # One of which has the dead subscriptions, too.
SUBSCRIPTIONS = 2   # Of each.
WANTED = "message.create.contact.chat"  # Also by the dead.
BACKLOG = "conversation.update.assigned"  # By nobody else.


def refused(bench):
    """A URL where nobody listens."""
    address = bench.receiver.addresses[0].rpartition(":")[0]
    return f"http://{address}:1/dead"


def set_up(bench, name, dead):
    """A gateway that has that many dead subscriptions."""
    arguments = bench.arguments
    gateway = bench.gateway(name)
    gateway.subscribe_all([(f"org-{organization}", bench.receiver.url(name, subscription))
                           for organization in range(ORGANIZATIONS)
                           for subscription in range(SUBSCRIPTIONS)], ["message.create.*"])
    if arguments.how != "refuse":
        bench.receiver.behave("dead", arguments.how)
    gateway.subscribe_all([
        ("org-0", refused(bench) if arguments.how == "refuse" else bench.receiver.url("dead", number))
        for number in range(dead)])
    templates = [Template(bench.schema, f"org-{number}", WANTED) for number in range(ORGANIZATIONS)]
    steady = Steady(bench.schema, gateway.address, templates, arguments.rate)
    # Memory before: with what each thread, connection and cache takes at any load.
    publish_many(bench.schema, gateway.address,
                 [Template(bench.schema, "org-nobody", BACKLOG)], arguments.warm_up)
    measure(bench, name, steady, 2)
    gateway.wait_settled()
    return gateway, steady


def measure(bench, name, steady, seconds):
    return p99(measure_steady(bench, steady, [name], SUBSCRIPTIONS, seconds))


def pile_up(bench, report, name, gateway):
    """Publishes the backlog; the memory that there was before."""
    before = gateway.memory_bytes()
    began = time.monotonic()
    publish_many(bench.schema, gateway.address, [Template(bench.schema, "org-0", BACKLOG)],
                 bench.arguments.events)
    gateway.wait_settled()
    growth = gateway.memory_bytes() - before
    report.note(f"{name}: {bench.arguments.events} events in {time.monotonic() - began:.1f} s; memory "
                f"{before / MIB:.1f} MiB before, {growth / MIB:+.1f} after, "
                f"{(gateway.memory_bytes('VmHWM') - before) / MIB:+.1f} at most")
    return before


def restart(bench, report, gateway):
    """Seconds from the start of a process that finds the backlog to the first delivery of an event that
    is published then, and the memory it has then at most."""
    gateway.kill()
    bench.receiver.arrivals()
    began = time.monotonic_ns()
    gateway.start()
    event = bench.schema.Event(id=new_id(), type=WANTED, organization="org-0")
    event.activity.type = "Create"
    gateway.client.Publish(bench.schema.PublishRequest(event=event), timeout=30)
    wanted = bytes.fromhex(event.id.replace("-", ""))
    times = []

    def came():
        times.extend(arrival.time for arrival in bench.receiver.arrivals()
                     if arrival.event == wanted and arrival.group.startswith(b"backlog"))
        return bool(times)
    if not wait_until(came, 60, 0.005):
        raise RuntimeError("nothing came after the start")
    seconds = (min(times) - began) / 1e9
    report.note(f"start: first delivery after {seconds:.2f} s, "
                f"{gateway.memory_bytes('VmHWM') / MIB:.1f} MiB at most")
    return seconds


def run(bench, report):
    arguments = bench.arguments
    calm, calm_steady = set_up(bench, "calm", 0)
    backlog, backlog_steady = set_up(bench, "backlog", arguments.dead)
    pile_up(bench, report, "without the dead", calm)
    before = pile_up(bench, report, "with the dead", backlog)
    memory = backlog.memory_bytes()
    rounds = []
    for number in range(1, arguments.rounds + 1):
        without = measure(bench, "calm", calm_steady, arguments.seconds)
        with_dead = measure(bench, "backlog", backlog_steady, arguments.seconds)
        memory = max(memory, backlog.memory_bytes())
        report.note(f"round {number}: p99 {without:.2f} ms without, {with_dead:.2f} ms with the dead; "
                    f"memory {backlog.memory_bytes() / MIB:.1f} MiB")
        rounds.append((with_dead, without))
    calm_steady.close()
    backlog_steady.close()
    report.bound("memory added by the backlog", (memory - before) / MIB,
                 MEMORY_OF_ONE if arguments.dead == 1 else MEMORY_OF_MANY, " MiB")
    report.median_ratio("p99 of the others", rounds, 1.3)
    starts = [restart(bench, report, backlog) for _ in range(arguments.starts)]
    report.bound("first delivery after a start", statistics.median(starts), 3, " s")
    report.bound("memory of a start, at most", backlog.memory_bytes("VmHWM") / MIB, 200, " MiB")


def main():
    parser = arguments_of(__doc__, rounds=5)
    parser.add_argument("--events", type=int, default=1_000_000, help="of the backlog")
    parser.add_argument("--warm-up", type=int, default=50_000, help="events before")
    parser.add_argument("--dead", type=int, default=1, help="subscriptions that each have it")
    parser.add_argument("--how", default="hang", help="hang, status/500 or refuse")
    parser.add_argument("--seconds", type=float, default=10, help="a measurement")
    parser.add_argument("--rate", type=float, default=200, help="single events a second meanwhile")
    parser.add_argument("--starts", type=int, default=3)
    return run_all(parser.parse_args(), run)


if __name__ == "__main__":
    sys.exit(main())
