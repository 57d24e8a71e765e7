"""What a client process measures of itself, and how it says so.

CPU is that of the whole process, user and system, from the first change to the last: the first one
comes alone, when the client stands ready, so neither start-up nor connecting is counted.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

import msgspec

__all__ = ["Measured", "Meter", "Task", "run_client"]

LINGER_SECONDS = 0.3
"""After the last change, for those that are not expected."""
DEADLINE_SECONDS = 120.0


class Task(msgspec.Struct, kw_only=True):
    """What a client is to do."""

    server: str
    kind: str
    changes: int = 0
    """How many to wait for, after the first one."""
    objects: int = 0
    """How many objects of a list to wait for, instead."""


class Measured(msgspec.Struct, kw_only=True):
    """What a client found, printed as one line of JSON."""

    received: int
    cpu_seconds: float
    ended: float
    """When the last one came (time.monotonic)."""
    rss_bytes: int
    """When all had come."""
    peak_rss_bytes: int
    symptoms: int | None = None
    """How many were found; None where the client looks for none."""


class Meter:
    """Counts what a client receives and looks at the clocks at the first and the last of it."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.received = 0
        self._last = task.changes + 1 if task.changes else task.objects
        self._cpu = 0.0
        self._cpu_at_end = 0.0
        self._ended = 0.0
        self._complete = asyncio.Event()
        if task.objects:
            self.begin()

    def begin(self) -> None:
        """From now on CPU time counts."""
        self._cpu = time.process_time()

    def count(self) -> None:
        """One more has been received, and whatever the client does with it is done."""
        self.received += 1
        if self.received == self._last:
            self._cpu_at_end = time.process_time()
            self._ended = time.monotonic()
            self._complete.set()
        elif self.received == 1 and self.task.changes:
            self.begin()

    async def complete(self, reading: asyncio.Task[None]) -> None:
        """Until everything has been received, and it is known whether more comes.

        `reading` is what receives it; an error that it ends with is raised.
        """
        waiting = asyncio.create_task(self._complete.wait())
        await asyncio.wait(
            (waiting, reading), timeout=DEADLINE_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        waiting.cancel()
        if not self._complete.is_set():
            if reading.done():
                reading.result()
            raise TimeoutError(f"{self.received} received in time, {self._last} expected")
        await asyncio.sleep(LINGER_SECONDS)

    def measured(self, *, symptoms: int | None = None) -> Measured:
        """All of it, when complete."""
        first = 1 if self.task.changes else 0
        rss, peak = _memory()
        return Measured(
            received=self.received - first,
            cpu_seconds=self._cpu_at_end - self._cpu,
            ended=self._ended,
            rss_bytes=rss,
            peak_rss_bytes=peak,
            symptoms=symptoms,
        )


def run_client(work: Callable[[Meter], Coroutine[None, None, Measured]]) -> None:
    """The main function of a client: the task from the command line, what was measured to stdout.

    A client that did not receive everything in time ends with a TimeoutError.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("task", help="a Task as JSON")
    task = msgspec.json.decode(parser.parse_args().task, type=Task)

    measured = asyncio.run(work(Meter(task)))
    print(msgspec.json.encode(measured).decode(), flush=True)


def _memory() -> tuple[int, int]:
    """Resident memory now and at its peak, in bytes, as Linux counts it.

    Not from getrusage: its peak is that of the parent too, up to the exec.
    """
    text = Path("/proc/self/status").read_text()
    fields = dict(line.split(":", 1) for line in text.splitlines())
    now, peak = (int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))
    return now, peak
