"""What is looked at while a worker is loaded: its memory, its probe, its own count of tokens."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import aiohttp
from support.embedder_process import EmbedderProcess

__all__ = ["Watch", "metric"]

EVERY_SECONDS = 0.25


@dataclass(slots=True, kw_only=True)
class Watch:
    """Samples since the watch began."""

    worker: EmbedderProcess
    began: float = field(default_factory=time.monotonic)
    rss: list[tuple[float, float]] = field(default_factory=list)
    """(seconds, MiB)"""
    probes: list[float] = field(default_factory=list)
    """How long each /livez took, in seconds."""
    failed_probes: int = 0

    async def until_cancelled(self) -> None:
        """Sample memory and probe."""
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(self.worker.url, timeout=timeout) as client:
            while True:
                self.rss.append((time.monotonic() - self.began, self.worker.rss_mib()))
                asked = time.monotonic()
                try:
                    async with client.get("/livez") as response:
                        good = response.status == 200
                except (aiohttp.ClientError, TimeoutError):
                    good = False
                self.probes.append(time.monotonic() - asked)
                self.failed_probes += not good
                await asyncio.sleep(EVERY_SECONDS)

    def rss_between(self, low: float, high: float) -> float:
        """The mean of what was sampled in this part of the time, MiB."""
        last = self.rss[-1][0]
        chosen = [mib for at, mib in self.rss if low * last <= at <= high * last]
        return sum(chosen) / max(1, len(chosen))


async def metric(client: aiohttp.ClientSession, name: str) -> float:
    """One sample of the worker's /metrics, by its full name."""
    async with client.get("/metrics") as response:
        for line in (await response.text()).splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
    return 0.0
