"""How fast the memory's stores are: `make bench-memory`, or with BENCH="--sizes 10000,300000".

The embedded store, numpy's brute force (which no exact search can beat) and the client's local mode
(small sizes only: it is slow), in the same run over the same points. Searches come one after the
other; the event loop is watched meanwhile. Goals are printed, never asserted: a busy machine is no
error. Kills are counted at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import numpy as np
from bench.memory import faults
from bench.memory.brute import BruteForce
from bench.memory.corpus import DIMENSIONS, FILTERS, Corpus, Question
from bench.memory.hooks import HOOKS, model_here
from bench.memory.local import LocalMode, local_mode
from bench.memory.measure import Lag, Times, cpu_seconds, lag, resident_bytes, timed, times

from kausa.memory.edge.client import EdgeStore
from kausa.memory.filters import Filter
from kausa.memory.opening import open_store
from kausa.memory.store import HybridQuery, Schema
from kausa.settings import Settings

SECONDS = 600.0
BATCH = 250
CANDIDATES = 50
LOCAL_MOST = 10_000
PAUSE_SECONDS = 4.5
"""After which the store has begun to settle what was written."""
GOAL_HYBRID_MS, GOAL_LAG_MS = 30.0, 50.0


def main(arguments: Sequence[str]) -> int:
    """Measure every size, print as it goes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,100000,300000", help="points, with commas")
    parser.add_argument("--questions", type=int, default=300, help="searches of each kind")
    parser.add_argument("--kills", type=int, default=50, help="of each kind, at the end")
    parser.add_argument("--folder", type=Path, help="where stores are made; a temporary one")
    parser.add_argument("--only-edge", action="store_true")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        for size in (int(each) for each in chosen.sizes.split(",")):
            corpus = Corpus(size)
            questions = corpus.questions(chosen.questions)
            print(f"\n== {size:,} points of {DIMENSIONS} dimensions ==")
            _brute(corpus, questions)
            asyncio.run(_edge(Path(folder) / str(size), corpus, questions))
            if size <= LOCAL_MOST and not chosen.only_edge:
                asyncio.run(_local(corpus, questions[:40]))
        sys.stdout.flush()
    return faults.main(["--rounds", str(chosen.kills)]) if chosen.kills else 0


def _row(what: str, found: Times, note: str = "") -> None:
    print(f"{what:44} {found}  ms  {note}", flush=True)


def _brute(corpus: Corpus, questions: Sequence[Question]) -> None:
    """The limit: one matrix product over what the filter leaves."""
    brute = BruteForce(corpus)
    for name in FILTERS:
        chosen = brute.chosen(name)
        seconds = []
        spent = time.process_time()
        for question in questions:
            asked = np.array(question.dense, dtype=np.float32)
            began = time.perf_counter()
            brute.dense(asked, chosen, CANDIDATES)
            seconds.append(time.perf_counter() - began)
        note = f"CPU {(time.process_time() - spent) / len(questions) * 1e3:.2f}"
        _row(f"numpy   dense, {name} ({len(chosen):,} left)", times(seconds[5:]), note)


async def _edge(folder: Path, corpus: Corpus, questions: Sequence[Question]) -> None:
    # The model that a recall over these points embeds its questions with.
    schema = Schema(model=await model_here() or "none", dimensions=DIMENSIONS)
    store = _store(folder, corpus)
    await store.open(schema, deadline_seconds=SECONDS)
    async with lag() as loop:
        await _fill("edge", store, corpus, loop)
    print(f"{'edge    event loop while it is filled':44} {_lags(loop.p99_ms, loop.worst_ms)}")
    began = time.perf_counter()
    await store.flush(deadline_seconds=SECONDS)
    print(f"edge    flush {(time.perf_counter() - began) * 1e3:.0f} ms")
    await asyncio.sleep(PAUSE_SECONDS)
    began = time.perf_counter()
    await store.count("failures", where=Filter(), deadline_seconds=SECONDS)
    print(f"edge    settling took {time.perf_counter() - began:.1f} s more")
    await store.close()
    began = time.perf_counter()
    store = _store(folder, corpus)
    await store.open(schema, deadline_seconds=SECONDS)
    await store.count("failures", where=Filter(), deadline_seconds=SECONDS)
    print(f"edge    open, process included {time.perf_counter() - began:.2f} s")
    async with lag() as loop:
        hybrid = await _searches("edge", store, questions)
    print(f"{'edge    event loop while it is searched':44} {_lags(loop.p99_ms, loop.worst_ms)}")
    assert store.worker_pid is not None
    now, most = resident_bytes(store.worker_pid)
    health = await store.health(deadline_seconds=SECONDS)
    print(
        f"edge    memory {now >> 20} MiB (most {most >> 20}), "
        f"disk {(health.bytes_on_disk or 0) >> 20} MiB"
    )
    print(
        f"goal    hybrid with 3 filters p95 {hybrid.p95:.1f} ms of {GOAL_HYBRID_MS:.0f}, "
        f"worst lag {loop.worst_ms:.1f} ms of {GOAL_LAG_MS:.0f}"
    )
    await _bulk(store, corpus)
    for name, hook in HOOKS.items():
        found = await hook(store, corpus, questions)
        if found is not None:
            _row(name, found)
    await store.close()


def _store(folder: Path, corpus: Corpus) -> EdgeStore:
    """As the operator opens it; only a size that it would not keep is set, and said."""
    settings = Settings(memory_path=folder)
    if corpus.size > settings.memory_most_points:
        print(f"edge    KAUSA_MEMORY_MOST_POINTS={corpus.size}, not {settings.memory_most_points}")
        settings = Settings(memory_path=folder, memory_most_points=corpus.size)
    store = open_store(settings)
    assert isinstance(store, EdgeStore)
    return store


async def _fill(name: str, store: EdgeStore | LocalMode, corpus: Corpus, loop: Lag) -> None:
    seconds = 0.0
    single = []
    for start in range(0, corpus.size, BATCH):
        batch = await loop.aside(functools.partial(corpus.batch, start, BATCH))
        began = time.perf_counter()
        await store.upsert("failures", batch, deadline_seconds=SECONDS)
        seconds += time.perf_counter() - began
    for number in random.Random(5).sample(range(corpus.size), 100):
        point = corpus.point(number)
        began = time.perf_counter()
        await store.upsert("failures", [point], deadline_seconds=SECONDS)
        single.append(time.perf_counter() - began)
    print(f"{name:7} upserts {corpus.size / seconds:,.0f} a second in batches of {BATCH}")
    _row(f"{name:7} upsert of one", times(single))


async def _searches(
    name: str, store: EdgeStore | LocalMode, questions: Sequence[Question]
) -> Times:
    last = Times(0, 0, 0)
    for filter_name, where in reversed(FILTERS.items()):
        for kind in ("dense", "sparse", "hybrid"):
            calls = [_call(store, question, kind, where) for question in questions]
            spent = _spent(store)
            last = await timed(calls)
            note = f"CPU {(_spent(store) - spent) / len(calls) * 1e3:.2f}"
            _row(f"{name:7} {kind}, {filter_name}", last, note)
    return last


def _spent(store: EdgeStore | LocalMode) -> float:
    """CPU seconds of both processes that a search keeps busy."""
    worker = getattr(store, "worker_pid", None)
    return time.process_time() + (cpu_seconds(worker) if worker else 0.0)


def _call(
    store: EdgeStore | LocalMode, question: Question, kind: str, where: Filter
) -> Callable[[], Awaitable[object]]:
    query = HybridQuery(
        where=where,
        dense=question.dense if kind != "sparse" else None,
        sparse=question.sparse if kind != "dense" else None,
        candidates=CANDIDATES,
    )
    return lambda: store.candidates("failures", query, deadline_seconds=SECONDS)


async def _bulk(store: EdgeStore, corpus: Corpus) -> None:
    """What moves much at once: pages with vectors, and a backup."""
    async with lag() as loop:
        began = time.perf_counter()
        page = await store.scroll(
            "failures", where=Filter(), limit=500, with_vectors=True, deadline_seconds=SECONDS
        )
        seconds = time.perf_counter() - began
        points = await loop.aside(functools.partial(corpus.batch, 0, 500))
        await store.upsert("failures", points, deadline_seconds=SECONDS)
    print(f"edge    a page of {len(page.points)} with vectors {seconds * 1e3:.0f} ms")
    print(f"{'edge    event loop, 500 points at once':44} {_lags(loop.p99_ms, loop.worst_ms)}")
    with tempfile.TemporaryDirectory() as target:
        began = time.perf_counter()
        await store.backup(Path(target) / "backup", deadline_seconds=SECONDS)
        backed_up = time.perf_counter()
        await store.restore(Path(target) / "backup", deadline_seconds=SECONDS)
        restored = time.perf_counter()
    print(f"edge    backup {backed_up - began:.1f} s, restore {restored - backed_up:.1f} s")


async def _local(corpus: Corpus, questions: Sequence[Question]) -> None:
    async with local_mode(DIMENSIONS) as store, lag() as loop:
        await _fill("local", store, corpus, loop)
        await _searches("local", store, questions)


def _lags(p99: float, worst: float) -> str:
    return f"lag p99 {p99:.1f} ms, worst {worst:.1f} ms"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
