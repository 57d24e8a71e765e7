"""Pods and Events come over two streams: whichever is the first, the same is found."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.pods import at, condition, container, event, pod, running, terminated, waiting
from support.recording import Working

from kausa.cluster.objects import Event, Pod
from kausa.detection.symptom import Symptom

NO_NETWORK = "failed to set up sandbox: plugin type=flannel failed"
KILLED = container(running(400), last=terminated(137, seconds=398, lasted=390), restarts=1)
LIVENESS: dict[str, Any] = {
    "containers": [
        {"name": "api", "livenessProbe": {"periodSeconds": 10, "failureThreshold": 3}},
    ]
}


class Judging(Working):
    """With a clock that is set by hand."""

    def __init__(self, seconds: float = 420) -> None:
        self.now = at(seconds)
        super().__init__(clock=lambda: self.now)

    def shown(self) -> tuple[Symptom, ...]:
        """What the Pod shows now."""
        found = self.sightings.failing.get("u")
        return found.now if found is not None else ()

    def take(self, change: Pod | Event) -> None:
        """One change of either stream."""
        if isinstance(change, Pod):
            self.judge.pod(change)
        else:
            self.judge.event(change)


def said(
    reason: str, message: str, *, count: int = 1, first: float = 0, last: float | None = None
) -> Event:
    """An Event about the Pod, first and last seen then."""
    path = "spec.containers{api}" if reason == "Unhealthy" else ""
    found = event(reason, message, uid="u", count=count, field_path=path)
    return replace(
        found, first_timestamp=at(first), last_timestamp=at(first if last is None else last)
    )


def placed(status: dict[str, Any], **given: Any) -> Pod:
    """A Pod on a node, whose condition Ready says what its container is."""
    conditions = given.pop("conditions", ())
    ready = condition("Ready", "True" if status["ready"] else "False")
    return pod(status, uid="u", conditions=(ready, *conditions), **given)


REBOOTED = placed(
    container(terminated(255, seconds=-50)),
    conditions=(condition("PodReadyToStartContainers", "False"),),
)
"""Its node was started anew: the container has ended, and its sandbox is gone."""
RUNS_AGAIN = placed({**KILLED, "ready": True}, spec=LIVENESS)
"""Its container was killed a moment ago, and is ready again."""
UNREADY = placed(container(running()))
"""It is not ready, and has no probe that could say why."""
WELL = placed(container(running(), ready=True))
CASES: dict[str, tuple[Pod, Event]] = {
    "after its node was started anew": (
        REBOOTED,
        said("FailedCreatePodSandBox", NO_NETWORK, count=20, last=400),
    ),
    "killed by its probe and running": (
        RUNS_AGAIN,
        said("Unhealthy", "Liveness probe failed: timeout", count=3, first=370, last=395),
    ),
    "not ready": (UNREADY, said("Unhealthy", "Readiness probe failed: timeout", last=400)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("pod_first", [True, False])
async def test_a_pod_that_only_an_event_says_to_fail_is_found_whichever_came_first(
    case: str, pod_first: bool
) -> None:
    found, warning = CASES[case]
    judging = Judging()
    for change in (found, warning) if pod_first else (warning, found):
        judging.take(change)
    (symptom,) = judging.shown()
    assert symptom.reason == warning.reason
    assert [each.shown_by.uid for each in await judging.queued()] == ["u"]


async def test_no_pod_is_remembered_that_does_well_whatever_is_said_of_it() -> None:
    judging = Judging()
    judging.judge.pod(WELL)
    assert len(judging.judge.rechecks) == 0
    judging.judge.event(said("Unhealthy", "Readiness probe failed: timeout"))
    assert judging.shown() == ()
    assert len(judging.judge.rechecks) == 0
    assert await judging.queued() == []


async def test_what_is_remembered_for_its_events_is_forgotten_when_it_does_well_or_goes() -> None:
    judging = Judging()
    judging.judge.pod(UNREADY)
    assert len(judging.judge.rechecks) == 1
    judging.judge.pod(WELL)
    assert len(judging.judge.rechecks) == 0
    judging.judge.pod(UNREADY)
    judging.judge.gone("u")
    assert len(judging.judge.rechecks) == 0


async def test_an_end_long_ago_is_not_remembered_for_events_that_cannot_come_any_more() -> None:
    judging = Judging()
    judging.judge.pod(RUNS_AGAIN)
    assert len(judging.judge.rechecks) == 1
    for _ in range(12):
        judging.now += timedelta(minutes=10)
        judging.judge.due()
    assert len(judging.judge.rechecks) == 0


# -- any order -----------------------------------------------------------------------------------

_seconds = st.sampled_from([0.0, 60.0, 300.0, 395.0, 400.0])
_ends = st.builds(
    terminated,
    st.sampled_from([0, 1, 137, 143, 255]),
    st.sampled_from(["Error", "Completed", "OOMKilled"]),
    seconds=_seconds,
    lasted=st.sampled_from([1.0, 200.0]),
)
_states = st.one_of(
    st.builds(running, _seconds),
    _ends,
    st.builds(waiting, st.sampled_from(["ContainerCreating", "CrashLoopBackOff", "PodIsOdd"])),
)


@st.composite
def _pods(draw: st.DrawFn) -> Pod:
    """A Pod in a state that a kubelet might write."""
    state = draw(_states)
    status = container(
        state,
        ready="running" in state and draw(st.booleans()),
        last=draw(st.none() | _ends),
        restarts=draw(st.integers(0, 2)),
    )
    to_start = draw(st.sampled_from(["", "True", "False"]))
    if "running" in state:
        to_start = to_start and "True"
    conditions = (condition("PodReadyToStartContainers", to_start, seconds=draw(_seconds)),)
    return placed(
        status,
        phase=draw(st.sampled_from(["Pending", "Running", "Running", "Failed"])),
        conditions=conditions if to_start else (),
        deleting=draw(st.integers(0, 9)) == 0,
        spec=draw(st.sampled_from([None, LIVENESS])),
    )


_warnings = st.builds(
    said,
    st.just("Unhealthy"),
    st.sampled_from(["Liveness probe failed: a", "Readiness probe failed: a"]),
    count=st.integers(1, 9),
    first=_seconds,
) | st.builds(
    said,
    st.sampled_from(["FailedCreatePodSandBox", "FailedMount", "NodeNotReady", "FailedKillPod"]),
    st.sampled_from([NO_NETWORK, 'secret "db" not found']),
    count=st.integers(1, 9),
    first=_seconds,
)


@given(
    data=st.data(),
    pods=st.lists(_pods(), min_size=1, max_size=2),
    events=st.lists(_warnings, min_size=1, max_size=4),
)
def test_however_changes_of_a_pod_and_its_events_interleave_the_same_is_found(
    data: st.DataObject, pods: list[Pod], events: list[Event]
) -> None:
    mixed: list[Pod | Event] = [*data.draw(st.permutations(events))]
    places = data.draw(
        st.lists(st.integers(0, len(events)), min_size=len(pods), max_size=len(pods))
    )
    for number, (place, each) in enumerate(zip(sorted(places), pods, strict=True)):
        mixed.insert(place + number, each)
    orders: list[list[Pod | Event]] = [[*events, *pods], [*pods, *events], mixed]
    judgings = []
    for changes in orders:
        judgings.append(Judging())
        for change in changes:
            judgings[-1].take(change)
    for minutes in (0, 1, 3, 7, 20):
        moment: datetime = at(420) + timedelta(minutes=minutes)
        for judging in judgings:
            judging.now = moment
            judging.judge.due()
        shown = [each.shown() for each in judgings]
        assert shown == [shown[0]] * len(shown)
