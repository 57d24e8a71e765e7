"""Everything that leaves, made by the real parts from one failing Pod that is full of secrets.

Nothing is looked at half way: what is planted goes in where the API server would hand it over, and
what comes out is what the status, the memory, the model, the log and the terminal are given.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from support.dossiers import DEPLOYMENT, LATER, FakeReader
from support.fake_language_model import FakeLanguageModel, models_of
from support.pods import container, event, pod, terminated, waiting

from kausa.controller.report import Report
from kausa.detection.pods import detect_pod
from kausa.diagnosis.consultation import Consultant
from kausa.diagnosis.decide import decide
from kausa.diagnosis.errors import ModelError
from kausa.diagnosis.model.protocol import Completion, Message
from kausa.diagnosis.recollection import failure_record
from kausa.evidence.dossier import Dossier
from kausa.evidence.gather import Gatherer
from kausa.evidence.redaction import Redactor
from kausa.memory.points import passages
from kausa.resources.failure_diagnosis import FailureDiagnosis, status_document
from kausa.resources.metadata import ObjectMeta
from kausa.resources.spec import FailureDiagnosisSpec, Target
from kausa.telemetry.logs import configure_logs, get_logger

__all__ = ["DOORS", "Scene", "leave"]

DOORS = ("dossier", "status", "memory", "vector", "prompt", "log", "objects", "terminal")
NOW = datetime(2026, 1, 2, 4, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Scene:
    """What the cluster says; every field may hold secrets."""

    log: str = ""
    events: list[str] = field(default_factory=list)
    annotations: dict[str, str] = field(default_factory=dict)
    env: list[dict[str, str]] = field(default_factory=list)
    args: list[str] = field(default_factory=list)
    message: str = ""
    """The last words of the container."""
    question: str = ""
    objects: list[dict[str, Any]] = field(default_factory=list)


class _Listening(FakeLanguageModel):
    """A model that takes its question down and answers nothing."""

    def __init__(self) -> None:
        super().__init__("listening")
        self.heard: list[str] = []

    async def complete(self, messages: Sequence[Message], **_: Any) -> Completion:
        self.heard.extend(each.content for each in messages)
        raise ModelError("it only listens")


def leave(scene: Scene, *, redactor: Redactor) -> Mapping[str, str]:
    """The text that each door lets out."""
    return asyncio.run(_leave(scene, redactor=redactor))


async def _leave(scene: Scene, *, redactor: Redactor) -> dict[str, str]:
    dossier, question = await _gathered(scene, redactor=redactor)
    assert dossier.symptom is not None
    diagnosis = decide(dossier)
    model = _Listening()
    consultant = Consultant(models=models_of(model), below_confidence=101)
    consultation = await consultant.consult(dossier, diagnosis, None, question=question)
    report = Report(_resource(), clock=lambda: NOW)
    report.gathered(dossier, seconds=0.1)
    report.decided(diagnosis, detected_at=None)
    report.consulted(consultation)
    status = status_document(name="checkout", namespace="shop", status=report.status())
    record = failure_record(
        dossier,
        dossier.symptom,
        diagnosis,
        cluster="bench",
        fingerprint="f" * 16,
        occurrences=1,
        first_seen=NOW,
        last_seen=NOW,
        reference="shop/checkout",
    )
    said = (*(each.text for each in dossier.evidence), diagnosis.summary, diagnosis.root_cause)
    return {
        "dossier": repr(dossier),
        "status": json.dumps(status, ensure_ascii=False),
        "memory": json.dumps([each.payload for each in passages(record)], ensure_ascii=False),
        "vector": "\n".join(each.text for each in passages(record)),
        "prompt": "\n".join(model.heard),
        "log": _logged(said),
        "objects": json.dumps(redactor.tree(_documents(scene)).value, ensure_ascii=False),
        "terminal": redactor.text(scene.log).value,
    }


async def _gathered(scene: Scene, *, redactor: Redactor) -> tuple[Dossier, str]:
    failing = pod(
        container(
            waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container"),
            last=terminated(1, message=scene.message),
            restarts=7,
        ),
        annotations=scene.annotations,
        spec={"containers": [_container(scene)]},
    )
    reader = FakeReader(
        events=tuple(event("Failed", each, uid=failing.metadata.uid) for each in scene.events),
        previous=scene.log,
        current=scene.log,
        manifests=tuple(_documents(scene)),
    )
    symptom = next(iter(detect_pod(failing, now=LATER).symptoms))
    gatherer = Gatherer(reader=reader, redactor=redactor)
    dossier = await gatherer.gather(
        owner=DEPLOYMENT, pod=failing, symptom=symptom, question=scene.question
    )
    return dossier, gatherer.redact(scene.question)


def _container(scene: Scene) -> dict[str, Any]:
    return {
        "name": "api",
        "image": "registry.example/shop/api:1.2",
        "command": ["/app/run"],
        "args": scene.args,
        "env": scene.env,
        "envFrom": [{"configMapRef": {"name": "settings"}}],
    }


def _documents(scene: Scene) -> list[dict[str, Any]]:
    """The objects around the Pod, as the API server writes them."""
    meta = {"namespace": "shop", "annotations": scene.annotations}
    template = {"metadata": meta, "spec": {"containers": [_container(scene)]}}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {**meta, "name": "checkout", "uid": "owner-uid"},
        "spec": {"selector": {"matchLabels": {"app": "checkout"}}, "template": template},
        "status": {"conditions": [{"type": "Progressing", "message": scene.message}]},
    }
    return [deployment, *scene.objects]


def _resource() -> FailureDiagnosis:
    return FailureDiagnosis(
        metadata=ObjectMeta(name="checkout", namespace="shop", generation=1),
        spec=FailureDiagnosisSpec(
            target=Target(api_version="apps/v1", kind="Deployment", name="checkout")
        ),
    )


def _logged(texts: tuple[str, ...]) -> str:
    """The operator's own log of all of it, with an error that quotes it."""
    before = logging.getLogger().handlers[:], logging.getLogger().level
    stream = io.StringIO()
    try:
        configure_logs(style="json", stream=stream)
        logger = get_logger("bench.redaction")
        for text in texts:
            logger.info("Diagnosed", cause=text)
        try:
            raise ValueError(texts[-1])
        except ValueError:
            logger.exception("Could not diagnose", words=list(texts[:3]))
    finally:
        root = logging.getLogger()
        root.handlers[:], level = before
        root.setLevel(level)
        structlog.reset_defaults()
    return stream.getvalue()
