#!/usr/bin/python3
"""What a delivery costs when very many subscriptions have one each.

One gateway has 100 000 subscriptions, each of an organization of its own, another has 100. A round publishes
100 000 events to each, spread over all of them, so that the one makes one delivery for each subscription and the
other 1000. Compared is the processor time of the whole process, from the first publish until every attempt is
recorded. A gateway that is not done within the deadline is judged by what it has delivered until then.

Bounds, for --check: see README.md beside this file.
"""

import sys
import time

from harness import wait_until
from load import Template, publish_many
from report import arguments_of, run_all

MIB = 1024 * 1024


class Side:
    """A gateway with so many subscriptions."""

    def __init__(self, bench, report, name, subscriptions):
        self.bench = bench
        self.report = report
        self.done = True
        self.name = name
        self.gateway = bench.gateway(name)
        names = [f"{name}-{number:06}" for number in range(subscriptions)]
        began = time.monotonic()
        self.gateway.subscribe_all([(organization, bench.receiver.url(name, number))
                                    for number, organization in enumerate(names)])
        self.seconds = time.monotonic() - began
        self.templates = [Template(bench.schema, organization) for organization in names]

    def delivered(self):
        return self.gateway.metrics()['postrider_attempts_total{outcome="delivered"}']

    def cost(self, events):
        """Microseconds of processor a delivery."""
        wanted = self.delivered() + events
        began = self.gateway.processor_seconds()
        publish_many(self.bench.schema, self.gateway.address, self.templates, events)
        self.done = wait_until(lambda: self.delivered() >= wanted, self.bench.arguments.deadline, 0.05)
        missing = max(0, wanted - self.delivered())
        spent = self.gateway.processor_seconds() - began
        self.bench.receiver.arrivals()  # Forgets them.
        if missing > 0:
            self.report.note(f"{self.name}: {missing:.0f} of {events} deliveries are missing")
        return spent * 1e6 / (events - missing)


def run(bench, report):
    arguments = bench.arguments
    few = Side(bench, report, "few", arguments.few)
    many = Side(bench, report, "many", arguments.subscriptions)
    events = arguments.events
    report.note(f"{arguments.subscriptions} subscriptions were made in {many.seconds:.1f} s, "
                f"{arguments.few} in {few.seconds:.2f} s")
    for side in (few, many):
        side.cost(min(events, 5000))  # Connections.
    rounds = []
    for number in range(1, arguments.rounds + 1):
        cost_of_few, cost_of_many = few.cost(events), many.cost(events)
        report.note(f"round {number}: {cost_of_few:.1f} us a delivery with {arguments.few} "
                    f"subscriptions, {cost_of_many:.1f} us with {arguments.subscriptions}")
        rounds.append((cost_of_many, cost_of_few))
        if not few.done or not many.done:
            break
    report.note(f"memory at most: {few.gateway.memory_bytes('VmHWM') / MIB:.0f} MiB with {arguments.few}, "
                f"{many.gateway.memory_bytes('VmHWM') / MIB:.0f} MiB with {arguments.subscriptions}")
    report.median_ratio("processor time of a delivery", rounds, 1.3)


def main():
    parser = arguments_of(__doc__, rounds=5)
    parser.add_argument("--subscriptions", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=100_000, help="a round")
    parser.add_argument("--deadline", type=float, default=120, help="seconds for them")
    parser.add_argument("--few", type=int, default=100)
    return run_all(parser.parse_args(), run, ports=2)


if __name__ == "__main__":
    sys.exit(main())
