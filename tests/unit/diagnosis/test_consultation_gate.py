"""While no model can be asked nobody asks, and it is noticed when one can be asked again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support.virtual_time import VirtualTimeLoop

from kausa.diagnosis.consultation_gate import LONGEST_PAUSE_SECONDS, Gate
from kausa.diagnosis.errors import ModelError, ModelUnavailable
from kausa.diagnosis.model.budget import ModelBudgetSpent

EVENT_LOOP = VirtualTimeLoop


class Probe:
    """Raises what it is told to."""

    def __init__(self) -> None:
        self.error: ModelError | None = None
        self.at: list[float] = []

    async def __call__(self) -> None:
        self.at.append(asyncio.get_running_loop().time())
        if self.error is not None:
            raise self.error


@contextmanager
def running(gate: Gate) -> Iterator[None]:
    task = asyncio.ensure_future(gate.run())
    try:
        yield
    finally:
        task.cancel()


@pytest.fixture
def probe() -> Probe:
    return Probe()


@pytest.fixture
def gate(probe: Probe) -> Gate:
    return Gate(probe=probe, uniform=lambda _, high: high)


async def test_at_the_start_the_model_is_tried(gate: Gate, probe: Probe) -> None:
    probe.error = ModelUnavailable("away")
    with running(gate):
        await asyncio.sleep(0.1)
        assert gate.why == ("Unavailable", "away")
        assert not gate.admits()


async def test_it_opens_soon_after_the_model_is_back(gate: Gate, probe: Probe) -> None:
    probe.error = ModelUnavailable("away")
    with running(gate):
        await asyncio.sleep(1000)
        pauses = [after - before for before, after in zip(probe.at, probe.at[1:], strict=False)]
        assert max(pauses) <= LONGEST_PAUSE_SECONDS + 0.1
        assert len(probe.at) < 50
        probe.error = None
        opened = asyncio.Event()
        gate.on_open = opened.set
        async with asyncio.timeout(LONGEST_PAUSE_SECONDS + 0.1):
            await opened.wait()
        assert gate.admits()
        assert gate.why is None


async def test_after_that_one_question_is_the_trial_for_all(gate: Gate, probe: Probe) -> None:
    with running(gate):
        await asyncio.sleep(0)
        gate.shut(ModelUnavailable("away"))
        await asyncio.sleep(60)
        assert gate.admits()
        gate.handed_out()
        assert not gate.admits()
        gate.returned()
        assert gate.admits()
        gate.proved()
        gate.handed_out()
        assert gate.admits()


async def test_a_spent_budget_is_not_tried_before_there_is_some(gate: Gate, probe: Probe) -> None:
    with running(gate):
        await asyncio.sleep(0)
        tried = len(probe.at)
        gate.shut(ModelBudgetSpent("spent", retry_after_seconds=1800))
        await asyncio.sleep(1790)
        assert len(probe.at) == tried
        assert gate.why == ("BudgetSpent", "spent")
        await asyncio.sleep(20)
        assert gate.admits()


async def test_tokens_that_are_given_back_are_seen_soon(gate: Gate, probe: Probe) -> None:
    with running(gate):
        await asyncio.sleep(0)
        gate.handed_out()
        gate.shut(ModelBudgetSpent("spent", retry_after_seconds=3000))
        await asyncio.sleep(10)
        gate.returned()
        assert gate.admits()


async def test_a_defect_of_ours_shuts_it_and_does_not_end_the_operator(
    gate: Gate, probe: Probe
) -> None:
    async def broken() -> None:
        raise ValueError("nobody thought of it")

    gate._probe = broken
    with running(gate):
        await asyncio.sleep(1)
        assert gate.why is not None
        assert gate.why[0] == "Unavailable"
        gate._probe = probe
        await asyncio.sleep(LONGEST_PAUSE_SECONDS)
        assert gate.admits()


async def test_what_becomes_of_it_is_news(gate: Gate, probe: Probe) -> None:
    told: list[tuple[str, str] | None] = []
    gate.on_news = lambda: told.append(gate.why)
    with running(gate):
        await asyncio.sleep(0)
        gate.shut(ModelUnavailable("away"))
        gate.shut(ModelBudgetSpent("spent"))
        await asyncio.sleep(60)
    assert told == [None, ("Unavailable", "away"), ("BudgetSpent", "spent"), None]
