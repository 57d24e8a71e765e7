"""What the engine asks of a loaded model, whatever runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kausa_embedder.padding import Inputs

__all__ = ["Backend", "Dividing", "Encoded", "Outputs", "Runs", "Scorer"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoded:
    """One text as the model's tokens."""

    ids: NDArray[np.int64]
    types: NDArray[np.int64] | None = None
    truncated: bool = False
    words: tuple[str, ...] = ()
    """For each token the word that it is a part of, in lower case, empty for tokens that stand for
    no text; only where asked for."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outputs:
    """What a model answered for a batch; what was not asked for may be None."""

    tokens: NDArray[np.float32] | None = None
    """(texts, width, dimensions), padding included."""
    sentences: NDArray[np.float32] | None = None
    """(texts, dimensions), where the model pools by itself."""
    scores: NDArray[np.float32] | None = None
    """(texts,) logits of a cross-encoder."""


class Runs(Protocol):
    """What runs batches."""

    @property
    def provider(self) -> str:
        """The device that it runs on: cpu or cuda."""

    @property
    def pad_id(self) -> int:
        """The token that stands for padding."""

    def run(self, inputs: Inputs) -> Outputs:
        """Run one batch; one at a time, unless it is what a `Dividing` gave."""


class Backend(Runs, Protocol):
    """A loaded embedding model."""

    def encode(self, texts: Sequence[str], *, words: bool = False) -> list[Encoded]:
        """Tokenise, from any thread; texts beyond the model's length are cut and say so."""


class Scorer(Runs, Protocol):
    """A loaded cross-encoder."""

    def encode_pairs(self, query: str, documents: Sequence[str]) -> list[Encoded]:
        """Tokenise the query with each document, of which the longer one is cut."""


@runtime_checkable
class Dividing(Protocol):
    """A model that can run several batches at a time, on a CPU each."""

    @property
    def weight_bytes(self) -> int:
        """What its weights take; dividing takes as much again."""

    def divided(self) -> Runs:
        """The same model, of which every run takes one CPU, and any number may go on at a time."""
