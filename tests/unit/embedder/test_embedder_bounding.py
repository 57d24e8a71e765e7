"""How much of a call is read: the estimate, the bound and the portions; and the engine by them."""

from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_models import FakeModel, FakeScorer
from support.running_engine import running

from kausa_embedder import engine as engines
from kausa_embedder.bounding import estimate_tokens, first_within, in_portions

sizes = st.lists(st.integers(1, 300), max_size=40)


@given(sizes, st.integers(0, 1000))
def test_what_fits_is_the_longest_beginning_that_does_and_never_nothing(
    given_sizes: list[int], most: int
) -> None:
    count = first_within(given_sizes, most)
    assert count >= min(1, len(given_sizes))
    if count > 1:
        assert sum(given_sizes[:count]) <= most
    if count < len(given_sizes):
        assert sum(given_sizes[: count + 1]) > most


@given(sizes, st.integers(1, 1000))
def test_portions_are_all_of_it_in_order(given_sizes: list[int], most: int) -> None:
    portions = in_portions(given_sizes, most=most)
    assert [size for portion in portions for size in given_sizes[portion]] == given_sizes
    assert portions[0].start == 0
    assert all(
        portion.stop - portion.start == 1 or sum(given_sizes[portion]) <= most
        for portion in portions
        if given_sizes
    )


def test_a_text_is_not_estimated_longer_than_the_model_reads() -> None:
    assert estimate_tokens("x" * 30, most=256) == 12
    assert estimate_tokens("x" * 30, most=256, beside=30) == 22
    assert estimate_tokens("x" * 9000, most=256) == 256


async def test_documents_that_are_known_are_scored_and_of_new_ones_only_the_first() -> None:
    model = FakeModel()
    async with running(model) as engine:
        await engine.rerank("out", ["memory out"])
        before = len(model.texts)
        scores = await engine.rerank(
            "out", ["cake cake", "out of", "memory out"], most_new_tokens=5
        )
        assert [score is None for score in scores] == [False, True, False]
        assert len(model.texts) == before + 2, "the query and one document"
        again = await engine.rerank("out", ["cake cake", "out of", "memory out"], most_new_tokens=5)
        assert None not in again
        assert again[0] == scores[0]


async def test_the_same_document_twice_is_scored_twice() -> None:
    async with running(FakeModel()) as engine:
        one, other, *_ = await engine.rerank("out", ["out", "out", "of"], most_new_tokens=1)
        assert one == other
        assert one is not None


async def test_one_new_document_is_read_however_little_may_be() -> None:
    async with running(FakeModel()) as engine:
        assert await engine.rerank("a", ["a " * 14, "b"], most_new_tokens=1) == [
            pytest.approx(1.0, abs=1e-3),
            None,
        ]


async def test_to_a_cross_encoder_all_are_new() -> None:
    async with running(FakeModel(), scorer=FakeScorer()) as engine:
        for _ in range(2):
            scores = await engine.rerank("a b", ["a b", "c", "a"], most_new_tokens=7)
            assert [score is None for score in scores] == [False, False, True]
        assert None not in await engine.rerank("a b", ["a b", "c", "a"])


async def test_what_was_read_of_a_call_that_is_taken_back_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engines, "PORTION_TOKENS", 5)
    model = FakeModel()
    async with running(model) as engine:
        model.gate = threading.Event()
        reading = asyncio.create_task(engine.rerank("q", ["one", "two"], priority="bulk"))
        async with asyncio.timeout(5):
            while not model.runs:
                await asyncio.sleep(0.001)
            model.gate.set()
            while engine.cached[1].entries < 1:
                await asyncio.sleep(0)
            model.gate.clear()
            reading.cancel()
            await asyncio.wait((reading,))
        model.gate.set()
        assert engine.cached[1].entries == 1
        known = await engine.rerank("q", ["two", "one"], most_new_tokens=1)
        assert None not in known
