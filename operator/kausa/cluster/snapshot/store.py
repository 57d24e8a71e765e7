"""All objects of a snapshot, found by the same URL paths as on an API server."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from kausa.cluster.snapshot.coverage import Coverage, Resource
from kausa.cluster.snapshot.filling import Filled, Place
from kausa.cluster.snapshot.logs import LogFiles
from kausa.cluster.snapshot.plurals import group_of, path_for

__all__ = ["ResourceUrl", "Snapshot", "parse_url"]

Json = dict[str, Any]
_TIMES = frozenset(
    {
        *("creationTimestamp", "firstTimestamp", "lastTimestamp", "eventTime", "lastObservedTime"),
        *("lastTransitionTime", "lastUpdateTime", "lastHeartbeatTime", "lastProbeTime", "time"),
        *("startedAt", "finishedAt", "startTime", "completionTime", "lastScheduleTime"),
        *("lastSuccessfulTime", "lastScaleTime", "renewTime"),
    }
)
"""Fields that tell when something happened; none that tells when something will."""
_TIME = re.compile(r"[2-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
"""Of this millennium: a time that nobody set is of the year 1 or of 1970."""
_READ_FOR_TIMES = ("metadata", "status", "series")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceUrl:
    """What a URL path of an API server asks for."""

    resource: Resource
    """Group and plural."""
    namespace: str = ""
    name: str = ""


def parse_url(path: str) -> ResourceUrl | None:
    """The parts of a path; None for what is no object and no collection, such as discovery."""
    parts = [unquote(each) for each in path.strip("/").split("/")]
    if parts[0] == "api" and len(parts) > 2:
        group, rest = "", parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, rest = parts[1], parts[3:]
    else:
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    if len(rest) > 2:
        return None
    return ResourceUrl(
        resource=(group, rest[0]), namespace=namespace, name=rest[1] if len(rest) == 2 else ""
    )


@dataclass(slots=True, kw_only=True)
class Snapshot:
    """What was read from files; changed by nobody afterwards."""

    coverage: Coverage
    logs: LogFiles
    notes: list[str] = field(default_factory=list)
    """What was left out, in sentences for a person."""
    named: Mapping[Place, str] = field(default_factory=dict)
    """The uids of all that owner references and Events name, recorded or not."""
    _objects: dict[Resource, dict[tuple[str, str], Json]] = field(default_factory=dict)
    _paths: dict[Resource, Any] = field(default_factory=dict)
    _latest: datetime | None = None
    _sorted: dict[tuple[Resource, str], list[Json]] = field(default_factory=dict)
    _about: dict[str, list[Json]] | None = None

    def take(self, filled: Filled) -> None:
        """Take in all objects; of one that was recorded twice the newer version stays."""
        self.named = filled.named
        for found in filled.objects:
            meta = found["metadata"]
            namespace, name = str(meta.get("namespace", "")), meta["name"]
            path = path_for(found["apiVersion"], found["kind"], namespaced=bool(namespace))
            resource = (group_of(found["apiVersion"], found["kind"]), path.plural)
            self._paths.setdefault(resource, path)
            self.coverage.saw(resource, namespace=namespace)
            known = self._objects.setdefault(resource, {})
            older = known.get((namespace, name))
            if older is not None and found["kind"] == "Event" and _uid(older) != _uid(found):
                name = f"{name}.{_uid(found)}"
                meta["name"] = name
            elif older is not None and _version(older) > _version(found):
                continue
            known[namespace, name] = found

    def __len__(self) -> int:
        return sum(len(each) for each in self._objects.values())

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of which any object was recorded."""
        return frozenset(path.kind for path in self._paths.values())

    def paths(self) -> Iterator[Any]:
        """Where the objects of every recorded kind live."""
        return iter(self._paths.values())

    def get(self, url: ResourceUrl) -> Json | None:
        """One object."""
        return self._objects.get(url.resource, {}).get((url.namespace, url.name))

    def collection(self, url: ResourceUrl) -> Sequence[Json]:
        """The objects of a collection, by namespace and name, as an API server sorts them."""
        key = (url.resource, url.namespace)
        if key not in self._sorted:
            found = self._objects.get(url.resource, {})
            places = sorted(each for each in found if url.namespace in ("", each[0]))
            self._sorted[key] = [found[place] for place in places]
        return self._sorted[key]

    def events_about(self, url: ResourceUrl, *, uid: str) -> Sequence[Json]:
        """The Events of a collection about one object: what is asked for every failure."""
        if self._about is None:
            self._about = {}
            for each in self.collection(ResourceUrl(resource=url.resource)):
                about = each.get("involvedObject")
                known = about.get("uid") if isinstance(about, dict) else None
                self._about.setdefault(str(known), []).append(each)
        found = self._about.get(uid, [])
        return [each for each in found if url.namespace in ("", each["metadata"].get("namespace"))]

    def every(self) -> Iterator[Json]:
        """All objects."""
        for each in self._objects.values():
            yield from each.values()

    @property
    def latest(self) -> datetime | None:
        """The last time that any object or Event tells; None where none tells any."""
        if self._latest is None:
            self._latest = max(
                (time for found in self.every() for time in _times(found)), default=None
            )
        return self._latest


def _times(found: Json) -> Iterator[datetime]:
    written: set[str] = set()
    for name, value in found.items():
        if name in _READ_FOR_TIMES or (found["kind"] == "Lease" and name == "spec"):
            _collect(value, written)
        elif name in _TIMES and isinstance(value, str):
            written.add(value)
    for text in written:
        if _TIME.fullmatch(text):
            try:
                yield datetime.fromisoformat(text)
            except ValueError:
                continue


def _collect(value: object, into: set[str]) -> None:
    if isinstance(value, dict):
        for name, each in value.items():
            if isinstance(each, str):
                if name in _TIMES:
                    into.add(each)
            elif name != "annotations" and name != "fieldsV1":
                _collect(each, into)
    elif isinstance(value, list):
        for each in value:
            _collect(each, into)


def _uid(found: Json) -> str:
    return str(found["metadata"]["uid"])


def _version(found: Json) -> int:
    """Versions grow within one cluster; what has none is older than what has one."""
    version = str(found["metadata"].get("resourceVersion", ""))
    return int(version) if version.isdecimal() and len(version) < 20 else -1
