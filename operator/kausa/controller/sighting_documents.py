"""What the streams write: a resource for a failure, and how often it was seen; pure."""

from __future__ import annotations

from kausa.cluster.owners import Owner
from kausa.controller.sightings import Sighting
from kausa.detection.counting import FailureCount, PodCount
from kausa.detection.symptom import Symptom, Upstream
from kausa.resources.condition import RESOLVED, ConditionStatus, set_condition
from kausa.resources.failure import CausedBy, FailingPod, Failure
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.limits import PODS
from kausa.resources.metadata import ObjectMeta, OwnerReference
from kausa.resources.recollection import Resolution
from kausa.resources.spec import FailureDiagnosisSpec, Target, Trigger
from kausa.resources.status import FailureDiagnosisStatus

__all__ = [
    "ASKED_ANNOTATION",
    "MANAGED_BY_LABELS",
    "POD_ANNOTATION",
    "count_of",
    "failure_part",
    "known_symptom",
    "new_resource",
    "sighting_status",
]

ASKED_ANNOTATION = "kausa.dev/asked"
"""On our own resource: which request (a short hash) it last answered."""
POD_ANNOTATION = "kausa.dev/pod"
"""On our own resource: the Pod that was asked about."""
MANAGED_BY_LABELS = {"app.kubernetes.io/managed-by": "kausa"}


def new_resource(
    *,
    name: str,
    owner: Owner,
    container: str | None,
    trigger: Trigger,
    question: str | None = None,
    asked: str | None = None,
    pod: str | None = None,
) -> FailureDiagnosis:
    """The resource as it is first applied: whom it is about, and that it goes when they go."""
    return FailureDiagnosis(
        metadata=ObjectMeta(
            name=name,
            namespace=owner.namespace,
            labels=MANAGED_BY_LABELS,
            annotations={
                name: value
                for name, value in ((ASKED_ANNOTATION, asked), (POD_ANNOTATION, pod))
                if value
            }
            or None,
            owner_references=(
                OwnerReference(
                    api_version=owner.api_version, kind=owner.kind, name=owner.name, uid=owner.uid
                ),
            ),
        ),
        spec=FailureDiagnosisSpec(
            target=Target(
                api_version=owner.api_version,
                kind=owner.kind,
                name=owner.name,
                container=container,
            ),
            trigger=trigger,
            question=question,
        ),
    )


def failure_part(
    symptom: Symptom,
    *,
    message: str,
    fingerprint: str,
    count: FailureCount,
    upstream: str | None = None,
) -> Failure:
    """What fails and how often; `message` is the redacted one, `upstream` the name of the
    FailureDiagnosis of what it follows from.
    """
    return Failure(
        category=symptom.category,
        reason=symptom.reason,
        container=symptom.container,
        exit_code=symptom.exit_code,
        signal=symptom.signal,
        message=message or None,
        fingerprint=fingerprint,
        first_seen=count.first_seen,
        last_seen=count.last_seen,
        occurrences=count.occurrences,
        pods=tuple(
            FailingPod(
                name=each.name,
                uid=each.uid,
                occurrences=each.occurrences,
                last_seen=each.last_seen or count.last_seen,
            )
            for each in count.latest_pods(PODS)
        ),
        pod_count=count.pod_count,
        caused_by=_caused_by(symptom.caused_by, diagnosis=upstream),
    )


def sighting_status(
    sighting: Sighting, *, message: str, upstream: str | None
) -> FailureDiagnosisStatus:
    """All that the streams own of a status: what was seen, and whether it is over; `message` is
    the redacted one.
    """
    failure = failure_part(
        sighting.symptom,
        message=message,
        fingerprint=sighting.fingerprint,
        count=sighting.count,
        upstream=upstream,
    )
    resolution = None
    if sighting.resolved:
        lasted = sighting.turned_at - sighting.count.first_seen
        resolution = Resolution(
            time=sighting.turned_at,
            how=sighting.how,
            seconds_to_resolve=max(0, int(lasted.total_seconds())),
        )
    return FailureDiagnosisStatus(
        failure=failure,
        resolution=resolution,
        conditions=set_condition(
            (),
            type=RESOLVED,
            status=ConditionStatus.TRUE if sighting.resolved else ConditionStatus.FALSE,
            reason="Recovered" if sighting.resolved else "StillFailing",
            message="",
            now=sighting.turned_at,
        ),
    )


def known_symptom(failure: Failure) -> Symptom:
    """What an earlier process recorded, as far as a resource tells it."""
    return Symptom(
        category=failure.category,
        reason=failure.reason,
        reason_class=failure.reason,
        detail="",
        message=failure.message or "",
        container=failure.container,
        exit_code=failure.exit_code,
        signal=failure.signal,
        since=failure.first_seen,
        last_seen=failure.last_seen,
        occurrences=failure.occurrences,
    )


def count_of(failure: Failure) -> FailureCount:
    """Where an earlier process left off, read back from the resource."""
    count = FailureCount(
        first_seen=failure.first_seen,
        last_seen=failure.last_seen,
        restored_at=failure.last_seen,
        occurrences=failure.occurrences,
        unlisted_pods=max(0, (failure.pod_count or 0) - len(failure.pods)),
    )
    for pod in reversed(failure.pods):
        count.pods[pod.uid] = PodCount(
            uid=pod.uid, name=pod.name, occurrences=pod.occurrences, last_seen=pod.last_seen
        )
    return count


def _caused_by(upstream: Upstream | None, *, diagnosis: str | None) -> CausedBy | None:
    if upstream is None:
        return None
    return CausedBy(
        kind=upstream.kind,
        name=upstream.name,
        namespace=upstream.namespace,
        reason=upstream.reason or None,
        diagnosis=diagnosis,
    )
