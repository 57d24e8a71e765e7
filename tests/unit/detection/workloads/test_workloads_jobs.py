"""Jobs, CronJobs and autoscalers: which fail, which rest, and which are history."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from support.objects import NOW, autoscaler, cron_job, job, note, said

from kausa.cluster.workloads import CronJob, HorizontalPodAutoscaler, Job
from kausa.detection.surroundings import Surroundings
from kausa.detection.verdict import HEALTHY
from kausa.detection.workloads.detect import detect_workload
from kausa.resources.category import Category

BACK_OFF = said(
    "Failed", "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit"
)
LATE = said(
    "FailureTarget", "True", "DeadlineExceeded", "Job was active longer than specified deadline"
)
ACCOUNT = (
    'Error creating: pods "import-" is forbidden: error looking up service account shop/loader: '
    'serviceaccount "loader" not found'
)


def test_a_job_that_was_given_up_fails_with_its_numbers() -> None:
    (symptom,) = detect_workload(job(BACK_OFF, failed=3, limit=2), now=NOW).symptoms
    assert (symptom.category, symptom.reason) == (Category.JOB, "BackoffLimitExceeded")
    assert symptom.occurrences == 3
    assert symptom.message.endswith("backoff limit (failed Pods 3, backoffLimit 2)")


def test_a_job_past_its_deadline_fails_as_soon_as_it_is_told() -> None:
    (symptom,) = detect_workload(job(LATE, failed=1, deadline=8), now=NOW).symptoms
    assert symptom.reason == "DeadlineExceeded"
    assert "activeDeadlineSeconds 8" in symptom.message


def test_a_job_is_one_failure_from_its_first_signs_to_its_end() -> None:
    (first,) = detect_workload(job(active=1, failed=2), now=NOW).symptoms
    (last,) = detect_workload(job(BACK_OFF, failed=7), now=NOW).symptoms
    assert (first.reason_class, first.detail) == (last.reason_class, last.detail)
    assert first.reason == "PodFailed"


def test_a_job_that_may_not_create_its_pod_fails() -> None:
    around = Surroundings(notes=(note("FailedCreate", ACCOUNT, kind="Job", count=4),))
    (symptom,) = detect_workload(job(), around=around, now=NOW).symptoms
    assert (symptom.category, symptom.occurrences) == (Category.ADMISSION, 4)
    assert detect_workload(job(active=1), around=around, now=NOW) is HEALTHY


@pytest.mark.parametrize(
    "healthy",
    [
        job(active=1),
        job(active=1, failed=1),
        job(active=1, failed=5, succeeded=20),
        job(said("Complete", "True"), succeeded=1, failed=3),
        job(said("SuccessCriteriaMet", "True"), active=1, failed=3),
        job(said("Suspended", "True", "JobSuspended"), suspend=True, failed=2),
        job(BACK_OFF, deleting=True),
        job(said("Failed", "False"), active=1),
    ],
    ids=[
        "runs", "failed once", "goes on", "is done", "has enough", "is suspended", "is deleted",
        "has not failed",
    ],
)  # fmt: skip
def test_a_job_that_does_not_fail_has_no_symptom(healthy: Job) -> None:
    assert detect_workload(healthy, now=NOW) is HEALTHY


@pytest.mark.parametrize(
    ("of_cron_job", "length"), [(True, timedelta(hours=24)), (False, timedelta(days=7))]
)
def test_a_failed_job_becomes_history(of_cron_job: bool, length: timedelta) -> None:
    def given_up(ago: timedelta) -> Job:
        end = said("Failed", "True", "BackoffLimitExceeded", "x", ago=ago)
        return job(end, of_cron_job=of_cron_job)

    verdict = detect_workload(given_up(length - timedelta(minutes=1)), now=NOW)
    assert len(verdict.symptoms) == 1
    assert verdict.look_again_at == NOW + timedelta(minutes=1)
    assert detect_workload(given_up(length), now=NOW) is HEALTHY


@pytest.mark.parametrize(
    ("since", "of_cron_job", "shown"),
    [
        (timedelta(minutes=1), True, False),
        (timedelta(), True, True),
        (-timedelta(minutes=1), True, True),
        (timedelta(minutes=1), False, True),
    ],
    ids=["a later run", "in the same second", "an earlier run", "of no CronJob"],
)
def test_a_later_run_that_succeeds_ends_the_failure_of_a_cron_jobs_job(
    since: timedelta, of_cron_job: bool, shown: bool
) -> None:
    ended = timedelta(hours=2)
    end = said("Failed", "True", "BackoffLimitExceeded", "x", ago=ended)
    around = Surroundings(owner_succeeded_at=NOW - ended + since)
    found = job(end, failed=7, of_cron_job=of_cron_job)
    assert bool(detect_workload(found, around=around, now=NOW).symptoms) is shown


def test_a_job_that_is_still_tried_fails_whatever_other_runs_did() -> None:
    around = Surroundings(owner_succeeded_at=NOW)
    found = job(active=1, failed=2, of_cron_job=True)
    assert detect_workload(found, around=around, now=NOW).symptoms


def test_when_a_run_of_a_cron_job_succeeded_last_is_read() -> None:
    status = {"lastSuccessfulTime": "2026-03-01T11:00:00Z"}
    found = msgspec.convert({"status": status}, CronJob)
    assert found.status.last_successful_time == NOW - timedelta(hours=1)


# -- CronJobs ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "reason_class"),
    [
        ("MissSchedule", "MissSchedule"),
        ("TooManyMissedTimes", "MissSchedule"),
        ("InvalidSchedule", "InvalidSchedule"),
        ("UnparseableSchedule", "InvalidSchedule"),
        ("UnknownTimeZone", "UnknownTimeZone"),
    ],
)
def test_a_cron_job_that_misses_its_runs_says_so_by_an_event(
    reason: str, reason_class: str
) -> None:
    around = Surroundings(notes=(note(reason, "missed", kind="CronJob", count=2),))
    found = cron_job(ran=timedelta(days=2))
    (symptom,) = detect_workload(found, around=around, now=NOW).symptoms
    assert (symptom.category, symptom.reason) == (Category.JOB, reason)
    assert (symptom.reason_class, symptom.occurrences) == (reason_class, 2)
    assert "schedule 0 3 * * *" in symptom.message


def test_a_missed_run_is_over_when_the_cron_job_has_run_since() -> None:
    around = Surroundings(notes=(note("MissSchedule", last=timedelta(hours=2)),))
    assert detect_workload(cron_job(ran=timedelta(hours=1)), around=around, now=NOW) is HEALTHY


def test_a_cron_job_whose_jobs_are_refused_fails() -> None:
    message = (
        "Error creating job: jobs.batch is forbidden: exceeded quota: jobs, requested: "
        "count/jobs.batch=1, used: count/jobs.batch=4, limited: count/jobs.batch=4"
    )
    around = Surroundings(notes=(note("FailedCreate", message, kind="CronJob"),))
    (symptom,) = detect_workload(cron_job(), around=around, now=NOW).symptoms
    assert symptom.category is Category.QUOTA


def test_a_cron_job_that_was_suspended_long_ago_was_probably_forgotten() -> None:
    (symptom,) = detect_workload(cron_job(suspend=True, ran=timedelta(days=8)), now=NOW).symptoms
    assert (symptom.category, symptom.reason) == (Category.JOB, "Suspended")
    verdict = detect_workload(cron_job(suspend=True, ran=timedelta(days=6)), now=NOW)
    assert verdict.symptoms == ()
    assert verdict.look_again_at == NOW + timedelta(days=1)


@pytest.mark.parametrize(
    "healthy",
    [
        cron_job(),
        cron_job(ran=timedelta(days=40)),
        cron_job(suspend=True),
        cron_job(suspend=True, ran=timedelta(days=8), deleting=True),
    ],
    ids=["is new", "runs once a month", "never ran", "is deleted"],
)
def test_a_cron_job_that_does_not_fail_has_no_symptom(healthy: CronJob) -> None:
    assert detect_workload(healthy, now=NOW) is HEALTHY


# -- autoscalers ---------------------------------------------------------------------------------

NO_METRICS = said(
    "ScalingActive",
    "False",
    "FailedGetResourceMetric",
    "the HPA was unable to compute the replica count: failed to get cpu utilization: missing "
    "request for cpu in container api of Pod checkout-1",
)
NO_TARGET = said("AbleToScale", "False", "FailedGetScale", 'deployments.apps "checkout" not found')


def test_an_autoscaler_without_metrics_fails_after_a_while() -> None:
    (symptom,) = detect_workload(autoscaler(NO_METRICS), now=NOW).symptoms
    assert (symptom.category, symptom.reason) == (Category.AUTOSCALING, "FailedGetResourceMetric")
    assert symptom.message.endswith("(scale target Deployment/checkout)")


def test_an_autoscaler_without_a_target_says_that_first() -> None:
    (symptom,) = detect_workload(autoscaler(NO_METRICS, NO_TARGET), now=NOW).symptoms
    assert symptom.reason == "FailedGetScale"


def test_a_young_autoscaler_has_no_metrics_yet() -> None:
    just_now = said("ScalingActive", "False", "FailedGetResourceMetric", ago=timedelta(minutes=2))
    for found in (autoscaler(just_now), autoscaler(NO_METRICS, created=timedelta(minutes=2))):
        verdict = detect_workload(found, now=NOW)
        assert verdict.symptoms == ()
        assert verdict.look_again_at == NOW + timedelta(minutes=1)


@pytest.mark.parametrize(
    "healthy",
    [
        autoscaler(),
        autoscaler(said("ScalingActive", "True", "ValidMetricFound")),
        autoscaler(said("ScalingActive", "False", "ScalingDisabled", "replica count is zero")),
        autoscaler(said("AbleToScale", "False", "BackoffDownscale")),
        autoscaler(said("ScalingLimited", "True", "TooManyReplicas")),
        autoscaler(NO_TARGET, deleting=True),
    ],
    ids=["is new", "scales", "rests at zero", "waits", "is at its limit", "is deleted"],
)
def test_an_autoscaler_that_does_not_fail_has_no_symptom(healthy: HorizontalPodAutoscaler) -> None:
    assert detect_workload(healthy, now=NOW) is HEALTHY
