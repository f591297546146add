#!/usr/bin/python3
"""Kills the gateway again and again under load, and compares what arrived with what was promised.

The processes: postriderd; receiver.py, which shares no code with it; and this one, which publishes
(unary, in batches, in streams), kills and judges. See README.md beside this file.
"""

import argparse
import os
import pathlib
import random
import shlex
import shutil
import sys
import tempfile
import threading
import time

import checks
import order
from again import Again
from churn import Churn
from ledger import Ledger
from oracle import Oracle
from processes import Daemon, Receiver, wait_until
from publishers import Gate, Load
from subscriptions import initial
from wire import Client, Schema

POINT_SECONDS = 30.0
CRASH_POINTS = {
    "before_commit_append": [1, 9, 60],
    "after_commit_append": [1, 9, 60],
    "before_commit_outcome": [1, 9, 60],
    "after_commit_outcome": [1, 9, 60],
    "before_commit_config": [1, 2, 4],
    "after_commit_config": [1, 2, 4],
    "before_post": [1, 40, 400],
    "during_post": [1, 40, 400],
    "after_answer": [1, 40, 400],
}
KILLS_BETWEEN_SETTLING = 50
CLEAN_STOPS = 3
REPLAYED = ("solo-e", "flaky", "key-flaky")
REDRIVEN = ("rejecting", "key-single", "strict-rejecting")
KILLS_AGAIN = 4
PROBLEMS_SHOWN = 40
OUTAGE_PERIOD = 24  # In kills; a third of it the subscription `outage` fails.
# In kills; once in it `stalling` answers so slowly for so long that it leaves the tail and reads by
# itself (after 2 s, rule R5); it is killed there, while it is behind, and while it catches up.
STALL_PERIOD = 25
STALLED_LIVES = (10, 13)


class Failure(Exception):
    """The gateway did not do what the test needs of it."""


def report(when, problems):
    return f"{when}: {len(problems)} problems:\n  " + "\n  ".join(problems[:PROBLEMS_SHOWN])


class Run:
    """One run of the test: a data directory that lives through all deaths."""

    def __init__(self, command, seed, directory, arguments):
        self.command = command
        self.settle_seconds = arguments.settle_seconds
        self.rng = random.Random(f"kills/{seed}")
        self.directory = directory
        self.schema = Schema()
        self.ledger = Ledger(seed)
        self.gate = Gate()
        self.receiver = Receiver(directory / "arrivals.log")
        self.load = Load(self.schema, self.ledger, self.gate, seed, arguments.rate)
        self.churn = Churn(self.schema, self.gate, self.receiver, self.ledger.violations)
        self.oracle = Oracle(self.ledger, self.churn.subscriptions,
                             arguments.loops or max(1, (os.cpu_count() or 1) // 2))
        self.generation = 0
        self.daemon = None
        self.client = None  # The gate's.
        self.seed = seed
        self.start_seconds = []

    # --- One life of the gateway ---

    def spawn(self, crash_point=""):
        """Starts the next gateway, after all traces of the one before have been logged."""
        self.generation += 1
        self.receiver.begin_generation(self.generation)
        self.oracle.take(self.receiver.new_records())
        self.daemon = Daemon(self.command, self.directory / "data",
                             self.directory / "postriderd.log", crash_point)

    def open_gate(self):
        """Waits until the gateway listens and lets the publishers at it. False if it died."""
        began = time.monotonic()
        address = self.daemon.wait_ready()
        if address is None:
            return False
        self.start_seconds.append(time.monotonic() - began)
        self.client = Client(self.schema, address)
        self.gate.open(self.client)
        return True

    def start(self):
        self.spawn()
        if not self.open_gate():
            raise Failure("postriderd did not start; see postriderd.log")

    def bury(self, expected=-9):
        """Takes note of the gateway's end, which must be by SIGKILL."""
        self.gate.died()
        alive = self.daemon.process.poll() is None
        self.daemon.kill()
        if not alive and self.daemon.process.returncode != expected:
            raise Failure(f"postriderd ended by itself: {self.daemon.process.returncode}")

    # --- The phases ---

    def set_up(self):
        self.start()
        self.gate.go_on()
        for subscription in initial():
            self.churn.create(subscription)
            if not subscription.id:
                raise Failure(f"{subscription.name} was not created: {self.ledger.violations}")
            if not subscription.versions[0].answered:
                raise Failure("the CHALLENGE was not passed")
        self.load.start()
        self.churn.start(self.seed)

    def crash_points(self, points):
        for name, counts in points.items():
            for count in counts:
                self.bury()
                self.spawn(f"{name}:{count}")
                self.open_gate()
                if not self.daemon.died_within(POINT_SECONDS):
                    raise Failure(f"{name} was not passed {count} times in {POINT_SECONDS} s")
                self.bury()
                self.start()
            self.settle(f"crash point {name} {counts}")

    def random_kills(self, kills):
        for kill in range(1, kills + 1):
            self.disturb(kill)
            if self.rng.random() < 0.12:  # While it starts.
                self.bury()
                self.spawn()
                died = self.daemon.died_within(self.rng.random() * 0.1)
            else:
                died = self.daemon.died_within(self.length_of_life(kill))
            if died:
                raise Failure(f"postriderd ended by itself: {self.daemon.process.returncode}")
            self.bury()
            self.start()
            if kill % KILLS_BETWEEN_SETTLING == 0:
                self.heal()
                self.settle(f"{kill} random kills")
        self.heal()

    def heal(self):
        """Lets every subscription answer as at first."""
        self.behave("outage", {})
        self.behave("stalling", {})

    def burst(self):
        """Kills the gateway among events that are refused because too much waits."""
        thread = threading.Thread(target=self.load.burst)
        thread.start()
        if self.daemon.died_within(0.5 + self.rng.random() * 0.5):
            raise Failure(f"postriderd ended by itself: {self.daemon.process.returncode}")
        self.bury()
        thread.join()
        self.start()
        self.load.burst()
        self.settle("two bursts")

    def length_of_life(self, kill):
        if kill % STALL_PERIOD == STALLED_LIVES[0]:
            return 2.0 + self.rng.random() * 1.5
        return self.rng.random() * 0.8

    def disturb(self, kill):
        """Lets subscriptions fail or stall for some of the kills."""
        failing = range(OUTAGE_PERIOD // 3, 2 * OUTAGE_PERIOD // 3)
        if kill % OUTAGE_PERIOD in (failing.start, failing.stop):
            fails = kill % OUTAGE_PERIOD == failing.start
            self.behave("outage", {"mode": "status", "status": 500} if fails else {})
        if kill % STALL_PERIOD in STALLED_LIVES:
            stalls = kill % STALL_PERIOD == STALLED_LIVES[0]
            self.behave("stalling", {"mode": "slow", "delay": 1.0} if stalls else {})

    def behave(self, name, behaviour):
        for subscription in self.churn.subscriptions:
            if subscription.name == name:
                subscription.behaviour = behaviour
                self.churn.listen(subscription)

    def settle(self, what, go_on=True):
        """Rests the publishers until all that is owed has arrived, and judges."""
        self.gate.rest(30)

        def arrived():
            self.oracle.take(self.receiver.new_records())
            return not self.oracle.missing(1) and not self.oracle.partial()

        began = time.monotonic()
        if not wait_until(arrived, self.settle_seconds, 0.1):
            missing = [f"acknowledged and not arrived: {m}" for m in self.oracle.missing()]
            raise Failure(report(f"after {what}", missing + self.oracle.check()))
        problems = self.oracle.check()
        if problems:
            raise Failure(report(f"after {what}", problems))
        print(f"{what}: all arrived after {time.monotonic() - began:.1f} s; "
              f"{self.oracle.count} arrivals", flush=True)
        if go_on:
            self.gate.go_on()

    def finish(self):
        """The last look: what the gateway says of itself, a clean stop, and what follows it."""
        self.churn.stop()
        self.settle("the load", go_on=False)
        problems = checks.stored_events(self.schema, self.client, self.oracle, self.rng)
        problems += checks.recorded_attempts(self.schema, self.client, self.oracle, self.rng)
        problems += checks.dead_letters(self.schema, self.client, self.oracle)
        self.gate.go_on()
        problems += self.clean_stops()
        overtook, waited = order.overtaken(self.schema, self.client, self.oracle)
        print(f"{waited} deliveries had to wait for one before them", flush=True)
        if problems or overtook:
            raise Failure(report("at the end", problems + overtook))
        self.again()

    def again(self):
        """Kills the gateway while it sends again what it was asked to. Nothing is published."""
        names = {subscription.name: subscription for subscription in self.churn.subscriptions}
        again = Again(self.schema, self.oracle)
        for name in REPLAYED:
            again.replay(self.client, names[name])
        for name in REDRIVEN:
            self.behave(name, {})
            again.redrive(self.client, names[name])
        for _ in range(KILLS_AGAIN):
            if self.daemon.died_within(0.2 + self.rng.random() * 0.6):
                raise Failure(f"postriderd ended by itself: {self.daemon.process.returncode}")
            self.bury()
            self.start()

        def arrived():
            self.oracle.take(self.receiver.new_records())
            return not again.missing() and not again.unfinished(self.client)

        began = time.monotonic()
        if not wait_until(arrived, self.settle_seconds, 0.1):
            raise Failure(f"asked for again and not arrived: {again.missing()[:PROBLEMS_SHOWN]}; "
                          f"not done: {again.unfinished(self.client)}")
        problems = again.check(self.client, self.churn.subscriptions, self.rng)
        if problems:
            raise Failure(report("after replays and redrives", problems))
        print(f"replays and redrives: {len(again.wanted)} arrived again after "
              f"{time.monotonic() - began:.1f} s", flush=True)

    def clean_stops(self):
        """Stops the gateway by SIGTERM under load, some times. Nothing may be repeated for it."""
        problems = []
        first = self.generation
        for _ in range(CLEAN_STOPS):
            wanted = len(self.ledger.acked) + 200
            if not wait_until(lambda wanted=wanted: len(self.ledger.acked) >= wanted, 30):
                problems.append("no events are accepted after a start")
            self.gate.will_stop()
            status = self.daemon.stop(45)
            self.gate.died()
            if status != 0:
                problems.append(f"postriderd answered SIGTERM with exit status {status}")
            self.start()
        self.settle(f"{CLEAN_STOPS} clean stops", go_on=False)
        repeats = {g: n for g, n in self.oracle.repeats().items() if g >= first}
        if repeats:
            problems.append(f"deliveries were repeated after clean stops: {repeats}")
        return problems

    def end(self):
        self.churn.ended.set()
        self.load.stop()
        if self.daemon is not None:
            self.daemon.kill()
        self.gate.died()
        self.receiver.stop()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--binary", required=True,
                        help="postriderd; arguments may follow, as in a shell")
    parser.add_argument("--loops", type=int, help="default: postriderd's own")
    parser.add_argument("--seed", type=int, default=None, help="default: from the clock")
    parser.add_argument("--random-kills", type=int, default=200)
    parser.add_argument("--rate", type=float, default=600.0, help="events a second, at most")
    parser.add_argument("--settle-seconds", type=float, default=180.0,
                        help="how long what is owed may take to arrive once all is quiet")
    parser.add_argument("--points", nargs="*", default=None,
                        help="crash points as name:n; default: all, several n each")
    parser.add_argument("--quick", action="store_true", help="each point once, a few random kills")
    parser.add_argument("--keep", action="store_true", help="keep the directory of the run")
    return parser.parse_args()


def chosen_points(arguments):
    if arguments.points is None:
        return {name: counts[1:2] if arguments.quick else counts
                for name, counts in CRASH_POINTS.items()}
    points = {}
    for text in arguments.points:
        name, _, count = text.partition(":")
        points.setdefault(name, []).append(int(count or 1))
    return points


def main():
    arguments = parse_arguments()
    seed = arguments.seed if arguments.seed is not None else time.time_ns() % 1_000_000
    kills = min(arguments.random_kills, 10) if arguments.quick else arguments.random_kills
    directory = pathlib.Path(tempfile.mkdtemp(prefix="postrider-crash-"))
    print(f"crash test: seed {seed}, {kills} random kills, {directory}", flush=True)
    began = time.monotonic()
    command = shlex.split(arguments.binary)
    if arguments.loops is not None:
        command.append(f"--loops={arguments.loops}")
    run = Run(command, seed, directory, arguments)
    failed = True
    try:
        run.set_up()
        run.crash_points(chosen_points(arguments))
        run.random_kills(kills)
        if not arguments.quick:
            run.burst()
        run.finish()
        failed = False
    except Failure as failure:
        print(f"FAILED (seed {seed}, everything kept in {directory}): {failure}", flush=True)
    finally:
        run.end()
    print(run.oracle.summary())
    print(f"{run.generation} lives of the gateway, slowest start "
          f"{max(run.start_seconds, default=0):.2f} s, {time.monotonic() - began:.0f} s in all")
    if not failed and not arguments.keep:
        shutil.rmtree(directory)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
