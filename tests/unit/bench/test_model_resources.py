"""What the bench of the model's queue takes from the wire, also after its watch was cut."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bench.model.resources import Resources


def stamp(*, seconds_ago: float) -> str:
    moment = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def line(*, ago: float, gathered: str = "Unknown", turned: float = 0.0) -> bytes:
    condition: dict[str, Any] = {
        "type": "EvidenceGathered",
        "status": gathered,
        "reason": "Gathering",
        "lastTransitionTime": stamp(seconds_ago=turned),
    }
    metadata = {"namespace": "storm-1", "creationTimestamp": stamp(seconds_ago=ago)}
    spec = {"target": {"name": "app-1"}}
    document = {"metadata": metadata, "spec": spec, "status": {"conditions": [condition]}}
    return json.dumps({"object": document}).encode()


def test_what_comes_at_once_counts_as_it_came() -> None:
    found = Resources(prefix="storm")
    came = time.monotonic() - 0.5
    found.line(came, line(ago=0.0, gathered="True"))
    assert found.created == found.gathered == {"app-1": came}


def test_what_comes_long_after_it_was_made_counts_by_its_own_stamp() -> None:
    found = Resources(prefix="storm")
    now = time.monotonic()
    found.line(now, line(ago=90.0, gathered="True", turned=60.0))
    assert now - found.created["app-1"] == pytest.approx(89.5, abs=1.0)
    # The stamp of a condition is that of the look's beginning, which may be a minute earlier.
    assert found.gathered == {"app-1": now}


def test_what_was_not_gathered_yet_is_not_counted() -> None:
    found = Resources(prefix="storm")
    found.line(time.monotonic(), line(ago=0.0))
    assert found.gathered == {}


def test_other_namespaces_are_left_out() -> None:
    found = Resources(prefix="elsewhere")
    found.line(time.monotonic(), line(ago=0.0))
    assert not found.created
