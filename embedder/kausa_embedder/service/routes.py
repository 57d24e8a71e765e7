"""The routes that take texts and answer at once: vectors, token vectors, scores."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel

from kausa_embedder.errors import ExpiredError
from kausa_embedder.service.contract import EmbeddedLike, EngineLike
from kausa_embedder.service.middleware import deadline_of
from kausa_embedder.service.refusals import Refusal, RefusedError
from kausa_embedder.service.wire import (
    EmbeddingsRequest,
    Encoding,
    RerankRequest,
    ScoreLateRequest,
    TokenEmbeddingsRequest,
    encode_vector,
    to_json,
)
from kausa_embedder.settings import Settings

__all__ = ["Routes"]

BREATH = 16
"""Vectors that are written as JSON before the event loop may do something else."""

RequestT = TypeVar("RequestT", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The handlers; each reads a body, asks the engine and writes an answer."""

    engine: EngineLike
    settings: Settings

    def add_to(self, application: web.Application) -> None:
        """Under their paths."""
        add = application.router.add_post
        add("/v1/embeddings", self.embeddings)
        add("/v1/token-embeddings", self.token_embeddings)
        add("/v1/score-late", self.score_late)
        add("/rerank", self.rerank)
        add("/v1/rerank", self.rerank)

    async def embeddings(self, request: web.Request) -> web.Response:
        """OpenAI's shape. `truncated` says of each text whether it was cut."""
        deadline = self._deadline(request)
        asked = await _read(request, deadline, EmbeddingsRequest)
        info = self.engine.info
        if asked.dimensions not in (None, info.dimensions):
            raise _invalid(f"dimensions: {info.model} has {info.dimensions}, and no others.")
        embedded = await self.engine.embed(
            asked.input,
            kind=asked.kind,
            priority=asked.priority,
            truncate=asked.truncate,
            deadline=deadline,
        )
        return _json(
            {
                "object": "list",
                "model": info.model,
                "data": await _data(embedded.vectors, asked.encoding_format),
                "truncated": list(embedded.truncated),
                "usage": _usage(embedded),
            }
        )

    async def token_embeddings(self, request: web.Request) -> web.Response:
        """A vector for each token; base64 holds all of a text, and `shape` says how many."""
        deadline = self._deadline(request)
        asked = await _read(request, deadline, TokenEmbeddingsRequest)
        matrices = await self.engine.embed_tokens(
            asked.input,
            kind=asked.kind,
            priority=asked.priority,
            truncate=asked.truncate,
            deadline=deadline,
        )
        data = await _data(matrices, asked.encoding_format)
        for entry, matrix in zip(data, matrices, strict=True):
            entry["shape"] = list(matrix.shape)
        return _json({"object": "list", "model": self.engine.info.model, "data": data})

    async def score_late(self, request: web.Request) -> web.Response:
        """Scores of late interaction, in the order of the documents."""
        deadline = self._deadline(request)
        asked = await _read(request, deadline, ScoreLateRequest)
        scores = await self.engine.score_late(
            asked.query,
            asked.documents,
            weights=asked.weights,
            priority=asked.priority,
            deadline=deadline,
        )
        return _json({"model": self.engine.info.model, "scores": scores})

    async def rerank(self, request: web.Request) -> web.Response:
        """The best first, each with its place among the documents."""
        deadline = self._deadline(request)
        asked = await _read(request, deadline, RerankRequest)
        scores = await self.engine.rerank(
            asked.query, asked.documents, priority=asked.priority, deadline=deadline
        )
        # Equal ones stay in the caller's order.
        best = sorted(range(len(scores)), key=lambda index: -scores[index])[: asked.top_n]
        results = [{"index": index, "relevance_score": scores[index]} for index in best]
        return _json({"model": self.engine.info.reranker, "results": results})

    def _deadline(self, request: web.Request) -> float:
        return deadline_of(
            request,
            default_seconds=self.settings.default_deadline_seconds,
            longest_seconds=self.settings.longest_deadline_seconds,
        )


async def _read(request: web.Request, deadline: float, shape: type[RequestT]) -> RequestT:
    try:
        async with asyncio.timeout_at(deadline):  # the loop's clock is time.monotonic
            body = await request.read()
    except TimeoutError as error:
        raise ExpiredError("the deadline passed before the body had come") from error
    return shape.model_validate_json(body)


async def _data(vectors: Sequence[Any], encoding: Encoding) -> list[dict[str, Any]]:
    """OpenAI's entries. Numbers as text take a while, in which others get their turn."""
    data: list[dict[str, Any]] = []
    for index, vector in enumerate(vectors):
        if index % BREATH == BREATH - 1:
            await asyncio.sleep(0)
        data.append(
            {"object": "embedding", "index": index, "embedding": encode_vector(vector, encoding)}
        )
    return data


def _usage(embedded: EmbeddedLike) -> dict[str, int]:
    tokens = sum(embedded.tokens)
    return {"prompt_tokens": tokens, "total_tokens": tokens}


def _json(answer: dict[str, object]) -> web.Response:
    return web.Response(body=to_json(answer), content_type="application/json")


def _invalid(message: str) -> RefusedError:
    return RefusedError(Refusal(status=422, type="invalid", message=message))
