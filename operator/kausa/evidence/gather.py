"""Gathering: all that can be read about one failure, at once, each reading with its own deadline.

A reading that fails or is forbidden becomes a gap that names the missing permission; it never stops
the others. What comes back has passed the redactor: there is no other way out of this package.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from functools import partial

from kausa.cluster.errors import ClusterError
from kausa.cluster.objects import ObjectReference, Pod
from kausa.cluster.owners import Owner
from kausa.cluster.reader import ClusterReader
from kausa.detection.symptom import Symptom
from kausa.evidence.budget import numbered, within_budget
from kausa.evidence.changes import gather_changes
from kausa.evidence.cluster_dns import gather_dns
from kausa.evidence.dossier import Dossier, Evidence, EvidenceGap, Source
from kausa.evidence.events import gather_events
from kausa.evidence.hosts import gather_hosts
from kausa.evidence.ingresses import gather_ingress
from kausa.evidence.inquiry import Inquiry
from kausa.evidence.node_agents import gather_node_agents
from kausa.evidence.node_status import gather_node
from kausa.evidence.object_status import gather_objects, object_evidence
from kausa.evidence.pod_logs import gather_logs
from kausa.evidence.pod_references import gather_pod_references
from kausa.evidence.pod_spec import gather_spec
from kausa.evidence.pod_status import status_evidence
from kausa.evidence.quotas import gather_quotas
from kausa.evidence.reading import Reading
from kausa.evidence.redaction import Redactor
from kausa.evidence.scheduling import gather_candidates
from kausa.evidence.service_references import gather_services
from kausa.evidence.siblings import gather_siblings
from kausa.evidence.single_reader import NotAskedError, SingleReader
from kausa.evidence.slimming import slim_all
from kausa.evidence.volumes import gather_volumes
from kausa.evidence.workload_references import gather_workload_references
from kausa.resources.evidence import EvidenceKind
from kausa.resources.limits import GAPS
from kausa.telemetry.clock import utc_now
from kausa.telemetry.logs import get_logger
from kausa.telemetry.tracing import NO_TRACING, Tracer

__all__ = ["Gatherer"]

MOST_MANIFESTS = 40
MOST_REFERENCES = 20
DEADLINE_SECONDS = 5.0
GRACE_SECONDS = 0.5
"""For a gatherer to bring home what it has, when the deadline for reading has passed."""
_logger = get_logger("kausa.evidence.gather")

_GATHERERS: tuple[tuple[str, Callable[[Inquiry], Awaitable[Reading]]], ...] = (
    ("the Pod's spec", gather_spec),
    ("the status of its owners", gather_objects),
    ("Events", gather_events),
    ("what the Pod names", gather_pod_references),
    ("what its workload names", gather_workload_references),
    ("what the Ingress names", gather_ingress),
    ("Services and policies", gather_services),
    ("volumes", gather_volumes),
    ("the node", gather_node),
    ("the nodes that might take it", gather_candidates),
    ("the agents of its node", gather_node_agents),
    ("quotas and limits", gather_quotas),
    ("other Pods", gather_siblings),
    ("what changed", gather_changes),
)
"""The order is that of their worth: manifests and references that do not fit are cut at the end."""


class Gatherer:
    """Reads and redacts; keeps nothing between two failures.

    `recorded` is for files, where Secrets may be listed (only their keys are looked at);
    `whole_cluster` is False where the operator has a Role for one namespace only.
    """

    def __init__(
        self,
        *,
        reader: ClusterReader,
        redactor: Redactor,
        deadline_seconds: float = DEADLINE_SECONDS,
        recorded: bool = False,
        whole_cluster: bool = True,
        clock: Callable[[], datetime] = utc_now,
        tracer: Tracer = NO_TRACING,
    ) -> None:
        self._reader = reader
        self._redactor = redactor
        self._deadline_seconds = deadline_seconds
        self._recorded = recorded
        self._whole_cluster = whole_cluster
        self._clock = clock
        self._tracer = tracer
        self._redacting = asyncio.Lock()

    async def gather(
        self,
        *,
        owner: Owner,
        pod: Pod,
        symptom: Symptom | None,
        shown_by: ObjectReference | None = None,
        question: str | None = None,
    ) -> Dossier:
        """Everything about one failure; takes little more than the deadline at most. `shown_by` is
        left out where the Pod itself shows it; `question` is what a person asked, if anybody did.
        """
        async with self._single_reader() as reader:
            inquiry = Inquiry(
                reader=reader,
                owner=owner,
                shown_by=shown_by or _reference(pod),
                pod=pod,
                symptom=symptom,
                now=self._clock(),
            )
            readings = await self._all(inquiry)
            gaps = reader.gaps
        # In a thread, one at a time: hundreds of milliseconds of CPU, for which neither the streams
        # nor the renewal of the Lease may wait.
        async with self._redacting:
            with self._tracer.span("redact") as span:
                dossier = await asyncio.to_thread(
                    self._dossier, inquiry, readings, gaps=gaps, question=question
                )
                span.tell(hidden=sum(dossier.redactions.values()))
                return dossier

    async def known(
        self,
        *,
        owner: Owner,
        pod: Pod,
        symptom: Symptom | None,
        shown_by: ObjectReference | None = None,
        with_logs: bool = False,
    ) -> Dossier:
        """What is known at a glance: the status that the streams saw and, where `with_logs`, the
        logs of what failed, for which one thing has to be read; redacted.
        """
        async with self._single_reader() as reader:
            inquiry = Inquiry(
                reader=reader,
                owner=owner,
                shown_by=shown_by or _reference(pod),
                pod=pod,
                symptom=symptom,
                now=self._clock(),
            )
            readings = [_known(inquiry)]
            if with_logs:
                readings.append(await self._in_time(partial(self._logs, inquiry), what="logs"))
            rest = EvidenceGap(what="what stands around it", why="not read yet")
            gaps = (rest, *reader.gaps)
        async with self._redacting:
            return await asyncio.to_thread(
                self._dossier, inquiry, readings, gaps=gaps, question=None
            )

    def redact(self, text: str) -> str:
        """A text that did not come with the evidence, such as a question, without secrets."""
        return self._redactor.text(text).value

    def _single_reader(self) -> SingleReader:
        return SingleReader(
            reader=self._reader,
            deadline_seconds=self._deadline_seconds,
            recorded=self._recorded,
            whole_cluster=self._whole_cluster,
        )

    async def _all(self, inquiry: Inquiry) -> tuple[Reading, ...]:
        """All gatherers at once; then who is named in what they found."""
        async with asyncio.TaskGroup() as group:
            logs = group.create_task(self._in_time(partial(self._logs, inquiry), what="logs"))
            tasks = [
                group.create_task(self._in_time(partial(gather, inquiry), what=what))
                for what, gather in _GATHERERS
            ]
        first = (_known(inquiry), logs.result(), *(task.result() for task in tasks))
        said = tuple(each for reading in first for each in reading.evidence)
        async with asyncio.TaskGroup() as group:
            hosts = group.create_task(
                self._in_time(
                    partial(gather_hosts, inquiry, said=said), what="hosts that are named"
                )
            )
            dns = group.create_task(
                self._in_time(partial(gather_dns, inquiry, said=said), what="the cluster's DNS")
            )
        return (*first, dns.result(), hosts.result())

    async def _logs(self, inquiry: Inquiry) -> Reading:
        if not inquiry.has_pod:
            return Reading()
        return await gather_logs(
            inquiry.reader, pod=inquiry.pod, symptom=inquiry.symptom, redactor=self._redactor
        )

    async def _in_time(self, gather: Callable[[], Awaitable[Reading]], *, what: str) -> Reading:
        """What a gatherer brings, or a gap: for want of time, or for a defect of ours."""
        try:
            async with asyncio.timeout(self._deadline_seconds + GRACE_SECONDS):
                return await gather()
        except TimeoutError:
            why = f"no answer within {self._deadline_seconds:g} s"
        except NotAskedError:
            return Reading()
        except ClusterError:
            return Reading()  # The reader has noted it, with the permission.
        except Exception as error:
            _logger.exception("Could not gather", what=what)
            why = f"{type(error).__name__} while it was read"
        return Reading(gaps=(EvidenceGap(what=what, why=why),))

    def _dossier(
        self,
        inquiry: Inquiry,
        readings: Sequence[Reading],
        *,
        gaps: tuple[EvidenceGap, ...],
        question: str | None,
    ) -> Dossier:
        evidence = (
            *_asked(question, inquiry),
            *(each for reading in readings for each in reading.evidence),
        )
        all_gaps = (*gaps, *(gap for reading in readings for gap in reading.gaps))
        manifests = (each for reading in readings for each in reading.manifests)
        references = dict.fromkeys(each for reading in readings for each in reading.references)
        unredacted = Dossier(
            owner=inquiry.owner,
            shown_by=inquiry.shown_by,
            pod=inquiry.pod,
            symptom=inquiry.symptom,
            evidence=numbered(within_budget(evidence)),
            gaps=_folded(all_gaps),
            logs=tuple(each for reading in readings for each in reading.logs),
            manifests=slim_all(manifests, most=MOST_MANIFESTS),
            changes=tuple(each for reading in readings for each in reading.changes),
            references=tuple(references)[:MOST_REFERENCES],
            now=inquiry.now,
        )
        hidden: Counter[str] = Counter()
        for reading in readings:
            hidden.update(reading.redactions)
        redacted = self._redactor.tree(unredacted)
        counts = Counter(redacted.counts) + hidden
        return dataclasses.replace(redacted.value, redactions=dict(counts))


def _known(inquiry: Inquiry) -> Reading:
    """What is known without reading anything: the status that the streams saw."""
    pod, symptom = inquiry.pod, inquiry.symptom
    return Reading(
        evidence=(
            *object_evidence(inquiry.shown_by, symptom),
            *(status_evidence(pod, symptom) if inquiry.has_pod else ()),
        )
    )


def _asked(question: str | None, inquiry: Inquiry) -> tuple[Evidence, ...]:
    if not question or not question.strip():
        return ()
    source = Source(kind=inquiry.owner.kind, name=inquiry.owner.name, field_path="question")
    return (Evidence(kind=EvidenceKind.QUESTION, source=source, text=question.strip()),)


def _folded(gaps: Iterable[EvidenceGap]) -> tuple[EvidenceGap, ...]:
    """Each permission once, each thing once; what a permission would mend comes first."""
    found: dict[tuple[str, str], EvidenceGap] = {}
    for gap in gaps:
        found.setdefault((gap.permission or gap.what, gap.why), gap)
    return tuple(sorted(found.values(), key=lambda gap: gap.permission is None))[:GAPS]


def _reference(pod: Pod) -> ObjectReference:
    meta = pod.metadata
    return ObjectReference(
        api_version="v1", kind="Pod", namespace=meta.namespace, name=meta.name, uid=meta.uid
    )
