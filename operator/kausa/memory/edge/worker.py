"""The store's own process: `python -m kausa.memory.edge.worker FOLDER`, started by `client.py`.

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
from pathlib import Path
from typing import Any

from kausa.memory.edge import messages
from kausa.memory.edge.shard import Schema, Shard
from kausa.memory.errors import MemoryUnavailableError

__all__ = ["FLUSH_SECONDS", "Worker", "main"]

FLUSH_SECONDS = 3.0
"""What the loss of a node can cost. The loss of a process costs nothing: Edge's log has it."""


class Worker:
    """Answers one call after the other; flushes, and forgets what is too much, in between."""

    def __init__(self, folder: Path, *, source: int, sink: int) -> None:
        self._folder = folder
        self._source = source
        self._sink = sink
        self._shard: Shard | None = None
        self._flush_at = 0.0

    def serve(self) -> None:
        """Work until the operator closes the pipe, or is gone."""
        try:
            while (frame := self._next_frame()) is not None:
                request = messages.decode_request(frame)
                self._write(messages.encode(self._answer(request)))
        except BrokenPipeError:
            pass  # the operator went while its answer was being written
        finally:
            if self._shard is not None:
                self._shard.close()

    def _answer(self, request: messages.Request) -> messages.Answer:
        try:
            return messages.Answer(id=request.id, result=self._do(request.call))
        except MemoryUnavailableError as error:
            return messages.Answer(id=request.id, reason=error.reason, message=str(error))
        # Edge raises nothing narrower. A panic of the engine is a BaseException: it ends the
        # process, and the next one replays the log.
        except Exception as error:
            return messages.Answer(
                id=request.id,
                reason="StoreUnavailable",
                message=f"the store in {self._folder} refused "
                f"{type(request.call).__name__}: {error}",
            )

    def _do(self, call: messages.Call) -> Any:
        if isinstance(call, messages.Open):
            schema = Schema(model=call.model, dimensions=call.dimensions)
            self._shard = self._shard or Shard(
                self._folder, schema=schema, most_records=call.most_records
            )
            return None
        if self._shard is None:
            raise MemoryUnavailableError("the store is not open", reason="StoreUnavailable")
        return _on_shard(self._shard, call)

    def _next_frame(self) -> bytes | None:
        """The next request; meanwhile, a flush whenever one is due. None at the end of input."""
        while True:
            dirty = self._shard is not None and self._shard.dirty
            now = time.monotonic()
            if not dirty:
                self._flush_at = now + FLUSH_SECONDS
            elif self._shard is not None and now >= self._flush_at:
                self._flush_at = now + FLUSH_SECONDS
                self._tidy(self._shard)
            wait = max(0.0, self._flush_at - time.monotonic()) if dirty else None
            if select.select([self._source], [], [], wait)[0]:
                header = self._read(messages.HEADER_BYTES)
                return None if header is None else self._read(messages.body_length(header))

    def _tidy(self, shard: Shard) -> None:
        try:
            shard.flush()
            shard.trim()  # what it took out is flushed in the next round
        except Exception as error:  # a full disk: still readable, and tried again
            print(f"Memory was not tidied folder={self._folder} error={error}", file=sys.stderr)

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


def _on_shard(shard: Shard, call: messages.Call) -> Any:
    match call:
        case messages.Upsert(points=points):
            return shard.upsert(points)
        case messages.Search():
            return shard.search(
                call.vector,
                where=call.where,
                limit=call.limit,
                minimum_score=call.minimum_score,
            )
        case messages.Get(point_id=point_id):
            return shard.get(point_id)
        case messages.Count(where=where):
            return shard.count(where)
        case messages.Delete(ids=ids, where=where):
            return shard.delete(ids=ids, where=where)
        case messages.Flush():
            return shard.flush()
    raise TypeError(f"unknown call {type(call).__name__}")


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
