"""Which Pods are remembered for an Event that may still come."""

from __future__ import annotations

from typing import Any

import pytest
from support.pods import at, condition, container, note, pod, running, terminated

from kausa.cluster.objects import Pod
from kausa.detection.surroundings import NOWHERE, Surroundings
from kausa.detection.unheard import AGAIN, remembered_until

NOW = at(7200)
READY = condition("Ready", "True")
UNREADY = condition("Ready", "False")


def killed(seconds_ago: float, *, code: int = 137, restarts: int = 1) -> dict[str, Any]:
    """A container that runs again after such an end."""
    ended = terminated(code, seconds=7200 - seconds_ago)
    return container(running(7200 - seconds_ago), ready=True, last=ended, restarts=restarts)


def remembered(found: Pod, around: Surroundings = NOWHERE) -> bool:
    until = remembered_until(found, around=around, now=NOW)
    assert until in (None, NOW + AGAIN)
    return until is not None


@pytest.mark.parametrize(
    "found",
    [
        pod(container(running()), conditions=(UNREADY,)),
        pod(container(running()), phase="Pending"),
        pod(killed(60), conditions=(READY,)),
        pod(container(running(), ready=True), init=(killed(60, code=143),), conditions=(READY,)),
    ],
    ids=["not ready", "without a word", "killed just now", "its sidecar killed just now"],
)
def test_a_pod_of_which_an_event_may_still_tell_is_remembered(found: Pod) -> None:
    assert remembered(found)


@pytest.mark.parametrize(
    "found",
    [
        pod(container(running(), ready=True), conditions=(READY,)),
        pod(killed(60, code=1), conditions=(READY,)),
        pod(killed(2 * 3600), conditions=(READY,)),
        pod(killed(60, restarts=0), conditions=(READY,)),
        pod(container(running()), phase="Failed", conditions=(UNREADY,)),
        pod(container(running()), phase="Succeeded", conditions=(UNREADY,)),
        pod(phase="Pending", node=""),
    ],
    ids=[
        "ready", "crashed by itself", "killed long ago", "never restarted", "failed", "done",
        "without a node",
    ],
)  # fmt: skip
def test_a_pod_that_no_event_can_change_is_not(found: Pod) -> None:
    assert not remembered(found)


def test_an_old_end_is_remembered_as_long_as_events_that_may_be_repeated_are_known() -> None:
    around = Surroundings(notes=(note("Unhealthy", "Liveness probe failed: x", container="api"),))
    assert remembered(pod(killed(2 * 3600), conditions=(READY,)), around)
    assert not remembered(pod(container(running(), ready=True), conditions=(READY,)), around)
