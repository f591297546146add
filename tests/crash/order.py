"""Whether subscriptions that ask for order got it: the log's order against what arrived.

Order is that of first deliveries. The first copy of an event comes after a good answer to the one
before it in its line, also if a death makes the gateway send that one again; or after the last copy
of that one, if it is rejected: what is behind a dead letter goes when the dead letter is committed,
and what is committed is not sent again.
"""

import collections

from oracle import good
from subscriptions import Duty

PAGE_SIZE = 500
RPC_TIMEOUT_SECONDS = 10.0


def list_events(schema, client, organization):
    """The stored events of an organization as the log has them, the first one first."""
    events = []
    token = ""
    while True:
        response = client.ListEvents(schema.ListEventsRequest(
            organization=organization, page_size=PAGE_SIZE, page_token=token),
            timeout=RPC_TIMEOUT_SECONDS)
        events += response.events
        token = response.next_page_token
        if not token:
            return events[::-1]


def free_time(arrivals, rejected):
    """When the next of the line might go, by the arrivals of one; None: not yet."""
    if rejected:
        return arrivals[-1].answered or arrivals[-1].time
    return next((a.answered for a in arrivals if good(a.status)), None)


def line_problems(events, subscription, arrivals_of):
    """What is wrong with one line, whose `events` are in the log's order. Events that did not
    arrive are for others to judge."""
    problems = []
    before, free = None, 0
    for event in events:
        arrivals = arrivals_of(event.id)
        if not arrivals:
            continue
        if free is None or arrivals[0].time <= free:
            problems.append(f"{event.id} at {subscription.name}: overtook {before}")
        before, free = event.id, free_time(arrivals, subscription.rejects(event.id))
    return problems


def overtaken(schema, client, oracle):
    """(problems, the number of deliveries that had to wait for one before them)."""
    problems = []
    waited = 0
    listed = {}
    for subscription in oracle.subscriptions:
        if not subscription.order:
            continue
        lines = collections.defaultdict(list)
        for path in {tuple(event.path) for event in list(oracle.ledger.events.values())}:
            if subscription.organization not in path:
                continue
            if path[-1] not in listed:
                listed[path[-1]] = list_events(schema, client, path[-1])
            for stored in listed[path[-1]]:
                event = oracle.ledger.events.get(stored.id)
                if event is None or subscription.duty(event) is not Duty.MUST:
                    continue
                if stored.ordering_key != event.ordering_key:
                    problems.append(f"{event.id}: is stored with another ordering key")
                line = subscription.line(event)
                if line is not None:
                    lines[line].append(event)

        def arrivals_of(event_id, name=subscription.name):
            return oracle.arrivals[event_id].get(name, [])

        for events in lines.values():
            problems += line_problems(events, subscription, arrivals_of)
            waited += len(events) - 1
    return problems, waited
