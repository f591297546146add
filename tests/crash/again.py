"""What is sent again because somebody asked for it: replays and redriven dead letters, which must
live on across deaths like everything else.

All that was asked for arrives with a good answer, nothing else does, and each origin has its own
attempts: 1, 2, 3, and one success, beside those that the log has led to.
"""

import collections

from checks import (ORIGIN_REDRIVE, ORIGIN_REPLAY, PROBLEMS_MAX, RPC_TIMEOUT_SECONDS, SAMPLE,
                    SUCCESS, list_attempts, list_dead_letters)
from oracle import good
from processes import wait_until

REPLAY_DONE = 2
REPLAY_SECONDS = 2.0  # So long a replay takes at least.
LOG = 0  # First attempts and their retries.


class Again:
    """Asks for it, and judges what arrives from then on. Call when all that is owed has arrived."""

    def __init__(self, schema, oracle):
        self.schema = schema
        self.oracle = oracle
        self.before = {(event_id, name): (len(arrivals), arrivals[-1].generation)
                       for event_id, places in oracle.arrivals.items()
                       for name, arrivals in places.items()}
        self.generation = max((g for _, g in self.before.values()), default=0)
        self.replays = []
        self.wanted = {}  # (event id, subscription name) -> origin

    def replay(self, client, subscription):
        """All that it ever got."""
        ids = [event_id for event_id, name in self.before if name == subscription.name]
        request = self.schema.ReplayRequest(
            subscription_id=subscription.id, rate=max(1.0, len(ids) / REPLAY_SECONDS))
        request.since.seconds = 1
        self.replays.append(client.Replay(request, timeout=RPC_TIMEOUT_SECONDS).replay.id)
        self.wanted.update({(event_id, subscription.name): ORIGIN_REPLAY for event_id in ids})

    def redrive(self, client, subscription):
        """All of its dead letters. From now on it must reject nothing."""
        letters = list_dead_letters(self.schema, client, subscription)
        client.Redrive(self.schema.RedriveRequest(subscription_id=subscription.id, all=True),
                       timeout=RPC_TIMEOUT_SECONDS)
        self.wanted.update({(letter.event_id, subscription.name): ORIGIN_REDRIVE
                            for letter in letters})

    def new_arrivals(self, event_id, name):
        count, _ = self.before.get((event_id, name), (0, 0))
        return self.oracle.arrivals[event_id].get(name, [])[count:]

    def missing(self):
        """What was asked for and has not arrived yet."""
        return [pair for pair in self.wanted
                if not any(good(arrival.status) for arrival in self.new_arrivals(*pair))]

    def unfinished(self, client):
        """The replays that are not done."""
        return [replay_id for replay_id in self.replays if client.GetReplay(
            self.schema.GetReplayRequest(replay_id=replay_id),
            timeout=RPC_TIMEOUT_SECONDS).replay.state != REPLAY_DONE]

    def unwanted(self):
        """What nobody asked for. At the first death an outcome may have been uncommitted."""
        problems = []
        for event_id, places in list(self.oracle.arrivals.items()):
            for name in places:
                _, generation = self.before.get((event_id, name), (0, 0))
                if ((event_id, name) not in self.wanted and generation != self.generation
                        and self.new_arrivals(event_id, name)):
                    problems.append(f"{event_id}: sent again to {name}, which nobody asked for")
        return problems

    def check(self, client, subscriptions, rng):
        """All problems. Call when nothing is missing."""
        problems = self.oracle.problems + self.unwanted()
        names = {subscription.name: subscription for subscription in subscriptions}
        for event_id, name in rng.sample(list(self.wanted), min(SAMPLE, len(self.wanted))):
            event = self.oracle.ledger.events[event_id]
            origin = self.wanted[event_id, name]
            found = []

            def in_order(event=event, name=name, origin=origin, found=found):
                attempts = list_attempts(self.schema, client, event)[names[name].id]
                found[:] = [chains_problem(attempts, origin)]
                return not found[0]

            if not wait_until(in_order, 2.0):  # As in checks.py.
                problems.append(f"{event_id} at {name}: {found[0]}")
            if len(problems) >= PROBLEMS_MAX:
                break
        left = [name for name in {n for (_, n), origin in self.wanted.items()
                                  if origin == ORIGIN_REDRIVE}
                if list_dead_letters(self.schema, client, names[name])]
        return problems + [f"{name}: has dead letters, though all were redriven" for name in left]


def chains_problem(attempts, origin):
    """What is wrong with the attempts of a pair that was sent again, or an empty string."""
    chains = collections.defaultdict(list)
    for attempt in attempts:
        again = attempt.origin in (ORIGIN_REPLAY, ORIGIN_REDRIVE)
        chains[attempt.origin if again else LOG].append(attempt)
    if set(chains) != {LOG, origin}:
        return f"attempts recorded are of the origins {sorted(chains)}"
    for chain in chains.values():
        numbers = [attempt.number for attempt in chain]
        if numbers != list(range(1, len(numbers) + 1)):
            return f"attempts of one origin recorded are {numbers}"
        if any(attempt.outcome == SUCCESS for attempt in chain[:-1]):
            return "sent again after a success that was committed"
    return "" if chains[origin][-1].outcome == SUCCESS else "its success is not recorded"
