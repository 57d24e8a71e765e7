"""The embedder's engine, running a model that is none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from support.fake_models import FakeModel, FakeScorer, loader

from kausa_embedder.engine import Engine
from kausa_embedder.late_interaction import WordWeights
from kausa_embedder.options import EngineOptions

__all__ = ["running"]

EVEN = WordWeights(words={}, unknown=1.0)


@asynccontextmanager
async def running(
    model: FakeModel, *, scorer: FakeScorer | None = None, **options: Any
) -> AsyncIterator[Engine]:
    """Started and warmed; what was run for that is forgotten."""
    engine = Engine(EngineOptions(**options), load=loader(model, scorer=scorer), word_weights=EVEN)
    await engine.start()
    model.runs.clear()
    try:
        yield engine
    finally:
        if model.gate is not None:
            model.gate.set()
        await engine.close()
