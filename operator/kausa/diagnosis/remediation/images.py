"""A pull policy that forbids what is needed."""

from __future__ import annotations

from collections.abc import Iterator

from kausa.diagnosis.finding import Diagnosis, Fix
from kausa.diagnosis.remediation.workload import Workload
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import text
from kausa.resources.diagnosis import Risk

__all__ = ["may_pull"]


def may_pull(dossier: Dossier, diagnosis: Diagnosis, workload: Workload) -> Iterator[Fix]:
    """`Never` becomes `IfNotPresent`, where the node does not have the image."""
    symptom = dossier.symptom
    if symptom is None or symptom.container is None or symptom.reason != "ErrImageNeverPull":
        return
    found = workload.container(symptom.container)
    if found is None or text(found[1], "imagePullPolicy") != "Never":
        return
    yield Fix(
        title=f"Let the image of container {symptom.container} be pulled",
        rationale="imagePullPolicy Never works only with an image that was put on the node before.",
        patch=workload.container_patch(symptom.container, {"imagePullPolicy": "IfNotPresent"}),
        risk=Risk.LOW,
        citations=diagnosis.citations,
    )
