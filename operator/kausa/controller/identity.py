"""Which resource a failure belongs to: its fingerprint, and the name that is made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kausa.cluster.owners import Owner
from kausa.detection.fingerprint import fingerprint
from kausa.detection.symptom import Symptom
from kausa.resources.names import resource_name

__all__ = ["Identity", "family", "identify"]


_ORDINAL = re.compile(r"-\d{1,6}$")


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
    owner_name = family(owner)
    hashed = fingerprint(
        cluster=cluster,
        namespace=owner.namespace,
        owner_kind=owner.kind,
        owner_name=owner_name,
        container=symptom.container,
        reason_class=symptom.reason_class,
        detail=symptom.detail,
    )
    name = resource_name(owner=owner_name, reason=symptom.reason_class, fingerprint=hashed)
    return Identity(namespace=owner.namespace, name=name, fingerprint=hashed)


def family(owner: Owner) -> str:
    """The claims of one StatefulSet (`data-db-0`, `data-db-1`) fail as one."""
    if owner.kind != "PersistentVolumeClaim":
        return owner.name
    return _ORDINAL.sub("", owner.name)
