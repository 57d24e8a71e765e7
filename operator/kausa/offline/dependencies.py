"""What fails behind the Service that somebody misses: the failure further up, where both are known.

A program that cannot reach its database says so, and the database's own failure stands in the same
files. Nothing is guessed: the cause must name the Service, and nobody behind the Service may be
well, else it answers, and the reason is another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import msgspec

from kausa.cluster.objects import ObjectReference
from kausa.cluster.owners import Owner
from kausa.detection.symptom import Upstream
from kausa.diagnosis.rules.application.missed import Place, services_missed
from kausa.offline.answers import Answer
from kausa.offline.scene import Scene
from kausa.offline.survey import Failure

__all__ = ["Failing", "above", "failing", "following", "leads_to"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """Somebody who fails, and may be behind a Service."""

    owner: str
    """The uid of who owns what fails."""
    uids: frozenset[str]
    """Of the Pods that show it."""
    upstream: Upstream
    """What is pointed to: the owner, or what stands for all that follow from it (a lost node)."""

    @property
    def reference(self) -> ObjectReference:
        """The object to be asked about for its cause."""
        return ObjectReference(
            api_version=self.upstream.api_version,
            kind=self.upstream.kind,
            namespace=self.upstream.namespace or "",
            name=self.upstream.name,
            uid=self.upstream.uid,
        )


def failing(answers: Iterable[Answer], failures: Iterable[Failure]) -> tuple[Failing, ...]:
    """All who fail: those of whom there are answers, then whoever else does at that moment."""
    found = []
    for each in answers:
        subject = each.subject
        if subject.symptom is not None:
            uids = frozenset((subject.shown_by.uid, *(pod.uid for pod in subject.pods)))
            upstream = _pointing_to(subject.owner, subject.namespace, subject.symptom.reason)
            found.append(Failing(owner=subject.owner.uid, uids=uids, upstream=upstream))
    for failure in failures:
        symptom, owner = failure.symptom, failure.owner
        upstream = _pointing_to(owner, failure.namespace, symptom.reason)
        if symptom.caused_by is not None and symptom.caused_by.stands_for_all:
            upstream = msgspec.structs.replace(symptom.caused_by, stands_for_all=False)
        uids = frozenset((failure.shown_by.uid,))
        found.append(Failing(owner=owner.uid, uids=uids, upstream=upstream))
    return tuple(found)


def above(answer: Answer, *, scene: Scene, among: Iterable[Failing]) -> Failing | None:
    """Who fails behind a Service that the answer says is out of reach; None where nobody does."""
    symptom = answer.subject.symptom
    if symptom is None or symptom.caused_by is not None:
        return None
    others = [each for each in among if each.owner != answer.subject.owner.uid]
    for place in services_missed(answer.dossier, answer.diagnosis):
        found = _behind(place, scene=scene, among=others)
        if found is not None:
            return found
    return None


def following(answer: Answer, cause: Failing, *, said: str) -> Answer:
    """The answer, pointing to the failure further up; `said` is that one's summary."""
    symptom = answer.subject.symptom
    if symptom is None:
        return answer
    symptom = msgspec.structs.replace(symptom, caused_by=cause.upstream)
    return replace(
        answer,
        subject=replace(answer.subject, symptom=symptom),
        dossier=replace(answer.dossier, symptom=symptom),
        said_above=said,
    )


def leads_to(follows: dict[str, str], start: str, end: str) -> bool:
    """Whether the way up from one owner comes to the other: two that wait for each other."""
    passed = set()
    while start not in passed:
        if start == end:
            return True
        passed.add(start)
        start = follows.get(start, start)
    return False


def _behind(place: Place, *, scene: Scene, among: list[Failing]) -> Failing | None:
    slices = scene.slices.get(place, [])
    behind = {uid for each in slices for uid in each.pod_uids}
    found = [each for each in among if not behind.isdisjoint(each.uids)]
    failed = {uid for each in found for uid in each.uids}
    for each in slices:
        for endpoint in each.endpoints or ():
            target = endpoint.target_ref
            if endpoint.ready and (target is None or target.uid not in failed):
                return None
    if found:
        return found[0]
    # Its Pods may not even have been made, so it is asked whose they would be.
    makers = scene.makers_behind(place)
    return next((each for each in among if each.owner in makers), None)


def _pointing_to(owner: Owner, namespace: str, reason: str) -> Upstream:
    return Upstream(
        api_version=owner.api_version,
        kind=owner.kind,
        name=owner.name,
        uid=owner.uid,
        namespace=namespace or None,
        reason=reason,
    )
