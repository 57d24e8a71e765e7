"""More memory for a container that reached its limit, as much as its surroundings have room for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kausa.diagnosis.finding import Diagnosis, Fix
from kausa.diagnosis.remediation.workload import Workload
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import at, rows, text
from kausa.evidence.quantity import parse_quantity
from kausa.resources.diagnosis import Risk

__all__ = ["more_memory"]

MEBIBYTE = 1024 * 1024
_HEAP = re.compile(r"-Xmx|max-old-space-size|GOMEMLIMIT|MaxRAMPercentage")
TIMES = 2
"""It died within its limit, and nobody knows by how much it missed: half as much again is often too
little, and twice as much tells a leak from a need within one more failure at most."""


def more_memory(dossier: Dossier, diagnosis: Diagnosis, workload: Workload) -> Iterator[Fix]:
    """A limit of twice as much; none where it would not fit, or where it was raised already."""
    symptom = dossier.symptom
    name = symptom.container if symptom is not None else None
    found, asked = workload.container(name), dossier.container(name)
    if found is None or asked is None or name is None:
        return
    now = (asked.resources.limits or {}).get("memory")
    had = parse_quantity(now)
    planned = at(found[1], "resources", "limits", "memory")
    if had is None or had <= 0 or (planned is not None and parse_quantity(planned) != had):
        return
    if _HEAP.search(f"{diagnosis.summary} {diagnosis.root_cause}"):
        return  # Its heap is set by hand: another limit alone only moves the moment.
    # The request is kept; where there is none the API server would take the limit for it.
    requested = at(found[1], "resources", "requests", "memory")
    wanted, most = had * TIMES, _most(dossier)
    amount = int(min(wanted, most if most is not None else wanted) // MEBIBYTE)
    if amount * MEBIBYTE <= had:
        return
    resources: dict[str, dict[str, str]] = {"limits": {"memory": f"{amount}Mi"}}
    if requested is None:
        resources["requests"] = {"memory": str(now)}
    bounded = wanted > amount * MEBIBYTE
    yield Fix(
        title=f"Raise the memory limit of container {name} from {now} to {amount}Mi",
        rationale=(
            f"It needed more than {now}; "
            + ("this is as much as fits here. " if bounded else "this is twice as much. ")
            + "Watch what it uses then: a leak reaches any limit."
        ),
        patch=workload.container_patch(name, {"resources": resources}),
        risk=Risk.MEDIUM,
        citations=diagnosis.citations,
    )


def _most(dossier: Dossier) -> float | None:
    """The largest limit that may be asked for: what limit ranges allow and what a node has."""
    bounds = [
        amount
        for limit_range in dossier.objects("LimitRange")
        for each in rows(limit_range, "spec", "limits")
        if text(each, "type") == "Container"
        and (amount := parse_quantity(at(each, "max", "memory"))) is not None
    ]
    rooms = [
        amount
        for node in dossier.objects("Node")
        if (amount := parse_quantity(at(node, "status", "allocatable", "memory"))) is not None
    ]
    if rooms:
        bounds.append(max(rooms))
    return min(bounds, default=None)
