"""How many replicas a workload was asked to have, before and now: what its Events tell of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kausa.cluster.objects import Event
from kausa.evidence.changes.difference import Difference
from kausa.evidence.changes.window import Window

__all__ = ["scale_change"]

_SCALED = re.compile(
    r"Scaled (?:up|down) replica set (?P<name>[^\s\"]+) "
    r"(?:from (?P<from>\d{1,6}) to (?P<to>\d{1,6})|to (?P<to2>\d{1,6}) from (?P<from2>\d{1,6}))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scaling:
    name: str
    before: int
    after: int
    at: datetime


def scale_change(
    kind: str, name: str, events: Iterable[Event], *, window: Window
) -> Difference | None:
    """The replicas of a Deployment before and after it was scaled.

    A rollout scales too, one ReplicaSet up and another down; only where one ReplicaSet alone was
    scaled, and was not empty before, did somebody ask for another number.
    """
    found = [
        scaling
        for each in events
        if (scaling := _scaling(each)) is not None and window.may_have_led_to_it(scaling.at)
    ]
    if not found or len({each.name for each in found}) > 1:
        return None
    found.sort(key=lambda each: each.at)
    before, after = found[0].before, found[-1].after
    if before == after or 0 in (before, after):
        return None
    beginning = f"{kind} {name} was scaled"
    return Difference(
        kind=kind,
        name=name,
        path="spec.replicas",
        before=str(before),
        after=str(after),
        told=f"{beginning} from {before} to {after} replicas",
        citation=beginning,
        at=found[-1].at,
    )


def _scaling(event: Event) -> _Scaling | None:
    scaled = _SCALED.match(event.message) if event.reason == "ScalingReplicaSet" else None
    if scaled is None or event.last_seen is None:
        return None
    return _Scaling(
        name=scaled["name"],
        before=int(scaled["from"] or scaled["from2"]),
        after=int(scaled["to"] or scaled["to2"]),
        at=event.last_seen,
    )
