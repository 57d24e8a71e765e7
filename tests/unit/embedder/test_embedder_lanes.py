"""Several batches at a time, on a CPU each, and one that is alone on all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_models import SPEC, FakeModel, FakeScorer, token_of

from kausa_embedder.backends.base import Outputs
from kausa_embedder.backends.onnx_session import OnnxModel
from kausa_embedder.engine import Engine
from kausa_embedder.errors import BrokenError, ClosedError, ModelBrokenError
from kausa_embedder.intake import LANE_TOKENS
from kausa_embedder.late_interaction import WordWeights
from kausa_embedder.loading import MOST_BYTES_TWICE, Lanes, Loaded, lanes_of
from kausa_embedder.options import EngineOptions
from kausa_embedder.padding import Inputs


class Narrow(FakeModel):
    """Notes how many of its runs went on at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.at_a_time = 0
        self.most = 0
        self._counting = threading.Lock()

    def run(self, inputs: Inputs) -> Outputs:
        with self._counting:
            self.at_a_time += 1
            self.most = max(self.most, self.at_a_time)
        try:
            return super().run(inputs)
        finally:
            with self._counting:
                self.at_a_time -= 1


class Scorer(FakeScorer):
    """Counts its runs."""

    count = 0

    def run(self, inputs: Inputs) -> Outputs:
        self.count += 1
        return super().run(inputs)


class Divisible(FakeModel):
    """A model that can be had twice."""

    weight_bytes = MOST_BYTES_TWICE

    def divided(self) -> Narrow:
        return Narrow()


@asynccontextmanager
async def running(
    wide: FakeModel, narrow: FakeModel, *, lanes: int = 2, **options: Any
) -> AsyncIterator[Engine]:
    loaded = Loaded(
        spec=SPEC, backend=wide, threads=lanes, lanes=Lanes(count=lanes, backend=narrow)
    )
    engine = Engine(
        EngineOptions(cache_bytes=0, **options),
        load=lambda _: loaded,
        word_weights=WordWeights(words={}, unknown=1.0),
    )
    await engine.start()
    wide.runs.clear()
    narrow.runs.clear()
    try:
        yield engine
    finally:
        for model in (wide, narrow):
            if model.gate is not None:
                model.gate.set()
        await engine.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


def ask(engine: Engine, name: str, count: int, **how: Any) -> list[asyncio.Task[Any]]:
    return [
        asyncio.create_task(engine.embed([f"{name} {number} text"], **how))
        for number in range(count)
    ]


async def test_a_text_that_is_alone_has_all_cpus() -> None:
    wide, narrow = FakeModel(), Narrow()
    async with running(wide, narrow) as engine:
        for number in range(5):
            await engine.embed([f"text {number}"])
        assert (engine.info.lanes, engine.info.batch_tokens) == (2, LANE_TOKENS)
    assert (len(wide.runs), len(narrow.runs)) == (5, 0)


async def test_a_backlog_runs_as_many_batches_at_a_time_as_there_are_cpus() -> None:
    wide, narrow = FakeModel(), Narrow()
    async with running(wide, narrow, lanes=3, batch_tokens=16) as engine:
        narrow.gate = threading.Event()
        asked = ask(engine, "one of many", 40)
        await until(lambda: narrow.at_a_time == 3)
        await asyncio.sleep(0.02)
        assert (len(narrow.runs), len(wide.runs)) == (3, 0)
        narrow.gate.set()
        await asyncio.gather(*asked)
    assert narrow.most == 3


async def test_nothing_begins_beside_a_text_that_has_all_cpus() -> None:
    wide, narrow = FakeModel(), Narrow()
    async with running(wide, narrow, batch_tokens=8) as engine:
        wide.gate = threading.Event()
        [first] = ask(engine, "first", 1)
        await until(lambda: len(wide.runs) == 1)
        others = ask(engine, "other", 6)
        await asyncio.sleep(0.02)
        assert not narrow.runs
        wide.gate.set()
        await asyncio.gather(first, *others)
    assert narrow.runs, "the others were several"


@given(st.lists(st.integers(0, 12), min_size=1, max_size=30), st.integers(2, 4))
async def test_each_text_gets_its_own_vector_whichever_way_it_ran(
    words: list[int], lanes: int
) -> None:
    wide, narrow = FakeModel(), Narrow()
    texts = [f"text {number} " + "more " * count for number, count in enumerate(words)]
    async with running(wide, narrow, lanes=lanes, batch_tokens=32) as engine:
        answers = await asyncio.gather(*(engine.embed([text]) for text in texts))
        alone = [await engine.embed([text]) for text in texts]
        assert engine.queued_tokens == 0
    for answer, single in zip(answers, alone, strict=True):
        np.testing.assert_allclose(answer.vectors[0], single.vectors[0], atol=1e-6)
    assert sorted(wide.texts + narrow.texts) == sorted(
        [token_of(word) for word in text.split()] for text in texts * 2
    )


async def test_who_waits_for_an_answer_is_next_when_any_lane_is_free() -> None:
    wide, narrow = FakeModel(), Narrow()
    async with running(wide, narrow, batch_tokens=32, queue_tokens=4000) as engine:
        narrow.gate = threading.Event()
        bulk = ask(engine, "bulk", 150, priority="bulk")
        await until(lambda: len(narrow.runs) == 2 and engine.queued_texts > 100)
        [urgent] = ask(engine, "urgent", 1)
        await asyncio.sleep(0.02)
        assert len(narrow.runs) == 2
        narrow.gate.set()
        await asyncio.gather(urgent, *bulk)
    place = next(n for n, run in enumerate(narrow.runs) if token_of("urgent") in run.ids)
    assert place == 2, "the two runs that had begun, then this"


async def test_cancelled_texts_are_never_run_on_any_lane() -> None:
    wide, narrow = FakeModel(), Narrow()
    async with running(wide, narrow, batch_tokens=8) as engine:
        narrow.gate = threading.Event()
        asked = ask(engine, "kept", 6)
        await until(lambda: len(narrow.runs) == 2)
        left = ask(engine, "abandoned", 3)
        await asyncio.sleep(0.01)
        for task in left:
            task.cancel()
        narrow.gate.set()
        await asyncio.gather(*asked, *left, return_exceptions=True)
        assert all(task.exception() is None for task in asked)
        await engine.embed(["last"])
        assert engine.queued_tokens == 0
    assert all(token_of("abandoned") not in text for text in wide.texts + narrow.texts)


async def test_when_one_lane_dies_all_that_wait_know_at_once_and_nothing_more_is_run() -> None:
    wide, narrow = FakeModel(), Narrow()
    async with running(wide, narrow, batch_tokens=8) as engine:
        narrow.gate = threading.Event()
        waiting = ask(engine, "text", 30)
        await until(lambda: len(narrow.runs) == 2)
        narrow.fault = MemoryError("no memory")
        narrow.gate.set()
        async with asyncio.timeout(2):
            results = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(result) for result in results} == {BrokenError}
        assert not engine.ready
        assert "no memory" in str(engine.failure)
    assert len(narrow.runs) == 2


async def test_closing_waits_for_what_runs_and_ends_every_thread() -> None:
    wide, narrow = FakeModel(), Narrow()
    async with running(wide, narrow, lanes=3, batch_tokens=8) as engine:
        narrow.gate = threading.Event()
        waiting = ask(engine, "text", 20)
        await until(lambda: len(narrow.runs) == 3)
        closing = asyncio.create_task(engine.close())
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(result) for result in results} == {ClosedError}
        assert not closing.done()
        narrow.gate.set()
        await closing
    # Idents are given again, to threads of other kinds too.
    left = [each for each in threading.enumerate() if each.name.startswith("embedder-model")]
    assert not [each for each in left if each.ident in narrow.threads]
    assert len(narrow.runs) == 3


async def test_every_width_is_run_on_all_lanes_at_a_time_before_it_is_ready() -> None:
    wide, narrow = FakeModel(), Narrow()
    loaded = Loaded(spec=SPEC, backend=wide, threads=2, lanes=Lanes(count=2, backend=narrow))
    engine = Engine(EngineOptions(batch_tokens=32), load=lambda _: loaded)
    await engine.start()
    shapes = [run.ids.shape for run in narrow.runs]
    assert {(4, 8), (2, 16)} <= set(shapes)
    assert all(shapes.count(shape) == 2 for shape in shapes)
    await engine.close()


async def test_a_cross_encoder_runs_beside_itself_too() -> None:
    wide, narrow, scorer, narrow_scorer = FakeModel(), Narrow(), Scorer(), Scorer()
    lanes = Lanes(count=2, backend=narrow, scorer=narrow_scorer)
    loaded = Loaded(
        spec=SPEC, backend=wide, threads=2, scorer=scorer, scorer_spec=SPEC, lanes=lanes
    )
    engine = Engine(EngineOptions(batch_tokens=16), load=lambda _: loaded)
    await engine.start()
    scorer.count = narrow_scorer.count = 0
    scores = await engine.rerank("a b", ["a b", *[f"c {number}" for number in range(30)]])
    assert scores[0] > max(scores[1:])
    assert narrow_scorer.count > scorer.count
    await engine.close()


def test_a_model_that_divides_has_a_lane_for_each_cpu() -> None:
    lanes = lanes_of(Divisible(), count=4)
    assert lanes is not None
    assert (lanes.count, type(lanes.backend), lanes.scorer) == (4, Narrow, None)
    both = lanes_of(Divisible(), Divisible(), count=2)
    assert both is not None
    assert isinstance(both.scorer, Narrow)


@pytest.mark.parametrize("why", ["one cpu", "cuda", "too large", "undivided", "its scorer"])
def test_batches_run_one_after_the_other_where_a_second_model_does_not_pay(why: str) -> None:
    model: FakeModel = Divisible()
    scorer = FakeModel() if why == "its scorer" else None
    if why == "cuda":
        model.provider = "cuda"
    if why == "too large":
        model.weight_bytes = MOST_BYTES_TWICE + 1  # type: ignore[attr-defined]
    if why == "undivided":
        model = FakeModel()
    assert lanes_of(model, scorer, count=1 if why == "one cpu" else 2) is None


class Session:
    """Notes how it was opened."""

    opened: ClassVar[list[tuple[str, int, list[str]]]] = []

    def __init__(self, path: str, *, sess_options: Any, providers: list[str]) -> None:
        self.opened.append((path, sess_options.intra_op_num_threads, providers))

    def get_inputs(self) -> list[Any]:
        return []

    get_outputs = get_inputs


class Vocabulary:
    def token_to_id(self, _: str) -> int:
        return 7


def test_an_onnx_model_divides_into_a_session_of_one_thread_over_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, size in {"model.onnx": 10, "model.onnx_data": 1000, "tokenizer.json": 5}.items():
        (tmp_path / name).write_bytes(bytes(size))
    path = tmp_path / "model.onnx"
    monkeypatch.setattr("onnxruntime.InferenceSession", Session)
    monkeypatch.setattr(Session, "opened", [])
    how: Any = {"path": path, "tokenizer": Vocabulary(), "provider": "cpu", "max_tokens": 16}
    model = OnnxModel(
        session=Session("", sess_options=SimpleNamespace(intra_op_num_threads=0), providers=[]),
        **how,
    )
    assert model.weight_bytes == 1010
    divided = model.divided()
    assert Session.opened[1:] == [(str(path), 1, ["CPUExecutionProvider"])]
    assert (type(divided), divided.pad_id) == (OnnxModel, 7)


async def test_a_model_that_cannot_be_loaded_again_is_told() -> None:
    class Once(Divisible):
        def divided(self) -> Narrow:
            raise ModelBrokenError("the file went away")

    with pytest.raises(ModelBrokenError, match="went away"):
        lanes_of(Once(), count=2)
