"""Compares what arrived with what was acknowledged."""

import collections
import statistics

from ledger import State
from subscriptions import Duty

# How many outcomes may be uncommitted at a kill. The gateway starts no exchange while a loop has
# this many (rule R7 of docs/engine.md), so no more than these and what is on the wire can be lost.
UNCOMMITTED_MAX_PER_LOOP = 1000
IN_FLIGHT_PER_SUBSCRIPTION = 64

Arrival = collections.namedtuple("Arrival", "generation time answered status attempt")


def good(status):
    return 200 <= status < 300


class Oracle:
    """Holds every arrival and says what is missing, what is wrong and what came twice.

    `subscriptions` is a list that may grow. The arrivals of one pair (event, subscription) are kept
    in the order in which the receiver saw them.
    """

    def __init__(self, ledger, subscriptions, loops=1):
        self.ledger = ledger
        self.subscriptions = subscriptions
        self.loops = loops
        self.arrivals = collections.defaultdict(lambda: collections.defaultdict(list))
        self.problems = []
        self.count = 0
        self.cut = 0
        self.complete = 0  # So many of ledger.acked are known to have arrived everywhere.
        self.incomplete = []

    def take(self, records):
        """Takes in log records of the receiver, checking each by itself."""
        for record in records:
            if "cut" in record:
                self.cut += 1
            elif "challenge" not in record:
                self._take_arrival(record)

    def _take_arrival(self, record):
        self.count += 1
        name = record["p"].split("/")[2] if record["p"].count("/") >= 3 else record["p"]
        where = f"{record['id']} at {name}"
        if record["v"]:
            self.problems.append(f"{where}: {record['v']}")
        event = self.ledger.events.get(record["id"])
        if event is None:
            self.problems.append(f"{where}: was never published")
            return
        if record["h"] != event.hash:
            self.problems.append(f"{where}: other bytes than were published")
        if record["t"] < event.sent:
            self.problems.append(f"{where}: arrived before it was sent")
        attempt = int(record["n"]) if record["n"].isdigit() else 0
        if attempt < 1:
            self.problems.append(f"{where}: X-Postrider-Attempt is {record['n']!r}")
        self.arrivals[record["id"]][name].append(
            Arrival(record["g"], record["t"], record["o"], record["s"], attempt))

    def by_organization(self):
        """Subscriptions by the organizations on whose path they are."""
        index = collections.defaultdict(list)
        for subscription in self.subscriptions:
            index[subscription.organization].append(subscription)
        return index

    def owed(self, event, index):
        """The subscriptions that must get `event`."""
        return [subscription for organization in event.path for subscription in index[organization]
                if subscription.duty(event) is Duty.MUST]

    def has_arrived(self, event, subscription):
        """Whether it arrived, successfully or, if it is rejected, often enough."""
        arrivals = self.arrivals[event.id].get(subscription.name, [])
        if subscription.rejects(event.id):
            return max((a.attempt for a in arrivals), default=0) >= len(subscription.schedule)
        return any(good(arrival.status) for arrival in arrivals)

    def missing(self, limit=20):
        """Acknowledged pairs that have not arrived; remembers what needs no second look."""
        index = self.by_organization()
        pending = self.incomplete + self.ledger.acked[self.complete:]
        self.complete += len(pending) - len(self.incomplete)
        self.incomplete = []
        missing = []
        for event in pending:
            lacks = [s.name for s in self.owed(event, index) if not self.has_arrived(event, s)]
            if lacks:
                self.incomplete.append(event)
                if len(missing) < limit:
                    missing.append(f"{event.id} ({event.organization} {event.type}) at {lacks}")
        return missing

    def partial(self):
        """Pairs of events with an open outcome that arrived elsewhere, so must arrive here too."""
        index = self.by_organization()
        return [f"{event.id}: arrived at {list(self.arrivals[event.id])}, but not at {s.name}"
                for event in list(self.ledger.events.values())
                if event.state is State.OPEN and self.arrivals.get(event.id)
                for s in self.owed(event, index) if not self.has_arrived(event, s)]

    def check(self):
        """All problems found so far in what has arrived. Call when nothing more is expected."""
        problems = list(self.ledger.violations) + list(self.problems)  # The latter may be many.
        names = {subscription.name: subscription for subscription in self.subscriptions}
        for event in list(self.ledger.events.values()):
            pairs = self.arrivals.get(event.id, {})
            if pairs:
                problems += self._wrong_arrivals(event, pairs, names)
                problems += self._wrong_repeats(event, pairs)
        return problems + self.partial() + self._too_many_repeats()

    def _wrong_arrivals(self, event, pairs, names):
        """Arrivals that should not have been."""
        if event.state in (State.REFUSED, State.BAD):
            return [f"{event.id}: was refused, and arrived at {list(pairs)}"]
        problems = []
        for name, arrivals in pairs.items():
            if name not in names:
                problems.append(f"{event.id}: arrived at {name}, which is no subscription")
            elif names[name].duty(event) is Duty.MUST_NOT:
                problems.append(f"{event.id} ({event.organization} {event.type}): "
                                f"must not arrive at {name}, did")
            if arrivals[0].time < event.fresh_after:
                problems.append(f"{event.id}: arrived at {name}, then was acknowledged as new")
        return problems

    @staticmethod
    def _wrong_repeats(event, pairs):
        """Repeats that no death of the gateway explains."""
        problems = []
        for name, arrivals in pairs.items():
            for before, after in zip(arrivals, arrivals[1:]):
                where = f"{event.id} at {name}: attempt {after.attempt} after {before.attempt}"
                if after.attempt < before.attempt:
                    problems.append(f"{where}: numbers go back")
                if after.generation != before.generation:
                    continue
                if good(before.status):
                    problems.append(f"{where}: repeated after a success, with no death between")
                elif before.status != 0 and after.attempt == before.attempt:
                    problems.append(f"{where}: the same attempt twice, with no death between")
        return problems

    def repeats(self):
        """Generation of the first copy -> number of pairs repeated because of its death."""
        counts = collections.Counter()
        for pairs in self.arrivals.values():
            for arrivals in pairs.values():
                for before, after in zip(arrivals, arrivals[1:]):
                    if after.generation != before.generation and (
                            good(before.status) or after.attempt == before.attempt):
                        counts[before.generation] += 1
        return counts

    def _too_many_repeats(self):
        most = (UNCOMMITTED_MAX_PER_LOOP * self.loops
                + IN_FLIGHT_PER_SUBSCRIPTION * len(self.subscriptions))
        return [f"generation {generation}: {count} deliveries repeated after its death, "
                f"more than {most} can have been uncommitted or on the wire"
                for generation, count in self.repeats().items() if count > most]

    def repeated_pairs(self):
        """(event, subscription name) of what arrived again after a success."""
        return [(self.ledger.events[event_id], name)
                for event_id, pairs in self.arrivals.items() for name, arrivals in pairs.items()
                if len(arrivals) > 1 and any(good(a.status) for a in arrivals[:-1])]

    def summary(self):
        states = collections.Counter(event.state.name for event in self.ledger.events.values())
        repeats = list(self.repeats().values())
        mean = statistics.mean(repeats) if repeats else 0
        return (f"events {dict(states)}, answers {dict(self.ledger.answers)}, "
                f"arrivals {self.count}, cut off {self.cut}, repeats {sum(repeats)} "
                f"(after {len(repeats)} deaths, mean {mean:.1f}, most {max(repeats, default=0)})")
