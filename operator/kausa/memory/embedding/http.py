"""Our embedding worker, over HTTP."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from contextlib import aclosing
from typing import Any

from kausa.memory.embedding.checking import Identity, check_scores, clip_texts
from kausa.memory.embedding.endpoint import Endpoint
from kausa.memory.embedding.http_stream import stream_vectors
from kausa.memory.embedding.parts import in_parts, own_fault
from kausa.memory.embedding.protocol import LATE_INTERACTION, Kind, Priority
from kausa.memory.embedding.replies import TextsRefusedError
from kausa.memory.embedding.transport import Transport
from kausa.memory.embedding.wire import count_truncated, malformed, parse_embeddings, parse_scores
from kausa.memory.waiting import OnWaiting, nobody

__all__ = ["HttpEmbedder"]


class HttpEmbedder:
    """The worker of `kausa_embedder`. Nothing is connected before the first text.

    Its model, dimensions and reranker are what the worker says at the first call.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        hedge_after_seconds: float | None = None,
        on_waiting: OnWaiting = nobody,
        transport: Transport | None = None,
    ) -> None:
        self._transport = transport or Transport(
            endpoint, hedge_after_seconds=hedge_after_seconds, on_waiting=on_waiting
        )
        self._identity = Identity()
        self._reranker: str | None = None

    @property
    def model(self) -> str:
        """The model's name; "" until the first answer."""
        return self._identity.model

    @property
    def dimensions(self) -> int:
        """The length of a vector; 0 until the first answer."""
        return self._identity.dimensions

    @property
    def reranker(self) -> str:
        """What `rerank` scores with; "" until the first answer."""
        return self._reranker or ""

    @property
    def remembers(self) -> bool:
        """The worker keeps token vectors; what a cross-encoder says of a pair it does not."""
        return self._reranker == LATE_INTERACTION

    @property
    def max_tokens(self) -> int:
        """How much of a text the model reads; 0 until the first answer."""
        return self._identity.max_tokens

    @property
    def truncated(self) -> int:
        """Passages of which the model read only the beginning, so far."""
        return self._identity.truncated

    async def embed(
        self,
        texts: Sequence[str],
        *,
        kind: Kind = "passage",
        priority: Priority = "interactive",
        deadline_seconds: float,
    ) -> list[list[float]]:
        """Embed; many texts are several requests at a time."""
        ends_at = time.monotonic() + deadline_seconds
        patient = priority == "bulk"
        await self._introduce(ends_at=ends_at, patient=patient)

        async def ask(some: list[str]) -> list[list[float]]:
            body = {
                "input": some,
                "kind": kind,
                "priority": priority,
                "truncate": True,
                "encoding_format": "base64",
            }
            try:
                answer = await self._transport.ask(
                    "POST", "/v1/embeddings", body, ends_at=ends_at, patient=patient
                )
            except TextsRefusedError as refused:
                works = bool(self._identity.dimensions)
                raise own_fault(refused, some, kind=kind, works=works) from refused
            model, vectors = parse_embeddings(answer)
            self._identity.check(vectors, model=model, expected=len(some))
            if kind == "passage":
                self._identity.truncated += count_truncated(answer)
            return vectors

        return await in_parts(clip_texts(texts), ask)

    async def embed_stream(
        self, texts: AsyncIterable[tuple[str, str]], *, deadline_seconds: float
    ) -> AsyncGenerator[tuple[str, list[float]], None]:
        """One long request, sent again where the worker dies in the middle of it."""
        await self._introduce(ends_at=time.monotonic() + deadline_seconds, patient=True)
        answers = stream_vectors(
            self._transport, self._identity, texts, deadline_seconds=deadline_seconds
        )
        async with aclosing(answers):
            async for answer in answers:
                yield answer

    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        priority: Priority = "interactive",
        deadline_seconds: float,
        most_new_tokens: int | None = None,
    ) -> list[float | None]:
        """Score with the worker's reranker."""
        if not documents:
            return []
        ends_at = time.monotonic() + deadline_seconds
        await self._introduce(ends_at=ends_at, patient=False)
        [query, *clipped] = clip_texts([query, *documents])
        body: dict[str, Any] = {"query": query, "documents": clipped, "priority": priority}
        bounded = most_new_tokens is not None and self.remembers
        if bounded:
            body["max_new_tokens"] = most_new_tokens
        answer = await self._transport.ask("POST", "/rerank", body, ends_at=ends_at)
        scores = parse_scores(answer, expected=len(documents), all_of_them=not bounded)
        check_scores(scores, expected=len(documents))
        return scores

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def _introduce(self, *, ends_at: float, patient: bool) -> None:
        """Ask the worker what it is, once; it answers when its model is loaded."""
        if self._reranker is not None:
            return
        answer = await self._transport.ask("GET", "/info", ends_at=ends_at, patient=patient)
        reranker = answer.get("reranker") if isinstance(answer, dict) else None
        if not isinstance(reranker, str):
            raise malformed("its /info names no reranker, not even an empty one")
        self._reranker = reranker
        most = answer.get("max_tokens")
        self._identity.max_tokens = most if isinstance(most, int) and most > 0 else 0
