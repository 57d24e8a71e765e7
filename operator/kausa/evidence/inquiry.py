"""What evidence is gathered about: one failure, and the way to read the cluster around it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kausa.cluster.objects import ObjectReference, Pod
from kausa.cluster.owners import Owner
from kausa.cluster.reader import ClusterReader
from kausa.detection.symptom import Symptom

__all__ = ["Inquiry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """Every gatherer gets this, and reads what it needs."""

    reader: ClusterReader
    """Reads each thing once, whichever gatherers ask for it."""
    owner: Owner
    shown_by: ObjectReference
    """The object that shows the failure."""
    pod: Pod
    """The Pod that shows it, or one of the workload's; an empty one where there is none."""
    symptom: Symptom | None
    now: datetime

    @property
    def has_pod(self) -> bool:
        """Whether there is a Pod at all."""
        return bool(self.pod.metadata.uid)

    @property
    def namespace(self) -> str:
        """Where it fails; empty for what belongs to no namespace."""
        return self.pod.metadata.namespace or self.shown_by.namespace
