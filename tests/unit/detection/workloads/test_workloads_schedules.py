"""Schedules are read as the CronJob controller reads them, and their runs are counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kausa.detection.workloads import schedules
from kausa.detection.workloads.schedules import is_known_zone, next_runs, parse_schedule

SUNDAY = datetime(2026, 3, 1, tzinfo=UTC)


def runs(text: str, *, since: datetime = SUNDAY, count: int = 3) -> list[str]:
    schedule = parse_schedule(text)
    assert schedule is not None
    found = next_runs(schedule, ran=since, since=since, count=count)
    return [each.strftime("%m-%d %H:%M") for each in found]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("* * * * *", ["03-01 00:01", "03-01 00:02", "03-01 00:03"]),
        ("0 */6 * * *", ["03-01 06:00", "03-01 12:00", "03-01 18:00"]),
        ("50/5 0 * * *", ["03-01 00:50", "03-01 00:55", "03-02 00:50"]),
        ("0 0 * * 1-5", ["03-02 00:00", "03-03 00:00", "03-04 00:00"]),
        ("0 0 * * SUN", ["03-08 00:00", "03-15 00:00", "03-22 00:00"]),
        ("0 0 15 * 1", ["03-02 00:00", "03-09 00:00", "03-15 00:00"]),
        ("0 0 15 * *", ["03-15 00:00", "04-15 00:00", "05-15 00:00"]),
        ("0 0 */10 * 1", ["03-02 00:00", "03-09 00:00", "03-11 00:00"]),
        ("0 0 1 jan,Jul ?", ["07-01 00:00", "01-01 00:00", "07-01 00:00"]),
        ("@monthly", ["04-01 00:00", "05-01 00:00", "06-01 00:00"]),
        ("@every 90m", ["03-01 01:30", "03-01 03:00", "03-01 04:30"]),
        ("CRON_TZ=UTC 0 0 1 * *", ["04-01 00:00", "05-01 00:00", "06-01 00:00"]),
        ("0 0 30 2 *", []),
    ],
)
def test_the_next_runs_of_a_schedule(text: str, wanted: list[str]) -> None:
    assert runs(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        *("", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *"),
        *("* * * * 7", "*/0 * * * *", "5-1 * * * *", "a * * * *", "* * * * x", "1-2-3 * * * *"),
        *("@nightly", "@every x", "@every ", "@every 1", "TZ=UTC", "x" * 500, "-1 * * * *"),
    ],
)
def test_what_the_controller_cannot_read_is_no_schedule(text: str) -> None:
    assert parse_schedule(text) is None


@pytest.mark.parametrize("hours", [0, 1, -8, 9])
def test_a_run_that_there_was_tells_how_far_the_zone_is_from_utc(hours: int) -> None:
    schedule = parse_schedule("30 3 * * *")
    assert schedule is not None
    ran = SUNDAY + timedelta(hours=3 - hours, minutes=30)
    assert next_runs(schedule, ran=ran, since=ran, count=2) == [
        ran + timedelta(days=1),
        ran + timedelta(days=2),
    ]


@given(text=st.text(max_size=40) | st.from_regex(r"[-*/,?0-9a-z@= ]{0,40}", fullmatch=True))
def test_no_text_is_beyond_reading(text: str) -> None:
    schedule = parse_schedule(text)
    if schedule is not None:
        found = next_runs(schedule, ran=SUNDAY, since=SUNDAY, count=2)
        assert all(each > SUNDAY for each in found)
        assert found == sorted(found)


@given(ran=st.datetimes(timezones=st.just(UTC)), since=st.datetimes(timezones=st.just(UTC)))
def test_no_year_is_beyond_counting(ran: datetime, since: datetime) -> None:
    for text in ("@every 1h", "0 0 29 2 *", "* * * * *"):
        schedule = parse_schedule(text)
        assert schedule is not None
        assert len(next_runs(schedule, ran=ran, since=since, count=2)) <= 2


def test_a_zone_is_unknown_only_to_who_knows_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_known_zone("Europe/Berlin")
    assert is_known_zone("Mars/Olympus") is False
    assert is_known_zone("../etc/passwd") is False
    is_known_zone.cache_clear()
    monkeypatch.setattr(schedules, "_has_zone", lambda name: name == "Etc/UTC")
    try:
        assert is_known_zone("Etc/UTC")
        assert is_known_zone("US/Eastern") is None
    finally:
        is_known_zone.cache_clear()
