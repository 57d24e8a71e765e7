"""The audit's file: JSON lines, written by a thread of its own: no disk holds the memory up."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from pathlib import Path

import msgspec

from kausa.telemetry.logs import get_logger
from kausa.telemetry.trouble import Trouble

__all__ = ["AuditEntry", "AuditFile"]

MOST_WAITING = 10_000
"""Lines, each of some 300 bytes."""
CLOSE_SECONDS = 5.0
_logger = get_logger("kausa.memory.audit")


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call of the memory's store."""

    time: str
    actor: str
    action: str
    """The name of the call: candidates, upsert, delete..."""
    collection: str = ""
    count: int | None = None
    """Points that were found, written, changed or asked for."""
    scope: dict[str, tuple[str | int, ...]] = {}
    """Whose data: values that a filter wants of `cluster` and `namespace`."""
    fields: tuple[str, ...] = ()
    """All fields that a filter names."""
    milliseconds: float = 0.0
    outcome: str = "ok"
    """The reason, or the kind of error, where it failed."""


class AuditFile:
    """A sink: JSON lines in a file that only its owner reads, rotated by size."""

    def __init__(
        self,
        path: Path,
        *,
        most_bytes: int = 16 * 1024 * 1024,
        kept: int = 5,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._kept = kept
        self._waiting: queue.Queue[bytes | None] = queue.Queue(maxsize=most_waiting)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self.left_out = 0
        """Entries that came faster than the disk took them."""
        self._trouble = Trouble(
            _logger, failed="Could not write the audit file", recovered="The audit file works again"
        )

    def __call__(self, entry: AuditEntry) -> None:
        """Have it appended soon; never waits."""
        try:
            self._waiting.put_nowait(msgspec.json.encode(entry) + b"\n")
        except queue.Full:
            self.left_out += 1
            if self.left_out == 1:
                _logger.warning("The audit file is too slow, entries are left out")
        self._run()

    def close(self) -> None:
        """Write what waits; bounded, five seconds. Blocks."""
        with self._starting:
            thread, self._thread = self._thread, None
        if thread is not None:
            with contextlib.suppress(queue.Full):
                self._waiting.put(None, timeout=CLOSE_SECONDS)
                thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._write_all, name="memory-audit", daemon=True
                )
                self._thread.start()

    def _write_all(self) -> None:
        while (line := self._waiting.get()) is not None:
            self._write(line)

    def _write(self, line: bytes) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                if self._path.stat().st_size + len(line) > self._most_bytes:
                    self._rotate()
            number = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(number, line)
            finally:
                os.close(number)
        except OSError as error:
            self._trouble.happened(error, path=str(self._path))
            return
        self._trouble.over()

    def _rotate(self) -> None:
        """`audit.jsonl.1` is the newest of the old ones; the oldest goes."""
        for number in range(self._kept - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                self._old(number).rename(self._old(number + 1))
        if self._kept:
            self._path.rename(self._old(1))
        else:
            self._path.unlink()

    def _old(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
