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
    restored_at: datetime | None = None
    """The last failure that an earlier process has counted."""
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
        before = known.occurrences if known is not None else self._counted_before(sighting)
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

        Several may show one failure in turn (the Jobs of a CronJob). The first that a new process
        sees is taken for the one that was counted before.
        """
        seen = sighting.last_seen
        known = self.objects.pop(sighting.uid, None)
        if known is None:
            known = 0 if self.objects else min(sighting.occurrences, self.occurrences)
        self.objects[sighting.uid] = max(known, sighting.occurrences)
        while len(self.objects) > MOST_PODS:
            self.objects.popitem(last=False)
        later = seen is not None and seen > self.last_seen
        # What has no count of its own (a node that is not ready) is counted by its times.
        again = later and sighting.occurrences == known == 1 and self.occurrences > 0
        grown = max(0, sighting.occurrences - known) + int(again)
        self.occurrences += grown
        if seen is not None:
            self.last_seen, self.first_seen = max(self.last_seen, seen), min(self.first_seen, seen)
        return later or grown > 0

    def follow(self, sighting: PodCount) -> bool:
        """Take in a Pod that fails for this failure's sake: listed, and not counted as another
        time; True where it is news.
        """
        before = self.occurrences
        news = self.observe(sighting)
        self.occurrences = before
        return news

    def _counted_before(self, sighting: PodCount) -> int:
        """How much of a Pod that is not known by name an earlier process has counted.

        Nobody can tell for sure. That all but its last failure were counted doubles nothing; some
        that happened while no operator ran may be missed.
        """
        if not self.unlisted_pods:
            return 0
        self.unlisted_pods -= 1
        since = self.restored_at
        later = since is None or sighting.last_seen is None or sighting.last_seen > since
        return max(0, sighting.occurrences - int(later))

    def latest_pods(self, most: int) -> tuple[PodCount, ...]:
        """The Pods that were seen failing last, the newest first."""
        return tuple(reversed(self.pods.values()))[:most]
