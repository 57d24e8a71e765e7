"""The real model with two batches at a time, whatever the machine has."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kausa_embedder.engine import Engine
from kausa_embedder.models import BackendName
from kausa_embedder.options import EngineOptions, NullObserver
from kausa_embedder.padding import Batch

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

TEXTS = [f"container {number} failed " + "again and again " * (number % 9) for number in range(40)]


class Counting(NullObserver):
    """Counts batches."""

    batches = 0

    def ran(self, *, seconds: float, batch: Batch) -> None:
        self.batches += 1


@pytest.mark.parametrize("backend", ["onnx", "fastembed"])
async def test_vectors_are_the_same_whether_batches_run_beside_each_other_or_not(
    embedding_model_path: Path, backend: BackendName
) -> None:
    vectors = {}
    for threads in (1, 2):
        counting = Counting()
        options = EngineOptions(
            folder=embedding_model_path, backend=backend, threads=threads, cache_bytes=0
        )
        engine = Engine(options, observer=counting)
        await engine.start()
        assert engine.info.lanes == threads
        answers = await asyncio.gather(*(engine.embed([text]) for text in TEXTS))
        vectors[threads] = [answer.vectors[0] for answer in answers]
        assert 1 < counting.batches <= len(TEXTS)
        await engine.close()
    for one, other in zip(vectors[1], vectors[2], strict=True):
        assert float(one @ other) > 0.9999
