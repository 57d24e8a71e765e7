"""Services with nobody to answer, because the Pods behind them fail.

Only that: a Service whose selector fits no Pod at all may be waiting for its workload. Kubernetes
says `no endpoints available` to whoever calls such a Service and has no reason word of its own; it
is called NoReadyEndpoints here, after the field `ready` of its endpoints.

A Pod without an address (nobody schedules it, its volume cannot be mounted) is no endpoint, nor is
one that has ended; so where Pods fail that no endpoint names, those that the selector fits count.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from datetime import datetime

from kausa.cluster.objects import Pod
from kausa.cluster.workloads import EndpointSlice, Service
from kausa.detection.case import shows, waits
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.workloads.graces import GRACES
from kausa.detection.workloads.looking import grace
from kausa.resources.category import Category

__all__ = ["awaited", "detect_service", "has_ready_endpoint", "needs_ready_pods"]

NO_ENDPOINTS = "NoReadyEndpoints"
HEADLESS = "None"
_ELSEWHERE = frozenset({"ExternalName"})


def needs_ready_pods(service: Service) -> bool:
    """Whether a Service has to have a ready endpoint, and Kubernetes finds them by its selector."""
    spec = service.spec
    if service.metadata.deletion_timestamp is not None or not spec.selector:
        return False
    # Who calls a headless Service wants its Pods, ready or not, and who publishes these as well.
    return not (
        spec.type in _ELSEWHERE or spec.cluster_ip == HEADLESS or spec.publish_not_ready_addresses
    )


def has_ready_endpoint(slices: Iterable[EndpointSlice]) -> bool:
    """Whether requests are sent anywhere."""
    return any(endpoint.ready for each in slices for endpoint in each.endpoints or ())


def detect_service(
    service: Service,
    slices: Iterable[EndpointSlice],
    *,
    selected: Iterable[Pod] = (),
    failing: Set[str],
    now: datetime,
) -> Verdict:
    """What ails a Service.

    `slices` are all of its EndpointSlices, `selected` the Pods that its selector fits, where these
    were read, and `failing` the uids of the Pods that fail.
    """
    slices, meta = tuple(slices), service.metadata
    if not needs_ready_pods(service) or has_ready_endpoint(slices):
        return HEALTHY
    counted = awaited(selected)
    if any(_is_ready(each) for each in counted):
        return HEALTHY  # It will be an endpoint in a moment.
    behind = {uid for each in slices for uid in each.pod_uids}
    behind.update(each.metadata.uid for each in counted)
    failed = len(behind & failing)
    if not failed:
        return HEALTHY
    wait = grace(meta.creation_timestamp, GRACES.young_service, now=now)
    if wait is not None:
        return waits(wait)
    return shows(
        Symptom(
            category=Category.SERVICE,
            reason=NO_ENDPOINTS,
            reason_class=NO_ENDPOINTS,
            detail="",
            message=f"no endpoints available for service {meta.name}: none of the {len(behind)} "
            f"Pods behind it is ready, and {failed} of them fail",
            since=None,
            last_seen=None,
        )
    )


def awaited(selected: Iterable[Pod]) -> tuple[Pod, ...]:
    """Those of the Pods that fit a selector for which the Service waits.

    Not for one that has ended, unless it is nobody's: a failed Job's Pod may bear the labels of the
    Service, and whoever replaces an evicted Pod has another one that speaks for itself.
    """
    return tuple(each for each in selected if _is_awaited(each))


def _is_awaited(pod: Pod) -> bool:
    if pod.metadata.deletion_timestamp is not None or pod.status.phase == "Succeeded":
        return False
    made = any(each.controller for each in pod.metadata.owner_references or ())
    return pod.status.phase != "Failed" or not made


def _is_ready(pod: Pod) -> bool:
    conditions = pod.status.conditions or ()
    return any(each.type == "Ready" and each.status == "True" for each in conditions)
