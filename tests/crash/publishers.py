"""The load: unary, batch and stream publishers that live on across the gateway's deaths."""

import collections
import queue
import random
import threading
import time

import grpc

from events import fill_event

RPC_TIMEOUT_SECONDS = 10.0
STREAM_UNACKED_MAX = 64
BACK_OFF_SECONDS = 0.05
BATCH_BYTES_MAX = 3_000_000  # With one more, still less than a request may have.
BURST_BATCHES, BURST_BATCH = 12, 16
BAD_BATCH_SHARE = 0.01
BIG_TEXT_BYTES = 300 * 1024  # Beyond the default limit of a body.


class Gate:
    """Where publishers learn which gateway lives now, and when to rest."""

    def __init__(self):
        self.condition = threading.Condition()
        self.client = None  # None: no gateway lives.
        self.number = 0
        self.ending = False  # It was told to stop: calls may end in any way.
        self.stopped = False
        self.resting = True
        self.users = collections.Counter()  # By gateway number.
        self.retired = {}  # Clients of dead gateways that are still in use.

    def open(self, client):
        """Lets publishers at a new gateway. Owns the client from now on."""
        with self.condition:
            self.client = client
            self.ending = False
            self.number += 1
            self.condition.notify_all()

    def will_stop(self):
        with self.condition:
            self.ending = True

    def died(self):
        """Keeps publishers away from the gateway; its client is closed when none uses it."""
        with self.condition:
            if self.client is not None:
                self.retired[self.number] = self.client
                self.client = None
            self._close_unused()

    def _close_unused(self):
        for number in [number for number in self.retired if self.users[number] == 0]:
            self.retired.pop(number).close()

    def rest(self, seconds):
        """Lets no new publish begin and waits until none is under way."""
        with self.condition:
            self.resting = True
            if not self.condition.wait_for(lambda: not any(self.users.values()), seconds):
                raise TimeoutError("publishers did not come to rest")

    def go_on(self):
        with self.condition:
            self.resting = False
            self.condition.notify_all()

    def stop(self):
        with self.condition:
            self.stopped = True
            self.condition.notify_all()

    def enter(self, failed=0):
        """(client, number) once publishing may begin, after a pause if `failed` still is the
        newest; None at the end. Followed by leave(number)."""
        with self.condition:
            if failed:
                self.condition.wait_for(lambda: self.stopped or self.number != failed,
                                        BACK_OFF_SECONDS)
            self.condition.wait_for(lambda: self.stopped or (self.client and not self.resting))
            if self.stopped:
                return None
            self.users[self.number] += 1
            return self.client, self.number

    def leave(self, number):
        with self.condition:
            self.users[number] -= 1
            self._close_unused()
            self.condition.notify_all()

    def lived(self, number):
        """Whether gateway `number` is alive as far as is known."""
        with self.condition:
            return self.client is not None and not self.ending and self.number == number


class Load:
    """Starts the publishers' threads and paces them to `rate` events a second together."""

    def __init__(self, schema, ledger, gate, seed, rate):
        self.schema = schema
        self.ledger = ledger
        self.gate = gate
        self.interval = 1.0 / rate
        self.pace_lock = threading.Lock()
        self.next_moment = time.monotonic()
        self.ended = threading.Event()
        workers = [self.unary] * 4 + [self.batches] + [self.streams]
        self.threads = [
            threading.Thread(target=worker, args=(random.Random(f"{seed}/{number}"),), daemon=True)
            for number, worker in enumerate(workers)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.gate.stop()
        self.ended.set()
        for thread in self.threads:
            if thread.is_alive():
                thread.join(30)

    def pace(self):
        """Waits until the next event may be sent. Time missed is not made up for."""
        with self.pace_lock:
            now = time.monotonic()
            moment = max(self.next_moment, now - 0.05)
            self.next_moment = moment + self.interval
        if moment > now:
            self.ended.wait(moment - now)

    def next_item(self, rng):
        """(event, message): mostly new; some repeated, some that must be refused."""
        draw = rng.random()
        event = None
        if draw < 0.2:
            event = self.ledger.pick_open()
        elif draw < 0.23:
            event = self.ledger.pick_acked()
        elif draw < 0.27:
            return self.bad_item(rng)
        if event is not None:
            content = self.ledger.content(event)
        else:
            event, content = self.ledger.new()
        return event, self.message_of(event, content)

    def bad_item(self, rng):
        event, content = self.ledger.new(bad=True)
        message = self.schema.Event()
        original = self.ledger.pick_acked()
        kind = rng.randrange(6)
        if kind <= 1 and original is not None:  # The id of another event of the organization.
            content.id = original.id
            content.organization, content.path = original.organization, original.path
        fill_event(message, content)
        if kind == 2:
            message.type = "postrider.subscription.failing"
        elif kind == 3:
            message.data["message"].json += b"}"
        elif kind == 4 and rng.random() < 0.2:
            message.data["big"].json = b'"' + b"b" * BIG_TEXT_BYTES + b'"'
        elif kind >= 4 or original is None:
            message.organization = ""
        return event, message

    def unary(self, rng):
        failed = 0
        while (entered := self.gate.enter(failed)) is not None:
            client, number = entered
            try:
                failed = self.publish(client, number, rng)
            finally:
                self.gate.leave(number)

    def publish(self, client, number, rng):
        self.pace()
        event, message = self.next_item(rng)
        request = self.schema.PublishRequest(event=message)
        sent = self.ledger.sending(event)
        try:
            response = client.Publish(request, timeout=RPC_TIMEOUT_SECONDS)
            self.ledger.concluded(event, sent, "OK", response)
            return 0
        except grpc.RpcError as error:
            code = error.code().name
            self.ledger.concluded(event, sent, code, None, self.gate.lived(number))
            return number if code == "UNAVAILABLE" else 0

    def batches(self, rng):
        failed = 0
        while (entered := self.gate.enter(failed)) is not None:
            client, number = entered
            try:
                failed = self.publish_batch(client, number, rng)
            finally:
                self.gate.leave(number)

    def burst(self):
        """More at once, from one organization, than may wait to be stored: some is refused."""
        entered = self.gate.enter()
        if entered is None:
            return
        client, number = entered
        batches = [[self.ledger.new(big=True) for _ in range(BURST_BATCH)]
                   for _ in range(BURST_BATCHES)]
        threads = [threading.Thread(target=self.publish_items, args=(client, number, [
            (event, self.message_of(event, content)) for event, content in batch]))
                   for batch in batches]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.gate.leave(number)

    def message_of(self, event, content):
        message = self.schema.Event()
        fill_event(message, content, event.omits_path)
        return message

    def bad_batch(self, rng):
        """The items of a batch that must be refused as a whole."""
        items = []
        by_count = rng.random() < 0.5
        for _ in range(1001 if by_count else 25):
            event, content = self.ledger.new(bad=True)
            message = self.schema.Event(id=content.id, type=content.type, organization="solo-e")
            if not by_count:
                message.data["big"].json = b'"' + b"b" * 200_000 + b'"'
            items.append((event, message))
        return items

    def publish_batch(self, client, number, rng):
        items = []
        if rng.random() < BAD_BATCH_SHARE:
            items = self.bad_batch(rng)
        for _ in range(0 if items else rng.choice([1, 5, 20, 60])):
            self.pace()
            items.append(self.next_item(rng))
            if sum(message.ByteSize() for _, message in items) > BATCH_BYTES_MAX:
                break
        return self.publish_items(client, number, items)

    def publish_items(self, client, number, items):
        """Publishes a batch; `number` if the gateway does not answer, else 0."""
        request = self.schema.PublishBatchRequest(events=[message for _, message in items])
        sent = [self.ledger.sending(event) for event, _ in items]
        try:
            response = client.PublishBatch(request, timeout=RPC_TIMEOUT_SECONDS)
        except grpc.RpcError as error:
            for (event, _), moment in zip(items, sent):
                self.ledger.concluded(event, moment, error.code().name, None,
                                      self.gate.lived(number))
            return number
        if len(response.results) != len(items):
            self.ledger.violations.append(
                f"{len(response.results)} results for a batch of {len(items)}")
        for (event, _), moment, result in zip(items, sent, response.results):
            self.conclude(event, moment, result)
        return 0

    def conclude(self, event, sent, result):
        """Takes note of one result of a batch or a stream."""
        if result.HasField("receipt"):
            self.ledger.concluded(event, sent, "OK", result.receipt)
        else:
            self.ledger.concluded(event, sent, grpc_code(result.error.code), None, True)

    def streams(self, rng):
        failed = 0
        while (entered := self.gate.enter(failed)) is not None:
            client, number = entered
            try:
                failed = Stream(self, rng, number).run(client)
            finally:
                self.gate.leave(number)


class Stream:
    """One PublishStream call of some hundred events."""

    def __init__(self, load, rng, number):
        self.load = load
        self.rng = rng
        self.number = number
        self.slots = threading.Semaphore(STREAM_UNACKED_MAX)
        self.unacked = queue.Queue()  # (sequence, event, when sent), in order.
        self.broken = False

    def requests(self):
        for sequence in range(self.rng.choice([10, 100, 400])):
            self.load.pace()
            self.slots.acquire()
            if self.broken or self.load.gate.resting:
                return
            event, message = self.load.next_item(self.rng)
            self.unacked.put((sequence, event, self.load.ledger.sending(event)))
            yield self.load.schema.PublishStreamRequest(sequence=sequence, event=message)

    def run(self, client):
        code = "OK"
        try:
            for response in client.PublishStream(self.requests(), timeout=60):
                sequence, event, sent = self.unacked.get(timeout=RPC_TIMEOUT_SECONDS)
                if response.sequence != sequence:
                    self.load.ledger.violations.append(
                        f"stream: answer {response.sequence} instead of {sequence}")
                self.load.conclude(event, sent, response)
                self.slots.release()
        except grpc.RpcError as error:
            code = error.code().name
        self.broken = True
        self.slots.release()
        lived = self.load.gate.lived(self.number)
        if code == "OK" and not self.unacked.empty():
            self.load.ledger.violations.append("stream: ended with OK before all was answered")
        self.drop_unacked("UNAVAILABLE" if code == "OK" else code, lived)
        return self.number if code != "OK" else 0

    def drop_unacked(self, code, lived):
        while True:
            try:
                _, event, sent = self.unacked.get_nowait()
            except queue.Empty:
                return
            self.load.ledger.concluded(event, sent, code, None, lived)


def grpc_code(number):
    for code in grpc.StatusCode:
        if code.value[0] == number:
            return code.name
    return str(number)
