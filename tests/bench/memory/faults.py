"""Kill the store's worker, and the operator, again and again in the middle of writing.

    python -m bench.memory.faults [--rounds 50]

After every kill what was acknowledged must be there, as it was written last, and nothing twice. The
kills come at random moments; the seed is printed, so that a run can be repeated as far as time can.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kausa.memory.edge.client import EdgeStore
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import EVERYTHING
from kausa.memory.store import Point, Schema, SparseVector, StoredPoint

__all__ = ["Outcome", "killed_operator", "killed_worker", "main"]

SCHEMA = Schema(model="faults", dimensions=16)
SECONDS = 60.0
POINTS = 3000
"""Numbers that are written again and again, so that later writes meet earlier ones."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a fault did. Lost and doubled must be 0."""

    fault: str
    kills: int = 0
    acknowledged: int = 0
    """Points in calls that returned."""
    kept: int = 0
    """Different points in the end."""
    lost: int = 0
    """Acknowledged, and not there or older than what was acknowledged."""
    doubled: int = 0
    malformed: int = 0
    """There, and not what was ever written."""
    failed_calls: int = 0
    slowest_seconds: float = 0.0
    """The longest that a call took over a kill, restart included."""

    @property
    def right(self) -> bool:
        """Whether nothing went wrong."""
        return not (self.lost or self.doubled or self.malformed) and self.kept > 0


@dataclass(slots=True)
class Ledger:
    """What was sent and what was acknowledged: by number, the latest revision."""

    sent: dict[int, int] = field(default_factory=dict)
    acknowledged: dict[int, int] = field(default_factory=dict)


def id_of(number: int) -> str:
    """The id of a numbered point."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))


def written(number: int, revision: int) -> Point:
    """A point from which can be read what was written."""
    noise = random.Random(number * 1_000_003 + revision)
    return Point(
        id=id_of(number),
        dense=[noise.gauss(0, 1) for _ in range(SCHEMA.dimensions)],
        sparse=SparseVector((number, 10**6 + revision), (1.0, 2.0)),
        payload={
            "cluster": "c",
            "chunk": number,
            "reward_count": revision,
            "last_seen": "2026-03-01T12:00:00Z",
            "passage": f"number {number} revision {revision} " * noise.randrange(1, 60),
        },
    )


async def killed_worker(folder: Path, *, rounds: int, noise: random.Random) -> Outcome:
    """Write without a pause while the worker is killed at random moments."""
    outcome = Outcome(fault="worker killed")
    ledger = Ledger()
    store = EdgeStore(folder=folder)
    await store.open(SCHEMA, deadline_seconds=SECONDS)
    writing = asyncio.create_task(_write(store, ledger, outcome, noise))
    while outcome.kills < rounds:
        seen = outcome.acknowledged
        # Most die at work, some while they read the log of the one before.
        early = noise.random() < 0.1
        while store.worker_pid is None or (outcome.acknowledged == seen and not early):
            await asyncio.sleep(0.005)
        await asyncio.sleep(noise.uniform(0.0, 0.2))
        if store.worker_pid is None:
            continue
        with contextlib.suppress(ProcessLookupError):
            os.kill(store.worker_pid, signal.SIGKILL)
            outcome.kills += 1
    await asyncio.sleep(0.2)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await store.close()
    await _count(folder, ledger, outcome)
    return outcome


async def killed_operator(folder: Path, *, rounds: int, noise: random.Random) -> Outcome:
    """Kill the process that writes, at random moments; each goes on where the last one ended."""
    outcome = Outcome(fault="operator killed")
    ledger = Ledger()
    for round_ in range(rounds):
        await asyncio.to_thread(_one_life, folder, round_, ledger, outcome, noise)
    await _count(folder, ledger, outcome)
    return outcome


async def _write(store: EdgeStore, ledger: Ledger, outcome: Outcome, noise: random.Random) -> None:
    revision = 0
    while True:
        revision += 1
        batch = noise.sample(range(POINTS), noise.randrange(1, 60))
        for number in batch:
            ledger.sent[number] = revision
        began = time.monotonic()
        try:
            points = [written(number, revision) for number in batch]
            await store.upsert("failures", points, deadline_seconds=SECONDS)
        except MemoryUnavailableError:
            outcome.failed_calls += 1
            await asyncio.sleep(0.05)
            continue
        outcome.slowest_seconds = max(outcome.slowest_seconds, time.monotonic() - began)
        outcome.acknowledged += len(batch)
        for number in batch:
            ledger.acknowledged[number] = revision


def _one_life(
    folder: Path, round_: int, ledger: Ledger, outcome: Outcome, noise: random.Random
) -> None:
    """Start a writer, let it write for a random while, kill it, and read what it had told."""
    command = [sys.executable, "-m", "bench.memory.faults", "--write-into", str(folder)]
    began = time.monotonic()
    with subprocess.Popen(
        [*command, "--revision", str(round_ * 10_000)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "open":
            raise RuntimeError("the writer could not open the store; it says why above")
        outcome.slowest_seconds = max(outcome.slowest_seconds, time.monotonic() - began)
        time.sleep(noise.uniform(0.0, 0.6))
        process.kill()
        outcome.kills += 1
        told = process.stdout.read()
    for line in told.splitlines():
        word, revision, *numbers = line.split()
        # A line that the kill cut short was told by nobody.
        if numbers[-1:] != ["."]:
            continue
        into = ledger.sent if word == "sent" else ledger.acknowledged
        for number in numbers[:-1]:
            into[int(number)] = int(revision)
        outcome.acknowledged += len(numbers[:-1]) * (word == "acknowledged")


async def _write_and_tell(folder: Path, revision: int) -> None:
    """What the process does that `killed_operator` kills."""
    noise = random.Random(revision)
    store = EdgeStore(folder=folder)
    await store.open(SCHEMA, deadline_seconds=SECONDS)
    print("open", flush=True)
    while True:
        revision += 1
        batch = noise.sample(range(POINTS), noise.randrange(1, 60))
        told = f"{revision} {' '.join(map(str, batch))} ."
        print(f"sent {told}", flush=True)
        points = [written(number, revision) for number in batch]
        await store.upsert("failures", points, deadline_seconds=SECONDS)
        print(f"acknowledged {told}", flush=True)


async def _count(folder: Path, ledger: Ledger, outcome: Outcome) -> None:
    """Open once more and compare every point with what was sent."""
    store = EdgeStore(folder=folder)
    await store.open(SCHEMA, deadline_seconds=SECONDS)
    found = await _everything(store)
    counted = await store.count("failures", where=EVERYTHING, deadline_seconds=SECONDS)
    await store.close()
    kept = {each.payload["chunk"]: each for each in found}
    outcome.kept = len(kept)
    outcome.doubled = max(len(found), counted) - len(kept)
    for number, revision in ledger.acknowledged.items():
        if number not in kept or kept[number].payload["reward_count"] < revision:
            outcome.lost += 1
    for number, each in kept.items():
        revision = each.payload["reward_count"]
        wanted = written(number, revision)
        as_written = each.payload == wanted.payload and each.id == wanted.id
        if not as_written or revision > ledger.sent.get(number, -1):
            outcome.malformed += 1


async def _everything(store: EdgeStore) -> list[StoredPoint]:
    found: list[StoredPoint] = []
    after = None
    while True:
        page = await store.scroll(
            "failures", where=EVERYTHING, limit=500, after=after, deadline_seconds=SECONDS
        )
        found += page.points
        after = page.after
        if after is None:
            return found


async def _run(rounds: int, seed: int) -> bool:
    """Both faults, each told as soon as it is counted; whether nothing went wrong."""
    right = True
    for fault in (killed_worker, killed_operator):
        with tempfile.TemporaryDirectory() as folder:
            outcome = await fault(Path(folder) / "m", rounds=rounds, noise=random.Random(seed))
        right = right and outcome.right
        print(
            f"{outcome.fault:16} kills {outcome.kills}, acknowledged {outcome.acknowledged}, "
            f"kept {outcome.kept}, lost {outcome.lost}, doubled {outcome.doubled}, "
            f"malformed {outcome.malformed}, failed calls {outcome.failed_calls}, "
            f"slowest {outcome.slowest_seconds:.1f} s",
            flush=True,
        )
    return right


def main(arguments: Sequence[str]) -> int:
    """Run both and print the counts; 1 where anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help="kills of each kind")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--write-into", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--revision", type=int, default=0, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.write_into is not None:
        asyncio.run(_write_and_tell(chosen.write_into, chosen.revision))
        return 0
    print(f"seed {chosen.seed}", flush=True)
    return 0 if asyncio.run(_run(chosen.rounds, chosen.seed)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
