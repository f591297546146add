#!/usr/bin/python3
"""A small gateway that the crash test is tried against. It can be told to do one thing wrong.

Shows that the test passes on a gateway that keeps its promises and fails on one that does not. It
keeps a journal (one JSON line a change, which survives SIGKILL) and delivers from memory.
"""

import argparse
import base64
import concurrent.futures
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import queue
import random
import signal
import sys
import threading
import time
import urllib.parse

import grpc

from events import LINK_ORDER, stringify, stringify_sorted
from fake_service import Service, handlers
from receiver import webhook_key
from subscriptions import matches
from wire import Schema

FAULTS = ["none", "lose_acked", "ack_unstored", "forget_settled", "repeat", "alter", "unsigned",
          "accept_bad", "deliver_bad", "partial", "ignore_duplicates", "lose_retries", "misroute",
          "ignore_scope", "renumber", "overtake", "lose_dead", "lose_again", "unasked_again"]
WORKERS = 6
SUCCESS, HTTP_STATUS, CLOSED = 1, 2, 8
BY_KEY, STRICT = 2, 3


def compact_number_text(raw):
    """`raw` JSON compactly, numbers and key order as they are."""
    parse = json.JSONDecoder(parse_int=Number, parse_float=Number)
    return render(parse.decode(raw.decode()))


class Number(str):
    """A number's text."""


def render(value):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{stringify(k)}:{render(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(render(item) for item in value) + "]"
    return stringify(value)


def struct_value(value):
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return {k: struct_value(v) for k, v in value.struct_value.fields.items()}
    if kind == "list_value":
        return [struct_value(item) for item in value.list_value.values]
    if kind == "null_value":
        return None
    plain = getattr(value, kind)
    return int(plain) if isinstance(plain, float) and plain.is_integer() else plain


def timestamp(stamp):
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(stamp.seconds))
    milliseconds = stamp.nanos // 1_000_000
    return text + (f".{milliseconds:03d}" if milliseconds else "") + "Z"


def body_of(event):
    resources = {}
    for name, resource in event.data.items():
        if resource.WhichOneof("content") == "json":
            resources[name] = compact_number_text(resource.json)
        else:
            value = {k: struct_value(v) for k, v in resource.struct.fields.items()}
            resources[name] = stringify_sorted(value)
    names = [name for name in LINK_ORDER if name in event.links]
    names += sorted(name for name in event.links if name not in LINK_ORDER)
    members = [f"{stringify(name)}:{resources[name]}" for name in sorted(resources)]
    members.append('"links":' + stringify({name: event.links[name] for name in names}))
    activity = event.activity
    head = {
        "id": event.id, "timestamp": timestamp(event.time), "event": event.type,
        "organization": event.organization,
        "activity": {
            "@context": "https://www.w3.org/ns/activitystreams", "type": activity.type,
            "actor": {"id": activity.actor.id, "type": activity.actor.type},
            "object": {"id": activity.object.id, "type": activity.object.type},
            "published": timestamp(event.time), "summary": activity.summary}}
    return (stringify(head)[:-1] + ',"data":{' + ",".join(members) + "}}").encode()


class FakeGateway:
    """State, journal, delivery. `lock` guards all of it."""

    def __init__(self, schema, directory, fault):
        self.schema = schema
        self.fault = fault
        self.rng = random.Random()
        self.lock = threading.RLock()
        self.rest = threading.Condition(self.lock)  # Told when a delivery ends.
        self.stopping = False
        self.on_wire = 0
        self.events = {}  # (organization, id) -> record
        self.order = []
        self.subscriptions = {}  # id -> record; deleted ones have "deleted"
        self.attempts = {}  # (organization, id) -> list
        self.lines = {}  # What may not go before another -> keys of events, the first under way.
        self.queue = queue.PriorityQueue()
        self.ticket = 0
        self.journal_path = pathlib.Path(directory) / "journal"
        pathlib.Path(directory).mkdir(mode=0o700, exist_ok=True)
        self.recover()
        self.journal = open(self.journal_path, "ab", buffering=0)

    def chance(self, fault, share=0.05):
        return self.fault == fault and self.rng.random() < share

    def write(self, kind, record):
        self.journal.write((json.dumps([kind, record]) + "\n").encode())

    def recover(self):
        lines = self.journal_path.read_bytes().split(b"\n") if self.journal_path.exists() else []
        for line in lines[:-1]:  # What follows the last line break was never answered.
            kind, record = json.loads(line)
            self.apply(kind, record)
        for key in self.order:
            for number in self.wanted_by(self.events[key]):
                self.enqueue_pair(key, number)
        if len(lines) > 1 and lines[-1]:
            with open(self.journal_path, "r+b") as file:
                file.truncate(len(b"\n".join(lines[:-1])) + 1)

    def apply(self, kind, record):
        if kind == "event":
            key = (record["organization"], record["id"])
            self.events[key] = record
            self.order.append(key)
            self.attempts.setdefault(key, [])
        elif kind == "subscription":
            self.subscriptions[record["id"]] = record
        else:
            self.attempts.setdefault((record["organization"], record["event"]), []).append(record)

    def wanted_by(self, event):
        for subscription in self.subscriptions.values():
            if "again" in subscription:
                if event["id"] in subscription["again"]:
                    yield subscription["id"]
                continue
            if subscription.get("deleted") or event["seq"] <= subscription["start"]:
                continue
            inside = subscription["organization"] in event["path"]
            if subscription["scope"] == 2 and self.fault != "ignore_scope":
                inside = subscription["organization"] == event["organization"]
            patterns = subscription["patterns"]
            fits = not patterns or any(matches(p, event["type"]) for p in patterns)
            if (inside and fits) or self.chance("misroute", 0.01):
                yield subscription["id"]

    def enqueue_pair(self, key, subscription_id):
        """Queues the next attempt of a pair unless its attempts say that it is settled."""
        made = [a for a in self.attempts[key] if a["subscription"] == subscription_id]
        schedule = self.subscriptions[subscription_id]["schedule"]
        settled = bool(made) and (made[-1]["outcome"] == SUCCESS or len(made) >= len(schedule))
        if settled and not self.chance("forget_settled", 0.05):
            return
        if not settled and self.chance("lose_retries" if made else "lose_acked", 0.3):
            return
        number = len(made) + 1 if not settled else made[-1]["number"]
        self.enqueue_in_line(key, subscription_id, number, 0.0)

    def line_of(self, key, subscription):
        """Events of one line go one after the other; None: it waits for no other."""
        ordering_key = self.events[key].get("ordering_key", "")
        if subscription["order"] == STRICT:
            return subscription["id"], key[0]
        if subscription["order"] == BY_KEY and ordering_key:
            return subscription["id"], key[0], ordering_key
        return None

    def enqueue_in_line(self, key, subscription_id, number, delay):
        with self.lock:
            line = self.line_of(key, self.subscriptions[subscription_id])
            if line is not None and not self.chance("overtake"):
                waiting = self.lines.setdefault(line, [])
                waiting.append((key, subscription_id, number))
                if len(waiting) > 1:
                    return
            self.enqueue(key, subscription_id, number, delay)

    def leave_line(self, key, subscription):
        """Lets the next one go, if this one was the first."""
        with self.lock:
            waiting = self.lines.get(self.line_of(key, subscription), [])
            if waiting and waiting[0][0] == key:
                waiting.pop(0)
                if waiting:
                    self.enqueue(*waiting[0], 0.0)

    def enqueue(self, key, subscription_id, number, delay):
        with self.lock:
            self.ticket += 1
            self.queue.put((time.monotonic() + delay, self.ticket, key, subscription_id, number))

    # --- Accepting ---

    def publish(self, message):
        """(receipt fields, None) or (None, (code, text))."""
        problem = self.problem_of(message)
        if problem:
            return None, (grpc.StatusCode.INVALID_ARGUMENT, problem)
        digest = hashlib.sha256(message.SerializeToString(deterministic=True)).hexdigest()
        key = (message.organization, message.id)
        with self.lock:
            old = self.events.get(key)
            if old is not None and self.fault != "ignore_duplicates":
                if old["digest"] != digest:
                    return None, (grpc.StatusCode.ALREADY_EXISTS, "event.id: other content")
                return (old["id"], old["accepted"], True), None
            record = {"id": message.id, "organization": message.organization, "digest": digest,
                      "path": self.path_of(message), "ordering_key": message.ordering_key,
                      "type": message.type, "accepted": time.time_ns(), "seq": len(self.order) + 1,
                      "body": base64.b64encode(body_of(message)).decode()}
            self.apply("event", record)
            if not self.chance("ack_unstored"):
                self.write("event", record)
            wanted = list(self.wanted_by(record))
            wait = 0.1 if self.fault == "lose_acked" else 0.0  # Something to lose at any time.
            for number, subscription_id in enumerate(wanted):
                if number == 0 or not self.chance("partial", 0.05):
                    self.enqueue_in_line(key, subscription_id, 1, wait)
            return (record["id"], record["accepted"], False), None

    def path_of(self, message):
        """As given, else the last one given for the organization."""
        organization = message.organization
        given = list(message.organization_path)
        known = (self.events[key]["path"] for key in reversed(self.order) if key[0] == organization)
        return given or next(known, [organization])

    def problem_of(self, message):
        if self.fault == "accept_bad":
            return ""
        if message.type.startswith("postrider."):
            problem = "event.type: the prefix postrider. is the gateway's own"
        elif not message.organization:
            problem = "event.organization: is empty"
        else:
            try:
                problem = "event: too large" if len(body_of(message)) > 256 * 1024 else ""
            except ValueError as error:
                problem = f"event.data: {error}"
        if problem and self.fault == "deliver_bad" and message.type.startswith("postrider."):
            for subscription_id in list(self.subscriptions)[:1]:
                record = {"id": message.id, "organization": message.organization, "seq": 0,
                          "path": [], "body": base64.b64encode(body_of(message)).decode()}
                self.events.setdefault((message.organization, message.id), record)
                self.attempts.setdefault((message.organization, message.id), [])
                self.enqueue((message.organization, message.id), subscription_id, 1, 0.0)
        return problem

    # --- Delivering ---

    def deliver_for_ever(self):
        connections = {}
        while True:
            due, _, key, subscription_id, number = self.queue.get()
            wait = due - time.monotonic()
            if wait > 0:
                self.enqueue(key, subscription_id, number, wait)
                time.sleep(min(wait, 0.005))  # Another may be due sooner: a fake's queue is simple.
                continue
            subscription = self.subscriptions[subscription_id]
            with self.lock:
                if self.stopping:
                    return
                self.on_wire += 1
            if not subscription.get("deleted"):
                self.deliver(connections, key, subscription, number)
            with self.lock:
                self.on_wire -= 1
                self.rest.notify()

    def stop(self):
        """Starts no more deliveries and returns once those on the wire are recorded."""
        with self.lock:
            self.stopping = True
            self.rest.wait_for(lambda: self.on_wire == 0, 30)

    def deliver(self, connections, key, subscription, number):
        event = self.events[key]
        status = self.post(connections, event, subscription, number)
        if self.chance("repeat", 0.03):
            self.post(connections, event, subscription, number)
        outcome = CLOSED if status == 0 else SUCCESS if 200 <= status < 300 else HTTP_STATUS
        record = {"organization": event["organization"], "event": event["id"], "outcome": outcome,
                  "subscription": subscription["id"], "number": number}
        with self.lock:
            self.attempts[key].append(record)
            self.write("attempt", record)
        if outcome != SUCCESS and number < len(subscription["schedule"]):
            delay = subscription["schedule"][number]
            again = 1 if self.chance("renumber", 0.3) else number + 1
            self.enqueue(key, subscription["id"], again, delay)
        else:
            self.leave_line(key, subscription)

    def post(self, connections, event, subscription, number):
        """The status; 0: no answer."""
        body = base64.b64decode(event["body"])
        if self.chance("alter", 0.03):
            body = body.replace(b'"Create"', b'"create"')
        stamp = str(int(time.time()))
        secret = subscription["secret"]
        signed = f"{event['id']}.{stamp}.".encode() + body
        digest = hmac.digest(webhook_key(secret), signed, "sha256")
        hub = b"" if self.chance("unsigned", 0.03) else body
        headers = {
            "Content-Type": "application/json", "webhook-id": event["id"],
            "webhook-timestamp": stamp, "X-Postrider-Attempt": str(number),
            "webhook-signature": "v1," + base64.b64encode(digest).decode(),
            "X-Hub-Signature": "sha1=" + hmac.digest(secret.encode(), hub, "sha1").hex(),
            "X-Hub-Signature-256": "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()}
        url = urllib.parse.urlsplit(subscription["url"])
        for fresh in (False, True):
            connection = connections.get(url.netloc)
            if connection is None or fresh:
                connection = http.client.HTTPConnection(url.netloc, timeout=20)
                connections[url.netloc] = connection
            try:
                connection.request("POST", url.path, body, headers)
                response = connection.getresponse()
                response.read()
                return response.status
            except (OSError, http.client.HTTPException):
                connection.close()
        connections.pop(url.netloc)
        return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--fault", choices=FAULTS, default="none")
    parser.add_argument("--data-dir", required=True)
    arguments, _ = parser.parse_known_args()
    schema = Schema()
    gateway = FakeGateway(schema, arguments.data_dir, arguments.fault)
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(20))
    server.add_generic_rpc_handlers(handlers(schema, Service(gateway)))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    for _ in range(WORKERS):
        threading.Thread(target=gateway.deliver_for_ever, daemon=True).start()
    print(f"gRPC listens on 127.0.0.1:{port}", flush=True)
    signal.sigwait([signal.SIGTERM])
    gateway.stop()
    with gateway.lock:  # Nothing is being written.
        os._exit(0)


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    sys.exit(main())
