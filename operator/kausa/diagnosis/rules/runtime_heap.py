"""How much memory a container's settings allow its language runtime, against its limit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kausa.diagnosis.rules.facts import Fields
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import rows, strings, text
from kausa.evidence.quantity import in_words, parse_quantity

__all__ = ["Heap", "heap_of"]

_SETTINGS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("JVM", re.compile(r"(?P<flag>-Xmx)(?P<size>\d{1,9})(?P<unit>[kKmMgGtT]?)(?=\s|$|\")")),
    ("JVM", re.compile(r"(?P<flag>-XX:MaxHeapSize=)(?P<size>\d{1,12})(?P<unit>[kKmMgGtT]?)")),
    ("JVM", re.compile(r"(?P<flag>-XX:MaxRAM=)(?P<size>\d{1,12})(?P<unit>[kKmMgGtT]?)")),
    ("JVM", re.compile(r"(?P<flag>-XX:MaxRAMPercentage=)(?P<percent>\d{1,3})(?:\.\d{1,3})?")),
    ("Node", re.compile(r"(?P<flag>--max[-_]old[-_]space[-_]size=)(?P<size>\d{1,9})")),
)
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_NODE_UNIT = 1024**2
MOST_PERCENT = 80
"""A heap of more leaves the runtime's own memory (threads, classes, buffers) too little."""
_LONGEST = 8192
LIMIT_SHARE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Heap:
    """A setting of a runtime's heap."""

    runtime: str
    flag: str
    """As it was set, such as `-Xmx2g`."""
    where: str
    """`the variable JAVA_OPTS` or `its command line`."""
    size: str
    too_large: bool
    """It leaves the container's limit no room."""


def heap_of(dossier: Dossier, container: str | None, *, limit: object) -> Heap | None:
    """The heap that a container's variables or command line allow, where they say so."""
    for where, line in _lines(dossier, container):
        for runtime, setting in _SETTINGS:
            found = setting.search(line[:_LONGEST])
            if found is not None:
                return _heap(runtime, found, where=where, limit=limit)
    return None


def _heap(runtime: str, found: re.Match[str], *, where: str, limit: object) -> Heap:
    groups = found.groupdict()
    allowed = parse_quantity(limit)
    if groups.get("percent"):
        percent = int(groups["percent"])
        return Heap(
            runtime=runtime,
            flag=found[0],
            where=where,
            size=f"{percent} % of the limit",
            too_large=percent > MOST_PERCENT,
        )
    unit = _UNITS[(groups.get("unit") or "").lower()] if runtime == "JVM" else _NODE_UNIT
    size = int(groups["size"]) * unit
    return Heap(
        runtime=runtime,
        flag=found[0],
        where=where,
        size=in_words("memory", size),
        too_large=allowed is not None and size >= allowed * LIMIT_SHARE,
    )


def _lines(dossier: Dossier, name: str | None) -> Iterator[tuple[str, str]]:
    pod = dossier.object("Pod", dossier.pod.metadata.name)
    for container in _named(pod, name):
        for each in rows(container, "env"):
            yield f"the variable {text(each, 'name')}", text(each, "value")
        words = (*strings(container, "command"), *strings(container, "args"))
        yield "its command line", " ".join(words)


def _named(pod: object, name: str | None) -> Iterator[Fields]:
    for group in ("containers", "initContainers"):
        for each in rows(pod, "spec", group):
            if text(each, "name") == name:
                yield each
