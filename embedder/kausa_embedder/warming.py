"""What is done before the engine says ready: the model is asked its dimensions, and run once in
every shape that it will meet often, so that the first request finds memory and kernels in place.
"""

from __future__ import annotations

import numpy as np

from kausa_embedder.backends.base import Backend, Scorer
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
    """Run every width once, as full as batches get, and the narrowest alone."""
    models: list[tuple[Backend | Scorer, int]] = [(loaded.backend, loaded.spec.max_tokens)]
    if loaded.scorer is not None and loaded.scorer_spec is not None:
        models.append((loaded.scorer, loaded.scorer_spec.max_tokens))
    for model, longest in models:
        # The widest first: the memory that it takes serves all others.
        for width in reversed(bucket_widths(longest)):
            texts = max(1, min(batch_texts, batch_tokens // width))
            for count in {texts, 1}:
                shape = (count, width)
                ids = np.full(shape, model.pad_id, dtype=np.int64)
                mask = np.ones(shape, dtype=np.int64)
                model.run(Inputs(ids=ids, mask=mask, wants_tokens=True))
