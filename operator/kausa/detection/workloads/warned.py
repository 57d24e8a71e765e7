"""What a Warning Event says of an object that is watched, where no status says it.

A node whose images cannot be removed, an autoscaler that misses one of two metrics, a StatefulSet
that may not delete a Pod: their status looks well. As of objects that nobody watches, an Event must
repeat and last before it is a failure, and it is one for as long as it may still be repeated. What
the detector of a kind judges itself is left to that, and so is all where the status already shows a
failure: nearly always it is the same one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kausa.cluster.workloads import (
    CronJob,
    DaemonSet,
    Deployment,
    HorizontalPodAutoscaler,
    Job,
    PersistentVolumeClaim,
    StatefulSet,
    Workload,
)
from kausa.detection.case import later, latest, newest, together
from kausa.detection.surroundings import Note
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.workloads.graces import GRACES
from kausa.detection.workloads.looking import condition, true_condition
from kausa.detection.workloads.refusals import is_passing, parse_refusal
from kausa.detection.workloads.repeats import repeated
from kausa.resources.category import Category

__all__ = ["warned"]

_OF_A_CONTAINER = "Memory cgroup out of memory"
"""What the kernel says where a container is killed, whose Pod tells that itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """How the Events about one kind are taken."""

    category: Category
    silent: frozenset[str] = frozenset()
    """Reasons that the detector of this kind judges, or that are said of objects that work."""
    refused: bool = False
    """Whether it is the API server that says no to what is done in its name."""


_DEPLOYMENT = _Kind(
    category=Category.ROLLOUT,
    silent=frozenset({"FailedCreate", "ReplicaSetCreateError"}),
    refused=True,
)
_STATEFUL_SET = _Kind(category=Category.ROLLOUT, silent=frozenset({"FailedCreate"}), refused=True)
_DAEMON_SET = _Kind(
    category=Category.ROLLOUT,
    silent=frozenset({"FailedCreate", "FailedDaemonPod", "FailedPlacement"}),
    refused=True,
)
_JOB = _Kind(
    category=Category.JOB,
    silent=frozenset({"FailedCreate", "BackoffLimitExceeded", "DeadlineExceeded"}),
    refused=True,
)
_CRON_JOB = _Kind(
    category=Category.JOB,
    silent=frozenset(
        {
            *("FailedCreate", "MissSchedule", "FailedNeedsStart", "TooManyMissedTimes"),
            *("InvalidSchedule", "UnparseableSchedule", "UnparsableSchedule"),
            *("UnparseableCronJobSchedule", "UnknownTimeZone"),
            # A schedule with a zone in it runs, and so does a Job that somebody made by hand.
            *("UnsupportedSchedule", "UnexpectedJob"),
        }
    ),
    refused=True,
)
_AUTOSCALER = _Kind(category=Category.AUTOSCALING)
_CLAIM = _Kind(
    category=Category.STORAGE,
    silent=frozenset(
        {
            *("ProvisioningFailed", "ProvisioningCleanupFailed", "VolumeMismatch", "FailedBinding"),
            *("ClaimLost", "ClaimMisbound", "VolumeResizeFailed", "FileSystemResizeFailed"),
            *("ExternalExpanding", "ExternalProvisioning"),
        }
    ),
)
_NODE = _Kind(
    category=Category.NODE,
    silent=frozenset(
        {
            # Conditions say these, and for as long as they last.
            *("EvictionThresholdMet", "NodeNotReady", "NodeHasDiskPressure"),
            *("NodeHasInsufficientMemory", "NodeHasInsufficientPID"),
            # What a kubelet says whenever it starts, and of a resolv.conf that it cuts.
            *("InvalidDiskCapacity", "CheckLimitsForResolvConf"),
            "PossibleMemoryBackedVolumesOnDisk",
        }
    ),
)


def warned(found: Workload, *, notes: Iterable[Note], now: datetime) -> Verdict:
    """What Events say of an object whose status shows nothing, one symptom for each reason."""
    if found.metadata.deletion_timestamp is not None or _rests(found):
        return HEALTHY
    kind, known_well = _kind_of(found), _known_well_since(found)
    by_reason: dict[str, list[Note]] = defaultdict(list)
    for each in notes:
        if not each.reason or each.reason in kind.silent or _is_anothers(each):
            continue
        if known_well is None or (each.last_seen is not None and each.last_seen > known_well):
            by_reason[each.reason].append(each)
    return together(
        repeated(told, category=_category(told, kind), now=now)
        for _, told in sorted(by_reason.items())
    )


def _category(notes: Iterable[Note], kind: _Kind) -> Category:
    """Its kind's, unless it is said who refuses what is done for it."""
    last = newest(notes)
    if last is None or not kind.refused:
        return kind.category
    refusal = parse_refusal(last.message)
    return refusal.category if refusal.shape else kind.category


def _is_anothers(note: Note) -> bool:
    """Whether it only passes on what is told of a Pod, or what another is still busy with."""
    return _OF_A_CONTAINER in note.message or is_passing(note.message)


def _kind_of(found: Workload) -> _Kind:
    match found:
        case Deployment():
            return _DEPLOYMENT
        case StatefulSet():
            return _STATEFUL_SET
        case DaemonSet():
            return _DAEMON_SET
        case Job():
            return _JOB
        case CronJob():
            return _CRON_JOB
        case HorizontalPodAutoscaler():
            return _AUTOSCALER
        case PersistentVolumeClaim():
            return _CLAIM
        case _:
            return _NODE


def _rests(found: Workload) -> bool:
    """Whether nobody wants anything of it, so that what was said of it is history."""
    match found:
        case Deployment():
            return bool(found.spec.paused) or found.spec.replicas == 0
        case StatefulSet():
            return found.spec.replicas == 0
        case Job():
            ended = ("Complete", "Failed", "SuccessCriteriaMet", "FailureTarget")
            conditions = found.status.conditions
            return bool(found.spec.suspend) or any(
                true_condition(conditions, each) is not None for each in ended
            )
        case CronJob():
            return bool(found.spec.suspend)
        case HorizontalPodAutoscaler():
            active = condition(found.status.conditions, "ScalingActive")
            return active is not None and active.status == "False"
        case _:
            return False


def _known_well_since(found: Workload) -> datetime | None:
    """Since when its status says that it can do what earlier Events say it could not."""
    if not isinstance(found, HorizontalPodAutoscaler):
        return None
    able = (
        true_condition(found.status.conditions, each) for each in ("AbleToScale", "ScalingActive")
    )
    since = latest(*(each.last_transition_time for each in able if each is not None))
    # One Event counts what was before and after; what is said for longer is not about before.
    return later(since, GRACES.warned) if since is not None else None
