"""Containers that end when they should run: crash loops, out of memory, ends that nobody repeats.

One crash alone may be a slow dependency; a second within an hour is a failure, and so is an end
that no start follows. Running out of memory is one at the first time. Error and CrashLoopBackOff
are two words for one failure, and so are RunContainerError and the back-off after it: exit code 128
of a container that never started. A container that runs again is not well at once: for as long as
its last life lasted, between two and ten minutes, the end before it still counts. Else what ended
while nobody looked would never be seen.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from kausa.cluster.objects import ContainerStatus, Terminated
from kausa.detection.case import (
    PodCase,
    credible,
    last_end,
    later,
    latest,
    newest,
    shows,
    waits,
)
from kausa.detection.graces import GRACES
from kausa.detection.probes import (
    KILLED,
    killed_by_probe,
    may_be_a_probes,
    probe_may_have_killed,
    surely_killed,
)
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.resources.category import Category

__all__ = ["LOOP_REASONS", "crashed", "ended_for_good", "relapses"]

CRASH_LOOP = "CrashLoopBackOff"
OUT_OF_MEMORY = "OOMKilled"
HOOK = "PostStartHookError"
LOST = "ContainerStatusUnknown"
LOOP_REASONS = frozenset({CRASH_LOOP, "RunContainerError", HOOK})
"""What a container waits with that has been started, in vain."""
FEWEST_CRASHES = 2
"""Of a container that runs: after the first it may just have waited for something."""


def crashed(case: PodCase, status: ContainerStatus) -> Verdict:
    """It has ended and is, or will be, started again."""
    waiting = status.state.waiting
    loops = waiting is not None and waiting.reason in LOOP_REASONS
    if not loops and status.state.terminated is None:
        return HEALTHY
    ended = last_end(status)
    if ended is not None and ended.reason == OUT_OF_MEMORY:
        return shows(_out_of_memory(status, ended))
    if not loops and status.restart_count < 1:
        return _left(case, status)
    if ended is not None:
        killed = killed_by_probe(case, status, ended)
        if killed is not None:
            return shows(killed)
        if not loops and (ended.exit_code == 0 or not _repeats(status, ended)):
            return _left(case, status)
        wait = probe_may_have_killed(case, status, ended)
        if wait is not None:
            return waits(wait)
    return shows(_crash_loop(case, status, ended))


def relapses(case: PodCase, status: ContainerStatus) -> Verdict:
    """It runs again, and not long enough for how it ended before to be history."""
    running, ended = status.state.running, status.last_state.terminated
    if running is None or ended is None or status.restart_count < 1:
        return HEALTHY
    finished, life = credible(ended.finished_at), _life(ended)
    if finished is None:
        return HEALTHY
    memory = ended.reason == OUT_OF_MEMORY
    if not memory and (
        ended.exit_code == 0
        or status.restart_count < FEWEST_CRASHES
        or life is None
        or life >= GRACES.longest_relapse
        or may_be_a_probes(case, status, ended)
    ):
        return HEALTHY
    well = max(life or GRACES.shortest_relapse, GRACES.shortest_relapse)
    begun = latest(finished, credible(running.started_at))
    until = case.grace(begun, min(well, GRACES.longest_relapse))
    if until is None:
        return HEALTHY
    found = _out_of_memory(status, ended) if memory else _crash_loop(case, status, ended)
    return shows(found, until=until)


def _life(ended: Terminated) -> timedelta | None:
    started, finished = credible(ended.started_at), credible(ended.finished_at)
    return None if started is None or finished is None else finished - started


def _repeats(status: ContainerStatus, ended: Terminated) -> bool:
    """Whether this end came soon after the one before it; where no time tells, it did."""
    before = status.last_state.terminated if status.state.terminated is not None else None
    finished = credible(ended.finished_at)
    begun = latest(
        credible(ended.started_at), credible(before.finished_at) if before is not None else None
    )
    return finished is None or begun is None or later(begun, GRACES.repeats) > finished


def _left(case: PodCase, status: ContainerStatus) -> Verdict:
    """It is to be started again; the kubelet does so soon, or says that it waits with it."""
    ended = status.state.terminated
    finished = credible(ended.finished_at) if ended is not None else None
    if ended is None or finished is None or case.is_done(status):
        return HEALTHY
    wait = case.grace(finished, GRACES.started_again)
    if wait is not None:
        return waits(wait)
    return shows(killed_by_probe(case, status, ended) or _end(status, ended))


def ended_for_good(case: PodCase, status: ContainerStatus) -> Verdict:
    """It has ended with an error, and nobody starts it again."""
    ended = status.state.terminated
    if ended is None or ended.exit_code == 0 or case.is_a_jobs or case.is_sidecar(status):
        return HEALTHY
    if ended.reason == OUT_OF_MEMORY:
        return shows(_out_of_memory(status, ended))
    return shows(_end(status, ended))


def _end(status: ContainerStatus, ended: Terminated) -> Symptom:
    """An end that no start follows."""
    lost = ended.reason == LOST
    return Symptom(
        category=Category.NODE if lost else Category.CRASH_LOOP,
        reason=ended.reason or "Error",
        reason_class=LOST if lost else "CrashLoop",
        detail=f"exit {ended.exit_code}",
        message=ended.message,
        container=status.name,
        exit_code=ended.exit_code,
        signal=_signal(ended),
        since=_first(ended.started_at, ended.finished_at),
        last_seen=credible(ended.finished_at),
        occurrences=_ends(status),
    )


def _out_of_memory(status: ContainerStatus, ended: Terminated) -> Symptom:
    return Symptom(
        category=Category.OOM_KILLED,
        reason=OUT_OF_MEMORY,
        reason_class="OOMKilled",
        detail="",
        message=ended.message,
        container=status.name,
        exit_code=ended.exit_code,
        signal=_signal(ended),
        since=credible(ended.started_at),
        last_seen=credible(ended.finished_at),
        occurrences=_ends(status),
    )


def _crash_loop(case: PodCase, status: ContainerStatus, ended: Terminated | None) -> Symptom:
    """`ended` is None where the kubelet has lost how the container ended."""
    waiting = status.state.waiting
    hook = None
    if ended is None or ended.exit_code in KILLED:
        # The kubelet kills it when the hook fails; one that ends by itself has another cause.
        hook = newest(case.notes({"FailedPostStartHook"}, container=status.name))
    hooked = hook is not None or (waiting is not None and waiting.reason == HOOK)
    # The waiting message only repeats the Pod's name and the back-off time.
    message = ended.message if ended is not None else ""
    if hook is not None:
        message = hook.message
    elif hooked and waiting is not None:
        message = waiting.message
    killed = surely_killed(case, status, ended) if ended is not None else None
    if killed is not None:
        message = killed.message
    return Symptom(
        category=Category.CRASH_LOOP if killed is None else Category.PROBE,
        # kubectl shows Error and CrashLoopBackOff in turn; one failure keeps one word.
        reason=HOOK if hooked else CRASH_LOOP,
        reason_class="CrashLoop",
        detail=_detail(ended, hooked=hooked),
        message=message,
        container=status.name,
        exit_code=ended.exit_code if ended is not None else None,
        signal=_signal(ended) if ended is not None else None,
        since=credible(ended.started_at) if ended is not None else None,
        last_seen=credible(ended.finished_at) if ended is not None else None,
        occurrences=_ends(status),
    )


def _detail(ended: Terminated | None, *, hooked: bool) -> str:
    if hooked:
        return "post-start hook"
    return f"exit {ended.exit_code}" if ended is not None else "exit unknown"


def _ends(status: ContainerStatus) -> int:
    """How often this container has ended: its restarts, and the end that no restart followed."""
    return max(1, status.restart_count + (1 if status.state.running is None else 0))


def _signal(ended: Terminated) -> int | None:
    """The signal that ended it: as the runtime says, or by the shell's 128+n."""
    if ended.signal:
        return ended.signal
    return ended.exit_code - 128 if 128 < ended.exit_code < 160 else None


def _first(*times: datetime | None) -> datetime | None:
    return next((time for each in times if (time := credible(each)) is not None), None)
