"""Which event loop the tests of a module run in: its own `EVENT_LOOP`, or the usual one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, LoopFactory]:
    """One kind of loop for each test, so that none runs twice."""
    module = getattr(item, "module", None)
    return {"loop": getattr(module, "EVENT_LOOP", asyncio.new_event_loop)}
