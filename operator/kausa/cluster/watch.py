"""The typed watch: every change of one kind of object, none missed, deletions in a gap included.

LIST in pages, then WATCH with bookmarks from the list's version. A cut connection resumes from the
last version seen. When that version has expired (410: in the stream, as HTTP status of the watch or
of a `continue` token) the kind is listed again and compared with the uids known before, so that
what vanished in the gap is delivered as deleted. Kopf's own watch does none of the last three,
which is why the streams stay outside of it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

import msgspec

from kausa.cluster.client import KubernetesClient
from kausa.cluster.errors import ClusterError, GoneError, api_error
from kausa.cluster.lines import split_lines
from kausa.cluster.objects import Meta
from kausa.cluster.paths import ResourcePath
from kausa.telemetry.logs import get_logger
from kausa.telemetry.trouble import Trouble

__all__ = ["Change", "ChangeType", "Watcher"]


class _HasMeta(Protocol):
    @property
    def metadata(self) -> Meta: ...


T = TypeVar("T", bound=_HasMeta)

PAGE_SIZE = 500
SILENCE_SECONDS = 70.0
LONGEST_BACKOFF_SECONDS = 30.0
CHANGES_BETWEEN_YIELDS = 256

_logger = get_logger("kausa.cluster.watch")


class ChangeType(StrEnum):
    """What happened to an object."""

    SEEN = "SEEN"
    """It exists: added, modified, or found by a list."""
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Generic[T]):
    """One object and what happened to it; a deletion found by comparing lists has no object."""

    type: ChangeType
    uid: str
    object: T | None


class _Line(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _Failure(msgspec.Struct):
    code: int = 0
    reason: str = ""
    message: str = ""


class Watcher(Generic[T]):
    """Watches one kind for as long as it is iterated.

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
        silence_seconds: float = SILENCE_SECONDS,
        page_size: int = PAGE_SIZE,
    ) -> None:
        self._client = client
        self._path = resource.collection(namespace=namespace)
        self._name = resource.plural
        self._decoder = msgspec.json.Decoder(kind)
        self._selector = {"fieldSelector": field_selector} if field_selector else {}
        self._silence_seconds = silence_seconds
        self._page_size = page_size
        self._known: set[str] = set()
        self._version: str | None = None
        self._trouble = Trouble(
            _logger,
            failed="Watch failed, trying again until it is back",
            recovered="Watch is back",
        )
        self.synced = asyncio.Event()
        """Set once the first list has been delivered whole."""
        self.undecodable = 0
        """How many objects could not be decoded and were skipped."""

    async def changes(self) -> AsyncIterator[Change[T]]:
        """Every change, for ever; failures (a missing permission too) are waited out with full
        jitter, and said once in the log until the stream is back.
        """
        while True:
            try:
                if self._version is None:
                    async for change in self._list():
                        yield change
                    self.synced.set()
                async for change in self._watch():
                    yield change
                self._trouble.over(kind=self._name)
            except GoneError:
                _logger.info("Watch expired, listing again", kind=self._name)
                self._version = None
            except ClusterError as error:
                await self._wait_out(error)

    async def _list(self) -> AsyncIterator[Change[T]]:
        found: set[str] = set()
        parameters = {"limit": str(self._page_size), **self._selector}
        while True:
            page = await self._client.list_page(self._path, parameters=parameters)
            for item in page.items:
                change = self._decode(item, type_=ChangeType.SEEN)
                if change is not None:
                    found.add(change.uid)
                    self._known.add(change.uid)
                    yield change
            await asyncio.sleep(0)
            if not page.metadata.continue_:
                break
            parameters["continue"] = page.metadata.continue_
        for uid in self._known - found:
            yield Change(type=ChangeType.DELETED, uid=uid, object=None)
        self._known = found
        self._version = page.metadata.resource_version
        self._trouble.over(kind=self._name)

    async def _watch(self) -> AsyncIterator[Change[T]]:
        parameters = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version or "",
            "timeoutSeconds": str(random.randint(240, 480)),  # noqa: S311 - spreads load, no secret
            **self._selector,
        }
        async with self._client.stream(
            self._path, parameters=parameters, silence_seconds=self._silence_seconds
        ) as chunks:
            delivered = 0
            async for line in split_lines(chunks):
                change = self._read_line(line)
                if change is not None:
                    yield change
                delivered += 1
                if delivered % CHANGES_BETWEEN_YIELDS == 0:
                    await asyncio.sleep(0)

    def _read_line(self, line: bytes) -> Change[T] | None:
        try:
            envelope = msgspec.json.decode(line, type=_Line)
        except (msgspec.DecodeError, msgspec.ValidationError):
            self._skip("a line of the watch that is not a change")
            return None
        if envelope.type == "ERROR":
            failure = msgspec.json.decode(envelope.object, type=_Failure)
            raise api_error(status=failure.code, reason=failure.reason, message=failure.message)
        deleted = envelope.type == "DELETED"
        change = self._decode(
            envelope.object, type_=ChangeType.DELETED if deleted else ChangeType.SEEN
        )
        if envelope.type == "BOOKMARK" or change is None:
            return None
        (self._known.discard if deleted else self._known.add)(change.uid)
        return change

    def _decode(self, raw: msgspec.Raw, *, type_: ChangeType) -> Change[T] | None:
        try:
            decoded = self._decoder.decode(raw)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            self._skip(str(error))
            return None
        if decoded.metadata.resource_version and self._version is not None:
            self._version = decoded.metadata.resource_version
        return Change(type=type_, uid=decoded.metadata.uid, object=decoded)

    def _skip(self, why: str) -> None:
        self.undecodable += 1
        if self.undecodable == 1:
            _logger.warning("Skipped an object that cannot be read", kind=self._name, why=why)

    async def _wait_out(self, error: ClusterError) -> None:
        """Wait with full jitter."""
        self._trouble.happened(error, kind=self._name)
        ceiling = min(LONGEST_BACKOFF_SECONDS, 0.1 * 2 ** min(self._trouble.failures, 12))
        await asyncio.sleep(random.uniform(0, ceiling))  # noqa: S311 - spreads load, no secret
