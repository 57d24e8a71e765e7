"""Which resource a failure belongs to: its fingerprint, and the name that is made of it."""

from __future__ import annotations

from dataclasses import dataclass

from kausa.cluster.owners import Owner
from kausa.detection.fingerprint import fingerprint
from kausa.detection.symptom import Symptom
from kausa.resources.names import resource_name

__all__ = ["Identity", "identify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What two sightings of one failure share."""

    namespace: str
    name: str
    """The name of its FailureDiagnosis."""
    fingerprint: str

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name of its FailureDiagnosis."""
        return self.namespace, self.name


def identify(*, cluster: str, owner: Owner, symptom: Symptom) -> Identity:
    """The identity of one symptom of one owner."""
    hashed = fingerprint(
        cluster=cluster,
        namespace=owner.namespace,
        owner_kind=owner.kind,
        owner_name=owner.name,
        container=symptom.container,
        reason_class=symptom.reason_class,
        detail=symptom.detail,
    )
    name = resource_name(owner=owner.name, reason=symptom.reason_class, fingerprint=hashed)
    return Identity(namespace=owner.namespace, name=name, fingerprint=hashed)
