"""What every contender is asked, and how its answers are summed up."""

from __future__ import annotations

import asyncio
import resource
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

SINGLE = "Back-off restarting failed container checkout in pod shop/checkout-{}"
SINGLES = 120


@dataclass(frozen=True, kw_only=True)
class Result:
    """Of one contender in one round."""

    texts_per_second: float
    speeds: dict[int, float] = field(default_factory=dict)
    """Texts per second by the size of batches, of whom is told one."""
    tokens_per_second: float = 0.0
    padding: float = 0.0
    """Of all tokens that were run, how many were padding."""
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    single_p50_ms: float = 0.0
    """Of one short text, with nothing else going on."""
    rss_mib: float = 0.0


def peak_rss_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))] * 1000


def median_ms(run: Callable[[str], object]) -> float:
    took = []
    for number in range(SINGLES):
        began = time.perf_counter()
        run(SINGLE.format(number))
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000


async def median_ms_of(run: Callable[[str], Awaitable[object]]) -> float:
    took = []
    for number in range(SINGLES):
        began = time.perf_counter()
        await run(SINGLE.format(f"a{number}"))
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000


async def clients(
    texts: list[str], count: int, embed: Callable[[str], Awaitable[object]]
) -> tuple[float, list[float]]:
    """Clients that each ask for a text when they have the last: seconds in all, and of each."""
    waiting = iter(texts)
    took: list[float] = []

    async def client() -> None:
        for text in waiting:
            began = time.perf_counter()
            await embed(text)
            took.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(count)))
    return time.perf_counter() - began, took
