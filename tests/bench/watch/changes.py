"""Changes of Pods and Events as an API server sends them, any number, made from recorded ones.

`tests/captures` holds what a small cluster sent while workloads failed in many ways. Replayed over
and over, each round stands for another copy of those workloads: namespaces and uids end in the
number of the round, and resourceVersions go up. So a client meets new objects all the time, each
with its whole life, as in a storm.

Recorded objects are smaller than those of a busy cluster, so they are padded to the sizes that were
measured there: a Pod with environment variables of its first container and the managedFields that
an API server keeps for each of them, an Event with annotations and theirs; all states of one object
with the same, so that a Pod's spec stays what it is while its status changes. Nothing else is
touched: conditions, container states, messages and reasons are as they were recorded.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, cycle, islice
from pathlib import Path
from statistics import fmean
from typing import Any

__all__ = ["KINDS", "Kind", "Template", "listed", "recorded", "streamed"]

CAPTURES = Path(__file__).parents[2] / "captures"
ONE_IN = 10
"""Of the listed Pods, one in so many fails: most of a cluster stands while something breaks."""
FIRST_VERSION = 1_000_000_000

# Markers are as long as what replaces them, so that a template has the size of its objects.
_ROUND = b"@@-round-@@@"
_VERSION = b"@@version@"
_UID_END = re.compile(r'\b([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-)[0-9a-f]{12}(?=\\?")')
_NAMESPACE = re.compile(r'("namespace":"[^"]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What the benchmark knows of one kind of object."""

    name: str
    plural: str
    bytes: int
    """The size that objects are padded to, on average over the states of each."""
    pad: Callable[[dict[str, Any], int], None]
    """Makes an object one step larger; called with 0, 1, 2... until it has its size."""
    step_bytes: int
    """What one step adds, at most."""
    wanted: Callable[[dict[str, Any]], bool]
    """Whether the operator's field selector lets it through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One recorded change, ready to be sent again as another one."""

    type: str
    healthy: bool
    body: bytes

    def object(self, *, round_: int, version: int) -> bytes:
        """The object of this change in one round, as JSON."""
        body = self.body.replace(_ROUND, b"%012x" % round_)
        return body.replace(_VERSION, b"%010d" % version)

    def line(self, *, round_: int, version: int) -> bytes:
        """The change in one round, as a line of a watch."""
        body = self.object(round_=round_, version=version)
        return b'{"type":"%s","object":%s}\n' % (self.type.encode(), body)


def recorded(kind: Kind) -> list[Template]:
    """The recorded changes of one kind, in their order, padded."""
    lines = gzip.decompress((CAPTURES / f"{kind.plural}.watch.json.gz").read_bytes()).splitlines()
    changes = [change for line in lines if kind.wanted((change := json.loads(line))["object"])]
    by_object: dict[str, list[dict[str, Any]]] = {}
    for change in changes:
        change["object"] = _marked(change["object"])
        by_object.setdefault(change["object"]["metadata"]["uid"], []).append(change["object"])
    for states in by_object.values():
        _pad(states, kind)
    return [_template(change) for change in changes]


def streamed(templates: Sequence[Template], *, changes: int) -> Iterator[bytes]:
    """Lines of a watch, round after round."""
    versions = count(FIRST_VERSION)
    for number, template in enumerate(islice(cycle(templates), changes)):
        yield template.line(round_=number // len(templates), version=next(versions))


def listed(templates: Sequence[Template], *, start: int, stop: int) -> Iterator[bytes]:
    """The objects `start` to `stop` of a list: standing ones, and one in ten that fails."""
    standing = [each for each in templates if each.healthy]
    failing = [each for each in templates if not each.healthy]
    for number in range(start, stop):
        those = failing if number % ONE_IN == 0 else standing
        template = those[number // ONE_IN % len(those)]
        yield template.object(round_=number, version=FIRST_VERSION)


def _pad(states: Sequence[dict[str, Any]], kind: Kind) -> None:
    """Make the states of one object as large as they are to be, on average.

    All by the same: a Pod's spec does not change with its status.
    """
    step = 0
    while (missing := kind.bytes - fmean(len(_compact(each)) for each in states)) > 0:
        for _ in range(max(1, int(missing) // kind.step_bytes)):
            for each in states:
                kind.pad(each, step)
            step += 1


def _template(change: dict[str, Any]) -> Template:
    found = change["object"]
    return Template(type=change["type"], healthy=_stands(found), body=_compact(found).encode())


def _marked(found: dict[str, Any]) -> dict[str, Any]:
    found["metadata"]["resourceVersion"] = _VERSION.decode()
    text = _UID_END.sub(rf"\g<1>{_ROUND.decode()}", _compact(found))
    marked: dict[str, Any] = json.loads(_NAMESPACE.sub(rf'\1-{_ROUND.decode()}"', text))
    return marked


def _compact(found: dict[str, Any]) -> str:
    return json.dumps(found, separators=(",", ":"))


def _stands(found: dict[str, Any]) -> bool:
    status = found.get("status", {})
    containers = status.get("containerStatuses", ())
    return status.get("phase") == "Running" and all(each["ready"] for each in containers)


def _pad_pod(pod: dict[str, Any], step: int) -> None:
    name, container = f"SERVICE_SETTING_{step:02d}", pod["spec"]["containers"][0]
    container.setdefault("env", []).append({"name": name, "value": "http://backend.shop.svc:8080"})
    owned = _fields(pod)
    for key in ("f:spec", "f:containers", f'k:{{"name":"{container["name"]}"}}', "f:env"):
        owned = owned.setdefault(key, {})
    owned[f'k:{{"name":"{name}"}}'] = {".": {}, "f:name": {}, "f:value": {}}


def _pad_event(event: dict[str, Any], step: int) -> None:
    name = f"note-{step}"
    event["metadata"].setdefault("annotations", {})[name] = "x"
    owned = _fields(event)
    for key in ("f:metadata", "f:annotations"):
        owned = owned.setdefault(key, {})
    owned[f"f:{name}"] = {}


def _fields(found: dict[str, Any]) -> dict[str, Any]:
    managers = found["metadata"].setdefault("managedFields", [])
    if not managers:
        managers.append({"manager": "kubelet", "operation": "Update", "fieldsV1": {}})
    fields: dict[str, Any] = managers[0]["fieldsV1"]
    return fields


KINDS = {
    kind.plural: kind
    for kind in (
        Kind(
            name="Pod",
            plural="pods",
            bytes=7_600,
            pad=_pad_pod,
            step_bytes=150,
            wanted=lambda pod: pod.get("status", {}).get("phase") != "Succeeded",
        ),
        Kind(
            name="Event",
            plural="events",
            bytes=1_200,
            pad=_pad_event,
            step_bytes=30,
            wanted=lambda event: event.get("type") != "Normal",
        ),
    )
}
