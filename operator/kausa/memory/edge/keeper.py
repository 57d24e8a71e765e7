"""Keeps a worker running for whoever asks the store: starts it, starts it again, gives it up.

The worker is started by the first call and again by the first call after it died. Every call may
be repeated without harm, so one that the worker's death cut off is sent once more before anybody
hears of it. A worker that dies without answering anything, or cannot take the folder, is not
started again before a pause that doubles up to half a minute; meanwhile calls fail at once with
what was wrong (the first, quarter-second pause is waited out).
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from kausa.memory.edge import messages
from kausa.memory.edge.failures import corrupt, ensure_space
from kausa.memory.edge.process import WorkerGoneError, WorkerProcess
from kausa.memory.errors import MemoryUnavailableError, UnavailableReason, deadline
from kausa.memory.store import Schema
from kausa.telemetry.doubling import Doubling

__all__ = ["PAUSES", "START_SECONDS", "WorkerKeeper"]

START_SECONDS = 60.0
"""The longest that a start may take: five seconds of waiting for the lock, and some cleaning."""
CLOSE_SECONDS = 10.0
PAUSES = Doubling(first_seconds=0.25, longest_seconds=30.0)
_CRASHES = {signal.SIGBUS, signal.SIGSEGV, signal.SIGABRT, signal.SIGILL, signal.SIGFPE}


class WorkerKeeper:
    """One worker for one folder, while anybody needs it."""

    def __init__(
        self,
        *,
        folder: Path,
        most_points: int,
        hung_after_seconds: float,
        command: Callable[[Path], list[str]],
    ) -> None:
        self._folder = folder
        self._own = messages.Own(most_points=most_points)
        self._hung_after_seconds = hung_after_seconds
        self._command = command
        self._worker: WorkerProcess | None = None
        self._starting: asyncio.Task[WorkerProcess] | None = None
        self._failures = 0
        self._retry_at = 0.0
        self._last_error: tuple[str, UnavailableReason] = ("", "StoreUnavailable")
        self._closed = False

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id, while there is one."""
        return self._worker.pid if self._worker is not None and self._worker.alive else None

    async def call(
        self,
        call: messages.Call,
        *,
        schema: Schema | None = None,
        beside: bool = False,
        patient: bool = False,
        deadline_seconds: float,
    ) -> msgspec.Raw:
        """Ask the worker; a `patient` call may keep it silent until its own deadline."""
        request = messages.Request(
            id=0,
            call=call,
            schema=schema,
            beside=beside,
            expires_at=time.monotonic() + deadline_seconds,
        )
        patience = deadline_seconds if patient else 0.0
        died_of = 0
        async with deadline(deadline_seconds, doing=f"the memory's {_name(call)}"):
            for _ in range(2):
                worker = await self._running()
                try:
                    return await worker.call(request, patience_seconds=patience)
                except WorkerGoneError:
                    await worker.stop(grace_seconds=1.0)
                    died_of = worker.died_of
                finally:
                    silent = worker.silent_seconds
                    if silent > max(self._hung_after_seconds, worker.patience_seconds):
                        worker.kill()
            raise self._died_twice(call, died_of)

    async def release(self) -> None:
        """Let go of the folder, so that another process can see to it; a call takes it again."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.stop(grace_seconds=CLOSE_SECONDS)

    async def close(self) -> None:
        """Have the worker flush and exit; it is killed if that takes more than ten seconds."""
        self._closed = True
        await self.release()

    async def _running(self) -> WorkerProcess:
        """The worker, started if need be. Whoever stops waiting does not stop the start."""
        if self._closed:
            raise MemoryUnavailableError("the memory is closed", reason="Closed")
        if self._worker is not None and self._worker.alive:
            return self._worker
        if self._starting is None:
            self._starting = asyncio.create_task(self._start(), name="memory-store-start")
            self._starting.add_done_callback(_look_at)
        return await asyncio.shield(self._starting)

    async def _start(self) -> WorkerProcess:
        try:
            dead, self._worker = self._worker, None
            if dead is not None:
                if dead.answered:
                    self._failures = 0
                else:
                    self._pause("the store's process died", "StoreUnavailable")
                await dead.stop(grace_seconds=1.0)
            pause = self._retry_at - time.monotonic()
            if pause > PAUSES.first_seconds:
                message, reason = self._last_error
                raise MemoryUnavailableError(message, reason=reason)
            await asyncio.sleep(max(0.0, pause))
            self._worker = await self._start_and_own()
            return self._worker
        finally:
            self._starting = None

    async def _start_and_own(self) -> WorkerProcess:
        worker = await WorkerProcess.start(self._command(self._folder))
        try:
            async with deadline(START_SECONDS, doing="opening the memory"):
                await worker.call(messages.Request(id=0, call=self._own))
        except WorkerGoneError as error:
            await worker.stop(grace_seconds=1.0)
            message = "the store's process ended at once; its standard error says why"
            raise self._pause(message, "StoreUnavailable") from error
        except MemoryUnavailableError as error:
            await worker.stop(grace_seconds=1.0)
            raise self._pause(str(error), error.reason) from error
        except BaseException:
            worker.kill()
            await worker.stop(grace_seconds=1.0)
            raise
        self._retry_at = 0.0
        return worker

    def _pause(self, message: str, reason: UnavailableReason) -> MemoryUnavailableError:
        """Note a failure, put off the next start, and make the error that says so."""
        pause = PAUSES.seconds(times=self._failures)
        self._failures += 1
        self._retry_at = time.monotonic() + pause
        self._last_error = (message, reason)
        return MemoryUnavailableError(message, reason=reason)

    def _died_twice(self, call: messages.Call, died_of: int) -> MemoryUnavailableError:
        """What to make of it: a mapped file that cannot be read, or not be written, is a signal."""
        if died_of in _CRASHES:
            try:
                ensure_space(self._folder)
            except MemoryUnavailableError as full:
                return full
            except OSError:
                pass  # the folder is gone: that the engine crashed is still the better word
            why = f"the engine crashed twice in {_name(call)}: {signal.strsignal(died_of)}"
            return corrupt(self._folder, why)
        return MemoryUnavailableError(
            "the store's process died twice while it was asked the same thing",
            reason="StoreUnavailable",
        )


def _name(call: messages.Call) -> str:
    return type(call).__name__.lower()


def _look_at(task: asyncio.Task[WorkerProcess]) -> None:
    """Take note of a failed start that nobody waited for any more."""
    if not task.cancelled():
        task.exception()
