"""Containers that run and fail their probes, and those that the kubelet kills because of it.

A readiness probe that fails takes the container out of service; a liveness or startup probe kills
it, and then it looks like a crash. No status tells which, only the Event Unhealthy does. So: where
a container ended as the kubelet's kill ends it, and such an Event speaks of it, the probe is the
cause; and it stays the cause while the container runs again, until it has run for longer than its
probe needs to kill it. Events live for an hour and come rarely in a loop that lasts: a container
that crashes by itself within an hour after a probe has killed it, and ends with 0, 137 or 143, is
taken for killed. A program may also answer the kubelet's kill with an exit code of its own, as a
crash has one. Such an end stays a crash loop by identity, because Events soon come too rarely to
tell both apart each time; but as long as they leave no doubt, the probe is what is said of it.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from kausa.cluster.objects import Container, ContainerStatus, Probe, Terminated
from kausa.detection.case import (
    PodCase,
    credible,
    earlier,
    later,
    latest,
    newest,
    shows,
    waits,
)
from kausa.detection.graces import GRACES
from kausa.detection.surroundings import Note
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.resources.category import Category

__all__ = [
    "KILLED",
    "killed_by_probe",
    "killed_lately",
    "may_be_a_probes",
    "probe_may_have_killed",
    "surely_killed",
    "unready",
]

UNHEALTHY = "Unhealthy"
LIVENESS, READINESS, STARTUP = "liveness", "readiness", "startup"
KILLING = (STARTUP, LIVENESS)
_WHOLE_SECONDS = timedelta(seconds=2)
"""What rounding both ends of a life, and the kubelet's own start of a probe, may take off."""
_SPEAKS_OF = re.compile(r"^(?P<probe>Liveness|Readiness|Startup) probe ")
KILLED = frozenset({0, 137, 143})
"""Exit codes of a container that was told to end: it obeyed, was killed, or died by SIGTERM."""
SIGNALLED = 128
"""From here on exit codes name what ended a program from outside, or its own fault."""


def killed_by_probe(case: PodCase, status: ContainerStatus, ended: Terminated) -> Symptom | None:
    """It ended in the way of a container whose probe failed, and an Event says that it did."""
    if ended.exit_code not in KILLED or ended.reason == "OOMKilled":
        return None
    finished = ended.finished_at
    for probe in KILLING:
        note = _complaint(case, status, probe)
        if note is None or not _had_time_to_kill(case.asked(status), probe, ended):
            continue
        first, last = note.first_seen or note.last_seen, note.last_seen
        if finished is None or first is None or last is None:
            return _unhealthy(status, probe, note, ended=ended)
        if case.is_done(status) and not _failed_at_the_end(case, status, probe, note):
            continue
        before = first <= later(finished, GRACES.probe_said)
        if before and last >= earlier(finished, GRACES.probe_memory):
            return _unhealthy(status, probe, note, ended=ended)
    return None


def probe_may_have_killed(
    case: PodCase, status: ContainerStatus, ended: Terminated
) -> datetime | None:
    """Until when the Event of a probe may still arrive that explains this end."""
    if not may_be_a_probes(case, status, ended):
        return None
    return case.grace(credible(ended.finished_at), GRACES.probe_said)


def may_be_a_probes(case: PodCase, status: ContainerStatus, ended: Terminated) -> bool:
    """Whether a probe that the container has may have ended it in this way, whoever says so."""
    asked = case.asked(status)
    if ended.exit_code not in KILLED or asked is None:
        return False
    return any(_had_time_to_kill(asked, probe, ended) for probe in KILLING)


def surely_killed(case: PodCase, status: ContainerStatus, ended: Terminated) -> Note | None:
    """What the probe said last that has killed a container which then ended as by itself.

    None where that is in doubt: the probe must have failed until the end, and as often in a row as
    it may. Where the Event is older than this life, every life must have ended so on average.
    """
    started, finished = credible(ended.started_at), credible(ended.finished_at)
    asked = case.asked(status)
    own = 0 < ended.exit_code < SIGNALLED and ended.reason != "OOMKilled"
    if not own or asked is None or started is None or finished is None:
        return None
    for probe in KILLING:
        found, note = _probe_of(asked, probe), _complaint(case, status, probe)
        if found is None or note is None or not _had_time_to_kill(asked, probe, ended):
            continue
        first, last = note.first_seen, note.last_seen
        if first is None or last is None or last > later(finished, GRACES.probe_said):
            continue
        if last < earlier(finished, _bounded(found.period_seconds) + GRACES.obeys):
            continue
        if first >= started:
            lives = 1
            in_a_row = last - first <= _bounded(found.period_seconds * note.count)
        else:
            lives = status.restart_count + (1 if status.state.running is None else 0)
            in_a_row = finished - started <= _needs(found) + GRACES.obeys
        if in_a_row and note.count >= max(1, found.failure_threshold) * max(1, lives):
            return note
    return None


def killed_lately(case: PodCase, status: ContainerStatus) -> Verdict:
    """It runs, and its probe has killed it just before."""
    running, ended = status.state.running, status.last_state.terminated
    if running is None or ended is None or status.restart_count < 1:
        return HEALTHY
    symptom = killed_by_probe(case, status, ended)
    if symptom is None:
        return HEALTHY
    probe = symptom.detail
    note = _complaint(case, status, probe)
    trouble = latest(running.started_at, note.last_seen if note else None)
    until = case.grace(trouble, _needs(_asked_probe(case, status, probe)) + GRACES.after_restart)
    return HEALTHY if until is None else shows(symptom, until=until)


def unready(case: PodCase, status: ContainerStatus) -> Verdict:
    """It runs, and is not ready."""
    since = _unready_since(case, status)
    probe = _failing_probe(case, status, since)
    if probe is None:
        return HEALTHY
    note = _recent(case, status, probe, since)
    grace = max(
        GRACES.shortest_unready if _was_ready(case, status) else GRACES.never_ready,
        _needs(_asked_probe(case, status, probe)) + GRACES.probe_margin,
    )
    if note is None:
        grace = max(grace, GRACES.unready_in_silence)
    wait = case.grace(since, grace)
    if wait is not None or since is None:
        return waits(wait)
    unready = case.condition("ContainersReady")
    return shows(
        _unhealthy(
            status,
            probe,
            note,
            since=since,
            message=unready.message if unready is not None else "",
        )
    )


def _unready_since(case: PodCase, status: ContainerStatus) -> datetime | None:
    """Since it runs, or since the Pod is not ready, whichever came later."""
    running = status.state.running
    return latest(running.started_at if running else None, _lost_at(case)) or case.begun


def _lost_at(case: PodCase) -> datetime | None:
    """Since when not all containers of the Pod are ready."""
    # The kubelet's own condition comes first: others write Ready too when they lose the node.
    unready = case.condition("ContainersReady") or case.condition("Ready")
    return unready.last_transition_time if unready and unready.status == "False" else None


def _was_ready(case: PodCase, status: ContainerStatus) -> bool:
    """Whether it has been ready since it was started last; False where nobody can tell.

    No field says so. But the condition is True only while all containers are ready, and its time
    changes only with its status: where it became False well after this container had started, it
    was True while this one ran. A new Pod's is False from before its first container starts, and
    so is one that was lost when a container ended, this or another, and has not come back since.
    """
    running, lost = status.state.running, _lost_at(case)
    started = credible(running.started_at) if running is not None else None
    if started is None or lost is None:
        return False
    return lost > later(started, GRACES.first_status)


def _failing_probe(case: PodCase, status: ContainerStatus, since: datetime | None) -> str | None:
    """Which probe keeps it from being ready; the one that kills before the one that waits."""
    asked = case.asked(status)
    if asked is not None and asked.startup_probe is not None and status.started is False:
        return STARTUP
    for probe in (STARTUP, LIVENESS, READINESS):
        if _recent(case, status, probe, since) is not None:
            return probe
    return READINESS if asked is not None and asked.readiness_probe is not None else None


def _complaint(case: PodCase, status: ContainerStatus, probe: str) -> Note | None:
    """The last Event that says that this probe of the container failed."""
    return newest(
        note
        for note in case.notes({UNHEALTHY}, container=status.name)
        if (said := _SPEAKS_OF.match(note.message)) and said["probe"].lower() == probe
    )


def _recent(
    case: PodCase, status: ContainerStatus, probe: str, since: datetime | None
) -> Note | None:
    """The same, unless it is of a time before the container was ready last."""
    note = _complaint(case, status, probe)
    if note is None or since is None or note.last_seen is None:
        return note
    return note if note.last_seen >= earlier(since, GRACES.unready_in_silence) else None


def _failed_at_the_end(case: PodCase, status: ContainerStatus, probe: str, note: Note) -> bool:
    """Whether the probe failed until the container ended: else it has finished its work."""
    ended = status.state.terminated
    finished = credible(ended.finished_at) if ended is not None else None
    if finished is None or note.last_seen is None:
        return False
    asked = _asked_probe(case, status, probe)
    asks = _bounded(asked.period_seconds) + GRACES.obeys
    return note.last_seen >= earlier(finished, asks)


def _asked_probe(case: PodCase, status: ContainerStatus, probe: str) -> Probe:
    return _probe_of(case.asked(status) or Container(), probe) or Probe()


def _probe_of(asked: Container, probe: str) -> Probe | None:
    return {
        STARTUP: asked.startup_probe,
        LIVENESS: asked.liveness_probe,
        READINESS: asked.readiness_probe,
    }[probe]


def _had_time_to_kill(asked: Container | None, probe: str, ended: Terminated) -> bool:
    """Whether this life was long enough for the probe to fail as often as it may, at its earliest.

    Where the spec or a time is not known, nothing speaks against it.
    """
    if asked is None:
        return True
    found = _probe_of(asked, probe)
    if found is None:
        return False
    started, finished = credible(ended.started_at), credible(ended.finished_at)
    if started is None or finished is None:
        return True
    least = found.initial_delay_seconds + found.period_seconds * (found.failure_threshold - 1)
    return finished - started >= _bounded(least) - _WHOLE_SECONDS


def _needs(probe: Probe) -> timedelta:
    """How long the probe takes to decide against a container that never answers."""
    return _bounded(probe.initial_delay_seconds + probe.period_seconds * probe.failure_threshold)


def _bounded(seconds: int) -> timedelta:
    """A hostile number would overflow, or keep a failure waiting for ever."""
    longest = int(GRACES.longest_probe.total_seconds())
    return timedelta(seconds=min(max(seconds, 0), longest))


def _unhealthy(
    status: ContainerStatus,
    probe: str,
    note: Note | None,
    *,
    ended: Terminated | None = None,
    since: datetime | None = None,
    message: str = "",
) -> Symptom:
    seen = note.last_seen if note is not None else None
    ends = status.restart_count + (1 if status.state.running is None else 0)
    # Restarts count what the kubelet's kills did; of a readiness probe only Events count.
    occurrences = ends if probe in KILLING else note.count if note is not None else 1
    return Symptom(
        category=Category.PROBE,
        reason=UNHEALTHY,
        reason_class=UNHEALTHY,
        detail=probe,
        message=note.message if note is not None else message,
        container=status.name,
        exit_code=ended.exit_code if ended is not None else None,
        signal=ended.exit_code - 128 if ended is not None and ended.exit_code > 128 else None,
        since=credible(ended.started_at) if ended is not None else since,
        last_seen=credible(ended.finished_at) if ended is not None else latest(since, seen),
        occurrences=max(1, occurrences),
    )
