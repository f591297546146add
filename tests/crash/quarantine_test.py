#!/usr/bin/python3
"""Lets the gateway die of its own fault on a certain event, and sees that this ends (rule E8).

The fault points of gateway/base/crash_point.h have it abort whenever it matches, sends or hears an
answer for an event of one type. It must do so three times for the one subscription that wants the
event and no more; everything else must arrive, and the event too, once the fault is mended and it
is asked for again. A gateway that is killed, however often, must give nothing up.
"""

import argparse
import http.client
import pathlib
import shlex
import shutil
import sys
import tempfile
import uuid

from processes import Daemon, Receiver, wait_until
from wire import Client, Schema

POISON = "order.poison"
DEATHS = 3
SIGABRT = -6
SIGKILL = -9
KILLS = 6
SECRET = "a secret of the quarantine test"
RPC_TIMEOUT_SECONDS = 10.0
WAIT_SECONDS = 30.0
QUARANTINED = 4  # DeadReason.
OUTCOME_QUARANTINED = 13  # AttemptOutcome.


class Failure(Exception):
    """The gateway did not do what it must."""


def expect(right, text):
    if not right:
        raise Failure(text)


class Case:
    """A data directory with two subscriptions: one for all orders, one for the harmless ones."""

    def __init__(self, name, arguments, schema, receiver, directory):
        self.name = name
        self.schema = schema
        self.receiver = receiver
        self.directory = directory / name
        self.directory.mkdir()
        self.command = shlex.split(arguments.binary)
        self.daemon = None
        self.client = None
        self.arrived = set()  # (path, event id)
        self.ids = {}  # By subscription's name.

    def start(self, fault_point=""):
        self.daemon = Daemon(self.command, self.directory / "data",
                             self.directory / "postriderd.log", fault_point=fault_point)
        address = self.daemon.wait_ready()
        self.client = Client(self.schema, address) if address else None
        return address is not None

    def end(self):
        if self.client:
            self.client.close()
        expect(self.daemon.stop(WAIT_SECONDS) == 0, "it did not stop as asked")

    def call(self, method, **fields):
        request = getattr(self.schema, f"{method}Request")(**fields)
        return getattr(self.client, method)(request, timeout=RPC_TIMEOUT_SECONDS)

    def subscribe(self):
        for name, pattern in (("all", "order.*"), ("harmless", "order.paid")):
            path = f"/{self.name}/{name}"
            self.receiver.behave(path, {"secret": SECRET})
            subscription = self.schema.Subscription(
                organization="acme", url=self.receiver.url(path), event_types=[pattern],
                secret=SECRET)
            response = self.call("CreateSubscription", subscription=subscription)
            self.ids[name] = response.subscription.id

    def publish(self, event_type):
        event = self.schema.Event(id=str(uuid.uuid4()), type=event_type, organization="acme")
        self.call("Publish", event=event)
        return event.id

    def has_arrived(self, name, event_id):
        for record in self.receiver.new_records():
            if record.get("s") == 200:
                self.arrived.add((record["p"], record["id"]))
        return (f"/{self.name}/{name}", event_id) in self.arrived

    def await_arrival(self, name, event_id):
        expect(wait_until(lambda: self.has_arrived(name, event_id), WAIT_SECONDS),
               f"{event_id} did not arrive at {name}")

    def dead_letters(self):
        return self.call("ListDeadLetters", subscription_id=self.ids["all"]).dead_letters

    def unmatched(self):
        events = self.call("ListEvents", organization="acme", unmatched_only=True).events
        return [event.id for event in events]

    def suspects(self):
        connection = http.client.HTTPConnection(self.daemon.addresses["admin"], timeout=10)
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
        connection.close()
        return next(int(line.split()[1]) for line in lines if line.startswith("postrider_suspects "))

    def live_until(self, given_up, fault_point):
        """Starts it again and again until `given_up()`. How often it has died before."""
        for deaths in range(1, 2 * DEATHS + 1):
            expect(self.daemon.died_within(WAIT_SECONDS), "it did not die")
            expect(self.daemon.process.returncode == SIGABRT,
                   f"it died otherwise: {self.daemon.process.returncode}")
            self.daemon.kill()
            if self.start(fault_point) and not self.daemon.died_within(1.0):
                expect(wait_until(given_up, WAIT_SECONDS), "it lives, and has given nothing up")
                return deaths
        raise Failure(f"it has died {2 * DEATHS} times")


def poison(case, point):
    """A fault when the event is matched (`match`) or sent."""
    fault_point = f"{point}:{POISON}"
    expect(case.start(), "it did not start")
    case.subscribe()
    case.end()
    expect(case.start(fault_point), "it did not start")
    before = case.publish("order.paid")
    event_id = case.publish(POISON)
    matched = point != "match"
    deaths = case.live_until((lambda: case.dead_letters()) if matched else
                             (lambda: event_id in case.unmatched()), fault_point)
    expect(deaths == DEATHS, f"it died {deaths} times")
    after = case.publish("order.paid")
    for name in ("all", "harmless"):
        case.await_arrival(name, before)
        case.await_arrival(name, after)
    # A dead letter stays one until it is redriven; what the cursor has passed does not come again.
    expect(wait_until(lambda: case.suspects() == (1 if matched else 0), WAIT_SECONDS),
           f"{case.suspects()} suspects are left")
    if matched:
        letters = case.dead_letters()
        expect([(letter.event_id, letter.reason) for letter in letters] ==
               [(event_id, QUARANTINED)], f"dead letters: {letters}")
        attempt = case.call("ListAttempts", organization="acme", event_id=event_id).attempts[0]
        expect(attempt.outcome == OUTCOME_QUARANTINED, f"the last attempt: {attempt}")
    case.end()

    # The fault has been mended.
    expect(case.start(), "it did not start")
    if matched:
        case.call("Redrive", subscription_id=case.ids["all"], all=True)
    else:
        request = case.schema.ReplayRequest(subscription_id=case.ids["all"])
        request.since.seconds = 1
        case.client.Replay(request, timeout=RPC_TIMEOUT_SECONDS)
    case.await_arrival("all", event_id)
    case.end()


def kills(case):
    """Killed from outside while the event is on the wire."""
    expect(case.start(), "it did not start")
    case.subscribe()
    case.receiver.behave(f"/{case.name}/all", {"secret": SECRET, "mode": "slow", "delay": 10.0})
    event_id = case.publish(POISON)
    for _ in range(KILLS):
        expect(not case.daemon.died_within(0.3), "it ended by itself")
        case.daemon.kill()
        expect(case.daemon.process.returncode == SIGKILL, "it ended by itself")
        expect(case.start(), "it did not start")
    case.receiver.behave(f"/{case.name}/all", {"secret": SECRET})
    case.daemon.kill()
    expect(case.start(), "it did not start")
    case.await_arrival("all", event_id)
    expect(not case.dead_letters(), "it has given up what it was only killed with")
    case.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--binary", required=True,
                        help="postriderd; arguments may follow, as in a shell")
    arguments = parser.parse_args()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="postrider_quarantine_"))
    schema = Schema()
    receiver = Receiver(directory / "arrivals.log")
    cases = {"match": poison, "before_send": poison, "after_header": poison, "kills": kills}
    case = None
    try:
        for name, run in cases.items():
            case = Case(name, arguments, schema, receiver, directory)
            run(case, name) if run is poison else run(case)
            print(f"{name}: as it must be", flush=True)
    except Failure as failure:
        print(f"{case.name}: {failure}; see {directory}", file=sys.stderr)
        return 1
    finally:
        if case and case.daemon:
            case.daemon.kill()
        receiver.stop()
    shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
