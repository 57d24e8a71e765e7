"""The revisions of a workload, and which of them worked last.

Deployments keep old ReplicaSets, StatefulSets and DaemonSets keep ControllerRevisions, CronJobs
keep the Jobs that they ran. None of them remembers whether it was well, so that is read from what
is left: Pods of it that are ready still, or a Job that succeeded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kausa.evidence.changes.managed import created
from kausa.evidence.fields import at, name_of, number, rows, text, uid_of

__all__ = [
    "Revision",
    "Step",
    "choose",
    "controller_revisions",
    "job_revisions",
    "replica_set_revisions",
]

_REVISION = "deployment.kubernetes.io/revision"
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One template that a workload had, or has."""

    name: str
    number: int
    """As `kubectl rollout history` counts; 0 where nobody counts."""
    template: Mapping[str, Any]
    created: datetime | None
    works: bool
    """Whether something shows that it worked; what does not may have worked all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From the revision that worked last to the one that fails."""

    before: Revision
    running: Revision

    @property
    def at(self) -> datetime | None:
        """When the failing one came; None where an old one came back, which keeps its old age."""
        made, older = self.running.created, self.before.created
        return made if made is not None and (older is None or made >= older) else None


def replica_set_revisions(owner: object, sets: Iterable[Mapping[str, Any]]) -> tuple[Revision, ...]:
    """A Deployment's."""
    return tuple(
        Revision(
            name=name_of(each),
            number=_whole(text(each, "metadata", "annotations", _REVISION)),
            template=_template(each),
            created=created(each),
            works=bool(number(each, "status", "readyReplicas")),
        )
        for each in sets
        if _is_of(each, owner)
    )


def controller_revisions(owner: object, kept: Iterable[Mapping[str, Any]]) -> tuple[Revision, ...]:
    """A StatefulSet's or a DaemonSet's."""
    current = text(owner, "status", "currentRevision")
    return tuple(
        Revision(
            name=name_of(each),
            number=number(each, "revision") or 0,
            template=_template(at(each, "data")),
            created=created(each),
            # While an update goes on (or hangs), what a StatefulSet has been is its current one.
            works=name_of(each) == current != text(owner, "status", "updateRevision"),
        )
        for each in kept
        if _is_of(each, owner)
    )


def job_revisions(owner: object, jobs: Iterable[Mapping[str, Any]]) -> tuple[Revision, ...]:
    """A CronJob's: each Job that it made."""
    return tuple(
        Revision(
            name=name_of(each),
            number=0,
            template=_template(each),
            created=created(each),
            works=bool(number(each, "status", "succeeded")),
        )
        for each in jobs
        if _is_of(each, owner)
    )


def choose(
    revisions: Iterable[Revision], *, running: str | None = None, proven: bool = False
) -> Step | None:
    """The step to the revision named `running`, or to the newest.

    It comes from the newest older one that shows that it works; where none shows it, from the one
    just before, unless only a `proven` one will do. None where there is nothing to compare with.
    """
    ordered = sorted(revisions, key=lambda each: (each.number, each.created or _EPOCH, each.name))
    position = len(ordered) - 1
    for index, each in enumerate(ordered):
        if running is not None and each.name == running:
            position = index
    older = ordered[:position] if position > 0 else []
    if not older:
        return None
    working = [each for each in older if each.works]
    if not working and proven:
        return None
    return Step(before=(working or older)[-1], running=ordered[position])


def _template(manifest: object) -> Mapping[str, Any]:
    found = at(manifest, "spec", "template")
    return found if isinstance(found, Mapping) else {}


def _is_of(manifest: object, owner: object) -> bool:
    """By uid; by name where a file has lost the uids."""
    for reference in rows(manifest, "metadata", "ownerReferences"):
        uid = text(reference, "uid")
        if uid and uid_of(owner):
            if uid == uid_of(owner):
                return True
        elif (text(reference, "kind"), text(reference, "name")) == (
            text(owner, "kind"),
            name_of(owner),
        ):
            return True
    return False


def _whole(digits: str) -> int:
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 18 else 0
