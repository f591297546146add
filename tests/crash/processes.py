"""The processes of the test: the gateway that is killed, and the receiver that is not."""

import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import zlib

HERE = pathlib.Path(__file__).resolve().parent
START_DEADLINE_SECONDS = 30.0
ADDRESS = re.compile(r"\b(grpc|admin)\b\D{0,40}?(127\.0\.0\.1:\d+)", re.IGNORECASE)


class Daemon:
    """One life of postriderd."""

    def __init__(self, command, data_dir, log_path, crash_point="", fault_point=""):
        environment = dict(os.environ)
        points = {"POSTRIDER_CRASH_POINT": crash_point, "POSTRIDER_FAULT_POINT": fault_point}
        for name, point in points.items():
            environment.pop(name, None)
            if point:
                environment[name] = point
        self.log = open(log_path, "ab")
        # It dies with the thread that starts it, also when that is killed.
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command, "--grpc-address", "127.0.0.1:0",
             "--admin-address", "127.0.0.1:0", "--data-dir", str(data_dir),
             "--allow-loopback-targets"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, env=environment)
        self.addresses = {}
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.log.write(line)
            self.log.flush()
            found = ADDRESS.findall(line.decode(errors="replace"))
            with self.changed:
                self.addresses.update({name.lower(): address for name, address in found})
                self.changed.notify_all()
        with self.changed:
            self.addresses.setdefault("ended", "")
            self.changed.notify_all()

    def wait_ready(self, seconds=START_DEADLINE_SECONDS):
        """The gRPC address once it listens; None if it died or `seconds` are over before."""
        with self.changed:
            self.changed.wait_for(lambda: self.addresses.keys() & {"grpc", "ended"}, seconds)
            return self.addresses.get("grpc")

    def died_within(self, seconds):
        """Whether the process ends by itself within `seconds`."""
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def kill(self):
        """SIGKILL. Returns when the process is gone."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self._reap()

    def stop(self, seconds):
        """SIGTERM. Returns the exit status; kills what does not end within `seconds`."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
            if not self.died_within(seconds):
                self.kill()
                return None
        self._reap()
        return self.process.returncode

    def _reap(self):
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.log.close()


class Receiver:
    """receiver.py, and what its log says."""

    def __init__(self, log_path):
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "receiver.py"), "--log", str(log_path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addresses = self.process.stdout.readline().decode().split()[1:]
        self.log = open(log_path, "rb")
        self.rest = b""
        self.control_lock = threading.Lock()
        self.control = http.client.HTTPConnection(self.addresses[0], timeout=30)

    def url(self, path):
        """Where `path` is: each on one of the receiver's ports."""
        return f"http://{self.addresses[zlib.crc32(path.encode()) % len(self.addresses)]}{path}"

    @staticmethod
    def _post(connection, path, body):
        connection.request("POST", path, body)
        response = connection.getresponse()
        response.read()
        if response.status != 200:
            raise RuntimeError(f"receiver: {path}: {response.status}")

    def behave(self, path, behaviour):
        """Sets how `path` answers: the fields of receiver.Behaviour."""
        with self.control_lock:
            self._post(self.control, "/control", json.dumps({path: behaviour}))

    def begin_generation(self, number):
        """Waits until all connections of the gateway that died have ended, and what they carried
        is logged. What comes later is logged with `number`."""
        for address, path in [*((address, "/barrier") for address in self.addresses),
                              (self.addresses[0], "/generation")]:
            connection = http.client.HTTPConnection(address, timeout=30)
            self._post(connection, path, str(number))
            connection.close()

    def new_records(self):
        """The log records since the last call."""
        data = self.rest + self.log.read()
        *lines, self.rest = data.split(b"\n")
        return [json.loads(line) for line in lines]

    def stop(self):
        self.control.close()
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()
        self.log.close()


def wait_until(condition, seconds, interval=0.02):
    """Whether `condition` becomes true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)  # Between two looks at another process; nothing relies on its length.
    return True
