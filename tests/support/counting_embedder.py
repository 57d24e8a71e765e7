"""An embedder that counts: vectors of its model and the text, made from their hash."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import Any

from kausa.memory.errors import MemoryUnavailableError

__all__ = ["CountingEmbedder", "vector"]


class CountingEmbedder:
    """Vectors that tell the model and the text apart; fails once `fail_after` texts are done."""

    reranker = ""
    remembers = False

    def __init__(self, model: str = "new", dimensions: int = 6) -> None:
        self.model = model
        self.dimensions = dimensions
        self.texts: list[str] = []
        self.fail_after = 10**9

    async def embed(self, texts: Sequence[str], **_how: Any) -> list[list[float]]:
        if len(self.texts) + len(texts) > self.fail_after:
            raise MemoryUnavailableError("away", reason="EmbedderUnavailable")
        if texts != ["What fails, and why?"]:
            self.texts += texts
        return [vector(text, model=self.model, dimensions=self.dimensions) for text in texts]

    async def embed_stream(
        self, texts: AsyncIterable[tuple[str, str]], **_how: Any
    ) -> AsyncIterator[tuple[str, list[float]]]:
        raise NotImplementedError
        yield

    async def rerank(self, query: str, documents: Sequence[str], **_how: Any) -> list[float | None]:
        raise NotImplementedError

    async def close(self) -> None:
        return


def vector(text: str, *, model: str, dimensions: int) -> list[float]:
    raw = uuid.uuid5(uuid.NAMESPACE_OID, f"{model} {text}").bytes[:dimensions]
    numbers = [byte + 1.0 for byte in raw]
    length = sum(each * each for each in numbers) ** 0.5
    return [each / length for each in numbers]
