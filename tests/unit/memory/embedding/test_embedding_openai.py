"""Endpoints that are not ours: what they lack, and how they differ."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest
from aiohttp import web

from kausa.memory.embedding.endpoint import Endpoint
from kausa.memory.embedding.openai import OpenAIEmbedder, OpenAIModel
from kausa.memory.errors import MemoryUnavailableError

Rerank = Literal["tei", "cohere", "none", "no reranker", "raw"]


@asynccontextmanager
async def endpoint(rerank: Rerank, *, prefix: str = "") -> AsyncIterator[tuple[str, list[Any]]]:
    """An endpoint as text-embeddings-inference, Cohere and OpenAI have it."""
    seen: list[Any] = []

    async def embeddings(request: web.Request) -> web.Response:
        body = await request.json()
        seen.append(body)
        data = [
            {"object": "embedding", "index": index, "embedding": [0.6, 0.8]}
            for index, _ in enumerate(body["input"])
        ]
        return web.json_response({"object": "list", "data": data, "model": "theirs"})

    async def score(request: web.Request) -> web.Response:
        body = await request.json()
        if rerank == "no reranker":
            return web.json_response({"error": "model is not a re-ranker model"}, status=424)
        if rerank == "tei":
            if "texts" not in body:
                return web.Response(status=422, text="missing field `texts`")
            return web.json_response(
                [{"index": i, "score": 0.1 * (i + 1)} for i, _ in enumerate(body["texts"])][::-1]
            )
        results = [
            {"index": i, "relevance_score": 5.0 if rerank == "raw" else 0.5}
            for i, _ in enumerate(body["documents"])
        ]
        return web.json_response({"results": results})

    application = web.Application()
    application.router.add_post(prefix + "/v1/embeddings", embeddings)
    if rerank != "none":
        application.router.add_post(prefix + "/rerank", score)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}{prefix}", seen
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("rerank", "name", "scores"),
    [("tei", "theirs", [0.1, 0.2]), ("cohere", "theirs", [0.5, 0.5])],
)
async def test_both_shapes_of_rerank_are_found(
    rerank: Rerank, name: str, scores: list[float]
) -> None:
    async with endpoint(rerank) as (url, _):
        embedder = OpenAIEmbedder(Endpoint(url=url))
        await embedder.embed(["x"], deadline_seconds=5)
        assert embedder.reranker == name
        assert await embedder.rerank("q", ["a", "b"], deadline_seconds=5) == scores
        await embedder.close()


@pytest.mark.parametrize("rerank", ["none", "no reranker", "raw"])
async def test_an_endpoint_that_does_not_rerank_says_so(rerank: Rerank) -> None:
    async with endpoint(rerank) as (url, _):
        embedder = OpenAIEmbedder(Endpoint(url=url))
        assert await embedder.embed(["x"], deadline_seconds=5) == [pytest.approx([0.6, 0.8])]
        assert embedder.reranker == ""
        with pytest.raises(MemoryUnavailableError) as missing:
            await embedder.rerank("q", ["a"], deadline_seconds=5)
        assert missing.value.reason == "EmbedderMissing"
        await embedder.close()


async def test_prefixes_are_put_before_the_texts_and_long_ones_are_cut() -> None:
    model = OpenAIModel(
        name="mine", query_prefix="query: ", passage_prefix="passage: ", most_characters=3
    )
    async with endpoint("none") as (url, seen):
        embedder = OpenAIEmbedder(Endpoint(url=url), model=model)
        await embedder.embed(["abcdef"], kind="query", deadline_seconds=5)
        await embedder.embed(["x"], deadline_seconds=5)
        assert [body["input"] for body in seen] == [["query: abc"], ["passage: x"]]
        assert {body["model"] for body in seen} == {"mine"}
        assert json.dumps(seen).count("priority") == 0
        assert (embedder.model, embedder.dimensions) == ("mine", 2)
        await embedder.close()


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/"])
async def test_the_address_may_end_as_openais_clients_write_it(end: str) -> None:
    async with endpoint("none", prefix="/behind/a/proxy") as (url, _):
        embedder = OpenAIEmbedder(Endpoint(url=url + end))
        assert len(await embedder.embed(["x"], deadline_seconds=5)) == 1
        await embedder.close()
