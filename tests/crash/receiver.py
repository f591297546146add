"""A webhook receiver that shares no code with the gateway.

It answers every path as it was told to, verifies each signature by itself and appends one JSON line
for each POST that arrived whole:

    g  generation of the sender: see /generation
    t  when the last byte of the request was there (CLOCK_MONOTONIC, ns)
    o  when the answer was handed to the kernel; 0: it never was
    c  number of the connection
    p  path
    id webhook-id
    n  X-Postrider-Attempt
    h  SHA-256 of the body, hex
    s  status answered; 0: the connection ended without one
    v  what is wrong with the request; empty: nothing
    b  the body, base64: only the first time that this id came with this hash

A request that was cut off by the sender's death leaves a line with only `cut` and `p`. Subscription
handshakes (`GET ?type=subscribe&challenge=`) are echoed and leave `challenge` and `p`.

Its behaviour is set by `POST /control` with {"<path>": {...}}; see Behaviour. `POST /generation`
with a number is answered once every connection that was made before has ended, all that they
carried having been logged; what arrives later carries that number. So no clock is needed to tell
which of several senders, each started after the former one's death, made a delivery. To be sure
that no connection still waits to be accepted, `POST /barrier` goes to each port before: connections
are accepted in the order in which they were made.
"""

import argparse
import asyncio
import base64
import dataclasses
import hashlib
import hmac
import json
import os
import socket
import sys
import time
import urllib.parse

MAX_REQUEST_BYTES = 4 * 1024 * 1024
ORIGINS = 3  # Ports: the gateway spreads subscriptions over its loops by origin.
TIMESTAMP_TOLERANCE_SECONDS = 300


@dataclasses.dataclass
class Behaviour:
    """How one path answers.

    mode: ok; status (always `status`); flaky (`status`, or the connection closed, for `share` of
    the arrivals, by `seed`); reject (always `status` to `share` of the events, see rejects()); slow
    (200 after `delay` seconds); close (200 with Connection: close).
    """

    mode: str = "ok"
    status: int = 200
    share: float = 0.0
    seed: int = 0
    delay: float = 0.0
    secret: str = ""  # The whole secret string of the subscription.


def webhook_key(secret):
    """The key of webhook-signature: a whsec_ secret is decoded, any other is taken as it is."""
    if secret.startswith("whsec_"):
        return base64.b64decode(secret[len("whsec_"):])
    return secret.encode()


def signature_problem(headers, body, secret, now):
    """What is wrong with the headers of a delivery, or an empty string."""
    event_id = headers.get("webhook-id", "")
    stamp = headers.get("webhook-timestamp", "")
    if not event_id:
        return "no webhook-id"
    if not stamp.isdigit() or str(int(stamp)) != stamp:
        return f"webhook-timestamp {stamp!r}"
    if abs(now - int(stamp)) > TIMESTAMP_TOLERANCE_SECONDS:
        return f"webhook-timestamp {stamp} is far from {now}"
    signed = event_id.encode() + b"." + stamp.encode() + b"." + body
    digest = hmac.digest(webhook_key(secret), signed, "sha256")
    wanted = "v1," + base64.b64encode(digest).decode()
    if wanted not in headers.get("webhook-signature", "").split(" "):
        return "webhook-signature does not verify"
    for name, method in (("x-hub-signature", "sha1"), ("x-hub-signature-256", "sha256")):
        wanted = method + "=" + hmac.digest(secret.encode(), body, method).hex()
        if headers.get(name, "") != wanted:
            return f"{name} does not verify"
    if headers.get("content-type", "") != "application/json":
        return f"content-type {headers.get('content-type')!r}"
    return ""


def body_problem(event_id, body):
    """What is wrong with a body that is seen for the first time."""
    try:
        payload = json.loads(body)
    except ValueError as error:
        return f"body is not JSON: {error}"
    if not isinstance(payload, dict) or payload.get("id") != event_id:
        return "the body's id is not webhook-id"
    return ""


def chance(seed, event_id, arrival):
    """A number in [0, 1) that depends on nothing but its arguments."""
    digest = hashlib.sha256(f"{seed}/{event_id}/{arrival}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def rejects(behaviour, event_id):
    """Whether every arrival of this event is answered with a failure. By its id and by nothing
    else, so that whoever knows the behaviour knows it too. Takes the fields of a Behaviour."""
    return behaviour.get("mode") == "reject" and (
        chance(behaviour.get("seed", 0), event_id, "event") < behaviour.get("share", 0.0))


class Receiver:
    """What all connections share: behaviours, the log, what has been seen."""

    def __init__(self, log_path):
        self.behaviours = {}
        self.log = open(log_path, "ab", buffering=0)
        self.pending = []
        self.seen = set()
        self.arrivals = {}
        self.connections = 0
        self.open = set()
        self.generation = 0
        self.next_generation = None  # (number, the connection that waits for it).
        self.loop = None

    def write(self, record):
        if not self.pending:
            self.loop.call_soon(self.flush)
        self.pending.append(json.dumps(record, separators=(",", ":")))

    def flush(self):
        text = "\n".join(self.pending) + "\n"
        self.pending = []
        self.log.write(text.encode())

    def control(self, body):
        for path, fields in json.loads(body).items():
            self.behaviours[path] = Behaviour(**fields)

    def ask_generation(self, number, connection):
        self.next_generation = (number, connection)
        self.turn_generation()

    def turn_generation(self):
        if self.next_generation is None:
            return
        number, connection = self.next_generation
        if any(other is not connection and not other.control for other in self.open):
            return
        self.next_generation = None
        self.generation = number
        connection.send(200, b"", False)

    def judge(self, path, headers, body):
        """The log record of an arrived POST, without its answer, and its behaviour."""
        event_id = headers.get("webhook-id", "")
        digest = hashlib.sha256(body).hexdigest()
        behaviour = self.behaviours.get(path)
        record = {"g": self.generation, "t": time.monotonic_ns(), "o": 0, "p": path,
                  "id": event_id, "h": digest, "n": headers.get("x-postrider-attempt", ""), "s": 0}
        if behaviour is None:
            record["v"] = "no subscription has this path"
            return record, Behaviour(status=404, mode="status")
        record["v"] = signature_problem(headers, body, behaviour.secret, int(time.time()))
        if (event_id, digest) not in self.seen:
            self.seen.add((event_id, digest))
            record["b"] = base64.b64encode(body).decode()
            record["v"] = record["v"] or body_problem(event_id, body)
        return record, behaviour

    def answer(self, path, event_id, behaviour):
        """(status, delay, close) of this arrival; status 0: close without an answer."""
        if behaviour.mode == "status":
            return behaviour.status, behaviour.delay, False
        if behaviour.mode == "slow":
            return 200, behaviour.delay, False
        if behaviour.mode == "close":
            return 200, 0.0, True
        if rejects(vars(behaviour), event_id):
            return behaviour.status, 0.0, False
        if behaviour.mode == "flaky":
            arrival = self.arrivals.get((path, event_id), 0)
            self.arrivals[(path, event_id)] = arrival + 1
            draw = chance(behaviour.seed, event_id, arrival)
            if draw < behaviour.share / 4:
                return 0, 0.0, True
            if draw < behaviour.share:
                return behaviour.status, 0.0, False
        return 200, 0.0, False


class Connection(asyncio.Protocol):
    """One connection of HTTP/1.1, one request after the other."""

    def __init__(self, receiver):
        self.receiver = receiver
        self.number = 0
        self.buffer = bytearray()
        self.transport = None
        self.control = False  # Not a sender of deliveries.
        self.waiting = None  # The record of a request whose answer is delayed.

    def connection_made(self, transport):
        self.receiver.connections += 1
        self.number = self.receiver.connections
        self.transport = transport
        self.receiver.open.add(self)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, error):
        if self.waiting is not None:
            self.receiver.write(self.waiting)
            self.waiting = None
        elif self.buffer:
            path = bytes(self.buffer).split(b" ", 2)[1:2]
            self.receiver.write({"cut": len(self.buffer), "p": b"".join(path).decode("latin-1")})
        self.receiver.open.discard(self)
        self.receiver.turn_generation()

    def data_received(self, data):
        self.buffer += data
        while self.waiting is None and not self.transport.is_closing() and self.take_request():
            pass
        if len(self.buffer) > MAX_REQUEST_BYTES:
            self.transport.abort()

    def take_request(self):
        """Handles the request at the front of the buffer. False if it is not whole yet."""
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        lines = self.buffer[:end].decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        length = int(headers.get("content-length", "0"))
        if len(self.buffer) < end + 4 + length:
            return False
        body = bytes(self.buffer[end + 4:end + 4 + length])
        del self.buffer[:end + 4 + length]
        self.handle(method, target, headers, body)
        return True

    def handle(self, method, target, headers, body):
        path, _, query = target.partition("?")
        if path == "/control":
            self.control = True
            self.receiver.control(body)
            self.send(200, b"", False)
            return
        if path == "/barrier":
            self.send(200, b"", True)
            self.transport.close()
            return
        if path == "/generation":
            self.receiver.ask_generation(int(body), self)
            return
        if method == "GET":
            self.challenge(path, query)
            return
        record, behaviour = self.receiver.judge(path, headers, body)
        record["c"] = self.number
        status, delay, close = self.receiver.answer(path, record["id"], behaviour)
        if delay > 0:
            self.waiting = record
            self.receiver.loop.call_later(delay, self.finish_later, record, status, close)
        else:
            self.finish(record, status, close)

    def challenge(self, path, query):
        fields = urllib.parse.parse_qs(query)
        if fields.get("type") != ["subscribe"] or path not in self.receiver.behaviours:
            self.send(403, b"", False)
            return
        challenge = fields.get("challenge", [""])[0]
        self.receiver.write({"challenge": challenge, "p": path})
        self.send(200, challenge.encode(), False)

    def finish_later(self, record, status, close):
        if self.waiting is None:
            return  # The sender has gone; connection_lost() has written the record.
        self.waiting = None
        self.finish(record, status, close)
        self.data_received(b"")

    def finish(self, record, status, close):
        if status != 0:
            self.send(status, b"", close)
            record["s"] = status
            record["o"] = time.monotonic_ns()
        self.receiver.write(record)
        if close:
            self.transport.close()

    def send(self, status, body, close):
        connection = "connection: close\r\n" if close else ""
        head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n{connection}\r\n"
        self.transport.write(head.encode() + body)


async def serve(log_path):
    receiver = Receiver(log_path)
    receiver.loop = asyncio.get_running_loop()
    addresses = []
    for _ in range(ORIGINS):
        server = await receiver.loop.create_server(lambda: Connection(receiver), "127.0.0.1", 0)
        addresses.append(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    print("listening", *addresses, flush=True)
    # Lives until whoever started it goes away: then standard input ends.
    await receiver.loop.run_in_executor(None, sys.stdin.buffer.read)
    os._exit(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--log", required=True, help="file to which arrivals are appended")
    asyncio.run(serve(parser.parse_args().log))


if __name__ == "__main__":
    main()
