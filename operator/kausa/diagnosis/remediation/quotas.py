"""A quota with room for what was refused."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from kausa.diagnosis.finding import Diagnosis, Fix, Patch
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import number
from kausa.evidence.quantity import parse_quantity
from kausa.resources.diagnosis import Risk

__all__ = ["more_quota"]

MOST_MISSING = 100
_EXCEEDED = re.compile(
    r"exceeded quota: (?P<name>[a-z0-9.-]{1,253}), requested: (?P<requested>[^:]{1,500}), "
    r"used: (?P<used>[^:]{1,500}), limited: (?P<limited>[a-zA-Z0-9./=,_-]{1,500})"
)
_BYTES = ("memory", "storage")


def more_quota(dossier: Dossier, diagnosis: Diagnosis) -> Iterator[Fix]:
    """As much as is used, and what the missing Pods ask for.

    Of the quota alone it is not known how many are missing: the number is told of the workload that
    misses them, so that there are never two.
    """
    if dossier.owner.kind == "ResourceQuota":
        return
    found = next(
        (
            (match, each.id)
            for each in dossier.evidence
            if (match := _EXCEEDED.search(each.text)) is not None
        ),
        None,
    )
    if found is None:
        return
    match, cited = found
    missing = _missing_pods(dossier)
    hard = _needed(
        _amounts(match["requested"]), _amounts(match["used"]), _amounts(match["limited"]), missing
    )
    if not hard:
        return
    said = ", ".join(f"{resource} {amount}" for resource, amount in hard.items())
    namespace = dossier.shown_by.namespace or dossier.owner.namespace
    yield Fix(
        title=f"Raise ResourceQuota {match['name']} to {said}",
        rationale=f"That is what is used already and what {missing} more "
        f"{'Pod asks' if missing == 1 else 'Pods ask'} for. A quota is a decision of whoever "
        "runs the namespace: ask them, or ask for less.",
        patch=Patch(
            api_version="v1",
            kind="ResourceQuota",
            name=match["name"],
            namespace=namespace,
            body={"spec": {"hard": hard}},
        ),
        risk=Risk.MEDIUM,
        citations=tuple(dict.fromkeys((*diagnosis.citations, cited))),
    )


def _missing_pods(dossier: Dossier) -> int:
    """How many Pods the workload has too few; one where that is not known."""
    workload = dossier.object(dossier.owner.kind, dossier.owner.name)
    asked = number(workload, "spec", "replicas")
    made = number(workload, "status", "replicas")
    return max(1, min((asked or 1) - (made or 0), MOST_MISSING))


def _amounts(words: str) -> Mapping[str, float]:
    """`limits.memory=1Gi,pods=1` as numbers."""
    found: dict[str, float] = {}
    for each in words.split(","):
        name, _, value = each.strip().partition("=")
        amount = parse_quantity(value)
        if name and amount is not None:
            found[name] = amount
    return found


def _needed(
    requested: Mapping[str, float],
    used: Mapping[str, float],
    limited: Mapping[str, float],
    missing: int,
) -> dict[str, str]:
    """What does not suffice, as it should be."""
    return {
        resource: _written(resource, used.get(resource, 0.0) + requested[resource] * missing)
        for resource, limit in limited.items()
        if resource in requested and used.get(resource, 0.0) + requested[resource] > limit
    }


def _written(resource: str, amount: float) -> str:
    """Rounded up, so that it suffices."""
    if any(word in resource for word in _BYTES):
        return f"{math.ceil(amount / 1024**2)}Mi"
    if resource.endswith("cpu") and amount != int(amount):
        return f"{math.ceil(round(amount * 1000, 3))}m"
    return str(math.ceil(amount))
