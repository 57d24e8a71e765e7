"""How long a state of a workload, claim or node may last before it is a failure, with the reasons.

As `detection.graces` for Pods: lengths of time after the moment at which the state began.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

__all__ = ["GRACES", "WorkloadGraces"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadGraces:
    """The lengths; each says why it is what it is."""

    refused: timedelta = timedelta(seconds=10)
    """What a Pod needs (its ServiceAccount, room in a quota during a rollout) may come with it."""
    refused_memory: timedelta = timedelta(minutes=20)
    """Controllers try again after 1,000 s at the latest; who is silent for longer has stopped."""
    pods_settle: timedelta = timedelta(seconds=60)
    """Whether Pods fail changes without a change of the workload; how often that is looked at."""
    stuck: timedelta = timedelta(minutes=10)
    """As long as a Deployment's own default deadline for progress."""
    unavailable: timedelta = timedelta(hours=1)
    """Whatever else changes (an autoscaler, somebody's annotation): no Pod starts for that long."""
    placed: timedelta = timedelta(minutes=2)
    """The DaemonSet controller makes a Pod for a node within seconds, also for many nodes."""
    failed_daemon: timedelta = timedelta(minutes=10)
    """The controller kills a failed daemon Pod and backs off for 15 minutes at most."""
    cron_job_history: timedelta = timedelta(hours=24)
    """A CronJob keeps its last failed Job until the next failure; after a day it is history, also
    where no later run succeeded."""
    job_history: timedelta = timedelta(days=7)
    """A Job of nobody's stays for ever unless it is deleted; after a week nobody waits for it."""
    suspended: timedelta = timedelta(days=7)
    """Longer than any maintenance that a CronJob is suspended for by intent."""
    starting: timedelta = timedelta(minutes=1)
    """The controller starts a run within seconds of its time, and writes its status after that."""
    active_run: timedelta = timedelta(hours=1)
    """Who forbids a second run every few minutes may let one go on for much longer on purpose."""
    no_metrics: timedelta = timedelta(minutes=3)
    """A young Pod has no metrics for a minute or two, and metrics-server restarts within one."""
    provisioning: timedelta = timedelta(seconds=10)
    """A storage class may come with the claim, and a provisioner tries again within seconds."""
    unprovisioned: timedelta = timedelta(minutes=2)
    """Who makes a volume by hand, or a default class, does so together with the claim."""
    provisioner_silent: timedelta = timedelta(minutes=5)
    """A volume of a cloud takes seconds to a few minutes."""
    resize_pending: timedelta = timedelta(minutes=10)
    """A file system grows within a minute where a running Pod mounts it."""
    node_not_ready: timedelta = timedelta(seconds=5)
    """Kubernetes itself has waited 40 s or longer before it says so."""
    young_node: timedelta = timedelta(minutes=3)
    """A new node is not ready until its network plugin was pulled and started."""
    young_service: timedelta = timedelta(seconds=30)
    """Endpoints follow a new Service after a moment."""
    warned: timedelta = timedelta(minutes=5)
    """A warning about an object of which nothing else is known must last to be a failure."""
    warned_memory: timedelta = timedelta(minutes=20)
    """Controllers repeat themselves after 1,000 s at the latest."""


GRACES = WorkloadGraces()
