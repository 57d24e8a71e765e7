"""The shapes of requests and answers: OpenAI's where there is one, with fields of our own added.

Unknown fields are let pass, as OpenAI's own server does: its clients send several that mean nothing
here. Vectors are base64 of little-endian float32 where the caller asks for it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

from kausa_embedder.models import Kind
from kausa_embedder.service.contract import Priority

__all__ = [
    "EmbeddingsRequest",
    "Encoding",
    "RerankRequest",
    "ScoreLateRequest",
    "StreamText",
    "TokenEmbeddingsRequest",
    "encode_data",
    "encode_vector",
    "to_json",
]

Encoding = Literal["float", "base64"]
MOST_WEIGHT = 1e6
"""Beyond it sums of float32 lose what the other words weigh, and at last overflow."""
# One for all: json.dumps would make another for every answer.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    priority: Priority = "interactive"
    """`bulk` goes after all that is interactive."""


class _Texts(_Request):
    input: list[str]
    kind: Kind = "passage"
    """What the texts are: some models prefix a question otherwise."""
    truncate: bool = True
    """False refuses a text that is longer than the model reads, instead of cutting it."""
    encoding_format: Encoding = "float"

    @field_validator("input", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        """OpenAI takes one text without a list, too. It also takes token ids, which we do not."""
        return [value] if isinstance(value, str) else value


class EmbeddingsRequest(_Texts):
    """`POST /v1/embeddings`."""

    dimensions: int | None = None
    """Refused unless it is what the model has: its vectors cannot be shortened."""


class TokenEmbeddingsRequest(_Texts):
    """`POST /v1/token-embeddings`."""


class RerankRequest(_Request):
    """`POST /rerank`."""

    query: str
    documents: list[str]
    top_n: Annotated[int | None, Field(ge=1)] = None
    """How many of the best are answered; without it, all."""
    max_new_tokens: Annotated[int | None, Field(ge=1)] = None
    """How much may be read for it: documents that were not read before and do not fit are left out
    of the answer, though one of them is always read. Without it, all are read."""


class ScoreLateRequest(_Request):
    """`POST /v1/score-late`."""

    query: str
    documents: list[str]
    weights: dict[str, Annotated[float, Field(ge=0, le=MOST_WEIGHT)]] | None = None
    """What words weigh; without it, how rare they are in the texts that the project owns."""


class StreamText(BaseModel):
    """A line of `POST /v1/stream`."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    id: Annotated[str, Field(max_length=256)]
    text: str
    kind: Kind = "passage"
    priority: Priority = "bulk"
    truncate: bool = True


def encode_vector(vector: NDArray[Any]) -> str:
    """A vector, or several in one array, as base64."""
    little = np.ascontiguousarray(vector, dtype="<f4")
    return base64.b64encode(little.tobytes()).decode("ascii")


def encode_data(
    vectors: Sequence[NDArray[Any]], encoding: Encoding, *, shaped: bool = False
) -> bytes:
    """OpenAI's entries as JSON, with the shape of each array where that is asked for.

    For a thread of its own: the encoder of JSON does not let go of the interpreter before it is
    done, so it is asked vector by vector.
    """
    entries: list[str] = []
    for index, vector in enumerate(vectors):
        shape = f',"shape":{_ENCODER.encode(vector.shape)}' if shaped else ""
        value = _numbers(vector) if encoding == "float" else f'"{encode_vector(vector)}"'
        entries.append(f'{{"object":"embedding","index":{index}{shape},"embedding":{value}}}')
    return f"[{','.join(entries)}]".encode("ascii")


def _numbers(vector: NDArray[Any]) -> str:
    if vector.ndim == 1:
        return _ENCODER.encode(vector.tolist())
    return "[" + ",".join([_ENCODER.encode(row.tolist()) for row in vector]) + "]"


def to_json(answer: Mapping[str, object] | Sequence[object]) -> bytes:
    """Compact JSON in UTF-8."""
    return _ENCODER.encode(answer).encode()
