"""Rollouts of workloads, read from the workloads themselves: begun, come up, not come up. Pure.

An object as it stands tells which revision is rolled out, since when, and how far it has come; so
an operator that was restarted in the middle reads the same, and the same rollout is always the same
record. How each kind tells it:

    Deployment   its revision is numbered; the condition Progressing says NewReplicaSetAvailable
                 once it came up (and stays so when it is scaled or a Pod fails later), or
                 ProgressDeadlineExceeded
    StatefulSet  its revision is the hash of the template, so an old template that comes back takes
                 the place of its earlier record; it came up when the current is the new revision
    DaemonSet    its template is numbered; it came up when every node has a new, available Pod

The last two have no condition: without any progress for ten minutes they did not come up. When it
began is when somebody last changed the spec (`managedFields`); scaling by an autoscaler and the
controllers' own notes do not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from kausa.learning.resolutions import known_mending
from kausa.learning.rollout_kinds import (
    Rolling,
    RollingDaemonSet,
    RollingDeployment,
    RollingMeta,
    RollingStatefulSet,
    Template,
)
from kausa.memory.records import MOST_LABELS, RolloutOutcome, RolloutRecord
from kausa.resources.evidence import Change
from kausa.resources.recollection import Resolution

__all__ = [
    "DELETED",
    "REPLACED",
    "Rollout",
    "image_changes",
    "record_of_rollout",
    "revision_of",
    "rollout_of",
]

STALLED_AFTER: Final = timedelta(minutes=10)
DELETED: Final = "Deleted"
"""The reason of a rollout whose workload was deleted before it had come up."""
REPLACED: Final = "Replaced"
"""The reason of a rollout that had not come up when another took its place."""
_GENERATED: Final = frozenset(
    {"pod-template-hash", "controller-revision-hash", "pod-template-generation"}
)
"""Labels that controllers write, and that tell nothing."""
_CONTROLLERS: Final = "kube-controller-manager"
# A Deployment without a deadline has no condition Progressing.
_CAME_UP: Final = "NewReplicaSetAvailable"
_DID_NOT: Final = "ProgressDeadlineExceeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One rollout as its workload shows it now."""

    revision: str
    outcome: RolloutOutcome
    reason: str | None = None
    """Kubernetes' own word, where it failed."""
    began_at: datetime
    moved_at: datetime
    """When its state last changed; when it ended, where it has."""
    images: tuple[tuple[str, str], ...] = ()
    """The name of each container, and its image."""
    labels: tuple[str, ...] = ()
    """Of its Pods, each as key=value."""
    shown_by: str = ""
    """The condition that tells it, its time and words: one that stands there unchanged is still
    that of the rollout before."""


def revision_of(found: Rolling) -> str | None:
    """What tells its latest rollout from others; None where its controller has not said it yet."""
    if isinstance(found, RollingStatefulSet):
        return found.status.update_revision or None
    marks = found.metadata.annotations
    if marks is None:
        return None
    return marks.revision if isinstance(found, RollingDeployment) else marks.template_generation


def rollout_of(found: Rolling, *, now: datetime) -> Rollout | None:
    """The latest rollout of a workload; None where it does not tell, as long as its controller has
    not seen the last change, or it was deleted.
    """
    meta = found.metadata
    if meta.deletion_timestamp is not None or found.status.observed_generation < meta.generation:
        return None
    revision = revision_of(found)
    if revision is None:
        return None
    if isinstance(found, RollingDeployment):
        return _of_deployment(found, revision, now=now)
    if isinstance(found, RollingStatefulSet):
        return _of_stateful_set(found, revision, now=now)
    return _of_daemon_set(found, revision, now=now)


def record_of_rollout(
    rollout: Rollout,
    found: Rolling,
    *,
    kind: str,
    cluster: str,
    changed: Iterable[str] = (),
) -> RolloutRecord:
    """The rollout as the memory keeps it; not redacted yet."""
    meta = found.metadata
    ended = rollout.outcome != "STARTED"
    duration = (rollout.moved_at - rollout.began_at).total_seconds()
    return RolloutRecord(
        cluster=cluster,
        namespace=meta.namespace,
        owner_kind=kind,
        owner_name=meta.name,
        revision=rollout.revision,
        outcome=rollout.outcome,
        reason=rollout.reason,
        images=tuple(dict.fromkeys(image for _, image in rollout.images)),
        labels=rollout.labels,
        changed=tuple(changed),
        first_seen=min(rollout.began_at, rollout.moved_at),
        last_seen=rollout.moved_at,
        # Whoever touched the object after the end hides when it began.
        duration_seconds=duration if ended and duration >= 0 else None,
    )


def image_changes(
    before: Iterable[tuple[str, str]], after: Iterable[tuple[str, str]], *, at: datetime
) -> tuple[str, ...]:
    """Which images differ, in the form in which what mended a failure is counted."""
    old, new = dict(before), dict(after)
    changes = tuple(
        Change(
            path=f"spec.template.spec.containers[{name}].image",
            before=old.get(name),
            after=new.get(name),
        )
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    )
    return known_mending(Resolution(time=at, how=changes)).changed


# -- kinds ---------------------------------------------------------------------------------------


def _of_deployment(found: RollingDeployment, revision: str, *, now: datetime) -> Rollout:
    status = found.status
    progressing = next((c for c in status.conditions or () if c.type == "Progressing"), None)
    outcome: RolloutOutcome = "STARTED"
    moved, shown_by = _status_changed(found.metadata), ""
    if progressing is not None:
        moved = progressing.last_update_time or progressing.last_transition_time or moved
        shown_by = f"{progressing.reason} {moved} {progressing.message}"
        if progressing.reason == _CAME_UP:
            outcome = "SUCCEEDED"
        elif progressing.reason == _DID_NOT:
            outcome = "FAILED"
    else:
        wanted = 1 if found.spec.replicas is None else found.spec.replicas
        new = status.updated_replicas
        if new >= wanted and status.replicas <= new and status.available_replicas >= new:
            outcome = "SUCCEEDED"
    return Rollout(
        revision=revision,
        outcome=outcome,
        reason=_DID_NOT if outcome == "FAILED" else None,
        began_at=_spec_changed(found.metadata) or now,
        moved_at=moved or now,
        images=tuple(_images(found.spec.template)),
        labels=_labels(found.spec.template),
        shown_by=shown_by,
    )


def _of_stateful_set(found: RollingStatefulSet, revision: str, *, now: datetime) -> Rollout | None:
    status, meta = found.status, found.metadata
    wanted = 1 if found.spec.replicas is None else found.spec.replicas
    strategy = found.spec.update_strategy
    if status.current_revision == revision:
        # Of the first revision both are so from the beginning.
        came_up = meta.generation > 1 or status.ready_replicas >= wanted
    elif strategy.type == "OnDelete":
        return None  # It goes on when somebody deletes Pods.
    else:
        stays = strategy.rolling_update.partition if strategy.rolling_update is not None else 0
        came_up = (
            bool(stays)
            and status.updated_replicas >= wanted - (stays or 0)
            and status.ready_replicas >= wanted
        )
    return _without_condition(
        meta, revision=revision, came_up=came_up, template=found.spec.template, now=now
    )


def _of_daemon_set(found: RollingDaemonSet, revision: str, *, now: datetime) -> Rollout | None:
    status, meta = found.status, found.metadata
    wanted = status.desired_number_scheduled
    came_up = status.updated_number_scheduled >= wanted and status.number_available >= wanted
    if found.spec.update_strategy.type == "OnDelete" and not came_up:
        return None
    return _without_condition(
        meta, revision=revision, came_up=came_up, template=found.spec.template, now=now
    )


def _without_condition(
    meta: RollingMeta, *, revision: str, came_up: bool, template: Template, now: datetime
) -> Rollout:
    began = _spec_changed(meta) or now
    moved = max(began, _status_changed(meta) or began)
    outcome: RolloutOutcome = "SUCCEEDED" if came_up else "STARTED"
    if not came_up and now - moved >= STALLED_AFTER:
        outcome = "FAILED"
    return Rollout(
        revision=revision,
        outcome=outcome,
        reason=_DID_NOT if outcome == "FAILED" else None,
        began_at=began,
        moved_at=moved,
        images=tuple(_images(template)),
        labels=_labels(template),
    )


# -- parts ---------------------------------------------------------------------------------------


def _images(template: Template) -> Iterator[tuple[str, str]]:
    spec = template.spec
    for each in (*(spec.init_containers or ()), *(spec.containers or ())):
        yield each.name, each.image


def _labels(template: Template) -> tuple[str, ...]:
    labels = template.metadata.labels or {}
    said = [f"{key}={value}" for key, value in sorted(labels.items()) if key not in _GENERATED]
    return tuple(said[:MOST_LABELS])


def _spec_changed(meta: RollingMeta) -> datetime | None:
    """When somebody who is no controller last changed the object itself."""
    times = [
        each.time
        for each in meta.managed_fields or ()
        if each.time is not None and not each.subresource and each.manager != _CONTROLLERS
    ]
    return max(times, default=meta.creation_timestamp)


def _status_changed(meta: RollingMeta) -> datetime | None:
    """When its controller last wrote its status."""
    times = [
        each.time
        for each in meta.managed_fields or ()
        if each.time is not None and each.subresource == "status"
    ]
    return max(times, default=None)
