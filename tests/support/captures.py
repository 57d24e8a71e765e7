"""The recorded watch streams of a real node, each change with the moment when it happened."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = ["CapturedChange", "captured_changes"]

FOLDER = Path(__file__).parents[1] / "captures"
_TIME = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)Z"')
_BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedChange:
    """One change of one stream."""

    at: datetime
    kind: str
    deleted: bool
    raw: bytes
    """The object as the API server sent it."""


def captured_changes() -> list[CapturedChange]:
    """Pods and Events in the order of their versions, in which they were written; the moment of
    each is the newest time that it tells, and never goes back.
    """
    documents = [*_stream("pods.watch.json.gz"), *_stream("events.watch.json.gz")]
    last, changes = _BEGINNING, []
    for change in sorted(documents, key=_version):
        found = change["object"]
        last = max(last, _newest(found))
        changes.append(
            CapturedChange(
                at=last,
                kind=found["kind"],
                deleted=change["type"] == "DELETED",
                raw=json.dumps(found).encode(),
            )
        )
    return changes


def _version(change: dict[str, Any]) -> int:
    return int(change["object"]["metadata"]["resourceVersion"])


def _stream(name: str) -> Iterator[dict[str, Any]]:
    text = gzip.decompress((FOLDER / name).read_bytes()).decode()
    return (each for each in _documents(text) if each["object"]["kind"] in ("Pod", "Event"))


def _documents(text: str) -> Iterator[dict[str, Any]]:
    decoder, position = json.JSONDecoder(), 0
    while (start := _next(text, position)) is not None:
        document, position = decoder.raw_decode(text, start)
        yield document


def _next(text: str, position: int) -> int | None:
    found = re.compile(r"\S").search(text, position)
    return found.start() if found else None


def _newest(found: dict[str, Any]) -> datetime:
    """A deletion may be announced for later, and a container may have started in 1970."""
    meta = {**found["metadata"], "deletionTimestamp": None}
    times = _TIME.findall(json.dumps({**found, "metadata": meta}))
    return max((datetime.fromisoformat(f"{each}+00:00") for each in times), default=_BEGINNING)
