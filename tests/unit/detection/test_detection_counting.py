"""Repeats are counted once each, whatever the order and however often the operator is killed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kausa.controller.sighting_documents import count_of, failure_part
from kausa.detection.counting import FailureCount, PodCount
from kausa.detection.symptom import Symptom
from kausa.resources.category import Category

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SYMPTOM = Symptom(
    category=Category.CRASH_LOOP,
    reason="CrashLoopBackOff",
    reason_class="CrashLoop",
    detail="",
    message="",
)


def sighting(uid: str, occurrences: int, *, seconds: int = 0) -> PodCount:
    return PodCount(
        uid=uid,
        name=f"pod-{uid}",
        occurrences=occurrences,
        last_seen=START + timedelta(seconds=seconds),
    )


def count() -> FailureCount:
    return FailureCount(first_seen=START, last_seen=START)


def killed_and_restarted(before: FailureCount) -> FailureCount:
    """What a new process reads back from the resource."""
    return count_of(failure_part(SYMPTOM, message="", fingerprint="abcdef12", count=before))


def test_the_growth_of_each_pods_own_count_is_added_up() -> None:
    failure = count()
    for uid, occurrences in (("a", 1), ("b", 2), ("a", 1), ("a", 4)):
        failure.observe(sighting(uid, occurrences))
    assert (failure.occurrences, failure.pod_count) == (6, 2)


def test_a_sighting_that_adds_nothing_is_no_news() -> None:
    failure = count()
    assert failure.observe(sighting("a", 2))
    assert not failure.observe(sighting("a", 2))
    assert not failure.observe(sighting("a", 1))
    assert failure.occurrences == 2


def test_a_process_that_was_killed_counts_nothing_twice() -> None:
    failure = count()
    for uid in ("a", "b", "c"):
        failure.observe(sighting(uid, 3))
    failure = killed_and_restarted(failure)
    for uid in ("a", "b", "c"):
        failure.observe(sighting(uid, 3))
    failure.observe(sighting("b", 5, seconds=9))
    assert failure.occurrences == 11


def test_pods_beyond_the_ten_that_are_kept_are_not_counted_again_after_a_kill() -> None:
    failure = count()
    for number in range(25):
        failure.observe(sighting(str(number), 2, seconds=number))
    failure = killed_and_restarted(failure)
    for number in range(25):
        failure.observe(sighting(str(number), 2, seconds=number))
    assert (failure.occurrences, failure.pod_count) == (50, 25)


def test_a_new_pod_after_a_kill_is_counted() -> None:
    failure = count()
    for number in range(12):
        failure.observe(sighting(str(number), 1, seconds=number))
    failure = killed_and_restarted(failure)
    failure.observe(sighting("new", 1, seconds=60))
    assert failure.occurrences == 13


@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.integers(1, 50), st.booleans()), max_size=40)
)
def test_the_total_is_the_sum_of_the_highest_count_of_each_pod(
    sightings: list[tuple[str, int, bool]],
) -> None:
    failure = count()
    for seconds, (uid, occurrences, killed) in enumerate(sightings):
        if killed:
            failure = killed_and_restarted(failure)
        failure.observe(sighting(uid, occurrences, seconds=seconds))
    highest = {uid: 0 for uid, _, _ in sightings}
    for uid, occurrences, _ in sightings:
        highest[uid] = max(highest[uid], occurrences)
    assert failure.occurrences == sum(highest.values())


def of_object(uid: str, occurrences: int, *, seen: datetime | None = None) -> PodCount:
    return PodCount(uid=uid, name=uid, occurrences=occurrences, last_seen=seen)


def test_a_new_process_counts_nothing_twice_of_what_is_no_pod() -> None:
    count = FailureCount(first_seen=START, last_seen=START)
    count.observe_object(of_object("hpa", 40, seen=START))
    after = FailureCount(
        first_seen=START, last_seen=START, restored_at=START, occurrences=count.occurrences
    )
    after.observe_object(of_object("hpa", 41, seen=START + timedelta(minutes=1)))
    assert after.occurrences == 41
    again = FailureCount(first_seen=START, last_seen=START, occurrences=3)
    again.observe_object(of_object("job", 3))
    assert again.occurrences == 3


def test_the_jobs_of_a_cron_job_are_counted_one_after_the_other() -> None:
    count = FailureCount(first_seen=START, last_seen=START)
    count.observe_object(of_object("monday", 3, seen=START))
    count.observe_object(of_object("tuesday", 3, seen=START + timedelta(days=1)))
    assert count.occurrences == 6


def test_what_has_no_count_of_its_own_is_counted_by_its_times() -> None:
    count = FailureCount(first_seen=START, last_seen=START)
    for minute in range(5):
        count.observe_object(of_object("node", 1, seen=START + timedelta(minutes=minute)))
        count.observe_object(of_object("node", 1, seen=START + timedelta(minutes=minute)))
    assert count.occurrences == 5


def test_a_pod_that_is_not_listed_is_not_counted_twice_after_a_restart() -> None:
    later = START + timedelta(minutes=5)
    count = FailureCount(
        first_seen=START, last_seen=START, restored_at=START, occurrences=240, unlisted_pods=2
    )
    for uid in ("a", "b"):
        count.observe(PodCount(uid=uid, name=uid, occurrences=21, last_seen=later))
    assert (count.occurrences, count.pod_count) == (242, 2)
