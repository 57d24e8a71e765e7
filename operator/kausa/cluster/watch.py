"""The typed watch: every change of one kind of object, none missed, deletions in a gap included.

LIST in pages, then WATCH with bookmarks from the list's version. A cut connection resumes from the
last version seen. When that version has expired (410: in the stream, as HTTP status of the watch or
of a `continue` token) the kind is listed again and compared with the uids known before, so that
what vanished in the gap is delivered as deleted. Kopf's own watch does none of the last three,
which is why the streams stay outside of it.
How long to wait before the next try is decided in pace.py, how a line is read in changes.py.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from typing import Generic, TypeVar

from kausa.cluster.changes import Change, ChangeReader, ChangeType, HasMeta
from kausa.cluster.client import KubernetesClient
from kausa.cluster.errors import ClusterError, GoneError
from kausa.cluster.lines import LineSplitter
from kausa.cluster.pace import Pace
from kausa.cluster.paths import ResourcePath
from kausa.cluster.tally import WatchTally

__all__ = ["Change", "ChangeType", "Watcher"]

T = TypeVar("T", bound=HasMeta)

PAGE_SIZE = 500
SILENCE_SECONDS = 70.0
LEAST_SECONDS_BETWEEN_LISTS = 5.0
"""Lists are what costs an API server most: however often one is asked for, this is between two."""


class Watcher(Generic[T]):
    """Watches one kind for as long as `changes` is iterated; for one event loop.

    Memory: one uid of 36 characters for each object that exists; nothing for each change.
    """

    def __init__(
        self,
        *,
        client: KubernetesClient,
        resource: ResourcePath,
        kind: type[T],
        namespace: str | None = None,
        field_selector: str = "",
        label_selector: str = "",
        resync_seconds: float = 0.0,
        silence_seconds: float = SILENCE_SECONDS,
        page_size: int = PAGE_SIZE,
    ) -> None:
        """`resync_seconds` lists everything again this often, give or take a fifth; 0 never."""
        self._client = client
        self._path = resource.collection(namespace=namespace)
        selectors = {"fieldSelector": field_selector, "labelSelector": label_selector}
        self._selectors = {name: value for name, value in selectors.items() if value}
        self._resync_seconds = resync_seconds
        self._silence_seconds = silence_seconds
        self._page_size = page_size
        self._pace = Pace(kind=resource.plural)
        self.tally = WatchTally()
        """What was done so far."""
        self._reader = ChangeReader(
            kind=kind, name=resource.plural, tally=self.tally, on_line=self._pace.delivers
        )
        self.synced = asyncio.Event()
        """Set once the first list has been delivered whole."""
        self._list_wanted = True
        self._listing = self._wanted_meanwhile = False
        self._listed_at = -LEAST_SECONDS_BETWEEN_LISTS
        self._timer: asyncio.TimerHandle | None = None
        self._waiting_for_chunk: asyncio.Timeout | None = None

    # -- what it is like -------------------------------------------------------------------------

    @property
    def objects(self) -> int:
        """How many objects are known to exist."""
        return len(self._reader.known)

    @property
    def undecodable(self) -> int:
        """How many lines and objects could not be decoded and were skipped."""
        return self.tally.undecodable

    @property
    def heard_at(self) -> float:
        """The last sign of life (time.monotonic): a page, an accepted watch, or a line of it."""
        return self._pace.heard_at

    @property
    def failing_since(self) -> float | None:
        """Since when (time.monotonic) the stream has not worked; None while it works."""
        return self._pace.failing_since

    @property
    def forbidden(self) -> bool:
        """Whether a missing permission is what is waited out now."""
        return self._pace.forbidden

    def dead_seconds(self, now: float) -> float:
        """How long the stream has not worked at `now` (time.monotonic); 0 while it works."""
        since = self._pace.failing_since
        return 0.0 if since is None else max(0.0, now - since)

    # -- what it does ----------------------------------------------------------------------------

    def request_list(self) -> None:
        """List everything again: the running watch ends at once, and what exists is delivered as
        SEEN. Shortly after a list, or while one is made, it waits for its turn.
        """
        if self._listing:
            self._wanted_meanwhile = True
        elif not self._list_wanted:
            loop = asyncio.get_running_loop()
            self._schedule(max(loop.time(), self._listed_at + LEAST_SECONDS_BETWEEN_LISTS))

    async def changes(self) -> AsyncIterator[Change[T]]:
        """Every change, for ever, one at a time; see `batches`."""
        async for batch in self.batches():
            for change in batch:
                yield change

    async def batches(self) -> AsyncIterator[Iterator[Change[T]]]:
        """Every change, for ever: all that have come, each time, to be read to their end.

        Failures (a missing permission too) are waited out with full jitter, and said once in the
        log until the stream is back.
        """
        try:
            while True:
                self._pace.begins()
                resumes = not self._list_wanted
                try:
                    if not resumes:
                        async for batch in self._list():
                            yield batch
                        self.synced.set()
                    async for batch in self._watch(resumes=resumes):
                        yield batch
                except GoneError as error:
                    self._list_wanted = True
                    self.tally.relists += 1
                    await self._pace.expired(error)
                except ClusterError as error:
                    await self._pace.failed(error)
                else:
                    if not self._list_wanted:
                        await self._pace.ended()
        finally:
            self._unschedule()

    async def _list(self) -> AsyncIterator[Iterator[Change[T]]]:
        self._unschedule()
        self._listing = True
        try:
            missing = set(self._reader.known)
            parameters = {"limit": str(self._page_size), **self._selectors}
            while True:
                page = await self._client.list_page(self._path, parameters=parameters)
                self._pace.page()
                meta, items = page.metadata, page.items
                del page
                yield self._reader.read_page(items, missing)
                # The items hold the whole page as it came, which must not wait for the next one.
                del items
                await asyncio.sleep(0)
                if not meta.continue_:
                    break
                parameters["continue"] = meta.continue_
            yield self._reader.vanish(missing)
            self._listed(meta.resource_version)
        finally:
            self._listing = False

    def _listed(self, version: str) -> None:
        now = asyncio.get_running_loop().time()
        self._reader.version, self._listed_at, self._list_wanted = version, now, False
        self.tally.lists += 1
        self._pace.listed()
        if self._resync_seconds:
            spread = random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, no secret
            self._schedule(now + self._resync_seconds * spread)
        if self._wanted_meanwhile:
            self._wanted_meanwhile = False
            self._schedule(now + LEAST_SECONDS_BETWEEN_LISTS)

    async def _watch(self, *, resumes: bool) -> AsyncIterator[Iterator[Change[T]]]:
        parameters = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._reader.version,
            "timeoutSeconds": str(random.randint(240, 480)),  # noqa: S311 - spreads load, no secret
            **self._selectors,
        }
        self.tally.reconnects += resumes
        self._pace.watches()
        async with self._client.stream(
            self._path, parameters=parameters, silence_seconds=self._silence_seconds
        ) as answer:
            self._pace.opened()
            reader, splitter = self._reader, LineSplitter()
            async for pieces in self._until_listing(answer):
                reader.heard, reader.failure = False, None
                read_before = splitter.bytes_read
                # All of them before any is judged: to do one thing at a time takes an eighth less,
                # for the code of both, and what it looks up, does not fit the processor's caches.
                yield iter(list(reader.read_lines(splitter.feed(pieces))))
                self.tally.bytes_read += splitter.bytes_read - read_before
                if reader.failure is not None:
                    raise reader.failure

    async def _until_listing(
        self, answer: AsyncIterator[Iterator[bytes]]
    ) -> AsyncIterator[Iterator[bytes]]:
        """What comes until a list is wanted, or until nothing has come for too long."""
        while not self._list_wanted:
            try:
                async with asyncio.timeout(None) as self._waiting_for_chunk:
                    pieces = await anext(answer, None)
            except TimeoutError:
                return
            finally:
                self._waiting_for_chunk = None
            if pieces is None:
                return
            yield pieces

    # -- when to list ----------------------------------------------------------------------------

    def _schedule(self, at: float) -> None:
        """A list at this moment of the event loop's clock, unless one comes earlier anyway."""
        if self._timer is not None and self._timer.when() <= at:
            return
        self._unschedule()
        self._timer = asyncio.get_running_loop().call_at(at, self._list_now)

    def _unschedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _list_now(self) -> None:
        self._timer = None
        self._list_wanted = True
        waiting, self._waiting_for_chunk = self._waiting_for_chunk, None
        if waiting is not None:
            waiting.reschedule(asyncio.get_running_loop().time())
