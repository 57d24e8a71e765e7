"""Pods that do not fail by what is known of them, and of which an Event may still say that they do.

Pods and their Events come over two streams, and which of both is the first says nothing about the
Pod. An Event is remembered until its Pod comes; for one that comes later it is the Pod that must be
remembered. Not every Pod, for that would take as much memory as the cluster is large; but a Pod
that is ready does well whatever is said of it, unless a probe may have killed it a while ago.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from kausa.cluster.objects import ContainerStatus, Pod
from kausa.detection.case import earlier, later
from kausa.detection.graces import GRACES
from kausa.detection.probes import KILLED
from kausa.detection.surroundings import Surroundings

__all__ = ["remembered_until"]

AGAIN = timedelta(minutes=10)
"""How often it is looked whether a Pod must still be remembered."""
_TO_RUN = frozenset({"", "Pending", "Running", "Unknown"})


def remembered_until(pod: Pod, *, around: Surroundings, now: datetime) -> datetime | None:
    """When to look again at a Pod that shows nothing; None where no Event can change that."""
    status = pod.status
    if status.phase not in _TO_RUN or not pod.spec.node_name:
        return None
    for condition in status.conditions or ():
        if condition.type == "Ready":
            if condition.status != "True":
                break
            if not _may_have_been_killed(pod, around=around, now=now):
                return None
            break
    return later(now, AGAIN)


def _may_have_been_killed(pod: Pod, *, around: Surroundings, now: datetime) -> bool:
    """Whether an Event may still say that a container was killed for its probe, and runs again."""
    status = pod.status
    for each in status.container_statuses or ():
        if each.restart_count and _was_told_to_end(each, around=around, now=now):
            return True
    for each in status.init_container_statuses or ():
        if each.restart_count and _was_told_to_end(each, around=around, now=now):
            return True
    return False


def _was_told_to_end(status: ContainerStatus, *, around: Surroundings, now: datetime) -> bool:
    ended = status.last_state.terminated
    if ended is None or ended.exit_code not in KILLED:
        return False
    # An Event that is known already is repeated for as long as it likes; a new one comes soon.
    finished = ended.finished_at
    return bool(around.notes) or finished is None or finished > earlier(now, GRACES.probe_memory)
