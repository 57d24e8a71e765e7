"""What a change costs each client: `make bench-watch`, or `make bench-watch BENCH="--repeat 9"`.

One server and one client at a time, each client in a fresh process, all in one run: figures of one
machine at one time, to be compared with each other. Every client must have received exactly what
was sent; ours must find the same in every repetition. Goals are printed, never asserted: a busy
machine is no error.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
from bench.watch.changes import KINDS, Kind, recorded, streamed
from bench.watch.measure import Measured, Task
from bench.watch.server import Account, Scene

__all__ = ["BrokenRunError", "Run", "check", "main", "same_symptoms", "verdict"]

CLIENTS = {
    "kausa, detection included": "ours",
    "kausa, nothing judged": "decoding_client",
    "lightkube AsyncClient": "lightkube_client",
    "kubernetes.aio Watch": "official_client",
    "kopf.on.event": "kopf_client",
    "aiohttp and msgspec, no more": "msgspec_client",
    "aiohttp, bytes only": "bytes_client",
    "a socket, bytes only": "socket_client",
}
OURS, KOPF = "kausa, detection included", "kopf.on.event"
LEAST = "aiohttp and msgspec, no more"
FLOORS = ("kausa, nothing judged", LEAST, "aiohttp, bytes only", "a socket, bytes only")
"""What of ours is not detection: bytes received, changes cut out and decoded; the same in the least
way that libraries offer; only the bytes, by the client that others use; and only the bytes, by
nothing but the kernel."""
GOALS_US = {"pods": 15.0, "events": 5.0}
GOALS_OF_LEAST = {"pods": 3.0, "events": 2.5}
"""The same goals as multiples of `LEAST`, which took 5 and 2 us on the machine they were set for:
microseconds tell of a machine, these of our code."""
GOAL_BYTES = 200_000_000
LISTED = 20_000
LONGEST_RUN_SECONDS = 300


class BrokenRunError(Exception):
    """A client did not get what was sent, or found something else than before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One client's run and the server's account of it."""

    task: Task
    measured: Measured
    account: Account

    @property
    def cpu_us(self) -> float:
        """CPU time of one change or object, in microseconds."""
        return self.measured.cpu_seconds / (self.task.changes or self.task.objects) * 1e6

    @property
    def per_second(self) -> float:
        """Changes in a second of the clock."""
        return self.task.changes / (self.measured.ended - self.account.began)


def main() -> None:
    """Run all of it and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=3000, help="for each client and kind")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each, for medians")
    parser.add_argument("--all-lists", action="store_true", help="Kopf's list of 20,000 Pods too")
    parser.add_argument("--only-ours", action="store_true", help="no other clients, and no lists")
    chosen = parser.parse_args()
    if chosen.changes < 1 or chosen.repeat < 1:
        parser.error("--changes and --repeat must be at least 1")
    with _server() as url:
        for kind in KINDS.values():
            clients = (OURS, *FLOORS) if chosen.only_ours else tuple(CLIENTS)
            _watches(url, kind=kind, changes=chosen.changes, repeat=chosen.repeat, clients=clients)
        if not chosen.only_ours:
            _lists(url, clients=(OURS, KOPF) if chosen.all_lists else (OURS,))


def _watches(url: str, *, kind: Kind, changes: int, repeat: int, clients: tuple[str, ...]) -> None:
    size = f"{kind.bytes / 1000:.1f} KB"
    print(f"\nWatch: {changes} changes of {kind.plural}, {size} each, {repeat} runs of each client")
    print(f"{'':28}{'us CPU a change':>18}{'changes/s':>11}{'peak MB':>9}{'x ours':>8}")
    print(f"{'client':28}{'median':>9}{'best':>9}{'median':>11}{'RSS':>9}{'median':>8}")
    task = Task(server=url, kind=kind.plural, changes=changes)
    runs: dict[str, list[Run]] = {client: [] for client in clients}
    # In turn, so that whatever else the machine does for a while hits all of them.
    for _ in range(repeat):
        for client, those in runs.items():
            those.append(_run(client, task))
    ours = _median_us(runs[OURS])
    for client, those in runs.items():
        median, best = _median_us(those), min(run.cpu_us for run in those)
        rate = statistics.median(run.per_second for run in those)
        peak = statistics.median(run.measured.peak_rss_bytes for run in those) / 1e6
        print(f"{client:28}{median:9.1f}{best:9.1f}{rate:11,.0f}{peak:9.0f}{median / ours:8.1f}")
    what = "symptoms" if kind.plural == "pods" else "notes that were news"
    print(f"json.loads of one change alone: {json_loads_us(kind):.1f} us, best of several rounds")
    print(f"ours found {same_symptoms(runs[OURS])} {what}, the same in every run")
    floor = _median_us(runs[FLOORS[0]])
    print(f"of that {floor:.1f} us to receive and decode it, {ours - floor:.1f} us to judge it")
    what = f"CPU of a change of {kind.plural}"
    print(verdict(what, ours, GOALS_US[kind.plural], "us"))
    least = _median_us(runs[LEAST])
    times = f"times that of {LEAST}"
    print(verdict(what, ours / least, GOALS_OF_LEAST[kind.plural], times), flush=True)


def _median_us(runs: list[Run]) -> float:
    return statistics.median(run.cpu_us for run in runs)


def json_loads_us(kind: Kind) -> float:
    """How fast this machine is now: what parsing one change with the standard library takes."""
    lines = list(streamed(recorded(kind), changes=300))
    rounds = []
    for _ in range(5):
        began = time.process_time()
        for line in lines:
            json.loads(line)
        rounds.append((time.process_time() - began) / len(lines) * 1e6)
    return min(rounds)


def _lists(url: str, *, clients: tuple[str, ...]) -> None:
    print(f"\nList: {LISTED} Pods of {KINDS['pods'].bytes / 1000:.1f} KB")
    print(f"{'client':28}{'RSS MB':>9}{'peak RSS MB':>13}{'CPU s':>8}{'us/Pod':>8}{'pages':>7}")
    task = Task(server=url, kind="pods", objects=LISTED)
    peak = 0
    for client in clients:
        run = _run(client, task)
        found = run.measured
        print(
            f"{client:28}{found.rss_bytes / 1e6:9.0f}{found.peak_rss_bytes / 1e6:13.0f}"
            f"{found.cpu_seconds:8.2f}{run.cpu_us:8.1f}{run.account.pages:7}",
            flush=True,
        )
        peak = peak or found.peak_rss_bytes
    print(verdict(f"peak RSS with {LISTED} Pods", peak / 1e6, GOAL_BYTES / 1e6, "MB"))


def verdict(what: str, value: float, goal: float, unit: str) -> str:
    """One goal, and whether it was met, in words."""
    word = "PASS" if value <= goal else "FAIL"
    return f"{word}: {what} {value:.1f} {unit}, goal <= {goal:g} {unit}"


def check(client: str, run: Run) -> None:
    """Whether the client received what was to be received, once.

    Raises:
        BrokenRunError: it did not, so its figures mean nothing.
    """
    task, account = run.task, run.account
    expected = task.changes or task.objects
    sent = account.changes if task.changes else account.objects
    if task.changes and account.watches != 1:
        raise BrokenRunError(f"{client} watched {account.watches} times, 1 expected")
    if not run.measured.received == sent == expected:
        raise BrokenRunError(
            f"{client} received {run.measured.received} of {task.kind}, "
            f"{sent} were sent, {expected} expected"
        )


def same_symptoms(runs: list[Run]) -> int:
    """What every run of ours found.

    Raises:
        BrokenRunError: not all found the same, or nothing was found in what was full of failures.
    """
    counts = {run.measured.symptoms for run in runs}
    found = counts.pop()
    if counts or not found:
        raise BrokenRunError(f"our runs found {found}, {sorted(map(str, counts))}")
    return found


def _run(client: str, task: Task) -> Run:
    _ask(task.server + "/bench/begin", _scene(task))
    command = [sys.executable, "-m", f"bench.watch.clients.{CLIENTS[client]}"]
    done = subprocess.run(
        [*command, msgspec.json.encode(task).decode()],
        stdout=subprocess.PIPE,
        timeout=LONGEST_RUN_SECONDS,
        check=False,
    )
    if done.returncode:
        raise BrokenRunError(f"{client} ended with code {done.returncode}")
    run = Run(
        task=task,
        measured=msgspec.json.decode(done.stdout, type=Measured),
        account=msgspec.json.decode(_ask(task.server + "/bench/account"), type=Account),
    )
    check(client, run)
    return run


def _scene(task: Task) -> bytes:
    scene = Scene(kind=task.kind, changes=task.changes, objects=task.objects)
    return msgspec.json.encode(scene)


def _ask(url: str, body: bytes | None = None) -> bytes:
    with urllib.request.urlopen(url, data=body, timeout=60) as answer:
        found: bytes = answer.read()
    return found


@contextmanager
def _server() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.watch.server"], stdout=subprocess.PIPE, text=True
    )
    try:
        port = process.stdout.readline().strip() if process.stdout is not None else ""
        if not port:
            raise BrokenRunError("the server did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)
        if process.stdout is not None:
            process.stdout.close()


if __name__ == "__main__":
    try:
        main()
    except BrokenRunError as error:
        sys.exit(f"bench-watch: {error}")
