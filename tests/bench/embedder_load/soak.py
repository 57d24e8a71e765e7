"""Texts of random lengths in every way that the operator asks, for a long time: memory stays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from bench.embedder_load.traffic import Words, slope_per_minute
from bench.embedder_load.watching import Watch
from support.embedder_process import EmbedderProcess

from kausa.memory.embedding.endpoint import Endpoint
from kausa.memory.embedding.http import HttpEmbedder
from kausa.memory.errors import MemoryUnavailableError

__all__ = ["soak"]

CLIENTS = 8
DEADLINE_SECONDS = 60.0
MOST_GROWTH_MIB_PER_MINUTE = 1.0


@dataclass(slots=True)
class Work:
    """What was done."""

    texts: int = 0
    reranks: int = 0
    errors: int = 0


async def soak(worker: EmbedderProcess, *, seconds: float, seed: int) -> bool:
    """Work, print, and say whether memory was flat and nothing failed."""
    work = Work()
    ends_at = time.monotonic() + seconds
    watch = Watch(worker=worker)
    watching = asyncio.create_task(watch.until_cancelled())
    reporting = asyncio.create_task(_report_now_and_then(watch, work))
    embedder = HttpEmbedder(Endpoint(url=worker.url))
    async with asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            group.create_task(_client(embedder, work, Words(seed + number), ends_at=ends_at))
        group.create_task(_stream(embedder, work, Words(seed - 1), ends_at=ends_at))
    await embedder.close()
    for task in (watching, reporting):
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return _report(watch, work, seconds=seconds)


async def _client(embedder: HttpEmbedder, work: Work, words: Words, *, ends_at: float) -> None:
    while time.monotonic() < ends_at:
        texts = [words.any_text() for _ in range(1 + int(words.share() * 6))]
        try:
            if words.share() < 0.1:
                await embedder.rerank(texts[0], texts, deadline_seconds=DEADLINE_SECONDS)
                work.reranks += 1
            else:
                await embedder.embed(texts, deadline_seconds=DEADLINE_SECONDS)
                work.texts += len(texts)
        except MemoryUnavailableError as error:
            work.errors += 1
            print(f"error: {error.reason}: {error}")


async def _stream(embedder: HttpEmbedder, work: Work, words: Words, *, ends_at: float) -> None:
    async def source() -> AsyncIterator[tuple[str, str]]:
        number = 0
        while time.monotonic() < ends_at:
            number += 1
            yield str(number), words.any_text()

    async for _ in embedder.embed_stream(source(), deadline_seconds=DEADLINE_SECONDS):
        work.texts += 1


async def _report_now_and_then(watch: Watch, work: Work) -> None:
    while True:
        await asyncio.sleep(60)
        at, mib = watch.rss[-1]
        print(f"{at:5.0f} s: RSS {mib:.1f} MiB, {work.texts} texts", flush=True)


def _report(watch: Watch, work: Work, *, seconds: float) -> bool:
    settled = [(at, mib) for at, mib in watch.rss if at > seconds / 3]
    growth = slope_per_minute(settled)
    first, last = watch.rss_between(0.33, 0.4), watch.rss_between(0.93, 1.0)
    print(
        f"{work.texts} texts ({work.texts / seconds:.1f}/s) and {work.reranks} reranks in "
        f"{seconds:g} s"
    )
    print(f"RSS: {first:.1f} MiB after a third, {last:.1f} MiB at the end, {growth:+.2f} MiB/min")
    goals = {
        "nothing failed": work.errors == 0 and watch.failed_probes == 0,
        "RSS is flat": growth < MOST_GROWTH_MIB_PER_MINUTE or last - first < 4.0,
    }
    for goal, met in goals.items():
        print(f"{'met' if met else 'MISSED'}: {goal}")
    return all(goals.values())
