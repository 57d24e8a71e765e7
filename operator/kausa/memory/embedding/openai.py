"""Any endpoint that speaks OpenAI's shape, such as text-embeddings-inference, vLLM or infinity.

Such an endpoint knows nothing of queries and passages: the prefixes that a model wants are put
before the texts here. It says neither its dimensions, which are read off the first answer, nor
whether it reranks, which is tried once: `/rerank` has two common shapes, and many have none. There
is no stream either, so a stream is several requests at a time.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kausa.memory.embedding.checking import Identity, check_scores, clip_texts
from kausa.memory.embedding.endpoint import Endpoint
from kausa.memory.embedding.parts import in_parts, own_fault
from kausa.memory.embedding.protocol import MOST_CHARACTERS, Kind, Priority
from kausa.memory.embedding.replies import TextsRefusedError
from kausa.memory.embedding.streaming import stream_requests
from kausa.memory.embedding.transport import Transport
from kausa.memory.embedding.wire import parse_embeddings, parse_scores
from kausa.memory.errors import MemoryUnavailableError
from kausa.memory.waiting import OnWaiting, nobody

__all__ = ["OpenAIEmbedder", "OpenAIModel"]

STREAM_TOGETHER = 16
STREAM_IN_FLIGHT = 4
PROBE_SECONDS = 3.0
"""The longest that trying to rerank may hold up the first vectors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIModel:
    """What such an endpoint does not say of its model."""

    name: str = ""
    """Sent with every request; "" sends none, and takes the name from the answers."""
    query_prefix: str = ""
    passage_prefix: str = ""
    most_characters: int = MOST_CHARACTERS
    """Texts are cut here: many endpoints refuse a text that is longer than their model reads."""


class OpenAIEmbedder:
    """One model of one endpoint. Nothing is connected before the first text."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        model: OpenAIModel | None = None,
        hedge_after_seconds: float | None = None,
        on_waiting: OnWaiting = nobody,
        transport: Transport | None = None,
    ) -> None:
        self._asked = model or OpenAIModel()
        self._transport = transport or Transport(
            endpoint, hedge_after_seconds=hedge_after_seconds, on_waiting=on_waiting
        )
        self._identity = Identity()
        self._rerank_shape: Literal["documents", "texts", "none"] | None = None

    @property
    def model(self) -> str:
        """The model's name; "" until the first answer where none was given."""
        return self._asked.name or self._identity.model

    @property
    def dimensions(self) -> int:
        """The length of a vector; 0 until the first answer."""
        return self._identity.dimensions

    @property
    def reranker(self) -> str:
        """The model's name where the endpoint reranks; "" where not, or before the first answer."""
        return self.model if self._rerank_shape in ("documents", "texts") else ""

    @property
    def remembers(self) -> bool:
        """Such endpoints have cross-encoders, to which every pair is new."""
        return False

    async def embed(
        self,
        texts: Sequence[str],
        *,
        kind: Kind = "passage",
        priority: Priority = "interactive",
        deadline_seconds: float,
    ) -> list[list[float]]:
        """Embed; `priority` only says who waits for an endpoint that is away: bulk does."""
        ends_at = time.monotonic() + deadline_seconds
        patient = priority == "bulk"
        prefix = self._asked.query_prefix if kind == "query" else self._asked.passage_prefix

        async def ask(some: list[str]) -> list[list[float]]:
            body = {"input": some, "encoding_format": "base64"} | self._named()
            try:
                answer = await self._transport.ask(
                    "POST", "/v1/embeddings", body, ends_at=ends_at, patient=patient
                )
            except TextsRefusedError as refused:
                works = bool(self._identity.dimensions)
                raise own_fault(refused, some, kind=kind, works=works) from refused
            model, vectors = parse_embeddings(answer)
            self._identity.check(vectors, model=model, expected=len(some))
            return vectors

        cut = [prefix + text[: self._asked.most_characters] for text in clip_texts(texts)]
        vectors = await in_parts(cut, ask)
        if vectors:
            await self._find_reranker(ends_at=ends_at)
        return vectors

    def embed_stream(
        self, texts: AsyncIterable[tuple[str, str]], *, deadline_seconds: float
    ) -> AsyncGenerator[tuple[str, list[float]], None]:
        """Passages in, vectors out in order of completion."""

        async def embed(some: Sequence[str]) -> list[list[float]]:
            return await self.embed(some, priority="bulk", deadline_seconds=deadline_seconds)

        return stream_requests(texts, embed, together=STREAM_TOGETHER, in_flight=STREAM_IN_FLIGHT)

    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        priority: Priority = "interactive",
        deadline_seconds: float,
        most_new_tokens: int | None = None,
    ) -> list[float | None]:
        """Score all with the endpoint's `/rerank`, which knows no `priority` and no bound.

        Raises:
            MemoryUnavailableError: (EmbedderMissing) it has none; the others as ever.
        """
        if not documents:
            return []
        ends_at = time.monotonic() + deadline_seconds
        await self._find_reranker(ends_at=ends_at)
        cut = [text[: self._asked.most_characters] for text in clip_texts([query, *documents])]
        scores = await self._rerank(cut[0], cut[1:], ends_at=ends_at)
        check_scores(scores, expected=len(documents))
        return scores

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def _rerank(
        self, query: str, documents: list[str], *, ends_at: float
    ) -> list[float | None]:
        if self._rerank_shape not in ("documents", "texts"):
            raise MemoryUnavailableError(
                "the embedder's endpoint has no /rerank", reason="EmbedderMissing"
            )
        body: dict[str, Any] = {"query": query, self._rerank_shape: documents} | self._named()
        answer = await self._transport.ask("POST", "/rerank", body, ends_at=ends_at)
        return parse_scores(answer, expected=len(documents))

    async def _find_reranker(self, *, ends_at: float) -> None:
        """Try both shapes once. Only a refusal says that there is none; silence says nothing."""
        if self._rerank_shape is not None:
            return
        ends_at = min(ends_at, time.monotonic() + PROBE_SECONDS)
        for shape in ("documents", "texts"):
            body = {"query": "a", shape: ["a"]} | self._named()
            try:
                answer = await self._transport.ask("POST", "/rerank", body, ends_at=ends_at)
                check_scores(parse_scores(answer, expected=1), expected=1)
            except MemoryUnavailableError as error:
                if error.reason != "EmbedderFailed":
                    return
            else:
                self._rerank_shape = "documents" if shape == "documents" else "texts"
                return
        self._rerank_shape = "none"

    def _named(self) -> dict[str, str]:
        return {"model": self._asked.name} if self._asked.name else {}
