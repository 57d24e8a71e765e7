"""One worker process and the pipes to it: calls out, answers in, any number at a time.

A single task reads the answers and hands each to whoever waits for its number. So a caller that
gives up leaves nothing half read behind, and its answer is dropped when it comes.

Requests are written one at a time, each when the pipe has room. So one whose caller gave up before
its turn is never sent, and a worker that is stuck has no more before it than the pipe holds and one
request.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path

import msgspec

from kausa.memory.edge import messages
from kausa.memory.errors import (
    InvalidBackupError,
    InvalidRecordError,
    MemoryError_,
    MemoryUnavailableError,
)

__all__ = ["MAX_WAITING", "WorkerGoneError", "WorkerProcess", "error_of", "worker_command"]

MAX_WAITING = 256
"""Calls that wait for their turn or are unanswered, be their callers still there or not; one more
is refused, because the store is then slower than what it is sent."""


class WorkerGoneError(Exception):
    """The process ended with the call unanswered. Never leaves this package."""


def worker_command(folder: Path) -> list[str]:
    """How the worker is started; -P keeps the working directory out of its imports."""
    return [sys.executable, "-P", "-m", "kausa.memory.edge.worker", str(folder)]


class WorkerProcess:
    """A running worker. It is used on the event loop that started it."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None  # noqa: S101 - narrowing: both pipes are asked for below
        assert process.stdout is not None  # noqa: S101
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._waiting: dict[int, asyncio.Future[messages.Answer | None]] = {}
        self._patience: dict[int, float] = {}
        self._last_id = 0
        self._unanswered = 0
        self._unsent = 0
        self._turn = asyncio.Lock()
        self._heard_at = time.monotonic()
        self.answered = 0
        """Calls that it has answered well; a worker that never did is not worth a quick restart."""
        self._gone = False
        self._reader = asyncio.create_task(self._read_answers(), name="memory-store-answers")

    @classmethod
    async def start(cls, command: Sequence[str]) -> WorkerProcess:
        """Start the process. Its standard error is the operator's."""
        try:
            process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        except OSError as error:
            raise MemoryUnavailableError(
                f"the store's process cannot be started: {error}", reason="StoreUnavailable"
            ) from error
        return cls(process)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return not self._gone and self._process.returncode is None

    @property
    def silent_seconds(self) -> float:
        """How long it has owed an answer without giving any."""
        return time.monotonic() - self._heard_at if self._unanswered else 0.0

    @property
    def unsent_bytes(self) -> int:
        """What was written and is not in the pipe yet."""
        return self._stdin.transport.get_write_buffer_size()

    @property
    def patience_seconds(self) -> float:
        """The longest that a call in flight may take before silence means anything."""
        return max(self._patience.values(), default=0.0)

    @property
    def died_of(self) -> int:
        """The number of the signal that ended it, or 0; known once it was stopped."""
        return max(0, -(self._process.returncode or 0))

    async def call(
        self, request: messages.Request, *, patience_seconds: float = 0.0
    ) -> msgspec.Raw:
        """Ask, and wait for the answer; the caller bounds the wait. The id is given here."""
        if not self.alive:
            raise WorkerGoneError
        if self._unsent + self._unanswered >= MAX_WAITING:
            raise MemoryUnavailableError(
                f"{MAX_WAITING} calls wait for the store already", reason="StoreOverloaded"
            )
        self._last_id += 1
        id_ = self._last_id
        frame = messages.encode(msgspec.structs.replace(request, id=id_))
        future: asyncio.Future[messages.Answer | None] = asyncio.get_running_loop().create_future()
        self._waiting[id_] = future
        self._patience[id_] = patience_seconds
        try:
            await self._send(frame)
            answer = await future
        except ConnectionError as error:
            self._gone = True  # the pipe may tell before its other end, or the exit, is noticed
            raise WorkerGoneError from error
        finally:
            self._waiting.pop(id_, None)
            self._patience.pop(id_, None)
        if answer is None:
            raise WorkerGoneError
        if answer.failure is not None:
            raise error_of(answer.failure)
        if not isinstance(request.call, messages.Own):
            self.answered += 1
        return answer.result

    async def _send(self, frame: bytes) -> None:
        """Write it when its turn has come; whoever is cancelled before has sent nothing."""
        self._unsent += 1
        try:
            async with self._turn:
                await self._stdin.drain()
                if self._gone:
                    raise WorkerGoneError
                if not self._unanswered:
                    self._heard_at = time.monotonic()
                self._unanswered += 1
                self._stdin.write(frame)
        finally:
            self._unsent -= 1

    def kill(self) -> None:
        """End it now. What it acknowledged is in its log."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def stop(self, *, grace_seconds: float) -> None:
        """Close the pipe, which asks it to flush and exit; kill it if it does not."""
        self._stdin.close()
        try:
            async with asyncio.timeout(grace_seconds):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()
        finally:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    async def _read_answers(self) -> None:
        try:
            while True:
                header = await self._stdout.readexactly(messages.HEADER_BYTES)
                body = await self._stdout.readexactly(messages.body_length(header))
                answer = messages.decode_answer(body)
                self._heard_at = time.monotonic()
                self._unanswered -= 1
                future = self._waiting.get(answer.id)
                if future is not None and not future.done():
                    future.set_result(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # it has ended
        except (ValueError, msgspec.DecodeError):
            self.kill()  # not our frames: nothing after them can be trusted
        finally:
            self._gone = True
            for future in self._waiting.values():
                if not future.done():
                    future.set_result(None)


def error_of(failure: messages.Failure) -> MemoryError_:
    """The error that a worker answered, as it was raised there."""
    match failure.kind:
        case "Record":
            return InvalidRecordError(failure.message)
        case "Backup":
            return InvalidBackupError(failure.message)
        case "Refused":
            return MemoryError_(failure.message)
        case "Unavailable":
            reason = failure.reason or "StoreUnavailable"
            return MemoryUnavailableError(failure.message, reason=reason)
