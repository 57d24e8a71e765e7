"""Which failure answers for a target: its own, that of a Pod of it, or the object as it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from kausa.cluster.kinds import KINDS
from kausa.cluster.objects import Meta, ObjectReference, Pod
from kausa.cluster.owners import Owner, OwnerResolver
from kausa.controller.found import NO_POD, reference
from kausa.detection.case import earlier, later
from kausa.detection.symptom import Symptom
from kausa.offline.complaints import complaint, does_not_get_on, is_well, said_by, still_holds
from kausa.offline.owner_view import HOME_NAMESPACE, top_owner
from kausa.offline.scene import Scene
from kausa.offline.survey import Failure, Survey

__all__ = ["Subject", "Subjects"]

WITHOUT_PODS = frozenset({"Node", "ResourceQuota", "PersistentVolumeClaim", "Service"})
"""Whose Pods, if they have any, do not tell why they fail."""
MOST_LOOKS = 4
MOST_ROUNDS = 6
TOGETHER = timedelta(minutes=10)
"""What is to be judged again within this time of each other is judged at once, at its end."""
MOST_SURVEYS = 8
"""That are kept: of many targets most are looked for at the same few moments."""
A_MOMENT = timedelta(seconds=1)
RECENT = timedelta(hours=1)
"""As long as the API server keeps an Event."""
MOST_FAILURES = 5
"""Of one target that are diagnosed; it has one or two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is diagnosed: an object, how it fails, and the moment at which it was judged."""

    owner: Owner
    shown_by: ObjectReference
    pod: Pod
    """The Pod that shows it, or one of the owner's; the empty one where there is none."""
    symptom: Symptom | None
    now: datetime
    early: bool = False
    """It does not fail yet at the moment of the snapshot: it will if it goes on like this."""
    pods: tuple[ObjectReference, ...] = ()
    """All Pods that show the same failure."""
    since: datetime | None = None
    """When the first of them began to fail, as far as the files tell."""

    @property
    def namespace(self) -> str:
        """Where it is; empty for what belongs to no namespace, wherever its failure is kept."""
        known = KINDS.get(self.owner.kind)
        if known is not None and not known.namespaced:
            return ""
        shown = self.shown_by
        itself = (shown.kind, shown.name) == (self.owner.kind, self.owner.name)
        return "" if itself and not shown.namespace else self.owner.namespace

    @property
    def label(self) -> str:
        """`Deployment shop/api`, or `Node node-1`."""
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.owner.kind} {where}{self.owner.name}"


class Subjects:
    """Chooses what to diagnose in one scene."""

    def __init__(self, scene: Scene, *, owners: OwnerResolver, now: datetime) -> None:
        self._scene = scene
        self._owners = owners
        self._now = now
        self._of_owner: dict[str, list[Pod]] | None = None
        self._surveys: dict[datetime, Survey] = {}

    async def all(self, *, namespace: str = "") -> tuple[Subject, ...]:
        """Every failure at the moment of the snapshot, one for all that fail in the same way; then
        what complains and will fail; then what Events warn of that was not recorded itself.

        Of one namespace, where it is named, with what its failures follow from.
        """
        survey = await self._survey(self._now)
        shown = [each for each in survey.failures if not _is_told_by_another(each, survey)]
        found = [await self._as_failure(each) for each in _grouped(shown)]
        found += await self._early(survey)
        told = {each.shown_by.uid for each in found}
        for target in self._only_in_events():
            subject = await self._as_complained(target) if target.uid not in told else None
            if subject is not None:
                found.append(subject)
        if not namespace:
            return tuple(found)
        above = _above(survey, namespace=namespace)
        return tuple(each for each in found if _is_of(each, namespace=namespace, above=above))

    async def _early(self, survey: Survey) -> list[Subject]:
        """What complains, and fails if nothing changes until its time is up: there is no later
        snapshot in which it would be told.
        """
        looked = survey
        told = {each.owner.uid for each in survey.failures}
        found: list[Subject] = []
        for _ in range(MOST_ROUNDS):
            waiting = {
                uid: moment
                for uid, moment in looked.again_at.items()
                if moment > looked.now and self._complains(uid)
            }
            if not waiting:
                break
            together = later(min(waiting.values()), TOGETHER)
            at = max(each for each in waiting.values() if each <= together)
            looked = await self._survey(later(at, A_MOMENT))
            fresh = [
                each
                for each in looked.failures
                if each.shown_by.uid in waiting
                and each.owner.uid not in told
                and not _is_told_by_another(each, looked)
            ]
            for group in _grouped(fresh):
                found.append(await self._as_failure(group, now=looked.now, early=True))
            told.update(each.owner.uid for each in fresh)
        return found

    def _only_in_events(self) -> tuple[ObjectReference, ...]:
        """Objects of which there are recent warnings and nothing else."""
        return tuple(
            said_by(note)
            for uid, note in self._scene.notes.items()
            if uid not in self._scene.metas
            and note.last_seen is not None
            and note.last_seen >= earlier(self._now, RECENT)
        )

    async def failing(self) -> tuple[Failure, ...]:
        """Every single failure at the moment of the snapshot."""
        return tuple((await self._survey(self._now)).failures)

    async def of(self, target: ObjectReference) -> tuple[Subject, ...]:
        """What answers for one object, failures first; never empty."""
        survey = await self._survey(self._now)
        failures = self._failures_of(survey, target)
        early = False
        for _ in range(MOST_LOOKS):
            again_at = self._worth_another_look(survey, target)
            if failures or again_at is None:
                break
            survey = await self._survey(later(again_at, A_MOMENT))
            failures, early = self._failures_of(survey, target), True
        if not failures and (ended := self._scene.ended_at(target.uid)) is not None:
            # It cannot get well any more; how long ago it was does not matter to who asks for it.
            past = await self._survey(later(ended, A_MOMENT))
            failures, early = self._failures_of(past, target), False
        if failures:
            found = [
                await self._as_failure(each, now=survey.now if early else self._now, early=early)
                for each in _grouped(failures)
            ]
            return tuple(found[:MOST_FAILURES])
        complained = await self._as_complained(target)
        return (complained or await self._as_it_stands(target),)

    async def _survey(self, now: datetime) -> Survey:
        if now not in self._surveys:
            if len(self._surveys) >= MOST_SURVEYS:
                self._surveys.popitem()
            self._surveys[now] = await Survey(self._scene, owners=self._owners, now=now).run()
        return self._surveys[now]

    # -- failures --------------------------------------------------------------------------------

    def _failures_of(self, survey: Survey, target: ObjectReference) -> list[Failure]:
        """Its own, else those of Pods that it owns, else of anything that it owns."""
        own = list(survey.of(target.uid))
        if own:
            return own
        inside = frozenset(self._scene.below(target.uid))
        below = [
            each
            for each in survey.failures
            if each.owner.uid == target.uid or each.shown_by.uid in inside
        ]
        of_pods = [each for each in below if each.shown_by.kind == "Pod"]
        return of_pods or below

    def _worth_another_look(self, survey: Survey, target: ObjectReference) -> datetime | None:
        """When the target, or a Pod of it, is to be judged again; only where it complains: who is
        young and silent is well.
        """
        moments = [
            moment
            for uid in self._scene.below(target.uid)
            if (moment := survey.again_at.get(uid)) is not None
            and moment > survey.now
            and self._complains(uid)
        ]
        return min(moments, default=None)

    def _complains(self, uid: str) -> bool:
        pod = self._scene.pod_of(uid)
        if any(still_holds(each, pod) for each in self._scene.observed.notes_of(uid)):
            return True
        return pod is not None and does_not_get_on(pod, now=self._now)

    async def _as_failure(
        self, failure: _Group, *, now: datetime | None = None, early: bool = False
    ) -> Subject:
        first = failure.first
        pod = first.pod
        if pod is NO_POD and first.owner.kind not in WITHOUT_PODS:
            pod = await self._example(first.owner.uid)
        return Subject(
            owner=first.owner,
            shown_by=first.shown_by,
            pod=pod,
            symptom=first.symptom,
            now=now or self._now,
            early=early,
            pods=failure.pods,
            since=failure.since,
        )

    async def _as_complained(self, target: ObjectReference) -> Subject | None:
        """By a warning about the target or about what it owns, where there is one."""
        notes = [
            note
            for uid in self._scene.below(target.uid)
            for note in self._scene.observed.notes_of(uid)
            if still_holds(note, self._scene.pod_of(uid), bound=self._scene.is_bound(uid))
        ]
        own = [each for each in notes if each.uid == target.uid]
        symptom = complaint(own or notes)
        if symptom is None:
            return None
        note = next(each for each in own or notes if each.reason == symptom.reason)
        shown_by = said_by(note)
        owner = await self._owner(shown_by)
        pod = self._scene.pod_of(note.uid) or NO_POD
        if pod is NO_POD and owner.kind not in WITHOUT_PODS:
            pod = await self._example(owner.uid)
        return Subject(
            owner=owner,
            shown_by=shown_by,
            pod=pod,
            symptom=symptom,
            now=self._now,
            since=symptom.since,
        )

    async def _owner(self, found: ObjectReference) -> Owner:
        return await top_owner(self._owners, found, meta=self._scene.meta_of(found.uid))

    # -- without a failure -----------------------------------------------------------------------

    async def _as_it_stands(self, target: ObjectReference) -> Subject:
        owner = await self._owner(target)
        if target.kind != "Pod":
            owner = Owner(
                api_version=target.api_version,
                kind=target.kind,
                name=target.name,
                uid=target.uid,
                namespace=target.namespace or HOME_NAMESPACE,
            )
        pod = NO_POD
        if target.kind == "Pod":
            pod = self._scene.pod_of(target.uid) or NO_POD
        elif target.kind not in WITHOUT_PODS:
            pod = await self._example(target.uid)
        shown_by = target
        if pod is not NO_POD and target.kind != "Pod":
            # A healthy workload is shown by a Pod of it, as the operator does.
            shown_by = reference(pod)
        return Subject(owner=owner, shown_by=shown_by, pod=pod, symptom=None, now=self._now)

    async def _example(self, uid: str) -> Pod:
        """A Pod of an owner: one that is not well before one that is, the newest of each."""
        below = (self._scene.pod_of(each) for each in self._scene.below(uid))
        mine = [pod for pod in below if pod is not None]
        mine = mine or (await self._pods_by_top_owner()).get(uid, [])
        return max(mine, key=lambda pod: (not is_well(pod), _age(pod.metadata)), default=NO_POD)

    async def _pods_by_top_owner(self) -> dict[str, list[Pod]]:
        """Also by owners to which a link was not recorded."""
        if self._of_owner is None:
            self._of_owner = {}
            for pod in self._scene.pods:
                top = await self._owner(reference(pod))
                self._of_owner.setdefault(top.uid, []).append(pod)
        return self._of_owner


@dataclass(frozen=True, slots=True)
class _Group:
    """All that show one failure, and the object that speaks for them."""

    first: Failure
    pods: tuple[ObjectReference, ...]
    since: datetime | None


def _is_told_by_another(failure: Failure, survey: Survey) -> bool:
    """A lost node stands for all of its Pods."""
    upstream = failure.symptom.caused_by
    return (
        upstream is not None
        and upstream.stands_for_all
        and any(
            (each.owner.kind, each.owner.name) == (upstream.kind, upstream.name)
            for each in survey.failures
        )
    )


def _above(survey: Survey, *, namespace: str) -> frozenset[tuple[str, str]]:
    """Kinds and names of what failures of a namespace follow from."""
    causes = (each.symptom.caused_by for each in survey.failures if each.namespace == namespace)
    return frozenset((each.kind, each.name) for each in causes if each is not None)


def _is_of(subject: Subject, *, namespace: str, above: frozenset[tuple[str, str]]) -> bool:
    """Of the namespace, or of none and what fails in the namespace follows from it."""
    where = subject.shown_by.namespace
    owner = subject.owner
    return where == namespace or (not where and (owner.kind, owner.name) in above)


def _grouped(failures: list[Failure]) -> Iterator[_Group]:
    groups: dict[tuple[str, str], list[Failure]] = {}
    for each in failures:
        groups.setdefault(each.key, []).append(each)
    for group in groups.values():
        pods = tuple(each.shown_by for each in group if each.shown_by.kind == "Pod")
        begun = [each.symptom.since for each in group if each.symptom.since is not None]
        yield _Group(group[0], pods, min(begun, default=None))


def _age(meta: Meta) -> float:
    created = meta.creation_timestamp
    return created.timestamp() if created is not None else 0.0
