"""What the benchmarks publish: many events as fast as it goes, or so many a second."""

import os
import subprocess
import sys
import threading
import time

from wire import Client, Schema

PLACE_OF_ID = "00000000-0000-7000-8000-000000000000"


def new_id():
    """A version 7 UUID."""
    text = f"{time.time_ns() // 1_000_000:012x}7{os.urandom(10).hex()}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-8{text[17:20]}-{text[20:32]}"


class Template:
    """An event whose serialized form is copied with other ids: making one costs a microsecond."""

    def __init__(self, schema, organization, event_type="message.create.contact.chat",
                 text_bytes=800):
        event = schema.Event(id=PLACE_OF_ID, type=event_type, organization=organization)
        event.activity.type = "Create"
        event.activity.summary = "User Jenny Jones created a chat message"
        event.data["message"].json = b'{"text":"' + b"x" * text_bytes + b'"}'
        # The field of the event is number 1 in both requests, so that a batch is single ones in a row.
        whole = schema.PublishRequest(event=event).SerializeToString()
        self.before, self.after = whole.split(PLACE_OF_ID.encode())

    def request(self, event_id):
        """A whole PublishRequest, also a part of a PublishBatchRequest."""
        return b"".join((self.before, event_id.encode(), self.after))


class Events:
    """Ready-made PublishBatch requests: making them is not what is measured."""

    def __init__(self, schema, templates, count, batch_size):
        """`count` events, of the templates in turn."""
        self.requests = []
        self.ids = [new_id() for _ in range(count)]
        for begin in range(0, count, batch_size):
            self.requests.append(b"".join(
                templates[place % len(templates)].request(self.ids[place])
                for place in range(begin, min(begin + batch_size, count))))
        self.schema = schema
        self.count = count

    def publish(self, address, in_flight):
        """Publishes all, `in_flight` batches at a time; the seconds it took."""
        client = Client(self.schema, address, serialize=False)
        queue = list(reversed(self.requests))
        answers = []

        def work():
            while True:
                try:
                    request = queue.pop()
                except IndexError:
                    return
                answers.append(client.PublishBatch(request, timeout=120))

        threads = [threading.Thread(target=work) for _ in range(in_flight)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.monotonic() - began
        client.close()
        receipts = sum(result.HasField("receipt") for answer in answers
                       for result in self.schema.PublishBatchResponse.FromString(answer).results)
        if receipts != self.count:
            raise RuntimeError(f"{receipts} of {self.count} events were accepted")
        return seconds


def publish_many(schema, address, templates, count, batch_size=500, in_flight=4):
    """Publishes `count` events, making no more of them at a time than memory is good for."""
    left = count
    while left > 0:
        portion = min(left, 50_000)
        Events(schema, templates, portion, batch_size).publish(address, in_flight)
        left -= portion


class Steady:
    """Single events of the templates in turn, `rate` a second, each call when its time has come
    however long the ones before take."""

    def __init__(self, schema, address, templates, rate):
        self.client = Client(schema, address, serialize=False)
        self.templates = templates
        self.rate = rate

    def run(self, seconds):
        """When each event was given away, in nanoseconds, by its id (as the receiver has it)."""
        given = {}
        calls = []
        began = time.monotonic()
        for number in range(int(self.rate * seconds)):
            wait = began + number / self.rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            event_id = new_id()
            request = self.templates[number % len(self.templates)].request(event_id)
            given[bytes.fromhex(event_id.replace("-", ""))] = time.monotonic_ns()
            calls.append(self.client.Publish.future(request, timeout=60))
        for call in calls:
            call.result()  # Raises if it was refused.
        return given

    def close(self):
        self.client.close()


class Beside:
    """publish_many() in a process of its own, so that two publishers do not wait for each other."""

    def __init__(self, address, organization, count, text_bytes, batch_size, in_flight):
        self.process = subprocess.Popen(
            [sys.executable, __file__, address, organization,
             *map(str, (count, text_bytes, batch_size, in_flight))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
        self.process.stdout.readline()  # It is ready.

    def go(self):
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()

    def wait(self, seconds=300):
        if self.process.wait(seconds) != 0:
            raise RuntimeError("the other publisher failed")
        self.process.stdin.close()
        self.process.stdout.close()


def main(address, organization, count, text_bytes, batch_size, in_flight):
    schema = Schema()
    template = Template(schema, organization, text_bytes=int(text_bytes))
    events = Events(schema, [template], int(count), int(batch_size))
    print("ready", flush=True)
    sys.stdin.readline()
    events.publish(address, int(in_flight))


if __name__ == "__main__":
    main(*sys.argv[1:])
