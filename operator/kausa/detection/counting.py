"""Counting repeats so that none is counted twice, whatever happens to the operator.

Each Pod has its own count (restarts, attempts), read from the cluster and never incremented here.
What is added up is the growth of those counts. The counts themselves are kept in the resource, so a
new process goes on where the old one was killed. Of more than ten Pods only ten are kept there; of
the others, what happened before the last written sighting is taken as counted.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime

__all__ = ["FailureCount", "PodCount"]

MOST_PODS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PodCount:
    """How often one Pod failed in this way."""

    uid: str
    name: str
    occurrences: int
    last_seen: datetime | None


@dataclass(slots=True, kw_only=True)
class FailureCount:
    """How often one failure was seen, in how many Pods, since when."""

    first_seen: datetime
    last_seen: datetime
    occurrences: int = 0
    unlisted_pods: int = 0
    """Pods that were counted by an earlier process and are not kept by name."""
    pods: OrderedDict[str, PodCount] = field(default_factory=OrderedDict)
    objects: OrderedDict[str, int] = field(default_factory=OrderedDict)
    """The counts of what is no Pod, by uid; known to this process only."""

    @property
    def pod_count(self) -> int:
        """How many Pods have failed in this way."""
        return len(self.pods) + self.unlisted_pods

    def observe(self, sighting: PodCount) -> bool:
        """Take in what one Pod's status says now; True where it is news."""
        known = self.pods.pop(sighting.uid, None)
        if known is None and self._was_counted(sighting):
            self.unlisted_pods -= 1
            known = sighting
        before = known.occurrences if known is not None else 0
        seen = sighting.last_seen
        if seen is None and known is not None:
            seen = known.last_seen
        self.pods[sighting.uid] = PodCount(
            uid=sighting.uid,
            name=sighting.name,
            occurrences=max(before, sighting.occurrences),
            last_seen=seen,
        )
        grown = max(0, sighting.occurrences - before)
        self.occurrences += grown
        if seen is not None and seen > self.last_seen:
            self.last_seen = seen
        if seen is not None and seen < self.first_seen:
            self.first_seen = seen
        while len(self.pods) > MOST_PODS:
            self.pods.popitem(last=False)
            self.unlisted_pods += 1
        return grown > 0

    def observe_object(self, sighting: PodCount) -> bool:
        """Take in what an object that is no Pod says now; True where it is news.

        Several may show one failure in turn (the Jobs of a CronJob). What was last seen before the
        last written sighting is taken as counted by an earlier process.
        """
        seen = sighting.last_seen
        before = self.objects.pop(sighting.uid, 0)
        if not before and self.occurrences and seen is not None and seen <= self.last_seen:
            before = sighting.occurrences
        self.objects[sighting.uid] = max(before, sighting.occurrences)
        while len(self.objects) > MOST_PODS:
            self.objects.popitem(last=False)
        grown = sighting.occurrences > before
        self.occurrences += max(0, sighting.occurrences - before)
        if seen is not None and seen > self.last_seen:
            self.last_seen = seen
            grown = True
        if seen is not None and seen < self.first_seen:
            self.first_seen = seen
        return grown

    def follow(self, sighting: PodCount) -> bool:
        """Take in a Pod that fails for this failure's sake: listed, and not counted as another
        time; True where it is news.
        """
        before = self.occurrences
        news = self.observe(sighting)
        self.occurrences = before
        return news

    def _was_counted(self, sighting: PodCount) -> bool:
        return (
            self.unlisted_pods > 0
            and sighting.last_seen is not None
            and sighting.last_seen <= self.last_seen
        )

    def latest_pods(self, most: int) -> tuple[PodCount, ...]:
        """The Pods that were seen failing last, the newest first."""
        return tuple(reversed(self.pods.values()))[:most]
