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

__all__ = ["CapturedChange", "captured", "captured_changes"]

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


def captured(name: str, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The type and object of every change of a recorded stream; bookmarks are left out."""
    text = gzip.decompress((FOLDER / f"{name}.watch.json.gz").read_bytes()).decode()
    decoder, position = json.JSONDecoder(), 0
    while position < len(text):
        change, position = decoder.raw_decode(text, position)
        while position < len(text) and text[position].isspace():
            position += 1
        if change["object"]["kind"] == kind:
            yield change["type"], change["object"]


def captured_changes() -> list[CapturedChange]:
    """Pods and Events in the order of their versions, in which they were written; the moment of
    each is the newest time that it tells, and never goes back.
    """
    found = [*captured("pods", "Pod"), *captured("events", "Event")]
    last, changes = _BEGINNING, []
    for type_, document in sorted(found, key=lambda each: _version(each[1])):
        last = max(last, _newest(document))
        changes.append(
            CapturedChange(
                at=last,
                kind=document["kind"],
                deleted=type_ == "DELETED",
                raw=json.dumps(document).encode(),
            )
        )
    return changes


def _version(document: dict[str, Any]) -> int:
    return int(document["metadata"]["resourceVersion"])


def _newest(document: dict[str, Any]) -> datetime:
    """A deletion may be announced for later, and a container may have started in 1970."""
    meta = {**document["metadata"], "deletionTimestamp": None}
    times = _TIME.findall(json.dumps({**document, "metadata": meta}))
    return max((datetime.fromisoformat(f"{each}+00:00") for each in times), default=_BEGINNING)
