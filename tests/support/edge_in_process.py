"""The embedded store with its worker in this process: every frame is made and read, no process is.

The engine holds the GIL and the event loop then, which tests of what it answers do not mind.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec

from kausa.memory.edge import messages
from kausa.memory.edge.client import EdgeStore
from kausa.memory.edge.folder import StoreFolder
from kausa.memory.edge.keeper import WorkerKeeper
from kausa.memory.edge.process import error_of, worker_command
from kausa.memory.edge.worker import Worker
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.filters import EVERYTHING
from kausa.memory.store import COLLECTIONS, Schema

__all__ = [
    "InProcessKeeper",
    "KeptStore",
    "copy_folder",
    "in_process_store",
    "made_folder",
    "quick_folder",
]


class InProcessKeeper(WorkerKeeper):
    """Asks a worker that is an object."""

    def __init__(self, folder: Path, *, most_points: int = 100_000) -> None:
        super().__init__(
            folder=folder, most_points=most_points, hung_after_seconds=30, command=worker_command
        )
        self._place = folder
        self._own_call = messages.Own(most_points=most_points)
        self._object: Worker | None = None
        self._gone = False

    async def call(
        self,
        call: messages.Call,
        *,
        schema: Schema | None = None,
        beside: bool = False,
        patient: bool = False,
        deadline_seconds: float,
    ) -> msgspec.Raw:
        if self._gone:
            raise MemoryUnavailableError("the memory is closed", reason="Closed")
        if self._object is None:
            worker = Worker(self._place, source=-1, sink=-1)
            self._ask(worker, messages.Request(id=1, call=self._own_call))
            self._object = worker
        return self._ask(
            self._object, messages.Request(id=2, call=call, schema=schema, beside=beside)
        )

    def _ask(self, worker: Worker, request: messages.Request) -> msgspec.Raw:
        sent = messages.encode(request)[messages.HEADER_BYTES :]
        frame = worker.answer(messages.decode_request(sent))
        answer = messages.decode_answer(frame[messages.HEADER_BYTES :])
        if answer.failure is not None:
            raise error_of(answer.failure)
        return answer.result

    async def release(self) -> None:
        worker, self._object = self._object, None
        if worker is not None:
            worker.close()

    async def close(self) -> None:
        self._gone = True
        await self.release()


def in_process_store(folder: Path, *, most_points: int = 100_000) -> EdgeStore:
    """A store like any other, to be opened and closed."""
    return EdgeStore(folder=folder, keeper=InProcessKeeper(folder, most_points=most_points))


class KeptStore:
    """Stores of one schema, one after the other over a worker that stays: opening takes most of a
    test's time. Each is empty at first; what a test left in another state is thrown away.
    """

    def __init__(self, schema: Schema, *, folders: Iterator[Path]) -> None:
        self._schema = schema
        self._folders = folders
        self._folder = next(folders)
        self._keeper = _LentKeeper(self._folder)

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[EdgeStore]:
        """An open store."""
        store = EdgeStore(folder=self._folder, keeper=self._keeper)
        await store.open(self._schema, deadline_seconds=30)
        yield store
        if not await self._emptied():
            await self.end()
            self._folder = next(self._folders)
            self._keeper = _LentKeeper(self._folder)

    async def end(self) -> None:
        """Let go of the folder."""
        await self._keeper.end()

    async def _emptied(self) -> bool:
        store = EdgeStore(folder=self._folder, keeper=self._keeper)
        generations = await store.generations(deadline_seconds=30)
        if [each.schema for each in generations] != [self._schema]:
            return False
        await store.open(self._schema, deadline_seconds=30)
        for collection in COLLECTIONS:
            await store.delete(collection, where=EVERYTHING, deadline_seconds=30)
        return True


class _LentKeeper(InProcessKeeper):
    """Whoever closes it leaves the worker to the next."""

    async def close(self) -> None:
        return

    async def end(self) -> None:
        await super().close()


def made_folder(folder: Path, schema: Schema) -> Path:
    """An empty store of this schema: making one costs a third of a second, copying it little."""
    raw = folder.with_name("raw")
    store = StoreFolder(raw, wait_seconds=0)
    store.open(schema)
    store.close()
    copy_folder(raw, folder)
    shutil.rmtree(raw)
    return folder


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A folder in memory, where there is one: these tests ask what is answered, not what lasts.

    A store is some hundred files, and each flush waits for the disk for every one that changed.
    """
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def copy_folder(source: Path, target: Path) -> Path:
    """A copy with as many holes as there may be, that does not wait for the disk."""
    shutil.copytree(source, target, copy_function=_copy_with_holes)
    return target


def _copy_with_holes(source: str, target: str) -> None:
    with open(source, "rb") as old, open(target, "wb") as new:
        size = os.fstat(old.fileno()).st_size
        new.truncate(size)
        end = 0
        while end < size:
            try:
                start = os.lseek(old.fileno(), end, os.SEEK_DATA)
            except OSError:
                return
            end = os.lseek(old.fileno(), start, os.SEEK_HOLE)
            for at in range(start, end, _BLOCK):
                block = os.pread(old.fileno(), min(_BLOCK, end - at), at)
                if block != _NOTHING[: len(block)]:
                    os.pwrite(new.fileno(), block, at)


_BLOCK = 64 * 1024
_NOTHING = bytes(_BLOCK)
