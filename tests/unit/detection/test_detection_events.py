"""What Warning Events add: how often something was tried."""

from __future__ import annotations

from typing import Any

import pytest
from support.pods import event

from kausa.detection.events import detect_repeat


@pytest.mark.parametrize(
    ("reason", "message", "reason_class"),
    [
        ("Failed", 'Failed to pull image "x": not found', "ImagePull"),
        ("InspectFailed", "Failed to apply default image tag", "ImagePull"),
        ("Failed", 'Error: configmap "cm" not found', "ConfigError"),
        ("FailedScheduling", "0/1 nodes are available", "Unschedulable"),
    ],
)
def test_an_attempt_that_failed_is_counted_for_its_failure(
    reason: str, message: str, reason_class: str
) -> None:
    repeat = detect_repeat(event(reason, message, count=7))
    assert repeat is not None
    assert (repeat.reason_class, repeat.container, repeat.count) == (reason_class, "api", 7)


@pytest.mark.parametrize(
    "other",
    [
        {"reason": "BackOff", "message": "Back-off restarting failed container"},
        {"reason": "Failed", "message": "Error: ImagePullBackOff"},
        {"reason": "Failed", "message": "Failed to pull image", "type_": "Normal"},
        {"reason": "FailedScheduling", "message": "", "kind": "ReplicaSet"},
        {"reason": "FailedScheduling", "message": "", "uid": ""},
    ],
)
def test_other_events_are_no_repeats(other: dict[str, Any]) -> None:
    assert detect_repeat(event(**other)) is None


def test_an_init_containers_name_is_read_from_the_field_path() -> None:
    repeat = detect_repeat(
        event("Failed", "Failed to pull image", field_path="spec.initContainers{migrate}")
    )
    assert repeat is not None
    assert repeat.container == "migrate"


def test_the_newer_series_counts_where_the_older_count_is_missing() -> None:
    repeat = detect_repeat(
        event(
            "FailedScheduling",
            "0/1 nodes are available",
            count=None,
            field_path="",
            series={"count": 4, "lastObservedTime": "2026-01-02T03:09:05.000000Z"},
        )
    )
    assert repeat is not None
    assert (repeat.count, repeat.container) == (4, None)
    assert repeat.last_seen is not None
    assert repeat.last_seen.minute == 9
