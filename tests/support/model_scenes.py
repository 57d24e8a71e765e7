"""A failure of which the rules are not sure, and all that asks a model about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from support.diagnosing import Diagnosing
from support.dossiers import dossier
from support.fake_language_model import FakeLanguageModel, models_of
from support.pods import container, pod, terminated, waiting

__all__ = ["CONSULTED", "KEY", "UNSURE", "WORSE", "scene"]

UNSURE = dossier(pod(container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=2)))
WORSE = replace(
    UNSURE,
    pod=pod(container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=9), image="x:2"),
)
KEY = ("shop", "checkout")
CONSULTED = "ModelConsulted"


def scene(model: FakeLanguageModel | None = None, seen: Any = UNSURE, **given: Any) -> Diagnosing:
    """The part of the operator that diagnoses, with this model."""
    return Diagnosing(seen, models=models_of(model or FakeLanguageModel()), **given)
