"""Ten times more than the worker can take, sent without waiting for answers.

First the worker's best is measured: clients that always have a request under way. Then requests are
sent at ten times that rate, whatever becomes of them, as callers do who know nothing of each other.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp
from bench.embedder_load.traffic import Words, percentile, slope_per_minute
from bench.embedder_load.watching import Watch, metric
from support.embedder_process import EmbedderProcess

__all__ = ["QUEUE_TOKENS", "overload"]

QUEUE_TOKENS = 16_384
TEXTS = 4
"""Of one request; of 60 words, which are about 200 tokens: few requests are much work."""
CALIBRATION_SECONDS = 4.0
CLIENTS = 24
FACTOR = 10
TOKENS = "kausa_embedder_batch_tokens_sum"


@dataclass(slots=True)
class Outcome:
    """What became of the requests."""

    codes: Counter[str] = field(default_factory=Counter)
    accepted_seconds: list[float] = field(default_factory=list)
    refused_seconds: list[float] = field(default_factory=list)


async def overload(worker: EmbedderProcess, *, seconds: float, seed: int) -> bool:
    """Measure, print, and say whether every goal was met."""
    words = Words(seed)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(worker.url, connector=connector) as client:
        rate, tokens = await _best(client, words)
        print(f"best: {rate:.1f} requests/s of {TEXTS} texts, {tokens:,.0f} tokens/s")
        watch = Watch(worker=worker)
        watching = asyncio.create_task(watch.until_cancelled())
        outcome = Outcome()
        before, began = await metric(client, TOKENS), time.monotonic()
        await _flood(client, words, outcome, rate=rate * FACTOR, seconds=seconds)
        flooded = (await metric(client, TOKENS) - before) / (time.monotonic() - began)
        print(f"under it: {flooded:,.0f} tokens/s, {flooded / tokens:.0%} of its best")
        ended = await _speeds_afterwards(client, words, best=tokens)
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    return _report(outcome, watch, seconds=seconds, tokens_per_second=flooded, afterwards=ended)


def _body(words: Words) -> dict[str, object]:
    return {"input": [words.text(60) for _ in range(TEXTS)], "encoding_format": "base64"}


async def _best(client: aiohttp.ClientSession, words: Words) -> tuple[float, float]:
    """Requests and tokens per second of clients that are never idle."""
    answered = 0
    ends_at = time.monotonic() + CALIBRATION_SECONDS

    async def one() -> None:
        nonlocal answered
        while time.monotonic() < ends_at:
            async with client.post("/v1/embeddings", json=_body(words)) as response:
                await response.read()
                answered += response.status == 200

    before, began = await metric(client, TOKENS), time.monotonic()
    await asyncio.gather(*(one() for _ in range(CLIENTS)))
    took = time.monotonic() - began
    return answered / took, (await metric(client, TOKENS) - before) / took


async def _flood(
    client: aiohttp.ClientSession, words: Words, outcome: Outcome, *, rate: float, seconds: float
) -> None:
    began, sent = time.monotonic(), 0
    bodies = [_body(words) for _ in range(500)]  # written beforehand: the cores are the worker's

    async def send(body: dict[str, object]) -> None:
        asked = time.monotonic()
        try:
            async with client.post("/v1/embeddings", json=body) as response:
                await response.read()
                code = str(response.status)
        except aiohttp.ClientError as error:
            code = type(error).__name__
        outcome.codes[code] += 1
        took = time.monotonic() - asked
        (outcome.accepted_seconds if code == "200" else outcome.refused_seconds).append(took)

    async with asyncio.TaskGroup() as group:
        while (now := time.monotonic() - began) < seconds:
            while sent < now * rate:
                body = dict(bodies[sent % len(bodies)])
                body["input"] = [f"{sent} {text}" for text in body["input"]]  # type: ignore[attr-defined]
                group.create_task(send(body))
                sent += 1
            await asyncio.sleep(0.005)
    print(f"sent: {sent} requests in {seconds:g} s, {sent / seconds / rate:.0%} of 10x its best")


async def _speeds_afterwards(
    client: aiohttp.ClientSession, words: Words, *, best: float
) -> list[float]:
    """Tokens per second in each of two seconds after the flood, as shares of the best."""
    ends_at = time.monotonic() + 2.0

    async def one() -> None:
        while time.monotonic() < ends_at:
            async with client.post("/v1/embeddings", json=_body(words)) as response:
                await response.read()
                if response.status == 429:
                    await asyncio.sleep(0.05)

    clients = [asyncio.create_task(one()) for _ in range(CLIENTS)]
    shares = []
    for _ in range(2):
        before, began = await metric(client, TOKENS), time.monotonic()
        await asyncio.sleep(1.0)
        after = await metric(client, TOKENS)
        shares.append((after - before) / (time.monotonic() - began) / best)
    await asyncio.gather(*clients)
    return shares


def _report(
    outcome: Outcome,
    watch: Watch,
    *,
    seconds: float,
    tokens_per_second: float,
    afterwards: list[float],
) -> bool:
    bound = QUEUE_TOKENS / tokens_per_second
    p50, p99 = (percentile(outcome.accepted_seconds, share) for share in (0.5, 0.99))
    refused = percentile(outcome.refused_seconds, 0.99)
    early, late = watch.rss_between(0.25, 0.5), watch.rss_between(0.75, 1.0)
    growth = slope_per_minute([(at, mib) for at, mib in watch.rss if at > seconds / 4])
    slowest = max(watch.probes)
    print(f"codes: {dict(outcome.codes)}")
    print(f"accepted: p50 {p50:.2f} s, p99 {p99:.2f} s; the queue's bound is {bound:.2f} s")
    print(f"refused: p99 after {refused * 1000:.0f} ms")
    print(
        f"/livez: {len(watch.probes)} probes, {watch.failed_probes} failed, slowest {slowest:.2f} s"
    )
    print(f"RSS: {early:.1f} MiB early, {late:.1f} MiB late, {growth:+.1f} MiB/min")
    print(f"afterwards: {', '.join(f'{share:.0%}' for share in afterwards)} of its best")
    goals = {
        "what is too much gets 429, and nothing gets anything else": outcome.codes.keys()
        == {"200", "429"},
        # What the client itself adds, and the batch that runs, come on top of the queue.
        "p99 of what is accepted is within the queue's bound": p99 <= bound * 1.25 + 0.5,
        "/livez stays green": watch.failed_probes == 0,
        "RSS is flat": late - early < max(8.0, 0.03 * early),
        "full speed within a second": max(afterwards) > 0.85,
    }
    for goal, met in goals.items():
        print(f"{'met' if met else 'MISSED'}: {goal}")
    return all(goals.values())
