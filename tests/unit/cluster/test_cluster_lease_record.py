"""What is read from a Lease, however odd it is, and what is written into one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kausa.cluster.lease_record import PROCESS_ANNOTATION, LeaseRecord

NOW = datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC)


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"spec": None, "metadata": None},
        {"spec": {"holderIdentity": 7}, "metadata": {"annotations": 7}},
        {"metadata": {"annotations": {PROCESS_ANNOTATION: 7}}},
    ],
)
def test_an_odd_lease_is_held_by_nobody(odd: dict[str, object]) -> None:
    record = LeaseRecord(odd)
    assert (record.holder, record.process, record.seconds, record.transitions) == ("", "", 0, 0)


def test_who_gives_a_lease_back_leaves_no_word_of_its_process() -> None:
    empty = LeaseRecord.empty(name="kausa", namespace="ops")
    taken = empty.taken(identity="a", process="1", seconds=10, now=NOW)
    assert (taken.process, taken.released(now=NOW).process) == ("1", "")


def test_times_are_written_as_the_api_wants_them() -> None:
    taken = LeaseRecord.empty(name="kausa", namespace="ops").taken(
        identity="a", process="1", seconds=10, now=NOW
    )
    assert taken.spec["renewTime"] == "2026-01-02T03:04:05.000600Z"
    later = taken.taken(identity="a", process="1", seconds=10, now=datetime(2027, 1, 1, tzinfo=UTC))
    assert later.spec["acquireTime"] == taken.spec["acquireTime"]
    assert later.transitions == 0
    assert later.taken(identity="b", process="2", seconds=10, now=NOW).transitions == 1
