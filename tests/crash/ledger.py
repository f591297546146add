"""What was published, what was answered, and what therefore is owed."""

import collections
import enum
import random
import threading
import time

from events import enlarge, make_content, make_id

# Nothing was stored, says the API. Everything else but OK leaves the outcome open.
REFUSALS = {"INVALID_ARGUMENT", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
            "FAILED_PRECONDITION", "OUT_OF_RANGE", "ABORTED"}
# Refusals that say nothing of the event itself, so that one which is stored may get them too.
# ABORTED: an earlier event of its ordering key was refused within the call, as at a stop.
PASSING = {"RESOURCE_EXHAUSTED", "ABORTED"}
OPEN_OUTCOMES = {"UNAVAILABLE", "DEADLINE_EXCEEDED"}


class State(enum.Enum):
    OPEN = "being published, or no answer that says what became of it"
    ACKED = "acknowledged"
    REFUSED = "refused, and never published with another answer"
    BAD = "must be refused"


class Event:
    """One id of the load. Times are CLOCK_MONOTONIC ns."""

    __slots__ = ("number", "id", "organization", "path", "type", "hash", "state", "sent", "ended",
                 "accept_time", "fresh_after", "unanswered", "omits_path", "big", "ordering_key")

    def __init__(self, number, content):
        self.number = number
        self.id = content.id
        self.organization = content.organization
        self.path = content.path
        self.type = content.type
        self.ordering_key = content.ordering_key
        self.hash = content.body_hash()
        self.state = State.OPEN
        self.sent = 0  # When it was first sent.
        self.ended = 0  # By then it was appended, if it ever was; 0: still being published.
        self.accept_time = None  # (seconds, nanos) of the first acknowledgement.
        self.fresh_after = 0  # It was not stored before this time, said an acknowledgement.
        self.unanswered = 0  # Publishes without an answer so far.
        self.big = False  # Made so by enlarge().
        self.omits_path = False  # Published without the path, which the gateway must know.


class Ledger:
    """All events, by id. Thread-safe."""

    def __init__(self, seed):
        self.seed = seed
        self.lock = threading.Lock()
        self.rng = random.Random(f"ledger/{seed}")
        self.events = {}
        self.acked = []
        self.known_paths = set()  # Organizations of which an event with its path is acknowledged.
        self.to_repeat = collections.deque()  # Open events that shall be published again.
        self.answers = collections.Counter()
        self.violations = []
        self.next_number = 0

    def new(self, bad=False, big=False):
        """A new event and its content. Big ones are all of one organization."""
        with self.lock:
            number = self.next_number
            self.next_number += 1
            event_id = make_id(self.rng)
        content = make_content(self.seed, number, event_id)
        if big:
            enlarge(content)
        event = Event(number, content)
        event.big = big
        event.state = State.BAD if bad else State.OPEN
        with self.lock:
            event.omits_path = (event.organization in self.known_paths
                                and self.rng.random() < 0.3)
            self.events[event_id] = event
        return event, content

    def content(self, event):
        content = make_content(self.seed, event.number, event.id)
        if event.big:
            enlarge(content)
        return content

    def pick_acked(self):
        """Some acknowledged event, mostly a recent one; None if there is none."""
        with self.lock:
            if not self.acked:
                return None
            span = len(self.acked) if self.rng.random() < 0.3 else min(200, len(self.acked))
            return self.acked[-1 - self.rng.randrange(span)]

    def pick_open(self):
        """An event whose outcome is open and that shall be published again, or None."""
        with self.lock:
            return self.to_repeat.popleft() if self.to_repeat else None

    def sending(self, event):
        """To be called right before `event` is sent; its result is concluded()'s `sent`."""
        now = time.monotonic_ns()
        with self.lock:
            if event.sent == 0:
                event.sent = now
        return now

    def concluded(self, event, sent, code, receipt=None, daemon_lived=False):
        """What a publish of `event` was answered: OK with a receipt, or an error code."""
        now = time.monotonic_ns()
        with self.lock:
            self.answers[("bad " if event.state is State.BAD else "") + code] += 1
            if event.state is State.BAD:
                self._concluded_bad(event, code, daemon_lived)
            elif code == "OK":
                self._acknowledged(event, sent, now, receipt)
            else:
                self._not_acknowledged(event, now, code, daemon_lived)

    def _concluded_bad(self, event, code, daemon_lived):
        if code == "OK":
            self.violations.append(f"{event.id}: was accepted, and should have been refused")
        elif code not in REFUSALS and code not in OPEN_OUTCOMES and daemon_lived:
            self.violations.append(f"{event.id}: refused with {code}")

    def _acknowledged(self, event, sent, now, receipt):
        accepted = (receipt.accept_time.seconds, receipt.accept_time.nanos)
        if receipt.id != event.id:
            self.violations.append(f"{event.id}: the receipt has id {receipt.id}")
        if event.state is State.ACKED:
            if not receipt.duplicate:
                self.violations.append(f"{event.id}: acknowledged twice as new")
            elif accepted != event.accept_time:
                self.violations.append(
                    f"{event.id}: accept time {accepted}, was {event.accept_time}")
            return
        if receipt.duplicate and event.unanswered == 0:
            self.violations.append(f"{event.id}: a duplicate of nothing")
        if not receipt.duplicate:
            event.fresh_after = sent
        event.state = State.ACKED
        event.accept_time = accepted
        event.ended = now
        self.acked.append(event)
        self.known_paths.add(event.organization)

    def _not_acknowledged(self, event, now, code, daemon_lived):
        if code == "ABORTED" and not event.ordering_key:
            self.violations.append(f"{event.id}: waits for no other, and was refused with ABORTED")
        if event.state is State.ACKED:
            if code in REFUSALS - PASSING:
                self.violations.append(f"{event.id}: acknowledged, then refused with {code}")
            return
        event.ended = now
        if code in REFUSALS:
            if code not in PASSING:
                self.violations.append(f"{event.id}: a good event refused with {code}")
            if event.unanswered == 0:
                event.state = State.REFUSED
            return
        if code not in OPEN_OUTCOMES and daemon_lived:
            self.violations.append(f"{event.id}: answered with {code}")
        event.unanswered += 1
        # Half of them stay open for ever: they must have arrived wholly or not at all.
        if self.rng.random() < 0.5:
            self.to_repeat.append(event)
