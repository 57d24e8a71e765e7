"""Programs that answer the kubelet's kill with an exit code of their own, and those that crash."""

from __future__ import annotations

from typing import Any

import pytest
from support.pods import at, condition, container, note, pod, running, terminated, waiting

from kausa.detection.pods import detect_pod
from kausa.detection.surroundings import Note, Surroundings
from kausa.detection.symptom import Symptom
from kausa.resources.category import Category

PROBE = {"initialDelaySeconds": 5, "periodSeconds": 10, "failureThreshold": 3}
SAID = "Liveness probe failed: HTTP probe failed with statuscode: 500"


def complaint(*, count: int = 3, first: float = -25, last: float = -3) -> Note:
    return note("Unhealthy", SAID, container="api", count=count, first=first, last=last)


def seen(
    *said: Note,
    code: int = 1,
    reason: str = "Error",
    restarts: int = 1,
    lasted: float = 30,
    runs: bool = False,
    probes: tuple[str, ...] = ("liveness",),
    **probe: Any,
) -> tuple[Symptom, ...]:
    """What is shown of a container that ended just before, after it had run for so long."""
    asked = {"name": "api", **{f"{each}Probe": {**PROBE, **probe} for each in probes}}
    end = terminated(code, reason, lasted=lasted)
    found = pod(
        container(running(1) if runs else waiting("CrashLoopBackOff"), last=end, restarts=restarts),
        conditions=(condition("Ready", "False", "ContainersNotReady"),),
        spec={"containers": [asked]},
    )
    return detect_pod(found, around=Surroundings(notes=said), now=at(10)).symptoms


@pytest.mark.parametrize("code", [1, 2, 127])
def test_a_program_that_ends_as_it_likes_when_its_probe_kills_it_was_killed_by_the_probe(
    code: int,
) -> None:
    (symptom,) = seen(complaint(), code=code)
    assert (symptom.category, symptom.message) == (Category.PROBE, SAID)


def test_it_stays_the_same_failure_when_events_come_too_rarely_to_tell() -> None:
    (sure,), (unsure,) = seen(complaint()), seen(complaint(last=-60))
    assert (sure.category, unsure.category) == (Category.PROBE, Category.CRASH_LOOP)
    assert (sure.reason, sure.reason_class, sure.detail, sure.occurrences) == (
        unsure.reason,
        unsure.reason_class,
        unsure.detail,
        unsure.occurrences,
    )


def test_every_life_must_have_ended_so_on_average() -> None:
    """Waiting for its database it fails its probe twice, and gives up: nobody killed it."""
    killed = complaint(count=30, first=-900)
    assert [each.category for each in seen(killed, restarts=9)] == [Category.PROBE]
    assert [each.category for each in seen(killed, restarts=10)] == [Category.CRASH_LOOP]
    gave_up = complaint(count=20, first=-900)
    assert [each.category for each in seen(gave_up, restarts=9)] == [Category.CRASH_LOOP]
    again = seen(killed, restarts=10, runs=True)
    assert [each.category for each in again] == [Category.PROBE]


@pytest.mark.parametrize(
    "crash",
    [
        {"code": 139},
        {"code": 134},
        {"code": 255},
        {"reason": "OOMKilled"},
        {"said": complaint(count=2)},
        {"said": complaint(last=-41)},
        {"said": complaint(last=6)},
        {"lasted": 20.0},
        {"probes": ("readiness",)},
        {"probes": ()},
        {"failureThreshold": 4},
        {"lasted": 3600.0, "said": complaint(first=-3000)},
        {"lasted": 3600.0, "said": complaint(count=30, first=-4000)},
    ],
    ids=[
        *("segmentation fault", "abort", "unknown", "out of memory", "two failures"),
        *("it was well before it ended", "of a later life", "too short a life", "no such probe"),
        *("no probe at all", "it may fail more often", "not in a row", "not in a row for long"),
    ],
)
def test_what_may_be_a_crash_is_called_one_though_a_probe_failed(crash: dict[str, Any]) -> None:
    told = {"said": complaint(), **crash}
    (symptom,) = seen(told.pop("said"), **told)
    assert symptom.category is not Category.PROBE
