"""Makes thin objects whole: uids, namespaces, owners and Events in the one form that is read.

What `kubectl` writes has all of it. What people cut down, or write by hand, has not, and everything
downstream finds objects by uid. What is filled in depends on the object's name alone, so that the
same file gives the same answer every time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from kausa.cluster.kinds import KINDS
from kausa.cluster.snapshot.plurals import group_of

__all__ = ["Filled", "Place", "fill"]

Json = dict[str, Any]
Place = tuple[str, str, str]
"""Kind, namespace and name."""
DEFAULT_NAMESPACE = "default"
_EVENT_FIELDS = {
    "regarding": "involvedObject",
    "note": "message",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
    "deprecatedSource": "source",
    "reportingController": "reportingComponent",
}
"""Of events.k8s.io, and what core/v1 calls them."""


class Filled:
    """All objects of a snapshot, each with a name, a uid and, where it has one, a namespace."""

    def __init__(self, objects: Iterable[Json]) -> None:
        self.objects: list[Json] = []
        self.named: dict[Place, str] = {}
        """The uids of all that owner references and Events name, recorded or not."""
        self._uids: dict[Place, str] = {}
        self._made: set[str] = set()
        self._by_name: dict[tuple[str, str], list[Place]] = {}
        self._nameless = 0
        for each in objects:
            self._take(each)
        for each in self.objects:
            self._link_owners(each)
            if each["kind"] == "Event":
                self._link_event(each)

    def _take(self, found: Json) -> None:
        if found["kind"] == "Event":
            _as_core_event(found)
        meta = found["metadata"] = _mapping(found.get("metadata"))
        kind = found["kind"]
        name = meta.get("name")
        if not isinstance(name, str) or not name:
            self._nameless += 1
            name = meta["name"] = (
                f"{meta.get('generateName') or kind.lower() + '-'}{self._nameless}"
            )
        namespace = self._place_in_namespace(found, meta)
        place = (kind, namespace, name)
        if not isinstance(meta.get("uid"), str) or not meta["uid"]:
            meta["uid"] = _uid(place)
            self._made.add(meta["uid"])
        if kind != "Event" and place not in self._uids:
            self._by_name.setdefault((namespace, name), []).append(place)
        self._uids[place] = meta["uid"]
        self.objects.append(found)

    @staticmethod
    def _place_in_namespace(found: Json, meta: Json) -> str:
        known = KINDS.get(found["kind"])
        ours = known is not None and _group(known.api_version) == group_of(
            found["apiVersion"], found["kind"]
        )
        namespace = meta.get("namespace")
        if not isinstance(namespace, str):
            namespace = ""
        if known is not None and ours and not known.namespaced:
            meta.pop("namespace", None)
            return ""
        if known is not None and ours and not namespace:
            about = found.get("involvedObject") if found["kind"] == "Event" else None
            namespace = _mapping(about).get("namespace") or DEFAULT_NAMESPACE
            meta["namespace"] = namespace
        return str(namespace)

    def _link_owners(self, found: Json) -> None:
        meta = found["metadata"]
        references = meta.get("ownerReferences")
        if not isinstance(references, list):
            return
        for each in references:
            if not isinstance(each, dict):
                continue
            kind, name = str(each.get("kind", "")), str(each.get("name", ""))
            place = self._place_of(kind, str(meta.get("namespace", "")), name)
            each["uid"] = self._uids.get(place) or each.get("uid") or _uid(place)
            self.named.setdefault(place, str(each["uid"]))

    def _link_event(self, event: Json) -> None:
        about = event["involvedObject"]
        if not about.get("kind"):
            self._guess_object(event, about)
        kind, name = str(about.get("kind", "")), str(about.get("name", ""))
        place = self._place_of(kind, str(about.get("namespace") or ""), name)
        known = self._uids.get(place)
        if known is not None and (not about.get("uid") or known in self._made):
            about["uid"] = known
        elif not about.get("uid") and name:
            about["uid"] = _uid(place)
        if not about.get("apiVersion") and kind in KINDS:
            about["apiVersion"] = KINDS[kind].api_version
        if about.get("uid"):
            self.named.setdefault(place, str(about["uid"]))

    def _guess_object(self, event: Json, about: Json) -> None:
        """An Event that names no kind is about the only object of that name; one that names nothing
        is called after its object and a number.
        """
        meta = event["metadata"]
        name = about.get("name") or str(meta["name"]).rpartition(".")[0]
        namespace = str(about.get("namespace") or meta.get("namespace") or "")
        found = self._by_name.get((namespace, str(name)), [])
        if len(found) == 1:
            kind, namespace, name = found[0]
            about |= {"kind": kind, "name": name, "namespace": namespace}

    def _place_of(self, kind: str, namespace: str, name: str) -> Place:
        known = KINDS.get(kind)
        if known is not None and not known.namespaced:
            return (kind, "", name)
        return (kind, namespace, name)


def fill(objects: Iterable[Json]) -> Filled:
    """The same objects with what they lack; the objects themselves are changed."""
    return Filled(objects)


def _as_core_event(event: Json) -> None:
    for theirs, ours in _EVENT_FIELDS.items():
        value = event.pop(theirs, None) if theirs in event else None
        if value is not None and not event.get(ours):
            event[ours] = value
    event["apiVersion"] = "v1"
    about = event["involvedObject"] = _mapping(event.get("involvedObject"))
    meta = _mapping(event.get("metadata"))
    known = KINDS.get(str(about.get("kind")))
    if known is not None and known.namespaced and not about.get("namespace"):
        about["namespace"] = meta.get("namespace") or DEFAULT_NAMESPACE


def _uid(place: Place) -> str:
    return str(uuid5(NAMESPACE_URL, "kausa.dev/" + "/".join(place)))


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]


def _mapping(value: object) -> Json:
    return dict(value) if isinstance(value, Mapping) else {}
