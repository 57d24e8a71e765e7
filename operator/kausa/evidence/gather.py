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
from kausa.cluster.objects import Pod
from kausa.cluster.owners import Owner
from kausa.cluster.reader import ClusterReader
from kausa.detection.symptom import Symptom
from kausa.evidence.dossier import Dossier, Evidence, EvidenceGap
from kausa.evidence.events import gather_events
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

    async def gather(self, *, owner: Owner, pod: Pod, symptom: Symptom | None) -> Dossier:
        """Everything about one failure of one Pod; takes at most the deadline."""
        events, logs = await asyncio.gather(
            self._within_deadline(
                gather_events(self._reader, pod=pod),
                what=f"Events about Pod/{pod.metadata.name}",
                permission=f"list events in namespace {pod.metadata.namespace}",
            ),
            self._within_deadline(
                gather_logs(self._reader, pod=pod, symptom=symptom, redactor=self._redactor),
                what=f"logs of Pod/{pod.metadata.name}",
                permission=f"get pods/log in namespace {pod.metadata.namespace}",
            ),
        )
        evidence = (
            *status_evidence(pod, symptom),
            *events.evidence,
            *logs.evidence,
            *spec_evidence(pod, symptom),
        )
        unredacted = Dossier(
            owner=owner,
            pod=pod,
            symptom=symptom,
            evidence=_numbered(evidence),
            gaps=(*events.gaps, *logs.gaps),
            logs=logs.logs,
        )
        return self._through_the_door(unredacted, already=logs.redactions)

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


def _numbered(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    return tuple(
        dataclasses.replace(each, id=f"E{number}")
        for number, each in enumerate(evidence[:MOST_EVIDENCE], start=1)
    )
