"""Logs, manifests and Events as passages that can be searched: redacted whole, then cut.

Of a log its errors and warnings are kept (one of a kind) and its end, not the rest: a memory that
holds every line finds nothing. Of manifests what people write, not what controllers make of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import yaml

from kausa.cluster.kinds import KINDS
from kausa.evidence.fields import name_of, namespace_of, table, text
from kausa.evidence.logs import TAIL_BYTES, LogSummary, last_lines
from kausa.evidence.redaction import Redactor
from kausa.evidence.slimming import slim
from kausa.memory.chunking.logs import entries_of
from kausa.memory.chunking.markdown import RunbookSource, digest_of
from kausa.memory.chunking.tokens import ChunkSize, count_tokens
from kausa.memory.chunking.windows import windows
from kausa.memory.records import RunbookChunk

__all__ = ["events_by_namespace", "log_sections", "manifests_by_namespace", "passages"]

MOST_PASSAGES: Final = 400
"""Of one document."""
LONGEST_MANIFEST: Final = 64 * 1024
MOST_EVENTS: Final = 2000
_MADE_BY_CONTROLLERS: Final = frozenset(
    {
        *("ControllerRevision", "EndpointSlice", "Endpoints", "Lease", "PodMetrics", "NodeMetrics"),
        *("CSINode", "VolumeAttachment", "CustomResourceDefinition", "Secret", "Event"),
    }
)
"""Secrets are not theirs, but nobody's to keep."""
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
Section = tuple[tuple[str, ...], list[str]]
"""Headings, and the pieces below them that are best kept whole."""


def passages(
    sections: Iterable[Section], *, of: RunbookSource, size: ChunkSize
) -> tuple[RunbookChunk, ...]:
    """A document that is redacted already, as the passages that are indexed for it."""
    found: list[tuple[tuple[str, ...], str]] = []
    for headings, pieces in sections:
        taken = count_tokens(" > ".join((of.title, *headings)))
        limit = max(size.tokens // 4, size.tokens - taken)
        cut = windows(pieces, limit=limit, overlap=min(size.overlap, limit // 2))
        found += [(headings, each.text.strip()) for each in cut if each.text.strip()]
        if len(found) >= MOST_PASSAGES:
            break
    found = found[:MOST_PASSAGES]
    digest = digest_of(found, replace(of, changed_at=None), size)
    return tuple(
        RunbookChunk(
            cluster=of.cluster,
            namespace=of.namespace,
            name=of.name,
            source=of.source,
            title=of.title,
            headings=headings,
            text=said,
            position=position,
            count=len(found),
            digest=digest,
            last_seen=of.changed_at,  # type: ignore[arg-type]
        )
        for position, (headings, said) in enumerate(found)
    )


def log_sections(summary: LogSummary, *, redactor: Redactor) -> Iterator[Section]:
    """What a log says of trouble, and how it ends."""
    best = [summary.decisive] if summary.decisive is not None else []
    entries = {each.entry.line: each.entry.text for each in (*best, *summary.troubles)}
    if entries:
        said = [redactor.text(each).value + "\n" for each in entries.values()]
        yield ("Errors and warnings",), said
    tail = last_lines(redactor.text(summary.tail).value, size=TAIL_BYTES)
    yield ("The end",), entries_of(tail)


def manifests_by_namespace(
    objects: Iterable[Mapping[str, Any]], *, namespace: str | None, redactor: Redactor
) -> dict[str | None, list[Section]]:
    """What people wrote, by whose it is; None where nobody knows."""
    found: dict[str | None, list[Section]] = {}
    for each in objects:
        kind = text(each, "kind")
        if kind in _MADE_BY_CONTROLLERS or table(each, "metadata").get("ownerReferences"):
            continue
        slimmer = {key: value for key, value in slim(dict(each)).items() if key != "status"}
        clean = redactor.tree(slimmer).value
        written = yaml.safe_dump(clean, sort_keys=False, width=100, allow_unicode=True)
        lines = _LINES.findall(written[:LONGEST_MANIFEST])
        where = _namespace_of(each, given=namespace)
        heading = redactor.text(f"{kind} {name_of(each)}").value
        found.setdefault(where, []).append(((heading,), lines))
    return found


def events_by_namespace(
    objects: Iterable[Mapping[str, Any]], *, redactor: Redactor
) -> dict[str, list[Section]]:
    """What Events say, by the namespace they are in and the object they are about."""
    found: dict[str, dict[str, list[str]]] = {}
    events = [each for each in objects if text(each, "kind") == "Event"]
    for each in sorted(events, key=_last_seen)[-MOST_EVENTS:]:
        about = table(each, "involvedObject") or table(each, "regarding")
        title = f"Events of {about.get('kind', 'object')} {about.get('name', '')}".strip()
        said = text(each, "message") or text(each, "note")
        count = each.get("count")
        times = f" ({count} times)" if isinstance(count, int) and count > 1 else ""
        line = f"{_last_seen(each)} {text(each, 'reason')}{times}: {said}".strip()
        where = namespace_of(each) or str(about.get("namespace") or "default")
        clean = redactor.text(line).value + "\n"
        heading = redactor.text(title).value
        found.setdefault(where, {}).setdefault(heading, []).append(clean)
    return {
        where: [((title,), lines) for title, lines in by_title.items()]
        for where, by_title in found.items()
    }


def _namespace_of(found: Mapping[str, Any], *, given: str | None) -> str | None:
    """A manifest without a namespace is applied to whichever kubectl names."""
    known = KINDS.get(text(found, "kind"))
    if known is not None and not known.namespaced:
        return given
    return namespace_of(found) or given


def _last_seen(event: Mapping[str, Any]) -> str:
    series = table(event, "series")
    values: Sequence[object] = (
        event.get("lastTimestamp"),
        series.get("lastObservedTime"),
        event.get("eventTime"),
        event.get("firstTimestamp"),
    )
    return next((each for each in values if isinstance(each, str) and each), "")
