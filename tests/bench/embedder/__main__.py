"""How near our worker comes to what the hardware gives: `make bench-embedder`.

A short calibration finds the best batch sizes of those who are told one, how fast this machine is
and how long a process takes to start, and from that how many texts fit into the time. Then every
contender runs in a process of its own, so that the peak of its memory is its own, and all take
turns over several rounds. A ratio compares two of the same round, which met the same machine; the
median over the rounds counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from bench.embedder.contenders import CONTENDERS, FASTEMBED_SIZES, RAW_SIZES
from bench.embedder.measuring import SINGLES, Result
from bench.embedder.texts import draw

from kausa_embedder.cpus import available_cpus

GOALS = (
    ("engine at 64 clients, of the limit", "engine-64", "raw", "texts_per_second", 0.9, True),
    ("engine at 64 clients, of fastembed", "engine-64", "fastembed", "texts_per_second", 1.3, True),
    ("http at 64 clients, of the limit", "http-64", "raw", "texts_per_second", 0.9, True),
    ("one short text, of the raw call", "engine-1", "raw", "single_p50_ms", 1.3, False),
)
CALIBRATING_TEXTS = 64
LEAST_TEXTS, MOST_TEXTS = 128, 4000
SIZES = {"raw": RAW_SIZES, "raw-lanes": RAW_SIZES, "fastembed": FASTEMBED_SIZES}
LIMITS = ("raw", "raw-lanes")
"""The goals are about the first: onnxruntime with its threads. Where the second is better it is
what the hardware gives, so that what we reach of it is told, too."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the calibration found."""

    texts: int
    sizes: dict[str, int]
    """Of batches, for the contenders that are told one."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, help="instead of as many as fit into the time")
    parser.add_argument("--seconds", type=float, default=240.0, help="for everything")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=available_cpus())
    parser.add_argument("--only", nargs="*", default=list(CONTENDERS), choices=list(CONTENDERS))
    parser.add_argument("--one", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        result = CONTENDERS[given.one](draw(given.texts), given.threads, given.size)
        print(json.dumps(asdict(result)))
        return 0
    plan = calibrate(given)
    rounds: list[dict[str, Result]] = []
    for number in range(given.rounds):
        say(f"\nround {number + 1} of {given.rounds}\n{HEAD}")
        results: dict[str, Result] = {}
        for name in given.only:
            results[name] = run(
                name, texts=plan.texts, threads=given.threads, size=plan.sizes.get(name, 0)
            )
            say(line(name, results[name], limits=[results.get(limit) for limit in LIMITS]))
        rounds.append(results)
    say("")
    return 0 if judge(rounds) else 1


def calibrate(given: argparse.Namespace) -> Plan:
    """The best sizes of batches, and how many texts fit into the time."""
    began = time.monotonic()
    sizes, single_ms, rate, starting = {}, 0.0, float("inf"), 0.0
    for name in SIZES.keys() & set(given.only) or {"raw"}:
        at = time.monotonic()
        found = run(name, texts=CALIBRATING_TEXTS, threads=given.threads, size=0)
        took = sum(CALIBRATING_TEXTS / speed for speed in found.speeds.values())
        singles = SINGLES * found.single_p50_ms / 1000
        starting = max(starting, time.monotonic() - at - took - singles)
        sizes[name] = max(found.speeds, key=lambda size: found.speeds[size])
        rate = min(rate, found.speeds[sizes[name]])
        single_ms = max(single_ms, found.single_p50_ms)
        best = found.speeds[sizes[name]]
        say(f"calibrating: {name} is best with batches of {sizes[name]}, {best:.0f} texts/s")
    runs = given.rounds * len(given.only)
    idle = starting + SINGLES * single_ms / 1000
    left = given.seconds - (time.monotonic() - began) - runs * idle
    fitting = max(LEAST_TEXTS, min(MOST_TEXTS, int(left / runs * rate)))
    texts = given.texts or fitting
    expected = time.monotonic() - began + runs * (idle + texts / rate)
    say(
        f"{texts} texts, {given.threads} threads, {given.rounds} rounds of {len(given.only)}: "
        f"about {expected:.0f} s"
    )
    return Plan(texts=texts, sizes=sizes)


def run(name: str, *, texts: int, threads: int, size: int) -> Result:
    """One contender, once, in a process of its own. Without a size it tries several."""
    command = [sys.executable, "-m", "bench.embedder", "--one", name]
    command += ["--texts", str(texts), "--threads", str(threads), "--size", str(size)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=600)
    if done.returncode:
        sys.exit(f"{name} failed with {done.returncode}: its words are above")
    read = json.loads(done.stdout.splitlines()[-1])
    speeds = {int(size): speed for size, speed in read.pop("speeds").items()}
    return Result(**read, speeds=speeds)


HEAD = (
    f"{'':10} {'texts/s':>8} {'of raw':>7} {'of lanes':>9} {'tokens/s':>9} {'padding':>8} "
    f"{'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'single':>8} {'RSS MiB':>8}"
)


def line(name: str, of: Result, *, limits: Sequence[Result | None]) -> str:
    raw, lanes = (
        of.texts_per_second / limit.texts_per_second if limit else float("nan") for limit in limits
    )
    return (
        f"{name:10} {of.texts_per_second:8.1f} {raw:7.2f} {lanes:9.2f} "
        f"{of.tokens_per_second:9.0f} {of.padding:8.1%} {of.p50_ms:8.1f} {of.p95_ms:8.1f} "
        f"{of.p99_ms:8.1f} {of.single_p50_ms:8.2f} {of.rss_mib:8.0f}"
    )


def judge(rounds: Sequence[dict[str, Result]]) -> bool:
    """Compare with the goals of which both sides were measured, within each round."""
    met = True
    for text, one, other, field, goal, more in GOALS:
        ratios = [
            getattr(results[one], field) / getattr(results[other], field)
            for results in rounds
            if one in results and other in results
        ]
        if ratios:
            ratio = statistics.median(ratios)
            reached = ratio >= goal if more else ratio <= goal
            met &= reached
            say(
                f"{'met   ' if reached else 'MISSED'} {text}: {ratio:.2f} "
                f"({'at least' if more else 'at most'} {goal}; rounds from {min(ratios):.2f} to "
                f"{max(ratios):.2f})"
            )
    for one in ("engine-64", "http-64"):
        shares = [
            results[one].texts_per_second / max(results[name].texts_per_second for name in LIMITS)
            for results in rounds
            if {one, *LIMITS} <= results.keys()
        ]
        if shares:
            share = statistics.median(shares)
            say(f"       {one}, of the better of {' and '.join(LIMITS)}: {share:.2f}")
    return met


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
