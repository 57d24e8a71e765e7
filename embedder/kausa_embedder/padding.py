"""A batch as the model takes it: token ids side by side, padded to one width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kausa_embedder.queueing import Item, Stage

__all__ = ["Batch", "Inputs", "pad"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inputs:
    """What a model is run on; all arrays are (texts, width)."""

    ids: NDArray[np.int64]
    mask: NDArray[np.int64]
    types: NDArray[np.int64] | None = None
    wants_tokens: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Texts that go through the model together."""

    items: Sequence[Item]
    stage: Stage
    inputs: Inputs

    @property
    def tokens(self) -> int:
        """Without padding."""
        return sum(item.tokens for item in self.items)

    @property
    def padded_tokens(self) -> int:
        """What the model works for."""
        return int(self.inputs.ids.size)


def pad(items: Sequence[Item], *, width: int, pad_id: int) -> Batch:
    """Lay the texts side by side."""
    shape = (len(items), width)
    ids = np.full(shape, pad_id, dtype=np.int64)
    mask = np.zeros(shape, dtype=np.int64)
    pairs = any(item.types is not None for item in items)
    types = np.zeros(shape, dtype=np.int64) if pairs else None
    for row, item in enumerate(items):
        ids[row, : item.tokens] = item.ids
        mask[row, : item.tokens] = 1
        if types is not None and item.types is not None:
            types[row, : item.tokens] = item.types
    inputs = Inputs(
        ids=ids, mask=mask, types=types, wants_tokens=any(item.wants_tokens for item in items)
    )
    return Batch(items=items, stage=items[0].stage, inputs=inputs)
