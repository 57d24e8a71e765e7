"""What the streams know: which failures there are now, in which Pods, and how often they were seen.

Everything here can be lost and is rebuilt from the API server: Pods come again with the first list,
and counts are read back from the resources.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field

from kausa.cluster.objects import Pod
from kausa.cluster.owners import Owner
from kausa.detection.counting import FailureCount
from kausa.detection.events import Repeat
from kausa.detection.symptom import Symptom

__all__ = ["NEVER", "ResourceKey", "Sighting", "Sightings"]

MOST_REPEATS = 50_000
NEVER = float("-inf")
ResourceKey = tuple[str, str]
"""Namespace and name of a FailureDiagnosis."""


@dataclass(slots=True, kw_only=True)
class Sighting:
    """One failure as the streams see it now."""

    owner: Owner
    pod: Pod
    """The Pod in which it was seen last."""
    symptom: Symptom
    fingerprint: str
    count: FailureCount
    message: str
    """The symptom's message, redacted."""
    detected_at: float = field(default_factory=time.monotonic)
    written_at: float = NEVER
    dirty: bool = True


class Sightings:
    """Bounded by the failures and failing Pods that exist, never by how often they repeat."""

    def __init__(self) -> None:
        self.by_resource: dict[ResourceKey, Sighting] = {}
        self.failing_pods: dict[str, Pod] = {}
        self._repeats: OrderedDict[tuple[str, str | None, str], Repeat] = OrderedDict()

    def remember_repeat(self, repeat: Repeat) -> Pod | None:
        """Keep how often an Event was seen; the failing Pod that it speaks of, where it is news."""
        key = (repeat.pod_uid, repeat.container, repeat.reason_class)
        known = self._repeats.pop(key, None)
        self._repeats[key] = repeat
        while len(self._repeats) > MOST_REPEATS:
            self._repeats.popitem(last=False)
        if known is not None and known.count >= repeat.count:
            return None
        return self.failing_pods.get(repeat.pod_uid)

    def repeat_of(self, pod: Pod, symptom: Symptom) -> Repeat | None:
        """What Events say of how often this was tried."""
        return self._repeats.get((pod.metadata.uid, symptom.container, symptom.reason_class))

    def still_fails(self, key: ResourceKey) -> bool:
        """Whether a Pod with this failure was seen failing when it was seen last."""
        sighting = self.by_resource.get(key)
        return sighting is not None and any(uid in self.failing_pods for uid in sighting.count.pods)

    def resources_of(self, uid: str) -> tuple[ResourceKey, ...]:
        """The failures that this Pod is known for, also where it just runs between two crashes."""
        return tuple(key for key, each in self.by_resource.items() if uid in each.count.pods)

    def memory_twin(self, uid: str, symptom: Symptom) -> Sighting | None:
        """The same container's failure for memory, where the kubelet says now Error and now
        OOMKilled of one and the same end (a child process was killed).
        """
        if symptom.reason_class != "CrashLoop":
            return None
        for each in self.by_resource.values():
            known = each.symptom
            if (
                uid in each.count.pods
                and known.reason_class == "OOMKilled"
                and (known.container, known.exit_code) == (symptom.container, symptom.exit_code)
            ):
                return each
        return None

    def fails_otherwise(self, uid: str, symptom: Symptom) -> bool:
        """Whether the same container of that Pod is known for another failure."""
        return any(
            uid in each.count.pods and each.symptom.container == symptom.container
            for each in self.by_resource.values()
        )

    def forget_pod(self, uid: str) -> None:
        """The Pod is gone or does not fail any more."""
        self.failing_pods.pop(uid, None)

    def forget_resource(self, key: ResourceKey) -> tuple[Pod, ...]:
        """The resource is gone; the Pods that may still fail in that way."""
        sighting = self.by_resource.pop(key, None)
        if sighting is None:
            return ()
        pods = (self.failing_pods.get(uid) for uid in sighting.count.pods)
        return tuple(pod for pod in pods if pod is not None)

    def due(self, *, interval_seconds: float) -> tuple[ResourceKey, ...]:
        """The resources whose repeats may be written now; not those that are being opened still."""
        before = time.monotonic() - interval_seconds
        return tuple(
            key
            for key, each in self.by_resource.items()
            if each.dirty and NEVER < each.written_at <= before
        )
