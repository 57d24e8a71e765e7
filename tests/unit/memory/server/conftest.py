"""What the tests of the server backend share: their event loop, and how much a store makes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from kausa.memory.schema import INDEXED_FIELDS

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, LoopFactory]:
    """A module's own `EVENT_LOOP`, or the usual one; one for each test, so that none runs twice."""
    module = getattr(item, "module", None)
    return {"loop": getattr(module, "EVENT_LOOP", asyncio.new_event_loop)}


@pytest.fixture(autouse=True)
def few_indexes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening over HTTP takes most of a test's time; the contract's own runs make them all."""
    few = tuple(each for each in INDEXED_FIELDS if each.name in ("cluster", "reward_count"))
    monkeypatch.setattr("kausa.memory.server.layout.INDEXED_FIELDS", few)
