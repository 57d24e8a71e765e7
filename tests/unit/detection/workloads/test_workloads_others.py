"""All that Events say of an object which nobody watches is judged, whichever came last."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st
from support.objects import NOW, note

from kausa.detection.events import merge_notes
from kausa.detection.surroundings import Note
from kausa.detection.verdict import HEALTHY
from kausa.detection.workloads.others import detect_notes


def said(
    reason: str, message: str = "no", *, count: int = 1, first: float = 0, last: float | None = None
) -> Note:
    """What Events say of a Gadget, first and last seen so many minutes ago."""
    return note(
        reason, message, kind="Gadget", api_version="x.dev/v1", count=count,
        first=timedelta(minutes=first), last=timedelta(minutes=first if last is None else last),
    )  # fmt: skip


def folded(*notes: Note) -> tuple[Note, ...]:
    known: tuple[Note, ...] = ()
    for each in notes:
        known = merge_notes(known, each)
    return known


LASTS = said("SyncFailed", count=50, first=120, last=2)
ONCE = said("Degraded", first=1)


def test_a_second_warning_of_another_kind_takes_nothing_from_the_first() -> None:
    for order in permutations((LASTS, ONCE)):
        (symptom,) = detect_notes(order, now=NOW).symptoms
        assert (symptom.reason, symptom.occurrences) == ("SyncFailed", 50)


def test_each_reason_is_a_symptom_once_in_the_words_that_came_last() -> None:
    others = said("SyncFailed", "not yet", count=5, first=30, last=1)
    more = said("Degraded", count=3, first=20, last=3)
    verdict = detect_notes((others, LASTS, more), now=NOW)
    assert [(each.reason, each.message, each.occurrences) for each in verdict.symptoms] == [
        ("Degraded", "no", 3),
        ("SyncFailed", "not yet", 55),
    ]
    assert verdict.look_again_at == NOW + timedelta(minutes=17)


def test_warnings_that_each_are_an_event_of_their_own_are_a_failure_when_they_repeat_and_last() -> (
    None
):
    events = [said("SyncFailed", first=minutes) for minutes in range(55, -1, -5)]
    (symptom,) = detect_notes(folded(*events), now=NOW).symptoms
    assert (symptom.occurrences, symptom.last_seen) == (12, NOW)
    assert detect_notes(folded(*events[-2:]), now=NOW) is HEALTHY


def test_warnings_of_other_days_make_none_of_one_that_comes_now() -> None:
    """Nobody knows of their Events any more: a process that starts now does not."""
    events = [said("SyncFailed", first=minutes) for minutes in (6000, 3000, 1500, 61, 0)]
    assert detect_notes(folded(*events), now=NOW) is HEALTHY


def test_what_repeats_is_looked_at_again_when_its_first_event_is_forgotten() -> None:
    events = [said("SyncFailed", first=minutes) for minutes in (50, 30, 1)]
    verdict = detect_notes(folded(*events), now=NOW)
    assert verdict.symptoms
    assert verdict.look_again_at == NOW + timedelta(minutes=10)
    assert not detect_notes(folded(*events), now=NOW + timedelta(minutes=10)).symptoms


def test_a_refusal_and_another_warning_of_the_same_object_are_both_told() -> None:
    refused = said("FailedCreate", "pods is forbidden: no", count=3, first=10, last=1)
    reasons = [each.reason for each in detect_notes((LASTS, refused), now=NOW).symptoms]
    assert reasons == ["FailedCreate", "SyncFailed"]


def test_nothing_said_is_no_failure() -> None:
    assert detect_notes((), now=NOW) is HEALTHY


@given(
    st.data(),
    st.lists(
        st.builds(
            said,
            st.sampled_from(["SyncFailed", "Degraded", "FailedCreate", ""]),
            st.sampled_from(["one thing", "another", "x 1", "x 2"]),
            count=st.integers(-1, 5),
            first=st.integers(-5, 90),
            last=st.none() | st.integers(-5, 90),
        ),
        max_size=7,
    ),
)
def test_no_order_of_events_changes_what_is_told_of_their_object(
    data: st.DataObject, events: list[Note]
) -> None:
    turned = data.draw(st.permutations(events))
    verdict = detect_notes(folded(*events), now=NOW)
    assert detect_notes(folded(*turned), now=NOW) == verdict
    assert verdict.look_again_at is None or verdict.look_again_at > NOW
    reasons = [each.reason for each in verdict.symptoms]
    assert len(set(reasons)) == len(reasons)
    assert all(each.occurrences >= 1 for each in verdict.symptoms)
