"""What time alone may change is judged again, once, and never grows without bound."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kausa.controller.rechecks import Rechecks

START = datetime(2026, 1, 2, tzinfo=UTC)


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def test_an_object_comes_when_its_time_has_come_and_only_once() -> None:
    rechecks: Rechecks[str] = Rechecks()
    rechecks.set("a", "Pod a", at(10))
    assert rechecks.due(at(9)) == []
    assert rechecks.due(at(10)) == ["Pod a"]
    assert rechecks.due(at(99)) == []


def test_a_newer_state_and_a_newer_time_replace_the_older_ones() -> None:
    rechecks: Rechecks[str] = Rechecks()
    rechecks.set("a", "old", at(10))
    rechecks.set("a", "new", at(20))
    assert rechecks.due(at(15)) == []
    assert rechecks.due(at(20)) == ["new"]


def test_what_no_time_can_change_any_more_is_forgotten() -> None:
    rechecks: Rechecks[str] = Rechecks()
    rechecks.set("a", "starting", at(10))
    rechecks.set("a", "running", None)
    assert rechecks.due(at(99)) == []
    assert len(rechecks) == 0


def test_what_finds_no_room_is_counted() -> None:
    rechecks: Rechecks[str] = Rechecks(most=1)
    rechecks.set("a", "a", at(1))
    rechecks.set("b", "b", at(1))
    rechecks.set("a", "a again", at(2))
    assert rechecks.dropped == 1
    assert rechecks.due(at(3)) == ["a again"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 50)), max_size=200))
def test_only_the_last_time_of_each_object_counts(changes: list[tuple[str, int]]) -> None:
    rechecks: Rechecks[str] = Rechecks()
    for name, seconds in changes:
        rechecks.set(name, name, at(seconds))
    last = dict(changes)
    for second in range(51):
        found = sorted(rechecks.due(at(second)))
        assert found == sorted(name for name, when in last.items() if when == second)


def test_times_that_were_replaced_do_not_pile_up() -> None:
    rechecks: Rechecks[str] = Rechecks()
    for seconds in range(10_000):
        rechecks.set("a", "a", at(seconds))
    assert len(rechecks._heap) < 2_000
    assert rechecks.due(at(10_000)) == ["a"]
