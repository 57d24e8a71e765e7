"""What Pods ask for and what nodes have, in numbers, as the scheduler adds them up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kausa.cluster.objects import Pod
from kausa.evidence.fields import rows, table, text
from kausa.evidence.quantity import parse_quantity

__all__ = ["allocatable", "asked_by", "asked_on", "limited_by"]

MOST_RESOURCES = 30
_OVER = frozenset({"Succeeded", "Failed"})


def asked_by(pod: object, *, field: str = "requests") -> dict[str, float]:
    """What a raw Pod asks for: its containers together, or its largest init container if that is
    more; sidecars count with the containers, and the overhead on top.
    """
    together = _sum(rows(pod, "spec", "containers"), field=field)
    largest: dict[str, float] = {}
    for container in rows(pod, "spec", "initContainers"):
        asked = _of(container, field=field)
        if text(container, "restartPolicy") == "Always":
            _add(together, asked)
        else:
            for name, amount in asked.items():
                largest[name] = max(largest.get(name, 0.0), amount)
    for name, amount in largest.items():
        together[name] = max(together.get(name, 0.0), amount)
    for name, amount in _amounts(table(pod, "spec", "resources", field)).items():
        together[name] = max(together.get(name, 0.0), amount)
    if field == "requests":
        _add(together, _amounts(table(pod, "spec", "overhead")))
    return together


def limited_by(pod: object) -> dict[str, float]:
    """The limits of its containers together."""
    return asked_by(pod, field="limits")


def asked_on(pods: Iterable[Pod]) -> tuple[dict[str, float], int]:
    """What the Pods of one node ask for together, and how many they are."""
    total: dict[str, float] = {}
    count = 0
    for pod in pods:
        if pod.status.phase in _OVER:
            continue
        count += 1
        for container in pod.spec.containers or ():
            _add(total, _amounts(container.resources.requests or {}))
    return total, count


def allocatable(node: object) -> dict[str, float]:
    """What a node has for Pods."""
    return _amounts(table(node, "status", "allocatable") or table(node, "status", "capacity"))


def _sum(containers: Iterable[object], *, field: str) -> dict[str, float]:
    total: dict[str, float] = {}
    for container in containers:
        _add(total, _of(container, field=field))
    return total


def _of(container: object, *, field: str) -> dict[str, float]:
    asked = _amounts(table(container, "resources", field))
    if field == "requests":
        for name, amount in _amounts(table(container, "resources", "limits")).items():
            # A limit without a request is the request too.
            asked.setdefault(name, amount)
    return asked


def _add(total: dict[str, float], more: Mapping[str, float]) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0.0) + amount


def _amounts(quantities: Mapping[str, object]) -> dict[str, float]:
    found = {}
    for name in list(quantities)[:MOST_RESOURCES]:
        amount = parse_quantity(quantities[name])
        if amount is not None:
            found[str(name)] = amount
    return found
