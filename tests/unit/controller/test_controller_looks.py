"""A failure is looked at again when its cause may be another, and not otherwise."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from support.recording import HandClock

from kausa.controller.looks import (
    AFTER_CHANGE_SECONDS,
    AFTER_GAP,
    AFTER_NEWS_SECONDS,
    MOST_KEYS,
    Looks,
)
from kausa.detection.symptom import Symptom
from kausa.resources.category import Category

KEY = ("shop", "x")
SYMPTOM = Symptom(
    category=Category.SCHEDULING,
    reason="FailedScheduling",
    reason_class="Unschedulable",
    detail="",
    message="0/3 nodes are available: 3 Insufficient cpu.",
)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def looks(clock: HandClock) -> Looks:
    return Looks(refresh_seconds=600, clock=clock)


def test_repeats_that_say_the_same_are_not_looked_at_again_for_a_while(
    looks: Looks, clock: HandClock
) -> None:
    for clock.now in range(0, 599, 10):
        looks.seen(KEY, SYMPTOM)
    assert looks.due() == ()
    clock.now = 600
    looks.seen(KEY, SYMPTOM)
    assert looks.due() == (KEY,)
    looks.looked(KEY, missing=False)
    assert looks.due() == ()


def test_another_message_is_looked_at_soon_and_other_numbers_are_not(
    looks: Looks, clock: HandClock
) -> None:
    looks.seen(KEY, SYMPTOM)
    looks.seen(
        KEY, structs.replace(SYMPTOM, message="0/4 nodes are available: 4 Insufficient cpu.")
    )
    clock.now = AFTER_CHANGE_SECONDS
    assert looks.due() == ()
    looks.seen(
        KEY, structs.replace(SYMPTOM, message="0/3 nodes are available: 3 had untolerated taint.")
    )
    assert looks.due() == (KEY,)


def test_what_could_not_be_read_is_tried_again_later_each_time(
    looks: Looks, clock: HandClock
) -> None:
    waits = []
    for _ in range(4):
        looks.looked(KEY, missing=True)
        began = clock.now
        while not looks.due():
            clock.now += 1
        waits.append(clock.now - began)
    assert waits[0] == AFTER_GAP.first_seconds
    assert waits == sorted(waits)
    looks.looked(KEY, missing=False)
    clock.now += 100_000
    assert looks.due() == ()


def test_who_waits_for_the_model_in_between_is_still_tried_later_each_time(
    looks: Looks, clock: HandClock
) -> None:
    waits = []
    for _ in range(8):
        looks.looked(KEY, missing=True)
        began = clock.now
        while not looks.due():
            clock.now += 10
        waits.append(clock.now - began)
        # It only gets its place in the queue; the turn that follows comes to nothing again.
        looks.looked(KEY, missing=False, waits=True)
        assert looks.due() == ()
        clock.now += 5
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    looks.looked(KEY, missing=False)
    looks.looked(KEY, missing=True)
    clock.now += 60
    assert looks.due() == (KEY,)


def test_a_resource_that_is_gone_is_not_looked_at(looks: Looks, clock: HandClock) -> None:
    looks.looked(KEY, missing=True)
    looks.forget(KEY)
    clock.now = 10_000
    assert looks.due() == ()


@given(st.integers(MOST_KEYS, MOST_KEYS + 50))
def test_no_more_is_kept_than_the_bound(many: int) -> None:
    looks = Looks(refresh_seconds=600, clock=lambda: 0.0)
    for number in range(MOST_KEYS - 5, many):
        looks.looked(("shop", str(number)), missing=True)
    assert len(looks._looks) <= MOST_KEYS


def test_two_pods_that_say_different_things_in_turn_are_not_looked_at_without_end(
    looks: Looks, clock: HandClock
) -> None:
    count = 0
    other = structs.replace(SYMPTOM, message="0/3 nodes are available: 3 had untolerated taint.")
    for clock.now in range(0, 3600, 5):
        for symptom in (SYMPTOM, other):
            looks.seen(KEY, symptom)
        if looks.due():
            count += 1
            looks.looked(KEY, missing=False)
    assert count <= 7


async def test_a_defect_in_one_look_does_not_end_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kausa.controller.looks.TICK_SECONDS", 0.01)
    looks = Looks(refresh_seconds=600, clock=HandClock())
    seen: list[tuple[str, str]] = []
    for name in ("bad", "good"):
        looks.seen(("shop", name), SYMPTOM)
        looks._keep(("shop", name), replace(looks._looks[("shop", name)], due=0.0))

    async def look(key: tuple[str, str]) -> None:
        seen.append(key)
        if key[1] == "bad":
            raise ValueError("nobody thought of it")

    running = asyncio.ensure_future(looks.run(look))
    async with asyncio.timeout(5):
        while len(seen) < 2:
            await asyncio.sleep(0.01)
    assert not running.done()
    running.cancel()


def test_a_failure_that_says_again_what_it_said_before_is_looked_at_again(
    looks: Looks, clock: HandClock
) -> None:
    other = structs.replace(SYMPTOM, message="0/3 nodes are available: 3 had untolerated taint.")
    looks.seen(KEY, SYMPTOM)
    looks.looked(KEY, missing=False)
    looks.seen(KEY, other)
    clock.now = AFTER_CHANGE_SECONDS
    assert looks.due() == (KEY,)
    looks.looked(KEY, missing=False)
    clock.now += 59.0
    looks.seen(KEY, SYMPTOM)
    assert looks.due() == ()
    clock.now += 2.0
    looks.seen(KEY, SYMPTOM)
    assert looks.due() == (KEY,)


def test_what_memory_can_tell_since_now_is_looked_up_for_all_that_was_diagnosed(
    looks: Looks, clock: HandClock
) -> None:
    for name in ("before", "meanwhile"):
        looks.seen(("shop", name), SYMPTOM)
    looks.looked(("shop", "before"), missing=False)
    clock.now = 30
    looks.all_again()
    # This look began before the news, and ends after it.
    clock.now = 33
    looks.looked(("shop", "meanwhile"), missing=False)
    assert looks.due() == ()
    clock.now = 30 + AFTER_NEWS_SECONDS
    assert set(looks.due()) == {("shop", "before"), ("shop", "meanwhile")}
    for key in looks.due():
        looks.looked(key, missing=False)
    clock.now = 500
    assert looks.due() == ()


def test_who_is_busy_is_looked_at_later(looks: Looks, clock: HandClock) -> None:
    looks.seen(KEY, SYMPTOM)
    looks.later(KEY)
    assert looks.due() == ()
    clock.now = AFTER_GAP.first_seconds
    assert looks.due() == (KEY,)


def test_who_needs_no_look_any_more_is_told_on_and_who_rests_is_not(looks: Looks) -> None:
    told: list[tuple[str, str]] = []
    looks.on_forget = told.append
    looks.seen(KEY, SYMPTOM)
    looks.rest(KEY)
    assert (told, len(looks)) == ([], 0)
    looks.forget(KEY)
    assert told == [KEY]
