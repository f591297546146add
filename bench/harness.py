"""The processes of the benchmarks: gateways with directories of their own, and the receiver."""

import http.client
import os
import pathlib
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "crash"))

from processes import Daemon, wait_until  # noqa: E402
from wire import Client, Schema  # noqa: E402

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
WINDOW = 64  # Calls under way while subscriptions are made.


class Arrival(NamedTuple):
    """A POST that the receiver has seen; see bench/receiver.cc."""

    time: int  # In nanoseconds of time.monotonic_ns().
    event: bytes
    group: bytes
    number: int
    status: int
    attempt: int


class Receiver:
    """bench/receiver, which answers each group of URLs as it is told."""

    def __init__(self, binary, ports=8):
        self.process = subprocess.Popen([binary, str(ports)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.addresses = self.process.stdout.readline().decode().split()[1:]
        self.control = http.client.HTTPConnection(self.addresses[0], timeout=60)
        self.ports = {}

    def url(self, group, number=0):
        """A URL of the group; each group has one port, in the order of their first use."""
        port = self.ports.setdefault(group, len(self.ports) % len(self.addresses))
        return f"http://{self.addresses[port]}/{group}/{number}"

    def _ask(self, path):
        self.control.request("POST", f"/control/{path}", b"")
        response = self.control.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"receiver: {path}: {response.status}")
        return body

    def behave(self, group, behaviour):
        """ok, status/503, flaky/3, slow/20 or hang."""
        self._ask(f"behave/{group}/{behaviour}")

    def count(self, group):
        """(requests, unanswered now, unanswered at most) of a group."""
        return tuple(int(word) for word in self._ask(f"count/{group}").split())

    def arrivals(self):
        """What came since the last call."""
        return [Arrival(*fields) for fields in struct.iter_unpack("<q16s8sIHH", self._ask("records"))]

    def stop(self):
        self.control.close()
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


class Gateway:
    """A postriderd with a directory of its own, which may be started again in it."""

    def __init__(self, schema, command, directory):
        self.schema = schema
        self.command = shlex.split(command)
        self.directory = pathlib.Path(directory)
        self.directory.mkdir()
        self.start()

    def start(self):
        self.daemon = Daemon(self.command, self.directory / "data", self.directory / "log")
        self.address = self.daemon.wait_ready()
        if self.address is None:
            raise RuntimeError(f"postriderd did not start; see {self.directory}/log")
        self.client = Client(self.schema, self.address)

    def kill(self):
        self.client.close()
        self.daemon.kill()

    def subscribe(self, organization, url, event_types=(), schedule=(), **policy):
        self.subscribe_all([(organization, url)], event_types, schedule, **policy)

    def subscribe_all(self, places, event_types=(), schedule=(), **policy):
        """Makes a subscription for each (organization, url)."""
        calls = []
        for organization, url in places:
            request = self.schema.CreateSubscriptionRequest()
            request.subscription.organization = organization
            request.subscription.url = url
            request.subscription.event_types.extend(event_types)
            for seconds in schedule:
                request.subscription.policy.schedule.add().FromNanoseconds(int(seconds * 1e9))
            for name, value in policy.items():
                if name == "timeout":
                    request.subscription.policy.timeout.FromSeconds(value)
                else:
                    setattr(request.subscription.policy, name, value)
            calls.append(self.client.CreateSubscription.future(request, timeout=60))
            if len(calls) >= WINDOW:
                calls.pop(0).result()
        for call in calls:
            call.result()

    def metrics(self):
        """What /metrics says: values by name, with labels as they are written."""
        connection = http.client.HTTPConnection(self.daemon.addresses["admin"], timeout=30)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}

    def wait_settled(self, seconds=300):
        """Waits until the tail is as short as it is held (R5: 2 s), and indexes are near."""
        def settled():
            metrics = self.metrics()
            return (metrics['postrider_oldest_due_age_seconds{lane="tail"}'] < 3
                    and metrics["postrider_commit_queue_bytes"] == 0
                    and metrics["postrider_unindexed_rows"] < 10_000)
        if not wait_until(settled, seconds, 0.2):
            raise RuntimeError(f"not settled after {seconds} s: {self.metrics()}")

    def processor_seconds(self):
        """What the process has used so far, in user and kernel mode."""
        fields = pathlib.Path(f"/proc/{self.daemon.process.pid}/stat").read_text().rpartition(")")[2]
        user, kernel = (int(field) for field in fields.split()[11:13])
        return (user + kernel) / TICKS_PER_SECOND

    def memory_bytes(self, name="VmRSS"):
        """VmRSS, RssAnon, VmHWM, … of the process."""
        for line in pathlib.Path(f"/proc/{self.daemon.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
        raise KeyError(name)


class Bench:
    """A directory, the receiver and the gateways of one run, which go when it ends."""

    def __init__(self, arguments, ports=8):
        self.arguments = arguments
        self.schema = Schema()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="postrider-bench-"))
        self.receiver = Receiver(arguments.receiver, ports)
        self.gateways = []

    def gateway(self, name):
        gateway = Gateway(self.schema, self.arguments.binary, self.directory / name)
        self.gateways.append(gateway)
        return gateway

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for gateway in self.gateways:
            gateway.kill()
        self.receiver.stop()
        shutil.rmtree(self.directory)


def latencies(arrivals, given, groups=None):
    """Milliseconds from publishing to the first POST, of each event and subscription of `groups`
    (all of them if there are none)."""
    wanted = None if groups is None else {group.encode().ljust(8, b"\0") for group in groups}
    return [(arrival.time - given[arrival.event]) / 1e6 for arrival in arrivals
            if arrival.attempt == 1 and arrival.event in given
            and (wanted is None or arrival.group in wanted)]


def measure_steady(bench, steady, groups, subscriptions, seconds):
    """Latencies of `seconds` of steady publishing to groups of that many subscriptions in all; waits
    until every POST has come."""
    bench.receiver.arrivals()
    given = steady.run(seconds)
    arrivals = []

    def complete():
        arrivals.extend(bench.receiver.arrivals())
        return len(latencies(arrivals, given, groups)) >= len(given) * subscriptions
    if not wait_until(complete, 120, 0.2):
        came = len(latencies(arrivals, given, groups))
        raise RuntimeError(f"{came} of {len(given) * subscriptions} deliveries came")
    return latencies(arrivals, given, groups)


def pause(seconds):
    """Lets the time of the outside world pass: an outage lasts as long as it lasts."""
    time.sleep(seconds)
