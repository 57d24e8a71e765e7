"""What the memory's unit tests share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from support.records import RECORD

from kausa.memory.records import FailureRecord


@pytest.fixture
def record() -> Callable[..., FailureRecord]:
    """Make a record; keywords replace what a plain one says."""

    def make(**changes: Any) -> FailureRecord:
        return replace(RECORD, **changes)

    return make
