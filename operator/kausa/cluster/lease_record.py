"""A Lease as it stands in the cluster, and what it becomes when it is taken or given back.

The whole document is kept, because it is put back whole: labels and fields that are not ours stay.
Its holder is named twice: `holderIdentity` is for people and is the same again after a restart; an
annotation tells one process from every other, also from one that was given the same name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

__all__ = ["PROCESS_ANNOTATION", "LeaseRecord"]

PROCESS_ANNOTATION = "kausa.dev/process"
RELEASED_SECONDS = 1
"""The least that the API takes."""


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """One state of a Lease; a field that is missing or odd reads as empty."""

    document: dict[str, Any]

    @classmethod
    def empty(cls, *, name: str, namespace: str) -> LeaseRecord:
        """One that does not exist yet."""
        return cls(
            {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {},
            }
        )

    @property
    def spec(self) -> dict[str, Any]:
        """What its holder wrote."""
        return _object(self.document.get("spec"))

    @property
    def holder(self) -> str:
        """Who holds it; empty where nobody does."""
        found = self.spec.get("holderIdentity")
        return found if isinstance(found, str) else ""

    @property
    def process(self) -> str:
        """Which process wrote it last; empty where that is not said."""
        found = self._annotations.get(PROCESS_ANNOTATION)
        return found if isinstance(found, str) else ""

    @property
    def seconds(self) -> int:
        """For how long it is held without a renewal; 0 where it does not say."""
        return self._number("leaseDurationSeconds")

    @property
    def transitions(self) -> int:
        """How often it has passed from one to another."""
        return self._number("leaseTransitions")

    def taken(self, *, identity: str, process: str, seconds: int, now: datetime) -> LeaseRecord:
        """Held by this process of the name `identity` from now on, or still."""
        changes: dict[str, Any] = {
            "holderIdentity": identity,
            "leaseDurationSeconds": seconds,
            "renewTime": _micro_time(now),
        }
        if self.holder != identity:
            changes["acquireTime"] = _micro_time(now)
            changes["leaseTransitions"] = self.transitions + 1 if self.spec else 0
        return self._with(changes, process=process)

    def released(self, *, now: datetime) -> LeaseRecord:
        """Held by nobody."""
        return self._with(
            {
                "holderIdentity": "",
                "leaseDurationSeconds": RELEASED_SECONDS,
                "renewTime": _micro_time(now),
                "acquireTime": _micro_time(now),
            },
            process="",
        )

    @property
    def _metadata(self) -> dict[str, Any]:
        return _object(self.document.get("metadata"))

    @property
    def _annotations(self) -> dict[str, Any]:
        return _object(self._metadata.get("annotations"))

    def _with(self, changes: dict[str, Any], *, process: str) -> LeaseRecord:
        annotations = self._annotations | {PROCESS_ANNOTATION: process}
        metadata = self._metadata | {"annotations": annotations}
        return LeaseRecord(self.document | {"metadata": metadata, "spec": self.spec | changes})

    def _number(self, name: str) -> int:
        found = self.spec.get(name)
        return found if isinstance(found, int) and found > 0 else 0


def _object(found: object) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _micro_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
