from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_models import FakeModel, loader, token_of
from support.running_engine import running

from kausa_embedder.engine import Embedded, Engine
from kausa_embedder.errors import (
    BrokenError,
    ClosedError,
    ExpiredError,
    InferenceError,
    InvalidInputError,
    ModelMissingError,
    OverloadedError,
    TooLargeError,
    TooLongError,
)
from kausa_embedder.options import EngineOptions


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def test_each_text_gets_its_own_unit_vector_in_order() -> None:
    model = FakeModel()
    texts = [f"text number {number} " + "more " * (number % 7) for number in range(40)]
    async with running(model, cache_bytes=0) as engine:
        together = await engine.embed(texts)
        alone = [await engine.embed([text]) for text in texts]
    assert all(abs(np.linalg.norm(vector) - 1) < 1e-5 for vector in together.vectors)
    for vector, single in zip(together.vectors, alone, strict=True):
        np.testing.assert_allclose(vector, single.vectors[0], atol=1e-6)
    assert together.tokens[:2] == [5, 6]
    assert len(model.threads) == 2, "one thread warms, one runs"


@given(st.lists(st.text(max_size=40), max_size=12))
async def test_no_text_is_refused_for_what_it_says(texts: list[str]) -> None:
    async with running(FakeModel()) as engine:
        answer = await engine.embed(texts)
    assert len(answer.vectors) == len(answer.tokens) == len(answer.truncated) == len(texts)


async def test_half_a_surrogate_pair_is_a_text_too() -> None:
    async with running(FakeModel()) as engine:
        assert len((await engine.embed(["cut \ud83d off"])).vectors) == 1


async def test_many_clients_share_batches_of_like_length() -> None:
    model = FakeModel()
    async with running(model, batch_tokens=64) as engine:
        model.gate = threading.Event()
        tasks = [
            asyncio.create_task(engine.embed([f"client {number}" + " word" * (number % 10)]))
            for number in range(64)
        ]
        await until(lambda: engine.queued_texts > 20)
        model.gate.set()
        await asyncio.gather(*tasks)
    assert len(model.runs) < 40
    assert all(run.ids.size <= 64 for run in model.runs)


async def test_a_text_that_was_embedded_lately_costs_nothing() -> None:
    model = FakeModel()
    async with running(model) as engine:
        first = await engine.embed(["same", "same", "other"])
        again = await engine.embed(["same"])
        assert len(model.texts) == 2
        assert engine.cached[0].hits == 1
        await engine.embed(["same"], kind="query")
    assert len(model.texts) == 3, "a query has a prefix, so it is another text"
    np.testing.assert_array_equal(first.vectors[0], again.vectors[0])


async def test_a_long_text_is_cut_or_refused_as_asked_and_told() -> None:
    async with running(FakeModel()) as engine:
        answer = await engine.embed(["word " * 50, "short"])
        assert (answer.truncated, answer.tokens) == ([True, False], [16, 3])
        for _ in range(2):  # the second time it is remembered
            with pytest.raises(TooLongError, match="16 tokens"):
                await engine.embed(["word " * 50], truncate=False)


async def test_a_full_queue_refuses_at_once_and_says_when_to_come_again() -> None:
    model = FakeModel()
    async with running(model, queue_tokens=100, batch_tokens=16) as engine:
        model.gate = threading.Event()
        waiting: list[asyncio.Task[Embedded]] = []
        while engine.queued_tokens < 90:
            text = f"text {len(waiting)} waits in line"
            waiting.append(asyncio.create_task(engine.embed([text])))
            await asyncio.sleep(0.002)
        with pytest.raises(OverloadedError, match="come again") as refused:
            await engine.embed(["there is no room for this one " * 2])
        assert 0 < refused.value.retry_after_seconds <= 60
        model.gate.set()
        assert len(await asyncio.gather(*waiting)) == len(waiting)
        await engine.embed(["there is room again"])
        assert engine.queued_tokens == 0


async def test_who_waits_for_an_answer_passes_a_full_bulk_queue_within_two_batches() -> None:
    model = FakeModel()
    async with running(model, batch_tokens=32, queue_tokens=4000) as engine:
        model.gate = threading.Event()
        bulk = [
            asyncio.create_task(engine.embed([f"bulk {n} text"], priority="bulk"))
            for n in range(200)
        ]
        await until(lambda: engine.queued_texts > 150 and len(model.runs) == 1)
        urgent = asyncio.create_task(engine.embed(["urgent"]))
        await until(lambda: engine.queued_tokens > 0 and len(model.runs) == 1)
        await asyncio.sleep(0.02)
        model.gate.set()
        await urgent
        await asyncio.gather(*bulk)
    place = next(n for n, run in enumerate(model.runs) if token_of("urgent") in run.ids)
    assert place == 1, "the run that had begun, then this"


async def test_cancelled_texts_are_never_run() -> None:
    model = FakeModel()
    async with running(model, batch_tokens=4) as engine:
        model.gate = threading.Event()
        first = asyncio.create_task(engine.embed(["first"]))
        await until(lambda: len(model.runs) == 1)
        second = asyncio.create_task(engine.embed(["second"]))
        abandoned = asyncio.create_task(engine.embed(["abandoned"]))
        await until(lambda: engine.queued_texts >= 1)
        abandoned.cancel()
        model.gate.set()
        await asyncio.gather(first, second, abandoned, return_exceptions=True)
        await engine.embed(["last"])
        assert engine.queued_tokens == 0
    assert [token_of("abandoned")] not in model.texts


async def test_an_expired_text_is_told_so_and_never_run() -> None:
    model = FakeModel()
    async with running(model, batch_tokens=4) as engine:
        model.gate = threading.Event()
        first = asyncio.create_task(engine.embed(["first"]))
        await until(lambda: len(model.runs) == 1)
        second = asyncio.create_task(engine.embed(["second"]))
        await asyncio.sleep(0.01)
        with pytest.raises(ExpiredError):
            await engine.embed(["late"], deadline=time.monotonic() + 0.03)
        with pytest.raises(ExpiredError, match="before the request"):
            await engine.embed(["later"], deadline=time.monotonic() - 1)
        model.gate.set()
        await asyncio.gather(first, second)
        await engine.embed(["last"])
    assert [token_of("late")] not in model.texts


async def test_when_the_model_dies_all_that_wait_know_at_once() -> None:
    model = FakeModel()
    async with running(model, batch_tokens=4) as engine:
        model.gate = threading.Event()
        waiting = [asyncio.create_task(engine.embed([f"text {n}"])) for n in range(20)]
        await until(lambda: len(model.runs) == 1)
        model.fault = MemoryError("no memory")
        model.gate.set()
        async with asyncio.timeout(2):
            results = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(result) for result in results} == {BrokenError}
        assert not engine.ready
        assert "no memory" in str(engine.failure)
        with pytest.raises(BrokenError):
            await engine.embed(["afterwards"])


@pytest.mark.parametrize("stage", ["tokenizing", "cutting", "pooling"])
async def test_when_another_stage_dies_nobody_waits_for_ever(
    stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("dead")

    model = FakeModel()
    async with running(model) as engine:
        if stage == "tokenizing":
            model.encoding_fault = ValueError("dead")
        name = {"cutting": "cut", "pooling": "answers"}.get(stage)
        if name:
            monkeypatch.setattr(f"kausa_embedder.pipeline.{name}", fail)
        async with asyncio.timeout(2):
            with pytest.raises(BrokenError):
                await engine.embed(["text"])
        assert not engine.ready
        assert engine.queued_tokens == 0


async def test_a_vector_that_no_store_should_see_is_an_error_of_that_text_alone() -> None:
    model = FakeModel()
    model.spoil = token_of("bad")
    async with running(model) as engine:
        good, bad = await asyncio.gather(
            engine.embed(["good"]), engine.embed(["bad"]), return_exceptions=True
        )
        assert isinstance(bad, InferenceError)
        assert not isinstance(good, BaseException)
        assert engine.ready


async def test_draining_answers_what_was_taken_and_takes_nothing_more() -> None:
    model = FakeModel()
    async with running(model, batch_tokens=4) as engine:
        model.gate = threading.Event()
        taken = [asyncio.create_task(engine.embed([f"taken {n}"])) for n in range(5)]
        await until(lambda: len(model.runs) == 1)
        draining = asyncio.create_task(engine.drain())
        await asyncio.sleep(0.01)
        assert not draining.done()
        assert not engine.ready
        with pytest.raises(ClosedError):
            await engine.embed(["too late"])
        model.gate.set()
        await draining
        assert all(task.done() and not task.exception() for task in taken)


async def test_closing_answers_everything_with_an_error() -> None:
    model = FakeModel()
    async with running(model, batch_tokens=4) as engine:
        model.gate = threading.Event()
        waiting = [asyncio.create_task(engine.embed([f"text {n}"])) for n in range(5)]
        await until(lambda: len(model.runs) == 1)
        closing = asyncio.create_task(engine.close())
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(result) for result in results} == {ClosedError}
        model.gate.set()
        await closing


async def test_too_much_in_one_call_is_refused_before_it_costs() -> None:
    model = FakeModel()
    async with running(model, max_texts=3, queue_tokens=100) as engine:
        with pytest.raises(TooLargeError, match="several calls"):
            await engine.embed(["text"] * 4)
        with pytest.raises(InvalidInputError, match="string"):
            await engine.embed([b"bytes"])  # type: ignore[list-item]
        assert (await engine.embed([])).vectors == []
    async with running(model, queue_tokens=20) as engine:
        with pytest.raises(TooLargeError, match="of the queue"):
            await engine.embed(["x" * 100, "y" * 100])
    assert not model.runs


async def test_a_model_that_appears_later_is_loaded_then() -> None:
    model, calls = FakeModel(), 0

    def load(options: EngineOptions) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ModelMissingError("not there")
        return loader(model)(options)

    engine = Engine(load=load)
    with pytest.raises(ModelMissingError):
        await engine.start()
    await asyncio.gather(engine.start(), engine.embed(["text"]))
    assert (calls, engine.ready, engine.info.dimensions) == (2, True, 4)
    await engine.close()
    await engine.close()


async def test_a_load_that_outlasts_its_caller_is_kept() -> None:
    model, calls = FakeModel(), 0

    def load(options: EngineOptions) -> Any:
        nonlocal calls
        calls += 1
        time.sleep(0.05)
        return loader(model)(options)

    engine = Engine(load=load)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(engine.start(), 0.01)
    await engine.start()
    assert calls == 1
    await engine.close()


async def test_every_width_is_run_before_it_is_ready() -> None:
    model = FakeModel()
    engine = Engine(EngineOptions(batch_tokens=32), load=loader(model))
    await engine.start()
    assert {run.ids.shape for run in model.runs} >= {(4, 8), (1, 8), (2, 16), (1, 16)}
    await engine.close()


@pytest.mark.parametrize(("provider", "width"), [("cpu", 5), ("cuda", 8)])
async def test_a_text_that_is_alone_is_padded_only_where_shapes_cost(
    provider: str, width: int
) -> None:
    model = FakeModel()
    model.provider = provider
    async with running(model, cache_bytes=0) as engine:
        model.runs.clear()
        await engine.embed(["three words long"])
    assert [run.ids.shape for run in model.runs] == [(1, width)]


async def test_the_text_that_a_call_of_many_failed_for_is_named() -> None:
    model = FakeModel()
    model.spoil = token_of("bad")
    texts = ["known", "twice", "twice", "bad", "good"]
    async with running(model) as engine:
        await engine.embed(["known"])
        with pytest.raises(InferenceError, match="text 3 of the call") as failed:
            await engine.embed(texts)
        assert failed.value.place == 3
        with pytest.raises(InferenceError, match="text 1 of the call"):
            await engine.embed_tokens(["good", "bad"])
        with pytest.raises(TooLongError, match="text 2 of the call") as long:
            await engine.embed(["known", "a", "word " * 50], truncate=False)
        assert long.value.place == 2
