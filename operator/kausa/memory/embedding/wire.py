"""Vectors on the wire: base64 of little-endian float32, a quarter of the size of JSON numbers."""

from __future__ import annotations

import base64
import binascii
import json
import sys
from array import array
from typing import Any

from kausa.memory.errors import MemoryUnavailableError

__all__ = [
    "count_truncated",
    "decode_vector",
    "encode_json",
    "malformed",
    "parse_embeddings",
    "parse_scores",
]

# One for all: json.dumps would make another for every request.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode_json(body: object) -> bytes:
    """Compact JSON in UTF-8."""
    return _ENCODER.encode(body).encode()


def malformed(what: str) -> MemoryUnavailableError:
    """The error for an answer of another shape than was agreed on."""
    return MemoryUnavailableError(
        f"the embedder's answer cannot be read ({what}): is it an embedder that answers at "
        "KAUSA_EMBEDDER_URL?",
        reason="EmbedderFailed",
    )


def decode_vector(encoded: object) -> list[float]:
    """One vector: base64 of float32, or a list of numbers, which some endpoints send instead.

    Raises:
        MemoryUnavailableError: (EmbedderFailed) it is neither.
    """
    if isinstance(encoded, list):
        if not all(isinstance(value, int | float) for value in encoded):
            raise malformed("a vector holds what is not a number")
        return [float(value) for value in encoded]
    if not isinstance(encoded, str):
        raise malformed("a vector is neither text nor a list")
    vector = array("f")
    try:
        vector.frombytes(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError) as error:
        raise malformed("a vector is not base64 of float32") from error
    if sys.byteorder == "big":
        vector.byteswap()
    return vector.tolist()


def parse_embeddings(answer: Any) -> tuple[str, list[list[float]]]:
    """The model's name and the vectors, in the order of the texts, of OpenAI's shape."""
    try:
        entries = sorted(answer["data"], key=lambda entry: entry["index"])
        encoded = [entry["embedding"] for entry in entries]
        indices = [entry["index"] for entry in entries]
        model = answer["model"]
    except (KeyError, TypeError) as error:
        raise malformed("it lacks data, index, embedding or model") from error
    if indices != list(range(len(indices))) or not isinstance(model, str):
        raise malformed("its indices are not those of the texts")
    return model, [decode_vector(vector) for vector in encoded]


def count_truncated(answer: Any) -> int:
    """Of how many texts the model read only the beginning; 0 where the answer does not say."""
    told = answer.get("truncated") if isinstance(answer, dict) else None
    return sum(each is True for each in told) if isinstance(told, list) else 0


def parse_scores(answer: Any, *, expected: int, all_of_them: bool = True) -> list[float | None]:
    """The scores, in the order of the documents; None where the answer leaves one out, which is
    malformed unless it may (`all_of_them`).

    Two shapes are common: `{"results": [{"index", "relevance_score"}]}`, and text-embeddings-
    inference's `[{"index", "score"}]`.
    """
    try:
        entries = answer["results"] if isinstance(answer, dict) else answer
        scores = {
            int(entry["index"]): float(
                entry["relevance_score"] if "relevance_score" in entry else entry["score"]
            )
            for entry in entries
        }
    except (KeyError, TypeError, ValueError) as error:
        raise malformed("its scores lack index or score") from error
    documents = set(range(expected))
    if not (scores.keys() <= documents and (scores or not documents)):
        raise malformed(f"it scores others than the {expected} documents, or none of them")
    if all_of_them and scores.keys() != documents:
        raise malformed(f"it does not score each of {expected} documents")
    return [scores.get(index) for index in range(expected)]
