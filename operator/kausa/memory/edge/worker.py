"""The store's own process: `python -m kausa.memory.edge.worker FOLDER`, started by `keeper.py`.

Edge holds the GIL for the whole of every call, seconds for some, and hangs in a forked child: in
the operator it would stop the event loop, miss the lease and fail the probes. So it lives here.

A plain subprocess and not `multiprocessing`: that one re-imports `__main__` (the operator's CLI,
a test runner), adds a resource tracker and unpickles what it receives. Here two pipes carry
frames of MessagePack, asyncio speaks to them natively, and nothing but the store is imported.

Its life is tied to standard input. When the operator is gone, however it went, the pipe closes
and the worker flushes, frees the folder and exits; signals meant for the operator's process
group are ignored, so that a Ctrl-C cannot take the store away before its operator has finished.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from kausa.memory.edge import copying, messages
from kausa.memory.edge.failures import corrupt, ensure_space, reason_of, unavailable
from kausa.memory.edge.folder import StoreFolder
from kausa.memory.edge.generation import OpenGeneration
from kausa.memory.edge.shard import SETTLE_POINTS
from kausa.memory.errors import (
    InvalidBackupError,
    InvalidRecordError,
    MemoryError_,
    MemoryUnavailableError,
)
from kausa.memory.store import Health

__all__ = ["CHECK_EVERY", "FLUSH_SECONDS", "Worker", "main"]

FLUSH_SECONDS = 3.0
"""What the loss of a node can cost. The loss of a process costs nothing: Edge's log has it."""
CHECK_EVERY = 1000
"""After how many written points they are counted, and how many are removed at a time."""
QUIET_SECONDS = 1.0
"""How long nothing must have been asked before the store settles what was written lately."""
_WRITES = (messages.Upsert, messages.SetPayload)
_READS = (
    messages.Candidates,
    messages.Get,
    messages.Scroll,
    messages.Count,
    messages.Facet,
    messages.Inspect,
)
"""Not done any more when nobody waits for them. What changes something is done however late: its
caller was told that it may be."""


class Worker:
    """Answers one call after the other; flushes, and forgets what is too much, in between."""

    def __init__(self, folder: Path, *, source: int, sink: int) -> None:
        self._folder = folder
        self._source = source
        self._sink = sink
        self._store: StoreFolder | None = None
        self._most_points = 0
        self._flush_at = 0.0
        self._trimmed: dict[Path, int] = {}
        self._gone = 0
        self._asked_at = 0.0

    def serve(self) -> None:
        """Work until the operator closes the pipe, or is gone."""
        try:
            while (frame := self._next_frame()) is not None:
                self._write(self.answer(messages.decode_request(frame)))
        except BrokenPipeError:
            pass  # the operator went while its answer was being written
        finally:
            self.close()

    def close(self) -> None:
        """Flush and let go of the folder."""
        store, self._store = self._store, None
        if store is not None:
            store.close()

    def answer(self, request: messages.Request) -> bytes:
        """Do what is asked; the frame that goes back."""
        try:
            result = msgspec.Raw(msgspec.msgpack.encode(self._do(request)))
            return messages.encode(messages.Answer(id=request.id, result=result))
        # Edge raises nothing narrower. A panic of the engine is a BaseException: it ends the
        # process, and the next one replays the log.
        except Exception as error:
            failure = _failure(self._named(error, request.call))
            return messages.encode(messages.Answer(id=request.id, failure=failure))

    def _named(self, error: Exception, call: messages.Call) -> MemoryError_:
        if isinstance(error, MemoryError_):
            return error
        if reason_of(error) == "StoreCorrupt":
            return corrupt(self._folder, error)
        return unavailable(f"the store in {self._folder} refused {type(call).__name__}", error)

    def _do(self, request: messages.Request) -> Any:
        call = request.call
        expired = request.expires_at is not None and request.expires_at <= time.monotonic()
        if expired and isinstance(call, _READS):
            raise MemoryUnavailableError(
                f"the time for {type(call).__name__} had passed before its turn came",
                reason="DeadlineExceeded",
            )
        if isinstance(call, messages.Own):
            self._most_points = call.most_points
            self._store = self._store or StoreFolder(self._folder)
            return None
        if self._store is None:
            raise MemoryUnavailableError("the folder is not owned", reason="StoreUnavailable")
        if isinstance(call, messages.Trimmed):
            gone, self._gone = self._gone, 0
            return gone
        if isinstance(call, messages.Open | messages.Inspect | messages.Flush):
            return self._tend(self._store, request)
        if isinstance(call, _GENERATIONS):
            return _on_folder(self._store, call)
        if request.schema is None:
            raise MemoryUnavailableError("the store is not open", reason="StoreUnavailable")
        if isinstance(call, _WRITES):
            ensure_space(self._folder)
        generation = self._store.generation(request.schema, beside=request.beside)
        return _on_shard(generation, call)

    def _tend(self, store: StoreFolder, request: messages.Request) -> Any:
        match request.call:
            case messages.Open() if request.schema is not None:
                store.open(request.schema)
            case messages.Flush():
                for each in store.opened():
                    each.flush()
            case messages.Inspect():
                active = next((each for each in store.listed() if each.active), None)
                return Health(
                    backend="edge",
                    version=metadata.version("qdrant-edge-py"),
                    schema=active.schema if active else None,
                    points=active.points if active else {},
                    bytes_on_disk=copying.bytes_on_disk(self._folder),
                )
        return None

    def _next_frame(self) -> bytes | None:
        """The next request; meanwhile, a flush whenever one is due. None at the end of input."""
        while True:
            due = self._has_work()
            now = time.monotonic()
            if not due:
                self._flush_at = now + FLUSH_SECONDS
            elif now >= self._flush_at:
                self._flush_at = now + FLUSH_SECONDS
                self._tidy()
            wait = max(0.0, self._flush_at - time.monotonic()) if due else None
            if select.select([self._source], [], [], wait)[0]:
                self._asked_at = time.monotonic()
                header = self._read(messages.HEADER_BYTES)
                return None if header is None else self._read(messages.body_length(header))

    def _has_work(self) -> bool:
        opened = self._store.opened() if self._store is not None else []
        return any(
            each.dirty or any(shard.unsettled >= SETTLE_POINTS for shard in each.shards())
            for each in opened
        )

    def _tidy(self) -> None:
        if self._store is None:
            return
        try:
            for each in self._store.opened():
                each.flush()
            active = self._store.active_generation()
            if active is not None:
                self._trim(active)  # what it took out is flushed in the next round
            for each in self._store.opened():
                self._settle(each)
        except Exception as error:  # a full disk: still readable, and tried again
            print(f"Memory was not tidied folder={self._folder} error={error}", file=sys.stderr)

    def _trim(self, active: OpenGeneration) -> None:
        """Count now and then; at the start too, because a predecessor may have left too many."""
        shard = active.shard("failures")
        trimmed_at = self._trimmed.get(active.folder)
        if trimmed_at is None or shard.written - trimmed_at >= CHECK_EVERY:
            self._gone += shard.trim(most=self._most_points, at_once=CHECK_EVERY)
            self._trimmed = {active.folder: shard.written}

    def _settle(self, generation: OpenGeneration) -> None:
        """Nobody is answered meanwhile, so it waits for a pause; but not for ever."""
        quiet = time.monotonic() - self._asked_at >= QUIET_SECONDS
        for each in generation.shards():
            if each.unsettled >= SETTLE_POINTS * (1 if quiet else 2):
                each.settle()

    def _read(self, length: int) -> bytes | None:
        data = bytearray()
        while len(data) < length:
            chunk = os.read(self._source, length - len(data))
            if not chunk:
                return None  # a frame that was cut short was never sent
            data += chunk
        return bytes(data)

    def _write(self, frame: bytes) -> None:
        view = memoryview(frame)
        while view:
            view = view[os.write(self._sink, view) :]


_GENERATIONS = (
    messages.Generations,
    messages.Make,
    messages.Activate,
    messages.Drop,
    messages.Backup,
    messages.Restore,
)


def _on_folder(store: StoreFolder, call: messages.Call) -> Any:
    match call:
        case messages.Generations():
            return store.listed()
        case messages.Make(schema=schema):
            return store.make(schema)
        case messages.Activate(schema=schema):
            return store.activate(schema)
        case messages.Drop(schema=schema):
            return store.drop(schema)
        case messages.Backup(target=target):
            return store.backup(Path(target))
        case messages.Restore(source=source, schema=schema, points=points):
            return store.restore(Path(source), schema=schema, points=points)
    raise TypeError(f"unknown call {type(call).__name__}")


def _on_shard(generation: OpenGeneration, call: messages.Call) -> Any:
    match call:
        case messages.Upsert():
            return generation.shard(call.collection).upsert(call.points)
        case messages.Candidates():
            return generation.shard(call.collection).candidates(call)
        case messages.Get():
            return generation.shard(call.collection).get(call.ids, with_vectors=call.with_vectors)
        case messages.Scroll():
            return generation.shard(call.collection).scroll(call)
        case messages.Count():
            return generation.shard(call.collection).count(call.where)
        case messages.Facet():
            return generation.shard(call.collection).facet(call)
        case messages.SetPayload():
            return generation.shard(call.collection).set_payload(call)
        case messages.Delete():
            return generation.shard(call.collection).delete(ids=call.ids, where=call.where)
    raise TypeError(f"unknown call {type(call).__name__}")


def _failure(error: MemoryError_) -> messages.Failure:
    match error:
        case MemoryUnavailableError(reason=reason):
            return messages.Failure("Unavailable", str(error), reason)
        case InvalidRecordError():
            return messages.Failure("Record", str(error))
        case InvalidBackupError():
            return messages.Failure("Backup", str(error))
    return messages.Failure("Refused", str(error))


def main() -> int:
    """Serve the folder named on the command line over standard input and output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # The engine, or a library below it, may print: that must not land between two frames.
    sink = os.dup(1)
    os.dup2(2, 1)
    Worker(Path(sys.argv[1]), source=0, sink=sink).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
