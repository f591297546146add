"""The subscriptions of the load, and which events each of them must, may or must not get.

The matching of patterns is the test's own: plain recursion over the rules as documented.
"""

import dataclasses
import enum

from receiver import rejects


def matches(pattern, event_type):
    """Whether a pattern matches an event type, by the documented rules."""
    if pattern == "*":
        return True
    return _match(pattern.split("."), event_type.split("."))


def _match(pattern, segments):
    if not pattern:
        return not segments
    first, rest = pattern[0], pattern[1:]
    if first == "**":
        return any(_match(rest, segments[skip:]) for skip in range(len(segments) + 1))
    if not segments:
        return False
    if first == "*" and not rest:
        return True  # A trailing * is one segment or more.
    return first in ("*", segments[0]) and _match(rest, segments[1:])


class Duty(enum.Enum):
    MUST = "must"
    MAY = "may"
    MUST_NOT = "must not"


@dataclasses.dataclass
class Version:
    """One configuration of a subscription. Times are CLOCK_MONOTONIC ns."""

    patterns: list
    called: int  # When its RPC was first sent.
    answered: int  # When it was answered; 0: not yet.


@dataclasses.dataclass
class Subscription:
    name: str
    organization: str
    patterns: list
    scope: str = "SUBTREE"
    secret: str = ""
    behaviour: dict = dataclasses.field(default_factory=dict)
    schedule: list = dataclasses.field(default_factory=list)  # Seconds; empty: the default.
    challenge: bool = False
    order: str = ""  # BY_KEY or STRICT.

    id: str = ""
    number_of_paths: int = 1
    versions: list = dataclasses.field(default_factory=list)
    delete_called: int = 0
    delete_answered: int = 0

    def path(self):
        return f"/s/{self.name}/{self.number_of_paths}"

    def rejects(self, event_id):
        """Whether every attempt fails: the delivery ends as a dead letter."""
        return rejects(self.behaviour, event_id)

    def line(self, event):
        """Events of one line go one after the other; None: it waits for no other. What a strict
        subscription holds back is a whole shard; an organization is a part of one."""
        if self.order == "STRICT":
            return (event.organization,)
        if self.order == "BY_KEY" and event.ordering_key:
            return (event.organization, event.ordering_key)
        return None

    def belongs(self, event):
        """Whether the event's organization is one whose events this subscription gets."""
        if self.scope == "SELF":
            return event.organization == self.organization
        return self.organization in event.path

    def duty(self, event):
        """What the gateway owes of `event`: sent from event.sent on, appended until event.ended.

        Patterns are judged when the pair is met, so those of every version that may have been in
        force at or after the append count; creation and deletion count by the append itself.
        """
        if not self.versions or not self.belongs(event):
            return Duty.MUST_NOT
        created = self.versions[0]
        if event.ended and event.ended < created.called:
            return Duty.MUST_NOT
        if self.delete_answered and event.sent > self.delete_answered:
            return Duty.MUST_NOT
        judged = []
        for number, version in enumerate(self.versions):
            later = self.versions[number + 1:]
            if later and later[0].answered and later[0].answered < event.sent:
                continue
            judged.append(any(matches(pattern, event.type) for pattern in version.patterns)
                          or not version.patterns)
        if not any(judged):
            return Duty.MUST_NOT
        certain = created.answered and event.sent > created.answered and not self.delete_called
        return Duty.MUST if all(judged) and certain else Duty.MAY


def initial():
    """The subscriptions that exist from the beginning to the end.

    None fails so often that its breaker opens (10 in a row, or half of 20), for then a probe every
    now and then is all that it gets: the more attempts rejected events have, the fewer there are.
    Five of them amid 19 would do it. Only `outage` is to meet its breaker, when it is told to.
    """
    quick = [0.0] + [0.3] * 10 + [1.0] * 40
    sudden = [0.0] + [0.1] * 50
    flaky = {"mode": "flaky", "status": 503, "share": 0.2}
    reject = {"mode": "reject", "status": 422, "share": 0.04}
    return [
        Subscription("root-all", "root-a", []),
        Subscription("root-self", "root-a", ["**"], scope="SELF",
                     secret="zICWczLmAOEDvh1DiPGSHw=="),
        Subscription("stalling", "root-a", []),
        Subscription("child", "child-a1", ["message.create.*"],
                     secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        Subscription("challenged", "child-a2", ["*.update", "message.create.*.chat"],
                     challenge=True),
        Subscription("slow", "solo-b", ["message.create.contact.*"], secret="a plain secret",
                     behaviour={"mode": "slow", "delay": 0.03}),
        Subscription("flaky", "solo-b", ["message.update", "user.login"], schedule=quick,
                     behaviour={**flaky, "seed": 7}),
        Subscription("outage", "solo-c", ["conversation.*", "message.**"], schedule=quick),
        Subscription("rejecting", "solo-c", ["form.*", "message.**"], schedule=[0.0, 0.2],
                     behaviour={**reject, "seed": 8}),
        Subscription("closing", "5c138790ec944f05ff5f6d77", ["**.chat"],
                     behaviour={"mode": "close"}),
        Subscription("solo-e", "solo-e", ["*"]),
        Subscription("key", "root-a", ["message.**"], order="BY_KEY"),
        Subscription("key-flaky", "root-a", ["message.create.*"], order="BY_KEY", schedule=quick,
                     behaviour={**flaky, "seed": 9}),
        Subscription("key-rejecting", "solo-e", ["*"], order="BY_KEY", schedule=[0.0, 0.2],
                     behaviour={**reject, "seed": 10}),
        Subscription("key-single", "child-a2", ["*"], order="BY_KEY", schedule=[0.0],
                     behaviour={**reject, "share": 0.1, "seed": 13}),
        Subscription("strict-flaky", "root-a", ["*.update", "message.*.agent.*"], order="STRICT",
                     schedule=sudden, behaviour={**flaky, "share": 0.1, "seed": 11}),
        Subscription("strict-rejecting", "solo-b", ["user.login", "conversation.update"],
                     order="STRICT", schedule=[0.0, 0.2], behaviour={**reject, "seed": 12}),
    ]
