"""CronJobs that are kept from running, and what an Event of the past still says of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.objects import NOW, cron_job, note

from kausa.cluster.workloads import CronJob
from kausa.detection.surroundings import Surroundings
from kausa.detection.verdict import HEALTHY
from kausa.detection.workloads.detect import detect_workload
from kausa.resources.category import Category

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
RUNS = ("nightly-29012345",)
BUSY = Surroundings(failing_pods=1)


# -- a run that hangs ----------------------------------------------------------------------------


def test_a_run_that_hangs_and_forbids_all_later_ones_is_a_failure() -> None:
    # Scheduled at 03:00 three days ago; the runs of 27 and 28 February and of today were skipped.
    found = cron_job(policy="Forbid", active=RUNS, ran=3 * DAY + 9 * HOUR)
    verdict = detect_workload(found, now=NOW)
    (symptom,) = verdict.symptoms
    assert (symptom.category, symptom.reason) == (Category.JOB, "JobAlreadyActive")
    assert "nightly-29012345 was scheduled for 2026-02-26 03:00:00" in symptom.message
    assert "no run since 2026-02-27 03:00:00 was started" in symptom.message
    assert symptom.since == NOW - 2 * DAY - 9 * HOUR
    assert verdict.look_again_at == NOW + MINUTE


def test_failing_pods_speak_for_the_run_that_goes_on() -> None:
    found = cron_job(policy="Forbid", active=RUNS, ran=3 * DAY + 9 * HOUR)
    verdict = detect_workload(found, around=BUSY, now=NOW)
    assert (verdict.symptoms, verdict.look_again_at) == ((), NOW + MINUTE)


def test_a_run_that_was_missed_long_ago_hides_no_run_that_hangs() -> None:
    found = cron_job(policy="Forbid", active=RUNS, ran=9 * DAY)
    told = note("MissSchedule", "Missed scheduled time", first=8 * DAY, last=8 * DAY)
    (symptom,) = detect_workload(found, around=Surroundings(notes=(told,)), now=NOW).symptoms
    assert symptom.reason == "JobAlreadyActive"


def test_one_run_that_was_skipped_is_waited_for() -> None:
    found = cron_job(policy="Forbid", active=RUNS, ran=DAY + 9 * HOUR)
    verdict = detect_workload(found, now=NOW)
    assert (verdict.symptoms, verdict.look_again_at) == ((), NOW + 15 * HOUR + MINUTE)


@pytest.mark.parametrize(
    "schedule", ["0 3 * * *", "CRON_TZ=Asia/Tokyo 0 12 * * *", "0 12 * * *", "30 8 * * *"]
)
def test_in_whatever_zone_it_runs_two_whole_days_are_waited_for(schedule: str) -> None:
    for ran, shown in ((DAY + 9 * HOUR, False), (2 * DAY + 9 * HOUR + 2 * MINUTE, True)):
        found = cron_job(schedule=schedule, policy="Forbid", active=RUNS, ran=ran)
        assert bool(detect_workload(found, now=NOW).symptoms) is shown


def test_work_without_a_pause_is_a_failure_only_when_one_run_takes_an_hour() -> None:
    for ran, shown in ((59 * MINUTE, False), (61 * MINUTE, True)):
        found = cron_job(schedule="* * * * *", policy="Forbid", active=RUNS, ran=ran)
        verdict = detect_workload(found, now=NOW)
        assert bool(verdict.symptoms) is shown
        assert verdict.look_again_at == NOW + MINUTE


@pytest.mark.parametrize(
    "healthy",
    [
        cron_job(policy="Allow", active=RUNS, ran=9 * DAY),
        cron_job(policy="Replace", active=RUNS, ran=9 * DAY),
        cron_job(policy="Forbid", ran=9 * DAY),
        cron_job(policy="Forbid", active=RUNS),
        cron_job(policy="Forbid", active=RUNS, ran=6 * DAY, suspend=True, deleting=True),
        cron_job(policy="Forbid", active=RUNS, ran=9 * DAY, schedule="0 0 30 2 *"),
    ],
    ids=["may run twice", "is replaced", "rests", "never ran", "is deleted", "never runs"],
)
def test_a_cron_job_that_skips_nothing_is_healthy(healthy: CronJob) -> None:
    assert detect_workload(healthy, now=NOW) is HEALTHY


def test_what_runs_once_a_month_is_waited_for_until_two_months_are_over() -> None:
    found = cron_job(policy="Forbid", active=RUNS, ran=28 * DAY + 9 * HOUR, schedule="0 3 1 * *")
    verdict = detect_workload(found, now=NOW)
    assert (verdict.symptoms, verdict.look_again_at) == ((), NOW + 30 * DAY + 15 * HOUR + MINUTE)


def test_runs_are_counted_from_when_they_were_asked_for() -> None:
    found = cron_job(policy="Forbid", active=RUNS, ran=9 * DAY + 9 * HOUR, asked=DAY)
    verdict = detect_workload(found, now=NOW)
    assert (verdict.symptoms, verdict.look_again_at) == ((), NOW + 15 * HOUR + MINUTE)


# -- a schedule or a zone that nobody can read -----------------------------------------------------


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (cron_job(schedule="0 25 * * *"), "InvalidSchedule"),
        (cron_job(schedule="every night", ran=2 * DAY, asked=DAY), "InvalidSchedule"),
        (cron_job(zone="Mars/Olympus"), "UnknownTimeZone"),
        (cron_job(zone="Europe/Beriln", ran=2 * DAY, asked=DAY), "UnknownTimeZone"),
    ],
)
def test_what_nobody_can_read_is_a_failure_when_its_event_is_long_gone(
    found: CronJob, reason: str
) -> None:
    (symptom,) = detect_workload(found, now=NOW).symptoms
    assert (symptom.category, symptom.reason, symptom.reason_class) == (
        Category.JOB,
        reason,
        reason,
    )
    told = note(reason, "unreadable", kind="CronJob", last=timedelta(), first=timedelta())
    (also,) = detect_workload(found, around=Surroundings(notes=(told,)), now=NOW).symptoms
    assert (also.reason_class, also.detail) == (symptom.reason_class, symptom.detail)


@pytest.mark.parametrize(
    "healthy",
    [
        cron_job(zone="Europe/Berlin"),
        cron_job(zone="US/Pacific"),
        cron_job(schedule="@hourly"),
        cron_job(schedule="*/5 8-18/2 ? jan-dec mon,wed"),
        cron_job(schedule="every night", ran=DAY, asked=2 * DAY),
        cron_job(zone="Mars/Olympus", ran=DAY, asked=2 * DAY),
        cron_job(schedule="every night", deleting=True),
    ],
    ids=[
        "a zone", "an old zone", "a macro", "ranges", "has run with it", "has run in it", "goes",
    ],
)  # fmt: skip
def test_a_cron_job_that_can_be_read_or_has_run_is_healthy(healthy: CronJob) -> None:
    assert detect_workload(healthy, now=NOW) is HEALTHY


def test_a_zone_that_only_the_controller_does_not_know_is_told_by_its_event() -> None:
    told = note("UnknownTimeZone", 'invalid timeZone: "Europe/Kyiv": unknown', last=DAY, first=DAY)
    found = cron_job(zone="Europe/Kyiv", schedule="0 3 * * 1", ran=5 * DAY, asked=2 * DAY)
    (symptom,) = detect_workload(found, around=Surroundings(notes=(told,)), now=NOW).symptoms
    assert symptom.reason == "UnknownTimeZone"


@pytest.mark.parametrize(
    "mended",
    [
        cron_job(zone="Europe/Berlin", schedule="0 3 * * 1", ran=5 * DAY, asked=23 * HOUR),
        cron_job(zone="Europe/Berlin", schedule="0 3 * * 1", ran=5 * DAY),
        cron_job(schedule="0 3 * * 1", ran=5 * DAY),
    ],
    ids=["it was changed since", "its zone is another", "it has no zone"],
)
def test_a_zone_that_was_mended_is_history_before_the_next_run(mended: CronJob) -> None:
    told = note("UnknownTimeZone", 'invalid timeZone: "Europe/Beriln": x', last=DAY, first=DAY)
    assert detect_workload(mended, around=Surroundings(notes=(told,)), now=NOW) is HEALTHY


def test_a_missed_run_is_history_after_a_change_or_a_day() -> None:
    told = note("MissSchedule", "Missed scheduled time", last=2 * HOUR, first=2 * HOUR)
    around = Surroundings(notes=(told,))
    missed = cron_job(ran=2 * DAY)
    assert detect_workload(missed, around=around, now=NOW).look_again_at == NOW + 22 * HOUR
    assert detect_workload(missed, around=around, now=NOW + 22 * HOUR) is HEALTHY
    changed = cron_job(ran=2 * DAY, asked=HOUR)
    assert detect_workload(changed, around=around, now=NOW) is HEALTHY
