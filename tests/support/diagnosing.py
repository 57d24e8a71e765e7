"""The part of the operator that diagnoses, with a model, on a store in a dict."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from support.dossiers import DEPLOYMENT
from support.fake_store import FakeStore

from kausa.controller.consulting import Consulting
from kausa.controller.looks import Looks
from kausa.controller.model_help import ModelHelp
from kausa.controller.reconcile import Reconciler, Telemetry
from kausa.controller.remembering import Remembering
from kausa.controller.resting import Resting
from kausa.controller.sighting_documents import new_resource
from kausa.controller.sightings import ResourceKey, Sighting, Sightings
from kausa.controller.subjects import Subject
from kausa.detection.counting import FailureCount
from kausa.diagnosis.consultation import Consultant
from kausa.diagnosis.consultation_gate import Gate
from kausa.diagnosis.consultation_queue import ConsultationQueue
from kausa.diagnosis.model.metrics import ModelMetrics
from kausa.diagnosis.model.models import Models
from kausa.evidence.dossier import Dossier
from kausa.resources.condition import RESOLVED, find_condition
from kausa.resources.failure_diagnosis import FailureDiagnosis
from kausa.resources.spec import Trigger
from kausa.resources.status import FailureDiagnosisStatus
from kausa.telemetry.metrics import Metrics

__all__ = ["ApplyingStore", "Diagnosing"]

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class ApplyingStore(FakeStore):
    """Keeps what the diagnosis' field manager writes; what the streams wrote stays."""

    def __init__(self) -> None:
        super().__init__()
        self.diagnosed_at: dict[ResourceKey, float] = {}
        """When each had its first diagnosis."""
        self.writes = 0

    async def write_diagnosis(
        self, *, namespace: str, name: str, status: FailureDiagnosisStatus
    ) -> bool:
        await asyncio.sleep(0)
        self._fail()
        self.writes += 1
        known = self.resources.get((namespace, name))
        if known is None:
            return False
        resolved = find_condition((known.status and known.status.conditions) or (), RESOLVED)
        conditions = (*(status.conditions or ()), *((resolved,) if resolved else ()))
        whole = status.model_copy(update={"conditions": conditions})
        self.resources[namespace, name] = known.model_copy(update={"status": whole})
        if status.diagnosis is not None:
            now = asyncio.get_running_loop().time()
            self.diagnosed_at.setdefault((namespace, name), now)
        return True


class Diagnosing:
    """All owners fail in the same way, as `dossier` tells; each has its own name in it."""

    def __init__(
        self,
        dossier: Dossier,
        *,
        models: Models | None,
        queue_size: int = 1000,
        concurrent: int = 1,
        remembrance: Any = None,
    ) -> None:
        self.dossier = dossier
        self.store = ApplyingStore()
        self.sightings = Sightings()
        self.looks = Looks(refresh_seconds=600, clock=_now)
        self.metrics = Metrics()
        self.at_a_glance: dict[str, Dossier] = {}
        """Of some owners, what is known before their evidence is read; else it is the same."""
        self.gathered_names: list[str] = []
        self.gather_seconds = 0.0
        self.find_seconds = 0.0
        self.finding = self.most_finding = 0
        self.glancing = self.most_glancing = 0
        self.models = models
        self.queue: ConsultationQueue[ResourceKey] | None = None
        self.consulting: Consulting | None = None
        if models is not None:
            metrics = ModelMetrics(self.metrics.registry)
            models.observe(metrics)
            self.gate = Gate(probe=models.ready, metrics=metrics)
            self.queue = ConsultationQueue(
                size=queue_size, concurrent=concurrent, gate=self.gate, metrics=metrics, clock=_now
            )
            self.consulting = Consulting(queue=self.queue, gate=self.gate)
            self.looks.on_forget = self.consulting.forget
        self.reconciler = Reconciler(
            store=cast(Any, self.store),
            subjects=cast(Any, self),
            gatherer=cast(Any, self),
            remembering=Remembering(
                remembrance=remembrance, sightings=self.sightings, cluster="test"
            ),
            model=ModelHelp(
                consultant=Consultant(models=models, below_confidence=80),
                consulting=self.consulting,
                sightings=self.sightings,
                redact=self.redact,
                resting=Resting(clock=_now),
            ),
            looks=self.looks,
            sightings=self.sightings,
            telemetry=Telemetry(metrics=self.metrics),
            concurrent=4,
        )

    @property
    def gathered(self) -> int:
        """How often evidence was read, or begun to be."""
        return len(self.gathered_names)

    # -- what the reconciler asks ----------------------------------------------------------------

    async def find(self, resource: FailureDiagnosis) -> Subject:
        name = resource.spec.target.name
        self.finding += 1
        self.most_finding = max(self.most_finding, self.finding)
        await asyncio.sleep(self.find_seconds)
        self.finding -= 1
        return Subject(
            owner=replace(DEPLOYMENT, name=name, uid=f"uid-{name}"),
            shown_by=self.dossier.shown_by,
            pod=self.dossier.pod,
            symptom=self.dossier.symptom,
        )

    async def gather(self, *, owner: Any, question: str | None = None, **_: Any) -> Dossier:
        self.gathered_names.append(owner.name)
        await asyncio.sleep(self.gather_seconds)
        return replace(self.dossier, owner=owner)

    async def known(self, *, owner: Any, with_logs: bool = False, **_: Any) -> Dossier:
        """The status, which is known without reading anything, and perhaps the log."""
        known = self.at_a_glance.get(owner.name, self.dossier)
        logs = known.logs if with_logs else ()
        if with_logs:
            self.glancing += 1
            self.most_glancing = max(self.most_glancing, self.glancing)
            await asyncio.sleep(self.find_seconds)
            self.glancing -= 1
        return replace(known, owner=owner, logs=logs, references=())

    def redact(self, text: str) -> str:
        return text

    # -- what happens ----------------------------------------------------------------------------

    def fails(self, name: str = "checkout", **spec: Any) -> FailureDiagnosis:
        """A failure of this owner is seen, and its resource opened."""
        owner = replace(DEPLOYMENT, name=name, uid=f"uid-{name}")
        made = new_resource(name=name, owner=owner, container="api", trigger=Trigger.AUTOMATIC)
        resource = made.model_copy(
            update={
                "metadata": made.metadata.model_copy(update={"generation": 1}),
                "spec": made.spec.model_copy(update=spec),
            }
        )
        key = ("shop", name)
        self.store.resources[key] = resource
        symptom = self.dossier.symptom
        assert symptom is not None
        sighting = Sighting(
            owner=owner,
            shown_by=self.dossier.shown_by,
            pod=self.dossier.pod,
            symptom=symptom,
            fingerprint="f" * 16,
            count=FailureCount(first_seen=NOW, last_seen=NOW, occurrences=1),
            turned_at=NOW,
        )
        sighting.failing.add(f"pod-{name}")
        self.sightings.add(key, sighting)
        self.looks.seen(key, symptom)
        return resource

    def now(self, name: str = "checkout") -> FailureDiagnosis:
        """The resource as it stands."""
        return self.store.resources["shop", name]

    def condition(self, type_: str, name: str = "checkout") -> tuple[str, str, str]:
        """Status, reason and message of a condition; empty where it was never set."""
        status = self.now(name).status
        found = find_condition((status and status.conditions) or (), type_)
        return ("", "", "") if found is None else (str(found.status), found.reason, found.message)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The queue and the looks work meanwhile."""
        work: list[Awaitable[None]] = [self.looks.run(self.reconciler.look_again)]
        if self.consulting is not None:
            tell = self.reconciler.tell_waiting
            work.append(self.consulting.run(ask=self.reconciler.take_turn, tell=tell))
        tasks = [asyncio.ensure_future(each) for each in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
            for each in done:
                if not isinstance(each, asyncio.CancelledError) and each is not None:
                    raise each


def _now() -> float:
    return asyncio.get_running_loop().time()
