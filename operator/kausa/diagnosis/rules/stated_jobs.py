"""Jobs and CronJobs: given up, past their deadline, or not started at all."""

from __future__ import annotations

from kausa.diagnosis.rules.statement import Statement, words
from kausa.resources.category import Category

__all__ = ["JOB_STATEMENTS"]

_JOB = frozenset({Category.JOB})
_DESCRIBE = "kubectl -n {namespace} describe {kind} {name}"

JOB_STATEMENTS: tuple[Statement, ...] = (
    Statement(
        rule="job.back-off-limit",
        of=_JOB,
        pattern=words(
            r"^BackoffLimitExceeded: .*?\(failed Pods (?P<failed>\d+)(?:, backoffLimit "
            r"(?P<limit>\d+))?"
        ),
        summary="{subject} has reached its backoff limit<< of {limit}>> with {failed} "
        "failed {Pods_failed}{ended}",
        root_cause="{subject} was given up after {failed} failed {Pods_failed}"
        "<< (backoffLimit {limit})>>{ended}.",
        explanation="A Job starts another Pod for each that fails, until the backoff limit is "
        "reached; then it has failed for good.",
        advice="Mend what lets the Pods fail, and start the Job anew",
        command=_DESCRIBE,
        confidence=88,
        rests_on_end=True,
    ),
    Statement(
        rule="job.pods-fail",
        of=_JOB,
        pattern=words(
            r"^PodFailed: .*?\(failed Pods (?P<failed>\d+)(?:, backoffLimit (?P<limit>\d+))?"
        ),
        summary="{failed} {Pods_failed} of {subject} {have_failed} failed"
        "<<, backoff limit {limit}>>{ended}",
        root_cause="{failed} {Pods_failed} of {subject} {have_failed} failed<< {one_by_one}>>"
        "<< (backoffLimit {limit})>>{ended}.",
        explanation="A Job starts another Pod for each that fails, until the backoff limit is "
        "reached; then it has failed for good.",
        advice="Mend what lets the Pods fail",
        command=_DESCRIBE,
        confidence=86,
        rests_on_end=True,
    ),
    Statement(
        rule="job.gave-up",
        of=_JOB,
        cause=Category.JOB,
        pattern=words(r"BackoffLimitExceeded|reached the specified backoff limit"),
        summary="{subject} has reached its backoff limit and has failed for good{ended}",
        root_cause="The Pods of {subject} failed as often as its backoffLimit allows, so the Job "
        "was given up{ended}.",
        explanation="A Job starts another Pod for each that fails, until the backoff limit is "
        "reached; then it has failed for good.",
        advice="Mend what lets the Pods fail, and start the Job anew",
        command=_DESCRIBE,
        confidence=84,
        rests_on_end=True,
    ),
    Statement(
        rule="job.deadline",
        of=_JOB,
        pattern=words(
            r"^DeadlineExceeded: .*?longer than specified deadline.*?activeDeadlineSeconds "
            r"(?P<seconds>\d+)"
        ),
        summary="{subject} ran longer than its deadline of {seconds} s (activeDeadlineSeconds)",
        root_cause="{subject} was not done within its activeDeadlineSeconds of {seconds} s, and "
        "was ended{ended}.",
        explanation="When the deadline of a Job is over, its Pods are ended and it has failed, "
        "however far they had come.",
        advice="Raise activeDeadlineSeconds, or make the work shorter",
        command=_DESCRIBE,
        confidence=92,
    ),
    Statement(
        rule="job.pod-deadline",
        of=_JOB,
        cause=Category.JOB,
        pattern=words(
            r"^DeadlineExceeded: (?:Job|Pod) was active|^DeadlineExceeded: ?$|active on the node "
            r"longer"
        ),
        summary="{subject} was active longer than its deadline (activeDeadlineSeconds)",
        root_cause="{subject} was active for longer than its activeDeadlineSeconds allows"
        "<<: {said}>>",
        explanation="The kubelet ends a Pod whose deadline is over, however far it had come.",
        advice="Raise activeDeadlineSeconds, or make the work shorter",
        command=_DESCRIBE,
        confidence=92,
    ),
    Statement(
        rule="job.failure-policy",
        of=_JOB,
        pattern=words(
            r"^PodFailurePolicy: (?P<why>.*?exit code (?P<code>\d+).*?rule at index \d+|.+)"
        ),
        summary="the Pod failure policy of {subject} gives it up: {why}",
        root_cause="A rule of the Pod failure policy of {subject} gives the Job up at once: "
        "{why}{ended}.",
        explanation="A podFailurePolicy names the ends after which trying again is of no use.",
        advice="Mend what lets the Pod end in this way",
        command=_DESCRIBE,
        confidence=92,
    ),
    Statement(
        rule="job.indexes",
        of=_JOB,
        pattern=words(r"^(?:FailedIndexes|MaxFailedIndexesExceeded): (?P<why>[^(]+)"),
        summary="{subject} has failed indexes: {why}{ended}",
        root_cause="Some indexes of {subject} have failed for good: {why}{ended}.",
        explanation="Each index of an Indexed Job has a backoff limit of its own.",
        advice="Mend what lets these indexes fail",
        command=_DESCRIBE,
        confidence=85,
        rests_on_end=True,
    ),
    Statement(
        rule="job.schedule",
        of=_JOB,
        cause=Category.JOB,
        pattern=words(
            r"^(?:InvalidSchedule|Unpars\w{1,60}): (?P<why>.*?)(?: \(schedule "
            r"(?P<schedule>[^)]*)\))?$"
        ),
        summary='the schedule<< "{schedule}">> of {subject} is invalid and cannot be parsed',
        root_cause='{subject} never runs: its schedule<< "{schedule}">> is invalid and cannot be '
        "parsed<<: {why}>>.",
        explanation="A schedule has five fields: minute, hour, day of the month, month, weekday.",
        advice="Correct the schedule of {subject}",
        command="kubectl -n {namespace} get {kind} {name}",
        confidence=95,
    ),
    Statement(
        rule="job.time-zone",
        of=_JOB,
        cause=Category.JOB,
        pattern=words(r"^UnknownTimeZone: (?P<why>.+?)(?: \(schedule [^)]*\))?$"),
        summary="the time zone of {subject} is not known: {why}",
        root_cause="{subject} never runs: its timeZone is not known to the control plane: {why}.",
        explanation="Time zones are named as in the IANA database, such as Europe/Paris.",
        advice="Correct the timeZone of {subject}",
        command="kubectl -n {namespace} get {kind} {name}",
        confidence=95,
    ),
    Statement(
        rule="job.too-many-missed",
        of=_JOB,
        cause=Category.JOB,
        pattern=words(r"^(?:TooManyMissedTimes|FailedNeedsStart): (?P<why>.+)"),
        summary="{subject} does not run: it missed too many start times",
        root_cause="{subject} has missed so many start times that it is not started any more: "
        "{why}",
        explanation="The controller counts what it missed since the last run, or within "
        "startingDeadlineSeconds, and gives up above a hundred.",
        advice="Set startingDeadlineSeconds, so that old misses are not counted",
        command=_DESCRIBE,
        confidence=85,
    ),
    Statement(
        rule="job.missed",
        of=_JOB,
        cause=Category.JOB,
        pattern=words(r"^MissSchedule: (?P<why>.+)"),
        summary="{subject} missed a run: {why}",
        root_cause="{subject} was not started at the time of its schedule: {why}",
        explanation="The controller came too late for startingDeadlineSeconds: it was down, or "
        "busy, or the deadline is too short.",
        advice="Raise startingDeadlineSeconds of {subject}",
        command=_DESCRIBE,
        confidence=65,
    ),
    Statement(
        rule="job.suspended",
        of=_JOB,
        pattern=words(r"^Suspended: suspend is true, and (?P<ran>the last run [^(]{1,100})"),
        summary="{subject} is suspended (suspend is true) and does not run; {ran}",
        root_cause="{subject} does not run because its suspend is set to true; {ran}.",
        explanation="A suspended CronJob starts nothing until somebody resumes it. Whether that is "
        "meant cannot be seen from here.",
        advice="Set suspend to false where {subject} should run again",
        command="kubectl -n {namespace} get {kind} {name}",
        confidence=80,
    ),
    Statement(
        rule="job.still-active",
        cause=Category.JOB,
        pattern=words(
            r"JobAlreadyActive|prior execution is (?:still )?running|"
            r"concurrency ?policy(?: is)? Forbid"
        ),
        summary="{subject} was not started: its prior run is still active (concurrencyPolicy "
        "Forbid)",
        root_cause="{subject} skips a run, because the prior one is still active and its "
        "concurrencyPolicy is Forbid: {said}.",
        explanation="With concurrencyPolicy Forbid a run is skipped while the one before goes on.",
        advice="Make the work shorter, the schedule rarer, or allow concurrent runs",
        command="kubectl -n {namespace} describe {kind} {name}",
        confidence=84,
    ),
)
