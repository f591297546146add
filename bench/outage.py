#!/usr/bin/python3
"""How a subscriber that was down gets what waited for it, and what the others feel of that.

In a round a subscriber fails each third of very many events, so that these wait for a retry, all at about the same
time. Then it is down altogether, until its breaker is open and the retries are due; then it answers again. Its
arrivals are to follow the ramp (docs/engine.md E6): 1 exchange beside the probe in the first second, then twice as many in
each. Others publish and receive all the time: their p99 with the subscriber back is compared with that before.

At last the subscriber is down once more and what waits for it is purged.

Bounds, for --check: see README.md beside this file.
"""

import sys
import time

from harness import measure_steady, pause, wait_until
from load import Steady, Template, publish_many
from report import arguments_of, p99, run_all

RAMP_SECONDS = 10
IN_FLIGHT = 10
RETRY_SECONDS = 20  # After the first attempt; each further one after 3 s.
HEALTHY = 10        # Subscriptions, each of an organization of its own, the first of that which is down.


class Outage:
    """A gateway with a subscriber that goes and comes back."""

    def __init__(self, bench, report):
        self.bench = bench
        self.report = report
        self.arguments = bench.arguments
        self.gateway = bench.gateway("outage")
        # Its own events are of a type that the others do not want, and theirs of one that it does not.
        self.gateway.subscribe("org-0", bench.receiver.url("down"), ["bulk.*"],
                               schedule=[0, RETRY_SECONDS] + [3] * 30, max_in_flight=IN_FLIGHT)
        self.gateway.subscribe_all([(f"org-{number}", bench.receiver.url("healthy", number))
                                    for number in range(HEALTHY)], ["message.create.*"])
        templates = [Template(bench.schema, f"org-{number}") for number in range(HEALTHY)]
        self.steady = Steady(bench.schema, self.gateway.address, templates, self.arguments.rate)
        self.bulk = [Template(bench.schema, "org-0", "bulk.made.once")]
        self.measure(2)

    def measure(self, seconds):
        return p99(measure_steady(self.bench, self.steady, ["healthy"], 1, seconds))

    def waiting(self):
        return self.gateway.metrics()["postrider_exceptions_waiting"]

    def fail(self):
        """Makes every third of the events wait for its retry, then goes down and waits for the breaker."""
        events = 3 * self.arguments.waiting
        self.bench.receiver.behave("down", "flaky/3")
        first = self.bench.receiver.count("down")[0]
        publish_many(self.bench.schema, self.gateway.address, self.bulk, events)
        if not wait_until(lambda: self.bench.receiver.count("down")[0] - first >= events, 300, 0.05):
            raise RuntimeError("not all first attempts were made")
        self.bench.receiver.behave("down", "status/503")
        pause(RETRY_SECONDS + 2)  # By now all are due and a few have failed again.
        request = self.bench.schema.ListSubscriptionsRequest(organization="org-0")

        def is_open():
            subscriptions = self.gateway.client.ListSubscriptions(request, timeout=10).subscriptions
            return any(subscription.health.HasField("open_since") for subscription in subscriptions)
        if not wait_until(is_open, 60, 0.1):
            raise RuntimeError("the breaker did not open")
        self.report.note(f"down: {self.waiting():.0f} deliveries wait")

    def come_back(self):
        """The subscriber answers again. Its arrivals in each second of the ramp, the p99 of the others
        meanwhile, and how many were under way at most."""
        self.bench.receiver.arrivals()
        first = self.bench.receiver.count("down")[0]
        self.bench.receiver.behave("down", "slow/5")
        if not wait_until(lambda: self.bench.receiver.count("down")[0] > first, 330, 0.01):
            raise RuntimeError("there was no probe")
        given = self.steady.run(RAMP_SECONDS + 2)
        if not wait_until(lambda: self.waiting() == 0, 300, 0.1):
            raise RuntimeError(f"{self.waiting():.0f} still wait")
        pause(0.5)
        arrivals = self.bench.receiver.arrivals()
        theirs = sorted(arrival.time for arrival in arrivals if arrival.group.startswith(b"down"))
        others = [(arrival.time - given[arrival.event]) / 1e6 for arrival in arrivals
                  if arrival.event in given and arrival.group.startswith(b"healthy")]
        if len(others) < len(given):
            raise RuntimeError(f"{len(others)} of {len(given)} deliveries to the others came")
        # The first is the probe. Cut from there: the ramp began a little later, with its answer.
        seconds = [int((moment - theirs[0]) // 1_000_000_000) for moment in theirs[1:]]
        return [seconds.count(second) for second in range(RAMP_SECONDS)], p99(others)

    def purge(self):
        """Seconds that a purge of all that waits takes for each 10 000."""
        subscriptions = self.gateway.client.ListSubscriptions(
            self.bench.schema.ListSubscriptionsRequest(organization="org-0"), timeout=10).subscriptions
        down = next(one for one in subscriptions if "/down/" in one.url)
        request = self.bench.schema.PurgeRequest(subscription_id=down.id, everything=True)
        began = time.monotonic()
        purged = self.gateway.client.Purge(request, timeout=120).purged_count
        seconds = time.monotonic() - began
        self.report.note(f"purge: {purged} in {seconds:.2f} s")
        return seconds * 10_000 / purged


def run(bench, report):
    arguments = bench.arguments
    outage = Outage(bench, report)
    rounds = []
    excess = 0
    for number in range(1, arguments.rounds + 1):
        calm = outage.measure(RAMP_SECONDS)
        outage.fail()
        ramp, troubled = outage.come_back()
        so_far = [sum(ramp[:second + 1]) for second in range(RAMP_SECONDS)]
        excess = max(excess, *(so_far[second] / (2 ** (second + 1) - 1)
                               for second in range(RAMP_SECONDS)))
        report.note(f"round {number}: arrivals in each second {ramp}; p99 of the others "
                    f"{calm:.2f} ms before, {troubled:.2f} ms with the subscriber back")
        rounds.append((troubled, calm))
    report.bound("arrivals of the ramp, beside what the rule allows", excess, 1)
    report.bound("under way to the subscriber at most", bench.receiver.count("down")[2], IN_FLIGHT)
    report.median_ratio("p99 of the others", rounds, 1.5)
    outage.fail()
    report.bound("a purge of 10 000", outage.purge(), 2, " s")
    outage.steady.close()


def main():
    parser = arguments_of(__doc__, rounds=3)
    parser.add_argument("--waiting", type=int, default=20_000, help="deliveries that wait for a retry")
    parser.add_argument("--rate", type=float, default=100, help="single events a second to the others")
    return run_all(parser.parse_args(), run)


if __name__ == "__main__":
    sys.exit(main())
