"""Warning Events as notes: what they say, folded, few for each object."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.pods import at, event, note

from kausa.detection.events import LONGEST_MESSAGE, MOST_NOTES, merge_notes, note_of
from kausa.detection.surroundings import Note


def merged(*notes: Note, most: int = MOST_NOTES) -> tuple[Note, ...]:
    known: tuple[Note, ...] = ()
    for each in notes:
        known = merge_notes(known, each, most=most)
    return known


def test_a_warning_is_a_note_of_its_object() -> None:
    said = note_of(event("Failed", 'Failed to pull image "x": not found', count=7))
    assert said is not None
    assert (said.uid, said.kind, said.namespace, said.name) == (
        "uid-1",
        "Pod",
        "shop",
        "checkout-5d4f8-abcde",
    )
    assert (said.container, said.reason, said.count, said.last_seen) == ("api", "Failed", 7, at(0))


@pytest.mark.parametrize(
    "other",
    [
        {"reason": "Pulled", "message": "", "type_": "Normal"},
        {"reason": "FailedCreate", "message": "", "uid": ""},
        {"reason": "", "message": "what"},
    ],
    ids=["normal", "of no object", "without reason"],
)
def test_other_events_are_no_notes(other: dict[str, Any]) -> None:
    assert note_of(event(**other)) is None


@pytest.mark.parametrize(
    ("path", "container"),
    [
        ("spec.containers{api}", "api"),
        ("spec.initContainers{migrate}", "migrate"),
        ("spec.ephemeralContainers{debug}", "debug"),
        ("", None),
        ("spec.volumes{data}", None),
        ("spec.containers{}", None),
        (f"spec.containers{{{'a' * 253}}}", "a" * 253),
        (f"spec.containers{{{'a' * 500}}}", None),
        ("spec.containers{api}" + "x" * 500, None),
    ],
)
def test_a_containers_name_is_read_from_the_field_path(path: str, container: str | None) -> None:
    said = note_of(event("Failed", "no", field_path=path))
    assert said is not None
    assert said.container == container


def test_the_newer_series_counts_where_the_older_count_is_missing() -> None:
    said = note_of(
        event(
            "FailedScheduling",
            "0/1 nodes are available",
            count=None,
            series={"count": 4, "lastObservedTime": "2026-01-02T03:09:05.000000Z"},
        )
    )
    assert said is not None
    assert (said.count, said.last_seen) == (4, at(300))


@pytest.mark.parametrize(
    ("count", "series", "repeats"),
    [(None, None, 1), (0, None, 1), (-3, None, 1), (7, None, 7), (2, 5, 5), (5, 2, 5), (0, -1, 1)],
)
def test_the_higher_count_is_how_often_it_was_seen(
    count: int | None, series: int | None, repeats: int
) -> None:
    said = note_of(
        event("Failed", "no", count=count, series=None if series is None else {"count": series})
    )
    assert said is not None
    assert said.count == repeats


def kept(message: str) -> str:
    said = note_of(event("FailedCreate", message))
    assert said is not None
    return said.message


def test_a_note_says_nothing_of_its_combination() -> None:
    assert kept("(combined from similar events): " + "x " * 1000) == "x " * 1000


def test_a_message_is_whole_up_to_its_limit_for_nobody_knows_half_a_secret() -> None:
    """What a probe says is 10 KiB at most; a token that stands anywhere in it stays whole."""
    long = "x " * 500 + "password=" + "t0ken" * 9 + " and so on" * 1000
    assert len(long) > 10 * 1024
    assert kept(long) == long
    assert kept("y" * LONGEST_MESSAGE) == "y" * LONGEST_MESSAGE


@pytest.mark.parametrize("missing", [1, 20, 39])
@pytest.mark.parametrize("space", [" ", "\n", "\t"])
def test_a_message_beyond_the_limit_ends_before_the_word_that_the_limit_falls_in(
    space: str, missing: int
) -> None:
    secret = "ghp_" + "A1b2" * 9
    head = ("z" * (LONGEST_MESSAGE - len(secret) + missing - 1)) + space
    assert kept("first " + head[6:] + secret + " more") == "first " + head[6:-1]


def test_a_message_that_is_one_endless_word_is_not_kept() -> None:
    assert kept("x" * (LONGEST_MESSAGE + 1)) == ""
    assert kept(" " * (LONGEST_MESSAGE + 1)) == ""


@given(st.text(alphabet="ab \n", min_size=1, max_size=40))
def test_whatever_is_kept_of_a_message_is_whole_words_of_it(words: str) -> None:
    message = (words + " ") * (LONGEST_MESSAGE // len(words) + 1)
    short = kept(message)
    assert len(short) <= LONGEST_MESSAGE
    assert message.startswith(short)
    assert short.split() == message.split()[: len(short.split())]


def test_repeats_are_one_note_from_the_first_to_the_last() -> None:
    first, last = (
        note("Failed", "no", container="api", count=count, first=first, last=last)
        for count, first, last in ((3, 0, 20), (9, 0, 90))
    )
    assert merged(first, last) == merged(last, first) == (last,)
    other = note("Failed", "no", container="api", count=2, first=-50, last=100)
    (folded,) = merged(first, other)
    assert folded == replace(other, count=3)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            note("FailedMount", 'MountVolume.SetUp failed for volume "a" : exit status 32'),
            note("FailedMount", 'MountVolume.SetUp failed for volume "a" : exit status 1', first=9),
        ),
        (
            note("Unhealthy", "Liveness probe failed: one thing", container="api"),
            note("Unhealthy", "Liveness probe failed: quite another", container="api", first=9),
        ),
        (
            note("FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu."),
            note("FailedScheduling", "0/2 nodes are available: 2 Too many pods.", first=9),
        ),
    ],
)
def test_what_changes_between_attempts_makes_no_new_note(one: Note, other: Note) -> None:
    (folded,) = merged(one, other)
    assert (folded.message, folded.first_seen, folded.last_seen) == (other.message, at(0), at(9))


@pytest.mark.parametrize(
    "other",
    [
        note("Failed", "Error: ErrImagePull", container="b"),
        note("Failed", "Error: ImagePullBackOff", container="a"),
        note("BackOff", "Error: ErrImagePull", container="a"),
        note("Failed", "Error: ErrImagePull"),
    ],
    ids=["container", "message", "reason", "whole pod"],
)
def test_what_differs_is_kept_apart(other: Note) -> None:
    assert len(merged(note("Failed", "Error: ErrImagePull", container="a"), other)) == 2


@pytest.mark.parametrize("probe", ["Readiness", "Startup"])
def test_two_probes_of_one_container_are_kept_apart(probe: str) -> None:
    assert (
        len(
            merged(
                note("Unhealthy", "Liveness probe failed: x"),
                note("Unhealthy", f"{probe} probe failed: x"),
            )
        )
        == 2
    )


def test_long_messages_that_begin_in_the_same_words_are_one_note() -> None:
    """Identity is made of the beginning; so eight repeats of 10 KiB do not become eight notes."""
    head = "the same words at length " * 100
    (folded,) = merged(note("FailedCreate", head + "a"), note("FailedCreate", head + "b", first=9))
    assert folded.message == head + "b"


def test_names_with_numbers_in_them_are_kept_apart() -> None:
    said = [note("FailedMount", f'secret "db-{number}x" not found') for number in (1, 2)]
    assert len(merged(*said)) == 2


def test_of_too_many_notes_the_last_ones_stay() -> None:
    said = [note(f"Reason{number}", "x", first=number) for number in range(20)]
    assert [each.reason for each in merged(*said, most=3)] == ["Reason17", "Reason18", "Reason19"]
    assert len(merged(*said)) == MOST_NOTES


_notes = st.lists(
    st.builds(
        note,
        st.sampled_from(["Failed", "Unhealthy", "FailedScheduling"]),
        st.sampled_from(
            [
                "Liveness probe failed: a",
                "Liveness probe failed: b",
                "Readiness probe failed: a",
                "exit 1",
                "exit 2",
                "0/1 nodes",
            ]
        ),
        container=st.sampled_from([None, "api"]),
        count=st.integers(1, 5),
        first=st.integers(-5, 5),
        last=st.integers(-5, 5),
    ),
    max_size=8,
)


@given(st.data(), _notes)
def test_the_order_in_which_notes_come_does_not_matter(
    data: st.DataObject, notes: list[Note]
) -> None:
    turned = data.draw(st.permutations(notes))
    assert merged(*notes, most=99) == merged(*turned, most=99)


@given(_notes)
def test_notes_stay_few_sorted_and_unchanged_by_what_is_known(notes: list[Note]) -> None:
    known = merged(*notes, most=4)
    assert len(known) <= 4
    seen = [each.last_seen for each in known if each.last_seen is not None]
    assert seen == sorted(seen)
    for each in known:
        assert merge_notes(known, each, most=4) == known
