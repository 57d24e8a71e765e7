"""One door for all kinds: from an object to its verdict."""

from __future__ import annotations

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
from kausa.detection.case import together
from kausa.detection.surroundings import NOWHERE, Surroundings
from kausa.detection.verdict import Verdict
from kausa.detection.workloads.autoscalers import detect_autoscaler
from kausa.detection.workloads.claims import detect_claim
from kausa.detection.workloads.cron_jobs import detect_cron_job
from kausa.detection.workloads.daemon_sets import detect_daemon_set
from kausa.detection.workloads.deployments import detect_deployment
from kausa.detection.workloads.jobs import detect_job
from kausa.detection.workloads.nodes import detect_node
from kausa.detection.workloads.stateful_sets import detect_stateful_set
from kausa.detection.workloads.warned import warned

__all__ = ["detect_workload"]


def detect_workload(found: Workload, *, around: Surroundings = NOWHERE, now: datetime) -> Verdict:
    """What ails a workload, a claim or a node, whatever came before and in whatever order.

    What Events say of it counts where its status shows nothing.
    """
    verdict = _by_status(found, around=around, now=now)
    if verdict.symptoms or not around.notes:
        return verdict
    return together((verdict, warned(found, notes=around.notes, now=now)))


def _by_status(found: Workload, *, around: Surroundings, now: datetime) -> Verdict:
    """What the detector of its kind sees."""
    match found:
        case Deployment():
            return detect_deployment(found, around=around, now=now)
        case StatefulSet():
            return detect_stateful_set(found, around=around, now=now)
        case DaemonSet():
            return detect_daemon_set(found, around=around, now=now)
        case Job():
            return detect_job(found, around=around, now=now)
        case CronJob():
            return detect_cron_job(found, around=around, now=now)
        case HorizontalPodAutoscaler():
            return detect_autoscaler(found, around=around, now=now)
        case PersistentVolumeClaim():
            return detect_claim(found, around=around, now=now)
        case _:
            return detect_node(found, around=around, now=now)
