"""The baseline: an echo, which understands nothing and repeats what its input says.

Most cases can be passed by copying enough of the input. So the echo may say as much as a
diagnosis, and its rate stands beside every score: what is above it was understood.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kausa.cluster.snapshot import Snapshot
from kausa.evaluation.scoring import LONGEST_TEXT

__all__ = ["echo_of"]

_WORDS = ("reason", "message")


def echo_of(snapshot: Snapshot) -> str:
    """The reasons and messages of warnings first, then of everything that is not well."""
    said: dict[str, None] = {}
    for words in (*_events(snapshot), *_statuses(snapshot)):
        said[words] = None
    return "; ".join(said)[:LONGEST_TEXT]


def _events(snapshot: Snapshot) -> Iterator[str]:
    for found in snapshot.every():
        if found["kind"] == "Event" and found.get("type") != "Normal":
            yield ": ".join(str(found.get(each) or "") for each in _WORDS)


def _statuses(snapshot: Snapshot) -> Iterator[str]:
    for found in snapshot.every():
        if found["kind"] != "Event":
            yield from _said(found.get("status"))


def _said(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        words = [value[each] for each in _WORDS if isinstance(value.get(each), str)]
        if words and value.get("status") != "True":
            yield ": ".join(words)
        for each in value.values():
            yield from _said(each)
    elif isinstance(value, list):
        for each in value:
            yield from _said(each)
