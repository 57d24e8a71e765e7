"""What the memory's unit tests share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from kausa.memory.records import FailureRecord

RECORD = FailureRecord(
    cluster="test",
    namespace="shop",
    owner_kind="Deployment",
    owner_name="checkout",
    container="api",
    category="OOMKilled",
    reason="OOMKilled",
    fingerprint="4f1c2a",
    exit_code=137,
    image="registry/checkout:3",
    node="node-1",
    first_seen=datetime(2026, 3, 1, 12, tzinfo=UTC),
    last_seen=datetime(2026, 3, 1, 12, 5, tzinfo=UTC),
    occurrences=14,
    cause="container api reached its memory limit of 256Mi",
    reference="shop/checkout-oomkilled-4f1c2a",
    text="Killed process 4121 (java)",
)


@pytest.fixture
def record() -> Callable[..., FailureRecord]:
    """Make a record; keywords replace what a plain one says."""

    def make(**changes: Any) -> FailureRecord:
        return replace(RECORD, **changes)

    return make
