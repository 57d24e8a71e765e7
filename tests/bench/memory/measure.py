"""Times, their spread, the event loop's lag, and what a process takes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

__all__ = ["Lag", "Times", "cpu_seconds", "lag", "resident_bytes", "timed", "times"]

_TICK_SECONDS = 0.002
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Times:
    """Of many calls, in milliseconds."""

    p50: float
    p95: float
    p99: float

    def __str__(self) -> str:
        return f"{self.p50:8.2f} {self.p95:8.2f} {self.p99:8.2f}"


@dataclass(slots=True)
class Lag:
    """How much later than asked the event loop came back, in seconds."""

    seen: list[float] = field(default_factory=list)
    looking: bool = True

    async def aside(self, make: Callable[[], _T]) -> _T:
        """Do something on the loop that is not what is measured."""
        self.looking = False
        made = make()
        await asyncio.sleep(2 * _TICK_SECONDS)
        self.looking = True
        return made

    @property
    def worst_ms(self) -> float:
        """The worst of all."""
        return max(self.seen, default=0.0) * 1e3

    @property
    def p99_ms(self) -> float:
        """All but a hundredth were shorter."""
        return float(np.percentile(self.seen, 99)) * 1e3 if self.seen else 0.0


@asynccontextmanager
async def lag() -> AsyncIterator[Lag]:
    """Watch the event loop while something else is done on it."""
    found = Lag()

    async def tick() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(_TICK_SECONDS)
            if found.looking:
                found.seen.append(time.perf_counter() - began - _TICK_SECONDS)

    ticking = asyncio.create_task(tick())
    try:
        yield found
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)


def times(seconds: Sequence[float]) -> Times:
    """What was measured, told by three numbers."""
    found = np.percentile(np.array(seconds) * 1e3, (50, 95, 99))
    return Times(*(float(each) for each in found))


async def timed(calls: Sequence[Callable[[], Awaitable[object]]], *, warm: int = 5) -> Times:
    """One after the other; the first few are not counted."""
    seconds = []
    for call in calls:
        began = time.perf_counter()
        await call()
        seconds.append(time.perf_counter() - began)
    return times(seconds[warm:])


def resident_bytes(pid: int) -> tuple[int, int]:
    """What a process has in memory, files that it maps included, now and at most."""
    found = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in {"VmRSS", "VmHWM"}:
            found[name] = int(value.split()[0]) * 1024
    return found["VmRSS"], found["VmHWM"]


def cpu_seconds(pid: int) -> float:
    """What a process has spent so far: on a busy machine that says more than the clock."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
