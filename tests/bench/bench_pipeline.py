"""What each step of a diagnosis costs here, beside the cheapest thing that could be done.

Run by `make bench`. Times are CPU time of this process, the best of several rounds; the ratios are
the figures to compare between machines.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from support.dossiers import dossier
from support.pods import container, pod, terminated, waiting

from kausa.cluster.objects import Event, Pod
from kausa.detection.events import note_of
from kausa.detection.pods import detect_pod
from kausa.diagnosis.rules.engine import decide_by_rules
from kausa.evidence.redaction import Redactor
from kausa.memory.opening import open_embedded_memory
from kausa.memory.records import FailureRecord
from kausa.recall.similar import SimilarFailures

CAPTURES = Path(__file__).parents[1] / "captures"
ROUNDS = 7


def captured(name: str) -> list[bytes]:
    """The objects of a recorded watch stream, as bytes."""
    text = gzip.decompress((CAPTURES / f"{name}.watch.json.gz").read_bytes()).decode()
    decoder, position, found = json.JSONDecoder(), 0, []
    while position < len(text):
        change, position = decoder.raw_decode(text, position)
        found.append(json.dumps(change["object"]).encode())
        while position < len(text) and text[position].isspace():
            position += 1
    return found


def cpu_microseconds(work: Callable[[], Any], *, per: int) -> float:
    """CPU time of one of `per` things that `work` does; the best round."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best / per * 1e6


def row(what: str, ours: float, peer: str, theirs: float) -> None:
    """One line of the table."""
    print(f"{what:44} {ours:9.1f} us   {peer:26} {theirs:9.1f} us   x{ours / theirs:5.2f}")


def bench_streams() -> None:
    """Decoding and detecting, beside the standard library's JSON parser alone."""
    now = datetime.now(UTC)
    _bench_stream("pods", Pod, lambda found: detect_pod(found, now=now))
    _bench_stream("events", Event, note_of)


def _bench_stream(name: str, kind: Any, detect: Callable[[Any], object]) -> None:
    objects = captured(name)
    decode = msgspec.json.Decoder(kind).decode
    size = statistics.mean(len(each) for each in objects) / 1000
    row(
        f"{kind.__name__} change ({size:.1f} kB): decode and detect",
        cpu_microseconds(lambda: [detect(decode(each)) for each in objects], per=len(objects)),
        "json.loads alone",
        cpu_microseconds(lambda: [json.loads(each) for each in objects], per=len(objects)),
    )


def bench_decision() -> None:
    """Redaction of a log and the rules on a dossier."""
    line = "2026-01-02T03:04:05Z INFO request served path=/orders/42 status=200 bytes=512\n"
    log = line * (1_000_000 // len(line))
    redactor = Redactor(key=b"k" * 32)
    row(
        "redaction of 1 MB of clean log",
        cpu_microseconds(lambda: redactor.text(log), per=1),
        "str.split of the same",
        cpu_microseconds(log.split, per=1),
    )
    found = dossier(
        pod(container(waiting("CrashLoopBackOff"), last=terminated(3), restarts=2)),
        log="error: cannot open config\n",
    )
    row(
        "rules on one dossier",
        cpu_microseconds(lambda: [decide_by_rules(found) for _ in range(100)], per=100),
        "json.dumps of one Pod",
        cpu_microseconds(lambda: [msgspec.json.encode(found.pod) for _ in range(100)], per=100),
    )


async def bench_memory() -> None:
    """Remembering and recalling with the real model and store; wall time, because both wait."""
    now = datetime.now(UTC)

    def record(number: int) -> FailureRecord:
        return FailureRecord(
            cluster="bench",
            namespace="shop",
            owner_kind="Deployment",
            owner_name=f"app-{number}",
            container="api",
            category="CrashLoop",
            reason="CrashLoopBackOff",
            fingerprint=f"{number:016x}",
            exit_code=1,
            image="registry.example/app:1",
            node="node",
            first_seen=now,
            last_seen=now,
            occurrences=1,
            cause=f"container api ends with exit code 1: cannot open file {number}",
            reference=f"shop/app-{number}",
            text=f"error: cannot open file /data/{number}",
        )

    with tempfile.TemporaryDirectory() as folder:
        memory = open_embedded_memory(folder=Path(folder))
        similar = SimilarFailures(memory=memory)
        started = time.monotonic()
        await memory.start(deadline_seconds=60)
        print(f"memory: model loaded and store opened in {time.monotonic() - started:.2f} s")
        remembered, recalled = [], []
        for number in range(200):
            began = time.monotonic()
            await memory.remember([record(number)], deadline_seconds=30)
            remembered.append(time.monotonic() - began)
            began = time.monotonic()
            await similar.find(record(number), deadline_seconds=30)
            recalled.append(time.monotonic() - began)
        await memory.close()
    for what, times in (("remember", remembered), ("recall", recalled)):
        median, late = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        print(f"memory: {what:9} p50 {median * 1000:5.1f} ms   p95 {late * 1000:5.1f} ms")


def main() -> None:
    """Print all of it."""
    bench_streams()
    bench_decision()
    asyncio.run(bench_memory())


if __name__ == "__main__":
    main()
