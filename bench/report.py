"""What the benchmarks make of their rounds: percentiles, medians of ratios, and bounds."""

import argparse
import math
import statistics

from harness import ROOT, Bench


def arguments_of(description, rounds):
    """The arguments that all have."""
    parser = argparse.ArgumentParser(description=description.split("\n", maxsplit=1)[0])
    parser.add_argument("--binary", default=str(ROOT / "build/release/server/postriderd"))
    parser.add_argument("--receiver", default=str(ROOT / "build/release/bench/receiver"))
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--check", action="store_true", help="exit with 1 if a bound is broken")
    return parser


def percentile(values, share):
    """The smallest value that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[math.ceil(round(len(ordered) * share, 6)) - 1]


def p99(values):
    return percentile(values, 0.99)


class Report:
    """Prints what was measured beside its bound, and remembers which bounds were broken."""

    def __init__(self):
        self.broken = []

    def note(self, text):
        print(text, flush=True)

    def bound(self, name, value, most, unit=""):
        held = value <= most
        if not held:
            self.broken.append(name)
        self.note(f"{'ok    ' if held else 'BROKEN'} {name}: {value:.2f}{unit}, "
                  f"bound {most:g}{unit}")

    def median_ratio(self, name, rounds, most):
        """`rounds`: (value with the trouble, value without) of each round."""
        ratios = [troubled / calm for troubled, calm in rounds]
        spread = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        self.bound(f"{name}, median of {spread}", statistics.median(ratios), most)

    def exit_code(self, check):
        return 1 if check and self.broken else 0


def run_all(arguments, *runs, ports=8):
    """Makes each of `runs`, on a bench of its own; the script's exit code."""
    report = Report()
    for run in runs:
        with Bench(arguments, ports) as bench:
            run(bench, report)
    return report.exit_code(arguments.check)
