"""Creates, changes and deletes subscriptions while events flow and the gateway dies."""

import random
import threading
import time

import grpc

from processes import wait_until
from subscriptions import Subscription, Version

RPC_TIMEOUT_SECONDS = 10.0
VERIFY_SECONDS = 30.0
ACTIVE = 1
ORDER_MODES = {"": 0, "BY_KEY": 2, "STRICT": 3}
ALIVE_MAX = 5
PATTERNS = [["message.create.*"], ["**.chat", "user.*"], ["conversation.update"], ["*"],
            ["message.*"]]
ORGANIZATIONS = ["root-a", "child-a2", "solo-c", "solo-e"]


def set_patterns(message, patterns):
    del message.event_types[:]
    message.event_types.extend(patterns)


class Churn:
    """Configuration by RPC, repeated across deaths until each call has a certain answer."""

    def __init__(self, schema, gate, receiver, violations):
        self.schema = schema
        self.gate = gate
        self.receiver = receiver
        self.violations = violations
        self.subscriptions = []  # Only ever appended to.
        self.ended = threading.Event()
        self.thread = None

    def message(self, subscription):
        message = self.schema.Subscription(
            organization=subscription.organization, url=self.receiver.url(subscription.path()),
            event_types=subscription.patterns, secret=subscription.secret)
        message.scope = 2 if subscription.scope == "SELF" else 1
        message.verification = 2 if subscription.challenge else 1
        message.policy.order = ORDER_MODES[subscription.order]
        for seconds in subscription.schedule:
            message.policy.schedule.add(seconds=int(seconds),
                                        nanos=round(seconds % 1 * 1_000_000_000))
        return message

    def listen(self, subscription):
        self.receiver.behave(subscription.path(),
                             {**subscription.behaviour, "secret": subscription.secret})

    def call(self, method, request, also_fine=()):
        """The answer of an RPC, repeated until it has one: a response, or None for a code in
        `also_fine`, or after the end."""
        failed = 0
        first = True
        while (entered := self.gate.enter(failed)) is not None:
            client, number = entered
            try:
                return getattr(client, method)(request, timeout=RPC_TIMEOUT_SECONDS)
            except grpc.RpcError as error:
                code = error.code().name
                if not first and code in also_fine:
                    return None
                if code not in ("UNAVAILABLE", "DEADLINE_EXCEEDED") and self.gate.lived(number):
                    self.violations.append(f"{method}: {code} {error.details()}")
                    return None
                first = False
                failed = number
            finally:
                self.gate.leave(number)
        return None

    def create(self, subscription):
        """Creates it under its name as its id. With a CHALLENGE, waits until it is active."""
        self.listen(subscription)
        version = Version(subscription.patterns, time.monotonic_ns(), 0)
        subscription.versions.append(version)
        self.subscriptions.append(subscription)
        response = self.call("CreateSubscription", self.schema.CreateSubscriptionRequest(
            subscription=self.message(subscription), subscription_id=subscription.name))
        if response is None:
            return
        subscription.id = response.subscription.id
        if not subscription.secret:  # The gateway made one.
            subscription.secret = response.subscription.secret
            self.listen(subscription)
        if subscription.challenge and not wait_until(
                lambda: self.gate.stopped or self.state(subscription) == ACTIVE, VERIFY_SECONDS):
            self.violations.append(f"{subscription.name}: its CHALLENGE was not passed")
            return
        version.answered = time.monotonic_ns()

    def state(self, subscription):
        response = self.call("GetSubscription", self.schema.GetSubscriptionRequest(
            subscription_id=subscription.id))
        return response.subscription.state if response else 0

    def update(self, subscription, patterns, move):
        """Other patterns and, with `move`, another URL."""
        version = Version(patterns, time.monotonic_ns(), 0)
        if move:
            subscription.number_of_paths += 1
            self.listen(subscription)
        subscription.versions.append(version)
        request = self.schema.UpdateSubscriptionRequest()
        request.subscription.id = subscription.id
        request.subscription.url = self.receiver.url(subscription.path())
        set_patterns(request.subscription, patterns)
        request.update_mask.paths.extend(["event_types", "url"])
        if self.call("UpdateSubscription", request) is not None:
            version.answered = time.monotonic_ns()

    def delete(self, subscription):
        subscription.delete_called = time.monotonic_ns()
        self.call("DeleteSubscription", self.schema.DeleteSubscriptionRequest(
            subscription_id=subscription.id), also_fine=("NOT_FOUND",))
        if not self.gate.stopped:
            subscription.delete_answered = time.monotonic_ns()

    def start(self, seed):
        self.thread = threading.Thread(target=self.run, args=(random.Random(seed),), daemon=True)
        self.thread.start()

    def run(self, rng):
        alive = []
        number = 0
        while not self.ended.wait(rng.random() * 0.5):
            draw = rng.random()
            if len(alive) >= ALIVE_MAX or (alive and draw < 0.25):
                self.delete(alive.pop(rng.randrange(len(alive))))
            elif alive and draw < 0.55:
                subscription = rng.choice(alive)
                move = rng.random() < 0.3 and not subscription.challenge
                self.update(subscription, rng.choice(PATTERNS), move)
            else:
                number += 1
                subscription = Subscription(f"churn-{number}", rng.choice(ORGANIZATIONS),
                                            rng.choice(PATTERNS), secret=f"secret {number}",
                                            challenge=rng.random() < 0.25)
                self.create(subscription)
                if subscription.id:
                    alive.append(subscription)

    def stop(self):
        """To be called before the gate is stopped: ends after the call under way."""
        self.ended.set()
        if self.thread is not None:
            self.thread.join(60)
