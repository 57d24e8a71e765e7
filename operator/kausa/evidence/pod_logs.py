"""Evidence from the logs of the containers that failed: the previous run first.

The end of a log is read first. Where a fatal entry stands there, it decides, and no more is read;
else the whole log goes through the scanner, for a decisive error may stand far from the end, and
what sounds bad at the end may be what is printed all the time.

Two traps: right around a restart the API answers 200 with the runtime's apology as the log, and a
container that waits after its first crash has no previous run yet, only a current one.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass

from kausa.cluster.errors import ApiError
from kausa.cluster.objects import ContainerStatus, Pod
from kausa.cluster.reader import ClusterReader
from kausa.detection.symptom import Symptom
from kausa.evidence.dossier import Evidence, EvidenceGap, LogExcerpt
from kausa.evidence.log_evidence import log_evidence
from kausa.evidence.log_stream import NO_SUCH_LOG, read_log
from kausa.evidence.logs.excerpts import excerpt_of
from kausa.evidence.reading import Reading
from kausa.evidence.redaction import Redactor

__all__ = ["gather_logs"]

NOT_RECORDED = "NotRecorded"
"""The reason of a reader of files, which cannot know what the container runtime has."""
MOST_CONTAINERS = 6
DEADLINE_SECONDS = 3.5
"""For all logs of one Pod together; shorter than a gatherer has, to bring home what is read."""


async def gather_logs(
    reader: ClusterReader,
    *,
    pod: Pod,
    symptom: Symptom | None,
    redactor: Redactor,
    deadline_seconds: float = DEADLINE_SECONDS,
) -> Reading:
    """The logs of all containers that failed, the symptom's first; where none did, of all that ran.

    Raises:
        ClusterError: the logs cannot be read at all, or not now.
    """
    evidence: list[Evidence] = []
    gaps: list[EvidenceGap] = []
    excerpts: list[LogExcerpt] = []
    redactions: Counter[str] = Counter()
    until = time.monotonic() + deadline_seconds
    for status in _wanted(pod, symptom):
        what = f"log of container {status.name} of Pod/{pod.metadata.name}"
        if excerpts and time.monotonic() > until:
            gaps.append(EvidenceGap(what=what, why=f"not read within {deadline_seconds:g} s"))
            continue
        absent = _Absent()
        try:
            async with asyncio.timeout(max(until - time.monotonic(), 0.001) if excerpts else None):
                found = await _excerpts(
                    reader, pod=pod, status=status, symptom=symptom, redactor=redactor,
                    redactions=redactions, until=until, absent=absent,
                )  # fmt: skip
        except TimeoutError:
            gaps.append(EvidenceGap(what=what, why=f"no answer within {deadline_seconds:g} s"))
            continue
        if not found:
            gaps.append(EvidenceGap(what=what, why=absent.why))
        for excerpt in found:
            excerpts.append(excerpt)
            evidence.extend(log_evidence(excerpt, pod=pod))
    return Reading(
        evidence=tuple(evidence),
        gaps=tuple(gaps),
        logs=tuple(excerpts),
        redactions=redactions,
    )


@dataclass(slots=True)
class _Absent:
    """Why there is no log: of files the first that was looked for is named."""

    why: str = "the container runtime does not have it"
    recorded: bool = True

    def take(self, error: ApiError) -> None:
        """Take in that one run has no log."""
        if error.reason == NOT_RECORDED and self.recorded:
            self.why, self.recorded = str(error), False


def _wanted(pod: Pod, symptom: Symptom | None) -> tuple[ContainerStatus, ...]:
    named = symptom.container if symptom is not None else None
    ran = [each for each in pod.status.all_container_statuses if each.image and _has_run(each)]
    wanted = [each for each in ran if each.name == named or _failed(each)]
    if not wanted and named is None:
        wanted = ran
    return tuple(sorted(wanted, key=lambda each: each.name != named)[:MOST_CONTAINERS])


def _has_run(status: ContainerStatus) -> bool:
    return (
        status.state.running is not None
        or status.state.terminated is not None
        or status.last_state.terminated is not None
    )


def _failed(status: ContainerStatus) -> bool:
    """Whether its last end was a failure, and it does not work again since."""
    ended = status.state.terminated or status.last_state.terminated
    if ended is None or ended.exit_code == 0:
        return False
    return not (status.state.running is not None and status.ready)


def _runs(status: ContainerStatus, symptom: Symptom | None) -> tuple[bool, ...]:
    """Which runs to read: True is the previous one. The first that has words suffices."""
    failed_before = status.last_state.terminated is not None and status.state.terminated is None
    if not failed_before:
        return (False,)
    speaks_of_end = symptom is None or symptom.container != status.name or _is_end(symptom)
    running_well = status.state.running is not None and not speaks_of_end
    return (False, True) if running_well else (True, False)


def _is_end(symptom: Symptom) -> bool:
    return symptom.exit_code is not None or symptom.signal is not None


async def _excerpts(
    reader: ClusterReader,
    *,
    pod: Pod,
    status: ContainerStatus,
    symptom: Symptom | None,
    redactor: Redactor,
    redactions: Counter[str],
    until: float,
    absent: _Absent,
) -> tuple[LogExcerpt, ...]:
    """The run with words in it, else an empty one, else none: the runtime has no log.

    Of a container that runs, and whose symptom does not speak of an end, both runs.
    """
    found: list[LogExcerpt] = []
    silent: LogExcerpt | None = None
    runs = _runs(status, symptom)
    for previous in runs:
        try:
            summary = await read_log(
                reader,
                namespace=pod.metadata.namespace,
                pod=pod.metadata.name,
                container=status.name,
                previous=previous,
                until=until,
            )
        except ApiError as error:
            if error.status not in NO_SUCH_LOG:
                raise
            absent.take(error)
            continue
        if summary is None:
            continue
        # Tens of milliseconds of CPU, for which the streams do not wait.
        excerpt, lost = await asyncio.to_thread(
            excerpt_of,
            summary,
            container=status.name,
            previous=previous,
            ended=previous or status.state.terminated is not None,
            redactor=redactor,
        )
        if not excerpt.text.strip():
            silent = silent or excerpt
            continue
        redactions.update(lost)
        found.append(excerpt)
        if runs[0]:
            break
    return tuple(found) or ((silent,) if silent is not None else ())
