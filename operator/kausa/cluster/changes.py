"""From the bytes of a watch or a list to changes of objects, and what is known to exist.

A line is decoded once, straight into its object. Decoding its envelope first and the object from
that costs a third more, because the parser goes over every byte twice; so only a line that cannot
be decoded as a change is read in that way: an error, a bookmark of a kind whose fields may not be
missing, or an object of a shape that nobody expects. Of such an object the uid is enough: it
exists, and its version counts, so that it is not taken for deleted by the next list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar, cast

import msgspec

from kausa.cluster.errors import ApiError, ClusterError, api_error
from kausa.cluster.objects import Meta, Pod
from kausa.cluster.pod_lines import Line, PodLines
from kausa.cluster.tally import WatchTally
from kausa.telemetry.logs import get_logger

__all__ = ["Change", "ChangeReader", "ChangeType", "HasMeta"]

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_logger = get_logger("kausa.cluster.watch")


class HasMeta(Protocol):
    """Any decoded Kubernetes object."""

    @property
    def metadata(self) -> Meta:
        """Its name, uid and version."""


T = TypeVar("T", bound=HasMeta)


class ChangeType(StrEnum):
    """What happened to an object."""

    SEEN = "SEEN"
    """It exists: added, modified, or found by a list."""
    DELETED = "DELETED"


_CHANGES = frozenset({"ADDED", "MODIFIED", "DELETED"})
_SEEN, _DELETED = ChangeType.SEEN, ChangeType.DELETED
"""Bound once: to ask an enumeration for a member costs more than to compare two words."""


class Change(msgspec.Struct, Generic[T], frozen=True, kw_only=True, gc=False):
    """One object and what happened to it; a deletion found by comparing lists has no object.

    A struct of msgspec, because a frozen dataclass takes a microsecond to make.
    """

    type: ChangeType
    uid: str
    object: T | None


class _Envelope(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _BareMeta(msgspec.Struct, rename="camel"):
    uid: str = ""
    resource_version: str = ""


class _Bare(msgspec.Struct):
    metadata: _BareMeta


class ChangeReader(Generic[T]):
    """Reads one stream of one kind, and knows which objects exist and how far it has come."""

    def __init__(
        self, *, kind: type[T], name: str, tally: WatchTally, on_line: Callable[[], None]
    ) -> None:
        """`on_line` is called for the first readable line after `heard` was set to False."""
        self._name = name
        self.tally = tally
        self._on_line = on_line
        self._decode: Callable[[bytes], Line[T]] = _decoder(kind)
        self._objects = msgspec.json.Decoder(kind)
        self.known: set[str] = set()
        """The uids of all objects that exist."""
        self.version = ""
        """The resourceVersion from which a watch goes on."""
        self.heard = False
        self.failure: ClusterError | None = None
        """What ended the lines that were read last."""

    def read_page(self, items: Iterable[msgspec.Raw], missing: set[str]) -> Iterator[Change[T]]:
        """The objects of a list's page; they are taken out of `missing`."""
        for item in items:
            found: T | None = None
            try:
                found = self._objects.decode(item)
                uid = found.metadata.uid
            except _UNREADABLE as error:
                self._skip(str(error))
                uid = _bare(item).uid
            if not uid:
                if found is not None:
                    self._skip("an object without a uid")
                continue
            missing.discard(uid)
            self.known.add(uid)
            if found is not None:
                self.tally.listed += 1
                yield Change(type=_SEEN, uid=uid, object=found)

    def vanish(self, missing: set[str]) -> Iterator[Change[T]]:
        """The deletions that nobody delivered: what was known and is in no page of a whole list."""
        for uid in missing:
            self.tally.vanished += 1
            self.known.discard(uid)
            yield Change(type=_DELETED, uid=uid, object=None)

    def read_lines(self, lines: Iterable[bytes]) -> Iterator[Change[T]]:
        """The changes that lines of a watch tell, each when it is asked for.

        An error that the watch ends with, in a line or on the way of one, is not raised into
        whoever takes the changes: it ends them, and waits in `failure`.
        """
        decode, known, tally = self._decode, self.known, self.tally
        try:
            for line in lines:
                try:
                    decoded = decode(line)
                except _UNREADABLE as error:
                    odd = self._read_odd(line, str(error))
                    if odd is not None:
                        yield odd
                    continue
                kind, found = decoded.type, decoded.object
                meta = found.metadata
                uid, version = meta.uid, meta.resource_version
                if not uid or kind not in _CHANGES:
                    odd = self._read_odd(line, "neither a change nor an error")
                    if odd is not None:
                        yield odd
                    continue
                if version:
                    self.version = version
                if not self.heard:
                    self._hear()
                if kind == "DELETED":
                    tally.deleted += 1
                    known.discard(uid)
                    yield Change(type=_DELETED, uid=uid, object=found)
                    continue
                if kind == "MODIFIED":
                    tally.modified += 1
                else:
                    tally.added += 1
                known.add(uid)
                yield Change(type=_SEEN, uid=uid, object=found)
        except ClusterError as error:
            self.failure = error

    def _read_odd(self, line: bytes, why: str) -> Change[T] | None:
        try:
            envelope = msgspec.json.decode(line, type=_Envelope)
        except _UNREADABLE:
            self._skip("a line of the watch that is not a change")
            return None
        if envelope.type == "ERROR":
            raise _failure(envelope.object)
        meta = _bare(envelope.object)
        if envelope.type == "BOOKMARK" and meta.resource_version:
            self.tally.bookmarks += 1
            self._reached(meta.resource_version)
            return None
        self._skip(why)
        if not meta.uid:
            return None
        self._reached(meta.resource_version)
        if envelope.type == "DELETED":
            self.tally.deleted += 1
            self.known.discard(meta.uid)
            return Change(type=_DELETED, uid=meta.uid, object=None)
        self.known.add(meta.uid)
        return None

    def _reached(self, version: str) -> None:
        if version:
            self.version = version
        if not self.heard:
            self._hear()

    def _hear(self) -> None:
        self.heard = True
        self._on_line()

    def _skip(self, why: str) -> None:
        self.tally.undecodable += 1
        if self.tally.undecodable == 1:
            _logger.warning("Skipped an object that cannot be read", kind=self._name, why=why)


def _decoder(kind: type[T]) -> Callable[[bytes], Line[T]]:
    if kind is Pod:
        return cast("Callable[[bytes], Line[T]]", PodLines().decode)
    # mypy knows no generic struct that is specialised at runtime
    return msgspec.json.Decoder(Line[kind]).decode  # type: ignore[valid-type]


def _bare(raw: msgspec.Raw) -> _BareMeta:
    """What little is needed of an object that is not of its kind's shape."""
    try:
        return msgspec.json.decode(raw, type=_Bare).metadata
    except _UNREADABLE:
        return _BareMeta()


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
