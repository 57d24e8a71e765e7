"""What is answered to what, over real HTTP, with an engine that has no model."""

from __future__ import annotations

import base64
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import numpy as np
import pytest
from support.embedding_engine import DIMENSIONS, FakeEngine, Serving, fake_vector, serving

from kausa_embedder.caching import Statistics
from kausa_embedder.service import routes, wire


@pytest.fixture
async def service() -> AsyncIterator[Serving]:
    async with serving() as running:
        yield running


@pytest.fixture
async def client(service: Serving) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(service.url) as session:
        yield session


async def post(client: aiohttp.ClientSession, path: str, body: Any) -> Any:
    async with client.post(path, json=body) as response:
        answer = await response.json()
        assert response.status == 200, answer
        return answer


def decoded(encoded: str) -> np.ndarray[Any, Any]:
    return np.frombuffer(base64.b64decode(encoded), dtype="<f4")


async def test_embeddings_have_openais_shape(client: aiohttp.ClientSession) -> None:
    answer = await post(client, "/v1/embeddings", {"input": ["one two", "three"], "model": "any"})
    assert answer["object"] == "list"
    assert answer["model"] == "fake"
    assert answer["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    assert [entry["index"] for entry in answer["data"]] == [0, 1]
    assert answer["data"][1]["object"] == "embedding"
    assert answer["data"][1]["embedding"] == fake_vector("passage: three").tolist()


async def test_base64_is_the_same_vectors(client: aiohttp.ClientSession) -> None:
    texts = ["one", "two"]
    numbers = await post(client, "/v1/embeddings", {"input": texts})
    packed = await post(client, "/v1/embeddings", {"input": texts, "encoding_format": "base64"})
    for one, other in zip(numbers["data"], packed["data"], strict=True):
        assert decoded(other["embedding"]).tolist() == one["embedding"]


async def test_one_text_needs_no_list(client: aiohttp.ClientSession) -> None:
    answer = await post(client, "/v1/embeddings", {"input": "alone"})
    assert len(answer["data"]) == 1


async def test_the_answer_says_which_texts_were_cut(client: aiohttp.ClientSession) -> None:
    answer = await post(client, "/v1/embeddings", {"input": ["short", "a b c d e f g h"]})
    assert answer["truncated"] == [False, True]


async def test_what_the_caller_asks_for_reaches_the_engine(
    client: aiohttp.ClientSession, service: Serving
) -> None:
    body = {"input": ["x"], "kind": "query", "priority": "bulk", "truncate": False, "user": "me"}
    answer = await post(client, "/v1/embeddings", body)
    [asked] = service.engine.asked
    assert (asked["kind"], asked["priority"], asked["truncate"]) == ("query", "bulk", False)
    assert answer["data"][0]["embedding"] == fake_vector("query: x").tolist()


async def test_many_vectors_come_in_their_order(client: aiohttp.ClientSession) -> None:
    texts = [f"text {number}" for number in range(40)]
    answer = await post(client, "/v1/embeddings", {"input": texts})
    vectors = [entry["embedding"] for entry in answer["data"]]
    assert vectors == [fake_vector("passage: " + text).tolist() for text in texts]


@pytest.mark.parametrize("encoding", ["float", "base64"])
async def test_token_embeddings_say_their_shape(
    client: aiohttp.ClientSession, encoding: str
) -> None:
    body = {"input": ["one two three", ""], "encoding_format": encoding}
    answer = await post(client, "/v1/token-embeddings", body)
    first, empty = answer["data"]
    assert (first["shape"], empty["shape"]) == ([3, DIMENSIONS], [0, DIMENSIONS])
    matrix = first["embedding"]
    if encoding == "base64":
        matrix = decoded(matrix).reshape(first["shape"]).tolist()
    assert matrix[2] == fake_vector("three").tolist()


async def test_late_scores_are_in_the_order_of_the_documents(
    client: aiohttp.ClientSession, service: Serving
) -> None:
    body = {"query": "a b", "documents": ["b", "none", "b a"], "weights": {"a": 2.0}}
    answer = await post(client, "/v1/score-late", body)
    assert answer["scores"] == [0.5, 0.0, 1.0]
    assert service.engine.asked[0]["weights"] == {"a": 2.0}


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank"])
async def test_rerank_answers_the_best_first(client: aiohttp.ClientSession, path: str) -> None:
    body = {"query": "a b", "documents": ["none", "b", "b a"], "top_n": 2}
    answer = await post(client, path, body)
    assert answer["model"] == "late-interaction"
    assert answer["results"] == [
        {"index": 2, "relevance_score": 1.0},
        {"index": 1, "relevance_score": 0.5},
    ]


async def test_documents_that_were_not_read_are_left_out(client: aiohttp.ClientSession) -> None:
    body = {"query": "a b", "documents": ["a", "b a", "b"], "max_new_tokens": 3}
    answer = await post(client, "/rerank", body)
    assert [result["index"] for result in answer["results"]] == [1, 0]
    async with client.post("/rerank", json=body | {"max_new_tokens": 0}) as response:
        assert response.status == 422


async def test_equal_scores_stay_in_the_callers_order(client: aiohttp.ClientSession) -> None:
    answer = await post(client, "/rerank", {"query": "a", "documents": ["x", "y", "z"]})
    assert [result["index"] for result in answer["results"]] == [0, 1, 2]


async def test_info_says_what_runs_and_what_is_taken(client: aiohttp.ClientSession) -> None:
    async with client.get("/info") as response:
        info = await response.json()
    assert (info["model"], info["dimensions"], info["provider"]) == ("fake", DIMENSIONS, "cpu")
    assert info["reranker"] == "late-interaction"
    assert info["limits"]["max_texts"] == 256


async def test_openais_clients_find_the_model(client: aiohttp.ClientSession) -> None:
    async with client.get("/v1/models") as response:
        assert [model["id"] for model in (await response.json())["data"]] == ["fake"]


async def test_a_request_counts_under_its_route_and_code(
    client: aiohttp.ClientSession, service: Serving
) -> None:
    await post(client, "/v1/embeddings", {"input": "x"})
    async with client.get("/no/such/place") as response:
        assert response.status == 404
    async with client.get("/metrics") as response:
        page = await response.text()
    assert 'kausa_embedder_requests_total{code="200",route="/v1/embeddings"} 1.0' in page
    assert "/no/such" not in page
    assert 'kausa_embedder_requests_total{code="404",route="none"} 1.0' in page
    assert "process_resident_memory_bytes" in page


def test_the_fake_engine_keeps_the_contract() -> None:
    from kausa_embedder.service.contract import EngineLike

    engine: EngineLike = FakeEngine()
    assert engine.ready


async def test_more_token_vectors_than_an_answer_holds_are_refused(
    client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "MOST_FLOATS", 2 * DIMENSIONS)
    await post(client, "/v1/token-embeddings", {"input": ["one two"]})
    async with client.post("/v1/token-embeddings", json={"input": ["one", "two three"]}) as refused:
        assert refused.status == 413
        assert "3 tokens" in (await refused.json())["error"]["message"]


async def test_many_numbers_are_written_while_others_are_served(
    client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a thread that lets go of the interpreter between two vectors."""
    threads: set[str] = set()
    encode = wire.encode_data

    def noting(*arguments: Any, **more: Any) -> bytes:
        threads.add(threading.current_thread().name)
        return encode(*arguments, **more)

    monkeypatch.setattr(routes, "encode_data", noting)
    await post(client, "/v1/embeddings", {"input": "few"})
    assert threads == {threading.current_thread().name}
    body = {"input": [" ".join(str(number) for number in range(700))]}
    [entry] = (await post(client, "/v1/token-embeddings", body))["data"]
    assert len(entry["embedding"]) == 700
    assert len(threads) == 2


async def test_the_caches_are_in_the_metrics(
    client: aiohttp.ClientSession, service: Serving
) -> None:
    known = Statistics(hits=3, misses=2, entries=1, used_bytes=500)
    service.engine.cached = (known, replace(known, hits=9))
    async with client.get("/metrics") as response:
        lines = (await response.text()).splitlines()
    assert 'kausa_embedder_cache_hits_total{cache="texts"} 3.0' in lines
    assert 'kausa_embedder_cache_hits_total{cache="tokens"} 9.0' in lines
    assert 'kausa_embedder_cache_misses_total{cache="texts"} 2.0' in lines
    assert 'kausa_embedder_cache_bytes{cache="texts"} 500.0' in lines
    assert 'kausa_embedder_cache_entries{cache="texts"} 1.0' in lines
