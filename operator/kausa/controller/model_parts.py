"""All that works for the model while the operator leads, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kausa.controller.consulting import Consulting
from kausa.controller.model_help import ModelHelp
from kausa.controller.sightings import ResourceKey, Sightings
from kausa.diagnosis.consultation import Consultant
from kausa.diagnosis.consultation_gate import Gate
from kausa.diagnosis.consultation_queue import ConsultationQueue
from kausa.diagnosis.model.metrics import ModelMetrics
from kausa.diagnosis.model.models import Models
from kausa.settings import Settings
from kausa.telemetry.debugging import Debugging
from kausa.telemetry.metrics import Registry
from kausa.telemetry.tracing import Tracer

__all__ = ["ModelParts", "model_parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelParts:
    """What diagnoses ask, and what runs."""

    help: ModelHelp
    consulting: Consulting | None = None
    """None where there is no model."""


def model_parts(
    models: Models | None,
    *,
    settings: Settings,
    sightings: Sightings,
    redact: Callable[[str], str],
    registry: Registry,
    tracer: Tracer,
    debugging: Debugging,
) -> ModelParts:
    """Build everything around the models; without any, what says so."""
    consultant = Consultant(models=models, below_confidence=settings.model_below_confidence)
    consulting = None
    if models is not None:
        metrics = ModelMetrics(registry)
        models.observe(metrics)
        gate = Gate(probe=models.ready, metrics=metrics)
        queue: ConsultationQueue[ResourceKey] = ConsultationQueue(
            size=settings.model_queue_size,
            concurrent=settings.model_concurrency,
            gate=gate,
            metrics=metrics,
        )
        consulting = Consulting(queue=queue, gate=gate)
        _show(debugging, models, queue=queue, gate=gate, settings=settings)
    return ModelParts(
        help=ModelHelp(
            consultant=consultant,
            consulting=consulting,
            sightings=sightings,
            redact=redact,
            tracer=tracer,
        ),
        consulting=consulting,
    )


def _show(
    debugging: Debugging,
    models: Models,
    *,
    queue: ConsultationQueue[ResourceKey],
    gate: Gate,
    settings: Settings,
) -> None:
    def ask() -> Mapping[str, object]:
        url, left = settings.model_url, models.budget.left
        return {
            "kind": settings.model_kind,
            "host": url.host if url is not None else None,
            "simple": models.names.simple,
            "reasoning": models.names.reasoning,
            "circuits": {name: str(each.state) for name, each in models.breakers().items()},
            "trouble": gate.why[0] if gate.why is not None else None,
            "asking": queue.asking,
            "waiting": len(queue),
            "tokens_left": None if models.budget.tokens is None else int(left),
        }

    debugging.observe_model("model", ask)
    debugging.observe_size("model.queue", lambda: len(queue), most=queue.size)
    debugging.observe_size("model.answers", lambda: len(models.answers), most=models.answers.most)
