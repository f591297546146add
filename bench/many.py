#!/usr/bin/python3
"""What a delivery costs when very many subscriptions have one each.

One gateway has 100 000 subscriptions, each of an organization of its own, another has 100. A round publishes as
many events to each as the larger has subscriptions, spread over all of them, so that the one makes one delivery
for each subscription and the other 1000. Compared is the processor time of the whole process, from the first publish
until every attempt is recorded.

Bounds, for --check: see README.md beside this file.
"""

import sys
import time

from harness import Bench, wait_until
from load import Template, publish_many
from report import Report, arguments_of


class Side:
    """A gateway with so many subscriptions."""

    def __init__(self, bench, name, subscriptions):
        self.bench = bench
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
        if not wait_until(lambda: self.delivered() >= wanted, 600, 0.05):
            raise RuntimeError(f"{wanted - self.delivered():.0f} deliveries are missing")
        self.gateway.wait_settled()
        self.bench.receiver.arrivals()  # Forgets them.
        return (self.gateway.processor_seconds() - began) * 1e6 / events


def run(bench, report):
    arguments = bench.arguments
    few = Side(bench, "few", arguments.few)
    many = Side(bench, "many", arguments.subscriptions)
    events = arguments.subscriptions
    report.note(f"{arguments.subscriptions} subscriptions were made in {many.seconds:.1f} s, "
                f"{arguments.few} in {few.seconds:.2f} s")
    few.cost(min(events, 10_000))  # Connections and slow start.
    many.cost(events)
    rounds = []
    for number in range(1, arguments.rounds + 1):
        cost_of_few, cost_of_many = few.cost(events), many.cost(events)
        report.note(f"round {number}: {cost_of_few:.1f} us a delivery with {arguments.few} "
                    f"subscriptions, {cost_of_many:.1f} us with {arguments.subscriptions}")
        rounds.append((cost_of_many, cost_of_few))
    report.median_ratio("processor time of a delivery", rounds, 1.3)


def main():
    parser = arguments_of(__doc__, rounds=5)
    parser.add_argument("--subscriptions", type=int, default=100_000)
    parser.add_argument("--few", type=int, default=100)
    arguments = parser.parse_args()
    report = Report()
    with Bench(arguments, ports=2) as bench:
        run(bench, report)
    return report.exit_code(arguments.check)


if __name__ == "__main__":
    sys.exit(main())
