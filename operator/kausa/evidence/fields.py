"""Looking into raw manifests that may have any shape: a wrong one reads as if it were not there.

Custom resources, files edited by hand and fuzzers have strings where maps are expected. A gatherer
that had to ask at every step would be unreadable, and one that did not would fall over.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

__all__ = [
    "at",
    "flag",
    "labels_of",
    "listed",
    "moment",
    "name_of",
    "namespace_of",
    "number",
    "rows",
    "strings",
    "table",
    "text",
    "uid_of",
]

MOST_ROWS = 500
LARGEST = 2**63
_NOTHING: Mapping[str, Any] = {}


def at(value: object, *path: str) -> Any:
    """What lies under these keys; None where there is nothing."""
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def text(value: object, *path: str) -> str:
    """A string, or a number as one; empty for all else."""
    found = at(value, *path)
    if isinstance(found, str):
        return found
    if isinstance(found, (int, float)) and not isinstance(found, bool):
        return str(found) if not isinstance(found, int) or abs(found) < LARGEST else ""
    return ""


def number(value: object, *path: str) -> int | None:
    """A whole number; None for all else."""
    found = at(value, *path)
    if isinstance(found, bool) or not isinstance(found, int) or abs(found) > LARGEST:
        return None
    return found


def flag(value: object, *path: str) -> bool:
    """Whether it says true."""
    return at(value, *path) is True


def table(value: object, *path: str) -> Mapping[str, Any]:
    """A map, or an empty one."""
    found = at(value, *path)
    return found if isinstance(found, Mapping) else _NOTHING


def listed(value: object, *path: str) -> bool:
    """Whether there is a list, an empty one included."""
    return isinstance(at(value, *path), (list, tuple))


def rows(value: object, *path: str) -> tuple[Mapping[str, Any], ...]:
    """The maps in a list, at most 500."""
    found = at(value, *path)
    if not isinstance(found, (list, tuple)):
        return ()
    return tuple(each for each in found[:MOST_ROWS] if isinstance(each, Mapping))


def strings(value: object, *path: str) -> tuple[str, ...]:
    """The strings in a list, at most 500."""
    found = at(value, *path)
    if not isinstance(found, (list, tuple)):
        return ()
    return tuple(each for each in found[:MOST_ROWS] if isinstance(each, str))


def moment(value: object, *path: str) -> datetime | None:
    """A time with its zone; None for all else."""
    found = at(value, *path)
    if isinstance(found, datetime):
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    if not isinstance(found, str):
        return None
    try:
        read = datetime.fromisoformat(found)
    except ValueError:
        return None
    return read if read.tzinfo else None


def name_of(manifest: object) -> str:
    """The object's name."""
    return text(manifest, "metadata", "name")


def namespace_of(manifest: object) -> str:
    """The object's namespace."""
    return text(manifest, "metadata", "namespace")


def uid_of(manifest: object) -> str:
    """The object's uid."""
    return text(manifest, "metadata", "uid")


def labels_of(manifest: object) -> dict[str, str]:
    """The object's labels, as far as they are strings."""
    found = table(manifest, "metadata", "labels")
    return {key: each for key, each in found.items() if isinstance(each, str)}
