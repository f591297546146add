#!/usr/bin/python3
"""Deliveries per second of a running gateway, beside what wrk reaches against the same receiver.

One round: wrk POSTs an event's body to nginx for some seconds; then the gateway gets events in
batches and delivers them to the same nginx, everything on (durable, signed, attempts recorded).
Rounds alternate, so that both see the same machine. Printed are medians and their ratio. See
README.md beside this file.
"""

import argparse
import http.client
import pathlib
import re
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from harness import ROOT, Client, Daemon, Schema, wait_until
from load import Events, Template

WARM_UP_EVENTS = 2000
NGINX_CONFIGURATION = """
worker_processes 1;
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location = /status {{ stub_status; }}
    location / {{ return 200; }}
  }}
}}
"""
WRK_SCRIPT = """
wrk.method = "POST"
wrk.body = [==[{body}]==]
wrk.headers["Content-Type"] = "application/json"
"""


class Nginx:
    """An nginx of our own on a port of the system's choice, counting its requests."""

    def __init__(self, directory):
        with socket.socket() as probe:  # nginx cannot choose; nobody else asks for this one soon.
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        configuration = directory / "nginx.conf"
        configuration.write_text(NGINX_CONFIGURATION.format(directory=directory, port=port))
        self.process = subprocess.Popen(["nginx", "-p", str(directory), "-c", str(configuration)])
        self.looks = 0
        if not wait_until(self.answers, 10):
            raise RuntimeError("nginx did not start")

    def answers(self):
        try:
            self.requests()
            return True
        except OSError:
            return False

    def requests(self):
        """Requests so far, without those that asked for this number."""
        connection = http.client.HTTPConnection(self.address, timeout=5)
        connection.request("GET", "/status")
        text = connection.getresponse().read().decode()
        connection.close()
        self.looks += 1
        return int(re.search(r"\n\s*\d+\s+\d+\s+(\d+)", text).group(1)) - self.looks

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Bench:
    def __init__(self, arguments, directory):
        self.arguments = arguments
        self.directory = directory
        self.schema = Schema()
        self.nginx = Nginx(directory)
        self.daemon = Daemon(shlex.split(arguments.binary), directory / "data",
                             directory / "postriderd.log")
        self.address = self.daemon.wait_ready()
        if self.address is None:
            raise RuntimeError(f"postriderd did not start; see {directory}/postriderd.log")

    def set_up(self):
        client = Client(self.schema, self.address)
        request = self.schema.CreateSubscriptionRequest()
        request.subscription.organization = "bench"
        request.subscription.url = f"http://{self.nginx.address}/hook"
        request.subscription.policy.max_in_flight = self.arguments.max_in_flight
        client.CreateSubscription(request, timeout=10)
        events = self.events("bench", WARM_UP_EVENTS)
        self.deliver(events)
        stored = client.GetEvent(self.schema.GetEventRequest(
            organization="bench", event_id=events.ids[-1]), timeout=10)
        self.body = stored.event.body
        script = self.directory / "post.lua"
        script.write_text(WRK_SCRIPT.format(body=self.body))
        client.close()

    def events(self, organization, count):
        template = Template(self.schema, organization, text_bytes=self.arguments.text_bytes)
        return Events(self.schema, [template], count, self.arguments.batch)

    def wrk(self):
        """Requests per second of wrk against nginx."""
        done = subprocess.run(
            ["wrk", "-t1", "-c64", f"-d{self.arguments.wrk_seconds}s", "-s",
             str(self.directory / "post.lua"), f"http://{self.nginx.address}/hook"],
            stdout=subprocess.PIPE, check=True)
        return float(re.search(rb"Requests/sec:\s*([\d.]+)", done.stdout).group(1))

    def deliver(self, events):
        """Seconds from the first publish until nginx has had every event."""
        wanted = self.nginx.requests() + events.count
        began = time.monotonic()
        events.publish(self.address, self.arguments.in_flight)
        if not wait_until(lambda: self.nginx.requests() >= wanted, 300, 0.005):
            raise RuntimeError(f"{wanted - self.nginx.requests()} deliveries are missing")
        return time.monotonic() - began

    def round(self):
        """(wrk's rate, deliveries/s of the whole way, events/s accepted that nobody wants)."""
        wrk = self.wrk()
        delivered = self.arguments.events / self.deliver(self.events("bench", self.arguments.events))
        unwanted = self.events("bench-nobody", self.arguments.events)
        accepted = self.arguments.events / unwanted.publish(self.address, self.arguments.in_flight)
        return wrk, delivered, accepted

    def stop(self):
        self.daemon.kill()
        self.nginx.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--binary", default=str(ROOT / "build/release/server/postriderd"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=60_000, help="a round")
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--in-flight", type=int, default=4, help="batches at a time")
    parser.add_argument("--max-in-flight", type=int, default=64, help="POSTs at a time")
    parser.add_argument("--text-bytes", type=int, default=800, help="makes bodies of about 1.2 kB")
    parser.add_argument("--wrk-seconds", type=int, default=2)
    arguments = parser.parse_args()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="postrider-bench-"))
    bench = Bench(arguments, directory)
    try:
        bench.set_up()
        print(f"body {len(bench.body)} bytes, {arguments.events} events a round", flush=True)
        rounds = []
        for number in range(1, arguments.rounds + 1):
            rounds.append(bench.round())
            wrk, delivered, accepted = rounds[-1]
            print(f"round {number}: wrk {wrk:.0f}/s, delivered {delivered:.0f}/s "
                  f"({delivered / wrk:.2f}), accepted alone {accepted:.0f}/s", flush=True)
    finally:
        bench.stop()
        shutil.rmtree(directory)
    wrk, delivered, accepted = (statistics.median(column) for column in zip(*rounds))
    ratio = statistics.median(round[1] / round[0] for round in rounds)
    print(f"medians: wrk {wrk:.0f}/s, delivered {delivered:.0f}/s, ratio {ratio:.2f}, "
          f"accepted alone {accepted:.0f}/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
