"""Pods that run well and cannot have what they ask for now."""

from __future__ import annotations

from typing import Any

import pytest
from support.pods import at, condition, container, pod, running

from kausa.detection.pods import detect_pod
from kausa.detection.verdict import HEALTHY
from kausa.resources.category import Category

TOO_MUCH = "Node didn't have enough capacity: cpu, requested: 64000, capacity: 4000"
READY = condition("Ready", "True")


def resized(type_: str, reason: str, *, status: str = "True", first: bool = False) -> Any:
    change = condition(type_, status, reason, TOO_MUCH, seconds=100)
    return pod(
        container(running(), ready=True), conditions=(change, READY) if first else (READY, change)
    )


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    ("type_", "reason", "category"),
    [
        ("PodResizePending", "Infeasible", Category.SCHEDULING),
        ("PodResizeInProgress", "Error", Category.OTHER),
    ],
)
def test_a_ready_pod_that_cannot_be_resized_is_a_failure_after_a_minute(
    type_: str, reason: str, category: Category, first: bool
) -> None:
    found = resized(type_, reason, first=first)
    assert detect_pod(found, now=at(159)).look_again_at == at(160)
    (symptom,) = detect_pod(found, now=at(160)).symptoms
    assert (symptom.category, symptom.reason, symptom.detail) == (category, type_, reason)
    assert (symptom.message, symptom.since, symptom.container) == (TOO_MUCH, at(100), None)


@pytest.mark.parametrize(
    ("type_", "reason", "status"),
    [
        ("PodResizePending", "Deferred", "True"),
        ("PodResizeInProgress", "", "True"),
        ("PodResizePending", "Infeasible", "False"),
    ],
)
def test_a_resize_that_waits_for_room_or_goes_on_is_no_failure(
    type_: str, reason: str, status: str
) -> None:
    assert detect_pod(resized(type_, reason, status=status), now=at(7200)) == HEALTHY


def test_of_a_pod_that_fails_otherwise_its_resize_is_not_told() -> None:
    crashed = container({"waiting": {"reason": "ImagePullBackOff", "message": "no"}})
    found = pod(
        crashed, conditions=(condition("PodResizePending", "True", "Infeasible", TOO_MUCH),)
    )
    assert [each.container for each in detect_pod(found, now=at(3600)).symptoms] == ["api"]
