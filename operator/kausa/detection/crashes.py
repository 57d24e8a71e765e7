"""Containers that end when they should run: crash loops, out of memory, ends that nobody repeats.

One crash alone may be a slow dependency; a second is a failure. Running out of memory is one at the
first time. Error and CrashLoopBackOff are two words for one failure, and so are RunContainerError
and the back-off after it: exit code 128 of a container that never started.
"""

from __future__ import annotations

from datetime import datetime

from kausa.cluster.objects import ContainerStatus, Terminated
from kausa.detection.case import PodCase, credible, last_end, newest, shows, waits
from kausa.detection.probes import KILLED, killed_by_probe, probe_may_have_killed
from kausa.detection.symptom import Symptom
from kausa.detection.verdict import HEALTHY, Verdict
from kausa.resources.category import Category

__all__ = ["LOOP_REASONS", "crashed", "ended_for_good"]

CRASH_LOOP = "CrashLoopBackOff"
OUT_OF_MEMORY = "OOMKilled"
HOOK = "PostStartHookError"
LOST = "ContainerStatusUnknown"
LOOP_REASONS = frozenset({CRASH_LOOP, "RunContainerError", HOOK})
"""What a container waits with that has been started, in vain."""


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
        return HEALTHY
    if ended is not None:
        killed = killed_by_probe(case, status, ended)
        if killed is not None:
            return shows(killed)
        if not loops and ended.exit_code == 0:
            return HEALTHY
        wait = probe_may_have_killed(case, status, ended)
        if wait is not None:
            return waits(wait)
    return shows(_crash_loop(case, status, ended))


def ended_for_good(case: PodCase, status: ContainerStatus) -> Verdict:
    """It has ended with an error, and nobody starts it again."""
    ended = status.state.terminated
    if ended is None or ended.exit_code == 0 or case.is_a_jobs or case.is_sidecar(status):
        return HEALTHY
    if ended.reason == OUT_OF_MEMORY:
        return shows(_out_of_memory(status, ended))
    lost = ended.reason == LOST
    return shows(
        Symptom(
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
    return Symptom(
        category=Category.CRASH_LOOP,
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
