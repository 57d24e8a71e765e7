"""One body of tests for every embedder: who asks cannot tell them apart.

The engine has no model here; `tests/integration/test_embedder_service.py` has the same with one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from support.embedding_engine import DIMENSIONS, FakeEngine, fake_vector, serving

from kausa.memory.embedding.endpoint import Endpoint
from kausa.memory.embedding.http import HttpEmbedder
from kausa.memory.embedding.in_process import InProcessEmbedder
from kausa.memory.embedding.openai import OpenAIEmbedder
from kausa.memory.embedding.protocol import MOST_CHARACTERS, Embedder, Priority
from kausa.memory.errors import InvalidRecordError, MemoryUnavailableError
from kausa_embedder.errors import ExpiredError, InferenceError, OverloadedError


@pytest.fixture(params=["in process", "http", "openai"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Embedder, FakeEngine]]:
    """An embedder, and the engine behind it."""
    engine: Any = FakeEngine()
    embedder: Embedder
    if request.param == "in process":
        embedder = InProcessEmbedder(model_path=None, make_engine=lambda: engine)
        yield embedder, engine
        await embedder.close()
        return
    async with serving(engine) as service:
        endpoint = Endpoint(url=service.url)
        embedder = HttpEmbedder(endpoint) if request.param == "http" else OpenAIEmbedder(endpoint)
        yield embedder, engine
        await embedder.close()


@pytest.fixture
def embedder(pair: tuple[Embedder, FakeEngine]) -> Embedder:
    return pair[0]


@pytest.fixture
def engine(pair: tuple[Embedder, FakeEngine]) -> FakeEngine:
    return pair[1]


def expected(text: str) -> list[float]:
    vector: list[float] = fake_vector("passage: " + text).tolist()
    return vector


async def source(*texts: str) -> AsyncIterator[tuple[str, str]]:
    for text in texts:
        yield f"id of {text}", text


async def test_every_text_has_its_vector_in_order(embedder: Embedder) -> None:
    texts = [f"text {number}" for number in range(100)]
    vectors = []
    for start in range(0, 100, 25):
        vectors += await embedder.embed(texts[start : start + 25], deadline_seconds=5)
    assert vectors == [expected(text) for text in texts]


async def test_it_learns_what_it_is_from_the_first_answer(embedder: Embedder) -> None:
    assert embedder.dimensions == 0
    assert embedder.reranker == ""
    await embedder.embed(["x"], deadline_seconds=5)
    assert (embedder.model, embedder.dimensions) == ("fake", DIMENSIONS)
    assert embedder.reranker in ("late-interaction", "fake")


async def test_no_text_is_no_vector(embedder: Embedder) -> None:
    assert await embedder.embed([], deadline_seconds=5) == []
    assert [answer async for answer in embedder.embed_stream(source(), deadline_seconds=5)] == []
    assert await embedder.rerank("x", [], deadline_seconds=5) == []


@pytest.mark.parametrize(
    "text",
    ["", " ", "\x00", "\ud800 half", "\N{SNOWMAN}" * 10, "x" * (MOST_CHARACTERS + 1), '"\\\n\t'],
)
async def test_odd_texts_get_a_vector_too(embedder: Embedder, text: str) -> None:
    [vector] = await embedder.embed([text], deadline_seconds=5)
    assert len(vector) == DIMENSIONS
    answers = [a async for a in embedder.embed_stream(source(text), deadline_seconds=5)]
    assert answers == [(f"id of {text}", vector)]


async def test_a_long_text_is_cut_and_not_refused(embedder: Embedder) -> None:
    [vector] = await embedder.embed(["a b c d e f g h"], deadline_seconds=5)
    assert vector == expected("a b c d e f")


async def test_a_stream_answers_every_text_under_its_id(embedder: Embedder) -> None:
    texts = [f"text {number}" for number in range(300)]
    answers = [a async for a in embedder.embed_stream(source(*texts), deadline_seconds=5)]
    assert dict(answers) == {f"id of {text}": expected(text) for text in texts}
    assert len(answers) == 300


async def test_an_id_that_comes_twice_is_answered_twice(embedder: Embedder) -> None:
    answers = [a async for a in embedder.embed_stream(source("x", "x"), deadline_seconds=5)]
    assert answers == [("id of x", expected("x"))] * 2


async def test_a_stream_reads_its_source_no_faster_than_it_is_read(embedder: Embedder) -> None:
    taken = 0

    async def endless() -> AsyncIterator[tuple[str, str]]:
        nonlocal taken
        while True:
            taken += 1
            yield str(taken), "x"

    async with aclosing(embedder.embed_stream(endless(), deadline_seconds=5)) as stream:  # type: ignore[type-var]
        async for _ in stream:
            break
        for _ in range(100):
            await asyncio.sleep(0.001)
        assert taken < 1000


async def test_a_stream_that_is_left_leaves_nothing_behind(
    embedder: Embedder, engine: FakeEngine
) -> None:
    before = len(asyncio.all_tasks())
    async with aclosing(embedder.embed_stream(source("x", "y"), deadline_seconds=5)) as stream:  # type: ignore[type-var]
        async for _ in stream:
            break
    for _ in range(50):
        if len(asyncio.all_tasks()) <= before + 1:
            break
        await asyncio.sleep(0.01)
    names = [task.get_name() for task in asyncio.all_tasks()]
    assert not [name for name in names if name.startswith("embedding-stream")]


async def test_what_the_source_raises_ends_the_stream(embedder: Embedder) -> None:
    async def failing() -> AsyncIterator[tuple[str, str]]:
        yield "a", "x"
        raise LookupError("the source is gone")

    with pytest.raises(LookupError, match="the source is gone"):
        async for _ in embedder.embed_stream(failing(), deadline_seconds=5):
            pass


async def test_a_stream_is_bulk(embedder: Embedder, engine: FakeEngine) -> None:
    async for _ in embedder.embed_stream(source("x"), deadline_seconds=5):
        pass
    if not isinstance(embedder, OpenAIEmbedder):
        assert engine.asked[-1]["priority"] == "bulk"


async def test_rerank_scores_the_documents_in_their_order(embedder: Embedder) -> None:
    scores = await embedder.rerank("a b", ["none", "b a", "b"], deadline_seconds=5)
    assert scores == [0.0, 1.0, 0.5]


async def test_of_new_documents_only_so_many_are_read_where_they_are_remembered(
    embedder: Embedder, engine: FakeEngine
) -> None:
    """An endpoint that remembers nothing reads all: what it left out would stay unread for ever."""
    assert not embedder.remembers
    await embedder.rerank("a", ["a"], deadline_seconds=5)
    scores = await embedder.rerank("a b", ["a", "b a", "b"], deadline_seconds=5, most_new_tokens=3)
    if isinstance(embedder, OpenAIEmbedder):
        assert not embedder.remembers
        assert scores == [0.5, 1.0, 0.5]
    else:
        assert embedder.remembers
        assert scores == [0.5, 1.0, None]


async def test_a_cross_encoder_reads_all_of_them(embedder: Embedder, engine: FakeEngine) -> None:
    engine.info = replace(engine.info, reranker="a cross-encoder")
    await embedder.rerank("a", ["a"], deadline_seconds=5)
    assert not embedder.remembers
    scores = await embedder.rerank("a", ["a", "b"], deadline_seconds=5, most_new_tokens=1)
    assert scores == [1.0, 0.0]


async def test_a_reading_that_nobody_waits_for_is_bulk(
    embedder: Embedder, engine: FakeEngine
) -> None:
    priorities: tuple[Priority, ...] = ("interactive", "bulk")
    for priority in priorities:
        await embedder.rerank("a", ["b"], priority=priority, deadline_seconds=5)
        if not isinstance(embedder, OpenAIEmbedder):
            assert engine.asked[-1]["priority"] == priority


async def test_a_reading_that_is_taken_back_is_ended(
    embedder: Embedder, engine: FakeEngine
) -> None:
    await embedder.rerank("a", ["b"], deadline_seconds=5)
    engine.held.add("held")
    reading = asyncio.create_task(embedder.rerank("a", ["held"], deadline_seconds=5))
    while engine.asked[-1]["texts"] != ["a", "held"]:
        await asyncio.sleep(0.001)
    reading.cancel()
    async with asyncio.timeout(5):
        while not engine.left:
            await asyncio.sleep(0.001)


async def test_a_full_engine_is_asked_again_where_the_caller_is_patient(
    embedder: Embedder, engine: FakeEngine
) -> None:
    await embedder.embed(["first"], deadline_seconds=5)
    engine.errors.append(OverloadedError("full", retry_after_seconds=0.01))
    assert await embedder.embed(["x"], priority="bulk", deadline_seconds=5) == [expected("x")]


async def test_a_full_engine_has_its_own_reason(embedder: Embedder, engine: FakeEngine) -> None:
    await embedder.embed(["first"], deadline_seconds=5)
    engine.errors += [OverloadedError("full", retry_after_seconds=30)] * 9
    with pytest.raises(MemoryUnavailableError) as refused:
        await embedder.embed(["x"], deadline_seconds=5)
    assert refused.value.reason == "EmbedderOverloaded"


@pytest.mark.parametrize(
    ("error", "reason"),
    [(InferenceError("NaN"), "EmbedderFailed"), (ExpiredError("late"), "DeadlineExceeded")],
)
async def test_an_error_has_the_same_reason_everywhere(
    embedder: Embedder, engine: FakeEngine, error: Exception, reason: str
) -> None:
    await embedder.embed(["first"], deadline_seconds=5)
    engine.errors.append(error)
    with pytest.raises(MemoryUnavailableError) as failed:
        await embedder.embed(["x"], kind="query", deadline_seconds=5)
    assert failed.value.reason == reason


async def test_a_passage_that_cannot_be_embedded_is_at_fault_itself(
    embedder: Embedder, engine: FakeEngine
) -> None:
    """So that whoever keeps many leaves out that one; of several it is not known which."""
    await embedder.embed(["first"], deadline_seconds=5)
    engine.errors.append(InferenceError("NaN"))
    with pytest.raises(InvalidRecordError, match=r"of 3 characters.*NaN"):
        await embedder.embed(["bad"], deadline_seconds=5)
    engine.errors.append(InferenceError("NaN"))
    with pytest.raises(MemoryUnavailableError) as failed:
        await embedder.embed(["good", "bad"], deadline_seconds=5)
    assert failed.value.reason == "EmbedderFailed"


async def test_an_embedder_that_never_answered_puts_no_text_at_fault(
    embedder: Embedder, engine: FakeEngine
) -> None:
    engine.errors.append(InferenceError("NaN"))
    with pytest.raises(MemoryUnavailableError):
        await embedder.embed(["first"], deadline_seconds=5)


async def test_a_stream_ends_with_the_name_of_the_text_that_cannot_be_embedded(
    embedder: Embedder, engine: FakeEngine
) -> None:
    await embedder.embed(["first"], deadline_seconds=5)
    engine.errors.append(InferenceError("NaN"))
    with pytest.raises(InvalidRecordError):
        [_ async for _ in embedder.embed_stream(source("bad"), deadline_seconds=5)]


async def test_an_engine_that_never_answers_is_a_missed_deadline(
    embedder: Embedder, engine: FakeEngine
) -> None:
    await embedder.embed(["first"], deadline_seconds=5)
    engine.held.add("x")
    with pytest.raises(MemoryUnavailableError) as missed:
        await embedder.embed(["x"], deadline_seconds=0.05)
    assert missed.value.reason == "DeadlineExceeded"
    with pytest.raises(MemoryUnavailableError) as missed:
        async for _ in embedder.embed_stream(source("x"), deadline_seconds=0.05):
            pass
    assert missed.value.reason == "DeadlineExceeded"


async def test_a_caller_who_leaves_is_not_worked_for(
    embedder: Embedder, engine: FakeEngine
) -> None:
    await embedder.embed(["first"], deadline_seconds=5)
    engine.held.add("x")
    asking = asyncio.create_task(embedder.embed(["x"], deadline_seconds=60))
    while engine.asked[-1]["texts"] != ["x"]:
        await asyncio.sleep(0.001)
    asking.cancel()
    while not engine.left:
        await asyncio.sleep(0.001)


async def test_another_model_is_refused_and_not_mixed_in(
    embedder: Embedder, engine: FakeEngine
) -> None:
    await embedder.embed(["x"], deadline_seconds=5)
    engine.info = replace(engine.info, model="another")
    with pytest.raises(MemoryUnavailableError) as refused:
        await embedder.embed(["x"], deadline_seconds=5)
    assert refused.value.reason == "ModelMismatch"
    with pytest.raises(MemoryUnavailableError):
        async for _ in embedder.embed_stream(source("x"), deadline_seconds=5):
            pass


async def test_a_closed_embedder_says_so(embedder: Embedder) -> None:
    await embedder.embed(["x"], deadline_seconds=5)
    await embedder.close()
    await embedder.close()
    with pytest.raises(MemoryUnavailableError) as closed:
        await embedder.embed(["x"], deadline_seconds=5)
    assert closed.value.reason == "Closed"
    with pytest.raises(MemoryUnavailableError):
        async for _ in embedder.embed_stream(source("x"), deadline_seconds=5):
            pass


async def test_making_one_starts_nothing(pair: tuple[Embedder, FakeEngine]) -> None:
    assert pair[1].asked == []
    await pair[0].close()
    assert pair[1].asked == []
