"""A process that does nothing but look how late it comes: what the machine alone makes of a lag.

On two cores, on which an API server, its store and a thousand fake kubelets work as well, whoever
is asleep waits for a core. It looks as often as the operator's own measurement does, and answers
each line on its standard input with the worst lag since the line before, in seconds.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["Bystander", "bystander"]

EVERY_SECONDS = 0.1


class Bystander:
    """Asks the process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    async def worst_seconds(self) -> float:
        """How late it came at most since it was asked before."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"\n")
        return float(await self._process.stdout.readline())


@asynccontextmanager
async def bystander() -> AsyncIterator[Bystander]:
    """One that looks for as long as the context lasts."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        # Its own folder has a module of the name of one of the standard library's.
        "-P",
        __file__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Bystander(process)
    finally:
        process.kill()
        await process.wait()


async def _look() -> None:
    loop = asyncio.get_running_loop()
    worst = 0.0

    def tell() -> None:
        nonlocal worst
        if not sys.stdin.readline():
            raise SystemExit
        print(worst, flush=True)
        worst = 0.0

    loop.add_reader(sys.stdin, tell)
    while True:
        due = loop.time() + EVERY_SECONDS
        await asyncio.sleep(EVERY_SECONDS)
        worst = max(worst, loop.time() - due)


if __name__ == "__main__":
    asyncio.run(_look())
