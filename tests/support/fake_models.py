"""A model that takes no time: one token a word, vectors that tell which words they were made of."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Sequence

import numpy as np

from kausa_embedder.backends.base import Encoded, Outputs
from kausa_embedder.loading import Loaded
from kausa_embedder.models import ModelSpec
from kausa_embedder.options import EngineOptions
from kausa_embedder.padding import Inputs

SPEC = ModelSpec(
    name="fake", folder="fake", backend="onnx", max_tokens=16, pooling="mean", licence="none",
    query_prefix="ask: ",
)  # fmt: skip
BEGIN, END = 1, 2


def token_of(word: str) -> int:
    return 3 + zlib.crc32(word.encode()) % 1000


class FakeModel:
    """Notes its runs; `gate`, if set, is waited for in each; `fault` is raised in the next."""

    provider: str = "cpu"
    pad_id = 0

    def __init__(self) -> None:
        self.runs: list[Inputs] = []
        self.threads: set[int] = set()
        self.gate: threading.Event | None = None
        self.fault: BaseException | None = None
        self.encoding_fault: BaseException | None = None
        self.spoil: int | None = None
        """The token whose texts get a vector that is not finite."""

    def encode(self, texts: Sequence[str], *, words: bool = False) -> list[Encoded]:
        if self.encoding_fault is not None:
            raise self.encoding_fault
        return [self._encode(text, words) for text in texts]

    def _encode(self, text: str, words: bool) -> Encoded:
        own = text.lower().split()
        kept = own[: SPEC.max_tokens - 2]
        return Encoded(
            ids=np.array([BEGIN, *map(token_of, kept), END], dtype=np.int64),
            truncated=len(kept) < len(own),
            words=("", *kept, "") if words else (),
        )

    def run(self, inputs: Inputs) -> Outputs:
        self.threads.add(threading.get_ident())
        self.runs.append(inputs)
        if self.gate is not None:
            assert self.gate.wait(10)
        if self.fault is not None:
            raise self.fault
        tokens = np.zeros((*inputs.ids.shape, 4), dtype=np.float32)
        for axis, part in enumerate((1, 3, 7, 11)):
            tokens[..., axis] = np.cos(inputs.ids * part)
        if self.spoil is not None:
            tokens[(inputs.ids == self.spoil).any(axis=1)] = np.nan
        return Outputs(tokens=tokens)

    @property
    def texts(self) -> list[list[int]]:
        """The texts that were run, without marks and padding, in order."""
        return [
            [int(token) for token in row if token > END] for run in self.runs for row in run.ids
        ]


class FakeScorer(FakeModel):
    """Scores a pair by how many words it has in common."""

    def encode_pairs(self, query: str, documents: Sequence[str]) -> list[Encoded]:
        asked = query.split()
        return [
            Encoded(
                ids=np.array([BEGIN, *map(token_of, asked), END, *map(token_of, document.split())]),
                types=np.array([0] * (len(asked) + 2) + [1] * len(document.split())),
            )
            for document in documents
        ]

    def run(self, inputs: Inputs) -> Outputs:
        given = np.zeros_like(inputs.ids) if inputs.types is None else inputs.types
        scores = [
            len(set(ids[(types == 0) & (mask == 1)]) & set(ids[types == 1])) - 1.0
            for ids, types, mask in zip(inputs.ids, given, inputs.mask, strict=True)
        ]
        return Outputs(scores=np.array(scores, dtype=np.float32))


def loader(
    model: FakeModel, *, scorer: FakeScorer | None = None
) -> Callable[[EngineOptions], Loaded]:
    """What an engine calls to load; the runs of warming up are forgotten by `forget`."""

    def load(options: EngineOptions) -> Loaded:
        return Loaded(
            spec=SPEC,
            backend=model,
            threads=1,
            scorer=scorer,
            scorer_spec=SPEC if scorer else None,
        )

    return load
