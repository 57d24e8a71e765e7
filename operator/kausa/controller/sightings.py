"""What the streams know: which failures there are now, in which objects, and how often seen.

Everything here can be lost and is rebuilt from the API server: objects come again with the first
list, and counts are read back from the resources.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kausa.cluster.objects import ObjectReference, Pod
from kausa.cluster.owners import Owner
from kausa.controller.found import NO_POD, Found
from kausa.controller.openings import Openings
from kausa.detection.counting import FailureCount
from kausa.detection.symptom import Symptom
from kausa.resources.evidence import Change

__all__ = ["NEVER", "ResourceKey", "Sighting", "Sightings"]

NEVER = float("-inf")
ResourceKey = tuple[str, str]
"""Namespace and name of a FailureDiagnosis."""


@dataclass(slots=True, kw_only=True)
class Sighting:
    """One failure as the streams see it now."""

    owner: Owner
    shown_by: ObjectReference
    """The object in which it was seen last."""
    pod: Pod = NO_POD
    """The same, where it is a Pod."""
    symptom: Symptom
    fingerprint: str
    count: FailureCount
    resolved: bool = False
    turned_at: datetime
    """When it began to fail (again), or when it was found resolved."""
    how: tuple[Change, ...] = ()
    """What was changed until it was resolved, redacted."""
    failing: set[str] = field(default_factory=set)
    """The uids of the objects that fail in this way now."""
    other_owners: set[str] = field(default_factory=set)
    """The uids of owners that fail as one with this one: the claims of a StatefulSet."""
    detected_at: float = field(default_factory=time.monotonic)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    written_at: float = NEVER
    dirty: bool = True

    @property
    def of_pods(self) -> bool:
        """Whether Pods fail in this way; also where none is known but from an earlier process."""
        return self.shown_by.kind == "Pod" or bool(self.count.pods)


class Sightings:
    """Bounded by the failures and failing objects that exist, never by how often they repeat."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.by_resource: dict[ResourceKey, Sighting] = {}
        self.failing: dict[str, Found] = {}
        """The objects that fail now, by uid."""
        self._keys_of: dict[str, tuple[ResourceKey, ...]] = {}
        """Under which failures each failing object is recorded."""
        self._keys_of_owner: dict[str, dict[ResourceKey, None]] = {}
        self._owner_of: dict[str, str] = {}
        """The uid of the owner of each failing object that was recorded."""
        self._failing_of_owner: dict[str, set[str]] = {}
        self._quiet_since: dict[str, float] = {}
        """Since when nothing of an owner has failed, for owners that are not resolved yet."""
        self._left: dict[str, tuple[ResourceKey, ...]] | None = {}
        """The failures of Pods that an earlier process recorded and that are not taken up yet, by
        the uid of their owner; None until they were read."""
        self.openings = Openings()
        """The failures whose resources are being made."""

    # -- failures --------------------------------------------------------------------------------

    def add(self, key: ResourceKey, sighting: Sighting) -> None:
        """A failure is known from now on."""
        self.by_resource[key] = sighting
        self._keys_of_owner.setdefault(sighting.owner.uid, {})[key] = None

    def fails_as_one(self, key: ResourceKey, owner: Owner) -> bool:
        """Another owner has the same failure under the same identity; True where that is news."""
        sighting = self.by_resource[key]
        if owner.uid == sighting.owner.uid or owner.uid in sighting.other_owners:
            return False
        sighting.other_owners.add(owner.uid)
        self._keys_of_owner.setdefault(owner.uid, {})[key] = None
        return True

    def upstream_is_known(self, owner: Owner) -> None:
        """This owner's failure has a resource now: those that follow from it are to say so."""
        for each in self.by_resource.values():
            upstream = each.symptom.caused_by
            if upstream is not None and upstream.uid == owner.uid:
                each.dirty = True

    @property
    def knows_what_was_left(self) -> bool:
        """Whether it is known which failures of Pods an earlier process has recorded."""
        return self._left is not None

    def was_left(self, failures: Mapping[str, tuple[ResourceKey, ...]] | None) -> None:
        """The failures of Pods that an earlier process recorded, by the uid of their owner; None
        where that is about to be read. They count as failures of the owner until they are taken up,
        or empty is said here.
        """
        self._left = dict(failures) if failures is not None else None

    def of_owner(self, uid: str) -> tuple[tuple[ResourceKey, Sighting], ...]:
        """The known failures of one owner."""
        return tuple((key, self.by_resource[key]) for key in self._keys_of_owner.get(uid, ()))

    def remove(self, key: ResourceKey) -> tuple[Found, ...]:
        """The resource is gone, or rests; the objects that still fail in that way."""
        if self._left:
            self._left = {
                owner: left
                for owner, keys in self._left.items()
                if (left := tuple(each for each in keys if each != key))
            }
        sighting = self.by_resource.pop(key, None)
        if sighting is None:
            return ()
        for owner in (sighting.owner.uid, *sighting.other_owners):
            of_owner = self._keys_of_owner.get(owner, {})
            of_owner.pop(key, None)
            if not of_owner:
                self._keys_of_owner.pop(owner, None)
                self._quiet_since.pop(owner, None)
        for uid in sighting.failing:
            self._keys_of[uid] = tuple(each for each in self._keys_of.get(uid, ()) if each != key)
        found = (self.failing.get(uid) for uid in sighting.failing)
        return tuple(each for each in found if each is not None)

    def leave(self, uid: str) -> None:
        """The object is left out from now on: nothing is said of its failures any more."""
        keys = self._keys_of.get(uid, ())
        self.works(uid)
        for key in keys:
            if (sighting := self.by_resource.get(key)) is not None and not sighting.failing:
                self.remove(key)

    def leave_owner(self, uid: str) -> None:
        """The owner is left out from now on, and all that is of it."""
        for failing in tuple(self._failing_of_owner.get(uid, ())):
            self.leave(failing)
        for key, _ in self.of_owner(uid):
            self.remove(key)

    def leave_namespace(self, namespace: str) -> None:
        """The namespace is left out from now on, and all that is in it."""
        for uid, found in tuple(self.failing.items()):
            if found.shown_by.namespace == namespace:
                self.leave(uid)
        for key, sighting in tuple(self.by_resource.items()):
            if sighting.shown_by.namespace == namespace:
                self.remove(key)

    def due(self, *, interval_seconds: float) -> tuple[ResourceKey, ...]:
        """The resources whose repeats may be written now; not those that are being opened still."""
        before = self._clock() - interval_seconds
        return tuple(
            key
            for key, each in self.by_resource.items()
            if each.dirty and NEVER < each.written_at <= before
        )

    # -- objects ---------------------------------------------------------------------------------

    def fails(self, uid: str, found: Found) -> None:
        """The object fails in the state that was read last."""
        self.failing[uid] = found

    def works(self, uid: str) -> None:
        """The object does not fail any more, or is gone."""
        self.failing.pop(uid, None)
        self.recorded(uid, ())

    def recorded(
        self, uid: str, keys: Collection[ResourceKey], *, owner: Owner | None = None
    ) -> None:
        """Under which failures an object fails now; nothing where it has stopped failing."""
        self._note_owner(uid, owner)
        now = tuple(keys) if uid in self.failing else ()
        before = self._keys_of.get(uid, ())
        for key in before:
            if key not in now and (sighting := self.by_resource.get(key)) is not None:
                sighting.failing.discard(uid)
        for key in now:
            if (sighting := self.by_resource.get(key)) is not None:
                sighting.failing.add(uid)
        if now:
            self._keys_of[uid] = now
        else:
            self._keys_of.pop(uid, None)
        self._note_quiet(key for key in {*before, *now})

    def _note_owner(self, uid: str, owner: Owner | None) -> None:
        if uid in self.failing:
            if owner is not None:
                self._owner_of[uid] = owner.uid
                self._failing_of_owner.setdefault(owner.uid, set()).add(uid)
            return
        known = self._owner_of.pop(uid, None)
        failing = self._failing_of_owner.get(known, set()) if known is not None else set()
        failing.discard(uid)
        if known is not None and not failing:
            self._failing_of_owner.pop(known, None)

    def still_fails(self, key: ResourceKey) -> bool:
        """Whether any object shows this failure in the state that was read last."""
        sighting = self.by_resource.get(key)
        return sighting is not None and bool(sighting.failing)

    def resources_of(self, uid: str) -> tuple[ResourceKey, ...]:
        """The failures that this object is known for, also while it runs between two crashes."""
        known = self._keys_of.get(uid)
        if known:
            return known
        return tuple(key for key, each in self.by_resource.items() if uid in each.count.pods)

    def failing_pods_of(self, owner_uid: str) -> int:
        """How many Pods of an owner fail now, those included that follow their node; at least one
        while a failure of its Pods is not resolved, though they just run between two crashes.
        """
        failing = self._failing_of_owner.get(owner_uid, ())
        pods = sum(
            1
            for uid in failing
            if (found := self.failing.get(uid)) is not None and isinstance(found.object, Pod)
        )
        return max(pods, int(bool(self.of_pods(owner_uid))))

    def of_pods(self, owner_uid: str) -> tuple[ResourceKey, ...]:
        """The failures of an owner's Pods that are not resolved, those included that an earlier
        process has recorded and nobody has looked at since.
        """
        known = tuple(key for key, each in self.of_owner(owner_uid) if each.of_pods)
        left = self._left.get(owner_uid, ()) if self._left else ()
        return tuple(dict.fromkeys((*known, *left))) if left else known

    def fails_otherwise(self, uid: str, owner: Owner, symptom: Symptom) -> bool:
        """Whether the same container of that Pod is known for another failure."""
        return any(
            uid in each.count.pods and each.symptom.container == symptom.container
            for _, each in self.of_owner(owner.uid)
        )

    # -- recovery --------------------------------------------------------------------------------

    def recovered(self, *, after_seconds: float) -> tuple[ResourceKey, ...]:
        """The failures of owners of which nothing has failed for so long."""
        before = self._clock() - after_seconds
        return tuple(
            key
            for uid, since in self._quiet_since.items()
            if since <= before
            for key in self._keys_of_owner.get(uid, ())
        )

    def is_over(self, key: ResourceKey, *, after_seconds: float) -> bool:
        """Whether nothing of its owner has failed for so long."""
        sighting = self.by_resource.get(key)
        since = self._quiet_since.get(sighting.owner.uid) if sighting is not None else None
        return since is not None and since <= self._clock() - after_seconds

    def seen(self, keys: Iterable[ResourceKey]) -> None:
        """These failures were recorded just now; where nothing shows them any more, the wait for
        the recovery of their owners begins anew.
        """
        known = [self.by_resource[key].owner.uid for key in keys if key in self.by_resource]
        for owner in known:
            if not any(each.failing for _, each in self.of_owner(owner)):
                self._quiet_since[owner] = self._clock()

    def _note_quiet(self, keys: Iterable[ResourceKey]) -> None:
        for owner in {self.by_resource[key].owner.uid for key in keys if key in self.by_resource}:
            if any(each.failing for _, each in self.of_owner(owner)):
                self._quiet_since.pop(owner, None)
            else:
                self._quiet_since.setdefault(owner, self._clock())
