#!/usr/bin/python3
"""What a subscriber or a publisher in trouble costs the others.

slow    20 of 200 subscriptions never answer: the p99 of the others, from publishing to the POST,
        beside a gateway where all answer.
burst   an organization queues 50 000 deliveries, then another publishes 50: how long these take,
        as a share of the time that the queue takes from then on, and beside their time alone.
large   an organization publishes 500 events of 200 kB to a slow subscriber: the p99 of another's
        small ones, beside the time before; and what memory it takes.

Bounds, for --check: see README.md beside this file.
"""

import sys
import time

from harness import measure_steady, wait_until
from load import Beside, Events, Steady, Template
from report import arguments_of, p99, run_all

ORGANIZATIONS = 20
SUBSCRIPTIONS = 10  # Of each, one of which is slow.
MIB = 1024 * 1024
LARGE_BYTES = 200_000
# What one publisher may make the gateway hold: the commit queue and a group that is being written,
# a shard's tail, and the queue of a subscription (gateway/base/limits.h); and what calls take.
BYTES_HELD_MAX = (64 + 8 + 16 + 8 + 32) * MIB


def slow(bench, report):
    """F1: 20 of 200 subscriptions never answer."""
    arguments = bench.arguments
    bench.receiver.behave("hang", "hang")
    gateways = {}
    for name, tenth in (("calm", "tenth"), ("hung", "hang")):
        gateways[name] = bench.gateway(f"slow-{name}")
        places = []
        for organization in range(ORGANIZATIONS):
            places += [(f"slow-{organization}", bench.receiver.url(name, subscription))
                       for subscription in range(SUBSCRIPTIONS - 1)]
            places.append((f"slow-{organization}", bench.receiver.url(tenth, organization)))
        gateways[name].subscribe_all(places)
    templates = [Template(bench.schema, f"slow-{number}") for number in range(ORGANIZATIONS)]
    publishers = {name: Steady(bench.schema, gateway.address, templates, arguments.rate)
                  for name, gateway in gateways.items()}

    def measure(name, seconds):
        return p99(measure_steady(bench, publishers[name], [name], SUBSCRIPTIONS - 1, seconds))
    measure("calm", 1)  # Connections, and the slow start of each subscription.
    measure("hung", 1)
    rounds = []
    for number in range(1, arguments.rounds + 1):
        calm, hung = measure("calm", arguments.seconds), measure("hung", arguments.seconds)
        report.note(f"slow, round {number}: p99 {calm:.2f} ms all answer, {hung:.2f} ms 20 do not")
        rounds.append((hung, calm))
    report.median_ratio("slow: p99 of those that answer", rounds, 1.5)
    report.bound("slow: exchanges under way to those that do not",
                 bench.receiver.count("hang")[2], ORGANIZATIONS * 10)
    for publisher in publishers.values():
        publisher.close()


def last_arrival(bench, wanted, seconds=120):
    """The arrivals until each group of `wanted` has had as many requests."""
    before = {group: bench.receiver.count(group)[0] for group in wanted}

    def wait():
        arrived = wait_until(lambda: all(bench.receiver.count(group)[0] >= before[group] + count
                                         for group, count in wanted.items()), seconds, 0.01)
        if not arrived:
            raise RuntimeError(f"of {wanted} came less within {seconds} s")
        return bench.receiver.arrivals()
    return wait


def burst(bench, report):
    """F2: an organization queues many, then another publishes a few."""
    arguments = bench.arguments
    gateway = bench.gateway("burst")
    gateway.subscribe("burst-many", bench.receiver.url("many"), max_in_flight=64)
    gateway.subscribe("burst-few", bench.receiver.url("few"))
    many, few = (Template(bench.schema, name) for name in ("burst-many", "burst-few"))

    def batch_of_few():
        return Events(bench.schema, [few], 50, 50)
    for templates in ([many], [few]):  # Connections and slow start.
        group = "many" if templates == [many] else "few"
        wait = last_arrival(bench, {group: 500})
        Events(bench.schema, templates, 500, 50).publish(gateway.address, 1)
        wait()

    def few_alone():
        wait = last_arrival(bench, {"few": 50})
        publish = batch_of_few()
        began = time.monotonic_ns()
        publish.publish(gateway.address, 1)
        return max(arrival.time for arrival in wait()) - began
    rounds = []
    shares = []
    waits = []
    for number in range(1, arguments.rounds + 1):
        alone = few_alone()
        wait = last_arrival(bench, {"many": arguments.burst, "few": 50})
        queue, publish = Events(bench.schema, [many], arguments.burst, 500), batch_of_few()
        queue.publish(gateway.address, 4)
        began = time.monotonic_ns()
        publish.publish(gateway.address, 1)
        arrivals = wait()
        took = {group: max(arrival.time for arrival in arrivals
                           if arrival.group.rstrip(b"\0") == group) - began
                for group in (b"many", b"few")}
        left = sum(arrival.time > began and arrival.group.startswith(b"many")
                   for arrival in arrivals)
        report.note(f"burst, round {number}: {left} of {arguments.burst} were left and took "
                    f"{took[b'many'] / 1e6:.1f} ms; the 50 took {took[b'few'] / 1e6:.1f} ms, "
                    f"alone {alone / 1e6:.1f} ms")
        if left < arguments.burst // 10:
            report.note("burst: the queue was almost empty when the other published")
            continue
        rounds.append((took[b"few"], alone))
        shares.append((took[b"few"], took[b"many"]))
        waits.append(took[b"few"] / 1e9)
    if rounds:
        report.median_ratio("burst: the 50, as a share of the queue before them", shares, 0.1)
        report.bound("burst: the slowest 50", max(waits), 1, " s")
        report.note("burst: beside alone "
                    + ", ".join(f"{after / before:.2f}" for after, before in rounds))


def large(bench, report):
    """F8: large bodies to a slow subscriber beside small ones."""
    arguments = bench.arguments
    gateway = bench.gateway("large")
    bench.receiver.behave("large", "slow/50")
    gateway.subscribe("large-large", bench.receiver.url("large"))
    gateway.subscribe("large-small", bench.receiver.url("small"))
    steady = Steady(bench.schema, gateway.address, [Template(bench.schema, "large-small")],
                    arguments.rate)
    measure_steady(bench, steady, ["small"], 1, 1)
    memory = gateway.memory_bytes()
    growth = 0
    rounds = []
    for number in range(1, arguments.rounds + 1):
        calm = p99(measure_steady(bench, steady, ["small"], 1, arguments.seconds))
        others = Beside(gateway.address, "large-large", arguments.large, LARGE_BYTES, 10, 2)
        target = bench.receiver.count("large")[0] + arguments.large
        others.go()
        troubled = p99(measure_steady(bench, steady, ["small"], 1, arguments.seconds))
        growth = max(growth, gateway.memory_bytes() - memory)
        others.wait()
        report.note(f"large, round {number}: p99 of the small {calm:.2f} ms before, "
                    f"{troubled:.2f} ms with the large; {growth / MIB:.1f} MiB more memory")
        rounds.append((troubled, calm))
        if not wait_until(lambda want=target: bench.receiver.count("large")[0] >= want, 300, 0.1):
            raise RuntimeError("the large ones did not all come")
    report.median_ratio("large: p99 of the small", rounds, 2)
    report.bound("large: memory", growth / MIB, BYTES_HELD_MAX / MIB, " MiB")
    steady.close()


PARTS = {"slow": slow, "burst": burst, "large": large}


def main():
    parser = arguments_of(__doc__, rounds=5)
    parser.add_argument("--parts", default=",".join(PARTS), help="which of them, with commas between")
    parser.add_argument("--seconds", type=float, default=10, help="a measurement")
    parser.add_argument("--rate", type=float, default=100, help="single events a second")
    parser.add_argument("--burst", type=int, default=50_000, help="events queued before the 50")
    parser.add_argument("--large", type=int, default=500, help="events of 200 kB")
    arguments = parser.parse_args()
    return run_all(arguments, *(PARTS[part] for part in arguments.parts.split(",")))


if __name__ == "__main__":
    sys.exit(main())
