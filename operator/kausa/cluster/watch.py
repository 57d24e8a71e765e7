"""The typed watch: every change of one kind of object, none missed, deletions in a gap included.

LIST in pages, then WATCH with bookmarks from the list's version. A cut connection resumes from the
last version seen. When that version has expired (410: in the stream, as HTTP status of the watch or
of a `continue` token) the kind is listed again and compared with the uids known before, so that
what vanished in the gap is delivered as deleted. Kopf's own watch does none of the last three,
which is why the streams stay outside of it.
How long to wait before the next try is decided in pace.py.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from kausa.cluster.client import KubernetesClient
from kausa.cluster.errors import ApiError, ClusterError, GoneError, api_error
from kausa.cluster.lines import split_lines
from kausa.cluster.objects import Meta
from kausa.cluster.pace import Pace
from kausa.cluster.paths import ResourcePath
from kausa.telemetry.logs import get_logger

__all__ = ["Change", "ChangeType", "Watcher"]


class _HasMeta(Protocol):
    @property
    def metadata(self) -> Meta: ...


T = TypeVar("T", bound=_HasMeta)

PAGE_SIZE = 500
SILENCE_SECONDS = 70.0
CHANGES_BETWEEN_YIELDS = 256

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
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
        self._pace = Pace(kind=resource.plural)
        self.synced = asyncio.Event()
        """Set once the first list has been delivered whole."""
        self.undecodable = 0
        """How many objects could not be decoded and were skipped."""

    async def changes(self) -> AsyncIterator[Change[T]]:
        """Every change, for ever; failures (a missing permission too) are waited out with full
        jitter, and said once in the log until the stream is back.
        """
        while True:
            self._pace.begins()
            try:
                if self._version is None:
                    async for change in self._list():
                        yield change
                    self.synced.set()
                async for change in self._watch():
                    yield change
            except GoneError as error:
                self._version = None
                await self._pace.expired(error)
            except ClusterError as error:
                await self._pace.failed(error)
            else:
                await self._pace.ended()

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
        self._pace.listed()

    async def _watch(self) -> AsyncIterator[Change[T]]:
        parameters = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version or "",
            "timeoutSeconds": str(random.randint(240, 480)),  # noqa: S311 - spreads load, no secret
            **self._selector,
        }
        self._pace.watches()
        async with self._client.stream(
            self._path, parameters=parameters, silence_seconds=self._silence_seconds
        ) as chunks:
            lines = 0
            async for line in split_lines(chunks):
                change = self._read_line(line)
                if change is not None:
                    yield change
                lines += 1
                if lines % CHANGES_BETWEEN_YIELDS == 0:
                    await asyncio.sleep(0)

    def _read_line(self, line: bytes) -> Change[T] | None:
        try:
            envelope = msgspec.json.decode(line, type=_Line)
        except _UNREADABLE:
            self._skip("a line of the watch that is not a change")
            return None
        if envelope.type == "ERROR":
            raise _failure(envelope.object)
        deleted = envelope.type == "DELETED"
        change = self._decode(
            envelope.object, type_=ChangeType.DELETED if deleted else ChangeType.SEEN
        )
        if change is None:
            return None
        self._pace.delivers()
        if envelope.type == "BOOKMARK":
            return None
        (self._known.discard if deleted else self._known.add)(change.uid)
        return change

    def _decode(self, raw: msgspec.Raw, *, type_: ChangeType) -> Change[T] | None:
        try:
            decoded = self._decoder.decode(raw)
        except _UNREADABLE as error:
            self._skip(str(error))
            return None
        if decoded.metadata.resource_version and self._version is not None:
            self._version = decoded.metadata.resource_version
        return Change(type=type_, uid=decoded.metadata.uid, object=decoded)

    def _skip(self, why: str) -> None:
        self.undecodable += 1
        if self.undecodable == 1:
            _logger.warning("Skipped an object that cannot be read", kind=self._name, why=why)


def _failure(raw: msgspec.Raw) -> ApiError:
    """The error that a watch ends with, however odd: it must not end us too."""
    try:
        found = msgspec.json.decode(raw, type=dict[str, Any])
    except _UNREADABLE:
        found = {}
    code, reason, message = (found.get(name) for name in ("code", "reason", "message"))
    reason = reason if isinstance(reason, str) else ""
    status = str(code) if isinstance(code, int | str) else ""
    if reason in ("Expired", "Gone"):
        status = "410"
    return api_error(
        status=int(status) if re.fullmatch("[1-5][0-9][0-9]", status) else 500,
        reason=reason,
        message=message if isinstance(message, str) else "",
    )
