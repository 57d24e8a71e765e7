"""What is done before the engine says ready: the model is asked its dimensions, and run once in
every shape that it will meet often, so that the first request finds memory and kernels in place.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from kausa_embedder.backends.base import Runs
from kausa_embedder.batching import bucket_widths
from kausa_embedder.errors import ModelBrokenError
from kausa_embedder.loading import Loaded
from kausa_embedder.padding import Inputs

__all__ = ["probe", "warm"]


def probe(loaded: Loaded) -> int:
    """The length of the model's vectors, from an answer of its own. Raises ModelBrokenError."""
    name = loaded.spec.name
    try:
        [encoded] = loaded.backend.encode(["probe"])
        ids = encoded.ids[None, :]
        inputs = Inputs(ids=ids, mask=np.ones_like(ids))
        outputs = loaded.backend.run(inputs)
    except Exception as error:
        raise ModelBrokenError(f"the model {name} cannot be run: {error!r}") from error
    vectors = outputs.sentences if outputs.tokens is None else outputs.tokens
    if vectors is None or not np.isfinite(vectors).all() or not vectors.shape[-1]:
        raise ModelBrokenError(f"the model {name} answers no vectors")
    return int(vectors.shape[-1])


def warm(loaded: Loaded, *, batch_tokens: int, batch_texts: int) -> None:
    """Run every width once, as full as batches get, and the narrowest alone; beside each other,
    where batches run so, because that is when memory is at its height.
    """
    lanes = loaded.lanes
    with ThreadPoolExecutor(max_workers=lanes.count if lanes else 1) as threads:
        for model, beside, longest in _models(loaded):
            # The widest first: the memory that it takes serves all others.
            for width in reversed(bucket_widths(longest)):
                texts = max(1, min(batch_texts, batch_tokens // width))
                for count in {texts, 1}:
                    model.run(_blank(count, width, model.pad_id))
                if lanes is not None and beside is not None:
                    full = _blank(texts, width, model.pad_id)
                    list(threads.map(beside.run, [full] * lanes.count))


def _models(loaded: Loaded) -> Iterator[tuple[Runs, Runs | None, int]]:
    lanes = loaded.lanes
    yield loaded.backend, lanes.backend if lanes else None, loaded.spec.max_tokens
    if loaded.scorer is not None and loaded.scorer_spec is not None:
        yield loaded.scorer, lanes.scorer if lanes else None, loaded.scorer_spec.max_tokens


def _blank(texts: int, width: int, pad_id: int) -> Inputs:
    shape = (texts, width)
    ids = np.full(shape, pad_id, dtype=np.int64)
    return Inputs(ids=ids, mask=np.ones(shape, dtype=np.int64), wants_tokens=True)
