"""Lost and doubled, counted from what was broken on purpose and what the API server holds.

Nothing here knows how the operator names, groups or finds a failure: a workload that was made to
fail in one way must have one resource that says so, and no other. Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Count", "Failure", "count", "occurrences"]

Document = dict[str, Any]
SHOWN_MESSAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Failure:
    """One failure that was made: which workload, where in it, and of what class."""

    namespace: str
    kind: str
    name: str
    container: str
    """Empty where no container has come to be."""
    category: str

    @property
    def workload(self) -> tuple[str, str, str]:
        """What fails, without how."""
        return self.namespace, self.kind, self.name

    def __str__(self) -> str:
        return f"{self.kind}/{self.name} {self.container or '-'} {self.category}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What a count found; each tuple says in words what is wrong."""

    failures: int
    found: int
    """Failures that have a resource."""
    answered: int
    """Failures whose resource is diagnosed."""
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    """Failures with a second resource, be it under the name of another class."""
    unexpected: tuple[str, ...]
    """Resources of what never failed, or is gone, or failed in another way somewhere else."""

    @property
    def complete(self) -> bool:
        """Whether each failure has its resource, diagnosed."""
        return self.found == self.answered == self.failures

    @property
    def exact(self) -> bool:
        """Whether there is one resource for each failure, and no other."""
        return not (self.lost or self.doubled or self.unexpected)


def count(expected: Iterable[Failure], resources: Sequence[Document]) -> Count:
    """Compare failures that were made, one for each workload, with the resources that exist."""
    failures = sorted(set(expected))
    of: dict[tuple[str, str, str], list[Document]] = {}
    for resource in resources:
        of.setdefault(_workload(resource), []).append(resource)
    found, answered = 0, 0
    lost, doubled, unexpected = [], [], []
    for failure in failures:
        own = of.pop(failure.workload, [])
        fitting = [each for each in own if _tells(each, failure)]
        found += bool(fitting)
        answered += any(_diagnosed(each) for each in fitting)
        if not fitting:
            lost.append(f"{failure}; there is {', '.join(map(_shown, own)) or 'nothing'}")
        alike = [each for each in own if _is_like(each, failure)]
        if len(alike) > 1:
            doubled.append(f"{failure}: {', '.join(map(_shown, alike))}")
        unexpected += [_shown(each) for each in own if each not in alike]
    return Count(
        failures=len(failures),
        found=found,
        answered=answered,
        lost=tuple(lost),
        doubled=tuple(doubled),
        unexpected=(*unexpected, *(_shown(each) for rest in of.values() for each in rest)),
    )


def occurrences(resource: Document) -> int:
    """How often it says that the failure happened; 0 where it does not say."""
    found: int = resource.get("status", {}).get("failure", {}).get("occurrences", 0)
    return found


def _workload(resource: Document) -> tuple[str, str, str]:
    target = resource["spec"]["target"]
    return resource["metadata"]["namespace"], target["kind"], target["name"]


def _tells(resource: Document, failure: Failure) -> bool:
    told = resource.get("status", {}).get("failure", {})
    container = resource["spec"]["target"].get("container") or ""
    return told.get("category") == failure.category and container == failure.container


def _is_like(resource: Document, failure: Failure) -> bool:
    """Of the same class, or of the same container: its exit may be called by two names."""
    told = resource.get("status", {}).get("failure", {})
    container = resource["spec"]["target"].get("container") or ""
    return told.get("category") == failure.category or container == failure.container


def _diagnosed(resource: Document) -> bool:
    conditions = resource.get("status", {}).get("conditions", [])
    return any(each["type"] == "Diagnosed" and each["status"] == "True" for each in conditions)


def _shown(resource: Document) -> str:
    metadata, told = resource["metadata"], resource.get("status", {}).get("failure", {})
    target = resource["spec"]["target"]
    return (
        f"{metadata['name']} ({target['kind']}/{target['name']} {target.get('container') or '-'} "
        f"{told.get('category')} {told.get('reason')} x{occurrences(resource)}, "
        f"made {metadata.get('creationTimestamp')}: {told.get('message', '')[:SHOWN_MESSAGE]})"
    )
