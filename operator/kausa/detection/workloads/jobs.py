"""Jobs: those that were given up, those that are about to be, and those that may not start.

One failed Pod is what the back-off limit is for; a second without any success is the first sign of
the same failure that the Job is given up for in the end. A failed Job stays as a record, and after
some time it is history. A CronJob's Job does not show what became of the next run, but its CronJob
does: a run that ended well since is the end of the failure. Where nothing is known of that, the Job
is history after a day. Where the next run fails too, the CronJob removes the older by itself.
"""

from __future__ import annotations

from datetime import datetime

from kausa.cluster.workloads import Condition, Job
from kausa.detection.case import later, shows
from kausa.detection.surroundings import Surroundings
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.detection.workloads.creation import creation_refused
from kausa.detection.workloads.graces import GRACES
from kausa.detection.workloads.looking import true_condition
from kausa.resources.category import Category

__all__ = ["detect_job"]

BACK_OFF_LIMIT = "BackoffLimitExceeded"
POD_FAILED = "PodFailed"
"""What a failed Pod's own condition says; nothing is exceeded yet."""
_CLASSES = {"MaxFailedIndexesExceeded": "FailedIndexes"}
FEWEST_FAILED_PODS = 2


def detect_job(found: Job, *, around: Surroundings, now: datetime) -> Verdict:
    """What ails a Job."""
    conditions = found.status.conditions
    if found.metadata.deletion_timestamp is not None:
        return HEALTHY
    if true_condition(conditions, "Complete") or true_condition(conditions, "SuccessCriteriaMet"):
        return HEALTHY
    given_up = true_condition(conditions, "Failed") or true_condition(conditions, "FailureTarget")
    if given_up is not None:
        return _given_up(found, given_up, around=around, now=now)
    if found.spec.suspend:
        return HEALTHY
    if found.status.active <= 0:
        verdict = creation_refused(around.notes, namespace=found.metadata.namespace, now=now)
        if verdict is not HEALTHY:
            return verdict
    if found.status.failed >= FEWEST_FAILED_PODS and found.status.succeeded <= 0:
        return shows(_about_to_be_given_up(found))
    return HEALTHY


def _given_up(found: Job, failed: Condition, *, around: Surroundings, now: datetime) -> Verdict:
    end = failed.last_transition_time
    until = None
    if end is not None:
        scheduled = _is_a_cron_jobs(found)
        until = later(end, GRACES.cron_job_history if scheduled else GRACES.job_history)
        if until <= now:
            return HEALTHY
        succeeded = around.owner_succeeded_at
        if scheduled and succeeded is not None and succeeded > end:
            return HEALTHY
    reason = failed.reason or "Failed"
    return shows(
        Symptom(
            category=Category.JOB,
            reason=reason,
            reason_class=_CLASSES.get(reason, reason),
            detail="",
            message=f"{failed.message} ({_numbers(found)})".strip(),
            since=found.status.start_time or end,
            last_seen=end,
            occurrences=max(1, found.status.failed),
        ),
        until=until,
    )


def _about_to_be_given_up(found: Job) -> Symptom:
    return Symptom(
        category=Category.JOB,
        reason=POD_FAILED,
        reason_class=BACK_OFF_LIMIT,
        detail="",
        message=f"Pods of the Job fail one after the other ({_numbers(found)})",
        since=found.status.start_time or found.metadata.creation_timestamp,
        last_seen=None,
        occurrences=max(1, found.status.failed),
    )


def _numbers(found: Job) -> str:
    """What the Job was asked for and how it went, which Kubernetes' message leaves out."""
    spec = found.spec
    parts = [f"failed Pods {found.status.failed}"]
    if spec.backoff_limit is not None:
        parts.append(f"backoffLimit {spec.backoff_limit}")
    if spec.active_deadline_seconds is not None:
        parts.append(f"activeDeadlineSeconds {spec.active_deadline_seconds}")
    return ", ".join(parts)


def _is_a_cron_jobs(found: Job) -> bool:
    return any(each.kind == "CronJob" for each in found.metadata.owner_references or ())
