"""Jobs and CronJobs that somebody asks about: suspended, with a schedule that nobody can read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kausa.diagnosis.finding import Finding
from kausa.diagnosis.rules.facts import Fields, namespace, shown
from kausa.diagnosis.rules.telling import citing, tell_finding
from kausa.diagnosis.rules.wording import plural
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import flag, name_of, number, text
from kausa.resources.category import Category

__all__ = ["cron_job_is_misconfigured", "is_schedule", "job_failed", "job_is_suspended"]

_MACROS = frozenset(
    {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
)
_EVERY = re.compile(r"^@every (?:\d{1,9}(?:\.\d{1,9})?(?:ns|us|ms|s|m|h)){1,6}$")
_ZONE = re.compile(r"^(?:CRON_)?TZ=\S{1,64} +")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, _MONTHS), (0, 6, _DAYS))
_PART = re.compile(
    r"^(?P<first>\*|\?|\w{1,3})(?:-(?P<last>\w{1,3}))?(?:/(?P<step>\d{1,3}))?$", re.ASCII
)


def job_is_suspended(dossier: Dossier) -> Finding | None:
    """A Job or CronJob whose suspend is true."""
    found = _batch(dossier)
    if not flag(found, "spec", "suspend"):
        return None
    kind, name = text(found, "kind"), name_of(found)
    return tell_finding(
        dossier,
        rule="job.is-suspended",
        category=Category.JOB,
        summary=f"{kind} {name} is suspended: spec.suspend is true",
        cause=f"{kind} {name} does not run, because its spec.suspend is set to true; it starts "
        "nothing until somebody resumes it",
        why="A suspended CronJob makes no Jobs, a suspended Job no Pods. Whether that is meant "
        "cannot be seen from here.",
        fix=f"Set suspend to false where {kind} {name} should run",
        command=f"kubectl -n {namespace(dossier)} get {kind.lower()} {name} -o yaml",
        confidence=88,
        citations=citing(dossier, (kind, name)),
    )


def cron_job_is_misconfigured(dossier: Dossier) -> Finding | None:
    """A schedule that is no schedule, or a deadline that can never be met."""
    found = _batch(dossier)
    if text(found, "kind") != "CronJob":
        return None
    name = name_of(found)
    schedule = text(found, "spec", "schedule")
    deadline = number(found, "spec", "startingDeadlineSeconds")
    wrong = []
    if schedule and not is_schedule(schedule):
        wrong.append(f'its schedule "{schedule[:100]}" is invalid and cannot be parsed')
    if deadline is not None and deadline < 0:
        wrong.append(f"its startingDeadlineSeconds {deadline} is negative")
    if not wrong:
        return None
    said = "; ".join(wrong)
    return tell_finding(
        dossier,
        rule="job.cron-job-misconfigured",
        category=Category.JOB,
        summary=f"CronJob {name} never runs: {said}",
        cause=f"CronJob {name} never starts a Job, because {said}",
        why="A schedule has five fields in cron format: minute, hour, day of the month, month, day "
        "of the week.",
        fix=f"Correct the schedule of CronJob {name}",
        command=f"kubectl -n {namespace(dossier)} get cronjob {name} -o yaml",
        confidence=94,
        citations=citing(dossier, ("CronJob", name)),
    )


def job_failed(dossier: Dossier) -> Finding | None:
    """A Job with failed Pods and without an end, of which nobody says more."""
    found = _batch(dossier)
    failed = number(found, "status", "failed") or 0
    if text(found, "kind") != "Job" or not failed or dossier.symptom is not None:
        return None
    if number(found, "status", "succeeded") or number(found, "status", "active"):
        return None
    name = name_of(found)
    limit = number(found, "spec", "backoffLimit")
    limit = 6 if limit is None else limit
    have = "has" if failed == 1 else "have"
    return tell_finding(
        dossier,
        rule="job.has-failed-pods",
        category=Category.JOB,
        summary=f"Job {name} has {plural(failed, 'failed Pod')} (backoff limit {limit})",
        cause=f"{plural(failed, 'Pod')} of Job {name} {have} failed and none has succeeded; its "
        f"backoffLimit is {limit}, and none of its Pods is left to say why",
        why="A Job starts another Pod for each that fails, until the backoff limit is reached.",
        fix="Mend what lets the Pods fail, and start the Job anew",
        command=f"kubectl -n {namespace(dossier)} describe job {name}",
        confidence=70,
        citations=citing(dossier, ("Job", name)),
    )


def _batch(dossier: Dossier) -> Fields:
    found = shown(dossier)
    return found if text(found, "kind") in ("Job", "CronJob") else {}


def is_schedule(schedule: str) -> bool:
    """Whether the CronJob controller can read it (cron format of five fields, or a macro)."""
    words = _ZONE.sub("", schedule.strip()[:400])
    if words in _MACROS or _EVERY.match(words) is not None:
        return True
    fields = words.split()
    return len(fields) == len(_FIELDS) and all(
        all(_is_part(part, low, high, names) for part in field.split(","))
        for field, (low, high, names) in zip(fields, _FIELDS, strict=True)
    )


def _is_part(part: str, low: int, high: int, names: Sequence[str]) -> bool:
    found = _PART.match(part)
    if found is None or found["step"] == "0":
        return False
    if found["first"] in "*?":
        return found["last"] is None
    first = _value(found["first"], low, high, names)
    last = first if found["last"] is None else _value(found["last"], low, high, names)
    return first is not None and last is not None and first <= last


def _value(word: str, low: int, high: int, names: Sequence[str]) -> int | None:
    if word.lower() in names:
        return list(names).index(word.lower()) + low
    if not word.isdecimal():
        return None
    number_ = int(word)
    return number_ if low <= number_ <= high else None
