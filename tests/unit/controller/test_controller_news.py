"""However cheap a change is made: nothing that a Pod says anew is passed over."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.objects import NOW
from support.pods import condition, container, event, pod, running, terminated, waiting
from support.recording import Working

from kausa.cluster.objects import Marks, Pod
from kausa.controller.found import Found, merge
from kausa.controller.scope import Scope
from kausa.detection.symptom import Symptom
from kausa.resources.category import Category

UNREADY = condition("Ready", "False", "ContainersNotReady")


def crashing(*, restarts: int = 4, message: str = "no such table", code: int = 3) -> Pod:
    """A Pod in a crash loop, as its status shows it at one moment."""
    ended = terminated(code, message=message)
    status = container(waiting("CrashLoopBackOff"), last=ended, restarts=restarts)
    return pod(status, uid="u", conditions=(UNREADY,))


def judging(*, scope: Scope | None = None) -> Working:
    return Working(scope=scope or Scope(), clock=lambda: NOW)


def shown(working: Working) -> Symptom:
    (symptom,) = working.sightings.failing["u"].now
    return symptom


async def test_a_restart_is_news_though_nothing_else_has_changed() -> None:
    working = judging()
    working.judge.pod(crashing(restarts=4))
    await working.queued()
    working.judge.pod(crashing(restarts=5))
    (found,) = await working.queued()
    assert [each.occurrences for each in found.symptoms] == [6]
    assert shown(working).occurrences == 6


async def test_another_message_and_another_exit_code_are_news() -> None:
    working = judging()
    working.judge.pod(crashing())
    working.judge.pod(crashing(message="connection refused"))
    assert shown(working).message == "connection refused"
    working.judge.pod(crashing(code=4))
    assert shown(working).exit_code == 4
    (found,) = await working.queued()
    assert [each.detail for each in found.symptoms] == ["exit 3", "exit 4"]


@pytest.mark.parametrize("value", ["false", "disabled"])
@pytest.mark.parametrize("mark", ["labels", "annotations"])
async def test_a_mark_that_leaves_a_pod_out_is_seen_on_a_failing_one(mark: str, value: str) -> None:
    working = judging()
    working.judge.pod(crashing())
    marked = replace(crashing().metadata, **{mark: Marks(diagnose=value)})
    working.judge.pod(replace(crashing(), metadata=marked))
    assert working.sightings.failing == {}
    assert await working.queued() == []


async def test_a_question_is_seen_on_a_pod_that_fails_as_before() -> None:
    working = judging()
    working.judge.pod(crashing())
    asking = replace(crashing().metadata, annotations=Marks(diagnose="why?"))
    working.judge.pod(replace(crashing(), metadata=asking))
    (found,) = await working.queued()
    assert found.marked == "why?"


async def test_a_pod_that_works_again_is_seen_with_all_that_it_showed_before() -> None:
    working = judging()
    working.judge.pod(crashing())
    well = container(running(), last=terminated(3), restarts=4, ready=True)
    working.judge.pod(pod(well, uid="u", conditions=(condition("Ready", "True"),)))
    assert working.sightings.failing == {}
    (found,) = await working.queued()
    assert [each.reason_class for each in found.symptoms] == ["CrashLoop"]


async def test_an_event_that_only_counts_further_is_news_for_its_failing_pod() -> None:
    working = judging()
    pulls = pod(container(waiting("ImagePullBackOff")), uid="u", phase="Pending")
    working.judge.pod(pulls)
    for count in (7, 8):
        working.judge.event(event("Failed", "Failed to pull image", uid="u", count=count))
        assert shown(working).occurrences == count


async def test_a_namespace_that_is_left_out_later_is_left_out() -> None:
    scope = Scope()
    working = judging(scope=scope)
    working.judge.pod(crashing())
    scope.label(crashing().metadata.namespace, "false")
    working.judge.pod(crashing(restarts=5))
    assert working.sightings.failing == {}


# -- what one object showed, in one ----------------------------------------------------------------

SYMPTOMS = st.builds(
    lambda reason_class, container, detail, message: Symptom(
        category=Category.OTHER,
        reason="Any",
        reason_class=reason_class,
        container=container,
        detail=detail,
        message=message,
    ),
    st.sampled_from("AB"),
    st.sampled_from([None, "a", "b"]),
    st.sampled_from(["", "exit 1"]),
    st.sampled_from(["one", "two"]),
)
STATES = st.lists(SYMPTOMS, max_size=3, unique_by=lambda each: identity(each)).map(tuple)


def identity(symptom: Symptom) -> tuple[str, str | None, str]:
    return symptom.reason_class, symptom.container, symptom.detail


@given(st.lists(STATES, min_size=1, max_size=5))
def test_all_that_was_shown_is_kept_once_and_in_its_last_words(
    states: Sequence[tuple[Symptom, ...]],
) -> None:
    found, *others = (
        Found(object=crashing(restarts=number), symptoms=each, now=each, read_at=float(number))
        for number, each in enumerate(states)
    )
    for other in others:
        found = merge(found, other)
    last_words = {identity(symptom): symptom for state in states for symptom in state}
    assert {identity(each): each for each in found.symptoms} == last_words
    assert len(found.symptoms) == len(last_words)
    assert (found.now, found.read_at) == (states[-1], 0.0)
    assert found.object == crashing(restarts=len(states) - 1)
