"""The routes that take texts and answer at once: vectors, token vectors, scores."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel

from kausa_embedder.errors import ExpiredError, TooLargeError
from kausa_embedder.service.contract import EmbeddedLike, EngineLike
from kausa_embedder.service.middleware import deadline_of
from kausa_embedder.service.refusals import Refusal, RefusedError
from kausa_embedder.service.wire import (
    EmbeddingsRequest,
    Encoding,
    RerankRequest,
    ScoreLateRequest,
    TokenEmbeddingsRequest,
    encode_data,
    to_json,
)
from kausa_embedder.settings import Settings

__all__ = ["Routes"]

INLINE_FLOATS = 4096
"""Up to here numbers become JSON where they stand, in 2 ms at most."""
MOST_FLOATS = 4 * 1024 * 1024
"""Of one answer: 16 MiB, and some 80 MiB as JSON numbers."""

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
        return _with_data(
            {
                "object": "list",
                "model": info.model,
                "truncated": list(embedded.truncated),
                "usage": _usage(embedded),
            },
            data=await _data(embedded.vectors, asked.encoding_format),
        )

    async def token_embeddings(self, request: web.Request) -> web.Response:
        """A vector for each token; base64 holds all of a text, and `shape` says how many.

        Raises TooLargeError where that is more than an answer holds.
        """
        deadline = self._deadline(request)
        asked = await _read(request, deadline, TokenEmbeddingsRequest)
        matrices = await self.engine.embed_tokens(
            asked.input,
            kind=asked.kind,
            priority=asked.priority,
            truncate=asked.truncate,
            deadline=deadline,
        )
        floats = sum(matrix.size for matrix in matrices)
        if floats > MOST_FLOATS:
            raise TooLargeError(
                f"the texts have {sum(len(matrix) for matrix in matrices)} tokens, whose vectors "
                f"are {floats >> 18} MiB; at most {MOST_FLOATS >> 18} are answered: bring the "
                "texts in several calls"
            )
        return _with_data(
            {"object": "list", "model": self.engine.info.model},
            data=await _data(matrices, asked.encoding_format, shaped=True),
        )

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
        """The best first, each with its place among the documents; those that were not read, since
        `max_new_tokens` was over, are left out.
        """
        deadline = self._deadline(request)
        asked = await _read(request, deadline, RerankRequest)
        scores = await self.engine.rerank(
            asked.query,
            asked.documents,
            priority=asked.priority,
            deadline=deadline,
            most_new_tokens=asked.max_new_tokens,
        )
        read = [(index, score) for index, score in enumerate(scores) if score is not None]
        # Equal ones stay in the caller's order.
        best = sorted(read, key=lambda each: -each[1])[: asked.top_n]
        results = [{"index": index, "relevance_score": score} for index, score in best]
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


async def _data(vectors: Sequence[Any], encoding: Encoding, *, shaped: bool = False) -> bytes:
    """OpenAI's entries. Numbers as text take a while, so many of them are written on a thread."""
    if sum(vector.size for vector in vectors) <= INLINE_FLOATS:
        return encode_data(vectors, encoding, shaped=shaped)
    return await asyncio.to_thread(encode_data, vectors, encoding, shaped=shaped)


def _usage(embedded: EmbeddedLike) -> dict[str, int]:
    tokens = sum(embedded.tokens)
    return {"prompt_tokens": tokens, "total_tokens": tokens}


def _with_data(answer: dict[str, object], *, data: bytes) -> web.Response:
    """An answer whose `data` is JSON already."""
    body = b"".join((to_json(answer)[:-1], b',"data":', data, b"}"))
    return web.Response(body=body, content_type="application/json")


def _json(answer: dict[str, object]) -> web.Response:
    return web.Response(body=to_json(answer), content_type="application/json")


def _invalid(message: str) -> RefusedError:
    return RefusedError(Refusal(status=422, type="invalid", message=message))
