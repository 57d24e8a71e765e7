"""Several Events that say the same of one object count together, in whatever order they come."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.objects import NOW, note
from support.pods import note as pod_note

from kausa.detection.events import merge_notes
from kausa.detection.surroundings import Note
from kausa.detection.tellings import MOST_TELLINGS, told_by


def said(minutes_ago: float, *, count: int = 1, until: float | None = None) -> Note:
    """What one Event says of an object that is no Pod, first and last seen so long ago."""
    last = minutes_ago if until is None else until
    return note(
        "SyncFailed", "no", kind="Gadget", api_version="x.dev/v1", count=count,
        first=timedelta(minutes=minutes_ago), last=timedelta(minutes=last),
    )  # fmt: skip


def merged(*notes: Note) -> Note:
    known: tuple[Note, ...] = ()
    for each in notes:
        known = merge_notes(known, each)
    (found,) = known
    return found


def test_an_event_that_is_repeated_is_one_and_counts_as_it_says() -> None:
    found = merged(said(60, count=1), said(60, count=7, until=5), said(60, count=4, until=9))
    assert (found.count, found.tellings) == (7, ())


def test_events_that_each_say_once_count_together_in_any_order_and_however_often_they_come() -> (
    None
):
    events = (said(60), said(30, count=4, until=20), said(10))
    for order in permutations(events):
        found = merged(*order, *order)
        assert (found.count, len(found.tellings)) == (6, 3)
        assert found.first_seen == NOW - timedelta(minutes=60)
        assert found.last_seen == NOW - timedelta(minutes=10)


def test_of_many_events_the_last_are_kept_and_all_are_counted_once() -> None:
    events = [said(minutes) for minutes in range(3 * MOST_TELLINGS, 0, -1)]
    found = merged(*events, *events)
    assert found.count == len(events)
    assert [each.first_seen for each in told_by(found)] == [
        each.first_seen for each in events[-MOST_TELLINGS:]
    ]


def test_of_a_pod_the_event_that_counts_most_tells_how_often() -> None:
    one, other = pod_note("Failed", "no", count=3, first=0), pod_note("Failed", "no", first=60)
    assert (merged(one, other).count, merged(one, other).tellings) == (3, ())


def test_a_kind_that_is_called_pod_elsewhere_is_no_pod() -> None:
    elsewhere = [replace(said(minutes), kind="Pod") for minutes in (9, 5)]
    assert merged(*elsewhere).count == 2


@given(
    st.data(),
    st.lists(
        st.builds(
            said, st.integers(1, 9), count=st.integers(1, 3), until=st.none() | st.integers(0, 9)
        ),
        min_size=1,
        max_size=8,
    ),
)
def test_no_order_and_no_repetition_changes_what_is_counted(
    data: st.DataObject, notes: list[Note]
) -> None:
    turned = data.draw(st.permutations(notes))
    found = merged(*notes)
    assert merged(*turned) == found
    assert merge_notes((found,), data.draw(st.sampled_from(notes))) == (found,)
    assert merge_notes((found,), found) == (found,)
