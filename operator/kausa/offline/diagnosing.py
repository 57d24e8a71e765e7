"""One snapshot from end to end: survey, choose, gather, decide; what the operator does by rules."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from kausa.cluster.objects import ObjectReference
from kausa.cluster.owners import OwnerResolver
from kausa.cluster.reader import LiveCluster
from kausa.cluster.snapshot import Snapshot, SnapshotClient
from kausa.detection.case import later
from kausa.diagnosis.decide import decide
from kausa.diagnosis.finding import Diagnosis
from kausa.diagnosis.remediation.dry_run import not_asked
from kausa.evidence.dossier import Dossier
from kausa.evidence.gather import Gatherer
from kausa.evidence.redaction import Redactor
from kausa.offline.answers import Answer
from kausa.offline.dependencies import Failing, above, failing, following, leads_to
from kausa.offline.owner_view import OwnerView
from kausa.offline.plain_errors import in_words
from kausa.offline.scene import Scene, set_the_scene
from kausa.offline.subjects import Subject, Subjects
from kausa.offline.unwatched import is_sure, unwatched
from kausa.telemetry.clock import utc_now

__all__ = ["NO_CLUSTER", "Answer", "OfflineDiagnosis", "moment_of"]

A_LITTLE = timedelta(seconds=5)
"""After the last thing that was written down, somebody wrote it down."""
NO_CLUSTER = "these are files: there is no API server to ask"


def moment_of(snapshot: Snapshot, *, given: datetime | None = None) -> datetime:
    """When the snapshot was taken: as told, else just after the last time in it."""
    if given is not None:
        return given
    latest = snapshot.latest
    return later(latest, A_LITTLE) if latest is not None else utc_now()


class OfflineDiagnosis:
    """The pipeline over one snapshot, without memory; a model is asked afterwards (`consulting`).

    `decides` says what is found in a dossier; the rules, unless they are to be left out.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        redactor: Redactor,
        now: datetime,
        decides: Callable[[Dossier], Diagnosis] = decide,
    ) -> None:
        self._snapshot = snapshot
        self._now = now
        self._redactor = redactor
        self._decides = decides
        self._owners = OwnerResolver(client=OwnerView(snapshot))
        self._reader = LiveCluster(client=SnapshotClient(snapshot))
        self._scene: Scene | None = None
        self._chosen: Subjects | None = None

    async def of_target(
        self, target: ObjectReference, *, question: str | None = None
    ) -> tuple[Answer, ...]:
        """What ails one object, the surest answer first; never empty."""
        subjects = await self._subjects().of(target)
        answers = [await self._answer(each, question=question) for each in subjects]
        answers, _ = await self._with_causes(answers, question=question)
        return tuple(sorted(answers, key=_rank))

    async def of_all(
        self, *, question: str | None = None, namespace: str = ""
    ) -> tuple[Answer, ...]:
        """Everything that fails, of one namespace where it is named; then of what nobody watches
        (Services, Ingresses, autoscalers) that which surely does not work as it stands.
        """
        subjects = await self._subjects().all(namespace=namespace)
        answers = [await self._answer(each, question=question) for each in subjects]
        told = self._told(subjects)
        waiting = self._scene.waiting_services(told) if self._scene is not None else frozenset()
        for target in unwatched(self._snapshot, waiting=waiting, namespace=namespace):
            if target.uid not in told:
                for subject in (await self._subjects().of(target))[:1]:
                    answer = await self._answer(subject, question=question)
                    if is_sure(answer.diagnosis):
                        answers.append(answer)
        answers, further = await self._with_causes(answers, question=question, within=namespace)
        return (*answers, *further)

    async def _with_causes(
        self, answers: list[Answer], *, question: str | None, within: str = ""
    ) -> tuple[list[Answer], list[Answer]]:
        """The answers, each pointing to what it follows from, and those causes of which there was
        no answer yet. A cause in another namespace than the one that is asked about is only named.
        """
        if self._scene is None:
            return answers, []
        among = failing(answers, await self._subjects().failing())
        follows: dict[str, str] = {}
        found, further = list(answers), list[Answer]()
        for place, each in enumerate(answers):
            cause = above(each, scene=self._scene, among=among)
            mine = each.subject.owner.uid
            if cause is None or leads_to(follows, cause.upstream.uid, mine):
                continue
            follows[mine] = cause.upstream.uid
            if within and cause.upstream.namespace not in (None, within):
                found[place] = following(each, cause, said="")
                continue
            known = [one for one in (*answers, *further) if one.subject.owner.uid == follows[mine]]
            if not known:
                known = [await self._cause(cause, question=question)]
                further += known
            found[place] = following(each, cause, said=known[0].diagnosis.summary)
        return found, further

    async def _cause(self, cause: Failing, *, question: str | None) -> Answer:
        """The surest answer about who fails further up."""
        subjects = await self._subjects().of(cause.reference)
        answers = [await self._answer(each, question=question) for each in subjects]
        return min(answers, key=_rank)

    def _told(self, subjects: tuple[Subject, ...]) -> set[str]:
        """The uids of all that fails, and of what belongs to it."""
        told = {each.shown_by.uid for each in subjects}
        told |= {pod.uid for each in subjects for pod in each.pods}
        if self._scene is not None:
            told |= {uid for each in subjects for uid in self._scene.below(each.owner.uid)}
        return told

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be judged, in sentences for a person."""
        odd = self._scene.undecodable if self._scene is not None else 0
        if not odd:
            return ()
        return (f"{odd} objects have fields that Kubernetes does not send, and were not judged",)

    def _subjects(self) -> Subjects:
        if self._scene is None:
            self._scene = set_the_scene(self._snapshot)
        if self._chosen is None:
            self._chosen = Subjects(self._scene, owners=self._owners, now=self._now)
        return self._chosen

    async def _answer(self, subject: Subject, *, question: str | None) -> Answer:
        gatherer = Gatherer(
            reader=self._reader,
            redactor=self._redactor,
            recorded=True,
            clock=lambda: subject.now,
        )
        started = time.perf_counter()
        dossier = await gatherer.gather(
            owner=subject.owner,
            pod=subject.pod,
            symptom=subject.symptom,
            shown_by=subject.shown_by,
            question=question,
        )
        seconds = time.perf_counter() - started
        gaps = tuple(replace(each, why=in_words(each.why)) for each in dossier.gaps)
        dossier = replace(dossier, gaps=gaps)
        return Answer(
            subject=subject,
            dossier=dossier,
            diagnosis=not_asked(self._decides(dossier), why=NO_CLUSTER),
            gather_seconds=seconds,
        )


def _rank(answer: Answer) -> tuple[bool, bool, int]:
    determined = answer.diagnosis.determined
    return (answer.subject.symptom is None, not determined, -answer.diagnosis.confidence)
