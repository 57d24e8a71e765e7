"""Gathering: all that can be read about one failure, at once, each reading with its own deadline.

A reading that fails or is forbidden becomes a gap that names the missing permission; it never stops
the others. What comes back has passed the redactor: there is no other way out of this package.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Awaitable, Mapping

from kausa.cluster.errors import ClusterError, ForbiddenError
from kausa.cluster.objects import ObjectReference, Pod
from kausa.cluster.owners import Owner
from kausa.cluster.reader import ClusterReader
from kausa.detection.symptom import Symptom
from kausa.evidence.dossier import Dossier, Evidence, EvidenceGap
from kausa.evidence.events import gather_events
from kausa.evidence.object_status import object_evidence
from kausa.evidence.pod_logs import gather_logs
from kausa.evidence.pod_spec import spec_evidence
from kausa.evidence.pod_status import status_evidence
from kausa.evidence.reading import Reading
from kausa.evidence.redaction import Redactor

__all__ = ["Gatherer"]

MOST_EVIDENCE = 40
DEADLINE_SECONDS = 5.0


class Gatherer:
    """Reads and redacts; keeps nothing between two failures."""

    def __init__(
        self,
        *,
        reader: ClusterReader,
        redactor: Redactor,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._reader = reader
        self._redactor = redactor
        self._deadline_seconds = deadline_seconds

    async def gather(
        self,
        *,
        owner: Owner,
        pod: Pod,
        symptom: Symptom | None,
        shown_by: ObjectReference | None = None,
    ) -> Dossier:
        """Everything about one failure; takes at most the deadline. `shown_by` is left out where
        the Pod itself shows it.
        """
        the_pod = _reference(pod)
        shown_by = shown_by or the_pod
        readings = await asyncio.gather(
            *(self._events(each) for each in _whose_events(shown_by, the_pod, symptom)),
            self._logs(pod, symptom),
        )
        logs = readings[-1]
        has_pod = bool(pod.metadata.uid)
        evidence = (
            *object_evidence(shown_by, symptom),
            *(status_evidence(pod, symptom) if has_pod else ()),
            *(each for reading in readings for each in reading.evidence),
            *(spec_evidence(pod, symptom) if has_pod else ()),
        )
        unredacted = Dossier(
            owner=owner,
            shown_by=shown_by,
            pod=pod,
            symptom=symptom,
            evidence=_numbered(evidence),
            gaps=tuple(gap for reading in readings for gap in reading.gaps),
            logs=logs.logs,
        )
        return self._through_the_door(unredacted, already=logs.redactions)

    async def _events(self, about: ObjectReference) -> Reading:
        return await self._within_deadline(
            gather_events(self._reader, about=about),
            what=f"Events about {about.kind}/{about.name}",
            permission=f"list events in namespace {about.namespace or 'default'}",
        )

    async def _logs(self, pod: Pod, symptom: Symptom | None) -> Reading:
        if not pod.metadata.uid:
            return Reading()
        return await self._within_deadline(
            gather_logs(self._reader, pod=pod, symptom=symptom, redactor=self._redactor),
            what=f"logs of Pod/{pod.metadata.name}",
            permission=f"get pods/log in namespace {pod.metadata.namespace}",
        )

    def redact(self, text: str) -> str:
        """A text that did not come with the evidence, such as a question, without secrets."""
        return self._redactor.text(text).value

    def _through_the_door(self, unredacted: Dossier, *, already: Mapping[str, int]) -> Dossier:
        redacted = self._redactor.tree(unredacted)
        counts = Counter(redacted.counts) + Counter(already)
        return dataclasses.replace(redacted.value, redactions=dict(counts))

    async def _within_deadline(
        self, reading: Awaitable[Reading], *, what: str, permission: str
    ) -> Reading:
        try:
            async with asyncio.timeout(self._deadline_seconds):
                return await reading
        except TimeoutError:
            why, missing = f"no answer within {self._deadline_seconds:g} s", None
        except ForbiddenError:
            why, missing = "forbidden", permission
        except ClusterError as error:
            why, missing = str(error), None
        return Reading(gaps=(EvidenceGap(what=what, why=why, permission=missing),))


def _reference(pod: Pod) -> ObjectReference:
    meta = pod.metadata
    return ObjectReference(
        api_version="v1", kind="Pod", namespace=meta.namespace, name=meta.name, uid=meta.uid
    )


def _whose_events(
    shown_by: ObjectReference, pod: ObjectReference, symptom: Symptom | None
) -> tuple[ObjectReference, ...]:
    """The object's own, those of a Pod beside it, and those of what it follows from."""
    about = [shown_by] if shown_by.uid == pod.uid or not pod.uid else [shown_by, pod]
    upstream = symptom.caused_by if symptom is not None else None
    if upstream is not None and upstream.uid:
        about.append(
            ObjectReference(
                api_version=upstream.api_version,
                kind=upstream.kind,
                namespace=upstream.namespace or "",
                name=upstream.name,
                uid=upstream.uid,
            )
        )
    return tuple(about)


def _numbered(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    return tuple(
        dataclasses.replace(each, id=f"E{number}")
        for number, each in enumerate(evidence[:MOST_EVIDENCE], start=1)
    )
