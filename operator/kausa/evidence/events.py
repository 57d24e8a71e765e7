"""Evidence from Events about one object: repeats folded, newest last, warnings before the rest."""

from __future__ import annotations

from datetime import UTC, datetime

from kausa.cluster.objects import Event, ObjectReference
from kausa.cluster.reader import ClusterReader
from kausa.evidence.dossier import Evidence, Source
from kausa.evidence.reading import Reading
from kausa.resources.evidence import EvidenceKind

__all__ = ["fold_events", "gather_events"]

MOST_EVENTS = 12
_EPOCH = datetime.fromtimestamp(0, UTC)


async def gather_events(reader: ClusterReader, *, about: ObjectReference) -> Reading:
    """The warnings about an object; where there are none, whatever its Events say."""
    # Kubernetes keeps the Events about what belongs to no namespace in this one.
    events = await reader.events_about(namespace=about.namespace or "default", uid=about.uid)
    warnings = tuple(each for each in events if each.type == "Warning")
    return Reading(evidence=fold_events(warnings or events, about=about))


def fold_events(events: tuple[Event, ...], *, about: ObjectReference) -> tuple[Evidence, ...]:
    """One piece of evidence for each distinct reason, container and message, with its count."""
    folded: dict[tuple[str, str, str, str], tuple[int, datetime]] = {}
    for event in events:
        path = event.involved_object.field_path
        key = (event.type.lower(), event.reason, path, " ".join(event.message.split()))
        count, last = folded.get(key, (0, _EPOCH))
        folded[key] = (count + event.repeats, max(last, event.last_seen or _EPOCH))
    ordered = sorted(folded.items(), key=lambda item: item[1][1])[-MOST_EVENTS:]
    return tuple(
        Evidence(
            kind=EvidenceKind.EVENT,
            source=Source(
                kind=about.kind, name=about.name, field_path=f"events[{reason}] {path}".strip()
            ),
            time=last if last > _EPOCH else None,
            text=f"{type_} event {reason}, seen {count} time{'s' if count != 1 else ''}: {message}",
        )
        for (type_, reason, path, message), (count, last) in ordered
    )
