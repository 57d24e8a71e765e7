"""Services with nobody to answer, because the Pods behind them fail.

Only that: a Service whose selector fits no Pod at all may be waiting for its workload. Kubernetes
says `no endpoints available` to whoever calls such a Service and has no reason word of its own; it
is called NoReadyEndpoints here, after the field `ready` of its endpoints.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from datetime import datetime

from kausa.cluster.workloads import EndpointSlice, Service
from kausa.detection.case import shows, waits
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.workloads.graces import GRACES
from kausa.detection.workloads.looking import grace
from kausa.resources.category import Category

__all__ = ["detect_service"]

NO_ENDPOINTS = "NoReadyEndpoints"
HEADLESS = "None"
_ELSEWHERE = frozenset({"ExternalName"})


def detect_service(
    service: Service, slices: Iterable[EndpointSlice], *, failing: Set[str], now: datetime
) -> Verdict:
    """What ails a Service; `failing` are the uids of the Pods that fail."""
    spec, meta = service.spec, service.metadata
    if meta.deletion_timestamp is not None or not spec.selector or spec.type in _ELSEWHERE:
        return HEALTHY
    # Who calls a headless Service wants its Pods, ready or not, and who publishes these as well.
    if spec.cluster_ip == HEADLESS or spec.publish_not_ready_addresses:
        return HEALTHY
    behind: set[str] = set()
    for each in slices:
        if any(endpoint.ready for endpoint in each.endpoints or ()):
            return HEALTHY
        behind.update(each.pod_uids)
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
