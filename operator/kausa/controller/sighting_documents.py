"""What the streams write: a resource for a failure, and how often it was seen; pure."""

from __future__ import annotations

from kausa.cluster.owners import Owner
from kausa.detection.counting import FailureCount, PodCount
from kausa.detection.symptom import Symptom
from kausa.resources.failure import FailingPod, Failure
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.limits import PODS
from kausa.resources.metadata import ObjectMeta, OwnerReference
from kausa.resources.spec import FailureDiagnosisSpec, Target, Trigger

__all__ = [
    "ASKED_ANNOTATION",
    "MANAGED_BY_LABELS",
    "POD_ANNOTATION",
    "failure_count",
    "failure_part",
    "new_resource",
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
    symptom: Symptom, *, message: str, fingerprint: str, count: FailureCount
) -> Failure:
    """What fails and how often; `message` is the redacted one."""
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
    )


def failure_count(failure: Failure) -> FailureCount:
    """Where an earlier process left off, read back from the resource."""
    count = FailureCount(
        first_seen=failure.first_seen,
        last_seen=failure.last_seen,
        occurrences=failure.occurrences,
        unlisted_pods=max(0, (failure.pod_count or 0) - len(failure.pods)),
    )
    for pod in reversed(failure.pods):
        count.pods[pod.uid] = PodCount(
            uid=pod.uid, name=pod.name, occurrences=pod.occurrences, last_seen=pod.last_seen
        )
    return count
