"""What the gateway itself says, by its API, must agree with what arrived."""

import collections

import grpc

from ledger import State
from processes import wait_until

SAMPLE = 300
PROBLEMS_MAX = 5  # Each is waited for.
SUCCESS = 1
ORIGIN_REPLAY, ORIGIN_REDRIVE = 3, 4  # First attempts and their retries have others, and are one.
EXHAUSTED = 1
PAGE_SIZE = 500
RPC_TIMEOUT_SECONDS = 10.0


def get_body(schema, client, event):
    """The stored body's bytes; None if there is no such event."""
    try:
        request = schema.GetEventRequest(organization=event.organization, event_id=event.id)
        return client.GetEvent(request, timeout=RPC_TIMEOUT_SECONDS).event.body.encode()
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return None
        raise


def stored_events(schema, client, oracle, rng):
    """Events of an open outcome are stored if and only if they arrived; acknowledged ones are."""
    problems = []
    ledger = oracle.ledger
    index = oracle.by_organization()
    unclear = [event for event in ledger.events.values() if event.state is State.OPEN]
    for event in unclear[-SAMPLE:]:
        body = get_body(schema, client, event)
        arrived = bool(oracle.arrivals.get(event.id))
        if body is None and arrived:
            problems.append(f"{event.id}: arrived, and is not stored")
        if body is not None and oracle.owed(event, index) and not arrived:
            problems.append(f"{event.id}: is stored, and did not arrive")
    for event in rng.sample(ledger.acked, min(SAMPLE, len(ledger.acked))):
        if get_body(schema, client, event) != ledger.content(event).body():
            problems.append(f"{event.id}: acknowledged, and not stored as it was published")
    unwanted = [e for e in ledger.events.values() if e.state in (State.BAD, State.REFUSED)]
    for event in unwanted[-SAMPLE:]:
        if get_body(schema, client, event) is not None:
            problems.append(f"{event.id}: refused, and stored")
    return problems


def list_attempts(schema, client, event):
    """Subscription id -> attempts, the first one first."""
    attempts = collections.defaultdict(list)
    token = ""
    while True:
        response = client.ListAttempts(schema.ListAttemptsRequest(
            organization=event.organization, event_id=event.id, page_size=PAGE_SIZE,
            page_token=token),
            timeout=RPC_TIMEOUT_SECONDS)
        for attempt in response.attempts:
            attempts[attempt.subscription_id].insert(0, attempt)
        token = response.next_page_token
        if not token:
            return attempts


def attempts_problem(attempts, subscription, event, arrivals):
    """What is wrong with the attempts recorded for a pair, or an empty string.

    A success that was committed is never sent again: so of several successes that arrived at most
    one is recorded, the others had not been committed when the gateway died. Nothing is replayed or
    redriven here, and those would be numbered by themselves.
    """
    if any(attempt.origin in (ORIGIN_REPLAY, ORIGIN_REDRIVE) for attempt in attempts):
        return "attempts recorded are of a replay or a redrive"
    numbers = [attempt.number for attempt in attempts]
    successes = [attempt.number for attempt in attempts if attempt.outcome == SUCCESS]
    if numbers != list(range(1, len(numbers) + 1)):
        return f"attempts recorded are {numbers}"
    if len(successes) > 1:
        return f"sent again after a success that was committed: {successes} of {numbers}"
    if successes and successes[0] != numbers[-1]:
        return f"attempt {numbers[-1]} after the success of {successes[0]}"
    if len(numbers) > len(arrivals):
        return f"{len(numbers)} attempts recorded, {len(arrivals)} arrived"
    if subscription.rejects(event.id):
        return "" if len(numbers) == len(subscription.schedule) else f"only {numbers} recorded"
    return "" if successes else "its success is not recorded"


def recorded_attempts(schema, client, oracle, rng):
    """The attempts recorded of pairs that were repeated or retried, and of some others."""
    names = {s.name: s for s in oracle.subscriptions if not s.delete_called}
    pairs = [(event, name) for event, name in oracle.repeated_pairs() if name in names]
    several = [(oracle.ledger.events[event_id], name)
               for event_id, places in oracle.arrivals.items() for name, arrivals in places.items()
               if name in names and event_id in oracle.ledger.events]
    pairs = rng.sample(pairs, min(SAMPLE, len(pairs)))
    pairs += rng.sample(several, min(SAMPLE, len(several)))
    problems = []
    for event, name in pairs:
        arrivals = oracle.arrivals[event.id][name]
        found = []

        def in_order(event=event, name=name, arrivals=arrivals, found=found):
            recorded = list_attempts(schema, client, event)[names[name].id]
            found[:] = [attempts_problem(recorded, names[name], event, arrivals)]
            return not found[0]

        # The last outcome may commit a little after its answer.
        if not wait_until(in_order, 2.0):
            problems.append(f"{event.id} at {name}: {found[0]}")
        if len(problems) >= PROBLEMS_MAX:
            break
    return problems


def list_dead_letters(schema, client, subscription):
    letters = []
    token = ""
    while True:
        response = client.ListDeadLetters(schema.ListDeadLettersRequest(
            subscription_id=subscription.id, page_size=PAGE_SIZE, page_token=token),
            timeout=RPC_TIMEOUT_SECONDS)
        letters += response.dead_letters
        token = response.next_page_token
        if not token:
            return letters


def dead_letters_problem(letters, subscription, rejected):
    """What is wrong with the dead letters of a subscription, or an empty string. Each event of
    `rejected`, and no other, is one of them, once, after its whole schedule."""
    ids = collections.Counter(letter.event_id for letter in letters)
    if set(ids) != rejected:
        return (f"{len(rejected)} events were rejected; no dead letters: "
                f"{sorted(rejected - set(ids))[:3]}, and dead: {sorted(set(ids) - rejected)[:3]}")
    if len(letters) != len(ids):
        return f"{len(letters)} dead letters of {len(ids)} events"
    other = [letter.event_id for letter in letters
             if (letter.reason, letter.attempts) != (EXHAUSTED, len(subscription.schedule))]
    return f"dead otherwise than by its schedule: {other[:3]}" if other else ""


def dead_letters(schema, client, oracle):
    """What was rejected is dead, and nothing else is."""
    problems = []
    for subscription in oracle.subscriptions:
        if subscription.delete_called:
            continue
        rejected = {event_id for event_id, places in oracle.arrivals.items()
                    if subscription.name in places and subscription.rejects(event_id)}
        found = []

        def in_order(subscription=subscription, rejected=rejected, found=found):
            letters = list_dead_letters(schema, client, subscription)
            found[:] = [dead_letters_problem(letters, subscription, rejected)]
            return not found[0]

        if not wait_until(in_order, 2.0):  # As above.
            problems.append(f"{subscription.name}: {found[0]}")
    return problems
